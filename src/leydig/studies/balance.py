"""Weights that give a sample the means that are asked for and otherwise change it as little as they can.

Entropy balancing: of all weights under which the features have the wanted means, those nearest the given ones in the
sense of Kullback and Leibler, w_i ~ exp(lambda . (f_i - target)). A ridge on lambda lets a target that the sample
cannot reach be missed instead of putting all weight on a few.

Source: hainmueller2012 (the method).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

GROWTH = 4.0  # of the ridge, from one attempt to the next


class Balanced(NamedTuple):
    """Weights (n,) that add to 1, and how many equal ones they are worth."""

    weights: np.ndarray
    effective: float


def balance(features: np.ndarray, ridge: float, least: float) -> Balanced:
    """Weights of n rows of ``features`` (n, k), each the distance from its target in a unit of its own.

    ``ridge``: a target is missed by ``ridge`` times its multiplier; it grows until the weights are worth ``least``
    equal ones, or half of the rows where these are few.
    """
    n, k = features.shape
    if not k:
        return Balanced(np.full(n, 1 / n), float(n))
    found = _balanced(features, ridge)
    while found.effective < min(least, n / 2):
        ridge *= GROWTH
        found = _balanced(features, ridge)
    return found


def _balanced(features: np.ndarray, ridge: float) -> Balanced:
    from scipy.optimize import minimize

    n, k = features.shape

    def dual(multipliers: np.ndarray) -> tuple[float, np.ndarray]:
        score = features @ multipliers
        top = score.max()
        weights = np.exp(score - top)
        total = weights.sum()
        slope = weights @ features / total + ridge * multipliers
        return float(np.log(total / n) + top + ridge / 2 * multipliers @ multipliers), slope

    found = minimize(dual, np.zeros(k), jac=True, method="BFGS", options={"gtol": 1e-6})
    score = features @ found.x
    weights = np.exp(score - score.max())
    weights /= weights.sum()
    return Balanced(weights, float(1 / np.sum(weights**2)))


def resampled(weights: np.ndarray, n: int, offset: float) -> np.ndarray:
    """``n`` rows, each as often as its weight says, as evenly as possible (``offset`` from 0 to 1); not in order."""
    steps = np.cumsum(weights)
    rows = np.searchsorted(steps / steps[-1], (np.arange(n) + offset) / n)
    rows = np.minimum(rows, len(weights) - 1)
    return rows[np.argsort(np.modf((np.arange(n) + 1) * 0.6180339887498949)[0], kind="stable")]
