"""Profile likelihoods: equal to their closed forms, and the stored ones belong to the present fits."""

import numpy as np
import pytest

from leydig.files import DATA, read_yaml
from leydig.fits import load_fit
from leydig.studies.calibrate import stored
from leydig.studies.problem import FITS, Free
from leydig.studies.profile import (
    NORMAL_95,
    RISE,
    SETTLED,
    Interval,
    State,
    Weighed,
    alike,
    interval,
    kind,
    profile,
    quadratic,
    ratio,
    settle,
    weighed,
)

WIDE_OPEN = 1e3  # SD of a prior that says next to nothing


def toy(predict, jacobian, reported, centre, spread, low, high):
    """A problem with unit errors, and its state at the penalised optimum."""
    names = tuple(f"toy.p{k}" for k in range(len(centre)))
    free = Free(names, *(np.array(part, float) for part in (centre, spread, low, high)))
    reported = np.array(reported, float)
    weighed = Weighed(free, reported, np.eye(len(reported)), predict, lambda state: jacobian(state.values))
    values = free.centre.copy()
    for _ in range(200):
        slopes = jacobian(values)
        gradient = slopes.T @ (reported - predict(values)) - (values - free.centre) / free.spread**2
        values = values + np.linalg.solve(slopes.T @ slopes + np.diag(free.spread**-2), gradient)
    return weighed, State(values, predict(values), jacobian(values))


def errors(weighed, state):
    return np.sqrt(np.diag(np.linalg.inv(state.slopes.T @ state.slopes + np.diag(weighed.free.spread**-2))))


@pytest.fixture(scope="module")
def linear():
    """Five figures, three parameters; the third moves no figure."""
    matrix = np.random.default_rng(3).normal(size=(5, 3)) * [2.0, 1.0, 0.0]
    reported = matrix @ [0.4, -0.3, 0.0] + [0.3, -0.5, 0.1, 0.2, -0.4]
    return toy(lambda v: matrix @ v, lambda v: matrix, reported, [0, 0.5, 0.2], [0.7, 1.2, 0.5], [-4] * 3, [4] * 3)


def test_a_linear_profile_is_the_parabola(linear):
    """Closed form: the data's Schur complement, and a lowest place that the parameter's own prior does not pull."""
    weighed, state = linear
    matrix, free = state.slopes, weighed.free
    for index in (0, 1):
        error = errors(weighed, state)[index]
        points = profile(weighed, index, state, error)
        precision = np.diag(free.spread**-2.0)
        precision[index, index] = 0
        normal = matrix.T @ matrix + precision
        best = np.linalg.solve(normal, matrix.T @ weighed.reported + precision @ free.centre)
        schur = 1 / np.linalg.inv(normal)[index, index]
        left = weighed.reported - matrix @ best
        least = left @ left + (best - free.centre) @ precision @ (best - free.centre)
        for point in points:
            assert point.data == pytest.approx(least + schur * (point.at - best[index]) ** 2, abs=1e-8)
            own = ((point.at - free.centre[index]) / free.spread[index]) ** 2
            assert point.penalised - point.data == pytest.approx(own)
        found = interval(*(np.array([getattr(p, part) for p in points]) for part in ("at", "data")))
        half = NORMAL_95 / schur**0.5
        assert found == pytest.approx((best[index], best[index] - half, best[index] + half), abs=1e-7)
        expected = quadratic(free, index, state.values[index], error)
        assert found == pytest.approx(expected, abs=1e-6)
        assert kind(found) == "identified" and alike(found, expected) and ratio(found, expected) == pytest.approx(1)


def test_a_parameter_without_data_is_not_identified(linear):
    weighed, state = linear
    points = profile(weighed, 2, state, errors(weighed, state)[2])
    assert np.ptp([p.data for p in points]) < 1e-9
    assert points[0].at == -4 and points[-1].at == 4
    found = interval(*(np.array([getattr(p, part) for p in points]) for part in ("at", "data")))
    assert kind(found) == "not identified"
    assert quadratic(weighed.free, 2, state.values[2], 0.5)[1:] == (None, None)


def banana():
    """Two figures of three parameters: a sum x + y and a bent valley z + x**2, along both of which x moves freely."""

    def predict(v):
        return np.array([3 * (v[0] + v[1]), 5 * (v[2] + v[0] ** 2)])

    def jacobian(v):
        return np.array([[3.0, 3.0, 0.0], [10 * v[0], 0.0, 5.0]])

    return toy(predict, jacobian, [1.0, 0.5], [0.1] * 3, [1.0, WIDE_OPEN, WIDE_OPEN], [-3, -50, -50], [3, 50, 50])


@pytest.mark.parametrize("exact", [False, True])
def test_a_curved_valley_is_followed_and_not_identified(exact):
    """The others can follow x at no cost, so its data profile is flat however far and bent the way."""
    weighed, state = banana()
    error = errors(weighed, state)[0]
    points = profile(weighed, 0, state, error, exact)
    assert points[0].at == -3 and points[-1].at == 3
    assert max(p.data for p in points) < SETTLED
    assert points[-1].values[2] == pytest.approx(0.1 - 9, abs=SETTLED)  # z = 0.1 - x**2 at x = 3
    found = interval(*(np.array([getattr(p, part) for p in points]) for part in ("at", "data")))
    assert kind(found) == "not identified"


