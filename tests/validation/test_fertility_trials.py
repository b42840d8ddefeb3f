"""Virtual trials of fertility: what comes back by itself, what a drug does, recovery, conception.

Groups here are smaller than those of the page; bounds are standard errors of their own size or published figures,
set before any figure was computed. What the model misses stands as a strict expected failure.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from leydig.evidence import trial
from leydig.report.wording import DAYS_PER_YEAR
from leydig.studies import couple
from leydig.studies import fertility_recovery as recovery
from leydig.studies import fertility_split as split
from leydig.studies import fertility_trials as trials
from leydig.studies.fertility_plan import NOTHING, Group, plan
from leydig.studies.reproduce import Settings, reproduce
from leydig.studies.trial_records import Men

ROOT = Path(__file__).resolve().parents[2]
DRUG, COUNT, MOTILE = "anastrozole 1 mg daily", trials.COUNT, trials.MOTILE
DRAWS, MEN = 2, 150
SURE = 4.0  # standard errors beyond which nothing is chance in a handful of tests
FEW = Settings(draws=4, least_men=32, most_men=48, replicates=60)


def limit(quantity, visit, **sides):
    unit = {COUNT: "10^6/mL", "testosterone": "ng/dL", trials.RATIO: "1"}[quantity]
    return {"quantity": quantity, "visit": visit, "unit": unit, **sides}


def small(condition, *criteria, drugs=(DRUG,)):
    """The plan with one small group of its own."""
    men = Men(condition=condition, ages=(25.0, 45.0), criteria=criteria)
    group = Group(men=men, drugs=drugs, couples=True, kind="assumed", source="assumed")
    return plan().model_copy(update={"groups": {"men": group}})


def followed(condition, *criteria, drugs=(DRUG,)):
    return trials.follow_group("men", small(condition, *criteria, drugs=drugs), draws=DRAWS, men=MEN)


def read(found, quantity, drug=NOTHING):
    """(N,) change of the log reading from the first to the last visit."""
    series = trials.logged(quantity, found.printed[drug][quantity])
    return series[:, -1] - series[:, 0]


def standard_error(values):
    return float(np.std(values) / np.sqrt(len(values)))


@pytest.fixture(scope="module")
def picked():
    """Men picked by the low count that is printed as their baseline."""
    return followed("eugonadal", limit(COUNT, "baseline", below=40.0))


@pytest.fixture(scope="module")
def screened():
    """Men picked by the same low count in a sample before baseline."""
    return followed("eugonadal", limit(COUNT, "screening", below=40.0))


def test_a_count_that_picked_men_comes_back_by_itself(picked):
    change = read(picked, COUNT)
    assert change.mean() > SURE * standard_error(change)
    # the same semen: what is computed from the count comes back with it
    motile = read(picked, MOTILE)
    assert motile.mean() > SURE * standard_error(motile)


def test_nothing_comes_back_where_another_sample_picked_the_men(screened):
    for quantity in trials.READ:
        change = read(screened, quantity)
        assert abs(change.mean()) < SURE * standard_error(change), quantity


def test_nothing_comes_back_of_what_picked_nobody(picked):
    change = read(picked, "testosterone")
    assert abs(change.mean()) < SURE * standard_error(change)


def test_a_low_ratio_that_picked_men_brings_testosterone_back():
    """Testosterone is half of the ratio, from the same blood; a count has no part in it."""
    found = followed("eugonadal", limit(trials.RATIO, "baseline", below=12.0))
    for quantity in (trials.RATIO, "testosterone"):
        change = read(found, quantity)
        assert change.mean() > SURE * standard_error(change), quantity
    count = read(found, COUNT)
    assert abs(count.mean()) < SURE * standard_error(count)


def test_truth_of_untreated_men_does_not_move(picked, screened):
    for found in (picked, screened):
        for quantity, series in found.truth[NOTHING].items():
            np.testing.assert_allclose(series, series[:, :1] * np.ones(series.shape[1]), rtol=1e-4, err_msg=quantity)


def test_change_is_drug_times_what_comes_back(picked):
    """The drug's part, read, is its true effect: noise that both runs share cancels."""
    drug = read(picked, COUNT, DRUG) - read(picked, COUNT)
    state = picked.truth[DRUG][COUNT][:, -1], picked.truth[NOTHING][COUNT][:, -1]
    true = trials.logged(COUNT, state[0]) - trials.logged(COUNT, state[1])
    apart = drug - true
    assert abs(apart.mean()) < 0.01  # readings are rounded to what a laboratory prints
    rows = {(row.drug, row.quantity, row.day, row.part): row.estimate for row in trials.effects(picked)}
    day = float(picked.days[-1])
    for name in (NOTHING, DRUG):
        parts = [rows[name, COUNT, day, part].middle for part in ("change", "by itself", "drug")]
        assert parts[0] == pytest.approx(parts[1] * parts[2], rel=0.01)


