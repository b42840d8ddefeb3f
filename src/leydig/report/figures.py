"""Drawing: one small SVG per panel, for a page that is read at any width.

Text stays text, so that it keeps the page's typeface, can be searched and is read aloud. The same numbers give the
same bytes. matplotlib is imported when something is drawn.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leydig.engine.trajectory import Trajectory
from leydig.report import plan, runs, wording
from leydig.writing import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours that are told apart with any colour vision (Okabe and Ito), each with its own dash.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)), (0, (3, 1.5)))
THIN: Any = (0, (1, 2.2))  # dots of a run under a conflicting finding
INK, GREY, FILL, EDGE = "#222222", "#6b6b6b", "#f1efea", "#cdc8bd"

# Inches and points; a panel is drawn at about the width that it has on a phone.
WIDTH, HEIGHT, TEXT = 3.7, 2.35, 9.5
MARGINS = {"left": 0.125, "right": 0.925, "bottom": 0.165, "top": 0.855}
TITLE_LEFT = -MARGINS["left"] / (MARGINS["right"] - MARGINS["left"])  # in widths of the axes: the picture's edge
HEADROOM = 1.12  # of the axis above the highest value
LEAST_MARGIN = 0.04  # of the highest value, above and below: a change of a percent shall look like one
SHOWN_ABOVE = 1.6  # a range that ends further above the values than this runs out of the panel
LOGARITHMIC = 30  # fold between lowest and highest value from which the ratio has a logarithmic axis
APART = 0.075  # least distance of two labels, in heights of the panel
WEEKS_UP_TO = 2.5 * wording.DAYS_PER_YEAR
DAYS_UP_TO = 5 * wording.DAYS_PER_WEEK
MOST_TICKS = 7
STEPS = {"days": (1, 2, 7, 14), "weeks": (1, 2, 4, 13, 26), "years": (0.5, 1, 2, 5, 10, 20)}

IN_PICTURE = ("testosterone", "estradiol", "LH", "sperm_concentration", "bmd_spine")

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "leydig",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": TEXT,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "path.simplify": True,
    "path.simplify_threshold": 0.2,
}


def style(index: int) -> tuple[str, Any]:
    """Colour and dash of a run by its place."""
    return COLOURS[index % len(COLOURS)], DASHES[index % len(DASHES)]


def svg(panel: plan.Panel, places: Sequence[str], description: str) -> str:
    """One panel as inline SVG. ``places`` are the labels of all runs, which fix each run's colour."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, HEIGHT))
        FigureCanvasSVG(figure)
        figure.subplots_adjust(**MARGINS)
        draw(figure.add_subplot(), panel, places)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return inline(written.getvalue(), panel.key, description)


def draw(axes: Axes, panel: plan.Panel, places: Sequence[str]) -> None:
    """Draw a panel: the published range, bands, lines, published figures, labels."""
    last = max(float(line.days[-1]) for line in panel.lines)
    unit_days, unit_word = _time_unit(last)
    low, high = _limits(panel)
    if _spans_decades(panel):
        axes.set_yscale("log")
        low = _lowest(panel) / HEADROOM
    axes.set_ylim(low, high)
    axes.set_xlim(0, max(last, 1) / unit_days)
    if panel.around is not None:
        _fill(axes, -panel.around, panel.around)
        axes.axhline(0, color=GREY, lw=0.6, zorder=1)
    elif panel.reference:
        _fill(axes, *panel.reference)
    for line in panel.lines:
        colour, dash = style(places.index(line.label))
        time = line.days / unit_days
        if line.lower is not None and line.upper is not None:
            axes.fill_between(time, line.lower, line.upper, color=colour, alpha=0.16, lw=0, zorder=2)
        if line.swing:
            axes.fill_between(time, *line.swing, color=colour, alpha=0.32, lw=0, zorder=2.5)
        axes.plot(time, line.values, color=colour, ls=dash, lw=1.6, zorder=3, solid_capstyle="butt")
        for day, value in line.marks:
            axes.plot(
                day / unit_days, value, marker="D", ms=5, mfc="white", mec=colour, mew=1.3, zorder=5, clip_on=False
            )
    for line in panel.others:
        axes.plot(
            line.days / unit_days, line.values, color=style(places.index(line.label))[0], ls=THIN, lw=0.9, zorder=2.8
        )
    _label_ends(axes, panel, places)
    _finish(axes, panel, unit_word)


