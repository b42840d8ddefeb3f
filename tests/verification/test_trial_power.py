"""Power of virtual trials against the noncentral t distribution, and how well its own error is known."""

import numpy as np
import pytest
from scipy import stats
from tests.virtual_trials import design, pool

from leydig.errors import InputError
from leydig.studies import trial_power as power

LEVEL = {"outcomes": [{"quantity": "testosterone", "analysis": "level"}], "visits": [90]}
MEAN, SD = 300.0, 50.0


def t_power(effect, n):
    """Power of a two-sample t test of an effect in SDs, two-sided at 0.05, n men in each arm."""
    df, shift = 2 * n - 2, effect * np.sqrt(n / 2)
    limit = stats.t.ppf(0.975, df)
    return stats.nct.sf(limit, df, shift) + stats.nct.cdf(-limit, df, shift)


def normal_men(of, men, effects, seed=0, **other):
    """``men`` per arm and draw; the drug shifts the mean by an effect in SDs, one for each draw."""
    rng, arm, draw, values = np.random.default_rng(seed), [], [], []
    for number, effect in enumerate(effects):
        for place in (0, 1):
            own = rng.normal(MEAN + SD * effect * place, SD, men)
            arm.append(np.full(men, place))
            draw.append(np.full(men, number))
            values.append(np.stack([np.full(men, MEAN), own], axis=1))
    return pool(of, {"testosterone": np.concatenate(values)}, np.concatenate(arm), np.concatenate(draw), **other)


def central(of, men, **options):
    return power.replicate(of, men, **{"replicates": 1000, **options})


@pytest.mark.parametrize(("effect", "n"), [(0.3, 40), (0.8, 20), (1.2, 12), (0.0, 15)])
def test_power_is_that_of_the_t_test(effect, n):
    of = design(n=2 * n, **LEVEL)
    men, replicates, true = 4000, 4000, t_power(effect, n)
    found = central(of, normal_men(of, men, [effect]), replicates=replicates).significant[0]
    assert found.low <= true <= found.high
    # the mean of the pool is off by sqrt(n / men) standard errors of a trial, which moves power by the normal density
    by_pool, by_replicates = stats.norm.pdf(stats.norm.ppf(true)) ** 2 * n / men, true * (1 - true) / replicates
    assert found.high - found.low < 1.4 * 2 * 1.96 * np.sqrt(by_pool + by_replicates)


def test_the_interval_of_power_covers_it_over_pools():
    """The error comes from the pool and the replicates alike; most of it is not that of the replicates."""
    n, men, of = 20, 200, design(n=40, **LEVEL)
    true = t_power(0.8, n)
    found = [central(of, normal_men(of, men, [0.8], seed)).significant[0] for seed in range(80)]
    covered = np.mean([share.low <= true <= share.high for share in found])
    assert covered >= 0.9
    widths = np.array([share.high - share.low for share in found])
    spread = np.std([share.value for share in found])
    assert np.median(widths) == pytest.approx(2 * 1.96 * spread, rel=0.35)  # neither boastful nor timid
    binomial = 2 * 1.96 * np.sqrt(true * (1 - true) / 1000)
    assert np.median(widths) > 1.5 * binomial


def test_copies_of_few_men_widen_the_interval():
    of = design(n=40, **LEVEL)
    men = normal_men(of, 400, [0.8])
    copies = men._replace(enrolled=tuple(one._replace(effective=100.0) for one in men.enrolled))
    one, other = (central(of, some).significant[0] for some in (men, copies))
    assert one.value == other.value
    assert 1.5 * (one.high - one.low) < other.high - other.low


def test_an_effect_that_no_replicate_misses_has_an_interval_all_the_same():
    of = design(n=40, **LEVEL)
    found = central(of, normal_men(of, 200, [4.0])).significant[0]
    assert found.value == found.high == 1
    assert 0.95 < found.low < 1


