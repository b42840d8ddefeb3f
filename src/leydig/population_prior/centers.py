"""Where one quantity lies among men of an age, BMI and condition, and how far they differ, on its transformed scale.

Ages, BMIs and heights are numbers or arrays of one shape; the results have it too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from leydig.errors import unknown
from leydig.population_prior.loading import population
from leydig.population_prior.records import Condition, Quantity
from leydig.population_prior.scales import PERCENT, forward


def conditions() -> list[str]:
    """The names of all conditions."""
    return list(population().conditions)


def condition_named(name: str, where: str = "") -> Condition:
    """A condition; InputError with the nearest name when there is none."""
    known = population().conditions
    if name not in known:
        raise unknown("condition", name, known, where)
    return known[name]


def underlying(name: str) -> Condition:
    """Whose distribution the men of a condition have: a lesion comes on top of that of eugonadal men."""
    found = condition_named(name)
    return population().conditions["eugonadal"] if found.lesion else found


def likely_BMI(age: Any, condition: str) -> tuple[Any, float]:
    """Median BMI (kg/m2) and its log-SD among men of an age and condition."""
    file, own = population(), condition_named(condition).BMI
    if own is not None:
        return own.median, own.log_sd
    return np.interp(age, file.BMI.median.at, file.BMI.median.value), file.BMI.log_sd.value


def center(q: Quantity, name: str, age: Any, bmi: Any, metres: Any, state: Condition) -> Any:
    """The mean on the transformed scale."""
    if q.body_fat is not None:
        z: Any = np.log(q.body_fat.percent(age, bmi) / PERCENT * bmi * metres**2)
    else:
        assert q.center is not None
        z = forward(name, q.center.value, q.transform)
        z = z + (q.age.effects(age, q.transform) if q.age else 0.0)
        z = z + (q.BMI.effects(bmi, q.transform) if q.BMI else 0.0)
    shift = state.shift.get(name)
    return z + (float(np.log(shift.factor)) if shift else 0.0)


def spread_between(q: Quantity, name: str, age: Any, bmi: Any, state: Condition) -> Any:
    """The standard deviation on the transformed scale."""
    shift = state.shift.get(name)
    if shift is not None and shift.spread is not None:
        return shift.spread
    if q.body_fat is not None:
        return q.body_fat.error / q.body_fat.percent(age, bmi)
    assert q.spread is not None
    return q.spread.at_ages(age)
