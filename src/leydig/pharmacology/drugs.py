"""Which drugs there are, and what a man's doses make of the channels that the model reads.

The channel of a drug is a concentration in his plasma, or an input: what reaches his blood per hour.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from leydig.errors import InputError, ModelWarning, unknown
from leydig.pharmacology import kinetics
from leydig.pharmacology.drug_file import HOURS_PER_DAY, MASS, MASS_PER_LITRE, PER_DAY, Drug, Form, read_file
from leydig.pharmacology.kinetics import Compartments, Dose, Event, Flow, Segments

Scale = Mapping[tuple[str, str], float]


@cache
def catalogue() -> Mapping[str, Drug]:
    """All bundled drugs by name."""
    folder = Path(str(files("leydig") / "data" / "drugs"))
    drugs = [read_file(path) for path in sorted(folder.glob("*.yaml"))]
    return {drug.name: drug for drug in drugs}


@cache
def _spellings() -> Mapping[str, str]:
    """Every name and synonym, without capitals, to the drug's name; two drugs must not share one."""
    spellings: dict[str, str] = {}
    for drug in catalogue().values():
        for word in (drug.name, *drug.synonyms):
            if spellings.setdefault(word.lower(), drug.name) != drug.name:
                raise InputError(f'"{word}" names both {spellings[word.lower()]} and {drug.name}')
    return spellings


def names() -> tuple[str, ...]:
    return tuple(catalogue())


def get(name: str, where: str = "") -> Drug:
    """The drug of this name or synonym, capitals aside. InputError with the nearest name when there is none."""
    try:
        return catalogue()[_spellings()[name.lower()]]
    except KeyError:
        raise unknown("drug", name, names(), where) from None


def resolve(drug: str, form: str | None) -> tuple[Drug, Form]:
    """Drug and form of an event. "testosterone" with form "gel" is the drug testosterone gel."""
    joined = _spellings().get(f"{drug} {form}".lower())
    if form and joined:
        found = catalogue()[joined]
        return found, found.forms[found.default_form]
    found = get(drug)
    chosen = form or found.default_form
    if chosen not in found.forms:
        raise unknown("form", chosen, found.forms, f"the form of {found.name}")
    return found, found.forms[chosen]


def check_dose(drug: Drug, amount: float, unit: str, where: str = "") -> float:
    """The amount in the drug's dose unit.

    InputError for an unknown unit or an amount outside the accepted range; ModelWarning outside the usual one.
    """
    place = f" in {where}" if where else ""
    if unit not in drug.dose.units:
        raise unknown("unit", unit, drug.dose.units, f"the dose of {drug.name}{place}")
    size = drug.dose.units[unit]
    dose = amount * size
    low, high = drug.dose.accepted
    if not low <= dose <= high:
        raise InputError(
            f"{drug.name} {amount:g} {unit}{place} is outside the accepted range {low / size:g} to {high / size:g} {unit}"
        )
    low, high = drug.dose.usual
    if not low <= dose <= high:
        text = f"{drug.name} {amount:g} {unit}{place} is unusual: {low / size:g} to {high / size:g} {unit} is usual"
        warnings.warn(text, ModelWarning, stacklevel=2)
    return dose


def values(drug: Drug, scale: Scale | None = None) -> dict[str, float]:
    """The drug's parameters for one man; ``scale`` multiplies (drug name, parameter name)."""
    scale = scale or {}
    return {name: p.value * scale.get((drug.name, name), 1.0) for name, p in drug.parameters.items()}


def system(drug: Drug, numbers: Mapping[str, float]) -> Compartments:
    """Its compartments with these parameter values."""
    flows = []
    for flow in drug.flows:
        volume = drug.compartments[flow.source]
        rate = numbers[flow.rate] if flow.rate else numbers[flow.clearance or ""] / numbers[volume or ""]
        flows.append(Flow(flow.source, flow.target, rate))
    return kinetics.compartments(tuple(drug.compartments), flows)


def unit_factor(drug: Drug, numbers: Mapping[str, float]) -> float:
    """What one dose unit is in the channel's unit, per litre where that is a concentration.

    mg to ng/mL, ug to nmol/h through the molar mass, IU to IU/L; the day of a rate is taken off first.
    """
    unit = drug.dose.unit.removesuffix(PER_DAY)
    if drug.channel_unit == "IU/L" and unit == "IU":
        return 1.0
    if unit in MASS and drug.channel_unit == "nmol/h":
        return MASS[unit] / numbers[drug.output["molar_mass"]]
    if unit in MASS and drug.channel_unit in MASS_PER_LITRE:
        return MASS[unit] / MASS_PER_LITRE[drug.channel_unit]
    raise InputError(f"{drug.name}: no way from {drug.dose.unit} to {drug.channel_unit}")


def output(drug: Drug, numbers: Mapping[str, float]) -> dict[str, float]:
    """Weight of each compartment's amount in the channel."""
    factor = unit_factor(drug, numbers)
    if "concentration_in" in drug.output:
        compartment = drug.output["concentration_in"]
        return {compartment: factor / numbers[drug.compartments[compartment] or ""]}
    volume = numbers[drug.output["per_volume"]] if "per_volume" in drug.output else 1.0
    leaving = [flow for flow in drug.flows if flow.target is None and flow.rate]
    return {flow.source: factor * numbers[flow.rate or ""] / volume for flow in leaving}


def doses(drug: Drug, form: Form, events: Iterable[Event], numbers: Mapping[str, float]) -> list[Dose]:
    """What enters which compartment. A rate without a duration is an InputError."""
    shares = {}
    for depot, factors in form.into.items():
        shares[depot] = 1.0
        for factor in factors:
            value = numbers[factor.removeprefix("1 - ")]
            shares[depot] *= 1.0 - value if factor.startswith("1 - ") else value
    given = []
    for event in events:
        if drug.continuous and event.duration <= 0:
            raise InputError(f"{drug.name} is given in {drug.dose.unit} and needs a time for which it runs")
        amount = event.amount * event.duration / HOURS_PER_DAY if drug.continuous else event.amount
        given += [Dose(event.time, amount * share, event.duration, depot) for depot, share in shares.items()]
    return given


def course(drug: Drug, form: Form, events: Iterable[Event], scale: Scale | None = None) -> Segments:
    """The drug's channel under these events, in closed form."""
    numbers = values(drug, scale)
    entering = doses(drug, form, events, numbers)
    if drug.output.get("as_given"):
        return kinetics.given(entering, unit_factor(drug, numbers))
    return kinetics.segments(system(drug, numbers), entering, output(drug, numbers))


def channels(events: Iterable[Event], scale: Scale | None = None) -> dict[str, Segments]:
    """Every channel that the events drive; drugs that feed the same one are added up.

    ``scale`` multiplies parameters, by (drug name, parameter name), so that men differ.
    """
    groups: dict[tuple[str, str | None], list[Event]] = {}
    for event in events:
        groups.setdefault((event.drug, event.form), []).append(event)
    parts: dict[str, list[Segments]] = {}
    for (name, form_name), several in groups.items():
        drug, form = resolve(name, form_name)
        parts.setdefault(drug.channel, []).append(course(drug, form, several, scale))
    return {channel: kinetics.add(several) for channel, several in parts.items()}
