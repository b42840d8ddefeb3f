"""What must come out of mechanism, with the contrasts that no fit sees named as such.

Each test states the published direction or size it is held against. Men are typical men; regression
to the mean is not simulated here.

What the fit misses stands as a strict expected failure at the limit set before the fit: the suite turns red
when a later fit mends it, and README (Limits) says the same to a reader.
"""

import numpy as np
import pytest
from tests.men import OBESE, OLDER, YOUNG

from leydig import laboratory, model, outputs, start
from leydig.baseline import Lesion, personalise
from leydig.engine import reference
from leydig.engine.inputs import evaluate, steady
from leydig.pharmacology.protocol import Protocol
from leydig.studies.provenance import cautions

YEAR = 365.0


def course(baseline, protocol, days, lesion=None):
    """Named quantities at ``days`` of a man on a protocol."""
    began = start.begin(baseline, model.load_parameters(), lesion=lesion, compile=True)
    table = start.input_table(baseline.age, start.driven(start.given(Protocol.parse(protocol), max(days))))
    hours = np.array([0.0, *days]) * 24
    solution = reference.solve(model.traced(), began.state, start.vector(began.individual), table, hours, rtol=1e-7)
    assert solution.status is reference.Status.done
    return outputs.quantities(solution.values, began.individual, evaluate(table, hours))


def change(values, name, k=-1):
    return float(values[name][k] / values[name][0])


def with_fat(baseline, factor, days=800.0):
    """The man at ``factor`` times his fat mass, long enough to settle."""
    individual = model.Individual(personalise(baseline, model.load_parameters()), model.load_parameters())
    weight = baseline.fat_mass + baseline.lean_mass
    share = model.load_parameters().body.fat_share * weight / baseline.fat_mass
    inputs = model.Inputs(weight_change=factor ** (1 / share) - 1, age=baseline.age)
    table, hours = steady(list(inputs)), np.array([0.0, days * 24])
    solution = reference.solve(model.traced(), start.rest(individual), start.vector(individual), table, hours)
    return outputs.quantities(solution.values, individual, evaluate(table, hours))


def test_an_inhibitor_raises_gonadotropins_and_testosterone_through_estradiol():
    on = course(OLDER, "anastrozole 1 mg daily", [84])
    assert change(on, "estradiol") < 0.8
    assert change(on, "LH") > 1.2
    assert change(on, "FSH") > 1.1
    assert change(on, "testosterone") > 1.2
    assert change(on, "intratesticular_testosterone") > 1.2


def test_estradiol_replaced_undoes_the_rise():
    """E2 given beside the inhibitor brings LH and testosterone back: the response is feedback (Raven 2006)."""
    alone = course(YOUNG, "letrozole 2.5 mg daily", [28])
    replaced = course(YOUNG, "letrozole 2.5 mg daily + estradiol patch 50 ug/day", [28])
    assert change(alone, "LH") > 2
    assert change(replaced, "LH") < 0.6 * change(alone, "LH")
    assert change(replaced, "testosterone") < 0.8 * change(alone, "testosterone")


def test_testosterone_brakes_LH_without_estradiol():
    """Marynick 1979 (calibration): T doubled with E2 held halves LH; so testosterone holds LH down beside an inhibitor.

    How far is unknown, and the run says so.
    """
    both = course(YOUNG, "testosterone cypionate 200 mg weekly + letrozole 2.5 mg daily", [180])
    assert both["estradiol"][-1] < 0.5 * both["estradiol"][0]
    inhibitor_alone = course(YOUNG, "letrozole 2.5 mg daily", [180])
    assert both["LH"][-1] < min(YOUNG.LH, 0.25 * inhibitor_alone["LH"][-1])
    assert any("sperm may fall far lower" in sentence for sentence in cautions(["testosterone cypionate", "letrozole"]))
    assert not cautions(["letrozole"])


def test_without_aromatase_testosterone_still_brakes():
    """LH is normal to raised in men without aromatase, and lower than after castration."""
    without = course(YOUNG, "none", [1], lesion=Lesion(aromatase=0.0))
    castrated = course(YOUNG, "none", [1], lesion=Lesion(leydig=0.0, sertoli=0.0))
    assert YOUNG.LH < without["LH"][0] < castrated["LH"][0]
    treated = course(YOUNG, "testosterone infusion 15 mg/day", [60], lesion=Lesion(aromatase=0.0))
    assert change(treated, "LH") < 0.7


def test_a_raised_LH_says_that_the_reserve_is_spent():
    """Primary failure has a ceiling: an inhibitor gains less testosterone where LH is high already."""
    spent = OLDER._replace(testosterone=200, LH=18, FSH=25)
    spare = OLDER._replace(testosterone=200, LH=4, FSH=6)
    gain = [change(course(man, "anastrozole 1 mg daily", [84]), "testosterone") for man in (spent, spare)]
    assert gain[0] < 1.25
    assert gain[1] > gain[0] + 0.2


