"""Pictures of all re-run trials together: coverage of the intervals, bias, predicted against reported."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr

from leydig.report import figures, wording
from leydig.report.reproduce_words import domain
from leydig.studies.comparison import settings
from leydig.studies.reproduce_rows import LEVEL
from leydig.studies.reproduce_totals import settings as targets

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Answer = Mapping[str, Any]

COLOURS = {"calibration": figures.COLOURS[0], "validation": figures.COLOURS[1], "none": figures.GREY}
MARKERS = {"calibration": "o", "validation": "s", "none": "^"}
MISS = "#9b1c1c"
TEXT = figures.TEXT - 1.5
PANEL, COLUMNS = 1.85, 4  # inches, panels in a row
MOST_TICKS = 5  # of a logarithmic axis
FARTHEST = 6.0  # of z that is drawn; what lies beyond stands at the edge


@contextmanager
def drawing(width: float, height: float) -> Iterator[Figure]:
    """An empty picture of so many inches in the style of the reports."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(figures.STYLE | {"font.size": TEXT}):
        figure = Figure(figsize=(width, height))
        FigureCanvasSVG(figure)
        yield figure


def address(figure: Figure) -> str:
    """A picture as the address of an image that holds it; the same numbers give the same text.

    An image, not elements of the page, so that a page of many pictures is no burden until they are looked at.
    """
    written = io.StringIO()
    figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"\n\s*", "\n", text)
    text = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), text)
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode("ascii")


# All trials together --------------------------------------------------------------------------------


def roles(answer: Answer) -> list[str]:
    """The roles that have figures with a prediction, as the answer has them."""
    return [role for role in answer if role != "trials" and listed(answer, role)]


def listed(answer: Answer, role: str) -> list[Answer]:
    """Every figure of a role that has a prediction."""
    return [
        figure
        for trial in answer["trials"]
        if trial["role"] == role
        for figure in trial["figures"]
        if figure["z"] is not None
    ]


def coverage(answer: Answer) -> str:
    """The share of figures inside central intervals of every size, beside what a right model has."""
    with drawing(3.6, 3.1) as figure:
        axes = figure.add_axes((0.14, 0.15, 0.83, 0.8))
        axes.plot([0, 100], [0, 100], color=figures.GREY, lw=0.7)
        for level in (50, 95):
            low, high = (100 * limit for limit in targets()["targets"][f"inside_{level}"]["value"])
            axes.plot([level, level], [low, high], color=figures.EDGE, lw=7, solid_capstyle="butt", zorder=0)
        for shift, role in enumerate(roles(answer)):
            _coverage_of(axes, answer, role, shift - 0.5)
        axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="nominal size of the interval, %", ylabel="figures inside, %")
        axes.legend(frameon=False, loc="upper left", handlelength=1.6)
        return address(figure)


def _coverage_of(axes: Axes, answer: Answer, role: str, shift: float) -> None:
    """The line by z, and the two intervals themselves with how sure their shares are."""
    some = listed(answer, role)
    weights = np.array([one["weight"] for one in some])
    sizes = np.sort(100 * (2 * ndtr(np.abs([one["z"] for one in some])) - 1))
    order = np.argsort(np.abs([one["z"] for one in some]), kind="stable")
    axes.step(sizes, 100 * np.cumsum(weights[order]) / weights.sum(), where="post", color=COLOURS[role], lw=1.3)
    for level in (50, 95):
        low, high = answer[role][f"inside_{level}_interval"]
        share = answer[role][f"inside_{level}"]
        error = [[100 * max(share - low, 0.0)], [100 * max(high - share, 0.0)]]
        axes.errorbar(
            level + 2 * shift, 100 * share, error, fmt=MARKERS[role], color=COLOURS[role], ms=4.5, lw=1.1, zorder=5,
            label=f"{role} ({len(some)})" if level == 50 else None,
        )  # fmt: skip


