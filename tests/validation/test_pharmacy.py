"""What the rest of the pharmacy must do by mechanism, in sign and order; sizes are scored in docs/calibration.md."""

import numpy as np
import pytest
from tests.men import OBESE, YOUNG
from tests.validation.test_emergence import YEAR, change, course

from leydig.baseline import Lesion

CASTRATE = 50.0  # ng/dL, the level that labels of depots promise


def test_clomiphene_raises_estradiol_as_well_as_testosterone():
    on = course(OBESE, "clomiphene 25 mg daily", [84])
    assert all(change(on, name) > 1.2 for name in ("testosterone", "estradiol", "LH", "FSH"))


def test_an_inhibitor_beside_clomiphene_takes_estradiol_back_and_keeps_testosterone():
    alone = course(OBESE, "clomiphene 25 mg daily", [84])
    both = course(OBESE, "clomiphene 25 mg daily + anastrozole 0.5 mg twice weekly", [84])
    assert both["estradiol"][-1] < alone["estradiol"][-1]
    assert both["testosterone"][-1] > 0.95 * alone["testosterone"][-1]


def test_zuclomiphene_outstays_enclomiphene_by_weeks():
    after = course(YOUNG, "clomiphene 50 mg daily for 12 weeks then none for 6 weeks", [84, 112])
    assert after["enclomiphene"][-1] < 0.05 * after["enclomiphene"][1]
    assert after["zuclomiphene"][-1] > 0.3 * after["zuclomiphene"][1]


def test_testosterone_is_back_a_month_after_enclomiphene():
    after = course(YOUNG, "enclomiphene 25 mg daily for 6 weeks then none for 12 weeks", [42, 72, 126])
    assert change(after, "testosterone", 1) > 1.2
    assert 0.9 < change(after, "testosterone") < 1.15


def test_exemestane_lowers_estradiol_and_its_effect_outlasts_the_drug():
    on = course(YOUNG, "exemestane 25 mg daily for 10 days then none for 3 days", [10, 12, 13])
    assert change(on, "estradiol", 1) < 0.8 and change(on, "testosterone", 1) > 1.2
    assert on["exemestane"][2] < 0.05 * on["exemestane"][1]
    assert change(on, "estradiol", 2) < 0.95


def test_an_agonist_flares_and_then_castrates():
    on = course(YOUNG, "leuprolide 7.5 mg every 28 days", [1, 3, 28, 84])
    assert max(change(on, "LH", 1), change(on, "LH", 2)) > 1.5
    assert max(change(on, "testosterone", 1), change(on, "testosterone", 2)) > 1.2
    assert on["testosterone"][-1] < CASTRATE


def test_an_antagonist_castrates_without_a_flare():
    on = course(YOUNG, "degarelix 240 mg once for 4 weeks then 80 mg every 28 days", [1, 3, 28])
    assert all(change(on, name, k) < 1.0 for name in ("LH", "testosterone") for k in (1, 2, 3))


def test_DHT_gel_lowers_LH_testosterone_and_estradiol():
    on = course(YOUNG, "DHT gel 64 mg/day", [84])
    assert on["dihydrotestosterone"][-1] > 3 * on["dihydrotestosterone"][0]
    assert all(change(on, name) < 0.95 for name in ("LH", "testosterone", "estradiol"))


def test_an_undecanoate_empties_the_semen_and_recovery_takes_months():
    on = course(
        YOUNG, "testosterone undecanoate 1000 mg every 10 weeks for 1 year then none for 2 years", [YEAR, 455, 1095]
    )
    assert change(on, "sperm_concentration", 1) < 0.2
    assert change(on, "sperm_concentration", 2) < change(on, "sperm_concentration", 3)
    assert change(on, "sperm_concentration", 3) > 0.6


def test_hCG_keeps_the_testis_at_work_under_testosterone():
    """Coviello 2005, Hsieh 2013: intratesticular testosterone and sperm stay where hCG is added."""
    alone = course(YOUNG, "testosterone enanthate 100 mg weekly", [182])
    kept = course(YOUNG, "testosterone enanthate 100 mg weekly + hCG 500 IU every 2 days", [182])
    assert change(kept, "intratesticular_testosterone") > 5 * change(alone, "intratesticular_testosterone")
    assert kept["sperm_concentration"][-1] > 2 * alone["sperm_concentration"][-1]


def test_hCG_and_FSH_together_do_more_than_either_without_a_pituitary():
    lesion = Lesion(gnrh_outflow=0.0)
    hCG = course(YOUNG, "hCG 1500 IU three times weekly", [YEAR], lesion=lesion)
    FSH = course(YOUNG, "FSH 150 IU three times weekly", [YEAR], lesion=lesion)
    both = course(YOUNG, "hCG 1500 IU three times weekly + FSH 150 IU three times weekly", [YEAR], lesion=lesion)
    most = max(hCG["sperm_concentration"][-1], FSH["sperm_concentration"][-1])
    assert both["sperm_concentration"][-1] > 1.3 * most
    assert both["testosterone"][-1] > 3 * both["testosterone"][0]


def test_weight_loss_restores_the_axis_and_metabolism_together():
    thin = course(OBESE, "weight -15 % over 6 months then none for 6 months", [YEAR])
    assert change(thin, "testosterone") > 1.05 and change(thin, "SHBG") > 1.05
    assert change(thin, "HDL") > 1 and change(thin, "insulin_sensitivity") > 1
    assert change(thin, "triglycerides") < 1 and change(thin, "CRP") < 1
    assert change(thin, "estradiol") < 1.02


def test_castration_moves_what_the_trials_saw_it_move():
    on = course(YOUNG, "degarelix 240 mg once for 4 weeks then 80 mg every 28 days", [YEAR])
    assert change(on, "HDL") > 1.1 and change(on, "insulin_sensitivity") < 1
    assert on["fat_mass"][-1] > on["fat_mass"][0] and on["lean_mass"][-1] < on["lean_mass"][0]
    assert on["hematocrit"][-1] < on["hematocrit"][0] - 1 and change(on, "PSA") < 0.6
    assert change(on, "desire_score") < 0.7 and on["hot_flush_probability"][-1] > on["hot_flush_probability"][0] + 0.2


@pytest.mark.parametrize(
    "name", ["LDL", "triglycerides", "glucose", "CRP", "muscle_fat", "cognition_score", "anxiety_probability"]
)
def test_where_trials_saw_no_effect_of_an_inhibitor_there_is_none(name):
    on = course(OBESE, "anastrozole 1 mg daily", [YEAR])
    np.testing.assert_allclose(on[name][-1], on[name][0], rtol=1e-6)


def test_calcium_holds_bone_and_touches_no_hormone():
    with_it = course(OBESE, "calcium 1200 mg daily", [2 * YEAR])
    without = course(OBESE, "none", [2 * YEAR])
    assert with_it["bmd_spine"][-1] > 1.002 * without["bmd_spine"][-1] and change(with_it, "P1NP") < 0.9
    np.testing.assert_allclose(with_it["testosterone"][-1], without["testosterone"][-1], rtol=1e-9)
