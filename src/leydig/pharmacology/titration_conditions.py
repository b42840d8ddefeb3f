"""What a titration rule reads: conditions on what was measured at visits. Immutable, each with one canonical text.

    Comparison("estradiol", "<", 15, "pg/mL", "LC-MS/MS")     estradiol < 15 pg/mL (LC-MS/MS)
    AllOf((a, b)), AnyOf((a, b))                              a and b, a or b
    Repeated(a, 2)                                            a at 2 visits in a row

A limit is held against what the laboratory prints on the assay that the limit names, or, where it names none, on the
assay that the laboratory uses.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from leydig import units
from leydig.errors import InputError, unknown
from leydig.pharmacology import titration_words as words
from leydig.pharmacology.schedule import write_number

SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
MOST_VISITS_IN_A_ROW = 20

# Ratios, which are of the printed values in canonical units.
PARTS = {"testosterone_estradiol_ratio": ("testosterone", "estradiol")}


class Measured(NamedTuple):
    """What a reading is of; ``assay`` None stands for whatever the laboratory uses."""

    quantity: str
    assay: str | None


class Printed(NamedTuple):
    """A printed value, and whether it was printed as "less than" that value; numbers of one man or arrays of many."""

    value: Any
    below: Any


# What one visit brought in canonical units: plain values, or ``Printed`` where some may lie below what the assay can
# tell. What is missing or NaN is not known, and no condition on it holds.
Readings = Mapping[Measured, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A quantity below or above a limit, the limit in ``unit`` as written."""

    quantity: str
    sign: str  # < <= > >=
    limit: float
    unit: str
    assay: str | None = None

    def __post_init__(self) -> None:
        observed = words.quantity_named(self.quantity)
        if self.sign not in SIGNS:
            raise unknown("comparison", self.sign, SIGNS)
        object.__setattr__(self, "quantity", observed.quantity)
        object.__setattr__(self, "limit", float(self.limit))
        object.__setattr__(self, "unit", units.check_accepted(self.quantity, self.unit))
        if self.assay is not None:
            if not observed.assay:
                raise InputError(f"{observed.written} has no assays; leave out ({self.assay})")
            object.__setattr__(self, "assay", words.assay_named(self.assay))
        low, high = words.possible(self.quantity)
        if not low <= self.canonical <= high:
            bounds = " to ".join(f"{units.from_canonical(self.quantity, bound, self.unit):g}" for bound in (low, high))
            raise InputError(f'"{self.text()}": no man has this; {observed.written} lies within {bounds} {self.unit}')

    @property
    def canonical(self) -> float:
        """The limit in the quantity's canonical unit."""
        return units.to_canonical(self.quantity, self.limit, self.unit)

    @property
    def measured(self) -> tuple[Measured, ...]:
        """What must be measured for it: of a ratio both parts."""
        return tuple(Measured(part, self.assay) for part in PARTS.get(self.quantity, (self.quantity,)))

    def text(self) -> str:
        number = f"{write_number(self.limit)} {'' if self.unit == '1' else self.unit}".strip()
        written = words.quantity_named(self.quantity).written
        return f"{written} {self.sign} {number}{f' ({self.assay})' if self.assay else ''}"

    def holds(self, visits: Sequence[Readings]) -> Any:
        """Whether it holds for certain at the last of these visits: "< 5" is less than 5 and may be less than 3."""
        values: list[Any] = [visits[-1].get(one) for one in self.measured] if visits else [None]
        if any(value is None for value in values):
            return False
        parts = [value if isinstance(value, Printed) else Printed(value, False) for value in values]
        least = [np.where(part.below, 0.0, part.value) for part in parts]
        # over nothing measurable a ratio is above every limit
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            low = least[0] if len(parts) == 1 else np.divide(least[0], parts[1].value)
            high = parts[0].value if len(parts) == 1 else np.divide(parts[0].value, least[1])
        if self.sign in ("<", "<="):
            return SIGNS[self.sign](high, self.canonical) | (np.asarray(parts[0].below) & (high <= self.canonical))
        return SIGNS[self.sign](low, self.canonical)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of several conditions."""

    conditions: tuple[Condition, ...]

    @property
    def measured(self) -> tuple[Measured, ...]:
        return _measured(self.conditions)

    def text(self) -> str:
        return " and ".join(_enclosed(condition, AllOf, AnyOf) for condition in self.conditions)

    def holds(self, visits: Sequence[Readings]) -> Any:
        return reduce(np.logical_and, [condition.holds(visits) for condition in self.conditions])


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of several conditions."""

    conditions: tuple[Condition, ...]

    @property
    def measured(self) -> tuple[Measured, ...]:
        return _measured(self.conditions)

    def text(self) -> str:
        return " or ".join(_enclosed(condition, AnyOf) for condition in self.conditions)

    def holds(self, visits: Sequence[Readings]) -> Any:
        return reduce(np.logical_or, [condition.holds(visits) for condition in self.conditions])


@dataclass(frozen=True, slots=True)
class Repeated:
    """A condition at a number of visits in a row, the present one included, whatever was done between them."""

    condition: Condition
    visits: int

    def __post_init__(self) -> None:
        if isinstance(self.visits, bool) or self.visits not in range(2, MOST_VISITS_IN_A_ROW + 1):
            allowed = f"a whole number from 2 to {MOST_VISITS_IN_A_ROW}"
            raise InputError(f"a number of visits in a row is {self.visits}; it must be {allowed}")

    @property
    def measured(self) -> tuple[Measured, ...]:
        return self.condition.measured

    def text(self) -> str:
        return f"{_enclosed(self.condition, AllOf, AnyOf, Repeated)} at {self.visits} visits in a row"

    def holds(self, visits: Sequence[Readings]) -> Any:
        if len(visits) < self.visits:
            return False
        ends = range(len(visits), len(visits) - self.visits, -1)
        return reduce(np.logical_and, [self.condition.holds(visits[:end]) for end in ends])


Condition = Comparison | AllOf | AnyOf | Repeated


def comparisons(condition: Condition) -> tuple[Comparison, ...]:
    """Every comparison that a condition is made of."""
    if isinstance(condition, Comparison):
        return (condition,)
    parts = (condition.condition,) if isinstance(condition, Repeated) else condition.conditions
    return tuple(one for part in parts for one in comparisons(part))


def _measured(parts: Sequence[Condition]) -> tuple[Measured, ...]:
    return tuple(dict.fromkeys(one for part in parts for one in part.measured))


def _enclosed(condition: Condition, *kinds: type) -> str:
    """The text of a part, in parentheses where it is of a kind that would be read otherwise without them."""
    return f"({condition.text()})" if isinstance(condition, kinds) else condition.text()
