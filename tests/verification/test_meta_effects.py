"""From trials to pooled effects: what is compared, combined, counted once, left out; and the evidence base pooled."""

from functools import cache

import numpy as np
import pytest

from leydig import evidence
from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError
from leydig.files import parse_yaml
from leydig.studies import comparison, meta_arms, meta_question
from leydig.studies.meta import analyse
from leydig.studies.meta_document import cautions, document, why_not
from leydig.studies.meta_effects import BEFORE_AFTER, NOT_RANDOMISED, RANDOMISED, collect, separate
from leydig.studies.meta_model import at, random_effects
from leydig.studies.meta_prediction import model_effects
from leydig.studies.meta_question import agents, ask, sharing
from leydig.units import to_canonical


def trial(key: str, arms: str, **more: str) -> evidence.Trial:
    head = {
        "citation": "leder2004",
        "verification": "abstract",
        "role": "validation",
        "population": "{text: men, n: 40, age: 50, BMI: 30, condition: eugonadal}",
        "design": "{allocation: randomised, control: placebo}",
        "assay": "{testosterone: RIA}",
    } | more
    lines = [f"key: {key}", "title: A trial", "reason: A test.", *(f"{name}: {text}" for name, text in head.items())]
    return evidence.Trial.model_validate(parse_yaml("\n".join([*lines, "arms:", arms]), key))


def arm(name: str, protocol: str, outcomes: str, n: int = 20, baseline: str = "10, spread: 2, spread_kind: SD") -> str:
    base = f"{{testosterone: {{value: {baseline}, unit: nmol/L}}}}" if baseline else "{}"
    return f"  - {{name: {name}, n: {n}, protocol: '{protocol}', baseline: {base}, outcomes: [{outcomes}]}}"


def level(value: float, day: float = 90, **more: str) -> str:
    given_words = {"unit": "nmol/L", "statistic": "mean", "spread": "2", "spread_kind": "SD"} | more
    words = ", ".join(f"{name}: {text}" for name, text in given_words.items() if text)
    return f"{{quantity: testosterone, day: {day}, value: {value}, {words}, where: t1, seen: abstract}}"


def ratio(after: float, before: float = 10) -> float:
    """The log ratio of two levels of testosterone, in nmol/L, each above the floor of comparison."""
    floor = comparison.settings()["floors"]["testosterone"] / to_canonical("testosterone", 1, "nmol/L")
    return float(np.log((after + floor) / (before + floor)))


TREATED = arm("drug", "anastrozole 1 mg daily for 26 weeks", ", ".join([level(14, 90), level(15, 180)]))
PLACEBO = arm("placebo", "none for 26 weeks", ", ".join([level(11, 90), level(12, 180)]))


def one(question, *trials):
    found = collect(question, list(trials))
    assert len(found.effects) == 1, found
    return found.effects[0]


def test_a_comparison_is_the_change_less_that_of_the_untreated_at_the_last_visit():
    effect = one(ask("testosterone"), trial("a2000", f"{TREATED}\n{PLACEBO}"))
    assert effect.design == RANDOMISED and effect.day == 180
    assert effect.value == pytest.approx(ratio(15) - ratio(12))
    assert (effect.n, effect.controls) == (20, 20)
    # relative errors of means of 20 men with a correlation of a half between visits
    first, after, control = 0.2 / np.sqrt(20), 2 / 15 / np.sqrt(20), 2 / 12 / np.sqrt(20)
    own = first**2 + after**2 - first * after
    other = first**2 + control**2 - first * control
    assert effect.variance == pytest.approx(own + other, rel=0.02)
    assert effect.flags == frozenset()
    assert effect.baseline_testosterone == pytest.approx(288.42, rel=1e-3)


def test_before_after_is_taken_where_it_is_asked_for_or_where_nothing_else_is():
    both = trial("a2000", f"{TREATED}\n{PLACEBO}")
    effect = one(ask("testosterone", design="before-after"), both)
    assert effect.design == BEFORE_AFTER and effect.value == pytest.approx(ratio(15))
    alone = trial("b2000", TREATED, design="{allocation: single-group}")
    assert one(ask("testosterone"), alone).design == BEFORE_AFTER
    found = collect(ask("testosterone", design="controlled"), [alone])
    assert not found.effects and "without a comparator" in found.left_out[0].reason


def test_levels_of_randomised_men_are_compared_but_not_of_others():
    arms = "\n".join([
        arm("drug", "anastrozole 1 mg daily for 26 weeks", level(15, 180), baseline=""),
        arm("placebo", "none", level(12, 180), baseline=""),
    ])  # fmt: skip
    effect = one(ask("testosterone"), trial("a2000", arms))
    assert effect.value == pytest.approx(ratio(15, 12))
    # the spread of studies' levels about the typical man, a quarter, is no part of it
    assert effect.variance == pytest.approx(((2 / 15) ** 2 + (2 / 12) ** 2) / 20, rel=0.02)
    other = trial("b2000", arms, design="{allocation: not-randomised}")
    found = collect(ask("testosterone"), [other])
    assert not found.effects and "without a baseline" in found.left_out[0].reason


