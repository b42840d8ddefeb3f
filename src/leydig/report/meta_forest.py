"""The forest plot of a meta-analysis: studies, groups, the pooled effect, and the model as one more row.

It is drawn from the document of ``studies/meta_document.py``; the same document gives the same bytes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leydig.report import figures, wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Document = Mapping[str, Any]

RATIO = "ratio of means"
BEFORE_AFTER = "before-after"
DATA, MODEL, GREY, INK = figures.COLOURS[0], figures.COLOURS[1], figures.GREY, figures.INK
WIDTH, ROW, BELOW, LINE = 5.2, 0.36, 0.62, 0.2  # inches: the forest, a row, the axis below, a line of the title
MOST, LEAST = 1000.0, 0.01  # effects beyond are printed as bounds
HEADING = 0.65  # of a row
LETTERS = 62  # of the title in one line
LARGEST = 9.0  # points: side of the mark of a study that has all the weight
SMALLEST = 3.0
BEYOND = 0.6  # of the range of the values: how far the axis goes beyond them before an interval is cut


class Row(NamedTuple):
    """A line of the forest; ``low`` and ``high`` None where there is only a heading."""

    kind: str  # study, pooled, group, prediction, model, heading
    label: str
    text: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    weight: float = 0.0
    model: float | None = None
    hollow: bool = False


def rows(document: Document, name: Callable[[Mapping[str, Any]], str]) -> list[Row]:
    """The rows of the forest from the top: studies by the size of their effect, in groups where it has groups."""
    found: list[Row] = []
    groups = document["groups"]
    if groups is None:
        found += _studies(document["studies"], name)
    else:
        for group in groups["rows"]:
            found.append(Row("heading", wording.capital(group["name"])))
            found += _studies(group["studies"], name)
            if group["effect"] is not None:
                count = len(group["studies"])
                words = f"{count} studies pooled" if count > 1 else "One study, with the τ² of all"
                found.append(_estimated("group", words, group["effect"]))
    pooled, beside = document["pooled"], document["model"]
    if pooled is None:
        return found
    found.append(_estimated("pooled", f"All {pooled['studies']} studies pooled", pooled["effect"]))
    limits = pooled["prediction"]
    if limits is not None:
        text = f"{number(limits['low'])} to {number(limits['high'])}"
        found.append(Row("prediction", "Where a further study is expected", text, None, limits["low"], limits["high"]))
    if beside is not None and beside["effect"] is not None:
        found.append(_estimated("model", "The model, pooled with the same weights", beside["effect"]))
    return found


def _studies(studies: Sequence[Mapping[str, Any]], name: Callable[[Mapping[str, Any]], str]) -> list[Row]:
    found = []
    for one in sorted(studies, key=lambda study: (study["effect"]["value"], study["study"])):
        model = None if one["model"] is None else one["model"]["value"]
        row = _estimated("study", name(one), one["effect"])
        found.append(row._replace(weight=one["weight"] or 0.0, model=model, hollow=one["design"] == BEFORE_AFTER))
    return found


def _estimated(kind: str, label: str, effect: Mapping[str, Any]) -> Row:
    return Row(kind, label, with_limits(effect), effect["value"], effect["low"], effect["high"])


def number(value: float | None) -> str:
    """An effect with as many digits as it can bear; a dash where there is none, a bound where digits say nothing."""
    if value is None or not np.isfinite(value):
        return "\u2013"
    size = abs(value)
    if size >= MOST:
        return f">{MOST:.0f}" if value > 0 else f"<{wording.MINUS}{MOST:.0f}"
    if 0 < value < LEAST / 2:
        return f"<{LEAST:g}"
    return wording.digits(value, 0 if size >= 99.5 else 1 if size >= 9.95 else 2)


def with_limits(effect: Mapping[str, Any]) -> str:
    """An effect with its 95 % limits, where it has them."""
    if effect["low"] is None:
        return number(effect["value"])
    return f"{number(effect['value'])} ({number(effect['low'])} to {number(effect['high'])})"


def forest(document: Document, name: Callable[[Mapping[str, Any]], str], title: str = "") -> Figure:
    """The forest: a square per comparison and a ring per change from before to after, with 95 % intervals.

    Marks are larger the more a study weighs; diamonds below are pooled; the model's value of each study is a cross.
    """
    from matplotlib.figure import Figure

    drawn, lines = rows(document, name), textwrap.wrap(title, LETTERS)
    heights = [HEADING if row.kind == "heading" else 1.0 for row in drawn]
    above = 0.1 + LINE * len(lines)
    height = ROW * (sum(heights) + 0.4) + above + BELOW
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    axes = figure.add_axes((0.03, BELOW / height, 0.94, 1 - (above + BELOW) / height))
    _axis(axes, document, drawn)
    axes.set_ylim(sum(heights), -0.4)
    for place, row in zip(np.cumsum([0.0, *heights[:-1]]), drawn, strict=True):
        _row(axes, float(place), row)
    for number_of_line, line in enumerate(lines):
        up = 1 - (0.17 + LINE * number_of_line) / height
        figure.text(0.03, up, line, weight="bold", color=INK, size=figures.TEXT + 0.5, va="center", parse_math=False)
    return figure


def _axis(axes: Axes, document: Document, drawn: Sequence[Row]) -> None:
    ratio = document["scale"]["kind"] == RATIO
    low, high = _limits(drawn, ratio)
    if ratio:
        axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.axvline(1.0 if ratio else 0.0, color=GREY, lw=0.8, zorder=0.5)
    pooled = document["pooled"]
    if pooled is not None:
        axes.axvline(pooled["effect"]["value"], color=DATA, lw=0.7, ls=(0, (2, 3)), zorder=0.6)
    ticks(axes.xaxis, (low, high), ratio)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(axis_words(document), color=GREY, size=figures.TEXT - 1, labelpad=2)
    axes.tick_params(length=3, pad=2, labelsize=figures.TEXT - 0.5)


def axis_words(document: Document) -> str:
    """What the axis of effects shows."""
    if document["scale"]["kind"] == RATIO:
        return "ratio to before, or to untreated men"
    unit = wording.unit(document["scale"]["unit"])
    return f"difference from before, or from untreated men{f' ({unit})' if unit else ''}"


def _limits(drawn: Sequence[Row], ratio: bool) -> tuple[float, float]:
    """Ends of the axis: every value, and intervals as far as they do not dwarf the values."""
    move, back = (np.log, np.exp) if ratio else (float, float)
    values = [move(part) for row in drawn for part in (row.value, row.model) if part is not None]
    values.append(0.0)
    ends = [move(part) for row in drawn for part in (row.low, row.high) if part is not None]
    width = max(max(values) - min(values), 1e-6)
    low = max(min([*ends, *values]), min(values) - BEYOND * width)
    high = min(max([*ends, *values]), max(values) + BEYOND * width)
    margin = 0.04 * (high - low)
    return float(back(low - margin)), float(back(high + margin))


def ticks(axis: Any, limits: tuple[float, float], ratio: bool) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    if ratio:
        axis.set_major_locator(FixedLocator(_round_ratios(*limits)))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", wording.MINUS)))


def _round_ratios(low: float, high: float) -> list[float]:
    """Few round ratios between two ends of a logarithmic axis."""
    for steps in ((1, 1.2, 1.5, 2, 3, 4, 6, 8), (1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        found = [step * 10.0**decade for decade in decades for step in steps]
        found = [value for value in found if low <= value <= high]
        if len(found) <= 7:
            return found
    return found


def _row(axes: Axes, place: float, row: Row) -> None:
    """The words above, the interval below."""
    low, high = axes.get_xlim()
    heading = row.kind != "study"
    across = axes.get_yaxis_transform()
    style: dict[str, Any] = {"va": "center", "size": figures.TEXT - 0.5, "color": MODEL if row.kind == "model" else INK}
    style |= {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.8}, "zorder": 1}  # over the upright lines
    weight = "bold" if heading else "normal"
    axes.text(0, place, row.label, ha="left", transform=across, weight=weight, parse_math=False, **style)
    axes.text(1, place, row.text, ha="right", transform=across, weight=weight, **style)
    if row.low is None or row.high is None:
        if row.value is not None:
            axes.plot(np.clip(row.value, low, high), place + 0.42, marker="D", ms=5, mfc="none", mec=style["color"])
        return
    y = place + 0.42
    if row.kind in ("pooled", "group", "model"):
        _diamond(axes, y, row)
        return
    if row.kind == "prediction":
        _interval(axes, y, row, {"color": INK, "lw": 2.2, "alpha": 0.45})
        return
    _interval(axes, y, row, {"color": DATA, "lw": 1.0})
    size = max(SMALLEST, LARGEST * row.weight**0.5)
    shape, face = ("o", "white") if row.hollow else ("s", DATA)
    if row.value is not None and low <= row.value <= high:
        axes.plot(row.value, y, marker=shape, ms=size, mfc=face, mec=DATA, mew=1.2, zorder=3)
    if row.model is not None and low <= row.model <= high:
        axes.plot(row.model, y, marker="x", ms=5, mec=MODEL, mew=1.5, zorder=4)


def _interval(axes: Axes, y: float, row: Row, style: Mapping[str, Any]) -> None:
    """A line from limit to limit; an arrowhead where it goes on beyond the axis."""
    low, high = axes.get_xlim()
    assert row.low is not None and row.high is not None
    start, end = max(row.low, low), min(row.high, high)
    if start >= end:
        return
    axes.plot([start, end], [y, y], zorder=2, solid_capstyle="butt", **style)
    for beyond, at, shape in ((row.low < low, low, "<"), (row.high > high, high, ">")):
        if beyond:
            axes.plot(at, y, marker=shape, ms=4, color=style["color"], clip_on=False, zorder=2)


def _diamond(axes: Axes, y: float, row: Row) -> None:
    low, high = axes.get_xlim()
    assert row.low is not None and row.high is not None and row.value is not None
    across = np.clip([row.low, row.value, row.high, row.value], low, high)
    colour = MODEL if row.kind == "model" else DATA
    face = "white" if row.kind == "model" else colour
    alpha = 0.45 if row.kind == "group" else 1.0
    up = 0.17
    axes.fill(across, [y, y - up, y, y + up], facecolor=face, edgecolor=colour, lw=1.3, alpha=alpha, zorder=3)
