"""``leydig simulate``: a man under one or several protocols, shown, written, or both."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leydig.cli.options import (
    FEWEST_DRAWS,
    LARGEST_SEED,
    MOST_DRAWN_DAYS,
    MOST_DRAWS,
    Target,
    horizon,
    usable_path,
    weekday,
    whole,
)
from leydig.cli.shell import DONE, FOUND_WRONG, collected_warnings, print_json, progress_bar, say
from leydig.errors import InputError

MOST_DECISIONS = 20  # shown in the terminal

if TYPE_CHECKING:
    from leydig.engine.trajectory import Trajectory
    from leydig.pharmacology.protocol import Protocol
    from leydig.studies.titrate import Plan
    from leydig.subject import Subject


def run(
    subject: str,
    protocols: Sequence[str],
    *,
    titrate: str | None,
    samples: str | None,
    days: str | None,
    bands: bool,
    draws: str | None,
    seed: str,
    start_weekday: str | None,
    assume: Sequence[str],
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
    first_day = None if start_weekday is None else weekday("--start-weekday", start_weekday)
    target = None if out is None else Target(out, subject)
    with collected_warnings() as warned:
        man, plans = read_titrated(subject, protocols, titrate)
        _check_size([plan.protocol for plan in plans], length, count)
        runs = _simulate(man, plans, samples, length, count, chosen_seed, first_day, assume)
        written = _write(runs, target)
    if as_json:
        print_json(_as_object(runs) | {"files": written, "warnings": warned})
    else:
        sys.stdout.write(text(runs, written))
    stopped = [run for run in runs if run.status != "done"]
    for run in stopped:
        say("error", f"{run.protocol}: {run.status}")
    return FOUND_WRONG if stopped else DONE


def _check_size(plans: Sequence[Protocol], days: float | None, draws: int) -> None:
    """Refuse bands that would not fit into memory: every draw of every protocol is kept for every day."""
    from leydig.studies.simulate import DEFAULT_DAYS

    length = days or max(plan.duration_days or DEFAULT_DAYS for plan in plans)
    if draws * length * len(plans) > MOST_DRAWN_DAYS:
        most = int(MOST_DRAWN_DAYS // (length * len(plans)))
        advice = f"draw at most {most:,}" if most >= FEWEST_DRAWS else "shorten the run or leave the bands out"
        several = f" under {len(plans)} protocols" if len(plans) > 1 else ""
        raise InputError(f"{draws:,} draws of {length:,.0f} days{several} are more than fit into memory; {advice}")


def read(subject: str, protocols: Sequence[str]) -> tuple[Subject, list[Protocol]]:
    """The man and what he takes, without the rules that may change it; see ``read_titrated``."""
    man, plans = read_titrated(subject, protocols)
    return man, [plan.protocol for plan in plans]


def read_titrated(subject: str, protocols: Sequence[str], titrate: str | None = None) -> tuple[Subject, list[Plan]]:
    """The man, what he takes and what changes it; of several protocols the error says which one cannot be read."""
    from leydig.studies.titrate import Plan, planned
    from leydig.subject import Subject

    usable_path("SUBJECT", subject)
    try:
        man = Subject.open(subject)
    except OSError as error:
        raise InputError(f"{subject} cannot be read: {error.strerror or error}") from error
    plans = []
    for place, words in enumerate(protocols, start=1):
        try:
            plans.append(Plan.of(words))
        except InputError as error:
            raise InputError(f"--protocol number {place}: {error}" if len(protocols) > 1 else str(error)) from error
    return man, planned(plans, titrate)


def _simulate(
    man: Subject,
    protocols: Sequence[Plan],
    samples: str | None,
    days: float | None,
    draws: int,
    seed: int,
    first_day: int | None,
    assume: Sequence[str],
) -> list[Trajectory]:
    from leydig.studies.simulate import simulate

    with progress_bar("simulating") as progress:
        return simulate(
            man,
            protocols,
            samples=samples,
            days=days,
            draws=draws,
            seed=seed,
            start_weekday=first_day,
            assume=assume,
            progress=progress,
        )


def _write(runs: Sequence[Trajectory], target: Target | None) -> list[str]:
    if target is None:
        return []
    from leydig.cli import files

    return files.write(runs, target)


def _as_object(runs: Sequence[Trajectory]) -> dict[str, Any]:
    from leydig.io import tables

    return tables.document(runs)


def text(runs: Sequence[Trajectory], written: Sequence[str] = ()) -> str:
    """What a person reads in the terminal: red flags, the tables, how to read them, and where the files are."""
    from rich.console import Console
    from rich.markup import escape

    from leydig.cli.table import NOT_ADVICE, samples_table, table
    from leydig.report import flags, page
    from leydig.report.runs import letters

    console = Console(highlight=False)
    # Captured, since the library would answer a reader that goes away with an exit code of its own.
    with console.capture() as shown:
        console.print(f"{runs[0].subject['name']}: {page.subject_line(runs[0])}", markup=False)
        console.print(NOT_ADVICE)
        for flag in flags.red_flags(runs):
            console.print(f"! {flag.name}: {flag.finding}. {flag.meaning}", markup=False)
        for letter, run in zip(letters(len(runs)), runs, strict=True):
            console.print()
            console.print(table(run, escape(f"{letter}: {run.protocol}" if letter else run.protocol)))
            if run.samples:
                console.print(samples_table(run))
            for sentence in _decisions(run):
                console.print(sentence, markup=False)
        console.print()
        for sentence in _notes(runs):
            console.print(sentence, markup=False)
        for path in written:
            console.print(f"written: {path}", markup=False, soft_wrap=True)
    return shown.get()


def _decisions(run: Trajectory) -> list[str]:
    """What was read at every visit and what was decided; nothing where no dose is titrated."""
    from leydig.report import titration, wording

    found = []
    for log in titration.logs([run]):
        for row in log.rows[:MOST_DECISIONS]:
            noise = f" [on noise; {row.beside}]" if row.beside else ""
            found.append(f"{wording.capital(row.when)}: {row.read}. {wording.capital(row.done)}{noise}")
        if len(log.rows) > MOST_DECISIONS:
            found.append(f"{len(log.rows) - MOST_DECISIONS:,} later visits stand in --json and in the report.")
        found.append(log.summary)
    return found


def _notes(runs: Sequence[Trajectory]) -> list[str]:
    """How blood was measured, what the bands are, what was assumed, every remark."""
    from leydig.report import page

    notes = [page.scale_note(runs[0])]
    if runs[0].draws:
        notes.append(page.band_note(runs))
    assumed = dict.fromkeys(sentence for run in runs for sentence in run.assumed)
    if assumed:
        notes.append(f"Assumed where nothing was given: {len(assumed)} statements, listed by --json and in the report.")
    notes += [f"remark: {remark}" for remark in dict.fromkeys(remark for run in runs for remark in run.remarks)]
    return notes
