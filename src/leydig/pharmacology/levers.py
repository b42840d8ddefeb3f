"""Levers that are not drugs: change of body weight, calcium, vitamin D; and what is named as not modelled.

A lever has no kinetics. Its events become two inputs of the model in closed form, ``channels``:

    weight_change     body weight relative to day 0, less 1: 0 at day 0, -0.10 after a loss of a tenth
    resorption_drive  what is added to the drive of bone resorption, 1 without levers, while a supplement is taken

Numbers, limits and reasons are in data/levers.yaml.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, ModelWarning, from_pydantic
from leydig.files import DATA, read_yaml
from leydig.parameters import Entry, Parameter
from leydig.pharmacology.kinetics import SAME_TIME, Segments, nothing
from leydig.pharmacology.schedule import HOURS, WEEKDAYS, Every, Missed, PerDay, PerWeek, Schedule, Weekdays

Array = NDArray[np.float64]

WEIGHT, CALCIUM, VITAMIN_D = "weight", "calcium", "vitamin D"
SUPPLEMENTS = (CALCIUM, VITAMIN_D)
SYSTEM = "levers"
EXAMPLE = '"weight -10 % over 6 months"'
ROUNDING = 1e-9  # sums of percentages that a person wrote


class Strict(BaseModel):
    """A record that refuses unknown keys and numbers that are not finite, and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class WeightLimits(Strict):
    """What a protocol may ask of a man's weight, in % of the weight at day 0, and what is warned of."""

    accepted: tuple[float, float]
    usual_loss: float
    usual_per_week: float
    underweight: float  # kg/m2, the BMI below which hunger acts on the axis
    tested: float  # 1, the largest relative change in the trials behind heart and metabolism


class Supplement(Strict):
    """How a supplement is named and dosed; ``accepted`` and ``tolerable`` are per day, in ``unit``."""

    unit: Literal["mg", "IU"]
    units: Mapping[str, float]
    synonyms: tuple[str, ...]
    accepted: tuple[float, float]
    tolerable: Entry  # more is warned of
    caution: str  # what is known above it, in one sentence
    effect: str  # in one sentence, for reports
    sources: tuple[str, ...] = ()  # of the caution


class NotModelled(Strict):
    """A lever that is refused, with the reason and the way around it."""

    words: Annotated[tuple[str, ...], Field(min_length=1)]
    reason: str
    instead: str
    sources: tuple[str, ...]


class LeverFile(Strict):
    """data/levers.yaml."""

    system: Literal["levers"]
    weight: WeightLimits
    supplements: Mapping[str, Supplement]
    not_modelled: Mapping[str, NotModelled]
    parameters: Mapping[str, Entry]


class LeverEvent(NamedTuple):
    """One lever in use.

    For weight, ``amount`` is the change relative to day 0 (1) that ``duration`` brings evenly and that
    stays; for a supplement it is the amount a day (mg/d, IU/d) while ``duration`` lasts.
    """

    lever: str
    time: float  # h
    duration: float  # h
    amount: float


@cache
def file() -> LeverFile:
    """The checked content of data/levers.yaml."""
    path = DATA / "levers.yaml"
    try:
        content = LeverFile.model_validate(read_yaml(path))
    except ValidationError as error:
        raise from_pydantic(error, path.name, LeverFile) from error
    if tuple(content.supplements) != SUPPLEMENTS:
        raise InputError(f"supplements of {path.name} must be {', '.join(SUPPLEMENTS)}, in this order")
    numbers = {f"parameters.{name}": entry for name, entry in content.parameters.items()}
    numbers |= {f"tolerable of {name}": supplement.tolerable for name, supplement in content.supplements.items()}
    for name, entry in numbers.items():
        for key in entry.source:
            seen = reference(key, f"{name} of {path.name}").verification not in UNUSABLE
            if entry.kind in {"measured", "derived"} and not seen:
                raise InputError(f'{name} of {path.name} rests on "{key}", which nobody has seen')
    return content


def limits() -> WeightLimits:
    return file().weight


