"""How the fast engine is set for this model: classes of protocols, step control, floors. Source: data/numerics.yaml."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field, ValidationError

from leydig import model, population_prior
from leydig.baseline import Baseline, personalise
from leydig.engine import kernel
from leydig.engine.kernel import Control
from leydig.engine.lane_arithmetic import Precision
from leydig.engine.schedule import Schedule
from leydig.engine.step import Variant, still_states
from leydig.engine.trace import flatten, names
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml
from leydig.parameters import Strict
from leydig.pharmacology import aromatase_enzyme, gnrh_receptor, letrozole

Mode = Literal["default", "fast", "single"]
MODES: tuple[Mode, ...] = ("default", "fast", "single")


class Grid(Strict):
    """Steps that restart at every event, and the largest error of the pilot with them on the equations ``digest``."""

    first: float  # 1, time constants of the fastest term that an event sets off
    growth: float
    longest: float  # h
    error: float  # 1, relative, over men, weeks and states
    digest: str


class ProtocolClass(Strict):
    """Protocols that drive no other inputs than these."""

    name: str
    driven: tuple[str, ...] | Literal["all"]
    tolerance: Annotated[float, Field(gt=0)]
    pilot: tuple[str, ...]  # protocols that the error is measured with


class Fast(Strict):
    """Protocols that drive no other inputs share a grid; ``pilot``: protocols that it is chosen on."""

    name: str
    driven: frozenset[str]
    pilot: tuple[str, ...]


class Typical(Strict):
    """Whose values set the floors."""

    age: float
    BMI: float


class Numerics(Strict):
    """data/numerics.yaml."""

    floor: Annotated[float, Field(gt=0)]
    typical: Typical
    changes: dict[str, str]  # state -> the quantity that it is a change of
    classes: Annotated[tuple[ProtocolClass, ...], Field(min_length=1)]
    guard: Annotated[float, Field(gt=0)]
    fast: tuple[Fast, ...]


class Settings(NamedTuple):
    """What ``engine.kernel.solve_many`` is to be given for one protocol."""

    name: str  # of the class
    variant: Variant
    control: Control
    precision: Precision


class Accuracy(Strict):
    """data/accuracy.yaml, written by tools/accuracy.py: largest relative errors over the pilot."""

    errors: dict[str, dict[str, float]]  # mode -> protocol -> error
    grids: dict[str, Grid]  # by the name of a ``Fast``


@cache
def accuracy() -> Accuracy:
    """What was measured; it holds for the equations whose digest its grids name."""
    path = DATA / "accuracy.yaml"
    try:
        return Accuracy.model_validate(read_yaml(path))
    except ValidationError as error:
        raise from_pydantic(error, path.name, Accuracy) from error


def grids() -> dict[str, Grid]:
    """The grids that were chosen on the present equations, by name."""
    return {name: grid for name, grid in accuracy().grids.items() if grid.digest == model.traced().digest}


@cache
def numerics() -> Numerics:
    """The checked file."""
    path = DATA / "numerics.yaml"
    try:
        found = Numerics.model_validate(read_yaml(path))
    except ValidationError as error:
        raise from_pydantic(error, path.name, Numerics) from error
    for name in found.changes:
        if name not in names(model.State):
            raise unknown("state", name, names(model.State), f"changes of {path.name}")
    for one in found.classes:
        for name in () if one.driven == "all" else one.driven:
            if name not in model.Inputs._fields:
                raise unknown("input", name, model.Inputs._fields, f"class {one.name} of {path.name}")
    return found


def driven(schedule: Schedule) -> frozenset[str]:
    """The inputs that do not keep their default."""
    defaults = enumerate(model.Inputs()._asdict().items())
    return frozenset(name for place, (name, default) in defaults if not kernel.keeps(schedule, place, default))


def settings(schedule: Schedule, mode: Mode = "default") -> Settings:
    """How men under this schedule are solved.

    ``mode``: "default" keeps every man's own error in double precision, "single" does so in single precision, "fast"
    takes the stored grid of such protocols, in single precision. InputError for an unknown mode, and for "fast" where
    there is no grid.
    """
    if mode not in MODES:
        raise unknown("mode", mode, MODES)
    own = class_of(driven(schedule))
    control = Control(tolerance=own.tolerance)
    if mode == "fast":
        grid = _grid(driven(schedule))
        control = Control(numerics().guard, grid.first, grid.growth, grid.longest)
    return Settings(own.name, variant(own.name), control, "double" if mode == "default" else "single")


def _grid(inputs: frozenset[str]) -> Grid:
    """The stored grid of protocols that drive these inputs."""
    for one in numerics().fast:
        if inputs <= one.driven and one.name in grids():
            return grids()[one.name]
    known = [one.name for one in numerics().fast if one.name in grids()]
    given = ", ".join(sorted(inputs - {"age"})).replace("_", " ")
    allowed = "; of ".join(known) or "none with these equations"
    raise InputError(
        f'mode "fast" has no stored steps for a protocol that moves {given}; it has them for those of {allowed}'
    )


def class_of(inputs: frozenset[str]) -> ProtocolClass:
    """The first class that holds all these inputs."""
    return next(one for one in numerics().classes if one.driven == "all" or inputs <= set(one.driven))


@cache
def variant(name: str) -> Variant:
    """What falls away in a class: inputs that keep their default, states that then stay where every man's begin."""
    own = next(one for one in numerics().classes if one.name == name)
    if own.driven == "all":
        return kernel.EVERYTHING
    absent = {k: float(v) for k, v in model.Inputs()._asdict().items() if k not in own.driven}
    return Variant(tuple(absent.items()), tuple(still_states(model.traced(), absent, _begun_alike()).items()))


def _begun_alike() -> dict[str, float]:
    """States that begin at one value in every man who was given nothing."""
    records = {"letrozole": letrozole, "aromatase_enzyme": aromatase_enzyme, "gnrh_receptor": gnrh_receptor}
    return {
        f"{system}.{name}": float(value)
        for system, module in records.items()
        for name, value in module.at_rest()._asdict().items()  # type: ignore[attr-defined]
    }


@cache
def floors() -> np.ndarray:
    """The size of each state below which its error counts as absolute, (states,)."""
    file = numerics()
    values = population_prior.typical(population_prior.prior(file.typical.age, file.typical.BMI))
    who = Baseline(age=file.typical.age, **{k: values[k] for k in Baseline._fields if k != "age"})
    p = model.load_parameters()
    sizes = dict(zip(names(model.State), flatten(model.at_rest(personalise(who, p), p)), strict=True))
    sizes |= {state: values[quantity] for state, quantity in file.changes.items()}
    state = np.abs(np.array([sizes[name] for name in names(model.State)], float))
    return file.floor * np.where(state > 0, state, 1.0)
