"""Accurate solver for one man: LSODA with the generated Jacobian, status codes instead of exceptions.

It is restarted at every event, because a kink in the inputs is not seen by a step that passes over it.
"""

import enum
import warnings
from bisect import bisect_right
from functools import cache
from itertools import pairwise
from math import exp
from typing import Any, NamedTuple

import numpy as np

from leydig.engine.inputs import InputTable, row_of
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
FIRST_STEP = 0.01  # h, after an event
STEPS_PER_INTERVAL = 5000
SUCCESS = "Integration successful"


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

    The solver is restarted with a short first step at every event, because a long step taken at rest
    would pass over a dose unseen. ``atol`` is in the unit of each state. ``compile`` asks for machine
    code (same answer to rounding); by default it is used where it lies ready.
    Never raises for a failed solve: look at ``status``.
    """
    times = np.asarray(times, float)
    compile = is_compiled(traced) if compile is None else compile
    breaks = np.union1d(inputs.starts[(inputs.starts > times[0]) & (inputs.starts < times[-1])], times[[0, -1]])
    values = np.full((len(times), len(state)), np.nan)
    now, reached, status, steps, evaluations = np.asarray(state, float), float(times[0]), Status.done, 0, 0
    values[0] = now
    for begin, end in pairwise(breaks):
        wanted = np.flatnonzero((times > begin) & (times <= end))
        grid = np.union1d(times[wanted], [begin, end])
        row = max(int(np.searchsorted(inputs.starts, begin, side="right")) - 1, 0)
        piece, info = _between_events(traced, now, parameters, row_of(inputs, row), grid, rtol, atol, compile)
        good = np.isfinite(piece).all(axis=1) & (np.concatenate([grid[:1], info["tcur"]]) >= grid)
        last = len(grid) if good.all() else int(np.argmin(good))
        found = wanted[np.isin(times[wanted], grid[:last])]
        values[found] = piece[np.searchsorted(grid, times[found])]
        reached, now = float(grid[max(last - 1, 0)]), piece[-1]
        steps += int(info["nst"][-1])
        evaluations += int(info["nfe"][-1])
        status = _status(info["message"])
        if status is Status.done and last < len(grid):
            status = Status.left_domain
        if status is not Status.done:
            break
    return Solution(times, values, status, reached, steps, evaluations)


def _between_events(
    traced: Traced,
    state: np.ndarray,
    parameters: np.ndarray,
    inputs: InputTable,
    grid: np.ndarray,
    rtol: float,
    atol: float | np.ndarray,
    compile: bool,
) -> tuple[np.ndarray, dict[str, Any]]:
    """States on ``grid`` while one row of the inputs holds, and the library's account of its work."""
    from scipy.integrate import ODEintWarning, odeint

    constants = np.asarray(parameters, float)
    rates_at, jacobian_at = machine_code(traced) if compile else interpreted(traced, inputs)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", ODEintWarning)
        try:
            values, info = odeint(
                rates_at,
                state,
                grid,
                args=(constants, *inputs) if compile else (constants.tolist(),),
                Dfun=jacobian_at,
                tfirst=True,
                rtol=rtol,
                atol=atol,
                h0=min(FIRST_STEP, (grid[-1] - grid[0]) / 2),
                mxstep=STEPS_PER_INTERVAL,
                full_output=True,
            )
        except (OverflowError, ZeroDivisionError, ValueError, TypeError):
            # interpreted powers of a hopeless state raise, compiled ones give nan
            blank = np.full((len(grid), len(state)), np.nan)
            blank[0] = state
            return blank, {"message": SUCCESS, "tcur": grid[1:], "nst": [0], "nfe": [0]}
    return values, info


def _status(message: str) -> Status:
    if message.startswith(SUCCESS):
        return Status.done
    if message.startswith("Excess work"):
        return Status.too_much_work
    if message.startswith("Excess accuracy"):
        return Status.too_accurate
    return Status.failed