def saturating(low=-6.0, high=6.0):
    """A figure that a parameter moves at one end of its scale alone; closed form 4 (1 - tanh x)**2."""

    def predict(v):
        return np.array([2 * np.tanh(v[0]) + 0 * v[1], v[1]])

    def jacobian(v):
        return np.array([[2 / np.cosh(v[0]) ** 2, 0.0], [0.0, 1.0]])

    return toy(predict, jacobian, [2.0, 0.0], [0.0, 0.0], [1.0, 1.0], [low, -5], [high, 5])


def test_a_saturating_parameter_is_one_sided_where_the_quadratic_says_otherwise():
    weighed, state = saturating()
    error = errors(weighed, state)[0]
    points = profile(weighed, 0, state, error)
    for point in points:
        assert point.data == pytest.approx(4 * (1 - np.tanh(point.at)) ** 2, abs=1e-9)
    found = interval(*(np.array([getattr(p, part) for p in points]) for part in ("at", "data")))
    assert kind(found) == "one-sided" and found.high is None
    assert found.low == pytest.approx(np.arctanh(1 - NORMAL_95 / 2), abs=0.05)
    expected = quadratic(weighed.free, 0, state.values[0], error)
    assert ratio(found, expected) is None and not alike(found, expected)


def test_slopes_that_lag_do_not_close_a_side():
    """The same with slopes that are wrong until computed anew: the profile comes out no higher than true."""
    weighed, state = banana()
    wrong = state._replace(slopes=state.slopes * [[1.0, 0.2, 1.0], [1.0, 1.0, 0.3]])
    points = profile(weighed, 0, wrong, errors(weighed, state)[0])
    assert max(p.data for p in points) < RISE / 10


def test_settling_keeps_the_others_inside_their_bounds():
    matrix = np.array([[1.0, 1.0], [0.0, 0.1]])
    weighed, state = toy(lambda v: matrix @ v, lambda v: matrix, [0, 0], [0, 0], [1, 1], [-9, -0.5], [9, 0.5])
    stop = settle(weighed, 0, state, 3.0)
    assert stop.state.values == pytest.approx([3.0, -0.5])
    assert stop.point.data == pytest.approx((3 - 0.5) ** 2 + 0.05**2 + 0.5**2)


def test_intervals_of_points_that_are_not_a_parabola():
    at = np.linspace(-2, 6, 9)
    found = interval(at, np.where(at < 1, 10 * (at - 1) ** 2, 0.1 * (at - 1) ** 2))
    assert kind(found) == "one-sided" and found.high is None and 0 < found.low < 1
    rising = interval(at, (at + 2) ** 2)
    assert rising.lowest == -2 and rising.low is None and rising.high == pytest.approx(NORMAL_95 - 2)


def test_alike_asks_for_the_same_open_ends_and_near_closed_ones():
    quadratic_one = Interval(0.0, -1.0, 1.0)
    assert alike(Interval(0.1, -1.2, 1.2), quadratic_one)
    assert not alike(Interval(0.1, -1.3, 1.2), quadratic_one)
    assert not alike(Interval(0.1, -1.0, None), quadratic_one)
    assert alike(Interval(0.1, None, 1.2), Interval(0.0, None, 1.0))


@pytest.fixture(scope="module")
def file():
    return read_yaml(DATA / "profiles.yaml")


@pytest.mark.parametrize("fit", FITS)
def test_the_stored_profiles_belong_to_the_present_fit(file, fit):
    """A new fit makes them stale: run make profiles."""
    known, part = load_fit(fit), file["fits"][fit]
    assert part["digest"] == known.digest
    assert {name: one["estimate"] for name, one in part["parameters"].items()} == known.values


@pytest.mark.parametrize("fit", FITS)
def test_every_stored_verdict_follows_from_its_points(file, fit):
    estimate = stored(fit)
    for name, one in file["fits"][fit]["parameters"].items():
        index, points = estimate.free.names.index(name), one["points"]
        found = interval(np.log(points["value"]), np.array(points["data"]))
        assert one["class"] == kind(found)
        ends = [None if end is None else np.exp(end) for end in found[1:]]
        for said, end in zip(one["interval"], ends, strict=True):
            assert (said is None) == (end is None), name
            assert end is None or said == pytest.approx(end, rel=0.01), name
        bounds = np.exp([estimate.free.low[index], estimate.free.high[index]])
        for end, bound, last in zip(ends, bounds, (points["value"][0], points["value"][-1]), strict=True):
            assert end is not None or last == pytest.approx(bound, rel=1e-4), f"{name} was not followed to its bound"


def test_a_stored_profile_is_found_again(file):
    """The smallest fit, its profile computed anew from the evidence."""
    fit, name = "levers", "axis.adiposity_exponent"
    estimate = stored(fit)
    problem = weighed(fit, np.zeros((1, 2)))  # without slopes it predicts as well
    now, step = problem.predict(estimate.values), 1e-3
    moved = [problem.predict(estimate.values + step * unit) for unit in np.eye(2)]
    jacobian = np.stack([(one - now) / step for one in moved], axis=1)
    index = estimate.free.names.index(name)
    error = estimate.covariance[index, index] ** 0.5
    start = State(estimate.values, now, jacobian)
    points = profile(weighed(fit, jacobian), index, start, error, exact=True)
    known = file["fits"][fit]["parameters"][name]["points"]
    assert [p.data for p in points] == pytest.approx(known["data"], abs=SETTLED)
    assert np.exp([p.at for p in points]) == pytest.approx(known["value"], rel=1e-3)
