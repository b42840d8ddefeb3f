"""The model's own value of every pooled effect: its trial run again on virtual men, read as the paper's men were.

Men who were let in on a low reading return towards their mean here as well, so a before-after effect of the model
contains that part, as the published one does.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from leydig.errors import InputError, ModelWarning
from leydig.evidence import Trial
from leydig.studies.figures import Figure
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
    trials = {effect.trial.key: effect.trial for effect in effects}
    for done, (key, trial) in enumerate(trials.items(), 1):
        own = [place for place, effect in enumerate(effects) if effect.trial.key == key]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ModelWarning)  # a published dose is a fact, however unusual
            several = _by_draw(trial, [effects[place] for place in own], count)
        for place, values in zip(own, several, strict=True):
            if len(values):
                found[place] = np.median(values), np.std(values, ddof=1) if len(values) > 1 else np.nan
        if progress is not None:
            progress(done, len(trials))
    return found


def _by_draw(trial: Trial, effects: Sequence[Effect], draws: int) -> list[np.ndarray]:
    """The effects of a trial in each draw; empty where they cannot be had."""
    nothing = [np.zeros(0) for _ in effects]
    own = list(dict.fromkeys(figure for effect in effects for _, figure in effect.parts))
    if any(figure.quantity not in computed() for figure in own):
        return nothing
    men = value("men")
    settings = Settings(draws, men, men, replicates=1)
    try:
        arms, _ = run_arms(trial, own, SEED, settings)
    except InputError:
        return nothing
    replicates = Replicates(trial, arms, SEED, settings)

    def of(figure: Figure) -> np.ndarray:
        return replicates.by_draw(figure, figure.printed.startswith("median"))

    with np.errstate(divide="ignore", invalid="ignore"):
        return [np.asarray(sum(weight * of(figure) for weight, figure in effect.parts)) for effect in effects]
