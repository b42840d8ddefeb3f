"""Meta-analysis of the evidence base: which studies, their pooled effect, what differs between them, and the model.

found = analyse(ask("testosterone"))
found.fit.tau2, at(found.fit, [1]), document(found)     # document in studies/meta_document.py
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import is_not
from typing import NamedTuple

import numpy as np

from leydig.errors import unknown
from leydig.evidence import Trial, trials
from leydig.studies.meta_arms import IMPUTED, WORDS
from leydig.studies.meta_effects import (
    BEFORE_AFTER,
    GROUPINGS,
    MODERATORS,
    Collected,
    Effect,
    collect,
    group_of,
    separate,
)
from leydig.studies.meta_model import (
    Asymmetry,
    Estimate,
    Fit,
    Test,
    asymmetry,
    at,
    common_effect,
    normal,
    prediction_interval,
    random_effects,
    wald,
)
from leydig.studies.meta_prediction import Progress, model_effects
from leydig.studies.meta_question import Question, settings

FEWEST = 2  # studies that can be pooled
LINE = 25  # points of a drawn regression line


class Group(NamedTuple):
    """Studies of one kind; ``estimate`` None where there are too few studies for groups."""

    name: str
    effects: tuple[Effect, ...]
    estimate: Estimate | None


class Groups(NamedTuple):
    """The pooled effect of each group, with one variance between studies in common."""

    by: str
    rows: tuple[Group, ...]
    test: Test | None  # that all groups are alike
    tau2: float | None


class Regression(NamedTuple):
    """Effects regressed on one characteristic of the men; ``fit`` None where ``why`` says that it cannot be."""

    moderator: str
    step: float  # the slope is given per so much
    effects: tuple[Effect, ...]
    values: np.ndarray  # (studies,) of the moderator
    fit: Fit | None
    slope: Estimate | None
    p: float
    explained: float  # share of the variance between these studies
    line: tuple[tuple[float, Estimate], ...]
    why: str = ""


class Variant(NamedTuple):
    """The pooled effect under another choice."""

    name: str
    studies: int
    estimate: Estimate


class Beside(NamedTuple):
    """The model beside the data, on the scale of comparison."""

    values: np.ndarray  # (k, 2) value and standard error of each effect; nan without one
    pooled: Estimate | None  # with the weights of the data
    difference: Estimate | None  # data less model, pooled
    tau2: float  # what is left between studies once each is compared with its own prediction
    unseen: Estimate | None  # the difference in studies that the fit has not seen
    rows: dict[tuple[str, tuple[str, ...]], tuple[float, float]]  # by study and arms, also of arms kept apart


class Analysis(NamedTuple):
    """Everything that was found. Without enough studies only ``question`` and ``collected`` hold something."""

    question: Question
    collected: Collected
    fit: Fit | None
    pooled: Estimate | None
    prediction: tuple[float, float] | None
    common: Estimate | None
    groups: Groups | None
    regressions: tuple[Regression, ...]
    funnel: Asymmetry | None
    variants: tuple[Variant, ...]
    beside: Beside | None


def analyse(
    question: Question,
    *,
    by: str | None = None,
    moderators: Sequence[str] = (),
    with_model: bool = True,
    evidence: Sequence[Trial] | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """Pool the studies that answer a question; ``evidence`` are the package's trials unless given.

    ``by`` compares groups of studies; ``moderators`` (all of them unless some are named) are regressed on one by one.
    InputError for an unknown word of ``by`` or ``moderators``.
    """
    if by is not None and by not in GROUPINGS:
        raise unknown("grouping", by, GROUPINGS, "--by")
    for name in moderators:
        if name not in MODERATORS:
            raise unknown("moderator", name, MODERATORS, "--moderator")
    every = trials() if evidence is None else evidence
    collected = collect(question, every)
    effects = collected.effects
    if len(effects) < FEWEST:
        return Analysis(question, collected, None, None, None, None, None, (), None, (), None)
    fit = _pool(effects)
    rows = separate(question, every).effects if by == "drug" else effects
    return Analysis(
        question,
        collected,
        fit,
        at(fit, [1]),
        prediction_interval(fit),
        common_effect(*arrays(effects)),
        None if by is None else _groups(rows, by, question.outcome),
        tuple(_regression(effects, name) for name in moderators or MODERATORS),
        _funnel(effects),
        _variants(effects),
        _beside(effects, rows, fit, progress) if with_model else None,
    )


def arrays(effects: Sequence[Effect]) -> tuple[np.ndarray, np.ndarray]:
    """Values and variances."""
    return np.array([one.value for one in effects]), np.array([one.variance for one in effects])


def _pool(effects: Sequence[Effect], moderators: np.ndarray | None = None) -> Fit:
    return random_effects(*arrays(effects), moderators)


def _groups(effects: Sequence[Effect], by: str, outcome: str) -> Groups:
    """Groups share one variance between studies, since few have enough studies for their own."""
    members: dict[str, list[Effect]] = {}
    for effect in effects:
        members.setdefault(group_of(effect, by, outcome), []).append(effect)
    names = sorted(members, key=lambda name: (-len(members[name]), name))
    if len(names) < 2 or len(effects) <= len(names):
        return Groups(by, tuple(Group(name, tuple(members[name]), None) for name in names), None, None)
    dummies = np.array([[group_of(one, by, outcome) == name for name in names[1:]] for one in effects], float)
    fit = _pool(effects, dummies)
    apart = np.eye(len(names))[1:]  # of each group from the first
    rows = [
        Group(name, tuple(members[name]), at(fit, [1, *(float(name == other) for other in names[1:])]))
        for name in names
    ]
    return Groups(by, tuple(rows), wald(fit, apart), fit.tau2)


def _regression(effects: Sequence[Effect], moderator: str) -> Regression:
    step = float(settings()["moderators"][moderator]["step"])
    known = tuple(one for one in effects if one.moderator(moderator) is not None)
    values = np.array([one.moderator(moderator) for one in known], float)
    empty = Regression(moderator, step, known, values, None, None, np.nan, np.nan, ())
    if len(known) < FEWEST + 1:
        return empty._replace(why=f"{len(known)} of {len(effects)} studies print it; a line needs {FEWEST + 1}")
    if np.ptp(values) == 0:
        return empty._replace(why="it is the same in every study")
    fit = _pool(known, (values / step)[:, None])
    alone = _pool(known).tau2
    explained = max(0.0, 1 - fit.tau2 / alone) if alone > 0 else np.nan
    drawn = np.linspace(values.min(), values.max(), LINE)
    return empty._replace(
        fit=fit,
        slope=at(fit, [0, 1]),
        p=wald(fit, np.array([[0, 1]])).p,
        explained=explained,
        line=tuple((float(x), at(fit, [1, x / step])) for x in drawn),
    )


def _funnel(effects: Sequence[Effect]) -> Asymmetry | None:
    values, variances = arrays(effects)
    errors = np.sqrt(variances)
    return asymmetry(values, errors) if len(effects) > FEWEST and np.ptp(errors) > 0 else None


def _variants(effects: Sequence[Effect]) -> tuple[Variant, ...]:
    """The pooled effect of fewer studies: without each in turn, and without those of which something must be said."""
    kept: dict[str, Callable[[Effect], bool]] = {
        "only comparisons with untreated men": lambda one: one.design != BEFORE_AFTER,
        "only effects with a printed spread": lambda one: IMPUTED not in one.flags,
        "only effects printed as a number": lambda one: WORDS not in one.flags,
        "only studies that the fit has not seen": lambda one: one.trial.role != "calibration",
    }
    kept |= {f"without {one.trial.key}": partial(is_not, one) for one in effects}
    found = []
    for name, holds in kept.items():
        some = [one for one in effects if holds(one)]
        if FEWEST <= len(some) < len(effects):
            found.append(Variant(name, len(some), at(_pool(some), [1])))
    return tuple(found)


def _beside(effects: Sequence[Effect], rows: Sequence[Effect], fit: Fit, progress: Progress | None) -> Beside:
    more = [one for one in rows if one not in effects]
    values = model_effects([*effects, *more], progress=progress)
    by_row = {
        (one.trial.key, one.arms): (float(v), float(e)) for one, (v, e) in zip([*effects, *more], values, strict=True)
    }
    own = values[: len(effects)]
    there = np.isfinite(own[:, 0])
    if not there.any():
        return Beside(own, None, None, np.nan, None, by_row)
    weights = fit.weights[there] / fit.weights[there].sum()
    # the model's errors are those of its parameters, which all studies share
    pooled = normal(float(weights @ own[there, 0]), float(weights @ own[there, 1]))
    unseen = there & np.array([one.trial.role != "calibration" for one in effects])
    whole = _difference(effects, own, there)
    held = _difference(effects, own, unseen)
    return Beside(
        own, pooled, whole and at(whole, [1]), whole.tau2 if whole else np.nan, held and at(held, [1]), by_row
    )


def _difference(effects: Sequence[Effect], model: np.ndarray, which: np.ndarray) -> Fit | None:
    """Data less model in these studies, pooled; None where they are too few."""
    if which.sum() < FEWEST:
        return None
    values, variances = arrays(effects)
    return random_effects(values[which] - model[which, 0], variances[which])
