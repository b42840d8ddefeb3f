"""scikit-sundae: CVODE (BDF, dense) with right-hand side and Jacobian compiled by numba; restarted at every dose."""

import time
from importlib.metadata import version

import numpy as np
from numba import njit
from sksundae.cvode import CVODE

from benchmarks import text
from benchmarks.engines import Sample
from benchmarks.problem import Problem
from leydig import model

NAME = "scikit-sundae CVODE (numba right-hand side and Jacobian)"
TOLERANCES = (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 3e-8)
SAMPLE = Sample(4)
ABSOLUTE = 1e-3


def versions() -> dict[str, str]:
    return {"scikit-sundae": version("scikit-sundae"), "numba": version("numba")}


class Engine:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        code, self.reduced = text.module(text.of(problem)), text.reduced(problem)
        self.constants = np.zeros((problem.n, code.CONSTANTS))
        for man, own in zip(problem.parameters, self.constants, strict=True):
            code.hoist(man, own)
        self.begins, self.a, self.b = problem.pieces()
        self.rates, self.jacobian = _compiled(code, problem.channel)
        y = self.reduced.states[0]
        out = np.zeros((2, len(y)))
        own = (self.constants[0], problem.rate[0], self.a[0, 0], self.b[0, 0], 0.0)
        self.rates(0.0, y, out[0], *own)
        self.jacobian(0.0, y, np.zeros((len(y), len(y))), *own)

    def solve(self, tolerance: float) -> tuple[np.ndarray, float]:
        begun = time.perf_counter()
        values = np.array([self._man(i, tolerance) for i in range(self.problem.n)])
        seconds = time.perf_counter() - begun
        return self.reduced.expand(values), seconds

    def _man(self, i: int, tolerance: float) -> np.ndarray:
        p, rates, jacobian = self.problem, self.rates, self.jacobian
        now = self.reduced.states[i]
        values = np.full((len(p.times), len(now)), np.nan)
        values[0] = now
        here = [self.constants[i], p.rate[i], None, None, 0.0]

        def right(t, y, dy):
            rates(t, y, dy, *here)

        def slopes(t, y, dy, out):
            jacobian(t, y, out, *here)

        solver = CVODE(
            right, method="BDF", rtol=tolerance, atol=tolerance * ABSOLUTE, jacfn=slopes, max_num_steps=100000
        )
        ends = np.append(self.begins[1:], p.times[-1])
        for g, (begin, end) in enumerate(zip(self.begins, ends, strict=True)):
            here[2:] = self.a[i, g], self.b[i, g], begin
            inside = np.flatnonzero((p.times > begin) & (p.times <= end))
            grid = np.union1d(p.times[inside], [begin, end])
            if len(grid) == 2:  # two times would mean that the solver chooses the output times
                solver.init_step(begin, now)
                now = np.array(solver.step(end).y)
                if len(inside):
                    values[inside] = now
                continue
            found = solver.solve(grid, now)
            if not found.success:
                break
            values[inside] = found.y[1 : 1 + len(inside)]
            now = np.array(found.y[-1])
        return values


def _compiled(code, channel):
    moving, slopes, inputs = njit(code.rates), njit(code.jacobian), len(model.Inputs._fields)

    @njit
    def at(t, rate, a, b, begin):
        u, tau = np.zeros(inputs), t - begin
        for k in range(len(channel)):
            u[channel[k]] += (a[k] + b[k] * tau) * np.exp(-rate[k] * tau)
        return u

    @njit
    def rates(t, y, out, constants, rate, a, b, begin):
        moving(y, constants, at(t, rate, a, b, begin), out)

    @njit
    def jacobian(t, y, out, constants, rate, a, b, begin):
        out[:] = 0.0
        slopes(y, constants, at(t, rate, a, b, begin), out)

    return rates, jacobian
