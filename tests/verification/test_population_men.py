"""Virtual men: each is decided by seed and id alone, and together they have the distribution of the prior."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leydig import population_prior
from leydig.errors import InputError
from leydig.population_prior import men, multipliers, population
from leydig.population_prior.drawing import _weights
from leydig.population_prior.loading import correlation_matrix
from leydig.population_prior.records import LESIONS
from leydig.population_prior.streams import normals, uniforms, words
from leydig.ranges import limits

NAMES = list(population().quantities)
NORMAL = {"log": np.log, "logit": lambda value: np.log(value / (100 - value)), "identity": float}
MIXTURE = {"obese-hypogonadal": 0.5, "eugonadal": 0.3, "primary-failure": 0.2}


def arrays(found):
    """Every array of drawn men by name."""
    own = {name: getattr(found, name) for name in ("id", "condition", "age", "height")}
    return own | found.values | {f"lesion {organ}": left for organ, left in found.lesion.items()}


def same_bytes(whole, part, start):
    stop = start + len(part.id)
    return all(arrays(whole)[name][start:stop].tobytes() == values.tobytes() for name, values in arrays(part).items())


@pytest.fixture(scope="module")
def thousand():
    return men(MIXTURE, 7, 100, 1000)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_a_man_is_the_same_in_every_chunk(thousand, chunk):
    for start in range(0, 1000, chunk if chunk > 1 else 37):
        assert same_bytes(thousand, men(MIXTURE, 7, 100 + start, min(chunk, 1000 - start)), start)


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 999), count=st.integers(1, 40))
def test_any_run_of_ids_gives_the_same_men(thousand, start, count):
    count = min(count, 1000 - start)
    assert same_bytes(thousand, men(MIXTURE, 7, 100 + start, count), start)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**63), first=st.integers(0, 2**61), name=st.sampled_from(population_prior.conditions()))
def test_any_seed_and_id_gives_a_possible_man(seed, first, name):
    one = men(name, seed, first, 2)
    assert one.id.tolist() == [first, first + 1] and one.conditions == (name,)
    for quantity, values in one.values.items():
        if quantity in limits("accepted"):
            low, high = limits("accepted")[quantity]
            assert np.all((values >= low) & (values <= high)), quantity
    assert set(one.values) == {"BMI", *NAMES, "lean_mass"}
    assert same_bytes(men(name, seed, first, 1), one._replace(**first_of(one)), 0)


def first_of(found):
    parts = {name: getattr(found, name)[:1] for name in ("id", "condition", "age", "height")}
    parts["values"] = {name: values[:1] for name, values in found.values.items()}
    return parts | {"lesion": {organ: left[:1] for organ, left in found.lesion.items()}}


def test_seed_and_id_matter():
    one, other = men("eugonadal", 1, 0, 50), men("eugonadal", 2, 0, 50)
    for name in ("age", "height"):
        assert len(set(getattr(one, name))) == 50 and not np.any(getattr(one, name) == getattr(other, name))
    assert not np.any(one.values["testosterone"] == other.values["testosterone"])


def test_the_streams_are_what_they_were():
    """Integers of the generator itself: they must never change, or every published population would."""
    assert words(1, "age", 0, 2).tolist() == STREAM
    assert words(1, "age", 1, 1).tolist() == STREAM[1:]
    drawn = uniforms(1, "age", 0, 200_000)
    assert drawn.min() > 0 and drawn.max() < 1
    assert np.histogram(drawn, 20, (0, 1))[0] == pytest.approx(10_000, rel=0.04)
    four = [uniforms(1, "age", 0, 20_000, word) for word in range(4)]
    assert np.abs(np.corrcoef(four) - np.eye(4)).max() < 0.03
    assert np.abs(np.corrcoef(normals(1, "age", 0, 20_000), normals(1, "BMI", 0, 20_000))[0, 1]) < 0.03


STREAM = [
    [7878296829440569114, 14267067157916465556, 3513245127840040025, 12110836744169530233],
    [14507226986482879408, 1132378406807799018, 1213830164868647481, 13855144046633867299],
]


@pytest.mark.parametrize(
    "condition", ["eugonadal", "obese-hypogonadal", "oligozoospermic-subfertile", "hypogonadotropic"]
)
def test_every_man_follows_from_the_prior_of_his_age_and_BMI(condition):
    """Taking the prior's mean and spread away from his values leaves L e, with his own e by quantity."""
    drawn = men(condition, 3, 0, 40)
    e = np.array([normals(3, f"quantity {name}", 0, 40) for name in NAMES])
    wanted = np.linalg.cholesky(correlation_matrix(population())) @ e
    for k in range(40):
        at = population_prior.prior(drawn.age[k], drawn.values["BMI"][k], condition, drawn.height[k])
        spread = population_prior.standard_deviations(at)
        for i, name in enumerate(NAMES):
            value = drawn.values[name][k]
            if value in limits("accepted").get(name, ()):
                continue  # held at what is possible
            z = NORMAL[at.transforms[1 + i]](value)
            assert (z - at.mean[1 + i]) / spread[1 + i] == pytest.approx(wanted[i, k], abs=1e-6), name


