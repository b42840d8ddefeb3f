"""``leydig simulate``: a man under one or several protocols, shown, written, or both."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leydig.cli.options import FEWEST_DRAWS, LARGEST_SEED, MOST_DRAWS, Target, horizon, usable_path, weekday, whole
from leydig.cli.shell import DONE, FOUND_WRONG, collected_warnings, print_json, progress_bar, say
from leydig.errors import InputError

if TYPE_CHECKING:
    from leydig.engine.trajectory import Trajectory
    from leydig.pharmacology.protocol import Protocol
    from leydig.subject import Subject


def run(
    subject: str,
    protocols: Sequence[str],
    *,
    days: str | None,
    bands: bool,
    draws: str | None,
    seed: str,
    start_weekday: str,
    out: str | None,
    as_json: bool,
) -> int:
    if not protocols:
        raise InputError(
            'simulate needs --protocol TEXT, such as "anastrozole 1 mg daily for 12 weeks" or "none for 2 years"'
        )
    length = None if days is None else horizon("--days", days)
    wanted = str(FEWEST_DRAWS) if bands and draws is None else draws
    count = 0 if wanted is None else whole("--draws", wanted, FEWEST_DRAWS, MOST_DRAWS)
    chosen_seed = whole("--seed", seed, 0, LARGEST_SEED)
    first_day = weekday("--start-weekday", start_weekday)
    target = None if out is None else Target(out, subject)
    with collected_warnings() as warned:
        man, plans = read(subject, protocols)
        runs = _simulate(man, plans, length, count, chosen_seed, first_day)
        written = _write(runs, target)
    if as_json:
        print_json(_as_object(runs) | {"files": written, "warnings": warned})
    else:
        _show(runs, written)
    stopped = [run for run in runs if run.status != "done"]
    for run in stopped:
        say("error", f"{run.protocol}: {run.status}")
    return FOUND_WRONG if stopped else DONE


def read(subject: str, protocols: Sequence[str]) -> tuple[Subject, list[Protocol]]:
    """The man and what he takes; of several protocols the error says which one cannot be read."""
    from leydig.pharmacology.protocol import Protocol
    from leydig.subject import Subject

    usable_path("SUBJECT", subject)
    try:
        man = Subject.open(subject)
    except OSError as error:
        raise InputError(f"{subject} cannot be read: {error.strerror or error}") from error
    plans = []
    for place, text in enumerate(protocols, start=1):
        try:
            plans.append(Protocol.parse(text))
        except InputError as error:
            raise InputError(f"--protocol number {place}: {error}" if len(protocols) > 1 else str(error)) from error
    return man, plans


def _simulate(
    man: Subject, protocols: Sequence[Protocol], days: float | None, draws: int, seed: int, first_day: int
) -> list[Trajectory]:
    from leydig.studies.simulate import simulate

    with progress_bar("simulating") as progress:
        return simulate(
            man,
            protocols,
            days=days,
            draws=draws,
            seed=seed,
            start_weekday=first_day,
            progress=progress,
        )


def _write(runs: Sequence[Trajectory], target: Target | None) -> list[str]:
    if target is None:
        return []
    from leydig.cli import files

    return files.write(runs, target)


def _as_object(runs: Sequence[Trajectory]) -> dict[str, Any]:
    from leydig.io import tables

    return tables.as_object(runs)


def _show(runs: Sequence[Trajectory], written: Sequence[str]) -> None:
    """The tables, what the reader must know about them, and where the files are."""
    from rich.console import Console

    from leydig.cli.table import NOT_ADVICE, table

    console = Console(file=sys.stdout, highlight=False)
    console.print(_heading(runs[0].subject), markup=False)
    for run in runs:
        console.print(table(run))
    for sentence in _notes(runs):
        console.print(sentence, markup=False)
    console.print(NOT_ADVICE)
    for path in written:
        console.print(f"written: {path}", markup=False, soft_wrap=True)


def _heading(subject: Mapping[str, Any]) -> str:
    parts = [str(subject.get("name") or "a man")]
    if subject.get("age") is not None:
        parts.append(f"{subject['age']:g} years")
    if subject.get("condition"):
        parts.append(str(subject["condition"]))
    return ", ".join(parts)


def _notes(runs: Sequence[Trajectory]) -> list[str]:
    """One line each: how blood was measured, what the bands are, what was assumed, every remark."""
    first = runs[0]
    notes = []
    note = (first.subject.get("laboratory") or {}).get("note")
    if note:
        notes.append(f"blood: {note}")
    if first.draws:
        failed = sum(run.failed_draws for run in runs)
        lost = f"; {failed} draws failed" if failed else ""
        notes.append(f"bands: 95 % of {first.draws} joint draws of the man and the fit, seed {first.seed}{lost}")
    assumed = list(dict.fromkeys(sentence for run in runs for sentence in run.assumed))
    if assumed:
        notes.append(f"assumed: {len(assumed)} things that were not given (--json or the report lists them)")
    notes += [f"remark: {remark}" for remark in dict.fromkeys(remark for run in runs for remark in run.remarks)]
    return notes
