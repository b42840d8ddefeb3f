"""From what a person writes about a man to checked numbers in canonical units; every refusal is one sentence.

``read_subject`` takes the plain mapping of a subject file (or the same as Python arguments) and returns the fields
of ``Subject``. Impossible values are refused with the accepted range, unlikely ones warn, unknown words are
answered with the nearest valid one. Nothing is assumed or converted between assays here.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from leydig import laboratory, ranges, units
from leydig.errors import InputError, ModelWarning, unknown
from leydig.population_prior import condition_named
from leydig.subject import family
from leydig.subject.entries import needed, number, only, outputs

KEYS = (
    *("name", "age", "height", "weight", "BMI", "condition", "labs", "semen", "dxa", "drugs"),
    *("partner", "wants_children", "does_not_apply", "published"),
)
LAB_KEYS = ("analyte", "value", "unit", "date", "time", "assay")
SEMEN_KEYS = ("concentration", "volume", "total_motility", "normal_morphology", "date", "abstinence")
DXA_KEYS = ("site", "bmd", "date", "device")
PUBLISHED_KEYS = ("protocol", "quantity", "day", "value", "unit", "statistic", "source", "note")
STATISTICS = ("mean", "median", "ratio", "percent_change", "change")
SITES = {"spine": "bmd_spine", "hip": "bmd_hip"}
SEMEN_QUANTITIES = {
    "concentration": "sperm_concentration",
    "volume": "semen_volume",
    "total_motility": "total_motility",
    "normal_morphology": "normal_morphology",
    "abstinence": "abstinence",
}
MINUTES_PER_HOUR, CM_PER_M = 60, 100


def read_subject(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Checked fields of a man; ``where`` names the file in errors."""
    only(given, KEYS, where)
    if given.get("age") is None:
        raise InputError(f'"age" is missing in {where}; it is the only value that must be given')
    fields: dict[str, Any] = {"name": str(given.get("name") or "unnamed man"), "age": _age(given["age"], where)}
    for key in ("height", "weight", "BMI"):
        if given.get(key) is not None:
            fields[key] = _body(key, given[key], where)
    _check_body(fields, where)
    if given.get("condition") is not None:
        condition_named(str(given["condition"]), where)
        fields["condition"] = str(given["condition"])
    fields["labs"] = [_lab(entry, spot) for entry, spot in _entries(given, "labs", where)]
    fields["semen"] = [_semen(entry, spot) for entry, spot in _entries(given, "semen", where)]
    fields["dxa"] = [_scan(entry, spot) for entry, spot in _entries(given, "dxa", where)]
    fields["published"] = [_published(entry, spot) for entry, spot in _entries(given, "published", where)]
    fields["drugs"] = _drugs(given.get("drugs"), where)
    fields["partner"] = family.partner(given.get("partner"), f"partner of {where}")
    fields["wants_children"] = family.truth(given.get("wants_children"), "wants_children", where)
    if given.get("does_not_apply") is not None:
        fields["does_not_apply"] = outputs(given["does_not_apply"], "does_not_apply", where)
        for lab in fields["labs"]:
            if lab["analyte"] in fields["does_not_apply"]:
                raise InputError(
                    f'{lab["analyte"]} of {where} is measured in "labs", so it cannot be in "does_not_apply"'
                )
    return fields


def checked(quantity: str, value: float, shown: str, where: str) -> float:
    """A canonical value, when it is possible; a warning when it is unlikely. ``shown`` is what was written."""
    accepted, usual = ranges.limits("accepted"), ranges.limits("usual")
    unit = units.CANONICAL[quantity]
    limit = accepted.get(quantity)
    if limit is not None and not limit.low <= value <= limit.high:
        raise InputError(
            f"{quantity} {shown} in {where} is impossible; accepted: {limit.low:g} to {limit.high:g} {unit}"
        )
    limit = usual.get(quantity)
    if limit is not None and not limit.low <= value <= limit.high:
        warnings.warn(
            f"{quantity} {shown} in {where} is unlikely (usual: {limit.low:g} to {limit.high:g} {unit}); check it",
            ModelWarning,
            stacklevel=2,
        )
    return value


