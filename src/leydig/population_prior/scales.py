"""Natural values on the scale where men are normal, and the floor that stands for none."""

from __future__ import annotations

import numpy as np

from leydig.errors import InputError
from leydig.population_prior.loading import population
from leydig.population_prior.records import Transform

PERCENT = 100.0


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


def root(covariance: np.ndarray) -> np.ndarray:
    """A matrix whose square is the covariance, also where that is singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))
