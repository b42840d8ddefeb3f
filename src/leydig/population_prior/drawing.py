"""Virtual men: the joint distribution of a population, drawn man by man from his seed and id.

    found = men({"obese-hypogonadal": 0.7, "eugonadal": 0.3}, seed=1, first=0, n=1000)
    found.values["testosterone"]                    # (1000,) ng/dL, 24-hour mean on LC-MS/MS

It is the distribution of ``prior`` where a man's age and BMI are known: on the transformed scale of every quantity
(log, logit of a percentage, or identity)

    z = center(age, BMI, height, condition) + spread(age, BMI, condition) * (L e)_quantity

L        lower triangular, L L^T = correlations of data/population.yaml, quantities in the order of the file
e        independent standard normal deviates, one stream of random numbers per quantity
age, BMI, height    drawn first, from streams of their own: age by condition, log BMI by age or condition, height normal

Everything across men is done element by element, and L e is summed quantity by quantity: a matrix product may add in
another order for another number of men. So a man has the same bytes alone and among a million, and since L is
triangular a quantity that is added at the end of the file leaves the others as they are.

Source: data/population.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from leydig.errors import InputError
from leydig.population_prior.centers import center, condition_named, likely_BMI, spread_between, underlying
from leydig.population_prior.loading import correlation_matrix, population
from leydig.population_prior.records import LESIONS
from leydig.population_prior.scales import CM_PER_M, backward, left_of_weight
from leydig.population_prior.streams import normals, uniforms
from leydig.ranges import limits

SUM_TOLERANCE = 1e-9  # by how much the shares of a mixture may miss 1: rounding of decimal fractions


class Men(NamedTuple):
    """``n`` virtual men, untreated. All arrays have one entry per man."""

    id: np.ndarray  # (n,) whole numbers
    conditions: tuple[str, ...]  # of the mixture, in the order of the file
    condition: np.ndarray  # (n,) index into ``conditions``
    age: np.ndarray  # (n,) years
    height: np.ndarray  # (n,) cm
    values: dict[str, np.ndarray]  # BMI, every quantity of the population and lean_mass, canonical units, (n,) each
    lesion: dict[str, np.ndarray]  # what is left of each organ's capacity, (n,) by organ; 1 where it is intact


def some_men(whole: Men, which: np.ndarray | slice) -> Men:
    """Those men of a group that are asked for, by place or by truth; a place may be named again."""
    return whole._replace(
        id=whole.id[which],
        condition=whole.condition[which],
        age=whole.age[which],
        height=whole.height[which],
        values={name: values[which] for name, values in whole.values.items()},
        lesion={organ: left[which] for organ, left in whole.lesion.items()},
    )


def men(
    mixture: str | Mapping[str, float], seed: int, first: int, n: int, *, ages: tuple[float, float] | None = None
) -> Men:
    """The men with ids ``first`` to ``first + n - 1`` of a condition or of a mixture of conditions with their shares.

    A man is decided by mixture, ages, seed and id, bit for bit on one instruction set, whatever else is drawn with
    him. ``ages`` (low, high; years) makes every age between the two alike likely, for all conditions.

    As in ``prior``, a man whose condition is a lesion has the values of an intact man of his age: what the lesion
    does to them is computed from ``lesion``.

    Raises InputError: unknown condition, shares that are not positive or do not add to 1, ages outside what is
    accepted, seed, id or number of men that is no whole number of 0 or more.
    """
    shares = shares_of(mixture)
    bounds = _bounds(ages)
    steps = np.cumsum(list(shares.values()))[:-1]
    condition = np.searchsorted(steps, uniforms(seed, "condition", first, n), side="right")
    members = [np.flatnonzero(condition == k) for k in range(len(shares))]

    chance, of_mass = uniforms(seed, "age", first, n), normals(seed, "BMI", first, n)
    height = heights(seed, first, n)
    age, log_mass = np.empty(n), np.empty(n)
    for name, own in zip(shares, members, strict=True):
        likely = condition_named(name).age
        age[own] = (
            likely.at_shares(chance[own]) if bounds is None else bounds[0] + (bounds[1] - bounds[0]) * chance[own]
        )
        median, log_sd = likely_BMI(age[own], name)
        log_mass[own] = np.log(median) + log_sd * of_mass[own]
    body = Body(age, height, backward("BMI", log_mass, "log"))
    places = transformed(tuple(shares), members, body, scattered(seed, first, n))
    return completed(tuple(shares), members, body, places, seed, first)


class Body(NamedTuple):
    """What is drawn before the quantities, (n,) each."""

    age: np.ndarray  # years
    height: np.ndarray  # cm
    BMI: np.ndarray  # kg/m2


def heights(seed: int, first: int, n: int) -> np.ndarray:
    """Heights (cm)."""
    file, accepted = population(), limits("accepted")["height"]
    metres = file.height.value + file.height_sd.value * normals(seed, "height", first, n)
    return np.clip(metres * CM_PER_M, accepted.low, accepted.high)


def transformed(
    conditions: Sequence[str], members: Sequence[np.ndarray], body: Body, own: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """z of every quantity (n,); ``own`` is how far every man lies from men like him, see ``scattered``."""
    found = {}
    for name, quantity in population().quantities.items():
        z = np.empty(len(body.age))
        for condition, some in zip(conditions, members, strict=True):
            state, his = underlying(condition), (body.age[some], body.BMI[some])
            middle = center(quantity, name, *his, body.height[some] / CM_PER_M, state)
            z[some] = middle + spread_between(quantity, name, *his, state) * own[name][some]
        found[name] = z
    return found


def completed(
    conditions: Sequence[str], members: Sequence[np.ndarray], body: Body, z: Mapping[str, np.ndarray], seed: int,
    first: int,
) -> Men:  # fmt: skip
    """The men whose quantities stand at ``z``, with the lesions of their conditions."""
    n = len(body.age)
    values = {"BMI": body.BMI}
    for name, quantity in population().quantities.items():
        values[name] = backward(name, z[name], quantity.transform)
    values["lean_mass"] = left_of_weight(values["BMI"], body.height, values["fat_mass"])

    lesion = {organ: np.ones(n) for organ in LESIONS}
    for organ in {organ for name in conditions for organ in condition_named(name).lesion}:
        of_organ = normals(seed, f"lesion {organ}", first, n)
        for name, own in zip(conditions, members, strict=True):
            severity = condition_named(name).lesion.get(organ)
            if severity is not None:
                drawn = severity.median * np.exp(severity.log_sd * of_organ[own])
                lesion[organ][own] = np.clip(drawn, severity.low, severity.high)
    condition = np.empty(n, np.int64)
    for place, own in enumerate(members):
        condition[own] = place
    ids = np.arange(first, first + n, dtype=np.int64)
    return Men(ids, tuple(conditions), condition, body.age, body.height, values, lesion)


def scattered(seed: int, first: int, n: int) -> dict[str, np.ndarray]:
    """L e by quantity, (n,) each: how far every man lies from men like him, in standard deviations between them."""
    own: dict[str, np.ndarray] = {}
    found: dict[str, np.ndarray] = {}
    for name, weights in _weights().items():
        own[name] = normals(seed, f"quantity {name}", first, n)
        total = np.zeros(n)
        for other, weight in weights.items():
            total = total + weight * own[other]
        found[name] = total
    return found


@cache
def _weights() -> dict[str, dict[str, float]]:
    """The rows of L without their zeros."""
    file = population()
    lower, names = np.linalg.cholesky(correlation_matrix(file)), list(file.quantities)
    return {
        name: {other: float(lower[i, j]) for j, other in enumerate(names[: i + 1]) if lower[i, j]}
        for i, name in enumerate(names)
    }


def shares_of(mixture: str | Mapping[str, float]) -> dict[str, float]:
    """The shares by condition in the order of the file, so that the order in which they are named does not matter."""
    given = {mixture: 1.0} if isinstance(mixture, str) else dict(mixture)
    for name, share in given.items():
        condition_named(name, "the mixture")
        if isinstance(share, bool) or not isinstance(share, int | float | np.number) or not 0 < share <= 1:
            raise InputError(f'the share of "{name}" in the mixture must be above 0 and at most 1, not {share!r}')
    total = sum(given.values())
    if not abs(total - 1) <= SUM_TOLERANCE:
        raise InputError(f"the shares of the mixture must add to 1, not to {total:g}")
    return {name: float(given[name]) for name in population().conditions if name in given}


def _bounds(ages: tuple[float, float] | None) -> tuple[float, float] | None:
    """The lowest and highest age when they can be used."""
    if ages is None:
        return None
    accepted = limits("accepted")["age"]
    low, high = (float(age) for age in ages)
    if not accepted.low <= low <= high <= accepted.high:
        raise InputError(
            f"ages must rise and lie between {accepted.low:g} and {accepted.high:g} years, not {low:g} to {high:g}"
        )
    return low, high
