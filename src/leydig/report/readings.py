"""Readings at visits for a report: what the laboratory prints of one sample, and what chance does to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from leydig.engine.trajectory import Trajectory
from leydig.report import runs, wording


class Row(NamedTuple):
    """One test at every visit."""

    name: str
    unit: str
    cells: tuple[str, ...]
    by_chance: str  # change between two readings that 95 % of unchanged men stay within
    varies_by: str


class Slips(NamedTuple):
    """The readings of one run."""

    title: str
    moments: tuple[str, ...]
    rows: tuple[Row, ...]


def slips(trajectories: Sequence[Trajectory]) -> list[Slips]:
    """The readings of every run that was sampled."""
    return [
        Slips(
            f"{label}, {run.protocol}" if label else run.protocol,
            tuple(wording.moment(day) for day in run.samples["days"]),
            tuple(_row(name, one) for name, one in run.samples["readings"].items()),
        )
        for label, run in zip(runs.letters(len(trajectories)), trajectories, strict=True)
        if run.samples
    ]


def printed(name: str, one: dict[str, Any]) -> tuple[str, ...]:
    """Every reading as a laboratory prints it: with a sign where it only knows a limit."""
    found = []
    for value, below, above in zip(one["values"], one["below"], one["above"], strict=True):
        text, sign = wording.number(value, name), "<" if below else ">" if above else ""
        found.append(text if text.startswith(("<", ">")) else f"{sign}{text}")
    return tuple(found)


def _row(name: str, one: dict[str, Any]) -> Row:
    cells = printed(name, one)
    change = one["reference_change_percent"]
    by_chance = "" if change is None else f"{wording.MINUS}{-change[0]:.0f} to +{change[1]:.0f} %"
    return Row(
        wording.capital(wording.name(name)),
        wording.unit(wording.shown_unit(name, one["unit"])),
        cells,
        by_chance,
        one["varies_by"],
    )
