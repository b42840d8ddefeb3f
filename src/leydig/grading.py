"""How strong the evidence behind each computed outcome is, and what a conflicting finding would change.

One file per part of the body, ``data/outcomes/<part>.yaml``, keyed by quantity: the mechanism, the relation in words,
the parameters that hold the effect and its time course, the grade and why. A finding that contradicts the default is
an alternative: a set of parameter values that can be switched on instead; findings are never averaged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, Field, ValidationError, model_validator

from leydig import parameters
from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml
from leydig.parameters import Parameter, Strict
from leydig.units import CANONICAL

__all__ = [
    "GRADES",
    "Alternative",
    "Claim",
    "Grade",
    "Outcome",
    "alternatives",
    "load_outcomes",
    "outcomes",
    "parameter",
]

Grade = Literal["strong", "moderate", "weak", "conflicting", "no male data", "by definition"]
GRADES: tuple[str, ...] = get_args(Grade)

Sentence = Annotated[str, Field(min_length=1)]
Name = Annotated[str, AfterValidator(lambda name: _plain(name))]


class Claim(Strict):
    """A finding that contradicts the default, as its file states it."""

    name: Name
    claim: Sentence
    set: Annotated[dict[str, float], Field(min_length=1)]  # dotted parameter -> value instead of the default
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    against: Sentence


class Alternative(Claim):
    """A finding that contradicts the default, with the outcome that it is about and that outcome's grade."""

    quantity: str
    grade: Grade


class _Outcome(Strict):
    """The evidence for one quantity, as its file states it."""

    organ: Sentence
    mechanism: Sentence
    relation: Sentence
    time: str | None  # dotted parameter; null where there is no time course of its own
    effects: tuple[str, ...]  # dotted parameters
    grade: Grade
    because: Sentence
    sources: tuple[str, ...] = ()
    alternatives: tuple[Claim, ...] = ()

    @model_validator(mode="after")
    def complete(self) -> Self:
        """What the grade promises is there."""
        if not self.sources and self.grade not in {"by definition", "no male data"}:
            raise InputError(f'an outcome graded "{self.grade}" needs "sources"')
        if not self.effects and self.grade in {"strong", "moderate", "weak", "conflicting"}:
            raise InputError(f'an outcome graded "{self.grade}" needs "effects": the parameters that hold the effect')
        if self.grade == "conflicting" and not self.alternatives:
            raise InputError('an outcome graded "conflicting" needs "alternatives": the findings that contradict')
        return self


class Outcome(_Outcome):
    """The evidence for one quantity; its parameters and sources exist."""

    quantity: str

    def effect_parameters(self) -> list[Parameter]:
        """The parameters that hold the effect, in the order of the file."""
        return [parameter(name) for name in self.effects]


def parameter(dotted: str, where: str = "") -> Parameter:
    """The parameter of a dotted name such as ``bone.androgen_half``; InputError with the nearest one."""
    system, _, name = dotted.partition(".")
    if system not in parameters.systems():
        raise unknown("system", system, parameters.systems(), f'the parameter "{dotted}"' + _of(where))
    held = parameters.load(system)
    if name not in held:
        raise unknown("parameter", dotted, [f"{system}.{known}" for known in held], where)
    return held[name]


@cache
def outcomes() -> dict[str, Outcome]:
    """Every graded outcome of the package by quantity, file by file in alphabetical order."""
    merged: dict[str, Outcome] = {}
    for path in sorted((DATA / "outcomes").glob("*.yaml")):
        for quantity, outcome in load_outcomes(path).items():
            if quantity in merged:
                raise InputError(f'"{quantity}" of {path.name} is already in another file of data/outcomes')
            merged[quantity] = outcome
    _unique(alternative.name for outcome in merged.values() for alternative in outcome.alternatives)
    return merged


@cache
def alternatives() -> dict[str, Alternative]:
    """Every finding that can be switched on instead of the default, by its name."""
    return {
        entry.name: Alternative(**dict(entry), quantity=quantity, grade=outcome.grade)
        for quantity, outcome in outcomes().items()
        for entry in outcome.alternatives
    }


def load_outcomes(path: Path | str) -> dict[str, Outcome]:
    """The graded outcomes of one file by quantity; InputError in one sentence when the file cannot be used."""
    path = Path(path)
    found = {name: _read(name, entry, f"{name} of {path.name}") for name, entry in read_yaml(path).items()}
    _unique((entry.name for outcome in found.values() for entry in outcome.alternatives), path.name)
    return found


def _read(quantity: str, entry: Any, where: str) -> Outcome:
    """One outcome, checked against the quantities, the parameters and the bibliography."""
    if quantity not in CANONICAL:
        raise unknown("quantity", quantity, CANONICAL, where.partition(" of ")[2])
    try:
        outcome = Outcome(**dict(_Outcome.model_validate(entry)), quantity=quantity)
    except ValidationError as error:
        raise from_pydantic(error, where, _Outcome) from error
    for dotted in (*([outcome.time] if outcome.time else []), *outcome.effects):
        parameter(dotted, where)
    _check_sources(outcome.sources, f"sources of {where}", needs_seen=outcome.grade not in {"no male data"})
    for alternative in outcome.alternatives:
        place = f'alternative "{alternative.name}" of {where}'
        held = {dotted: parameter(dotted, place) for dotted in alternative.set}
        if all(held[dotted].value == value for dotted, value in alternative.set.items()):
            raise InputError(f"the {place} sets what the model has already")
        _check_sources(alternative.sources, place, needs_seen=True)
    return outcome


def _check_sources(keys: tuple[str, ...], where: str, needs_seen: bool) -> None:
    """Refuse a source that the bibliography lacks, and evidence that rests only on what nobody has seen."""
    held = [reference(key, where) for key in keys]
    if needs_seen and held and all(source.verification in UNUSABLE for source in held):
        raise InputError(f"the {where} are all unseen; find one that was seen or change the grade to no male data")


def _unique(names: Iterable[str], where: str = "data/outcomes") -> None:
    """Refuse two alternatives of one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f'two alternatives of {where} have the name "{name}"')
        seen.add(name)


def _plain(name: str) -> str:
    """The name, when it is made of words and hyphens."""
    if not re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", name):
        raise InputError(f'the name "{name}" must be words joined by hyphens, such as estradiol-lowers-LDL')
    return name


def _of(where: str) -> str:
    return f" of {where}" if where else ""
