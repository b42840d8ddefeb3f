"""Closed sections of outcomes that are read together: a small table with grades, and small plots of what moves.

An outcome without data in men shows an interval and the words "no male data", never a line and never a single
value. Where findings conflict, the default and each alternative stand beside one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig import grading
from leydig.engine.trajectory import Trajectory
from leydig.parameters import ASSUMED
from leydig.report import details, plan, runs, wording

MOST_PLOTS = 8
TINY = 1e-12  # keeps a quotient of zeros finite
SEEN = 0.01  # a relative change that a small plot shows
ASSUMED_HERE = "assumed in this run"
ALONE = "This run"  # heading of the one row where there is only one protocol


class Line(NamedTuple):
    """One protocol's values over the table's moments."""

    protocol: str
    cells: list[details.Cell]


class Alternative(NamedTuple):
    """What a conflicting finding makes of the outcome."""

    option: str  # how it is taken as true
    claim: str
    against: str
    sources: list[str]
    ends: list[str]  # the last value of each protocol; empty where it was not run


class Outcome(NamedTuple):
    """One outcome of the table."""

    quantity: str
    name: str
    unit: str
    grade: str
    lines: list[Line]
    alternatives: list[Alternative]


class Section(NamedTuple):
    """One closed section."""

    key: str
    title: str
    moments: list[str]
    outcomes: list[Outcome]
    panels: tuple[plan.Panel, ...]
    unmoved: str  # outcomes that stay where they are, in words


def sections(trajectories: Sequence[Trajectory]) -> list[Section]:
    """The sections of which at least one outcome was computed."""
    found = [_section(entry, trajectories) for entry in wording.settings()["sections"]]
    return [section for section in found if section.outcomes]


def grade(quantity: str) -> str:
    """The grade of a quantity; empty where the data hold none."""
    known = grading.outcomes().get(quantity)
    return known.grade if known else ""


def sources() -> list[str]:
    """Keys of the references behind the grades and the alternatives."""
    known = grading.outcomes().values()
    keys = {key for outcome in known for key in outcome.sources}
    keys |= {key for outcome in known for entry in outcome.alternatives for key in entry.sources}
    return sorted(keys - {ASSUMED})


def _section(entry: Mapping[str, Any], trajectories: Sequence[Trajectory]) -> Section:
    held = [quantity for quantity in entry["quantities"] if any(runs.has(run, quantity) for run in trajectories)]
    days = details.moments(max(trajectories, key=lambda run: float(run.days[-1])))
    panels = _panels(trajectories, held)
    plotted = {panel.key for panel in panels}
    unmoved = [
        wording.name(quantity)
        for quantity in held
        if quantity not in plotted
        and grade(quantity) != details.NO_MALE_DATA
        and _movement(trajectories, quantity) <= SEEN
    ]
    return Section(
        entry["key"],
        entry["title"],
        [wording.capital(wording.moment(day)) for day in days],
        [_outcome(trajectories, quantity, days) for quantity in held],
        panels,
        wording.capital(wording.listed(unmoved)),
    )


def _outcome(trajectories: Sequence[Trajectory], quantity: str, days: Sequence[float]) -> Outcome:
    known = grading.outcomes().get(quantity)
    labelled = list(zip(runs.letters(len(trajectories)), trajectories, strict=True))
    lines = [
        Line(_protocol(label, run), details.hinted_once([_cell(runs.shown(run, quantity), day) for day in days]))
        for label, run in labelled
        if runs.has(run, quantity)
    ]
    unit = next(runs.shown(run, quantity).unit for run in trajectories if runs.has(run, quantity))
    return Outcome(
        quantity,
        wording.capital(wording.name(quantity)),
        wording.unit(wording.shown_unit(quantity, unit)),
        known.grade if known else "",
        lines,
        [_alternative(labelled, quantity, entry) for entry in (known.alternatives if known else ())],
    )


def _protocol(label: str, run: Trajectory) -> str:
    return f"{label}, {run.protocol}" if label else ALONE


def _cell(series: runs.Series, day: float) -> details.Cell:
    if day > float(series.days[-1]):
        return details.NOT_SHOWN
    return details.cell(series, day)


def _alternative(labelled: Sequence[tuple[str, Trajectory]], quantity: str, entry: grading.Claim) -> Alternative:
    ends = []
    for label, run in labelled:
        values = runs.alternative(run, entry.name, quantity)
        there = np.array([]) if values is None else values[np.isfinite(values)]
        if there.size:
            ends.append(f"{label} {wording.number(float(there[-1]), quantity)}".strip())
        elif entry.name in run.findings:
            ends.append(f"{label} {ASSUMED_HERE}".strip())
    if labelled[0][0] and len(ends) == len(labelled) and all(end.endswith(ASSUMED_HERE) for end in ends):
        ends = [ASSUMED_HERE]
    return Alternative(option(entry.name), entry.claim, entry.against, list(entry.sources), ends)


def option(name: str) -> str:
    """The option that takes a finding as true."""
    return f"--assume {name}"


# Plots --------------------------------------------------------------------------------------------


def _panels(trajectories: Sequence[Trajectory], quantities: Sequence[str]) -> tuple[plan.Panel, ...]:
    """Small plots of the outcomes that move most, with each conflicting finding; none without data in men."""
    reach = {q: _movement(trajectories, q) for q in quantities if grade(q) != details.NO_MALE_DATA}
    most = sorted((q for q in reach if reach[q] > SEEN), key=lambda q: -reach[q])[:MOST_PLOTS]
    return tuple(plan.small(with_alternatives(trajectories, quantity)) for quantity in reach if quantity in most)


def with_alternatives(trajectories: Sequence[Trajectory], quantity: str) -> plan.Panel:
    """The panel of an outcome with the same runs under each conflicting finding."""
    known = grading.outcomes().get(quantity)
    others = [
        line
        for entry in (known.alternatives if known else ())
        for line in plan.if_instead(trajectories, quantity, entry.name)
    ]
    return plan.level(trajectories, quantity)._replace(others=tuple(others))


def _movement(trajectories: Sequence[Trajectory], quantity: str) -> float:
    """How far a run, or one under a conflicting finding, leaves its start, over its highest value."""
    known = grading.outcomes().get(quantity)
    furthest = 0.0
    for run in trajectories:
        if not runs.has(run, quantity):
            continue
        series = [runs.shown(run, quantity).values]
        for entry in known.alternatives if known else ():
            other = runs.alternative(run, entry.name, quantity)
            series += [] if other is None else [other]
        for values in series:
            highest = max(float(np.nanmax(np.abs(values))), TINY)
            furthest = max(furthest, float(np.nanmax(np.abs(values - values[0]))) / highest)
    return furthest
