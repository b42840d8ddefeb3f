"""Random-effects meta-analysis: results that other packages and papers print, and properties."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leydig.files import read_yaml
from leydig.studies.meta_model import (
    asymmetry,
    at,
    common_effect,
    prediction_interval,
    random_effects,
    wald,
)

HALF = 0.5  # added to every cell of a table that has an empty one


@cache
def published(name: str) -> dict:
    return read_yaml(Path(__file__).parent / "data" / "meta_published.yaml")[name]


def column(name: str, place: int) -> np.ndarray:
    return np.array([row[place] for row in published(name)["rows"]])


def bcg() -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d = (column("bcg", place).astype(float) for place in range(4))
    return np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def odds(cases: np.ndarray, men: np.ndarray, cases_control: np.ndarray, controls: np.ndarray):
    cells = np.array([cases, men - cases, cases_control, controls - cases_control], float)
    cells += HALF * (cells == 0).any(axis=0)
    a, b, c, d = cells
    return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d


def printed(value, expected, digits: int = 4):
    """Equal as far as it was printed; one in the last digit is allowed for its own rounding."""
    return np.asarray(value) == pytest.approx(np.asarray(expected), abs=1.01 * 10.0**-digits)


# Published results --------------------------------------------------------------------------------


def test_vaccine_against_tuberculosis_pooled():
    said, (y, v) = published("bcg")["result"], bcg()
    fit, plain = random_effects(y, v), random_effects(y, v, truncated=False)
    assert printed(fit.tau2, said["tau2"])
    assert printed(fit.tau2_limits, said["tau2_limits"])
    assert printed(100 * fit.i2, said["I2_percent"], 2)
    assert printed(fit.q, said["Q"])
    pooled = at(fit, [1])
    assert printed(pooled.value, said["mean"])
    assert printed(pooled.standard_error / np.sqrt(fit.factor), said["standard_error_plain"])
    own = said["hartung_knapp"]
    assert printed([pooled.standard_error, pooled.low, pooled.high], [own["standard_error"], own["low"], own["high"]])
    assert at(plain, [1]) == pooled  # the factor is above 1 here
    assert fit.degrees == 12 and fit.weights.sum() == pytest.approx(1)
    # the package draws the interval with k - 1 degrees of freedom, here it has k - 2: more, by the quantiles alone
    low, high = prediction_interval(fit)
    wide = np.ptp(said["prediction_with_k_minus_1"])
    assert printed((high - low) / wide, 2.200985 / 2.178813)


def test_vaccine_against_tuberculosis_by_latitude():
    said, (y, v) = published("bcg")["result"], bcg()
    own, latitude = said["latitude"], column("bcg", 4).astype(float)
    fit = random_effects(y, v, latitude[:, None])
    assert printed(fit.coefficients, [own["intercept"], own["slope"]])
    assert printed(np.sqrt(np.diag(fit.covariance)), own["standard_errors"])
    assert printed([fit.tau2, fit.q], [own["tau2"], own["Q"]])
    assert printed(fit.tau2_limits, own["tau2_limits"])
    test = wald(fit, [[0, 1]])
    assert test.statistic == pytest.approx(own["F"], abs=1e-3)  # the package stops its iteration earlier
    assert printed(test.p, own["p"]) and (test.between, test.within) == (1, 11)
    assert printed(100 * (1 - fit.tau2 / random_effects(y, v).tau2), own["R2_percent"], 2)
    ways = column("bcg", 5)
    dummies = np.column_stack([latitude, ways == "random", ways == "systematic"]).astype(float)
    both = wald(random_effects(y, v, dummies, truncated=False), np.eye(4)[2:])
    assert both.statistic == pytest.approx(said["latitude_and_allocation"]["F_of_allocation"], abs=2e-4)
    assert printed(both.p, said["latitude_and_allocation"]["p"])


def test_teachers_expectations():
    said = published("teachers")["result"]
    y, v, weeks = column("teachers", 0), column("teachers", 1), np.minimum(column("teachers", 2), 3.0)
    fit = random_effects(y, v)
    pooled = at(fit, [1])
    assert printed([pooled.value, fit.tau2, fit.q], [said["mean"], said["tau2"], said["Q"]])
    own = said["hartung_knapp"]
    assert printed([pooled.standard_error, pooled.low, pooled.high], [own["standard_error"], own["low"], own["high"]])
    mean = common_effect(y, v)
    assert printed([mean.value, mean.standard_error], [said["common"]["mean"], said["common"]["standard_error"]])
    by_weeks = random_effects(y, v, weeks[:, None])
    own = said["by_weeks"]
    assert printed([*by_weeks.coefficients, by_weeks.q], [own["intercept"], own["slope"], own["Q"]])
    assert by_weeks.tau2 == own["tau2"]  # exactly at the boundary


def test_diuretics_in_pregnancy():
    said = published("diuretics")["result"]
    men, controls, cases, others = (column("diuretics", place) for place in range(4))
    fit = random_effects(*odds(cases, men, others, controls))
    assert printed(fit.tau2, said["tau2"], 3) and printed(fit.tau2_limits, said["tau2_limits"], 3)


def test_where_a_further_trial_of_blood_pressure_is_expected():
    said = published("blood_pressure")["result"]
    fit = random_effects(column("blood_pressure", 0), column("blood_pressure", 1) ** 2, truncated=False)
    # the package prints seven digits but ends its iteration at the fifth
    assert printed([at(fit, [1]).value, fit.tau2], [said["mean"], said["tau2"]], 5)
    assert printed(prediction_interval(fit), said["prediction"], 4)


def test_asymmetry_of_the_funnel():
    for name, (y, v) in {"bcg": bcg(), "magnesium": odds(*(column("magnesium", p) for p in range(4)))}.items():
        said, found = published(name)["result"]["egger"], asymmetry(y, np.sqrt(v))
        assert printed([found.t, *found.at_zero[:1]], [said["t"], said["at_zero"]]) and found.degrees == said["degrees"]
        assert printed([found.at_zero.low, found.at_zero.high], [said["low"], said["high"]])
        if "p" in said:
            assert printed(found.p, said["p"])
    y, v = odds(*(column("magnesium", place) for place in range(4)))
    fit, said = random_effects(y, v), published("magnesium")["result"]
    assert printed([at(fit, [1]).value, fit.tau2, *fit.tau2_limits], [said["mean"], said["tau2"], *said["tau2_limits"]])


# Properties ---------------------------------------------------------------------------------------

studies = st.integers(3, 12).flatmap(
    lambda k: st.tuples(
        st.lists(st.floats(-3, 3), min_size=k, max_size=k),
        st.lists(st.floats(0.01, 2), min_size=k, max_size=k),
        st.permutations(range(k)),
    )
)


@settings(max_examples=40, deadline=None)
@given(studies, st.floats(0.05, 20), st.floats(-5, 5))
def test_order_unit_and_origin_do_not_matter(drawn, scale, shift):
    y, v, order = np.array(drawn[0]), np.array(drawn[1]), np.array(drawn[2])
    fit = random_effects(y, v)
    assert at(random_effects(y[order], v[order]), [1]) == pytest.approx(at(fit, [1]), rel=1e-6, abs=1e-8)
    moved = random_effects(scale * y + shift, scale**2 * v)
    assert moved.tau2 == pytest.approx(scale**2 * fit.tau2, rel=1e-5, abs=1e-9 * scale**2)
    assert moved.i2 == pytest.approx(fit.i2, rel=1e-5, abs=1e-9)
    assert at(moved, [1]).value == pytest.approx(scale * at(fit, [1]).value + shift, rel=1e-6, abs=1e-6)
    assert at(moved, [1]).standard_error == pytest.approx(scale * at(fit, [1]).standard_error, rel=1e-5, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(studies)
def test_the_variance_between_studies_maximises_the_restricted_likelihood(drawn):
    y, v = np.array(drawn[0]), np.array(drawn[1])
    fit = random_effects(y, v)

    def likelihood(tau2):
        w = 1 / (v + tau2)
        mean = np.sum(w * y) / np.sum(w)
        return 0.5 * (np.sum(np.log(w)) - np.log(np.sum(w)) - np.sum(w * (y - mean) ** 2))

    elsewhere = np.concatenate([[0.0], np.geomspace(1e-6, 100, 400)])
    assert likelihood(fit.tau2) >= max(likelihood(tau2) for tau2 in elsewhere) - 1e-9
    low, high = fit.tau2_limits
    assert 0 <= low <= high and fit.factor >= 1


@settings(max_examples=40, deadline=None)
@given(studies)
def test_without_differences_between_studies_it_is_the_common_effect(drawn):
    y, v = 0.003 * np.array(drawn[0]), np.array(drawn[1])  # far less apart than any study's own error
    fit = random_effects(y, v)
    assert fit.tau2 == 0
    common = common_effect(y, v)
    assert at(fit, [1]).value == pytest.approx(common.value, abs=1e-9)
    # the factor is never below 1, so the interval is never narrower than that of one common effect
    assert at(fit, [1]).standard_error >= common.standard_error * (1 - 1e-9)
    assert random_effects(y, v, truncated=False).factor <= fit.factor


@settings(max_examples=30, deadline=None)
@given(studies, st.floats(-2, 2), st.floats(-3, 3))
def test_a_regression_gives_back_an_exact_line(drawn, slope, intercept):
    v, x = np.array(drawn[1]), np.arange(len(drawn[1]), dtype=float)
    fit = random_effects(intercept + slope * x, v, x[:, None])
    assert fit.tau2 == 0
    assert fit.coefficients == pytest.approx([intercept, slope], abs=1e-7)


def test_two_studies_have_a_mean_and_no_interval_for_a_third():
    fit = random_effects(np.array([0.1, 0.3]), np.array([0.01, 0.02]))
    assert prediction_interval(fit) is None and fit.degrees == 1
    assert at(fit, [1]).high - at(fit, [1]).value > 12 * at(fit, [1]).standard_error  # t with one degree of freedom


@pytest.mark.parametrize(
    ("effects", "variances", "moderators", "words"),
    [
        ([0.1], [0.1], None, "cannot inform"),
        ([0.1, 0.2, 0.3], [0.1, 0.0, 0.1], None, "above 0"),
        ([0.1, np.nan, 0.3], [0.1, 0.1, 0.1], None, "finite"),
        ([0.1, 0.2, 0.3], [0.1, 0.1, 0.1], [[1.0], [1.0], [1.0]], "the same twice"),
    ],
)
def test_what_cannot_be_pooled_is_refused(effects, variances, moderators, words):
    given_moderators = None if moderators is None else np.array(moderators)
    with pytest.raises(ValueError, match=words):
        random_effects(np.array(effects), np.array(variances), given_moderators)


def test_coverage_with_few_unequal_studies():
    """The interval of Hartung and Knapp holds the true mean about as often as it says; the plain one does not."""
    rng = np.random.default_rng(11)
    inside = plain_inside = 0
    runs = 250
    for _ in range(runs):
        v = rng.uniform(0.01, 0.3, 5)
        fit = random_effects(0.4 + rng.normal(size=5) * np.sqrt(v + 0.2), v)
        pooled = at(fit, [1])
        inside += pooled.low <= 0.4 <= pooled.high
        plain = pooled.standard_error / np.sqrt(fit.factor)
        plain_inside += abs(pooled.value - 0.4) <= 1.96 * plain
    assert 0.92 <= inside / runs <= 0.99
    assert plain_inside / runs < 0.92
