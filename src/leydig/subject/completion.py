"""A man completed: what was measured, how it was converted, what is assumed, and the distribution of the rest.

The values of an untreated man without a lesion describe his own baseline: they become reference values and
condition what is missing. The values of a man with a lesion or on drugs describe the diseased or treated man: they
stay apart in ``measured``, the reference values are those of a eugonadal man of his age and BMI, and the model
solves for the reference man who, with lesion and drugs, reproduces them.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from leydig import laboratory, units
from leydig import population_prior as population
from leydig.population_prior import Prior
from leydig.subject import agreement
from leydig.subject.man import Subject
from leydig.subject.readings import Reading, derived, readings, states

NORMAL_95 = 1.959963984540054  # standard deviations that hold 95 % of a normal distribution
EUGONADAL = "eugonadal"


class Assumption(NamedTuple):
    """One value that was not measured."""

    name: str
    value: float  # median, canonical unit
    low: float  # 2.5 % of men like him
    high: float  # 97.5 %
    unit: str
    sentence: str


@dataclass(frozen=True)
class Completed:
    """A man with every value that the model needs, and where each comes from."""

    subject: Subject
    age: float  # years
    BMI: float  # kg/m2
    height: float  # cm
    condition: str
    condition_reason: str  # named, or inferred and why
    lesion: dict[str, float]  # organ -> capacity left (1: all); empty without a lesion
    reference: dict[str, float]  # name -> state scale, canonical unit: the untreated man without his lesion
    measured: dict[str, float]  # name -> state scale: as he is
    readings: tuple[Reading, ...]  # every printed value with its conversion
    converted: tuple[str, ...]  # how printed values became state values
    assumed: tuple[Assumption, ...]
    contradictions: tuple[str, ...]
    notes: tuple[str, ...]
    prior: Prior  # of the reference man, given what is known of him
    unconditioned: Prior  # before any value of his
    day_zero: datetime.date | None

    @property
    def measured_is_reference(self) -> bool:
        """Whether his values are those of his untreated, healthy self."""
        return not self.lesion and not self.subject.drugs

    @property
    def drugs(self) -> tuple[str, ...]:
        """Protocol texts of what he takes already."""
        return self.subject.drugs


class Draws(NamedTuple):
    """Men who could be this man: arrays of one length by name."""

    reference: dict[str, np.ndarray]
    measured: dict[str, np.ndarray]
    lesion: dict[str, np.ndarray]


def complete(subject: Subject) -> Completed:
    """Every value the model needs, with what was measured, converted, assumed and contradictory."""
    printed = readings(subject)
    measured = states(printed)
    contradictions = [*agreement.body(subject), *agreement.semen(subject), *agreement.binding(measured)]
    notes = _notes(subject)
    extra, said, refused = derived(measured)
    measured |= extra
    contradictions += refused
    own_BMI = subject.body_mass_index
    name, reason = _condition(subject, measured, own_BMI)
    before = population.prior(subject.age, own_BMI, name, subject.body_height)
    lesion = population.typical_lesion(name)
    healthy = not lesion and not subject.drugs
    usable = {key: value for key, value in measured.items() if key in before.names and key not in before.known}
    after = population.condition_on(before, usable) if healthy else before
    everything = measured | {"age": subject.age} | ({"BMI": own_BMI} if own_BMI is not None else {})
    if subject.condition is not None:
        contradictions += agreement.condition(name, everything, subject.age)
    if healthy:
        contradictions += agreement.improbable(before, usable)
    reference = population.typical(after)
    return Completed(
        subject=subject,
        age=subject.age,
        BMI=reference["BMI"],
        height=subject.body_height or population.reference_height(),
        condition=name,
        condition_reason=reason,
        lesion=lesion,
        reference=reference,
        measured=measured,
        readings=tuple(printed),
        converted=(*(reading.sentence for reading in printed), *_averages(printed), *said),
        assumed=tuple(_assumptions(subject, after, name, healthy, usable)),
        contradictions=tuple(contradictions),
        notes=(*notes, *_unused(measured, before), *_apart(healthy, lesion, subject)),
        prior=after,
        unconditioned=before,
        day_zero=subject.day_zero,
    )


def draw(completed: Completed, rng: np.random.Generator, n: int) -> Draws:
    """``n`` men who could be this man.

    Measured values vary only as far as laboratories with the same kind of assay differ (and not at all on
    LC-MS/MS); what is missing follows from them and from the population. Values are within the accepted limits.
    """
    measured = _possible(completed, rng, n)
    before, after = completed.unconditioned, completed.prior
    names = [name for name in after.known if name not in before.known] if completed.measured_is_reference else []
    z = after.mean + rng.standard_normal((n, len(after.names))) @ population.root(after.covariance).T
    free = after._replace(known={name: v for name, v in after.known.items() if name not in names})
    if names:
        index = np.array([before.names.index(name) for name in names])
        gain = before.covariance[:, index] @ np.linalg.pinv(before.covariance[np.ix_(index, index)], hermitian=True)
        given = np.array([[population.forward(name, v, before.transforms[i]) for v in measured[name]]
                          for name, i in zip(names, index, strict=True)])  # fmt: skip
        z = z + (given - after.mean[index][:, None]).T @ gain.T
    reference = population.natural(free, z)
    reference |= {name: measured[name] for name in names}
    return Draws(reference, measured, population.draw_lesion(completed.condition, rng, n))


def _possible(completed: Completed, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Draws of what may stand behind the measured values; one laboratory per analyte."""
    c, accepted = laboratory.constants(), laboratory.limits("accepted")
    by_name: dict[str, list[Reading]] = {}
    for reading in completed.readings:
        by_name.setdefault(reading.name, []).append(reading)
    found = {}
    for name in completed.measured:
        # every analyte uses up the same random numbers, so that one more value leaves the others as they are
        normal, uniform = rng.standard_normal(n), rng.random(n)
        printed = by_name.get(name)
        if printed is None:
            found[name] = np.full(n, completed.measured[name])
            continue
        states = [
            laboratory.possible_states(name, r.printed, r.assay, r.hour, completed.age, c, normal, uniform)
            for r in printed
        ]
        center = [laboratory.to_state(name, r.printed, r.assay, r.hour, completed.age, c) for r in printed]
        if min(center) > 0 and float(np.min(states)) > 0:
            value = np.exp(np.mean(np.log(states), axis=0))
        else:
            value = np.mean(states, axis=0)
        found[name] = np.clip(value, accepted[name].low, accepted[name].high)
    return found


