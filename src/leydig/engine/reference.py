"""Accurate solver for one man: LSODA with the generated Jacobian, status codes instead of exceptions.

It steps exactly onto every event time but keeps its order across them, because events only kink the
inputs; the state itself never jumps.
"""

import enum
import warnings
from bisect import bisect_right
from functools import cache
from math import exp
from typing import Any, NamedTuple

import numpy as np

from leydig.engine.inputs import InputTable
from leydig.engine.trace import Traced, compiled, is_compiled


class Status(enum.Enum):
    """How a solve ended; the value is a sentence for a person."""

    done = "solved"
    too_much_work = "the solver needed more steps than allowed before the end"
    too_accurate = "the tolerance asked for is below what the machine can give"
    failed = "the solver failed its error or convergence test"
    left_domain = "the solution became infinite or not a number"


class Solution(NamedTuple):
    """``values`` (len(times), n states); rows past ``reached`` are nan. ``steps``, ``evaluations`` count work."""

    times: np.ndarray  # h
    values: np.ndarray
    status: Status
    reached: float  # h
    steps: int
    evaluations: int


RELATIVE_TOLERANCE = 1e-8
ABSOLUTE_TOLERANCE = 1e-10
STEPS_PER_INTERVAL = 5000


def interpreted(traced: Traced, table: InputTable) -> tuple[Any, Any]:
    """Rates and Jacobian for the solver without compilation: plain floats and lists are faster than array items."""
    rates, jacobian, n = traced.rates, traced.jacobian, len(traced.states)
    starts, constant, slope, channel, rate, exponential, ramp = (part.tolist() for part in table)
    terms = range(len(rate))

    def inputs_at(t: float) -> list[float]:
        row = max(bisect_right(starts, t) - 1, 0)
        tau = t - starts[row]
        values = [c + s * tau for c, s in zip(constant[row], slope[row], strict=True)]
        for i in terms:
            values[channel[i]] += (exponential[row][i] + ramp[row][i] * tau) * exp(-rate[i] * tau)
        return values

    def rates_at(t: float, state: np.ndarray, parameters: list[float], *_: Any) -> list[float]:
        out = [0.0] * n
        rates(state.tolist(), parameters, inputs_at(t), out)
        return out

    def jacobian_at(t: float, state: np.ndarray, parameters: list[float], *_: Any) -> np.ndarray:
        out = np.empty((n, n))
        jacobian(state.tolist(), parameters, inputs_at(t), out)
        return out

    return rates_at, jacobian_at


@cache
def machine_code(traced: Traced) -> tuple[Any, Any]:
    """Rates and Jacobian as machine code; takes some seconds the first time, worth it for many men."""
    module = compiled(traced)
    return module.rates_at, module.jacobian_at


def solve(
    traced: Traced,
    state: np.ndarray,
    parameters: np.ndarray,
    inputs: InputTable,
    times: np.ndarray,
    *,
    rtol: float = RELATIVE_TOLERANCE,
    atol: float | np.ndarray = ABSOLUTE_TOLERANCE,
    compile: bool | None = None,
) -> Solution:
    """States at ``times`` (h, increasing, the first is the time of ``state``).

    ``atol`` is in the unit of each state. ``compile`` asks for machine code (same answer to rounding);
    by default it is used where it lies ready.
    Never raises for a failed solve: look at ``status``.
    """
    from scipy.integrate import ODEintWarning, odeint

    compile = is_compiled(traced) if compile is None else compile
    rates_at, jacobian_at = machine_code(traced) if compile else interpreted(traced, inputs)
    constants = np.asarray(parameters, float)
    times = np.asarray(times, float)
    inside = inputs.starts[(inputs.starts > times[0]) & (inputs.starts < times[-1])]
    # the library looks at one critical time per output, so every event is an output too
    grid = np.union1d(times, inside)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", ODEintWarning)
        try:
            values, info = odeint(
                rates_at,
                np.asarray(state, float),
                grid,
                args=(constants, *inputs) if compile else (constants.tolist(),),
                Dfun=jacobian_at,
                tfirst=True,
                rtol=rtol,
                atol=atol,
                tcrit=inside if len(inside) else None,
                mxstep=STEPS_PER_INTERVAL,
                full_output=True,
            )
        except (OverflowError, ZeroDivisionError, ValueError, TypeError):
            # interpreted powers of a hopeless state raise, compiled ones give nan
            blank = np.full((len(times), len(state)), np.nan)
            blank[0] = state
            return Solution(times, blank, Status.left_domain, float(times[0]), 0, 0)
    status, reached = _status(info["message"]), float(times[-1])
    if status is Status.done and not np.isfinite(values).all():
        status = Status.left_domain
    if status is not Status.done:
        good = np.isfinite(values).all(axis=1) & (np.concatenate([grid[:1], info["tcur"]]) >= grid)
        last = int(np.argmin(good))
        values = np.where(np.arange(len(grid))[:, None] < last, values, np.nan)
        reached = float(grid[max(last - 1, 0)])
    steps, evaluations = (int(info[key][-1]) if len(info[key]) else 0 for key in ("nst", "nfe"))
    return Solution(times, values[np.searchsorted(grid, times)], status, reached, steps, evaluations)


def _status(message: str) -> Status:
    if message.startswith("Integration successful"):
        return Status.done
    if message.startswith("Excess work"):
        return Status.too_much_work
    if message.startswith("Excess accuracy"):
        return Status.too_accurate
    return Status.failed
