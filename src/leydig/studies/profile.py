"""Profile likelihoods: how far the data let a fitted parameter move when all others may follow it.

A parameter is held at points along its log scale and the others of its fit are fitted again. Two profiles come of it,
because a held parameter's own prior is a constant there: that of the data (misfit and the priors of the others) and
that of the penalised objective (its own prior too). The weights stay those with which the fit ended: between-study SDs
and the effects of estradiol kits are not estimated again.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from leydig.evidence import trials
from leydig.studies.calibrate import FAR, STEP, residuals, stored
from leydig.studies.problem import Free, Problem, assemble, covariance, earlier, offset_effects, place, predictions

RISE = 3.841459  # of minus twice the log likelihood: 95 % of chi-squared with one degree of freedom
NORMAL_95 = RISE**0.5
NEAR = (1.0, 2.0, 3.0)  # points on either side, in standard errors of the fit
STRIDE = 1.0  # between points beyond these, in SDs of the prior
WIDE, MOST_HALVINGS = 1.5, 3  # of a crossing: a larger leap of the root of the rise is halved, so many times
SETTLED, SETTLED_FULLY = 0.1, 0.01  # gain of the objective that is not worth another prediction
BOX = 1.0  # farthest move of another parameter in one step, in SDs of its prior
MOST_STEPS = 10
FAINT = 0.05  # of a figure's standard error per prior SD: a slope that is not worth computing anew
LEAST_INFORMATION = 1e-3  # of the data on a parameter, in units of its prior's: below it counts as none
ALIKE = 0.25  # of the quadratic's half-length: ends that lie closer are alike


class Weighed(NamedTuple):
    """A fit under fixed weights."""

    free: Free
    reported: np.ndarray  # (m,)
    whiten: np.ndarray  # (m, m), makes residuals independent and of unit variance
    predict: Callable[[np.ndarray], np.ndarray]  # log values (n,) to predictions (m,)
    slopes: Callable[["State"], np.ndarray]  # the Jacobian (m, n) of a state, computed anew


class State(NamedTuple):
    """Where a search stands: log values (n,), predictions (m,) and their slopes (m, n), which may lag behind."""

    values: np.ndarray
    now: np.ndarray
    slopes: np.ndarray


class Point(NamedTuple):
    """One point of a profile."""

    at: float  # log of the held parameter
    data: float  # misfit and the priors of the other parameters
    penalised: float  # the same and its own prior
    values: tuple[float, ...]  # log of all parameters
    gain: float  # what another step would bring, as far as the slopes tell


class Stop(NamedTuple):
    """A point and the state of the search there, from which the next one begins."""

    state: State
    point: Point


class Interval(NamedTuple):
    """Where a profile is less than ``RISE`` above its lowest place, log scale; an end is None where it stays so."""

    lowest: float
    low: float | None
    high: float | None


def weighed(fit: str, jacobian: np.ndarray, faint: float = FAINT) -> Weighed:
    """A stored fit under the weights that it ended with; ``jacobian`` (m, n) is that of the fit.

    Slopes that are below ``faint`` there are taken to be the same elsewhere, which saves most arms of most parameters.
    """
    problem, estimate, fixed = assemble(trials("calibration"), fit), stored(fit), earlier(fit)
    free, reported = estimate.free, np.array([f.reported for f in problem.figures])

    def predict(values: np.ndarray, part: Problem = problem) -> np.ndarray:
        return predictions(part, *place(free, values, fixed))

    kits = offset_effects(problem, *place(free, estimate.values, fixed), predict(estimate.values))
    variance = covariance(problem.figures, estimate.study, kits)
    felt = np.abs(jacobian) * free.spread > faint * np.sqrt(np.diag(variance))[:, None]

    def slopes(state: State) -> np.ndarray:
        found = jacobian.copy()
        for k, unit in enumerate(np.eye(len(free.names))):
            rows = np.flatnonzero(felt[:, k])
            step = STEP if state.values[k] + STEP <= free.high[k] else -STEP
            if len(rows):
                moved = predict(state.values + step * unit, _part(problem, rows)) - state.now[rows]
                found[rows, k] = np.where(np.isfinite(moved), moved / step, found[rows, k])
        return found

    return Weighed(free, reported, np.linalg.inv(np.linalg.cholesky(variance)), predict, slopes)


def _part(problem: Problem, rows: np.ndarray) -> Problem:
    """These figures and the arms that they need."""
    some = tuple(problem.figures[i] for i in rows)
    needed = {(f.trial, name) for f in some for name in (f.arm, f.against)}
    return Problem(tuple(arm for arm in problem.arms if (arm.trial, arm.name) in needed), some)


def profile(weighed: Weighed, index: int, start: State, error: float, exact: bool = False) -> list[Point]:
    """The profile of one parameter from the fit outwards, until both heights have risen or a bound is met.

    ``start`` is the fit with its slopes, ``error`` the parameter's standard error; points come in rising order.
    Others that are not quite fitted make a point too high, never too low. So slopes that lag can leave a side open,
    but a side is closed only with slopes computed there (``exact``: they are computed anew at every step).
    """
    stops, value = [Stop(start, _point(weighed, index, start, 0.0))], start.values[index]
    downhill = 1 if value > weighed.free.centre[index] else -1  # for the data, which the prior holds back
    for side in (downhill, -downhill):
        stations = _stations(weighed.free, index, value, error, side)
        stops += _side(weighed, index, stops, stations, exact)
    return sorted(stop.point for stop in stops)


def _side(weighed: Weighed, index: int, known: list[Stop], stations: list[float], exact: bool) -> list[Stop]:
    """Stops at the stations of one side and between the two where the data close it; the fit is the first known."""
    found, closed = [known[0]], 0

    def rise(point: Point, height: str = "data") -> float:
        return float(getattr(point, height) - min(getattr(stop.point, height) for stop in [*known, *found]))

    for at in stations:
        stop = settle(weighed, index, found[-1].state, at, exact)
        if not exact and (stop.point.gain > SETTLED or (rise(stop.point) > RISE and not closed)):
            renewed = stop.state._replace(slopes=weighed.slopes(stop.state))
            stop = min(stop, settle(weighed, index, renewed, at), key=lambda s: s.point.data)
        found.append(stop)
        if rise(stop.point) > RISE and not closed:
            closed = len(found) - 1
        if min(rise(stop.point, height) for height in ("data", "penalised")) > RISE:
            break
    if not closed:
        return found[1:]
    inner, outer = found[closed - 1], found[closed]
    if closed > 1:  # the slopes found outside may serve the stop before as well
        again = settle(weighed, index, outer.state, inner.point.at, exact)
        inner = found[closed - 1] = min(inner, again, key=lambda s: s.point.data)
    for _ in range(MOST_HALVINGS):
        low, high = (max(rise(stop.point), 0.0) ** 0.5 for stop in (inner, outer))
        if low > NORMAL_95 or high - low < WIDE:
            break
        half = settle(weighed, index, outer.state, (inner.point.at + outer.point.at) / 2, exact)
        found.append(half)
        inner, outer = (inner, half) if rise(half.point) > RISE else (half, outer)
    return found[1:]


def _stations(free: Free, index: int, centre: float, error: float, side: int) -> list[float]:
    """Where a parameter is held on one side, the bound last."""
    bound, stride = (free.high if side > 0 else free.low)[index], STRIDE * free.spread[index]
    away = [error * multiple for multiple in NEAR]
    room = abs(bound - centre)
    if np.isfinite(room):
        away += list(np.arange(away[-1] + stride, room - stride / 2, stride))
    return [centre + side * a for a in away if a < room] + ([float(bound)] if np.isfinite(room) else [])


def settle(weighed: Weighed, index: int, state: State, at: float, exact: bool = False) -> Stop:
    """The other parameters fitted again with one held at ``at``.

    Gauss-Newton in a box and within the bounds; slopes follow by Broyden's formula or are computed anew at every step
    (``exact``, which also asks for a smaller gain).
    """
    box, gain = BOX, 0.0
    state = _tried(weighed, state, _step(weighed, index, state, at, BOX)[0])
    for _ in range(MOST_STEPS):
        if exact:
            state = state._replace(slopes=weighed.slopes(state))
        step, expected = _step(weighed, index, state, at, box)
        height = _heights(weighed, index, state)[0]
        gain = height - expected
        if gain < (SETTLED_FULLY if exact else SETTLED):
            break
        tried = _tried(weighed, state, step)
        won = height - _heights(weighed, index, tried)[0]
        if won > 0:
            state, box = tried, min(2 * box, BOX)
        else:
            state, box = state._replace(slopes=tried.slopes), box / 3
    return Stop(state, _point(weighed, index, state, gain))


def _step(weighed: Weighed, index: int, state: State, at: float, box: float) -> tuple[np.ndarray, float]:
    """The move (n,) to the best others, as far as slopes tell and inside box and bounds, and the height expected."""
    from scipy.optimize import lsq_linear

    free, away = weighed.free, at - state.values[index]
    others = np.arange(len(state.values)) != index
    scale = free.spread[others]
    slopes = weighed.whiten @ state.slopes
    left = weighed.whiten @ residuals(weighed.reported, state.now) - slopes[:, index] * away
    matrix = np.vstack([slopes[:, others] * scale, np.eye(len(scale))])
    target = np.concatenate([left, (free.centre - state.values)[others] / scale])
    low = np.maximum((free.low - state.values)[others] / scale, -box)
    high = np.minimum((free.high - state.values)[others] / scale, box)
    found = lsq_linear(matrix, target, (np.minimum(low, 0.0), np.maximum(high, 0.0)), method="bvls")
    step = np.zeros(len(state.values))
    step[index], step[others] = away, scale * found.x
    return step, 2 * float(found.cost)


def _tried(weighed: Weighed, state: State, step: np.ndarray) -> State:
    """The state after a step; its slopes explain what the step has done (Broyden), in SDs of the priors."""
    values = state.values + step
    now = weighed.predict(values)
    scaled = step / weighed.free.spread**2
    surprise = now - state.now - state.slopes @ step
    if not np.all(np.abs(surprise) < FAR) or not np.any(step):  # a failed run teaches nothing about slopes
        return State(values, now, state.slopes)
    return State(values, now, state.slopes + np.outer(surprise, scaled) / (scaled @ step))


def _heights(weighed: Weighed, index: int, state: State) -> tuple[float, float]:
    """Height of the data's and of the penalised profile at a state."""
    misfit = weighed.whiten @ residuals(weighed.reported, state.now)
    prior = ((state.values - weighed.free.centre) / weighed.free.spread) ** 2
    penalised = float(misfit @ misfit + prior.sum())
    return penalised - float(prior[index]), penalised


