"""Estimates from groups of men: means, shares, ratios and adjusted differences with intervals and p values.

Every function works on the last axis, men, and on all axes before it at once, so that thousands of replicate trials
are one call. A missing reading is nan and its man is left out of that estimate. Tests are two-sided.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

LEVEL = 0.05  # of significance, and 1 less the confidence of intervals
Z = float(ndtri(1 - LEVEL / 2))
PERCENT = 100.0


class Estimate(NamedTuple):
    """One number with its uncertainty; arrays over replicates, or single numbers. nan where it cannot be had."""

    value: Any
    error: Any  # standard error; of a ratio that of its logarithm
    low: Any  # 95 % interval
    high: Any
    p: Any  # of no effect; nan where there is no such hypothesis
    n: Any  # men that it rests on


class Moments(NamedTuple):
    """Of men whose number is there: how many, mean, sample variance."""

    n: np.ndarray
    mean: np.ndarray
    variance: np.ndarray


def moments(x: np.ndarray) -> Moments:
    """Number, mean and sample variance along the last axis, without what is missing."""
    there = np.isfinite(x)
    n = there.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, x, 0.0).sum(axis=-1) / n
        off = np.where(there, x - mean[..., None], 0.0)
        variance = np.where(n > 1, (off**2).sum(axis=-1) / (n - 1), np.nan)
    return Moments(n, mean, variance)


def by_t(value: Any, error: Any, df: Any, n: Any, tested: bool = True) -> Estimate:
    """An estimate whose error has ``df`` degrees of freedom."""
    value, error, df = np.asarray(value, float), np.asarray(error, float), np.asarray(df, float)
    usable = df > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = np.where(usable, stdtrit(np.where(usable, df, 1.0), 1 - LEVEL / 2), np.nan) * error
        p = 2 * stdtr(np.where(usable, df, 1.0), -np.abs(value / error))
    return Estimate(
        value, error, value - reach, value + reach, np.where(usable & tested, p, np.nan), np.asarray(n, float)
    )


def one_mean(x: np.ndarray, tested: bool = True) -> Estimate:
    """The mean of one group, with Student's t; ``tested`` against 0."""
    m = moments(x)
    with np.errstate(invalid="ignore", divide="ignore"):
        return by_t(m.mean, np.sqrt(m.variance / m.n), m.n - 1, m.n, tested)


def difference(x: np.ndarray, y: np.ndarray) -> Estimate:
    """The mean of ``x`` less that of ``y``: Welch's t."""
    return _apart(moments(x), moments(y))


def _apart(a: Moments, b: Moments) -> Estimate:
    with np.errstate(invalid="ignore", divide="ignore"):
        one, other = a.variance / a.n, b.variance / b.n
        df = (one + other) ** 2 / (one**2 / (a.n - 1) + other**2 / (b.n - 1))
        return by_t(a.mean - b.mean, np.sqrt(one + other), df, a.n + b.n)


def change_of_means(before: np.ndarray, after: np.ndarray) -> Moments:
    """Percent change of the mean, as moments of one man: variance over n is that of the estimate (delta method)."""
    pair = np.isfinite(before) & np.isfinite(after)
    first, then = np.where(pair, before, np.nan), np.where(pair, after, np.nan)
    a, b = moments(first), moments(then)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = b.mean / a.mean
        # of a ratio of means: the spread of (after - ratio * before) over the mean before
        spread = moments((then - ratio[..., None] * first) / a.mean[..., None]).variance
    return Moments(a.n, PERCENT * (ratio - 1), PERCENT**2 * spread)


def percent_of_means(before: np.ndarray, after: np.ndarray) -> Estimate:
    """Percent change of the mean of one group."""
    m = change_of_means(before, after)
    with np.errstate(invalid="ignore", divide="ignore"):
        return by_t(m.mean, np.sqrt(m.variance / m.n), m.n - 1, m.n)


def percent_of_means_apart(x: tuple[np.ndarray, np.ndarray], y: tuple[np.ndarray, np.ndarray]) -> Estimate:
    """Percent change of the mean of one group less that of another; each is (before, after)."""
    return _apart(change_of_means(*x), change_of_means(*y))