def test_the_split_takes_what_reproduce_takes():
    """What comes back by itself is that of ``leydig reproduce``, and the drug is the rest of the prediction."""
    chosen = next(one for one in split.chosen_trials() if one.key == "clomiphene40men")
    found, failed = split.splits(chosen, settings=FEW)
    assert not failed
    own = {one.quantity: one for one in found if one.men == "condition"}
    for scored in reproduce(trial("clomiphene40men"), settings=FEW).scored:
        assert own[scored.figure.quantity].itself.middle == pytest.approx(scored.untreated, abs=1e-9)
        assert own[scored.figure.quantity].inside == scored.inside_95


def test_donors_given_nothing_read_higher():
    """Baker 1985 (validation): 28 to 56 million/mL in donors picked for less than 40, and motility 42 to 55 %."""
    for key in ("baker1985concentration", "baker1985motility"):
        chosen = next(one for one in split.chosen_trials() if one.key == key)
        (found,), _ = split.splits(chosen, settings=FEW)
        assert found.kind == "untreated"
        assert found.itself.middle > np.log(1.1)
        assert found.inside


def test_the_files_name_what_is_there():
    """Every figure and arm that the plan names stands in its trial, and nothing that is left out is split."""
    series = plan().series
    for one in series.also:
        assert any(
            (arm.name, figure.quantity) == (one.arm, one.quantity) for arm, figure in trial(one.trial).outcomes()
        )
    for supposed in series.supposed:
        assert supposed.arm in [arm.name for arm in trial(supposed.trial).arms]
    split_trials = {one.key for one in split.chosen_trials()}
    assert not split_trials & set(series.left_out)
    assert {one.trial for one in (*series.also, *series.supposed)} <= split_trials
    assert {"raman2002", "pavlovich2001", "saylam2011", "cavallini2013", "santi2015", "pozzi2025"} <= split_trials


def test_the_page_is_of_this_model():
    """One figure of the page comes out again."""
    chosen = next(one for one in split.chosen_trials() if one.key == "baker1985motility")
    (found,), _ = split.splits(chosen)
    with (ROOT / "docs" / "fertility.csv").open(encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(file) if line["men"].startswith("baker1985motility")]
    (line,) = [line for line in lines if line["what"] == "by itself"]
    written = [float(line[name]) for name in ("middle", "low", "high")]
    assert written == pytest.approx(list(np.exp(found.itself)), rel=1e-3), "run tools/fertility_page.py"


# Recovery ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def courses():
    of = plan()
    short = of.recovery.model_copy(update={"weeks": (8, 26, 104), "afterwards": {}, "followed": 52})
    several = recovery.follow_recovery(of.model_copy(update={"recovery": short}), draws=DRAWS, men=50)
    return {course.weeks: course for course in several}


def test_testosterone_stops_sperm(courses):
    for weeks in (26, 104):
        course = courses[weeks]
        assert np.median(course.truth[:, 0]) < 1  # WHO: most men azoospermic by 26 weeks
        assert np.median(course.truth[:, -1] / course.before) > 0.8  # ly2005: a plateau of 85 % after a year


