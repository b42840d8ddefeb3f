"""What data/population.yaml holds, as records: quantities, correlations, conditions, inference."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator
from scipy.special import ndtr, ndtri

from leydig.errors import InputError, unknown
from leydig.laboratory import ASSAYS
from leydig.parameters import Strict

Kind = Literal["measured", "derived", "fitted", "assumed"]
Transform = Literal["log", "logit", "identity"]
LESIONS = ("gnrh_outflow", "leydig", "sertoli", "aromatase")
HIDDEN = "sensitivity"  # has no unit of its own and is never measured
BODY = ("age", "BMI")  # limits may name them; they are no quantity of the distribution

# What an ``age`` or ``BMI`` entry calls its numbers, by transform.
_NUMBERS = {"log": "factor", "logit": "odds", "identity": "add"}


class Sourced(Strict):
    """A statement with where it comes from."""

    kind: Kind
    source: Annotated[tuple[str, ...], BeforeValidator(lambda s: [s] if isinstance(s, str) else s), Field(min_length=1)]
    note: str = ""


class Number(Sourced):
    """One number."""

    value: float
    unit: str | None = None


class Course(Sourced):
    """How a quantity moves with age or BMI: straight lines between knots on the transformed scale."""

    at: Annotated[tuple[float, ...], Field(min_length=2)]
    factor: tuple[float, ...] | None = None
    odds: tuple[float, ...] | None = None
    add: tuple[float, ...] | None = None

    def effects(self, positions: Any, transform: Transform) -> np.ndarray:
        """The shifts on the transformed scale at ages or BMIs; constant beyond the outer knots."""
        numbers = np.asarray(getattr(self, _NUMBERS[transform]), dtype=float)
        return np.asarray(np.interp(positions, self.at, numbers if transform == "identity" else np.log(numbers)))

    def effect(self, position: float, transform: Transform) -> float:
        """The shift at one age or BMI."""
        return float(self.effects(position, transform))


class Spread(Sourced):
    """Standard deviation on the transformed scale: one number, or one per age with straight lines between."""

    value: float | tuple[float, ...]
    at: tuple[float, ...] | None = None

    def at_ages(self, ages: Any) -> np.ndarray:
        """The spread among men of each age."""
        numbers = np.atleast_1d(np.asarray(self.value, dtype=float))
        return np.full(np.shape(ages), numbers[0]) if self.at is None else np.asarray(np.interp(ages, self.at, numbers))

    def at_age(self, age: float) -> float:
        """The spread among men of one age."""
        return float(self.at_ages(age))


class BodyFat(Sourced):
    """Body fat in percent as a line of BMI and age, held between bounds."""

    per_BMI: float
    per_year: float
    constant: float
    error: float  # standard error, percent of weight
    least: float
    most: float

    def percent(self, age: Any, BMI: Any) -> Any:
        """Body fat, % of weight; numbers or arrays."""
        return np.clip(self.per_BMI * BMI + self.per_year * age + self.constant, self.least, self.most)


class Quantity(Strict):
    """The distribution of one quantity among men."""

    unit: str
    transform: Transform
    center: Number | None = None
    age: Course | None = None
    BMI: Course | None = None
    spread: Spread | None = None
    body_fat: BodyFat | None = None

    @model_validator(mode="after")
    def whole(self) -> Self:
        """Center and spread are there, or body fat instead; knots rise, and their numbers match the transform."""
        if (self.body_fat is None) == (self.center is None or self.spread is None):
            raise InputError('a quantity needs "center" and "spread", or "body_fat" instead')
        for course in (self.age, self.BMI):
            if course is None:
                continue
            given = [name for name in _NUMBERS.values() if getattr(course, name) is not None]
            if given != [_NUMBERS[self.transform]]:
                raise InputError(f'on the {self.transform} scale a course needs "{_NUMBERS[self.transform]}" alone')
            _rising(course.at, getattr(course, given[0]))
        if self.spread is not None and self.spread.at is not None:
            _rising(self.spread.at, tuple(np.atleast_1d(self.spread.value)))
        return self


def _rising(at: tuple[float, ...], numbers: tuple[float, ...]) -> None:
    """Knots rise and each has its number."""
    if len(at) != len(numbers) or any(b <= a for a, b in pairwise(at)):
        raise InputError('"at" must rise and have as many entries as its numbers')


class Correlation(Sourced):
    """Two quantities that go together among men of one age and BMI."""

    between: tuple[str, str]
    value: Annotated[float, Field(gt=-1, lt=1)]


class Shift(Sourced):
    """What a functional state does to one quantity: a factor (on the odds for percentages), perhaps a new spread."""

    factor: Annotated[float, Field(gt=0)]
    spread: Annotated[float, Field(gt=0)] | None = None


class Severity(Sourced):
    """How much of an organ's capacity a lesion leaves (1: all): log-normal within bounds, or one number."""

    median: Annotated[float, Field(ge=0)]
    log_sd: Annotated[float, Field(ge=0)]
    low: float
    high: float


