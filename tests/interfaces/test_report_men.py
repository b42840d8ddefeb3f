"""The report says to each man only what is meant for him: disorders, what does not apply, findings that are assumed."""

import numpy as np
import pytest
from test_report_sections import said, with_alternative
from trajectories import NONE, TWICE, three, trajectory

from leydig import grading
from leydig.report import criteria, evidence, flags, goals, limits, organs, page, wording

GEL = "testosterone gel 50 mg daily for 52 weeks"
DAYS = np.arange(365)
LEFT = ("PSA", "sperm_concentration", "conception_probability")
ASSUMED = ("estradiol-lowers-LDL",)


def flag_of(runs_of_one_man, name):
    (flag,) = [flag for flag in flags.red_flags(runs_of_one_man) if flag.name == name]
    return flag.finding.replace(wording.NARROW, " ")


def goal(runs_of_one_man, name):
    (found,) = [found for found in goals.goals(runs_of_one_man) if found.name == name]
    return found


def agonadal(**fields):
    run = trajectory(width=0, **fields)
    run.subject["condition"] = "agonadal"
    return run


# Goals --------------------------------------------------------------------------------------------


def test_a_limit_of_mass_spectrometry_is_held_against_that_scale_in_words():
    run = trajectory(width=0, change={"testosterone": 500})
    run.quantities.values["estradiol"] = np.full(365, 5.0)  # his immunoassay prints 16 and more
    (expected,) = goal([run], "Improve sperm").watch[0].expected
    assert "estradiol 5.0 pg/mL on the scale of LC-MS/MS, which is below the limit of 10.0 pg/mL" in expected
    run.quantities.values["estradiol"] = np.full(365, 18.0)
    assert "which is not below the limit" in goal([run], "Improve sperm").watch[0].expected[0]


def test_desire_that_rises_stands_beside_the_finding_that_it_falls():
    run = with_alternative(trajectory(width=0), "inhibitors-lower-desire", "desire_score", np.linspace(62, 50, 365))
    found = goal([run], "Improve sperm")
    assert "testosterone" in found.note and found.note_sources == ["inhibitor_libido2025"]
    assert found.rows[0].risk[-1] == (
        "sexual desire (0 to 100), if instead",
        "62 \u2192 50",
        "--assume inhibitors-lower-desire",
    )
    assert "inhibitor_libido2025" in goals.sources()
    assert "inhibitors-lower-desire" in grading.alternatives()


# Disorders ----------------------------------------------------------------------------------------


def test_a_man_without_testes_is_told_one_sentence():
    low = {"testosterone": 20, "LH": 40.0, "sperm_concentration": 0.0}
    run = agonadal(protocol=NONE, change=low)
    (flag,) = flags.red_flags([run])
    assert flag.name == "No testes" and flag.finding == (
        "condition agonadal; testosterone at its lowest 20 ng/dL at the start"
    )
    names = [found.name for found in goals.goals([run])]
    assert "Improve sperm" not in names and "Conceive with the partner" not in names
    assert "Leydig" not in goal([run], "Raise testosterone").mechanism
    assert "Leydig" in goal([trajectory()], "Raise testosterone").mechanism
    pair = [run, agonadal(protocol=GEL, change=low | {"testosterone": np.where(DAYS < 3, 20, 500)})]
    assert len(flags.red_flags(pair)) == 1


def test_what_does_not_apply_is_not_spoken_of():
    run = trajectory(left_out=LEFT, assumed=("PSA was not measured: 1", "LH was not measured: 4", "A partner of 30"))
    for panel in (run.quantities, run.laboratory):
        for name in run.left_out:
            panel.values.pop(name, None)
    assert page.context([run])["assumed"] == ["LH was not measured: 4"]
    assert not [watch for found in goals.goals([run]) for watch in found.watch if "PSA" in watch.text]
    assert not [row for row in criteria.rows([run]) if "perm" in row.limit or "months" in row.limit]
    assert "PSA" not in [row.name for organ in evidence.by_organ([run]) for row in organ.rows]
    assert [watch for found in goals.goals([trajectory()]) for watch in found.watch if "PSA" in watch.text]


# Findings that are assumed ------------------------------------------------------------------------


