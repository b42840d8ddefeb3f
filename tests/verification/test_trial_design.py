"""Designs of virtual trials: what they mean, and what is refused in one sentence."""

import warnings

import pytest
import yaml
from tests.virtual_trials import design

from leydig.errors import InputError
from leydig.report import trial_words
from leydig.studies import trial_design
from leydig.studies.trial_design import load_design, open_design
from leydig.studies.trial_words import EXAMPLE_OF_RULES

GOOD = """\
name: an example
population:
  condition: obese-hypogonadal 70 % + eugonadal 30 %
  ages: [30, 60]
  criteria: [{quantity: testosterone, below: 300, unit: ng/dL, samples: 2}]
  baseline:
    age: {value: 45, unit: years, spread: 8, spread_kind: SD}
    testosterone: {value: 8.5, unit: nmol/L}
n: 61
arms:
  - {name: placebo, protocol: none, control: true}
  - {name: drug, protocol: anastrozole 1 mg daily, share: 2, titrate: anastrozole-estradiol-range}
run_in: none for 4 weeks
visits: every 13 weeks until week 26
assay: {testosterone: LC-MS}
adherence: {taken: 90 %, between_men: 0.1}
dropout: 15 %
missing: carried
outcomes:
  - {quantity: testosterone, day: week 8, analysis: responder, responder: {above: 10, unit: nmol/L}}
  - {quantity: LH}
"""


def written(folder, text):
    path = folder / "design.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_design_is_read(tmp_path):
    found = load_design(written(tmp_path, GOOD))
    assert found.population.condition == "eugonadal 30 % + obese-hypogonadal 70 %"
    assert found.days == (0, 56, 91, 182)  # the day of an outcome is a visit
    assert (found.horizon, found.period_days, found.starts) == (182, 182, (0,))
    assert found.counts() == (20, 41) and sum(found.counts(100)) == 100
    assert (found.adherence.taken, found.adherence.between_men, found.dropout) == (0.9, 0.1, 0.15)
    assert found.run_in_days == 28
    assert found.arms[1].plan.rules is not None and found.drugs == ("anastrozole",)
    assert found.sequences == (("placebo", (0,)), ("drug", (1,)))


def test_an_outcome_is_of_every_other_arm_against_the_control_unless_it_says_otherwise():
    arms = [{"name": name, "protocol": "none", "control": name == "a"} for name in "abc"]
    outcomes = [
        {"quantity": "testosterone"},
        {"quantity": "testosterone", "arm": "b", "against": "c", "primary": True},
        {"quantity": "testosterone", "against": None},
        {"quantity": "testosterone", "arm": "a", "day": 30},
    ]
    found = design(arms=arms, n=30, outcomes=outcomes)
    where = [(one.arm, one.against, one.day) for one in found.contrasts]
    assert where == [(1, 0, 90), (2, 0, 90), (1, 2, 90), (0, None, 90), (1, None, 90), (2, None, 90), (0, None, 30)]
    assert found.primary == (2,)
    assert found.uncontrolled and found.wants_untreated


def test_the_first_outcome_is_primary_where_none_is_named():
    found = design(outcomes=[{"quantity": "LH"}, {"quantity": "FSH"}])
    assert found.primary == (0,)
    assert not found.uncontrolled and not found.wants_untreated


def test_a_crossover_has_periods_and_every_order():
    found = design(crossover={"washout": "6 weeks"}, visits="at weeks 4, 12", n=21)
    assert found.starts == (0, 126) and found.days == (0, 28, 84, 126, 154, 210)
    assert [name for name, _ in found.sequences] == ["placebo then drug", "drug then placebo"]
    assert found.counts() == (11, 10)
    assert (found.total(20), found.least_per_arm) == (20, 4)
    assert found.wants_untreated and not found.uncontrolled
    assert (design().total(20), design().least_per_arm) == (40, 2)


@pytest.mark.parametrize("name", trial_design.bundled())
def test_bundled_designs_open_without_a_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_design(name).contrasts