def ancova(before_x: np.ndarray, after_x: np.ndarray, before_y: np.ndarray, after_y: np.ndarray) -> Estimate:
    """Difference of the means after, adjusted for the value before with one slope for both groups: least squares.

    With within-group sums of squares S: b = S_xy / S_xx, difference = (m1 - m0) - b (x1 - x0), residual variance
    (S_yy - b S_xy) / (n1 + n0 - 3), variance of the difference that times (1/n1 + 1/n0 + (x1 - x0)^2 / S_xx).
    """
    groups = []
    for before, after in ((before_x, after_x), (before_y, after_y)):
        pair = np.isfinite(before) & np.isfinite(after)
        first, then = moments(np.where(pair, before, np.nan)), moments(np.where(pair, after, np.nan))
        product = (before - first.mean[..., None]) * (after - then.mean[..., None])
        groups.append((first, then, np.where(pair, product, 0.0).sum(axis=-1)))
    (x1, y1, xy1), (x0, y0, xy0) = groups
    with np.errstate(invalid="ignore", divide="ignore"):
        sxx = x1.variance * (x1.n - 1) + x0.variance * (x0.n - 1)
        syy = y1.variance * (y1.n - 1) + y0.variance * (y0.n - 1)
        sxy, df = xy1 + xy0, x1.n + x0.n - 3
        slope, apart = sxy / sxx, x1.mean - x0.mean
        residual = np.maximum(syy - slope * sxy, 0.0) / np.where(df > 0, df, np.nan)
        error = np.sqrt(residual * (1 / x1.n + 1 / x0.n + apart**2 / sxx))
        return by_t(y1.mean - y0.mean - slope * apart, error, df, x1.n + x0.n)


def wilson(share: Any, n: Any) -> tuple[Any, Any]:
    """Wilson's score interval of a share of n."""
    share, n = np.asarray(share, float), np.asarray(n, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = share + Z**2 / (2 * n)
        reach = Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
        return (middle - reach) / (1 + Z**2 / n), (middle + reach) / (1 + Z**2 / n)


def one_share(x: np.ndarray) -> Estimate:
    """The share of men who respond (1, else 0), with Wilson's interval; there is no null hypothesis."""
    m = moments(x)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(m.mean * (1 - m.mean) / m.n)
    low, high = wilson(m.mean, m.n)
    return Estimate(m.mean, error, low, high, np.full(np.shape(m.mean), np.nan), m.n.astype(float))


def difference_of_shares(x: np.ndarray, y: np.ndarray) -> Estimate:
    """Share of ``x`` less that of ``y``: Newcombe's interval from Wilson's, p of the score (chi-squared) test."""
    a, b = moments(x), moments(y)
    (low_a, high_a), (low_b, high_b) = wilson(a.mean, a.n), wilson(b.mean, b.n)
    apart = a.mean - b.mean
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(a.mean * (1 - a.mean) / a.n + b.mean * (1 - b.mean) / b.n)
        pooled = (a.mean * a.n + b.mean * b.n) / (a.n + b.n)
        score = np.sqrt(pooled * (1 - pooled) * (1 / a.n + 1 / b.n))
        p = np.where(score > 0, 2 * ndtr(-np.abs(apart) / score), np.where(np.isfinite(apart), 1.0, np.nan))
        low = apart - np.sqrt((a.mean - low_a) ** 2 + (high_b - b.mean) ** 2)
        high = apart + np.sqrt((high_a - a.mean) ** 2 + (b.mean - low_b) ** 2)
    return Estimate(apart, error, low, high, p, (a.n + b.n).astype(float))


def within_men(groups: Sequence[np.ndarray], weights: Sequence[float] | None = None) -> Estimate:
    """A crossover's effect from differences within men, one array for each sequence of periods.

    The plain mean of the sequences' means, in which periods cancel, with the variance within sequences pooled; with
    ``weights`` (adding to 0) a contrast of the sequences, such as the effect of the period.
    """
    parts = [moments(one) for one in groups]
    own = [1 / len(parts)] * len(parts) if weights is None else list(weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = sum(w * m.mean for w, m in zip(own, parts, strict=True))
        df = sum(m.n for m in parts) - len(parts)
        pooled = sum(np.where(m.n > 1, m.variance * (m.n - 1), 0.0) for m in parts) / np.where(df > 0, df, np.nan)
        error = np.sqrt(pooled * sum(w**2 / m.n for w, m in zip(own, parts, strict=True)))
    return by_t(value, error, df, sum(m.n for m in parts))


def exponential(of: Estimate) -> Estimate:
    """An estimate of a logarithm as a ratio; its error stays that of the logarithm."""
    return of._replace(value=np.exp(of.value), low=np.exp(of.low), high=np.exp(of.high))
