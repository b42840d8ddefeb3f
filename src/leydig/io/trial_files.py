"""A virtual trial's answer as files: JSON, and tables for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leydig.io.tables import plain

__all__ = ["ARMS", "BASELINE", "JSON", "OUTCOMES", "POWER", "TABLES", "plain", "written"]

JSON = "trial.json"
ARMS, OUTCOMES, POWER, BASELINE = "arms.csv", "outcomes.csv", "power.csv", "baseline.csv"
TABLES = (ARMS, OUTCOMES, POWER, BASELINE)
Answer = Mapping[str, Any]


def written(name: str, answer: Answer) -> str:
    """The text of one of the files by its name."""
    if name.endswith(".json"):
        return json.dumps(plain(answer), ensure_ascii=False, allow_nan=False, indent=1) + "\n"
    header, rows = {ARMS: _arms, OUTCOMES: _outcomes, POWER: _power, BASELINE: _baseline}[name](plain(answer))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


Table = tuple[Sequence[str], Iterator[Sequence[Any]]]


def _arms(answer: Answer) -> Table:
    """One row per arm, quantity (as read, and as percent change where that is an outcome) and visit."""
    header = (
        *("arm", "quantity", "scale", "unit", "day", "mean", "men_2.5", "men_97.5"),
        *("mean_2.5", "mean_97.5", "true_mean"),
    )

    def rows() -> Iterator[Sequence[Any]]:
        for arm in answer["arms"]:
            for name, values in arm["quantities"].items():
                for scale in ("reading", "percent_change"):
                    series = values if scale == "reading" else values.get(scale)
                    for place, day in enumerate(answer["days"]) if series else ():
                        ends = [series[of][end][place] for of in ("men", "interval") for end in ("low", "high")]
                        unit, mean, true = series["unit"], series["mean"][place], series["truth"][place]
                        yield [arm["name"], name, scale, unit, day, mean, *ends, true]

    return header, rows()


def _what(one: Mapping[str, Any]) -> list[Any]:
    return [one["quantity"], one["analysis"], one["arm"], one["against"], one["day"]]


def _ends(share: Mapping[str, float] | None) -> list[float | None]:
    return [None if share is None else share[name] for name in ("value", "low", "high")]


WHAT = ("quantity", "analysis", "arm", "against", "day")


def _outcomes(answer: Answer) -> Table:
    """One row per contrast."""
    one, shares = ("value", "low", "high", "p", "n"), ("power", "assurance", "type_one")
    parts = ("seen", "without", "drug")
    header = (
        *(*WHAT, "unit", "primary", "truth", "expected"),
        *(f"one_trial_{name}" for name in one),
        *("median", "q2.5", "q97.5", "width", "coverage"),
        *(f"{share}{end}" for share in shares for end in ("", "_low", "_high")),
        *parts,
    )

    def rows() -> Iterator[Sequence[Any]]:
        for found in answer["outcomes"]:
            quantiles = found["all"].get("quantiles", {})
            yield [
                *(*_what(found), found["unit"], found["primary"], found["truth"], found["expected"]),
                *(found["one_trial"][name] for name in one),
                *(quantiles.get(q) for q in ("50", "2.5", "97.5")),
                *(found["width"], found["coverage"]),
                *(number for share in shares for number in _ends(found[share])),
                *(found["split"][part]["value"] if found["split"] else None for part in parts),
            ]

    return header, rows()


def _power(answer: Answer) -> Table:
    """One row per size and contrast."""
    shares = ("power", "assurance")
    header = ("n", "per_arm", *WHAT, *(f"{share}{end}" for share in shares for end in ("", "_low", "_high")))

    def rows() -> Iterator[Sequence[Any]]:
        for point in answer["curve"]:
            for place, one in enumerate(answer["outcomes"]):
                numbers = [number for share in shares for number in _ends(point[share][place])]
                yield [point["n"], point["per_arm"], *_what(one), *numbers]

    return header, rows()


def _baseline(answer: Answer) -> Table:
    """One row per group and line of the table."""
    header = ("group", "quantity", "when", "unit", "asked_mean", "reached_mean", "asked_sd", "reached_sd")
    return header, (
        [
            *(group["group"], row["quantity"], row["when"], row["unit"]),
            *(row["asked"]["mean"], row["reached"]["mean"], row["asked"]["sd"], row["reached"]["sd"]),
        ]
        for group in answer["baseline"]
        for row in group["rows"]
    )
