"""Random-effects meta-analysis and meta-regression of effects with known sampling variances.

    y = X b + u + e,   u ~ N(0, tau2),   e_i ~ N(0, v_i)

tau2 by restricted maximum likelihood (REML), its interval by the Q-profile method, the coefficients by weighted least
squares with weights 1 / (v + tau2) and the standard errors of Hartung and Knapp, t with k - p degrees of freedom.
These are the methods that Cochrane adopted (cochrane_random_effects). Arrays: effects y (k,), variances v (k,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

LEVEL = 0.95
TAIL = (1 - LEVEL) / 2
# Points of tau2 at which the likelihood is looked at before its highest maximum is refined, from the mean sampling
# variance times the lowest to the bound above which no maximum can lie.
GRID, LOWEST = 200, 1e-6


class Estimate(NamedTuple):
    """A value with its standard error and 95 % limits."""

    value: float
    standard_error: float
    low: float
    high: float


class Test(NamedTuple):
    """An F test that ``between`` combinations of coefficients are all 0."""

    statistic: float
    between: int
    within: int
    p: float


class Fit(NamedTuple):
    """A fitted model; p coefficients, the intercept first."""

    coefficients: np.ndarray  # (p,)
    covariance: np.ndarray  # (p, p), with the factor of Hartung and Knapp
    degrees: int  # k - p
    tau2: float
    tau2_limits: tuple[float, float]
    i2: float  # share of the total variance that lies between studies, from tau2
    i2_limits: tuple[float, float]
    q: float  # Cochran's Q, of the residuals where there are moderators
    q_p: float
    factor: float  # by which Hartung and Knapp multiply the variance
    weights: np.ndarray  # (k,), sum 1

    @property
    def studies(self) -> int:
        return self.degrees + len(self.coefficients)


class Asymmetry(NamedTuple):
    """Egger's regression of effects on their standard errors."""

    slope: float
    standard_error: float
    t: float
    degrees: int
    p: float
    at_zero: Estimate  # the effect of a study without sampling error


def random_effects(
    effects: np.ndarray, variances: np.ndarray, moderators: np.ndarray | None = None, *, truncated: bool = True
) -> Fit:
    """Pool effects, or regress them on ``moderators`` (k, m) beside an intercept.

    ``truncated``: the factor of Hartung and Knapp is at least 1, so that intervals are never narrower than the
    model's own (roever2015: with few studies of unequal size the plain factor is too small too often).
    ValueError for variances that are not positive, for no more studies than coefficients and for moderators that say
    the same twice.
    """
    y, v, x = _checked(effects, variances, moderators)
    degrees = x.shape[0] - x.shape[1]
    tau2 = _reml(y, v, x)
    weights = 1 / (v + tau2)
    bread = np.linalg.inv(x.T @ (weights[:, None] * x))
    coefficients = bread @ x.T @ (weights * y)
    factor = _generalised_q(y, v, x, tau2) / degrees
    factor = max(1.0, factor) if truncated else factor
    q = _generalised_q(y, v, x, 0.0)
    limits = _q_profile(y, v, x)
    typical = degrees / float(np.trace(_projection(v, x, 0.0)))
    return Fit(
        coefficients,
        factor * bread,
        degrees,
        tau2,
        limits,
        _share(tau2, typical),
        (_share(limits[0], typical), _share(limits[1], typical)),
        q,
        float(stats.chi2.sf(q, degrees)),
        factor,
        weights / weights.sum(),
    )


def at(fit: Fit, row: np.ndarray | list[float]) -> Estimate:
    """A linear combination of the coefficients, such as [1] for the mean or [1, x] for a regression at x."""
    direction = np.asarray(row, float)
    value = float(direction @ fit.coefficients)
    error = float(np.sqrt(direction @ fit.covariance @ direction))
    return _estimate(value, error, fit.degrees)


def wald(fit: Fit, rows: np.ndarray) -> Test:
    """Whether all the combinations ``rows`` (m, p) of the coefficients are 0."""
    rows = np.asarray(rows, float)
    values = rows @ fit.coefficients
    statistic = float(values @ np.linalg.solve(rows @ fit.covariance @ rows.T, values)) / len(rows)
    return Test(statistic, len(rows), fit.degrees, float(stats.f.sf(statistic, len(rows), fit.degrees)))


def prediction_interval(fit: Fit) -> tuple[float, float] | None:
    """Where 95 % of the true effects of further studies are expected; None for fewer than three studies.

    t with k - 2 degrees of freedom about the pooled mean, with tau2 and the error of Hartung and Knapp
    (partlett2017).
    """
    degrees = fit.studies - 2
    if len(fit.coefficients) != 1 or degrees < 1:
        return None
    reach = float(stats.t.isf(TAIL, degrees) * np.sqrt(fit.tau2 + fit.covariance[0, 0]))
    return float(fit.coefficients[0]) - reach, float(fit.coefficients[0]) + reach


def normal(value: float, error: float) -> Estimate:
    """A value with a known standard error; limits are nan where the error is."""
    return _estimate(value, error, np.inf)


def common_effect(effects: np.ndarray, variances: np.ndarray) -> Estimate:
    """The inverse-variance mean, as if all studies had one true effect."""
    y, v, _ = _checked(effects, variances, None, fewest=1)
    precision = float(np.sum(1 / v))
    return _estimate(float(np.sum(y / v)) / precision, precision**-0.5, np.inf)


