"""Which drugs there are, and what a man's doses make of the channels that the model reads.

The channel of a drug is a concentration in his plasma, or an input: what reaches his blood per hour.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import cache

from leydig.errors import InputError, ModelWarning, unknown
from leydig.files import DATA
from leydig.pharmacology import kinetics
from leydig.pharmacology.drug_file import PER_DAY, REST, Drug, Form, read_file
from leydig.pharmacology.kinetics import Compartments, Dose, Event, Flow, Segments

Scale = Mapping[tuple[str, str], float]

HOURS_PER_DAY = 24.0
NANOGRAMS = {"ug": 1e3, "mg": 1e6}  # definitions
NANOGRAMS_PER_LITRE = {"ng/mL": 1e3, "ug/mL": 1e6, "ng/mL/h": 1e3}  # definitions


@cache
def catalogue() -> dict[str, Drug]:
    """All bundled drugs by name."""
    drugs = [read_file(path) for path in sorted((DATA / "drugs").glob("*.yaml"))]
    return {drug.name: drug for drug in drugs}


@cache
def _spellings() -> dict[str, str]:
    """Every name and synonym, without capitals, to the drug's name; two drugs must not share one."""
    spellings: dict[str, str] = {}
    for drug in catalogue().values():
        for word in (drug.name, *drug.synonyms):
            if spellings.setdefault(word.lower(), drug.name) != drug.name:
                raise InputError(f'"{word}" names both {spellings[word.lower()]} and {drug.name}')
    return spellings


def names() -> tuple[str, ...]:
    """The names of all drugs."""
    return tuple(catalogue())


def get(name: str, where: str = "") -> Drug:
    """The drug of this name or synonym, capitals aside. InputError with the nearest name when there is none."""
    spelling = _spellings().get(name.lower())
    if spelling is None:
        raise unknown("drug", name, names(), where)
    return catalogue()[spelling]


def resolve(drug: str, form: str | None = None, where: str = "") -> tuple[Drug, Form]:
    """The drug and the form of an event. "testosterone" with form "gel" is the drug testosterone gel."""
    joined = _spellings().get(f"{drug} {form}".lower()) if form else None
    found = catalogue()[joined] if joined else get(drug, where)
    chosen = form if form and not joined else found.default_form
    if chosen not in found.forms:
        raise unknown("form", chosen, found.forms, f"{where or 'the form'} of {found.name}")
    return found, found.forms[chosen]


def check_dose(drug: Drug, amount: float, unit: str, where: str = "") -> float:
    """The amount in the drug's dose unit.

    InputError for an unknown unit or an amount outside the accepted range; ModelWarning outside the usual one.
    """
    place = f" in {where}" if where else ""
    if unit not in drug.dose.units:
        raise unknown("unit", unit, drug.dose.units, f"the dose of {drug.name}{place}")
    size = drug.dose.units[unit]
    low, high = (end / size for end in drug.dose.accepted)
    if not low <= amount <= high:
        raise InputError(
            f"{drug.name} {amount:g} {unit}{place} is outside the accepted range {low:g} to {high:g} {unit}"
        )
    low, high = (end / size for end in drug.dose.usual)
    if not low <= amount <= high:
        said = f"{drug.name} {amount:g} {unit}{place} is outside the usual range {low:g} to {high:g} {unit}"
        warnings.warn(said, ModelWarning, stacklevel=2)
    return amount * size


def values(drug: Drug, scale: Scale | None = None) -> dict[str, float]:
    """The drug's parameters for one man; ``scale`` multiplies by (drug name, parameter name)."""
    factors = scale or {}
    return {
        name: float(parameter.value or 0.0) * factors.get((drug.name, name), 1.0)
        for name, parameter in drug.parameters.items()
    }


