"""Chance of conception: per cycle and over the run, for him and the partner that he names or that is assumed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from leydig.engine.trajectory import Trajectory
from leydig.report import details, plan, runs, wording

PER_CYCLE, SO_FAR = "conception_probability", "cumulative_conception_probability"
COUNT = "total_motile_sperm_count"
YEAR = wording.DAYS_PER_YEAR
# From this age of hers on the chance of a child is further below that of conception than a reader would guess.
LATE_AGE = 40  # years, assumed
LATE_SOURCES = ("leridon2004",)


class Row(NamedTuple):
    """One protocol: counts and chances at the start and at the end, and the chance within a year."""

    protocol: str
    counts: list[details.Cell]  # start, end
    per_cycle: list[details.Cell]
    within: details.Cell
    within_words: str  # "within a year", or shorter where the run is


def rows(trajectories: Sequence[Trajectory]) -> list[Row]:
    """One row for each run with a chance of conception."""
    labels = runs.letters(len(trajectories))
    return [
        _row(f"{label}, {run.protocol}" if label else run.protocol, run)
        for label, run in zip(labels, trajectories, strict=True)
        if runs.has(run, PER_CYCLE)
    ]


def panels(trajectories: Sequence[Trajectory]) -> tuple[plan.Panel, ...]:
    """The two chances over time."""
    return tuple(
        plan.small(plan.level(trajectories, quantity))._replace(from_zero=True)
        for quantity in (PER_CYCLE, SO_FAR)
        if any(runs.has(run, quantity) for run in trajectories)
    )


def partner_line(run: Trajectory) -> str:
    """Who the partner is, and whether that is known."""
    partner = run.subject.get("partner")
    if not partner:
        return "No partner is named; a couple that has just begun to try is assumed."
    months = float(partner["months_trying"])
    tried = f"{months:g} {'month' if months == 1 else 'months'} without a pregnancy" if months else "just begun to try"
    assumed = ", both assumed" if partner.get("assumed") else ""
    return f"Partner of {float(partner['partner_age']):g} years, {tried}{assumed}.{_late(run)}"


def sources(trajectories: Sequence[Trajectory]) -> list[str]:
    """Keys of the references that the section names."""
    return list(LATE_SOURCES) if any(map(_late, trajectories)) else []


def _late(run: Trajectory) -> str:
    """What an age of hers from 40 years on, at the end of the run, means for the chance of a child."""
    partner = run.subject.get("partner")
    if not partner or float(partner["partner_age"]) + float(run.days[-1]) / YEAR < LATE_AGE:
        return ""
    return (
        f" From {LATE_AGE} years on the chance of a child is much lower than that of conception shown here: "
        "losses of pregnancies are not counted, and the share of women who can no longer conceive rises steeply, which "
        f"enters only through the fall of the chance with her age ({', '.join(LATE_SOURCES)})."
    )


def _row(protocol: str, run: Trajectory) -> Row:
    end = float(run.days[-1])
    day = min(end, YEAR)
    # A year of 364 or 365 days is a year to a reader.
    whole = end >= YEAR - wording.DAYS_PER_WEEK
    within = details.cell(runs.shown(run, SO_FAR), day) if runs.has(run, SO_FAR) else details.NOT_SHOWN
    return Row(
        protocol,
        _ends(run, COUNT),
        _ends(run, PER_CYCLE),
        within,
        "within a year" if whole else f"within {wording.span(day)}",
    )


def _ends(run: Trajectory, quantity: str) -> list[details.Cell]:
    if not runs.has(run, quantity):
        return [details.NOT_SHOWN, details.NOT_SHOWN]
    series = runs.shown(run, quantity)
    return [details.cell(series, 0.0), details.cell(series, float(run.days[-1]))]
