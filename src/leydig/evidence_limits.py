"""What a printed figure of a trial can be: bounds of plausibility, so that a wrong number or unit is refused when read.

Sources: data/evidence_limits.yaml, and the accepted limits of data/ranges.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from leydig.errors import InputError
from leydig.files import DATA, read_yaml
from leydig.ranges import limits
from leydig.units import CANONICAL

LEVELS, CHANGE = ("mean", "median"), "change"


class Bounds(NamedTuple):
    """Lowest and highest value, and the unit that they are in."""

    low: float
    high: float
    unit: str


@cache
def _settings() -> dict[str, Any]:
    """data/evidence_limits.yaml."""
    return read_yaml(DATA / "evidence_limits.yaml")


@cache
def bounds(quantity: str, statistic: str) -> Bounds:
    """What a statistic of a quantity can be: levels and changes in the canonical unit, others in their own."""
    known, unit = _settings(), CANONICAL[quantity]
    if statistic not in (*LEVELS, CHANGE):
        own = known[statistic]
        return Bounds(own["low"], own["high"], own["unit"])
    widest = known["level"]
    low, high = limits("accepted").get(quantity, (widest["low"], widest["high"]))
    level = Bounds(low, high, unit)
    if statistic == CHANGE or quantity in known["signed"]:
        return Bounds(-level.high, level.high, unit)
    return level


def check(quantity: str, statistic: str, value: float, spread: Iterable[float]) -> None:
    """Refuse a value outside its bounds, and a spread that is wider than they are.

    ``spread`` is a standard deviation or error, the two limits of an interval, or nothing; all are in the unit of
    ``bounds``.
    """
    allowed = bounds(quantity, statistic)
    words = f"{statistic.replace('_', ' ')} of {quantity}"
    if not allowed.low <= value <= allowed.high:
        raise InputError(f"a {words} of {value:g} {allowed.unit} cannot be; {_from(allowed)}")
    # a symmetrical interval can reach below what is possible
    widest = Bounds(-allowed.high, 2 * allowed.high, allowed.unit)
    for number in spread:
        if not widest.low <= number <= widest.high:
            raise InputError(f"a spread of {number:g} {allowed.unit} of a {words} cannot be; {_from(widest)}")


def _from(allowed: Bounds) -> str:
    return f"it must lie from {allowed.low:g} to {allowed.high:g} {allowed.unit}"
