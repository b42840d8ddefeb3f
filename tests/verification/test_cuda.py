"""The GPU kernel, run by numba's CUDA simulator in a process of its own: agreement with the processor's kernel.

No part of this needs a GPU, so it says nothing about speed.
"""

import os
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numba import config
from tests.men import YOUNG

from leydig import model, start
from leydig.baseline import personalise
from leydig.engine import cuda, kernel, reference
from leydig.engine.inputs import InputTable
from leydig.engine.kernel import STATUS, Control
from leydig.engine.reference import Status
from leydig.engine.schedule import Schedule
from leydig.engine.step import Variant
from leydig.engine.trace import trace
from leydig.errors import InputError

ROOT = Path(__file__).parents[2]
UNTREATED = model.Inputs(age=40.0)
FEW_STEPS = 85
DOSE = 20.0  # of the whole model's drug, as a concentration


class Sizes(NamedTuple):
    """Three stores: signal, product, and one that only the second input fills."""

    signal: Any
    product: Any
    store: Any


class Constants(NamedTuple):
    turnover: Any  # 1/h
    steepness: Any
    level: Any
    blow: Any  # 1/h: above 0 the signal grows without bound


class Drive(NamedTuple):
    dose: Any
    filling: Any


def feedback(state: Sizes, constants: Constants, inputs: Drive) -> Sizes:
    """The product holds its own signal down by a power of itself; a dose hinders it."""
    held = 2 / (1 + (state.product / constants.level) ** constants.steepness) / (1 + inputs.dose)
    return Sizes(
        constants.turnover * (held - state.signal) + constants.blow * state.signal * state.signal,
        0.1 * (state.signal**0.5 - state.product) + 0.01 * state.store,
        inputs.filling - 0.05 * state.store,
    )


def traced():
    return trace(feedback, Sizes, Constants, Drive)


MEN = 5
TIMES = np.array([0.0, 1.0, 24.0, 30.0, 50.0, 96.0])
FLOORS = np.array([1e-3, 1e-3, 1e-3])
EMPTY = Variant(absent=(("filling", 0.0),), still=(("store", 0.0),))


def problem(own_events: bool = False, **changes: Any) -> dict[str, Any]:
    """Arguments of ``solve_many`` for five men on doses that fade at two rates of each man's own."""
    rng = np.random.default_rng(11)
    states = rng.uniform(0.5, 1.5, (MEN, 3))
    states[:, 2] = 0.0
    parameters = np.column_stack(
        [rng.uniform(0.5, 5, MEN), rng.uniform(1, 3, MEN), rng.uniform(0.7, 1.3, MEN), np.zeros(MEN)]
    )
    rate = np.column_stack([rng.uniform(0.5, 2, MEN), rng.uniform(0.02, 0.1, MEN), np.zeros(MEN)])
    jump, ramp = np.zeros((MEN, 2, 3)), np.zeros((MEN, 2, 3))
    jump[:, 0, 0], jump[:, 0, 1] = -1.0, 1.0  # a bolus through a depot
    ramp[:, 1, 1], jump[:, 1, 2] = 0.01, 0.1  # absorbed as fast as it goes, and a lasting level
    time = np.array([[0.0, 12.0, 12.0, 36.0, 60.5, np.inf]])
    kind, amount = np.array([[0, 0, 1, 0, 1, 0]]), np.array([[1.0, 2.0, 0.5, 1.0, 1.0, 0.0]])
    if own_events:
        delays = np.arange(MEN)[:, None] * 0.37
        time, kind, amount = time + delays, np.repeat(kind, MEN, 0), amount * (1 + delays)
        time[1, 3:] = np.inf  # this man has three events only
    nothing = np.zeros((MEN, 3))
    schedule = Schedule(np.zeros(3, np.int64), rate, nothing, nothing, time, kind, amount, jump, ramp)
    given = {"states": states, "parameters": parameters, "schedule": schedule, "times": TIMES, "floors": FLOORS}
    return given | changes


BINS = cuda.Bins(("signal", "store"), np.array([[0.2, 0.5, 0.9, 1.4], [-1.0, 0.0, 0.0, 1.0]]))
GRID = Control(tolerance=None, first=0.02, growth=1.3, longest=3.0)
OWN_TIMES = TIMES + np.arange(MEN)[:, None] * 1.7  # begins at another hour for every man