def test_the_show_design_is_that_of_the_issue():
    found = open_design("obese-men-anastrozole")
    assert [arm.protocol for arm in found.arms] == ["none", "anastrozole 0.5 mg twice weekly", "anastrozole 1 mg daily"]
    assert found.horizon == 364
    assert {"testosterone", "estradiol", "sperm_concentration", "bmd_spine"} <= set(found.quantities)


def test_changed_numbers_are_checked_and_what_was_left_out_stays_left_out():
    found = design()
    assert found.changed(n=20).n == 20
    assert found.changed(n=20).contrasts[0].against == 0
    with pytest.raises(InputError, match='"n" must be at most 100000'):
        found.changed(n=10**6)
    with pytest.raises(InputError, match="3 men are too few for 2 groups"):
        found.changed(n=3)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("n: 61\n", "", '"n" is missing in design.yaml'),
        ("dropout: 15 %", "drop-out: 15 %", 'unknown key "drop-out" in design.yaml; did you mean "dropout"?'),
        ("dropout: 15 %", "dropout: 150 %", '"150 %" must be a share from 0 to 1, or a percentage such as 90 %'),
        ("obese-hypogonadal 70", "obese-hypogonadel 70", 'unknown condition "obese-hypogonadel"'),
        ("ages: [30, 60]", "ages: [60, 30]", "the ages 60 to 30 must rise"),
        ("below: 300", "below: 300, above: 400", 'has "above" 400 over "below" 300'),
        ("value: 8.5, unit: nmol/L", "value: 8.5, unit: kg", 'unknown unit of testosterone "kg"'),
        ("value: 45, unit: years", "value: 45, unit: years, statistic: ratio", "unknown statistic of a baseline"),
        ("name: drug", "name: placebo", 'two arms have the name "placebo"'),
        ("share: 2", "share: 0", '"share" must be above 0'),
        ("share: 2", "control: true", 'two arms have "control: true"'),
        ("anastrozole 1 mg", "anastrozol 1 mg", "anastrozol"),
        ("anastrozole-estradiol-range", "anastrozole-estradiol", 'unknown rule set "anastrozole-estradiol" in arms[1]'),
        ("anastrozole-estradiol-range", "clomiphene-testosterone", "changes the dose of clomiphene"),
        ("none for 4 weeks", "none", 'the run-in "none" has no end'),
        ("every 13 weeks until week 26", "every 13 weeks", '"every 13 weeks" has no end within 20 years'),
        ("every 13 weeks until week 26", "every 13 weaks", "weaks"),
        ("every 13 weeks until week 26", "[]", "the visits must be text such as"),
        ("every 13 weeks until week 26", "[0]", "the visits need at least one after day 0"),
        ("every 13 weeks until week 26", "every 1 day until week 52", "the trial has 365 visits; at most 200"),
        ("day: week 8", "day: weeks 8 9", "must be one day"),
        ("day: week 8", "day: -1", "the day -1 must be from 0"),
        ("testosterone: LC-MS", "testosterone: LCMS", 'unknown assay "LCMS" in assay.testosterone'),
        ("testosterone: LC-MS", "bmd_spine: LC-MS", 'unknown device "LC-MS" in assay.bmd_spine'),
        ("quantity: LH", "quantity: LHH", 'unknown quantity "LHH"'),
        ("quantity: LH", "quantity: bmd_spine_change", "bmd_spine_change"),
        ("quantity: LH", "quantity: LH, against: nobody", 'unknown arm "nobody" in outcomes[1].against'),
        ("quantity: LH", "quantity: LH, arm: drug, against: drug", 'outcomes[1] compares the arm "drug" with itself'),
        ("quantity: LH", "quantity: LH, analysis: t-test", 'unknown analysis "t-test"'),
        ("quantity: LH", "quantity: LH, analysis: responder", 'the analysis "responder" goes with'),
        ("quantity: LH", "quantity: LH, of: means", '"of: means" goes with the analysis percent_change only'),
        ("quantity: LH", "quantity: LH, analysis: ancova, against: null", "ancova compares two parallel arms"),
        ("above: 10, unit: nmol/L", "above: 10, unit: kg", 'unknown unit of testosterone "kg"'),
        ("above: 10, unit: nmol/L", "unit: nmol/L", 'a responder needs "above", "below" or both'),
        ("missing: carried", "missing: guessed", 'unknown missing "guessed"'),
        ("n: 61", "n: true", "a whole number is needed, not true, in n of design.yaml"),
        ("n: 61", 'n: "61"', 'a whole number is needed, not the text "61", in n of design.yaml'),
        (
            "value: 45, unit",
            "value: 70, unit",
            "the mean age of 70 years in the baseline must lie within the ages 30 to 60",
        ),
        ("n: 61", "n: 3", "3 men are too few for 2 groups"),
        ("n: 61", "n: 61\ncrossover: {}\nextra: 1", 'unknown key "extra"'),
        ("visits:", "visit:", 'unknown key "visit" in design.yaml; did you mean "visits"? Allowed: name'),
        (
            "quantity: testosterone, below: 300, unit: ng/dL",
            "quantity: weight, above: 90, unit: kg",
            '"height"? Allowed',
        ),
        (
            "testosterone: {value: 8.5, unit: nmol/L}",
            "vitality: {value: 50, unit: points}",
            'unknown quantity "vitality"',
        ),
        ("testosterone: {value: 8.5, unit: nmol/L}", "bmd_spine_change: {value: 5, unit: '%'}", 'mean "bmd_spine"?'),
        ("below: 300", "below: true", "a number is needed, not true, in population.criteria[0].below of design.yaml"),
        ("value: 8.5", "value: true", "a number is needed, not true, in population.baseline.testosterone.value"),
        ("spread: 8,", "spread: true,", "a number is needed, not true, in population.baseline.age.spread"),
        ("ages: [30, 60]", "ages: [30, true]", "a number is needed, not true, in population.ages[1]"),
        ("share: 2", "share: true", "a number is needed, not true, in arms[1].share"),
        ("above: 10, unit", "above: true, unit", "a number is needed, not true, in outcomes[0].responder.above"),
        ("above: 10, unit", "above: 10, below: 9, unit", 'the responder has "above" 10 over "below" 9'),
        ("quantity: LH", "quantity: LH, day: 0", "the analysis change starts from day 0, so its day must be above 0"),
        ("quantity: LH", "quantity: LH, day: 0, analysis: ancova", "the analysis ancova starts from day 0"),
        (
            "day: week 8, analysis: responder, responder: {",
            "day: 0, analysis: responder, responder: {of: change, ",
            "the analysis responder by change starts from day 0, so its day must be above 0, or analyse the level, in "
            "outcomes[0] of design.yaml",
        ),
        (
            "taken: 90 %, between_men: 0.1",
            "taken: 50 %, between_men: 60 %",
            '"between_men" is 60 %; where 50 % of doses are taken on average, the SD between men is at most 50 %',
        ),
        ("none for 4 weeks", "none for 11 years", 'the run-in "none for 11 years" is too long; it may last 10 years'),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(tmp_path, old, new, sentence):
    assert old in GOOD
    with pytest.raises(InputError) as error:
        load_design(written(tmp_path, GOOD.replace(old, new)))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"crossover": {"washout": "4 weeks"}, "arms": [{"name": "a", "protocol": "none"}]}, "a crossover has 2 or 3"),
        ({"crossover": {"washout": "4 weaks"}}, "weaks"),
        (
            {"crossover": {}, "outcomes": [{"quantity": "LH", "analysis": "ancova"}]},
            "ancova compares two parallel arms",
        ),
        (
            {"crossover": {}, "outcomes": [{"quantity": "LH", "analysis": "percent_change", "of": "means"}]},
            "a crossover compares each man with himself",
        ),
        (
            {
                "crossover": {},
                "arms": [{"name": "a", "protocol": "none"}, {"name": "b", "protocol": "none", "share": 3}],
            },
            'every man of a crossover takes all arms; leave out "share" of the arm "b"',
        ),
        ({"arms": []}, '"arms" needs at least 1 item in design.yaml'),
        (
            {"arms": [{"name": "a", "protocol": "none"}], "outcomes": [{"quantity": "LH", "against": "a"}]},
            'outcomes[0] compares the only arm "a" with itself',
        ),
    ],
)
def test_designs_that_do_not_fit_together_are_refused(tmp_path, changed, sentence):
    content = {
        "name": "an example",
        "population": {"condition": "eugonadal"},
        "n": 40,
        "arms": [{"name": "a", "protocol": "none"}, {"name": "b", "protocol": "none", "control": True}],
        "visits": [90],
        "outcomes": [{"quantity": "LH"}],
    }
    with pytest.raises(InputError) as error:
        load_design(written(tmp_path, yaml.safe_dump({**content, **changed})))
    assert sentence in str(error.value)


