"""Estimates of virtual trials against textbooks, SciPy and plain least squares."""

import numpy as np
import pytest
from scipy import stats
from tests.virtual_trials import design, pool

from leydig.studies import trial_analysis as analysis
from leydig.studies import trial_statistics as statistics

RNG = np.random.default_rng(6)
N = 40
BEFORE = RNG.normal(300, 60, N)
MIDDLE = BEFORE + RNG.normal(10, 40, N)
ARM = np.repeat([0, 1], N // 2)
AFTER = 100 + 0.6 * BEFORE + 50 * ARM + RNG.normal(0, 50, N)
READINGS = {"testosterone": np.stack([BEFORE, MIDDLE, AFTER], axis=1)}
ROWS = [np.arange(N // 2), np.arange(N // 2, N)]


def found(outcome, changed=None, rows=ROWS, readings=READINGS, arm=ARM, **other):
    of = design(outcomes=[{"quantity": "testosterone", **outcome}], **(changed or {}))
    men = pool(of, readings, arm, **other)
    contrast = of.contrasts[0]
    return analysis.analyse(of, contrast, analysis.printed(men, contrast.outcome.quantity), rows)


def close(estimate, value, low, high, p):
    assert [estimate.value, estimate.low, estimate.high, estimate.p] == pytest.approx([value, low, high, p], rel=1e-9)


def numbers(estimate):
    return [float(field) for field in estimate]


# Two arms -------------------------------------------------------------------------------------------


def test_ancova_is_least_squares_with_baseline_as_a_covariate():
    columns = np.stack([np.ones(N), ARM, BEFORE], axis=1)
    solved, residual, _, _ = np.linalg.lstsq(columns, AFTER, rcond=None)
    variance = residual[0] / (N - 3) * np.linalg.inv(columns.T @ columns)
    error, reach = np.sqrt(variance[1, 1]), stats.t.ppf(0.975, N - 3)
    estimate = found({"analysis": "ancova"})
    close(
        estimate,
        solved[1],
        solved[1] - reach * error,
        solved[1] + reach * error,
        2 * stats.t.sf(abs(solved[1] / error), N - 3),
    )
    assert estimate.error == pytest.approx(error)
    assert estimate.n == N


def test_ancova_leaves_out_men_without_both_readings():
    holes = {"testosterone": READINGS["testosterone"].copy()}
    holes["testosterone"][3, 2] = holes["testosterone"][25, 0] = np.nan
    kept = [np.delete(ROWS[0], 3), np.delete(ROWS[1], 5)]
    estimate, without = found({"analysis": "ancova"}, readings=holes), found({"analysis": "ancova"}, rows=kept)
    assert numbers(estimate) == pytest.approx(numbers(without), rel=1e-12)


def test_levels_and_changes_are_compared_by_welch():
    for analysed, x, y in (("level", AFTER[ARM == 1], AFTER[ARM == 0]), ("change", *_changes())):
        result = stats.ttest_ind(x, y, equal_var=False)
        interval = result.confidence_interval()
        close(found({"analysis": analysed}), x.mean() - y.mean(), interval.low, interval.high, result.pvalue)


def _changes():
    return (AFTER - BEFORE)[ARM == 1], (AFTER - BEFORE)[ARM == 0]


def test_within_an_arm_a_change_is_a_paired_t_test():
    result = stats.ttest_rel(AFTER[ARM == 1], BEFORE[ARM == 1])
    interval = result.confidence_interval()
    estimate = found({"analysis": "change", "arm": "drug", "against": None})
    close(estimate, _changes()[0].mean(), interval.low, interval.high, result.pvalue)


def test_a_level_within_an_arm_has_an_interval_and_nothing_to_test():
    estimate = found({"analysis": "level", "arm": "drug", "against": None})
    assert float(estimate.value) == pytest.approx(AFTER[ARM == 1].mean())
    assert estimate.low < estimate.value < estimate.high
    assert np.isnan(estimate.p)


def test_ratios_are_of_geometric_means_above_the_floor():
    floor = 10.0  # of testosterone, data/calibration.yaml
    logs = np.log(AFTER + floor) - np.log(BEFORE + floor)
    result = stats.ttest_ind(logs[ARM == 1], logs[ARM == 0], equal_var=False)
    interval = result.confidence_interval()
    value = np.exp(logs[ARM == 1].mean() - logs[ARM == 0].mean())
    close(found({"analysis": "ratio"}), value, np.exp(interval.low), np.exp(interval.high), result.pvalue)


def test_percent_changes_of_men_and_of_means():
    percent = 100 * (AFTER / BEFORE - 1)
    assert found({"analysis": "percent_change"}).value == pytest.approx(
        percent[ARM == 1].mean() - percent[ARM == 0].mean()
    )
    one = found({"analysis": "percent_change", "of": "means", "arm": "drug", "against": None})
    before, after = BEFORE[ARM == 1], AFTER[ARM == 1]
    ratio, n = after.mean() / before.mean(), len(before)
    covariance = np.cov(before, after)
    # delta method for a quotient of two correlated means
    relative = covariance[1, 1] / after.mean() ** 2 + covariance[0, 0] / before.mean() ** 2
    relative -= 2 * covariance[0, 1] / (after.mean() * before.mean())
    assert one.value == pytest.approx(100 * (ratio - 1))
    assert one.error == pytest.approx(100 * ratio * np.sqrt(relative / n))


# Shares ---------------------------------------------------------------------------------------------


def test_wilson_and_newcombe_intervals_as_published():
    """Newcombe 1998: 81 of 263, and 56 of 70 against 48 of 80."""
    assert statistics.wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    x, y = np.repeat([1.0, 0.0], [56, 14]), np.repeat([1.0, 0.0], [48, 32])
    estimate = statistics.difference_of_shares(x, y)
    assert (estimate.low, estimate.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    chi = stats.chi2_contingency([[56, 14], [48, 32]], correction=False)
    assert estimate.p == pytest.approx(chi.pvalue)


def test_responders_belong_to_their_limits_in_any_unit():
    values = {"testosterone": np.array([[200, 0, 288.42], [200, 0, 288.0], [400, 0, 500.0], [300, 0, np.nan]])}
    within = {"responder": {"above": 10, "below": 17.34, "unit": "nmol/L"}, "arm": "drug", "against": None}
    rows = [np.zeros(0, int), np.arange(4)]
    estimate = found({"analysis": "responder", **within}, rows=rows, readings=values, arm=np.ones(4, int))
    assert (estimate.value, estimate.n) == (2 / 3, 3)
    rule = {"responder": {"of": "percent_change", "above": 44.1, "unit": "%"}, "arm": "drug", "against": None}
    estimate = found({"analysis": "responder", **rule}, rows=rows, readings=values, arm=np.ones(4, int))
    assert estimate.value == 1 / 3


def test_nobody_and_everybody_responding_gives_no_significance_and_real_limits():
    nobody = statistics.difference_of_shares(np.zeros(10), np.zeros(10))
    assert nobody.value == 0 and nobody.p == 1
    assert nobody.low < 0 < nobody.high


# Many trials at once --------------------------------------------------------------------------------


@pytest.mark.parametrize("analysed", ["level", "change", "percent_change", "ratio", "ancova"])
def test_many_replicates_are_the_same_as_one_by_one(analysed):
    rng = np.random.default_rng(1)
    rows = [np.stack([rng.permutation(own)[:12] for _ in range(5)]) for own in ROWS]
    together = found({"analysis": analysed}, rows=rows)
    for place in range(5):
        alone = found({"analysis": analysed}, rows=[own[place] for own in rows])
        assert [field[place] for field in together] == pytest.approx(numbers(alone), rel=1e-12)


# Who is missing -------------------------------------------------------------------------------------

SERIES = {"testosterone": np.array([[100.0, 200.0, 300.0], [100.0, 210.0, 500.0], [100.0, 150.0, 900.0]])}
LEFT = np.array([np.inf, 90.0, 45.0])  # d; the second man still comes on day 90


@pytest.mark.parametrize(
    ("missing", "value", "n"), [("available", 300.0, 2), ("carried", 650 / 3, 3), ("completers", 300.0, 2)]
)
def test_readings_after_a_man_has_left(missing, value, n):
    estimate = found(
        {"arm": "drug", "against": None},
        {"missing": missing},
        rows=[np.zeros(0, int), np.arange(3)],
        readings=SERIES,
        arm=np.ones(3, int),
        left=LEFT,
    )
    assert (estimate.value, estimate.n) == (pytest.approx(value), n)


def test_completers_are_left_out_of_earlier_visits_too():
    outcome = {"arm": "drug", "against": None, "day": 30}
    rows, arm = [np.zeros(0, int), np.arange(3)], np.ones(3, int)
    estimates = [
        found(outcome, {"missing": missing}, rows=rows, readings=SERIES, arm=arm, left=LEFT).value
        for missing in ("available", "completers")
    ]
    assert estimates == pytest.approx([(100 + 110 + 50) / 3, 105.0])


# Crossover ------------------------------------------------------------------------------------------


def crossed(drug=80.0, period=25.0, n=(9, 12), outcome=None):
    """Readings of a crossover of two arms with an effect of the second period, and the design."""
    of = design(
        crossover={"washout": "4 weeks"}, visits=[90], outcomes=[{"quantity": "testosterone", **(outcome or {})}]
    )
    rng, arm = np.random.default_rng(2), np.repeat([0, 1], n)
    own = rng.normal(300, 80, len(arm))
    values = np.tile(own[:, None], (1, len(of.days))) + rng.normal(0, 20, (len(arm), len(of.days)))
    second = len(of.days) // 2
    values[:, second + 1] += period
    for sequence, (_, order) in enumerate(of.sequences):
        values[arm == sequence, second * order.index(1) + 1] += drug
    return of, pool(of, {"testosterone": values}, arm), [np.flatnonzero(arm == place) for place in (0, 1)], values


def test_a_crossover_compares_each_man_with_himself_and_periods_cancel():
    """As Hills and Armitage 1979: a t test of the men's period differences between the sequences."""
    of, men, rows, values = crossed(outcome={"analysis": "level"})
    period = values[:, 1] - values[:, 3]  # first less second
    result = stats.ttest_ind(period[rows[1]], period[rows[0]])  # drug first, drug second
    interval = result.confidence_interval()
    estimate = analysis.analyse(of, of.contrasts[0], analysis.printed(men, "testosterone"), rows)
    close(
        estimate,
        (period[rows[1]].mean() - period[rows[0]].mean()) / 2,
        interval.low / 2,
        interval.high / 2,
        result.pvalue,
    )
    assert estimate.low < 80 < estimate.high


def test_the_effect_of_the_period_is_told_apart():
    of, men, rows, _ = crossed(outcome={"analysis": "level"})
    effect = analysis.period_effect(of, of.contrasts[0], analysis.printed(men, "testosterone"), rows)
    assert effect.low < 25 < effect.high
    assert effect.p < 0.05
    parallel = design()
    men = pool(parallel, READINGS, ARM)
    source = analysis.printed(men, "testosterone")
    assert analysis.period_effect(parallel, parallel.contrasts[0], source, ROWS) is None


def test_three_arms_cross_in_all_six_orders_and_cancel_any_period():
    arms = [{"name": name, "protocol": protocol} for name, protocol in (("A", "none"), ("B", "none"), ("C", "none"))]
    of = design(
        arms=arms,
        n=12,
        visits=[30],
        crossover={"washout": 0},
        outcomes=[{"quantity": "testosterone", "analysis": "level", "arm": "C", "against": "A"}],
    )
    assert len(of.sequences) == 6 and of.days == (0, 30, 60, 90)
    effects, periods = (0.0, 10.0, 35.0), (0.0, 100.0, -50.0)
    values = [[300.0] + [300 + effects[arm] + periods[k] for k, arm in enumerate(order)] for _, order in of.sequences]
    men = pool(of, {"testosterone": np.repeat(values, 2, axis=0)}, np.repeat(np.arange(6), 2))
    rows = [np.array([2 * place, 2 * place + 1]) for place in range(6)]
    estimate = analysis.analyse(of, of.contrasts[0], analysis.printed(men, "testosterone"), rows)
    assert estimate.value == pytest.approx(35)


# Without a control ----------------------------------------------------------------------------------


def test_regression_to_the_mean_is_split_from_what_the_drug_did():
    """Men chosen by a low reading, whose next reading rises by itself; the drug doubles it."""
    of = design(
        arms=[{"name": "drug", "protocol": "anastrozole 1 mg daily"}],
        outcomes=[{"quantity": "testosterone", "analysis": "ratio"}],
        visits=[90],
    )
    rng = np.random.default_rng(3)
    own, noise = rng.normal(5.7, 0.3, 40_000), rng.normal(0, 0.2, (40_000, 2))
    first, then = np.exp(own + noise[:, 0]), np.exp(own + noise[:, 1])
    low = first < 250
    untreated = np.stack([first[low], then[low]], axis=1)
    treated = np.stack([first[low], 2 * then[low]], axis=1)
    men = pool(of, {"testosterone": treated}, np.zeros(low.sum(), int), untreated={"testosterone": untreated})
    split = analysis.split(of, of.contrasts[0], men, [np.arange(low.sum())])
    assert split.without.low > 1.05  # nobody took anything
    assert split.drug.value == pytest.approx(2, rel=0.05)  # but for the floor that is added to both readings
    assert split.without.value * split.drug.value == pytest.approx(split.seen.value)
    assert analysis.split(of, of.contrasts[0], men._replace(untreated=None), [np.arange(5)]) is None


def test_a_split_of_means_adds_up():
    of = design(
        arms=[{"name": "drug", "protocol": "anastrozole 1 mg daily"}],
        outcomes=[{"quantity": "testosterone", "analysis": "percent_change", "of": "means"}],
        visits=[90],
    )
    treated, none = np.array([[100.0, 180.0], [200.0, 300.0]]), np.array([[100.0, 110.0], [200.0, 220.0]])
    men = pool(of, {"testosterone": treated}, np.zeros(2, int), untreated={"testosterone": none})
    split = analysis.split(of, of.contrasts[0], men, [np.arange(2)])
    assert (split.seen.value, split.without.value, split.drug.value) == pytest.approx((60, 10, 50))
