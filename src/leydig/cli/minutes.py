"""``leydig simulate --minutes``: a man's day before and on a protocol, minute by minute."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leydig.cli.files import write_all
from leydig.cli.options import LARGEST_SEED, Target, weekday, whole
from leydig.cli.shell import DONE, collected_warnings, print_json
from leydig.errors import InputError

if TYPE_CHECKING:
    from leydig.studies.minutes import Minutes

IN_A_FOLDER = ("minutes.html", "minutes.json", "minutes.csv", "minutes.png")


def run(
    subject: str,
    protocols: Sequence[str],
    *,
    minutes: str,
    at_day: str | None,
    seed: str,
    start_weekday: str | None,
    out: str | None,
    as_json: bool,
    refused: Sequence[str] = (),
) -> int:
    """``refused`` are options that were given and that a run by the minute does not have."""
    from leydig.cli.simulate import read_titrated
    from leydig.io.minutes import FILES
    from leydig.studies.minutes import simulate_minutes

    if refused:
        raise InputError(f"{refused[0]} cannot be used with --minutes; leave one of them out")
    if not protocols:
        raise InputError('simulate needs --protocol TEXT, such as "anastrozole 1 mg daily" or "none for 2 years"')
    hours, day = length("--minutes", minutes), None if at_day is None else day_number("--at-day", at_day)
    chosen_seed = whole("--seed", seed, 0, LARGEST_SEED)
    first_day = None if start_weekday is None else weekday("--start-weekday", start_weekday)
    target = None if out is None else Target(out, subject, files=FILES, in_a_folder=IN_A_FOLDER)
    with collected_warnings() as warned:
        man, asked = read_titrated(subject, protocols)
        if any(plan.rules is not None for plan in asked):
            raise InputError("rules that change a dose cannot be used with --minutes; leave them out of --protocol")
        plans = [plan.protocol for plan in asked]
        runs = simulate_minutes(man, plans, hours=hours, at_day=day, seed=chosen_seed, start_weekday=first_day)
        written = [] if target is None else write_all(target, partial(_write_one, runs))
    if as_json:
        from leydig.io.minutes import document

        print_json(document(runs) | {"files": written, "warnings": warned})
    else:
        sys.stdout.write(text(runs, written))
    return DONE


def length(option: str, text: str) -> float:
    """Hours of "24h", "24 hours", "1 day" or "90 min"."""
    from leydig.studies.minutes import LONGEST_HOURS, SHORTEST_HOURS

    found = re.fullmatch(r"\s*(\d{1,6}(?:\.\d{1,6})?)\s*([A-Za-z]*)\s*", text)
    units = {"": 1.0, "h": 1.0, "d": 24.0, "m": 1 / 60}
    word = "" if found is None else found[2].lower()
    known = {"": "", "h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "d": "d", "day": "d", "days": "d",
             "min": "m", "mins": "m", "minute": "m", "minutes": "m"}  # fmt: skip
    hours = float(found[1]) * units[known[word]] if found is not None and word in known else None
    if hours is None or not SHORTEST_HOURS <= hours <= LONGEST_HOURS:
        raise InputError(
            f'{option} is "{text[:40]}"; it must be a length from {SHORTEST_HOURS:g} to {LONGEST_HOURS:g} hours, '
            'such as "24h"'
        )
    return round(hours * 60) / 60


def day_number(option: str, text: str) -> float:
    """The whole number of a day, from 0."""
    from leydig.studies.minutes import LONGEST_DAYS

    return float(whole(option, text, 0, int(LONGEST_DAYS) - 1))


def _write_one(runs: Sequence[Minutes], path: Path) -> None:
    if path.suffix.lower() in (".html", ".png"):
        from leydig.report import day

        day.write(runs, path)
    else:
        from leydig.io import minutes

        minutes.write(runs, path)


def text(runs: Sequence[Minutes], written: Sequence[str] = ()) -> str:
    """What a person reads in the terminal."""
    from rich.console import Console

    from leydig.cli.table import NOT_ADVICE
    from leydig.report import day

    several = day.parts(runs)
    console = Console(highlight=False)
    with console.capture() as shown:
        console.print(f"{runs[0].subject['name']}: {day.hours_in_words(runs[0].on)}", markup=False)
        console.print(NOT_ADVICE)
        for title, rows in (
            ("What his laboratory would print", day.reading_rows(several)),
            ("Pulses of LH", day.pulse_rows(several)),
        ):
            console.print()
            console.print(_table(title, [part.label for part in several], rows))
        console.print()
        console.print("Values are of the moment, not 24-hour means. Other seeds give other days: --seed.", markup=False)
        for remark in dict.fromkeys(remark for run in runs for remark in run.remarks):
            console.print(f"remark: {remark}", markup=False)
        for path in written:
            console.print(f"written: {path}", markup=False, soft_wrap=True)
    return shown.get()


def _table(title: str, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> Any:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_style="bold", title_justify="left", box=box.SIMPLE_HEAD)
    table.show_edge, table.padding = False, (0, 1, 0, 0)
    table.add_column("")
    for column in columns:
        table.add_column(escape(column))
    for row in rows:
        table.add_row(escape(row["name"]), *(escape(cell) for cell in row["cells"]))
    return table