def asymmetry(effects: np.ndarray, standard_errors: np.ndarray) -> Asymmetry:
    """Egger's test: effects on their standard errors, weights 1 / variance, dispersion free; k of at least 3.

    ValueError for fewer than three studies and for standard errors that are all alike.
    """
    y, v, x = _checked(effects, np.square(standard_errors), np.asarray(standard_errors, float)[:, None])
    weights = 1 / v
    bread = np.linalg.inv(x.T @ (weights[:, None] * x))
    limit, slope = bread @ x.T @ (weights * y)
    degrees = len(y) - 2
    dispersion = float(np.sum(weights * (y - limit - slope * x[:, 1]) ** 2)) / degrees
    errors = np.sqrt(dispersion * np.diag(bread))
    t = float(slope / errors[1]) if errors[1] > 0 else 0.0 if slope == 0 else float(np.copysign(np.inf, slope))
    p = float(2 * stats.t.sf(abs(t), degrees))
    return Asymmetry(float(slope), float(errors[1]), t, degrees, p, _estimate(float(limit), float(errors[0]), degrees))


def _estimate(value: float, error: float, degrees: float) -> Estimate:
    quantile = stats.norm.isf(TAIL) if np.isinf(degrees) else stats.t.isf(TAIL, degrees)
    reach = float(quantile) * error
    return Estimate(value, error, value - reach, value + reach)


def _checked(
    effects: np.ndarray, variances: np.ndarray, moderators: np.ndarray | None, fewest: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y, v = np.asarray(effects, float), np.asarray(variances, float)
    x = np.ones((len(y), 1)) if moderators is None else np.column_stack([np.ones(len(y)), moderators])
    if y.shape != v.shape or not (np.isfinite(y).all() and np.isfinite(v).all() and np.isfinite(x).all()):
        raise ValueError("effects, variances and moderators must be finite and of one length")
    if (v <= 0).any():
        raise ValueError("every variance must be above 0")
    if len(y) < (x.shape[1] + 1 if fewest is None else fewest):
        raise ValueError(f"{len(y)} studies cannot inform {x.shape[1]} coefficients and the variance between studies")
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise ValueError("the moderators do not vary or say the same twice")
    return y, v, x


def _projection(v: np.ndarray, x: np.ndarray, tau2: float) -> np.ndarray:
    """P with y'Py the weighted residual sum of squares: W - W X (X'WX)^-1 X'W."""
    w = 1 / (v + tau2)
    wx = w[:, None] * x
    return np.diag(w) - wx @ np.linalg.solve(x.T @ wx, wx.T)


def _generalised_q(y: np.ndarray, v: np.ndarray, x: np.ndarray, tau2: float) -> float:
    """The weighted residual sum of squares at a variance between studies; it falls as that rises."""
    w = 1 / (v + tau2)
    b = np.linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * y))
    return float(np.sum(w * (y - x @ b) ** 2))


def _reml(y: np.ndarray, v: np.ndarray, x: np.ndarray) -> float:
    """The variance between studies with the highest restricted likelihood; 0 where that lies at the boundary.

    At an inner maximum tr P = y'PPy. With d the width of the sampling variances and s the residual variance without
    weights this bounds it by s + sqrt(s d). The likelihood may have several maxima: a grid finds the highest.
    """
    unit = float(v.mean())
    y, v = y / np.sqrt(unit), v / unit
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    s = float(residual @ residual) / (len(y) - x.shape[1])
    bound = s + np.sqrt(s * float(np.ptp(v)))
    if bound <= LOWEST:
        return 0.0

    def slope(tau2: float) -> float:
        p = _projection(v, x, tau2)
        py = p @ y
        return float(py @ py - np.trace(p))

    grid = np.concatenate([[0.0], np.geomspace(LOWEST, bound, GRID)])
    best = int(np.argmax(_log_likelihoods(y, v, x, grid)))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    if slope(low) <= 0:
        return 0.0 if best <= 1 else unit * float(grid[best])
    return unit * _root(slope, low, high)


def _log_likelihoods(y: np.ndarray, v: np.ndarray, x: np.ndarray, tau2: np.ndarray) -> np.ndarray:
    """The restricted log likelihood but for a constant, at each of many variances between studies (m,)."""
    w = 1 / (v + tau2[:, None])
    information = np.einsum("mk,kp,kq->mpq", w, x, x)
    b = np.linalg.solve(information, np.einsum("mk,kp,k->mp", w, x, y)[..., None])[..., 0]
    residual = y - b @ x.T
    determinant = np.linalg.slogdet(information)[1]
    return np.asarray(0.5 * (np.log(w).sum(axis=1) - determinant - np.sum(w * residual**2, axis=1)))


def _q_profile(y: np.ndarray, v: np.ndarray, x: np.ndarray) -> tuple[float, float]:
    """95 % limits of the variance between studies: where the generalised Q meets its chi-square quantiles.

    The upper limit is 0 as well where even 0 is unlikely to leave so little scatter.
    """
    degrees = len(y) - x.shape[1]
    unit = float(v.mean())
    y, v = y / np.sqrt(unit), v / unit
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]

    def limit(quantile: float) -> float:
        def excess(tau2: float) -> float:
            return _generalised_q(y, v, x, tau2) - quantile

        highest = float(residual @ residual) / quantile
        return 0.0 if excess(0.0) <= 0 else unit * _root(excess, 0.0, highest)

    return limit(float(stats.chi2.isf(TAIL, degrees))), limit(float(stats.chi2.ppf(TAIL, degrees)))


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that is above 0 at ``low`` falls to 0; ``high`` where it never does."""
    if function(high) >= 0:
        return float(high)
    return float(optimize.brentq(function, low, high, xtol=1e-14, rtol=8.9e-16))


def _share(tau2: float, typical: float) -> float:
    return tau2 / (tau2 + typical)