def test_a_finding_is_named_by_its_option_and_said_to_be_assumed():
    several = [trajectory(findings=ASSUMED), trajectory(NONE, strength=0, drug=0, findings=ASSUMED)]
    (heart,) = [found for found in organs.sections(several) if found.key == "heart"]
    (LDL,) = [outcome for outcome in heart.outcomes if outcome.quantity == "LDL"]
    taken = {other.option: other.ends for other in LDL.alternatives}
    assert taken.pop("--assume estradiol-lowers-LDL") == ["assumed in this run"] and not any(taken.values())
    html = page.html(several)
    assert "<code>--assume estradiol-lowers-LDL</code>" in html
    assert "A: assumed in this run" in said(html, "evidence")
    assert "assumed in this run" not in page.html(three())


# Red flags ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "none"),
        (1e-5, "below 0.001 \u00d710\u2076/mL"),
        (0.0351, "0.035 \u00d710\u2076/mL"),
        (0.0996, "0.0996 \u00d710\u2076/mL"),
        (0.09999999, "just below 0.1 \u00d710\u2076/mL"),
    ],
)
def test_a_value_is_never_printed_as_its_own_limit(value, text):
    bound = limits.Limit("sperm_concentration", "below", 0.1, "who1996", "derived")
    assert limits.beside(value, bound) == text


def test_a_value_near_its_limit_has_one_more_digit():
    assert limits.beside(263.7, limits.Limit("testosterone", "below", 264.0, "x", "measured")) == "263.7 ng/dL"
    assert limits.beside(-2.52, limits.Limit("t_score_spine", "at_most", -2.5, "x", "measured")) == "\u22122.52"
    assert limits.beside(-2.5, limits.Limit("t_score_spine", "at_most", -2.5, "x", "measured")) == "\u22122.5"


def test_what_all_protocols_share_at_the_start_is_said_once():
    change = {"testosterone": np.where(DAYS < 10, 200.0, 500.0), "LH": 5.0}
    pair = [
        trajectory(width=0, change=change),
        trajectory(NONE, width=0, drug=0, change={"testosterone": 200, "LH": 5.0}),
    ]
    assert flag_of(pair, "Low testosterone with LH not raised") == (
        "testosterone 200 ng/dL and LH 5.0 IU/L at the start; protocol A: on treatment (until day 9); "
        "protocol B: without treatment (throughout)"
    )
    same = [
        trajectory(change={"testosterone": 200, "LH": 5.0}),
        trajectory(TWICE, change={"testosterone": 200, "LH": 5.0}),
    ]
    assert flag_of(same, "Low testosterone with LH not raised").endswith("at the start; on treatment (throughout)")


def test_what_is_over_within_a_day_is_said_of_the_start_only():
    change = {"testosterone": np.where(DAYS < 2, 200.0, 500.0), "LH": 5.0}
    pair = [trajectory(width=0, change=change), trajectory(TWICE, width=0, change=change)]
    assert flag_of(pair, "Low testosterone with LH not raised") == "testosterone 200 ng/dL and LH 5.0 IU/L at the start"
    assert flag_of(pair[:1], "Low testosterone with LH not raised").endswith("at the start")


@pytest.mark.parametrize(
    ("protocol", "value", "flagged"), [(GEL, 4.1, True), (GEL, 4.0, False), ("anastrozole 1 mg daily", 6.0, False)]
)
def test_PSA_counts_beside_an_androgen(protocol, value, flagged):
    run = trajectory(protocol, width=0, change={"PSA": value})
    assert ("PSA above 4 ng/mL with an androgen" in [flag.name for flag in flags.red_flags([run])]) is flagged


def test_PSA_counts_for_a_man_who_takes_an_androgen_already():
    run = trajectory(NONE, width=0, drug=0, change={"PSA": 5.0})
    run.subject["drugs"] = ["testosterone gel 50 mg daily"]
    assert flag_of([run], "PSA above 4 ng/mL with an androgen").startswith("PSA 5.00 ng/mL")


def test_glucose_of_diabetes_is_flagged():
    name = "Fasting glucose in the range of diabetes"
    assert flag_of([trajectory(change={"glucose": 126.0})], name).startswith("fasting glucose 126 mg/dL")
    assert name not in [flag.name for flag in flags.red_flags([trajectory(change={"glucose": 125.9})])]
