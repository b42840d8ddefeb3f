"""The paper on which published figures are drawn: one line per figure, named at its left, as inline SVG."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from leydig.report import figures, wording
from leydig.studies.evidence_rows import Row
from leydig.units import CANONICAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, LINE, MARGIN = 8.6, 0.19, (0.33, 0.27)  # inches: the picture, a line, above and below the lines
NAMES, GAP, RIGHT = 0.41, 0.05, 0.985  # shares of the width: names of the lines, between columns, right edge
LONGEST = 62  # letters of a line's name
LOGARITHMIC = 12  # fold between lowest and highest value from which an axis is logarithmic
Triple = tuple[float, float | None, float | None]  # value, lower and upper limit


def name_of(row: Row) -> str:
    """The line's name: study, arm or group, day, and what it is compared with."""
    day = f"{row.day:g} d" if row.day is not None else ""
    against = f"against {row.against}" if row.against else ""
    return short(" · ".join(part for part in (row.study, row.group, day, against) if part))


def short(words: str) -> str:
    """Words cut to the room that a line's name has."""
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"


def svg(key: str, lines: int, draw: Callable[[Any], None], title: str) -> str:
    """A figure of so many lines as inline SVG; ``draw`` gets the empty figure."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(WIDTH, lines * LINE + sum(MARGIN)))
        FigureCanvasSVG(figure)
        draw(figure)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return figures.inline(written.getvalue(), key, title)


def columns(figure: Any, lines: int, count: int) -> list[Axes]:
    """So many axes side by side, with room for the names at the left and every other line shaded."""
    height = lines * LINE + sum(MARGIN)
    bottom, top = MARGIN[1] / height, 1 - MARGIN[0] / height
    width = (RIGHT - NAMES - GAP * (count - 1)) / count
    found = []
    for column in range(count):
        axes = figure.add_axes((NAMES + column * (width + GAP), bottom, width, top - bottom))
        axes.set_ylim(-0.6, lines - 0.4)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_yticks([])
        for place in range(0, lines, 2):
            axes.axhspan(place - 0.5, place + 0.5, color=figures.FILL, lw=0, alpha=0.55, zorder=0)
        found.append(axes)
    return found


def name_lines(axes: Axes, names: Sequence[str], headings: dict[str, str]) -> None:
    """Names at the left, from the bottom upwards; a heading has its colour and is bold."""
    axes.set_yticks(range(len(names)), names, size=figures.TEXT - 2.5, color=figures.INK)
    for label, name in zip(axes.get_yticklabels(), names, strict=True):
        if name in headings:
            label.set_color(headings[name])
            label.set_fontweight("bold")


def mark(axes: Axes, place: int, triple: Triple, shape: str, drawn: dict[str, Any]) -> None:
    """A value as a point, with its interval where it has one."""
    value, low, high = triple
    if low is not None and high is not None:
        axes.plot([low, high], [place, place], lw=1.6, solid_capstyle="butt", **drawn)
    axes.plot(value, place, shape, ms=4.2, **drawn)


def numbers_of(triples: Sequence[Triple | None]) -> np.ndarray:
    """Every value and limit that is there."""
    return np.array([number for triple in triples if triple for number in triple if number is not None], dtype=float)


def scale_levels(axes: Axes, quantity: str, triples: Sequence[Triple | None]) -> None:
    """The axis of a quantity in its canonical unit, logarithmic where its values span decades."""
    numbers, unit = numbers_of(triples), wording.unit(CANONICAL[quantity])
    if numbers.size and numbers.min() > 0 and numbers.max() > LOGARITHMIC * numbers.min():
        axes.set_xscale("log")
    elif numbers.size and numbers.min() >= 0:
        axes.set_xlim(left=0)
    if not numbers.size:
        axes.set_axis_off()
        return
    title = wording.capital(wording.name(quantity))
    finish(axes, f"{title}, {unit}" if unit else title, lambda value: f"{value:g}")


def finish(axes: Axes, title: str, written: Callable[[float], str]) -> None:
    """Title and ticks."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if axes.get_xscale() == "log":
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=6))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value).replace("-", wording.MINUS)))
    axes.tick_params(axis="x", length=3, pad=2, labelsize=figures.TEXT - 2)
    axes.set_title(title, loc="left", size=figures.TEXT - 0.5, weight="bold", color=figures.INK, pad=6)