def _fill(axes: Axes, bottom: float | None, top: float | None) -> None:
    """A light strip between two limits, each with a thin edge where it is inside the axis; None is open."""
    low, high = axes.get_ylim()
    axes.axhspan(low if bottom is None else bottom, high if top is None else top, color=FILL, lw=0, zorder=0)
    for limit in (bottom, top):
        if limit is not None and low < limit < high:
            axes.axhline(limit, color=EDGE, lw=0.7, zorder=0.5)


def _finish(axes: Axes, panel: plan.Panel, unit_word: str) -> None:
    """Titles and ticks."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.text(
        TITLE_LEFT, 1.075, panel.title, transform=axes.transAxes, weight="bold", color=INK, va="bottom", ha="left"
    )
    axes.text(
        1.0,
        1.075,
        wording.unit(panel.unit),
        transform=axes.transAxes,
        color=GREY,
        va="bottom",
        ha="right",
        size=TEXT - 1,
    )
    axes.set_xlabel(unit_word, color=GREY, size=TEXT - 1, loc="right", labelpad=1)
    axes.xaxis.set_major_locator(FixedLocator(ticks(axes.get_xlim()[1], unit_word)))
    if axes.get_yscale() == "log":
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", wording.MINUS)))
    axes.tick_params(length=3, pad=2, labelsize=TEXT - 0.5)


def _time_unit(last: float) -> tuple[float, str]:
    """Days per unit of the time axis, and its word."""
    if last <= DAYS_UP_TO:
        return 1.0, "days"
    return (wording.DAYS_PER_WEEK, "weeks") if last <= WEEKS_UP_TO else (wording.DAYS_PER_YEAR, "years")


def ticks(last: float, unit_word: str) -> list[float]:
    """Ticks of the time axis from 0: whole numbers, quarters of a year among weeks, at most ``MOST_TICKS`` steps."""
    steps = STEPS[unit_word]
    step = next((step for step in steps if last / step <= MOST_TICKS), steps[-1])
    return [step * place for place in range(int(last / step + 1e-9) + 1)]


def _limits(panel: plan.Panel) -> tuple[float, float]:
    """Lowest and highest value of the axis: everything drawn, and the published range as far as it is near."""
    parts = [
        part
        for line in panel.lines
        for part in (line.values, line.lower, line.upper, *(line.swing or ()))
        if part is not None
    ]
    parts.extend(line.values for line in panel.others)
    parts.append(np.array([value for line in panel.lines for _, value in line.marks]))
    joined = np.concatenate(parts)
    joined = joined[np.isfinite(joined)]
    lowest, highest = (float(joined.min()), float(joined.max())) if joined.size else (0.0, 1.0)
    if panel.around is not None:
        reach = HEADROOM * max(panel.around, -lowest, highest)
        return -reach, reach
    if panel.reference:
        bottom, top = panel.reference
        near = [limit for limit in (bottom, top) if limit is not None and limit <= SHOWN_ABOVE * max(highest, 1e-9)]
        if not near and bottom is not None:
            near = [HEADROOM * bottom]
        highest = max([highest, *near])
    if highest <= 0 and lowest >= 0:
        highest = 1.0
    if not panel.from_zero:
        margin = max((HEADROOM - 1) * (highest - lowest), LEAST_MARGIN * abs(highest))
        return lowest - margin, highest + margin
    return (0.0 if panel.from_zero and lowest >= 0 else lowest), HEADROOM * highest


def _lowest(panel: plan.Panel) -> float:
    """The lowest value drawn."""
    parts = [part for line in panel.lines for part in (line.values, line.lower) if part is not None]
    return float(np.nanmin(np.concatenate(parts)))


def _spans_decades(panel: plan.Panel) -> bool:
    """Whether values differ so much that only a logarithmic axis shows them all."""
    highest = max(float(np.nanmax(line.values)) for line in panel.lines)
    return panel.key == plan.RATIO and 0 < _lowest(panel) < highest / LOGARITHMIC


def _label_ends(axes: Axes, panel: plan.Panel, places: Sequence[str]) -> None:
    """The letter of each run at the end of its line, moved apart where lines meet."""
    ends = []
    for line in panel.lines:
        there = line.values[np.isfinite(line.values)]
        if line.label and there.size:
            height = axes.transAxes.inverted().transform(axes.transData.transform((0.0, float(there[-1]))))[1]
            ends.append((float(height), line.label))
    ends.sort()
    heights = spread([height for height, _ in ends], APART)
    for height, (_, label) in zip(heights, ends, strict=True):
        axes.text(
            1.02, height, label, transform=axes.transAxes, color=style(places.index(label))[0], weight="bold",
            va="center", ha="left", size=TEXT,
        )  # fmt: skip


def spread(heights: Sequence[float], apart: float) -> list[float]:
    """Heights in rising order moved as little as needed to be at least ``apart`` from one another, inside 0 to 1.

    Neighbours that are too close form a group around their common middle; groups that then meet are joined.
    """
    groups: list[list[float]] = []  # members' wishes
    for wish in heights:
        groups.append([wish])
        while len(groups) > 1 and _bottom(groups[-1], apart) < _bottom(groups[-2], apart) + len(groups[-2]) * apart:
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_bottom(group, apart) + apart * place for group in groups for place in range(len(group))]


def _bottom(group: Sequence[float], apart: float) -> float:
    """Height of the lowest label of a group."""
    length = apart * (len(group) - 1)
    return min(max(float(np.mean(group)) - length / 2, 0.0), max(1.0 - length, 0.0))


def inline(text: str, key: str, description: str) -> str:
    """matplotlib's file as an element of a page: no header, no addresses, unique ids, any width, two decimals."""
    from markupsafe import escape

    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = (
        re.sub(r'\s(?:xmlns(?::\w+)?|version|width|height)="[^"]*"', "", text.split(">", 1)[0])
        + ">"
        + text.split(">", 1)[1]
    )
    text = text.replace("xlink:href", "href")
    text = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), text)
    text = re.sub(r'\bid="', f'id="{key}-', text)
    text = re.sub(r"url\(#", f"url(#{key}-", text)
    text = re.sub(r'href="#', f'href="#{key}-', text)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)  # the page has this rule
    text = re.sub(r" font-family: [^;\"]*;", "", text)  # the page's own typeface
    return text.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1).strip()


