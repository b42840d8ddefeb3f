"""A man completed: what was measured, how it was converted, what is assumed, and the distribution of the rest.

The values of an untreated man without a lesion describe his own baseline: they become reference values and
condition what is missing. The values of a man with a lesion or on drugs describe the diseased or treated man: they
stay apart in ``measured``, the reference values are those of a eugonadal man of his age and BMI, and the model
solves for the reference man who, with lesion and drugs, reproduces them.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from leydig import laboratory, ranges
from leydig import population_prior as population
from leydig.population_prior import CM_PER_M, Prior, lipids
from leydig.subject import agreement, inference, sentences
from leydig.subject.man import Subject
from leydig.subject.readings import Reading, cholesterol, derived, readings, states
from leydig.subject.sentences import Assumption

# His capacities are his values over what they answer to: none of these can be zero in a man without a lesion.
DIVIDED_BY = ("testosterone", "estradiol", "LH", "FSH", "SHBG", "inhibin_B")


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
    def weight(self) -> float:
        """Body weight (kg) of the man completed: fat and lean mass together."""
        return self.BMI * (self.height / CM_PER_M) ** 2

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
    contradictions = [
        *agreement.body(subject),
        *agreement.semen(subject),
        *agreement.family(subject),
        *agreement.binding(measured),
        *agreement.cholesterol(measured),
    ]
    notes, said = sentences.notes(subject), list[str]()
    for rule in (derived, cholesterol):
        extra, how, refused = rule(measured)
        measured |= extra
        said += how
        contradictions += refused
    own_BMI = subject.body_mass_index
    name, reason = inference.condition(subject, measured, own_BMI)
    before = population.prior(subject.age, own_BMI, name, subject.body_height)
    lesion = population.typical_lesion(name)
    healthy = not lesion and not subject.drugs
    if healthy and lipids.leaves_open(measured):
        before = lipids.with_total(before)
    usable = {key: value for key, value in measured.items() if key in before.names and key not in before.known}
    everything = measured | {"age": subject.age} | ({"BMI": own_BMI} if own_BMI is not None else {})
    lifted = {key: value for key, value in floors().items() if healthy and measured.get(key, value) < value}
    measured |= lifted
    after = population.condition_on(before, usable | lifted) if healthy else before
    if subject.condition is not None:
        contradictions += agreement.condition(name, everything, subject.age)
    contradictions += inference.questions(subject, everything)
    if healthy:
        contradictions += agreement.improbable(before, usable)
    reference = population.typical(after)
    if lipids.TOTAL in reference:
        reference = lipids.settle(reference, measured)
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
        converted=(*(reading.sentence for reading in printed), *sentences.averages(printed), *said),
        assumed=tuple(sentences.assumptions(subject, after, name, usable if healthy else {})),
        contradictions=tuple(contradictions),
        notes=(
            *notes,
            *sentences.unused(measured, before),
            *sentences.lifted(lifted, everything),
            *sentences.apart(healthy, lesion, subject),
        ),
        prior=after,
        unconditioned=before,
        day_zero=subject.day_zero,
    )


def draw(
    completed: Completed, rng: np.random.Generator, n: int, constants: laboratory.Constants | None = None
) -> Draws:
    """``n`` men who could be this man.

    Measured values vary only as far as laboratories with the same kind of assay differ (and not at all on
    LC-MS/MS); what is missing follows from them and from the population. Values are within the accepted limits.
    ``constants`` is the laboratory that is supposed, the package's best estimate by default.
    """
    key = int(rng.integers(2**63))
    measured = _possible(completed, key, n, constants or laboratory.constants())
    before, after = completed.unconditioned, completed.prior
    known = [name for name in after.known if name not in before.known] if completed.measured_is_reference else []
    own = {name: measured[name] for name in known}
    z = before.mean + population.shift(before, own)
    z = z + population.scatter(after, rng, n)
    reference = population.natural(before, z) | own
    if lipids.TOTAL in reference:
        reference = lipids.settle(reference, completed.measured)
    return Draws(reference, measured, population.draw_lesion(completed.condition, rng, n))


def _possible(completed: Completed, key: int, n: int, c: laboratory.Constants) -> dict[str, np.ndarray]:
    """Draws of what may stand behind the measured values; one laboratory per analyte.

    Each analyte has random numbers of its own, so that one more value leaves the others as they are.
    """
    accepted = ranges.limits("accepted")
    by_name: dict[str, list[Reading]] = {}
    for reading in completed.readings:
        by_name.setdefault(reading.name, []).append(reading)
    found = {}
    for name in completed.measured:
        own = np.random.default_rng([key, *name.encode()])
        normal, uniform = own.standard_normal(n), own.random(n)
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
    if completed.measured_is_reference:
        found |= {name: np.maximum(found[name], least) for name, least in floors().items() if name in found}
    return found


def floors() -> dict[str, float]:
    """The least that an untreated, intact man can have of what the equations divide by to find his capacities."""
    return {name: population.floor(name) for name in DIVIDED_BY}
