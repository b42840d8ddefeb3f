"""One published source per record: a reference distribution, a biological variation, a guideline or threshold.

Every number names its unit, whether it is printed or derived from printed ones (``kind``), where it stands in the
source (``where``) and how it was seen (``seen``); the entry states both for all its numbers, and a number may differ.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from leydig.errors import InputError, unknown
from leydig.evidence import Assay, Condition, Quantity, Seen, Years
from leydig.units import check_accepted

Kind = Literal["measured", "derived"]
SpreadKind = Literal["SD", "SEM", "CI95", "IQR", "range", "none"]
Statistic = Literal[
    "mean",
    "median",
    "percentile",
    "lower limit",  # of a reference interval whose percentiles are not stated
    "upper limit",
    "sd",
    "share",
    "odds ratio",
    "difference",
    "relative difference",
    "correlation",
    "rank correlation",
    "slope",  # per unit of the other quantity
    "relative slope",
    "log slope",  # of the logarithm
    "yearly change",
]
Component = Literal[
    "within man",
    "day to day",
    "between men",
    "between laboratories",
    "analytical",
    "detection limit",
    "allowable bias",
    "desirable imprecision",
    "agreement of assays",
    "reference change",  # between two readings, by chance, in 95 of 100 men
    "least significant change",
    "intraclass correlation",
    "largest gap",  # between several readings of one man
    "time of day",
    "fasting",
    "per day of abstinence",
    "crossing",  # men whose later reading passes a limit
]
Topic = Literal["diagnosis", "treatment", "monitoring", "bone", "fertility", "assay"]

# What the unit of a number may be: the quantity's own, percent, or a plain number.
OWN, PERCENT, NUMBER = "own", "%", "1"
UNITS_OF_STATISTIC: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("mean", "median", "percentile", "lower limit", "upper limit", "sd"), (OWN,)),
    **dict.fromkeys(("difference", "slope"), (OWN,)),
    **dict.fromkeys(("share", "relative difference", "relative slope"), (PERCENT,)),
    **dict.fromkeys(("odds ratio", "correlation", "rank correlation", "log slope"), (NUMBER,)),
    "yearly change": (OWN, PERCENT),
}
UNITS_OF_COMPONENT: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("within man", "day to day", "between men", "analytical"), (PERCENT, OWN)),
    **dict.fromkeys(("between laboratories", "desirable imprecision"), (PERCENT,)),
    **dict.fromkeys(("reference change", "least significant change", "allowable bias"), (PERCENT, OWN)),
    **dict.fromkeys(("time of day", "fasting", "per day of abstinence"), (PERCENT, OWN)),
    **dict.fromkeys(("detection limit", "largest gap"), (OWN,)),
    **dict.fromkeys(("intraclass correlation", "agreement of assays"), (NUMBER,)),
    "crossing": (PERCENT,),
}
WITH_ANOTHER = frozenset({"correlation", "rank correlation", "slope", "relative slope", "log slope"})
BETWEEN_GROUPS = frozenset({"odds ratio", "difference", "relative difference"})
COUNTED = frozenset({"share", "odds ratio"})


class Strict(BaseModel):
    """A record that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)


class Limit(Strict):
    """A limit on a quantity, in one of its units."""

    quantity: Quantity
    above: float | None = None
    below: float | None = None
    unit: str

    @model_validator(mode="after")
    def has_a_limit(self) -> Self:
        """There is a limit, and the unit belongs to the quantity."""
        check_accepted(self.quantity, self.unit)
        if self.above is None and self.below is None:
            raise InputError(f'the limit on {self.quantity} needs "above", "below" or both')
        return self

    def words(self) -> str:
        """The limit as text: ``testosterone below 300 ng/dL``."""
        parts = [
            f"{word} {value:g}" for word, value in (("above", self.above), ("below", self.below)) if value is not None
        ]
        return f"{self.quantity} {' and '.join(parts)} {self.unit if self.unit != '1' else ''}".strip()


class Number(Strict):
    """One published number about a quantity."""

    quantity: Quantity
    value: float
    unit: str
    spread: float | tuple[float, float] | None = None  # SD and SEM: one number; CI95, IQR and range: lower and upper
    spread_kind: SpreadKind = "none"
    n: Annotated[int, Field(ge=1)] | None = None
    kind: Kind = "measured"
    where: str | None = None  # place in the source; of the entry where it is missing
    seen: Seen | None = None
    note: str | None = None
    file: str = ""  # the data file in which the number stands; filled in by the loader

    @model_validator(mode="after")
    def complete(self) -> Self:
        """A spread has a kind and the form of it; what is derived says how."""
        if (self.spread is None) != (self.spread_kind == "none"):
            raise InputError("a spread needs a spread_kind and a spread_kind needs a spread")
        if self.spread is not None and isinstance(self.spread, tuple) != (self.spread_kind in {"CI95", "IQR", "range"}):
            form = "one number" if isinstance(self.spread, tuple) else "a list of its lower and upper limit"
            raise InputError(f"the spread of kind {self.spread_kind} is {form}")
        if isinstance(self.spread, tuple) and self.spread[0] > self.spread[1]:
            raise InputError("the lower limit of a spread must not lie above the upper")
        if self.kind == "derived" and not self.note:
            raise InputError("a derived number needs a note that says how")
        return self

    def check_unit(self, allowed: tuple[str, ...], what: str) -> None:
        """Refuse a unit in which such a number of this quantity cannot be written."""
        if self.unit in allowed:
            return
        if OWN in allowed:
            check_accepted(self.quantity, self.unit)
        else:
            raise unknown("unit", self.unit, allowed, f"a {what} of {self.quantity}")


