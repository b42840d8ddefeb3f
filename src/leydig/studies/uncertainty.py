"""Joint draws of the fit and of what differs between men, by number: (seed, draw) decides each."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from leydig import laboratory, model, population_prior
from leydig import parameters as parameter_files
from leydig.engine.trace import build, flatten, names
from leydig.fits import Fit, fits, load_fit
from leydig.pharmacology import drugs, levers
from leydig.studies.comparison import settings
from leydig.studies.problem import FITS

Record = TypeVar("Record", bound=tuple[Any, ...])

# Streams of random numbers that must not meet.
OF_FIT, OF_KINETICS, OF_MEN, OF_KITS, OF_KNOWLEDGE = 1, 2, 3, 4, 5
MOST_TRIES = 200
OFFSETS = ("estradiol_immunoassay_offset", "estradiol_RIA_offset")


class FitDraws(NamedTuple):
    """The fit as a normal distribution on its own scale."""

    names: tuple[str, ...]
    centre: np.ndarray
    root: np.ndarray
    logarithmic: np.ndarray
    low: np.ndarray
    high: np.ndarray


def generator(seed: int, draw: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, draw, stream])


@cache
def _fit(name: str) -> FitDraws:
    fit: Fit = load_fit(name)
    errors = np.array([fit.standard_errors[name] for name in fit.names])
    logarithmic = np.array([fit.scale[name] == "log" for name in fit.names])
    values = np.array([fit.values[name] for name in fit.names])
    bounds = [_bounds(name) for name in fit.names]
    return FitDraws(
        fit.names,
        np.where(logarithmic, np.log(np.where(logarithmic, values, 1.0)), values),
        population_prior.root(fit.correlation * np.outer(errors, errors)),
        logarithmic,
        np.array([low for low, _ in bounds]),
        np.array([high for _, high in bounds]),
    )


def _bounds(name: str) -> tuple[float, float]:
    system, _, own = name.partition(".")
    return parameter_files.load(system)[own].bounds or (-np.inf, np.inf)


@lru_cache(maxsize=8)
def fitted(seed: int, draw: int) -> dict[str, float]:
    """Every fitted value of one draw. Fits are independent of one another: each is conditional on those before it."""
    found: dict[str, float] = {}
    for name in fits():
        found |= _of_one_fit(_fit(name), np.random.default_rng([seed, draw, OF_FIT, *_salt(name)]))
    return found


def _salt(fit: str) -> tuple[int, ...]:
    """What sets the stream of a fit apart; the core keeps the plain one."""
    return () if fit == FITS[0] else tuple(fit.encode())


def _of_one_fit(fit: FitDraws, rng: np.random.Generator) -> dict[str, float]:
    """The fit's joint normal distribution inside its bounds, by rejection."""
    for _ in range(MOST_TRIES):
        z = fit.centre + fit.root @ rng.standard_normal(len(fit.centre))
        drawn = np.where(fit.logarithmic, np.exp(np.where(fit.logarithmic, z, 0)), z)
        if ((drawn >= fit.low) & (drawn <= fit.high)).all():
            break
    drawn = np.clip(drawn, fit.low, fit.high)
    return {name: float(value) for name, value in zip(fit.names, drawn, strict=True)}


def laboratory_constants(seed: int, draw: int, likely: Callable[[laboratory.Constants], float]) -> laboratory.Constants:
    """The laboratory of one draw: the fit's estradiol offset, times what kits differ by.

    The offset is the one error of an immunoassay here, as in the fit. ``likely`` weighs a laboratory
    between 0 and 1 by the man that his reading would then make of him; kits are drawn until one is taken.
    """
    constants, rng = laboratory.constants(), generator(seed, draw, OF_KITS)
    drawn = {name: fitted(seed, draw).get(f"laboratory.{name}", getattr(constants, name)) for name in OFFSETS}
    constants = constants._replace(estradiol_immunoassay_spread=0.0, estradiol_RIA_spread=0.0)
    for _ in range(MOST_TRIES):
        kit = float(np.exp(settings()["kit_log_sd"] * rng.standard_normal()))
        supposed = constants._replace(**{name: value * kit for name, value in drawn.items()})
        if rng.random() < likely(supposed):
            return supposed
    return constants._replace(**drawn)