def test_arms_of_one_study_are_combined_by_their_men():
    high = arm("high", "anastrozole 1 mg daily for 26 weeks", level(16, 90), n=30)
    low = arm("low", "anastrozole 0.5 mg daily for 26 weeks", level(12, 90), n=10)
    control = arm("placebo", "none", level(11, 90), n=40)
    effect = one(ask("testosterone"), trial("a2000", "\n".join([high, low, control])))
    assert (effect.n, effect.controls, len(effect.arms)) == (40, 40, 2)
    expected = 0.75 * ratio(16) + 0.25 * ratio(12) - ratio(11)
    assert effect.value == pytest.approx(expected)
    parts = {}
    for weight, figure in effect.parts:
        parts.setdefault(figure.arm, []).append((weight, figure.standard_error**2))
    own = sum(weight**2 * variance for name in ("high", "low") for weight, variance in parts[name])
    shared = parts["placebo"][0][1]  # the comparator is one group of men, whatever the number of arms beside it
    assert effect.variance == pytest.approx(own + shared, rel=1e-6)
    assert sum(weight for weight, _ in parts["placebo"]) == pytest.approx(-1)


def test_arms_of_different_drugs_are_kept_apart_with_parts_of_the_comparator():
    arms = "\n".join([
        arm("a", "anastrozole 1 mg daily for 26 weeks", level(16)),
        arm("l", "letrozole 2.5 mg daily for 26 weeks", level(18)),
        arm("placebo", "none", level(11), n=40),
    ])  # fmt: skip
    apart = separate(ask("testosterone"), [trial("a2000", arms)]).effects
    assert [effect.label for effect in apart] == ["anastrozole", "letrozole"]
    assert [effect.controls for effect in apart] == [20, 20]
    for effect in apart:
        own, control = (figure.standard_error**2 for _, figure in effect.parts)
        assert effect.variance == pytest.approx(own + 2 * control)


def test_studies_that_share_men_count_once_also_through_a_third():
    first = trial("a2000", arm("d", "letrozole 2.5 mg daily for 26 weeks", level(14), n=15), shares_men_with="[b2001]")
    second = trial("b2001", arm("d", "letrozole 2.5 mg daily for 26 weeks", level(15), n=30))
    third = trial("c2002", arm("d", "letrozole 2.5 mg daily for 26 weeks", level(16), n=20), shares_men_with="[b2001]")
    alone = trial("d2003", arm("d", "letrozole 2.5 mg daily for 26 weeks", level(17), n=5))
    assert [[t.key for t in own] for own in sharing([first, second, third, alone])] == [
        ["a2000", "b2001", "c2002"],
        ["d2003"],
    ]
    found = collect(ask("testosterone"), [first, second, third, alone])
    assert [effect.trial.key for effect in found.effects] == ["b2001", "d2003"]
    assert {one.trial.key for one in found.left_out} == {"a2000", "c2002"}
    assert all("shares men with b2001, which is pooled with 30 men" in one.reason for one in found.left_out)
    # the third is not asked for, but it still links the others
    third_only = trial("b2001", arm("d", "letrozole 2.5 mg daily for 26 weeks", level(15), n=30), role="calibration")
    held = collect(ask("testosterone", role="validation"), [first, third_only, third, alone])
    assert [effect.trial.key for effect in held.effects] == ["c2002", "d2003"]
    # of two reports of as many men the one that was seen better
    better = trial("e2004", arm("d", "letrozole 2.5 mg daily for 26 weeks", level(15), n=30), verification="fulltext",
                   shares_men_with="[b2001]")  # fmt: skip
    assert collect(ask("testosterone"), [second, better]).effects[0].trial.key == "e2004"


DAILY = "anastrozole 1 mg daily for 26 weeks"


@pytest.mark.parametrize(
    ("treated", "more", "reason"),
    [
        (arm("d", f"{DAILY} + hCG 1500 IU twice weekly", level(14)), {}, "given with hCG"),
        (arm("d", DAILY, level(14, 28)), {}, "outside days 80 to 400"),
        (arm("d", "anastrozole 1 mg daily for 4 weeks", level(14, 90)), {}, "after the drug had ended"),
        (arm("d", DAILY, level(14, fit="false", why="a bound")), {}, "a bound"),
        (arm("d", DAILY, level(14, moment="true")), {}, "one moment after a dose"),
        (arm("d", DAILY, level(14), baseline=""), {}, "without a baseline or a comparator"),
        (arm("d", DAILY, level(14)), {"design": "{allocation: pooled}"}, "itself a pool of studies"),
        (arm("d", DAILY, level(14)), {"design": "{allocation: cross-section}"}, "different men at one time"),
        (
            arm("d", DAILY, level(1.2, unit="'1'", statistic="ratio", spread="", spread_kind="", against="other"))
            + "\n"
            + arm("other", "clomiphene 25 mg daily", level(12)),
            {},
            "compared with clomiphene",
        ),
    ],
)
def test_what_is_left_out_says_why(treated, more, reason):
    found = collect(ask("testosterone"), [trial("a2000", treated, **more)])
    assert not found.effects and [one.trial.key for one in found.left_out] == ["a2000"]
    assert reason in found.left_out[0].reason


