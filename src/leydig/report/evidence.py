"""How strong the evidence behind each outcome is: mechanism, size of the effect, time course, grade, sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from leydig import grading
from leydig.engine.trajectory import Trajectory
from leydig.parameters import Parameter
from leydig.report import organs, runs, wording

NORMAL_95 = 1.959963984540054  # standard deviations that hold 95 % of a normal distribution
HOURS_PER_DAY = 24


class Effect(NamedTuple):
    """One parameter: what it is, its value and how well it is known."""

    name: str
    value: str
    uncertainty: str


class Alternative(NamedTuple):
    """A finding that contradicts the default."""

    name: str
    option: str  # how it is taken as true
    claim: str
    against: str
    sources: list[str]
    results: list[str]  # what it makes of this man, protocol by protocol


class Row(NamedTuple):
    """One outcome."""

    name: str
    grade: str
    mechanism: str
    relation: str
    effects: list[Effect]
    time: str
    because: str
    sources: list[str]
    alternatives: list[Alternative]


class Organ(NamedTuple):
    """The outcomes of one heading."""

    title: str
    rows: list[Row]


def by_organ(trajectories: Sequence[Trajectory]) -> list[Organ]:
    """Every graded outcome under its heading, in the order of the files."""
    found: dict[str, list[Row]] = {}
    left_out = trajectories[0].left_out
    for outcome in grading.outcomes().values():
        if outcome.quantity in left_out:
            continue
        found.setdefault(outcome.organ, []).append(_row(outcome, trajectories))
    return [Organ(title, rows) for title, rows in found.items()]


def summary() -> str:
    """How many outcomes have which grade: 8 strong, 10 moderate, …"""
    grades = [outcome.grade for outcome in grading.outcomes().values()]
    return ", ".join(f"{grades.count(grade)} {grade}" for grade in grading.GRADES if grade in grades)


def _row(outcome: grading.Outcome, trajectories: Sequence[Trajectory]) -> Row:
    return Row(
        wording.capital(wording.name(outcome.quantity)),
        outcome.grade,
        outcome.mechanism,
        wording.capital(outcome.relation),
        [effect(name, grading.parameter(name)) for name in outcome.effects],
        time_course(grading.parameter(outcome.time)) if outcome.time else "",
        outcome.because,
        list(outcome.sources),
        [
            Alternative(
                wording.capital(entry.name.replace("-", " ")),
                organs.option(entry.name),
                entry.claim,
                entry.against,
                list(entry.sources),
                _results(outcome.quantity, entry.name, trajectories),
            )
            for entry in outcome.alternatives
        ],
    )


def effect(dotted: str, parameter: Parameter) -> Effect:
    """A parameter's value with 95 % limits where its uncertainty is stated, and its kind."""
    name = dotted.partition(".")[2].replace("_", " ")
    value = wording.join(_short(float(parameter.value or 0.0)), parameter.unit)
    limits = interval(parameter)
    known = f"{_short(limits[0])} to {_short(limits[1])}, " if limits else ""
    return Effect(name, value, f"{known}{parameter.kind}{'' if limits else ', uncertainty not stated'}")


def interval(parameter: Parameter) -> tuple[float, float] | None:
    """The 95 % limits of a parameter; None where nothing is said of them."""
    value, logarithmic, error = float(parameter.value or 0.0), True, None
    if parameter.kind == "fitted":
        error = parameter.standard_error
        logarithmic = parameter.prior is None or parameter.prior.scale == "log"
    elif parameter.uncertainty is not None:
        logarithmic = parameter.uncertainty.sd is None
        error = parameter.uncertainty.log_sd if logarithmic else parameter.uncertainty.sd
    if error is None:
        return None
    reach = NORMAL_95 * error
    return (value * math.exp(-reach), value * math.exp(reach)) if logarithmic else (value - reach, value + reach)


def time_course(parameter: Parameter) -> str:
    """A time constant in days, from a time or a rate; a loss per hour is its reverse."""
    value = float(parameter.value or 0.0)
    if value <= 0:
        return ""
    hours = {"h": value, "d": HOURS_PER_DAY * value}.get(parameter.unit)
    if hours is None:
        hours = 1 / value if parameter.unit == "1/h" else HOURS_PER_DAY / value if parameter.unit == "1/d" else None
    if hours is None:
        return wording.join(_short(value), parameter.unit)
    days = hours / HOURS_PER_DAY
    if days < 1:
        return f"{_short(hours)} hours"
    if days >= 2 * wording.DAYS_PER_YEAR:
        return f"{_short(days / wording.DAYS_PER_YEAR)} years"
    return f"{days:.0f} {'day' if round(days) == 1 else 'days'}"


def _short(value: float) -> str:
    """A number of two significant digits, or as many as it has before the point."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "\u2013"
    if abs(value) >= 10:
        return f"{value:.0f}".replace("-", wording.MINUS)
    text = f"{value:.2g}" if abs(value) >= 1e-3 else f"{value:.1e}"
    return text.replace("-", wording.MINUS)


def _results(quantity: str, name: str, trajectories: Sequence[Trajectory]) -> list[str]:
    """The last value under a finding beside the default's, protocol by protocol."""
    found = []
    for label, run in zip(runs.letters(len(trajectories)), trajectories, strict=True):
        values = runs.alternative(run, name, quantity)
        if values is None and name in run.findings:
            found.append(f"{label + ': ' if label else ''}{organs.ASSUMED_HERE}")
        if values is None or not runs.has(run, quantity):
            continue
        series = runs.state(run, quantity)
        there = values[np.isfinite(values)]
        if there.size:
            ends = (wording.number(float(there[-1]), quantity), wording.with_unit(series.end, quantity, series.unit))
            found.append(f"{label + ': ' if label else ''}{ends[0]} at the end instead of {ends[1]}")
    return found
