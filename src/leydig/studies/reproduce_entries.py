"""What a scored figure is counted under: its study, what its arm was given, how the figure was told."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from leydig import outputs
from leydig.errors import InputError, ModelWarning
from leydig.evidence import Arm, Outcome, Trial
from leydig.evidence import trials as known_trials
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.steps import Regimen, WeightChange
from leydig.studies.clock import HOURS_PER_DAY
from leydig.studies.figures import Figure, figures, transformed

if TYPE_CHECKING:
    from leydig.studies.reproduce import Reproduced, Scored

IN_WORDS = "told in words"  # how the note of a figure begins that the paper does not print as a number
WEIGHT_CHANGE, UNTREATED = "weight change", "untreated"


class Entry(NamedTuple):
    """One scored figure with what it is counted under."""

    scored: Scored
    trial: Trial
    outcome: Outcome
    group: str  # the first of the studies that share men; figures of one group are not independent
    drugs: tuple[str, ...]  # of its arm, else of the arm that it stands against
    in_words: bool  # told in words as no change
    hormone_mean: bool  # of one arm while it is treated


def entries(found: Sequence[Reproduced]) -> list[Entry]:
    """Every scored figure of these trials, in their order."""
    groups = shared_men([one.trial for one in found])
    listed = []
    for one in found:
        arms = {arm.name: arm for arm in one.trial.arms}
        for scored, outcome in matched(one):
            figure = scored.figure
            own = arms[figure.arm]
            given = drugs(own) or (drugs(arms[figure.against]) if figure.against else ()) or (UNTREATED,)
            no_change = abs(figure.reported) < 1e-9 and (outcome.note or "").startswith(IN_WORDS)
            hormone = figure.domain == "hormone" and figure.quantity not in outputs.DRUGS and figure.against is None
            mean = hormone and under_treatment(own, figure.day)
            listed.append(Entry(scored, one.trial, outcome, groups[one.trial.key], given, no_change, mean))
    return listed


def matched(one: Reproduced) -> Iterator[tuple[Scored, Outcome]]:
    """Every scored figure with the outcome of the trial's file that it was made from."""
    outcomes = [outcome for _, outcome in one.trial.outcomes() if outcome.fit]
    known = {_name(figure): outcome for figure, outcome in zip(figures(one.trial), outcomes, strict=True)}
    for scored in one.scored:
        yield scored, known[_name(scored.figure)]


def _name(figure: Figure) -> tuple[str, str | None, str, float, str]:
    return figure.arm, figure.against, figure.quantity, figure.day, figure.printed


def check_comparable(trial: Trial) -> None:
    """Refuse a figure that has no value on the scale of comparison, such as a ratio to a baseline of nothing."""
    for arm, outcome in trial.outcomes():
        if not outcome.fit:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                _, value, error = transformed(trial, arm, outcome)
        except (ArithmeticError, RuntimeWarning):
            value = error = math.nan
        if not (math.isfinite(value) and math.isfinite(error)):
            raise InputError(
                f"{trial.key}: the {outcome.statistic} {outcome.value:g} {outcome.unit} of {outcome.quantity} in the "
                f'arm "{arm.name}" on day {outcome.day:g} cannot be compared as a ratio: it or its baseline is nothing'
            )


def packaged(trial: Trial) -> bool:
    """Whether a trial is one of the package, word for word; a file from outside can bear the key of one."""
    return any(trial == one for one in known_trials() if one.key == trial.key)


def shared_men(trials: Sequence[Trial]) -> dict[str, str]:
    """By key, the first key of the trials that share men with it, directly or through others."""
    first: dict[str, str] = {}

    def root(key: str) -> str:
        while first.setdefault(key, key) != key:
            key = first[key]
        return key

    for trial in trials:
        for other in trial.shares_men_with:
            low, high = sorted((root(trial.key), root(other)))
            first[high] = low
    return {trial.key: root(trial.key) for trial in trials}


def drugs(arm: Arm) -> tuple[str, ...]:
    """What an arm is given, by name: drugs, and "weight change"; empty where it is given nothing."""
    protocol = parsed(arm.protocol)
    return protocol.drugs + ((WEIGHT_CHANGE,) if protocol.weight_changes() else ())


def under_treatment(arm: Arm, day: float) -> bool:
    """Whether a drug is being given on a day, its last day included, or the weight was changed before it."""
    hours = day * HOURS_PER_DAY
    begun = [p for course in parsed(arm.protocol).courses for p in course.placed() if p.start < hours]
    return any(
        isinstance(p.step, WeightChange) or (isinstance(p.step, Regimen) and (p.end is None or hours <= p.end))
        for p in begun
    )


@lru_cache(maxsize=1000)
def parsed(text: str) -> Protocol:
    """A published protocol; that a dose is unusual is no news here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        return Protocol.parse(text)


def drugs_of(trial: Trial) -> tuple[str, ...]:
    """What any arm of a trial is given, in alphabetical order."""
    return tuple(sorted({name for arm in trial.arms for name in drugs(arm)}))


def counted_by_role(listed: Sequence[Entry]) -> Mapping[str, list[Entry]]:
    """Entries by the role of their trial: calibration and validation always, none where there are any."""
    found: dict[str, list[Entry]] = {"calibration": [], "validation": []}
    for entry in listed:
        found.setdefault(entry.trial.role, []).append(entry)
    return found