def test_a_day_counts_from_the_beginning_of_the_drug():
    late = arm("d", "anastrozole 1 mg daily from week 20 for 26 weeks", level(14, 200))  # day 60 of the drug
    found = collect(ask("testosterone"), [trial("a2000", late)])
    assert not found.effects
    assert len(collect(ask("testosterone", from_day=50), [trial("a2000", late)]).effects) == 1


def test_what_has_to_be_said_of_a_figure():
    selected = "{text: men, criteria: [{quantity: testosterone, below: 12, unit: nmol/L, visit: baseline}]}"
    chosen = trial("a2000", arm("d", DAILY, level(14)), population=selected, design="{allocation: single-group}")
    assert one(ask("testosterone"), chosen).flags == {meta_arms.SELECTED}
    screened = trial("a2000", arm("d", DAILY, level(14)), population=selected.replace("baseline}", "screening}"))
    assert one(ask("testosterone"), screened).flags == frozenset()
    words = arm("d", DAILY, level(0, unit="'%'", statistic="percent_change", spread="", spread_kind="",
                                  note="'told in words: no change'"))  # fmt: skip
    assert one(ask("testosterone"), trial("a2000", words)).flags == {meta_arms.WORDS, meta_arms.IMPUTED}
    typical = arm("d", DAILY, level(5, statistic="change"), baseline="")
    assert one(ask("testosterone"), trial("a2000", typical)).flags == {meta_arms.TYPICAL}
    crossed = trial("a2000", f"{TREATED}\n{PLACEBO}", design="{allocation: randomised, crossover: true}")
    effect = one(ask("testosterone"), crossed)
    assert effect.flags == {meta_arms.CROSSOVER} and (effect.n, effect.controls) == (20, 0)  # the same men
    unknown = trial("a2000", f"{TREATED}\n{PLACEBO}", design="{control: placebo}")
    assert one(ask("testosterone"), unknown).design == NOT_RANDOMISED


def test_what_an_arm_takes_and_when():
    taken = agents(
        "testosterone enanthate 200 mg weekly for 40 weeks + hCG 500 IU every 2 days from day 112 for 12 weeks"
    )
    assert {name: tuple(when) for name, when in taken.items()} == {
        "testosterone enanthate": (0, 280),
        "hCG": (112, 196),
    }
    assert list(agents("calcium 1200 mg daily + weight -10 % over 10 weeks")) == ["weight loss"]
    assert agents("none for 1 year") == {}


@pytest.mark.parametrize(
    ("word", "name", "members"),
    [
        ("AI", "aromatase inhibitor", ("anastrozole", "exemestane", "letrozole", "testolactone")),
        ("Aromatase inhibitors", "aromatase inhibitor", ("anastrozole", "exemestane", "letrozole", "testolactone")),
        ("Arimidex", "anastrozole", ("anastrozole",)),
        ("weight-loss", "weight loss", ("weight loss",)),
        ("adt", "androgen deprivation", ("degarelix", "goserelin", "leuprolide")),
    ],
)
def test_drugs_and_groups_by_any_of_their_names(word, name, members):
    assert meta_question.group(word) == (name, members)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"outcome": "testosteron"}, 'did you mean "testosterone"'),
        ({"outcome": "testosterone", "drug": "anastrazole"}, 'did you mean "anastrozole"'),
        ({"outcome": "testosterone", "design": "control"}, 'did you mean "controlled"'),
        ({"outcome": "testosterone", "role": "calibrate"}, 'did you mean "calibration"'),
        ({"outcome": "testosterone", "from_day": 90, "to_day": 30}, "the first not after the last"),
    ],
)
def test_questions_in_unknown_words_are_refused(asked, words):
    with pytest.raises(InputError, match=words):
        ask(asked.pop("outcome"), **asked)


# The evidence base --------------------------------------------------------------------------------


@cache
def analysed(outcome: str, drug: str | None = None, by: str | None = None):
    return analyse(ask(outcome, drug=drug), by=by, with_model=False)


