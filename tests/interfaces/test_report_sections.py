"""The closed sections on goals, criteria, organs, conception and evidence follow from the numbers of the run."""

import dataclasses
import re

import numpy as np
import pytest
from trajectories import PARTNER, text_of, three, trajectory

from leydig import grading
from leydig.parameters import Parameter, Prior, Uncertainty
from leydig.report import conception, criteria, details, evidence, goals, organs, page, source_list, wording


def section(html, key):
    """The markup of one closed section."""
    return html[html.index(f'<details id="{key}">') :].partition('\n<details id="')[0]


def said(html, key):
    return text_of(section(html, key)).replace(wording.NARROW, " ")


def with_alternative(run, name, quantity, values):
    """The run with what a conflicting finding makes of one quantity."""
    return dataclasses.replace(run, alternatives={name: {quantity: values}})


@pytest.fixture(scope="module")
def html():
    return page.html(three())


def test_the_sections_are_closed_and_in_order(html):
    order = ["goals", "criteria", "heart", "wellbeing", "conception", "values", "evidence", "not-modelled", "sources"]
    places = [html.index(f'<details id="{key}">') for key in order]
    assert places == sorted(places)
    assert "<details open" not in html
    assert html.count("<figure ") == 5


def test_every_key_that_a_section_cites_is_in_the_list(html):
    listed = {source.key for source in source_list.sources(three())}
    assert set(criteria.sources()) | set(goals.sources()) | set(organs.sources()) <= listed
    assert {"zibellini2015", "krzastek2019"} <= listed and "zibellini2015" in said(html, "not-modelled")
    assert "assumed" not in listed


def test_a_word_that_promises_treatment_is_never_used(html):
    assert "eligib" not in html.lower()


# Goals --------------------------------------------------------------------------------------------


def test_a_goal_has_his_numbers_for_each_protocol(html):
    text = said(html, "goals")
    assert text.count("Risk.") == len(wording.settings()["goals"])
    for row in ("A, anastrozole 1 mg daily", "B, anastrozole 1 mg twice weekly", "C, none for 52 weeks"):
        assert row in text
    assert "sperm concentration 31.0 → 37.7 ×10⁶/mL" in text
    assert "Week 6" in text and "A: testosterone 554 ng/dL and estradiol 16.1 pg/mL" in text


def test_bone_stands_against_what_two_scans_tell_apart():
    (goal,) = [goal for goal in goals.goals([trajectory()]) if goal.name == "Keep bone"]
    spine = goal.rows[0].aim[0]
    assert spine.text.startswith("−1.6") and "within the 3.0" in spine.band
    lost = goals.goals([trajectory(width=0, change={"bmd_spine": np.linspace(1.0, 0.95, 365)})])
    assert "beyond the 3.0" in next(goal for goal in lost if goal.name == "Keep bone").rows[0].aim[0].band


def test_a_test_after_the_end_of_the_run_says_so():
    (goal,) = [goal for goal in goals.goals([trajectory(length=100)]) if goal.name == "Keep bone"]
    assert goal.watch[-1].expected == ["the run ends before"]


# Criteria -----------------------------------------------------------------------------------------


def verdict(run, name):
    (row,) = [row for row in criteria.rows([run]) if row.name == name]
    return row.verdict


@pytest.mark.parametrize(("ratio", "expected"), [(9.9, "met"), (10.0, "not met"), (13.0, "not met")])
def test_a_criterion_is_met_or_not(ratio, expected):
    run = trajectory(width=0)
    run.laboratory.values["testosterone_estradiol_ratio"] = np.full(365, ratio)
    assert verdict(run, "Testosterone to estradiol below 10") == expected


def test_what_was_not_measured_decides_nothing():
    run = trajectory()
    del run.subject["measured"]["estradiol"]
    (row,) = [row for row in criteria.rows([run]) if row.name == "Testosterone to estradiol below 10"]
    assert (row.verdict, row.why) == ("unknown", "testosterone/estradiol was not measured")
    del run.subject["measured"]["testosterone"]
    assert verdict(run, "Low testosterone") == "unknown"
    # One condition that fails settles a criterion that asks for several.
    assert verdict(run, "High estradiol on testosterone") == "not met"


def test_months_of_trying_count_only_where_they_are_given():
    run = trajectory(change={"testosterone": 250, "LH": 3.0})
    assert verdict(run, "Infertile with low testosterone") == "unknown"
    run.subject["partner"] = PARTNER | {"assumed": False}
    assert verdict(run, "Infertile with low testosterone") == "met"
    run.subject["partner"] = PARTNER | {"assumed": False, "months_trying": 3}
    assert verdict(run, "Infertile with low testosterone") == "not met"