def picture(trajectories: Sequence[Trajectory], path: Path | str) -> None:
    """The first figures of a report as one picture, in the format of the path's suffix (.png or .svg)."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    path = Path(path)
    wanted = (*IN_PICTURE, *plan.drugs(trajectories)[:1])
    panels = [panel for figure in plan.figures(trajectories) for panel in figure.panels if panel.key in wanted]
    columns = 3
    rows = -(-len(panels) // columns)
    places = runs.letters(len(trajectories))
    with matplotlib.rc_context(STYLE | {"svg.fonttype": "path"}):
        figure = Figure(figsize=(columns * WIDTH, rows * HEIGHT + 0.5), facecolor="white")
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(rows, columns, left=0.05, right=0.97, bottom=0.09, top=0.82, wspace=0.26, hspace=0.6)
        for place, panel in enumerate(panels):
            draw(figure.add_subplot(grid[place // columns, place % columns]), panel, places)
        for place, (label, run) in enumerate(zip(places, trajectories, strict=True)):
            words, across = f"{label}  {run.protocol}".strip(), 0.013 + place / len(places)
            colour = style(place)[0] if label else INK
            figure.text(across, 0.955, words, size=TEXT + 2, color=colour, va="center", parse_math=False)
        with replacing(path) as temporary:
            kind = path.suffix.lstrip(".").lower() or "png"
            metadata = {"Date": None} if kind == "svg" else {"Software": None}
            figure.savefig(temporary, format=kind, dpi=160, metadata=metadata)
