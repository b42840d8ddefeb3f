"""The joint distribution of untreated men's values given age, BMI and condition: what is not measured is assumed here.

On each quantity's transformed scale z (log, logit of a percentage, or identity) men are multivariate normal,

    z ~ N(center + age effect + BMI effect + shift of the condition, D R D)

D: standard deviations between men of one age and BMI; R: their correlations. Where a man's BMI is missing, log BMI
joins z with its own distribution by age, and the effect of BMI is taken as straight over its likely range. Known
values condition the rest exactly. Values are 24-hour means on the LC-MS/MS scale, in canonical units.

    draws = draw(condition_on(prior(68, 28.4, "ageing-low-testosterone"), {"testosterone": 320.0}), rng, 200)

Source: data/population.yaml.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from leydig.errors import InputError, unknown
from leydig.population_prior.centers import (
    center,
    condition_named,
    conditions,
    likely_BMI,
    spread_between,
    underlying,
)
from leydig.population_prior.density import density_reference
from leydig.population_prior.drawing import Men, men, some_men
from leydig.population_prior.likeness import Crowd, Spread, crowd_like, men_of
from leydig.population_prior.loading import correlation_matrix, population
from leydig.population_prior.records import HIDDEN, Condition, Population, Severity, Transform
from leydig.population_prior.scales import CM_PER_M, backward, deviates, floor, forward, left_of_weight, root
from leydig.population_prior.streams import multipliers
from leydig.ranges import limits

__all__ = [
    "CM_PER_M",
    "HIDDEN",
    "LEAN_MASS",
    "Condition",
    "Crowd",
    "Men",
    "Population",
    "Prior",
    "Spread",
    "condition_named",
    "condition_on",
    "conditions",
    "crowd_like",
    "density_reference",
    "deviates",
    "draw",
    "draw_lesion",
    "floor",
    "forward",
    "lean_mass",
    "likely_BMI",
    "medians",
    "men",
    "men_of",
    "multipliers",
    "natural",
    "population",
    "prior",
    "quantiles",
    "reference_height",
    "root",
    "scatter",
    "shift",
    "some_men",
    "standard_deviations",
    "typical",
    "typical_lesion",
]

BODY_MASS_INDEX = "BMI"
LEAN_MASS = "lean_mass"  # all that is not fat: weight less fat mass, so it has no distribution of its own


class Prior(NamedTuple):
    """A normal distribution on the transformed scale, with the values that are known exactly."""

    names: tuple[str, ...]  # BMI first, then the quantities of the file
    transforms: tuple[Transform, ...]
    mean: np.ndarray  # (k,) transformed
    covariance: np.ndarray  # (k, k) transformed; zero rows where a value is known
    known: dict[str, float]  # natural scale, as given
    age: float  # years
    height: float  # cm; the reference height where his is not known
    condition: str
    lowest: np.ndarray  # (k,) transformed; a measured value beyond these informs the others as this one would
    highest: np.ndarray  # (k,)


def prior(
    age: float | None, bmi: float | None = None, condition: str = "eugonadal", height: float | None = None
) -> Prior:
    """The distribution of untreated men of an age (years), BMI (kg/m2) and condition; height in cm.

    Without a BMI it is one of the unknowns. A condition with a lesion has the distribution of eugonadal men: the
    lesion comes on top (``typical_lesion``, ``draw_lesion``). InputError when the age is missing.
    """
    if age is None:
        raise InputError("the age is missing; it is the only value that must be given")
    file, state = population(), underlying(condition)
    metres = (height if height is not None else reference_height()) / CM_PER_M
    median, log_sd = likely_BMI(age, condition)
    known = {} if bmi is None else {BODY_MASS_INDEX: float(bmi)}
    at = median if bmi is None else float(bmi)
    spread = np.array([spread_between(q, name, age, at, state) for name, q in file.quantities.items()])
    inner = correlation_matrix(file) * np.outer(spread, spread)
    mean = np.array([center(q, name, age, at, metres, state) for name, q in file.quantities.items()])
    size = 1 + len(mean)
    covariance = np.zeros((size, size))
    covariance[1:, 1:] = inner
    if bmi is None:
        low, high = median * np.exp(-log_sd), median * np.exp(log_sd)
        moved = [
            center(q, name, age, high, metres, state) - center(q, name, age, low, metres, state)
            for name, q in file.quantities.items()
        ]
        loading = np.concatenate(([log_sd], np.array(moved) / 2))  # per standard deviation of log BMI
        covariance += np.outer(loading, loading)
    mean = np.concatenate(([np.log(at)], mean))
    reach = file.informs_within.value * np.sqrt(np.diag(covariance))
    return Prior(
        names=(BODY_MASS_INDEX, *file.quantities),
        transforms=("log", *(q.transform for q in file.quantities.values())),
        mean=mean,
        covariance=covariance,
        known=known,
        age=float(age),
        height=metres * CM_PER_M,
        condition=condition,
        lowest=mean - reach,
        highest=mean + reach,
    )


def condition_on(before: Prior, measured: Mapping[str, float], error: Mapping[str, float] | None = None) -> Prior:
    """The distribution of men with these values (canonical units).

    ``error`` gives the standard deviation of a measurement on its transformed scale; without one the value is
    exact and stays what it is in every draw. Values at a bound (azoospermia) count as the floor of the file, and a
    value far from those of other men informs the rest only as far as ``shift`` says.
    """
    if not measured:
        return before
    names, index, gain = _gain(before, measured, error)
    mean = before.mean + shift(before, measured, error)[0]
    covariance = before.covariance - gain @ before.covariance[index]
    covariance = (covariance + covariance.T) / 2
    known = dict(before.known)
    for name, i in zip(names, index, strict=True):
        if not (error or {}).get(name, 0.0) and name not in known:
            known[name] = float(measured[name])
            mean[i] = forward(name, measured[name], before.transforms[i])
            covariance[i, :] = covariance[:, i] = 0.0
    return before._replace(mean=mean, covariance=covariance, known=known)


def shift(
    before: Prior, measured: Mapping[str, float] | Mapping[str, np.ndarray], error: Mapping[str, float] | None = None
) -> np.ndarray:
    """How far measured values move the mean of every quantity, (n, k) on the transformed scale.

    ``measured`` holds one value by name, or arrays (n,) of values that may be meant. A straight line between two
    quantities was seen only where men are: a value more than ``informs_within`` standard deviations from the mean
    of men of his age, BMI and condition informs the others as one at that distance would.
    """
    if not measured:
        return np.zeros((1, len(before.names)))
    names, index, gain = _gain(before, measured, error)
    given = np.array(
        [
            [forward(name, value, before.transforms[i]) for value in np.atleast_1d(measured[name])]
            for name, i in zip(names, index, strict=True)
        ]
    ).T
    return (np.clip(given, before.lowest[index], before.highest[index]) - before.mean[index]) @ gain.T


def _gain(
    before: Prior, measured: Collection[str], error: Mapping[str, float] | None
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The measured names in order, their places (m,), and how one unit of each one's surprise moves all (k, m)."""
    for name in measured:
        if name not in before.names:
            raise unknown("quantity", name, before.names)
    names = [name for name in before.names if name in measured]
    index = np.array([before.names.index(name) for name in names])
    noise = np.array([(error or {}).get(name, 0.0) ** 2 for name in names])
    inner = before.covariance[np.ix_(index, index)] + np.diag(noise)
    # a value that was known already adds nothing: the pseudo-inverse passes over it
    return names, index, before.covariance[:, index] @ np.linalg.pinv(inner, hermitian=True)