def problems() -> dict[str, dict[str, Any]]:
    """What both kernels are given, by name."""
    blown = problem()
    blown["parameters"][[1, 3], 3] = 5.0
    late = problem(own_events=True)
    return {
        "by error": problem(),
        "by error, tight": problem(control=Control(tolerance=1e-6)),
        "by error, long first step": problem(control=Control(tolerance=0.1, first=30.0)),
        "own events and times": late
        | {"schedule": late["schedule"]._replace(time=late["schedule"].time + 7), "times": OWN_TIMES},
        "along a grid": problem(own_events=True, control=GRID),
        "short steps": problem(control=Control(tolerance=None, first=0.4, longest=0.4), times=TIMES[:3]),
        "nothing absent moves": problem(variant=EMPTY, control=GRID),
        "no events": problem(schedule=_without_events(problem()["schedule"])),
        "single precision": problem(precision="single", control=GRID),
        "two leave the domain": blown,
    }


def whole_model() -> dict[str, Any]:
    """Two men of the program's own equations for a few hours after a dose: as much as the simulator does in seconds."""
    who = model.Individual(personalise(YOUNG, model.load_parameters(), None), model.load_parameters())
    begun, levels = start.rest(who), np.array(UNTREATED, float)
    channel = np.append(np.flatnonzero(levels), model.traced().inputs.index("anastrozole"))  # constants, then the dose
    terms = len(channel)
    rate, first, jump = np.zeros((2, terms)), np.zeros((2, terms)), np.zeros((2, 1, terms))
    rate[:, -1], first[:, :-1], jump[:, 0, -1] = [0.1, 0.02], levels[channel[:-1]], DOSE
    shared = np.zeros((1, 1)), np.zeros((1, 1), np.int64), np.ones((1, 1))
    return {
        "states": np.stack([begun, begun]), "parameters": np.stack([start.vector(who)] * 2),
        "schedule": Schedule(channel, rate, first, np.zeros_like(first), *shared, jump, np.zeros_like(jump)),
        "times": np.array([0.0, 1.0, 6.0]), "floors": np.maximum(1e-3 * np.abs(begun), 1e-9),
        "control": Control(tolerance=1e-4),
    }  # fmt: skip


def _without_events(schedule: Schedule) -> Schedule:
    return schedule._replace(**{name: getattr(schedule, name)[:, :0] for name in ("time", "kind", "amount")})


def simulated(path: str) -> None:
    """Everything that the tests look at, computed by the simulated device; the other process calls this."""
    assert config.ENABLE_CUDASIM
    found: dict[str, Any] = {name: tuple(cuda.solve_many_cuda(traced(), **given)) for name, given in problems().items()}
    found["in parts"] = tuple(cuda.solve_many_cuda(traced(), **problems()["own events and times"], at_once=2))
    for name in ("nothing absent moves", "two leave the domain"):
        found[f"counts: {name}"] = tuple(cuda.solve_many_cuda(traced(), **problems()[name], reduce=BINS, at_once=3))
    found["whole model"] = tuple(cuda.solve_many_cuda(model.traced(), **whole_model()))
    cuda.MOST_STEPS = FEW_STEPS
    found["too many steps"] = tuple(cuda.solve_many_cuda(traced(), **problem()))
    Path(path).write_bytes(pickle.dumps(found))


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    """Results of the simulated device by name: fields of a Batch or of Counts."""
    path = tmp_path_factory.mktemp("cuda") / "found.pickle"
    code = f"from tests.verification.test_cuda import simulated; simulated({str(path)!r})"
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore::RuntimeWarning", "-c", code], cwd=ROOT, env=environment, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return pickle.loads(path.read_bytes())