def parameters(seed: int, draw: int) -> model.Parameters:
    """Shared parameters of one draw: the fit's joint distribution, and what the data files say differs between men."""
    values = dict(zip(names(model.Parameters), flatten(model.load_parameters()), strict=True))
    values |= {name: value for name, value in fitted(seed, draw).items() if name in values}
    for system in model.SYSTEMS:
        values |= uncertain(system, seed, draw)
    for name, log_sd in between_men():
        own = np.random.default_rng([seed, draw, OF_KINETICS, *name.encode()])
        values[name] *= float(np.exp(log_sd * own.standard_normal()))
    return build(model.Parameters, list(values.values()))


def uncertain(system: str, seed: int, draw: int) -> dict[str, float]:
    """Parameters of a system that no fit makes and that are not known exactly, drawn, by dotted name.

    Each has random numbers of its own, so that one more parameter leaves the others as they are.
    """
    found = {}
    for name, entry in _uncertain(system):
        value, known = float(entry.value or 0.0), entry.uncertainty
        assert known is not None
        z = float(np.random.default_rng([seed, draw, OF_KNOWLEDGE, *name.encode()]).standard_normal())
        drawn = value * np.exp(known.log_sd * z) if known.log_sd else value + (known.sd or 0.0) * z
        found[name] = float(np.clip(drawn, *(entry.bounds or (-np.inf, np.inf))))
    return found


@cache
def between_men() -> tuple[tuple[str, float], ...]:
    """Parameters of the organ systems that differ between men, with their log-SD."""
    found = []
    for system in model.SYSTEMS:
        for name, entry in parameter_files.load(system).items():
            if entry.between_men is not None and entry.between_men.log_sd:
                found.append((f"{system}.{name}", entry.between_men.log_sd))
    return tuple(found)


def record(system: str, best: Record, seed: int, draw: int) -> Record:
    """A system's record of parameters with what is not known exactly drawn."""
    drawn = {name.partition(".")[2]: value for name, value in uncertain(system, seed, draw).items()}
    return cast(Record, best._replace(**drawn))  # type: ignore[attr-defined]


@cache
def _uncertain(system: str) -> tuple[tuple[str, parameter_files.Parameter], ...]:
    return tuple(
        (f"{system}.{name}", entry)
        for name, entry in parameter_files.load(system).items()
        if entry.uncertainty is not None
    )


def kinetics(seed: int, draw: int, drug_names: tuple[str, ...]) -> dict[tuple[str, str], float]:
    """One man's multipliers of the parameters of drugs and levers; a drug's are the same whatever else he takes."""
    found: dict[tuple[str, str], float] = {}
    for name, lever in levers.parameters().items():
        if lever.uncertainty is not None and lever.value:
            z = np.random.default_rng([seed, draw, OF_KNOWLEDGE, *f"levers.{name}".encode()]).standard_normal()
            known = lever.uncertainty
            found[(levers.SYSTEM, name)] = float(
                np.exp(known.log_sd * z) if known.log_sd else 1 + (known.sd or 0.0) * z / lever.value
            )
    for name in drug_names:
        rng = np.random.default_rng([seed, draw, OF_KINETICS, *name.encode()])
        for parameter in drugs.get(name).parameters.values():
            if parameter.between_men is not None and parameter.between_men.log_sd:
                factor = np.exp(parameter.between_men.log_sd * rng.standard_normal())
                found[(name, parameter.name)] = float(factor)
            if parameter.uncertainty is not None and parameter.uncertainty.log_sd:
                own = np.random.default_rng([seed, draw, OF_KNOWLEDGE, *f"{name}.{parameter.name}".encode()])
                factor = np.exp(parameter.uncertainty.log_sd * own.standard_normal())
                found[(name, parameter.name)] = found.get((name, parameter.name), 1.0) * float(factor)
    return found
