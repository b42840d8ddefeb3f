"""The fast kernel on a small model: order, accuracy, failures, and the same man, the same bytes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite import binding
from scipy.integrate import solve_ivp
from tests import toy

from leydig.engine import kernel
from leydig.engine.kernel import STATUS, Control, solve_many
from leydig.engine.reference import Status
from leydig.engine.schedule import evaluate
from leydig.engine.step import Variant, still_states
from leydig.engine.trace import generated

STATES = np.array([1.0, 0.8, 0.0, 0.0])
FLOORS = np.full(4, 1e-3)
TIMES = np.array([0.0, 3.0, 12.0, 30.0, 100.0])
ABSENT = {"poison": 0.0}


@pytest.fixture(scope="module")
def traced():
    return toy.traced()


def men(n, seed=1):
    """Men with constants of their own: gain, power, rate of the fast state."""
    rng = np.random.default_rng(seed)
    return np.tile(STATES, (n, 1)), np.exp(rng.normal([0.3, 1.0, 1.0], 0.4, (n, 3)))


def rates_of(n, seed=2):
    return np.exp(np.random.default_rng(seed).normal(0, 0.5, n))


def follow(traced, states, parameters, schedule, times=TIMES, **more):
    return solve_many(traced, states, parameters, schedule, times, floors=FLOORS, **more)


def reference(traced, state, parameters, schedule, man, times=TIMES):
    """The library's solver, restarted at every event."""
    out = np.zeros(len(state))

    def rates(t, y, begin):
        traced.rates(y, parameters, evaluate_from(schedule, man, begin, t), out)
        return out.copy()

    stops = np.unique(np.concatenate([times, schedule.time[0]]))
    values, now = {stops[0]: state}, state
    for begin, end in pairwise(stops):
        now = solve_ivp(rates, (begin, end), now, "LSODA", args=(begin,), rtol=1e-11, atol=1e-13).y[:, -1]
        values[end] = now
    return np.array([values[t] for t in times])


def evaluate_from(schedule, man, begin, t):
    """Inputs at t with the events up to ``begin``, so that the right side of an interval stays on its own branch."""
    due = schedule.time[0] <= begin
    upto = schedule._replace(
        time=schedule.time[:, due], kind=schedule.kind[:, due], amount=np.ascontiguousarray(schedule.amount[:, due])
    )
    return evaluate(upto, man, np.array([0.0, t]))[:, -1]


def test_men_under_doses_agree_with_a_second_solver(traced):
    states, parameters = men(5)
    schedule = toy.schedule(5, rates_of(5), poison=0.4)
    found = follow(traced, states, parameters, schedule, control=Control(1e-8))
    assert (found.status == 0).all() and (found.reached == TIMES[-1]).all()
    for man in range(5):
        wanted = reference(traced, states[man], parameters[man], schedule, man)
        assert np.allclose(found.values[man], wanted, rtol=2e-7, atol=1e-9)
        assert np.allclose(found.inputs[man].T, evaluate(schedule, man, TIMES), rtol=1e-12, atol=1e-14)


def test_a_driven_linear_state_has_its_closed_form(traced):
    """One dose of 1 into x' = d exp(-k t) - 0.3 x: a difference of exponentials."""
    states, parameters = men(3)
    k = np.array([0.05, 0.8, 4.0])
    found = follow(traced, states, parameters, toy.schedule(3, k, doses=1), control=Control(1e-9))
    wanted = (np.exp(-np.outer(k, TIMES)) - np.exp(-0.3 * TIMES)) / (0.3 - k)[:, None]
    assert np.allclose(found.values[:, :, 2], wanted, rtol=1e-7, atol=1e-10)


def test_the_method_has_its_orders(traced):
    states, parameters = men(1)
    schedule = toy.schedule(1, (0.5,), doses=1)
    times = np.array([0.0, 8.0])
    exact = follow(traced, states, parameters, schedule, times, control=Control(None, 1.0, 1.0, 0.01)).values[0, 1]
    errors = []
    for step in (0.5, 0.25, 0.125):
        found = follow(traced, states, parameters, schedule, times, control=Control(None, 1.0, 1.0, step))
        errors.append(np.abs(found.values[0, 1, :3] - exact[:3]))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert orders[-1].min() > 3.7, orders


def test_errors_follow_the_tolerance(traced):
    states, parameters = men(16)
    schedule = toy.schedule(16, rates_of(16))
    exact = follow(traced, states, parameters, schedule, control=Control(1e-10)).values
    error = {}
    for tolerance in (1e-3, 1e-5, 1e-7):
        found = follow(traced, states, parameters, schedule, control=Control(tolerance)).values
        error[tolerance] = np.max(np.abs(found - exact) / (np.abs(exact) + 1e-3))
        assert error[tolerance] < 3 * tolerance
    assert error[1e-3] > 30 * error[1e-5] > 900 * error[1e-7]


