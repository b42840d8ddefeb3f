"""Quantiles, means and shares of a population, added up chunk by chunk in whole numbers.

Only counts are kept, so the order in which chunks arrive changes nothing, and memory depends on how many days,
quantities and protocols are looked at, not on how many men. A value counts in the bin of its sign, exponent and first
``BITS`` bits as a 32-bit number: a bin is at most 2^-9 (0.2 %) of its values wide, which is how far a quantile may be
off. Means are exact sums of the 32-bit values; standard deviations come from the bins.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

BITS = 9  # of the fraction that tell bins apart
RESOLUTION = 2.0**-BITS  # relative width of the widest bin
QUANTILES = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)
_SHIFT = 23 - BITS  # 32-bit numbers have 23 bits of fraction
_BINS = 2 ** (32 - _SHIFT)  # per cell, both signs
_FRACTION, _EXPONENTS, _LOWEST_EXPONENT = 24, 512, -256
_BUFFERED = 2_000_000  # entries that are kept apart before they are added up


class Counts(NamedTuple):
    """Whole numbers by key; keys rise."""

    keys: np.ndarray  # (k,) int64
    numbers: np.ndarray  # (k,) int64


class Tally(NamedTuple):
    """What one chunk adds. A cell is one protocol, day and quantity; see ``cells``."""

    men: int
    bins: Counts  # of cell * _BINS + bin: how many values
    sums: Counts  # of cell * _EXPONENTS + exponent: sum of whole fractions
    met: np.ndarray  # (responders, protocols, days) men
    known: np.ndarray  # the same shape
    status: tuple[Mapping[str, int], ...]  # per protocol, men by status
    trees: tuple[Any, ...] = ()  # per protocol, whole numbers by name that are added up leaf by leaf


def added(keys: np.ndarray, numbers: np.ndarray) -> Counts:
    """The sum of ``numbers`` for every key."""
    order = np.argsort(keys, kind="stable")
    keys, numbers = keys[order], numbers[order]
    firsts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.zeros(0, dtype=np.int64)
    return Counts(keys[firsts], np.add.reduceat(numbers, firsts) if len(keys) else numbers)


def counted(cells: np.ndarray, values: np.ndarray) -> tuple[Counts, Counts]:
    """Bins and sums of ``values`` that belong to ``cells``, arrays of one shape; what is not finite does not count."""
    there = np.isfinite(values)
    cell, value = cells[there].astype(np.int64), values[there].astype(np.float32) + np.float32(0)  # no minus zero
    bits = value.view(np.int32)
    size = (bits & 0x7FFFFFFF) >> _SHIFT
    bins = np.where(bits < 0, -size, size).astype(np.int64) + _BINS // 2
    ones = np.ones(len(bins), dtype=np.int64)
    fraction, exponent = np.frexp(value.astype(np.float64))
    whole = np.ldexp(fraction, _FRACTION).astype(np.int64)
    return (
        added(cell * _BINS + bins, ones),
        added(cell * _EXPONENTS + exponent.astype(np.int64) - _LOWEST_EXPONENT, whole),
    )


class Total:
    """The sum of tallies."""

    def __init__(self) -> None:
        self.men = 0
        self.met: np.ndarray | None = None
        self.known: np.ndarray | None = None
        self.status: list[Counter[str]] = []
        self.trees: list[Any] = []
        self._bins: list[Counts] = []
        self._sums: list[Counts] = []

    def add(self, tally: Tally) -> None:
        """Add a chunk."""
        self.men += tally.men
        self.met = tally.met if self.met is None else self.met + tally.met
        self.known = tally.known if self.known is None else self.known + tally.known
        self.status = self.status or [Counter() for _ in tally.status]
        for own, more in zip(self.status, tally.status, strict=True):
            own.update(more)
        self.trees = added_up(self.trees, [*tally.trees]) if self.trees else [*tally.trees]
        for kept, new in ((self._bins, tally.bins), (self._sums, tally.sums)):
            kept.append(new)
            if len(kept) > 1 and sum(len(part.keys) for part in kept[1:]) > _BUFFERED:
                kept[:] = [_joined(kept)]

    def other_than(self, status: str) -> int:
        """How many courses of men ended with another status."""
        return sum(number for one in self.status for word, number in one.items() if word != status)

    def statistics(self, cells: int) -> list[dict[str, Any]]:
        """``n``, ``mean``, ``sd`` and ``quantiles`` of every cell, in order; None where nobody counts."""
        bins, sums = _joined(self._bins), _joined(self._sums)
        edges = np.searchsorted(bins.keys, np.arange(cells + 1) * _BINS)
        sum_edges = np.searchsorted(sums.keys, np.arange(cells + 1) * _EXPONENTS)
        found = []
        for cell in range(cells):
            own, of_sum = slice(*edges[cell : cell + 2]), slice(*sum_edges[cell : cell + 2])
            low, high = limits(bins.keys[own] - cell * _BINS)
            exponents = sums.keys[of_sum] - cell * _EXPONENTS + _LOWEST_EXPONENT
            found.append(_statistics(low, high, bins.numbers[own], exponents, sums.numbers[of_sum]))
        return found


def added_up(one: Any, other: Any) -> Any:
    """Two trees of whole numbers, leaf by leaf; a branch that one of them lacks is that of the other."""
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, Mapping):
        return {name: added_up(one.get(name), other.get(name)) for name in sorted({*one, *other})}
    if isinstance(one, Sequence):
        return [added_up(*pair) for pair in zip(one, other, strict=True)]
    return one + other


def _joined(parts: Sequence[Counts]) -> Counts:
    if not parts:
        return Counts(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    return added(np.concatenate([part.keys for part in parts]), np.concatenate([part.numbers for part in parts]))


def limits(bins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest value of bins; the bin around zero is zero."""
    signed = bins - _BINS // 2
    size = np.abs(signed)
    near = (size << _SHIFT).astype(np.int32).view(np.float32).astype(float)
    # the highest bin of all ends at infinity, where no finite value is
    far = np.minimum((size + 1) << _SHIFT, 0x7F7FFFFF).astype(np.int32).view(np.float32).astype(float)
    near, far = np.where(size == 0, 0.0, near), np.where(size == 0, 0.0, far)
    return np.where(signed < 0, -far, near), np.where(signed < 0, -near, far)


