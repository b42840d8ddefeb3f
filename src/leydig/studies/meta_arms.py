"""Effects of single arms: the last visit in the window, against the comparator where there is one, with its variance.

Values and sampling errors are those of the scale of comparison (``figures.transformed``): a log ratio of means,
percentage points, or a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from leydig.evidence import Arm, Outcome, Trial
from leydig.studies import comparison
from leydig.studies.figures import Figure, transformed
from leydig.studies.meta_question import Question, Taken, begun, settings, value

CONTROLLED, BEFORE_AFTER = "controlled", "before-after"
# What a reader is warned of, by the names in data/meta.yaml.
IMPUTED, WORDS, TYPICAL, SELECTED, CROSSOVER, MEN_ASSUMED = (
    *("imputed", "words", "typical", "selected", "crossover", "men-assumed"),
)
REGRESSION = "regression to the mean"


class ArmEffect(NamedTuple):
    """The effect in one arm; ``parts`` are figures with the sign that they enter with."""

    arm: Arm
    drugs: tuple[str, ...]
    value: float
    variance: float
    shared: float  # the part of the variance that comes from the comparator
    n: int
    controls: int
    day: float
    design: str
    flags: frozenset[str]
    parts: tuple[tuple[float, Figure], ...]

    @property
    def printed(self) -> bool:
        return IMPUTED not in self.flags


def arm_effect(question: Question, trial: Trial, arm: Arm) -> ArmEffect | str:
    """The arm's effect, or the reason why it has none."""
    reasons: list[str] = []
    found: list[ArmEffect] = []
    for outcome in arm.outcomes:
        if outcome.quantity != question.outcome:
            continue
        why = _unusable(question, arm, outcome)
        if why is None:
            own, why = _formed(question, trial, arm, outcome)
            found += own
        if why and why not in reasons:
            reasons.append(why)
    if not found:
        return "; ".join(reasons)
    return max(found, key=lambda effect: (effect.design == CONTROLLED, effect.day, *_quality(effect)))


def _quality(effect: ArmEffect) -> tuple[bool, bool]:
    return WORDS not in effect.flags, effect.printed


def _unusable(question: Question, arm: Arm, outcome: Outcome) -> str | None:
    """Why a figure of a treated arm cannot be pooled; None when it can."""
    taken = begun(arm.protocol, outcome.day)
    others = [name for name in taken if name not in question.members]
    own = [taken[name] for name in taken if name in question.members]
    day = f"day {outcome.day:g}"
    if others:
        return f"given with {', '.join(others)}, which is another question"
    if not own:
        return f"measured on {day}, before the drug was given"
    since = outcome.day - min(one.start for one in own)
    if not question.from_day <= since <= question.to_day:
        return f"measured on {day}, outside days {question.from_day:g} to {question.to_day:g}"
    if not _still_taken(own, outcome.day):
        return f"measured on {day}, after the drug had ended"
    return _unfit(outcome)


def _still_taken(taken: Sequence[Taken], day: float) -> bool:
    return any(day <= one.end + value("after_the_end") for one in taken)


def _unfit(outcome: Outcome) -> str | None:
    """Why a figure says too little, wherever it stands."""
    if outcome.moment:
        return "read at one moment after a dose, no mean of a day"
    reason = outcome.why or ""
    if not outcome.fit and not any(phrase in reason for phrase in settings()["unscored_but_pooled"]):
        return reason
    return None


def _formed(question: Question, trial: Trial, arm: Arm, outcome: Outcome) -> tuple[list[ArmEffect], str | None]:
    """The effects that a usable figure gives in the designs that are asked for, or why it gives none."""
    if outcome.against is not None:
        other = next(one for one in trial.arms if one.name == outcome.against)
        if begun(other.protocol, outcome.day):
            return [], f"compared with {', '.join(begun(other.protocol, outcome.day))}, not with untreated men"
        return (
            ([_printed_contrast(question, trial, arm, outcome, other)], None)
            if _asks(question, CONTROLLED)
            else (
                [],
                "a comparison with untreated men, which was not asked for",
            )
        )
    found = []
    if _asks(question, CONTROLLED):
        found = [_difference(question, trial, arm, outcome, *control) for control in _controls(trial, outcome)]
    own = _figure(trial, arm, outcome)
    if not own.level and _asks(question, BEFORE_AFTER):
        found.append(_change(question, trial, arm, outcome, own))
    if found:
        return found, None
    return [], (
        "a level without a baseline or a comparator" if own.level else "a change in one group, without a comparator"
    )


def _asks(question: Question, design: str) -> bool:
    return question.design in ("any", design)


