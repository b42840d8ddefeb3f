"""What a titrated population leaves: its decisions as a table, numbers of each man's result, and counts to add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leydig.pharmacology.titration import Measured, RuleSet
from leydig.studies.clock import HOURS_PER_DAY
from leydig.studies.titrate_many import Titrated
from leydig.studies.titrate_visit import Visit

TABLE = "decisions"
Runs = Sequence[Titrated | None]  # by protocol; None where nothing is titrated
Counts = dict[str, Any]


def columns(rules: Sequence[RuleSet]) -> dict[str, Measured]:
    """The names of what is read, over several rule sets: the analyte, with its assay where it is read on several."""
    every = list(dict.fromkeys(measured for some in rules for measured in some.measured))
    several = Counter(measured.quantity for measured in every)
    return {
        f"{one.quantity}{'' if several[one.quantity] == 1 or one.assay is None else f'_{one.assay}'}": one
        for one in every
    }


def decisions(ids: np.ndarray, rules: Sequence[RuleSet | None], runs: Runs) -> dict[str, np.ndarray]:
    """One row per man, protocol and visit that he came to; ``ids`` (n,). The columns follow from the rules alone."""
    named = columns([some for some in rules if some is not None])
    parts = [
        _rows(ids, number, run, visit, named)
        for number, run in enumerate(runs)
        if run is not None
        for visit in run.visits
    ]
    if not parts:  # no visit before the end
        return {"id": ids[:0], "protocol": np.zeros(0, np.int16)}
    table = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((table["visit_day"], table["protocol"], table["id"]))
    return {name: column[order] for name, column in table.items()}


def _rows(
    ids: np.ndarray, number: int, run: Titrated, visit: Visit, named: Mapping[str, Measured]
) -> dict[str, np.ndarray]:
    there = np.flatnonzero(visit.there)
    n, samples = len(there), {sample.measured: sample.test for sample in run.laboratory.samples}
    texts = np.array([*(rule.text() for rule in run.rules.rules), ""], dtype=object)  # the last is that of no rule
    actions = np.array([*(rule.action.text() for rule in run.rules.rules), ""], dtype=object)

    def words(some: Sequence[Any]) -> np.ndarray:
        return np.array([some[man].words() for man in there.tolist()], dtype=object)

    found = {
        "id": ids[there],
        "protocol": np.full(n, number, np.int16),
        "visit_day": np.full(n, visit.hour / HOURS_PER_DAY),
        "effect_day": np.full(n, visit.effect / HOURS_PER_DAY),
    }
    for name, measured in named.items():
        test = samples.get(measured)
        nothing = np.full(n, np.nan, np.float32)
        known = test is not None
        found[name] = visit.observed[measured][there].astype(np.float32) if known else nothing
        found[f"{name}_below"] = visit.below[measured][there] if known else np.zeros(n, bool)
        found[f"{name}_noise_free"] = visit.expected[measured][there].astype(np.float32) if known else nothing
        found[f"{name}_assay"] = np.full(n, test.assay if test is not None else "", dtype=object)
        hour = np.nan if test is None or test.hour is None else test.hour
        found[f"{name}_hour"] = np.full(n, hour, np.float32)
    return found | {
        "rule": texts[visit.rule[there]],
        "action": actions[visit.rule[there]],
        "dose_before": words(visit.before),
        "dose_after": words(visit.after),
        "rule_without_noise": texts[visit.without_noise[there]],
        "on_noise": visit.on_noise[there],
    }


def results(runs: Runs, n: int) -> dict[str, np.ndarray]:
    """Columns of the results, (n, protocols) each: the last dose and how many decisions were taken, how many on noise.

    Where nothing is titrated the dose is empty and the numbers are 0.
    """
    doses = np.full((n, len(runs)), "", dtype=object)
    numbers = {name: np.zeros((n, len(runs)), np.int32) for name in ("decisions", "changes", "on_noise")}
    for place, run in enumerate(runs):
        if run is None:
            continue
        doses[:, place] = [treatment.words() for treatment in run.treatments]
        for visit in run.visits:
            numbers["decisions"][:, place] += visit.there
            numbers["changes"][:, place] += changed(visit)
            numbers["on_noise"][:, place] += visit.on_noise
    return {"final_dose": doses, **numbers}


def changed(visit: Visit) -> np.ndarray:
    """Whose dose is another after the visit."""
    pairs = zip(visit.before, visit.after, strict=True)
    return np.array([one.words() != other.words() for one, other in pairs], bool) & visit.there


def counts(runs: Runs) -> list[Counts | None]:
    """By protocol, whole numbers of men and of decisions, which chunks add up."""
    return [None if run is None else _counts(run) for run in runs]


def _counts(run: Titrated) -> Counts:
    ended = run.followed.status == "done"
    final = Counter(treatment.words() for treatment, here in zip(run.treatments, ended, strict=True) if here)
    rules = [0] * len(run.rules.rules)
    visits: Counts = {}
    for visit in run.visits:
        moved, noise = changed(visit), visit.on_noise
        for number in visit.rule[visit.rule >= 0].tolist():
            rules[number] += 1
        visits[f"{visit.hour / HOURS_PER_DAY:g}"] = {
            "decisions": int(visit.there.sum()),
            "changes": int(moved.sum()),
            "on_noise": int(noise.sum()),
            "changes_on_noise": int((moved & noise).sum()),
            "doses": dict(Counter(some.words() for some, here in zip(visit.after, visit.there, strict=True) if here)),
        }
    return {"final": dict(sorted(final.items())), "rules": rules, "visits": visits}


def stated(rules: RuleSet, found: Counts) -> dict[str, Any]:
    """The titration of one protocol in the answer of a population: shares of men and of decisions."""
    visits = [{"day": day, **found["visits"][f"{day:g}"]} for day in sorted(map(float, found["visits"]))]
    sums = {name: sum(visit[name] for visit in visits) for name in ("decisions", "changes", "on_noise")}
    on_noise = sum(visit["changes_on_noise"] for visit in visits)
    men = sum(found["final"].values())
    ordered = sorted(found["final"].items(), key=lambda item: (-item[1], item[0]))
    return {
        "name": rules.name,
        "rules": rules.text(),
        "sources": list(rules.sources),
        **sums,
        "changes_on_noise": on_noise,
        "share_on_noise": _share(sums["on_noise"], sums["decisions"]),
        "share_of_changes_on_noise": _share(on_noise, sums["changes"]),
        "final_doses": [{"dose": dose, "men": count, "share": count / men} for dose, count in ordered],
        "acted": [
            {"rule": rule.text(), "decisions": count} for rule, count in zip(rules.rules, found["rules"], strict=True)
        ],
        "visits": visits,
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
