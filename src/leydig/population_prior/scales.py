"""Natural values on the scale where men are normal, and the floor that stands for none."""

from __future__ import annotations

import numpy as np

from leydig.errors import InputError
from leydig.population_prior.loading import population
from leydig.population_prior.records import Transform
from leydig.ranges import Limits, limits

PERCENT = 100.0
CM_PER_M = 100.0


def floor(name: str) -> float:
    """The value that stands for none of a quantity where a logarithm is taken; 0 where there is no floor."""
    entry = population().floors.get(name)
    return entry.value if entry is not None else 0.0


def forward(name: str, value: float, transform: Transform) -> float:
    """A natural value on its transformed scale, with the floor where there is none of it."""
    if transform == "identity":
        return float(value)
    least = floor(name)
    if transform == "log":
        if max(value, least) <= 0:
            raise InputError(f"{name} must be above 0, not {value:g}")
        return float(np.log(max(value, least)))
    share = min(max(value, least), PERCENT - least) / PERCENT
    return float(np.log(share / (1 - share)))


def backward(name: str, z: np.ndarray, transform: Transform) -> np.ndarray:
    """Transformed values on the natural scale, within the accepted limits of the quantity."""
    natural = z
    if transform == "log":
        natural = np.exp(z)
    elif transform == "logit":
        natural = PERCENT / (1 + np.exp(-z))
    bounds = limits("accepted").get(name, Limits(-np.inf, np.inf))
    return np.clip(natural, bounds.low, bounds.high)


def left_of_weight(BMI: np.ndarray, height: np.ndarray | float, fat_mass: np.ndarray) -> np.ndarray:
    """Lean mass (kg), within its limits: what fat mass (kg) leaves of the weight at a BMI (kg/m2) and a height (cm)."""
    metres, bounds = height / CM_PER_M, limits("accepted")["lean_mass"]
    return np.clip(BMI * metres**2 - fat_mass, bounds.low, bounds.high)


def root(covariance: np.ndarray) -> np.ndarray:
    """A matrix whose square is the covariance, also where that is singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def deviates(covariance: np.ndarray, first: int, rng: np.random.Generator, n: int) -> np.ndarray:
    """``n`` rows of a normal distribution around zero with this covariance, also where it is singular.

    The ``first`` columns are drawn as if there were no others; what comes after follows from them and from random
    numbers of its own stream, so that a quantity that joins the file leaves earlier draws as they are.
    """
    head = root(covariance[:first, :first])
    shared = covariance[first:, :first] @ np.linalg.pinv(head).T
    rest = covariance[first:, first:] - shared @ shared.T
    lead = rng.standard_normal((n, first))
    own = rng.spawn(1)[0].standard_normal((n, len(rest)))
    return np.hstack([lead @ head.T, lead @ shared.T + own @ root((rest + rest.T) / 2).T])
