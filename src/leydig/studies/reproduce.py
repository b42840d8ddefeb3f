"""Published trials run again on virtual men, and each of their figures held against what the paper printed.

A trial is run many times at its own size (``replicates``); the middle and the limits of what comes out are the
prediction. It is scored beside two nulls (``nulls``).

Source of the score of intervals: gneiting2007.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from leydig import outputs
from leydig.errors import InputError, ModelWarning
from leydig.evidence import Arm, Outcome, Trial
from leydig.studies import comparison, nulls
from leydig.studies.figures import Figure, figures
from leydig.studies.printed import as_printed
from leydig.studies.replicates import TINY, Replicates, Settings, default_settings, run_arms
from leydig.studies.trial_pool import Enrolled
from leydig.studies.trial_readings import computed

__all__ = ["Reproduced", "Scored", "Settings", "default_settings", "reproduce"]

LEVELS = (0.95, 0.5)


class Scored(NamedTuple):
    """One published figure and its prediction, on the scale of comparison unless said otherwise."""

    figure: Figure
    weight: float  # 1 per arm and quantity, shared by its days
    median: float
    low_95: float
    high_95: float
    low_50: float
    high_50: float
    inside_95: bool
    inside_50: bool
    z: float  # error over the standard deviation of the prediction
    error: float  # predicted less reported
    sampling: float  # standard error of the reported figure
    interval_score: float  # of the 95 % interval, in units of its kind of figure; nan of the level of a drug
    null_no_change: float
    null_mean_change: float  # that of no change where no calibration trial had these drugs
    shown: tuple[float, float, float]  # median and 95 % limits in the paper's statistic and unit
    untreated: float | None = None  # what it would be had the same men been given nothing: regression to the mean


class Reproduced(NamedTuple):
    """A trial run again."""

    trial: Trial
    scored: tuple[Scored, ...]
    enrolled: tuple[Enrolled, ...]
    remarks: tuple[str, ...]
    seconds: float


def reproduce(trial: Trial, *, seed: int = 0, settings: Settings | None = None) -> Reproduced:
    """The trial run again and scored. InputError where its men or protocols cannot be had."""
    began, settings = time.monotonic(), settings or default_settings()
    listed = [(arm, outcome) for arm, outcome in trial.outcomes() if outcome.fit]
    own = figures(trial)
    if not own:
        return Reproduced(trial, (), (), ("no figure of this trial is scored",), time.monotonic() - began)
    for figure in own:
        if figure.quantity not in computed():
            raise InputError(
                f"{trial.key}: the model has no {figure.quantity}; a figure of it can be recorded with "
                '"fit: false" and a "why"'
            )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # a published dose is a fact, however unusual
        arms, remarks = run_arms(trial, own, seed, settings)
    sizes = {figure: outcome.n for (_, outcome), figure in zip(listed, own, strict=True) if outcome.n}
    replicates = Replicates(trial, arms, seed, settings, sizes)
    scored = [
        _score(trial, arm, outcome, figure, replicates, own) for (arm, outcome), figure in zip(listed, own, strict=True)
    ]
    enrolled = tuple(run.group.enrolled for run in arms.values())
    return Reproduced(trial, tuple(scored), enrolled, tuple(remarks), time.monotonic() - began)


# Scores ---------------------------------------------------------------------------------------------


def _score(
    trial: Trial, arm: Arm, outcome: Outcome, figure: Figure, replicates: Replicates, own: Sequence[Figure]
) -> Scored:  # fmt: skip
    """One figure."""
    median = outcome.statistic == "median"
    some = replicates.predicted(figure, median)
    days = sum((one.arm, one.against, one.quantity) == (arm.name, figure.against, figure.quantity) for one in own)
    at = np.quantile(some, [0.5, *(0.5 + side * level / 2 for level in LEVELS for side in (-1, 1))])
    middle, low_95, high_95, low_50, high_50 = (float(value) for value in at)
    reported = figure.reported
    unchanged, mean = _nulls(trial, figure, replicates, median)
    return Scored(
        figure,
        1 / days,
        middle,
        low_95,
        high_95,
        low_50,
        high_50,
        low_95 <= reported <= high_95,
        low_50 <= reported <= high_50,
        (middle - reported) / max(float(np.std(some)), TINY),
        middle - reported,
        _sampling(figure),
        float("nan") if np.isnan(unchanged) else _standardised(low_95, high_95, figure),
        unchanged,
        mean,
        tuple(as_printed(trial, arm, outcome, value) for value in (middle, low_95, high_95)),  # type: ignore[arg-type]
        replicates.untreated(figure, median),
    )


def _nulls(trial: Trial, figure: Figure, replicates: Replicates, median: bool) -> tuple[float, float]:
    """Scores of no change and of the drug's mean change; nan for the level of a drug, which nobody has untreated."""
    if figure.quantity in outputs.DRUGS:
        return float("nan"), float("nan")
    share, before = comparison.settings()["domains"][figure.domain]["scale"] == "share", 0.0
    if figure.against is None and (figure.level or share):
        before = float(np.median(replicates.values(figure, figure.arm, median, "before")))
    unchanged = _of_null(nulls.no_change(figure, before), figure)
    mean = nulls.mean_change(trial, figure)
    return unchanged, unchanged if mean is None else _of_null(mean, figure)


def _sampling(figure: Figure) -> float:
    """Standard error by sampling alone; of a level the paper's error holds what studies' levels differ by as well."""
    if figure.level and figure.domain == "hormone":
        apart = comparison.settings()["level_study_log_sd"]
        return float(np.sqrt(max(figure.standard_error**2 - apart**2, 0.0)))
    return figure.standard_error


def _of_null(null: nulls.Normal, figure: Figure) -> float:
    """Score of the 95 % interval of a null, sampling of the figure included."""
    reach = nulls.NORMAL_95 * float(np.hypot(null.sd, figure.standard_error))
    return _standardised(null.center - reach, null.center + reach, figure)


def _standardised(low: float, high: float, figure: Figure) -> float:
    """The interval score in units in which kinds of figures can be averaged."""
    unit = comparison.settings()["domains"][figure.domain]["study_start"]
    return nulls.interval_score(low, high, figure.reported) / unit
