"""The published sources that are no trials, by kind and key: their own files and what stands in other data files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic
from leydig.files import DATA, read_yaml
from leydig.literature import standing
from leydig.literature.records import Distribution, Entry, Group, Guideline, Statement, Variation, VariationNumber

E = TypeVar("E", bound=Entry)
P = TypeVar("P")

NOT_NOTED = "not noted"
FOLDERS: dict[type[Entry], str] = {
    Distribution: "reference_distributions",
    Variation: "biological_variation",
    Guideline: "guidelines",
}


def load(path: Path | str, kind: type[E]) -> E:
    """The entry in any file; InputError in one sentence when it is not one of this kind."""
    path = Path(path)
    content = read_yaml(path)
    try:
        entry = kind.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, path.name, kind) from error
    if entry.key != path.stem:
        raise InputError(f'the key "{entry.key}" of {path.name} must be the name of its file')
    if reference(entry.citation, f"citation of {path.name}").verification in UNUSABLE:
        raise InputError(f'{path.name} rests on "{entry.citation}", which nobody has seen; leave it out')
    return entry


def _files(kind: type[E]) -> dict[str, E]:
    """The entries of a kind that have files of their own, by key."""
    folder = DATA / FOLDERS[kind]
    return {path.stem: load(path, kind) for path in sorted(folder.glob("*.yaml"))}


def _shared(entry: Entry, part: Any) -> dict[str, Any]:
    """Place, how it was seen, and file of a number or statement: its own, else of its entry.

    What stands in another data file has there no place in the source, and was seen as the bibliography says.
    """
    if part.file:
        seen = reference(entry.citation).verification
        return {"where": part.where or NOT_NOTED, "seen": part.seen or seen, "file": part.file}
    file = f"{FOLDERS[type(entry)]}/{entry.key}.yaml"
    return {"where": part.where or entry.where, "seen": part.seen or entry.verification, "file": file}


def _stub(source: str) -> dict[str, Any]:
    """An entry of a source that has no file of its kind: named by its reference."""
    entry = reference(source)
    return {
        "key": source,
        "citation": source,
        "title": entry.fields.get("title") or entry.fields["journal"],
        "verification": entry.verification,
        "where": NOT_NOTED,
    }


def _together(found: Iterable[tuple[str, P]]) -> dict[str, list[P]]:
    """The standing parts by source, each once."""
    grouped: dict[str, list[P]] = {}
    for source, part in found:
        parts = grouped.setdefault(source, [])
        if part not in parts:
            parts.append(part)
    return grouped


def _merged(
    kind: type[E], field: str, parts: dict[str, list[P]], fill: Callable[[Entry, P], P], **more: Any
) -> dict[str, E]:
    """Files and standing parts joined by key, every number with its place, how it was seen and its file."""
    own, found = _files(kind), {}
    for key in sorted({*own, *parts}):
        entry, standing_there = own.get(key), parts.get(key, [])
        if entry is None:
            entry = kind.model_validate({**_stub(key), **more, field: standing_there})
            standing_there = []
        given = [*getattr(entry, field), *standing_there]
        found[key] = entry.model_copy(update={field: [fill(entry, part) for part in given]})
    return found


def _filled_group(entry: Entry, group: Group) -> Group:
    figures = [figure.model_copy(update=_shared(entry, figure)) for figure in group.figures]
    return group.model_copy(update={"figures": figures})


def _filled(entry: Entry, part: Any) -> Any:
    return part.model_copy(update=_shared(entry, part))


@cache
def distributions() -> dict[str, Distribution]:
    """Every published distribution by key, in alphabetical order."""
    groups = _together(standing.distributions())
    return _merged(Distribution, "groups", _each_number_once(groups), _filled_group)


def _each_number_once(groups: dict[str, list[Group]]) -> dict[str, list[Group]]:
    """The groups without numbers that stand in an earlier group of the same source already."""
    found: dict[str, list[Group]] = {}
    for source, several in groups.items():
        known: set[tuple[object, ...]] = set()
        for group in several:
            new = [figure for figure in group.figures if _identity(figure) not in known]
            known |= {_identity(figure) for figure in new}
            if new:
                found.setdefault(source, []).append(group.model_copy(update={"figures": new}))
    return found


def _identity(figure: Any) -> tuple[object, ...]:
    return figure.quantity, figure.statistic, figure.percentile, figure.with_, figure.value, figure.unit, figure.called


@cache
def variations() -> dict[str, Variation]:
    """Every published variation by key, in alphabetical order."""
    parts: dict[str, list[VariationNumber]] = _together(standing.variations())
    return _merged(Variation, "figures", parts, _filled, population="see the source", men=None)


@cache
def guidelines() -> dict[str, Guideline]:
    """Every guideline and threshold by key, in alphabetical order."""
    parts: dict[str, list[Statement]] = _together(standing.statements())
    found = _merged(Guideline, "statements", parts, _filled, body="", year=None)
    return {key: entry if entry.body else entry.model_copy(update=_named(key)) for key, entry in found.items()}


def _named(key: str) -> dict[str, Any]:
    """Body and year of a source by its reference; a study is a body of its own."""
    fields = reference(key).fields
    return {"body": fields.get("institution") or "a study", "year": fields.get("year")}
