"""Virtual men who are let into a trial: they keep its criteria and together look like its baseline table.

Those who keep the criteria are weighted until the means and spreads of their baseline readings are the printed ones,
and drawn by these weights.

Where the printed baseline is the very reading that let men in, they are weighted by the readings: men with a low
reading are in part men whose reading was low by chance, and return towards their own mean at the next one. Everything
else is weighted by what is expected of a man, so that it stays. As the candidates were shifted first (``resemble``),
the weights have little to do, and regression to the mean follows from who was let in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig.population_prior import Men
from leydig.studies.balance import Balanced, balance
from leydig.studies.recruit import BASELINE, Candidates, Recruitment, kept_by, settings
from leydig.studies.resemble import Asked, matchable, on_reading
from leydig.studies.trial_pool import Enrolled, Row
from leydig.studies.trial_readings import chosen, measured, read
from leydig.studies.unknowns import Unknowns
from leydig.units import CANONICAL

STEP, FARTHEST = 0.1, 25.0  # SDs over which a median is a step; squares beyond which a man counts no more


class Chosen(NamedTuple):
    """Those of one draw who keep the criteria."""

    rows: np.ndarray  # places among all candidates
    balanced: Balanced  # their weights
    readings: dict[str, np.ndarray]  # (len(rows),) baseline readings
    screened: list[np.ndarray]  # (len(rows),) by criterion, what it was kept by


def choose(wanted: Recruitment, some: Candidates, one: Unknowns, place: int) -> Chosen:
    """Those of a draw who keep the criteria, with weights that meet the baseline table."""
    kept, screened = kept_by(wanted, some, [one], place)
    rows = np.flatnonzero(some.draw == place)[kept]
    state, age = {name: values[rows] for name, values in some.state.items()}, some.men.age[rows]
    let_in = [criterion.quantity for criterion in wanted.criteria if criterion.visit == BASELINE]
    by_reading = on_reading(wanted.baseline, let_in)
    readings, columns = {}, []
    for name in dict.fromkeys([*wanted.baseline, *let_in]):
        numbers = some.baseline[name]
        values = readings[name] = read(name, wanted.assay, state, age, chosen(numbers, rows), one)
        if name not in wanted.baseline or not matchable(name):
            continue
        middle, noise = values, 0.0
        if name not in by_reading and measured(name):
            middle = read(name, wanted.assay, state, age, {}, one)
            noise = float(np.var(values - middle))
        columns += _features(middle, wanted.baseline[name], noise)
    for name, spread in (("age", wanted.age), ("BMI", wanted.BMI)):
        values = state[name]
        if spread is not None and name not in wanted.baseline and values.min() < spread.mean < values.max():
            columns += _features(values, Asked(spread.mean, spread.sd, False), 0.0)[:1]
    features = np.stack(columns, axis=1) if columns else np.zeros((len(rows), 0))
    return Chosen(
        rows,
        balance(features, settings()["ridge"], settings()["fewest_effective"]),
        readings,
        [values[kept] for values in screened],
    )


def _features(values: np.ndarray, line: Asked, noise: float) -> list[np.ndarray]:
    """Columns whose weighted means are to be 0; ``noise`` is the variance that reading adds to the values."""
    unit = line.sd or float(np.std(values)) or 1.0
    if line.median:  # a step would leave the weights of men near it to chance
        return [np.tanh((values - line.mean) / (STEP * unit))]
    columns = [(values - line.mean) / unit]
    if line.sd is not None:
        variance = max(line.sd**2 - noise, (settings()["least_share_between_men"] * line.sd) ** 2)
        columns.append(np.minimum((values - line.mean) ** 2 / variance, FARTHEST) - 1)
    return columns


def members(some: Candidates, rows: np.ndarray, first: int) -> tuple[Men, dict[str, dict[str, Any]]]:
    """The men of these rows under ids of their own from ``first``, and the random numbers of their baseline."""
    who = some.men
    taken = Men(
        np.arange(first, first + len(rows), dtype=np.int64),
        who.conditions,
        who.condition[rows],
        who.age[rows],
        who.height[rows],
        {name: values[rows] for name, values in who.values.items()},
        {organ: left[rows] for organ, left in who.lesion.items()},
    )
    return taken, {name: chosen(numbers, rows) for name, numbers in some.baseline.items()}


def table(
    arm: str, wanted: Recruitment, some: Candidates, each: Sequence[Chosen], picked: Sequence[np.ndarray]
) -> Enrolled:
    """What was asked for beside what the men have who were picked (places among those chosen, per draw)."""
    rows = []
    for name, line in wanted.baseline.items():
        values = np.concatenate([one.readings[name][own] for one, own in zip(each, picked, strict=True)])
        middle = float(np.median(values) if line.median else np.mean(values))
        rows.append(Row(name, CANONICAL[name], line.mean, middle, line.sd, float(np.std(values))))
    for name, spread in (("age", wanted.age), ("BMI", wanted.BMI)):
        if spread is not None and name not in wanted.baseline:
            values = np.concatenate([some.state[name][one.rows[own]] for one, own in zip(each, picked, strict=True)])
            rows.append(
                Row(name, CANONICAL[name], spread.mean, float(np.mean(values)), spread.sd, float(np.std(values)))
            )
    size = len(some.men.id)
    eligible = sum(len(one.rows) for one in each) / size
    return Enrolled(arm, size, eligible, float(np.median([one.balanced.effective for one in each])), tuple(rows))