def test_what_a_sensible_limit_allows_is_accepted(tmp_path):
    text = GOOD.replace("none for 4 weeks", "none for 10 years").replace("between_men: 0.1", "between_men: 30 %")
    text = text.replace("day: week 8, analysis: responder", "day: 0, analysis: responder")
    text = text.replace("samples: 2}", "samples: 2}, {quantity: height, above: 150, unit: cm}")
    found = load_design(written(tmp_path, text))
    assert found.run_in_days == 3652.5 and found.contrasts[0].day == 0
    assert [criterion.quantity for criterion in found.population.criteria] == ["testosterone", "height"]


def test_text_that_would_change_how_the_terminal_shows_it_is_taken_out(tmp_path):
    text = GOOD.replace("name: an example", 'name: "an \\e[31mexa\\u202Emple"\nabout: "one\\nline"')
    text = text.replace("name: drug", 'name: "dr\\u200Bug\\u2066"').replace(
        "{quantity: LH}", "{quantity: LH, arm: drug}"
    )
    found = load_design(written(tmp_path, text))
    assert (found.name, found.about, found.arms[1].name) == ("an [31mexample", "one line", "drug")
    with pytest.raises(InputError, match='"name"'):
        load_design(written(tmp_path, GOOD.replace("name: an example", 'name: "\\u202E"')))