class Entry(Strict):
    """A published source: its key is its file's name, its citation a key of the bibliography."""

    key: str
    citation: str
    title: str
    verification: Seen
    where: str = "abstract"
    note: str | None = None


class DistributionNumber(Number):
    """A statistic of men at one time."""

    statistic: Statistic
    percentile: Annotated[float, Field(gt=0, lt=100)] | None = None
    with_: Annotated[Quantity | None, Field(alias="with")] = None  # of a correlation or slope: the other quantity
    given: list[Quantity] = []  # held constant
    of: list[Limit] = []  # of a share or odds ratio: what is counted
    against: str | None = None  # the group that this one is compared with
    called: str | None = None

    @model_validator(mode="after")
    def fits_its_statistic(self) -> Self:
        """The statistic has what it needs, and a unit in which it can be written."""
        self.check_unit(UNITS_OF_STATISTIC[self.statistic], self.statistic)
        if (self.statistic == "percentile") != (self.percentile is not None):
            raise InputError("a percentile needs its percentile, and nothing else has one")
        if (self.statistic in WITH_ANOTHER) != (self.with_ is not None):
            raise InputError(f'a correlation or a slope needs "with", and nothing else has one, not a {self.statistic}')
        if self.statistic in BETWEEN_GROUPS and not (self.against or self.called):
            raise InputError(f'a {self.statistic} needs "against", the group that it is formed with')
        if self.statistic in COUNTED and not (self.of or self.called):
            raise InputError(f'a {self.statistic} needs "of", what is counted')
        return self


class Group(Strict):
    """Men who were described together."""

    name: str
    text: str
    n: Annotated[int, Field(ge=1)] | None = None
    ages: tuple[Years, Years] | None = None
    BMI: tuple[float, float] | None = None
    condition: Condition | None = None
    assay: dict[Quantity, Assay] = {}
    hour: Annotated[float, Field(ge=0, le=24)] | None = None
    note: str | None = None
    figures: Annotated[list[DistributionNumber], Field(min_length=1)]


class Distribution(Entry):
    """How men differ: published distributions and reference intervals, by group of men."""

    groups: Annotated[list[Group], Field(min_length=1)]

    @model_validator(mode="after")
    def groups_fit_together(self) -> Self:
        """A comparison names another group of the same source."""
        names = [group.name for group in self.groups]
        for group in self.groups:
            others = [name for name in names if name != group.name]
            for figure in group.figures:
                if figure.against is not None and figure.against not in others:
                    raise unknown("group", figure.against, others, f'"against" of group "{group.name}"')
        return self


class VariationNumber(Number):
    """One part of the variation of a quantity."""

    component: Component
    assay: Assay | None = None
    over: str | None = None  # how far the samples lay apart, or which hours are compared
    first: Limit | None = None  # the first reading that chose the men
    then: Limit | None = None  # of a crossing: what a later reading reached

    @model_validator(mode="after")
    def fits_its_component(self) -> Self:
        """The component has a unit in which it can be written, and a crossing its two limits."""
        self.check_unit(UNITS_OF_COMPONENT[self.component], self.component)
        if (self.component == "crossing") != (self.then is not None):
            raise InputError('a crossing needs "then", what a later reading reached, and nothing else has one')
        return self


class Variation(Entry):
    """How a man and his laboratory vary: within and between men, between assays, by hour."""

    population: str
    men: Annotated[int, Field(ge=1)] | None = None
    figures: Annotated[list[VariationNumber], Field(min_length=1)]


def _text(value: object) -> object:
    """A year may be written as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Interval(Strict):
    """How often something is done, or how long after something else."""

    low: Annotated[float, Field(ge=0)]
    high: Annotated[float, Field(ge=0)]
    unit: Literal["d", "week", "month", "year"]

    def words(self) -> str:
        """The interval as text: ``3 to 6 month``."""
        span = f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"
        return f"{span} {self.unit}{'s' if self.high != 1 and self.unit != 'd' else ''}"


class Statement(Strict):
    """One thing that a guideline or a study says to do, or to call something."""

    topic: Topic
    says: str
    limits: list[Limit] = []
    every: Interval | None = None
    assay: Assay | None = None
    strength: str | None = None  # of the recommendation and its evidence, in the source's own words
    where: str | None = None
    seen: Seen | None = None
    note: str | None = None
    file: str = ""


class Guideline(Entry):
    """A guideline of a body, or the threshold that a study proposes."""

    body: str
    year: Annotated[str | None, BeforeValidator(_text)] = None
    statements: Annotated[list[Statement], Field(min_length=1)]
