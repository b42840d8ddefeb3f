"""Which reference man lies behind the values of a diseased or treated one: damped Gauss-Newton with a prior.

Unknown are the logs of his reference values over where the population puts them. What the reference
hardly moves (testosterone that comes from a drug) stays where the population puts it, and the value is
reported as missed instead of bending everything else.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

# Numerics: how closely a value is approached, how strongly the population holds a reference, and the search itself.
CLOSENESS = 0.01  # SD of the log of reached over measured
HOLD = 1.0  # SD of the log of a reference over the population's
FARTHEST = np.log(6.0)
PROBE = 0.1  # of a log reference, for slopes
RESPONSIVE = 0.3  # d log value / d log reference below which something else sets the value
LONGEST_STEP, ROUNDS, GOOD_ENOUGH = 0.7, 15, 2e-3
SMALLEST = 1e-9


class Matched(NamedTuple):
    shift: np.ndarray  # (k,) log of reference over the population's
    slope: np.ndarray  # (k, k) d log value / d log reference
    reached: np.ndarray  # (k,) values


def match(
    wanted: Sequence[float],
    reach: Callable[[np.ndarray], np.ndarray],
    *,
    start: np.ndarray | None = None,
    slope: np.ndarray | None = None,
) -> Matched:
    """Reference shifts that bring ``reach(shift)`` to the ``wanted`` values as far as the prior lets them.

    ``reach`` returns the values of the man whose reference is shifted. ``start`` and ``slope`` of a like
    man save work.
    """
    target = np.log(np.asarray(wanted, float))

    def miss(shift: np.ndarray) -> np.ndarray:
        return np.log(np.maximum(reach(shift), SMALLEST * np.exp(target))) - target

    def cost(shift: np.ndarray, missed: np.ndarray) -> float:
        return float(np.sum((missed[moves] / CLOSENESS) ** 2) + np.sum((shift / HOLD) ** 2))

    shift = np.zeros(len(target)) if start is None else np.array(start, float)
    if slope is None:
        missed = miss(shift)
        columns = [(miss(shift + PROBE * unit) - missed) / PROBE for unit in np.eye(len(target))]
        slope = np.stack(columns, axis=1)
    slope = np.array(slope)
    moves = np.diag(slope) >= RESPONSIVE
    shift = np.where(moves, shift, 0.0)
    missed = miss(shift)
    for _ in range(ROUNDS):
        if not moves.any() or np.max(np.abs(missed[moves])) < GOOD_ENOUGH:
            break
        own = slope[np.ix_(moves, moves)]
        normal = own.T @ own / CLOSENESS**2 + np.eye(int(moves.sum())) / HOLD**2
        step = np.zeros(len(target))
        step[moves] = -np.linalg.solve(normal, own.T @ missed[moves] / CLOSENESS**2 + shift[moves] / HOLD**2)
        step *= min(1.0, LONGEST_STEP / max(float(np.max(np.abs(step))), SMALLEST))
        for _ in range(4):
            tried = np.clip(shift + step, -FARTHEST, FARTHEST)
            now = miss(tried)
            if cost(tried, now) < cost(shift, missed):
                break
            step = step / 3
        else:
            break
        moved = tried - shift
        if moved @ moved > SMALLEST**2:  # Broyden: keep the slope true along the step taken
            slope += np.outer(now - missed - slope @ moved, moved) / (moved @ moved)
        done = float(np.max(np.abs(moved))) < GOOD_ENOUGH / 10
        shift, missed = tried, now
        if done:
            break
    return Matched(shift, slope, np.exp(missed + target))
