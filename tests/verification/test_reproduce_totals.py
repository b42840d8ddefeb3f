"""Totals over scored figures: closed forms, weights, clusters of studies, and what each figure is counted under."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from leydig.evidence import Arm, Trial
from leydig.report import reproduce_figures, reproduce_words
from leydig.studies import nulls, reproduce_entries, reproduce_totals
from leydig.studies.figures import figures
from leydig.studies.reproduce import Reproduced, Scored
from leydig.studies.reproduce_entries import entries, shared_men, under_treatment
from leydig.studies.reproduce_rows import Failed, document
from leydig.studies.trial_pool import Enrolled, Row

HALF_WIDTH = 0.6744898  # of a normal 50 % interval, in standard deviations
T = "testosterone"


def outcome(value: float, day: float = 28, **more) -> dict:
    return {
        "quantity": T, "day": day, "value": value, "unit": "1", "statistic": "ratio", "where": "table 2",
        "seen": "abstract", "n": 10, **more,
    }  # fmt: skip


def trial(key: str = "made", role: str = "validation", values=(1.5,), **more) -> Trial:
    """A trial with one arm on anastrozole and a placebo arm; a figure per value, a day apart."""
    arm = {
        "name": "drug",
        "n": 10,
        "protocol": "anastrozole 1 mg daily for 12 weeks",
        "outcomes": [outcome(value, 28 + place) for place, value in enumerate(values)],
    }
    return Trial.model_validate(
        {
            "key": key, "citation": "leder2004", "title": key, "verification": "abstract", "role": role,
            "reason": "made for a test", "population": {"text": "men"},
            "arms": [arm, {"name": "placebo", "n": 10, "protocol": "none for 12 weeks"}],
        }
        | more
    )  # fmt: skip


def scored(figure, z: float = 0.0, weight: float = 1.0, sampling: float = 0.1, of_nulls=(4.0, 3.0)) -> Scored:
    """A normal prediction of spread 0.2 whose middle lies z spreads above what was reported."""
    sd = 0.2
    middle = figure.reported + z * sd
    low, high = middle - 1.959964 * sd, middle + 1.959964 * sd
    inner = (middle - HALF_WIDTH * sd, middle + HALF_WIDTH * sd)
    return Scored(
        figure=figure, weight=weight, median=middle, low_95=low, high_95=high, low_50=inner[0], high_50=inner[1],
        inside_95=abs(z) <= 1.959964, inside_50=abs(z) <= HALF_WIDTH, z=z, error=z * sd, sampling=sampling,
        interval_score=nulls.interval_score(low, high, figure.reported, 0.95),
        null_no_change=of_nulls[0], null_mean_change=of_nulls[1],
        shown=(math.exp(middle), math.exp(low), math.exp(high)),
    )  # fmt: skip


def run(some: Trial, z=(0.0,), **more) -> Reproduced:
    own = figures(some)
    weight = 1 / len(own)
    lines = (Row(T, "ng/dL", 400.0, 402.0, 100.0, 98.0),)
    enrolled = (Enrolled("drug", 4000, 0.25, 310.0, lines),)
    return Reproduced(
        some, tuple(scored(f, one, weight, **more) for f, one in zip(own, z, strict=True)), enrolled, (), 1.0
    )


def found(*z_of_each, role="validation") -> list[Reproduced]:
    """A trial per sequence of z."""
    return [
        run(trial(f"t{place}", role, [1.5 + i / 10 for i in range(len(z))]), z) for place, z in enumerate(z_of_each)
    ]


# Closed forms ---------------------------------------------------------------------------------------


def test_the_interval_score_is_the_width_and_forty_times_a_miss():
    score = nulls.interval_score
    assert score(1.0, 3.0, 2.0, 0.95) == 2.0
    assert score(1.0, 3.0, 1.0, 0.95) == 2.0  # a limit belongs to the interval
    assert score(1.0, 3.0, 3.5, 0.95) == pytest.approx(2 + 40 * 0.5)
    assert score(1.0, 3.0, 0.0, 0.5) == pytest.approx(2 + 4 * 1.0)


def test_the_interval_score_is_least_in_expectation_for_the_true_quantiles():
    draws = np.random.default_rng(0).standard_normal(40_000)

    def expected(reach: float) -> float:
        return float(np.mean([nulls.interval_score(-reach, reach, x, 0.95) for x in draws[:4000]]))

    assert expected(1.96) < min(expected(1.5), expected(2.6))


def test_wilson_is_the_published_interval():
    # 81 of 263: 0.2553 to 0.3662 (Newcombe, Stat Med 1998;17:857, table I, method 3)
    low, high = reproduce_totals.wilson(81 / 263, 263)
    assert (low, high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert reproduce_totals.wilson(1.0, 20) == pytest.approx((0.8389, 1.0), abs=5e-5)  # 0 of 20 turned round


def test_wilson_holds_its_share_within_0_and_1():
    # at 0 and 1 one limit is the share itself; a mean by weight can lie beyond by rounding
    for number in (*range(1, 400), *np.random.default_rng(3).uniform(1, 300, 400)):
        for share in (0.0, 1.0, 0.37):
            low, high = reproduce_totals.wilson(share, float(number))
            assert 0 <= low <= share <= high <= 1
    assert reproduce_totals.wilson(1 + 1e-15, 9) == reproduce_totals.wilson(1.0, 9)


def test_coverage_is_drawn_where_rounding_puts_a_limit_beyond_its_share():
    answer = document(found((0.0, 0.1), (0.2,)))
    answer["validation"]["inside_95_interval"] = (0.5, 1 - 2**-53)
    assert answer["validation"]["inside_95"] == 1.0
    assert reproduce_figures.coverage(answer).startswith("data:image/svg")


def test_sampling_alone_is_the_median_of_absolute_normal_errors():
    sampling_alone = reproduce_totals.sampling_alone
    assert sampling_alone(np.full(5, 0.3), np.ones(5)) == pytest.approx(0.3 * HALF_WIDTH, rel=1e-6)
    sizes, weights = np.array([0.1, 0.2, 0.9]), np.array([1.0, 0.5, 2.0])
    rng = np.random.default_rng(1)
    which = rng.choice(3, 200_000, p=weights / weights.sum())
    assert sampling_alone(sizes, weights) == pytest.approx(
        np.median(np.abs(sizes[which] * rng.standard_normal(200_000))), rel=0.02
    )
    assert sampling_alone(np.array([]), np.array([])) is None
    assert sampling_alone(np.zeros(3), np.ones(3)) is None


def test_the_weighted_median():
    median = reproduce_totals.median
    assert median(np.array([3.0, 1.0, 2.0]), np.ones(3)) == 2
    assert median(np.array([1.0, 2.0, 3.0, 4.0]), np.ones(4)) == 2.5
    assert median(np.array([1.0, 2.0, 3.0]), np.array([5.0, 1.0, 1.0])) == 1
    assert median(np.array([1.0, np.nan]), np.ones(2)) == 1
    assert median(np.array([]), np.array([])) is None


# How sure a share is --------------------------------------------------------------------------------


def test_the_effective_number_lies_between_groups_and_figures():
    number = reproduce_totals.effective_number
    ones = np.ones(40)
    inside = np.tile([1.0, 0.0], 20)
    apart = [str(place) for place in range(40)]
    assert number(inside, ones, apart) == 40
    together = [str(place // 10) for place in range(40)]
    assert number(np.repeat([1.0, 0.0], 20), ones, together) == pytest.approx(4)  # whole groups alike
    assert number(np.tile([1.0, 0.0], 20), ones, together) == 4  # groups all alike tell nothing of their variance
    assert number(ones, ones, together) == 4
    assert number(inside, np.array([37.0] + [1.0] * 39), apart) < 5


def test_figures_of_one_group_make_a_share_less_sure():
    inside, weights = np.repeat([1.0, 0.0], [90, 10]), np.ones(100)
    few = reproduce_totals.share_interval(inside, weights, [str(place // 25) for place in range(100)])
    many = reproduce_totals.share_interval(inside, weights, [str(place) for place in range(100)])
    assert few is not None and many is not None
    assert few[1] - few[0] > 2 * (many[1] - many[0])
    assert few[0] < 0.9 < few[1]


def test_drawing_studies_again_is_the_same_every_time_and_knows_nothing_of_order():
    values = np.random.default_rng(2).random(60)
    groups = [f"g{place % 12}" for place in range(60)]
    weights = np.linspace(0.2, 1, 60)
    first = reproduce_totals.bootstrap(values, weights, groups)
    assert first == reproduce_totals.bootstrap(values, weights, groups)
    turned = reproduce_totals.bootstrap(values[::-1], weights[::-1], groups[::-1])
    assert first == pytest.approx(turned, rel=1e-12)
    assert first[0] < np.average(values, weights=weights) < first[1]
    assert reproduce_totals.bootstrap(values, weights, ["one"] * 60) is None


def test_drawing_studies_again_has_the_spread_of_a_mean_of_groups():
    rng = np.random.default_rng(3)
    values = np.repeat(rng.standard_normal(400), 5)  # five figures alike per group: worth one
    low, high = reproduce_totals.bootstrap(values, np.ones(2000), [str(place // 5) for place in range(2000)])
    assert (high - low) / (2 * 1.96) == pytest.approx(np.std(values) / np.sqrt(400), rel=0.08)


# Totals ---------------------------------------------------------------------------------------------


def test_several_days_of_one_arm_and_quantity_weigh_one_together():
    total = reproduce_totals.totals(entries(found([0.0], [3.0, 3.0, 3.0])))
    assert (total["total"], total["studies"]) == (4, 2)
    assert total["weight"] == pytest.approx(2)
    assert total["inside_95"] == pytest.approx(0.5)  # not 1 of 4
    assert total["inside_50"] == pytest.approx(0.5)
    assert total["z"]["mean"] == pytest.approx(1.5)
    assert total["z"]["sd"] == pytest.approx(1.5)


def test_scores_are_means_by_weight_beside_the_nulls():
    total = reproduce_totals.totals(entries(found([0.0], [3.0, 3.0])))
    width = 2 * 1.959964 * 0.2
    missed = width + 40 * (3 - 1.959964) * 0.2
    assert total["interval_score"] == pytest.approx((width + missed) / 2)
    assert total["null_interval_scores"] == {"no_change": 4.0, "mean_change": 3.0}
    assert total["better_by"]["no_change"]["difference"] == pytest.approx(4 - (width + missed) / 2)


def test_the_error_of_hormone_means_is_held_against_sampling_alone():
    total = reproduce_totals.totals(entries(found([1.0], [-2.0], [3.0])))
    means = total["hormone_means"]
    assert means["figures"] == 3
    assert means["median_absolute_error"] == pytest.approx(0.4)
    assert means["sampling_alone"] == pytest.approx(0.1 * HALF_WIDTH, rel=1e-6)
    assert means["error_ratio"] == pytest.approx(4 / HALF_WIDTH, rel=1e-6)
    assert reproduce_totals.targets_met(total | {"hormone_means": means})["error_ratio"] is False


def test_a_run_that_failed_is_outside_and_spoils_no_mean():
    one = run(trial("t", values=[1.5, 1.6]), [0.0, math.nan])
    total = reproduce_totals.totals(entries([one]))
    assert (total["failed"], total["inside_95"]) == (1, 0.5)
    assert total["z"]["mean"] == 0 and math.isfinite(total["interval_score"])


def test_targets_are_met_within_their_limits():
    inside, outside = [[0.5]] * 9 + [[1.0]] * 10, [[3.0]]
    met = reproduce_totals.targets_met(reproduce_totals.totals(entries(found(*inside, *outside))))
    assert met["inside_95"] is True and met["inside_50"] is True  # 95 and 45 %
    assert met["better_than_no_change"] is True
    met = reproduce_totals.targets_met(reproduce_totals.totals(entries(found(*inside))))
    assert met["inside_95"] is False  # all inside: intervals too wide to say much
    assert set(reproduce_totals.targets_met(reproduce_totals.totals([])).values()) == {None}


def test_of_few_studies_or_across_the_aim_nothing_is_said_to_be_missed():
    def said(*z) -> str:
        return reproduce_words.verdict(document(found(*z))["validation"], "inside_95")

    assert said([5.0]) == "too few to say"  # one study
    assert said(*[[0.5]] * 9) == "too few to say"
    assert said(*[[0.5]] * 13, [3.0]) == "met"  # 93 %
    assert said(*[[0.5]] * 10, *[[3.0]] * 2) == "too few to say"  # 83 %, the interval reaches 90 %
    assert said(*[[0.5]] * 10, *[[3.0]] * 10) == "missed"


# What a figure is counted under ---------------------------------------------------------------------


def test_studies_that_share_men_are_one_group():
    some = [
        trial("a", shares_men_with=["x"]), trial("b"), trial("c", shares_men_with=["b"]),
        trial("d", shares_men_with=["x"]), trial("e"),
    ]  # fmt: skip
    groups = shared_men(some)
    assert groups["a"] == groups["d"] and groups["b"] == groups["c"]
    assert len(set(groups.values())) == 3
    total = reproduce_totals.totals(entries([run(one) for one in some]))
    assert (total["studies"], total["groups"]) == (5, 3)


def test_a_figure_told_in_words_as_no_change_is_left_out_where_that_is_said():
    told = trial("t", arms=[{
        "name": "drug", "n": 10, "protocol": "anastrozole 1 mg daily for 12 weeks",
        "outcomes": [
            outcome(1.0, 28, note="told in words: no change"), outcome(1.0, 29), outcome(1.2, 30, note="told in words"),
        ],
    }])  # fmt: skip
    listed = entries([run(told, [0.0, 0.0, 3.0])])
    assert [entry.in_words for entry in listed] == [True, False, False]
    total = reproduce_totals.totals(listed)
    assert (total["total"], total["without_words"]["total"]) == (3, 2)
    assert total["inside_95"] == pytest.approx(2 / 3)
    assert total["without_words"]["inside_95"] == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("protocol", "day", "treated"),
    [
        ("anastrozole 1 mg daily for 12 weeks", 84, True),
        ("anastrozole 1 mg daily for 12 weeks", 85, False),
        ("anastrozole 1 mg daily", 1000, True),
        ("none for 4 weeks then anastrozole 1 mg daily for 4 weeks", 28, False),
        ("none for 4 weeks then anastrozole 1 mg daily for 4 weeks", 29, True),
        ("weight -10 % over 12 weeks", 200, True),
        ("none for 12 weeks", 28, False),
        ("anastrozole 1 mg daily for 12 weeks", 0, False),
    ],
)
def test_a_mean_is_on_treatment_while_a_drug_is_given(protocol, day, treated):
    assert under_treatment(Arm(name="a", protocol=protocol), day) is treated


def test_an_arm_without_a_drug_counts_under_that_of_the_arm_it_stands_against():
    arms = [
        {"name": "drug", "n": 9, "protocol": "letrozole 2.5 mg daily + hCG 1500 IU Mon Wed Fri"},
        {"name": "placebo", "n": 9, "protocol": "none", "outcomes": [outcome(0.8, against="drug"), outcome(0.9)]},
    ]
    listed = entries([run(trial(arms=arms), [0.0, 0.0])])
    assert [entry.drugs for entry in listed] == [("letrozole", "hCG"), ("untreated",)]
    assert not any(entry.hormone_mean for entry in listed)
    assert set(reproduce_totals.totals(listed)["by_drug"]) == {"letrozole", "hCG", "untreated"}


# The answer -----------------------------------------------------------------------------------------


def test_roles_are_apart_and_none_stands_only_where_it_is():
    answer = document([*found([0.0]), run(trial("c", "calibration"), [3.0])])
    assert set(answer) == {"calibration", "validation", "trials"}
    assert (answer["calibration"]["inside_95"], answer["validation"]["inside_95"]) == (0, 1)
    answer = document([run(trial("n", "none"))])
    assert answer["none"]["total"] == 1
    assert answer["calibration"]["total"] == 0 and answer["calibration"]["inside_95"] is None


def test_a_row_holds_what_the_paper_printed_and_what_was_predicted_in_its_unit():
    [row] = document([run(trial("t"), [1.0])])["trials"]
    [figure] = row["figures"]
    assert (figure["reported"], figure["unit"], figure["statistic"]) == (1.5, "1", "ratio")
    ordered = [figure[name] for name in ("lower", "lower_50", "predicted", "upper_50", "upper")]
    assert ordered == pytest.approx(
        1.5 * np.exp(0.2 * (1 + np.array([-1.959964, -HALF_WIDTH, 0, HALF_WIDTH, 1.959964])))
    )
    assert figure["compared"]["scale"] == "log ratio to baseline"
    assert row["baseline"][0] == {
        "arm": "drug", "quantity": T, "unit": "ng/dL", "asked": 400.0, "reached": 402.0, "asked_sd": 100.0,
        "reached_sd": 98.0, "assumed": None, "inherited": None,
    }  # fmt: skip
    assert "seconds" not in row


def test_an_unknown_citation_is_said_and_a_failed_trial_has_a_row():
    answer = document([run(trial("t", citation="nobody1999"))], [Failed(trial("u"), "no men")])
    assert "nobody1999" in answer["trials"][0]["remarks"][0] and answer["trials"][0]["reference"] is None
    assert (answer["trials"][1]["status"], answer["trials"][1]["why"]) == ("failed", "no men")
    assert answer["validation"]["total"] == 1


def test_every_shipped_figure_finds_its_outcome():
    from leydig.evidence import trials

    for one in trials():
        own = figures(one) if one.role != "none" else []
        fake = SimpleNamespace(trial=one, scored=[SimpleNamespace(figure=figure) for figure in own])
        for figure, (_, match) in zip(own, reproduce_entries.matched(fake), strict=True):
            assert (figure.quantity, figure.day, figure.against) == (match.quantity, match.day, match.against)
