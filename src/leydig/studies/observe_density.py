"""The density and the distribution function of a reading: variation within a man, then error of analysis.

A method prints

    y = x(z) + sd(x) e,     x(z) = gain * m * exp(shift + s z) + offset     (scale log)
                            x(z) = gain * (m + s z) + offset                (scale unit)

with z and e standard normal: z is the man, e the analysis. The error grows with the level,

    sd(x)^2 = floor^2 + per_level * x + (cv x)^2

Neither integral over z has a closed form, so both are taken by Gauss-Legendre quadrature over the part of the axis
where the integrand is not negligible. Everything works element by element and in logarithms, far into the tails.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import log_ndtr, logsumexp

NODES = 128
FARTHEST = 40.0  # standard deviations of z beyond which nothing lies
WINDOW = 8.5  # standard deviations about the mode; what lies outside is below 1e-16
CERTAIN = 9.0  # standard deviations of analysis above which a reading is sure to lie below
TINY = 1e-150
CHUNK = 4096  # readings at once, for memory
_BISECTIONS, _SECTIONS = 48, 36
_GOLDEN = (5**0.5 - 1) / 2

Normal = Callable[[np.ndarray], np.ndarray]


class Method(NamedTuple):
    """How one method prints one man's readings; arrays (n,) or numbers, levels in the analyte's canonical unit."""

    state: Any  # m, what the man has at that hour
    within: Any  # s, SD within the man: of the logarithm or in the unit
    shift: Any  # of the logarithm, so that pulses have mean 1
    gain: Any
    offset: Any
    floor: Any  # SD of analysis at nothing
    per_level: Any  # variance, of counted cells
    cv: Any
    logarithmic: bool


def level(z: Any, m: Method) -> Any:
    """What the method would print without error of analysis, at a deviate of the man."""
    inside = m.state * np.exp(m.shift + m.within * z) if m.logarithmic else m.state + m.within * z
    return m.gain * inside + m.offset


def deviation(x: Any, m: Method) -> Any:
    """Standard deviation of analysis at a level."""
    x = np.abs(x)
    return np.sqrt(m.floor**2 + m.per_level * x + (m.cv * x) ** 2 + TINY)


def log_density(y: Any, m: Method) -> np.ndarray:
    """Logarithm of the density of a reading, per unit; shape of ``y`` and the method's arrays together."""
    return _in_chunks(_log_density, y, m)


def log_below(y: Any, m: Method) -> np.ndarray:
    """Logarithm of the probability that a reading lies below ``y`` (not negative)."""
    return _in_chunks(_log_below, y, m)


def _in_chunks(how: Callable[[np.ndarray, Method], np.ndarray], y: Any, m: Method) -> np.ndarray:
    """A function of columns (n, 1), applied to everything in pieces."""
    arrays = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (y, *m[:-1])))
    shape, columns = arrays[0].shape, [a.reshape(-1, 1) for a in arrays]
    found = [
        how(columns[0][i : i + CHUNK], Method._make([*(c[i : i + CHUNK] for c in columns[1:]), m.logarithmic]))
        for i in range(0, columns[0].size, CHUNK)
    ]
    return np.concatenate(found).reshape(shape) if found else np.empty(shape)


def _log_density(y: np.ndarray, m: Method) -> np.ndarray:
    def integrand(z: np.ndarray) -> np.ndarray:
        x = level(z, m)
        sd = deviation(x, m)
        return _log_normal(z) + _log_normal((y - x) / sd) - np.log(sd)

    # Bounds where analysis alone would put the reading farther than any density reaches.
    near = [_where(y, m, side * (WINDOW + 3.5)) for side in (1, -1)]
    return _integral(integrand, near[0], near[1], _mode(integrand, _where(y, m, 0.0)))[:, 0]


def _log_below(y: np.ndarray, m: Method) -> np.ndarray:
    def integrand(z: np.ndarray) -> np.ndarray:
        x = level(z, m)
        return _log_normal(z) + log_ndtr((y - x) / deviation(x, m))

    sure, never = _where(y, m, CERTAIN), _where(y, m, -FARTHEST)
    edge = _integral(integrand, sure, never, _mode(integrand, _where(y, m, 0.0)))
    return np.minimum(np.logaddexp(log_ndtr(sure), edge), 0.0)[:, 0]


@cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on (-1, 1)."""
    return np.polynomial.legendre.leggauss(NODES)


def _log_normal(z: Any) -> Any:
    return -0.5 * (z * z + np.log(2 * np.pi))


def _where(y: np.ndarray, m: Method, distance: float) -> np.ndarray:
    """The deviate z at which a reading lies this many standard deviations of analysis above its level, by bisection.

    The distance falls as z grows; where it is never reached, the nearer end of the axis.
    """
    low, high = np.full_like(y, -FARTHEST), np.full_like(y, FARTHEST)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        x = level(middle, m)
        above = (y - x) / deviation(x, m) > distance
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2


def _mode(integrand: Normal, matching: np.ndarray) -> np.ndarray:
    """Where the integrand is largest, by golden section: between the man's mean and what would match the reading."""
    low, high = np.minimum(matching, 0.0) - 0.5, np.maximum(matching, 0.0) + 0.5
    for _ in range(_SECTIONS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        rising = integrand(left) < integrand(right)
        low, high = np.where(rising, left, low), np.where(rising, high, right)
    return (low + high) / 2


def _integral(integrand: Normal, low: np.ndarray, high: np.ndarray, mode: np.ndarray) -> np.ndarray:
    """Logarithm of the integral of an exponential, between bounds and near its mode; the prior is never wider than 1.

    Where the mode lies outside the bounds, which only happens beyond all readings that occur, its height stands for
    the integral: finite, and falling with distance.
    """
    low, high = np.maximum(low, mode - WINDOW), np.minimum(high, mode + WINDOW)
    half = (high - low) / 2
    nodes, weights = _nodes()
    with np.errstate(divide="ignore", invalid="ignore"):
        heights = integrand(low + half + np.maximum(half, 0.0) * nodes)
        summed = logsumexp(heights, b=weights, axis=1, keepdims=True) + np.log(half)
    return np.where((half > 0) & np.isfinite(summed), summed, integrand(mode))
