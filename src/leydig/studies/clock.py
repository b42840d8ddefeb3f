"""When a run is looked at: every four hours of a short run, the mean of each day of a longer one."""

from typing import NamedTuple

import numpy as np

HOURS_PER_DAY = 24.0
SHORT_RUN_DAYS = 14.0
PER_DAY = 6


class Clock(NamedTuple):
    """When to look."""

    days: np.ndarray  # (d,) shown
    hours: np.ndarray  # (h,) computed, increasing
    samples: np.ndarray  # (d, s) places in ``hours`` whose mean is shown


def look(horizon: float) -> Clock:
    """Days shown for a horizon (d): every four hours of a short run, each day of a longer one, and its end.

    In a long run a value is the mean of the 24 hours up to it (day 0: the value itself).
    """
    if horizon <= SHORT_RUN_DAYS:
        days = np.union1d(np.arange(0, horizon, 1 / PER_DAY), [horizon])
        return Clock(days, days * HOURS_PER_DAY, np.arange(len(days))[:, None])
    days = np.union1d(np.arange(0, horizon), [horizon])
    # on the hours of every other day, so that an end within a day does not meet the doses at another phase
    last = np.floor(days * PER_DAY + 1e-9) / PER_DAY
    wanted = np.maximum(last[:, None] - np.arange(PER_DAY) / PER_DAY, 0.0)
    wanted[0] = 0.0
    hours, places = np.unique(np.round(wanted * HOURS_PER_DAY, 6), return_inverse=True)
    return Clock(days, hours, places.reshape(wanted.shape))


def at_days(days: np.ndarray) -> Clock:
    """The value itself at each of these days."""
    hours = np.union1d(days, [0.0]) * HOURS_PER_DAY  # a run begins at day 0
    return Clock(days, hours, np.searchsorted(hours, days * HOURS_PER_DAY)[:, None])


def shown_at(series: np.ndarray, clock: Clock) -> np.ndarray:
    """Values at the days shown from values at the hours computed."""
    return np.asarray(series[clock.samples].mean(axis=1))