def _statistics(
    low: np.ndarray, high: np.ndarray, counts: np.ndarray, exponents: np.ndarray, wholes: np.ndarray
) -> dict[str, Any]:
    n = int(counts.sum())
    if not n:
        return {"n": 0, "mean": None, "sd": None, "quantiles": [None] * len(QUANTILES)}
    parts = [
        math.ldexp(int(whole), int(exponent) - _FRACTION) for whole, exponent in zip(wholes, exponents, strict=True)
    ]
    mean = math.fsum(parts) / n
    squares = math.fsum((counts * ((low + high) / 2 - mean) ** 2).tolist())
    return {
        "n": n,
        "mean": mean,
        "sd": math.sqrt(squares / (n - 1)) if n > 1 else None,
        "quantiles": [_quantile(low, high, counts, q) for q in QUANTILES],
    }


def _quantile(low: np.ndarray, high: np.ndarray, counts: np.ndarray, q: float) -> float:
    """The value below which the share ``q`` lies, between neighbours as ``numpy.quantile`` has it by default."""
    before = np.cumsum(counts) - counts

    def ranked(rank: int) -> float:
        """The value of this rank, 0 the lowest, if values lie evenly in their bin."""
        place = int(np.searchsorted(before, rank, side="right")) - 1
        within = (rank - before[place] + 0.5) / counts[place]
        return float(low[place] + (high[place] - low[place]) * within)

    position = q * (int(counts.sum()) - 1)
    below = math.floor(position)
    first = ranked(below)
    return first + (position - below) * (ranked(min(below + 1, int(counts.sum()) - 1)) - first)
