"""Red flags: each follows from the numbers of the run, and says in which state of treatment it holds."""

import numpy as np
import pytest
from trajectories import NONE, TWICE, text_of, trajectory

from leydig.errors import InputError
from leydig.report import flags, limits, page, source_list, treatment

NO_SPERM, SUPPRESSED = "No or almost no sperm", "Sperm suppressed under testosterone"
VERY_LOW, SECONDARY, PRIMARY = (
    "Very low testosterone",
    "Low testosterone with LH not raised",
    "Low testosterone with raised LH",
)
GEL = "testosterone gel 50 mg daily for 52 weeks"
STOPPED = "anastrozole 1 mg daily for 12 weeks then none for 40 weeks"
DAYS = np.arange(365)


def names(*trajectories):
    return [flag.name for flag in flags.red_flags(trajectories)]


def finding(run, name):
    (flag,) = [flag for flag in flags.red_flags([run]) if flag.name == name]
    return flag.finding


def test_a_man_without_a_finding_has_no_flag():
    assert flags.red_flags([trajectory()]) == []
    assert "Red flags" not in page.html([trajectory()])


def test_flags_stand_before_the_figures_and_name_the_protocol():
    pair = [trajectory(), trajectory(TWICE, change={"sperm_concentration": 0.0})]
    assert "(protocol B)" in flags.red_flags(pair)[0].finding
    html = page.html(pair)
    assert html.index(NO_SPERM) < html.index("<figure")


# Testosterone and LH ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("testosterone", "LH", "expected"),
    [
        (265, 1.0, []),
        (265, 12.0, []),
        (263, 0.9, [SECONDARY]),
        (263, 5.0, [SECONDARY]),
        (263, 9.4, [SECONDARY]),
        (263, 9.5, [PRIMARY]),
        (151, 5.0, [SECONDARY]),
        (149, 5.0, [VERY_LOW, SECONDARY]),
        (149, 30.0, [VERY_LOW, PRIMARY]),
        (float("nan"), 5.0, []),
    ],
)
def test_low_testosterone_is_told_apart_by_LH(testosterone, LH, expected):
    assert names(trajectory(width=0, change={"testosterone": testosterone, "LH": LH})) == expected


def test_low_testosterone_and_LH_must_hold_at_the_same_time():
    early = DAYS < 100
    change = {"testosterone": np.where(early, 200, 500), "LH": np.where(early, 12.0, 5.0)}
    assert names(trajectory(change=change)) == [PRIMARY]


def test_a_missing_value_raises_no_flag():
    gone = np.where(DAYS < 100, 343.0, np.nan)
    assert names(trajectory(width=0, change={"testosterone": gone, "LH": 20.0})) == []


def test_thresholds_are_named_with_their_direction_and_source():
    low = {"testosterone": 140, "LH": 5.0}
    very, secondary = flags.red_flags([trajectory(change=low)])
    assert very.limit == "testosterone below 150 ng/dL, source bhasin2018"
    assert secondary.limit == "testosterone below 264 ng/dL, source travison2017; LH at most 9.4 IU/L, source tajar2010"
    assert "secondary" in secondary.meaning
    (primary,) = flags.red_flags([trajectory(change={"testosterone": 200, "LH": 20.0})])
    assert "LH above 9.4 IU/L" in primary.limit and "primary" in primary.meaning
    listed = [source.key for source in source_list.sources([trajectory()])]
    assert "tajar2010" in listed and "assumed" not in listed


def test_a_condition_needs_one_relation_that_is_known():
    with pytest.raises(InputError, match="a condition of LH needs one of below, at_most, above, at_least"):
        limits.limit({"quantity": "LH", "source": "tajar2010"}, "here")
    with pytest.raises(InputError, match="no high limit of sperm_concentration from who2021"):
        limits.limit({"quantity": "sperm_concentration", "above": "range", "source": "who2021"}, "here")
    upper = limits.limit({"quantity": "LH", "above": "range", "source": "china2018"}, "here")
    assert upper.value == 10.0 and list(upper.holds(np.array([10.0, 10.1, np.nan]))) == [False, True, False]


