"""Published limits as the data files of the report state them: quantity, how a value stands to a number, source.

A condition is a mapping such as ``{quantity: LH, at_most: 9.4, unit: IU/L, kind: measured, source: tajar2010}``;
in place of the number stands ``range`` for the limit of the published range of that source (data/ranges.yaml).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from leydig import laboratory, units
from leydig.errors import InputError
from leydig.report import wording

RANGE = "range"  # in place of a number: the limit of a published range
# How a value stands to a limit: the word of the rule, its comparison and the end of a range that it is set against.
RELATIONS: dict[str, tuple[str, Callable[[np.ndarray, float], np.ndarray], str]] = {
    "below": ("below", np.less, "low"),
    "at_most": ("at most", np.less_equal, "low"),
    "above": ("above", np.greater, "high"),
    "at_least": ("at least", np.greater_equal, "low"),
}
PLURAL = {"year": "years"}
TWO = 2  # significant digits of a value below 1
SMALLEST = 1e-3  # below it a value is not told from none
FALLING = ("below", "at_most")  # relations under which the lowest value is the furthest


class Limit(NamedTuple):
    """A threshold in the canonical unit; ``relation`` is a key of RELATIONS."""

    quantity: str
    relation: str
    value: float
    source: str
    kind: str

    @property
    def words(self) -> str:
        """LH at most 9.4 IU/L."""
        unit = units.CANONICAL[self.quantity]
        value = wording.with_unit(self.value, self.quantity, PLURAL.get(unit, unit))
        return f"{wording.name(self.quantity)} {self.word} {value}"

    @property
    def word(self) -> str:
        """How a value stands to it: below, at most, above, at least."""
        return RELATIONS[self.relation][0]

    @property
    def text(self) -> str:
        """LH at most 9.4 IU/L, source tajar2010."""
        return f"{self.words}, {origin(self.kind, self.source)}"

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Where the values meet the condition; never where a value is missing."""
        return RELATIONS[self.relation][1](values, self.value)

    def furthest(self, values: np.ndarray) -> int:
        """The place of the value that is furthest beyond the limit; nan does not count."""
        return int(np.nanargmin(values) if self.relation in FALLING else np.nanargmax(values))


def limit(condition: Mapping[str, Any], where: str) -> Limit:
    """The threshold of a condition: its own number, or the limit of a published range."""
    quantity, source = condition["quantity"], condition["source"]
    named = [relation for relation in RELATIONS if relation in condition]
    if len(named) != 1:
        raise InputError(f"{where}: a condition of {quantity} needs one of {', '.join(RELATIONS)}")
    (relation,) = named
    if condition[relation] != RANGE:
        value = units.to_canonical(quantity, float(condition[relation]), condition["unit"], where)
        return Limit(quantity, relation, value, source, condition["kind"])
    end = RELATIONS[relation][2]
    for known in laboratory.reference_ranges():
        value = getattr(known, end)
        if known.quantity == quantity and known.source == source and value is not None:
            return Limit(quantity, relation, value, source, "measured")
    raise InputError(f"{where}: ranges.yaml has no {end} limit of {quantity} from {source}")


def beside(value: float, bound: Limit) -> str:
    """A value with its unit as it is printed beside its limit: never as the limit itself by rounding.

    Below 1 it has two significant digits, and nothing at all is "none".
    """
    unit = units.CANONICAL[bound.quantity]
    shown = wording.shown_unit(bound.quantity, unit)
    printed, own = wording.factor(bound.quantity) * value, wording.factor(bound.quantity) * bound.value
    limit = wording.number(bound.value, bound.quantity)
    if printed == 0 and not wording.signed(bound.quantity):
        return "none"
    if 0 < printed < SMALLEST:
        return f"below {wording.join(f'{SMALLEST:g}', shown)}"
    text = wording.number(value, bound.quantity)
    if abs(printed) < 1 and not wording.signed(bound.quantity):
        text = wording.digits(printed, TWO - 1 - math.floor(math.log10(abs(printed))))
    if _same(text, limit) and printed != own:
        point = len(text.partition(".")[2])
        finer = [wording.digits(printed, point + more) for more in (1, 2)]
        side = "below" if printed < own else "above"
        text = next((one for one in finer if not _same(one, limit)), f"just {side} {limit}")
    return wording.join(text, shown)


def _same(one: str, other: str) -> bool:
    """Whether two printed numbers are one number."""
    return one == other or _float(one) == _float(other)


def _float(text: str) -> float:
    """A printed number; NaN for words."""
    try:
        return float(text.replace(wording.MINUS, "-"))
    except ValueError:
        return math.nan


def origin(kind: str, source: str) -> str:
    """Where a number is from: a source, or that it is assumed."""
    return "assumed" if kind == "assumed" else f"source {source}"
