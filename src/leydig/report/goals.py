"""The table of goal, mechanism, risk and mitigation, filled with a man's own numbers, one row per protocol.

The goals are data (report.yaml); what is said of a run follows from its values alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig import grading, laboratory
from leydig.engine.trajectory import Trajectory
from leydig.report import limits, organs, plan, runs, wording
from leydig.report.wording import NARROW


class Value(NamedTuple):
    """One number of a run: what it is, from where to where, and its band."""

    name: str
    text: str
    band: str


class Row(NamedTuple):
    """One protocol against one goal."""

    protocol: str
    aim: list[Value]
    through: list[Value]
    risk: list[Value]


class Watch(NamedTuple):
    """One test of the mitigation: when, what to look at and what is computed for that day, protocol by protocol."""

    when: str
    text: str
    expected: list[str]
    sources: list[str]


class Goal(NamedTuple):
    """One goal with everything that belongs to it."""

    name: str
    mechanism: str
    mechanism_sources: list[str]
    risk: str
    risk_sources: list[str]
    has_risk: bool
    note: str  # what must be said beside the numbers of the risk
    note_sources: list[str]
    rows: list[Row]
    watch: list[Watch]


def goals(trajectories: Sequence[Trajectory]) -> list[Goal]:
    """The goals that concern him and of which at least one run computes the aim, in the order of the file."""
    return [
        _goal(entry, trajectories)
        for entry in wording.settings()["goals"]
        if runs.concerns(entry, trajectories[0])
        and any(runs.has(run, quantity) for run in trajectories for quantity in entry["aim"])
    ]


def sources() -> list[str]:
    """Keys of the references behind the table."""
    entries = wording.settings()["goals"]
    lists = ("mechanism_sources", "risk_sources", "note_sources")
    keys = {key for entry in entries for name in lists for key in entry.get(name, ())}
    keys |= {watch["limit"]["source"] for entry in entries for watch in entry["watch"] if "limit" in watch}
    return sorted(keys | {key for entry in entries for watch in entry["watch"] for key in watch["sources"]})


def _goal(entry: Mapping[str, Any], trajectories: Sequence[Trajectory]) -> Goal:
    labels = runs.letters(len(trajectories))
    instead = entry.get("mechanism_if", {}).get(trajectories[0].subject.get("condition"))
    return Goal(
        name=entry["name"],
        mechanism=instead or entry["mechanism"],
        mechanism_sources=[] if instead else list(entry["mechanism_sources"]),
        risk=entry["risk"],
        risk_sources=list(entry["risk_sources"]),
        has_risk=bool(entry["risk_shown"]),
        note=entry.get("note", ""),
        note_sources=list(entry.get("note_sources", ())),
        rows=[
            Row(
                f"{label}, {run.protocol}" if label else run.protocol,
                _values(run, entry["aim"]),
                _values(run, entry["through"]),
                [*_values(run, entry["risk_shown"]), *_instead(run, entry.get("instead", {}))],
            )
            for label, run in zip(labels, trajectories, strict=True)
        ],
        watch=[_watch(watch, trajectories) for watch in entry["watch"] if _applies(watch, trajectories[0])],
    )


def _applies(watch: Mapping[str, Any], run: Trajectory) -> bool:
    """False for a test that is not meant for him, or of which nothing is left because it does not apply to him."""
    left = set(watch["quantities"]) - set(run.left_out)
    return runs.concerns(watch, run) and (bool(left) or not watch["quantities"])


def _instead(run: Trajectory, findings: Mapping[str, str]) -> list[Value]:
    """What a conflicting finding makes of a risk: quantity and name of the finding."""
    found = []
    for quantity, name in findings.items():
        values = runs.alternative(run, name, quantity)
        there = np.array([]) if values is None else values[np.isfinite(values)]
        if not there.size or name not in grading.alternatives() or not runs.has(run, quantity):
            continue
        ends = " \u2192 ".join(wording.number(float(value), quantity) for value in (there[0], there[-1]))
        text = wording.join(ends, wording.shown_unit(quantity, runs.shown(run, quantity).unit))
        found.append(Value(f"{wording.name(quantity)}, if instead", text, organs.option(name)))
    return found


def _values(run: Trajectory, quantities: Sequence[str]) -> list[Value]:
    return [_value(run, quantity) for quantity in quantities if runs.has(run, quantity) and _known_at(run, quantity)]


def _value(run: Trajectory, quantity: str) -> Value:
    """A quantity from the start to the end; bone as its change against what two scans tell apart."""
    if quantity in plan.BONE:
        return _bone(run, quantity)
    series = runs.shown(run, quantity)
    name = wording.name(quantity)
    start, end = (wording.number(value, quantity) for value in (series.start, series.end))
    return Value(name, wording.join(f"{start} \u2192 {end}", wording.shown_unit(quantity, series.unit)), _band(series))


def _band(series: runs.Series) -> str:
    if series.lower is None or series.upper is None:
        return ""
    low, high = (wording.number(float(part[-1]), series.quantity) for part in (series.lower, series.upper))
    return "" if low == high else f"{low} to {high}"


def _known_at(run: Trajectory, quantity: str) -> bool:
    """False for a risk at an age from which it is not known."""
    least = wording.settings()["least_age"].get(quantity)
    return not least or runs.age(run) + float(run.days[-1]) / wording.DAYS_PER_YEAR >= least["value"]


def _bone(run: Trajectory, site: str) -> Value:
    """The change of density in percent, and whether two scans would tell it apart."""
    _, (change, lower, upper) = plan.change([run], run, site)
    least = plan.least_significant_change(site)
    there = change[np.isfinite(change)]
    last = float(there[-1]) if there.size else float("nan")
    told = "beyond" if abs(last) > least else "within"
    band = ""
    if lower is not None and upper is not None:
        band = f"{wording.percent(float(lower[-1]))} to {wording.percent(float(upper[-1]))}, "
    return Value(
        wording.name(site), wording.percent(last), f"{band}{told} the {least:.1f}{NARROW}% that two scans tell apart"
    )


def _watch(watch: Mapping[str, Any], trajectories: Sequence[Trajectory]) -> Watch:
    day = float(watch["week"]) * wording.DAYS_PER_WEEK
    labels = runs.letters(len(trajectories))
    expected = []
    for label, run in zip(labels, trajectories, strict=True):
        said = _on(run, watch, day)
        if said:
            expected.append(f"{label}: {said}" if label else said)
    when = "Before the start" if day <= 0 else wording.capital(wording.moment(day))
    return Watch(when, watch["text"], expected, list(watch["sources"]))


def _on(run: Trajectory, watch: Mapping[str, Any], day: float) -> str:
    """What is computed for a day; a run that has ended by then says so."""
    held = [quantity for quantity in watch["quantities"] if runs.has(run, quantity)]
    if not held:
        return ""
    if day > float(run.days[-1]):
        return "the run ends before"
    bound = limits.limit(watch["limit"], "goals of report.yaml") if "limit" in watch else None
    of_limit = bound.quantity if bound else ""
    said = [_at(run, quantity, day) for quantity in held if quantity != of_limit]
    return wording.listed(said + ([_against(run, bound, day)] if bound and bound.quantity in held else []))


def _against(run: Trajectory, bound: limits.Limit, day: float) -> str:
    """A value on the scale of mass spectrometry, on which the limit was made, and how it stands to it."""
    series = runs.state(run, bound.quantity)
    value = series.at(day)[0]
    text, limit = (limits.beside(value, bound), wording.with_unit(bound.value, bound.quantity, series.unit))
    stands = f"{bound.word} the limit of" if bound.holds(np.asarray(value)) else f"not {bound.word} the limit of"
    name, scale = wording.name(bound.quantity), laboratory.MASS_SPECTROMETRY
    return f"{name} {text} on the scale of {scale}, which is {stands} {limit}"


def _at(run: Trajectory, quantity: str, day: float) -> str:
    name = wording.name(quantity)
    if quantity in plan.BONE:
        days, (change, _, _) = plan.change([run], run, quantity)
        return f"{name} {wording.percent(float(np.interp(day, days, change)))}"
    series = runs.shown(run, quantity)
    return f"{name} {wording.with_unit(series.at(day)[0], quantity, series.unit)}"
