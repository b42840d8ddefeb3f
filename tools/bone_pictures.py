"""The pictures of docs/bone.md: the surface, published trials beside the model, a man without aromatase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from leydig.engine.trajectory import Trajectory
from leydig.report import figures, wording
from leydig.studies.bone_surface import Grid, Row

DAILY = 7
SPINE, HIP, SPINE_DIFFERENCE, ESTRADIOL = "bmd_spine", "bmd_hip", "bmd_spine_difference", "estradiol"
DENSITY = (SPINE, HIP)
HEADROOM = 1.35  # of the axis of published changes above the farthest of them
SHADE = "YlOrBr"

Table = Mapping[tuple[str, float, int, float, str, str], Row]  # by population, dose, per week, years, supplement, name


class Beside(NamedTuple):
    """A published figure beside its prediction, both as change in percent."""

    kind: str  # of trial, in words
    trial: str
    role: str
    arm: str
    against: str | None
    quantity: str
    day: float
    printed: str  # as the paper has it
    reported: float
    predicted: float
    low: float
    high: float
    z: float
    inside: bool


def canvas(width: float, height: float) -> Figure:
    """An empty picture."""
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """As PNG, without the name of the program."""
    figure.savefig(path, format="png", dpi=140, metadata={"Software": None})


def titled(axes: Axes, words: str) -> None:
    """A heading above a panel."""
    axes.set_title(words, loc="left", fontsize=figures.TEXT + 1)


# The surface ---------------------------------------------------------------------------------------


def surface(of: Grid, table: Table, path: Path) -> None:
    """A row per population: shades after the first and the last year, daily doses over time, loss over estradiol."""
    with matplotlib.rc_context(figures.STYLE):
        figure = canvas(15.4, 3.9 * len(of.populations))
        grid = figure.subplots(len(of.populations), 4, squeeze=False, width_ratios=(1, 1, 1.25, 1.1))
        deepest = min(row.mean for key, row in table.items() if key[5] == SPINE_DIFFERENCE)
        for axes, population in zip(grid, of.populations, strict=True):
            for place, years in zip(axes, (1.0, of.years.values[-1]), strict=False):
                draw_shades(place, of, table, population, years, deepest)
            named = {"transform": axes[0].transAxes, "weight": "bold", "fontsize": figures.TEXT + 1.5}
            axes[0].text(0, 1.14, wording.capital(population), **named)
            draw_course(axes[2], of, table, population)
            draw_by_estradiol(axes[3], of, table, population)
        handles, labels = grid[0][2].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=len(labels), frameon=False)
        figure.subplots_adjust(left=0.045, right=0.99, top=0.91, bottom=0.13, wspace=0.22, hspace=0.5)
        save(figure, path)


def draw_shades(axes: Axes, of: Grid, table: Table, population: str, years: float, deepest: float) -> None:
    """Spine against the same men untreated, by dose and doses a week, with its numbers."""
    doses, often = of.doses.values, [int(number) for number in of.per_week.values]
    key = (years, of.crossed[0], SPINE_DIFFERENCE)
    values = np.array([[table[(population, dose, number, *key)].mean for number in often] for dose in doses])
    axes.imshow(values, cmap=SHADE + "_r", vmin=deepest, vmax=0, origin="lower", aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        light = value < 0.6 * deepest
        axes.text(
            column,
            row,
            wording.digits(value, 1),
            ha="center",
            va="center",
            color="white" if light else figures.INK,
            fontsize=figures.TEXT - 1,
        )
    axes.set_xticks(range(len(often)), [str(number) for number in often])
    axes.set_yticks(range(len(doses)), [f"{dose:g}" for dose in doses])
    axes.set(xlabel="doses a week", ylabel=f"{of.doses.unit} a dose")
    titled(axes, f"Spine after {years:g} year{'s' * (years > 1)}, %")


def draw_course(axes: Axes, of: Grid, table: Table, population: str) -> None:
    """Daily doses over the years; the highest with its interval, and each with supplements."""
    years = [0.0, *of.years.values]
    for place, dose in enumerate(of.doses.values):
        for supplement, dash in zip(of.crossed, ("-", ":"), strict=False):
            rows = [table[(population, dose, DAILY, year, supplement, SPINE_DIFFERENCE)] for year in years[1:]]
            label = f"{dose:g} {of.doses.unit} daily" + ("" if dash == "-" else f" with {supplement}")
            only = dash == "-" or dose == of.doses.values[-1]
            axes.plot(
                years,
                [0.0, *(row.mean for row in rows)],
                dash,
                color=figures.COLOURS[place],
                linewidth=1.7 if dash == "-" else 1.2,
                label=label if only else None,
            )
            if dash == "-" and dose == of.doses.values[-1]:
                low, high = ([0.0, *(getattr(row, side) for row in rows)] for side in ("lower", "upper"))
                axes.fill_between(years, low, high, color=figures.COLOURS[place], alpha=0.12, linewidth=0)
    axes.axhline(0, color=figures.GREY, linewidth=0.7)
    axes.set(xlabel="years", xlim=(0, years[-1]))
    titled(axes, "Spine against untreated, % (band: 95 % of the mean)")


def draw_by_estradiol(axes: Axes, of: Grid, table: Table, population: str) -> None:
    """Every regimen without supplement by the estradiol that it leaves, after one year and the last."""
    for place, years in enumerate((1.0, of.years.values[-1])):
        points = [
            (
                table[(population, dose, int(often), years, of.crossed[0], ESTRADIOL)].mean,
                table[(population, dose, int(often), years, of.crossed[0], SPINE_DIFFERENCE)].mean,
            )
            for dose in of.doses.values
            for often in of.per_week.values
        ]
        words = f"all regimens, after {years:g} year{'s' * (years > 1)}"
        axes.scatter(*zip(*points, strict=True), s=16, color=figures.COLOURS[place], label=words)
    axes.axhline(0, color=figures.GREY, linewidth=0.7)
    axes.set(xlabel="estradiol that is left, pg/mL", ylim=(None, 0.2))
    axes.legend(frameon=False, loc="lower right", fontsize=figures.TEXT - 1)
    titled(axes, "Loss follows estradiol: spine, %")


# Published trials ----------------------------------------------------------------------------------


def trials(found: Sequence[Beside], apart: str, path: Path) -> None:
    """Predicted against reported changes: spine, hip, and spine in men of the kind ``apart``, far beyond all others."""
    kinds = sorted({one.kind for one in found if one.quantity in DENSITY} - {apart})
    panels = (
        ("Spine", [one for one in found if one.quantity == SPINE and one.kind != apart]),
        ("Hip", [one for one in found if one.quantity == HIP]),
        (f"Spine, {apart}", [one for one in found if one.quantity == SPINE and one.kind == apart]),
    )
    with matplotlib.rc_context(figures.STYLE):
        figure = canvas(13.2, 4.9)
        for axes, (title, some) in zip(figure.subplots(1, len(panels)), panels, strict=True):
            for one in some:
                colour = figures.GREY if one.kind == apart else figures.COLOURS[kinds.index(one.kind)]
                axes.plot([one.reported] * 2, [one.low, one.high], color=colour, linewidth=0.8, alpha=0.6, zorder=2)
                axes.scatter(
                    one.reported,
                    one.predicted,
                    s=24,
                    zorder=3,
                    edgecolor=colour,
                    facecolor=colour if one.role == "validation" else "white",
                )
            ends = np.array([value for one in some for value in (one.reported, one.predicted)] or [0.0])
            low, high = min(ends.min(), 0) * HEADROOM - 1, max(ends.max(), 0) * HEADROOM + 1
            axes.plot([low, high], [low, high], color=figures.GREY, linewidth=0.8, zorder=1)
            axes.set(xlabel="reported change, %", ylabel="predicted, %", xlim=(low, high), ylim=(low, high))
            titled(axes, title)
        for place, kind in enumerate(kinds):
            figure.axes[0].scatter([], [], s=24, color=figures.COLOURS[place], label=kind)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
        figure.subplots_adjust(left=0.05, right=0.99, top=0.93, bottom=0.24, wspace=0.2)
        save(figure, path)


# A man without aromatase ---------------------------------------------------------------------------

Marks = Mapping[str, Sequence[tuple[float, float]]]  # published (day, value) by panel


def deficient(runs: Sequence[tuple[str, Trajectory]], marks: Marks, path: Path) -> None:
    """Estradiol, testosterone, gonadotropins and spine of one man, untreated and on estradiol; diamonds: published."""
    panels = (
        ("estradiol", "Estradiol, pg/mL, as printed"),
        ("testosterone", "Testosterone, ng/dL, as printed"),
        ("FSH", "FSH and LH (dotted), IU/L"),
        ("bmd_spine_change", "Density of the spine, % of the start"),
    )
    with matplotlib.rc_context(figures.STYLE):
        figure = canvas(14.6, 3.6)
        for axes, (name, title) in zip(figure.subplots(1, len(panels)), panels, strict=True):
            for place, (label, run) in enumerate(runs):
                held = run.laboratory if name in run.laboratory.values else run.quantities
                years = run.days / wording.DAYS_PER_YEAR
                axes.plot(years, held.values[name], color=figures.COLOURS[place], linewidth=1.5, label=label)
                if name == "FSH":
                    axes.plot(years, run.quantities.values["LH"], ":", color=figures.COLOURS[place], linewidth=1.3)
            for day, value in marks.get(name, ()):
                axes.plot(day / wording.DAYS_PER_YEAR, value, "D", markersize=5, color=figures.COLOURS[1], mec="white")
            axes.set(xlabel="years")
            titled(axes, title)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=len(labels), frameon=False)
        figure.subplots_adjust(left=0.035, right=0.99, top=0.9, bottom=0.27, wspace=0.2)
        save(figure, path)
