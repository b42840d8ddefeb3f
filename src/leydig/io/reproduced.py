"""Re-run trials as files: one per trial, from which a stopped run goes on, and a table of every scored figure.

The file of a trial holds its scores to the last digit and a digest of everything that they depend on: trial, model,
data, settings, seed and the kind of processor. With another digest it is not believed and the trial is run again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from leydig import files
from leydig.errors import InputError
from leydig.evidence import Trial
from leydig.io.tables import plain
from leydig.studies import many, population, provenance
from leydig.studies.figures import Figure
from leydig.studies.reproduce import Reproduced, Scored, Settings
from leydig.studies.trial_pool import Enrolled, Row

PACKAGE = Path(files.__file__).resolve().parent
EDGES = ("cli", "web", "report", "io")  # code that no score depends on
UNUSABLE = (InputError, ValueError, KeyError, TypeError, AttributeError, RecursionError)  # reading what is no such file
NOT_FINITE = ("nan", "inf", "-inf")
FIRST_COLUMNS = ("trial", "role", "verification", "status")
COLUMNS = (
    *("arm", "against", "drugs", "quantity", "domain", "day", "statistic", "unit", "reported", "spread", "spread_kind"),
    *("n", "predicted", "lower", "upper", "lower_50", "upper_50", "inside_95", "inside_50", "z", "error", "sampling"),
    *("weight", "interval_score", "null_no_change", "null_mean_change", "in_words", "hormone_mean", "seen", "where"),
)


def file_name(trial: Trial) -> str:
    """The name of a trial's file. A key is a plain word, so it leads nowhere else."""
    return f"{trial.key}.json"


def digest(trial: Trial, seed: int, settings: Settings) -> str:
    """Of everything that the scores of a trial depend on."""
    parts = [trial.model_dump_json(), repr(seed), repr(settings), json.dumps(_made_with(), sort_keys=True)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


@cache
def _made_with() -> dict[str, str]:
    """Version, equations, data, kernel, processor and the code of the studies."""
    code = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE)
        if name.parts[0] not in EDGES:
            code.update(name.as_posix().encode() + b"\0" + path.read_bytes())
    return {
        **provenance.digests(),
        "kernel": many.kernel_digest(),
        "instruction_set": population.instruction_set(),
        "code": code.hexdigest(),
    }


def record(one: Reproduced, made_from: str) -> bytes:
    """The file of a trial; the seconds that it took are left out, so that the same run gives the same bytes."""
    content = {
        "trial": one.trial.key,
        "digest": made_from,
        "scored": [_out(scored._asdict() | {"figure": scored.figure._asdict()}) for scored in one.scored],
        "enrolled": [
            _out(arm._asdict() | {"rows": [line._asdict() for line in arm.rows]}) for arm in one.enrolled
        ],
        "remarks": list(one.remarks),
    }  # fmt: skip
    return (json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def restore(path: Path, trial: Trial, made_from: str) -> Reproduced | None:
    """What the file of a trial holds; None where there is none, or one that was made from something else."""
    try:
        content = _content(path)
        if content["digest"] != made_from:
            return None
        return Reproduced(
            trial=trial,
            scored=tuple(_scored(one) for one in content["scored"]),
            enrolled=tuple(_enrolled(one) for one in content["enrolled"]),
            remarks=tuple(content["remarks"]),
            seconds=0.0,
        )
    except UNUSABLE:
        return None


def made_otherwise(path: Path, made_from: str) -> bool:
    """Whether a file is that of a trial, whole, and made from something else."""
    try:
        content = _content(path)
        return bool(content["digest"] != made_from and content["scored"] is not None)
    except UNUSABLE:
        return False


def answered(path: Path) -> set[str]:
    """The keys of the trials in the answer of a run; none where the file is not such an answer."""
    try:
        return {str(row["key"]) for row in json.loads(path.read_bytes())["trials"]} if path.is_file() else set()
    except (OSError, *UNUSABLE):
        return set()


def _content(path: Path) -> Any:
    """What a file of JSON holds; ValueError for numbers that are not finite, which are kept as words."""
    return json.loads(files.read_text(path), parse_constant=_finite, parse_float=_finite)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is not a finite number")
    return number


def _out(value: Any) -> Any:
    """As JSON has it, every digit kept; numbers that are not finite as words."""
    if isinstance(value, Mapping):
        return {name: _out(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_out(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _back(content: Mapping[str, Any]) -> dict[str, Any]:
    """The reverse of ``_out`` for the fields of one record."""
    return {
        name: tuple(_number(item) for item in value) if isinstance(value, list) else _number(value)
        for name, value in content.items()
    }


def _number(value: Any) -> Any:
    return float(value) if value in NOT_FINITE else value


def _scored(content: Mapping[str, Any]) -> Scored:
    return Scored(**_back({**content, "figure": None}) | {"figure": Figure(**_back(content["figure"]))})


def _enrolled(content: Mapping[str, Any]) -> Enrolled:
    rows = tuple(Row(**_back(line)) for line in content["rows"])
    return Enrolled(**_back({**content, "rows": None}) | {"rows": rows})


def figures_csv(document: Mapping[str, Any]) -> bytes:
    """Every scored figure of the answer as a line, and a line for each trial that could not be run."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*FIRST_COLUMNS, *COLUMNS))
    for trial in document["trials"]:
        first = [trial["key"], trial["role"], trial["verification"], trial["status"]]
        if trial["status"] != "done":
            writer.writerow([*first, *("" for _ in COLUMNS)])
        for figure in trial["figures"]:
            nulls = {f"null_{name}": score for name, score in figure["null_interval_scores"].items()}
            flat = {**figure, **nulls}
            writer.writerow([*first, *(_cell(flat[name]) for name in COLUMNS)])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """A value in one cell: several of them with semicolons between; text that a spreadsheet would compute as text."""
    if isinstance(value, list):
        return "; ".join(str(plain(item)) for item in value)
    found = plain(value)
    return f"'{found}" if isinstance(found, str) and found[:1] in "=+-@\t" and found else found