def test_rules_that_are_not_known_may_be_written_in_words():
    arms = [{"name": "a", "protocol": "anastrozole 1 mg daily", "titrate": "by-guess"}]
    with pytest.raises(ValueError, match="or rules in words, such as"):
        design(arms=arms)
    arms[0]["titrate"] = EXAMPLE_OF_RULES
    assert design(arms=arms).arms[0].plan.rules is not None


def test_men_per_arm_and_in_all():
    found = design(n=21)
    assert (found.per_arm(21), found.most_per_arm) == (10.5, 50_000)
    crossed = design(crossover={"washout": "6 weeks"})
    assert (crossed.per_arm(21), crossed.most_per_arm) == (21, 100_000)
    assert trial_words.men({}, {"n": 20, "counts": [10, 10], "per_arm": 10}) == "10 per arm, 20 in all"
    assert trial_words.men({}, {"n": 21, "counts": [11, 10], "per_arm": 10.5}) == "10.5 per arm on average, 21 in all"
    assert trial_words.men({"crossover": {}}, {"n": 20, "counts": [10, 10], "per_arm": 20}) == "20 men"


def test_a_published_trial_is_sent_to_the_verb_that_runs_it(tmp_path):
    with pytest.raises(InputError, match="leydig reproduce pelusi2017 runs published trials"):
        open_design("pelusi2017")
    with pytest.raises(InputError, match="is a published trial, not a design"):
        load_design(written(tmp_path, "key: a2004\ncitation: a2004\n"))


def test_no_file_of_rules_is_opened(tmp_path):
    (tmp_path / "rules.yaml").write_text("name: x", encoding="utf-8")
    with pytest.raises(InputError, match="unknown rule set"):
        load_design(written(tmp_path, GOOD.replace("anastrozole-estradiol-range", str(tmp_path / "rules.yaml"))))


def test_an_unknown_name_lists_the_bundled_ones():
    with pytest.raises(InputError, match='did you mean "obese-men-anastrozole"\\? Bundled: obese-men-anastrozole, '):
        open_design("obese-man-anastrozole")