def _condition(subject: Subject, measured: Mapping[str, float], bmi: float | None) -> tuple[str, str]:
    """The condition and why."""
    if subject.condition is not None:
        return subject.condition, f"the condition {subject.condition} was named"
    values = dict(measured) | {"age": subject.age} | ({"BMI": bmi} if bmi is not None else {})
    for rule in population.population().inference:
        met = [
            limit.quantity in values and agreement.meets(limit, values[limit.quantity], subject.age)
            for limit in rule.when
        ]
        if all(met):
            why = " and ".join(
                f"{limit.quantity} {'below' if limit.below is not None else 'of at least'} "
                f"{limit.below if limit.below is not None else limit.above:g} {limit.unit}"
                + (f" ({limit.assay}, {limit.hour:02.0f}:00)" if limit.assay and limit.hour is not None else "")
                for limit in rule.when
            )
            return rule.condition, f"no condition was named; {rule.condition} is inferred from {why}"
    return EUGONADAL, "no condition was named and nothing measured points to one; eugonadal is assumed"


def _assumptions(
    subject: Subject, after: Prior, condition: str, healthy: bool, usable: Mapping[str, float]
) -> list[Assumption]:
    """Every value that is not known, with the range of men like him and a sentence."""
    among = condition if not population.condition_named(condition).lesion else EUGONADAL
    mass = "" if "BMI" not in after.known else f" and BMI {after.known['BMI']:.3g}"
    given = sorted(name for name in usable if healthy)
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
    if subject.body_height is None:
        found.append(_height())
    return found


def _height() -> Assumption:
    """The height that turns BMI into kilograms of fat."""
    height = population.reference_height()
    return Assumption("height", height, height, height, "cm", f"height was not given: {height:g} cm, only for fat mass")


def _averages(printed: list[Reading]) -> list[str]:
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


def _notes(subject: Subject) -> list[str]:
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
    if subject.day_zero is not None and len(set(subject.dates)) > 1:
        said.append(f"day 0 is {subject.day_zero.isoformat()}, the latest baseline date")
    return said


def _unused(measured: Mapping[str, float], before: Prior) -> list[str]:
    """Values that are shown but change nothing."""
    return [
        f"{name} is shown beside the simulation but sets none of his own values"
        for name in measured
        if name not in before.names
    ]


def _apart(healthy: bool, lesion: Mapping[str, float], subject: Subject) -> list[str]:
    """Why measured values are kept apart."""
    if healthy:
        return []
    why = "his disease" if lesion and not subject.drugs else "his drugs" if not lesion else "his disease and his drugs"
    return [f"his measured values include {why}; the reference values are those of the man without"]
