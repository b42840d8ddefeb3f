"""``leydig doctor``: does this installation work?"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import metadata
from typing import NamedTuple

from leydig import __version__
from leydig.cli.shell import DONE, FOUND_WRONG, print_json

OLDEST_PYTHON = (3, 11)


class Check(NamedTuple):
    """One thing that was tried."""

    name: str
    works: bool
    found: str


def run(*, as_json: bool) -> int:
    tried = [
        _try("Python", _python),
        _try("libraries", _libraries),
        _try("data files", _data),
        _try("cache folder", _cache),
        _try("equations", _equations),
        _try("a short run", _short_run),
    ]
    works = all(check.works for check in tried)
    if as_json:
        print_json({"leydig": __version__, "works": works, "checks": [check._asdict() for check in tried]})
    else:
        for check in tried:
            print(f"{'ok    ' if check.works else 'FAILED'}  {check.name}: {check.found}")
        print(f"leydig {__version__} works here." if works else f"leydig {__version__} does not work here.")
    return DONE if works else FOUND_WRONG


def _try(name: str, check: Callable[[], str]) -> Check:
    """The check's own words, or what stopped it; nothing that a broken installation can raise ends the doctor."""
    try:
        return Check(name, True, check())
    except Exception as error:
        return Check(name, False, " ".join(f"{type(error).__name__}: {error}".split()))


def _python() -> str:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        raise RuntimeError(f"{found} is older than {'.'.join(map(str, OLDEST_PYTHON))}")
    return found


def _libraries() -> str:
    """Versions of what leydig needs; one that is missing raises."""
    needed = [line for line in metadata.requires("leydig") or [] if "extra ==" not in line]
    names = sorted("".join(c if c.isalnum() or c in "-_" else " " for c in line).split()[0] for line in needed)
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)


def _data() -> str:
    from leydig import evidence, parameters
    from leydig.pharmacology import drugs

    systems = parameters.systems()
    count = sum(len(parameters.load(system)) for system in systems)
    return (
        f"{count} parameters of {len(systems)} systems, {len(drugs.catalogue())} drugs, "
        f"{len(evidence.trials())} trials, {len(evidence.bibliography())} references"
    )


def _cache() -> str:
    from leydig.engine.trace import cache_folder

    return f"{cache_folder()} can be written to"


def _equations() -> str:
    from leydig import model

    traced = model.traced()
    return f"{len(traced.states)} states, {len(traced.parameters)} parameters, digest {traced.digest}"


def _short_run() -> str:
    from leydig.studies.simulate import simulate

    run = simulate("older-man", ["anastrozole 1 mg daily for 2 days"])[0]
    if run.status != "done":
        raise RuntimeError(run.status)
    return f"{run.protocol}: {run.status}"