# When ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "low", "said"),
    [
        (STOPPED, DAYS == 0, "LH 5.0 IU/L at the start"),
        (STOPPED, (DAYS > 20) & (DAYS < 60), "on treatment (from week 3 until week 8)"),
        (STOPPED, DAYS > 90, "after treatment (from week 13)"),
        (STOPPED, DAYS >= 0, "at the start, on treatment and after treatment (throughout)"),
        (STOPPED, DAYS <= 84, "at the start and on treatment (until week 12)"),
        (STOPPED, DAYS == 85, "after treatment (in week 12)"),
        (NONE, DAYS > 0, "without treatment (from day 1)"),
        ("hCG 1500 IU Mon Wed Fri from week 4", (DAYS > 0) & (DAYS < 30), "before the first dose and on treatment"),
        (
            "anastrozole 1 mg daily for 4 weeks then none for 8 weeks then 1 mg daily for 4 weeks",
            (DAYS > 40) & (DAYS < 45),
            "in a pause of treatment",
        ),
        ("degarelix 240 mg once", (DAYS > 10) & (DAYS < 45), "after treatment"),
        ("anastrozole 1 mg daily", DAYS > 300, "on treatment (from week 43)"),
    ],
)
def test_a_flag_says_in_which_state_of_treatment_it_holds(protocol, low, said):
    run = trajectory(protocol, width=0, change={"testosterone": np.where(low, 200.0, 400.0), "LH": 5.0})
    assert said in finding(run, SECONDARY)
    assert finding(run, SECONDARY).startswith("testosterone 200 ng/dL and LH 5.0 IU/L ")


def test_what_he_takes_already_is_said_at_the_start_and_after_stopping():
    run = trajectory(NONE, width=0, change={"testosterone": np.where(DAYS < 50, 200.0, 400.0), "LH": 0.5})
    run.subject["drugs"] = ["testosterone gel 50 mg daily"]
    assert "at the start, on what he takes already and after stopping what he took (until week 7)" in finding(
        run, SECONDARY
    )


@pytest.mark.parametrize(
    ("low", "said"),
    [
        ((DAYS < 30) | (DAYS > 300), "(until week 4 and from week 43)"),
        ((DAYS < 30) | (DAYS == 200) | (DAYS > 300), "(until week 4, in week 29 and from week 43)"),
        (DAYS % 7 < 3, "(from the start on)"),
        (DAYS % 40 < 20, "(from the start on with breaks)"),
        ((DAYS > 20) & (DAYS % 40 < 20), "(from week 6 with breaks)"),
    ],
)
def test_a_flag_that_comes_and_goes_is_not_said_to_hold_throughout(low, said):
    run = trajectory(width=0, change={"testosterone": np.where(low, 200.0, 400.0), "LH": 5.0})
    assert said in finding(run, SECONDARY)


def test_the_furthest_value_is_shown_with_its_day():
    course = np.where(DAYS < 100, 400.0, 200.0)
    course[150] = 160.0
    run = trajectory(width=0, change={"testosterone": course, "LH": 5.0})
    assert finding(run, SECONDARY).startswith("testosterone 160 ng/dL")
    assert "lowest in week 21" in finding(run, SECONDARY)


def test_a_text_that_is_no_protocol_still_has_a_flag():
    run = trajectory("whatever he likes", change={"sperm_concentration": np.where(DAYS < 140, 20.0, 0.0)})
    assert "during the run (from week 20)" in finding(run, NO_SPERM)


# Sperm and bone -----------------------------------------------------------------------------------


def test_a_lack_of_sperm_is_flagged_from_when_it_is_reached():
    run = trajectory(change={"sperm_concentration": np.where(DAYS < 140, 20.0, 0.0)})
    (flag,) = flags.red_flags([run])
    assert flag.name == NO_SPERM
    assert "on treatment (from week 20)" in flag.finding
    assert "0.1 ×10⁶/mL" in flag.limit and "who1996" in flag.limit
    assert "Azoospermia" not in text_of(page.html([run]))
    assert names(trajectory(change={"sperm_concentration": 0.11})) == []


def test_suppressed_sperm_is_flagged_under_testosterone_only():
    change = {"sperm_concentration": np.where(DAYS < 60, 31.0, 5.0)}
    assert names(trajectory(GEL, change=change)) == [SUPPRESSED]
    assert names(trajectory(change=change)) == []
    assert names(trajectory(f"{GEL} + anastrozole 1 mg daily for 52 weeks", change=change)) == [SUPPRESSED]


