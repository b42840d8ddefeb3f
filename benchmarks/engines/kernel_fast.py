"""The program's fast mode: after every event the stored steps for all men, no error asked for; single precision."""

from benchmarks.engines import Sample
from benchmarks.engines.lanes import OWN, Lanes, versions

__all__ = ["NAME", "SAMPLE", "TOLERANCES", "Engine", "versions"]

NAME = "leydig kernel, stored steps (fast)"
TOLERANCES = (OWN,)
SAMPLE = Sample(320)


class Engine(Lanes):
    mode = "fast"
