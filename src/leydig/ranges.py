"""The limits of data/ranges.yaml: what a value may be at all, and what is usual. The rest is read in laboratory.py."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from leydig import units
from leydig.errors import InputError
from leydig.files import DATA, read_yaml


class Limits(NamedTuple):
    """Lowest and highest value in the canonical unit."""

    low: float
    high: float


@cache
def ranges() -> dict[str, Any]:
    """The file of ranges."""
    return read_yaml(DATA / "ranges.yaml")


@cache
def limits(kind: str) -> dict[str, Limits]:
    """The accepted or the usual limits by quantity, in canonical units (``sensitivity`` has none)."""
    found = {}
    for name, entry in ranges()[kind]["limits"].items():
        low, high = float(entry["low"]), float(entry["high"])
        if not low < high:
            raise InputError(f"{kind}.limits.{name} of ranges.yaml must have low below high")
        if name in units.CANONICAL:
            low, high = (units.to_canonical(name, number, entry["unit"], "ranges.yaml") for number in (low, high))
        found[name] = Limits(low, high)
    return found