@pytest.mark.parametrize("outcome", ["testosterone", "estradiol", "sperm_concentration"])
def test_the_evidence_base_is_pooled_and_each_study_counts_once(outcome):
    found = analysed(outcome)
    keys = [effect.trial.key for effect in found.collected.effects]
    assert found.fit is not None and len(keys) == len(set(keys)) >= 5
    shared = {key: set(effect.trial.shares_men_with) for key, effect in zip(keys, found.collected.effects, strict=True)}
    assert not any(shared[key] & set(keys) for key in keys)
    assert all(np.isfinite(effect.value) and effect.variance > 0 for effect in found.collected.effects)
    assert all(effect.day >= 80 for effect in found.collected.effects)
    assert found.pooled.low < found.pooled.value < found.pooled.high
    limits = found.prediction
    assert limits[0] < found.pooled.low and found.pooled.high < limits[1]
    assert all(one.reason for one in found.collected.left_out)
    pooled_again = random_effects(
        np.array([e.value for e in found.collected.effects]), np.array([e.variance for e in found.collected.effects])
    )
    assert at(pooled_again, [1]) == found.pooled


def test_inhibitors_raise_testosterone_and_lower_estradiol():
    assert analysed("testosterone").pooled.low > 0 > analysed("estradiol").pooled.high


def test_the_document_holds_what_was_found_as_it_is_read():
    found = analysed("testosterone", by="drug")
    told = document(found)
    assert told["scale"]["kind"] == "ratio of means"
    assert told["pooled"]["effect"]["value"] == pytest.approx(np.exp(found.pooled.value))
    assert sum(study["weight"] for study in told["studies"]) == pytest.approx(1)
    assert {row["name"] for row in told["groups"]["rows"]} >= {"anastrozole", "testolactone"}
    assert told["model"] is None and told["why_not"] is None
    regression = next(one for one in told["regressions"] if one["moderator"] == "testosterone")
    assert regression["coupled"] and any("measured from" in sentence for sentence in told["cautions"])
    assert any("before to after" in sentence for sentence in told["cautions"])
    assert {source["key"] for source in told["sources"]} >= {study["citation"] for study in told["studies"]}
    points = document(analysed("bmd_spine", "ADT"))
    assert points["scale"] == {"kind": "difference", "unit": "%", "on": "percent"}
    assert points["pooled"]["effect"]["value"] == points["pooled"]["effect"]["estimate"] < 0


def test_groups_share_one_variance_and_are_compared():
    found = analysed("sperm_concentration", by="drug").groups
    assert sum(len(row.effects) for row in found.rows) >= 8 and found.test is not None
    assert 0 <= found.test.p <= 1 and found.test.between == len(found.rows) - 1
    one_group = analyse(ask("testosterone"), by="role", with_model=False).groups
    if len(one_group.rows) == 1:
        assert one_group.test is None


def test_too_few_studies_are_told_in_one_sentence():
    found = analyse(ask("bmd_spine", from_day=5000, to_day=5001), with_model=False)
    assert found.fit is None and found.pooled is None
    sentence = why_not(found)
    assert "two are needed" in sentence and "bmd spine" in sentence and cautions(found) == []
    assert document(found)["pooled"] is None


def test_fragile_where_few_are_pooled():
    drug = "anastrozole 1 mg daily for 26 weeks"
    few = [trial(f"{key}2000", arm("d", drug, level(value))) for key, value in (("a", 14), ("b", 15), ("c", 18))]
    found = analyse(ask("testosterone"), with_model=False, evidence=few)
    assert any("fragile" in sentence for sentence in cautions(found))
    assert any("without a" in variant.name for variant in found.variants)


def test_the_model_has_a_value_of_every_effect_and_its_own_pooled_row():
    few = [trial(f"{key}2000", f"{TREATED}\n{PLACEBO}") for key in ("a", "b")]
    found = analyse(ask("testosterone", design="controlled"), evidence=few, with_model=False)
    assert np.isnan(model_effects(found.collected.effects, draws=1)[:, 1]).all()
    values = model_effects(found.collected.effects, draws=4)
    assert values.shape == (2, 2) and (values[:, 1] > 0).all()
    # placebo changes nothing in the model, so a comparison and a change differ by the noise of 4 x 48 men's readings
    alone = collect(ask("testosterone", design="before-after"), few[:1]).effects
    assert values[0, 0] == pytest.approx(model_effects(alone, draws=4)[0, 0], abs=0.08)
    assert 0 < values[0, 0] < 1.5


def test_every_number_and_method_has_a_source_that_was_seen():
    found = meta_question.settings()
    for name, entry in found.items():
        if isinstance(entry, dict) and "value" in entry:
            assert {"kind", "source", "note"} <= entry.keys(), name
            assert entry["kind"] == "assumed" or reference(entry["source"]).verification not in UNUSABLE
    keys = {key for method in found["methods"] for key in method["sources"]}
    assert all(reference(key).verification not in UNUSABLE for key in keys)
