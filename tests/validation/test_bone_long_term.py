"""Bone over dose and time: what must come out of the surface, of castration, of estradiol given back.

Nothing states these properties in the model; a few men are followed under a few regimens and compared. Where a trial
and the model part, a strict expected failure holds the size of the miss (docs/bone.md shows all of them).
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.men import OLDER, YOUNG

from leydig import laboratory, model, outputs, start
from leydig.baseline import Lesion
from leydig.engine import reference
from leydig.engine.inputs import evaluate
from leydig.errors import InputError
from leydig.evidence import trial
from leydig.pharmacology.protocol import Protocol
from leydig.studies import bone_surface as bone
from leydig.studies import problem
from leydig.studies.bone_surface import Regimen, untreated

DAILY = 7
YEARS = (1.0, 2.0, 4.0, 5.0)
DOSES = (0.25, 0.5, 1.0)
CASTRATE = "degarelix 240 mg once + degarelix 80 mg every 28 days from day 28"
TABLE = Path(__file__).resolve().parents[2] / "docs" / "bone-surface.csv"
OF = bone.grid()
NONE, BOTH = OF.crossed
GROUP = next(iter(OF.populations.values()))


@pytest.fixture(scope="module")
def runs():
    """Two dozen older men, at the best estimate, on daily doses with and without supplements."""
    several = [untreated(OF), *(Regimen(dose, DAILY, NONE) for dose in DOSES)]
    several += [Regimen(1.0, DAILY, supplement) for supplement in ("calcium", "vitamin D", BOTH)]
    return bone.courses(GROUP, several, YEARS, OF, draws=0, men=24, mode="default")


def net(runs, dose, supplement=NONE, site="bmd_spine"):
    """(men, v) against the same men untreated, points."""
    return (runs[Regimen(dose, DAILY, supplement)].change(site) - runs[untreated(OF)].change(site))[0]


def test_untreated_men_lose_only_at_the_hip_and_only_with_age(runs):
    alone = runs[untreated(OF)]
    assert np.abs(alone.change("bmd_spine")).max() < 1e-3
    assert (np.diff(alone.change("bmd_hip")[0], axis=-1) < 0).all()
    assert np.abs(alone.change("estradiol")).max() < 1e-2


@pytest.mark.parametrize("site", bone.SITES)
def test_every_man_loses_against_himself_while_his_testosterone_rises(runs, site):
    """A2a: the rise of testosterone does not make up for the fall of estradiol."""
    course = runs[Regimen(1.0, DAILY, NONE)]
    assert (net(runs, 1.0, site=site)[:, 1:] < 0).all()
    assert (course.change("testosterone")[..., 1:] > 0).all()
    assert (course.change("estradiol")[..., 1:] < 0).all()
    assert (course.change("CTX")[..., 1:].mean(axis=1) > 0).all()


def test_loss_goes_with_the_fall_of_estradiol():
    """More often, or more at a time, lowers estradiol further and costs more."""
    doses, often = (0.25, 1.0), (1, 3, DAILY)
    several = [untreated(OF), *(Regimen(dose, times, NONE) for dose in doses for times in often)]
    found = bone.courses(GROUP, several, (1.0,), OF, draws=0, men=16, mode="default")
    means = {
        one: (run.values["estradiol"][..., -1].mean(), run.change("bmd_spine")[..., -1].mean())
        for one, run in found.items()
    }
    ladders = [[untreated(OF), *(Regimen(dose, times, NONE) for times in often)] for dose in doses]
    ladders += [[untreated(OF), *(Regimen(dose, times, NONE) for dose in doses)] for times in often]
    for ladder in ladders:
        for before, after in pairwise(ladder):
            assert (np.array(means[after]) < means[before]).all()


def test_loss_saturates_with_dose(runs):
    """A2b: doubling from 0.5 to 1 mg a day adds less than doubling from 0.25 to 0.5, and each mg less than the last."""
    for year in range(1, len(YEARS) + 1):
        quarter, half, whole = (net(runs, dose)[:, year].mean() for dose in DOSES)
        assert 0 > half - quarter < whole - half < 0


def test_each_milligram_costs_less_than_the_one_before():
    """Up to ten times the tablet, where estradiol has hardly anything left to fall."""
    doses = (*OF.doses.values, *OF.ceiling.values)
    several = [untreated(OF), *(Regimen(dose, DAILY, NONE) for dose in doses)]
    found = bone.courses(GROUP, several, (1.0,), OF, draws=0, men=8, mode="default")
    lost = [float(net(found, dose)[:, -1].mean()) for dose in doses]
    slopes = [(b - a) / (e - d) for (a, b), (d, e) in zip(pairwise([0, *lost]), pairwise([0, *doses]), strict=True)]
    assert all(earlier < later < 0 for earlier, later in pairwise(slopes))


def test_loss_slows_with_time(runs):
    """The fifth year costs every man less than the first, and still costs something."""
    course = net(runs, 1.0)
    first, fifth = course[:, 1], course[:, 4] - course[:, 3]
    assert (fifth < 0).all()
    assert (np.abs(fifth) < np.abs(first)).all()


def test_calcium_shifts_the_curve_up_once(runs):
    """At every time every man has more bone with calcium, nearly all from the first year: no slower loss later."""
    gain = net(runs, 1.0, "calcium") - net(runs, 1.0)
    assert (gain[:, 1:] > 0).all()
    first, second, fifth = gain[:, [1, 2, -1]].mean(axis=0)
    assert first > 0.85 * fifth
    assert fifth == pytest.approx(second, rel=0.05)


def test_vitamin_D_adds_nothing(runs):
    """There is no size of effect in men who are not deficient."""
    for with_it, without in (("vitamin D", NONE), (BOTH, "calcium")):
        one, other = (runs[Regimen(1.0, DAILY, name)].values for name in (with_it, without))
        for quantity, series in one.items():
            np.testing.assert_array_equal(series, other[quantity])


# Castration, and estradiol given back --------------------------------------------------------------


def course(baseline, protocol, days, lesion=None):
    """Density of the spine at ``days`` (d), change in percent."""
    began = start.begin(baseline, model.load_parameters(), lesion=lesion, compile=True)
    table = start.input_table(baseline.age, start.driven(start.given(Protocol.parse(protocol), max(days))))
    hours = np.array([0.0, *days]) * start.HOURS_PER_DAY
    solution = reference.solve(
        model.traced(), began.state, start.vector(began.individual), table, hours, rtol=1e-6, compile=True
    )
    assert solution.status is reference.Status.done
    spine = outputs.quantities(solution.values, began.individual, evaluate(table, hours))["bmd_spine"]
    return 100 * (spine / spine[0] - 1)


def test_castrated_men_lose_more():
    """Published: 3.2 % in the first year against 2.5 % on an inhibitor (burnettbowie2009), the most reported."""
    inhibitor, castrated = (course(OLDER, text, [365])[-1] for text in ("anastrozole 1 mg daily", CASTRATE))
    assert castrated < 1.25 * inhibitor < 0


def test_estradiol_given_back_restores_the_spine_of_castrated_men():
    """Russell 2022 (calibration), Langley 2016 (validation), as direction: half a year without, then with a patch."""
    days = [182, 364, 728]
    without = course(OLDER, CASTRATE, days)
    restored = course(OLDER, f"{CASTRATE} + estradiol patch 50 ug/day from week 26", days)
    assert restored[1] == pytest.approx(without[1], abs=0.01)
    assert restored[1] < 0
    assert restored[2] > restored[1] > without[2]
    assert restored[3] > without[3]


def test_estradiol_builds_the_spine_of_a_man_without_aromatase():
    days = [365, 5 * 365]
    lesion = Lesion(aromatase=0.0)
    without, treated = (course(YOUNG, text, days, lesion) for text in ("none", "estradiol patch 25 ug/day"))
    assert np.abs(without).max() < 0.5
    assert without[2] < treated[1] < treated[2]


# Where trials and model part -----------------------------------------------------------------------


def spine_of(key):
    """Reported and predicted changes of the spine in typical men, %, by arm and day."""
    whole = problem.assemble([trial(key)])
    values = problem.predictions(whole, model.load_parameters(), laboratory.constants())
    pairs = zip(whole.figures, values, strict=True)
    return {(f.arm, f.day): (f.reported, float(value)) for f, value in pairs if f.quantity == "bmd_spine"}


def test_the_one_year_trial_has_the_reported_direction():
    """Burnett-Bowie 2009 (validation): the spine falls against placebo."""
    found = spine_of("burnettbowie2009")
    reported, predicted = (found["anastrozole", 365][k] - found["placebo", 365][k] for k in (0, 1))
    assert reported < predicted < 0


@pytest.mark.xfail(
    strict=True,
    reason="named conflict (docs/bone.md): 2.45 % printed, less than a fifth of it in typical men here; no curve"
    " of bone over estradiol that meets castration takes so much at the estradiol that the trial prints",
)
def test_the_one_year_trial_loses_at_least_half_of_what_is_reported():
    found = spine_of("burnettbowie2009")
    reported, predicted = (found["anastrozole", 365][k] - found["placebo", 365][k] for k in (0, 1))
    assert predicted < reported / 2


@pytest.mark.xfail(
    strict=True,
    reason="known miss (README, Limits): 6 % printed, a third of it here; the same saturating curve has to meet "
    "estradiol given back after castration, where it gives too much already",
)
def test_patches_in_place_of_androgen_gain_at_least_half_of_what_is_reported():
    reported, predicted = spine_of("langley2016")["estradiol patches", 365]
    assert predicted > reported / 2


@pytest.mark.xfail(
    strict=True,
    reason="known miss (README, Limits): 16 % printed, a quarter of it here; part of these men's gain is growth "
    "of the skeleton, which is not modelled",
)
def test_men_without_aromatase_gain_at_least_half_of_what_is_reported():
    reported, predicted = spine_of("herrmann2005")["estradiol patch", 730]
    assert predicted > reported / 2


# The table and its file ----------------------------------------------------------------------------


def test_the_published_table_is_that_of_the_package():
    """Every regimen of the grid is there, and one of them comes out again: after a new fit run tools/bone_page.py."""
    rows = {row[:6]: row for row in bone.read(TABLE)}
    for name in OF.populations:
        for regimen in bone.regimens(OF):
            for years in OF.years.values:
                assert (name, *regimen[:2], years, regimen.supplement, "bmd_spine_difference") in rows
    several = [untreated(OF), Regimen(1.0, DAILY, NONE)]
    found = bone.courses(GROUP, several, (1.0,), OF)
    stored = rows[(next(iter(OF.populations)), 1.0, DAILY, 1.0, NONE, "bmd_spine_change")]
    now = bone.of_mean(found[several[1]].change("bmd_spine")[..., -1])
    assert now == pytest.approx((stored.mean, stored.lower, stored.upper), abs=0.01)


def test_a_table_is_read_as_it_was_written(tmp_path):
    row = bone.Row("men", 1.0, 7, 0.5, "none", "bmd_spine_change", "%", -1.25, -2.0, 0.5, 0.125)
    other = row._replace(quantity="estradiol", unit="pg/mL", losing=None)
    bone.write(tmp_path / "table.csv", [row, other])
    assert bone.read(tmp_path / "table.csv") == (row, other)
    for text in ("", "a,b\n1,2\n", (tmp_path / "table.csv").read_text(encoding="utf-8").replace("-1.250", "much")):
        (tmp_path / "other.csv").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="is no table of bone"):
            bone.read(tmp_path / "other.csv")


def test_men_who_cannot_be_had_are_refused():
    group = GROUP.model_copy(update={"condition": "obese-hypogonadl"})
    with pytest.raises(InputError, match="obese-hypogonadal"):
        bone.courses(group, [untreated(OF)], (1.0,), OF, draws=0, men=2)
