"""Rule sets as files: the bundled ones can be used and say where they are from; a bad file is refused in a sentence."""

import numpy as np
import pytest
import yaml

from leydig import laboratory
from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError
from leydig.files import read_yaml
from leydig.pharmacology import titration_words as words
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.titration import Measured, RuleSet, StepUp, decide, rule_sets
from leydig.pharmacology.titration_text import split
from leydig.pharmacology.treatment import Treatment

NEEDED = {
    *("anastrozole-estradiol-range", "anastrozole-testosterone-estradiol-ratio", "anastrozole-upwards"),
    *("letrozole-obese-men", "clomiphene-testosterone", "testosterone-gel-label", "testosterone-injections-midway"),
    "estradiol-safety",
}


def test_the_bundled_rule_sets_are_there():
    assert set(rule_sets()) >= NEEDED


@pytest.mark.parametrize("name", rule_sets())
def test_a_bundled_rule_set_can_be_used(name):
    rules = RuleSet.open(name)
    protocol = Protocol.parse(rules.start)
    assert Treatment.of(protocol, rules).doses(24 * 50) == protocol.events(50)
    assert rules.title and rules.whom and RuleSet.parse(rules.text()) == rules
    assert split(f"{rules.start} + titrate {name}") == (rules.start, rules)
    hours = np.array(rules.visits.hours(24 * 365))
    assert len(hours) and hours[0] > 0 and not (hours % 24).any()  # in the morning, and never on day 0


@pytest.mark.parametrize("name", rule_sets())
def test_every_statement_of_a_bundled_rule_set_says_where_it_is_from(name):
    rules = RuleSet.open(name)
    said = {one.says for one in rules.provenance}
    assert rules.visits.text() in said and rules.turnaround.text() in said
    assert len(rules.provenance) >= len(rules.rules) + 2
    for one in rules.provenance:
        if one.kind == "assumed":
            assert one.note
        else:
            assert "assumed" not in one.sources
            assert all(reference(key).verification not in UNUSABLE for key in one.sources)


def test_no_rule_for_anastrozole_claims_a_source_that_none_has():
    """Rules that change anastrozole by the level of estradiol were looked for and not found."""
    for name in ("anastrozole-estradiol-range", "anastrozole-upwards"):
        assert RuleSet.open(name).sources == ()


def test_the_rule_that_only_raises_never_lowers():
    rules = RuleSet.open("anastrozole-upwards")
    assert all(isinstance(rule.action, StepUp) for rule in rules.rules)
    key = Measured("estradiol", "LC-MS/MS")
    assert decide(rules, [{key: 20.0}]) is rules.rules[0] and decide(rules, [{key: 19.9}]) is None


def test_letrozole_follows_its_trial():
    rules = RuleSet.open("letrozole-obese-men")
    treatment = Treatment.of(Protocol.parse(rules.start), rules)
    key_t, key_e2 = (Measured(name, None) for name in ("testosterone", "estradiol"))
    weekly = []
    for number in range(9):
        visit = {key_t: 500.0, key_e2: 15.0 if number < 7 else 10.8}  # 17.3 nmol/L; 55, then 39.6 pmol/L
        action = decide(rules, [visit], treatment.stopped).action
        treatment = treatment.after(action, rules.effect_hour(24.0 * number), rules)
        weekly.append(7 * treatment.prescription.daily)
    assert weekly == pytest.approx([5, 7.5, 10, 12.5, 15, 17.5, 17.5, 15, 12.5])
    assert decide(rules, [{key_t: 577.0, key_e2: 15.0}]) is None  # 20.0 nmol/L: reached


def test_a_high_haematocrit_stops_testosterone_until_it_has_fallen():
    for name in ("testosterone-gel-label", "testosterone-enanthate-trough", "testosterone-injections-midway"):
        rules = RuleSet.open(name)
        treatment = before = Treatment.of(Protocol.parse(rules.start), rules)
        said = []
        for number, (level, testosterone) in enumerate([(54.1, 300.0), (52.0, 90.0), (49.0, 90.0), (45.0, 500.0)]):
            readings = {Measured("hematocrit", None): level, Measured("testosterone", None): testosterone}
            rule = decide(rules, [readings], treatment.stopped)
            if rule:
                treatment = treatment.after(rule.action, 1000.0 * number, rules)
            said.append(treatment.words())
        assert said[:2] == ["stopped", "stopped"] and "stopped" not in said[2:]
        assert treatment.prescription.daily < before.prescription.daily


