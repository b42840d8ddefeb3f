"""Whether a change of weight leaves a man who can be: his BMI at its lowest and highest."""

import warnings
from collections.abc import Sequence

import numpy as np

from leydig import ranges
from leydig.errors import InputError, ModelWarning
from leydig.pharmacology.kinetics import evaluate
from leydig.pharmacology.levers import WEIGHT, LeverEvent, limits, weight_change


def possible(levers: Sequence[LeverEvent], BMI: np.ndarray) -> np.ndarray:
    """Which of many men, of these BMIs (n,), stay within the accepted range; nobody is warned."""
    changes = [event for event in levers if event.lever == WEIGHT]
    if not changes:
        return np.ones(len(BMI), bool)
    share = 1 + evaluate(weight_change(changes), _ends(changes))
    accepted = ranges.limits("accepted")["BMI"]
    return np.asarray((BMI * share.min() >= accepted.low) & (BMI * share.max() <= accepted.high))


def _ends(changes: Sequence[LeverEvent]) -> np.ndarray:
    return np.array([moment for event in changes for moment in (event.time, event.time + event.duration)])


def check(levers: Sequence[LeverEvent], BMI: float) -> None:
    """InputError where a man of this BMI would leave the accepted range; ModelWarning where he would be underweight.

    Below it hunger itself lowers the axis, which is not modelled.
    """
    changes = [event for event in levers if event.lever == WEIGHT]
    if not changes:
        return
    thin, tested = limits().underweight, limits().tested
    reached = BMI * (1 + evaluate(weight_change(changes), _ends(changes)))
    low, high = float(reached.min()), float(reached.max())
    accepted = ranges.limits("accepted")["BMI"]
    if low < accepted.low or high > accepted.high:
        raise InputError(
            f"the change of weight takes his BMI from {BMI:.1f} to {low if low < accepted.low else high:.1f}; "
            f"it must stay from {accepted.low:g} to {accepted.high:g} kg/m2"
        )
    if low < min(thin, BMI):
        warnings.warn(
            f"the change of weight takes his BMI from {BMI:.1f} to {low:.1f}; below {thin:g} kg/m2 hunger lowers the "
            "axis, which is not modelled",
            ModelWarning,
            stacklevel=2,
        )
    if low < (1 - tested) * BMI or high > (1 + tested) * BMI:
        warnings.warn(
            f"a weight that changes by more than {tested:.0%} lies outside the trials behind lipids, insulin "
            "sensitivity, CRP and dilation; their numbers extrapolate",
            ModelWarning,
            stacklevel=2,
        )
