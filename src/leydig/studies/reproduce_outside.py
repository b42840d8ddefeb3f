"""What a trial file from outside the package must keep beside its form, so that its figures can be run and believed.

The trials of the package are not held to it: some papers pool arms or print such figures, and each was looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from leydig.errors import InputError, place
from leydig.evidence import Arm, Outcome, Reported, Trial
from leydig.studies.clock import HOURS_PER_DAY

YES_OR_NO = ("moment", "fit", "crossover")  # what may be true or false; elsewhere it would be read as 1 or 0
SINCE_START = {"bmd_spine_change": "bmd_spine", "bmd_hip_change": "bmd_hip"}  # what a man has only once he is treated
RESOLVED = 6  # decimals of an hour to which visits are told apart


def check_content(content: Mapping[str, Any], where: str) -> None:
    """Refuse true and false in place of a number in the content of a file."""
    for steps, value in _truths(content):
        if steps[-1] not in YES_OR_NO:
            raise InputError(f"the value must be a number, not {str(value).lower()}, in {place(steps, where)}")


def _truths(content: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], bool]]:
    """Every true and false in plain values with the way to it."""
    if isinstance(content, bool):
        yield steps, content
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for step, item in items:
        yield from _truths(item, (*steps, step))


def check_outside(trial: Trial) -> None:
    """Refuse, in one sentence, men, arms and figures that contradict themselves or that no run can have."""
    _check_men(trial)
    sizes = {arm.name: arm.n for arm in trial.arms}
    for arm in trial.arms:
        if not arm.name.strip():
            raise InputError(f"{trial.key}: an arm has an empty name; give every arm a name")
        for quantity, reported in arm.baseline.items():
            _check_figure(trial, arm, f"the baseline {quantity}", reported, arm.n)
        for outcome in arm.outcomes:
            if outcome.fit:
                _check_outcome(trial, arm, outcome, sizes)


def _check_men(trial: Trial) -> None:
    who = trial.population
    if who.ages is not None:
        low, high = who.ages
        if low > high:
            raise InputError(f'{trial.key}: "ages" of the population must be the lowest, then the highest age')
        if who.age is not None and not low <= who.age <= high:
            raise InputError(
                f'{trial.key}: the mean "age" {who.age:g} of the population must lie within its "ages", '
                f"{low:g} to {high:g}"
            )
    for criterion in who.criteria:
        if criterion.quantity in SINCE_START:
            raise InputError(
                f"{trial.key}: nobody can be let in by {criterion.quantity}, which is a change under treatment; "
                f"did you mean {SINCE_START[criterion.quantity]}?"
            )


def _check_outcome(trial: Trial, arm: Arm, outcome: Outcome, sizes: Mapping[str, int | None]) -> None:
    what = f"the {outcome.quantity} on day {outcome.day:g}"
    if round(outcome.day * HOURS_PER_DAY, RESOLVED) <= 0:
        raise InputError(
            f'{trial.key}: {what} of the arm "{arm.name}" is no outcome; give a later day, or put it in "baseline"'
        )
    men = arm.n
    if outcome.against is not None:  # papers print of a contrast the men of one arm or of both
        other = sizes[outcome.against]
        men = None if men is None or other is None else men + other
    _check_figure(trial, arm, what, outcome, men)


def _check_figure(trial: Trial, arm: Arm, what: str, reported: Reported, men: int | None) -> None:
    if reported.n is not None and men is not None and reported.n > men:
        raise InputError(
            f'{trial.key}: {what} of the arm "{arm.name}" has an n of {reported.n}; at most {men} men are in it'
        )
    skewed = reported.spread_kind == "IQR" and reported.statistic != "median"  # a mean can lie beyond the quartiles
    if isinstance(reported.spread, tuple) and not skewed:
        low, high = reported.spread
        if not low <= reported.value <= high:
            raise InputError(
                f'{trial.key}: {what} of the arm "{arm.name}", {reported.value:g}, must lie within its '
                f"{reported.spread_kind}, {low:g} to {high:g} {reported.unit}"
            )
