"""The two predictions that a model must beat: nothing changes, and what the drug did on average in other trials.

Both are made of calibration trials alone and get honest widths: of "no change" the spread of the changes that were
seen in figures of its kind, of the drug's mean change the spread about that mean.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import NamedTuple

import numpy as np

from leydig import start
from leydig.errors import ModelWarning
from leydig.evidence import Trial, trials
from leydig.pharmacology.protocol import Protocol
from leydig.studies.figures import Figure, figures
from leydig.studies.problem import study_size

ENOUGH = 3  # figures whose own spread about their mean can be used


class Normal(NamedTuple):
    """A prediction before the sampling error of the figure is added."""

    center: float
    sd: float


def what(trial: Trial, figure: Figure) -> tuple[str, ...]:
    """What the figure's arm is given beside the arm that it is compared with, in alphabetical order."""
    given = {arm.name: _given(arm.protocol) for arm in trial.arms}
    other = given[figure.against] if figure.against is not None else frozenset()
    return tuple(sorted(given[figure.arm] - other))


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
    return Normal(before, _spread_of_changes(figure.domain) * study_size(figure))


@cache
def _spread_of_changes(domain: str) -> float:
    """Root of the mean square change in calibration figures of this kind, less sampling; over all kinds where none."""
    some = [figure for _, figure in seen() if figure.domain == domain and not figure.level]
    squares = [figure.reported**2 - figure.standard_error**2 for figure in some]
    return max(float(np.mean(squares)), 0.0) ** 0.5 if squares else 0.0


def mean_change(trial: Trial, figure: Figure, before: float) -> Normal | None:
    """The mean of what calibration trials of the same drugs saw; None where there is none."""
    drugs = what(trial, figure)
    alike = [
        one.reported
        for given, one in seen()
        if given == drugs and one.quantity == figure.quantity and one.level == figure.level and given
    ]
    if not alike:
        return None
    spread = float(np.std(alike, ddof=1)) if len(alike) >= ENOUGH else _spread_of_changes(figure.domain)
    return Normal(float(np.mean(alike)), spread * study_size(figure))
