"""The model's own value of every pooled effect: its trial run again on virtual men, read as the paper's men were.

Men who were let in on a low reading return towards their mean here as well, so a before-after effect of the model
contains that part, as the published one does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from leydig.errors import InputError, ModelWarning
from leydig.studies.meta_effects import Effect
from leydig.studies.meta_question import value
from leydig.studies.replicates import Replicates, Settings, run_arms
from leydig.studies.trial_readings import computed

SEED = 0
Progress = Callable[[int, int], None]


def model_effects(
    effects: Sequence[Effect], *, draws: int | None = None, progress: Progress | None = None
) -> np.ndarray:
    """The model's value of each effect and its standard error, (k, 2), on the scale of comparison.

    The middle and the spread of ``draws`` (data/meta.yaml) joint draws of what is uncertain: the fit, what else is not
    known exactly, and the trial's laboratory. Without sampling and without what differs between studies. nan where the
    model has no such quantity, or where no virtual men can be had; the error is nan with fewer than two draws.
    """
    count = value("draws") if draws is None else draws
    found = np.full((len(effects), 2), np.nan)
    for place, effect in enumerate(effects):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ModelWarning)  # a published dose is a fact, however unusual
            several = _by_draw(effect, count)
        if len(several):
            found[place] = np.median(several), np.std(several, ddof=1) if len(several) > 1 else np.nan
        if progress is not None:
            progress(place + 1, len(effects))
    return found


def _by_draw(effect: Effect, draws: int) -> np.ndarray:
    """The effect in each draw; empty where it cannot be had."""
    own = [figure for _, figure in effect.parts]
    if any(figure.quantity not in computed() for figure in own):
        return np.zeros(0)
    men = value("men")
    settings = Settings(draws, men, men, replicates=1)
    try:
        arms, _ = run_arms(effect.trial, own, SEED, settings)
    except InputError:
        return np.zeros(0)
    replicates = Replicates(effect.trial, arms, SEED, settings)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            sum(
                weight * replicates.by_draw(figure, figure.printed.startswith("median"))
                for weight, figure in effect.parts
            )
        )
