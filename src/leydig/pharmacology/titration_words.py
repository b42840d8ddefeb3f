"""What titration rules may read and what they leave out: observed quantities, assays, default visits and turnaround.

Source: data/titration/_defaults.yaml.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from leydig import units
from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, nearest, unknown
from leydig.files import DATA, read_yaml

FOLDER = DATA / "titration"
DEFAULTS = "_defaults"
ASSUMED = "assumed"


class Strict(BaseModel):
    """A record that refuses unknown keys and numbers that are not finite, and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def listed(source: Any) -> Any:
    """One key or text or a list of them, as a list."""
    return [source] if isinstance(source, str) else source


class Statement(Strict):
    """Something that a rule set says, with where it is from.

    kind    measured where the source states it, derived where it follows from what the source states, else assumed
    """

    says: Annotated[tuple[str, ...], BeforeValidator(listed), Field(min_length=1)]
    kind: Literal["measured", "derived", "assumed"]
    source: Annotated[tuple[str, ...], BeforeValidator(listed), Field(min_length=1)]
    where: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        for key in self.source:
            if key == ASSUMED:
                if self.kind != ASSUMED:
                    raise InputError(f'the source "{ASSUMED}" does not go with the kind {self.kind}')
                if not self.note:
                    raise InputError(f'what has the source "{ASSUMED}" needs a note that says why')
            elif reference(key).verification in UNUSABLE and self.kind != ASSUMED:
                seen = reference(key).verification
                raise InputError(f'"{key}" is a source that nobody has seen (verification: {seen})')
        if self.kind == "derived" and not self.note:
            raise InputError('what is derived needs a "note" that says how')
        return self

    @property
    def text(self) -> str:
        """What is said, where it is one thing."""
        return self.says[0]


class _Observed(Strict):
    words: tuple[str, ...]
    written: str | None = None
    assay: bool = True


class _Defaults(Strict):
    visits: Statement
    turnaround: Statement


class _File(Strict):
    defaults: _Defaults
    assays: dict[str, tuple[str, ...]]
    observed: dict[str, _Observed]


class Observed(NamedTuple):
    """A quantity that can be measured at a visit."""

    quantity: str
    written: str  # as rules print it
    assay: bool  # whether assays of it differ, so that a rule may name one


@cache
def _file() -> _File:
    path = FOLDER / f"{DEFAULTS}.yaml"
    try:
        return _File.model_validate(read_yaml(path))
    except ValidationError as error:
        raise from_pydantic(error, path.name, _File) from error


def default_visits() -> Statement:
    """When a man is seen under rules that do not say it."""
    return _file().defaults.visits


def default_turnaround() -> Statement:
    """From the draw to the changed dose, under rules that do not say it."""
    return _file().defaults.turnaround


@cache
def observed() -> dict[str, Observed]:
    """Every quantity that a rule may read, by each of its words in lower case, its own name first."""
    found: dict[str, Observed] = {}
    for name, entry in _file().observed.items():
        units.quantity_named(name, f"{DEFAULTS}.yaml")
        one = Observed(name, entry.written or name.replace("_", " "), entry.assay)
        for word in (name, one.written, *entry.words):
            if found.setdefault(word.lower(), one) != one:
                raise InputError(f'the word "{word}" names two quantities in {DEFAULTS}.yaml')
    return found


def quantity_named(words: str) -> Observed:
    """The quantity of these words; InputError with the nearest word when it cannot be measured at a visit."""
    one = observed().get(" ".join(words.lower().split()))
    if one is None:
        close = nearest(words, observed())
        question = f'; did you mean "{observed()[close].written}"? Measured' if close else "; measured"
        raise InputError(f'"{words}" is not measured at a visit{question}: {", ".join(measured())}')
    return one


def measured() -> list[str]:
    """Every quantity that a rule may read, as rules print it."""
    return list(dict.fromkeys(one.written for one in observed().values()))


@cache
def _assays() -> dict[str, str]:
    known = _file().assays.items()
    return {word.lower(): name for name, words in known for word in (name, *words)}


def assay_named(words: str) -> str:
    """The assay of these words; InputError with the nearest name when there is none."""
    name = _assays().get(" ".join(words.lower().split()))
    if name is None:
        raise unknown("assay", words, [word for name, more in _file().assays.items() for word in (name, *more)])
    return name


@cache
def possible(quantity: str) -> tuple[float, float]:
    """Lowest and highest value that a man can have, in the canonical unit; data/ranges.yaml."""
    entry = read_yaml(DATA / "ranges.yaml")["accepted"]["limits"].get(quantity)
    if entry is None:
        return (-math.inf if units.quantity_named(quantity).family == "score" else 0.0), math.inf
    low, high = (units.to_canonical(quantity, float(entry[key]), entry["unit"]) for key in ("low", "high"))
    return low, high