@cache
def parameters() -> dict[str, Parameter]:
    """The numbers behind the levers by name, each with its source and uncertainty."""
    entries = file().parameters.items()
    return {name: Parameter.model_construct(**dict(entry), name=name, system=SYSTEM) for name, entry in entries}


def refusal(word: str) -> str | None:
    """The sentence for a lever that is not modelled (exercise, alcohol, ...), or None for any other word."""
    for name, lever in file().not_modelled.items():
        if word in lever.words:
            return f"{name} is not modelled: {lever.reason}; {lever.instead}"
    return None


# Supplements -------------------------------------------------------------------------------------


def doses_per_day(schedule: Schedule) -> Fraction | None:
    """Doses a day on average; None for a schedule that has no such number."""
    match schedule:
        case Every():
            return HOURS["day"] / schedule.interval.hours
        case PerDay():
            return Fraction(schedule.count)
        case PerWeek():
            return Fraction(schedule.count, len(WEEKDAYS))
        case Weekdays():
            return Fraction(len(schedule.days), len(WEEKDAYS))
    return None


def intake(amount: float, schedule: Schedule) -> float:
    """What a schedule gives a day on average, in the unit of ``amount``."""
    return float(Fraction(repr(amount)) * (doses_per_day(schedule) or 0))


def check_intake(name: str, amount: float, unit: str, schedule: Schedule, missed: Missed | None) -> None:
    """InputError unless this is an accepted amount a day of the supplement, without missed doses."""
    known = file().supplements[name]
    if unit != known.unit:
        raise InputError(f'{name} is dosed in {known.unit}, not in "{unit}"')
    if doses_per_day(schedule) is None:
        raise InputError(f'{name} acts by its amount a day, so a single dose means nothing; write "daily"')
    if missed:
        raise InputError(f"{name} acts by its amount a day, so missed doses are not modelled; write a lower dose")
    daily, (low, high) = intake(amount, schedule), known.accepted
    if not low <= daily <= high:
        raise InputError(
            f"{name} {daily:g} {unit} a day is outside the accepted range, {low:g} to {high:g} {unit} a day"
        )


# Inputs of the model -----------------------------------------------------------------------------


def channels(events: Iterable[LeverEvent], values: Mapping[str, float] | None = None) -> dict[str, Segments]:
    """Both model inputs for these events; zero where no lever acts on them.

    ``values`` replaces parameters of data/levers.yaml by name, for draws and alternatives.
    """
    used = {name: float(entry.value or 0.0) for name, entry in parameters().items()} | dict(values or {})
    events = tuple(events)
    return {
        "weight_change": weight_change([event for event in events if event.lever == WEIGHT]),
        "resorption_drive": _resorption_drive([event for event in events if event.lever in SUPPLEMENTS], used),
    }


def weight_change(events: Sequence[LeverEvent]) -> Segments:
    """Body weight relative to day 0, less 1: ramps that add up, flat between and after them."""
    starts = _moments(events)
    constant, slope = np.zeros(len(starts)), np.zeros(len(starts))
    for event in events:
        running = _running(event, starts)
        done = starts > event.time + event.duration - SAME_TIME
        constant += np.where(running, event.amount * (starts - event.time) / event.duration, 0.0)
        constant += np.where(done, event.amount, 0.0)
        slope += np.where(running, event.amount / event.duration, 0.0)
    return _pieces(starts, constant, slope)


def _resorption_drive(events: Sequence[LeverEvent], values: Mapping[str, float]) -> Segments:
    """Steps at once up and down: bone itself is slow, and PTH answers calcium within hours.

    The effect saturates in the amount a day of all calcium together.
    """
    starts = _moments(events)
    taken = {name: np.zeros(len(starts)) for name in SUPPLEMENTS}
    for event in events:
        taken[event.lever] += np.where(_running(event, starts), event.amount, 0.0)

    def saturation(dose: Any) -> Any:
        powered = dose ** values["calcium_steepness"]
        return powered / (powered + values["calcium_half_dose"] ** values["calcium_steepness"])

    at_trial_dose = saturation(values["calcium_reference_dose"])
    drive = values["calcium_effect"] * saturation(taken[CALCIUM]) / at_trial_dose
    drive += values["vitamin_D_effect"] * (taken[VITAMIN_D] > 0)
    return _pieces(starts, drive, np.zeros(len(starts)))


