"""Readings and their weights: element by element, ordered, bounded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leydig import laboratory
from leydig.studies import observe
from leydig.studies.observe import Test
from leydig.studies.observe_test import entry

ANALYTES = st.sampled_from([name for name in observe.analytes() if name not in laboratory.DENSITIES])
TESTS = st.builds(
    Test,
    ANALYTES,
    st.sampled_from(laboratory.ASSAYS),
    st.none() | st.floats(0, 24),
    st.none() | st.floats(0, 20),
)
LEVELS = st.floats(0.02, 30)
LABS = st.floats(-0.4, 0.4)


def state_of(test: Test, level: float) -> float:
    """A level as a state that the scale can have."""
    scale = entry(test.analyte).scale
    return 10 * level if scale == "log" else min(3 * level, 99.0) if scale == "log odds" else 20 + level


def limit_of(test: Test) -> float:
    """The highest limit that any assay has."""
    return max(observe.lloq(test.analyte, assay) or 0.0 for assay in laboratory.ASSAYS)


@settings(deadline=None, max_examples=60)
@given(test=TESTS, level=LEVELS, first=st.integers(0, 10**12), cut=st.integers(1, 39), lab=st.none() | LABS)
def test_a_mans_reading_does_not_depend_on_who_is_drawn_with_him(test, level, first, cut, lab):
    states, ages, share = (
        state_of(test, level) * np.linspace(0.5, 1, 40),
        np.linspace(20, 80, 40),
        np.linspace(0, 1, 40),
    )
    drawn = observe.draws(7, test, 2, first, 40)
    whole = observe.simulate(test, states, ages, drawn, share, lab)
    rest = observe.draws(7, test, 2, first + cut, 40 - cut)
    part = observe.simulate(test, states[cut:], ages[cut:], rest, share[cut:], lab)
    assert np.array_equal(part.values, whole.values[cut:]) and np.array_equal(part.below, whole.below[cut:])


@settings(deadline=None, max_examples=60)
@given(test=TESTS, level=LEVELS, lab=LABS)
def test_below_means_at_the_limit(test, level, lab):
    drawn = observe.draws(3, test, 0, 0, 200)
    read = observe.simulate(test, state_of(test, level) / 10, 50.0, drawn, lab=lab)
    assert np.all(np.isfinite(read.values)) and np.all(read.values >= 0)
    limit = observe.lloq(test.analyte, test.assay)
    if limit is None:
        assert not read.below.any()
    elif test.assay != laboratory.UNKNOWN:
        assert np.array_equal(read.below, read.values == limit) and np.all(read.values >= limit)
    if entry(test.analyte).scale == "log odds":
        assert np.all(read.values < 100)


@settings(deadline=None, max_examples=40)
@given(test=TESTS, level=LEVELS, lab=LABS, own_share=st.floats(0, 1))
def test_the_distribution_function_rises_from_0_to_1_and_falls_with_the_state(test, level, lab, own_share):
    state = state_of(test, level)
    middle = float(observe.expected(test, state, 50.0, own_share, lab))
    percentage, top = entry(test.analyte).scale == "log odds", max(middle, limit_of(test))
    at = np.linspace(0, 100, 25) if percentage else np.append(middle * np.geomspace(0.05, 2, 25), 20 * top)
    found = observe.cumulative(test, at, state, 50.0, own_share, lab)
    assert np.all(np.diff(found) >= -1e-9) and found[0] >= 0 and found[-1] == pytest.approx(1.0, abs=1e-3)
    assert observe.cumulative(test, -1.0, state, 50.0, own_share, lab) == 0
    more = observe.cumulative(test, at, 0.9 * state, 50.0, own_share, lab)
    # the fewer of the cells counted are of a kind, the wider their log odds, so tails of percentages may cross
    inside = (found > 0.02) & (found < 0.98) if percentage else np.full(len(found), True)
    assert np.all(more[inside] >= found[inside] - 1e-9)


@settings(deadline=None, max_examples=40)
@given(test=TESTS, level=LEVELS, lab=LABS, factors=st.lists(st.floats(0.3, 3), min_size=2, max_size=5))
def test_weights_of_many_are_those_of_each(test, level, lab, factors):
    states = np.minimum(state_of(test, level) * np.array(factors), 99.0 if entry(test.analyte).scale != "log" else 1e9)
    values = np.maximum(np.asarray(observe.expected(test, states[::-1], 50.0)), 1e-3)
    below = np.arange(len(states)) % 2 == 0
    many = observe.log_likelihood(test, values, below, states, 50.0, 1.0, lab)
    one = [
        float(observe.log_likelihood(test, v, b, s, 50.0, 1.0, lab))
        for v, b, s in zip(values, below, states, strict=True)
    ]
    assert many == pytest.approx(np.array(one), rel=1e-9, abs=1e-9)
    assert not np.any(np.isnan(many)) and np.all(many[below] <= 1e-12)


@settings(deadline=None, max_examples=30)
@given(test=TESTS, level=LEVELS, lab=LABS)
def test_density_is_the_slope_of_the_distribution_function(test, level, lab):
    state = state_of(test, level)
    at = float(observe.expected(test, state, 50.0, 1.0, lab))
    if at < 1.2 * limit_of(test):  # the distribution function jumps at a limit
        return
    step = 1e-4 * at
    both = observe.cumulative(test, np.array([at - step, at + step]), state, 50.0, 1.0, lab)
    dense = np.exp(observe.log_likelihood(test, at, False, state, 50.0, 1.0, lab))
    assert dense == pytest.approx((both[1] - both[0]) / (2 * step), rel=1e-3)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32), visit=st.integers(0, 1000), first=st.integers(0, 10**9))
def test_streams_of_tests_and_visits_are_apart(seed, visit, first):
    drawn = [observe.draws(seed, Test(name), at, first, 8) for name in ("LH", "FSH") for at in (visit, visit + 1)]
    parts = np.array([field for one in drawn for field in (one.pulse, one.day, one.analysis)])
    assert len(np.unique(parts)) == parts.size
    again = observe.draws(seed, Test("LH"), visit, first, 8)
    assert all(np.array_equal(a, b) for a, b in zip(again, drawn[0], strict=True))
