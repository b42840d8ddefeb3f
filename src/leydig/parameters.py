"""Parameters: every number of the model with its unit, kind and source.

One file per system, ``data/parameters/<system>.yaml``. A parameter is

    measured    read in a source
    derived     computed from measured numbers, the note says how
    fitted      estimated by this project; value and standard error come from ``data/fits/<fit>.yaml``
    assumed     chosen; the note says why

The loader refuses unknown keys, unknown units, missing sources and sources whose numbers nobody has seen. ``record``
fills a system's typed record and refuses a parameter that the record lacks, and the reverse.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, nearest, unknown
from leydig.files import DATA, read_yaml
from leydig.fits import Fit, load_fit
from leydig.units import check_unit

__all__ = [
    "BetweenMen",
    "Fit",
    "Parameter",
    "Prior",
    "Uncertainty",
    "load",
    "load_file",
    "load_fit",
    "record",
    "systems",
]

Record = TypeVar("Record", bound=tuple[Any, ...])

ASSUMED = "assumed"


class Strict(BaseModel):
    """A record that refuses unknown keys and numbers that are not finite, and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class BetweenMen(Strict):
    """How a parameter differs between men: log-normal (``log_sd``) or normal (``sd``, in the parameter's unit)."""

    log_sd: Annotated[float, Field(ge=0)] | None = None
    sd: Annotated[float, Field(ge=0)] | None = None
    group: str | None = None  # men's deviations are correlated within a group

    @model_validator(mode="after")
    def one_spread(self) -> Self:
        """Exactly one of the two spreads is given."""
        return _one_of(self, "log_sd", "sd")


class Uncertainty(Strict):
    """How well a number that no fit makes is known: standard error of its log (``log_sd``) or of itself (``sd``)."""

    log_sd: Annotated[float, Field(gt=0)] | None = None
    sd: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def one_scale(self) -> Self:
        """Exactly one of the two is given."""
        return _one_of(self, "log_sd", "sd")


class Prior(Strict):
    """What is believed before the fit: log-normal (``median``, ``log_sd``) or normal (``mean``, ``sd``)."""

    median: Annotated[float, Field(gt=0)] | None = None
    log_sd: Annotated[float, Field(gt=0)] | None = None
    mean: float | None = None
    sd: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def one_scale(self) -> Self:
        """Either ``median`` with ``log_sd`` or ``mean`` with ``sd``."""
        given = {name for name in ("median", "log_sd", "mean", "sd") if getattr(self, name) is not None}
        if given not in ({"median", "log_sd"}, {"mean", "sd"}):
            raise InputError("a prior is either {median, log_sd} or {mean, sd}")
        return self

    @property
    def scale(self) -> Literal["log", "natural"]:
        """The scale on which the prior is normal."""
        return "natural" if self.median is None else "log"

    @property
    def centre(self) -> float:
        """The prior's median, on the natural scale."""
        return cast(float, self.mean if self.median is None else self.median)


def _one_of(record: Any, *names: str) -> Any:
    """The record, when exactly one of these fields is given."""
    if sum(getattr(record, name) is not None for name in names) != 1:
        raise InputError(f"exactly one of {', '.join(names)} is needed")
    return record


def _listed(source: Any) -> Any:
    """One source key or a list of them, as a list."""
    return [source] if isinstance(source, str) else source


class Entry(Strict):
    """One parameter as its file states it."""

    symbol: str
    unit: str
    kind: Literal["measured", "derived", "fitted", "assumed"]
    source: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
    where: str | None = None  # table, page or figure of the source
    value: float | None = None
    fit: str | None = None
    prior: Prior | None = None
    bounds: tuple[float, float] | None = None
    between_men: BetweenMen | None = None
    uncertainty: Uncertainty | None = None  # of a value that no fit makes; drawn in bands
    note: str | None = None

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """The unit is known, and what the kind needs is there."""
        check_unit(self.unit)
        if self.kind == "fitted":
            if self.fit is None or self.prior is None:
                raise InputError('a fitted parameter needs "fit" and "prior"')
            if self.value is not None:
                raise InputError('a fitted parameter has no "value" of its own; it comes from its fit')
            if self.uncertainty is not None:
                raise InputError('a fitted parameter has no "uncertainty" of its own; its fit gives the standard error')
        else:
            if self.value is None:
                raise InputError(f'a parameter of kind {self.kind} needs a "value"')
            if self.fit is not None or self.prior is not None:
                raise InputError(f'a parameter of kind {self.kind} has no "fit" and no "prior"')
        if ASSUMED in self.source and not self.note:
            raise InputError(f'a parameter with the source "{ASSUMED}" needs a note that says why')
        if self.kind == "derived" and not (self.note or self.where):
            raise InputError('a derived parameter needs a "note" or "where" that says how it was derived')
        if ASSUMED in self.source and self.kind not in {"assumed", "fitted"}:
            raise InputError(f'the source "{ASSUMED}" does not go with the kind {self.kind}')
        if self.bounds is not None and self.bounds[0] >= self.bounds[1]:
            raise InputError("the lower of the bounds must lie below the upper")
        return self


