"""This project's own accurate solver: SciPy's odeint with compiled rates and Jacobian, one man at a time."""

import time
from importlib.metadata import version

import numpy as np

from benchmarks.engines import Sample
from benchmarks.problem import Problem
from leydig import model
from leydig.engine import reference
from leydig.engine.inputs import InputTable

NAME = "leydig.engine.reference (odeint, compiled right-hand side and Jacobian)"
TOLERANCES = (3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7)
SAMPLE = Sample(4)
ABSOLUTE = 1e-3


def versions() -> dict[str, str]:
    return {"scipy": version("scipy"), "numba": version("numba")}


def tables(problem: Problem) -> list[InputTable]:
    """The inputs of every man as the solver takes them."""
    begins, a, b = problem.pieces()
    flat = np.flatnonzero((problem.rate == 0).all(axis=0))
    moving = np.flatnonzero((problem.rate != 0).any(axis=0))
    found = []
    for i in range(problem.n):
        constant = np.zeros((len(begins), len(model.Inputs._fields)))
        slope = np.zeros_like(constant)
        constant[:, problem.channel[flat]] = a[i][:, flat]
        slope[:, problem.channel[flat]] = b[i][:, flat]
        parts = (problem.channel[moving], problem.rate[i, moving], a[i][:, moving], b[i][:, moving])
        found.append(InputTable(begins, constant, slope, *map(np.ascontiguousarray, parts)))
    return found


class Engine:
    def __init__(self, problem: Problem) -> None:
        self.problem, self.tables = problem, tables(problem)
        short = self.problem.times[:2]
        reference.solve(model.traced(), problem.states[0], problem.parameters[0], self.tables[0], short, compile=True)

    def solve(self, tolerance: float, absolute: float = ABSOLUTE) -> tuple[np.ndarray, float]:
        begun = time.perf_counter()
        p = self.problem
        values = [
            reference.solve(
                model.traced(), state, own, table, p.times, rtol=tolerance, atol=tolerance * absolute, compile=True
            ).values
            for state, own, table in zip(p.states, p.parameters, self.tables, strict=True)
        ]
        return np.array(values), time.perf_counter() - begun
