"""libRoadRunner (CVODE, compiled by LLVM) on this program's own SBML file of each man; loading it is not timed."""

import time
from importlib.metadata import version

import numpy as np
import roadrunner

from benchmarks.engines import Sample
from benchmarks.engines.project_reference import tables
from benchmarks.problem import Problem
from leydig import model
from leydig.engine import sbml

NAME = "libRoadRunner (CVODE, our SBML)"
TOLERANCES = (3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7, 3e-8)
SAMPLE = Sample(2)
ABSOLUTE = 1e-3


def versions() -> dict[str, str]:
    return {"libroadrunner": version("libroadrunner")}


class Engine:
    def __init__(self, problem: Problem) -> None:
        self.problem, traced = problem, model.traced()
        roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
        self.runners = []
        for state, own, table in zip(problem.states, problem.parameters, tables(problem), strict=True):
            runner = roadrunner.RoadRunner(sbml.document(traced, state, own, table))
            runner.timeCourseSelections = [sbml.identifier(name) for name in traced.states]
            self.runners.append(runner)

    def solve(self, tolerance: float) -> tuple[np.ndarray, float]:
        begun, values = 0.0, []
        times = self.problem.times
        for runner in self.runners:
            runner.resetAll()
            runner.integrator.relative_tolerance = tolerance
            runner.integrator.absolute_tolerance = tolerance * ABSOLUTE
            runner.integrator.maximum_num_steps = 1000000
            now = time.perf_counter()
            values.append(np.array(runner.simulate(times[0], times[-1], len(times))))
            begun += time.perf_counter() - now
        return np.array(values), begun
