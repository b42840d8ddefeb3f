"""Every published figure of the evidence base as a row of one shape, whatever kind of source it comes from."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from leydig.errors import ModelWarning
from leydig.evidence import Arm, Outcome, Reported, Trial, trials
from leydig.literature.entries import distributions, guidelines, variations
from leydig.literature.records import Number, Statement
from leydig.pharmacology.protocol import Protocol

TRIALS, DISTRIBUTIONS, VARIATION, GUIDELINES = KINDS = ("trials", "distributions", "variation", "guidelines")
NORMAL_95 = 1.96  # standard errors on either side of a mean
IQR_IN_SD = 1.349  # width of the middle half of a normal distribution
SPREADS = {"CI95": "95 %", "IQR": "middle half", "range": "range"}


class Row(NamedTuple):
    """One published figure, as it is printed."""

    kind: str
    study: str
    group: str  # arm of a trial, men of a distribution, hours of a variation, topic of a guideline
    quantity: str  # empty for a statement without a number
    statistic: str  # for a guideline above or below
    value: float | None
    unit: str
    seen: str
    where: str
    file: str  # in which data file it stands
    note: str = ""
    spread: str = ""  # as printed: SD 4.8
    low: float | None = None  # 95 % limits of the value
    high: float | None = None
    n: int | None = None
    day: float | None = None
    baseline: float | None = None  # as printed, in its own unit
    baseline_unit: str = ""
    against: str = ""
    drugs: tuple[str, ...] = ()
    protocol: str = ""
    role: str = ""
    scored: bool = False
    condition: str = ""
    assay: str = ""


def rows(kind: str) -> tuple[Row, ...]:
    """The rows of one kind, by study in alphabetical order."""
    return {
        TRIALS: trial_rows,
        DISTRIBUTIONS: _distribution_rows,
        VARIATION: _variation_rows,
        GUIDELINES: _guideline_rows,
    }[kind]()


@cache
def _taken(protocol: str) -> tuple[str, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # published doses are as they are
        plan = Protocol.parse(protocol)
    supplements = {step.drug for step in plan.regimens if step.supplement}
    weight = ("weight",) if plan.weight_changes() else ()
    return (*plan.drugs, *sorted(supplements), *weight)


def taken_in(arm: Arm) -> tuple[str, ...]:
    """Drugs of an arm in the order of its protocol, then supplements and change of weight."""
    return _taken(arm.protocol)


def spread_words(reported: Reported | Number) -> str:
    """The spread as text: ``SD 4.8``, ``95 % 5.9 to 8.2``."""
    kind, spread = reported.spread_kind, reported.spread
    if spread is None:
        return ""
    if isinstance(spread, tuple):
        return f"{SPREADS[kind]} {spread[0]:g} to {spread[1]:g}"
    return f"{kind} {spread:g}"


def limits(reported: Reported, n: int | None) -> tuple[float | None, float | None]:
    """95 % limits of a mean from its printed spread, in its own unit; None where none can be had."""
    spread, kind = reported.spread, reported.spread_kind
    if isinstance(spread, tuple) and kind == "CI95":
        return spread
    if spread is None or (kind != "SEM" and not n):
        return None, None
    size = (spread[1] - spread[0]) / IQR_IN_SD if isinstance(spread, tuple) else spread
    error = size if kind == "SEM" else size / math.sqrt(n or 1)
    return reported.value - NORMAL_95 * error, reported.value + NORMAL_95 * error


@cache
def trial_rows() -> tuple[Row, ...]:
    """Every outcome of every trial, and the baselines that no outcome of their arm follows."""
    return tuple(_of_outcome(trial, arm, outcome) for trial in trials() for arm, outcome in trial.outcomes())


def _of_outcome(trial: Trial, arm: Arm, outcome: Outcome) -> Row:
    n = outcome.n or arm.n
    low, high = limits(outcome, n)
    before = arm.baseline.get(outcome.quantity)
    return Row(
        kind=TRIALS,
        study=trial.key,
        group=arm.name,
        quantity=outcome.quantity,
        statistic=outcome.statistic,
        value=outcome.value,
        unit=outcome.unit,
        seen=outcome.seen,
        where=outcome.where,
        file=f"trials/{trial.key}.yaml",
        note="; ".join(text for text in (outcome.note, outcome.why) if text),
        spread=spread_words(outcome),
        low=low,
        high=high,
        n=n,
        day=outcome.day,
        baseline=before.value if before else None,
        baseline_unit=before.unit if before else "",
        against=outcome.against or "",
        drugs=taken_in(arm),
        protocol=" ".join(arm.protocol.split()),
        role=trial.role,
        scored=outcome.fit and trial.role != "none",
        condition=trial.population.condition or "",
        assay=trial.assay.get(outcome.quantity, ""),
    )


def _of_number(kind: str, study: str, group: str, number: Number, **more: Any) -> Row:
    """A row of a number that has neither arm nor day."""
    printed = number.spread if number.spread_kind == "CI95" and isinstance(number.spread, tuple) else (None, None)
    return Row(
        kind=kind,
        study=study,
        group=group,
        quantity=number.quantity,
        value=number.value,
        unit=number.unit,
        seen=str(number.seen),
        where=str(number.where),
        file=number.file,
        note=number.note or "",
        spread=spread_words(number),
        low=printed[0],
        high=printed[1],
        **more,
    )


@cache
def _distribution_rows() -> tuple[Row, ...]:
    return tuple(
        _of_number(
            DISTRIBUTIONS,
            key,
            group.name,
            number,
            statistic=_statistic(number),
            n=number.n or group.n,
            condition=group.condition or "",
            assay=group.assay.get(number.quantity, ""),
            against=number.against or number.called or "",
        )
        for key, entry in distributions().items()
        for group in entry.groups
        for number in group.figures
    )


def _statistic(number: Any) -> str:
    """A statistic with what it is taken with: percentile 2.5, correlation with BMI."""
    if number.percentile is not None:
        return f"percentile {number.percentile:g}"
    if number.with_ is not None:
        held = f", {', '.join(number.given)} held" if number.given else ""
        return f"{number.statistic} with {number.with_}{held}"
    counted = f" of men with {' and '.join(limit.words() for limit in number.of)}" if number.of else ""
    return f"{number.statistic}{counted}"


@cache
def _variation_rows() -> tuple[Row, ...]:
    return tuple(
        _of_number(
            VARIATION,
            key,
            number.over or "",
            number,
            statistic=_component(number),
            n=number.n or entry.men,
            assay=number.assay or "",
        )
        for key, entry in variations().items()
        for number in entry.figures
    )


def _component(number: Any) -> str:
    """A component with the readings that chose the men and the one that is counted."""
    if number.then is None or number.first is None:
        return str(number.component)
    return f"first {number.first.words()}, later {number.then.words()}"


@cache
def _guideline_rows() -> tuple[Row, ...]:
    return tuple(
        row for key, entry in guidelines().items() for statement in entry.statements for row in _of(key, statement)
    )


def _of(key: str, statement: Statement) -> Iterator[Row]:
    """A statement as a row per limit, or as one row without a number."""
    every = f" ({statement.every.words()})" if statement.every else ""
    strength = f" [{statement.strength}]" if statement.strength else ""
    row = Row(
        kind=GUIDELINES,
        study=key,
        group=statement.topic,
        quantity="",
        statistic="",
        value=None,
        unit="",
        seen=str(statement.seen),
        where=str(statement.where),
        file=statement.file,
        note=f"{statement.says}{every}{strength}{f' ({statement.note})' if statement.note else ''}",
        assay=statement.assay or "",
    )
    if not statement.limits:
        yield row
    for limit in statement.limits:
        for side, value in (("above", limit.above), ("below", limit.below)):
            if value is not None:
                yield row._replace(quantity=limit.quantity, statistic=side, value=value, unit=limit.unit)
