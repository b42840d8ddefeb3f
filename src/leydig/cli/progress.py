"""Progress of long work on standard error: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from leydig.cli.shell import stop_if_interrupted

SECONDS_BETWEEN_LINES = 10.0

# Done, in all, and how many of those done were found finished and say nothing on the rate.
Progress = Callable[[int, int, int], None]


@contextmanager
def steady_progress(what: str, unit: str) -> Iterator[Progress]:
    """Shows how much is done, the rate and the time left; Ctrl-C is heard at each step."""
    if sys.stderr.isatty():
        with _bar(what, unit) as update:
            yield update
    else:
        yield _lines(what, unit)


@contextmanager
def _bar(what: str, unit: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task: Any = bar.add_task(what, total=None, rate="")
        started = time.monotonic()

        def update(done: int, total: int, found: int) -> None:
            stop_if_interrupted()
            bar.update(
                task, completed=done, total=total, rate=rate(done, total, found, time.monotonic() - started, unit)
            )

        yield update


def _lines(what: str, unit: str) -> Progress:
    started = time.monotonic()
    said = started

    def update(done: int, total: int, found: int) -> None:
        nonlocal said
        stop_if_interrupted()
        now = time.monotonic()
        if now - said >= SECONDS_BETWEEN_LINES:
            said = now
            words = rate(done, total, found, now - started, unit)
            print(f"{what}: {done:,} of {total:,} {unit}{', ' if words else ''}{words}", file=sys.stderr, flush=True)

    return update


def rate(done: int, total: int, found: int, seconds: float, unit: str) -> str:
    """Rate and time left in words, nothing before the first has come: 1,234 men/s, 2 min 05 s left."""
    fresh = done - found
    if fresh <= 0 or seconds <= 0:
        return ""
    per_second = fresh / seconds
    shown = f"{per_second:,.0f}" if per_second >= 10 else f"{per_second:.2g}"
    return f"{shown} {unit}/s, {duration((total - done) / per_second)} left"


def duration(seconds: float) -> str:
    """Seconds in words: 45 s, 2 min 05 s, 3 h 20 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
