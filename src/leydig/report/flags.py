"""Red flags: what must be said before any figure, when the computed values call for it.

The rules are data (data/report.yaml): quantities, limits and sources. A condition holds on the scale that his
laboratory prints, since that is the scale of the published limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig import laboratory, units
from leydig.engine.trajectory import Trajectory
from leydig.errors import InputError
from leydig.report import runs, wording


class Flag(NamedTuple):
    """One red flag of one or several runs."""

    name: str
    finding: str  # the values that call for it, and when
    limit: str  # the threshold and where it is from
    meaning: str


class Limit(NamedTuple):
    """A threshold in the canonical unit."""

    value: float
    source: str
    kind: str
    origin: str


def red_flags(trajectories: Sequence[Trajectory]) -> list[Flag]:
    """The flags of these runs, each once, in the order of the rules."""
    found: dict[tuple[str, str], Flag] = {}
    for rule in wording.settings()["red_flags"]:
        findings: dict[str, list[str]] = {}
        limits = [_limit(condition) for condition in rule["when"]]
        for label, run in zip(runs.letters(len(trajectories)), trajectories, strict=True):
            finding = _finding(rule, limits, run)
            if finding:
                findings.setdefault(finding, []).append(label)
        for finding, labels in findings.items():
            under = f" (protocol {wording.listed(labels)})" if labels[0] and len(labels) < len(trajectories) else ""
            limit = "; ".join(
                f"{wording.name(condition['quantity'])} below "
                f"{wording.with_unit(limit.value, condition['quantity'], units.CANONICAL[condition['quantity']])}, "
                f"{limit.origin}"
                for condition, limit in zip(rule["when"], limits, strict=True)
            )
            key = (rule["name"] + rule["meaning"], finding)
            found[key] = Flag(rule["name"], finding + under, limit, rule["meaning"])
    return list(found.values())


def _finding(rule: Mapping[str, Any], limits: list[Limit], run: Trajectory) -> str | None:
    """What the run shows against the rule, or None when it shows nothing."""
    if rule.get("score", runs.leading_score(run)) != runs.leading_score(run):
        return None
    if rule.get("drug") and rule["drug"] not in run.protocol:
        return None
    quantities = [condition["quantity"] for condition in rule["when"]]
    if not all(runs.has(run, quantity) for quantity in quantities):
        return None
    series = [runs.shown(run, quantity) for quantity in quantities]
    together = np.logical_and.reduce([s.values <= limit.value for s, limit in zip(series, limits, strict=True)])
    if not together.any():
        return None
    first = int(np.argmax(together))
    ends = int(len(together) - 1 - np.argmax(together[::-1]))
    since = "at the start" if first == 0 else f"from {wording.moment(float(run.days[first]))}"
    until = "" if ends == len(together) - 1 else f" until {wording.moment(float(run.days[ends]))}"
    worst = first + int(np.nanargmin(np.where(together, series[0].values, np.nan)[first:]))
    values = wording.listed(
        [f"{wording.name(s.quantity)} {wording.with_unit(float(s.values[worst]), s.quantity, s.unit)}" for s in series]
    )
    when = "" if worst == first else f", lowest {wording.when(float(run.days[worst]))}"
    if first == 0 and ends == len(together) - 1:
        since = "throughout"
    elif first == 0 and ends == 0:
        until = ""
    return f"{values} ({since}{until}{when})"


def _limit(condition: Mapping[str, Any]) -> Limit:
    """The threshold of a condition: its own number, or the lower limit of a published range."""
    quantity = condition["quantity"]
    if "below" in condition:
        value = units.to_canonical(quantity, float(condition["below"]), condition["unit"], "red_flags of report.yaml")
        kind, source = condition["kind"], condition["source"]
        return Limit(value, source, kind, "assumed" if kind == "assumed" else f"source {source}")
    source = condition["below_range_of"]
    for known in laboratory.reference_ranges():
        if known.quantity == quantity and known.source == source and known.low is not None:
            return Limit(known.low, source, "measured", f"source {source}")
    raise InputError(f"red_flags of report.yaml: ranges.yaml has no lower limit of {quantity} from {source}")


def sources() -> list[str]:
    """Keys of the references behind the thresholds."""
    rules = wording.settings()["red_flags"]
    return sorted({_limit(condition).source for rule in rules for condition in rule["when"]})