def test_single_precision_loses_digits_only(traced):
    states, parameters = men(16)
    schedule = toy.schedule(16, rates_of(16))
    double = follow(traced, states, parameters, schedule, control=Control(1e-6)).values
    single = follow(traced, states, parameters, schedule, control=Control(1e-4), precision="single").values
    error = np.max(np.abs(single - double) / (np.abs(double) + 1e-3))
    assert 1e-9 < error < 1e-4


def take(schedule, who):
    return schedule._replace(
        rate=schedule.rate[who],
        first=schedule.first[who],
        first_ramp=schedule.first_ramp[who],
        jump=schedule.jump[who],
        ramp=schedule.ramp[who],
        amount=schedule.amount if len(schedule.amount) == 1 else schedule.amount[who],
    )


@pytest.mark.parametrize("precision", ["double", "single"])
def test_the_same_man_has_the_same_bytes_in_any_company(traced, precision):
    n = 1000
    states, parameters = men(n)
    amounts = 1 + 0.5 * np.random.default_rng(3).random((n, 7))  # everyone takes other doses
    schedule = toy.schedule(n, rates_of(n), amounts=amounts, poison=0.3)
    more = {"precision": precision, "control": Control(3e-4)}
    together = follow(traced, states, parameters, schedule, **more)
    assert (together.status == 0).all()

    def same(who, found):
        for one, other in zip(together, found, strict=True):
            assert one[who].tobytes() == other.tobytes()

    for size in (1, 7, 64):
        for begin in range(0, 130, size):
            who = np.arange(begin, min(begin + size, n))
            same(who, follow(traced, states[who], parameters[who], take(schedule, who), **more))
    for lane in range(17):  # every lane, and a ragged end
        who = np.append(np.arange(1, lane + 1), 500)
        same(who, follow(traced, states[who], parameters[who], take(schedule, who), **more))
    same(np.arange(n), follow(traced, states, parameters, schedule, threads=2, **more))
    shuffled = np.random.default_rng(4).permutation(n)
    same(shuffled, follow(traced, states[shuffled], parameters[shuffled], take(schedule, shuffled), **more))


def test_men_may_have_times_and_events_of_their_own(traced):
    states, parameters = men(3)
    schedule = toy.schedule(3, rates_of(3))
    own_events = np.sort(np.random.default_rng(5).random((3, 6)) * 60, axis=1)
    own_times = np.array([[0.0, 10, 20], [0.0, 11, 70], [0.0, 64, 65]])
    mixed = schedule._replace(time=own_events, kind=np.zeros((3, 6), np.int64), amount=np.ones((3, 6)))
    found = follow(traced, states, parameters, mixed, own_times)
    for man in range(3):
        who = [man]
        alone = take(mixed, who)._replace(time=own_events[who], kind=mixed.kind[who])
        single = follow(traced, states[who], parameters[who], alone, own_times[man])
        assert single.values.tobytes() == found.values[who].tobytes()


def test_a_run_goes_on_from_a_stored_state(traced):
    """A visit: the state is kept, the inputs of the rest of the run begin where they were."""
    states, parameters = men(2)
    whole = toy.schedule(2, (0.4, 0.9), every=12.0, doses=6)
    full = follow(traced, states, parameters, whole, np.array([0.0, 30.0, 80.0]), control=Control(1e-9))
    first = follow(traced, states, parameters, whole, np.array([0.0, 30.0]), control=Control(1e-9))
    kept = [sum(np.exp(-rate * (30 - t)) for t in whole.time[0] if t <= 30) for rate in whole.rate[:, 0]]
    later = whole.time[0] > 30
    rest = whole._replace(
        first=np.array([[kept[0], 1.0, 0.0], [kept[1], 1.0, 0.0]]),
        time=whole.time[:, later].copy(),
        kind=whole.kind[:, later].copy(),
        amount=whole.amount[:, later].copy(),
    )
    second = follow(traced, first.values[:, 1], parameters, rest, np.array([30.0, 80.0]), control=Control(1e-9))
    assert np.allclose(second.values[:, 1], full.values[:, 2], rtol=1e-7)


@given(st.integers(1, 20), st.integers(0, 5), st.floats(0.05, 50))
@settings(max_examples=20, deadline=None)
def test_any_schedule_reaches_its_end(n, doses, every):
    traced = toy.traced()
    states, parameters = men(n)
    found = follow(traced, states, parameters, toy.schedule(n, rates_of(n), every, doses))
    assert (found.status == 0).all() and np.isfinite(found.values).all()


