"""What the credibility report tells besides re-run trials: parameters, fits, profiles, accuracy, grades."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from leydig import grading, model
from leydig import parameters as parameter_files
from leydig.claims import claims
from leydig.evidence import trials
from leydig.files import DATA, read_yaml
from leydig.fits import fits, load_fit
from leydig.pharmacology import drugs, levers
from leydig.studies.calibration_report import PRIOR_SPEAKS
from leydig.studies.problem import FITS, assemble, free_parameters

PROFILES = DATA / "profiles.yaml"
IDENTIFIED = "identified"


class Fitted(NamedTuple):
    """One fit: what informed it and what it found."""

    name: str
    parameters: int
    studies: int
    figures: int
    prior_speaks: int  # parameters that keep most of their prior's spread
    correlation: tuple[float, str, str] | None  # the largest, and between which
    classes: Mapping[str, int]  # of its parameters by profile likelihood; empty where none were made
    between_study: Mapping[str, float]


class Known(NamedTuple):
    """How parameters are known: how many of each kind, and of how many the uncertainty is in the intervals."""

    kinds: Mapping[str, int]
    drawn: int  # of those that are not simply measured
    not_measured: int


class Facts(NamedTuple):
    """Everything here."""

    fits: tuple[Fitted, ...]
    parameters: Known
    errors: Mapping[str, float]  # largest relative error of the solver, by protocol
    second_solver: Mapping[str, float]  # difference of two independent solvers by protocol; empty where not measured
    grades: Mapping[str, int]  # outcomes by the strength of their evidence
    no_male_data: tuple[str, ...]
    alternatives: int
    not_modelled: tuple[tuple[str, str], ...]  # claim, and why
    states: int
    digests: Mapping[str, str]


def fitted() -> tuple[Fitted, ...]:
    """Every fit in the order in which it is made."""
    profiles = profile_classes()
    return tuple(_fitted(name, profiles.get(name, {})) for name in FITS if name in fits())


def _fitted(name: str, classes: Mapping[str, int]) -> Fitted:
    fit, free = load_fit(name), free_parameters(name)
    figures = assemble(trials("calibration"), name).figures
    spread = dict(zip(free.names, free.spread, strict=True))
    speaks = int(sum(fit.standard_errors[own] > PRIOR_SPEAKS * spread[own] for own in fit.names))
    return Fitted(
        name,
        len(fit.names),
        len({figure.trial for figure in figures}),
        len(figures),
        speaks,
        _largest(fit.correlation, fit.names),
        classes,
        dict(fit.between_study),
    )


def _largest(correlation: np.ndarray, names: Sequence[str]) -> tuple[float, str, str] | None:
    if len(names) < 2:
        return None
    apart = np.abs(correlation - np.eye(len(names)))
    i, j = (int(place) for place in np.unravel_index(np.argmax(apart), apart.shape))
    return float(correlation[i, j]), names[i], names[j]


def profile_classes() -> dict[str, dict[str, int]]:
    """How many parameters of each fit are of which class by profile likelihood; without profiles of another fit."""
    if not PROFILES.exists():
        return {}
    return {
        fit: dict(Counter(str(one["class"]) for one in found["parameters"].values()))
        for fit, found in read_yaml(PROFILES)["fits"].items()
        if found["digest"] == load_fit(fit).digest
    }


@cache
def known() -> Known:
    """Parameters of the body, of drugs and of weight."""
    entries: list[Any] = [
        entry for system in parameter_files.systems() for entry in parameter_files.load(system).values()
    ]
    entries += [entry for name in drugs.catalogue() for entry in drugs.get(name).parameters.values()]
    entries += levers.parameters().values()
    open_ones = [entry for entry in entries if entry.kind != "measured"]
    drawn = sum(entry.kind == "fitted" or entry.uncertainty is not None for entry in open_ones)
    return Known(dict(Counter(entry.kind for entry in entries).most_common()), drawn, len(open_ones))


def accuracy() -> dict[str, float]:
    """The largest relative error of the default mode, by protocol (tools/accuracy.py measures it)."""
    return {text: float(error) for text, error in read_yaml(DATA / "accuracy.yaml")["errors"]["default"].items()}


def gathered(second_solver: Mapping[str, float], digests: Mapping[str, str]) -> Facts:
    """All facts; ``second_solver`` is what was measured elsewhere."""
    outcomes = grading.outcomes()
    return Facts(
        fitted(),
        known(),
        accuracy(),
        second_solver,
        {grade: sum(one.grade == grade for one in outcomes.values()) for grade in grading.GRADES},
        tuple(name for name, one in outcomes.items() if one.grade == "no male data"),
        len(grading.alternatives()),
        tuple((claim.claim, claim.not_modelled) for claim in claims().claims if claim.not_modelled),
        len(model.traced().states),
        digests,
    )