def lean_mass(after: Prior, deviations: float) -> tuple[float, float]:
    """The lean mass (kg) this many standard deviations below and above that of the median man.

    BMI and fat move it in opposite directions; near the median man it follows both in a straight line.
    """
    at = medians(after, after.mean)
    slope = np.zeros(len(after.names))
    slope[after.names.index(BODY_MASS_INDEX)] = at[BODY_MASS_INDEX] * (after.height / CM_PER_M) ** 2
    slope[after.names.index("fat_mass")] = -at["fat_mass"]
    reach = deviations * float(np.sqrt(max(slope @ after.covariance @ slope, 0.0)))
    bounds = limits("accepted")[LEAN_MASS]
    low, high = np.clip((at[LEAN_MASS] - reach, at[LEAN_MASS] + reach), bounds.low, bounds.high)
    return float(low), float(high)


def typical(after: Prior) -> dict[str, float]:
    """The median man: every value on its natural scale, the known ones as given."""
    return medians(after, after.mean)


def medians(after: Prior, z: np.ndarray) -> dict[str, float]:
    """Natural values for one position on the transformed scale, within the accepted limits."""
    return {name: float(value[0]) for name, value in natural(after, z[None, :]).items()}


def quantiles(after: Prior, name: str, deviations: float) -> tuple[float, float]:
    """The values of one quantity this many standard deviations below and above its median."""
    i = after.names.index(name)
    reach = deviations * standard_deviations(after)[i]
    low, high = after.mean.copy(), after.mean.copy()
    low[i], high[i] = low[i] - reach, high[i] + reach
    return medians(after, low)[name], medians(after, high)[name]


def standard_deviations(after: Prior) -> np.ndarray:
    """Standard deviation of each quantity on its transformed scale; zero where it is known."""
    return np.sqrt(np.maximum(np.diag(after.covariance), 0.0))


def draw(after: Prior, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """``n`` men: arrays by name on the natural scale, within the accepted limits."""
    return natural(after, after.mean + scatter(after, rng, n))


def scatter(after: Prior, rng: np.random.Generator, n: int) -> np.ndarray:
    """How ``n`` men differ from the mean, (n, k) on the transformed scale."""
    first = after.names.index(population().drawn_first_through) + 1
    return deviates(after.covariance, first, rng, n)


def typical_lesion(condition: str) -> dict[str, float]:
    """What the lesion of a condition leaves of each organ's capacity in the median case; empty without a lesion."""
    return {organ: severity.median for organ, severity in condition_named(condition).lesion.items()}


def draw_lesion(condition: str, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """``n`` severities of the condition's lesion by organ."""
    return {organ: _severities(s, rng, n) for organ, s in condition_named(condition).lesion.items()}


def _severities(severity: Severity, rng: np.random.Generator, n: int) -> np.ndarray:
    """Log-normal severities within their bounds."""
    return np.clip(severity.median * np.exp(severity.log_sd * rng.standard_normal(n)), severity.low, severity.high)


def reference_height() -> float:
    """The height (cm) of a man whose height is not given."""
    return population().height.value * CM_PER_M


def natural(after: Prior, z: np.ndarray) -> dict[str, np.ndarray]:
    """Rows of transformed values as arrays by name: clipped to what is possible, known values as given.

    ``lean_mass`` joins them as what fat leaves of the weight.
    """
    values = {
        name: np.full(len(z), after.known[name]) if name in after.known else backward(name, z[:, i], transform)
        for i, (name, transform) in enumerate(zip(after.names, after.transforms, strict=True))
    }
    values[LEAN_MASS] = left_of_weight(values[BODY_MASS_INDEX], after.height, values["fat_mass"])
    return values
