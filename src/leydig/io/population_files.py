"""The summary of a population run as files: JSON, and long tables for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from leydig.io.tables import plain

SUMMARY_COLUMNS = ("protocol", "day", "quantity", "unit", "n", "mean", "sd")
SHARE_COLUMNS = ("protocol", "day", "responder", "share", "known")
CHANGE = "change"  # in place of a day


def summary_json(answer: Mapping[str, Any]) -> bytes:
    """The answer with six significant digits."""
    return (json.dumps(plain(answer), ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def summary_csv(answer: Mapping[str, Any]) -> bytes:
    """One row per protocol, quantity and day, and one with "change" in place of the day."""
    first = next(iter(answer["protocols"][0]["quantities"].values()))
    quantiles = list(first["quantiles"])
    return _csv([*SUMMARY_COLUMNS, *(f"q{q}" for q in quantiles)], _summary_rows(answer, quantiles))


def _summary_rows(answer: Mapping[str, Any], quantiles: list[str]) -> Iterator[list[Any]]:
    for one in answer["protocols"]:
        for name, values in one["quantities"].items():
            for place, day in enumerate(answer["days"]):
                numbers = [values[part][place] for part in ("n", "mean", "sd")]
                own = [values["quantiles"][q][place] for q in quantiles]
                yield [one["protocol"], day, name, values["unit"], *numbers, *own]
            change = values["change"]
            numbers = [change[part] for part in ("n", "mean", "sd")]
            own = [change["quantiles"][q] for q in quantiles]
            yield [one["protocol"], CHANGE, name, values["unit"], *numbers, *own]


def responders_csv(answer: Mapping[str, Any]) -> bytes:
    """One row per protocol, responder and day."""
    return _csv(
        list(SHARE_COLUMNS),
        (
            [one["protocol"], day, responder["key"], share, known]
            for one in answer["protocols"]
            for responder in one["responders"]
            for day, share, known in zip(answer["days"], responder["share"], responder["known"], strict=True)
        ),
    )


def _csv(header: list[str], rows: Iterator[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode()
