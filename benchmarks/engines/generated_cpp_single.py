"""The step as C++ in single precision."""

from benchmarks.engines import Sample, generated_cpp
from benchmarks.engines.generated_cpp import versions

__all__ = ["NAME", "SAMPLE", "TOLERANCES", "Engine", "versions"]

NAME = "leydig step as C++ (g++), error-controlled, single precision"
TOLERANCES = generated_cpp.TOLERANCES
SAMPLE = Sample(320)


class Engine(generated_cpp.Engine):
    mode = "single"