def test_a_failed_man_is_a_row_and_harms_nobody(traced):
    states, parameters = men(10)
    schedule = toy.schedule(10, rates_of(10))
    good = follow(traced, states, parameters, schedule)
    broken = parameters.copy()
    broken[4, 0] = np.nan
    found = follow(traced, states, broken, schedule)
    assert STATUS[found.status[4]] is Status.left_domain
    assert np.isnan(found.values[4, 1:]).all() and np.isfinite(found.values[4, 0]).all()
    others = np.delete(np.arange(10), 4)
    assert good.values[others].tobytes() == found.values[others].tobytes()


def test_too_much_work_is_a_status(traced, monkeypatch):
    monkeypatch.setattr(kernel, "MOST_STEPS", 5)
    states, parameters = men(2)
    found = follow(traced, states, parameters, toy.schedule(2))
    assert {STATUS[s] for s in found.status} == {Status.too_much_work}
    assert (found.steps == 5).all() and np.isnan(found.values[:, -1]).all() and (found.reached < TIMES[-1]).all()


def test_what_never_moves_falls_away(traced):
    still = still_states(traced, ABSENT, {"rare": 0.0, "drug": 0.0, "slow": 0.8})
    assert still == {"rare": 0.0}
    variant = Variant(tuple(ABSENT.items()), tuple(still.items()))
    states, parameters = men(9)
    schedule = toy.schedule(9, rates_of(9))
    less = follow(traced, states, parameters, schedule, variant=variant, control=Control(1e-8))
    more = follow(traced, states, parameters, schedule, control=Control(1e-8))
    assert np.allclose(less.values, more.values, rtol=1e-7, atol=1e-10)
    assert (less.values[:, :, 3] == 0).all()
    with pytest.raises(ValueError, match="poison does not keep"):
        follow(traced, states, parameters, toy.schedule(9, poison=1.0), variant=variant)
    states[3, 3] = 0.1
    with pytest.raises(ValueError, match="rare does not begin"):
        follow(traced, states, parameters, schedule, variant=variant)


@pytest.mark.parametrize(("precision", "bound"), [("double", 2e-14), ("single", 3e-7)])
def test_exp_and_log_have_the_accuracy_they_state(traced, precision, bound):
    module = kernel.compiled_kernel(traced, precision=precision)
    largest = 700 if precision == "double" else 80
    x = np.random.default_rng(1).uniform(-largest, largest, 4000).astype(module.real)
    y = np.exp(np.random.default_rng(2).uniform(-largest, largest, 4000)).astype(module.real)
    exponentials = np.array([module.exp(v) for v in x], float)
    assert np.max(np.abs(exponentials / np.exp(x.astype(float)) - 1)) < bound * (1 + np.max(np.abs(x)) / 50)
    logarithms = np.array([module.log(v) for v in y], float)
    assert np.max(np.abs(logarithms - np.log(y.astype(float))) / np.maximum(np.abs(np.log(y.astype(float))), 1)) < bound


def test_changed_text_is_another_module(tmp_path, monkeypatch):
    monkeypatch.setenv("LEYDIG_CACHE", str(tmp_path))
    one, other = generated("probe", "VALUE = 1\n"), generated("probe", "VALUE = 2\n")
    assert (one.VALUE, other.VALUE) == (1, 2) and one.__file__ != other.__file__
    with open(one.__file__, "a") as spoiled:
        spoiled.write("VALUE = 3\n")
    assert generated("probe", "VALUE = 1\n").VALUE == 1  # a file that is not its digest's text is never run


def widest():
    """The vector registers that code for this processor should use."""
    have = binding.get_host_cpu_features()
    if have.get("avx512f") and not have.get("prefer-256-bit"):
        return "zmm"
    return "ymm" if have.get("avx") else "xmm"


@pytest.mark.parametrize("precision", ["double", "single"])
def test_the_machine_code_is_as_wide_as_the_processor(traced, precision, tmp_path, monkeypatch):
    if "x86" not in binding.get_process_triple():
        pytest.skip("vector registers have other names on this processor")
    monkeypatch.setenv("LEYDIG_CACHE", str(tmp_path))  # code from the cache cannot be looked at
    module = generated("lanes", kernel.kernel_source(traced, kernel.EVERYTHING, precision), kernel._compile)
    vector, scalar = ("pd", "sd") if precision == "double" else ("ps", "ss")
    for function in module.FUNCTIONS[2:]:
        lines = function._library.get_asm_str().splitlines()
        arithmetic = [line for line in lines if "v" in line and any(w in line for w in ("mul", "fmadd", "fnmadd"))]
        wide = [line for line in arithmetic if vector in line and widest() in line]
        narrow = [line for line in arithmetic if scalar in line]
        assert len(wide) > 20 and len(narrow) <= 0.02 * len(wide), (function, len(wide), len(narrow))


