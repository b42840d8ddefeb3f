"""Published figures as CSV: one line per figure, as printed, with the canonical unit beside it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from leydig.studies.evidence_rows import Row
from leydig.units import CANONICAL, to_canonical
from leydig.writing import replacing

ABSOLUTE = ("mean", "median", "change")  # statistics of trials that carry the unit of their quantity
COLUMNS = (*Row._fields, "canonical_value", "canonical_unit")


def write(rows: Sequence[Row], path: Path | str) -> None:
    """Write the figures whole or not at all; what is not printed is an empty field."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([*(_cell(value) for value in row), *canonical(row)])


def canonical(row: Row) -> tuple[str, str]:
    """The value in the canonical unit of its quantity and that unit; empty for relative figures and statements."""
    if row.value is None or not row.quantity or (row.statistic not in ABSOLUTE):
        return "", ""
    return f"{to_canonical(row.quantity, row.value, row.unit):.6g}", CANONICAL[row.quantity]


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " + ".join(value)
    return str(value).lower() if isinstance(value, bool) else value
