"""SciPy's Radau as a second reference where CVODE is not installed: another method, slow."""

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.engines.project_reference import tables
from benchmarks.problem import Problem
from leydig import model
from leydig.engine import reference
from leydig.engine.inputs import row_of


def solve(problem: Problem, tolerance: float = 1e-9) -> np.ndarray:
    """States (n, t, s)."""
    rates, jacobian = reference.machine_code(model.traced())
    values = np.full((problem.n, len(problem.times), problem.states.shape[1]), np.nan)
    for i, table in enumerate(tables(problem)):
        now = values[i, 0] = problem.states[i]
        ends = np.append(table.starts[1:], problem.times[-1])
        for row, (begin, end) in enumerate(zip(table.starts, ends, strict=True)):
            inside = np.flatnonzero((problem.times > begin) & (problem.times <= end))
            found = solve_ivp(
                rates, (begin, end), now, "Radau", np.union1d(problem.times[inside], [end]),
                args=(problem.parameters[i], *row_of(table, row)), jac=jacobian, rtol=tolerance, atol=tolerance * 1e-3,
            )  # fmt: skip
            values[i, inside] = found.y.T[: len(inside)]
            now = found.y[:, -1]
    return values
