"""The two predictions that a model must beat: nothing changes, and what the drug did on average in other trials.

Both are made of calibration trials alone, and each has the width with which it scores best there. Of the level of a
drug in blood there is no null.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from leydig import start
from leydig.errors import ModelWarning
from leydig.evidence import Trial, trials
from leydig.pharmacology.drugs import catalogue
from leydig.pharmacology.protocol import Protocol
from leydig.studies.figures import Figure, figures
from leydig.studies.problem import study_size

NORMAL_95, TINY = 1.959964, 1e-9


class Normal(NamedTuple):
    """A prediction before the sampling error of the figure is added."""

    center: float
    sd: float


def what(trial: Trial, figure: Figure) -> tuple[str, ...]:
    """What the figure's arm is given beside the arm that it is compared with, in alphabetical order."""
    given = {arm.name: _given(arm.protocol) for arm in trial.arms}
    other = given[figure.against] if figure.against is not None else frozenset()
    return tuple(sorted(given[figure.arm] - other))


def kinds(drugs: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of drugs that these are, in alphabetical order."""
    known = catalogue()
    return tuple(sorted({known[name].kind if name in known else name for name in drugs}))


def _given(protocol: str) -> frozenset[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        parsed = Protocol.parse(protocol)
        changes = {change.lever for change in start.given(parsed, parsed.duration_days or 1.0).levers}
    return frozenset({*parsed.drugs, *changes})


@cache
def seen() -> tuple[tuple[tuple[str, ...], Figure], ...]:
    """The figures of the calibration trials with what their arms were given."""
    return tuple((what(trial, figure), figure) for trial in trials("calibration") for figure in figures(trial))


def no_change(figure: Figure, before: float) -> Normal:
    """That the figure is what it was; ``before`` is that on the scale of comparison (0 for a change)."""
    return Normal(before, width_of_no_change(figure.domain) * study_size(figure))


def mean_change(trial: Trial, figure: Figure) -> Normal | None:
    """The mean of what other calibration trials of the same drugs saw, else of the same kinds of drugs.

    None where no other trial had them.
    """
    drugs = what(trial, figure)
    for given in (drugs, kinds(drugs)):
        alike = _alike(given, figure)
        if alike:
            return Normal(float(np.mean(alike)), _width_about_means(figure.domain, given == drugs) * study_size(figure))
    return None


def interval_score(low: float, high: float, value: float, level: float = 0.95) -> float:
    """Width of a central interval, and what lies outside it times 2 / (1 - level); the lower the better.

    In the unit of its arguments. Source: gneiting2007, equation 43.
    """
    miss = max(low - value, 0.0) + max(value - high, 0.0)
    return high - low + 2 / (1 - level) * miss


@cache
def width_of_no_change(domain: str) -> float:
    """The SD about no change with which the null scores best on the calibration figures of a kind.

    0 where there is no such figure.
    """
    some = [figure for _, figure in seen() if figure.domain == domain and not figure.level]
    return _best_width([(0.0, figure) for figure in some])


@cache
def _width_about_means(domain: str, same_drugs: bool) -> float:
    """As above, about the mean of other trials of the same drugs, or of the same kinds, of figures that have one."""
    pairs = [
        (float(np.mean(alike)), figure)
        for drugs, figure in seen()
        if figure.domain == domain and (alike := _alike(drugs if same_drugs else kinds(drugs), figure))
    ]
    return _best_width(pairs) if pairs else width_of_no_change(domain)


def _best_width(pairs: Sequence[tuple[float, Figure]]) -> float:
    """The SD whose 95 % intervals about the centers score best, sampling of each figure included."""
    from scipy.optimize import minimize_scalar

    if not pairs:
        return 0.0

    def cost(sd: float) -> float:
        reach = [NORMAL_95 * float(np.hypot(sd, figure.standard_error)) for _, figure in pairs]
        return float(
            np.mean(
                [
                    interval_score(center - far, center + far, figure.reported)
                    for (center, figure), far in zip(pairs, reach, strict=True)
                ]
            )
        )

    largest = max(abs(figure.reported - center) for center, figure in pairs)
    return float(minimize_scalar(cost, bounds=(0.0, largest + TINY), method="bounded").x)


def _alike(drugs: tuple[str, ...], figure: Figure) -> list[float]:
    """What calibration trials other than the figure's own reported of the quantity, of these drugs or kinds."""
    if not drugs:
        return []
    return [
        one.reported
        for given, one in seen()
        if drugs in (given, kinds(given))
        and one.trial != figure.trial
        and one.quantity == figure.quantity
        and one.level == figure.level
    ]
