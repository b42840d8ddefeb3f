"""``leydig reproduce``: published trials run again on virtual men, every figure scored; what is done is kept."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from leydig.cli import reproduce_choice
from leydig.cli.options import LARGEST_SEED, Target, usable_path, whole
from leydig.cli.progress import duration
from leydig.cli.shell import (
    DONE,
    FOUND_WRONG,
    INTERRUPTED,
    collected_warnings,
    print_json,
    say,
    spelt,
    stop_if_interrupted,
    visible,
)
from leydig.errors import InputError

if TYPE_CHECKING:
    from leydig.evidence import Trial
    from leydig.studies.reproduce import Reproduced, Settings
    from leydig.studies.reproduce_rows import Failed

ANSWER, FIGURES, PAGE, TRIALS = "reproduce.json", "figures.csv", "report.html", "trials"
MOST_WORKERS = 64
MOST_DRAWS, MOST_MEN = 1000, 10_000


class Kept(Protocol):
    """Where finished trials are found again."""

    def find(self, trial: Trial) -> Reproduced | None: ...

    def keep(self, one: Reproduced) -> None: ...


def run(
    names: Sequence[str],
    *,
    role: str | None,
    drug: str | None,
    draws: str | None,
    men: str | None,
    seed: str,
    workers: str | None,
    out: str | None,
    as_json: bool,
) -> int:
    chosen_seed = whole("--seed", seed, 0, LARGEST_SEED)
    most_draws = None if draws is None else whole("--draws", draws, 1, MOST_DRAWS)
    most_men = None if men is None else whole("--men", men, 2, MOST_MEN)
    hands = os.cpu_count() or 1 if workers is None else whole("--workers", workers, 1, MOST_WORKERS)
    target = None if out is None else _folder(out)
    with collected_warnings() as warned:
        trials = reproduce_choice.select(names, role, drug)
        settings = _settings(most_draws, most_men)
        if target is not None:
            _refuse_own_inputs(names, trials, target)
        kept = _Nowhere() if target is None else _Folder(target.path / TRIALS, chosen_seed, settings)
        if target is not None and isinstance(kept, _Folder) and kept.holds_another(trials, target.path / ANSWER):
            say(
                "note",
                f"{target.path} holds results of another run (other seed, settings or trials); they are replaced",
            )
        try:
            found, failed = compute(trials, chosen_seed, settings, hands, kept)
        except KeyboardInterrupt:
            where = f"finished trials are kept in {out}; the same command goes on from there" if out else NOTHING_KEPT
            say("interrupted", where)
            return INTERRUPTED
        if len(trials) == 1 and failed and failed[0].bad_input:
            raise InputError(f"{failed[0].trial.key}: {failed[0].why}")
        from leydig.studies.reproduce_rows import document

        answer = document(found, failed)
        written = [] if target is None else _write(answer, target)
    if as_json:
        from leydig.io.tables import plain

        print_json({**plain(answer), "files": written, "warnings": warned})
    else:
        from leydig.cli.reproduce_table import text

        sys.stdout.write(text(visible(answer), written))
    for one in failed:
        say("error", f"{one.trial.key}: {one.why}")
    return FOUND_WRONG if failed else DONE


NOTHING_KEPT = "nothing was kept; with --out FOLDER the same command would go on where it was"


def _settings(draws: int | None, men: int | None) -> Settings:
    from leydig.studies.reproduce import default_settings

    chosen = default_settings()
    if draws is not None:
        chosen = chosen._replace(draws=draws)
    if men is not None:
        chosen = chosen._replace(least_men=min(chosen.least_men, men), most_men=men)
    return chosen


# Running ---------------------------------------------------------------------------------------------


def compute(
    trials: Sequence[Trial], seed: int, settings: Settings, workers: int, kept: Kept
) -> tuple[list[Reproduced], list[Failed]]:
    """Every trial's result in the order asked for, kept as soon as it is there, and those that failed."""
    from leydig.studies import reproduce_many
    from leydig.studies.reproduce_rows import Failed

    results: dict[int, Reproduced | Failed] = {}
    for place, trial in enumerate(trials):
        before = kept.find(trial)
        if before is not None:
            results[place] = before
    left = [place for place in range(len(trials)) if place not in results]
    _say_compiling([trials[place] for place in left], settings)
    with _progress(len(trials), len(results)) as done:
        running = reproduce_many.run([trials[place] for place in left], seed=seed, settings=settings, workers=workers)
        with closing(running):
            for number, result, seconds in running:
                stop_if_interrupted()
                results[left[number]] = result
                if not isinstance(result, Failed):
                    kept.keep(result)
                done(trials[left[number]].key, seconds)
    in_order = [results[place] for place in range(len(trials))]
    return [r for r in in_order if not isinstance(r, Failed)], [r for r in in_order if isinstance(r, Failed)]


