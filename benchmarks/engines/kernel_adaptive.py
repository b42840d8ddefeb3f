"""The program's default: a step size of his own for every man, chosen by the error estimate; double precision."""

from benchmarks.engines import Sample
from benchmarks.engines.lanes import OWN, Lanes, versions

__all__ = ["NAME", "SAMPLE", "TOLERANCES", "Engine", "versions"]

NAME = "leydig kernel, error-controlled (default)"
TOLERANCES = (OWN, 3e-4, 2e-4, 1e-4, 5e-5, 2e-5)
SAMPLE = Sample(320)


class Engine(Lanes):
    mode = "default"
