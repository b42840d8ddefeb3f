"""Conception: closed forms, limits, selection by failed cycles, and cohorts of couples."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from leydig import parameters
from leydig.physiology import fertility
from leydig.physiology.fertility import DAYS_PER_MONTH, Couple, prospect

P = parameters.record(fertility.Parameters, "fertility")
YOUNG = Couple(partner_age=30, man_age=30, months_trying=0)
CYCLE = P.cycle_length

counts = st.floats(0, 1e4)
couples = st.builds(Couple, partner_age=st.floats(15, 50), man_age=st.floats(18, 95), months_trying=st.floats(0, 300))


def steady(count, couple, cycles=12, p=P, **known):
    """Prospect of a constant count, a point per cycle."""
    days = np.arange(cycles + 1) * p.cycle_length
    return prospect(np.full(len(days), float(count)), days, couple, p, **known)


# Closed forms --------------------------------------------------------------------------------------


@pytest.mark.parametrize("chances", [0.05, 0.5, 0.999])
@pytest.mark.parametrize("cycles", [1, 12, 60, 150])
def test_quadrature_is_the_beta_integral(cycles, chances):
    u, weights = fertility.fecundability(P.fecundability_mean, P.fecundability_size)
    a, b = P.fecundability_mean * P.fecundability_size, (1 - P.fecundability_mean) * P.fecundability_size
    exact = beta.expect(lambda x: (1 - x * chances) ** cycles, (a, b))
    assert weights @ (1 - u * chances) ** cycles == pytest.approx(exact, rel=1e-7)
    assert weights.sum() == pytest.approx(1, rel=1e-12)
    assert weights @ u == pytest.approx(P.fecundability_mean, rel=1e-12)


def test_first_cycle_is_the_mean_chance():
    chances = float(fertility.chance(60.0, 0.0, YOUNG, P))
    expected = (1 - P.sterile_share) * P.fecundability_mean * chances
    assert steady(60, YOUNG).per_cycle[0] == pytest.approx(expected, rel=1e-12)


def test_cumulative_chance_of_a_constant_couple():
    """With no ageing a cycle's failures multiply: 1 - sterile - (1 - sterile) E[(1 - u q)^k]."""
    p = P._replace(partner_age_slope=0.0, man_age_slope=0.0)
    u, weights = fertility.fecundability(p.fecundability_mean, p.fecundability_size)
    failing = weights @ (1 - u * fertility.sperm_factor(40.0, p)) ** 12
    expected = (1 - p.sterile_share) * (1 - failing)
    assert steady(40, YOUNG, p=p).cumulative[-1] == pytest.approx(expected, rel=1e-10)


def test_trying_before_is_continuing_the_same_run():
    """Months tried before day 0 leave the couple where a run of those months leaves it."""
    p = P._replace(partner_age_slope=0.0, man_age_slope=0.0)
    before = 18 * CYCLE / DAYS_PER_MONTH
    later = steady(40, YOUNG._replace(months_trying=before), 12, p)
    whole = steady(40, YOUNG, 30, p)
    np.testing.assert_allclose(later.per_cycle, whole.per_cycle[18:], rtol=1e-10)
    left = 1 - whole.cumulative[18:]
    np.testing.assert_allclose(later.cumulative, 1 - left / left[0], rtol=1e-9)


def test_selection_against_brute_force():
    """A million couples drawn, those that conceive in 20 cycles at the old count removed, then 12 at the new one."""
    rng = np.random.default_rng(8)
    n, p = 1_000_000, P._replace(partner_age_slope=0.0, man_age_slope=0.0)
    a, b = p.fecundability_mean * p.fecundability_size, (1 - p.fecundability_mean) * p.fecundability_size
    u = np.where(rng.random(n) < p.sterile_share, 0.0, rng.beta(a, b, n))
    for _ in range(20):
        u = u[rng.random(len(u)) >= u * fertility.sperm_factor(10.0, p)]
    first = float(np.mean(rng.random(len(u)) < u * fertility.sperm_factor(30.0, p)))
    within = np.zeros(len(u), bool)
    for _ in range(12):
        within |= rng.random(len(u)) < u * fertility.sperm_factor(30.0, p)
    couple = YOUNG._replace(months_trying=20 * CYCLE / DAYS_PER_MONTH)
    ours = steady(30, couple, 12, p, baseline_count=10)
    assert ours.per_cycle[0] == pytest.approx(first, abs=4 * (first / len(u)) ** 0.5)
    assert ours.cumulative[-1] == pytest.approx(within.mean(), abs=4 * 0.5 / len(u) ** 0.5)


