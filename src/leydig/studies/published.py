"""Published arms as runs of a typical man, and their figures beside the model's on one scale.

A typical man carries the printed baseline means of an arm; what was not printed is the population's
typical value for his age, BMI and condition given what was.
"""

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from leydig import laboratory, model, parameters, population_prior, start
from leydig.baseline import Baseline, Lesion
from leydig.engine import reference
from leydig.engine.inputs import InputTable, evaluate
from leydig.errors import ModelWarning
from leydig.evidence import Arm, Trial
from leydig.outputs import quantities, reporting
from leydig.pharmacology.protocol import Protocol
from leydig.studies.comparison import settings, to_laboratory, to_state
from leydig.studies.figures import sample_days

RELATIVE_TOLERANCE = 1e-6


class PreparedArm(NamedTuple):
    """An arm ready to run for any parameters."""

    trial: str
    name: str
    age: float
    assay: Mapping[str, str]
    printed: Mapping[str, float]  # baseline in canonical units, as the laboratory printed it
    typical: Mapping[str, float]  # completed baseline on the state scale
    lesion: Lesion
    driven: frozenset[str]  # inputs that drugs or levers drive
    inputs: InputTable
    times: np.ndarray  # h, the first is 0


def prepare(trial: Trial, arm: Arm) -> PreparedArm:
    """The arm's typical man and inputs; what does not depend on fitted parameters is done once."""
    age = trial.population.age or settings()["age_assumed"]
    printed = arm.canonical_baseline()
    condition = trial.population.condition or "eugonadal"
    lesion = Lesion(**population_prior.typical_lesion(condition))
    prior = population_prior.prior(age, trial.population.BMI, condition)
    if lesion == Lesion():
        # before any fit, so that an arm is prepared alike whatever fit is in place
        lab = parameters.record(laboratory.Constants, "laboratory", fitted=False)
        seen = {q: to_state(q, v, trial.assay, age, lab) for q, v in printed.items() if q in prior.names}
        prior = population_prior.condition_on(prior, {q: v for q, v in seen.items() if v > 0})
    days = sample_days(outcome.day for _, outcome in trial.outcomes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # a published dose is a fact, however unusual
        driven = start.driven(start.given(Protocol.parse(arm.protocol), max(float(days[-1]), 1.0)))
    return PreparedArm(
        trial=trial.key,
        name=arm.name,
        age=age,
        assay=trial.assay,
        printed=printed,
        typical=population_prior.typical(prior),
        lesion=lesion,
        driven=frozenset(driven),
        inputs=start.input_table(age, driven),
        times=days * start.HOURS_PER_DAY,
    )


def run(arm: PreparedArm, shared: model.Parameters, lab: laboratory.Constants) -> dict[str, np.ndarray]:
    """What the arm's laboratory would print at each of ``arm.times``, by quantity; nan where the solver failed."""
    seen = {
        name: max(to_state(name, value, arm.assay, arm.age, lab), 1e-3 * arm.typical[name])
        for name, value in arm.printed.items()
        if name in arm.typical
    }
    values = {**arm.typical, **(seen if arm.lesion == Lesion() else {}), "age": arm.age}
    baseline = Baseline(**{name: values[name] for name in Baseline._fields})
    began = start.begin(baseline, shared, lesion=arm.lesion, measured=seen, compile=True)
    solution = reference.solve(
        model.traced(),
        began.state,
        start.vector(began.individual),
        arm.inputs,
        arm.times,
        rtol=RELATIVE_TOLERANCE,
        compile=True,
    )
    found = quantities(solution.values, began.individual, evaluate(arm.inputs, arm.times))
    found["NTX"] = found["relative_NTX"]
    printed = {name: to_laboratory(name, value, arm.assay, arm.age, lab) for name, value in found.items()}
    # the ratio is of what the laboratory printed
    floor = reporting().estradiol_floor
    printed["testosterone_estradiol_ratio"] = printed["testosterone"] / np.maximum(printed["estradiol"], floor)
    return printed
