"""One module per engine. ``Engine(problem)`` prepares; ``solve(tolerance)`` gives states (n, t, s) and seconds.

``NAME`` is what the table calls it, ``TOLERANCES`` are tried from the loosest on, ``versions()`` says what ran.
An engine that is not installed raises ImportError, or FileNotFoundError for a program.
"""

from typing import NamedTuple


class Sample(NamedTuple):
    """What an engine is timed on: it must take seconds, whatever the engine's speed."""

    men: int
    weeks: int = 104


MODULES = (
    "kernel_adaptive",
    "kernel_fast",
    "kernel_single",
    "generated_cpp",
    "generated_cpp_single",
    "mrgsolve_package",
    "numbalsoda_lsoda",
    "roadrunner_sbml",
    "project_reference",
    "sundae_cvode",
    "scipy_lsoda",
)
