"""What one step of the kernel costs, part by part: each part called alone, over and over, on numbers near 1."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numba import njit

from leydig import model, numerics
from leydig.engine.kernel import compiled_kernel

TERMS = 5  # two flat, three exponentials: one tablet
TRIES, CALLS = 200, 50


def measured() -> dict[str, Any]:
    """Microseconds of every part of a step of all lanes together, smallest class of protocols, double precision."""
    module = compiled_kernel(model.traced(), numerics.variant("inhibitor"), "double")
    rng = np.random.default_rng(1)
    rows = rng.uniform(0.5, 1.0, module.ROWS * module.LANES)
    names = ("", "", "rates, Jacobian, factors, stage 1", "stage 2", "stages 3 and 4", "states that only follow")
    found = {name: _straight(function, rows) for name, function in zip(names, module.FUNCTIONS, strict=True) if name}
    found |= _driver(module, rows, rng)
    return {"lanes": module.LANES, "microseconds": found}


def _straight(function: Any, rows: np.ndarray) -> float:
    @njit
    def repeat(function, rows, calls):  # type: ignore[no-untyped-def]
        for _ in range(calls):
            function(rows.ctypes)

    return _best(lambda calls: repeat(function, rows.copy(), calls))


def _driver(module: ModuleType, rows: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """The parts of the loop around the step that go through all lanes and states."""
    lanes, states = module.LANES, module.STATES
    inputs, measure, accept = module.evaluate_inputs, module.measure, module.accept

    @njit
    def repeat_inputs(w, exact, since, h, channel, moves, k, a, b, calls):  # type: ignore[no-untyped-def]
        for _ in range(calls):
            inputs(w, exact, since, h, channel.shape[0], channel, moves, k, a, b)

    @njit
    def repeat_measure(w, floors, one, two, three, four, five, calls):  # type: ignore[no-untyped-def]
        for _ in range(calls):
            measure(w, floors, 5e-4, one, two, three, four, five)

    @njit
    def repeat_accept(w, lost, taken, calls):  # type: ignore[no-untyped-def]
        for _ in range(calls):
            accept(w, lost, taken)

    last = module.CHANNELS - 1
    channel, moves = np.array([last, last - 1, 0, 0, 0]), np.arange(TERMS) > 1
    several = [rng.uniform(0.1, 1.0, TERMS * lanes) for _ in range(3)]
    exact = np.zeros((module.GROUPS + 1) * module.GROUP)
    clocks = rng.uniform(0.1, 1.0, (2, lanes))
    room = [np.ones(lanes) for _ in range(5)]
    floors, lost, taken = np.full(len(model.traced().states), 1e-3), np.zeros(states * lanes), np.ones(lanes)
    return {
        "inputs": _best(lambda n: repeat_inputs(rows.copy(), exact, *clocks, channel, moves, *several, n)),
        "error": _best(lambda n: repeat_measure(rows.copy(), floors, *room, n)),
        "adding up": _best(lambda n: repeat_accept(rows.copy() * 1e-9, lost, taken, n)),
    }


def _best(call: Callable[[int], None]) -> float:
    """Least time of one call among many tries, in microseconds."""
    call(1)
    times = []
    for _ in range(TRIES):
        begun = time.perf_counter()
        call(CALLS)
        times.append((time.perf_counter() - begun) / CALLS)
    return min(times) * 1e6
