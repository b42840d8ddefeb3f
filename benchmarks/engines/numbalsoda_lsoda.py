"""numbalsoda: LSODA in C++, right-hand side compiled by numba, restarted at every dose. No Python while it runs."""

import time
from importlib.metadata import version

import numpy as np
from numba import carray, cfunc, njit
from numbalsoda import lsoda, lsoda_sig

from benchmarks import text
from benchmarks.engines import Sample
from benchmarks.problem import Problem
from leydig import model

NAME = "numbalsoda (LSODA, numba right-hand side)"
TOLERANCES = (3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7)
SAMPLE = Sample(16)
ABSOLUTE = 1e-3  # of the relative tolerance: below every state that matters


def versions() -> dict[str, str]:
    return {"numbalsoda": version("numbalsoda"), "numba": version("numba")}


class Engine:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        code, self.reduced = text.module(text.of(problem)), text.reduced(problem)
        self.constants = np.zeros((problem.n, code.CONSTANTS))
        for man, own in zip(problem.parameters, self.constants, strict=True):
            code.hoist(man, own)
        self.begins, self.a, self.b = problem.pieces()
        self.run = _runner(code, len(problem.channel), tuple(problem.channel.tolist()), self.reduced.states.shape[1])
        self.solve(1e-3, men=1)

    def solve(self, tolerance: float, men: int | None = None) -> tuple[np.ndarray, float]:
        p, n = self.problem, men or self.problem.n
        begun = time.perf_counter()
        values = self.run(
            self.reduced.states[:n],
            self.constants,
            p.rate,
            self.begins,
            self.a,
            self.b,
            p.times,
            tolerance,
            tolerance * ABSOLUTE,
        )
        seconds = time.perf_counter() - begun
        return self.reduced.expand(values), seconds


def _runner(code, terms, channel, states):
    rates, constants, inputs = njit(code.rates), code.CONSTANTS, len(model.Inputs._fields)
    channels = np.array(channel)

    @cfunc(lsoda_sig)
    def derivatives(t, y, dy, data):
        d = carray(data, (constants + 3 * terms + 1,))
        u = np.zeros(inputs)
        tau = t - d[constants + 3 * terms]
        for k in range(terms):
            at = constants + k
            u[channels[k]] += (d[at + terms] + d[at + 2 * terms] * tau) * np.exp(-d[at] * tau)
        rates(carray(y, (states,)), d[:constants], u, carray(dy, (states,)))

    pointer = derivatives.address

    @njit
    def run(begin_states, constant, rate, begins, a, b, times, rtol, atol):
        n = len(begin_states)
        values = np.full((n, len(times), states), np.nan)
        data = np.empty(constants + 3 * terms + 1)
        for i in range(n):
            now = begin_states[i].copy()
            values[i, 0] = now
            data[:constants] = constant[i]
            data[constants : constants + terms] = rate[i]
            wanted = 1
            for g in range(len(begins)):
                data[constants + terms : constants + 2 * terms] = a[i, g]
                data[constants + 2 * terms : constants + 3 * terms] = b[i, g]
                data[constants + 3 * terms] = begins[g]
                end = begins[g + 1] if g + 1 < len(begins) else times[-1]
                last = wanted
                while last < len(times) and times[last] <= end:
                    last += 1
                inside = times[wanted:last]
                extra = 1 if len(inside) == 0 or inside[-1] < end else 0
                grid = np.empty(1 + len(inside) + extra)
                grid[0], grid[-1] = begins[g], end
                grid[1 : 1 + len(inside)] = inside
                found, good = lsoda(pointer, now, grid, data, rtol, atol, 100000)
                if not good:
                    break
                values[i, wanted:last] = found[1 : 1 + len(inside)]
                wanted, now = last, found[-1].copy()
        return values

    run.keep = derivatives
    return run