def _point(weighed: Weighed, index: int, state: State, gain: float) -> Point:
    return Point(float(state.values[index]), *_heights(weighed, index, state), tuple(state.values.tolist()), gain)


def interval(at: np.ndarray, height: np.ndarray) -> Interval:
    """Where a profile has risen by ``RISE`` on either side of its lowest place.

    ``at`` (k,) in rising order. The lowest place is that of a parabola through the lowest points; between points the
    signed root of the rise is interpolated, which for a parabola is a straight line.
    """
    from scipy.interpolate import PchipInterpolator

    place, least = _lowest(at, height)
    root = np.sign(at - place) * np.sqrt(np.maximum(height - least, 0.0))
    if not np.any(at == place):
        at, root = np.append(at, place), np.append(root, 0.0)
        at, root = at[np.argsort(at)], root[np.argsort(at)]
    curve, ends = PchipInterpolator(at, root), []
    for side in (-1, 1):
        crossed = [x for x in curve.solve(side * NORMAL_95, extrapolate=False) if side * (x - place) > 0]
        ends.append(min(crossed, key=lambda x: abs(x - place), default=None))
    return Interval(place, *(None if end is None else float(end) for end in ends))


def _lowest(at: np.ndarray, height: np.ndarray) -> tuple[float, float]:
    """Place and height of the lowest point, by a parabola through it and its neighbours where it has two."""
    k = int(np.argmin(height))
    if k in (0, len(at) - 1):
        return float(at[k]), float(height[k])
    (a, b, _), shift = np.polyfit(at[k - 1 : k + 2] - at[k], height[k - 1 : k + 2] - height[k], 2), at[k]
    if a <= 0:
        return float(at[k]), float(height[k])
    return float(shift - b / (2 * a)), float(height[k] - b**2 / (4 * a))


