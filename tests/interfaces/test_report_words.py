"""What the report says about a run follows from its numbers: sentences, bands, red flags, published figures."""

import dataclasses
import re

import numpy as np
import pytest
from trajectories import NONE, TWICE, text_of, three, trajectory

from leydig.engine.trajectory import Panel
from leydig.report import details, figures, page, plan, published, runs, sentences, wording

# Sentences ----------------------------------------------------------------------------------------


def sentence(key, trajectories):
    (figure,) = [figure for figure in plan.figures(trajectories) if figure.key == key]
    return sentences.of(figure, trajectories).replace(wording.NARROW, " ")


def test_the_sentence_on_hormones_holds_the_numbers_of_the_run():
    run = trajectory()
    end = run.laboratory.values["testosterone"][-1]
    low, high = run.laboratory.lower["testosterone"][-1], run.laboratory.upper["testosterone"][-1]
    said = sentence("hormones", [run])
    assert said.startswith(
        f"After 52 weeks testosterone is {end:.0f} ng/dL (95 % band {low:.0f} to {high:.0f}) against 343"
    )
    assert said.endswith("against 6.4 at the start.")


def test_sentences_change_with_the_numbers():
    assert "the concentration stays above the lower limit of 16.0" in sentence("semen", [trajectory()])
    low = [trajectory(change={"sperm_concentration": 9.0})]
    assert "the concentration stays below the lower limit of 16.0" in sentence("semen", low)
    assert "above the published range of 7.2 to 21.8" in sentence("ratio", [trajectory()])
    assert "inside the published range" in sentence("ratio", [trajectory(NONE, strength=0)])
    assert "above (A, B) and inside (C) the published range" in sentence("ratio", three())
    assert "within the 3.0 % that two scans tell apart" in sentence("bone", [trajectory()])
    lost = [trajectory(width=0, change={"bmd_spine": np.linspace(1.0, 0.95, 365)})]
    assert "at the spine by −5.0 %, beyond the 3.0 % that two scans tell apart" in sentence("bone", lost)
    level = [trajectory(drug=35)]
    assert sentence("drug", level) == "Anastrozole is 35.0 ng/mL over the last 4 weeks."


def test_a_drug_that_has_gone_and_a_hormone_that_has_turned_back_are_said():
    course = np.where(np.arange(365) < 84, 600.0, 343.0)
    course[0] = 343.0
    level = np.where(np.arange(365) < 84, 30.0, 0.0)
    level[0] = 0.0
    run = trajectory(change={"testosterone": course}, drug=0, width=0)
    quantities = dataclasses.replace(
        run.quantities,
        values={**run.quantities.values, "anastrozole": level},
        units={**run.quantities.units, "anastrozole": "ng/mL"},
    )
    run = dataclasses.replace(run, quantities=quantities)
    assert sentence("drug", [run]) == "Anastrozole is at most 30.0 ng/mL on day 1 and 0.0 ng/mL at the end."
    assert "testosterone was furthest from the start on day 1, 600 ng/dL" in sentence("hormones", [run])


@pytest.mark.parametrize(("age", "score"), [(38, "Z"), (49, "Z"), (49.9, "Z"), (50, "T"), (68, "T")])
def test_the_score_that_leads_depends_on_age(age, score):
    run = trajectory(age=age)
    assert f"the {score}-score is" in sentence("bone", [run])
    listed = [row.name for row in details.tables([run])[-1].rows]
    other = "T" if score == "Z" else "Z"
    assert listed.index(f"{score}-score of the spine") < listed.index(f"{other}-score of the spine")


# Tables -------------------------------------------------------------------------------------------


def table(run, name):
    """Unit and cells of a quantity in the table of states; None where it has no line."""
    rows = {row.name: row for row in details.tables([run])[-1].rows}
    return (rows[name].unit, [cell.value for cell in rows[name].cells]) if name in rows else None


def test_the_fracture_risk_says_which_fractures_in_whole_percent():
    unit, cells = table(trajectory(), "Any fracture within 10 years")
    assert unit == "%"
    assert set(cells) == {"12"}
    assert "fracture risk" not in text_of(page.html([trajectory()]))


def test_the_fracture_risk_of_a_younger_man_is_not_shown():
    assert table(trajectory(age=38), "Any fracture within 10 years") is None
    before, _, _ = page.html([trajectory(age=49, length=300)]).partition('<details id="evidence">')
    assert "ny fracture within" not in text_of(before)
    assert table(trajectory(age=49.5), "Any fracture within 10 years")[1] == ["–", "–", "–", "–", "12"]
    assert table(trajectory(age=50), "Any fracture within 10 years")[1] == ["12"] * 5


