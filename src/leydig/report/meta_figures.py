"""Plots of a meta-analysis besides the forest: the funnel, and effects over what the men brought.

They are drawn from the document of ``studies/meta_document.py``; the same document gives the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from leydig.report import figures, wording
from leydig.report.meta_forest import (
    BEFORE_AFTER,
    DATA,
    GREY,
    INK,
    LARGEST,
    RATIO,
    SMALLEST,
    Document,
    axis_words,
    ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 160
NORMAL_95 = 1.959963984540054
POINT = 5.0  # points: side of a mark of the funnel


def funnel(document: Document) -> Figure:
    """Effects over their standard errors, with the region that holds 95 % of studies of one common effect."""
    figure, axes = _panel("Funnel")
    pooled, ratio = document["pooled"], document["scale"]["kind"] == RATIO
    shown: Callable[[Any], Any] = np.exp if ratio else np.asarray
    errors = np.array([one["effect"]["standard_error"] for one in document["studies"]])
    centre, deep = pooled["common_effect"]["estimate"], 1.08 * float(errors.max())
    down = np.linspace(0, deep, 30)
    axes.fill_betweenx(
        down, shown(centre - NORMAL_95 * down), shown(centre + NORMAL_95 * down), color=figures.FILL, lw=0
    )
    axes.axvline(shown(centre), color=GREY, lw=0.8)
    egger = document["asymmetry"]
    if egger is not None:
        line = egger["at_zero"]["estimate"] + egger["slope"] * down
        axes.plot(shown(line), down, color=INK, lw=1.0, ls=(0, (4, 2)))
    if ratio:
        axes.set_xscale("log")
    for one in document["studies"]:
        _point(axes, one, one["effect"]["value"], one["effect"]["standard_error"], POINT)
    axes.set_ylim(deep, 0)
    ticks(axes.xaxis, axes.get_xlim(), ratio)
    axes.set_ylabel("standard error" + (" of the log" if ratio else ""), color=GREY, size=figures.TEXT - 1)
    axes.set_xlabel(axis_words(document), color=GREY, size=figures.TEXT - 1, labelpad=1)
    return figure


def bubbles(document: Document, regression: Mapping[str, Any]) -> Figure:
    """Effects over one characteristic of the men, larger marks weighing more, with the line and its 95 % band."""
    figure, axes = _panel(f"By {regression['name']}")
    ratio = document["scale"]["kind"] == RATIO
    where = dict(zip(regression["studies"], regression["values"], strict=True))
    line = regression["line"]
    at = [point["at"] for point in line]
    axes.fill_between(at, [p["low"] for p in line], [p["high"] for p in line], color=DATA, alpha=0.13, lw=0)
    axes.plot(at, [p["value"] for p in line], color=DATA, lw=1.4)
    axes.axhline(1.0 if ratio else 0.0, color=GREY, lw=0.7)
    known = [one for one in document["studies"] if one["study"] in where]
    for one in known:
        size = max(SMALLEST, 1.2 * LARGEST * (one["weight"] or 0.0) ** 0.5)
        _point(axes, one, where[one["study"]], one["effect"]["value"], size)
    _height(axes, [*(one["effect"]["value"] for one in known), *(p["value"] for p in line)], ratio)
    axes.set_xlabel(f"{regression['name']} ({wording.unit(regression['unit'])})", color=GREY, size=figures.TEXT - 1)
    axes.set_ylabel("ratio" if ratio else "difference", color=GREY, size=figures.TEXT - 1)
    return figure


def _height(axes: Axes, values: Sequence[float], ratio: bool) -> None:
    """An axis that shows the effects; the band is cut where it is much wider."""
    move, back = (np.log, np.exp) if ratio else (np.asarray, float)
    moved = np.append(move(np.asarray(values, float)), 0.0)
    margin = 0.3 * max(float(np.ptp(moved)), 1e-6)
    if ratio:
        axes.set_yscale("log")
    limits = float(back(moved.min() - margin)), float(back(moved.max() + margin))
    axes.set_ylim(*limits)
    ticks(axes.yaxis, limits, ratio)


def _point(axes: Axes, one: Mapping[str, Any], x: float, y: float, size: float) -> None:
    hollow = one["design"] == BEFORE_AFTER
    shape, face = ("o", "white") if hollow else ("s", DATA)
    axes.plot(x, y, marker=shape, ms=size, mfc=face, mec=DATA, mew=1.2, ls="none", zorder=3)


def _panel(title: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(figures.WIDTH, 1.15 * figures.HEIGHT), facecolor="white")
    axes = figure.add_axes((0.165, 0.185, 0.79, 0.69))
    axes.text(-0.2, 1.06, title, transform=axes.transAxes, weight="bold", color=INK, va="bottom", ha="left")
    axes.tick_params(length=3, pad=2, labelsize=figures.TEXT - 0.5)
    return figure, axes


def inline(make: Callable[[], Figure], key: str, description: str) -> str:
    """A figure as an element of a page; text stays text."""
    return figures.inline(saved(make, "svg", text=True).decode(), key, description)


def saved(make: Callable[[], Figure], kind: str, *, text: bool = False) -> bytes:
    """A figure as the bytes of a file, png or svg; ``text`` keeps letters as letters instead of outlines."""
    import matplotlib

    written = io.BytesIO()
    style = figures.STYLE | ({} if text else {"svg.fonttype": "path"})
    with matplotlib.rc_context(style):
        metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
        make().savefig(written, format=kind, dpi=DPI, metadata=metadata, transparent=text)
    return written.getvalue()