def test_dose_response_to_anastrozole_is_flat():
    """Mauras 2000 (calibration): 0.5 mg as 1 mg. Leder 2004 (validation): 1 mg twice weekly as daily, by immunoassay.

    Means of the last week, as that assay prints them: it reads high, which flattens what is left to see.
    """
    lab, week = laboratory.constants(), list(np.arange(77, 84, 0.25))

    def seen(protocol):
        values = course(OLDER, protocol, week)["estradiol"]
        shown = laboratory.to_laboratory("estradiol", values, "immunoassay", None, OLDER.age, lab)
        return float(np.mean(shown[1:]) / shown[0])

    daily, half, twice = (seen(f"anastrozole {text}") for text in ("1 mg daily", "0.5 mg daily", "1 mg twice weekly"))
    assert daily < half < twice < 0.85  # some dose response there must be
    assert half - daily < 0.12
    assert twice - daily < 0.2  # printed 0.63 and 0.65, each with a standard error near 0.1


@pytest.mark.xfail(
    strict=True,
    reason="known miss (README, Limits): doses were found alike by immunoassay, which the test above holds; by "
    "mass spectrometry estradiol falls further here with each higher dose",
)
def test_dose_response_is_flat_on_the_state_scale():
    daily, half, twice = (
        change(course(OLDER, f"anastrozole {text}", [84]), "estradiol")
        for text in ("1 mg daily", "0.5 mg daily", "1 mg twice weekly")
    )
    assert half - daily < 0.12
    assert twice - daily < 0.25


def test_fall_of_estradiol_is_shallow_in_intact_and_deep_in_clamped_men():
    intact = course(YOUNG, "letrozole 2.5 mg daily", [28])
    clamp = "degarelix 240 mg once + testosterone infusion 5 mg/day for 28 days"
    with_drug, without = (
        course(YOUNG, clamp + " + letrozole 2.5 mg daily for 28 days", [28]),
        course(YOUNG, clamp, [28]),
    )
    clamped = float(with_drug["estradiol"][-1] / without["estradiol"][-1])
    assert clamped < 0.25  # Rubinow: 87 to 93 % at equal testosterone
    assert change(intact, "estradiol") > 1.5 * clamped


def test_testosterone_rises_more_from_a_low_baseline_and_less_in_older_men():
    protocol = "letrozole 2.5 mg daily"
    low, usual = (course(man, protocol, [42]) for man in (OBESE, YOUNG))
    assert change(low, "testosterone") > change(usual, "testosterone")
    old = YOUNG._replace(age=72)  # the same man but for his age
    older = course(old, protocol, [42])
    gain = np.log(change(older, "testosterone")) / np.log(change(older, "LH"))
    assert gain < np.log(change(usual, "testosterone")) / np.log(change(usual, "LH"))


def test_fat_lowers_testosterone_through_shbg_and_drive():
    """LH unchanged or lower with more fat (wu2008), free testosterone down less than total: SHBG and drive both act.

    By how much is a question of calibration (emas2008, corona2013) and of the weight-loss trials held out.
    """
    fat = with_fat(YOUNG, 2.15)
    assert change(fat, "SHBG") < 0.9
    assert change(fat, "testosterone") < change(fat, "free_testosterone") < 0.95
    assert 0.75 < change(fat, "LH") < 1.05
    assert change(fat, "sperm_concentration") < 1
    lean = with_fat(OBESE, 0.8)
    assert change(lean, "testosterone") > 1.05
    assert change(lean, "sperm_concentration") > 1


def test_more_aromatase_lowers_testosterone_gonadotropins_and_sperm():
    before = course(YOUNG, "none", [1])
    excess = course(YOUNG, "none", [1], lesion=Lesion(aromatase=3.0))
    assert excess["estradiol"][0] > before["estradiol"][0]
    for name in ("testosterone", "LH", "FSH", "sperm_concentration"):
        assert excess[name][0] < before[name][0], name


@pytest.mark.xfail(
    strict=True,
    reason="known miss (README, Limits): no change printed, about a quarter more here; how sperm answers to FSH "
    "and testosterone is fitted to suppressed men and has not levelled off at normal levels",
)
def test_no_gain_in_semen_in_normozoospermic_men():
    """Shoshany 2017, Helo 2015 (validation): no change of normal counts."""
    on = course(YOUNG, "anastrozole 1 mg daily", [180])
    assert 1.0 <= change(on, "sperm_concentration") < 1.15


def test_hypoandrogenic_men_gain_more_than_normal_ones():
    low = YOUNG._replace(testosterone=250, FSH=2.5, estradiol=30, sperm_concentration=12, sensitivity=0.6)
    gain = change(course(low, "anastrozole 1 mg daily", [180]), "sperm_concentration")
    assert gain > 1.1
    assert gain > change(course(YOUNG, "anastrozole 1 mg daily", [180]), "sperm_concentration")


def test_primary_failure_has_high_fsh_and_a_ceiling():
    failed = Lesion(leydig=0.35, sertoli=0.2)
    values = course(YOUNG, "anastrozole 1 mg daily", [180], lesion=failed)
    assert values["FSH"][0] > 1.3 * YOUNG.FSH
    assert values["LH"][0] > 1.3 * YOUNG.LH
    assert values["sperm_concentration"][-1] < 0.3 * YOUNG.sperm_concentration  # the ceiling is the testis


