"""Red flags: what must be said before any figure, when the computed values call for it.

The rules are data (data/report.yaml): quantities, limits and sources. A condition holds on the scale that his
laboratory prints, since that is the scale of the published limits. A flag says in which state of treatment it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig.engine.trajectory import Trajectory
from leydig.report import limits, runs, treatment, wording

WHERE = "red_flags of report.yaml"
MOST_SPELLS = 3  # stretches of time that a flag names one by one


class Flag(NamedTuple):
    """One red flag of one or several runs."""

    name: str
    finding: str  # the values that call for it, in which state of treatment, and when
    limit: str  # the threshold and where it is from
    meaning: str


def red_flags(trajectories: Sequence[Trajectory]) -> list[Flag]:
    """The flags of these runs, each once, in the order of the rules."""
    found: dict[tuple[str, str], Flag] = {}
    for rule in wording.settings()["red_flags"]:
        findings: dict[str, list[str]] = {}
        bounds = [limits.limit(condition, WHERE) for condition in rule["when"]]
        for label, run in zip(runs.letters(len(trajectories)), trajectories, strict=True):
            finding = _finding(rule, bounds, run)
            if finding:
                findings.setdefault(finding, []).append(label)
        text = "; ".join([bound.text for bound in bounds] + _own_text(rule))
        for finding, labels in findings.items():
            under = f" (protocol {wording.listed(labels)})" if labels[0] and len(labels) < len(trajectories) else ""
            found[rule["name"] + rule["meaning"], finding] = Flag(rule["name"], finding + under, text, rule["meaning"])
    return list(found.values())


def _finding(rule: Mapping[str, Any], bounds: list[limits.Limit], run: Trajectory) -> str | None:
    """What the run shows against the rule, or None when it shows nothing."""
    if rule.get("wish_for_children") and not treatment.wants_children(run):
        return None
    if not bounds:
        return _given(rule, run)
    if rule.get("score", runs.leading_score(run)) != runs.leading_score(run):
        return None
    if not all(runs.has(run, bound.quantity) for bound in bounds):
        return None
    series = [runs.shown(run, bound.quantity) for bound in bounds]
    together = np.logical_and.reduce([bound.holds(s.values) for s, bound in zip(series, bounds, strict=True)])
    if rule.get("drug"):
        together = together & _under(rule, run, series[0], together)
    if not together.any():
        return None
    worst = bounds[0].furthest(np.where(together, series[0].values, np.nan))
    values = wording.listed(
        [f"{wording.name(s.quantity)} {wording.with_unit(float(s.values[worst]), s.quantity, s.unit)}" for s in series]
    )
    phases = dict.fromkeys(treatment.phase(run, float(day)) for day in run.days[together])
    extreme = "lowest" if bounds[0].relation in limits.FALLING else "highest"
    return f"{values} {wording.listed(list(phases))}{_span(run, together, worst, extreme)}"


def _given(rule: Mapping[str, Any], run: Trajectory) -> str | None:
    """That and when the rule's drug is taken: already before the run, or by the protocol."""
    drug = rule["drug"]
    begin = treatment.first_day(run, drug)
    said = [f"takes {drug} already"] if treatment.takes_before(run, drug) else []
    if begin is not None:
        said.append(f"the protocol gives {drug}" + (f" from {wording.moment(begin)}" if begin > 0 else ""))
    return wording.listed(said) or None


def _span(run: Trajectory, together: np.ndarray, worst: int, extreme: str) -> str:
    """When the finding holds and when it is furthest; nothing where it holds at the start only."""
    spells = _spells(run.days, together)
    if spells[-1][1] == 0:
        return ""
    if together.all():
        when = "throughout"
    elif len(spells) > MOST_SPELLS:
        when = f"{_between(run.days, spells[0][0], spells[-1][1])} with breaks".strip()
    else:
        when = wording.listed([_between(run.days, *spell) for spell in spells])
    furthest = "" if worst == spells[0][0] else f", {extreme} {wording.when(float(run.days[worst]))}"
    return f" ({when}{furthest})"


def _spells(days: np.ndarray, together: np.ndarray) -> list[tuple[int, int]]:
    """First and last place of each stretch in which a finding holds; breaks of up to a week do not part them."""
    spells: list[tuple[int, int]] = []
    for place in np.flatnonzero(together).tolist():
        if spells and (place - spells[-1][1] == 1 or days[place] - days[spells[-1][1]] <= wording.DAYS_PER_WEEK):
            spells[-1] = (spells[-1][0], place)
        else:
            spells.append((place, place))
    return spells


def _between(days: np.ndarray, first: int, end: int) -> str:
    """A stretch in words: until week 4, from week 3 until week 8, in week 12, from week 20."""
    begins, ends = (wording.moment(float(days[place])) for place in (first, end))
    if begins == ends:
        return wording.when(float(days[first]))
    since = "" if first == 0 else f"from {begins}"
    until = "" if end == len(days) - 1 else f"until {ends}"
    return f"{since} {until}".strip() or "from the start on"


def _under(rule: Mapping[str, Any], run: Trajectory, series: runs.Series, low: np.ndarray) -> np.ndarray:
    """The days on which a finding may be laid to the rule's drug.

    He takes it already and the finding holds on day 0; or the protocol has begun to give it and the value has fallen
    from his own start by the rule's share. A man who is low for another reason and does not fall is not meant.
    """
    before = treatment.takes_before(run, rule["drug"])
    if before and low[0]:
        return np.ones(len(low), dtype=bool)
    fallen = series.values < (1 - rule["fall"]["value"]) * series.start
    begin = 0.0 if before else treatment.first_day(run, rule["drug"])
    return np.zeros(len(low), dtype=bool) if begin is None else fallen & (run.days > begin)


def _own_text(rule: Mapping[str, Any]) -> list[str]:
    """What a rule asks for beside limits of quantities, in words."""
    said = []
    if "fall" in rule:
        share = f"{100 * rule['fall']['value']:.0f}{wording.NARROW}%"
        origin = limits.origin(rule["fall"]["kind"], rule["fall"]["source"])
        said.append(
            f"fallen by more than {share} from his start, or low at the start while he takes it already, {origin}"
        )
    if rule.get("wish_for_children"):
        said.append(f"a wish for children, {limits.origin('measured', rule['source'])}")
    return said


def sources() -> list[str]:
    """Keys of the references behind the thresholds; an assumed one has none."""
    rules = wording.settings()["red_flags"]
    bounds = [limits.limit(condition, WHERE) for rule in rules for condition in rule["when"]]
    own = {rule["source"] for rule in rules if "source" in rule}
    return sorted({bound.source for bound in bounds if bound.kind != "assumed"} | own)
