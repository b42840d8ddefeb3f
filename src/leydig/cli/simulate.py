"""``leydig simulate``: a man under one or several protocols, shown, written, or both."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leydig.cli.options import FEWEST_DRAWS, LARGEST_SEED, MOST_DRAWS, Target, horizon, weekday, whole
from leydig.cli.shell import DONE, FOUND_WRONG, collected_warnings, print_json, progress_bar, say
from leydig.errors import InputError

if TYPE_CHECKING:
    from leydig.engine.trajectory import Trajectory


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
    count = whole("--draws", draws or str(FEWEST_DRAWS), FEWEST_DRAWS, MOST_DRAWS) if bands or draws else 0
    chosen_seed = whole("--seed", seed, 0, LARGEST_SEED)
    first_day = weekday("--start-weekday", start_weekday)
    target = None if out is None else Target(out, subject)
    with collected_warnings() as warned:
        runs = _simulate(subject, protocols, length, count, chosen_seed, first_day)
        written = _write(runs, target)
    if as_json:
        print_json(_as_object(runs) | {"files": written, "warnings": warned})
    else:
        _show(runs, written)
    stopped = [run for run in runs if run.status != "done"]
    for run in stopped:
        say("error", f"{run.protocol}: {run.status}")
    return FOUND_WRONG if stopped else DONE