def test_an_assumed_body_weight_decides_nothing():
    run = trajectory(change={"testosterone": 250, "LH": 3.0})
    run.subject["BMI"] = 36.0
    assert verdict(run, "Obesity with low testosterone and LH not raised") == "met"
    assumed = dataclasses.replace(run, assumed=("BMI was not measured: 36 kg/m2",))
    assert verdict(assumed, "Obesity with low testosterone and LH not raised") == "unknown"


def test_what_speaks_against_an_inhibitor_is_marked(html):
    # Of each pair for scores of bone density one stands.
    assert said(html, "criteria").count("Against:") == sum(one.speaks == "against" for one in criteria.criteria()) - 2
    assert verdict(trajectory(), "Normal testosterone, or a testis that fails") == "met"
    (row,) = [
        row for row in criteria.rows([trajectory()]) if row.name == "Older man with low or borderline testosterone"
    ]
    assert (row.speaks, row.verdict) == ("against", "met")


def test_a_diagnosis_speaks_neither_way(html):
    assert said(html, "criteria").count("Neither:") == 1
    assert "Neither: Low testosterone" in said(html, "criteria")


@pytest.mark.parametrize(
    ("LH", "testosterone", "expected"), [(1.4, 250, "met"), (1.5, 250, "not met"), (1, 320, "not met")]
)
def test_a_silent_pituitary_speaks_against(LH, testosterone, expected):
    run = trajectory(change={"LH": LH, "testosterone": testosterone})
    assert verdict(run, "Pituitary that is almost silent") == expected


@pytest.mark.parametrize("condition", ["agonadal", "aromatase-deficient", "eugonadal", None])
def test_a_condition_can_speak_against(condition):
    run = trajectory()
    run.subject["condition"] = condition
    expected = "met" if condition in ("agonadal", "aromatase-deficient") else "not met"
    assert verdict(run, "Nothing to lower, or no testes to drive") == expected


def test_a_limit_of_mass_spectrometry_is_held_against_that_scale():
    run = trajectory(width=0)
    run.quantities.values["estradiol"] = np.full(365, 12.0)  # his immunoassay prints 26
    (row,) = [row for row in criteria.rows([run]) if row.name == "Estradiol low already"]
    assert (row.verdict, row.limit) == ("met", "Estradiol below 16.0 pg/mL by LC-MS/MS")
    assert row.values == ["estradiol 12.0 pg/mL on the scale of LC-MS/MS"]
    assert verdict(run, "Estradiol very low already") == "not met"
    del run.subject["measured"]["estradiol"]
    assert verdict(run, "Estradiol low already") == "unknown"


@pytest.mark.parametrize(
    ("age", "score", "name"),
    [(68, "t", "Bone density reduced (osteopenia)"), (40, "z", "Bone density on the low side for his age")],
)
def test_bone_density_that_is_reduced_is_a_caution(age, score, name):
    for value, expected in ((-1.2, "met"), (-0.9, "not met")):
        run = trajectory(age=age, change={f"{score}_score_spine": value, f"{score}_score_hip": 0.0})
        run.subject["measured"] |= {"bmd_spine": 1.0, "bmd_hip": 0.9}
        assert verdict(run, name) == expected


# Organs -------------------------------------------------------------------------------------------


def test_an_outcome_without_data_in_men_has_an_interval_and_no_value():
    assert organs.grade("joint_pain_probability") == "no male data"
    run = trajectory()
    (wellbeing,) = [found for found in organs.sections([run]) if found.key == "wellbeing"]
    (pain,) = [outcome for outcome in wellbeing.outcomes if outcome.quantity == "joint_pain_probability"]
    assert pain.lines[0].cells[-1] == details.Cell("25.2 to 34.8", "no male data")
    assert "joint_pain_probability" not in [panel.key for panel in wellbeing.panels]
    without = organs.sections([trajectory(width=0)])[1]
    (pain,) = [outcome for outcome in without.outcomes if outcome.quantity == "joint_pain_probability"]
    assert pain.lines[0].cells[0] == details.Cell("no male data;", "run with --bands for the interval")
    assert pain.lines[0].cells[-1] == details.Cell("no male data", "")
    rows = {row.name: row for table in details.tables([run]) for row in table.rows}
    assert rows["Joint pain"].cells[-1].band == "no male data"