def test_drawn_men_have_the_medians_and_correlations_of_the_prior():
    drawn = men("eugonadal", 1, 0, 60_000, ages=(50, 50))
    near = np.abs(drawn.values["BMI"] - 27) < 0.5
    typical = population_prior.typical(population_prior.prior(50, 27))
    for name in ("testosterone", "SHBG", "FSH", "sperm_concentration", "HDL", "bmd_hip", "PSA"):
        assert np.median(drawn.values[name][near]) == pytest.approx(typical[name], rel=0.03), name
    logs = {name: np.log(drawn.values[name][near]) for name in ("testosterone", "SHBG", "LH", "HDL")}
    assert np.corrcoef(logs["testosterone"], logs["SHBG"])[0, 1] == pytest.approx(0.6, abs=0.03)
    assert np.corrcoef(logs["testosterone"], logs["LH"])[0, 1] == pytest.approx(0.0, abs=0.03)
    assert np.corrcoef(logs["testosterone"], logs["HDL"])[0, 1] == pytest.approx(0.15, abs=0.03)


def test_a_quantity_that_is_added_leaves_the_others_as_they_are():
    """Each draws on itself and on those before it in the file."""
    for i, (name, weights) in enumerate(_weights().items()):
        assert name == NAMES[i] and set(weights) <= set(NAMES[: i + 1]) and weights[name] > 0


def test_weight_is_fat_and_lean_mass():
    drawn = men("eugonadal", 1, 0, 2000)
    weight = drawn.values["BMI"] * (drawn.height / 100) ** 2
    assert np.median(np.abs(weight - drawn.values["fat_mass"] - drawn.values["lean_mass"])) < 1e-9
    assert np.std(drawn.height) == pytest.approx(100 * population().height_sd.value, rel=0.05)


def test_lesions_belong_to_their_condition():
    drawn = men({"eugonadal": 0.4, "primary-failure": 0.3, "hypogonadotropic": 0.3}, 1, 0, 3000)
    assert set(drawn.lesion) == set(LESIONS)
    for k, name in enumerate(drawn.conditions):
        own = drawn.condition == k
        severities = population_prior.condition_named(name).lesion
        assert np.mean(own) == pytest.approx(0.4 if name == "eugonadal" else 0.3, abs=0.03)
        for organ, left in drawn.lesion.items():
            if organ not in severities:
                assert np.all(left[own] == 1)
                continue
            severity = severities[organ]
            assert np.all((left[own] >= severity.low) & (left[own] <= severity.high))
            assert np.median(left[own]) == pytest.approx(severity.median, rel=0.1)
    assert np.all(men("agonadal", 1, 0, 10).lesion["leydig"] == 0)


def test_the_order_of_a_mixture_does_not_matter():
    one = men({"eugonadal": 0.3, "obese-hypogonadal": 0.7}, 1, 0, 100)
    other = men({"obese-hypogonadal": 0.7, "eugonadal": 0.3}, 1, 0, 100)
    assert one.conditions == other.conditions and same_bytes(one, other, 0)
    alone = men("eugonadal", 1, 0, 100)
    both = (one.condition == 0) & (alone.age == alone.age)
    assert np.all(one.values["testosterone"][both] == alone.values["testosterone"][both])


