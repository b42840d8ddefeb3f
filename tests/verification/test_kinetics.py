"""The closed forms of drug kinetics against an ODE solver, and against what must hold for every linear system."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from leydig.pharmacology import kinetics
from leydig.pharmacology.kinetics import Dose, Flow, evaluate, segments, steady_state

RATES = st.floats(0.02, 3.0)
# How one rate follows from another: unrelated, the same, or apart by next to nothing.
NEARNESS = st.sampled_from([None, 0.0, 1e-14, 1e-10, 1e-8, 9.99999e-7, 1e-6, 1.000001e-6, 1e-4])
PLACE = ("first depot", "second depot", "central", "peripheral")


def related(own: float, other: float, nearness: float | None) -> float:
    return own if nearness is None else other * (1 + nearness)


def two_depots(first, second, elimination, out, back):
    flows = [
        Flow("first depot", "central", first),
        Flow("second depot", "central", second),
        Flow("central", None, elimination),
        Flow("central", "peripheral", out),
        Flow("peripheral", "central", back),
    ]
    return kinetics.compartments(PLACE, flows)


def solved(system, doses, times):
    """Amounts in all compartments by a tight ODE solution, restarted at every event."""
    edges = sorted({0.0, times[-1], *(d.time for d in doses), *(d.time + d.duration for d in doses)})
    amounts, found = np.zeros(len(system.names)), np.zeros((len(times), len(system.names)))
    for start, end in zip(edges, [*edges[1:], None], strict=True):
        inflow = np.zeros(len(system.names))
        for dose in doses:
            into = system.names.index(dose.depot)
            if dose.duration == 0 and dose.time == start:
                amounts[into] += dose.amount
            elif dose.duration > 0 and dose.time <= start < dose.time + dose.duration:
                inflow[into] += dose.amount / dose.duration
        if end is None:
            found[times == start] = amounts
            continue
        inside = (times >= start) & (times < end)
        solution = solve_ivp(
            lambda t, x, u=inflow: system.matrix @ x + u,
            (start, end),
            amounts,
            t_eval=np.append(times[inside], end),
            method="DOP853",
            max_step=0.5,  # between its steps the solver interpolates less well than it steps
            rtol=1e-12,
            atol=1e-14,
        )
        found[inside] = solution.y[:, :-1].T
        amounts = solution.y[:, -1]
    return found


@settings(max_examples=40, deadline=None)
@given(
    RATES, RATES, RATES, RATES, RATES, NEARNESS, NEARNESS, st.sampled_from(["elimination", "fast mode", "slow mode"])
)
def test_closed_form_agrees_with_an_ode_solver(first, second, elimination, out, back, near, near_too, towards):
    modes = np.sort(-np.linalg.eigvalsh(_symmetric(elimination, out, back)))
    target = {"elimination": elimination, "fast mode": modes[1], "slow mode": modes[0]}[towards]
    first = related(first, target, near)
    second = related(second, first, near_too)
    system = two_depots(first, second, elimination, out, back)
    doses = [
        Dose(0.0, 3.0, 0.0, "first depot"),
        Dose(2.5, 1.0, 0.0, "second depot"),
        Dose(5.0, 2.0, 4.0, "first depot"),
        Dose(7.0, 1.5, 6.0, "central"),
        Dose(24.0, 1.0, 0.0, "central"),
    ]
    times = np.linspace(0, 48, 97)
    expected = solved(system, doses, times)
    for i, name in enumerate(PLACE):
        closed = evaluate(segments(system, doses, {name: 1.0}), times)
        np.testing.assert_allclose(closed, expected[:, i], rtol=0, atol=1e-8 * expected[:, i].max())


def _symmetric(elimination, out, back):
    cross = np.sqrt(out * back)
    return np.array([[-(elimination + out), cross], [cross, -back]])


@settings(max_examples=40, deadline=None)
@given(RATES, RATES, NEARNESS, st.floats(0.1, 50))
def test_one_compartment_matches_the_textbook_formula(absorption, elimination, near, tau):
    absorption = related(absorption, elimination, near)
    system = kinetics.compartments(
        ("gut", "blood"), [Flow("gut", "blood", absorption), Flow("blood", None, elimination)]
    )
    closed = evaluate(segments(system, [Dose(0, 1, 0, "gut")], {"blood": 1.0}), tau)
    half = (absorption - elimination) * tau / 2
    mean = np.exp(-(absorption + elimination) * tau / 2)
    expected = absorption * tau * mean * (np.sinh(half) / half if abs(half) > 1e-4 else 1 + half**2 / 6)
    # Two exponentials of size absorption / gap are subtracted; their rounding is what may be lost.
    gap = max(abs(absorption - elimination), 1e-6 * min(absorption, elimination))
    rounding = 4 * np.finfo(float).eps * absorption / gap * mean
    assert closed == pytest.approx(expected, rel=1e-8, abs=1e-14 + rounding)


def test_exactly_equal_rates_give_a_ramp_and_nothing_else():
    system = kinetics.compartments(("gut", "blood"), [Flow("gut", "blood", 0.3), Flow("blood", None, 0.3)])
    found = segments(system, [Dose(0, 2, 0, "gut")], {"blood": 1.0})
    assert found.rates.tolist() == [0.3]
    assert found.exponential.tolist() == [[0.0]]
    assert found.ramp_exponential == pytest.approx(0.6)


@settings(max_examples=30, deadline=None)
@given(RATES, RATES, RATES, RATES, st.floats(6, 100), st.sampled_from([0.0, 4.0]))
def test_steady_state_is_what_repeated_doses_reach(absorption, elimination, out, back, interval, duration):
    system = two_depots(absorption, 1.0, elimination, out, back)
    output = {"central": 1.0}
    slowest = -np.linalg.eigvals(system.matrix).real.max()
    many = int(40 / slowest / interval) + 2
    repeated = [Dose(i * interval, 1.0, duration, "first depot") for i in range(many)]
    phase = interval * np.linspace(0, 1 - 1e-9, 2000) ** 2
    reached = evaluate(segments(system, repeated, output), (many - 1) * interval + phase)
    closed = evaluate(steady_state(system, repeated[:1], interval, output), phase)
    np.testing.assert_allclose(closed, reached, rtol=1e-9, atol=1e-9 * reached.max())
    mean = np.trapezoid(closed, phase) / interval
    assert mean == pytest.approx(1 / (elimination * interval), rel=1e-3)  # what goes in comes out


def test_steady_state_with_equal_rates():
    system = kinetics.compartments(("gut", "blood"), [Flow("gut", "blood", 0.1), Flow("blood", None, 0.1)])
    repeated = [Dose(24.0 * i, 1.0, 0.0, "gut") for i in range(60)]
    phase = np.linspace(0, 23.9, 40)
    closed = evaluate(steady_state(system, repeated[:1], 24.0, {"blood": 1.0}), phase)
    np.testing.assert_allclose(closed, evaluate(segments(system, repeated, {"blood": 1.0}), 59 * 24 + phase), rtol=1e-9)


def test_steady_state_is_refused_where_there_is_none():
    system = kinetics.compartments(("gut", "pool"), [Flow("gut", "pool", 0.1)])
    with pytest.raises(ValueError, match="never leaves"):
        steady_state(system, [Dose(0, 1, 0, "gut")], 24.0, {"pool": 1.0})
    with pytest.raises(ValueError, match="begin and end within"):
        steady_state(two_depots(1, 1, 1, 1, 1), [Dose(0, 1, 30, "central")], 24.0, {"central": 1.0})


def test_all_that_is_given_is_somewhere():
    system = kinetics.compartments(
        (*PLACE, "outside"),
        [
            Flow("first depot", "central", 0.7),
            Flow("central", "peripheral", 0.2),
            Flow("peripheral", "central", 0.1),
            Flow("central", "outside", 0.3),
        ],
    )
    doses = [Dose(0, 2, 0, "first depot"), Dose(3, 5, 10, "central")]
    everything = segments(system, doses, dict.fromkeys(system.names, 1.0))
    np.testing.assert_allclose(
        evaluate(everything, np.array([-1, 0, 2.9, 8, 13, 1000])), [0, 2, 2, 4.5, 7, 7], rtol=1e-12
    )


def test_superposition_and_sum_of_signals():
    system = two_depots(1.0, 0.05, 0.3, 0.2, 0.1)
    early = [Dose(0, 1, 0, "first depot"), Dose(5, 2, 3, "central")]
    late = [Dose(4, 1, 0, "second depot")]
    output = {"central": 2.0}
    times = np.linspace(-2, 60, 500)
    together = evaluate(segments(system, [*late, *early], output), times)
    apart = [segments(system, part, output) for part in (early, late)]
    np.testing.assert_allclose(sum(evaluate(part, times) for part in apart), together, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(evaluate(kinetics.add(apart), times), together, rtol=1e-12, atol=1e-14)
    assert evaluate(kinetics.add([]), times).tolist() == [0.0] * 500


def test_a_given_rate_is_its_own_input():
    doses = [Dose(0, 24, 24, "line"), Dose(24, 48, 24, "line"), Dose(60, 10, 5, "line")]
    found = evaluate(kinetics.given(doses, 3.0), np.array([-1.0, 0, 12, 24, 47.9, 48, 61, 66]))
    assert found == pytest.approx([0, 3, 3, 6, 6, 0, 6, 0], abs=1e-12)
    with pytest.raises(ValueError, match="at once"):
        kinetics.given([Dose(0, 1, 0, "line")], 1.0)


def test_a_patch_that_ends_when_the_next_begins_makes_one_event():
    system = kinetics.compartments(("skin",), [Flow("skin", None, 0.2)])
    patches = [Dose(0.1 * i, 1, 0.1, "skin") for i in range(30)]
    assert len(segments(system, patches, {"skin": 1.0}).starts) == 31


@pytest.mark.parametrize(
    ("dose", "message"),
    [
        (Dose(0, -1, 0, "gut"), "negative or not finite"),
        (Dose(0, 1, -2, "gut"), "negative or not finite"),
        (Dose(np.nan, 1, 0, "gut"), "negative or not finite"),
        (Dose(0, np.inf, 0, "gut"), "negative or not finite"),
        (Dose(0, 1, 0, "muscle"), "no compartment 'muscle'"),
    ],
)
def test_impossible_doses_are_refused(dose, message):
    system = kinetics.compartments(("gut",), [Flow("gut", None, 1.0)])
    with pytest.raises(ValueError, match=message):
        segments(system, [dose], {"gut": 1.0})


def test_systems_without_this_closed_form_are_refused():
    chain = [Flow("a", "b", 0.5), Flow("b", "c", 0.5), Flow("c", None, 0.5)]
    with pytest.raises(ValueError, match="share the rate"):
        segments(kinetics.compartments("abc", chain), [Dose(0, 1, 0, "a")], {"c": 1.0})
    loop = [Flow("a", "b", 0.5), Flow("b", "c", 0.4), Flow("c", "a", 0.3), Flow("a", None, 0.1)]
    with pytest.raises(ValueError, match="one-way loop"):
        segments(kinetics.compartments("abc", loop), [Dose(0, 1, 0, "a")], {"c": 1.0})
    with pytest.raises(ValueError, match="not negative"):
        kinetics.compartments("ab", [Flow("a", "b", -1.0)])


def test_ten_years_of_daily_doses_take_milliseconds_and_keep_their_precision():
    system = two_depots(2.5, 1.0, 0.03, 0.17, 0.27)
    doses = [Dose(24.0 * i, 1.0, 0.0, "first depot") for i in range(3650)]
    segments(system, doses[:10], {"central": 1.0})
    begun = time.perf_counter()
    found = segments(system, doses, {"central": 1.0})
    assert time.perf_counter() - begun < 0.25  # about 0.01 s on an idle core
    phase = np.linspace(0, 23.9, 100)
    closed = evaluate(steady_state(system, doses[:1], 24.0, {"central": 1.0}), phase)
    np.testing.assert_allclose(evaluate(found, 3649 * 24 + phase), closed, rtol=1e-10)


def test_no_dose_no_signal():
    system = two_depots(1, 2, 3, 4, 5)
    found = segments(system, [], {"central": 1.0})
    assert evaluate(found, np.array([-1.0, 0.0, 100.0])).tolist() == [0.0, 0.0, 0.0]
