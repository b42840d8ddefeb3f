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
from leydig.pharmacology.drug_file import PER_DAY, Drug, Form, Mixture, read_file, share
from leydig.pharmacology.kinetics import Compartments, Dose, Event, Flow, Segments

Scale = Mapping[tuple[str, str], float]

HOURS_PER_DAY = 24.0
NANOGRAMS = {"ug": 1e3, "mg": 1e6}  # definitions
NANOGRAMS_PER_LITRE = {"ng/mL": 1e3, "ug/mL": 1e6, "ng/mL/h": 1e3}  # definitions


@cache
def catalogue() -> dict[str, Drug | Mixture]:
    """All bundled drugs by name."""
    drugs = {drug.name: drug for drug in map(read_file, sorted((DATA / "drugs").glob("*.yaml")))}
    for drug in drugs.values():
        for name in drug.contains if isinstance(drug, Mixture) else ():
            part = drugs.get(name)
            if not isinstance(part, Drug):
                raise unknown("drug", name, [d.name for d in drugs.values() if isinstance(d, Drug)], drug.name)
            if part.dose.unit != drug.dose.unit or not set(drug.forms) <= set(part.forms):
                raise InputError(f"{drug.name} and {name}, which it contains, differ in dose unit or forms")
    return drugs


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


def get(name: str, where: str = "") -> Drug | Mixture:
    """The drug of this name or synonym, capitals aside. InputError with the nearest name when there is none."""
    spelling = _spellings().get(name.lower())
    if spelling is None:
        raise unknown("drug", name, names(), where)
    return catalogue()[spelling]


def constituents(name: str) -> tuple[str, ...]:
    """The drugs that a dose of this one is: those that a mixture contains, otherwise itself."""
    drug = get(name)
    return tuple(drug.contains) if isinstance(drug, Mixture) else (drug.name,)


def resolve(drug: str, form: str | None = None, where: str = "") -> tuple[Drug | Mixture, Form]:
    """The drug and the form of an event. "testosterone" with form "gel" is the drug testosterone gel."""
    joined = _spellings().get(f"{drug} {form}".lower()) if form else None
    found = catalogue()[joined] if joined else get(drug, where)
    chosen = form if form and not joined else found.default_form
    if chosen not in found.forms:
        raise unknown("form", chosen, found.forms, f"{where or 'the form'} of {found.name}")
    return found, found.forms[chosen]


def check_dose(drug: Drug | Mixture, amount: float, unit: str, where: str = "") -> float:
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


def values(drug: Drug | Mixture, scale: Scale | None = None) -> dict[str, float]:
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
    shares = {depot: share(factors, numbers) for depot, factors in form.into.items()}
    entering = []
    for event in events:
        if drug.continuous and event.duration <= 0:
            raise InputError(f"{drug.name} is given in {drug.dose.unit} and needs a time for which it runs")
        amount = event.amount * event.duration / HOURS_PER_DAY if drug.continuous else event.amount
        entering += [Dose(event.time, amount * part, event.duration, depot) for depot, part in shares.items()]
    return entering


def course(drug: Drug, form: Form, events: Iterable[Event], scale: Scale | None = None) -> Segments:
    """The drug's channel under these events, in closed form."""
    numbers = values(drug, scale)
    entering = doses(drug, form, events, numbers)
    if drug.output.as_given:
        return kinetics.given(entering, unit_factor(drug, numbers))
    return kinetics.segments(system(drug, numbers), entering, weights(drug, numbers))


def separated(event: Event, scale: Scale | None = None) -> list[tuple[Drug, Form, Event]]:
    """The event as doses of drugs with kinetics of their own, each in its form: several for a mixture."""
    drug, form = resolve(event.drug, event.form)
    if isinstance(drug, Drug):
        return [(drug, form, event)]
    numbers, found = values(drug, scale), []
    chosen = next(name for name, its in drug.forms.items() if its is form)
    for name, factors in drug.contains.items():
        part, its = resolve(name, chosen)
        assert isinstance(part, Drug)  # the catalogue has seen to it
        amount = event.amount * share(factors, numbers)
        found.append((part, its, event._replace(drug=name, form=chosen, amount=amount)))
    return found


def channels(events: Iterable[Event], scale: Scale | None = None) -> dict[str, Segments]:
    """Every channel that the events drive; drugs that feed the same one are added up.

    ``scale`` multiplies parameters by (drug name, parameter name), so that men differ.
    """
    groups: dict[tuple[str, str], list[Event]] = {}
    kinds: dict[tuple[str, str], tuple[Drug, Form]] = {}
    for event in events:
        for drug, form, part in separated(event, scale):
            key = (drug.name, next(name for name, its in drug.forms.items() if its is form))
            kinds[key] = drug, form
            groups.setdefault(key, []).append(part)
    parts: dict[str, list[Segments]] = {}
    for key, several in groups.items():
        drug, form = kinds[key]
        parts.setdefault(drug.channel.name, []).append(course(drug, form, several, scale))
    return {channel: kinetics.add(several) for channel, several in parts.items()}
