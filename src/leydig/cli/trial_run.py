"""``leydig trial``: a virtual trial simulated, analysed, shown and written."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leydig.cli.options import LARGEST_SEED, Target, usable_path, whole
from leydig.cli.shell import DONE, collected_warnings, print_json, progress_bar, say
from leydig.errors import InputError

if TYPE_CHECKING:
    from leydig.studies.trial_design import Design

PAGE = "report.html"
MOST_DRAWS, MOST_SIZES = 1000, 12


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
    from leydig.cli.files import check_writable
    from leydig.cli.trial_text import text
    from leydig.io import trial_files as files
    from leydig.studies import trial

    chosen_seed = whole("--seed", seed, 0, LARGEST_SEED)
    count = trial.DRAWS if draws is None else whole("--draws", draws, 0, MOST_DRAWS)
    names = (PAGE, files.JSON, files.OUTCOMES, files.ARMS, files.POWER, files.BASELINE)
    target = None if out is None else Target(out, design, tuple(dict.fromkeys(_suffix(name) for name in names)), names)
    if target is not None:
        check_writable(target)
    with collected_warnings() as warned:
        asked = _changed(_open(design), per_arm, replicates)
        wanted = trial.sizes_of(asked, () if sizes is None else _sizes(asked, sizes))
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
        new["n"] = design.total(_men_per_arm("-n", per_arm, design))
    if replicates is not None:
        new["replicates"] = whole("--replicates", replicates, FEWEST_REPLICATES, MOST_REPLICATES)
    return design.changed(**new)


def _men_per_arm(option: str, words: str, design: Design) -> int:
    """Men per arm of a trial that can be analysed."""
    from leydig.studies.trial_design import MOST_MEN

    try:
        return whole(option, words, design.least_per_arm, design.most_per_arm)
    except InputError as error:
        raise InputError(f"{error} men per arm ({MOST_MEN:,} in all)") from error


def _sizes(design: Design, words: str) -> tuple[int, ...]:
    """Whole numbers with commas between them."""
    parts = [part for part in re.split(r"[\s,]+", words.strip()) if part]
    if not 1 <= len(parts) <= MOST_SIZES:
        raise InputError(
            f'--power is "{words[:40]}"; it must be 1 to {MOST_SIZES} numbers of men per arm, such as "20, 40, 80"'
        )
    return tuple(_men_per_arm("--power", part, design) for part in parts)


def _say_compiling(design: Design) -> None:
    from leydig.studies import many

    if not many.is_ready([arm.plan.protocol for arm in design.arms], design.horizon, "default"):
        say("note", "compiling the solver for these equations and drugs; this takes tens of seconds, once")


# What is written ------------------------------------------------------------------------------------


def _suffix(name: str) -> str:
    return Path(name).suffix


def _write(answer: Mapping[str, Any], target: Target) -> list[str]:
    """The paths written."""
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
