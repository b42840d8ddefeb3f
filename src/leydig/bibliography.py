"""The bibliography: every reference that a data file may name, and how far each was verified.

The references are the BibTeX files in ``data/references/``, read with a small reader of the plain subset
``@type{key, field = {value}, ...}``. Every entry says in its field ``verification`` how its numbers were seen:

    fulltext    in the paper itself
    abstract    in its abstract, or in an excerpt of the paper
    secondary   quoted by another text
    memory      not seen; must not be used as evidence
    not found   looked for without success; must not be used as evidence
    own         made by this project
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from leydig.errors import InputError, nearest, unknown
from leydig.files import DATA, read_text

VERIFICATIONS = ("fulltext", "abstract", "secondary", "memory", "not found", "own")
UNUSABLE = frozenset({"memory", "not found"})

TYPES = (
    "article",
    "book",
    "inbook",
    "incollection",
    "inproceedings",
    "manual",
    "misc",
    "online",
    "phdthesis",
    "techreport",
)
FIELDS = (
    *("author", "title", "journal", "booktitle", "publisher", "institution", "edition", "year", "volume", "number"),
    *("pages", "doi", "pmid", "url", "note", "verification"),
)


class Reference(NamedTuple):
    """One entry of the bibliography."""

    key: str
    type: str
    fields: dict[str, str]

    @property
    def verification(self) -> str:
        """How the numbers of this reference were seen; one of ``VERIFICATIONS``."""
        return self.fields["verification"]

    def formatted(self) -> str:
        """The reference as one line: authors, title, journal, year, identifiers, verification status."""
        has = self.fields.get
        place = has("journal") or has("booktitle") or has("publisher") or has("institution") or ""
        if has("volume"):
            place += f" {has('volume')}" + (f"({has('number')})" if has("number") else "")
        if has("pages"):
            place += f":{has('pages')}" if has("volume") else f" p. {has('pages')}"
        dated = " ".join(part for part in (place.strip(), f"({has('year')})" if has("year") else "") if part)
        identifiers = [f"{name} {has(name)}" for name in ("doi", "pmid") if has(name)]
        if not identifiers and has("url"):
            identifiers = [str(has("url"))]
        parts = (has("author"), has("title"), dated, ", ".join(identifiers))
        return f"{'. '.join(part.rstrip('.') for part in parts if part)}. [{self.verification}]"


@cache
def bibliography() -> dict[str, Reference]:
    """Every reference of the package by key, in alphabetical order of the keys."""
    merged: dict[str, Reference] = {}
    for path in sorted((DATA / "references").glob("*.bib")):
        for key, reference in read_bib(path).items():
            if key in merged:
                raise InputError(f'the reference "{key}" of {path.name} is already in another file of data/references')
            merged[key] = reference
    return dict(sorted(merged.items()))


def reference(key: str, where: str = "") -> Reference:
    """One reference; InputError with the nearest key when the bibliography lacks it."""
    known = bibliography()
    if key not in known:
        raise _unknown_key(key, known, where)
    return known[key]


def cite(keys: Iterable[str]) -> list[str]:
    """The references of these keys as lines of text, each once, in alphabetical order of the keys."""
    return [reference(key).formatted() for key in sorted(set(keys))]


def read_bib(path: Path | str) -> dict[str, Reference]:
    """The entries of one BibTeX file by key; InputError names the line of a malformed one."""
    return parse_bib(read_text(path), str(path))


def parse_bib(text: str, where: str) -> dict[str, Reference]:
    """The entries of BibTeX text by key. Lines that start with % are comments."""
    text = re.sub(r"(?m)^[ \t]*%.*$", "", text)
    entries: dict[str, Reference] = {}
    position = 0
    while (position := _skip_space(text, position)) < len(text):
        start = position
        place = f"{where} at line {text.count(chr(10), 0, start) + 1}"
        head = re.compile(r"@(\w+)\s*\{\s*([A-Za-z0-9_:.-]+)\s*,").match(text, position)
        if head is None:
            raise InputError(f"{place} should begin an entry such as @article{{key, title = {{...}}}}")
        kind, key = head[1].lower(), head[2]
        if kind not in TYPES:
            raise unknown("entry type", kind, TYPES, place)
        if key in entries:
            raise InputError(f'the reference "{key}" stands twice in {place}')
        fields, position = _fields(text, head.end(), f"{key} in {place}")
        entries[key] = _checked(Reference(key, kind, fields), place)
    return entries


def _fields(text: str, position: int, place: str) -> tuple[dict[str, str], int]:
    """The fields of one entry and the position after its closing brace."""
    fields: dict[str, str] = {}
    name_pattern = re.compile(r"(\w+)\s*=\s*")
    while True:
        position = _skip_space(text, position)
        if text[position : position + 1] == "}":
            return fields, position + 1
        name = name_pattern.match(text, position)
        if name is None:
            raise InputError(
                f"the reference {place} is malformed: a field such as title = {{...}} or a closing brace is expected"
            )
        field = name[1].lower()
        if field not in FIELDS:
            raise unknown("field", field, FIELDS, f"the reference {place}")
        if field in fields:
            raise InputError(f'the field "{field}" stands twice in the reference {place}')
        fields[field], position = _value(text, name.end(), place)
        position = _skip_space(text, position)
        if text[position : position + 1] == ",":
            position += 1
        elif text[position : position + 1] != "}":
            raise InputError(f'the reference {place} lacks a comma or a closing brace after "{field}"')


def _value(text: str, position: int, place: str) -> tuple[str, int]:
    """A braced, quoted or bare value and the position after it; inner braces are dropped."""
    if text[position : position + 1] == "{":
        depth, end = 0, position
        for end in range(position, len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0:
                break
        if depth:
            raise InputError(f"the reference {place} has a brace that is never closed")
        raw, after = text[position + 1 : end], end + 1
    else:
        found = re.compile(r'"([^"{}]*)"|(\w+)').match(text, position)
        if found is None:
            raise InputError(f"the reference {place} has a value that is neither in braces nor in quotes nor a number")
        raw, after = found[1] if found[1] is not None else found[2], found.end()
    return " ".join(raw.replace("{", "").replace("}", "").split()), after


def _checked(entry: Reference, place: str) -> Reference:
    """The entry, when it can be found again and says how it was verified."""
    if not any(entry.fields.get(field) for field in ("title", "journal")):
        raise InputError(f'the reference "{entry.key}" in {place} needs a "title" or a "journal"')
    if not entry.fields.get("verification"):
        raise InputError(f'the reference "{entry.key}" in {place} lacks the field "verification"')
    if entry.verification not in VERIFICATIONS:
        raise unknown("verification", entry.verification, VERIFICATIONS, f'the reference "{entry.key}" in {place}')
    return entry


def _skip_space(text: str, position: int) -> int:
    """The position of the next character that is not white space."""
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _unknown_key(key: str, known: Iterable[str], where: str) -> InputError:
    """An unknown reference; the whole list would be too long to be of use."""
    guess = nearest(key, known, likeness=0.8)
    question = f'; did you mean "{guess}"? Allowed' if guess else "; allowed"
    place = f" in {where}" if where else ""
    return InputError(f'unknown reference "{key}"{place}{question}: a key of a file in data/references')
