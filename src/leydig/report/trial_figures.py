"""Drawings of a virtual trial: its outcomes as a forest, and power by the number of men."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leydig.report import figures, trial_words, wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW, AROUND = 0.44, 0.75  # inches: one row of the forest, and what stands above and below
LOGARITHMIC = (0.1, 0.2, 0.5, 0.8, 1, 1.25, 2, 5, 10, 20, 50, 100)
MOST_TICKS = 6
WANTED = 80  # percent: the power that trials are usually planned for
TOP = 104  # percent, where the axis ends

Outcome = Mapping[str, Any]


def svg(key: str, description: str, draw: Callable[[Axes], None], height: float = figures.HEIGHT) -> str:
    """A panel as inline SVG."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=(figures.WIDTH, height))
        FigureCanvasSVG(figure)
        margins, edge = figures.MARGINS, figures.HEIGHT / height  # the same inches below and above whatever the height
        figure.subplots_adjust(
            left=margins["left"],
            right=margins["right"],
            bottom=margins["bottom"] * edge,
            top=1 - (1 - margins["top"]) * edge,
        )
        draw(figure.add_subplot())
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return figures.inline(written.getvalue(), key, description)


def forest(axes: Axes, outcomes: Sequence[Outcome], places: Mapping[str, int]) -> None:
    """Outcomes of one family: truth (diamond), expected (stroke), one trial with interval, and where trials fall."""
    ratio = outcomes[0]["analysis"] == "ratio"
    if ratio:
        axes.set_xscale("log")
    if ratio or any(one["against"] is not None or "change" in one["analysis"] for one in outcomes):
        axes.axvline(1 if ratio else 0, color=figures.GREY, lw=0.6, zorder=1)
    for row, one in enumerate(outcomes):
        colour = figures.style(places[one["arm"]])[0]
        at = -row
        quantiles = one["all"].get("quantiles", {})
        if quantiles:
            ends = [trial_words.shown(one, quantiles[q]) for q in ("2.5", "97.5")]
            axes.plot(ends, [at, at], color=colour, alpha=0.25, lw=7, solid_capstyle="butt", zorder=2)
        trial = one["one_trial"]
        ends = [trial_words.shown(one, trial[end]) for end in ("low", "high")]
        axes.plot(ends, [at, at], color=colour, lw=1.2, zorder=3)
        axes.plot(trial_words.shown(one, trial["value"]), at, marker="s", ms=4.5, color=colour, zorder=4)
        axes.plot(
            trial_words.shown(one, one["truth"]), at, marker="D", ms=5, mfc="white", mec=figures.INK, mew=1.1, zorder=5
        )
        axes.plot(
            trial_words.shown(one, one["expected"]), at, marker="|", ms=11, mew=1.4, color=figures.INK, zorder=4.5
        )
        words = f"{wording.capital(wording.name(one['quantity']))}, {trial_words.arms(one)}"
        axes.text(
            figures.TITLE_LEFT, at + 0.3, words, transform=axes.get_yaxis_transform(), size=figures.TEXT - 1.5,
            color=figures.INK, va="bottom", ha="left", parse_math=False,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6}, zorder=1.5,
        )  # fmt: skip
    axes.set_ylim(0.5 - len(outcomes), 0.75)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    _title(axes, trial_words.ANALYSES[outcomes[0]["analysis"]], trial_words.unit(outcomes[0]))
    _numbers_below(axes, ratio)


def _numbers_below(axes: Axes, ratio: bool) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    if ratio:
        low, high = axes.get_xlim()
        marks = [mark for mark in LOGARITHMIC if low <= mark <= high] or [1]
        axes.xaxis.set_major_locator(FixedLocator(marks[:: -(-len(marks) // MOST_TICKS)]))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", wording.MINUS)))
    axes.tick_params(length=3, pad=2, labelsize=figures.TEXT - 0.5)


def _title(axes: Axes, title: str, unit: str) -> None:
    above = 1 + 0.075 * figures.HEIGHT / axes.get_figure().get_size_inches()[1]  # type: ignore[union-attr]
    axes.text(
        figures.TITLE_LEFT, above, wording.capital(title), transform=axes.transAxes, weight="bold", color=figures.INK,
        va="bottom", ha="left", parse_math=False,
    )  # fmt: skip
    axes.text(
        1.0, above, unit, transform=axes.transAxes, color=figures.GREY, va="bottom", ha="right",
        size=figures.TEXT - 1, parse_math=False,
    )  # fmt: skip


def height_of(outcomes: Sequence[Outcome]) -> float:
    """Inches of a forest of so many rows."""
    return AROUND + ROW * len(outcomes)


def power(
    axes: Axes, title: str, contrasts: Sequence[tuple[str, int, Sequence[Any], Sequence[Any]]], sizes: Sequence[int]
) -> None:
    """Power (line with its Monte Carlo interval) and assurance (dots) of contrasts over the number of men.

    A contrast is its label, the place of its colour, and its shares at the sizes; None where nothing is tested.
    """
    axes.axhline(WANTED, color=figures.EDGE, lw=0.8, zorder=1)
    ends = []
    for label, place, central, drawn in contrasts:
        colour, dash = figures.style(place)
        there = [(n, share) for n, share in zip(sizes, central, strict=True) if share is not None]
        n = [size for size, _ in there]
        value, low, high = ([wording.PERCENT * share[name] for _, share in there] for name in ("value", "low", "high"))
        axes.fill_between(n, low, high, color=colour, alpha=0.16, lw=0, zorder=2)
        axes.plot(n, value, color=colour, ls=dash, lw=1.6, marker="o", ms=3, zorder=3)
        known = [(size, share) for size, share in zip(sizes, drawn, strict=True) if share is not None]
        axes.plot(
            [size for size, _ in known], [wording.PERCENT * share["value"] for _, share in known], color=colour,
            ls=figures.THIN, lw=1.2, marker="x", ms=4, zorder=3,
        )  # fmt: skip
        ends.append((value[-1] / TOP, label, colour))
    axes.set_ylim(0, TOP)
    axes.set_xlim(0, 1.02 * max(sizes))
    ends.sort()
    for height, (_, label, colour) in zip(figures.spread([end[0] for end in ends], figures.APART), ends, strict=True):
        axes.text(
            1.02, height, label, transform=axes.transAxes, color=colour, weight="bold", va="center", ha="left",
            size=figures.TEXT - 1,
        )  # fmt: skip
    _title(axes, title, "% of trials")
    axes.set_xlabel("men randomised in all", color=figures.GREY, size=figures.TEXT - 1, loc="right", labelpad=1)
    _numbers_below(axes, False)