def test_assurance_is_power_averaged_over_draws():
    effects = [0.8, *np.linspace(0.0, 1.6, 12)]  # draw 0, which does not count here, and twelve others
    of = design(n=40, **LEVEL)
    men = normal_men(of, 1000, effects)
    point = power.curve(of, men, [40], replicates=2400)[0]
    expected = np.mean([t_power(effect, 20) for effect in effects[1:]])
    assert point.assurance[0].value == pytest.approx(expected, abs=0.03)
    assert point.power[0].low <= t_power(0.8, 20) <= point.power[0].high
    assert point.assurance[0].value < point.power[0].value - 0.05  # what is not known costs power


def test_one_draw_leaves_assurance_out():
    of = design(n=40, **LEVEL)
    assert power.curve(of, normal_men(of, 100, [0.8]), [40], replicates=100)[0].assurance == (None,)


def test_a_control_against_itself_is_significant_in_one_trial_of_twenty():
    of = design(n=40, **LEVEL)
    found = power.null(of, normal_men(of, 2000, [1.5]), replicates=3000)[0]
    assert found.low <= 0.05 <= found.high
    assert found.high - found.low < 0.05
    assert power.null(of, normal_men(of, 30, [1.5]), replicates=50) == (None,)  # too few for two groups


def test_without_a_control_the_null_counts_regression_to_the_mean():
    of = design(n=40, outcomes=[{"quantity": "testosterone", "against": None, "arm": "drug"}], visits=[90])
    rng, men = np.random.default_rng(1), 1000
    arm, own = np.repeat([0, 1], men), rng.normal(MEAN, SD, 2 * men)
    low = own + rng.normal(0, SD, (2, 2 * men)) - np.array([[SD], [0.0]])  # the first reading was low by chance
    untreated = {"testosterone": low.T}
    treated = {"testosterone": low.T + np.array([0, 2 * SD])}
    found = power.null(of, pool(of, treated, arm, untreated=untreated), replicates=500)[0]
    assert found.value > 0.3
    assert power.null(of, pool(of, treated, arm), replicates=50) == (None,)


def test_replicates_hold_different_men_of_their_own_arm_and_draw():
    of = design(n=30, arms=[{"name": "a", "protocol": "none", "share": 2}, {"name": "b", "protocol": "none"}], **LEVEL)
    men = normal_men(of, 50, [0.0, 0.5, 1.0])
    several = list(power.trials(of, men, replicates=60, draws=(1, 2), seed=4))
    assert [draw for draw, _ in several] == [1, 2]
    for draw, rows in several:
        assert [own.shape for own in rows] == [(30, 20), (30, 10)]
        for place, own in enumerate(rows):
            assert set(men.arm[own].ravel()) == {place} and set(men.draw[own].ravel()) == {draw}
            assert all(len(set(one)) == len(one) for one in own)


def test_the_same_seed_is_the_same_trial_and_another_is_not():
    of = design(n=40, **LEVEL)
    men = normal_men(of, 200, [0.5])
    values = [central(of, men, seed=seed).estimates[0].value for seed in (1, 1, 2)]
    assert (values[0] == values[1]).all() and not (values[0] == values[2]).all()


def test_trials_larger_than_the_pool_are_refused():
    of = design(n=40, **LEVEL)
    with pytest.raises(InputError, match=r"a trial of 500 men has 250 in \"placebo\", more than the 100 simulated"):
        power.replicate(of, normal_men(of, 100, [0.5]), n=500, replicates=10)


def test_estimates_spread_as_trials_of_that_size_do():
    of = design(n=40, **LEVEL)
    estimate = central(of, normal_men(of, 4000, [0.5]), replicates=2000).estimates[0]
    assert np.mean(estimate.value) == pytest.approx(0.5 * SD, abs=0.05 * SD)
    assert np.std(estimate.value) == pytest.approx(SD * np.sqrt(2 / 20), rel=0.06)
    assert np.mean((estimate.low <= 0.5 * SD) & (estimate.high >= 0.5 * SD)) == pytest.approx(0.95, abs=0.02)
