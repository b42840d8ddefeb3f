"""What data/population.yaml holds, as checked records: quantities, correlations, conditions, inference."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml
from leydig.laboratory import ASSAYS
from leydig.parameters import Strict
from leydig.units import CANONICAL

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

    def effect(self, position: float, transform: Transform) -> float:
        """The shift on the transformed scale at an age or BMI; constant beyond the outer knots."""
        numbers = np.asarray(getattr(self, _NUMBERS[transform]), dtype=float)
        return float(np.interp(position, self.at, numbers if transform == "identity" else np.log(numbers)))


class Spread(Sourced):
    """Standard deviation on the transformed scale: one number, or one per age with straight lines between."""

    value: float | tuple[float, ...]
    at: tuple[float, ...] | None = None

    def at_age(self, age: float) -> float:
        """The spread among men of one age."""
        return float(self.value) if self.at is None else float(np.interp(age, self.at, np.atleast_1d(self.value)))  # type: ignore[arg-type]


class BodyFat(Sourced):
    """Body fat in percent as a line of BMI and age, held between bounds."""

    per_BMI: float
    per_year: float
    constant: float
    error: float  # standard error, percent of weight
    least: float
    most: float

    def percent(self, age: float, BMI: float) -> float:
        """Body fat, % of weight."""
        return float(np.clip(self.per_BMI * BMI + self.per_year * age + self.constant, self.least, self.most))


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
                raise InputError(f'a course on the {self.transform} scale needs "{_NUMBERS[self.transform]}" and no other')
            _rising(course.at, getattr(course, given[0]))
        if self.spread is not None and self.spread.at is not None:
            _rising(self.spread.at, tuple(np.atleast_1d(self.spread.value)))
        return self


def _rising(at: tuple[float, ...], numbers: tuple[float, ...]) -> None:
    """Knots rise and each has its number."""
    if len(at) != len(numbers) or any(b <= a for a, b in zip(at, at[1:], strict=False)):
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


class Condition(Strict):
    """What a named condition changes."""

    text: str
    BMI: BodyMass | None = None
    shift: dict[str, Shift] = {}
    lesion: dict[str, Severity] = {}
    expected: tuple[Limit, ...] = ()


class Rule(Strict):
    """One rule of inference: the condition, and the limits that must all be met."""

    condition: str
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
    quantities: dict[str, Quantity]
    correlations: tuple[Correlation, ...]
    BMI: BodyMassByAge
    height: Number
    conditions: dict[str, Condition]
    inference: tuple[Rule, ...]
    floors: dict[str, Number]
    below_detection: Number


@cache
def population() -> Population:
    """The baseline population of the package."""
    return read_population(DATA / "population.yaml")


def read_population(path: Path | str) -> Population:
    """A checked population file; InputError in one sentence when something in it does not hold."""
    path = Path(path)
    content = read_yaml(path)
    try:
        found = Population.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, path.name, Population) from error
    _check_names(found, path.name)
    _check_sources(found, path.name)
    correlation_matrix(found)
    return found


def _check_names(found: Population, where: str) -> None:
    """Every quantity, lesion and condition that is named exists, and units are canonical."""
    names = list(found.quantities)
    for name, quantity in found.quantities.items():
        canonical = "1" if name == HIDDEN else CANONICAL.get(name)
        if quantity.unit != canonical:
            raise InputError(f"quantities.{name} of {where} must be in {canonical}, not {quantity.unit}")
    for name in [side for pair in found.correlations for side in pair.between] + list(found.floors):
        if name not in names:
            raise unknown("quantity", name, names, where)
    for title, condition in found.conditions.items():
        for name in condition.shift:
            if name not in names:
                raise unknown("quantity", name, names, f"conditions.{title} of {where}")
        for name in condition.lesion:
            if name not in LESIONS:
                raise unknown("lesion", name, LESIONS, f"conditions.{title} of {where}")
    limits = [limit for condition in found.conditions.values() for limit in condition.expected]
    for rule in found.inference:
        if rule.condition not in found.conditions:
            raise unknown("condition", rule.condition, found.conditions, f"inference of {where}")
        limits.extend(rule.when)
    for limit in limits:
        if limit.quantity not in (*names, *BODY):
            raise unknown("quantity", limit.quantity, (*names, *BODY), where)


def _check_sources(part: object, where: str) -> None:
    """Every source is in the bibliography, and nothing measured or derived rests on memory."""
    if isinstance(part, Sourced):
        for key in part.source:
            if reference(key, where).verification in UNUSABLE and part.kind in ("measured", "derived"):
                raise InputError(f'"{key}" in {where} was not seen; find a source or make the kind assumed')
        if part.kind in ("derived", "assumed") and not part.note:
            raise InputError(f"a number of kind {part.kind} in {where} needs a note ({part!r})")
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            _check_sources(getattr(part, name), where)
    elif isinstance(part, dict):
        for member in part.values():
            _check_sources(member, where)
    elif isinstance(part, tuple):
        for member in part:
            _check_sources(member, where)


def correlation_matrix(found: Population) -> np.ndarray:
    """Correlations between the quantities in the file's order; InputError unless positive definite."""
    names = list(found.quantities)
    matrix = np.eye(len(names))
    for pair in found.correlations:
        i, j = (names.index(side) for side in pair.between)
        matrix[i, j] = matrix[j, i] = pair.value
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest <= 0:
        raise InputError(f"the correlations of the population are not positive definite (eigenvalue {smallest:.3g})")
    return matrix
