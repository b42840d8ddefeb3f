"""The text of the CUDA kernel: the straight-line step as device functions, and the driver around it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from leydig.engine.kernel import LITERAL, ROW
from leydig.engine.lane_arithmetic import FORMATS, Precision
from leydig.engine.step import INPUT_TIMES, Layout, Step, Variant, step
from leydig.engine.straight_line import Statement
from leydig.engine.trace import Traced


@cache
def program_of(traced: Traced, variant: Variant) -> Step:
    """The step, made once."""
    return step(traced, variant)


def kernel_source(traced: Traced, variant: Variant, precision: Precision) -> str:
    """The text of the whole module: arithmetic, straight-line step, driver."""
    program = program_of(traced, variant)
    numbers: dict[str, str] = {}
    parts = program.functions()
    functions = [_function(name, part, program.layout, numbers, precision) for name, part in parts.items()]
    constants = "".join(f"{name} = real({value})\n" for value, name in numbers.items())
    arithmetic = ARITHMETIC.format(real=FORMATS[precision].real, largest=FORMATS[precision].largest)
    return "\n".join([HEADER, arithmetic, constants, _sizes(program, traced), *functions, DRIVER])


HEADER = '''"""Generated from the equations; do not edit."""

import math

import numpy as np
from numba import cuda

device = cuda.jit(device=True)
kernel = cuda.jit(cache=True)
'''

# Outside their domains these give what the device would, in the simulator as well, which would raise.
ARITHMETIC = """
real = np.{real}
ZERO, NOT_A_NUMBER, LARGEST, SMALLEST = real(0.0), real(np.nan), real({largest}), real(-{largest})
LOG_OF_NOTHING = SMALLEST


@device
def exp(x):
    return math.exp(min(max(x, SMALLEST), LARGEST)) if x == x else x


@device
def log(x):
    return math.log(x) if x > ZERO else (LOG_OF_NOTHING if x == ZERO else NOT_A_NUMBER)


@device
def sqrt(x):
    return math.sqrt(x) if x >= ZERO else NOT_A_NUMBER
"""

DRIVER = Path(__file__).with_name("cuda_driver.py").read_text()


def _function(
    name: str, part: Sequence[Statement], layout: Layout, numbers: dict[str, str], precision: Precision
) -> str:
    """One straight-line device function. A man's constants lie in global memory, rows that move in his thread's own."""

    def row(place: int) -> str:
        if layout.parameters <= place < layout.hoisted:
            return f"parameters[{place - layout.parameters}, man]"
        if layout.hoisted <= place < layout.factors:
            return f"hoisted[{place - layout.hoisted}, man]"
        return f"w[{place if place < layout.parameters else place - (layout.factors - layout.parameters)}]"

    def put(text: str) -> str:
        if precision == "single":
            text = LITERAL.sub(lambda found: numbers.setdefault(found[0], f"NUMBER_{len(numbers)}"), text)
        return ROW.sub(lambda found: row(int(found[1])), text)

    body = "".join(f"    {put(target)} = {put(expression)}\n" for target, expression in part) or "    pass\n"
    return f"@device\ndef {name}(w, parameters, hoisted, man):\n{body}"


def _sizes(program: Step, traced: Traced) -> str:
    layout = program.layout
    moved = layout.factors - layout.parameters
    values = {
        "LOCAL_ROWS": layout.rows - moved, "STATES": len(program.moving),
        "CHANNELS": len(traced.inputs), "INCREMENT": layout.increment, "ERROR": layout.error, "STEP": layout.step,
        "INPUTS": layout.inputs, "SHARES": INPUT_TIMES,
        "INPUT_ROWS": (len(INPUT_TIMES) + 1) * len(traced.inputs), "PASSIVE": program.passive,
        "BEFORE": layout.before - moved, "AFTER": layout.after - moved,
        "SEEN": tuple(i in program.seen for i in range(len(traced.inputs))),
    }  # fmt: skip
    return "\n".join(f"{name} = {value}" for name, value in values.items()) + "\n"
