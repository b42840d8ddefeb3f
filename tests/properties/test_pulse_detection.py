"""Pulse detectors: nothing in what is constant, every well separated pulse, and no dependence on clock or unit."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leydig import minutes
from leydig.physiology import pulses
from leydig.population_prior.streams import normals, uniforms
from leydig.studies.pulse_detection import SantenBardin, agreement, cluster, santen_bardin

CV = 0.05
DAY = 1440.0  # min

# False pulses in 24 hours of constant LH, both duplicates with the error that the detector is told. Cluster's t has the
# spread that its pooling gives it, sqrt(3/2), so that 2 is passed once in twenty by chance.
MOST_FALSE = {5: 9.5, 10: 5.0, 20: 2.5}

series = st.lists(st.floats(0.5, 50), min_size=8, max_size=120).map(np.array)


def clustered(times, values, cv=CV):
    return cluster(times, values, cv * values)


def separated(count, every, gap, height, base=5.0):
    """Pulses that rise in 20 minutes, fall in an hour and lie ``gap`` minutes apart: samples, times of the peaks."""
    shape = np.array([0, 0.5, 1.0, 0.75, 0.5, 0.3, 0.15, 0.05])
    length = 8 + round(gap / every)
    values = np.full(count * length + 10, base)
    peaks = []
    for k in range(count):
        at = 5 + k * length
        values[at : at + len(shape)] += height * base * shape
        peaks.append((at + 2) * every)
    return values, np.array(peaks)


def sampled(frequency, every, seed, days=6):
    """LH of bursts at a constant frequency (1/h) with the assay's error, and the bursts (min)."""
    p = minutes.load_parameters()
    n = round(40 * days * frequency)
    at = pulses.pattern(uniforms(seed, "u", 0, n), normals(seed, "z", 0, n), p)
    response, bursts = pulses.LH_response(p), at.times / frequency
    hours = 12 + np.arange(0, 24 * days, every / 60)
    since = hours[:, None] - bursts
    level = (
        np.where(since[..., None] > 0, np.exp(-np.maximum(since, 0)[..., None] * response.rate), 0) @ response.height
    )
    mass = 4.0 / (frequency * response.area)
    values = (1.0 + mass * level @ at.sizes) * (1 + CV / np.sqrt(2) * normals(seed, f"error {every}", 0, len(hours)))
    since_begin = (bursts - 12) * 60
    return 60 * (hours - 12), values, since_begin[(since_begin >= 0) & (since_begin < 60 * 24 * days)]


@pytest.mark.parametrize("every", [5, 10, 20])
def test_little_is_found_in_constant_LH(every):
    days, n = 150, int(DAY / every) + 1
    values = 5 * (1 + CV / np.sqrt(2) * normals(1, "constant", 0, days * n).reshape(days, n))
    times = every * np.arange(n)
    found = np.mean([len(clustered(times, day).peak) for day in values])
    assert found < MOST_FALSE[every]
    assert sum(len(santen_bardin(times, day, CV).peak) for day in values) == 0


@given(st.floats(0.1, 100), st.integers(8, 100))
def test_nothing_is_found_where_there_is_neither_pulse_nor_error(level, n):
    times, values = np.arange(n), np.full(n, level)
    assert len(clustered(times, values).peak) == len(santen_bardin(times, values, CV).peak) == 0


@given(st.integers(1, 12), st.sampled_from([5.0, 10.0]), st.floats(60, 200), st.floats(0.8, 3))
def test_well_separated_pulses_are_found_exactly(count, every, gap, height):
    values, peaks = separated(count, every, gap, height)
    times = every * np.arange(len(values))
    for found in (clustered(times, values), santen_bardin(times, values, CV)):
        assert np.array_equal(found.peak, peaks)
        assert found.height == pytest.approx(5 * (1 + height))
        assert found.amplitude == pytest.approx(5 * height)
        assert found.frequency(DAY) == count
        assert np.all(found.onset < found.peak)