def test_ages():
    old = men("ageing-low-testosterone", 1, 0, 20_000).age
    likely = population_prior.condition_named("ageing-low-testosterone").age
    assert likely.low <= old.min() and old.max() <= likely.high
    assert np.mean(old) == pytest.approx(likely.mean, abs=0.5) and np.std(old) == pytest.approx(likely.sd, rel=0.1)
    given_ages = men(MIXTURE, 1, 0, 20_000, ages=(40, 60)).age
    assert np.histogram(given_ages, 4, (40, 60))[0] == pytest.approx(5000, rel=0.06)
    assert np.all(men("eugonadal", 1, 0, 10, ages=(33, 33)).age == 33)


def test_none_is_a_number_of_men():
    assert all(len(values) == 0 for values in arrays(men(MIXTURE, 1, 5, 0)).values())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mixture": "eugonadl"}, 'unknown condition "eugonadl" in the mixture; did you mean "eugonadal"?'),
        ({"mixture": {"eugonadal": 0.5, "obese": 0.5}}, 'unknown condition "obese" in the mixture'),
        ({"mixture": {"eugonadal": 0.7, "agonadal": 0.2}}, "the shares of the mixture must add to 1, not to 0.9"),
        ({"mixture": {}}, "the shares of the mixture must add to 1, not to 0"),
        ({"mixture": {"eugonadal": 1.2, "agonadal": -0.2}}, 'the share of "eugonadal" in the mixture must be above 0'),
        ({"mixture": {"eugonadal": 1.0, "agonadal": 0.0}}, 'the share of "agonadal" in the mixture must be above 0'),
        ({"mixture": {"eugonadal": float("nan")}}, 'the share of "eugonadal" in the mixture must be above 0'),
        ({"mixture": {"eugonadal": True}}, 'the share of "eugonadal" in the mixture must be above 0'),
        ({"mixture": {"eugonadal": "1"}}, 'the share of "eugonadal" in the mixture must be above 0'),
        ({"ages": (60, 40)}, "ages must rise and lie between 18 and 100 years, not 60 to 40"),
        ({"ages": (5, 40)}, "ages must rise and lie between 18 and 100 years, not 5 to 40"),
        ({"ages": (20, float("nan"))}, "ages must rise and lie between 18 and 100 years, not 20 to nan"),
        ({"seed": -1}, "the seed must be a whole number from 0"),
        ({"seed": 1.5}, "the seed must be a whole number from 0"),
        ({"first": -3}, "the first id must be a whole number from 0"),
        ({"n": -1}, "the number of men must be a whole number from 0"),
        ({"n": True}, "the number of men must be a whole number from 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_sentence(given, message):
    asked = {"mixture": "eugonadal", "seed": 1, "first": 0, "n": 3} | given
    ages = asked.pop("ages", None)
    with pytest.raises(InputError) as error:
        men(**asked, ages=ages)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_multipliers_differ_between_men_as_they_should():
    spreads = [("bone.rate", 0.2), ("anastrozole.clearance", 0.35), ("steady", 0.0)]
    found = multipliers(spreads, 1, 0, 20_000)
    assert list(found) == [name for name, _ in spreads] and np.all(found["steady"] == 1)
    for name, log_sd in spreads[:2]:
        assert np.median(found[name]) == pytest.approx(1, abs=0.02)
        assert np.std(np.log(found[name])) == pytest.approx(log_sd, rel=0.03)
    alone = multipliers(spreads[1:2], 1, 12_345, 7)["anastrozole.clearance"]
    assert alone.tobytes() == found["anastrozole.clearance"][12_345:12_352].tobytes()
    assert abs(np.corrcoef(found["bone.rate"], found["anastrozole.clearance"])[0, 1]) < 0.03


@pytest.mark.parametrize(
    ("spreads", "message"),
    [
        ([("a", -0.1)], "the log-SD of a must be 0 or more, not -0.1"),
        ([("a", float("inf"))], "the log-SD of a must be 0 or more, not inf"),
        ([("a", 0.1), ("a", 0.2)], 'the parameter "a" is named twice'),
    ],
)
def test_multipliers_refuse_what_is_no_spread(spreads, message):
    with pytest.raises(InputError, match=message):
        multipliers(spreads, 1, 0, 3)
