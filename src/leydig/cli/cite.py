"""``leydig cite``: the bibliography of a run with the verification status of each entry."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leydig.cli.options import usable_path
from leydig.cli.shell import DONE, collected_warnings, print_json
from leydig.errors import InputError

LARGEST_RUN = 200_000_000  # bytes of a run's JSON that are read
FIELDS = ("key", "reference", "verification", "used_for")


def run(of: str, protocols: Sequence[str], *, as_json: bool, bibtex: bool) -> int:
    if as_json and bibtex:
        raise InputError("--json and --bibtex exclude each other; choose one")
    with collected_warnings() as warned:
        sources = _of_file(of, protocols) if of.lower().endswith(".json") else _of_subject(of, protocols)
    if as_json:
        print_json({"of": of, "protocols": list(protocols), "sources": sources, "warnings": warned})
    else:
        print(_bibtex(sources) if bibtex else _text(sources))
    return DONE


def _of_subject(subject: str, protocols: Sequence[str]) -> list[dict[str, str]]:
    """The sources that a run of this man under these protocols rests on; nothing is run for it."""
    if not protocols:
        raise InputError(
            f'cite {subject} needs --protocol TEXT, such as "anastrozole 1 mg daily"; or give it the JSON file of a run'
        )
    from leydig.cli.simulate import read_titrated
    from leydig.pharmacology.protocol import Protocol
    from leydig.studies import provenance

    man, titrated = read_titrated(subject, protocols)
    plans = [plan.protocol for plan in titrated]
    plans += [Protocol.parse(text) for text in man.drugs]
    shown = [figure.source for figure in man.published]
    rules = {key for plan in titrated if plan.rules is not None for key in plan.rules.sources}
    return _merged(
        [
            provenance.sources(sorted({drug for plan in plans for drug in plan.drugs}), shown),
            [provenance.cited(key, provenance.RULES) for key in sorted(rules)],
        ]
    )


def _of_file(file: str, protocols: Sequence[str]) -> list[dict[str, str]]:
    """The sources that stand in the JSON file of a run, or of several runs."""
    if protocols:
        raise InputError(f"{file} is the file of a run, which has its protocol; leave --protocol out")
    content = _read(usable_path("RUN.json", file))
    runs = content.get("runs", [content]) if isinstance(content, dict) else None
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise InputError(f"{file} is not a run of leydig; it must be what --json or --out FILE.json wrote")
    sources = [run.get("sources") for run in runs]
    if not all(isinstance(several, list) and all(map(_is_source, several)) for several in sources):
        raise InputError(f"{file} is not a run of leydig: it has no list of sources")
    return _merged(sources)


def _read(path: Path) -> Any:
    if not path.exists():
        raise InputError(f"there is no file {path}")
    if not path.is_file():
        raise InputError(f"{path} is not an ordinary file")
    if path.stat().st_size > LARGEST_RUN:
        raise InputError(f"{path} is larger than the {LARGEST_RUN:,} bytes that are accepted")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        line = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(f"{path} is not valid JSON{line}") from error
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _is_source(source: Any) -> bool:
    return isinstance(source, dict) and all(isinstance(source.get(field), str) for field in FIELDS)


def _merged(several: Sequence[Any]) -> list[dict[str, str]]:
    """Each source once, in alphabetical order of the keys, with everything it was used for."""
    merged: dict[str, dict[str, str]] = {}
    uses: dict[str, dict[str, None]] = {}
    for source in (source for sources in several for source in sources):
        merged.setdefault(source["key"], {field: source[field] for field in FIELDS})
        uses.setdefault(source["key"], {})[source["used_for"]] = None
    return [merged[key] | {"used_for": "; ".join(uses[key])} for key in sorted(merged)]


def _text(sources: Sequence[Mapping[str, str]]) -> str:
    status = Counter(source["verification"] for source in sources)
    lines = []
    for source in sources:
        mark = f"[{source['verification']}]"
        reference = source["reference"]
        lines += [reference if mark in reference else f"{reference} {mark}", f"    used for: {source['used_for']}"]
    counted = ", ".join(f"{word} {count}" for word, count in sorted(status.items()))
    return "\n".join([*lines, "", f"{len(sources)} sources by how their numbers were seen: {counted or 'none'}."])


def _bibtex(sources: Sequence[Mapping[str, str]]) -> str:
    from leydig.bibliography import reference

    entries = []
    for source in sources:
        entry = reference(source["key"])
        fields = "".join(f"  {name} = {{{value}}},\n" for name, value in entry.fields.items())
        entries.append(f"@{entry.type}{{{entry.key},\n{fields}}}")
    return "\n\n".join(entries)
