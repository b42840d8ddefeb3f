"""One man's run: baselines kept, draws reproducible, treated and diseased men started where they are."""

import numpy as np
import pytest
from tests.men import YOUNG

from leydig import model, start
from leydig.baseline import Lesion
from leydig.pharmacology.protocol import Protocol
from leydig.studies.clock import look, shown_at
from leydig.studies.simulate import already_taken, simulate
from leydig.subject import Subject
from leydig.units import CANONICAL


def test_untreated_man_does_not_drift():
    run = simulate("older-man", ["none for 2 years"])[0]
    for name in ("testosterone", "estradiol", "LH", "FSH", "SHBG", "inhibin_B", "sperm_concentration", "bmd_spine"):
        values = run.quantities.values[name]
        np.testing.assert_allclose(values, values[0], rtol=1e-6, err_msg=name)
    assert run.quantities.values["bmd_hip"][-1] < run.quantities.values["bmd_hip"][0]  # age acts on bone


def test_measured_values_are_what_his_laboratory_prints_at_the_start():
    run = simulate("older-man", ["anastrozole 1 mg daily for 12 weeks"])[0]
    subject = Subject.open("older-man")
    for lab in subject.labs:
        if lab.analyte in ("testosterone", "estradiol", "LH", "FSH", "SHBG"):
            assert run.laboratory.values[lab.analyte][0] == pytest.approx(lab.value, rel=1e-6), lab.analyte


def test_every_quantity_has_its_canonical_unit_and_the_axis_is_daily():
    run = simulate("older-man", ["anastrozole 1 mg daily for 12 weeks"])[0]
    assert np.max(np.diff(run.days)) <= 1.0
    assert run.days[0] == 0 and run.days[-1] == 84
    for name, unit in run.quantities.units.items():
        assert unit == CANONICAL[name]
    values = run.quantities.values
    np.testing.assert_allclose(
        values["total_motile_sperm_count"],
        values["semen_volume"] * values["sperm_concentration"] * values["total_motility"] / 100,
        rtol=1e-3,  # a daily mean of products against a product of daily means
    )


def test_bands_are_reproducible_and_ordered():
    protocols = ["anastrozole 1 mg daily for 3 weeks", "none for 3 weeks"]
    first, again = (simulate("obese-man", protocols, draws=12, seed=5) for _ in range(2))
    other = simulate("obese-man", protocols[:1], draws=12, seed=6)
    for a, b in zip(first, again, strict=True):
        for name in a.quantities.values:
            np.testing.assert_array_equal(a.quantities.values[name], b.quantities.values[name])
            assert (a.quantities.lower[name] <= a.quantities.values[name]).all()
            assert (a.quantities.values[name] <= a.quantities.upper[name]).all()
    assert not np.array_equal(first[0].quantities.upper["testosterone"], other[0].quantities.upper["testosterone"])
    untreated = first[1].quantities
    np.testing.assert_allclose(untreated.lower["testosterone"], untreated.lower["testosterone"][0], rtol=1e-3)


def test_shown_days_of_short_and_long_runs():
    short, long = look(3.0), look(100.5)
    assert len(short.days) == 19
    np.testing.assert_allclose(shown_at(short.hours, short), short.days * 24)
    assert long.days[-1] == 100.5
    # each value is the mean of six hours' values, four hours apart, up to that day
    np.testing.assert_allclose(shown_at(long.hours, long)[5:], long.days[5:] * 24 - 10, atol=1e-4)
    assert shown_at(long.hours, long)[0] == 0


def test_a_draw_depends_on_its_number_alone():
    few, many = (simulate("older-man", ["none for 3 weeks"], draws=n, seed=3)[0] for n in (1, 2))
    lone = few.quantities.upper["testosterone"][0]
    pair = [many.quantities.lower["testosterone"][0], many.quantities.upper["testosterone"][0]]
    spread = pair[1] - pair[0]
    # with two draws the 2.5 and 97.5 % quantiles lie 2.5 % inside the two
    assert min(abs(lone - (pair[0] - 0.025 / 0.95 * spread)), abs(lone - (pair[1] + 0.025 / 0.95 * spread))) < 1e-6


def test_one_more_lab_leaves_the_other_draws_as_they_are():
    labs = [{"analyte": "testosterone", "value": "343 ng/dL", "assay": "immunoassay"}]
    more = [*labs, {"analyte": "LH", "value": "5.1 IU/L", "assay": "immunoassay"}]
    one, two = (simulate(Subject(age=68, labs=some), ["none for 1 week"], draws=3)[0] for some in (labs, more))
    np.testing.assert_allclose(
        one.quantities.upper["testosterone"][0], two.quantities.upper["testosterone"][0], rtol=1e-9
    )


def test_a_late_dose_is_not_passed_over():
    """A solver at rest takes long steps; the dose after it must be met."""
    for man in ("older-man", "obese-man", "oligozoospermic-man"):
        run = simulate(man, ["letrozole 2.5 mg once from week 4"], days=60)[0]
        assert run.quantities.values["LH"][33] > 1.2 * run.quantities.values["LH"][0], man