class Parameter(Entry):
    """One parameter as the model uses it: named, and with the value of its fit when it is a fitted one."""

    name: str
    system: str
    standard_error: float | None = None  # of a fitted parameter, on the scale of its fit


class ParameterFile(Strict):
    """One file of parameters."""

    system: str
    parameters: Annotated[dict[str, Entry], Field(min_length=1)]


def systems() -> list[str]:
    """The names of all systems that have a parameter file."""
    return sorted(path.stem for path in (DATA / "parameters").glob("*.yaml"))


@cache
def load(system: str, fitted: bool = True) -> dict[str, Parameter]:
    """The parameters of one system by name.

    With ``fitted`` false, or as long as a fit's file does not exist, a fitted parameter has its prior's centre as
    value and no standard error: that is how a fit starts.
    """
    if system not in systems():
        raise unknown("system", system, systems(), "data/parameters")
    return load_file(DATA / "parameters" / f"{system}.yaml", fitted)


def load_file(path: Path | str, fitted: bool = True) -> dict[str, Parameter]:
    """The parameters of one file by name; InputError in one sentence when the file cannot be used."""
    path = Path(path)
    content = read_yaml(path)
    try:
        file = ParameterFile.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, path.name, ParameterFile) from error
    if file.system != path.stem:
        raise InputError(f'the system "{file.system}" of {path.name} must have the name of its file, {path.stem}')
    return {name: _completed(entry, name, file.system, fitted, path.name) for name, entry in file.parameters.items()}


def _completed(parameter: Entry, name: str, system: str, fitted: bool, where: str) -> Parameter:
    """The parameter with its name and, for a fitted one, its value; its sources are checked."""
    if not name.isidentifier():
        raise InputError(f'the parameter name "{name}" in {where} must be made of letters, digits and _')
    for key in parameter.source:
        source = reference(key, f"parameters.{name} of {where}")
        if parameter.kind in {"measured", "derived"} and source.verification in UNUSABLE:
            raise InputError(
                f'parameters.{name} of {where} rests on "{key}", which nobody has seen (verification: '
                f"{source.verification}); find a source or make the kind assumed"
            )
    changes: dict[str, Any] = {"name": name, "system": system}
    if parameter.kind == "fitted" and parameter.prior is not None and parameter.fit is not None:
        full = f"{system}.{name}"
        fit = load_fit(parameter.fit) if fitted and (DATA / "fits" / f"{parameter.fit}.yaml").exists() else None
        if fit is None:
            changes["value"] = parameter.prior.centre
        elif full in fit.values:
            changes |= {"value": fit.values[full], "standard_error": fit.standard_errors[full]}
        else:
            raise InputError(f'the fit "{parameter.fit}" has no value for {full} of {where}; run make calibrate')
    return Parameter.model_construct(**(dict(parameter) | changes))


def record(kind: type[Record], system: str, fitted: bool = True) -> Record:
    """A system's typed record (a NamedTuple class) filled with its parameters' values.

    The record's fields and the file's names must be the same: a parameter that no equation uses and a field that
    no file fills are both errors. Fields with a default count like the others.
    """
    loaded, fields = load(system, fitted), cast(Any, kind)._fields
    where = f"data/parameters/{system}.yaml"
    for name in loaded:
        if name not in fields:
            raise unknown("parameter", name, fields, f"{where}: {kind.__name__} does not use it")
    for name in fields:
        if name not in loaded:
            guess = nearest(name, [other for other in loaded if other not in fields])
            raise InputError(
                f'the parameter "{name}" of {kind.__name__} is missing in {where}'
                + (f'; did you mean "{guess}" there?' if guess else "")
            )
    return kind(**{name: loaded[name].value for name in fields})
