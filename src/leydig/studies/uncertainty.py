"""Joint draws of the fit and of what differs between men, by number: (seed, draw) decides each."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from leydig import laboratory, model, population_prior
from leydig import parameters as parameter_files
from leydig.engine.trace import build, flatten, names
from leydig.fits import Fit, fits, load_fit
from leydig.pharmacology import drugs
from leydig.studies.published import settings

FIT = "joint"
# Streams of random numbers that must not meet.
OF_FIT, OF_KINETICS, OF_MEN, OF_KITS = 1, 2, 3, 4
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
def _fit() -> FitDraws | None:
    if FIT not in fits():
        return None
    fit: Fit = load_fit(FIT)
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
    """Every fitted value of one draw: the fit's joint normal distribution inside its bounds, by rejection."""
    fit = _fit()
    if fit is None:
        return {}
    rng = generator(seed, draw, OF_FIT)
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
    rng = generator(seed, draw, OF_KINETICS)
    for name, log_sd in between_men():
        values[name] *= float(np.exp(log_sd * rng.standard_normal()))
    return build(model.Parameters, list(values.values()))


@cache
def between_men() -> tuple[tuple[str, float], ...]:
    """Parameters of the organ systems that differ between men, with their log-SD."""
    found = []
    for system in model.SYSTEMS:
        for name, entry in parameter_files.load(system).items():
            if entry.between_men is not None and entry.between_men.log_sd:
                found.append((f"{system}.{name}", entry.between_men.log_sd))
    return tuple(found)


def kinetics(seed: int, draw: int, drug_names: tuple[str, ...]) -> dict[tuple[str, str], float]:
    """One man's multipliers of drug parameters; a drug's are the same whatever else he takes."""
    found: dict[tuple[str, str], float] = {}
    for name in drug_names:
        rng = np.random.default_rng([seed, draw, OF_KINETICS, *name.encode()])
        for parameter in drugs.get(name).parameters.values():
            if parameter.between_men is not None and parameter.between_men.log_sd:
                factor = np.exp(parameter.between_men.log_sd * rng.standard_normal())
                found[(name, parameter.name)] = float(factor)
    return found
