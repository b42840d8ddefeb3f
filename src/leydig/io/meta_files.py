"""A meta-analysis as files: JSON, and tables for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leydig.io.tables import plain

STUDY = (
    *("study", "title", "role", "verification", "design", "condition", "drugs", "arms", "protocols", "n", "controls"),
    *("day", "assay", "baseline_testosterone", "BMI", "age", "printed"),
)
EFFECT = ("value", "low", "high", "estimate", "standard_error")
LEFT_OUT = ("study", "arms", "reason", "other_arms_are_pooled")


def document_json(document: Mapping[str, Any]) -> str:
    """The document with six significant digits."""
    return json.dumps(plain(document), ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def studies_csv(document: Mapping[str, Any]) -> str:
    """One row per pooled study, then one for the pooled effect and one for the model's."""
    header = [*STUDY, *EFFECT, "weight", *(f"model_{part}" for part in EFFECT), "flags"]
    return _csv(header, _study_rows(document))


def _study_rows(document: Mapping[str, Any]) -> Iterator[list[Any]]:
    for one in document["studies"]:
        own = [_joined(one[name]) for name in STUDY]
        yield [*own, *_effect(one["effect"]), one["weight"], *_effect(one["model"]), _joined(one["flags"])]
    pooled, model = document["pooled"], document["model"]
    if pooled is not None:
        blank: list[Any] = ["pooled", *[""] * (len(STUDY) - 1)]
        beside = None if model is None else model["effect"]
        yield [*blank, *_effect(pooled["effect"]), 1, *_effect(beside), ""]


def left_out_csv(document: Mapping[str, Any]) -> str:
    """One row per study, or arms of one, that is not pooled, with the reason."""
    return _csv(LEFT_OUT, ([_joined(one[name]) for name in LEFT_OUT] for one in document["left_out"]))


def _effect(effect: Mapping[str, Any] | None) -> list[Any]:
    return ["" if effect is None else effect[part] for part in EFFECT]


def _joined(value: Any) -> Any:
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _csv(header: Sequence[str], rows: Iterator[list[Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([plain(cell) for cell in row] for row in rows)
    return text.getvalue()
