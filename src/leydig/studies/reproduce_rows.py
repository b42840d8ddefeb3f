"""The answer of ``reproduce`` as plain values: totals by role, and a row per trial with every scored figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leydig.bibliography import bibliography
from leydig.evidence import Trial, trials
from leydig.studies.comparison import settings
from leydig.studies.printed import as_printed
from leydig.studies.reproduce_entries import Entry, counted_by_role, entries, packaged
from leydig.studies.reproduce_totals import targets_met, totals
from leydig.studies.trial_pool import Enrolled

if TYPE_CHECKING:
    from leydig.studies.reproduce import Reproduced, Scored

AGE = "age"
LEVEL = "log level"
OF_AN_ARM = {
    "log": "log ratio to baseline",
    "percent": "percent of baseline",
    "points": "points",
    "share": "percent of men",
}
BETWEEN_ARMS = {
    "log": "log ratio between arms",
    "percent": "percent of baseline between arms",
    "points": "points between arms",
    "share": "percent of men between arms",
}
LIMITS = ("low_95", "low_50", "median", "high_50", "high_95")


class Failed(NamedTuple):
    """A trial that could not be run, and why in one sentence."""

    trial: Trial
    why: str
    bad_input: bool = True  # the trial cannot be used; else something went wrong with it


def document(found: Sequence[Reproduced], failed: Sequence[Failed] = ()) -> dict[str, Any]:
    """Totals by role, then every trial, those that failed last, in plain values; None for what is not a number.

    Nothing here depends on when or where it was made.
    """
    listed = entries(found)
    own: dict[str, list[Entry]] = {one.trial.key: [] for one in found}
    for entry in listed:
        own[entry.trial.key].append(entry)
    answer: dict[str, Any] = {}
    for role, some in counted_by_role(listed).items():
        answer[role] = totals(some)
        answer[role]["targets_met"] = targets_met(answer[role])
    answer["trials"] = [_row(one, own[one.trial.key]) for one in found] + [_failed_row(one) for one in failed]
    return {name: _plain(value) for name, value in answer.items()}


def _plain(value: Any) -> Any:
    """Without the types of numpy, and with None for numbers that are not finite; every digit is kept."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _row(one: Reproduced, own: Sequence[Entry]) -> dict[str, Any]:
    """One trial that was run, its figures in the order of its file."""
    return {
        **_who(one.trial),
        "status": "done",
        "figures": [_figure(entry) for entry in own],
        "enrolled": [_enrolled(arm) for arm in one.enrolled],
        "baseline": [line for arm in one.enrolled for line in _baseline(one.trial, arm)],
        "remarks": [*_own_remarks(one.trial), *one.remarks],
        **_said(one.trial),
    }


def _failed_row(one: Failed) -> dict[str, Any]:
    return {
        **_who(one.trial),
        "status": "failed",
        "why": one.why,
        "figures": [],
        "enrolled": [],
        "baseline": [],
        "remarks": _own_remarks(one.trial),
        **_said(one.trial),
    }


def _who(trial: Trial) -> dict[str, Any]:
    return {
        "key": trial.key,
        "outside": not packaged(trial),
        "title": trial.title,
        "role": trial.role,
        "reason": trial.reason,
        "citation": trial.citation,
        "reference": reference_text(trial),
        "verification": trial.verification,
        "assay": dict(trial.assay),
        "shares_men_with": list(trial.shares_men_with),
        "population": trial.population.model_dump(),
        "arms": [{"name": arm.name, "n": arm.n, "protocol": arm.protocol} for arm in trial.arms],
    }


def _said(trial: Trial) -> dict[str, Any]:
    return {"assumptions": list(trial.assumptions), "deviations": list(trial.deviations)}


def reference_text(trial: Trial) -> str | None:
    """The reference in full, when the bibliography of the package has it."""
    known = bibliography().get(trial.citation)
    return None if known is None else known.formatted()


def _own_remarks(trial: Trial) -> list[str]:
    """That a trial came from a file, where its key could mislead, and that its citation is not known."""
    found = []
    if not packaged(trial) and trial.key in {one.key for one in trials()}:
        found.append(f"it came from a file and is not the trial {trial.key} of the package")
    if trial.citation in bibliography():
        return found
    return [
        *found,
        f'the citation "{trial.citation}" is not in the bibliography of the package, so it was not looked up',
    ]


