"""Many men at once: the generated step as vector code, one man per lane, on the processor's own threads.

The kernel is generated from the traced equations, compiled on first use (some tens of seconds) and cached
under the digest of its own text. Each man has his own clock, step size, inputs and events; his result is the
same to the bit whoever runs beside him, on processors of one kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leydig.engine.lane_arithmetic import FORMATS, Precision, text
from leydig.engine.reference import Status
from leydig.engine.step import INPUT_TIMES, Step, Variant, step
from leydig.engine.straight_line import Statement
from leydig.engine.trace import Traced, generated, is_generated

if TYPE_CHECKING:
    from leydig.engine.schedule import Schedule

# Indexed by what the driver writes into ``Batch.status``.
STATUS = (Status.done, Status.too_much_work, Status.left_domain)
MOST_STEPS = 10_000_000
BLOCK = 256  # men that a thread takes at a time
SAME_TIME = 1e-9  # h, as in the driver


EVERYTHING = Variant()


class Control(NamedTuple):
    """How steps are chosen: by the error of each man's own, or along a grid that begins again at every event.

    ``tolerance``: largest error of a step, of any state, relative to the state and its floor; a step with more is taken
    again, shorter, also on a grid; None for no limit. ``first``: the first step tried (h); on a grid the first after an
    event, in time constants of the fastest term that it sets off. ``growth``: of the steps of a grid; None for steps by
    error. ``longest``: of all steps (h).
    """

    tolerance: float | None = 5e-4
    first: float = 0.1
    growth: float | None = None
    longest: float = 2000.0


BY_ERROR = Control()


class Batch(NamedTuple):
    """What became of n men. Rows of ``values`` and ``inputs`` that were not reached are nan."""

    values: np.ndarray  # (n, times, states)
    inputs: np.ndarray  # (n, times, channels), just after events of that time
    status: np.ndarray  # (n,) index into STATUS
    reached: np.ndarray  # (n,) h
    steps: np.ndarray  # (n,) tried
    rejected: np.ndarray  # (n,) of them


def solve_many(
    traced: Traced,
    states: np.ndarray,
    parameters: np.ndarray,
    schedule: Schedule,
    times: np.ndarray,
    *,
    floors: np.ndarray,
    control: Control = BY_ERROR,
    variant: Variant = EVERYTHING,
    precision: Precision = "double",
    threads: int = 1,
) -> Batch:
    """States (n, s) of men with constants ``parameters`` (n, p), followed to ``times`` (t,) or (n, t) in hours.

    The first time is that of ``states``. ``floors`` (s,) are the sizes below which a state's error counts as absolute.
    ``variant`` must fit the schedule: ValueError where an input it calls absent is driven, or a state it calls still
    begins elsewhere. Never raises for a failed solve: look at ``status``.
    """
    states, parameters, moments = _put(states), _put(parameters), _put(np.atleast_2d(times))
    schedule = type(schedule)(*(_put(part, part.dtype) for part in schedule))
    n, floors = len(states), _put(floors)
    check(traced, variant, states, parameters, schedule, moments, floors)
    shape = (n, moments.shape[1])
    batch = Batch(
        np.empty((*shape, len(traced.states))), np.zeros((*shape, len(traced.inputs))), np.zeros(n, np.int8),
        np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64),
    )  # fmt: skip
    module = compiled_kernel(traced, variant, precision)
    functions = module.FUNCTIONS
    arguments = (
        states, parameters, schedule.channel,
        (schedule.rate != 0).any(axis=0), schedule.rate, schedule.first, schedule.first_ramp,
        (schedule.time, schedule.kind, schedule.amount, schedule.jump, schedule.ramp), moments,
        floors, *numbers(control), MOST_STEPS, *batch,
    )  # fmt: skip

    def block(begin: int) -> None:
        module.solve_block(*functions, begin, min(begin + BLOCK, n), *arguments)

    starts = range(0, n, BLOCK)
    if threads == 1 or len(starts) == 1:
        for begin in starts:
            block(begin)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(block, starts))
    return batch


def _put(array: np.ndarray, kind: Any = float) -> np.ndarray:
    """As the driver was compiled for: another layout would compile it once more."""
    return np.require(array, kind, ["C", "W"])


def numbers(control: Control) -> tuple[float, float, float, float, bool]:
    """What the driver is told: tolerance, first step, growth, longest step, whether the steps are those of a grid."""
    tolerance = np.inf if control.tolerance is None else float(control.tolerance)
    growth = 1.0 if control.growth is None else float(control.growth)
    if not min(tolerance, control.first, growth, control.longest) > 0:
        raise ValueError(f"tolerance, steps and growth must be above 0, not {control}")
    return tolerance, float(control.first), growth, float(control.longest), control.growth is not None


def check(
    traced: Traced, variant: Variant, states: np.ndarray, parameters: np.ndarray, schedule: Schedule,
    times: np.ndarray, floors: np.ndarray,
) -> None:  # fmt: skip
    """ValueError where arrays do not fit, times or events are out of order, or the variant is wrong for these men."""
    n, s, (m, k) = len(states), len(traced.states), (len(schedule.channel), schedule.jump.shape[1])
    wanted = {
        "states": (states, (n, s)), "parameters": (parameters, (n, len(traced.parameters))), "floors": (floors, (s,)),
        "rate": (schedule.rate, (n, m)), "first": (schedule.first, (n, m)), "first_ramp": (schedule.first_ramp, (n, m)),
        "jump": (schedule.jump, (n, k, m)), "ramp": (schedule.ramp, (n, k, m)),
    }  # fmt: skip
    for name, (array, shape) in wanted.items():
        if array.shape != shape:
            raise ValueError(f"{name} has the shape {array.shape}; these men need {shape}")
    for name, array in (
        ("times", times),
        ("time", schedule.time),
        ("kind", schedule.kind),
        ("amount", schedule.amount),
    ):
        if len(array) not in (1, n):
            raise ValueError(f"{name} has {len(array)} rows; there must be 1 or {n}")
    if times.shape[1] < 2 or not (np.diff(times) > 0).all():
        raise ValueError("the times must rise, and there must be two at least")
    if np.isnan(schedule.time).any() or not (schedule.time[:, 1:] >= schedule.time[:, :-1]).all():
        raise ValueError("the events must be in order")
    if schedule.time.shape[1] and (schedule.time[:, 0] < times[:, 0] - SAME_TIME).any():
        raise ValueError("no event may lie before the first time")
    if schedule.kind.size and not 0 <= schedule.kind.min() <= schedule.kind.max() < k:
        raise ValueError(f"the kinds of events must be from 0 to {k - 1}")
    for name, value in variant.still:
        if (states[:, traced.states.index(name)] != value).any():
            raise ValueError(f"{name} does not begin at {value:g} for every man, so it is not still")
    for name, value in variant.absent:
        if not keeps(schedule, traced.inputs.index(name), value):
            raise ValueError(f"{name} does not keep the value {value:g}, so it is not absent")


def keeps(schedule: Schedule, channel: int, value: float) -> bool:
    """Whether an input has one value for every man all the time."""
    own = schedule.channel == channel
    moved = (schedule.jump != 0).any(axis=(0, 1)) | (schedule.ramp != 0).any(axis=(0, 1))
    moved |= (schedule.first_ramp != 0).any(axis=0) | ((schedule.rate != 0) & (schedule.first != 0)).any(axis=0)
    return not moved[own].any() and bool((schedule.first[:, own].sum(axis=1) == value).all())


@cache
def compiled_kernel(traced: Traced, variant: Variant = EVERYTHING, precision: Precision = "double") -> ModuleType:
    """The kernel's module, generated and compiled if need be."""
    return generated("lanes", kernel_source(traced, variant, precision), _compile)


