"""A population run from Python: drawn, followed, kept in a folder and added up; what ``leydig population`` does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leydig.engine.executors import threads
from leydig.io import dataset
from leydig.numerics import Mode
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.titration import RuleSet
from leydig.studies.population_answer import answer
from leydig.studies.population_plan import specify
from leydig.studies.population_run import Progress, TableFormat, run

FORMAT = TableFormat(dataset.SUFFIX, dataset.encode, dataset.decode)


def population(
    condition: str,
    n: int,
    protocols: Sequence[str | Protocol],
    out: str | Path,
    *,
    titrate: str | Path | RuleSet | None = None,
    days: float | None = None,
    every: float | None = None,
    seed: int = 0,
    quantities: Sequence[str] = (),
    ages: tuple[float, float] | None = None,
    mode: Mode = "default",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Mapping[str, Any]:
    """``n`` virtual men of a condition or mixture under each protocol, streamed to Parquet files in the folder ``out``.

    ``days`` is the length of the run and ``every`` the days between values that are kept. ``titrate`` (the name of a
    bundled rule set, a file or words) changes the doses of every protocol that gives its drug by what is read at
    visits; the folder then holds the decisions too, and the summary how doses ended. Called again with the same
    arguments it goes on where it was stopped. Returns the summary: days, and by protocol the quantiles of every
    quantity, shares of men beyond thresholds and how many ended how.

    Raises InputError for what cannot be run and for a folder that holds another run, RunStopped when too many men fail.
    """
    specification = specify(
        condition, n, protocols, titrate=titrate, days=days, every=every, seed=seed, quantities=quantities, ages=ages,
        mode=mode,
    )  # fmt: skip
    hands = workers or os.cpu_count() or 1
    finished = run(specification, out, FORMAT, threads(hands), workers=hands, progress=progress)
    return answer(specification, finished)