def test_the_longer_the_course_the_later_sperm_are_back(courses):
    """After eight weeks without testosterone."""
    place = int(np.flatnonzero(courses[8].days == 56)[0])
    counts = [np.exp(np.log(courses[weeks].truth[:, place]).mean()) for weeks in sorted(courses)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[1] > counts[2]


def test_the_median_man_is_back_when_the_pooled_men_were(courses):
    """liu2006 (calibration): 3.4 months (3.2 to 3.5) to 20 million/mL; a sample is taken every two weeks here."""
    months = recovery.months_to(courses[26].printed, courses[26].days, 20.0)
    assert np.nanmedian(months) == pytest.approx(3.4, abs=14 / (DAYS_PER_YEAR / 12) + 0.2)


@pytest.mark.xfail(
    strict=True,
    reason="known miss (README, Limits): a third of the men took more than half a year, hardly any here, because"
    " virtual men differ in where they start and not in how fast axis and germ cells recover",
)
def test_a_third_of_the_men_take_more_than_half_a_year(courses):
    """liu2006: 67 % (61 to 72) at 20 million/mL by 6 months."""
    months = recovery.months_to(courses[104].printed, courses[104].days, 20.0)
    assert 61 <= 100 * np.mean(months[~np.isnan(months)] <= 6) <= 72


# Conception ----------------------------------------------------------------------------------------


def test_conception_never_falls_when_counts_rise():
    """Couples with one history; from day 0 on he has more sperm."""
    rng, days = np.random.default_rng(3), np.linspace(0, 364, 27)
    low = np.exp(rng.normal(2, 1.5, (200, len(days))))
    high = low * (1 + rng.exponential(1, low.shape) * (days > 0))
    ages = rng.uniform(20, 60, 200)
    for months in (0.0, 24.0):
        p = couple.parameters()._replace(default_months_trying=months)
        name = "cumulative_conception_probability"
        fewer, more = (couple.chances_of_men(counts, days, ages, p)[name] for counts in (low, high))
        assert (more >= fewer - 1e-12).all()
        assert (more[:, -1] > fewer[:, -1]).all()
        assert (np.diff(fewer, axis=1) >= -1e-12).all()


def test_couples_of_treated_men_conceive_as_counts_have_moved(picked):
    of = small("eugonadal", limit(COUNT, "baseline", below=40.0))
    found = {(one.couple, one.drug): one for one in trials.conceptions(picked, of)}
    assert (picked.truth[DRUG][MOTILE] >= picked.truth[NOTHING][MOTILE] * (1 - 1e-6)).all()
    for name in of.couples:
        assert found[name, NOTHING].ratio == (1.0, 1.0, 1.0)
        assert found[name, DRUG].ratio.low > 1
    begun, tried = (found[name, NOTHING].share.middle for name in of.couples)
    assert tried < begun  # those who conceive easily have left


# What is published and missed ----------------------------------------------------------------------


@pytest.mark.xfail(
    strict=True,
    reason="known miss (README, Limits): no change printed, 40 % more here; how sperm answers to FSH and "
    "testosterone is fitted to suppressed men and has not levelled off at normal levels",
)
def test_no_gain_at_normal_counts(screened):
    """Shoshany 2017, Helo 2015 (validation): no change; 15 % as in the test of one typical man."""
    found = followed("eugonadal", limit(COUNT, "screening", above=16.0))
    rows = {(row.drug, row.part): row.estimate for row in trials.effects(found) if row.quantity == COUNT}
    assert rows[DRUG, "true change"].middle < 1.15


@pytest.mark.xfail(
    strict=True,
    reason="known miss (README, Limits): no gain printed where FSH is high, a quarter more here, since what is "
    "left of the testis still answers to more FSH and testosterone",
)
def test_no_gain_in_primary_failure():
    of = small("primary-failure")
    found = trials.follow_group("men", of, draws=1, men=60)
    rows = {(row.drug, row.part): row.estimate for row in trials.effects(found) if row.quantity == COUNT}
    assert rows[DRUG, "true change"].middle < 1.1


def test_hypoandrogenic_men_with_few_sperm_gain_more_than_normal_men(screened):
    few = followed(
        plan().clinic.condition,
        limit(COUNT, "screening", below=15.0),
        limit("testosterone", "screening", below=300.0),
    )

    def gain(found):
        state = [found.truth[drug][COUNT][:, -1] for drug in (DRUG, NOTHING)]
        return np.log(state[0] / state[1])

    more, usual = gain(few), gain(screened)
    assert more.mean() - usual.mean() > np.hypot(standard_error(more), standard_error(usual))
