"""Published figures of trials as points: the level before and on treatment, and the change in percent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leydig.report import figures, wording
from leydig.report.evidence_axes import (
    LOGARITHMIC,
    Triple,
    columns,
    finish,
    mark,
    name_lines,
    name_of,
    numbers_of,
    scale_levels,
    svg,
)
from leydig.studies.evidence_rows import Row
from leydig.units import to_canonical

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNTREATED = "untreated"
LOWEST, HIGHEST = 0.003, 20.0  # shares of the start at which what lies beyond is drawn, as an arrow
PERCENT = 100.0
SHAPES = {"calibration": "s", "validation": "o", "none": "^"}
UNSCORED = 0.45  # opacity of a figure that is not scored


class Point(NamedTuple):
    """What is drawn of one figure."""

    row: Row
    before: float | None  # canonical unit
    level: Triple | None  # on treatment, canonical unit
    change: Triple | None  # in percent of the start, or of the arm that it is compared with


def leading(row: Row) -> str:
    """The drug by which a figure is coloured: the last that its protocol names, which the others only prepare."""
    return row.drugs[-1] if row.drugs else UNTREATED


def point(row: Row) -> Point:
    """Level and change of a figure, as far as they follow from what is printed; both None where neither does."""
    before = None if row.baseline is None else to_canonical(row.quantity, row.baseline, row.baseline_unit)
    printed: Triple = (math.nan if row.value is None else row.value, row.low, row.high)
    if row.statistic in ("mean", "median", "change"):
        printed = _each(printed, lambda number: to_canonical(row.quantity, number, row.unit))
    start = before or math.nan
    if row.statistic in ("mean", "median"):
        return Point(row, before, printed, _finite(_each(printed, lambda number: PERCENT * (number / start - 1))))
    change = _finite(_each(printed, _CHANGES[row.statistic](start)))
    if change is None or before is None or row.against:
        return Point(row, before, None, change)
    return Point(row, before, _each(change, lambda number: start * (1 + number / PERCENT)), change)


# The change in percent from each printed statistic, given the start.
_CHANGES: dict[str, Callable[[float], Callable[[float], float]]] = {
    "ratio": lambda start: lambda number: PERCENT * (number - 1),
    "percent_of": lambda start: lambda number: number - PERCENT,
    "percent_change": lambda start: lambda number: number,
    "change": lambda start: lambda number: PERCENT * number / start,
}


def _each(numbers: Triple, of: Callable[[float], float]) -> Triple:
    value, low, high = numbers
    return of(value), None if low is None else of(low), None if high is None else of(high)


def _finite(numbers: Triple) -> Triple | None:
    return numbers if math.isfinite(numbers[0]) else None


def drawn(rows: Sequence[Row]) -> list[Point]:
    """The points of figures that can be drawn, by drug, study, arm and day."""
    ordered = sorted(rows, key=lambda row: (leading(row).casefold(), row.study, row.group, row.day or 0.0))
    return [one for one in map(point, ordered) if one.level or one.change]


def plot(quantity: str, rows: Sequence[Row]) -> str:
    """Figures of trials as inline SVG, a coloured heading for each drug; empty where nothing can be drawn."""
    points = drawn(rows)
    if not points:
        return ""
    colours = _colours(points)
    lines: list[str | Point] = []
    for one in points:
        heading = leading(one.row)
        if heading not in lines:
            lines.append(heading)
        lines.append(one)
    lines.reverse()  # lines are numbered from the bottom

    def draw(figure: Any) -> None:
        levels, changes = columns(figure, len(lines), 2)
        for place, line in enumerate(lines):
            if isinstance(line, Point):
                _draw(levels, changes, place, line, colours[leading(line.row)])
        name_lines(levels, [line if isinstance(line, str) else name_of(line.row) for line in lines], colours)
        scale_levels(levels, quantity, [one.level for one in points])
        _scale_changes(changes, [one.change for one in points])

    return svg(f"trials-{quantity}", len(lines), draw, f"{wording.name(quantity)}: {len(points)} figures of trials")


def _colours(points: Sequence[Point]) -> dict[str, str]:
    """The colour of each drug, in the order of the lines; what is untreated is grey."""
    names = [name for name in dict.fromkeys(leading(one.row) for one in points) if name != UNTREATED]
    return {name: figures.style(place)[0] for place, name in enumerate(names)} | {UNTREATED: figures.GREY}


def _draw(levels: Axes, changes: Axes, place: int, one: Point, colour: str) -> None:
    shape = SHAPES[one.row.role]
    look: dict[str, Any] = {"color": colour, "alpha": 1.0 if one.row.scored else UNSCORED, "zorder": 3}
    if one.level:
        if one.before is not None:
            levels.plot([one.before, one.level[0]], [place, place], lw=0.7, ls=":", **look)
            levels.plot(one.before, place, "|", ms=6, mew=1.2, **look)
        mark(levels, place, one.level, shape, look)
    if one.change:
        shares = _each(one.change, _share)
        beyond = {LOWEST: "<", HIGHEST: ">"}.get(shares[0])
        mark(changes, place, shares, beyond or shape, look)


def _share(percent: float) -> float:
    """A change in percent as a share of the start."""
    return min(max(1 + percent / PERCENT, LOWEST), HIGHEST)


def _scale_changes(axes: Axes, triples: Sequence[Triple | None]) -> None:
    """The axis of changes: shares of the start, written as percent."""
    shares = np.clip(1 + numbers_of(triples) / PERCENT, LOWEST, HIGHEST)
    if shares.size and shares.max() > LOGARITHMIC * shares.min():
        axes.set_xscale("log")
    if not shares.size:
        axes.set_axis_off()
        return
    axes.axvline(1.0, color=figures.GREY, lw=0.7, zorder=1)
    finish(axes, "Change, %", lambda value: f"{PERCENT * (value - 1):+.3g}" if value != 1 else "0")
