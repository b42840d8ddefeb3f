"""What a completed man is told of himself: what is assumed, averaged, unused, lifted or kept apart, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from leydig import population_prior as population
from leydig import units
from leydig.population_prior import Prior, lipids
from leydig.subject.inference import EUGONADAL
from leydig.subject.man import Subject
from leydig.subject.readings import Reading, states

NORMAL_95 = 1.959963984540054  # standard deviations that hold 95 % of a normal distribution


class Assumption(NamedTuple):
    """One value that was not measured."""

    name: str
    value: float  # median, canonical unit
    low: float  # 2.5 % of men like him
    high: float  # 97.5 %
    unit: str
    sentence: str


def assumptions(subject: Subject, after: Prior, condition: str, own: Mapping[str, float]) -> list[Assumption]:
    """Every value that is not known, with the range of men like him (given his ``own`` values) and a sentence."""
    among = condition if not population.condition_named(condition).lesion else EUGONADAL
    mass = "" if "BMI" not in after.known else f" and BMI {after.known['BMI']:.3g}"
    given = sorted(own)
    found = []
    for name in after.names:
        if name in after.known:
            continue
        value = population.typical(after)[name]
        low, high = population.quantiles(after, name, NORMAL_95)
        unit = units.CANONICAL.get(name, "1")
        shown = "" if unit == "1" else f" {unit}"
        what = "is not measured by any test" if name == population.HIDDEN else "was not measured"
        found.append(
            Assumption(
                name, value, low, high, unit,
                f"{name} {what}: {value:.3g}{shown} (95 % of such men: {low:.3g} to {high:.3g}), from {among} men of "
                f"{subject.age:g} years{mass}" + (f" with his {', '.join(given)}" if given else ""),
            )
        )  # fmt: skip
    found.append(_lean_mass(after, mass))
    if subject.body_height is None:
        found.append(_height())
    return found


def _lean_mass(after: Prior, mass: str) -> Assumption:
    """What fat leaves of his weight."""
    value = population.typical(after)[population.LEAN_MASS]
    low, high = population.lean_mass(after, NORMAL_95)
    return Assumption(
        population.LEAN_MASS, value, low, high, "kg",
        f"lean_mass was not measured: {value:.3g} kg (95 % of such men: {low:.3g} to {high:.3g}), the weight less fat "
        f"of men of {after.age:g} years{mass}",
    )  # fmt: skip


def _height() -> Assumption:
    """The height that turns BMI into kilograms of fat."""
    height = population.reference_height()
    shown = f"height was not given: {height:g} cm, only for fat and lean mass"
    return Assumption("height", height, height, height, "cm", shown)


def averages(printed: list[Reading]) -> list[str]:
    """Where several measurements of one quantity were averaged."""
    names = [reading.name for reading in printed]
    said = []
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            value = states([reading for reading in printed if reading.name == name])[name]
            said.append(
                f"the {names.count(name)} values of {name} are averaged (geometric mean): {value:.3g} "
                f"{units.CANONICAL[name]}"
            )
    return said


def notes(subject: Subject) -> list[str]:
    """What a person should know about his input, short of a contradiction."""
    said = []
    for number, sample in enumerate(subject.semen):
        if sample.concentration is not None and sample.volume is None:
            said.append(
                f"semen[{number}] has a concentration but no volume: counts per ejaculate rest on an assumed one"
            )
        if sample.abstinence is not None:
            said.append(
                f"semen[{number}] came after {sample.abstinence:g} d of abstinence and is taken as his usual one"
            )
    if subject.weight is not None and subject.body_height is None:
        said.append("a weight without height or BMI says nothing of his fat; it is not used")
    if subject.partner is not None and subject.partner.months_trying == 0:
        said.append("no months of trying were given: the couple is taken to begin now")
    if subject.day_zero is not None and len(set(subject.dates)) > 1:
        said.append(f"day 0 is {subject.day_zero.isoformat()}, the latest baseline date")
    return said


def unused(measured: Mapping[str, float], before: Prior) -> list[str]:
    """Values that are shown but change nothing."""
    return [
        f"{name} is shown beside the simulation but sets none of his own values"
        for name in measured
        if name not in before.names and not (name == lipids.TOTAL and lipids.PARTS.keys() <= measured.keys())
    ]


def apart(healthy: bool, lesion: Mapping[str, float], subject: Subject) -> list[str]:
    """Why measured values are kept apart."""
    if healthy:
        return []
    why = "his disease" if lesion and not subject.drugs else "his drugs" if not lesion else "his disease and his drugs"
    return [f"his measured values include {why}; the reference values are those of the man without"]


def lifted(floors: Mapping[str, float], measured: Mapping[str, float]) -> list[str]:
    """Values that stand for none, where no man without a lesion can be simulated from none."""
    return [
        f"{name} {measured[name]:.3g} {units.CANONICAL[name]} (24-hour mean, LC-MS/MS) counts as {least:g}, which "
        "stands for none: without a lesion or drugs the equations begin from a man who makes some"
        for name, least in floors.items()
    ]
