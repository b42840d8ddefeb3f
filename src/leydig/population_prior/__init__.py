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

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from leydig.errors import InputError, unknown
from leydig.laboratory import Limits, limits
from leydig.population_prior.loading import correlation_matrix, population
from leydig.population_prior.records import HIDDEN, Condition, Population, Quantity, Severity, Transform

__all__ = [
    "HIDDEN",
    "Condition",
    "Population",
    "Prior",
    "condition_named",
    "condition_on",
    "conditions",
    "draw",
    "draw_lesion",
    "floor",
    "likely_BMI",
    "medians",
    "natural",
    "population",
    "prior",
    "quantiles",
    "reference_height",
    "standard_deviations",
    "typical",
    "typical_lesion",
]

BODY_MASS_INDEX = "BMI"
CM_PER_M = 100.0
PERCENT = 100.0


class Prior(NamedTuple):
    """A normal distribution on the transformed scale, with the values that are known exactly."""

    names: tuple[str, ...]  # BMI first, then the quantities of the file
    transforms: tuple[Transform, ...]
    mean: np.ndarray  # (k,) transformed
    covariance: np.ndarray  # (k, k) transformed; zero rows where a value is known
    known: dict[str, float]  # natural scale, as given
    age: float  # years
    condition: str


def conditions() -> list[str]:
    """The names of all conditions."""
    return list(population().conditions)


def condition_named(name: str, where: str = "") -> Condition:
    """A condition; InputError with the nearest name when there is none."""
    known = population().conditions
    if name not in known:
        raise unknown("condition", name, known, where)
    return known[name]


def prior(
    age: float | None, bmi: float | None = None, condition: str = "eugonadal", height: float | None = None
) -> Prior:
    """The distribution of untreated men of an age (years), BMI (kg/m2) and condition; height in cm.

    Without a BMI it is one of the unknowns. A condition with a lesion has the distribution of eugonadal men: the
    lesion comes on top (``typical_lesion``, ``draw_lesion``). InputError when the age is missing.
    """
    if age is None:
        raise InputError("the age is missing; it is the only value that must be given")
    file, state = population(), condition_named(condition)
    if state.lesion:
        state = file.conditions["eugonadal"]
    metres = (height if height is not None else reference_height()) / CM_PER_M
    median, log_sd = likely_BMI(age, condition)
    known = {} if bmi is None else {BODY_MASS_INDEX: float(bmi)}
    at = median if bmi is None else float(bmi)
    spread = np.array([_spread(q, name, age, at, state) for name, q in file.quantities.items()])
    inner = correlation_matrix(file) * np.outer(spread, spread)
    mean = np.array([_center(q, name, age, at, metres, state) for name, q in file.quantities.items()])
    size = 1 + len(mean)
    covariance = np.zeros((size, size))
    covariance[1:, 1:] = inner
    if bmi is None:
        low, high = median * np.exp(-log_sd), median * np.exp(log_sd)
        moved = [
            _center(q, name, age, high, metres, state) - _center(q, name, age, low, metres, state)
            for name, q in file.quantities.items()
        ]
        loading = np.concatenate(([log_sd], np.array(moved) / 2))  # per standard deviation of log BMI
        covariance += np.outer(loading, loading)
    return Prior(
        names=(BODY_MASS_INDEX, *file.quantities),
        transforms=("log", *(q.transform for q in file.quantities.values())),
        mean=np.concatenate(([np.log(at)], mean)),
        covariance=covariance,
        known=known,
        age=float(age),
        condition=condition,
    )


def condition_on(before: Prior, measured: Mapping[str, float], error: Mapping[str, float] | None = None) -> Prior:
    """The distribution of men with these values (canonical units).

    ``error`` gives the standard deviation of a measurement on its transformed scale; without one the value is
    exact and stays what it is in every draw. Values at a bound (azoospermia) count as the floor of the file.
    """
    names = [name for name in before.names if name in measured]
    for name in measured:
        if name not in before.names:
            raise unknown("quantity", name, before.names)
    if not names:
        return before
    noise = np.array([(error or {}).get(name, 0.0) ** 2 for name in names])
    index = np.array([before.names.index(name) for name in names])
    transforms = [before.transforms[i] for i in index]
    given = np.array([forward(name, measured[name], how) for name, how in zip(names, transforms, strict=True)])
    cross = before.covariance[:, index]
    inner = before.covariance[np.ix_(index, index)] + np.diag(noise)
    # a value that was known already adds nothing: the pseudo-inverse passes over it
    gain = cross @ np.linalg.pinv(inner, hermitian=True)
    mean = before.mean + gain @ (given - before.mean[index])
    covariance = before.covariance - gain @ cross.T
    covariance = (covariance + covariance.T) / 2
    known = dict(before.known)
    for name, i, value in zip(names, index, noise, strict=True):
        if value == 0 and name not in known:
            known[name] = float(measured[name])
            covariance[i, :] = covariance[:, i] = 0.0
    return before._replace(mean=mean, covariance=covariance, known=known)


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
    return natural(after, after.mean + rng.standard_normal((n, len(after.names))) @ root(after.covariance).T)


def root(covariance: np.ndarray) -> np.ndarray:
    """A matrix whose square is the covariance, also where that is singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def typical_lesion(condition: str) -> dict[str, float]:
    """What the lesion of a condition leaves of each organ's capacity in the median case; empty without a lesion."""
    return {organ: severity.median for organ, severity in condition_named(condition).lesion.items()}


def draw_lesion(condition: str, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """``n`` severities of the condition's lesion by organ."""
    return {organ: _severities(s, rng, n) for organ, s in condition_named(condition).lesion.items()}


def _severities(severity: Severity, rng: np.random.Generator, n: int) -> np.ndarray:
    """Log-normal severities within their bounds."""
    return np.clip(severity.median * np.exp(severity.log_sd * rng.standard_normal(n)), severity.low, severity.high)


def likely_BMI(age: float, condition: str) -> tuple[float, float]:
    """Median BMI (kg/m2) and its log-SD among men of an age and condition."""
    file, own = population(), condition_named(condition).BMI
    if own is not None:
        return own.median, own.log_sd
    return float(np.interp(age, file.BMI.median.at, file.BMI.median.value)), file.BMI.log_sd.value


def reference_height() -> float:
    """The height (cm) of a man whose height is not given."""
    return population().height.value * CM_PER_M


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


def natural(after: Prior, z: np.ndarray) -> dict[str, np.ndarray]:
    """Rows of transformed values as arrays by name: clipped to what is possible, known values as given."""
    accepted = limits("accepted")
    values = {}
    for i, (name, transform) in enumerate(zip(after.names, after.transforms, strict=True)):
        if name in after.known:
            values[name] = np.full(len(z), after.known[name])
            continue
        column = z[:, i]
        if transform == "log":
            column = np.exp(column)
        elif transform == "logit":
            column = PERCENT / (1 + np.exp(-column))
        bounds = accepted.get(name, Limits(-np.inf, np.inf))
        values[name] = np.clip(column, bounds.low, bounds.high)
    return values


def _center(q: Quantity, name: str, age: float, bmi: float, metres: float, state: Condition) -> float:
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


def _spread(q: Quantity, name: str, age: float, bmi: float, state: Condition) -> float:
    """The standard deviation on the transformed scale."""
    shift = state.shift.get(name)
    if shift is not None and shift.spread is not None:
        return shift.spread
    if q.body_fat is not None:
        return q.body_fat.error / q.body_fat.percent(age, bmi)
    assert q.spread is not None
    return q.spread.at_age(age)