def _controls(trial: Trial, outcome: Outcome) -> list[tuple[Arm, Outcome]]:
    """Arms that take nothing, with their figure at the same visit and of the same kind, the nearest visit first."""
    found = [
        (arm, one)
        for arm in trial.arms
        for one in arm.outcomes
        if one.quantity == outcome.quantity
        and one.against is None
        and abs(one.day - outcome.day) <= value("same_visit")
        and not begun(arm.protocol, one.day)
        and _unfit(one) is None
    ]
    arm = next(arm for arm in trial.arms if outcome in arm.outcomes)
    level = _figure(trial, arm, outcome).level
    alike = [(own, one) for own, one in found if own is not arm and _figure(trial, own, one).level == level]
    if level and trial.design.allocation in ("not-randomised", "cross-section"):
        return []  # levels of men who differed from the start say nothing of the drug
    return sorted(alike, key=lambda pair: abs(pair[1].day - outcome.day))[:1]


def _figure(trial: Trial, arm: Arm, outcome: Outcome) -> Figure:
    """The figure on the scale of comparison; the error is of sampling alone, also of a level."""
    level, reported, error = transformed(trial, arm, outcome)
    kind = comparison.domain(outcome.quantity)
    if level and kind == "hormone":  # the spread of studies about the typical man cancels in a comparison
        error = float(np.sqrt(max(error**2 - comparison.settings()["level_study_log_sd"] ** 2, 0.0)))
    spread = "" if outcome.spread is None else f" ({outcome.spread_kind} {outcome.spread})"
    return Figure(
        trial.key, arm.name, outcome.against, outcome.quantity, outcome.day, kind, outcome.moment, level,
        float(reported), float(error), f"{outcome.statistic} {outcome.value:g} {outcome.unit}{spread}",
    )  # fmt: skip


def _change(question: Question, trial: Trial, arm: Arm, outcome: Outcome, own: Figure) -> ArmEffect:
    flags = _flags(trial, arm, outcome)
    if _selected(trial, outcome):
        flags |= {SELECTED}
    return _arm_effect(question, trial, arm, outcome, 0.0, None, BEFORE_AFTER, flags, ((1.0, own),))


def _printed_contrast(question: Question, trial: Trial, arm: Arm, outcome: Outcome, other: Arm) -> ArmEffect:
    figure = _figure(trial, arm, outcome)
    part = comparison.settings()["contrast_correlation"]["same_comparator"]
    shared = part * figure.standard_error**2
    flags = _flags(trial, arm, outcome)
    return _arm_effect(question, trial, arm, outcome, shared, other, CONTROLLED, flags, ((1.0, figure),))


def _difference(question: Question, trial: Trial, arm: Arm, outcome: Outcome, other: Arm, beside: Outcome) -> ArmEffect:
    """The change of one arm less that of the untreated one, or the difference of levels of randomised men."""
    own, control = _figure(trial, arm, outcome), _figure(trial, other, beside)
    flags = _flags(trial, arm, outcome) | (_flags(trial, other, beside) - {WORDS})  # words on placebo are no finding
    parts = ((1.0, own), (-1.0, control))
    return _arm_effect(question, trial, arm, outcome, control.standard_error**2, other, CONTROLLED, flags, parts)


def _arm_effect(
    question: Question,
    trial: Trial,
    arm: Arm,
    outcome: Outcome,
    shared: float,
    other: Arm | None,
    design: str,
    flags: frozenset[str],
    parts: tuple[tuple[float, Figure], ...],
) -> ArmEffect:
    assumed = comparison.settings()["men_assumed"]
    drugs = tuple(name for name in begun(arm.protocol, outcome.day) if name in question.members)
    controls = 0 if other is None else other.n or assumed
    if other is not None and trial.design.crossover:
        flags, controls = flags | {CROSSOVER}, 0  # the same men
    return ArmEffect(
        arm,
        drugs,
        sum(sign * figure.reported for sign, figure in parts),
        sum(figure.standard_error**2 for _, figure in parts),
        shared,
        outcome.n or arm.n or assumed,
        controls,
        outcome.day,
        design,
        flags,
        parts,
    )


def _flags(trial: Trial, arm: Arm, outcome: Outcome) -> frozenset[str]:
    """What has to be said of one figure."""
    before = arm.baseline.get(outcome.quantity)
    ratio = comparison.settings()["domains"][comparison.domain(outcome.quantity)]["scale"] == "log"
    unspread = outcome.spread is None or (
        ratio and outcome.statistic in ("mean", "median") and before is not None and before.spread is None
    )
    said = f"{outcome.note or ''} {outcome.why or ''}"
    found = {
        IMPUTED: unspread,
        WORDS: any(words in said for words in settings()["told_in_words"]),
        TYPICAL: outcome.statistic == "change" and before is None and ratio and outcome.against is None,
        MEN_ASSUMED: not (outcome.n or arm.n),
    }
    return frozenset(name for name, holds in found.items() if holds)


def _selected(trial: Trial, outcome: Outcome) -> bool:
    """Whether men were chosen by the very reading that the change is measured from."""
    chosen = any(one.quantity == outcome.quantity and one.visit == "baseline" for one in trial.population.criteria)
    return chosen or REGRESSION in (outcome.why or "")