def test_how_sperm_move_and_look_is_a_dash_where_there_are_none():
    course = np.where(np.arange(365) < 84, 31.0, 0.009)
    run = trajectory(change={"sperm_concentration": course})
    assert table(run, "Total motility")[1] == ["45", "45", "–", "–", "–"]
    assert table(run, "Normal morphology")[1] == ["5.0", "5.0", "–", "–", "–"]
    assert table(run, "Semen volume")[1] == ["2.6"] * 5
    few = trajectory(change={"sperm_concentration": 0.011})
    assert table(few, "Total motility")[1] == ["45"] * 5


def test_a_man_without_sperm_has_no_motility_among_what_was_completed():
    run = trajectory()
    run.subject["baseline"].update(sperm_concentration=31.0, total_motility=45.0)
    assert "Total motility" in [row["quantity"] for row in details.baseline_rows(run)]
    run.subject["baseline"].update(sperm_concentration=0.0)
    listed = [row["quantity"] for row in details.baseline_rows(run)]
    assert "Total motility" not in listed and "Sperm concentration" in listed


def test_what_is_constant_is_said_to_be():
    text = text_of(page.html([trajectory()]))
    assert "A change of semen volume" in text and "hot flushes" in text


# Uncertainty --------------------------------------------------------------------------------------


def test_bands_are_described_by_what_they_hold():
    assert "the middle 95 % of 200 joint draws" in page.band_note([trajectory()]).replace(wording.NARROW, " ")
    assert "No bands were asked for" in page.band_note([trajectory(width=0)])
    assert "7 draws failed and are left out" in page.band_note([trajectory(failed_draws=7)])


def test_the_change_of_bone_has_a_band_only_where_the_draws_begin_alike():
    same = trajectory()
    assert plan.figures([same])[3].panels[0].lines[0].lower is not None
    wide = dataclasses.replace(
        same,
        quantities=dataclasses.replace(
            same.quantities,
            lower={**same.quantities.lower, "bmd_spine": same.quantities.values["bmd_spine"] - 0.2},
            upper={**same.quantities.upper, "bmd_spine": same.quantities.values["bmd_spine"] + 0.2},
        ),
    )
    assert plan.figures([wide])[3].panels[0].lines[0].lower is None
    change = np.linspace(0, -2, 365)

    def extended(part, values):
        return {**part, "bmd_spine_change": values}

    own = wide.quantities
    own = Panel(
        extended(own.units, "%"),
        extended(own.values, change),
        extended(own.lower, change - 1),
        extended(own.upper, change + 1),
    )
    told = dataclasses.replace(wide, quantities=own)
    np.testing.assert_array_equal(plan.figures([told])[3].panels[0].lines[0].lower, change - 1)
    assert "at the spine by −2.0 % (95 % band −3.0 % to −1.0 %)" in sentence("bone", [told])


def test_with_many_protocols_bands_leave_the_figures_and_the_page_says_so():
    many = [trajectory(f"anastrozole {dose} mg daily for 52 weeks") for dose in (0.25, 0.5, 1, 2)]
    assert all(line.lower is None for figure in plan.figures(many) for panel in figure.panels for line in panel.lines)
    assert "bands stand in the tables only" in page.band_note(many)


# Published figures --------------------------------------------------------------------------------


def test_published_figures_stand_beside_the_same_doses_only():
    daily, twice = trajectory(), trajectory(TWICE)
    assert [found.published for found in published.comparisons([daily])] == [572, 17, 7.9]
    assert [found.published for found in published.comparisons([twice])] == [520]
    assert len(published.unanswered([daily])) == 1
    assert published.unanswered([daily, twice]) == []
    assert published.comparisons([trajectory(length=60)]) == []


def test_a_published_value_is_inside_or_outside_the_band():
    (inside,) = [c for c in published.comparisons([trajectory()]) if c.quantity == "testosterone"]
    assert inside.inside is True
    (outside,) = [c for c in published.comparisons([trajectory(width=0.01)]) if c.quantity == "testosterone"]
    assert outside.inside is False
    (unknown,) = [c for c in published.comparisons([trajectory(width=0)]) if c.quantity == "testosterone"]
    assert unknown.inside is None
    text = text_of(page.html([trajectory(width=0.01)]))
    assert "of 3 inside the band" in text and "outside" in text


