"""``leydig trial``: a virtual trial simulated, analysed, shown and written."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leydig.cli.options import LARGEST_SEED, Target, usable_path, whole
from leydig.cli.shell import DONE, collected_warnings, print_json, progress_bar, say
from leydig.errors import InputError

if TYPE_CHECKING:
    from leydig.studies.trial_design import Design

PAGE = "report.html"
FIRST, COLUMNS = 24, {"truth": 6, "one trial": 22, "p": 6, "power": 5, "assured": 7}  # letters of the terminal's table
MOST_PER_ARM, MOST_DRAWS, MOST_SIZES = 100_000, 1000, 12


def run(
    design: str,
    *,
    per_arm: str | None,
    sizes: str | None,
    replicates: str | None,
    draws: str | None,
    seed: str,
    out: str | None,
    as_json: bool,
) -> int:
    from leydig.io import trial_files as files
    from leydig.studies import trial

    chosen_seed = whole("--seed", seed, 0, LARGEST_SEED)
    count = trial.DRAWS if draws is None else whole("--draws", draws, 0, MOST_DRAWS)
    names = (PAGE, files.JSON, files.OUTCOMES, files.ARMS, files.POWER, files.BASELINE)
    target = None if out is None else Target(out, design, tuple(dict.fromkeys(_suffix(name) for name in names)), names)
    with collected_warnings() as warned:
        asked = _changed(_open(design), per_arm, replicates)
        wanted = trial.sizes_of(asked, () if sizes is None else _sizes(sizes))
        _say_compiling(asked)
        with progress_bar("virtual men") as progress:
            pool = trial.simulated(asked, seed=chosen_seed, sizes=wanted, draws=count, progress=progress)
        with progress_bar("replicate trials") as progress:
            found = files.plain(trial.answer(asked, pool, seed=chosen_seed, sizes=wanted, progress=progress))
        written = [] if target is None else _write(found, target)
    if as_json:
        print_json({**found, "files": written, "warnings": warned})
    else:
        sys.stdout.write(text(found, written))
    return DONE


def _open(design: str) -> Design:
    from leydig.studies.trial_design import open_design

    usable_path("FILE|NAME", design)
    try:
        return open_design(design)
    except OSError as error:
        raise InputError(f"{design} cannot be read: {error.strerror or error}") from error


def _changed(design: Design, per_arm: str | None, replicates: str | None) -> Design:
    """The design with the options' numbers in place of its own."""
    from leydig.studies.trial_design import FEWEST_REPLICATES, MOST_REPLICATES

    new: dict[str, int] = {}
    if per_arm is not None:
        least = design.least_per_arm
        new["n"] = design.total(whole("-n", per_arm, least, MOST_PER_ARM))
    if replicates is not None:
        new["replicates"] = whole("--replicates", replicates, FEWEST_REPLICATES, MOST_REPLICATES)
    return design.changed(**new)


def _sizes(words: str) -> tuple[int, ...]:
    """Whole numbers with commas between them."""
    parts = [part for part in re.split(r"[\s,]+", words.strip()) if part]
    if not 1 <= len(parts) <= MOST_SIZES:
        raise InputError(
            f'--power is "{words[:40]}"; it must be 1 to {MOST_SIZES} numbers of men, such as "20, 40, 80"'
        )
    return tuple(whole("--power", part, 2, MOST_PER_ARM) for part in parts)


def _say_compiling(design: Design) -> None:
    from leydig.studies import many

    if not many.is_ready([arm.plan.protocol for arm in design.arms], design.horizon, "default"):
        say("note", "compiling the solver for these equations and drugs; this takes tens of seconds, once")


# What is written ------------------------------------------------------------------------------------


def _suffix(name: str) -> str:
    return Path(name).suffix


def _write(answer: Mapping[str, Any], target: Target) -> list[str]:
    from leydig.cli.files import write_all

    return write_all(target, partial(_write_one, answer))


def _write_one(answer: Mapping[str, Any], path: Path) -> None:
    from leydig.io import trial_files as files
    from leydig.writing import write_text

    suffix = path.suffix.lower()
    if suffix == ".html":
        from leydig.report import trial as page

        write_text(path, page.html(answer))
    elif suffix == ".json" or path.name in files.TABLES:
        write_text(path, files.written(path.name, answer))
    else:
        write_text(path, files.written(files.OUTCOMES, answer))


