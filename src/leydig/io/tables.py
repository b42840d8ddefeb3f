"""Trajectories as JSON, CSV, Parquet and NetCDF.

JSON is one object per run, or ``{"runs": [...]}``. CSV and Parquet are long: one row per protocol, day, quantity and
scale (``state``: 24-hour mean on the reference assay; ``laboratory``: what his laboratory would print; ``reading``: one
printed value with its noise, at visits). NetCDF holds arrays over ``time``, and over ``protocol`` where there are
several. JSON and CSV keep six significant digits, Parquet and NetCDF all of them. A value that is not there is null, an
empty field or NaN, whatever the format has.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leydig.engine.trajectory import Panel, Trajectory
from leydig.errors import unknown
from leydig.grading import outcomes
from leydig.report.flags import red_flags
from leydig.writing import replacing

if TYPE_CHECKING:
    import xarray

DIGITS = 6  # significant digits of a number in text
STATE, LABORATORY, READING = "state", "laboratory", "reading"
COLUMNS = ("protocol", "day", "quantity", "scale", "unit", "value", "lower", "upper")


class Block(NamedTuple):
    """One quantity of one run on one scale; arrays (times,), without bands full of NaN."""

    protocol: str
    days: np.ndarray
    quantity: str
    scale: str
    unit: str
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def write(trajectories: Sequence[Trajectory], path: Path | str) -> None:
    """Write runs in the format of the path's suffix: .json, .csv, .parquet or .nc; whole or not at all.

    InputError for another suffix and for a place that cannot be written to; ValueError for no run.
    """
    if not trajectories:
        raise ValueError("there is no run to write")
    path = Path(path)
    writers: dict[str, Callable[[Sequence[Trajectory], Path], None]] = {
        ".json": _write_json,
        ".csv": _write_csv,
        ".parquet": _write_parquet,
        ".nc": _write_netcdf,
    }
    if path.suffix.lower() not in writers:
        raise unknown("file type", path.suffix, writers, str(path))
    with replacing(path) as temporary:
        writers[path.suffix.lower()](trajectories, temporary)


# JSON ---------------------------------------------------------------------------------------------


def document(trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """The runs as one object of plain values: a single run itself, several under ``runs``."""
    runs = [_run(trajectory) for trajectory in trajectories]
    return runs[0] if len(runs) == 1 else {"runs": runs}


def text(trajectories: Sequence[Trajectory]) -> str:
    """The JSON text of ``document``."""
    return json.dumps(document(trajectories), ensure_ascii=False, allow_nan=False)


def _run(trajectory: Trajectory) -> dict[str, Any]:
    titrated = {
        "titration": plain(trajectory.titration),
        "decisions": plain(trajectory.decisions),
    }
    return {
        "subject": plain(trajectory.subject),
        "protocol": trajectory.protocol,
        "time": {"unit": "d", "values": plain(trajectory.days)},
        "quantities": _panel(trajectory.quantities),
        "laboratory": _panel(trajectory.laboratory),
        "sources": plain(trajectory.sources),
        "status": trajectory.status,
        "draws": trajectory.draws,
        "failed_draws": trajectory.failed_draws,
        "seed": trajectory.seed,
        "assumed": plain(trajectory.assumed),
        "remarks": plain(trajectory.remarks),
        "digests": plain(trajectory.digests),
        "flags": [{"name": f.name, "finding": f.finding, "threshold": f.limit} for f in red_flags([trajectory])],
        "evidence": _evidence(trajectory),
        "alternatives": {
            name: {quantity: {"values": plain(values)} for quantity, values in changed.items()}
            for name, changed in trajectory.alternatives.items()
        },
        **(titrated if trajectory.titration else {}),
        **({"samples": plain(trajectory.samples)} if trajectory.samples else {}),
    }


def _evidence(trajectory: Trajectory) -> dict[str, Any]:
    """How strong the evidence behind each quantity is, and which findings contradict."""
    return {
        name: {"grade": outcome.grade, "sources": list(outcome.sources), "alternatives": [a.name for a in others]}
        for name, outcome in outcomes().items()
        if name in trajectory.quantities.values
        for others in [outcome.alternatives]
    }


def _panel(panel: Panel) -> dict[str, Any]:
    found = {}
    for name, values in panel.values.items():
        entry = {"unit": panel.units[name], "values": plain(values)}
        if panel.lower is not None and panel.upper is not None and name in panel.lower:
            entry |= {"lower": plain(panel.lower[name]), "upper": plain(panel.upper[name])}
        found[name] = entry
    return found


def plain(value: Any) -> Any:
    """A value as JSON has it: numbers with six significant digits, null for what is not finite, text for the rest."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        rounded = float(f"{value:.{DIGITS}g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 10**DIGITS else rounded
    return str(value)


def _write_json(trajectories: Sequence[Trajectory], path: Path) -> None:
    path.write_text(text(trajectories) + "\n", encoding="utf-8", newline="\n")


# Long tables --------------------------------------------------------------------------------------


def blocks(trajectories: Sequence[Trajectory]) -> Iterator[Block]:
    """Every quantity of every run on both scales, then its readings at visits, in the order of the runs."""
    for trajectory in trajectories:
        for scale, panel in ((STATE, trajectory.quantities), (LABORATORY, trajectory.laboratory)):
            for name, values in panel.values.items():
                nothing = np.full(len(trajectory.days), np.nan)
                lower = nothing if panel.lower is None else panel.lower.get(name, nothing)
                upper = nothing if panel.upper is None else panel.upper.get(name, nothing)
                yield Block(trajectory.protocol, trajectory.days, name, scale, panel.units[name], values, lower, upper)
        if trajectory.samples:
            visits = np.asarray(trajectory.samples["days"], dtype=float)
            nothing = np.full(len(visits), np.nan)
            for name, one in trajectory.samples["readings"].items():
                values = np.asarray(one["values"], dtype=float)
                yield Block(trajectory.protocol, visits, name, READING, one["unit"], values, nothing, nothing)


def _write_csv(trajectories: Sequence[Trajectory], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for block in blocks(trajectories):
            for day, *numbers in zip(block.days, block.value, block.lower, block.upper, strict=True):
                name = (block.quantity, block.scale, block.unit)
                writer.writerow((block.protocol, _written(day), *name, *map(_written, numbers)))


def _written(number: float) -> str:
    """A number as text, nothing for what is not finite."""
    return f"{number:.{DIGITS}g}" if math.isfinite(number) else ""


def _write_parquet(trajectories: Sequence[Trajectory], path: Path) -> None:
    import duckdb

    found = list(blocks(trajectories))
    lengths = [len(block.days) for block in found]

    def words(of: Callable[[Block], str]) -> np.ndarray:
        return np.repeat(np.array([of(block) for block in found], dtype=object), lengths)

    def numbers(of: Callable[[Block], np.ndarray]) -> np.ndarray:
        joined = np.concatenate([np.asarray(of(block), dtype=float) for block in found])
        return np.where(np.isfinite(joined), joined, np.nan)

    table = {
        "protocol": words(lambda block: block.protocol),
        "day": numbers(lambda block: block.days),
        "quantity": words(lambda block: block.quantity),
        "scale": words(lambda block: block.scale),
        "unit": words(lambda block: block.unit),
        "value": numbers(lambda block: block.value),
        "lower": numbers(lambda block: block.lower),
        "upper": numbers(lambda block: block.upper),
    }
    with duckdb.connect() as connection:
        connection.register("rows", table)
        connection.table("rows").write_parquet(str(path), compression="zstd")


# NetCDF -------------------------------------------------------------------------------------------


def dataset(trajectories: Sequence[Trajectory]) -> xarray.Dataset:
    """The runs as one dataset: over ``time``, and over ``protocol`` where there are several.

    What a run does not have, such as the level of a drug of another protocol, is NaN there. Attributes hold what is
    common; subject, assumptions and remarks are JSON text.
    """
    import xarray

    parts = []
    for trajectory in trajectories:
        part = trajectory.dataset()
        part.attrs |= {
            "subject_record": json.dumps(plain(trajectory.subject), ensure_ascii=False),
            "assumed": json.dumps(plain(trajectory.assumed), ensure_ascii=False),
            "remarks": json.dumps(plain(trajectory.remarks), ensure_ascii=False),
        }
        parts.append(part)
    if len(parts) == 1:
        return parts[0]
    names = list(dict.fromkeys(name for part in parts for name in part.data_vars))
    units = {name: part[name].attrs for part in parts for name in part.data_vars}
    days = np.unique(np.concatenate([part["time"].values for part in parts]))
    aligned = []
    for part in parts:
        nothing = np.full(part.sizes["time"], np.nan)
        missing = {name: ("time", nothing, units[name]) for name in names if name not in part}
        aligned.append(part.assign(missing)[names].reindex(time=days))
    protocols = xarray.DataArray([part.attrs["protocol"] for part in parts], dims="protocol", name="protocol")
    joined = xarray.concat(aligned, dim=protocols, combine_attrs="drop_conflicts")
    joined["time"].attrs["units"] = "d"
    joined["status"] = ("protocol", [trajectory.status for trajectory in trajectories])
    return joined


def _write_netcdf(trajectories: Sequence[Trajectory], path: Path) -> None:
    dataset(trajectories).to_netcdf(path, engine="h5netcdf")
