"""What a drug file declares, and the checks that it declares it completely.

One file in data/drugs is one drug: its names, its dose, its forms, its compartments with their
parameters, the channel it drives, and the published figures it is held against. Everything else
(closed forms, SBML, the table in the documentation) is derived from that one declaration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from leydig.errors import InputError, unknown

KINDS = ("measured", "derived", "fitted", "assumed")
SEEN = ("fulltext", "abstract", "secondary", "label")
OUTCOMES = ("reproduced", "missed")

# Nanograms per unit of mass: definitions.
MASS = {"ng": 1.0, "ug": 1e3, "mg": 1e6, "g": 1e9}
# Channel units that are a mass, in nanograms, per volume: definitions.
MASS_PER_LITRE = {"ng/mL": 1e3, "ug/mL": 1e6, "ng/mL/h": 1e3}
PER_DAY = "/day"
HOURS_PER_DAY = 24.0

TOP = {"name", "synonyms", "class", "channel", "dose", "forms", "default_form", "compartments", "flows", "output"}
OPTIONAL = {"equations", "in_blood", "note"}


class Parameter(NamedTuple):
    """One number of a drug, with where it comes from."""

    name: str
    value: float
    unit: str
    kind: str
    source: str
    where: str
    log_sd: float  # between men, 0 = none known
    note: str


class Dose(NamedTuple):
    """What may be given: ranges in ``unit``; ``units`` are accepted units and what one of them is in ``unit``."""

    unit: str
    units: Mapping[str, float]
    accepted: tuple[float, float]
    usual: tuple[float, float]


class Form(NamedTuple):
    """A way to give the drug: which compartments a dose enters and which factors each share is the product of."""

    route: str
    into: Mapping[str, tuple[str, ...]]


class FlowRule(NamedTuple):
    """First-order flow, by a rate constant (1/h) or a clearance (L/h) over the volume of its source."""

    source: str
    target: str | None
    rate: str | None
    clearance: str | None


class Figure(NamedTuple):
    """A published figure and the regimen it was seen under."""

    quantity: str
    value: float
    unit: str
    spread: float | None  # standard deviation in ``unit``; None where none was printed
    outcome: str
    source: str
    where: str
    seen: str
    regimen: Mapping[str, Any]
    note: str


class Drug(NamedTuple):
    """A drug as declared in its file."""

    name: str
    synonyms: tuple[str, ...]
    kind: str  # what it is: aromatase inhibitor, androgen, ...
    channel: str
    channel_unit: str
    channel_meaning: str
    dose: Dose
    forms: Mapping[str, Form]
    default_form: str
    compartments: Mapping[str, str | None]  # name: its volume parameter, None where no concentration is meant
    flows: tuple[FlowRule, ...]
    output: Mapping[str, Any]
    in_blood: Mapping[str, str]  # how published figures of an input are read: clearance, volume
    equations: str  # module that holds the rest of its kinetics, empty when they are linear
    parameters: Mapping[str, Parameter]
    published: tuple[Figure, ...]
    note: str

    @property
    def continuous(self) -> bool:
        """Whether the dose is a rate that runs for a time (patch, infusion)."""
        return self.dose.unit.endswith(PER_DAY)


def read(content: Mapping[str, Any], where: str) -> Drug:
    """The drug that a parsed file declares; InputError names the file and the place of what is wrong."""
    _keys(content, TOP | {"parameters", "published"}, OPTIONAL, where)
    parameters = {name: _parameter(name, entry, where) for name, entry in content["parameters"].items()}
    drug = Drug(
        name=content["name"],
        synonyms=tuple(content["synonyms"]),
        kind=content["class"],
        channel=content["channel"]["name"],
        channel_unit=content["channel"]["unit"],
        channel_meaning=content["channel"]["meaning"],
        dose=_dose(content["dose"], where),
        forms={name: _form(entry, f"forms.{name} of {where}") for name, entry in content["forms"].items()},
        default_form=content["default_form"],
        compartments=dict(content["compartments"]),
        flows=tuple(_flow(entry, where) for entry in content["flows"]),
        output=dict(content["output"]),
        in_blood=dict(content.get("in_blood", {})),
        equations=content.get("equations", ""),
        parameters=parameters,
        published=tuple(_figure(entry, where) for entry in content["published"]),
        note=content.get("note", ""),
    )
    _consistent(drug, where)
    return drug


def read_file(path: Path) -> Drug:
    import yaml

    with path.open(encoding="utf-8") as file:
        return read(yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), path.name)


def factor_names(drug: Drug) -> set[str]:
    """Parameters that the shares of its forms name, without the complement sign."""
    return {factor.removeprefix("1 - ") for form in drug.forms.values() for share in form.into.values() for factor in share}


def used_parameters(drug: Drug) -> set[str]:
    """Every parameter that the kinetics or the reading of published figures need."""
    volumes = {volume for volume in drug.compartments.values() if volume}
    flows = {name for flow in drug.flows for name in (flow.rate, flow.clearance) if name}
    others = {drug.output[key] for key in ("per_volume", "molar_mass") if key in drug.output}
    return volumes | flows | others | factor_names(drug) | set(drug.in_blood.values())


def _keys(entry: Any, required: set[str], optional: set[str], where: str) -> None:
    if not isinstance(entry, Mapping):
        raise InputError(f"{where} must be a mapping of names to values")
    for key in entry:
        if key not in required | optional:
            raise unknown("key", str(key), sorted(required | optional), where)
    missing = sorted(required - set(entry))
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}")


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{where} is {value!r}; it must be a finite number")
    return float(value)


def _parameter(name: str, entry: Any, where: str) -> Parameter:
    place = f"parameters.{name} of {where}"
    _keys(entry, {"value", "unit", "kind", "source"}, {"symbol", "where", "between_men", "note"}, place)
    if entry["kind"] not in KINDS:
        raise unknown("kind", str(entry["kind"]), KINDS, place)
    if entry["kind"] in ("assumed", "derived") and not entry.get("note"):
        raise InputError(f"{place} is {entry['kind']}; a note must say how")
    between = entry.get("between_men", {})
    _keys(between, set(), {"log_sd", "group"}, f"between_men of {place}")
    value, spread = _number(entry["value"], place), _number(between.get("log_sd", 0.0), place)
    if value < 0 or spread < 0:
        raise InputError(f"{place} is negative; kinetic parameters and their spread are 0 or above")
    return Parameter(
        name, value, entry["unit"], entry["kind"], entry["source"], entry.get("where", ""), spread, entry.get("note", "")
    )


def _dose(entry: Any, where: str) -> Dose:
    place = f"dose of {where}"
    _keys(entry, {"unit", "accepted", "usual"}, {"units"}, place)
    low, high = (_number(end, place) for end in entry["accepted"])
    usual_low, usual_high = (_number(end, place) for end in entry["usual"])
    if not 0 <= low <= usual_low < usual_high <= high:
        raise InputError(f"{place}: the usual range must lie within the accepted range, both ascending")
    units = {entry["unit"]: 1.0, **{unit: _number(size, place) for unit, size in entry.get("units", {}).items()}}
    return Dose(entry["unit"], units, (low, high), (usual_low, usual_high))


def _form(entry: Any, where: str) -> Form:
    _keys(entry, {"route", "into"}, set(), where)
    return Form(entry["route"], {depot: tuple(share or ()) for depot, share in entry["into"].items()})


def _flow(entry: Any, where: str) -> FlowRule:
    place = f"flows of {where}"
    _keys(entry, {"from"}, {"to", "rate", "clearance"}, place)
    if ("rate" in entry) == ("clearance" in entry):
        raise InputError(f"{place}: the flow from {entry['from']} needs either a rate or a clearance")
    return FlowRule(entry["from"], entry.get("to"), entry.get("rate"), entry.get("clearance"))


def _figure(entry: Any, where: str) -> Figure:
    place = f"published of {where}"
    _keys(
        entry,
        {"quantity", "value", "unit", "outcome", "source", "where", "seen", "regimen"},
        {"spread", "spread_kind", "n", "note"},
        place,
    )
    if entry["outcome"] not in OUTCOMES:
        raise unknown("outcome", str(entry["outcome"]), OUTCOMES, place)
    if entry["seen"] not in SEEN:
        raise unknown("way of seeing", str(entry["seen"]), SEEN, place)
    spread = entry.get("spread")
    return Figure(
        entry["quantity"], _number(entry["value"], place), entry["unit"], None if spread is None else _number(spread, place),
        entry["outcome"], entry["source"], entry["where"], entry["seen"], dict(entry["regimen"]), entry.get("note", ""),
    )  # fmt: skip


def _consistent(drug: Drug, where: str) -> None:
    """Every name that is used exists, and every parameter that exists is used."""
    if drug.default_form not in drug.forms:
        raise unknown("form", drug.default_form, drug.forms, f"default_form of {where}")
    named = {flow.source for flow in drug.flows} | {flow.target for flow in drug.flows if flow.target}
    named |= {depot for form in drug.forms.values() for depot in form.into}
    for compartment in sorted(named - set(drug.compartments)):
        raise unknown("compartment", compartment, drug.compartments, where)
    for flow in drug.flows:
        if flow.clearance and not drug.compartments[flow.source]:
            raise InputError(f"{where}: the clearance from {flow.source} needs a volume there")
    used = used_parameters(drug)
    for name in sorted(used - set(drug.parameters)):
        raise unknown("parameter", name, drug.parameters, where)
    if not drug.equations and (unused := sorted(set(drug.parameters) - used)):
        raise InputError(f"{where} declares parameters that nothing uses: {', '.join(unused)}")
