"""From the trials of the evidence base to one effect per study: arms combined, men counted once, the rest listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from leydig.evidence import Arm, Trial
from leydig.studies.figures import Figure
from leydig.studies.meta_arms import CONTROLLED, WORDS, ArmEffect, arm_effect
from leydig.studies.meta_question import Question, agents, sharing

SEEN = ("fulltext", "abstract", "secondary")  # best first
RANDOMISED, NOT_RANDOMISED, BEFORE_AFTER = "randomised", "controlled, not known to be randomised", "before-after"
MODERATORS = ("testosterone", "BMI", "age")


class Effect(NamedTuple):
    """What one study contributes. ``parts`` are published figures and the weights with which they make the effect."""

    trial: Trial
    arms: tuple[str, ...]
    drugs: tuple[str, ...]
    value: float  # on the scale of comparison
    variance: float  # of sampling
    n: int
    controls: int
    day: float
    design: str
    flags: frozenset[str]
    parts: tuple[tuple[float, Figure], ...]
    baseline_testosterone: float | None  # ng/dL, as printed

    @property
    def label(self) -> str:
        return " + ".join(self.drugs)

    def moderator(self, name: str) -> float | None:
        """Baseline testosterone (ng/dL), BMI (kg/m2) or age (years) of the men; None where it is not printed."""
        who = self.trial.population
        return {"testosterone": self.baseline_testosterone, "BMI": who.BMI, "age": who.age}[name]


class LeftOut(NamedTuple):
    """A study, or arms of one that is pooled, and why they are not."""

    trial: Trial
    arms: tuple[str, ...]
    reason: str
    pooled: bool  # whether other arms of the study are pooled


class Collected(NamedTuple):
    effects: tuple[Effect, ...]
    left_out: tuple[LeftOut, ...]
    silent: int  # studies of these drugs that do not report the outcome


def collect(question: Question, trials: Sequence[Trial]) -> Collected:
    """One effect per group of studies that share men: all its arms of these drugs together."""
    return _collected(question, trials, apart=False)


def separate(question: Question, trials: Sequence[Trial]) -> Collected:
    """As ``collect``, but arms of different drugs of one study apart, each with its part of the comparator."""
    return _collected(question, trials, apart=True)


def _collected(question: Question, trials: Sequence[Trial], apart: bool) -> Collected:
    effects: list[Effect] = []
    left_out: list[LeftOut] = []
    silent = 0
    for family in sharing(list(trials)):  # before any is left aside, since two may be linked through a third
        reports: list[tuple[Trial, list[Effect]]] = []
        for trial in family:
            if question.role not in (None, trial.role):
                continue
            arms = [arm for arm in trial.arms if any(name in question.members for name in agents(arm.protocol))]
            telling = [arm for arm in arms if any(one.quantity == question.outcome for one in arm.outcomes)]
            silent += bool(arms) and not telling
            found, why = _of_study(question, trial, telling, apart)
            left_out += why
            if found:
                reports.append((trial, found))
        if reports:
            chosen = min(reports, key=_preference)
            effects += chosen[1]
            left_out += [_twice(report, chosen) for report in reports if report is not chosen]
    return Collected(tuple(effects), tuple(left_out), silent)


def _preference(report: tuple[Trial, list[Effect]]) -> tuple[int, int, str]:
    """The report with most men, then the one that was seen best, then by name."""
    trial, effects = report
    return -_men(effects), SEEN.index(trial.verification), trial.key


def _men(effects: Sequence[Effect]) -> int:
    return sum(effect.n for effect in effects) + max(effect.controls for effect in effects)


def _twice(report: tuple[Trial, list[Effect]], chosen: tuple[Trial, list[Effect]]) -> LeftOut:
    (trial, effects), (kept, others) = report, chosen
    reason = f"shares men with {kept.key}, which is pooled with {_men(others)} men, this report with {_men(effects)}"
    return LeftOut(trial, tuple(arm for effect in effects for arm in effect.arms), reason, False)


def _of_study(question: Question, trial: Trial, arms: Sequence[Arm], apart: bool) -> tuple[list[Effect], list[LeftOut]]:
    """The effects of one study and what of it is left out; one effect, or one per drug."""
    if not arms:
        return [], []
    names = tuple(arm.name for arm in arms)
    if trial.design.allocation == "pooled":
        return [], [LeftOut(trial, names, "is itself a pool of studies, which would count twice", False)]
    if trial.design.allocation == "cross-section":
        return [], [LeftOut(trial, names, "compares different men at one time", False)]
    found: list[ArmEffect] = []
    reasons: dict[str, list[str]] = {}
    for arm in arms:
        effect = arm_effect(question, trial, arm)
        if isinstance(effect, str):
            reasons.setdefault(effect, []).append(arm.name)
        elif not effect.variance > 0:
            reasons.setdefault("printed without any spread or error above 0", []).append(arm.name)
        else:
            found.append(effect)
    if any(one.design == CONTROLLED for one in found):
        for one in found:
            if one.design != CONTROLLED:
                reasons.setdefault("other arms of the study have a comparator, this has none", []).append(one.arm.name)
        found = [one for one in found if one.design == CONTROLLED]
    left_out = [LeftOut(trial, tuple(own), reason, bool(found)) for reason, own in reasons.items()]
    together: dict[tuple[str, ...], list[ArmEffect]] = {}
    for one in found:
        together.setdefault(one.drugs if apart else (), []).append(one)
    return [_combined(trial, own, len(together)) for own in together.values()], left_out


def _combined(trial: Trial, arms: Sequence[ArmEffect], parts: int) -> Effect:
    """One effect of several arms, weighted by their men; the comparator is split between ``parts`` such effects.

    Errors of the arms are independent but for what their comparator adds.
    """
    men = np.array([one.n for one in arms], float)
    weights = men / men.sum()
    own = np.array([one.variance - one.shared for one in arms])
    shared = float(weights @ np.sqrt([one.shared for one in arms])) ** 2
    baselines = [one.arm.canonical_baseline().get("testosterone") for one in arms]
    known = [number for number in baselines if number is not None]
    drugs = dict.fromkeys(name for one in arms for name in one.drugs)
    kinds = {CONTROLLED: RANDOMISED if trial.design.allocation == "randomised" else NOT_RANDOMISED}
    return Effect(
        trial,
        tuple(one.arm.name for one in arms),
        tuple(drugs),
        float(weights @ [one.value for one in arms]),
        float(weights**2 @ own) + parts * shared,
        int(men.sum()),
        max(one.controls for one in arms) // parts,
        max(one.day for one in arms),
        kinds.get(arms[0].design, BEFORE_AFTER),
        _common_flags(arms),
        tuple((float(w) * sign, figure) for w, one in zip(weights, arms, strict=True) for sign, figure in one.parts),
        float(weights @ known) if len(known) == len(arms) else None,
    )


def _common_flags(arms: Sequence[ArmEffect]) -> frozenset[str]:
    """What holds of some arm; that nothing but words was printed only where it holds of all."""
    found = frozenset().union(*(one.flags for one in arms))
    return found if all(WORDS in one.flags for one in arms) else found - {WORDS}


def group_of(effect: Effect, by: str, outcome: str) -> str:
    """The group that an effect belongs to; ``by`` is one of ``GROUPINGS``."""
    return GROUPINGS[by](effect, outcome)


GROUPINGS: Mapping[str, Callable[[Effect, str], str]] = {
    "design": lambda effect, _: effect.design,
    "condition": lambda effect, _: (effect.trial.population.condition or "not stated").replace("-", " "),
    "drug": lambda effect, _: effect.label,
    "assay": lambda effect, outcome: effect.trial.assay.get(outcome, "unknown"),
    "role": lambda effect, _: effect.trial.role,
}
