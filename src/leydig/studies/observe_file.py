"""data/observation.yaml as records: what readings of one man vary by, every number with its unit, kind and source."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from leydig import laboratory, units
from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic
from leydig.files import DATA, read_yaml
from leydig.parameters import ASSUMED, Strict
from leydig.population_prior.records import Kind

FILE = "observation.yaml"
ANY = "any"  # the entry of ``analysis`` that holds for every assay
Scale = Literal["log", "log odds", "unit"]


class Number(Strict):
    """One number of the file."""

    value: Annotated[float, Field(ge=0)]
    unit: str
    kind: Kind
    source: Annotated[tuple[str, ...], BeforeValidator(lambda s: [s] if isinstance(s, str) else s), Field(min_length=1)]
    note: str = ""

    @model_validator(mode="after")
    def founded(self) -> Self:
        """The unit is known, the sources were seen, and what is not measured says why."""
        units.check_unit(self.unit, FILE)
        for key in self.source:
            seen = reference(key, FILE).verification not in UNUSABLE
            if self.kind in ("measured", "derived") and (key == ASSUMED or not seen):
                raise InputError(f'a {self.kind} number of {FILE} cannot rest on "{key}"')
        if self.kind != "measured" and not self.note:
            raise InputError(f"a number of {FILE} of kind {self.kind} needs a note that says why")
        return self


class Variation(Strict):
    """What samples of one man vary by, as population checks and population.yaml use it."""

    value: Annotated[float, Field(ge=0)]
    kind: Kind
    source: str
    note: str = ""


class Analysis(Strict):
    """Error of one assay or scanner: relative, of counted cells, and where it stops to print numbers."""

    cv: Number | None = None
    lloq: Number | None = None
    volume: Number | None = None  # mL in which cells are counted
    cells: Number | None = None  # counted for a percentage


class Follows(Strict):
    """Whose pulses those of an analyte go with, and how closely."""

    blood: str
    correlation: Number


class Analyte(Strict):
    """What readings of one analyte vary by: on its logarithm, its log odds (percentages) or in its own unit."""

    scale: Scale
    blood: str | None = None  # the analyte whose variation within the man it shares
    follows: Follows | None = None  # the analyte whose pulses its own are correlated with
    from_testis: bool = False  # its pulses are those of the man's own testes
    pulse: Number
    day_to_day: Number
    laboratories: Number | None = None  # SD between laboratories, where data/parameters/laboratory.yaml has none
    abstinence: Number | None = None  # power with which it grows with days of abstinence
    analysis: Annotated[dict[str, Analysis], Field(min_length=1)]

    @model_validator(mode="after")
    def whole(self) -> Self:
        """Every assay has the error that the scale needs."""
        for name, analysis in self.analysis.items():
            if name not in (ANY, *laboratory.ASSAYS, *laboratory.DEVICES):
                raise InputError(f'"{name}" of {FILE} is neither an assay nor a device nor "{ANY}"')
            if (analysis.cells if self.scale == "log odds" else analysis.cv) is None:
                raise InputError(f'the analysis "{name}" of {FILE} lacks "cv" or, of a percentage, "cells"')
        return self


class Abstinence(Strict):
    """Days without ejaculation: the usual ones, their spread, and where counts stop to follow."""

    usual: Number
    spread: Number
    shortest: Number
    plateau: Number


class Observation(Strict):
    """The whole file."""

    lloq_cv: Number
    abstinence: Abstinence
    within_man: dict[str, Variation]
    analytes: dict[str, Analyte]


@cache
def observation() -> Observation:
    """The numbers of the package; InputError in one sentence when something in the file does not hold."""
    content = read_yaml(DATA / FILE)
    try:
        found = Observation.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, FILE, Observation) from error
    for varies in found.within_man.values():
        reference(varies.source, FILE)
    for name, entry in found.analytes.items():
        units.quantity_named(name, FILE)
        own = entry.blood in (None, name)
        if entry.follows is not None and not (own and entry.follows.blood in found.analytes):
            raise InputError(f'{name} in {FILE} cannot follow "{entry.follows.blood}"; it must have blood of its own')
        if entry.blood is not None and entry.blood not in found.analytes:
            raise InputError(f'the blood of {name} in {FILE} names "{entry.blood}", which is not among its analytes')
    return found
