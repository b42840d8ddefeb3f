"""The parts of a published trial that others are built of: printed figures, who the men were, how groups came about."""

from __future__ import annotations

from math import inf
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from leydig import evidence_limits
from leydig.errors import InputError, unknown
from leydig.units import CANONICAL, check_accepted, to_canonical

Role = Literal["calibration", "validation", "none"]
Seen = Literal["fulltext", "abstract", "secondary"]
Assay = Literal["LC-MS/MS", "immunoassay", "RIA", "unknown"]
Condition = Literal[
    "eugonadal",
    "obese-hypogonadal",
    "ageing-low-testosterone",
    "primary-failure",
    "hypogonadotropic",
    "oligozoospermic-subfertile",
    "aromatase-deficient",
    "aromatase-excess",
    "agonadal",
]
Allocation = Literal["randomised", "not-randomised", "single-group", "cross-section", "pooled", "unknown"]
Control = Literal["placebo", "untreated", "active", "dose", "none", "unknown"]
Statistic = Literal["mean", "median", "ratio", "percent_change", "change", "percent_of"]

MOST_MEN = 100_000  # of a trial or an arm: replicates draw as many

# Statistics that are relative, and the units that they may be written in.
RELATIVE = {"ratio": ("1",), "percent_change": ("%",), "percent_of": ("%",)}


def _known_quantity(name: str) -> str:
    """The name, when it is a quantity."""
    if name not in CANONICAL:
        raise unknown("quantity", name, CANONICAL)
    return name


def assay_name(name: Any) -> Any:
    """The full name of an assay; LC-MS is short for LC-MS/MS."""
    return "LC-MS/MS" if name == "LC-MS" else name


Quantity = Annotated[str, AfterValidator(_known_quantity)]
Count = Annotated[int, Field(ge=1, le=MOST_MEN)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Reported(Strict):
    """One printed figure with its spread."""

    value: float
    unit: str
    statistic: Statistic = "mean"
    spread: float | tuple[float, float] | None = None  # SD and SEM: one number; CI95 and IQR: lower and upper limit
    spread_kind: Literal["SD", "SEM", "CI95", "IQR", "none"] = "none"
    n: Count | None = None
    where: str | None = None
    seen: Seen | None = None
    note: str | None = None

    @model_validator(mode="after")
    def spread_fits_its_kind(self) -> Self:
        """A spread has a kind, and an interval has two limits in order."""
        if (self.spread is None) != (self.spread_kind == "none"):
            raise InputError("a spread needs a spread_kind and a spread_kind needs a spread")
        if self.spread_kind in {"CI95", "IQR"}:
            if not isinstance(self.spread, tuple):
                raise InputError(f"the spread of kind {self.spread_kind} is a list of its lower and upper limit")
            if self.spread[0] > self.spread[1]:
                raise InputError("the lower limit of a spread must not lie above the upper")
        elif isinstance(self.spread, tuple):
            raise InputError(f"the spread of kind {self.spread_kind} is one number")
        elif self.spread is not None and self.spread < 0:
            raise InputError("a spread must not be negative")
        return self

    def check_unit(self, quantity: str) -> None:
        """Refuse a unit in which this statistic of this quantity cannot be written, and a value that cannot be."""
        if self.statistic in RELATIVE:
            if self.unit not in RELATIVE[self.statistic]:
                raise unknown("unit", self.unit, RELATIVE[self.statistic], f"a {self.statistic} of {quantity}")
        else:
            check_accepted(quantity, self.unit)
        low_and_high = (self.spread,) if isinstance(self.spread, float) else self.spread or ()
        spread = tuple(self.convert(quantity, number) for number in low_and_high)
        evidence_limits.check(quantity, self.statistic, self.convert(quantity, self.value), spread)

    def convert(self, quantity: str, number: float) -> float:
        """A number in this figure's unit in the canonical unit of the quantity; relative figures stay as they are."""
        return number if self.statistic in RELATIVE else to_canonical(quantity, number, self.unit)


Years = Annotated[float, Field(ge=0, le=120)]


class Criterion(Strict):
    """A limit that a man's readings had to keep for him to be let in; both limits belong to what is allowed.

    ``visit`` says which reading: one of its own before baseline ("screening"), or the baseline reading itself, so
    that what a paper prints as the change contains regression to the mean.
    """

    quantity: Quantity
    above: float | None = None
    below: float | None = None
    unit: str
    samples: Annotated[int, Field(ge=1, le=10)] = 1  # whose mean is compared
    visit: Literal["screening", "baseline"] = "screening"
    assay: Annotated[Assay, BeforeValidator(assay_name)] | None = None  # where it is not the trial's own
    note: str | None = None

    @model_validator(mode="after")
    def has_limits(self) -> Self:
        """There is a limit, in a unit of the quantity, and some value keeps both."""
        check_accepted(self.quantity, self.unit)
        if self.above is None and self.below is None:
            raise InputError(f'the criterion on {self.quantity} needs "above", "below" or both')
        if self.above is not None and self.below is not None and self.above > self.below:
            raise InputError(f'the criterion on {self.quantity} has "above" {self.above:g} over "below" {self.below:g}')
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """Lower and upper limit in the canonical unit."""
        low = -inf if self.above is None else to_canonical(self.quantity, self.above, self.unit)
        high = inf if self.below is None else to_canonical(self.quantity, self.below, self.unit)
        return low, high


class Population(Strict):
    """Who the men were."""

    text: str
    n: Count | None = None
    age: Years | None = None  # mean
    age_sd: Annotated[float, Field(ge=0, le=40)] | None = None  # between men, years
    ages: tuple[Years, Years] | None = None  # lowest and highest that were let in
    BMI: Annotated[float, Field(ge=10, le=80)] | None = None  # mean, kg/m2
    BMI_sd: Annotated[float, Field(ge=0, le=20)] | None = None  # between men, kg/m2
    condition: Condition | None = None
    inclusion: list[str] = []  # as the paper words it
    criteria: list[Criterion] = []  # of these, the limits on what the model has


class StudyDesign(Strict):
    """How the groups came about and what they were compared with."""

    allocation: Allocation = "unknown"
    control: Control = "unknown"
    crossover: bool = False
