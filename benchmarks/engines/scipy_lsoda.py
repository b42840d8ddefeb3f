"""SciPy's solve_ivp with LSODA and rates in plain Python, as it is usually called; restarted at every dose."""

import time
from importlib.metadata import version
from math import exp

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks import text
from benchmarks.engines import Sample
from benchmarks.problem import Problem
from leydig import model

NAME = "SciPy solve_ivp LSODA (Python right-hand side)"
TOLERANCES = (3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7)
SAMPLE = Sample(1, 26)
ABSOLUTE = 1e-3


def versions() -> dict[str, str]:
    return {"scipy": version("scipy"), "numpy": version("numpy")}


class Engine:
    def __init__(self, problem: Problem) -> None:
        self.problem, self.code, self.reduced = problem, text.module(text.of(problem)), text.reduced(problem)
        self.begins, self.a, self.b = problem.pieces()

    def solve(self, tolerance: float) -> tuple[np.ndarray, float]:
        begun = time.perf_counter()
        values = np.array([self._man(i, tolerance) for i in range(self.problem.n)])
        seconds = time.perf_counter() - begun
        return self.reduced.expand(values), seconds

    def _man(self, i: int, tolerance: float) -> np.ndarray:
        p, rates, width = self.problem, self.code.rates, len(model.Inputs._fields)
        constants = [0.0] * self.code.CONSTANTS
        self.code.hoist(p.parameters[i].tolist(), constants)
        channel, rate = p.channel.tolist(), p.rate[i].tolist()
        now = self.reduced.states[i]
        values = np.full((len(p.times), len(now)), np.nan)
        values[0] = now
        ends = np.append(self.begins[1:], p.times[-1])
        for g, (begin, end) in enumerate(zip(self.begins, ends, strict=True)):
            terms = list(zip(channel, rate, self.a[i, g].tolist(), self.b[i, g].tolist(), strict=True))

            def derivatives(t, y, begin=begin, terms=terms):
                u, out, tau = [0.0] * width, [0.0] * len(y), t - begin
                for k, r, a, b in terms:
                    u[k] += (a + b * tau) * exp(-r * tau)
                rates(y.tolist(), constants, u, out)
                return out

            inside = np.flatnonzero((p.times > begin) & (p.times <= end))
            found = solve_ivp(
                derivatives,
                (begin, end),
                now,
                method="LSODA",
                t_eval=np.union1d(p.times[inside], [end]),
                rtol=tolerance,
                atol=tolerance * ABSOLUTE,
            )
            if not found.success:
                break
            values[inside] = found.y.T[: len(inside)]
            now = found.y[:, -1]
        return values