def test_published_values_are_converted_and_ratios_compared_as_ratios():
    run = trajectory()
    entry = {"protocol": run.protocol, "day": 84, "source": "leder2004"}
    run.subject["published"] = [
        {**entry, "quantity": "testosterone", "value": 20, "unit": "nmol/L", "statistic": "mean"},
        {**entry, "quantity": "testosterone", "value": 1.6, "unit": "1", "statistic": "ratio"},
        {**entry, "quantity": "testosterone", "value": 60, "unit": "%", "statistic": "percent_change"},
    ]
    level, ratio, percent = published.comparisons([run])
    assert level.published == pytest.approx(576.84)
    assert ratio.simulated == pytest.approx(run.laboratory.values["testosterone"][84] / 343)
    assert percent.simulated == pytest.approx(100 * (ratio.simulated - 1))


# Words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "quantity", "said"),
    [
        (343.4, "testosterone", "343"),
        (26.04, "estradiol", "26.0"),
        (136.31, "testosterone_estradiol_ratio", "136"),
        (0.02, "sperm_concentration", "<\u202f0.1"),
        (0.0, "sperm_concentration", "0.0"),
        (1.0386, "bmd_spine", "1.039"),
        (0.1213, "fracture_risk_10y", "12"),
        (0.001, "fracture_risk_10y", "<\u202f1"),
        (-0.04, "t_score_spine", "0.0"),
        (-2.5, "t_score_spine", "−2.5"),
        (float("nan"), "LH", "–"),
        (None, "LH", "–"),
        (0.012345, "", "0.0123"),
        (98765.0, "", "98765"),
    ],
)
def test_numbers_are_rounded_as_people_print_them(value, quantity, said):
    assert wording.number(value, quantity) == said


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (364, "52 weeks"),
        (365.25, "1 year"),
        (365, "1 year"),
        (730.5, "2 years"),
        (84, "12 weeks"),
        (1, "1 day"),
        (10, "10 days"),
    ],
)
def test_lengths_of_time(days, said):
    assert wording.span(days) == said


def test_doses_days_apart_are_drawn_as_weeks_with_their_range():
    days = np.arange(365)
    rippling = 100 + 5.0 * (days % 7 < 3)
    run = trajectory(width=0, change={"testosterone": rippling})
    line = plan.figures([run])[0].panels[0].lines[0]
    assert line.swing is not None
    assert np.ptp(line.values[10:-10]) == pytest.approx(0)
    assert (line.swing[0][100], line.swing[1][100]) == (100, 105)
    assert line.values[0] == rippling[0]
    assert "testosterone is 100 to 105 ng/dL against 105 at the start" in sentence("hormones", [run])
    assert "the dark strip its range" in text_of(page.html([run]))
    assert plan.figures([run])[0].panels[1].lines[0].swing is None


def test_the_band_of_a_week_holds_the_band_of_each_of_its_days():
    days = np.arange(365)
    run = trajectory(change={"LH": 5 + 1.0 * (days % 7 < 3)})
    line = plan.figures([run])[0].panels[2].lines[0]
    series = runs.shown(run, "LH")
    for day in (100, 200, 300):
        week = slice(day - 3, day + 4)
        assert line.lower[day] == series.lower[week].min()
        assert line.upper[day] == series.upper[week].max()


def test_a_ratio_that_falls_by_decades_has_a_logarithmic_axis():
    fall = np.linspace(8000, 40, 365)
    run = trajectory(width=0)
    for part in (run.quantities, run.laboratory):
        part.values["testosterone_estradiol_ratio"] = fall
    (panel,) = plan.figures([run])[1].panels
    svg = figures.svg(panel, [""], "ratio")
    labels = re.findall(r">(\d+)</text>", svg)
    assert {"100", "1000"} <= set(labels)


def test_the_largest_change_is_the_largest_fold():
    course = np.full(365, 343.0)
    course[50], course[100] = 600.0, 20.0
    run = trajectory(width=0, change={"testosterone": course})
    assert "testosterone was furthest from the start in week 14, 20 ng/dL" in sentence("hormones", [run])


def test_a_range_made_on_another_scale_is_said():
    assert not [said for said in details.other_assays([trajectory()]) if "estradiol" in said]
    run = trajectory()
    run.subject["laboratory"].clear()
    said = "The range of testosterone/estradiol was made with immunoassay, his values are LC-MS/MS."
    assert said in details.other_assays([run])
    assert "testosterone by LC-MS/MS at 08:00" in page.scale_note(run)
    assert "testosterone by immunoassay at 08:30 and estradiol by immunoassay." in page.scale_note(trajectory())
