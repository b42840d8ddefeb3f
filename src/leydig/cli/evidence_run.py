"""``leydig evidence``: what is asked for, as text, as one JSON object, or as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from leydig.cli import evidence_study, evidence_text
from leydig.cli.files import check_writable, write_all
from leydig.cli.options import Target
from leydig.cli.shell import DONE, print_json, progress_bar
from leydig.errors import InputError
from leydig.pharmacology import drugs
from leydig.studies import evidence_list
from leydig.studies.evidence_list import Filter
from leydig.studies.evidence_rows import KINDS, Row, rows

CSV, PAGE = IN_A_FOLDER = ("figures.csv", "evidence.html")
WEIGHT = ("weight", "weight loss", "weight change")


def run(
    study: str | None,
    *,
    given: Mapping[str, str | None],
    conflicts: bool,
    left_out: bool,
    out: str | None,
    as_json: bool,
) -> int:
    """Print or write what is asked for; InputError for names that are not known and for what excludes one another."""
    asked = evidence_list.checked(Filter(**{name: _spelling(name, value) for name, value in given.items()}))
    _check_together(study, asked, conflicts, left_out, out)
    target = None if out is None else _target(out)
    found = _study_rows(study) if study else evidence_list.select(asked)
    document, text = _answer(study, asked, found, conflicts=conflicts, left_out=left_out)
    if target:
        document["written"] = _write(target, found, asked)
        text += "".join(f"written: {path}\n" for path in document["written"])
    if as_json:
        print_json(document)
    else:
        print(text, end="")
    return DONE


def _spelling(name: str, value: str | None) -> str | None:
    """A drug or a change of weight under the name that it has among the drugs of trials."""
    if name != "drug" or value is None or value in evidence_list.drugs():
        return value
    if value.casefold() in WEIGHT:
        return "weight"
    with suppress(InputError):  # the filter says what is allowed
        return drugs.get(value).name
    return value


def _check_together(study: str | None, asked: Filter, conflicts: bool, left_out: bool, out: str | None) -> None:
    """Refuse options of which one would be passed over in silence."""
    filters = [f"--{name}" for name in asked.given]
    modes = [name for name, wanted in (("--conflicts", conflicts), ("--left-out", left_out)) if wanted]
    if study and (filters or modes):
        raise InputError(f"{study} is shown whole; leave {' and '.join(filters + modes)} out")
    if len(modes) > 1:
        raise InputError("--conflicts and --left-out exclude each other; choose one")
    if left_out and (filters or out):
        raise InputError(f"--left-out lists everything; leave {' and '.join(filters + (['--out'] if out else []))} out")


def _target(out: str) -> Target:
    if Path(out).suffix and not out.endswith("/") and not Path(out).is_dir():
        raise InputError(f"--out {out} must be a folder; write it with / at its end")
    target = Target(out, "", (), IN_A_FOLDER)
    check_writable(target)
    return target


def _study_rows(study: str) -> list[Row]:
    """The rows of a study of any kind; InputError when there is no such study."""
    named = evidence_list.entries_named(study)
    keys = {study, *(one.key for one in named.get(KINDS[0], ()))}
    return [row for kind in KINDS for row in rows(kind) if row.study in keys]


def _answer(
    study: str | None, asked: Filter, found: Sequence[Row], *, conflicts: bool, left_out: bool
) -> tuple[dict[str, Any], str]:
    """The answer as an object and as text."""
    if left_out:
        return _left_out()
    if conflicts:
        return _conflicts(found, asked)
    if study:
        return _study(study)
    if asked.given:
        document = {"filter": asked.given, "figures": [_as_object(row) for row in found]}
        return document, evidence_text.listed(found, asked)
    return _overview()


def _as_object(row: Row) -> dict[str, Any]:
    return row._asdict() | {"drugs": list(row.drugs)}


def _overview() -> tuple[dict[str, Any], str]:
    from leydig.literature.conflicts import conflicts, left_out

    counts = evidence_list.overview()
    document = {
        "kinds": counts,
        "studies": evidence_list.studies(),
        "conflicts": len(conflicts()),
        "left_out": len(left_out()),
    }
    return document, evidence_text.overview(document)


def _study(study: str) -> tuple[dict[str, Any], str]:
    named = evidence_list.entries_named(study)
    document: dict[str, Any] = {"study": study}
    for kind, entry in named.items():
        several = entry if isinstance(entry, list) else [entry]
        document[kind] = [
            one.model_dump(mode="json", by_alias=True, exclude_none=True)
            | {"reference": evidence_list.citation(one.citation)}
            for one in several
        ]
    document["conflicts"] = [
        {"name": conflict.name, "what": conflict.what} for conflict in evidence_list.conflicts_of(_study_rows(study))
    ]
    return document, evidence_study.text(study, named)


def _conflicts(found: Sequence[Row], asked: Filter) -> tuple[dict[str, Any], str]:
    several = evidence_list.conflicting(found, asked)
    document = {
        "filter": asked.given,
        "conflicts": [
            {
                "name": conflict.name,
                "what": conflict.what,
                "sides": [{"says": says, "figures": [_as_object(row) for row in side]} for says, side in sides],
            }
            for conflict, sides in several
        ],
    }
    return document, evidence_text.conflicts(several)


def _left_out() -> tuple[dict[str, Any], str]:
    from leydig.literature.conflicts import left_out

    studies = left_out()
    return {"left_out": [one.model_dump() for one in studies]}, evidence_text.left_out(studies)


def _write(target: Target, found: Sequence[Row], asked: Filter) -> list[str]:
    """The paths written: the figures as CSV and the page."""

    def one(path: Path) -> None:
        if path.name == CSV:
            from leydig.io import evidence_table

            evidence_table.write(found, path)
            return
        from leydig.report import evidence_page
        from leydig.writing import write_text

        with progress_bar("drawing") as progress:
            write_text(path, evidence_page.html(found, asked, progress))

    return write_all(target, one)