def kind(found: Interval) -> str:
    """Whether the data close both ends of an interval, one or none."""
    return {0: "not identified", 1: "one-sided", 2: "identified"}[(found.low is not None) + (found.high is not None)]


def quadratic(free: Free, index: int, value: float, error: float) -> Interval:
    """What the fit's standard error says of the data alone: the same interval if profiles were parabolas.

    The prior's own information is taken off, and its pull off the estimate; ends beyond the bounds count as open.
    """
    prior = free.spread[index] ** -2.0
    data = error**-2.0 - prior
    if data < LEAST_INFORMATION * prior:
        return Interval(value, None, None)
    place = value + (value - free.centre[index]) * prior / data
    low, high = place - NORMAL_95 * data**-0.5, place + NORMAL_95 * data**-0.5
    return Interval(float(place), low if low > free.low[index] else None, high if high < free.high[index] else None)


def alike(found: Interval, other: Interval) -> bool:
    """Whether an interval is open where the quadratic one (``other``) is, and its ends lie near the other's."""
    for end, expected in ((found.low, other.low), (found.high, other.high)):
        if (end is None) != (expected is None):
            return False
        if end is not None and expected is not None and abs(end - expected) > ALIKE * abs(expected - other.lowest):
            return False
    return True


def ratio(found: Interval, other: Interval) -> float | None:
    """Length of one interval over another's; None where an end of either is open."""
    if found.low is None or found.high is None or other.low is None or other.high is None:
        return None
    return (found.high - found.low) / (other.high - other.low)