def assert_same(ours: kernel.Batch, theirs: kernel.Batch, close: float) -> None:
    np.testing.assert_array_equal(ours.status, theirs.status)
    np.testing.assert_array_equal(ours.steps, theirs.steps)
    np.testing.assert_array_equal(ours.rejected, theirs.rejected)
    np.testing.assert_allclose(ours.reached, theirs.reached, rtol=close)
    np.testing.assert_allclose(ours.values, theirs.values, rtol=close, atol=close * 1e-3)
    np.testing.assert_allclose(ours.inputs, theirs.inputs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", problems())
def test_agrees_with_the_processors_kernel(device, name):
    """The other kernel computes everything in double precision, so that only one has to be compiled for it."""
    given = problems()[name]
    close = 1e-5 if given.pop("precision", "double") == "single" else 1e-10
    given.pop("variant", None)
    ours, theirs = kernel.Batch(*device[name]), kernel.solve_many(traced(), **given)
    assert_same(ours, theirs, close)
    assert theirs.steps.min() > len(TIMES) / 2


def test_ends_where_the_processors_kernel_does_after_too_many_steps(device, monkeypatch):
    monkeypatch.setattr(kernel, "MOST_STEPS", FEW_STEPS)
    ours, theirs = kernel.Batch(*device["too many steps"]), kernel.solve_many(traced(), **problem())
    assert_same(ours, theirs, 1e-10)
    assert {STATUS[i] for i in ours.status} == {Status.done, Status.too_much_work}


def test_failed_men_end_alone(device):
    batch = kernel.Batch(*device["two leave the domain"])
    assert [STATUS[i] for i in batch.status] == [
        Status.done, Status.left_domain, Status.done, Status.left_domain, Status.done,
    ]  # fmt: skip
    failed = batch.reached < TIMES[-1]
    np.testing.assert_array_equal(failed, batch.status != 0)
    assert np.isnan(batch.values[failed, -1]).all() and np.isfinite(batch.values[~failed]).all()
    assert np.isfinite(batch.values[failed, 0]).all()


def test_parts_are_the_whole(device):
    for part, whole in zip(device["in parts"], device["own events and times"], strict=True):
        np.testing.assert_array_equal(part, whole)


def test_follows_the_whole_model(device):
    """Against the accurate solver, which shares no code with it but the equations."""
    given, batch = whole_model(), kernel.Batch(*device["whole model"])
    scale, schedule = given["floors"], given["schedule"]
    for man in range(2):
        constant = np.array([UNTREATED], float)
        dose = schedule.channel[-1:], schedule.rate[man, -1:], np.array([[DOSE]]), np.zeros((1, 1))
        table = InputTable(np.zeros(1), constant, 0 * constant, *dose)
        exact = reference.solve(
            model.traced(), given["states"][man], given["parameters"][man], table, given["times"], compile=False
        )
        error = np.abs(batch.values[man] - exact.values) / (np.abs(exact.values) + scale)
        assert batch.status[man] == 0 and error.max() < 1e-4
        assert np.abs((exact.values[-1] - given["states"][man]) / (given["states"][man] + scale)).max() > 0.05


@pytest.mark.parametrize("name", ["nothing absent moves", "two leave the domain"])
def test_counts_equal_a_histogram(device, name):
    counts, whole = cuda.Counts(*device[f"counts: {name}"]), kernel.Batch(*device[name])
    for place, state in ((0, 0), (1, 2)):
        edges = np.concatenate([[-np.inf], BINS.edges[place], [np.inf]])
        for time in range(len(TIMES)):
            values = whole.values[:, time, state]
            expected, _ = np.histogram(values[np.isfinite(values)], edges)
            np.testing.assert_array_equal(counts.counts[time, place], expected)
    np.testing.assert_array_equal(counts.status, whole.status)
    np.testing.assert_array_equal(counts.steps, whole.steps)
    assert len({tuple(row) for row in counts.counts[:, 0]}) > 1  # the first state moves from bin to bin


def test_a_gpu_agrees_with_the_simulator(device):
    """The only test of a real device; skipped where there is none."""
    try:
        cuda.require_device()
    except InputError as missing:
        pytest.skip(str(missing))
    for name, given in problems().items():
        close = 1e-5 if given.get("precision") == "single" else 1e-9
        for found, simulated_one in zip(cuda.solve_many_cuda(traced(), **given), device[name], strict=True):
            np.testing.assert_allclose(found, simulated_one, rtol=close, atol=close * 1e-3, err_msg=name)
    name = "nothing absent moves"
    counts = cuda.solve_many_cuda(traced(), **problems()[name], reduce=BINS)
    np.testing.assert_array_equal(counts.counts, device[f"counts: {name}"][0])
    found = cuda.solve_many_cuda(model.traced(), **whole_model())
    np.testing.assert_allclose(found.values, device["whole model"][0], rtol=1e-6, atol=1e-9)


def test_without_a_device_says_what_is_missing():
    if find_spec("numba_cuda") is not None or config.ENABLE_CUDASIM:
        pytest.skip("numba-cuda is installed here, or its simulator runs")
    with pytest.raises(InputError, match=r"leydig\[cuda\]"):
        cuda.solve_many_cuda(traced(), **problem())


def test_times_that_do_not_rise_are_refused(monkeypatch):
    monkeypatch.setattr(cuda, "require_device", lambda: None)
    with pytest.raises(ValueError, match="times must rise"):
        cuda.solve_many_cuda(traced(), **problem(times=TIMES[:1]))


def test_bins_that_do_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr(cuda, "require_device", lambda: None)
    with pytest.raises(ValueError, match="one row, not decreasing"):
        cuda.solve_many_cuda(traced(), **problem(), reduce=cuda.Bins(("signal",), np.array([[1.0, 0.5]])))
