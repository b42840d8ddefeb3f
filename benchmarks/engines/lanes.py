"""What the variants of the program's own kernel share: the same men, solved as the program would."""

import time
from importlib.metadata import version

import numpy as np

from benchmarks.problem import Problem
from leydig import model, numerics
from leydig.engine.kernel import Control, solve_many
from leydig.engine.schedule import Schedule
from leydig.errors import InputError
from leydig.numerics import Mode, Settings

OWN = "own"  # what the program takes for such a protocol


def versions() -> dict[str, str]:
    return {"leydig": version("leydig"), "numba": version("numba"), "llvmlite": version("llvmlite")}


def schedule(problem: Problem) -> Schedule:
    """The problem's inputs as the kernel takes them."""
    shared = (problem.time[None, :], problem.kind[None, :], problem.amount[None, :])
    parts = (problem.rate, problem.first, problem.first_ramp, *shared, problem.jump, problem.ramp)
    return Schedule(problem.channel, *map(np.ascontiguousarray, parts))


class Lanes:
    """``solve`` in one of the program's modes, with its own steps or, by the error, with another tolerance."""

    mode: Mode = "default"

    def __init__(self, problem: Problem) -> None:
        self.problem, self.schedule = problem, schedule(problem)

    def settings(self, tolerance: str | float) -> Settings:
        """What the solver is given; RuntimeError in a mode that the program does not have for this protocol."""
        try:
            found = numerics.settings(self.schedule, self.mode)
        except InputError as none:
            raise RuntimeError(str(none)) from none
        return found if isinstance(tolerance, str) else found._replace(control=Control(tolerance=tolerance))

    def shown(self, tolerance: str | float) -> str:
        """The setting in a few words."""
        control = self.settings(tolerance).control
        own = f", {OWN}" if isinstance(tolerance, str) else ""
        if control.growth is not None:
            return f"steps × {control.growth:g} to {control.longest:g} h{own}"
        return f"{control.tolerance:g}{own}"

    def solve(self, tolerance: str | float = OWN, threads: int = 1) -> tuple[np.ndarray, float]:
        p, settings = self.problem, self.settings(tolerance)
        begun = time.perf_counter()
        batch = solve_many(
            model.traced(),
            p.states,
            p.parameters,
            self.schedule,
            p.times,
            floors=numerics.floors(),
            control=settings.control,
            variant=settings.variant,
            precision=settings.precision,
            threads=threads,
        )
        return batch.values, time.perf_counter() - begun