@pytest.mark.xfail(
    strict=True,
    reason="known miss (README, Limits): no gain printed where FSH is high, about a fifth more here, since what "
    "is left of the testis still answers to more FSH and testosterone",
)
def test_primary_failure_gains_no_sperm():
    values = course(YOUNG, "anastrozole 1 mg daily", [180], lesion=Lesion(leydig=0.35, sertoli=0.2))
    assert change(values, "sperm_concentration") < 1.1


def test_testosterone_stops_sperm_and_recovery_is_slow():
    """WHO trials: azoospermia or nearly so by 26 weeks; median return to 20 million/mL 3.4 months after stopping."""
    days = [180, 180 + 14, 180 + 60, 180 + 105, 180 + 365]
    values = course(YOUNG, "testosterone enanthate 200 mg weekly for 26 weeks then none", days)
    concentration = values["sperm_concentration"]
    assert values["LH"][1] < 0.15 * YOUNG.LH
    assert concentration[1] < 1.0
    assert concentration[3] < 10
    assert 5 < concentration[4] < 45
    assert concentration[5] > 0.9 * concentration[0]


def test_gonadotropins_keep_sperm_under_testosterone():
    """Matsumoto: FSH or hCG added to testosterone enanthate restores a part of sperm output."""
    base = "testosterone enanthate 200 mg weekly for 30 weeks"
    alone, with_hCG = (
        course(YOUNG, text, [210])["sperm_concentration"][-1]
        for text in (base, base + " + hCG 5000 IU twice weekly for 30 weeks")
    )
    assert with_hCG > 10 * alone


def test_castration_and_absent_hormones_run():
    agonadal = course(YOUNG, "none", [YEAR], lesion=Lesion(leydig=0.0, sertoli=0.0))
    assert agonadal["testosterone"][-1] < 50
    assert agonadal["LH"][-1] > 2 * YOUNG.LH
    assert agonadal["sperm_concentration"][-1] < 1e-3
    silent = course(YOUNG, "none", [YEAR], lesion=Lesion(gnrh_outflow=0.0))
    assert silent["LH"][-1] < 1e-3 and silent["testosterone"][-1] < 60


def test_man_without_aromatase_and_his_rescue():
    """Carani, Rochira, Herrmann (validation): high FSH, normal to raised LH, low bone mass; estradiol rescues bone."""
    lesion = Lesion(aromatase=0.0)
    untreated = course(YOUNG, "none", [5 * YEAR], lesion=lesion)
    assert untreated["estradiol"][0] < 1
    assert untreated["FSH"][0] > 1.2 * YOUNG.FSH
    assert untreated["LH"][0] > YOUNG.LH
    assert untreated["bmd_spine"][0] < 0.95 * YOUNG.bmd_spine  # bone has been without estradiol from birth
    assert change(untreated, "bmd_spine") == pytest.approx(1, abs=0.005)
    treated = course(YOUNG, "estradiol patch 50 ug/day", [5 * YEAR], lesion=lesion)
    assert treated["bmd_spine"][-1] > untreated["bmd_spine"][-1]
    assert treated["FSH"][-1] < treated["FSH"][0]
    assert treated["testosterone"][-1] < treated["testosterone"][0]


def test_bone_loss_follows_estradiol_plateaus_with_dose_and_slows_with_time():
    loss = {
        dose: 1 - change(course(OLDER, f"anastrozole {dose} mg daily", [YEAR]), "bmd_spine")
        for dose in (0.25, 0.5, 1, 10)
    }
    assert 0 < loss[0.25] < loss[0.5] < loss[1] < loss[10]
    assert loss[1] - loss[0.5] < loss[0.5]
    years = course(OLDER, "anastrozole 1 mg daily", [YEAR, 2 * YEAR, 5 * YEAR, 6 * YEAR])["bmd_spine"]
    assert years[0] - years[1] > (years[3] - years[4]) * 1.5
    assert years[4] < years[0]


def test_both_hormones_protect_bone():
    castrate = "degarelix 240 mg once + degarelix 80 mg every 28 days from day 28"
    days = [YEAR]
    neither = change(course(YOUNG, castrate, days), "bmd_spine")
    androgen = change(
        course(YOUNG, castrate + " + testosterone infusion 5 mg/day + letrozole 2.5 mg daily", days), "bmd_spine"
    )
    estrogen = change(course(YOUNG, castrate + " + estradiol patch 50 ug/day", days), "bmd_spine")
    assert neither < androgen < 1.0
    assert neither < estrogen
    assert neither == pytest.approx(0.965, abs=0.02)  # cohorts: -1.4 to -4.8 % in the first year


def test_stopping_an_inhibitor_returns_the_axis_within_weeks():
    values = course(OLDER, "anastrozole 1 mg daily for 12 weeks then none", [84, 84 + 28, 84 + 120])
    assert values["LH"][1] > 1.2 * OLDER.LH
    assert values["estradiol"][2] > 0.85 * values["estradiol"][0]
    assert values["testosterone"][3] == pytest.approx(values["testosterone"][0], rel=0.07)
