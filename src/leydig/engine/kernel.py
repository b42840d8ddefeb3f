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
from typing import TYPE_CHECKING, NamedTuple

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
    n, moments = len(states), np.atleast_2d(np.asarray(times, float))
    check(traced, variant, states, schedule, moments)
    shape = (n, moments.shape[1])
    batch = Batch(
        np.empty((*shape, len(traced.states))), np.zeros((*shape, len(traced.inputs))), np.zeros(n, np.int8),
        np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64),
    )  # fmt: skip
    module = compiled_kernel(traced, variant, precision)
    functions = module.FUNCTIONS
    arguments = (
        np.ascontiguousarray(states, float), np.ascontiguousarray(parameters, float), schedule.channel,
        (schedule.rate != 0).any(axis=0), schedule.rate, schedule.first, schedule.first_ramp,
        (schedule.time, schedule.kind, schedule.amount, schedule.jump, schedule.ramp), moments,
        np.ascontiguousarray(floors, float), *numbers(control), MOST_STEPS, *batch,
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


def numbers(control: Control) -> tuple[float, float, float, float, bool]:
    """What the driver is told: tolerance, first step, growth, longest step, whether the steps are those of a grid."""
    tolerance = np.inf if control.tolerance is None else float(control.tolerance)
    growth = 1.0 if control.growth is None else float(control.growth)
    return tolerance, float(control.first), growth, float(control.longest), control.growth is not None


def check(traced: Traced, variant: Variant, states: np.ndarray, schedule: Schedule, times: np.ndarray) -> None:
    """ValueError where times do not rise, or code without the absent inputs and still states is wrong for these men."""
    if times.shape[1] < 2 or not (np.diff(times) > 0).all():
        raise ValueError("the times must rise, and there must be two at least")
    for name, value in variant.still:
        if (states[:, traced.states.index(name)] != value).any():
            raise ValueError(f"{name} does not begin at {value:g} for every man, so it is not still")
    jumps = np.asarray((schedule.jump != 0).any(axis=(0, 1)) | (schedule.ramp != 0).any(axis=(0, 1)))
    jumps |= (schedule.first_ramp != 0).any(axis=0)
    for name, value in variant.absent:
        own = schedule.channel == traced.inputs.index(name)
        if jumps[own].any() or (schedule.first[:, own].sum(axis=1) != value).any():
            raise ValueError(f"{name} does not keep the value {value:g}, so it is not absent")


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

# "reassoc" stays out: rounding to whole numbers by adding a large one must survive.
FREEDOM = {"contract", "nnan", "ninf", "nsz", "arcp"}
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
