"""An untreated man does not drift, whoever he is and whatever the fit says."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.men import YOUNG

from leydig import model, parameters, population_prior, start
from leydig.baseline import Baseline, Lesion, personalise
from leydig.engine.trace import build, flatten, names

AXIS = [i for i, name in enumerate(start.STATES) if not name.startswith("bone.bmd")]

# changes by hormones, which go either way; everything else is an amount
CHANGES = {f"cardiometabolic.{name}" for name in ("fat", "lean", "flow_mediated_dilation", "hematocrit")}
NOT_NEGATIVE = [i for i, name in enumerate(start.STATES) if name not in CHANGES]

baselines = st.builds(
    Baseline,
    age=st.floats(18, 95), fat_mass=st.floats(5, 90), testosterone=st.floats(30, 1500), estradiol=st.floats(4, 90),
    LH=st.floats(0.3, 40), FSH=st.floats(0.3, 60), SHBG=st.floats(5, 150), inhibin_B=st.floats(5, 400),
    sperm_concentration=st.floats(0, 350), semen_volume=st.floats(0.3, 9), total_motility=st.floats(1, 95),
    normal_morphology=st.floats(0.1, 40), bmd_spine=st.floats(0.6, 1.6), bmd_hip=st.floats(0.5, 1.5),
    CTX=st.floats(50, 900), P1NP=st.floats(10, 150), lean_mass=st.floats(35, 110), HDL=st.floats(15, 120),
    LDL=st.floats(20, 300), triglycerides=st.floats(20, 900), glucose=st.floats(50, 300), CRP=st.floats(0.05, 40),
    flow_mediated_dilation=st.floats(0.5, 15), hematocrit=st.floats(25, 58), PSA=st.floats(0.05, 15),
    desire_score=st.floats(2, 98), erectile_function_score=st.floats(2, 98), sensitivity=st.floats(0.05, 10),
)  # fmt: skip


def largest_relative_rate(baseline, shared):
    individual = model.Individual(personalise(baseline, shared), shared)
    state = start.rest(individual)
    rates = np.zeros(len(state))
    inputs = np.array(model.Inputs(age=baseline.age), float)
    model.traced().rates(state, start.vector(individual), inputs, rates)
    return float(np.max(np.abs(rates[AXIS]) / np.maximum(np.abs(state[AXIS]), 1e-6)))


@given(baselines)
@settings(max_examples=300, deadline=None)
def test_every_baseline_is_at_rest(baseline):
    assert largest_relative_rate(baseline, model.load_parameters()) < 1e-9


@given(st.integers(0, 2**31), st.floats(0, 1.5))
@settings(max_examples=150, deadline=None)
def test_every_draw_of_the_fit_is_at_rest(seed, width):
    """Parameters anywhere near their priors leave the baseline where it is."""
    rng = np.random.default_rng(seed)
    fitted = {
        f"{system}.{name}": entry
        for system in model.SYSTEMS
        for name, entry in parameters.load(system, fitted=False).items()
        if entry.kind == "fitted"
    }
    shared = model.load_parameters()
    leaves = []
    for name, value in zip(names(model.Parameters), flatten(shared), strict=True):
        entry = fitted.get(name)
        if entry is not None:
            value = float(
                np.clip(entry.prior.centre * np.exp(width * entry.prior.log_sd * rng.standard_normal()), *entry.bounds)
            )
        leaves.append(value)
    assert largest_relative_rate(YOUNG, build(model.Parameters, leaves)) < 1e-9


@given(st.sampled_from(population_prior.conditions()), st.floats(20, 85), st.integers(0, 2**31))
@settings(max_examples=25, deadline=None)
def test_every_condition_starts_and_rests(condition, age, seed):
    """Draws of every condition: diseased men too have a steady state, finite and not negative."""
    rng = np.random.default_rng(seed)
    draws = population_prior.draw(population_prior.prior(age, None, condition), rng, 1)
    values = {name: float(draws[name][0]) for name in Baseline._fields if name != "age"}
    lesion = Lesion(**{k: float(v[0]) for k, v in population_prior.draw_lesion(condition, rng, 1).items()})
    shared = model.load_parameters()
    begun = start.begin(Baseline(age=age, **values), shared, lesion=lesion, compile=True)
    rates = np.zeros(len(begun.state))
    inputs = np.array(model.Inputs(age=age), float)
    model.traced().rates(begun.state, start.vector(begun.individual), inputs, rates)
    assert np.isfinite(begun.state).all()
    assert begun.state[NOT_NEGATIVE].min() > -1e-9
    scale = np.maximum(np.abs(start.rest(begun.individual)), 1e-6)
    assert np.max(np.abs(rates[AXIS]) / scale[AXIS]) < 1e-8
