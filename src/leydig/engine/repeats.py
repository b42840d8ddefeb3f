"""Inputs of one run as few repeating events: what a model language with events needs instead of a table of segments.

A table of inputs lists every segment. Between two segments each term either only ages or also jumps, and most jumps
are the same one over and over, at equal intervals: a year of daily doses is one jump, an interval and a count.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from leydig.engine.inputs import InputTable

# Rounding: a jump below this share of a term's largest coefficient is none, jumps that differ by less are one kind;
# times that differ by less (h) are one time.
SAME_JUMP = 1e-12
SAME_TIME = 1e-8
# An interval is looked for among this many times after the first: three doses a day in a weekly pattern are 21.
NEIGHBOURS = 32


class Term(NamedTuple):
    """One term ``(a + b*tau) exp(-rate*tau)`` of a channel; rate 0 makes constants and lines."""

    channel: int
    rate: float  # 1/h
    a: float  # at time 0, after an event then due
    b: float  # 1/h


class Repeat(NamedTuple):
    """The same jump at ``first``, ``first + interval``, ..., so many ``times``."""

    first: float  # h, above 0
    interval: float  # h
    times: int
    jump: np.ndarray  # (terms of the group,) added to a
    ramp: np.ndarray  # (terms of the group,) added to b, 1/h


class Group(NamedTuple):
    """Terms that always jump together; ``repeats`` is empty where none ever jumps."""

    terms: tuple[Term, ...]
    repeats: tuple[Repeat, ...]


def grouped(table: InputTable) -> list[Group]:
    """The inputs from time 0 on as terms that jump together and their repeating jumps; terms that are 0 are left out.

    Exact up to rounding for any table; regular events make it small.
    """
    channels = table.constant.shape[1]
    channel = np.concatenate([np.arange(channels), table.term_channel])
    rate = np.concatenate([np.zeros(channels), table.term_rate])
    row = max(int(np.searchsorted(table.starts, 0.0, side="right")) - 1, 0)
    starts = np.concatenate([[0.0], table.starts[row + 1 :]])
    a = np.hstack([table.constant, table.exponential])[row:]
    b = np.hstack([table.slope, table.ramp_exponential])[row:]
    a[0], b[0] = _aged(a[0], b[0], rate, -table.starts[row])
    aged_a, aged_b = _aged(a[:-1], b[:-1], rate, np.diff(starts)[:, None])
    jump, ramp = _cleaned(a[1:] - aged_a, a), _cleaned(b[1:] - aged_b, b)
    moves = (jump != 0) | (ramp != 0)
    members: dict[bytes, list[int]] = {}
    for column in np.flatnonzero((a[0] != 0) | (b[0] != 0) | moves.any(axis=0)):
        members.setdefault(moves[:, column].tobytes(), []).append(int(column))
    return [
        Group(
            tuple(Term(int(channel[c]), float(rate[c]), float(a[0, c]), float(b[0, c])) for c in columns),
            tuple(_repeats(starts[1:], jump[:, columns], ramp[:, columns])),
        )
        for columns in members.values()
    ]


def _aged(a: np.ndarray, b: np.ndarray, rate: np.ndarray, hours: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    faded = np.exp(-rate * hours)
    return (a + b * hours) * faded, b * faded


def _cleaned(jump: np.ndarray, coefficient: np.ndarray) -> np.ndarray:
    return np.where(np.abs(jump) > SAME_JUMP * np.abs(coefficient).max(axis=0), jump, 0.0)


def _repeats(times: np.ndarray, jump: np.ndarray, ramp: np.ndarray) -> list[Repeat]:
    """Equal jumps of a group gathered, each kind as arithmetic progressions of times."""
    rows = np.flatnonzero((jump != 0).any(axis=1) | (ramp != 0).any(axis=1))
    both = np.hstack([jump, ramp])
    nearness = SAME_JUMP * np.abs(both).max(axis=0, initial=0.0)
    kinds: list[list[int]] = []
    for row in rows:
        alike = (kind for kind in kinds if (np.abs(both[kind[0]] - both[row]) <= nearness).all())
        kind = next(alike, None)
        if kind is None:
            kinds.append([int(row)])
        else:
            kind.append(int(row))
    return [
        Repeat(first, interval, count, jump[kind].mean(axis=0), ramp[kind].mean(axis=0))
        for kind in kinds
        for first, interval, count in progressions(times[kind])
    ]


def progressions(times: Sequence[float] | np.ndarray) -> list[tuple[float, float, int]]:
    """Increasing times as arithmetic progressions (first, interval, count), the longest from each first time on."""
    left, found = np.asarray(times, float), []
    while len(left):
        best = np.zeros(1, np.intp)
        for other in left[1 : 1 + NEIGHBOURS]:
            places = _along(left, other - left[0])
            if len(places) > len(best):
                best = places
        count = len(best)
        interval = float(left[best[-1]] - left[0]) / (count - 1) if count > 1 else 1.0
        found.append((float(left[0]), interval, count))
        left = np.delete(left, best)
    return found


def _along(times: np.ndarray, interval: float) -> np.ndarray:
    """Places of ``times[0] + k*interval`` among the times, up to the first that is missing."""
    wanted = times[0] + interval * np.arange(int((times[-1] - times[0]) / interval + 1.5))
    places = np.clip(np.searchsorted(times, wanted - SAME_TIME), 0, len(times) - 1)
    there = np.abs(times[places] - wanted) <= SAME_TIME
    return places[: len(there) if there.all() else int(np.argmin(there))]
