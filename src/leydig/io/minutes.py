"""A man's day minute by minute as JSON, CSV and Parquet.

JSON is one object per protocol, or ``{"runs": [...]}``: the day asked for as a trajectory has it, with the day before
day 0 under ``before`` and what was found of the pulses under ``pulses``. CSV and Parquet are long: one row per
protocol, part (before or on), minute, quantity and scale (``state``: blood of the moment on the reference assay;
``laboratory``: what his laboratory would print for it). Six significant digits in text.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leydig import laboratory
from leydig.engine.trajectory import Panel
from leydig.errors import unknown
from leydig.io.tables import DIGITS, LABORATORY, STATE, plain
from leydig.studies.minutes import EVERY, HOURS_PER_DAY, MINUTES_PER_HOUR, SAMPLED, Day, Found, Minutes
from leydig.writing import replacing, write_text

FILES = (".json", ".csv", ".parquet", ".html", ".png")
COLUMNS = ("protocol", "part", "day", "minute", "clock", "quantity", "scale", "unit", "value")
TIME_DIGITS = 7  # decimals of a day: a minute is 7e-4


def write(runs: Sequence[Minutes], path: Path | str) -> None:
    """Write days as .json, .csv or .parquet, by the path's suffix; whole or not at all.

    InputError for another suffix and for a place that cannot be written to.
    """
    path = Path(path)
    writers = {".json": _write_json, ".csv": _write_csv, ".parquet": _write_parquet}
    if path.suffix.lower() not in writers:
        raise unknown("file type", path.suffix, FILES, str(path))
    writers[path.suffix.lower()](runs, path)


def document(runs: Sequence[Minutes]) -> dict[str, Any]:
    """The days as one object of plain values: a single one itself, several under ``runs``."""
    found = [_run(run) for run in runs]
    return found[0] if len(found) == 1 else {"runs": found}


def _run(run: Minutes) -> dict[str, Any]:
    return {
        "subject": plain(run.subject),
        "protocol": run.protocol,
        "at_day": run.at_day,
        **_day(run.on),
        "before": _day(run.before),
        "sources": plain(run.sources),
        "status": "done",
        "seed": run.seed,
        "assumed": plain(run.assumed),
        "remarks": plain(run.remarks),
        "digests": plain(run.digests),
    }


def _day(day: Day) -> dict[str, Any]:
    days = np.round(day.hours / HOURS_PER_DAY, TIME_DIGITS)
    return {
        "time": {"unit": "d", "values": days.tolist(), "clock_at_whole_days": laboratory.constants().usual_hour},
        "quantities": _panel(day.quantities),
        "laboratory": {
            name: entry | ({"below": day.below[name].tolist()} if name in day.below else {})
            for name, entry in _panel(day.laboratory).items()
        },
        "pulses": {
            "bursts_per_24h": plain(day.frequency),
            "bursts": {
                "time": {"unit": "d", "values": np.round(day.bursts.hours / HOURS_PER_DAY, TIME_DIGITS).tolist()},
                "LH": {"unit": "IU/L", "values": plain(day.bursts.LH)},
                "FSH": {"unit": "IU/L", "values": plain(day.bursts.FSH)},
            },
            "sampled_every_min": SAMPLED,
            "detected": [_found(found, day) for found in day.found],
        },
    }


def _found(found: Found, day: Day) -> dict[str, Any]:
    peaks = day.hours[0] / HOURS_PER_DAY + found.pulses.peak / (MINUTES_PER_HOUR * HOURS_PER_DAY)
    return {
        "detector": found.detector,
        "pulses_per_24h": plain(found.pulses.frequency(MINUTES_PER_HOUR * (day.hours[-1] - day.hours[0]))),
        "mean_amplitude": plain(found.pulses.mean_amplitude),
        "mean_interval_min": plain(found.pulses.mean_interval),
        "peaks": {"unit": "d", "values": np.round(peaks, TIME_DIGITS).tolist()},
        "bursts_found": found.against.found,
        "bursts_missed": found.against.missed,
        "false": found.against.false,
    }


def _panel(panel: Panel) -> dict[str, Any]:
    return {name: {"unit": panel.units[name], "values": plain(values)} for name, values in panel.values.items()}


def _write_json(runs: Sequence[Minutes], path: Path) -> None:
    write_text(path, json.dumps(document(runs), ensure_ascii=False, allow_nan=False) + "\n")


def _blocks(runs: Sequence[Minutes]) -> Iterator[tuple[str, str, Day, str, str, str, np.ndarray]]:
    """Protocol, part, day, quantity, scale, unit, values."""
    for run in runs:
        for part, day in (("before", run.before), ("on", run.on)):
            for scale, panel in ((STATE, day.quantities), (LABORATORY, day.laboratory)):
                for name, values in panel.values.items():
                    yield run.protocol, part, day, name, scale, panel.units[name], values


def _clock(day: Day) -> tuple[np.ndarray, np.ndarray]:
    """Minutes since the beginning of the day, and the hour of the clock."""
    since = np.arange(len(day.hours)) * EVERY
    return since, (laboratory.constants().usual_hour + day.hours) % HOURS_PER_DAY


def _write_csv(runs: Sequence[Minutes], path: Path) -> None:
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for protocol, part, day, name, scale, unit, values in _blocks(runs):
            since, clock = _clock(day)
            for hour, minute, at, value in zip(day.hours, since, clock, values, strict=True):
                number = f"{value:.{DIGITS}g}" if np.isfinite(value) else ""
                when = (f"{hour / HOURS_PER_DAY:.{TIME_DIGITS}f}", f"{minute:g}", f"{at:.4f}")
                writer.writerow((protocol, part, *when, name, scale, unit, number))


def _write_parquet(runs: Sequence[Minutes], path: Path) -> None:
    import duckdb

    parts: dict[str, list[np.ndarray]] = {name: [] for name in COLUMNS}
    for protocol, part, day, name, scale, unit, values in _blocks(runs):
        since, clock = _clock(day)
        words = {"protocol": protocol, "part": part, "quantity": name, "scale": scale, "unit": unit}
        numbers = {"day": day.hours / HOURS_PER_DAY, "minute": since, "clock": clock, "value": values}
        for column, word in words.items():
            parts[column].append(np.full(len(values), word, dtype=object))
        for column, several in numbers.items():
            parts[column].append(np.asarray(several, float))
    table = {name: np.concatenate(several) for name, several in parts.items()}
    with replacing(path) as temporary, duckdb.connect() as connection:
        connection.register("rows", table)
        connection.table("rows").write_parquet(str(temporary), compression="zstd")
