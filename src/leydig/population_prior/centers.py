"""Where one quantity lies among men of an age, BMI and condition, and how far they differ, on its transformed scale."""

from __future__ import annotations

import numpy as np

from leydig.population_prior.records import Condition, Quantity
from leydig.population_prior.scales import PERCENT, forward


def center(q: Quantity, name: str, age: float, bmi: float, metres: float, state: Condition) -> float:
    """The mean on the transformed scale."""
    if q.body_fat is not None:
        z = float(np.log(q.body_fat.percent(age, bmi) / PERCENT * bmi * metres**2))
    else:
        assert q.center is not None
        z = forward(name, q.center.value, q.transform)
        z += q.age.effect(age, q.transform) if q.age else 0.0
        z += q.BMI.effect(bmi, q.transform) if q.BMI else 0.0
    shift = state.shift.get(name)
    return z + (float(np.log(shift.factor)) if shift else 0.0)


def spread_between(q: Quantity, name: str, age: float, bmi: float, state: Condition) -> float:
    """The standard deviation on the transformed scale."""
    shift = state.shift.get(name)
    if shift is not None and shift.spread is not None:
        return shift.spread
    if q.body_fat is not None:
        return q.body_fat.error / q.body_fat.percent(age, bmi)
    assert q.spread is not None
    return q.spread.at_age(age)
