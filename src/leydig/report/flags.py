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
SEEN = 0.05  # relative difference from the start that is worth a number of its own
MOST_SPELLS = 3  # stretches of time that a flag names one by one


class Flag(NamedTuple):
    """One red flag of one or several runs."""

    name: str
    finding: str  # the values that call for it, in which state of treatment, and when
    limit: str  # the threshold and where it is from
    meaning: str


class Finding(NamedTuple):
    """What one run shows against a rule."""

    whole: str  # everything in one sentence
    start: str = ""  # what holds before the protocol has done anything
    later: str = ""  # when it holds after that


def red_flags(trajectories: Sequence[Trajectory]) -> list[Flag]:
    """The flags of these runs, each once, in the order of the rules."""
    found: dict[tuple[str, str], Flag] = {}
    labels = runs.letters(len(trajectories))
    for rule in wording.settings()["red_flags"]:
        if not runs.concerns(rule, trajectories[0]):
            continue
        bounds = [limits.limit(condition, WHERE) for condition in rule["when"]]
        text = "; ".join([bound.text for bound in bounds] + _own_text(rule))
        findings = [_finding(rule, bounds, run) for run in trajectories]
        for finding in _told(labels, findings):
            found[rule["name"] + rule["meaning"], finding] = Flag(rule["name"], finding, text, rule["meaning"])
    return list(found.values())


def _told(labels: Sequence[str], findings: Sequence[Finding | None]) -> list[str]:
    """The findings in words: one for what all runs share at the start, with what each protocol makes of it."""
    held = [(label, finding) for label, finding in zip(labels, findings, strict=True) if finding]
    starts = {finding.start for _, finding in held}
    if len(held) == len(labels) > 1 and len(starts) == 1 and "" not in starts:
        then: dict[str, list[str]] = {}
        for label, finding in held:
            then.setdefault(finding.later or "at the start only", []).append(label)
        (start,) = starts
        if len(then) == 1:
            return ["; ".join([start, *(later for later in then if held[0][1].later)])]
        return ["; ".join([start, *(f"protocol {wording.listed(some)}: {later}" for later, some in then.items())])]
    whole: dict[str, list[str]] = {}
    for label, finding in held:
        whole.setdefault(finding.whole, []).append(label)
    return [
        said + (f" (protocol {wording.listed(some)})" if some[0] and len(some) < len(labels) else "")
        for said, some in whole.items()
    ]


def _finding(rule: Mapping[str, Any], bounds: list[limits.Limit], run: Trajectory) -> Finding | None:
    """What the run shows against the rule, or None when it shows nothing."""
    if rule.get("wish_for_children") and not treatment.wants_children(run):
        return None
    if not bounds:
        return _lowest(rule, run) if "lowest" in rule else _given(rule, run)
    if rule.get("score", runs.leading_score(run)) != runs.leading_score(run):
        return None
    if not all(runs.has(run, bound.quantity) for bound in bounds) or not _with_drugs(rule, run):
        return None
    series = [runs.shown(run, bound.quantity) for bound in bounds]
    together = np.logical_and.reduce([bound.holds(s.values) for s, bound in zip(series, bounds, strict=True)])
    if rule.get("drug"):
        together = together & _under(rule, run, series[0], together)
    if not together.any():
        return None
    together = _without_first_day(run.days, together)
    worst = bounds[0].furthest(np.where(together, series[0].values, np.nan))

    def values(place: int) -> str:
        parts = zip(series, bounds, strict=True)
        return wording.listed([_value(s, bound, place) for s, bound in parts])

    extreme = "lowest" if bounds[0].relation in limits.FALLING else "highest"
    whole = f"{values(worst)} {_phases(run, together)}{_span(run, together, worst, extreme)}"
    if not together[0]:
        return Finding(whole)
    later = together & (run.days > 0)
    said = ""
    if later.any():
        said = _phases(run, later) + _span(run, together, 0, extreme)
        if _moved(series[0], worst):
            said += f", {extreme} {values(worst)} {wording.when(float(run.days[worst]))}"
    return Finding(whole, f"{values(0)} {treatment.phase(run, 0.0)}", said)


def _value(series: runs.Series, bound: limits.Limit, place: int) -> str:
    """A quantity with its value."""
    return f"{wording.name(series.quantity)} {limits.beside(float(series.values[place]), bound)}"


def _phases(run: Trajectory, together: np.ndarray) -> str:
    """In which states of treatment a finding holds."""
    return wording.listed(list(dict.fromkeys(treatment.phase(run, float(day)) for day in run.days[together])))


def _moved(series: runs.Series, worst: int) -> bool:
    """Whether the furthest value is told from that of the start."""
    return abs(float(series.values[worst]) - series.start) > SEEN * abs(series.start)


def _without_first_day(days: np.ndarray, together: np.ndarray) -> np.ndarray:
    """The days of a finding; one that is over within the first day is one of the start."""
    spells = _spells(days, together)
    begin, end = spells[0]
    if begin or days[end] > 1 or end == len(days) - 1:
        return together
    return together & ((days == days[0]) | (np.arange(len(days)) > end))


def _with_drugs(rule: Mapping[str, Any], run: Trajectory) -> bool:
    """Whether he takes one of the rule's drugs, or the protocol gives one; a rule without drugs asks for none."""
    named = rule.get("with_drugs")
    given = (treatment.takes_before(run, drug) or treatment.first_day(run, drug) is not None for drug in named or ())
    return not named or any(given)


def _lowest(rule: Mapping[str, Any], run: Trajectory) -> Finding:
    """A finding that follows from his condition, with the lowest value of a quantity in the run."""
    start = f"condition {run.subject.get('condition')}"
    if not runs.has(run, rule["lowest"]):
        return Finding(start, start)
    series = runs.shown(run, rule["lowest"])
    place = int(np.nanargmin(series.values))
    value = wording.with_unit(float(series.values[place]), series.quantity, series.unit)
    later = f"{wording.name(series.quantity)} at its lowest {value} {wording.when(float(run.days[place]))}"
    return Finding(f"{start}; {later}", start, later)


def _given(rule: Mapping[str, Any], run: Trajectory) -> Finding | None:
    """That and when the rule's drug is taken: already before the run, or by the protocol."""
    drug = rule["drug"]
    begin = treatment.first_day(run, drug)
    start = f"takes {drug} already" if treatment.takes_before(run, drug) else ""
    since = f" from {wording.moment(begin)}" if begin else ""
    later = "" if begin is None else f"the protocol gives {drug}{since}"
    said = wording.listed([part for part in (start, later) if part])
    return Finding(said, start, later) if said else None


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
    if "with_drugs" in rule:
        said.append(f"{' or '.join(rule['with_drugs'])} taken or given")
    if "lowest" in rule:
        said.append(f"the condition {' or '.join(rule['only_condition'])}, by definition")
    if rule.get("wish_for_children"):
        said.append(f"a wish for children, {limits.origin('measured', rule['source'])}")
    return said


def sources() -> list[str]:
    """Keys of the references behind the thresholds; an assumed one has none."""
    rules = wording.settings()["red_flags"]
    bounds = [limits.limit(condition, WHERE) for rule in rules for condition in rule["when"]]
    own = {rule["source"] for rule in rules if "source" in rule}
    return sorted({bound.source for bound in bounds if bound.kind != "assumed"} | own)