@given(series, st.floats(-1e4, 1e4))
def test_the_clock_does_not_matter(values, later):
    times = 10.0 * np.arange(len(values))
    for detect in (clustered, lambda t, v: santen_bardin(t, v, CV)):
        here, there = detect(times, values), detect(times + later, values)
        assert there.peak == pytest.approx(here.peak + later) and there.onset == pytest.approx(here.onset + later)
        assert np.array_equal(here.height, there.height) and np.array_equal(here.amplitude, there.amplitude)


@given(series, st.integers(-6, 6))
def test_the_unit_does_not_matter_to_cluster(values, power):
    times, factor = 10.0 * np.arange(len(values)), 2.0**power
    here, there = clustered(times, values), clustered(times, factor * values)
    assert np.array_equal(here.peak, there.peak)
    assert np.array_equal(factor * here.amplitude, there.amplitude)


@given(series, st.integers(0, 6))
def test_a_larger_unit_never_adds_pulses_for_santen_and_bardin(values, power):
    """Its least rise is in IU/L: the same record in smaller numbers can only lose pulses."""
    times = 10.0 * np.arange(len(values))
    here, smaller = santen_bardin(times, values, CV), santen_bardin(times, values / 2.0**power, CV)
    assert set(smaller.peak) <= set(here.peak)
    free = SantenBardin(least=0.0)
    assert np.array_equal(santen_bardin(times, values, CV, free).peak, santen_bardin(times, 2 * values, CV, free).peak)


@given(series)
def test_what_is_found_is_in_the_samples(values):
    times = 10.0 * np.arange(len(values))
    for found in (clustered(times, values), santen_bardin(times, values, CV)):
        assert np.all(np.diff(found.peak) > 0) and np.all(found.onset <= found.peak)
        assert np.array_equal(values[np.searchsorted(times, found.peak)], found.height)
        assert np.all(found.amplitude <= found.height)
    rise = santen_bardin(times, values, CV)
    assert np.all(rise.amplitude >= 1.0) and np.all(rise.amplitude >= 0.999 * 3 * CV * (rise.height - rise.amplitude))


@given(st.lists(st.floats(0, 1000), max_size=30, unique=True), st.lists(st.floats(0, 1000), max_size=30, unique=True))
@settings(max_examples=60)
def test_every_burst_and_every_pulse_is_counted_once(peaks, bursts):
    assume(len(peaks) > 0)
    values = np.sort(peaks)
    found = clustered(np.arange(8.0), np.full(8, 5.0))._replace(peak=values)
    agreed = agreement(found, np.sort(bursts), 60.0)
    assert agreed.found + agreed.missed == len(bursts) and agreed.found + agreed.false == len(peaks)
    assert min(agreed) >= 0
    everything = agreement(found._replace(peak=np.sort(bursts)), np.sort(bursts), 0.0)
    assert everything == (len(bursts), 0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_more_bursts_are_found_where_there_are_more_and_where_samples_are_closer(seed):
    rates = {}
    for frequency in (0.5, 0.8, 1.2):
        for every in (5, 10, 20):
            times, values, bursts = sampled(frequency, every, seed)
            found = clustered(times, values)
            rates[frequency, every] = found.frequency(times[-1])
            agreed = agreement(found, bursts, 60.0)
            assert agreed.false <= 0.1 * len(found.peak)
            assert rates[frequency, every] < 1.1 * 24 * frequency
    for frequency in (0.5, 0.8, 1.2):
        assert rates[frequency, 5] > rates[frequency, 10] > rates[frequency, 20]
    assert rates[0.5, 5] < rates[0.8, 5] < rates[1.2, 5]
    assert rates[0.5, 10] < rates[0.8, 10] < rates[1.2, 10]


def test_different_lengths_are_refused():
    with pytest.raises(ValueError, match="9 times"):
        cluster(np.arange(9.0), np.ones(8), np.ones(8))
    with pytest.raises(ValueError, match="9 times"):
        santen_bardin(np.arange(9.0), np.ones(8), CV)
