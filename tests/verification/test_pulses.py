"""Bursts and their closed forms, and the closed loop of the minutes."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.signal import lfilter

from leydig import laboratory, minutes, model, start
from leydig.engine.trace import names
from leydig.errors import ModelWarning
from leydig.evidence import trial
from leydig.physiology import pulses
from leydig.population_prior.streams import normals, uniforms
from leydig.studies import pulse_check, pulse_tables
from leydig.studies.before import already_taken
from leydig.studies.pulse_check import Begun
from leydig.studies.simulate import begin_typical
from leydig.subject import Subject, complete

P = minutes.load_parameters()
STATES = names(model.State)
SEEDS = 3


@pytest.fixture(scope="module")
def young():
    completed = complete(Subject.open("young-man"))
    began = begin_typical(completed, already_taken(completed.drugs, 0))
    return Begun(began.individual, began.state, completed.age)


def runner(man, hour=0.0, seed=1, p=None, table=None):
    table = start.input_table(man.age) if table is None else table
    rhythm = minutes.rhythm_of(man.individual, man.age, laboratory.constants())
    inputs = minutes.inputs_of((-np.inf, start.input_table(man.age)), (0.0, table))
    return minutes.Runner(man.individual, man.state, inputs, hour, seed=seed, age=man.age, rhythm=rhythm, p=p)


# One burst -----------------------------------------------------------------------------------------


def followed(fast, slow, share, hours):
    """A burst of 1 IU/L through two steps of release into blood with two phases, by a solver of ODEs."""

    def slope(t, x):
        stored, leaving, first, second = x
        out = P.release_late * leaving
        return [
            -P.release_early * stored,
            P.release_early * stored - out,
            share * out - fast * first,
            (1 - share) * out - slow * second,
        ]

    solution = solve_ivp(slope, (0, hours[-1]), [1, 0, 0, 0], "LSODA", t_eval=hours, rtol=1e-10, atol=1e-12)
    return solution.y[2] + solution.y[3]


@pytest.mark.parametrize("hormone", ["LH", "FSH"])
def test_one_burst_is_what_the_equations_of_its_pools_give(hormone):
    clearance = model.load_parameters().axis.FSH_clearance
    hours = np.linspace(0, 12, 200)
    if hormone == "LH":
        response, expected = pulses.LH_response(P), followed(P.LH_fast, P.LH_slow, P.LH_fast_share, hours)
        area = P.LH_fast_share / P.LH_fast + (1 - P.LH_fast_share) / P.LH_slow
    else:
        response, expected = pulses.FSH_response(P, clearance), followed(clearance, 1.0, 1.0, hours)
        area = 1 / clearance
    level = np.exp(-np.outer(hours, response.rate)) @ response.height
    assert level == pytest.approx(expected, abs=1e-8)
    assert level[0] == pytest.approx(0, abs=1e-12) and level.max() < 1
    assert response.area == pytest.approx(area)


def test_levels_between_steps_are_the_sum_of_all_bursts():
    """However the steps are cut: levels of LH under constant secretion against single responses added up."""
    axis = model.load_parameters().axis
    blood = minutes._Gonadotropins(axis, P, np.zeros(2))
    secretion, rng, hour, frequency = (3.0, 0.4), np.random.default_rng(2), 0.0, 0.9
    clearance = np.array([axis.LH_clearance, axis.FSH_clearance])
    responses = pulses.LH_response(P), pulses.FSH_response(P, axis.FSH_clearance)
    for _ in range(300):
        length = rng.uniform(0.01, 0.2)
        due = [(rng.uniform(0, length), rng.uniform(0.5, 2))] if rng.random() < 0.1 else []
        blood.give(secretion, frequency, due, hour)
        after = length * rng.random()
        expected = []
        for k, response in enumerate(responses):
            basal = [P.LH_basal_share, P.FSH_basal_share][k] * secretion[k] / clearance[k]
            level = basal * (1 - np.exp(-clearance[k] * (hour + after)))
            for begun, *brought in blood.given:
                if begun < hour + after:
                    level += brought[k] * (response.height @ np.exp(-response.rate * (hour + after - begun)))
            expected.append(level)
        assert blood.level(after) == pytest.approx(expected, abs=1e-9)
        blood.move(length)
        hour += length


def test_bursts_bring_what_is_to_be_given_off():
    area = pulses.LH_response(P).area
    mass = pulses.burst_mass(5.0, 0.8, 0.2, area)
    assert 0.8 * mass * area == pytest.approx(0.8 * 5.0)


# Bursts in time ------------------------------------------------------------------------------------


@pytest.mark.parametrize("frequency", [0.6, 1.0, 1.8])
def test_the_spread_of_a_level_is_that_of_a_long_open_loop_run(frequency):
    n, step = 40_000, 0.2
    bursts = pulses.pattern(uniforms(5, "intervals", 0, n), normals(5, "sizes", 0, n), P)
    at, response = bursts.times / frequency, pulses.LH_response(P)
    grid = np.arange(0.0, at[-1], step)
    place, level = np.searchsorted(grid, at), np.zeros(len(grid))
    for rate, height in zip(response.rate, response.height, strict=True):
        added = np.zeros(len(grid) + 1)
        before = np.append(grid, grid[-1] + step)[place] - at
        np.add.at(added, place, bursts.sizes * np.exp(-rate * before))
        level += height * lfilter([1], [1, -np.exp(-rate * step)], added[:-1])
    level = level[500:]
    assert level.mean() == pytest.approx(frequency * response.area, rel=0.01)
    spread = pulses.stationary_spread(response, frequency, P)
    assert level.std() / level.mean() == pytest.approx(spread, rel=0.02)


def test_the_transform_of_intervals_in_closed_form():
    by_chance = P._replace(interval_shape=1.0)
    assert pulses.interval_transform(0.7, by_chance) == pytest.approx(1 / 1.7)
    twice = P._replace(interval_shape=2.0)  # Rayleigh
    scale = pulses.interval_scale(twice)
    density = lambda t: 2 * t / scale**2 * np.exp(-((t / scale) ** 2))  # noqa: E731
    expected = quad(lambda t: np.exp(-0.7 * t) * density(t), 0, np.inf)[0]
    assert pulses.interval_transform(0.7, twice) == pytest.approx(expected)


@given(shape=st.floats(1.0, 6.0), spread=st.floats(0.0, 0.8))
@settings(max_examples=25, deadline=None)
def test_a_day_has_its_mean_number_of_bursts_from_the_beginning(shape, spread):
    """Stationary: one burst per unit of its own clock in the first unit as in the tenth, whatever the law."""
    p, days, n = P._replace(interval_shape=shape, mass_spread=spread), 400, 40
    u, z = uniforms(3, "u", 0, days * n).reshape(days, n), normals(3, "z", 0, days * n).reshape(days, n)
    found = [pulses.pattern(a, b, p) for a, b in zip(u, z, strict=True)]
    counts = np.array([np.histogram(one.times, np.arange(11.0))[0] for one in found])
    error = np.sqrt(counts.var(axis=0, ddof=1) / days)
    assert np.all(np.abs(counts.mean(axis=0) - 1) < 4.5 * error)
    assert np.concatenate([one.sizes for one in found]).mean() == pytest.approx(1, abs=0.05)
    assert all(np.all(np.diff(one.times) > 0) and one.times[0] > 0 for one in found)


def test_a_day_has_the_same_bursts_whenever_it_is_asked_for():
    first = minutes.bursts_of_day(4, 2, 17, P)
    minutes.bursts_of_day(4, 2, 3, P)
    again = minutes.bursts_of_day(4, 2, 17, P)
    assert np.array_equal(first.times, again.times) and np.array_equal(first.sizes, again.sizes)
    for other in ((5, 2, 17), (4, 3, 17), (4, 2, 18), (4, 2, -17)):
        assert not np.array_equal(first.times, minutes.bursts_of_day(*other, P).times)
    assert first.times[-1] > 24 * pulses.frequency_at_rest(90, 1.0, P) * (1 + P.frequency_ceiling) / P.frequency_ceiling


def test_what_ran_before_leaves_the_bursts_of_a_day(young):
    """From a day or from three days before: the same bursts, but for minutes by which feedback moves them."""
    long, short = runner(young, 0.0), runner(young, 48.0)
    long.run(72.0)
    short.run(72.0)
    one, other = long.run(96.0).bursts.hours, short.run(96.0).bursts.hours
    assert len(one) == pytest.approx(len(other), abs=1)
    n = min(len(one), len(other))
    assert one[:n] == pytest.approx(other[:n], abs=0.25)


# Frequency -----------------------------------------------------------------------------------------


@given(st.floats(0.01, 5), st.floats(0.01, 5), st.floats(1.02, 3))
def test_androgen_and_estrogen_each_slow_the_clock(androgen, estrogen, more):
    axis = model.load_parameters().axis
    now = pulses.frequency(0.8, androgen, estrogen, axis, P)
    assert pulses.frequency(0.8, more * androgen, estrogen, axis, P) < now
    assert pulses.frequency(0.8, androgen, more * estrogen, axis, P) < now
    assert now < 0.8 * (1 + P.frequency_ceiling) / P.frequency_ceiling


def test_frequency_at_rest_and_without_steroids():
    axis = model.load_parameters().axis
    assert pulses.frequency(0.8, 1.0, 1.0, axis, P) == pytest.approx(0.8)
    assert pulses.frequency(0.8, 0.0, 0.0, axis, P) == pytest.approx(
        0.8 * (1 + P.frequency_ceiling) / P.frequency_ceiling, rel=0.01
    )
    ages = pulses.frequency_at_rest(np.array([18.0, 25.0, 65.0, 80.0, 95.0]), 1.0, P)
    assert ages[0] == ages[1] == pytest.approx(P.frequency) and ages[3] == ages[4]
    assert pulses.frequency_at_rest(25, 0.04, P) == pytest.approx(0.2 * P.frequency), "a lesion makes bursts rarer"
    assert ages[2] / ages[1] == pytest.approx(np.sqrt(15 / 10 * 18 / 13), rel=0.02)  # mulligan1999, veldhuis2001


@pytest.mark.parametrize(("arm", "ratio"), [(1, 6.7 / 13.3), (2, 8.6 / 11.4)])
def test_what_was_derived_from_ketoconazole_follows_from_the_models_signals(young, arm, ratio):
    protocol = trial("pitteloud2008").arms[arm].protocol
    table = pulse_check.treated(protocol, 8.0, young.age)
    states = pulse_check.slow(young, table, 24 * np.array([0, 2.75, 5.75]))
    signals = [states[1:, STATES.index(f"axis.{name}_signal")] for name in ("androgen", "estrogen")]
    blocked, added = pulses.frequency(0.8, *signals, young.individual.parameters.axis, P)
    assert added / blocked == pytest.approx(ratio, rel=0.03)


# The closed loop -----------------------------------------------------------------------------------


def test_halving_the_step_changes_next_to_nothing(young):
    coarse, fine = runner(young).run(24.0), runner(young).run(24.0, minutes.LONGEST_STEP / 2)
    assert len(coarse.bursts.hours) == len(fine.bursts.hours)
    assert np.abs(coarse.bursts.hours - fine.bursts.hours).max() < 0.2 / 60
    for name, most in (("axis.LH", 0.01), ("axis.FSH", 1e-3), ("steroids.free_testosterone", 1e-3)):
        one, other = (course.states[:, STATES.index(name)] for course in (coarse, fine))
        assert one == pytest.approx(other[::2], rel=most)
        assert one.mean() == pytest.approx(other[::2].mean(), rel=2e-4)


def test_bursts_carry_what_the_slow_model_gives_off_along_the_same_course(young):
    """Nearly regular bursts, so that little is left to chance."""
    regular = P._replace(interval_shape=60.0, mass_spread=1e-9)
    run = runner(young, p=regular)
    course = run.run(7 * 24.0)
    along = zip(course.hours[:-1], course.states[:-1], strict=True)
    due = np.mean([run.body.secretion(run.body.slope(hour, state), state) for hour, state in along], axis=0) * 7 * 24
    blood = run.blood
    given_off = np.array([course.bursts.LH.sum(), course.bursts.FSH.sum()]) * blood.area * blood.clearance
    assert given_off == pytest.approx((1 - blood.basal_share) * due, rel=0.02)


def test_testosterone_has_the_published_rhythm(young):
    regular = P._replace(interval_shape=60.0, mass_spread=1e-9)
    run = runner(young, p=regular)
    run.run(24.0)
    course = run.run(5 * 24.0)
    found = pulse_check.quantities(course, young.individual, run.body.inputs)["testosterone"][:-1]
    clock = 8 + course.hours[:-1]
    wave = 2 * np.mean(found * np.exp(2j * np.pi * clock / 24)) / found.mean()
    seen = laboratory.rhythm("testosterone", np.arange(0, 24, 0.1), young.age, laboratory.constants())
    assert abs(wave) == pytest.approx(seen.max() - 1, rel=0.15)
    assert np.angle(wave) / (2 * np.pi) * 24 % 24 == pytest.approx(7.5, abs=0.5)


@pytest.mark.parametrize(
    ("subject", "protocol"),
    [
        ("young-man", "none"),
        ("older-man", "anastrozole 1 mg daily"),
        pytest.param("young-man", "anastrozole 1 mg daily", marks=pytest.mark.xfail(reason="LH and FSH miss 3 %")),
    ],
)
def test_the_closed_loop_settles_at_the_slow_models_means(subject, protocol):
    """28 days of minutes after 28 to settle, mean of a few courses, within 3 %."""
    found = pulse_tables.settled(subject, protocol, SEEDS)
    assert found.ratio == pytest.approx(dict.fromkeys(("LH", "FSH", "testosterone", "estradiol"), 1.0), abs=0.03)


def test_on_an_inhibitor_bursts_are_larger(young):
    """LH doubles; since testosterone rises with it, the clock hardly changes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        table = pulse_check.treated("anastrozole 1 mg daily", 40.0, young.age)
    before, after = runner(young), pulse_check.warmed(young, 0, table, 28 * 24.0)
    one, other = before.run(3 * 24.0), after.run(31 * 24.0)
    assert other.frequency.mean() == pytest.approx(one.frequency.mean(), rel=0.1)
    assert other.bursts.LH.mean() > 1.3 * one.bursts.LH.mean()


def test_the_slow_course_of_an_untreated_man_stays(young):
    states = pulse_check.slow(young, start.input_table(young.age), np.array([0.0, 240.0]))
    hormones = slice(0, STATES.index("spermatogenesis.spermatogonia"))
    assert states[1, hormones] == pytest.approx(young.state[hormones], rel=1e-3)