def is_ready(traced: Traced, variant: Variant = EVERYTHING, precision: Precision = "double") -> bool:
    """Whether the kernel lies compiled in the cache, so that nobody waits for it."""
    return is_generated("lanes", kernel_source(traced, variant, precision), "solve_block")


def _compile(module: ModuleType) -> None:
    """Compile the driver by solving for nobody; the straight-line functions were compiled as the module was read."""
    states, parameters = np.zeros((0, int(module.MOVING.max()) + 1)), np.zeros((0, module.PARAMETER_COUNT))
    none, counts = np.zeros((0, 1)), np.zeros((1, 0), np.int64)
    events = (np.zeros((1, 0)), counts, np.zeros((1, 0)), np.zeros((0, 0, 1)), np.zeros((0, 0, 1)))
    module.solve_block(
        *module.FUNCTIONS, 0, 0, states, parameters, np.zeros(1, np.int64), np.zeros(1, bool),
        none, none, none, events, np.zeros((1, 1)), np.zeros(states.shape[1]), *numbers(BY_ERROR), MOST_STEPS,
        np.zeros((0, 1, 1)), np.zeros((0, 1, 1)), np.zeros(0, np.int8), np.zeros(0), np.zeros(0, np.int64),
        np.zeros(0, np.int64),
    )  # fmt: skip


