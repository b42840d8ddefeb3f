"""The model's own value of every pooled effect: the typical man of each arm, run and read as the paper's men were."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from leydig import laboratory, model, start
from leydig.engine.trace import build, flatten, names
from leydig.errors import ModelWarning
from leydig.evidence import Trial
from leydig.studies import published, uncertainty
from leydig.studies.figures import Figure, predicted
from leydig.studies.meta_effects import Effect
from leydig.studies.meta_question import value

SEED = 0
LABORATORY = "laboratory."
Progress = Callable[[int, int], None]
Name = tuple[str, str]  # of an arm: its trial and its own


def model_effects(
    effects: Sequence[Effect], *, draws: int | None = None, progress: Progress | None = None
) -> np.ndarray:
    """The model's value of each effect and its standard error, (k, 2), on the scale of comparison.

    The value is at the central parameters, the error the spread of ``draws`` (data/meta.yaml) joint draws of the fit
    and of what else is not known exactly: that of a typical man, without sampling and without what differs between
    studies. nan where the model has no such quantity or a run failed; the error is nan with fewer than two draws.
    """
    count = value("draws") if draws is None else draws
    values = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # a published dose is a fact, however unusual
        arms = _prepared(effects)
        for draw in range(count + 1):
            values.append(_values(effects, arms, *_draw(draw)))
            if progress is not None:
                progress(draw + 1, count + 1)
    found = np.array(values)
    errors = np.std(found[1:], axis=0, ddof=1) if count >= 2 else np.full(len(effects), np.nan)
    return np.column_stack([found[0], errors])


def _draw(draw: int) -> tuple[model.Parameters, laboratory.Constants]:
    """Parameters shared by all men and the laboratory; draw 0 is the central one.

    What differs between men averages out in a study and is left at its centre.
    """
    if draw == 0:
        return model.load_parameters(), laboratory.constants()
    fitted = uncertainty.fitted(SEED, draw)
    values = dict(zip(names(model.Parameters), flatten(model.load_parameters()), strict=True))
    values |= {name: number for name, number in fitted.items() if name in values}
    for system in model.SYSTEMS:
        values |= uncertainty.uncertain(system, SEED, draw)
    kit = {name.removeprefix(LABORATORY): number for name, number in fitted.items() if name.startswith(LABORATORY)}
    return build(model.Parameters, list(values.values())), laboratory.constants()._replace(**kit)


def _prepared(effects: Sequence[Effect]) -> dict[Name, published.PreparedArm]:
    """Every arm that some figure needs, ready to run, once."""
    found: dict[Name, published.PreparedArm] = {}
    for effect in effects:
        for _, figure in effect.parts:
            for name in _arms(figure):
                if (figure.trial, name) not in found:
                    found[figure.trial, name] = _ready(effect.trial, name)
    return found


def _ready(trial: Trial, name: str) -> published.PreparedArm:
    return published.prepare(trial, next(arm for arm in trial.arms if arm.name == name))


def _arms(figure: Figure) -> list[str]:
    return [name for name in (figure.arm, figure.against) if name is not None]


def _values(
    effects: Sequence[Effect],
    arms: dict[Name, published.PreparedArm],
    shared: model.Parameters,
    lab: laboratory.Constants,
) -> list[float]:
    runs = {name: published.run(arm, shared, lab) for name, arm in arms.items()}
    days = {name: arm.times / start.HOURS_PER_DAY for name, arm in arms.items()}

    def of_figure(figure: Figure) -> float:
        own = {name: runs[figure.trial, name] for name in _arms(figure)}
        if any(figure.quantity not in run for run in own.values()):
            return float("nan")
        return predicted(figure, own, {name: days[figure.trial, name] for name in own})

    with np.errstate(divide="ignore", invalid="ignore"):
        return [sum(weight * of_figure(figure) for weight, figure in effect.parts) for effect in effects]
