"""Running a population: its chunks computed by an executor, kept in a folder, and added up.

Stopped in any way, the same call goes on where it was.
"""

from __future__ import annotations

import ctypes
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from leydig.engine import runs
from leydig.engine.executors import Executor, threads
from leydig.engine.runs import Chunk, Made, RunFolder, RunStopped
from leydig.studies.population import (
    CHANGE,
    DONE,
    KEYS,
    Specification,
    Table,
    compute,
    tally,
)
from leydig.studies.population_summary import Tally, Total

Progress = Callable[[int, int, int], None]  # men done, men in all, of those done found finished


class TableFormat(NamedTuple):
    """How tables become files; the functions must be importable by name."""

    suffix: str
    encode: Callable[[Table, Path | None], bytes]  # a scratch folder, or None for the system's
    decode: Callable[[Path, Sequence[str]], Table]  # only these columns


@dataclass(frozen=True)
class Compute:
    """The job of a worker: one chunk, as bytes."""

    specification: Specification
    made_with: Mapping[str, Any]
    form: TableFormat
    scratch: str | None

    def __call__(self, chunk: Chunk) -> Made:
        here = self.specification.made_with()
        other = [name for name in here if here[name] != self.made_with.get(name)]
        if other:
            raise RunStopped(
                f"a worker has another {other[0].replace('_', ' ')} ({here[other[0]]}) than this run "
                f"({self.made_with.get(other[0])}), so its numbers could differ"
            )
        tables, notes = compute(self.specification, chunk.first, chunk.size)
        scratch = Path(self.scratch) if self.scratch else None
        files = {
            runs.part_name(name, chunk, self.form.suffix): self.form.encode(table, scratch)
            for name, table in tables.items()
        }
        counted = tally(self.specification, tables["courses"], tables["results"], notes)
        del tables
        _give_back()
        return Made(chunk, files, notes, counted)


def _give_back() -> None:
    """Hand freed memory back to the system: the GNU C library keeps it in pieces, so a long run would seem to grow."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


@dataclass(frozen=True)
class Recall:
    """Reads a chunk that lies in the folder; its tally is None when it is not there or damaged."""

    specification: Specification
    folder: RunFolder
    form: TableFormat

    def __call__(self, chunk: Chunk) -> tuple[Chunk, Tally | None]:
        found = self.folder.recorded(chunk)
        if found is None:
            return chunk, None
        names = self.specification.quantities
        places = [self.folder.path / runs.part_name(name, chunk, self.form.suffix) for name in ("courses", "results")]
        courses = self.form.decode(places[0], [*KEYS, *names])
        results = self.form.decode(places[1], ["id", "protocol", *(f"{name}{CHANGE}" for name in names)])
        return chunk, tally(self.specification, courses, results, found.notes)


class Finished(NamedTuple):
    """A run whose chunks all lie in its folder."""

    total: Total
    chunks: int
    resumed: int  # of them, found finished


def run(
    specification: Specification,
    path: Path | str,
    form: TableFormat,
    execute: Executor,
    *,
    local: bool = True,
    workers: int = 1,
    allowed: float = 0.01,
    progress: Progress | None = None,
) -> Finished:
    """Compute every chunk that does not lie finished in the folder, and add up all of them.

    ``local`` says that the executor's workers may use the run's own folder for scratch. ``workers`` threads read what
    is there. ``allowed`` is the share of all courses that may end with another status than done.

    Raises InputError for a folder that cannot be used, RunStopped when too many men fail, OSError when a file cannot be
    written. What was finished is kept in each case.
    """
    document = specification.document()
    total, everything, resumed = Total(), specification.chunks(), 0
    with runs.claimed(path, document, growing="n") as folder:
        there: list[Chunk] = []
        missing: list[Chunk] = []
        for chunk in everything:
            (there if folder.has_record(chunk) else missing).append(chunk)
        with closing(_iterated(threads(workers), Recall(specification, folder, form), there)) as recalled:
            for chunk, found in recalled:
                if found is None:
                    missing.append(chunk)
                    continue
                resumed += 1
                total.add(found)
                if progress:
                    progress(total.men, specification.n, total.men)
        found_men = total.men
        _check_failures(total, specification, allowed)
        scratch = str(folder.scratch) if local else None
        job = Compute(specification, document["made_with"], form, scratch)
        with closing(_iterated(execute, job, sorted(missing))) as answers:
            for made in answers:
                folder.keep(made)
                total.add(made.tally)
                if progress:
                    progress(total.men, specification.n, found_men)
                _check_failures(total, specification, allowed)
    return Finished(total, len(everything), resumed)


def _iterated(execute: Executor, job: Any, chunks: Sequence[Chunk]) -> Any:
    """The executor's answers as an iterator that can be closed."""
    return execute(job, chunks)


def _check_failures(total: Total, specification: Specification, allowed: float) -> None:
    """Stop when more courses failed than the whole run may have."""
    failed, courses = total.other_than(DONE), specification.n * len(specification.protocols)
    if failed > allowed * courses:
        words: Counter[str] = Counter()
        for one in total.status:
            words.update({word: number for word, number in one.items() if word != DONE})
        listed = ", ".join(f"{number} {word.replace('_', ' ')}" for word, number in sorted(words.items()))
        raise RunStopped(
            f"{failed} of {courses} courses failed ({listed}), which is more than the allowed {allowed:.3g} of all"
        )