# What is said ---------------------------------------------------------------------------------------


def text(answer: Mapping[str, Any], written: Sequence[str]) -> str:
    """What a person reads in the terminal: who the men are, the outcomes, power by size, and where the files are."""
    from rich.console import Console

    from leydig.cli.table import NOT_ADVICE
    from leydig.report import trial as page
    from leydig.report import trial_words, wording

    console = Console(highlight=False)
    with console.capture() as shown:
        length = wording.span(answer["design"]["horizon"])
        console.print(f"{answer['design']['name']}, {length}", markup=False)
        console.print(page.size(answer), markup=False)
        console.print(NOT_ADVICE)
        grouped: dict[str, list[Any]] = {}
        for one in answer["outcomes"]:
            grouped.setdefault(f"{trial_words.title(one)}, {trial_words.unit(one)}", []).append(one)
        for place, (title, several) in enumerate(grouped.items()):
            console.print()
            console.print(title + (" (primary)" if several[0]["primary"] else ""), style="bold", markup=False)
            console.print(_outcomes(several, with_header=not place))
            for one in several:
                if one["split"]:
                    console.print(f"  {trial_words.parts(one)}", markup=False)
        if len(answer["curve"]) > 1 and any(one["power"] for one in answer["outcomes"]):
            console.print()
            console.print(_power(answer))
        console.print()
        for sentence in _men(answer):
            console.print(sentence, markup=False)
        console.print(
            f"One trial: estimate and 95 % interval. Power: share of {answer['design']['replicates']:,} trials with p "
            "below 0.05. Assurance: power averaged over what is not known.",
            markup=False,
        )
        for remark in answer["remarks"]:
            console.print(remark, markup=False)
        for path in written:
            console.print(f"written: {path}", markup=False, soft_wrap=True)
    return shown.get()


def _outcomes(several: Sequence[Mapping[str, Any]], with_header: bool) -> Any:
    from rich.markup import escape
    from rich.table import Table

    from leydig.report import trial_words, wording

    table = Table(box=None, show_header=with_header, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("", width=FIRST, overflow="fold")
    for heading, width in COLUMNS.items():
        table.add_column(heading, width=width, justify="right", overflow="fold")
    for one in several:
        table.add_row(
            escape(f"  {trial_words.arms(one)}"),
            trial_words.number(one, one["truth"]),
            trial_words.with_interval(one, one["one_trial"]),
            trial_words.p_value(one["one_trial"]["p"]).replace(wording.NARROW, ""),
            *(trial_words.share(one[name]).partition(" (")[0] for name in ("power", "assurance")),
        )
    return table


def _power(answer: Mapping[str, Any]) -> Any:
    """Power alone; its intervals stand in the files."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from leydig.report import trial_words

    table = Table(title="How many men it takes", title_style="bold", title_justify="left", box=box.SIMPLE_HEAD)
    table.show_edge, table.padding = False, (0, 1, 0, 0)
    table.add_column("power", overflow="fold")
    for point in answer["curve"]:
        table.add_column(f"{point['n']:,} men", justify="right")
    for place, one in enumerate(answer["outcomes"]):
        if one["power"]:
            cells = [trial_words.share(point["power"][place]).partition(" (")[0] for point in answer["curve"]]
            table.add_row(escape(f"{trial_words.short(one)}, {trial_words.arms(one)}"), *cells)
    return table


def _men(answer: Mapping[str, Any]) -> list[str]:
    """The baseline table, and who leaves."""
    from leydig.report import trial as page
    from leydig.report import wording

    found = []
    for row in page.baseline_rows(answer):
        unit = f" ({row['unit']})" if row["unit"] else ""
        reached = wording.listed(list(dict.fromkeys(row["reached"])))
        found.append(f"{row['name']}{unit} at baseline: asked for {row['asked']}, reached {reached}.")
    for group in page.group_rows(answer):
        taken = "" if group["taken"] == "\u2013" else f", {group['taken']} % of doses taken"
        let_in = f"{group['n']} of about {group['screened']} screened"
        found.append(f"{group['group']}: {let_in}, {group['left']} leave{taken}.")
    return found
