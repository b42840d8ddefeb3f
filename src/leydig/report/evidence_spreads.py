"""Published distributions as intervals between percentiles, and the parts of published variation as points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leydig.report import figures, wording
from leydig.report.evidence_axes import Triple, columns, finish, name_lines, name_of, scale_levels, short, svg
from leydig.studies.evidence_rows import Row
from leydig.units import to_canonical

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MIDDLES = ("median", "mean")
ENDS = ("lower limit", "upper limit")
ASSAYS = ("LC-MS/MS", "immunoassay", "RIA", "")


def distributions(quantity: str, rows: Sequence[Row]) -> str:
    """A line for every group of men, coloured by assay; empty where no percentile or middle is printed."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.statistic in MIDDLES + ENDS or row.statistic.startswith("percentile"):
            groups.setdefault((row.study, row.group), []).append(row)
    if not groups:
        return ""
    several = list(groups.values())[::-1]

    def draw(figure: Any) -> None:
        (axes,) = columns(figure, len(several), 1)
        drawn = [_draw(axes, place, group) for place, group in enumerate(several)]
        name_lines(axes, [short(f"{group[0].study} · {group[0].group}") for group in several], {})
        scale_levels(axes, quantity, drawn)

    return svg(f"men-{quantity}", len(several), draw, f"{wording.name(quantity)}: {len(several)} groups of men")


def _draw(axes: Axes, place: int, group: Sequence[Row]) -> Triple:
    """A line between the ends that are printed and a point in the middle; what was drawn."""
    numbers = {row.statistic: to_canonical(row.quantity, row.value or 0.0, row.unit) for row in group}
    middle = next((numbers[name] for name in ("median", "percentile 50", "mean") if name in numbers), None)
    ends = [value for name, value in numbers.items() if name not in MIDDLES]
    assay = group[0].assay if group[0].assay in ASSAYS else ""
    colour = figures.style(ASSAYS.index(assay))[0]
    if len(ends) > 1:
        axes.plot([min(ends), max(ends)], [place, place], lw=2.2, color=colour, alpha=0.6, solid_capstyle="butt")
    elif ends:
        axes.plot(ends[0], place, "|", ms=7, mew=1.6, color=colour)
    if middle is not None:
        axes.plot(middle, place, "o", ms=4.4, color=colour, zorder=4)
        ends.append(middle)
    return ends[-1], min(ends), max(ends)


def assay_colours() -> dict[str, str]:
    """The colour of each assay, for the legend."""
    return {assay or "other or not stated": figures.style(place)[0] for place, assay in enumerate(ASSAYS)}


def variation(quantity: str, rows: Sequence[Row]) -> str:
    """A line for every part of the variation that is printed in percent, a coloured heading for each part."""
    some = [row for row in rows if row.unit == "%" and row.value is not None]
    if not some:
        return ""
    colours = {part: figures.style(place)[0] for place, part in enumerate(dict.fromkeys(row.statistic for row in some))}
    lines: list[str | Row] = []
    for part in colours:
        lines += [part, *(row for row in some if row.statistic == part)]
    lines.reverse()

    def draw(figure: Any) -> None:
        (axes,) = columns(figure, len(lines), 1)
        for place, line in enumerate(lines):
            if isinstance(line, Row):
                axes.plot([line.value or 0.0], [place], "o", ms=5, color=colours[line.statistic])
        name_lines(axes, [line if isinstance(line, str) else name_of(line) for line in lines], colours)
        finish(axes, f"Variation of {wording.name(quantity)}, %", lambda value: f"{value:g}")

    return svg(f"variation-{quantity}", len(lines), draw, f"{wording.name(quantity)}: {len(some)} parts of variation")