def test_no_male_data_is_never_drawn_even_where_it_moves():
    run = trajectory(change={"joint_pain_probability": np.linspace(0.3, 0.6, 365)})
    assert all(panel.key != "joint_pain_probability" for found in organs.sections([run]) for panel in found.panels)


def test_a_conflicting_finding_stands_beside_the_default():
    name = grading.outcomes()["LDL"].alternatives[0].name
    run = with_alternative(trajectory(), name, "LDL", np.linspace(131, 150, 365))
    (heart,) = [found for found in organs.sections([run]) if found.key == "heart"]
    (LDL,) = [outcome for outcome in heart.outcomes if outcome.quantity == "LDL"]
    assert LDL.lines[0].cells[-1].value == "131"
    assert LDL.alternatives[0].ends == ["150"] and LDL.alternatives[1].ends == []
    (panel,) = [panel for panel in heart.panels if panel.key == "LDL"]
    assert panel.others[0].values[-1] == 150
    html = page.html([run])
    assert "If instead ( --assume estradiol-lowers-LDL ):" in said(html, "heart") and "Dots: the same protocol" in said(
        html, "heart"
    )
    assert "150 at the end instead of 131 mg/dL" in said(html, "evidence")


def test_what_does_not_move_is_not_drawn_and_said_to_stay(html):
    assert "Not drawn, since nothing moves:" in said(html, "heart")
    (heart, _) = organs.sections([trajectory()])
    assert "glucose" not in [panel.key for panel in heart.panels]


def test_shares_are_drawn_in_percent():
    (panel,) = [panel for panel in organs.sections([trajectory()])[1].panels if panel.key == "hot_flush_probability"]
    assert panel.unit == "%" and panel.lines[0].values[0] == pytest.approx(7)


# Conception ---------------------------------------------------------------------------------------


def test_the_chance_of_conception_names_the_partner_and_the_span():
    run = trajectory()
    assert conception.partner_line(run) == ("Partner of 33 years, 14 months without a pregnancy, both assumed.")
    (row,) = conception.rows([run])
    assert (row.per_cycle[0].value, row.per_cycle[1].value) == ("3.1", "4.0")
    assert row.within_words == "within a year"
    assert conception.rows([trajectory(length=100)])[0].within_words == "within 100 days"
    run.subject["partner"] = None
    assert "No partner is named" in conception.partner_line(run)


@pytest.mark.parametrize(("years", "length", "late"), [(40, 364, True), (39.5, 364, True), (39.5, 100, False)])
def test_a_partner_from_40_years_on_is_told_of_losses_and_sterility(years, length, late):
    run = trajectory(length=length)
    run.subject["partner"] = PARTNER | {"partner_age": years}
    assert ("can no longer conceive" in conception.partner_line(run)) is late
    listed = {source.key for source in source_list.sources([run])}
    assert ("leridon2004" in listed) is late


# Evidence -----------------------------------------------------------------------------------------


def test_every_graded_outcome_is_listed_with_its_grade(html):
    markup = section(html, "evidence")
    assert markup.count('<details class="outcome">') == len(grading.outcomes())
    for organ in evidence.by_organ(three()):
        for row in organ.rows:
            assert row.grade in grading.GRADES


def parameter(**fields):
    base = {"name": "slope", "system": "x", "symbol": "s", "unit": "1", "kind": "assumed", "source": ("assumed",)}
    return Parameter.model_construct(**(base | {"value": 0.5, "uncertainty": None, "standard_error": None} | fields))


def test_the_size_of_an_effect_has_its_limits_and_kind():
    assert evidence.effect("x.own_slope", parameter()) == ("own slope", "0.5", "assumed, uncertainty not stated")
    natural = parameter(uncertainty=Uncertainty(sd=0.1), kind="derived")
    assert evidence.interval(natural) == pytest.approx((0.304, 0.696), abs=1e-3)
    fitted = parameter(kind="fitted", standard_error=0.2, prior=Prior(median=1, log_sd=1))
    assert evidence.interval(fitted) == pytest.approx((0.5 * np.exp(-0.392), 0.5 * np.exp(0.392)), rel=1e-3)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (240, "h", "10 days"),
        (2, "h", "2 hours"),
        (1 / 240, "1/h", "10 days"),
        (1.7e-5, "1/h", "6.7 years"),
        (3, "d", "3 days"),
        (0.0, "h", ""),
    ],
)
def test_time_courses_are_said_in_days_or_years(value, unit, words):
    assert evidence.time_course(parameter(value=value, unit=unit)) == words


def test_no_number_of_the_page_is_missing(html):
    assert not re.search(r"\bnan\b", text_of(html).lower())
