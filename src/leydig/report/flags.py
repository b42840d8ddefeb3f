"""Red flags: what must be said before any figure, when the computed values call for it.

The rules are data (data/report.yaml): quantities, limits and sources. A condition holds on the scale that his
laboratory prints, since that is the scale of the published limits. A flag says in which state of treatment it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig import laboratory, units
from leydig.engine.trajectory import Trajectory
from leydig.errors import InputError
from leydig.report import runs, treatment, wording

WHERE = "red_flags of report.yaml"
MOST_SPELLS = 3  # stretches of time that a flag names one by one
RANGE = "range"  # in place of a number: the limit of a published range
# How a value stands to a limit: the word of the rule, its comparison and the end of a range that it is set against.
RELATIONS: dict[str, tuple[str, Callable[[np.ndarray, float], np.ndarray], str]] = {
    "below": ("below", np.less, "low"),
    "at_most": ("at most", np.less_equal, "low"),
    "above": ("above", np.greater, "high"),
}


class Flag(NamedTuple):
    """One red flag of one or several runs."""

    name: str
    finding: str  # the values that call for it, in which state of treatment, and when
    limit: str  # the threshold and where it is from
    meaning: str


class Limit(NamedTuple):
    """A threshold in the canonical unit; ``relation`` is a key of RELATIONS."""

    quantity: str
    relation: str
    value: float
    source: str
    kind: str

    @property
    def text(self) -> str:
        """LH at most 9.4 IU/L, source tajar2010."""
        value = wording.with_unit(self.value, self.quantity, units.CANONICAL[self.quantity])
        return f"{wording.name(self.quantity)} {RELATIONS[self.relation][0]} {value}, {_origin(self.kind, self.source)}"

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Where the values meet the condition; never where a value is missing."""
        return RELATIONS[self.relation][1](values, self.value)


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
        text = "; ".join([limit.text for limit in limits] + _fall_text(rule))
        for finding, labels in findings.items():
            under = f" (protocol {wording.listed(labels)})" if labels[0] and len(labels) < len(trajectories) else ""
            found[rule["name"] + rule["meaning"], finding] = Flag(rule["name"], finding + under, text, rule["meaning"])
    return list(found.values())


def _finding(rule: Mapping[str, Any], limits: list[Limit], run: Trajectory) -> str | None:
    """What the run shows against the rule, or None when it shows nothing."""
    if rule.get("score", runs.leading_score(run)) != runs.leading_score(run):
        return None
    if not all(runs.has(run, limit.quantity) for limit in limits):
        return None
    series = [runs.shown(run, limit.quantity) for limit in limits]
    together = np.logical_and.reduce([limit.holds(s.values) for s, limit in zip(series, limits, strict=True)])
    if rule.get("drug"):
        together = together & _under(rule, run, series[0], together)
    if not together.any():
        return None
    worst = int(np.nanargmin(np.where(together, series[0].values, np.nan)))
    values = wording.listed(
        [f"{wording.name(s.quantity)} {wording.with_unit(float(s.values[worst]), s.quantity, s.unit)}" for s in series]
    )
    phases = dict.fromkeys(treatment.phase(run, float(day)) for day in run.days[together])
    return f"{values} {wording.listed(list(phases))}{_span(run, together, worst)}"


def _span(run: Trajectory, together: np.ndarray, worst: int) -> str:
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
    lowest = "" if worst == spells[0][0] else f", lowest {wording.when(float(run.days[worst]))}"
    return f" ({when}{lowest})"


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


def _fall_text(rule: Mapping[str, Any]) -> list[str]:
    if "fall" not in rule:
        return []
    share = f"{100 * rule['fall']['value']:.0f}{wording.NARROW}%"
    origin = _origin(rule["fall"]["kind"], rule["fall"]["source"])
    return [f"fallen by more than {share} from his start, or low at the start while he takes it already, {origin}"]


def _limit(condition: Mapping[str, Any]) -> Limit:
    """The threshold of a condition: its own number, or the limit of a published range."""
    quantity, source = condition["quantity"], condition["source"]
    named = [relation for relation in RELATIONS if relation in condition]
    if len(named) != 1:
        raise InputError(f"{WHERE}: a condition of {quantity} needs one of {', '.join(RELATIONS)}")
    (relation,) = named
    if condition[relation] != RANGE:
        value = units.to_canonical(quantity, float(condition[relation]), condition["unit"], WHERE)
        return Limit(quantity, relation, value, source, condition["kind"])
    end = RELATIONS[relation][2]
    for known in laboratory.reference_ranges():
        value = getattr(known, end)
        if known.quantity == quantity and known.source == source and value is not None:
            return Limit(quantity, relation, value, source, "measured")
    raise InputError(f"{WHERE}: ranges.yaml has no {end} limit of {quantity} from {source}")


def _origin(kind: str, source: str) -> str:
    return "assumed" if kind == "assumed" else f"source {source}"


def sources() -> list[str]:
    """Keys of the references behind the thresholds; an assumed one has none."""
    rules = wording.settings()["red_flags"]
    limits = [_limit(condition) for rule in rules for condition in rule["when"]]
    return sorted({limit.source for limit in limits if limit.kind != "assumed"})