def _quantity(quantity: str, given: Any, where: str) -> float:
    """A canonical value from text with its unit."""
    return checked(quantity, units.parse(given, quantity, where), str(given), where)


def _age(given: Any, where: str) -> float:
    """Age in years, a plain number or with its unit."""
    text = f"{given} years" if re.fullmatch(r"\s*[-+]?[\d.]+\s*", str(given)) else given
    value = units.parse(text, "age", where)
    limit = ranges.limits("accepted")["age"]
    if not limit.low <= value <= limit.high:
        raise InputError(
            f"age {given} in {where} is outside what this model covers; accepted: {limit.low:g} to {limit.high:g} years"
        )
    return value


def _body(key: str, given: Any, where: str) -> float:
    """Height in cm, weight in kg or BMI in kg/m2 (the last also as a plain number)."""
    if key == "BMI" and re.fullmatch(r"\s*[-+]?[\d.]+\s*", str(given)):
        return checked("BMI", units.parse(f"{given} kg/m2", "BMI", where), str(given), where)
    return _quantity(key, given, where)


def _check_body(fields: Mapping[str, Any], where: str) -> None:
    """A BMI that follows from height and weight is possible, and the reverse."""
    height, weight, bmi = (fields.get(key) for key in ("height", "weight", "BMI"))
    if height and weight:
        value = weight / (height / CM_PER_M) ** 2
        checked("BMI", value, f"{value:.1f} kg/m2 (from height and weight)", where)
    elif bmi and (height or weight):
        key = "weight" if height else "height"
        value = bmi * (height / CM_PER_M) ** 2 if height else (weight / bmi) ** 0.5 * CM_PER_M
        checked(key, value, f"{value:.0f} {units.CANONICAL[key]} (from BMI)", where)