def kernel_source(traced: Traced, variant: Variant, precision: Precision) -> str:
    """The text of the whole module: arithmetic, straight-line step, driver."""
    program, lanes = step(traced, variant), FORMATS[precision].lanes
    literals: dict[str, str] = {}
    parts = program.functions()
    functions = [function(name, part, lanes, literals, precision) for name, part in parts.items()]
    constants = "\n".join(f"{name} = real({value})" for value, name in literals.items())
    every = f"FUNCTIONS = ({', '.join(parts)})\n"
    return "\n".join(
        [HEADER, text(precision), constants, _sizes(program, traced, lanes), STRAIGHT, *functions, every, DRIVER]
    )


HEADER = '''"""Generated from the equations; do not edit."""

import math
from math import sqrt

import numba
import numpy as np
from llvmlite import ir
from numba import carray, cfunc, njit, types
from numba.extending import intrinsic

# "reassoc" stays out: rounding to whole numbers by adding a large one must survive. So do "nnan" and "ninf": a value
# that is no number must reach the error of the step, which is then refused.
FREEDOM = {"contract", "nsz", "arcp"}
inlined = njit(fastmath=FREEDOM, error_model="numpy", forceinline=True)
driver = njit(error_model="numpy", nogil=True, cache=True)
'''

# Reached through their addresses, so that each is compiled once and the driver without them.
STRAIGHT = """
SIZE = ROWS * LANES
rows_type = types.CPointer(numba.from_dtype(np.dtype(real)))
straight = cfunc(types.void(rows_type), fastmath=FREEDOM, error_model="numpy", cache=True)

"""

DRIVER = Path(__file__).with_name("lane_driver.py").read_text()
LITERAL = re.compile(r"(?<![\w.])(?:\d+\.\d*(?:e[+-]?\d+)?|\d+e[+-]?\d+)")
ROW = re.compile(r"w\[(\d+)\]")


def function(name: str, part: Sequence[Statement], lanes: int, literals: dict[str, str], precision: Precision) -> str:
    """One straight-line function over all lanes; in single precision numbers get names in ``literals``."""

    def put(text: str) -> str:
        if precision == "single":
            text = LITERAL.sub(lambda found: literals.setdefault(found[0], f"NUMBER_{len(literals)}"), text)
        return ROW.sub(lambda found: f"w[{int(found[1]) * lanes} + lane]", text)

    lines = [f"@straight\ndef {name}(rows):", "    w = carray(rows, SIZE, real)", f"    for lane in range({lanes}):"]
    lines += [f"        {put(target)} = {put(expression)}" for target, expression in part] or ["        pass"]
    return "\n".join(lines) + "\n"


def _sizes(program: Step, traced: Traced, lanes: int) -> str:
    layout = program.layout
    values = {
        "LANES": lanes, "ROWS": layout.rows, "STATES": len(program.moving), "CHANNELS": len(traced.inputs),
        "PARAMETER_COUNT": len(traced.parameters), "INCREMENT": layout.increment, "ERROR": layout.error,
        "STEP": layout.step, "INPUTS": layout.inputs, "SHARES": INPUT_TIMES, "PARAMETERS": layout.parameters,
        "PASSIVE": program.passive, "BEFORE": layout.before, "AFTER": layout.after,
        "SEEN": f"np.array({[i in program.seen for i in range(len(traced.inputs))]})",
        "MOVING": f"np.array({list(program.moving)})",
    }  # fmt: skip
    return "\n".join(f"{name} = {value}" for name, value in values.items()) + "\n"
