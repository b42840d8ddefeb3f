"""Published figures beside simulated ones, where the subject stands for men of a published study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from leydig import units
from leydig.engine.trajectory import Trajectory
from leydig.errors import InputError
from leydig.report import runs

# Statistics that are a level; the others are relative to the men's own start.
LEVELS = ("mean", "median")


class Comparison(NamedTuple):
    """One published figure and what the run gives for it, both in the canonical unit or in percent."""

    label: str  # letter of the run, empty for a single one
    protocol: str  # as published
    quantity: str
    day: float
    published: float
    simulated: float
    lower: float | None
    upper: float | None
    unit: str
    statistic: str
    source: str
    note: str

    @property
    def inside(self) -> bool | None:
        """Whether the published figure lies in the simulated band; None where there is no band."""
        if self.lower is None or self.upper is None:
            return None
        return self.lower <= self.published <= self.upper


def comparisons(trajectories: Sequence[Trajectory]) -> list[Comparison]:
    """Every published figure that one of the runs reproduces, in the order of the runs."""
    found = []
    for label, run in zip(runs.letters(len(trajectories)), trajectories, strict=True):
        for entry in run.subject.get("published") or ():
            if not answers(run, entry):
                continue
            found.append(_compare(label, run, entry))
    return found


def unanswered(trajectories: Sequence[Trajectory]) -> list[Mapping[str, Any]]:
    """Published figures of the subject that none of the runs reproduces."""
    entries = trajectories[0].subject.get("published") or ()
    return [entry for entry in entries if not any(answers(run, entry) for run in trajectories)]


def answers(run: Trajectory, entry: Mapping[str, Any]) -> bool:
    """Whether the run gave the same doses up to the day of the published figure and holds its quantity."""
    day = float(entry["day"])
    in_time = run.days[0] <= day <= run.days[-1]
    return bool(in_time) and runs.has(run, entry["quantity"]) and same_doses(run.protocol, entry["protocol"], day)


@cache
def same_doses(one: str, other: str, day: float) -> bool:
    """Whether two protocols give the same doses and pull the same levers before a day."""
    from leydig.pharmacology.protocol import Protocol

    if one == other:
        return True
    try:
        plans = [Protocol.parse(text) for text in (one, other)]
        first, second = ((plan.events(day), plan.levers(day)) for plan in plans)
    except InputError:
        return False
    return first == second


def _compare(label: str, run: Trajectory, entry: Mapping[str, Any]) -> Comparison:
    quantity, day, statistic = entry["quantity"], float(entry["day"]), entry.get("statistic", "mean")
    series = runs.shown(run, quantity)
    value, lower, upper = series.at(day)
    published, unit = float(entry["value"]), series.unit
    if statistic in LEVELS:
        published = units.to_canonical(quantity, published, entry["unit"], "published")
    else:
        # A change from the start has a band only where the start is the same for all draws.
        value, lower, upper = (_relative(statistic, part, series) for part in (value, lower, upper))
        unit = series.unit if statistic == "change" else "1" if statistic == "ratio" else "%"
        if not fixed_start(series):
            lower = upper = None
    source, note = str(entry.get("source", "")), str(entry.get("note") or "")
    return Comparison(
        label, entry["protocol"], quantity, day, published, value, lower, upper, unit, statistic, source, note
    )


def _relative(statistic: str, value: Any, series: runs.Series) -> Any:
    """A level as ratio, percentage or difference from the start."""
    if value is None:
        return None
    if statistic == "change":
        return value - series.start
    ratio = value / series.start if series.start else float("nan")
    return ratio if statistic == "ratio" else 100 * (ratio - 1)


def fixed_start(series: runs.Series) -> bool:
    """Whether all draws share one starting value, so that a band of the level is also a band of the change."""
    if series.lower is None or series.upper is None:
        return False
    return bool(np.isclose(series.lower[0], series.upper[0], rtol=1e-3, atol=0.0))