def test_a_weekly_drug_goes_on_in_step():
    man = Subject(age=45, drugs=["testosterone cypionate 100 mg weekly"])
    values = simulate(man, ["testosterone cypionate 100 mg weekly for 8 weeks"])[0].quantities.values["testosterone"]
    weeks = [float(np.mean(values[1 + 7 * k : 8 + 7 * k])) for k in range(8)]
    np.testing.assert_allclose(weeks, weeks[0], rtol=0.02)


def test_testosterone_that_comes_from_a_drug_does_not_bend_the_man():
    """His own testosterone is not to be read off a value that the drug makes."""
    labs = [{"analyte": "testosterone", "value": "700 ng/dL", "assay": "LC-MS/MS"}]
    man = Subject(age=45, drugs=["testosterone cypionate 100 mg weekly"], labs=labs)
    run = simulate(man, ["none for 1 year"])[0]
    assert run.quantities.values["testosterone"][-1] > 250
    plain = simulate(Subject(age=45, drugs=man.drugs), ["none for 1 year"])[0]
    assert run.quantities.values["testosterone"][-1] == pytest.approx(
        plain.quantities.values["testosterone"][-1], rel=0.3
    )


def test_man_on_testosterone_starts_treated_and_recovers():
    man = Subject(age=35, drugs=["testosterone enanthate 150 mg weekly"])
    run = simulate(man, ["none for 1 year"])[0]
    values = run.quantities.values
    assert values["LH"][0] < 0.5
    assert values["sperm_concentration"][0] < 2
    assert values["LH"][-1] > 3
    assert values["sperm_concentration"][-1] > 30


def test_current_drugs_lie_before_day_zero():
    events = already_taken(["anastrozole 1 mg daily"]).doses
    assert max(event.time for event in events) < 0
    assert min(event.time for event in events) == -start.RUN_IN_DAYS * 24


def test_reference_of_a_diseased_man_is_moved_until_his_labs_come_out():
    lesion = Lesion(aromatase=0.0)
    measured = {"testosterone": 480.0, "LH": 20.0, "FSH": 25.0}
    began = start.begin(YOUNG, model.load_parameters(), lesion=lesion, measured=measured, compile=True)
    state = dict(zip(start.STATES, began.state, strict=True))
    assert state["axis.LH"] == pytest.approx(20.0, rel=0.01)
    assert state["axis.FSH"] == pytest.approx(25.0, rel=0.01)
    assert not began.missed


def test_unreachable_value_is_reported_not_fitted():
    castrated = Lesion(leydig=0.0, sertoli=0.0)
    began = start.begin(
        YOUNG, model.load_parameters(), lesion=castrated, measured={"testosterone": 600.0}, compile=True
    )
    wanted, reached = began.missed["testosterone"]
    assert wanted == 600.0 and reached < 300


def test_measured_FSH_of_a_man_on_FSH_is_the_total():
    man = Subject(
        age=34, drugs=["FSH 150 IU daily"], labs=[{"analyte": "FSH", "value": "12 IU/L", "assay": "immunoassay"}]
    )
    run = simulate(man, ["FSH 150 IU daily for 4 weeks"])[0]
    assert run.quantities.values["FSH"][0] == pytest.approx(12, rel=0.01)


@pytest.mark.parametrize("share", [0, 100])
def test_percentages_of_semen_at_their_ends(share):
    semen = [{"concentration": "40 10^6/mL", "volume": "3 mL", "total_motility": f"{share} %"}]
    run = simulate(Subject(age=30, semen=semen), ["anastrozole 1 mg daily for 4 weeks"])[0]
    np.testing.assert_allclose(run.quantities.values["total_motility"], share, atol=1e-9)


def test_a_list_of_no_drugs_leaves_his_labs_his_own():
    labs = [{"analyte": "testosterone", "value": "450 ng/dL"}]
    with_none, without = (simulate(Subject(age=40, labs=labs, drugs=d), ["none for 1 week"])[0] for d in (["none"], []))
    for name in ("testosterone", "LH", "sperm_concentration"):
        np.testing.assert_array_equal(with_none.quantities.values[name], without.quantities.values[name])


def test_given_testosterone_has_no_rhythm_of_the_testis():
    infusion = "testosterone infusion 6 mg/day for 8 weeks"
    given = simulate(Subject(age=35, condition="agonadal"), [infusion])[0]
    ratio = given.laboratory.values["testosterone"][-1] / given.quantities.values["testosterone"][-1]
    assert ratio == pytest.approx(1.0, abs=0.01)
    own = simulate(Subject(age=35), ["none for 8 weeks"])[0]
    assert own.laboratory.values["testosterone"][-1] / own.quantities.values["testosterone"][-1] > 1.1


def test_stopping_before_the_horizon_shows_what_follows():
    run = simulate("older-man", ["anastrozole 1 mg daily for 4 weeks"], days=112)[0]
    estradiol = run.quantities.values["estradiol"]
    assert estradiol[28] < 0.8 * estradiol[0] < estradiol[-1]
    assert Protocol.parse(run.protocol).text() == run.protocol
