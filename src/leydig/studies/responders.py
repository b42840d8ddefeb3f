"""Of how many men something holds: published limits held against many men at once (data/responders.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from leydig import laboratory
from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml
from leydig.parameters import Strict
from leydig.units import CANONICAL

FILE = "responders.yaml"
RELATIONS = {"below": np.less, "at_most": np.less_equal, "above": np.greater, "at_least": np.greater_equal}
OWN_SHARE = "own_testosterone_share"  # of the testosterone in blood; only the testis has a rhythm
PERCENT = "%"


class Responder(Strict):
    """One thing that may hold of a man, as its file states it."""

    key: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
    name: str
    short: str  # above a small plot
    quantity: str
    of: Literal["value", "change"] = "value"
    scale: Literal["state", "laboratory"] = "state"
    below: float | None = None
    at_most: float | None = None
    above: float | None = None
    at_least: float | None = None
    unit: str
    kind: Literal["measured", "derived", "assumed"]
    source: Annotated[tuple[str, ...], BeforeValidator(lambda s: [s] if isinstance(s, str) else s), Field(min_length=1)]
    note: str = ""

    @model_validator(mode="after")
    def one_limit(self) -> Self:
        """Exactly one relation, and a unit that goes with it."""
        if sum(getattr(self, word) is not None for word in RELATIONS) != 1:
            raise InputError(f'"{self.key}" needs exactly one of {", ".join(RELATIONS)}')
        if self.quantity not in CANONICAL:
            raise unknown("quantity", self.quantity, CANONICAL, f'"{self.key}"')
        wanted = PERCENT if self.of == "change" else CANONICAL[self.quantity]
        if self.unit != wanted:
            raise InputError(f'the unit of "{self.key}" must be {wanted}, not {self.unit}')
        if self.kind != "measured" and not self.note:
            raise InputError(f'"{self.key}" is {self.kind} and needs a note')
        return self

    @property
    def relation(self) -> str:
        """How a value stands to the limit."""
        return next(word for word in RELATIONS if getattr(self, word) is not None)

    @property
    def limit(self) -> float:
        """In ``unit``."""
        return float(getattr(self, self.relation))

    def met(self, values: Mapping[str, np.ndarray], age: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whether it holds, and whether it is known, (n, days) each.

        ``values`` (n, days) by name, in canonical units as 24-hour means; ``age`` (n,) in years.
        """
        series = values[self.quantity]
        if self.of == "change":
            series = percent_change(series)
        elif self.scale == "laboratory":
            series = _printed(self.quantity, values, age)
        known = np.isfinite(series)
        return RELATIONS[self.relation](np.where(known, series, 0.0), self.limit) & known, known


def percent_change(series: np.ndarray) -> np.ndarray:
    """(n, days) in percent of each man's own first value; nan where that is not above zero."""
    start = series[:, :1]
    return np.asarray(np.divide(100 * (series - start), start, out=np.full(series.shape, np.nan), where=start > 0))


def _printed(quantity: str, values: Mapping[str, np.ndarray], age: np.ndarray) -> np.ndarray:
    """What mass spectrometry prints at the usual hour; testosterone that is given has no rhythm of the testis."""
    c = laboratory.constants()
    rhythm = np.asarray(laboratory.rhythm(quantity, c.usual_hour, age, c), dtype=float)
    moved = np.broadcast_to(rhythm, age.shape)[:, None] - 1.0
    if quantity in laboratory.WITH_TESTOSTERONE_RHYTHM:
        moved = moved * values[OWN_SHARE]
    shown = laboratory.to_laboratory(quantity, values[quantity], laboratory.MASS_SPECTROMETRY, None, None, c)
    return np.asarray(shown, dtype=float) * (1.0 + moved)


@cache
def responders() -> tuple[Responder, ...]:
    """Everything that is counted; InputError in one sentence when the file cannot be used."""
    content = read_yaml(DATA / FILE)["responders"]
    try:
        found = tuple(Responder.model_validate(entry) for entry in content)
    except ValidationError as error:
        raise from_pydantic(error, FILE, Responder) from error
    for responder in found:
        for key in responder.source:
            if reference(key, f'"{responder.key}" of {FILE}').verification in UNUSABLE:
                raise InputError(f'"{responder.key}" of {FILE} rests on "{key}", which nobody has seen')
    return found


def needed() -> tuple[str, ...]:
    """The quantities that the file asks for."""
    return tuple(dict.fromkeys([*(responder.quantity for responder in responders()), OWN_SHARE]))
