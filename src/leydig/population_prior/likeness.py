"""Virtual men of a published group: of its age and BMI, and open to be moved towards what was printed of it.

    crowd = crowd_like("obese-hypogonadal", seed=1, n=1000, age=Spread(40, 8), BMI=Spread(36, 4))
    found = men_of(crowd)

The men are those of ``drawing``, with ages and BMIs from the group. ``Crowd.z`` holds their quantities on the
transformed scale, where they may be shifted before they become men.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from leydig.population_prior import drawing
from leydig.population_prior.centers import likely_BMI
from leydig.population_prior.scales import backward
from leydig.population_prior.streams import normals, uniforms
from leydig.ranges import limits

LEAST_CHANCE = 1e-6  # of an age within its limits, below which the distribution counts as outside of them


class Spread(NamedTuple):
    """Mean and SD on some scale; without an SD men keep the spread that they have."""

    mean: float
    sd: float | None = None


class Crowd(NamedTuple):
    """``n`` men before they are men: ids from 0."""

    conditions: tuple[str, ...]
    members: tuple[np.ndarray, ...]  # places of the men of each condition
    body: drawing.Body
    z: dict[str, np.ndarray]  # (n,) by quantity, transformed
    seed: int


def crowd_like(
    mixture: str | Mapping[str, float],
    seed: int,
    n: int,
    *,
    age: Spread | None = None,
    ages: tuple[float, float] | None = None,
    BMI: Spread | None = None,
) -> Crowd:
    """``n`` men of a condition or mixture.

    ``age`` (years), ``BMI`` (kg/m2; log-normal) and ``ages`` (limits, years) stand in place of those of the condition.
    InputError as ``drawing.men``.
    """
    shares = tuple(drawing.shares_of(mixture))
    plain = drawing.men(mixture, seed, 0, n, ages=ages if age is None else None)
    members = tuple(np.flatnonzero(plain.condition == place) for place in range(len(shares)))
    years = plain.age if age is None else _ages(age, ages, seed, n)
    body = drawing.Body(years, plain.height, _masses(shares, members, years, BMI, seed, n))
    z = drawing.transformed(shares, members, body, drawing.scattered(seed, 0, n))
    return Crowd(shares, members, body, z, seed)


def men_of(crowd: Crowd) -> drawing.Men:
    """The men."""
    return drawing.completed(crowd.conditions, crowd.members, crowd.body, crowd.z, crowd.seed, 0)


def _ages(age: Spread, ages: tuple[float, float] | None, seed: int, n: int) -> np.ndarray:
    """Ages (years) of a normal distribution cut at the limits."""
    from scipy.special import ndtr, ndtri

    accepted = limits("accepted")["age"]
    low, high = ages or (accepted.low, accepted.high)
    if not age.sd:
        return np.full(n, float(np.clip(age.mean, accepted.low, accepted.high)))
    below, above = ndtr((np.array([low, high]) - age.mean) / age.sd)
    if above - below < LEAST_CHANCE:  # a mean far outside its own limits: the limits hold
        return low + (high - low) * uniforms(seed, "age", 0, n)
    drawn = age.mean + age.sd * ndtri(below + (above - below) * uniforms(seed, "age", 0, n))
    return np.clip(drawn, accepted.low, accepted.high)


def _masses(
    names: tuple[str, ...], members: tuple[np.ndarray, ...], age: np.ndarray, BMI: Spread | None, seed: int, n: int
) -> np.ndarray:
    """BMI (kg/m2)."""
    deviate = normals(seed, "BMI", 0, n)
    z = np.empty(n)
    for name, own in zip(names, members, strict=True):
        median, log_sd = likely_BMI(age[own], name)
        z[own] = np.log(median) + log_sd * deviate[own]
    if BMI is not None:
        log_sd = float(np.std(z)) if BMI.sd is None else float(np.sqrt(np.log1p((BMI.sd / BMI.mean) ** 2)))
        z = np.log(BMI.mean) - log_sd**2 / 2 + log_sd * deviate
    return backward("BMI", z, "log")
