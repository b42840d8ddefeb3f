"""Many men through the arrays are the same men one by one, and nobody's bytes depend on who stands beside him."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leydig import men, model, outputs, parameters, population_prior, start
from leydig.baseline import Baseline, Lesion, personalise
from leydig.engine.trace import build, flatten, names
from leydig.physiology import fertility
from leydig.studies import couple

TIMES = np.linspace(0.0, 2 * start.HOURS_PER_YEAR, 9)
SEEDS = st.integers(0, 2**31)
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
MANY = 3 * men.WIDTH + 7


@cache
def fitted_leaves():
    fitted = (
        (f"{system}.{name}", entry.prior.log_sd)
        for system in model.SYSTEMS
        for name, entry in parameters.load(system, fitted=False).items()
        if entry.kind == "fitted"
    )
    spread = dict(fitted)
    return np.array([spread.get(name, 0.0) for name in names(model.Parameters)])


def population(seed, count, lesions=True):
    """Baselines, own parameters and lesions of random men of every condition, as matrices with men first."""
    rng = np.random.default_rng(seed)
    conditions = population_prior.conditions()
    several = [
        (age, population_prior.draw(population_prior.prior(age, None, condition), rng, -(-count // 3)))
        for age, condition in zip(rng.uniform(20, 85, 3), rng.choice(conditions, 3), strict=True)
    ]
    drawn = np.concatenate(
        [
            np.stack([np.full(len(d["LH"]), age) if name == "age" else d[name] for name in Baseline._fields], axis=1)
            for age, d in several
        ]
    )
    rng.shuffle(drawn)
    shared = np.array(flatten(model.load_parameters()))
    leaves = shared * np.exp(0.3 * fitted_leaves() * rng.standard_normal((count, len(shared))))
    lost = (
        np.where(rng.random((count, 4)) < 0.3, rng.uniform(0, 1.5, (count, 4)), 1.0) if lesions else np.ones((count, 4))
    )
    return drawn[:count], leaves, lost


def individuals(baselines, leaves, lesions):
    return men.individuals(Baseline(*baselines.T), build(model.Parameters, leaves.T), Lesion(*lesions.T))


def courses(seed, states, ages):
    """States anywhere around rest and inputs with drugs for some men, rounding among them, over time."""
    rng = np.random.default_rng(seed)
    around = states[:, None, :] * np.exp(0.4 * rng.standard_normal((len(states), len(TIMES), states.shape[1])))
    around[rng.random(around.shape) < 0.01] = 0.0
    inputs = np.abs(rng.standard_normal((len(states), len(start.CHANNELS), len(TIMES))))
    inputs *= rng.random((*inputs.shape[:2], 1)) < 0.4
    inputs[rng.random(inputs.shape) < 0.1] *= 1e-16
    inputs[:, start.CHANNELS.index("weight_change")] = rng.uniform(-0.2, 0.1, (len(states), len(TIMES)))
    inputs[:, start.CHANNELS.index("resorption_drive")] = 1.0
    inputs[:, start.CHANNELS.index("age")] = ages[:, None] + TIMES / start.HOURS_PER_YEAR
    return around, inputs


def same_bytes(one, other):
    assert one.shape == other.shape and one.tobytes() == other.tobytes()


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_arrays_give_what_one_man_alone_gets(seed):
    who = population(seed, 6)
    vectors, states = individuals(*who)
    around, inputs = courses(seed, states, who[0][:, 0])
    found = men.quantities_of(around, vectors, inputs)
    for i, (baseline, leaves, lesion) in enumerate(zip(*who, strict=True)):
        shared = build(model.Parameters, leaves)
        individual = model.Individual(personalise(Baseline(*baseline), shared, Lesion(*lesion)), shared)
        np.testing.assert_allclose(vectors[i], start.vector(individual), **CLOSE)
        np.testing.assert_allclose(states[i], start.rest(individual), **CLOSE)
        alone = outputs.quantities(around[i], individual, inputs[i])
        for name, values in alone.items():
            np.testing.assert_allclose(found[name][i], values, err_msg=name, **CLOSE)
        given_nowhere = set(found) - set(alone)
        assert given_nowhere <= {*outputs.DRUGS}
        assert not any(found[name][i].any() for name in given_nowhere)


@given(SEEDS, st.integers(0, MANY - 7))
@settings(max_examples=15, deadline=None)
def test_bytes_do_not_depend_on_the_neighbours(seed, first):
    who = population(seed, MANY)
    vectors, states = individuals(*who)
    around, inputs = courses(seed, states, who[0][:, 0])
    ages, counts = who[0][:, 0], who[0][:, 1:2] * (1 + TIMES) % 90
    days, p = TIMES / start.HOURS_PER_DAY, couple.parameters()
    found = men.quantities_of(around, vectors, inputs)
    found |= couple.chances_of_men(counts, days, ages, p)
    placed = men.settled(states * 1.1, vectors, ages, who[0][:, 1], who[0][:, 16])
    backwards = np.arange(MANY)[::-1]
    for group in (slice(first, first + 1), slice(first, first + 7), backwards):
        fewer = individuals(*(part[group] for part in who))
        same_bytes(fewer[0], vectors[group])
        same_bytes(fewer[1], states[group])
        some = men.quantities_of(around[group], vectors[group], inputs[group])
        some |= couple.chances_of_men(counts[group], days, ages[group], p)
        assert list(some) == list(found)
        for name, values in some.items():
            same_bytes(values, found[name][group])
        again = men.settled(states[group] * 1.1, vectors[group], ages[group], who[0][group, 1], who[0][group, 16])
        for part, whole in zip(again, placed, strict=True):
            same_bytes(part, whole[group])


def test_shared_parameters_are_the_same_as_ones_own():
    """A number in place of an array of that number changes no byte; so does leaving out lesions that take nothing."""
    drawn, _, none = population(3, 20, lesions=False)
    shared = model.load_parameters()
    own = np.tile(np.array(flatten(shared), float), (20, 1))
    few = men.individuals(Baseline(*drawn.T), shared)
    for part, whole in zip(few, individuals(drawn, own, none), strict=True):
        same_bytes(part, whole)
        assert part.flags.c_contiguous and part.dtype == np.float64


def test_chosen_quantities_are_those_of_all():
    who = population(4, 5)
    vectors, states = individuals(*who)
    around, inputs = courses(4, states, who[0][:, 0])
    found = men.quantities_of(around, vectors, inputs)
    chosen = men.quantities_of(around, vectors, inputs, names={"testosterone", "anastrozole"})
    assert set(chosen) == {"testosterone", "anastrozole"}
    for name, values in chosen.items():
        same_bytes(values, found[name])


def test_drug_levels_are_cleaned_by_each_mans_own_highest():
    """A tiny level of one man is no rounding because another man has a high one."""
    who = population(5, 2, lesions=False)
    vectors, states = individuals(*who)
    around, inputs = courses(5, states, who[0][:, 0])
    inputs[:, start.CHANNELS.index("anastrozole")] = np.array([[1e-14], [50.0]])
    levels = men.quantities_of(around, vectors, inputs)["anastrozole"]
    assert (levels[0] == 1e-14).all() and (levels[1] == 50.0).all()


@pytest.mark.parametrize("condition", ["aromatase-deficient", "primary-failure", "eugonadal"])
def test_settled_men_begin_as_one_man_does(condition):
    """Bone of a man without aromatase rests, masses are those he has: as ``start.begin`` leaves an unmeasured man."""
    rng = np.random.default_rng(8)
    draws = population_prior.draw(population_prior.prior(40.0, None, condition), rng, 2)
    drawn = Baseline(**{name: draws.get(name, np.full(2, 40.0)) for name in Baseline._fields})
    lesion = Lesion(**population_prior.draw_lesion(condition, rng, 2))
    shared = model.load_parameters()
    vectors, states = men.individuals(drawn, shared, lesion)
    for i in range(2):
        own = Baseline(*(float(values[i]) for values in drawn))
        lost = Lesion(*(float(np.broadcast_to(value, 2)[i]) for value in lesion))
        begun = start.begin(own, shared, lesion=lost)
        rested = (
            states[i] if lost == Lesion() else start.settle(build(model.Individual, vectors[i]), states[i], own.age)
        )
        one = slice(i, i + 1)
        placed = men.settled(rested[None], vectors[one], drawn.age[one], drawn.fat_mass[one], drawn.lean_mass[one])
        np.testing.assert_allclose(placed[0][0], start.vector(begun.individual), **CLOSE)
        np.testing.assert_allclose(placed[1][0], begun.state, **CLOSE)
        if lost.aromatase != 1:
            rates = np.zeros(len(begun.state))
            inputs = np.array(model.Inputs(age=own.age), float)
            model.traced().rates(placed[1][0], placed[0][0], inputs, rates)
            assert np.abs(rates[men.BMD]).max() < 1e-15 * placed[1][0][men.BMD].max()


def test_chances_of_many_couples_are_those_of_each():
    rng = np.random.default_rng(9)
    p, days = couple.parameters(), np.linspace(0, 730, 27)
    counts = rng.lognormal(3, 1.5, (5, 27)) * (rng.random((5, 1)) < 0.8)
    ages = rng.uniform(20, 80, 5)
    counts[3, 4] = np.nan
    found = couple.chances_of_men(counts, days, ages, p)
    for i, (own, age) in enumerate(zip(counts, ages, strict=True)):
        alone = couple.chances({"total_motile_sperm_count": own}, days, fertility.default_couple(float(age), p), p)
        assert set(alone) == set(found)
        for name, values in alone.items():
            np.testing.assert_allclose(found[name][i], values, **CLOSE)
    assert np.isnan(found["conception_probability"][3]).all() and np.isfinite(found["conception_probability"][4]).all()
