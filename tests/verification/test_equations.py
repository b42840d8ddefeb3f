"""The equations: closed forms, mass balance, and the generated code against the plain functions."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from tests.men import MEN, OBESE, OLDER, YOUNG

from leydig import model, start
from leydig.baseline import Lesion, personalise
from leydig.engine import reference
from leydig.engine.inputs import evaluate, steady, tabulate
from leydig.engine.trace import build, flatten
from leydig.pharmacology.kinetics import Event
from leydig.physiology import bone, spermatogenesis, steroids, testis
from leydig.physiology.arithmetic import loss

QUIET = model.Inputs(age=40.0)


def individual(baseline=YOUNG, lesion=None):
    p = model.load_parameters()
    return model.Individual(personalise(baseline, p, lesion), p)


def plain(individual, inputs):
    """Rates of the plain equations as a function of a flat state."""

    def rates(t, y):
        return np.array(flatten(model.derivatives(build(model.State, y), individual, inputs)), float)

    return rates


@pytest.mark.parametrize("name", MEN)
def test_generated_rates_equal_plain_equations(name):
    who = individual(MEN[name])
    rng = np.random.default_rng(3)
    for _ in range(5):
        state = start.rest(who) * np.exp(0.5 * rng.standard_normal(len(start.STATES)))
        inputs = QUIET._replace(
            anastrozole=rng.uniform(0, 40), ketoconazole=rng.uniform(0, 5), degarelix=rng.uniform(0, 20)
        )
        out = np.zeros(len(state))
        model.traced().rates(state, start.vector(who), np.array(inputs, float), out)
        np.testing.assert_allclose(out, plain(who, inputs)(0, state), rtol=1e-10, atol=1e-9)


def test_generated_jacobian_equals_differences():
    who = individual(OLDER)
    state = start.rest(who) * 1.3 + 0.01
    inputs = np.array(QUIET._replace(anastrozole=12.0, hCG=20.0), float)
    n, p = len(state), start.vector(who)
    exact = np.zeros((n, n))
    model.traced().jacobian(state, p, inputs, exact)
    numeric = np.zeros((n, n))
    for j in range(n):
        step = 1e-6 * max(abs(state[j]), 1e-3)
        up, down, high, low = state.copy(), state.copy(), np.zeros(n), np.zeros(n)
        up[j] += step
        down[j] -= step
        model.traced().rates(up, p, inputs, high)
        model.traced().rates(down, p, inputs, low)
        numeric[:, j] = (high - low) / (2 * step)
    np.testing.assert_allclose(exact, numeric, rtol=2e-5, atol=1e-7 * np.abs(exact).max())


@pytest.mark.parametrize("text_events", [[Event("anastrozole", None, 24.0 * d, 1.0, 0.0) for d in range(14)]])
def test_second_solver_agrees(text_events):
    """LSODA on generated code against Radau on the plain equations, restarted at every dose."""
    who = individual(OLDER)
    table = start.input_table(OLDER.age, start.channels(text_events))
    times = np.arange(0, 14 * 24 + 1, 24.0)
    ours = reference.solve(model.traced(), start.rest(who), start.vector(who), table, times, rtol=1e-10, atol=1e-12)
    assert ours.status is reference.Status.done
    state, theirs = start.rest(who), [start.rest(who)]
    for a, b in pairwise(times):

        def rates(t, y, b=b):
            inputs = model.Inputs(*evaluate(table, np.array([min(t, b - 1e-9)]))[:, 0])
            return plain(who, inputs)(t, y)

        state = solve_ivp(rates, (a, b), state, method="Radau", rtol=1e-9, atol=1e-11).y[:, -1]
        theirs.append(state)
    scale = np.maximum(np.abs(ours.values), 1e-6)
    assert np.max(np.abs(np.array(theirs) - ours.values) / scale) < 1e-6


def test_interpreted_and_compiled_agree():
    who = individual()
    table = steady(list(QUIET._replace(anastrozole=10.0)))
    times = np.array([0.0, 240.0, 2400.0])
    one = reference.solve(model.traced(), start.rest(who), start.vector(who), table, times, compile=False)
    two = reference.solve(model.traced(), start.rest(who), start.vector(who), table, times, compile=True)
    np.testing.assert_allclose(one.values, two.values, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("compile", [False, True])
def test_a_solve_that_fails_midway_keeps_what_was_reached_and_says_why(compile):
    """A nonsense input from hour 48 on: values up to there stand, the rest is nan, the status is a sentence."""
    who = individual()
    good, bad = list(QUIET), list(QUIET._replace(anastrozole=np.nan))
    table = steady(good)
    table = table._replace(
        starts=np.array([0.0, 48.0]),
        constant=np.array([good, bad], float),
        slope=np.zeros((2, len(good))),
        exponential=np.zeros((2, 0)),
        ramp_exponential=np.zeros((2, 0)),
    )
    times = np.array([0.0, 24.0, 48.0, 72.0])
    solution = reference.solve(model.traced(), start.rest(who), start.vector(who), table, times, compile=compile)
    assert solution.status is not reference.Status.done
    assert " " in solution.status.value
    assert np.isfinite(solution.values[:3]).all() and np.isnan(solution.values[3]).all()
    assert solution.reached == 48.0


def test_inputs_join_on_one_grid():
    """Two channels with different events, against the sum computed by hand."""
    doses = start.channels([Event("anastrozole", None, 0.0, 1.0, 0.0), Event("anastrozole", None, 30.0, 1.0, 0.0)])
    later = start.channels([Event("anastrozole", None, 11.0, 2.0, 0.0)])
    joined = start.input_table(50, doses, later)
    times = np.linspace(0, 100, 301)
    apart = evaluate(start.input_table(50, doses), times)[0] + evaluate(start.input_table(50, later), times)[0]
    np.testing.assert_allclose(evaluate(joined, times)[0], apart, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(evaluate(joined, times)[-1], 50 + times / 8766)


def test_empty_inputs_are_constants():
    table = tabulate([[], []], [1.5, 0.0], [0.1, 0.0])
    np.testing.assert_allclose(evaluate(table, np.array([0.0, 10.0])), [[1.5, 2.5], [0.0, 0.0]])


# Closed forms ------------------------------------------------------------------------------------


def test_binding_quadratic_inverts():
    p = model.load_parameters().steroids
    for total in (0.0, 0.01, 0.5, 15.0, 80.0):
        for SHBG in (0.5, 10.0, 35.0, 150.0):
            free = steroids.free_testosterone(total, SHBG, p)
            assert steroids.total_testosterone(free, SHBG, p) == pytest.approx(total, rel=1e-12, abs=1e-15)


def test_free_fractions_are_the_published_ones():
    """Sodergard 1982: free testosterone 2.0 %, free estradiol 2.4 %, SHBG-bound estradiol 28 to 30 %."""
    p = model.load_parameters().steroids
    free = steroids.free_testosterone(18.4, 35.0, p)
    assert 100 * free / 18.4 == pytest.approx(2.0, abs=0.25)
    estradiol_fraction = 1 / steroids.total_estradiol(1.0, free, 35.0, p)
    assert 100 * estradiol_fraction == pytest.approx(2.4, abs=0.35)


def test_testosterone_infusion_has_its_closed_form_steady_state():
    """With the testis off, free testosterone is infusion over clearance plus the adrenal share."""
    who = individual(YOUNG, Lesion(leydig=0.0, sertoli=0.0))
    rate = 500.0  # nmol/h
    table = steady(list(QUIET._replace(testosterone_input=rate)))
    end = reference.solve(
        model.traced(), start.rest(who), start.vector(who), table, np.array([0.0, 24.0 * 400])
    ).values[-1]
    state = build(model.State, end)
    man, p = who
    expected = rate / man.steroids.free_clearance_testosterone
    expected += p.steroids.adrenal_testosterone_share * man.steroids.free_testosterone
    assert state.steroids.free_testosterone == pytest.approx(expected, rel=1e-6)
    assert state.testis.intratesticular_testosterone == pytest.approx(0.0, abs=1e-6)


def test_antagonist_steady_state_is_the_algebraic_one():
    who = individual()
    level = 3.0
    end = reference.solve(
        model.traced(), start.rest(who), start.vector(who), steady(list(QUIET._replace(degarelix=level))),
        np.array([0.0, 8766.0 * 12]),
    ).values[-1]  # fmt: skip
    assert np.max(np.abs(plain(who, QUIET._replace(degarelix=level))(0, end))[:15]) < 1e-6


def test_bone_reaches_formation_over_resorption():
    p = model.load_parameters().bone
    setpoints = bone.Setpoints(22.0, 450.0, 1.0, 1.0, 300.0, 50.0)
    target = bone.resorption_target(8.0, 200.0, p) / bone.resorption_target(22.0, 450.0, p)
    activity = bone.osteoblast_activity(8.0, 200.0, p) / bone.osteoblast_activity(22.0, 450.0, p)
    resting = bone.State(target, target, activity, 1.0)  # B / B0 = N G / R with N = R
    signals = bone.Signals(8.0, 200.0, 20.0, 1.0)
    rates = bone.derivatives(resting, setpoints, p, signals)
    assert rates.resorption == pytest.approx(0.0, abs=1e-15)
    assert rates.osteoblasts == pytest.approx(0.0, abs=1e-15)
    assert rates.bmd_spine == pytest.approx(0.0, abs=1e-15)


def test_germ_cells_take_the_sum_of_the_stage_times():
    """A step in commitment arrives in the ducts after tau_B + tau_G + tau_D on average (mean of the chain)."""
    p = model.load_parameters().spermatogenesis
    capacity = spermatogenesis.Capacity(1.0, 1.0, 1.0, 1.0, 60.0, 10.0, 1.0)
    normal = spermatogenesis.Signals(p.normal_FSH, p.normal_intratesticular_testosterone)
    rest = spermatogenesis.at_rest(capacity, p, normal)

    def rates(t, y):
        return np.array(spermatogenesis.derivatives(spermatogenesis.State(*y), capacity, p, normal))

    begin = np.array(rest._replace(spermatogonia=0.0))  # a gap travels down the chain
    solution = solve_ivp(rates, (0, 24 * 600), begin, method="LSODA", rtol=1e-9, atol=1e-12, dense_output=True)
    t = np.linspace(0, 24 * 600, 20001)
    missing = 1 - solution.sol(t)[-1]
    area = np.trapezoid(missing, t)
    mean = np.trapezoid(missing * t, t) / area
    assert area == pytest.approx(p.spermatogonia_time, rel=1e-3)
    assert mean == pytest.approx(p.spermatogonia_time + p.germ_cell_time + p.duct_time, rel=1e-3)


@pytest.mark.parametrize("extreme", ["low", "high"])
def test_shares_of_estradiol_are_positive_and_sum_to_one(extreme):
    """At the bounds of the fitted shares, in men whose testis or adrenal makes much of a scarce estradiol."""
    p = model.load_parameters()
    shares = {"low": (0.03, 0.03), "high": (0.5, 0.3)}[extreme]
    fitted = p.steroids._replace(testicular_share=shares[0], estrone_share=shares[1])
    for man in (YOUNG, OLDER, OBESE, YOUNG._replace(estradiol=5, testosterone=900), OBESE._replace(fat_mass=90)):
        own = personalise(man, p._replace(steroids=fitted)).steroids
        parts = (own.adipose_aromatase, own.lean_aromatase, own.estrone_route, own.testicular_aromatase)
        assert min(parts) > 0
        assert sum(parts) == pytest.approx(1)


# Mass balance ------------------------------------------------------------------------------------


def test_testosterone_mass_balance_closes():
    """What was secreted and given, less what was eliminated, is what blood and tissue hold more."""
    who = individual()
    man, p = who
    inputs = QUIET._replace(testosterone_input=300.0, anastrozole=8.0)
    times = np.linspace(0, 24 * 10, 4001)
    values = reference.solve(
        model.traced(), start.rest(who), start.vector(who), steady(list(inputs)), times, rtol=1e-10, atol=1e-12
    ).values
    state = build(model.State, values.T)
    s = p.steroids
    relative = state.testis.intratesticular_testosterone / man.testis.intratesticular_testosterone
    signals = steroids.Signals(relative, 1.0, 300.0, 0.0, 0.0, 0, 0, 0, 1.0, 1.0, 1.0)
    gained = steroids.secretion(man.steroids, s, signals) + steroids.given(
        300.0, s.testosterone_elimination, man.steroids.free_clearance_testosterone
    )
    lost = loss(state.steroids.free_testosterone, s.testosterone_elimination)
    tissue_volume = s.testosterone_to_tissue / s.testosterone_from_tissue
    held = state.steroids.free_testosterone + tissue_volume * state.steroids.tissue_testosterone
    assert np.trapezoid(gained - lost, times) == pytest.approx(held[-1] - held[0], rel=1e-4)


def test_absent_processes_have_zero_flux():
    who = individual(OBESE)
    man, p = who
    none = steroids.Signals(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0)
    assert steroids.given(0.0, 1.5, 2000.0) == 0.0
    assert steroids.secretion(man.steroids, p.steroids, none) == 0.0
    assert steroids.testicular_aromatisation(man.steroids, p.steroids, none) == 0.0
    assert testis.leydig_stimulus(0.0, 0.0, 1.0) == 0.0
