"""Gaussian elimination of a sparse matrix whose pattern is known: its order, its fill and what each round does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Elimination(NamedTuple):
    """``slots`` numbers every entry that is ever not zero, fill included.

    ``rounds``: pivot, then each row below it with the columns it is reduced in. ``backward``: pivots from the
    last, each with the columns already known. Pivots lie on the diagonal, which 1/(gamma h) makes large.
    """

    slots: dict[tuple[int, int], int]
    rounds: tuple[tuple[int, tuple[tuple[int, tuple[int, ...]], ...]], ...]
    backward: tuple[tuple[int, tuple[int, ...]], ...]


def plan(size: int, entries: Iterable[tuple[int, int]]) -> Elimination:
    """The order of least work at each round (Markowitz) for a matrix with these entries and its diagonal."""
    rows: dict[int, set[int]] = {i: {i} for i in range(size)}
    columns: dict[int, set[int]] = {i: {i} for i in range(size)}
    for i, j in entries:
        rows[i].add(j)
        columns[j].add(i)
    left = set(range(size))
    rounds, across_of = [], {}
    while left:
        pivot = min(left, key=lambda i: ((len(rows[i] & left) - 1) * (len(columns[i] & left) - 1), i))
        left.discard(pivot)
        across = tuple(sorted(rows[pivot] & left))
        below = tuple(sorted(columns[pivot] & left))
        for i in below:
            for j in across:
                rows[i].add(j)
                columns[j].add(i)
        rounds.append((pivot, tuple((i, across) for i in below)))
        across_of[pivot] = across
    places = sorted((i, j) for i, several in rows.items() for j in several)
    slots = {place: number for number, place in enumerate(places)}
    backward = tuple((pivot, across_of[pivot]) for pivot, _ in reversed(rounds))
    return Elimination(slots, tuple(rounds), backward)