def _moments(events: Sequence[LeverEvent]) -> Array:
    """Every start and end in order; those that differ by a rounding error are one."""
    distinct = np.unique([moment for event in events for moment in (event.time, event.time + event.duration)])
    return distinct[np.diff(distinct, prepend=-np.inf) > SAME_TIME]


def _running(event: LeverEvent, starts: Array) -> NDArray[np.bool_]:
    return (starts > event.time - SAME_TIME) & (starts < event.time + event.duration - SAME_TIME)


def _pieces(starts: Array, constant: Array, slope: Array) -> Segments:
    if not len(starts):
        return nothing()
    none = np.zeros((len(starts), 0))
    return Segments(starts, constant, slope, np.zeros(0), none, none)


# Checks of the whole protocol --------------------------------------------------------------------


def check_weight(events: Sequence[LeverEvent]) -> None:
    """InputError where all changes of weight together go beyond the accepted range."""
    if not events:
        return
    reached = 100 * weight_change(events).constant
    low, high = limits().accepted
    for worst in (reached.min(), reached.max()):
        if not low - ROUNDING <= worst <= high + ROUNDING:
            raise InputError(
                f"the weight changes of the protocol together reach {worst:+g} % of the weight at day 0; "
                f"accepted: {low:+g} to {high:+g} %"
            )


def check_supplements(events: Sequence[LeverEvent]) -> None:
    """InputError where all of a supplement that is taken at one time is more a day than is accepted."""
    for name, known in file().supplements.items():
        most, accepted = _most_at_once(events, name), known.accepted[1]
        if most > accepted * (1 + ROUNDING):
            raise InputError(
                f"{name} of the protocol together is {most:g} {known.unit} a day; at most {accepted:g} {known.unit} "
                "a day is accepted"
            )


def warn_of_excess(events: Sequence[LeverEvent]) -> None:
    """ModelWarning where all of a supplement that is taken at one time is more a day than is held tolerable."""
    for name, known in file().supplements.items():
        most, tolerable = _most_at_once(events, name), float(known.tolerable.value or 0.0)
        if most > tolerable * (1 + ROUNDING):
            said = f"{name} {most:g} {known.unit} a day is more than the tolerable {tolerable:g} {known.unit}"
            warnings.warn(f"{said}. {known.caution}", ModelWarning, stacklevel=3)


def _most_at_once(events: Sequence[LeverEvent], name: str) -> float:
    """The largest amount a day of a supplement, over everything that gives it at one time."""
    own = [event for event in events if event.lever == name]
    starts = _moments(own)
    taken = sum((np.where(_running(event, starts), event.amount, 0.0) for event in own), np.zeros(len(starts)))
    return float(max(taken, default=0.0))


def warn_of_unlikely(events: Sequence[LeverEvent]) -> None:
    """ModelWarning for a loss that is larger, and a change that is faster, than men are seen to have."""
    if not events:
        return
    path, usual = weight_change(events), limits()
    lowest = 100 * path.constant.min()
    fastest = 100 * float(HOURS["week"]) * path.slope[np.abs(path.slope).argmax()]
    if lowest < usual.usual_loss - ROUNDING:
        said = f"a weight loss of {-lowest:g} % is larger than the usual {-usual.usual_loss:g} %"
        warnings.warn(said, ModelWarning, stacklevel=3)
    if abs(fastest) > usual.usual_per_week + ROUNDING:
        rate, most = round(fastest, 1), usual.usual_per_week
        said = f"a weight change of {rate:+g} % a week is faster than the usual {most:g} % a week"
        warnings.warn(said, ModelWarning, stacklevel=3)