class Limit(Sourced):
    """A cut-off on the scale of an assay and an hour; without an assay, on the state scale."""

    quantity: str
    unit: str
    below: float | None = None
    above: float | None = None
    assay: str | None = None
    hour: float | None = None

    @model_validator(mode="after")
    def one_side(self) -> Self:
        """Either below or above."""
        if (self.below is None) == (self.above is None):
            raise InputError('a limit needs either "below" or "above"')
        if self.assay is not None and self.assay not in ASSAYS:
            raise unknown("assay", self.assay, ASSAYS)
        return self


class BodyMass(Sourced):
    """The distribution of BMI in a condition."""

    median: float
    log_sd: float


class Ages(Sourced):
    """The ages of the men of a condition, years: normal within bounds; without a mean, every age between them alike."""

    low: float
    high: float
    mean: float | None = None
    sd: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def ordered(self) -> Self:
        """Bounds rise, and mean and spread come together."""
        if not self.low < self.high or (self.mean is None) != (self.sd is None):
            raise InputError('ages need "low" below "high", and "mean" and "sd" together or neither')
        return self

    def at_shares(self, share: Any) -> np.ndarray:
        """The ages below which these shares of the men are; shares between 0 and 1."""
        share = np.asarray(share, dtype=float)
        if self.mean is None or self.sd is None:
            return self.low + (self.high - self.low) * share
        below, above = ndtr((self.low - self.mean) / self.sd), ndtr((self.high - self.mean) / self.sd)
        ages = self.mean + self.sd * ndtri(below + (above - below) * share)
        return np.clip(ages, self.low, self.high)


class Condition(Strict):
    """What a named condition changes."""

    text: str
    age: Ages
    BMI: BodyMass | None = None
    shift: dict[str, Shift] = Field(default_factory=dict)
    lesion: dict[str, Severity] = Field(default_factory=dict)
    expected: tuple[Limit, ...] = ()


class Rule(Strict):
    """One rule of inference: the condition, and the limits that must all be met."""

    condition: str
    when: Annotated[tuple[Limit, ...], Field(min_length=1)]


class Question(Strict):
    """A sentence to put before a person when every limit is met."""

    ask: str
    when: Annotated[tuple[Limit, ...], Field(min_length=1)]


class BodyMassCourse(Sourced):
    """The median BMI by age."""

    at: tuple[float, ...]
    value: tuple[float, ...]


class BodyMassByAge(Strict):
    """BMI among all men."""

    median: BodyMassCourse
    log_sd: Number


class Reference(Strict):
    """Where the centers hold."""

    age: float
    BMI: float


class Population(Strict):
    """The whole file."""

    reference: Reference
    drawn_first_through: str  # quantities after this one take random numbers of their own
    quantities: dict[str, Quantity]
    correlations: tuple[Correlation, ...]
    BMI: BodyMassByAge
    height: Number
    height_sd: Number
    conditions: dict[str, Condition]
    inference: tuple[Rule, ...]
    questions: tuple[Question, ...]
    informs_within: Number
    density_survey_BMI: Number
    floors: dict[str, Number]
    below_detection: Number