def _figure(entry: Entry) -> dict[str, Any]:
    """A figure as it was printed and predicted, in the paper's unit, and as it was compared."""
    scored, outcome = entry.scored, entry.outcome
    figure = scored.figure
    lower, lower_50, predicted, upper_50, upper = in_print(entry)
    return {
        "arm": figure.arm,
        "against": figure.against,
        "drugs": list(entry.drugs),
        "quantity": figure.quantity,
        "domain": figure.domain,
        "day": figure.day,
        "statistic": outcome.statistic,
        "unit": outcome.unit,
        "reported": outcome.value,
        "spread": list(outcome.spread) if isinstance(outcome.spread, tuple) else outcome.spread,
        "spread_kind": outcome.spread_kind,
        "n": outcome.n,
        "predicted": predicted,
        "lower": lower,
        "upper": upper,
        "lower_50": lower_50,
        "upper_50": upper_50,
        "inside_95": bool(scored.inside_95),
        "inside_50": bool(scored.inside_50),
        "z": scored.z,
        "error": scored.error,
        "sampling": scored.sampling,
        "weight": scored.weight,
        "interval_score": scored.interval_score,
        "null_interval_scores": {"no_change": scored.null_no_change, "mean_change": scored.null_mean_change},
        "compared": {"scale": scale_name(scored), "reported": figure.reported} | _compared(scored),
        "in_words": entry.in_words,
        "hormone_mean": entry.hormone_mean,
        "seen": outcome.seen,
        "where": outcome.where,
        "note": outcome.note,
    }


def _compared(scored: Scored) -> dict[str, float]:
    names = {"low_95": "lower", "low_50": "lower_50", "median": "predicted", "high_50": "upper_50", "high_95": "upper"}
    return {names[limit]: getattr(scored, limit) for limit in LIMITS}


def scale_name(scored: Scored) -> str:
    """What the numbers that were compared are; those of a contrast are differences between arms."""
    figure = scored.figure
    scale = settings()["domains"][figure.domain]["scale"]
    if figure.against is not None:
        return BETWEEN_ARMS[scale]
    return LEVEL if scale == "log" and figure.level else OF_AN_ARM[scale]


def in_print(entry: Entry) -> tuple[float, float, float, float, float]:
    """Lower 95 %, lower 50 %, median, upper 50 % and upper 95 % in the paper's own statistic and unit."""
    scored = entry.scored
    arm = next(arm for arm in entry.trial.arms if arm.name == scored.figure.arm)
    middle, low, high = (float(limit) for limit in scored.shown)
    lower, upper = (
        float(as_printed(entry.trial, arm, entry.outcome, limit)) for limit in (scored.low_50, scored.high_50)
    )
    return low, lower, middle, upper, high


def _enrolled(arm: Enrolled) -> dict[str, Any]:
    return {"arm": arm.arm, "candidates": arm.candidates, "eligible": arm.eligible, "effective": arm.effective}


def _baseline(trial: Trial, arm: Enrolled) -> list[Mapping[str, Any]]:
    """Every line of an arm's baseline table: what the paper prints or was assumed, and what the virtual men have."""
    return [
        {
            "arm": arm.arm,
            "quantity": row.quantity,
            "unit": row.unit,
            "asked": row.asked_mean,
            "reached": row.reached_mean,
            "asked_sd": row.asked_sd,
            "reached_sd": row.reached_sd,
            "assumed": _assumed(trial, row.quantity),
            "inherited": _inherited(trial, arm.arm, row.quantity),
        }
        for row in arm.rows
    ]


def _assumed(trial: Trial, quantity: str) -> str | None:
    """Which part of a line the paper does not print: of age its SD, or both; None where nothing was assumed."""
    who = trial.population
    if quantity != AGE or who.age_sd is not None:
        return None
    return "mean and sd" if who.age is None else "sd"


def _inherited(trial: Trial, arm: str, quantity: str) -> str | None:
    """The arm whose line stands in for that of an arm of which the paper prints none."""
    tables = {one.name: one.baseline for one in trial.arms}
    if quantity in tables[arm]:
        return None
    return next((name for name, table in tables.items() if quantity in table), None)