def test_rules_read_what_a_laboratory_measures_on_the_assays_that_it_has():
    names = {one.quantity for one in words.observed().values()}
    assert set(laboratory.analytes()) - {"albumin"} <= names  # albumin does not change in the model
    for assay in laboratory.ASSAYS:
        if assay != laboratory.UNKNOWN:
            assert words.assay_named(assay) == assay
    for spelling, assay in laboratory.OTHER_SPELLINGS.items():
        assert words.assay_named(spelling) == assay


# Files of one's own -----------------------------------------------------------------------------------------

ASSUMED = {"kind": "assumed", "source": "assumed", "note": "for a test"}


def a_file(**changed):
    whole = {
        "name": "mine",
        "title": "Mine",
        "whom": "men",
        "drugs": ["anastrozole"],
        "start": "anastrozole 1 mg daily",
        "visits": {"says": "at weeks 6, 12", **ASSUMED},
        "turnaround": {"says": "2 days", **ASSUMED},
        "steps": {"says": ["0.5 mg", "1 mg"], **ASSUMED},
        "assays": {"estradiol": "LC-MS"},
        "rules": [{"says": "if E2 < 15 pg/mL then step down", **ASSUMED}],
    }
    return {key: value for key, value in {**whole, **changed}.items() if value is not None}


@pytest.fixture
def opened(tmp_path):
    def write(content):
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return RuleSet.open(path)

    return write


def test_a_file_of_ones_own_is_read(opened, tmp_path):
    rules = opened(a_file())
    assert rules.text() == (
        "titrate anastrozole at weeks 6, 12, results after 2 days, steps 0.5 mg, 1 mg: "
        "if estradiol < 15 pg/mL (LC-MS/MS) then step down"
    )
    assert split(f"anastrozole 1 mg daily + titrate {tmp_path / 'mine.yaml'}")[1] == rules


def rule(says, **said):
    return [{"says": says, **ASSUMED, **said}]


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({"ruls": []}, 'unknown key "ruls" in mine.yaml; did you mean "rules"'),
        ({"rules": None}, '"rules" is missing in mine.yaml'),
        ({"rules": []}, "rules"),
        ({"rules": rule("if E2 < 15 pg/mL3 then stop")}, r'rules\[0\] of mine.yaml: .*"pg/mL3".*did you mean "pg/mL"'),
        ({"rules": rule("if mood < 3 then stop")}, r'rules\[0\] of mine.yaml: .*"mood" is not measured'),
        ({"rules": rule("if E2 < 15 pg/mL then 5 IU")}, 'mine.yaml: anastrozole is dosed in mg or ug, not in "IU"'),
        ({"rules": rule("if E2 < 15 pg/mL then stop", source="katz2O12")}, 'unknown reference "katz2O12".*katz2012'),
        ({"rules": rule("if E2 < 15 pg/mL then stop", kind="measured")}, 'source "assumed" does not go with the kind'),
        ({"rules": rule("if E2 < 15 pg/mL then stop", kind="guessed")}, 'unknown kind "guessed"'),
        ({"rules": rule("if E2 < 15 pg/mL then stop", note=None)}, "needs a note"),
        ({"rules": [{"says": "if E2 < 15 pg/mL then stop", "kind": "assumed"}]}, r'"source" is missing in rules\[0\]'),
        ({"visits": {"says": "evry 6 weeks", **ASSUMED}}, 'visits of mine.yaml: .*did you mean "every"'),
        ({"turnaround": {"says": "2 dais", **ASSUMED}}, 'turnaround of mine.yaml: .*did you mean "days"'),
        ({"steps": {"says": ["1 mg", "0.5 mg"], **ASSUMED}}, "mine.yaml: the steps of anastrozole must increase"),
        ({"steps": None}, "mine.yaml: .*needs steps"),
        ({"drugs": ["anastrozol"]}, 'mine.yaml: "anastrozol": unknown drug; did you mean "anastrozole"'),
        ({"start": "letrozole 2.5 mg daily"}, "mine.yaml: the rules titrate anastrozole"),
        ({"assays": {"estradiol": "LCMSMS"}}, 'assays.estradiol of mine.yaml: .*did you mean "LC-MS/MS"'),
        ({"assays": {"estradol": "LC-MS"}}, 'assays of mine.yaml: .*did you mean "estradiol"'),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(opened, changed, answer):
    with pytest.raises(InputError, match=answer) as caught:
        opened({**a_file(), **changed} if "ruls" in changed else a_file(**changed))
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(InputError, match='did you mean "letrozole-obese-men"'):
        RuleSet.open("letrozole-obese-man")


def test_the_files_name_what_they_are_called():
    for name in rule_sets():
        assert read_yaml(words.FOLDER / f"{name}.yaml")["name"] == name
