"""The picture of docs/fertility.md."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullLocator

from fertility_results import Found
from leydig.report import figures
from leydig.studies.fertility_plan import NOTHING
from leydig.studies.fertility_recovery import months_to
from leydig.studies.fertility_trials import COUNT, PERCENT

SIZE = (12.6, 9.4)
RATIOS = (0.5, 0.7, 1, 1.5, 2, 3, 5)
MOST_MONTHS = 24
HALF = 0.5


def draw(found: Found, path: Path) -> None:
    """Four panels: series split, true changes by drug, recovery, conception."""
    with matplotlib.rc_context(figures.STYLE):
        figure = Figure(figsize=SIZE, facecolor="white")
        FigureCanvasAgg(figure)
        grid = figure.add_gridspec(2, 2, left=0.19, right=0.985, top=0.955, bottom=0.075, wspace=0.42, hspace=0.34)
        series(figure.add_subplot(grid[0, 0]), found)
        drugs(figure.add_subplot(grid[0, 1]), found)
        recovery(figure.add_subplot(grid[1, 0]), found)
        conception(figure.add_subplot(grid[1, 1]), found)
        figure.savefig(path, format="png", dpi=140, metadata={"Software": None})


def titled(axes: Axes, words: str) -> None:
    """A heading above a panel."""
    axes.set_title(words, loc="left", fontsize=figures.TEXT + 1)


def ratios(axes: Axes) -> None:
    """A logarithmic axis of ratios."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(list(RATIOS)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axvline(1, color=figures.GREY, linewidth=0.8, zorder=1)


def names(axes: Axes, several: list[str]) -> None:
    """Rows from the top."""
    axes.set_yticks(range(len(several)), several, fontsize=figures.TEXT - 1)
    axes.set_ylim(len(several) - HALF, -HALF)
    axes.tick_params(axis="y", length=0)


def series(axes: Axes, found: Found) -> None:
    """What was printed, what came back by itself, what the drug does; men of the clinic where they were run."""
    some = {
        (one.trial, one.arm): one
        for one in sorted(found.splits, key=lambda one: one.men != "condition")
        if one.quantity == COUNT and one.kind in ("uncontrolled", "untreated") and (one.chosen or any(one.itself))
    }
    rows = sorted(some.values(), key=lambda one: -one.reported)
    for place, one in enumerate(rows):
        for shift, part, colour in ((-0.17, one.itself, figures.GREY), (0.17, one.drug, figures.COLOURS[0])):
            if part is one.drug and one.kind == "untreated":
                continue
            low, high = np.exp([part.low, part.high])
            axes.plot([low, high], [place + shift] * 2, color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
            axes.plot(np.exp(part.middle), place + shift, "o", color=colour, markersize=4, zorder=3)
        axes.plot(np.exp(one.reported), place, "D", color=figures.COLOURS[1], markersize=5, zorder=4)
    names(axes, [f"{one.trial}{', nothing' if one.kind == 'untreated' else ''}" for one in rows])
    ratios(axes)
    axes.set_xlim(0.45, 7)
    axes.set_xlabel("sperm concentration over its first reading")
    marks = [("D", figures.COLOURS[1], "printed"), ("o", figures.GREY, "by itself"), ("o", figures.COLOURS[0], "drug")]
    handles = [axes.plot([], [], mark, color=colour, label=label)[0] for mark, colour, label in marks]
    axes.legend(handles=handles, loc="lower right", frameon=False)
    titled(axes, "Published changes without comparator, split")


def drugs(axes: Axes, found: Found) -> None:
    """True change of the count at the second visit, by drug and group."""
    groups = [name for name, group in found.plan.groups.items() if not group.above]
    several = list(dict.fromkeys(drug for name in groups for drug in found.plan.groups[name].drugs))
    step = 0.8 / len(groups)
    for number, name in enumerate(groups):
        day, colour = found.plan.days(name)[1], figures.COLOURS[number]
        label: str | None = name
        for drug in found.plan.groups[name].drugs:
            place = several.index(drug) + (number - (len(groups) - 1) / 2) * step
            part = found.of(name, drug, COUNT, day, "true change")
            axes.plot([part.low, part.high], [place] * 2, color=colour, linewidth=2, solid_capstyle="butt", zorder=2)
            axes.plot(part.middle, place, "o", color=colour, markersize=4, zorder=3, label=label)
            label = None
    names(axes, several)
    ratios(axes)
    axes.set_xlim(0.25, 12)
    axes.set_xlabel("true count over its start; published at normal counts: 1")
    axes.legend(loc="lower right", frameon=False, fontsize=figures.TEXT - 1.5)
    titled(axes, "What a drug does to the count in 6 months")


def recovery(axes: Axes, found: Found) -> None:
    """Share of men back at the last limit by months, after each course, beside the published shares."""
    of, months = found.plan.recovery, np.linspace(0, MOST_MONTHS, 241)
    limit = of.limits[-1]
    for number, course in enumerate(found.courses):
        times = months_to(course.printed, course.days, limit)
        times = times[~np.isnan(times)]
        share = PERCENT * np.array([(times <= month).mean() for month in months])
        colour, dash = figures.COLOURS[number % len(figures.COLOURS)], figures.DASHES[number % len(figures.DASHES)]
        then = "" if course.afterwards == NOTHING else f", then {course.afterwards}"
        axes.plot(months, share, color=colour, linestyle=dash, linewidth=1.5, label=f"{course.weeks} weeks of it{then}")
    for one in of.published_shares:
        low, high = (one.share if side is None else side for side in (one.low, one.high))
        axes.plot([one.by] * 2, [low, high], color=figures.INK, linewidth=1.5)
        axes.plot(one.by, one.share, "D", color=figures.INK, markersize=5, zorder=5)
    median = next(one for one in of.published if one.limit == limit)
    axes.plot([median.low, median.high], [50, 50], color=figures.INK, linewidth=1.5)
    axes.plot(median.months, 50, "D", color=figures.INK, markersize=5, label="published (all regimens)", zorder=5)
    axes.set(xlabel="months after testosterone", xlim=(0, MOST_MONTHS + 0.5), ylim=(0, 103))
    axes.legend(loc="lower right", frameon=False, fontsize=figures.TEXT - 1.5)
    titled(axes, f"Men with a count of {limit:g} million/mL again, %")


def conception(axes: Axes, found: Found) -> None:
    """Who has conceived after a year, by drug, for each kind of couple."""
    group = found.conceptions[0].group
    several = [NOTHING, *found.plan.groups[group].drugs]
    for number, name in enumerate(found.plan.couples):
        colour = figures.COLOURS[number]
        label: str | None = f"couples {name}"
        for one in found.conceptions:
            if (one.group, one.couple) != (group, name):
                continue
            place = several.index(one.drug) + (number - HALF) * 0.3
            part = one.share
            axes.plot([part.low, part.high], [place] * 2, color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
            axes.plot(part.middle, place, "o", color=colour, markersize=4, zorder=3, label=label)
            label = None
            if one.drug == NOTHING:
                axes.axvline(part.middle, color=colour, linewidth=0.8, linestyle=figures.THIN, zorder=1)
    names(axes, several)
    axes.set_xlim(0, 100)
    axes.set_xlabel("%; partner and cycle are assumed")
    axes.legend(loc="lower right", frameon=False, fontsize=figures.TEXT - 1.5)
    titled(axes, f"Conceived within a year, he has {group}")
