"""When a run is looked at: every four hours of a short run, the mean of each day of a longer one."""

from typing import NamedTuple

import numpy as np

HOURS_PER_DAY = 24.0
SHORT_RUN_DAYS = 14.0
PER_DAY = 6


class Clock(NamedTuple):
    """When to look: days shown, and the hours computed for them."""

    days: np.ndarray
    hours: np.ndarray
    averaged: bool


def look(horizon: float) -> Clock:
    """Days shown for a horizon (d): every four hours of a short run, each day of a longer one, and its end."""
    if horizon <= SHORT_RUN_DAYS:
        days = np.union1d(np.arange(0, horizon, 1 / PER_DAY), [horizon])
        return Clock(days, days * HOURS_PER_DAY, False)
    days = np.union1d(np.arange(0, horizon), [horizon])
    before = (days[1:, None] - np.arange(PER_DAY - 1, -1, -1) / PER_DAY).ravel()
    return Clock(days, np.union1d([0.0], np.maximum(before, 0.0)) * HOURS_PER_DAY, True)


def shown_at(series: np.ndarray, clock: Clock) -> np.ndarray:
    """Values at the days shown: the mean of the 24 hours up to each day of a long run."""
    if not clock.averaged:
        return series
    hours = clock.hours
    last = np.searchsorted(hours, clock.days * HOURS_PER_DAY)
    sums = np.concatenate([[0.0], np.cumsum(series)])
    first = np.maximum(last - (PER_DAY - 1), 0)
    means = (sums[last + 1] - sums[first]) / (last + 1 - first)
    means[0] = series[0]
    return means
