"""How the fast engine is set for this model: classes of protocols, tolerance, floors. Source: data/numerics.yaml."""

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
    """Steps that restart at every event, and the error that was measured with them on the equations ``digest``."""

    first: float  # h
    growth: float
    longest: float  # h
    error: float  # 1, largest relative, over the pilot's men, times and states
    digest: str


class ProtocolClass(Strict):
    """Protocols that drive no other inputs than these."""

    name: str
    driven: tuple[str, ...] | Literal["all"]
    grid: Grid | None = None


class Typical(Strict):
    """Whose values set the floors."""

    age: float
    BMI: float


class Numerics(Strict):
    """data/numerics.yaml."""

    tolerance: Annotated[float, Field(gt=0)]
    floor: Annotated[float, Field(gt=0)]
    typical: Typical
    classes: Annotated[tuple[ProtocolClass, ...], Field(min_length=1)]


class Settings(NamedTuple):
    """What ``engine.kernel.solve_many`` is to be given for one protocol."""

    name: str  # of the class
    variant: Variant
    control: Control
    precision: Precision


@cache
def numerics() -> Numerics:
    """The checked file."""
    path = DATA / "numerics.yaml"
    try:
        found = Numerics.model_validate(read_yaml(path))
    except ValidationError as error:
        raise from_pydantic(error, path.name, Numerics) from error
    for one in found.classes:
        for name in () if one.driven == "all" else one.driven:
            if name not in model.Inputs._fields:
                raise unknown("input", name, model.Inputs._fields, f"class {one.name} of {path.name}")
    return found


def driven(schedule: Schedule) -> frozenset[str]:
    """The inputs that do not keep their default."""
    moved = schedule.jump.any(axis=(0, 1)) | schedule.ramp.any(axis=(0, 1)) | schedule.first_ramp.any(axis=0)
    found = {model.Inputs._fields[channel] for channel in schedule.channel[moved]}
    for name, default in model.Inputs()._asdict().items():
        own = schedule.channel == model.Inputs._fields.index(name)
        if (schedule.first[:, own].sum(axis=1) != default).any():
            found.add(name)
    return frozenset(found | {"age"})


def settings(schedule: Schedule, mode: Mode = "default") -> Settings:
    """How men under this schedule are solved.

    ``mode``: "default" keeps every man's own error in double precision, "single" does so in single precision, "fast"
    takes the stored grid of the class. InputError for an unknown mode, and for "fast" where no grid is stored for
    these equations.
    """
    if mode not in MODES:
        raise unknown("mode", mode, MODES)
    own = class_of(driven(schedule))
    control = Control(tolerance=numerics().tolerance)
    if mode == "fast":
        if own.grid is None or own.grid.digest != model.traced().digest:
            fast = [one.name for one in numerics().classes if one.grid and one.grid.digest == model.traced().digest]
            raise InputError(
                f'mode "fast" has no grid for protocols of the class "{own.name}" with these equations; '
                f"there are grids for: {', '.join(fast) or 'none'}"
            )
        control = Control(None, own.grid.first, own.grid.growth, own.grid.longest)
    return Settings(own.name, variant(own.name), control, "single" if mode == "single" else "double")


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
    state = np.abs(np.array(flatten(model.at_rest(personalise(who, p), p)), float))
    assert len(state) == len(names(model.State))
    return file.floor * np.where(state > 0, state, 1.0)
