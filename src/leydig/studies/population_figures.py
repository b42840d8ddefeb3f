"""Published figures of men as records, and data/population_checks.yaml that holds them."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from leydig import laboratory, units
from leydig.bibliography import reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml
from leydig.parameters import Strict
from leydig.population_prior import population
from leydig.population_prior.records import Kind

FILE = "population_checks.yaml"
STATISTICS = Literal[
    "mean", "median", "percentile", "sd", "share", "odds ratio", "correlation", "rank correlation", "slope",
    "relative slope",
]  # fmt: skip
PANELS = {
    **dict.fromkeys(("mean", "median", "percentile", "sd"), "marginals"),
    **dict.fromkeys(("correlation", "rank correlation", "slope", "relative slope"), "correlations"),
    **dict.fromkeys(("share", "odds ratio"), "prevalences"),
}
PERCENT = 100.0

# Quantities that follow from printed values.
MADE = ("free_testosterone", "total_sperm_count", "total_cholesterol", "t_score_spine", "t_score_lowest")


class Limit(Strict):
    """One side of a cut-off on a printed value."""

    quantity: str
    unit: str
    below: float | None = None
    above: float | None = None


class Figure(Strict):
    """One published figure."""

    statistic: STATISTICS
    quantity: str
    value: float
    unit: str | None = None
    called: str = ""
    percentile: Annotated[float, Field(gt=0, lt=100)] | None = None
    other: Annotated[str | None, Field(alias="with")] = None
    given: tuple[str, ...] = ()
    where: tuple[Limit, ...] = ()
    among: Limit | None = None
    against: Limit | None = None

    @model_validator(mode="after")
    def whole(self) -> Self:
        """What the statistic needs is there."""
        panel = PANELS[self.statistic]
        lacks = (
            (self.statistic == "percentile" and self.percentile is None)
            or (panel == "correlations" and self.other is None)
            or (panel == "prevalences" and not self.where)
            or (self.statistic == "odds ratio" and (self.among is None or self.against is None))
        )
        if lacks:
            raise InputError(
                f'the {self.statistic} of {self.quantity} lacks "percentile", "with", "where" or its groups'
            )
        return self


class Drawn(Strict):
    """Which virtual men stand for a study's men."""

    conditions: dict[str, float] = Field(default_factory=lambda: {"eugonadal": 1.0})
    ages: tuple[float, float] | None = None
    BMI: tuple[float, float] | None = None


class Study(Strict):
    """Published figures of one group of men."""

    source: str
    used: bool
    sample: str
    n: int | None
    men: Drawn
    assay: str = laboratory.MASS_SPECTROMETRY
    hour: float | None = None
    note: str = ""
    figures: Annotated[tuple[Figure, ...], Field(min_length=1)]


class Tolerances(Strict):
    """How far the model may lie from a published figure."""

    kind: Kind
    source: str
    note: str
    middle: float
    outer: float
    share: float
    spread: float
    odds_ratio: float
    correlation: float
    slope: float


class Checks(Strict):
    """The whole file."""

    men: int
    seed: int
    tolerances: Tolerances
    studies: tuple[Study, ...]


@cache
def checks() -> Checks:
    """The published figures of the package; InputError in one sentence when something in the file does not hold."""
    content = read_yaml(DATA / FILE)
    try:
        found = Checks.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, FILE, Checks) from error
    known = ("age", "height", "BMI", "lean_mass", *population().quantities, *MADE)
    for study in found.studies:
        reference(study.source, FILE)
        laboratory.assay_named(study.assay, FILE)
        for figure in study.figures:
            asked = [figure.quantity, *filter(None, [figure.other]), *figure.given, *(x.quantity for x in figure.where)]
            for name in asked:
                if name not in known:
                    raise unknown("quantity", name, known, FILE)
    return found


def canonical(name: str, value: float, unit: str) -> float:
    """A published number in the canonical unit of its quantity; what has no unit stays as it is."""
    return units.to_canonical(name, value, unit, FILE) if name in units.CANONICAL else value
