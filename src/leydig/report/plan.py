"""What the report draws: at most five figures, each of small panels, as plain numbers.

The plan knows which quantities belong together and on which scale; ``figures`` only draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from leydig import outputs
from leydig.engine.trajectory import Trajectory
from leydig.report import published, runs, wording

HORMONES = ("testosterone", "estradiol", "LH", "FSH")
RATIO = "testosterone_estradiol_ratio"
SEMEN = ("sperm_concentration", "total_motile_sperm_count")
BONE = ("bmd_spine", "bmd_hip")
EVERY_DAY = 28  # days from which small plots go on by weeks
MOST_DRUGS = 4  # panels of one figure
MOST_BANDS = 3  # protocols beyond which bands would hide one another


class Line(NamedTuple):
    """One run in a panel; arrays (times,)."""

    label: str
    days: np.ndarray
    values: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    marks: tuple[tuple[float, float], ...] = ()  # published figures: day and value
    swing: tuple[np.ndarray, np.ndarray] | None = None  # lowest and highest day of each week, where they differ


class Panel(NamedTuple):
    """One small plot."""

    key: str
    title: str
    unit: str
    lines: tuple[Line, ...]
    reference: tuple[float | None, float | None] | None = None  # published interval, light fill
    around: float | None = None  # half-width of the strip around zero that two scans do not tell apart
    from_zero: bool = True  # concentrations begin at zero
    others: tuple[Line, ...] = ()  # the same runs if a conflicting finding holds, thin


class Figure(NamedTuple):
    """Panels that are read together."""

    key: str
    title: str
    panels: tuple[Panel, ...]


def figures(trajectories: Sequence[Trajectory]) -> list[Figure]:
    """The figures of these runs in the order of the report; those without numbers are left out."""
    plan = [
        Figure("hormones", "Hormones", _panels(trajectories, HORMONES)),
        Figure("ratio", "Testosterone to estradiol", _panels(trajectories, (RATIO,))),
        Figure("semen", "Semen", _panels(trajectories, SEMEN)),
        Figure("bone", "Bone density", tuple(_bone(trajectories, site) for site in BONE if _held(trajectories, site))),
        Figure("drug", "Drug in blood", _panels(trajectories, drugs(trajectories))),
    ]
    return [figure for figure in plan if figure.panels]


def drugs(trajectories: Sequence[Trajectory]) -> tuple[str, ...]:
    """The drugs that are in the blood of at least one run, at most as many as one figure holds."""
    return tuple(drug for drug in outputs.DRUGS if _held(trajectories, drug))[:MOST_DRUGS]


def least_significant_change(site: str) -> float:
    """The change in percent that two scans of one man tell apart."""
    marks = wording.settings()["least_significant_change"]
    return float(marks["factor"]["value"] * marks[site]["value"])


def _held(trajectories: Sequence[Trajectory], quantity: str) -> bool:
    return any(runs.has(run, quantity) for run in trajectories)


def _panels(trajectories: Sequence[Trajectory], quantities: Sequence[str]) -> tuple[Panel, ...]:
    return tuple(level(trajectories, quantity) for quantity in quantities if _held(trajectories, quantity))


def level(trajectories: Sequence[Trajectory], quantity: str) -> Panel:
    """A quantity as it is, on its published range; shares in percent."""
    known = runs.reference_range(trajectories[0], quantity)
    factor = wording.factor(quantity)
    lines, unit = [], ""
    for label, run in zip(runs.letters(len(trajectories)), trajectories, strict=True):
        if not runs.has(run, quantity):
            continue
        series = runs.times(runs.shown(run, quantity), factor)
        unit = wording.shown_unit(quantity, series.unit)
        marks = tuple(
            (found.day, factor * found.published)
            for found in published.comparisons([run])
            if found.quantity == quantity and found.statistic in published.LEVELS
        )
        lines.append(_line(label, series, _bands(trajectories, series), marks))
    title = wording.capital(wording.name(quantity))
    return Panel(quantity, title, unit, tuple(lines), (known.low, known.high) if known else None)


def small(panel: Panel) -> Panel:
    """The panel for a closed section: from its lowest value on, and in weeks once the first month is over."""

    def thin(line: Line) -> Line:
        kept = (line.days <= EVERY_DAY) | (np.arange(len(line.days)) % wording.DAYS_PER_WEEK == 0)
        kept[-1] = True
        lower, upper = (None if part is None else part[kept] for part in (line.lower, line.upper))
        swing = None if line.swing is None else (line.swing[0][kept], line.swing[1][kept])
        return Line(line.label, line.days[kept], line.values[kept], lower, upper, line.marks, swing)

    lines, others = (tuple(thin(line) for line in part) for part in (panel.lines, panel.others))
    return panel._replace(lines=lines, others=others, from_zero=False)


def if_instead(trajectories: Sequence[Trajectory], quantity: str, name: str) -> tuple[Line, ...]:
    """The runs of a quantity if the conflicting finding of this name holds; in the unit of ``level``."""
    factor = wording.factor(quantity)
    lines = []
    for label, run in zip(runs.letters(len(trajectories)), trajectories, strict=True):
        values = runs.alternative(run, name, quantity)
        if values is not None:
            lines.append(Line(label, run.days, factor * values, None, None))
    return tuple(lines)


def _line(
    label: str,
    series: runs.Series,
    band: tuple[np.ndarray | None, np.ndarray | None],
    marks: tuple[tuple[float, float], ...],
) -> Line:
    """A run day by day, or week by week where it goes up and down within the week."""
    weeks = runs.swing(series)
    if weeks is None:
        return Line(label, series.days, series.values, *band, marks)
    band = (None, None) if band[0] is None else (weeks.lower, weeks.upper)
    return Line(label, series.days, weeks.mean, *band, marks, (weeks.lowest, weeks.highest))


def _bone(trajectories: Sequence[Trajectory], site: str) -> Panel:
    """Bone density as percent of change, with the strip that two scans do not tell apart."""
    lines = []
    for label, run in zip(runs.letters(len(trajectories)), trajectories, strict=True):
        if not runs.has(run, site):
            continue
        days, ends = change(trajectories, run, site)
        marks = tuple(
            (found.day, found.published)
            for found in published.comparisons([run])
            if found.quantity == site and found.statistic == "percent_change"
        )
        lines.append(Line(label, days, *ends, marks))
    title = "Spine" if site == "bmd_spine" else "Hip"
    return Panel(site, title, "% of the start", tuple(lines), around=least_significant_change(site), from_zero=False)


def change(
    trajectories: Sequence[Trajectory], run: Trajectory, site: str
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray | None, np.ndarray | None]]:
    """Days, and the change in percent with its band.

    The run's own change (``bmd_spine_change``) is taken where it has one. Else the change is that of the level, and
    has a band only where all draws begin at one density: else the level's band is not the change's.
    """
    if runs.has(run, f"{site}_change"):
        series = runs.state(run, f"{site}_change")
        return series.days, (series.values, *_bands(trajectories, series))
    series = runs.shown(run, site)
    lower, upper = _bands(trajectories, series) if published.fixed_start(series) else (None, None)
    start = series.start
    ends = [None if part is None else 100 * (part / start - 1) for part in (lower, upper)]
    return series.days, (100 * (series.values / start - 1), ends[0], ends[1])


def _bands(trajectories: Sequence[Trajectory], series: runs.Series) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The band of a quantity, unless so many protocols are drawn that bands would hide one another."""
    return (None, None) if len(trajectories) > MOST_BANDS else (series.lower, series.upper)