def system(drug: Drug, numbers: Mapping[str, float]) -> Compartments:
    """The drug's compartments with these parameter values."""
    flows = []
    for flow in drug.flows:
        volume = drug.compartments[flow.source]
        rate = numbers[flow.rate] if flow.rate else numbers[flow.clearance or ""] / numbers[volume or ""]
        flows.append(Flow(flow.source, flow.target, rate))
    return kinetics.compartments(tuple(drug.compartments), flows)


def unit_factor(drug: Drug, numbers: Mapping[str, float]) -> float:
    """What one dose unit is in the channel's unit, per litre where that is a concentration.

    mg to ng/mL, ug to nmol/h through the molar mass, IU to IU/L; of a dose per day the day is taken off first.
    """
    unit = drug.dose.unit.removesuffix(PER_DAY)
    if (unit, drug.channel.unit) == ("IU", "IU/L"):
        return 1.0
    if unit in NANOGRAMS and drug.channel.unit == "nmol/h" and drug.output.molar_mass:
        return NANOGRAMS[unit] / numbers[drug.output.molar_mass]
    if unit in NANOGRAMS and drug.channel.unit in NANOGRAMS_PER_LITRE:
        return NANOGRAMS[unit] / NANOGRAMS_PER_LITRE[drug.channel.unit]
    raise InputError(f"{drug.name}: a dose in {drug.dose.unit} cannot make a channel in {drug.channel.unit}")


def weights(drug: Drug, numbers: Mapping[str, float]) -> dict[str, float]:
    """What one dose unit in each compartment adds to the channel."""
    factor = unit_factor(drug, numbers)
    if drug.output.concentration_in:
        volume = drug.compartments[drug.output.concentration_in]
        return {drug.output.concentration_in: factor / numbers[volume or ""]}
    per_volume = numbers[drug.output.per_volume] if drug.output.per_volume else 1.0
    leaving = {flow.source: numbers[flow.rate] for flow in drug.flows if flow.target is None and flow.rate}
    return {compartment: factor * rate / per_volume for compartment, rate in leaving.items()}


def doses(drug: Drug, form: Form, events: Iterable[Event], numbers: Mapping[str, float]) -> list[Dose]:
    """What enters which compartment. A dose per day without a time for which it runs is an InputError."""
    shares = {}
    for depot, factors in form.into.items():
        shares[depot] = 1.0
        for factor in factors:
            value = numbers[factor.removeprefix(REST)]
            shares[depot] *= 1.0 - value if factor.startswith(REST) else value
    entering = []
    for event in events:
        if drug.continuous and event.duration <= 0:
            raise InputError(f"{drug.name} is given in {drug.dose.unit} and needs a time for which it runs")
        amount = event.amount * event.duration / HOURS_PER_DAY if drug.continuous else event.amount
        entering += [Dose(event.time, amount * share, event.duration, depot) for depot, share in shares.items()]
    return entering


def course(drug: Drug, form: Form, events: Iterable[Event], scale: Scale | None = None) -> Segments:
    """The drug's channel under these events, in closed form."""
    numbers = values(drug, scale)
    entering = doses(drug, form, events, numbers)
    if drug.output.as_given:
        return kinetics.given(entering, unit_factor(drug, numbers))
    return kinetics.segments(system(drug, numbers), entering, weights(drug, numbers))


def channels(events: Iterable[Event], scale: Scale | None = None) -> dict[str, Segments]:
    """Every channel that the events drive; drugs that feed the same one are added up.

    ``scale`` multiplies parameters by (drug name, parameter name), so that men differ.
    """
    groups: dict[tuple[str, str | None], list[Event]] = {}
    for event in events:
        groups.setdefault((event.drug, event.form), []).append(event)
    parts: dict[str, list[Segments]] = {}
    for (name, form_name), several in groups.items():
        drug, form = resolve(name, form_name)
        parts.setdefault(drug.channel.name, []).append(course(drug, form, several, scale))
    return {channel: kinetics.add(several) for channel, several in parts.items()}