def bias(answer: Answer) -> str:
    """Standardised errors by kind of figure: to the right the model predicts too much."""
    kinds = [name for name in settings()["domains"] if any(name in answer[role]["by_domain"] for role in roles(answer))]
    with drawing(3.6, max(1.6, 0.7 + 0.17 * len(kinds))) as figure:
        axes = figure.add_axes((0.3, 0.14, 0.67, 0.83))
        for limit in (-1.96, 0, 1.96):
            axes.axvline(limit, color=figures.GREY, lw=0.6, ls=":" if limit else "-")
        some = roles(answer)
        for shift, role in enumerate(some):
            points = [(one["z"], kinds.index(one["domain"])) for one in listed(answer, role)]
            z, rows = (np.array(part, dtype=float) for part in zip(*points, strict=True))
            rows += 0.34 * (shift - (len(some) - 1) / 2)
            shown = np.clip(z, -FARTHEST, FARTHEST)
            axes.scatter(shown, rows, s=11, marker=MARKERS[role], color=COLOURS[role], alpha=0.45, lw=0)
        axes.set_yticks(range(len(kinds)), [domain(kind) for kind in kinds])
        axes.set(xlim=(-FARTHEST - 0.3, FARTHEST + 0.3), ylim=(len(kinds) - 0.4, -0.6))
        axes.set_xlabel("z, predicted less reported")
        return address(figure)


def agreement(answer: Answer) -> str:
    """Predicted against reported, one panel per kind of figure; levels apart from changes."""
    panels: dict[tuple[str, str], list[tuple[str, Answer]]] = {}
    for role in roles(answer):
        for one in listed(answer, role):
            scale = one["compared"]["scale"]
            panels.setdefault((one["domain"], "level" if scale == LEVEL else ""), []).append((role, one))
    names = [key for name in settings()["domains"] for key in ((name, ""), (name, "level")) if key in panels]
    rows = -(-len(names) // COLUMNS)
    with drawing(COLUMNS * PANEL, rows * PANEL) as figure:
        grid = figure.add_gridspec(
            rows, COLUMNS, left=0.06, right=0.985, bottom=0.28 / rows / PANEL, top=1 - 0.25 / rows / PANEL, wspace=0.34,
            hspace=0.42,
        )  # fmt: skip
        for place, key in enumerate(names):
            axes = figure.add_subplot(grid[place // COLUMNS, place % COLUMNS])
            _agreement_of(axes, key, panels[key])
        return address(figure)


def _agreement_of(axes: Axes, key: tuple[str, str], some: Sequence[tuple[str, Answer]]) -> None:
    scale = some[0][1]["compared"]["scale"]
    as_shown = np.exp if "log" in scale else np.asarray
    if "log" in scale:
        axes.set_xscale("log")
        axes.set_yscale("log")
    every = []
    for role, one in some:
        compared = one["compared"]
        x, y, low, high = (as_shown(compared[name]) for name in ("reported", "predicted", "lower", "upper"))
        colour = COLOURS[role]
        axes.plot([x, x], [low, high], color=colour, lw=0.5, alpha=0.35, zorder=1)
        face = colour if one["inside_95"] else "white"
        axes.plot(x, y, MARKERS[role], ms=3.2, mfc=face, mec=colour, mew=0.8, zorder=3)
        every += [float(x), float(y)]
    low, high = _around(every, "log" in scale)
    axes.plot([low, high], [low, high], color=figures.GREY, lw=0.6, zorder=0)
    axes.set(xlim=(low, high), ylim=(low, high))
    unit = "level" if key[1] else "ratio" if "log" in scale else "points" if "points" in scale else "%"
    axes.set_title(f"{domain(key[0])}, {unit}", size=TEXT, loc="left", pad=3)
    few_ticks(axes)


def _around(values: Sequence[float], logarithmic: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if logarithmic:
        low, high = max(low, 1e-6), max(high, 2e-6)
        room = max((high / low) ** 0.06, 1.03)
        return low / room, high * room
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def few_ticks(axes: Axes) -> None:
    """Few plain numbers on both axes."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    shown = FuncFormatter(lambda value, _: f"{value:g}".replace("-", wording.MINUS))
    for axis in (axes.xaxis, axes.yaxis):
        round_ones = _round_ones(*axis.get_view_interval()) if axis.get_scale() == "log" else []
        axis.set_minor_locator(NullLocator())
        axis.set_major_locator(FixedLocator(round_ones) if len(round_ones) > 1 else MaxNLocator(3))
        axis.set_major_formatter(shown)
    axes.tick_params(length=2.5, pad=2, labelsize=TEXT - 0.5)


def _round_ones(low: float, high: float) -> list[float]:
    """The round numbers of a logarithmic axis, of the finest choice that gives at most five."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps, every in (((1, 2, 5), 1), ((1, 3), 1), ((1,), 1), ((1,), 2), ((1,), 3)):
        found = [step * 10.0**power for power in decades if power % every == 0 for step in steps]
        found = [value for value in found if low <= value <= high]
        if len(found) <= MOST_TICKS:
            break
    return found