def _say_compiling(trials: Sequence[Trial], settings: Settings) -> None:
    """Say that machine code is missing, which takes a while to make."""
    from leydig.studies import many
    from leydig.studies.reproduce_entries import parsed

    protocols = [parsed(arm.protocol) for trial in trials for arm in trial.arms]
    days = max((outcome.day for trial in trials for _, outcome in trial.outcomes()), default=0.0)
    if protocols and not many.is_ready(protocols, max(days, 1.0), settings.mode):
        say("note", "compiling the solver for these equations and drugs; this takes tens of seconds, once")


@contextmanager
def _progress(total: int, found: int) -> Iterator[Any]:
    """A line per finished trial on standard error; on a terminal each takes the place of the one before."""
    began, count = time.monotonic(), found
    terminal = sys.stderr.isatty()
    if found:
        print(f"reproduce: {found} of {total} trials found finished", file=sys.stderr, flush=True)

    def done(key: str, seconds: float) -> None:
        nonlocal count
        count += 1
        left = (time.monotonic() - began) / (count - found) * (total - count)
        words = f", {duration(left)} left" if count < total else ""
        line = f"reproduce: {count} of {total} trials, {key} took {seconds:.1f} s{words}"
        print(f"\r\x1b[K{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)

    try:
        yield done
    finally:
        if terminal and count > found:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


class _Nowhere:
    """Nothing is kept."""

    def find(self, trial: Trial) -> Reproduced | None:
        return None

    def keep(self, one: Reproduced) -> None:
        return None


class _Folder:
    """A file per finished trial."""

    def __init__(self, folder: Path, seed: int, settings: Settings) -> None:
        self.folder, self.seed, self.settings = folder, seed, settings

    def find(self, trial: Trial) -> Reproduced | None:
        from leydig.io import reproduced

        return reproduced.restore(self.folder / reproduced.file_name(trial), trial, self._digest(trial))

    def keep(self, one: Reproduced) -> None:
        from leydig.engine.runs import write_whole
        from leydig.io import reproduced

        content = reproduced.record(one, self._digest(one.trial))
        write_whole(self.folder / reproduced.file_name(one.trial), content)

    def holds_another(self, trials: Sequence[Trial], answer: Path) -> bool:
        """Whether there are results that this run takes the place of and that it would not make again."""
        from leydig.io import reproduced

        if reproduced.answered(answer) - {trial.key for trial in trials}:
            return True
        kept = ((self.folder / reproduced.file_name(trial), self._digest(trial)) for trial in trials)
        return any(reproduced.made_otherwise(path, digest) for path, digest in kept)

    def _digest(self, trial: Trial) -> str:
        from leydig.io import reproduced

        return reproduced.digest(trial, self.seed, self.settings)


# Writing ---------------------------------------------------------------------------------------------


def _folder(out: str) -> Target:
    """A folder that can be written to; refused before anything is computed."""
    from leydig.cli.files import check_writable

    usable_path("--out", out)
    target = Target(out.rstrip("/") + "/", "", in_a_folder=(ANSWER, FIGURES, PAGE))
    if (target.path / TRIALS).exists() and not (target.path / TRIALS).is_dir():
        raise InputError(f"--out {out}: {target.path / TRIALS} is a file; a folder is to be written there")
    check_writable(target)
    check_writable(Target(f"{target.path / TRIALS}/", ""))
    return target


def _refuse_own_inputs(names: Sequence[str], trials: Sequence[Trial], target: Target) -> None:
    """Refuse to write over a file that the trials came from."""
    from leydig.io.reproduced import file_name

    written = [target.path / name for name in (ANSWER, FIGURES, PAGE)]
    written += [target.path / TRIALS / file_name(trial) for trial in trials]
    for path in (Path(name) for name in names if Path(name).exists()):
        taken = next((one for one in written if one.exists() and one.samefile(path)), None)
        if taken is not None:
            raise InputError(f"--out {target.path}: {taken} is a file to be read; choose another folder")


def _write(answer: Mapping[str, Any], target: Target) -> list[str]:
    import json

    from leydig.cli.files import write_all
    from leydig.io.reproduced import figures_csv
    from leydig.io.tables import plain
    from leydig.report.reproduce import html

    shown = visible(answer)  # a file from outside can hold marks that turn the words after them

    def write_one(path: Path) -> None:
        if path.name == ANSWER:
            text = json.dumps(plain(answer), ensure_ascii=False, allow_nan=False, indent=1)
            content = "".join(f"{spelt(line)}\n" for line in text.split("\n")).encode()
        elif path.name == FIGURES:
            content = figures_csv(shown)
        else:
            content = html(shown).encode()
        path.write_bytes(content)

    return [*write_all(target, write_one), str(target.path / TRIALS)]