def test_finer_times_do_not_matter():
    days, fine = np.arange(0, 361, 30.0), np.arange(0, 361, 1.0)
    couple = Couple(38, 45, 14)

    def rising(t):
        return 5 + 0.1 * t

    coarse, dense = (prospect(rising(t), t, couple, P) for t in (days, fine))
    np.testing.assert_allclose(coarse.cumulative, dense.cumulative[::30], rtol=2e-3)
    np.testing.assert_allclose(coarse.per_cycle, dense.per_cycle[::30], rtol=2e-3)


# Limits and directions -----------------------------------------------------------------------------


@given(couples)
def test_no_sperm_no_conception(couple):
    never = steady(0, couple)
    assert not never.per_cycle.any()
    assert not never.cumulative.any()


def test_months_of_trying_without_sperm_say_nothing_of_her():
    """Years with azoospermia do not make a couple less fertile once he has sperm."""
    fresh = steady(60, YOUNG)
    tried = steady(60, YOUNG._replace(months_trying=48), baseline_count=0)
    np.testing.assert_allclose(tried.per_cycle, fresh.per_cycle, rtol=1e-12)


@given(counts, couples)
def test_chances_stay_within_bounds(count, couple):
    chances = steady(count, couple)
    assert (chances.per_cycle >= 0).all() and (chances.per_cycle <= 1).all()
    assert (np.diff(chances.cumulative) >= -1e-12).all()
    assert chances.cumulative[0] == 0 and chances.cumulative[-1] <= 1


@given(st.floats(0.1, 500), st.floats(1.05, 10), couples)
@settings(max_examples=60)
def test_more_sperm_is_never_worse(count, factor, couple):
    low, high = (steady(n, couple, baseline_count=count).cumulative[-1] for n in (count, factor * count))
    assert high >= low


@given(st.floats(1, 500), st.floats(20, 50), st.floats(0.5, 10))
@settings(max_examples=60)
def test_age_and_failed_months_lower_the_chance(count, age, more):
    base = steady(count, Couple(age, age, 6)).per_cycle[0]
    assert steady(count, Couple(age, age, 6 + 12 * more)).per_cycle[0] <= base
    assert steady(count, Couple(age + more, age, 0)).per_cycle[0] <= steady(count, Couple(age, age, 0)).per_cycle[0]


def test_defaults_say_what_is_assumed():
    assert fertility.default_couple(44, P) == Couple(30, 44, 0)
    entries = parameters.load("fertility")
    assert {entries[name].kind for name in ("default_partner_age", "default_months_trying")} == {"assumed"}


# Cohorts of couples --------------------------------------------------------------------------------
# Men: concentration 73 (10-239) 10^6/mL in the general population and one man in nine from the low tail that clinics
# see; volume 3.1 mL; motility 61 %, lower where the concentration is; one test misses the truth by log-SD 0.45.


@cache
def men(n=20_000):
    """True total motile sperm counts, 10^6, and the concentration that one test shows, 10^6/mL."""
    rng = np.random.default_rng(5)
    z = rng.standard_normal(n)
    log = np.log(73) + np.where(z < 0, 1.0, 0.6) * z - np.where(rng.random(n) < 1 / 9, 1.6, 0.0)
    motile = 1 / (1 + np.exp(-np.log(0.61 / 0.39) - 0.5 * (log - np.log(73)) - 0.4 * rng.standard_normal(n)))
    true = 3.1 * motile * np.exp(log + 0.45 * rng.standard_normal(n))
    return true, np.exp(log + 0.45 * rng.standard_normal(n))


def conceived(true, failed=0, cycles=12):
    """Percent of couples of 30 with these counts that conceive, after ``failed`` cycles without success."""
    u, weights = fertility.fecundability(P.fecundability_mean, P.fecundability_size)
    q = fertility.sperm_factor(true, P)[:, None]
    still = (1 - P.sterile_share) * weights * (1 - u * q) ** failed
    after = still * (1 - u * q) ** cycles
    left, right = still.sum() + P.sterile_share * len(true), after.sum() + P.sterile_share * len(true)
    return 100 * (1 - right / left)


