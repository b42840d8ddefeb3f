"""``leydig population``: many virtual men, streamed to a folder; the same command goes on where it was stopped."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leydig.cli.options import LARGEST_SEED, horizon, usable_path, whole
from leydig.cli.progress import steady_progress
from leydig.cli.shell import DONE, FOUND_WRONG, INTERRUPTED, collected_warnings, print_json, say
from leydig.errors import InputError, unknown

if TYPE_CHECKING:
    from leydig.engine.executors import Executor
    from leydig.studies.population import Specification
    from leydig.studies.population_run import Finished

EXECUTORS = ("local", "dask")
MOST_WORKERS = 1024
LARGEST_CHUNK = 1_000_000
SUMMARY, SPREAD, SHARES, PAGE, PICTURE = (
    "summary.json",
    "summary.csv",
    "responders.csv",
    "report.html",
    "population.png",
)
WIDER = (
    "Men differ in untreated values, lesions and kinetics, at the central values of the fit; true spreads are wider."
)
SHOWN = ("testosterone", "estradiol", "LH", "total_motile_sperm_count", "bmd_spine_change", "bmd_hip_change")


def run(
    *,
    condition: str | None,
    n: str | None,
    protocols: Sequence[str],
    titrate: str | None,
    days: str | None,
    every: str | None,
    seed: str,
    quantities: Sequence[str],
    ages: str | None,
    mode: str,
    out: str | None,
    workers: str | None,
    executor: str,
    scheduler: str | None,
    allow_failures: str,
    chunk: str | None,
    as_json: bool,
) -> int:
    if condition is None:
        raise InputError('population needs --condition NAME, such as obese-hypogonadal or "eugonadal 60 % + …"')
    if n is None:
        raise InputError("population needs -n N, the number of men")
    if not protocols:
        raise InputError('population needs --protocol TEXT, such as "anastrozole 0.5 mg twice weekly" or "none"')
    if out is None:
        raise InputError("population needs --out FOLDER, where the dataset is written and from where it goes on")
    if executor not in EXECUTORS:
        raise unknown("executor", executor, EXECUTORS, "--executor")
    if scheduler is not None and executor != "dask":
        raise InputError("--scheduler goes with --executor dask only")
    hands = os.cpu_count() or 1 if workers is None else whole("--workers", workers, 1, MOST_WORKERS)
    allowed = _share("--allow-failures", allow_failures)
    folder = _folder(out)
    with collected_warnings() as warned:
        specification = _specify(condition, n, protocols, titrate, days, every, seed, quantities, ages, mode, chunk)
        try:
            with _executor(executor, scheduler, hands) as execute, steady_progress("population", "men") as progress:
                finished, files, answer = _compute(specification, folder, execute, executor, hands, allowed, progress)
        except KeyboardInterrupt:
            say("interrupted", f"finished chunks are kept in {folder}; the same command goes on from there")
            return INTERRUPTED
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            say(
                "error",
                f"cannot write{where}: {error.strerror or error}; finished chunks are kept in {folder}, and the same "
                "command goes on from there",
            )
            return FOUND_WRONG
    if finished is None:
        return FOUND_WRONG
    _say_failures(answer)
    counts = {"total": finished.chunks, "resumed": finished.resumed, "computed": finished.chunks - finished.resumed}
    if as_json:
        from leydig.io.tables import plain

        print_json({"out": str(folder), **plain(answer), "chunks": counts, "files": files, "warnings": warned})
    else:
        sys.stdout.write(text(answer, counts, files))
    return DONE


def _specify(
    condition: str,
    n: str,
    protocols: Sequence[str],
    titrate: str | None,
    days: str | None,
    every: str | None,
    seed: str,
    quantities: Sequence[str],
    ages: str | None,
    mode: str,
    chunk: str | None,
) -> Specification:
    from leydig.numerics import MODES
    from leydig.studies.population import CHUNK
    from leydig.studies.population_plan import MOST_MEN, specify
    from leydig.studies.titrate import Plan

    chosen = next((one for one in MODES if one == mode), None)
    if chosen is None:
        raise unknown("mode", mode, MODES, "--mode")
    plans = []
    for place, words in enumerate(protocols, start=1):
        try:
            plans.append(Plan.of(words))
        except InputError as error:
            raise InputError(f"--protocol number {place}: {error}" if len(protocols) > 1 else str(error)) from error
    return specify(
        condition,
        whole("-n", n, 1, MOST_MEN),
        plans,
        titrate=titrate,
        days=None if days is None else horizon("--days", days),
        every=None if every is None else horizon("--every", every),
        seed=whole("--seed", seed, 0, LARGEST_SEED),
        quantities=quantities,
        ages=None if ages is None else _ages(ages),
        mode=chosen,
        chunk=CHUNK if chunk is None else whole("--chunk", chunk, 1, LARGEST_CHUNK),
    )


def _ages(words: str) -> tuple[float, float]:
    found = re.fullmatch(r"\s*([0-9]{1,3}(?:\.[0-9]{1,3})?)\s*(?:-|–|to)\s*([0-9]{1,3}(?:\.[0-9]{1,3})?)\s*", words)
    if found is None:
        raise InputError(f'--ages is "{words[:40]}"; it must be two ages in years, such as 40-60')
    return float(found[1]), float(found[2])


def _share(option: str, words: str) -> float:
    """A share from 0 to 1, or in percent."""
    found = re.fullmatch(r"\s*([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*(%?)\s*", words)
    value = None if found is None else float(found[1]) / (100 if found[2] else 1)
    if value is None or not 0 <= value <= 1:
        raise InputError(f'{option} is "{words[:40]}"; it must be a share from 0 to 1, or a percentage such as "1 %"')
    return value


def _folder(out: str) -> Path:
    path = usable_path("--out", out)
    standing = path
    while not standing.exists() and standing != standing.parent:
        standing = standing.parent
    if not standing.is_dir():
        what = "it" if standing == path else str(standing)
        raise InputError(f"--out {out} should be a folder, but {what} is a file")
    if not os.access(standing, os.W_OK | os.X_OK):
        raise InputError(f"--out {out}: the folder {standing} cannot be written to")
    return path


@contextmanager
def _executor(name: str, scheduler: str | None, workers: int) -> Iterator[Executor]:
    from leydig.engine import executors

    if name == "local":
        yield executors.threads(workers)
        return
    if scheduler is not None and not re.fullmatch(r"(tcp|tls|ucx|ws|wss)://[^\s/]{1,200}:[0-9]{1,5}", scheduler):
        raise InputError(f'--scheduler is "{scheduler[:60]}"; it must be an address such as tcp://127.0.0.1:8786')
    with executors.dask(scheduler, workers) as execute:
        yield execute


def _compute(
    specification: Specification,
    folder: Path,
    execute: Executor,
    executor: str,
    workers: int,
    allowed: float,
    progress: Any,
) -> tuple[Finished | None, list[str], dict[str, Any]]:
    """The finished run, its files and its answer; None when it was stopped, which has then been said."""
    from leydig.engine.runs import RunStopped
    from leydig.io.population import FORMAT
    from leydig.studies import many, population_run
    from leydig.studies.population_answer import answer

    if not many.is_ready(specification.plans, specification.days, specification.mode):
        say("note", "compiling the solver for these equations and drugs; this takes tens of seconds, once")

    def under_way(done: int, total: int, found: int) -> None:
        if done < total:  # a summary of fewer men, from before, would be wrong until the end
            for name in (SUMMARY, SPREAD, SHARES, PAGE, PICTURE):
                (folder / name).unlink(missing_ok=True)
        progress(done, total, found)

    try:
        finished = population_run.run(
            specification,
            folder,
            FORMAT,
            execute,
            local=executor == "local",
            workers=workers,
            allowed=allowed,
            progress=under_way,
        )
    except RunStopped as error:
        say("error", f"{error}; finished chunks are kept in {folder}")
        return None, [], {}
    found = answer(specification, finished)
    return finished, write_summary(found, folder), found


def write_summary(answer: Mapping[str, Any], folder: Path) -> list[str]:
    """Write summary, page and picture beside the dataset; the paths, those of the dataset as patterns."""
    from leydig.engine.runs import write_whole
    from leydig.io import dataset, population_files
    from leydig.report import population as page
    from leydig.studies.population import DECISIONS, TABLES

    contents = {
        SUMMARY: population_files.summary_json(answer),
        SPREAD: population_files.summary_csv(answer),
        SHARES: population_files.responders_csv(answer),
        PAGE: page.html(answer).encode(),
        PICTURE: page.picture(answer),
    }
    for name, content in contents.items():
        write_whole(folder / name, content)
    names = TABLES if not any("titration" in one for one in answer["protocols"]) else (*TABLES, DECISIONS)
    tables = [str(folder / name / f"*{dataset.SUFFIX}") for name in names]
    return [*tables, *(str(folder / name) for name in contents)]


def _say_failures(answer: Mapping[str, Any]) -> None:
    for one in answer["protocols"]:
        for status, count in one["status"].items():
            if status != "done":
                who = "man" if count == 1 else "men"
                say("warning", f"{count} {who} ended as {status.replace('_', ' ')} under {one['protocol']}")


def text(answer: Mapping[str, Any], counts: Mapping[str, int], files: Sequence[str]) -> str:
    """What a person reads in the terminal: medians with the middle 95 % of the men, shares, and where the files are."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from leydig.cli.table import NOT_ADVICE
    from leydig.report import population as page
    from leydig.report import titration, wording

    console = Console(highlight=False)
    with console.capture() as shown:
        console.print(page.title(answer), markup=False)
        console.print(NOT_ADVICE)
        for one in answer["protocols"]:
            title = escape(f"{one['protocol']}, {wording.span(answer['days'][-1])}")
            table = Table(title=title, title_style="bold", title_justify="left", box=box.SIMPLE_HEAD)
            table.show_edge, table.padding = False, (0, 1, 0, 0)
            for heading in ("", "unit", "start", "end"):
                table.add_column(heading, justify="left" if heading in ("", "unit") else "right")
            names = [name for name in one["quantities"] if name in SHOWN] or list(one["quantities"])
            for name in names:
                values = one["quantities"][name]
                unit = wording.unit(wording.shown_unit(name, values["unit"]))
                table.add_row(wording.name(name), unit, *(_spread(name, values["quantiles"], day) for day in (0, -1)))
            for responder in one["responders"]:
                ends = [_percent(responder["share"][day]) for day in (0, -1)]
                table.add_row(escape(responder["short"]), "% of men", *ends)
            console.print()
            console.print(table)
            for sentence in titration.of_population(one):
                console.print(sentence, markup=False)
        console.print()
        mean = page.averaged(answer)
        past = f", means of the {mean} before" if mean else ""
        console.print(f"Medians and the middle 95 % of the men{past}, by mass spectrometry.", markup=False)
        console.print(WIDER, markup=False)
        resumed = f", {counts['resumed']} of them found finished" if counts["resumed"] else ""
        console.print(f"{counts['total']} chunk{'' if counts['total'] == 1 else 's'}{resumed}", markup=False)
        for path in files:
            console.print(f"written: {path}", markup=False, soft_wrap=True)
    return shown.get()


def _spread(name: str, quantiles: Mapping[str, Sequence[float | None]], day: int) -> str:
    from leydig.report import wording

    low, middle, high = (wording.number(quantiles[q][day], name) for q in ("2.5", "50", "97.5"))
    return middle if low == high else f"{middle} ({low} to {high})"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