def _lab(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """One laboratory value: canonical, with its date, hour and assay."""
    only(entry, LAB_KEYS, where)
    analyte = str(needed(entry, "analyte", where))
    if analyte not in laboratory.analytes():
        raise unknown("analyte", analyte, laboratory.analytes(), where)
    text = str(needed(entry, "value", where)).strip()
    below = text.startswith("<")
    text = text.removeprefix("<").strip()
    if entry.get("unit") is not None:
        text = f"{text} {entry['unit']}"
    number, unit = units.split(text, analyte, where)
    assay = laboratory.assay_named(entry["assay"], where) if entry.get("assay") is not None else laboratory.UNKNOWN
    return {
        "analyte": analyte,
        "value": checked(analyte, units.to_canonical(analyte, number, unit, where), text, where),
        "below": below,
        "unit": unit or units.CANONICAL[analyte],
        "date": _date(entry.get("date"), where),
        "hour": _hour(entry.get("time"), where),
        "assay": assay,
    }


def _semen(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """One semen sample in canonical units."""
    only(entry, SEMEN_KEYS, where)
    found: dict[str, Any] = {"date": _date(entry.get("date"), where)}
    for key, quantity in SEMEN_QUANTITIES.items():
        if entry.get(key) is not None:
            found[key] = _quantity(quantity, entry[key], where)
    if not set(found) & {"concentration", "volume", "total_motility", "normal_morphology"}:
        raise InputError(f"{where} holds no result; give at least one of {', '.join(list(SEMEN_QUANTITIES)[:-1])}")
    return found


def _scan(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """One bone density by site and scanner."""
    only(entry, DXA_KEYS, where)
    site = str(needed(entry, "site", where))
    if site not in SITES:
        raise unknown("site", site, SITES, where)
    device = str(entry.get("device") or laboratory.UNKNOWN)
    if device not in laboratory.DEVICES:
        raise unknown("device", device, laboratory.DEVICES, where)
    density = _quantity(SITES[site], needed(entry, "bmd", where), where)
    return {"site": site, "bmd": density, "date": _date(entry.get("date"), where), "device": device}


def _published(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """One published figure to show beside the simulated one; values stay in the unit they were printed in."""
    only(entry, PUBLISHED_KEYS, where)
    quantity = str(needed(entry, "quantity", where))
    units.quantity_named(quantity, where)
    statistic = str(entry.get("statistic") or "mean")
    if statistic not in STATISTICS:
        raise unknown("statistic", statistic, STATISTICS, where)
    unit = str(entry.get("unit") or units.CANONICAL[quantity])
    if statistic in ("mean", "median", "change"):
        units.check_accepted(quantity, unit, where)
    from leydig.bibliography import reference

    source = str(needed(entry, "source", where))
    reference(source, where)
    return {
        "protocol": _protocol(needed(entry, "protocol", where), where),
        "quantity": quantity,
        "day": number(needed(entry, "day", where), "day", where),
        "value": number(needed(entry, "value", where), "value", where),
        "unit": unit,
        "statistic": statistic,
        "source": source,
        "note": str(entry.get("note") or ""),
    }


def _drugs(given: Any, where: str) -> list[str]:
    """Protocol texts of what he takes already."""
    if given is None:
        return []
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InputError(f'"drugs" in {where} must be a list of protocol texts such as ["anastrozole 1 mg daily"]')
    texts = [_protocol(text, f"drugs[{number}] of {where}") for number, text in enumerate(given)]
    for place, text in enumerate(texts):
        if _changes_weight(text):
            raise InputError(
                f'drugs[{place}] of {where} changes his weight, which "weight" or "BMI" already states as it is; '
                "a change belongs into the protocol"
            )
    return [text for text in texts if _has_doses(text)]


def _has_doses(text: str) -> bool:
    """Whether a protocol gives anything: "none" is not a drug that he takes."""
    from leydig.pharmacology.protocol import Protocol

    return bool(Protocol.parse(text).regimens)


def _changes_weight(text: str) -> bool:
    from leydig.pharmacology.protocol import Protocol

    return bool(Protocol.parse(text).weight_changes())


def _protocol(given: Any, where: str) -> str:
    """A protocol text, when it can be read."""
    from leydig.pharmacology.protocol import Protocol

    if not isinstance(given, str):
        raise InputError(f"a protocol in {where} must be text such as anastrozole 1 mg daily")
    try:
        Protocol.parse(given)
    except InputError as error:
        raise InputError(f"{error}, in {where}") from error
    return given


def _entries(given: Mapping[str, Any], key: str, where: str) -> list[tuple[Mapping[str, Any], str]]:
    """The mappings of a list with their places."""
    content = given.get(key)
    if content is None:
        return []
    if isinstance(content, Mapping | str) or not isinstance(content, Sequence):
        raise InputError(f'"{key}" in {where} must be a list; begin each entry with a dash')
    pairs = [(entry, f"{key}[{number}] of {where}") for number, entry in enumerate(content)]
    for entry, spot in pairs:
        if not isinstance(entry, Mapping):
            raise InputError(f"{spot} must be a mapping of names to values")
    return pairs


def _date(given: Any, where: str) -> date | None:
    """A date, given as one or as 2026-01-31."""
    if given is None:
        return None
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise InputError(f'the date "{given}" in {where} cannot be read; write it like 2026-01-31') from None


def _hour(given: Any, where: str) -> float | None:
    """A clock time such as 08:00, as hours."""
    if given is None:
        return None
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", given.strftime("%H:%M") if isinstance(given, time) else str(given))
    if found is None or not (0 <= int(found[1]) < laboratory.HOURS_PER_DAY and int(found[2]) < MINUTES_PER_HOUR):
        raise InputError(f'the time "{given}" in {where} cannot be read; write it like "08:00"')
    return int(found[1]) + int(found[2]) / MINUTES_PER_HOUR