def test_suppression_is_a_fall_from_his_own_start():
    assert names(trajectory(GEL, change={"sperm_concentration": 5.0})) == []
    assert names(trajectory(GEL, change={"sperm_concentration": np.where(DAYS < 60, 5.0, 4.6)})) == []
    fallen = trajectory(GEL, change={"sperm_concentration": np.where(DAYS < 60, 5.0, 4.4)})
    assert "on treatment (from week 9)" in finding(fallen, SUPPRESSED)
    assert names(trajectory(GEL, change={"sperm_concentration": np.where(DAYS < 60, 60.0, 20.0)})) == []


def test_a_fall_before_testosterone_begins_is_not_laid_to_it():
    later = "degarelix 240 mg once + testosterone gel 50 mg daily from week 20 for 20 weeks"
    assert treatment.first_day(trajectory(later), "testosterone") == 140
    assert (
        names(trajectory(later, change={"sperm_concentration": np.where((DAYS > 60) & (DAYS < 120), 5.0, 31.0)})) == []
    )
    assert names(trajectory(later, change={"sperm_concentration": np.where(DAYS > 150, 5.0, 31.0)})) == [SUPPRESSED]


def test_a_man_who_takes_testosterone_already_is_flagged_at_the_start():
    change = {"sperm_concentration": np.where(DAYS < 100, 2.0, 40.0)}
    run = trajectory(NONE, change=change)
    assert names(run) == []
    run.subject["drugs"] = ["testosterone cypionate 100 mg weekly"]
    assert "at the start, on what he takes already and after stopping what he took" in finding(run, SUPPRESSED)
    run.subject["drugs"] = ["hCG 1500 IU twice weekly"]
    assert names(run) == []


def test_bone_is_flagged_by_the_score_of_his_age():
    change = {"t_score_spine": -2.5, "z_score_spine": -2.0}
    assert names(trajectory(change=change)) == ["Bone density in the range of osteoporosis"]
    assert names(trajectory(age=38, change=change)) == ["Bone density below the expected range for age"]
    assert names(trajectory(change={"t_score_spine": -2.4, "z_score_spine": -2.2})) == []


# Blood, mood and the wish for children ------------------------------------------------------------


def test_thick_blood_is_flagged_by_its_highest_value():
    course = np.where(DAYS < 100, 47.0, 54.5)
    course[200] = 56.0
    run = trajectory(GEL, change={"hematocrit": course})
    (flag,) = [flag for flag in flags.red_flags([run]) if flag.name == "Haematocrit above 54 %"]
    assert flag.finding.replace("\u202f", " ").startswith("haematocrit 56.0 % on treatment")
    assert "highest in week 29" in flag.finding and "source aua2018" in flag.limit
    assert names(trajectory(change={"hematocrit": 54.0})) == []


def test_low_mood_is_flagged_by_an_assumed_limit():
    (flag,) = flags.red_flags([trajectory(change={"low_mood_probability": 0.078})])
    assert flag.name == "Low mood more likely than usual"
    assert flag.limit.endswith("assumed") and "7.8" in flag.finding
    assert names(trajectory(change={"low_mood_probability": 0.06})) == []


@pytest.mark.parametrize(
    ("fields", "flagged"),
    [
        ({"wants_children": True}, True),
        ({"partner": {"partner_age": 32, "months_trying": 0, "assumed": False}}, True),
        ({"partner": {"partner_age": 32, "months_trying": 0, "assumed": True}}, False),
        ({"partner": {"partner_age": 32, "months_trying": 9, "assumed": False}, "wants_children": False}, False),
        ({"partner": None}, False),
    ],
)
def test_a_wish_for_children_on_testosterone_is_flagged(fields, flagged):
    run = trajectory(GEL, drug=0)
    run.subject.update(fields)
    assert (names(run) == ["Wish for children while on testosterone"]) is flagged
    without = trajectory()
    without.subject.update(fields)
    assert names(without) == []


def test_a_man_who_stops_testosterone_is_told_what_he_takes():
    run = trajectory(NONE, drug=0)
    run.subject.update(wants_children=True, drugs=["testosterone cypionate 100 mg weekly"])
    assert finding(run, "Wish for children while on testosterone") == "takes testosterone already"


def test_a_change_of_weight_counts_as_treatment():
    run = trajectory("weight -10 % over 6 months", drug=0, change={"testosterone": np.where(DAYS > 20, 200.0, 400.0)})
    assert treatment.phase(run, 100.0) == "on treatment"