class TestCalibration:
    """Cohorts that the parameters were fitted to: the bands are checks of the fit, not predictions."""

    def test_presumably_fertile_couples_in_12_cycles(self):
        true, seen = men()
        assert conceived(true[seen > 5]) == pytest.approx(82, abs=6)  # Zinaman 1996, 200 couples

    def test_first_pregnancy_planners_by_concentration(self):
        """Bonde 1998, 6 cycles: 65.0 % of 254 couples at 40 10^6/mL and more, 51.2 % of 164 below."""
        true, seen = (0.8 * counts for counts in men())  # Danish men have lower counts
        assert conceived(true[seen >= 40], cycles=6) == pytest.approx(65, abs=6)
        assert conceived(true[seen < 40], cycles=6) == pytest.approx(51.2, abs=8)

    def test_men_suppressed_to_few_sperm(self):
        """WHO 1996: 8.1 (2.2-20.7) pregnancies per 100 person-years at 0.1-3 10^6/mL."""
        counts = 1.9 * np.exp(np.linspace(np.log(0.1), np.log(3), 30))
        u, weights = fertility.fecundability(P.fecundability_mean, P.fecundability_size)
        per_year = 365.25 / CYCLE * 100 * (weights @ u) * np.mean(fertility.sperm_factor(counts, P))
        assert 2.2 < per_year < 20.7

    def test_subfertile_couples_untreated(self):
        """van der Steeg 2011: 24 % a year over all, 7 to 41 % by semen grade, after about 18 failed cycles."""
        true, seen = men()
        assert conceived(true[seen > 1.6], failed=18) == pytest.approx(24, abs=4)
        assert conceived(true[(seen > 0.5) & (seen < 3)], failed=18) == pytest.approx(7, abs=4)
        assert 20 < conceived(true[seen > 40], failed=18) < 41

    def test_age(self):
        """Rothman 2013: 0.77 over 35-40 years, men 0.95 at 35-39, a couple of 40 half of one of 30."""
        women, men_ = np.linspace(35, 40, 50), np.linspace(35, 40, 50)
        assert fertility.age_factor(women, 30, P).mean() == pytest.approx(0.77, abs=0.08)
        assert fertility.age_factor(25, men_, P).mean() == pytest.approx(0.95, abs=0.02)
        assert fertility.age_factor(40, 40, P) == pytest.approx(0.5, abs=0.03)


class TestValidation:
    """Cohorts that no parameter has seen."""

    def test_preconception_cohort_by_her_age(self):
        """Wesselink 2017: within 12 cycles 79.3 % at 25-27 years and 55.5 % at 40-45, within 6 62.0 and 27.6 %."""
        true, _ = men()
        typical = float(np.median(true))
        young, older = (steady(typical, Couple(age, age + 2, 1)) for age in (28, 42))
        assert 100 * young.cumulative[12] == pytest.approx(79.3, abs=10)
        assert 100 * young.cumulative[6] == pytest.approx(62.0, abs=10)
        assert 100 * older.cumulative[12] == pytest.approx(55.5, abs=10)

    def test_untreated_infertile_couples(self):
        """Collins 1995: 14.3 % of couples infertile for over a year conceive a live birth within a year.

        Of recognised pregnancies 21 in 101 are lost (Zinaman 1996); 36 failed cycles are assumed.
        """
        true, seen = men()
        live = 0.8 * conceived(true[seen > 1.6], failed=36)
        assert live == pytest.approx(14.3, abs=5)

    def test_unexplained_or_mild_male_subfertility(self):
        """van Eekelen 2018: 24.5 % naturally within a year, though their outlook was called unfavourable."""
        true, seen = men()
        assert conceived(true[seen > 5], failed=24) == pytest.approx(24.5, abs=6)

    @pytest.mark.xfail(
        reason="known miss (README, Limits): couples who time intercourse by signs of ovulation do better than the "
        "model's",
        strict=True,
    )
    def test_timed_intercourse(self):
        """Gnoth 2003: 38, 68, 81 and 92 % within 1, 3, 6 and 12 cycles."""
        true, seen = men()
        assert conceived(true[seen > 5], cycles=1) == pytest.approx(38, abs=6)
