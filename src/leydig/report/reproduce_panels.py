"""The picture of one re-run trial: every outcome over time, the arms of an outcome side by side.

The bands hold 50 and 95 % of what the model expects the paper to print, between its visits drawn straight; dots are
what it printed, with one standard error to each side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leydig.report import figures, wording
from leydig.report.reproduce_figures import MISS, TEXT, address, drawing, few_ticks
from leydig.studies.reproduce_rows import BETWEEN_ARMS, LEVEL, OF_AN_ARM
from leydig.units import CANONICAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Answer = Mapping[str, Any]

CELL_WIDTH, CELL_HEIGHT = 1.95, 1.35  # inches
LEFT, RIGHT, TOP, BOTTOM = 0.4, 0.08, 0.4, 0.42  # inches around the cells
BETWEEN_COLUMNS, BETWEEN_ROWS = 0.2, 0.62  # of a cell
COLUMNS = 4
LONGEST = 34  # letters of a title at full size
WIDE = 0.012  # of the time axis: half the width of a box where there is no band
UNITS = {
    OF_AN_ARM["log"]: f"{wording.TIMES} baseline",
    OF_AN_ARM["percent"]: "change, %",
    OF_AN_ARM["points"]: "change, points",
    OF_AN_ARM["share"]: "% of men",
    BETWEEN_ARMS["log"]: f"{wording.TIMES} other arm",
    BETWEEN_ARMS["percent"]: "difference, %",
    BETWEEN_ARMS["points"]: "difference, points",
    BETWEEN_ARMS["share"]: "difference, % of men",
}


class Line(NamedTuple):
    """What stands in one row: a quantity, as a level or a change."""

    quantity: str
    scale: str  # as the figures were compared

    @property
    def logarithmic(self) -> bool:
        return self.scale.startswith("log")

    @property
    def starts_at_rest(self) -> bool:
        """Whether it is a change, which is none at baseline, and not a level."""
        return self.scale not in (LEVEL, OF_AN_ARM["share"])

    @property
    def unit(self) -> str:
        return wording.unit(CANONICAL[self.quantity]) if self.scale == LEVEL else UNITS[self.scale]


Column = tuple[str, str | None]  # arm, and the arm that it stands against


def letters(trial: Answer) -> dict[str, str]:
    """A letter per arm; of more arms than letters, numbers."""
    names = [arm["name"] for arm in trial["arms"]]
    return {name: chr(ord("A") + place) if len(names) <= 26 else str(place + 1) for place, name in enumerate(names)}


def picture(trial: Answer) -> str:
    """The address of the trial's picture; empty where nothing was scored."""
    cells = _cells(trial)
    if not cells:
        return ""
    across = min(len(cells), COLUMNS)
    down = -(-len(cells) // across)
    width = LEFT + across * CELL_WIDTH + (across - 1) * BETWEEN_COLUMNS * CELL_WIDTH + RIGHT
    height = TOP + down * CELL_HEIGHT + (down - 1) * BETWEEN_ROWS * CELL_HEIGHT + BOTTOM
    last = max(one["day"] for some in cells.values() for one in some)
    named = letters(trial)
    with drawing(width, height) as figure:
        grid = figure.add_gridspec(
            down, across, left=LEFT / width, right=1 - RIGHT / width, bottom=BOTTOM / height, top=1 - TOP / height,
            wspace=BETWEEN_COLUMNS, hspace=BETWEEN_ROWS,
        )  # fmt: skip
        for place, ((line, column), some) in enumerate(cells.items()):
            alike = [one for (other, _), those in cells.items() if other == line for one in those]
            axes = figure.add_subplot(grid[place // across, place % across])
            _cell(axes, line, sorted(some, key=lambda one: one["day"]), last, _limits(line, alike))
            _label(axes, column, named, f"{wording.name(line.quantity)}, {line.unit}")
        return address(figure)


def _cells(trial: Answer) -> dict[tuple[Line, Column], list[Answer]]:
    """What each panel shows: outcomes in the order of the file, the arms of an outcome side by side."""
    order = [arm["name"] for arm in trial["arms"]]
    found: dict[tuple[Line, Column], list[Answer]] = {}
    for one in trial["figures"]:
        if one["z"] is not None:
            line = Line(one["quantity"], one["compared"]["scale"])
            found.setdefault((line, (one["arm"], one["against"])), []).append(one)
    lines = list(dict.fromkeys(line for line, _ in found))

    def place(cell: tuple[Line, Column]) -> tuple[int, int, int]:
        line, (arm, against) = cell
        return lines.index(line), order.index(arm), -1 if against is None else order.index(against)

    return {cell: found[cell] for cell in sorted(found, key=place)}


def _cell(axes: Axes, line: Line, some: Sequence[Answer], last: float, limits: tuple[float, float]) -> None:
    """One outcome of one arm: bands or boxes, and what was printed."""
    unit_days, word = _time(last)
    if line.logarithmic:
        axes.set_yscale("log")
    axes.set_xlim(-0.03 * last / unit_days, 1.06 * last / unit_days)
    axes.set_ylim(*limits)
    days = np.array([one["day"] for one in some]) / unit_days
    parts = {
        name: np.array([_shown(line, one["compared"][name]) for one in some])
        for name in ("lower", "lower_50", "predicted", "upper_50", "upper")
    }
    if line.starts_at_rest:
        rest = 1.0 if line.logarithmic else 0.0
        axes.axhline(rest, color=figures.GREY, lw=0.5, zorder=0)
        _bands(axes, np.append(0.0, days), {name: np.append(rest, values) for name, values in parts.items()})
    else:
        _boxes(axes, days, parts, WIDE * last / unit_days)
    for day, one in zip(days, some, strict=True):
        _reported(axes, line, day, one)
    few_ticks(axes)
    axes.set_xticks(figures.ticks(last / unit_days, word))
    axes.set_xlabel(word, color=figures.GREY, size=TEXT - 0.5, loc="right", labelpad=1)


def _bands(axes: Axes, days: np.ndarray, parts: Mapping[str, np.ndarray]) -> None:
    colour = figures.COLOURS[0]
    axes.fill_between(days, parts["lower"], parts["upper"], color=colour, alpha=0.16, lw=0, zorder=1)
    axes.fill_between(days, parts["lower_50"], parts["upper_50"], color=colour, alpha=0.32, lw=0, zorder=1.5)
    axes.plot(days, parts["predicted"], color=colour, lw=1.2, zorder=2)


def _boxes(axes: Axes, days: np.ndarray, parts: Mapping[str, np.ndarray], half: float) -> None:
    """Where no baseline is known, an interval at each visit."""
    colour = figures.COLOURS[0]
    for place, day in enumerate(days):
        around = np.array([day - 3 * half, day + 3 * half])
        for low, high, alpha in (("lower", "upper", 0.16), ("lower_50", "upper_50", 0.32)):
            axes.fill_between(around, parts[low][place], parts[high][place], color=colour, alpha=alpha, lw=0, zorder=1)
        axes.plot(around, [parts["predicted"][place]] * 2, color=colour, lw=1.2, zorder=2)


def _reported(axes: Axes, line: Line, day: float, one: Answer) -> None:
    """What was printed: open where its standard error was not, red where it lies outside the 95 % interval."""
    colour = figures.INK if one["inside_95"] else MISS
    value, error = one["compared"]["reported"], one["sampling"] or 0.0
    ends = [_shown(line, value - error), _shown(line, value + error)]
    axes.plot([day, day], ends, color=colour, lw=0.9, ls="-" if one["spread_kind"] != "none" else ":", zorder=3)
    face = colour if one["spread_kind"] != "none" else "white"
    axes.plot(day, _shown(line, value), "o", ms=3.6, mfc=face, mec=colour, mew=0.9, zorder=4, clip_on=False)


def _label(axes: Axes, column: Column, named: Mapping[str, str], words: str) -> None:
    """The arm by its letter, below it what is drawn."""
    arm, against = column
    letter = named[arm] + (f" against {named[against]}" if against else "")
    size = (TEXT - 0.3) * min(1.0, LONGEST / len(words))
    axes.set_title(words, size=size, loc="left", pad=3)
    axes.annotate(
        letter, (0, 1), (0, 15), "axes fraction", "offset points", weight="bold", size=TEXT, annotation_clip=False
    )


def _shown(line: Line, value: float) -> float:
    return float(np.exp(value)) if line.logarithmic else float(value)


def _limits(line: Line, some: Sequence[Answer]) -> tuple[float, float]:
    """The same for every arm: bands, printed figures and, of a change, rest."""
    compared = [one["compared"] for one in some]
    values = [float(one[name]) for one in compared for name in ("lower", "upper", "reported")]
    values += [0.0] if line.starts_at_rest else []
    room = 0.06 * (max(values) - min(values)) or 0.1
    return _shown(line, min(values) - room), _shown(line, max(values) + room)


def _time(last: float) -> tuple[float, str]:
    """Days per unit of the time axis, and its word."""
    if last <= figures.DAYS_UP_TO:
        return 1.0, "days"
    if last <= figures.WEEKS_UP_TO:
        return wording.DAYS_PER_WEEK, "weeks"
    return wording.DAYS_PER_YEAR, "years"
