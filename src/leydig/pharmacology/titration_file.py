"""Files of titration rules: data/titration/<name>.yaml, or one's own.

    name, title, whom     its name, a title, and for which men
    drugs                 one or several, of which a protocol may have one; none for a protocol's only drug
    start                 the protocol that it begins with
    visits, turnaround    statements: {says: every 6 weeks from week 6, kind: assumed, source: assumed, note: ...}
    steps, lowest,
    highest               statements on doses, all optional
    assays                the assay of a quantity whose limits name none
    rules                 statements, in the order in which they are asked
    note

Every statement says what kind it is and where it is from (``titration_words.Statement``). The loader refuses unknown
keys, units, drugs and sources, and quantities that no visit measures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from leydig.errors import InputError, from_pydantic, nearest
from leydig.files import read_yaml
from leydig.pharmacology import titration_text as text
from leydig.pharmacology import titration_words as words
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.titration import Provenance, RuleSet, rule_sets
from leydig.pharmacology.titration_conditions import AllOf, AnyOf, Comparison, Condition, Repeated
from leydig.pharmacology.titration_words import Statement, Strict, listed
from leydig.pharmacology.treatment import Treatment
from leydig.pharmacology.visits import Visits

Read = TypeVar("Read")


class RuleFile(Strict):
    """A file of rules as written."""

    name: str
    title: str
    whom: str
    drugs: Annotated[tuple[str, ...], BeforeValidator(listed)]
    start: str | None = None
    visits: Statement
    turnaround: Statement
    steps: Statement | None = None
    lowest: Statement | None = None
    highest: Statement | None = None
    assays: Mapping[str, str] = {}
    rules: Annotated[tuple[Statement, ...], Field(min_length=1)]
    note: str | None = None


def open_set(name: str | Path) -> RuleSet:
    """See ``RuleSet.open``."""
    if str(name) in rule_sets():
        return load(words.FOLDER / f"{name}.yaml")
    if Path(name).exists():
        return load(Path(name))
    guess = nearest(str(name), rule_sets())
    question = f'; did you mean "{guess}"? Bundled' if guess else "; bundled"
    raise InputError(f'there is no file "{name}" and no bundled rule set of that name{question}: {_names()}')


def _names() -> str:
    return ", ".join(rule_sets())


def load(path: Path) -> RuleSet:
    """The rule set of one file; InputError in one sentence when it cannot be used."""
    content = read_yaml(path)
    try:
        file = RuleFile.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, path.name, RuleFile) from error
    if path.parent == words.FOLDER and file.name != path.stem:
        raise InputError(f'the name "{file.name}" of {path.name} must be that of its file, {path.stem}')

    def read(reader: Callable[[str], Read], said: Statement, key: str) -> tuple[Read, ...]:
        return tuple(_placed(reader, one, f"{key} of {path.name}") for one in said.says)

    doses = {
        key: read(text.dose, said, key)
        for key, said in (("steps", file.steps), ("lowest", file.lowest), ("highest", file.highest))
        if said
    }
    assays = {
        _placed(words.quantity_named, name, f"assays of {path.name}").quantity: _placed(
            words.assay_named, assay, f"assays.{name} of {path.name}"
        )
        for name, assay in file.assays.items()
    }
    rules = [rule for n, said in enumerate(file.rules) for rule in read(text.rule, said, f"rules[{n}]")]
    statements = [file.visits, file.turnaround, file.steps, file.lowest, file.highest, *file.rules]
    try:
        rule_set = RuleSet(
            rules=tuple(replace(rule, condition=with_assays(rule.condition, assays)) for rule in rules),
            visits=read(Visits.parse, file.visits, "visits")[0],
            turnaround=read(text.time, file.turnaround, "turnaround")[0],
            drugs=file.drugs,
            steps=doses.get("steps", ()),
            lowest=doses.get("lowest", (None,))[0],
            highest=doses.get("highest", (None,))[0],
            name=file.name,
            title=file.title,
            whom=file.whom,
            start=file.start,
            note=file.note,
            provenance=tuple(_provenance(said) for said in statements if said),
        )
        for drug in rule_set.drugs:
            rule_set.latitude(drug)
        if file.start:
            Treatment.of(Protocol.parse(file.start), rule_set)
    except InputError as error:
        raise error if path.name in str(error) else InputError(f"{path.name}: {error}") from error
    return rule_set


def with_assays(condition: Condition, assays: Mapping[str, str]) -> Condition:
    """The condition with an assay for every limit that names none."""
    if isinstance(condition, Comparison):
        return condition if condition.assay else replace(condition, assay=assays.get(condition.quantity))
    if isinstance(condition, Repeated):
        return replace(condition, condition=with_assays(condition.condition, assays))
    several: type[AllOf | AnyOf] = type(condition)
    return several(tuple(with_assays(one, assays) for one in condition.conditions))


def _placed(reader: Callable[[str], Read], said: str, place: str) -> Read:
    try:
        return reader(said)
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def _provenance(said: Statement) -> Provenance:
    return Provenance("; ".join(said.says), said.kind, said.source, said.where, said.note)