def test_what_is_no_number_reaches_the_status(traced):
    """In every constant, also where it is only seen through a power, and in men who follow on the same lane."""
    states, parameters = men(40)
    schedule = toy.schedule(40, rates_of(40))
    good = follow(traced, states, parameters, schedule)
    for constant in range(3):
        for value in (np.nan, np.inf):
            broken = parameters.copy()
            broken[::2, constant] = value
            found = follow(traced, states, broken, schedule)
            assert (found.status[::2] != 0).all(), (constant, value)
            assert found.values[1::2].tobytes() == good.values[1::2].tobytes()


@pytest.mark.parametrize("precision", ["double", "single"])
def test_nearly_equal_rates_of_opposite_terms_lose_nothing(traced, precision):
    """Two terms of 10^5 that leave less than 1: what a drug does that is absorbed as fast as it is cleared."""
    states, parameters = men(4)
    schedule = toy.schedule(4, (0.5,), doses=3)
    gap = 1e-5
    rate = np.concatenate([schedule.rate, schedule.rate[:, :1] + gap], axis=1)
    jump = np.concatenate([schedule.jump, np.zeros((4, 2, 1))], axis=2)
    jump[:, 0, 0], jump[:, 0, 3] = 1 / gap, -1 / gap  # their difference is t exp(-rate t)
    none = np.zeros((4, 1))
    steep = schedule._replace(
        channel=np.append(schedule.channel, 0),
        rate=rate,
        first=np.concatenate([schedule.first, none], axis=1),
        first_ramp=np.concatenate([schedule.first_ramp, none], axis=1),
        jump=jump,
        ramp=np.zeros_like(jump),
    )
    ramp = schedule.ramp.copy()
    ramp[:, 0, 0] = 1.0
    jump = schedule.jump.copy()
    jump[:, 0, 0] = 0.0
    exact = follow(traced, states, parameters, schedule._replace(jump=jump, ramp=ramp), control=Control(1e-8))
    found = follow(traced, states, parameters, steep, precision=precision)
    assert np.allclose(found.values, exact.values, rtol=3e-4, atol=1e-5)
    assert found.steps.max() < 400


def test_an_output_just_after_an_event_does_not_shorten_later_steps(traced):
    states, parameters = men(1)
    schedule = toy.schedule(1, every=1.0, doses=100)
    plain = follow(traced, states, parameters, schedule, np.array([0.0, 100.0]))
    early = follow(traced, states, parameters, schedule, np.array([0.0, 1e-6, 100.0]))
    assert early.steps[0] < plain.steps[0] + 10


def test_a_step_of_a_grid_that_goes_wrong_is_taken_again(traced):
    states, parameters = men(8)
    schedule = toy.schedule(8, rates_of(8))
    exact = follow(traced, states, parameters, schedule, control=Control(1e-9)).values
    coarse = follow(traced, states, parameters, schedule, control=Control(None, 30.0, 1.0, 30.0))
    guarded = follow(traced, states, parameters, schedule, control=Control(1e-3, 30.0, 1.0, 30.0))
    error = [np.max(np.abs(one.values - exact) / (np.abs(exact) + 1e-3)) for one in (coarse, guarded)]
    assert error[1] < 3e-3 < error[0] and guarded.rejected.sum() > 0


def test_what_does_not_fit_is_refused(traced):
    states, parameters = men(3)
    schedule = toy.schedule(3)
    time = schedule.time
    wrong = {
        "rate has the shape": {"rate": schedule.rate[:1]},
        "amount has 2 rows": {"amount": np.ones((2, time.shape[1]))},
        "events must be in order": {"time": time[:, ::-1]},
        "no event may lie before": {"time": time - 1.0},
        "kinds of events": {"kind": schedule.kind + 7},
    }
    for said, parts in wrong.items():
        with pytest.raises(ValueError, match=said):
            follow(traced, states, parameters, schedule._replace(**parts))
    with pytest.raises(ValueError, match="parameters has the shape"):
        follow(traced, states, parameters[:, :2], schedule)
    with pytest.raises(ValueError, match="times must rise"):
        follow(traced, states, parameters, schedule, np.array([0.0, 2.0, 1.0]))
    with pytest.raises(ValueError, match="above 0"):
        follow(traced, states, parameters, schedule, control=Control(0.0))
