"""The credibility report says what results say: from hand-made results, and from none."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests import tools

from leydig import claims
from leydig.errors import InputError
from leydig.evidence import Trial
from leydig.evidence import trials as shipped
from leydig.files import DATA
from leydig.studies import credibility_drivers as drivers
from leydig.studies.credibility import Evidence, Miss, Suite, page
from leydig.studies.credibility_criteria import Criterion
from leydig.studies.credibility_evidence import cells, moved, near_to
from leydig.studies.credibility_factors import Factor, factors
from leydig.studies.credibility_facts import Facts, Fitted, Known, known, profile_classes
from leydig.studies.credibility_file import load, prose
from leydig.studies.credibility_lines import pick, sums
from leydig.studies.credibility_use import assessed, outcome
from leydig.studies.figures import figures
from leydig.studies.nulls import interval_score
from leydig.studies.reproduce import Reproduced, Scored
from leydig.studies.reproduce_rows import Failed, document

ROOT = Path(__file__).resolve().parents[2]
NORMAL_95, NORMAL_50, SD = 1.959964, 0.6744898, 0.2
NOTHING_RUN = Suite(0, 0, (), {}, 0, 0)
NO_FACTS = Facts((), Known({}, 0, 0), {}, {}, {}, (), 0, (), 0, {})


# Hand-made results -----------------------------------------------------------------------------------


def trial(key: str, role: str, quantity: str = "testosterone", drug: str = "anastrozole 1 mg", n: int = 10) -> Trial:
    """Obese men on a drug; one figure."""
    result = {
        "quantity": quantity, "day": 28, "value": 1.5, "unit": "1", "statistic": "ratio", "where": "table 2",
        "seen": "abstract", "n": n,
    }  # fmt: skip
    return Trial.model_validate(
        {
            "key": key, "citation": "leder2004", "title": key, "verification": "abstract", "role": role,
            "reason": "made for a test", "population": {"text": "men", "condition": "obese-hypogonadal"},
            "design": {"allocation": "randomised", "control": "placebo"},
            "arms": [
                {"name": "drug", "n": n, "protocol": f"{drug} daily for 12 weeks", "outcomes": [result]},
                {"name": "placebo", "n": n, "protocol": "none for 12 weeks"},
            ],
        }
    )  # fmt: skip


def run(one: Trial, z: float, other: float, sampling: float) -> Reproduced:
    """A normal prediction whose middle lies z spreads above what was reported, beside nulls that score ``other``."""
    [figure] = figures(one)
    middle = figure.reported + z * SD
    low, high, low_50, high_50 = (middle + side * SD for side in (-NORMAL_95, NORMAL_95, -NORMAL_50, NORMAL_50))
    scored = Scored(
        figure, 1.0, middle, low, high, low_50, high_50, abs(z) <= NORMAL_95, abs(z) <= NORMAL_50, z, z * SD, sampling,
        interval_score(low, high, figure.reported, 0.95), other, other,
        (math.exp(middle), math.exp(low), math.exp(high)),
    )  # fmt: skip
    return Reproduced(one, (scored,), (), (), 0.0)


def made(validation, calibration=(0.1, 1.0), other=50.0, sampling=SD, failed=(), again=None, **more) -> Evidence:
    """Evidence of a trial per z of each role."""
    found = [run(trial(f"v{i}", "validation"), z, other, sampling) for i, z in enumerate(validation)]
    found += [run(trial(f"c{i}", "calibration"), z, other, sampling) for i, z in enumerate(calibration)]
    every = [one.trial for one in found] + [one.trial for one in failed]
    fields = {"suite": NOTHING_RUN, "facts": NO_FACTS, "driven": (), "prose": prose()} | more
    return Evidence(document(found, failed), {one.key: one for one in every}, again, **fields)


GOOD = [0.3] * 9 + [1.0] * 10 + [3.0]  # 95 % inside the wide, 45 % inside the narrow interval
BAD = [0.3, 3.0, -3.0, 4.0]


TARGETS = ("inside the 95 %", "inside the 50 %", "of no change", "of the drugs' mean", "error of hormone means")


def said(evidence: Evidence) -> dict[tuple[str, str], bool]:
    """Whether each target of each role is said to be met."""
    rows = re.findall(r"^\| (\*\*missed\*\*|met|not told) \| (\w+) \| (.*) \|$", outcome(evidence, []), re.MULTILINE)
    return {(role, next(t for t in TARGETS if t in text)): verdict == "met" for verdict, role, text in rows}


def test_met_targets_are_said_to_be_met():
    found = said(made(GOOD, GOOD))
    assert len(found) == 10 and all(found.values())
    assert "All targets are met." in outcome(made(GOOD, GOOD), [])


def test_missed_targets_are_said_first():
    text = outcome(made(BAD, GOOD, other=1.0), [])
    assert "**Missed: 7 of 10 targets.**" in text  # all of validation, both nulls of calibration
    verdicts = re.findall(r"^\| (\*\*missed\*\*|met) \|", text, re.MULTILINE)
    assert verdicts == ["**missed**"] * 7 + ["met"] * 3
    assert "| **missed** | validation | 25.0 % inside the 95 % interval (asked: 90 to 99 %) |" in text


@pytest.mark.parametrize(
    ("changed", "which"),
    [
        ({"validation": GOOD[:-1]}, {"inside the 95 %"}),  # all inside: too wide
        ({"validation": [0.3] * 19 + [3.0]}, {"inside the 50 %"}),
        ({"other": 0.1}, {"of no change", "of the drugs' mean"}),
        ({"sampling": SD / 20}, {"error of hormone means"}),
    ],
)
def test_a_changed_result_changes_what_is_said_of_it(changed, which):
    settings = {"validation": GOOD, "calibration": GOOD}
    before, after = said(made(**settings)), said(made(**settings | changed))
    assert {target for role, target in before if before[role, target] != after[role, target]} == which


def test_every_number_of_the_results_moves_the_page():
    one, other = page(made(GOOD, GOOD)), page(made(BAD, GOOD))
    for section in ("Outcome", "Validation", "Applicability", "Credibility factors", "Limits"):
        first, second = (text.split(f"## {section}\n")[1].split("\n## ")[0] for text in (one, other))
        assert first != second, section
    assert "25.0 % inside the 95 % interval" in other and "25.0 % inside the 95 % interval" not in one


def test_without_results_nothing_is_met():
    text = page(made([], []))
    assert "**missed**: " in text
    assert not re.search(r"(?<!\w)met(: |\*\*: | \|)", text)
    assert {one.grade for one in factors(made([], []))} == {"none"}


def test_a_trial_that_failed_is_named_with_its_reason():
    text = outcome(made(GOOD, failed=[Failed(trial("sick", "validation"), "no men")]), [])
    assert "1 trial could not be run" in text and "- sick: no men" in text


def test_the_worst_miss_comes_first():
    text = page(made([0.1, 2.5, -6.0]))
    table = text.split("### Worst misses")[1].split("###")[0]
    assert [row.split(" | ")[0] for row in table.splitlines() if row.startswith("| ")][1:] == ["| −6.00", "| +2.50"]
    assert "2 of 3 validation figures lie outside" in table


# The rule ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("met", "grade"),
    [
        ((True, True), "high"), ((True, False), "medium"), ((True, False, False), "low"), ((False, None), "none"),
        ((True, None), "medium"), ((), "none"),
    ],
)  # fmt: skip
def test_the_grade_follows_from_the_criteria(met, grade):
    factor = Factor("code", "made", tuple(Criterion("", one) for one in met))
    assert factor.grade == grade
    assert factor.reaches("medium") is (grade in ("medium", "high"))


def test_a_use_is_credible_only_when_nothing_falls_short():
    for use in assessed(made(GOOD, GOOD)):
        assert not use.credible and use.context.risk in ("medium", "high")
        assert not use.missed or use.context.name != "trial designer"
        assert all(not one.reaches(use.context.risk) for one in use.short)
        fine = tuple(one._replace(criteria=(Criterion("", True),)) for one in use.factors)
        assert use._replace(factors=fine).credible


def test_risk_is_the_higher_of_influence_and_consequence():
    context = prose().contexts[0]
    for influence, consequence, risk in (("low", "low", "low"), ("low", "high", "high"), ("medium", "low", "medium")):
        changed = context.model_copy(
            update={
                "influence": context.influence.model_copy(update={"rating": influence}),
                "consequence": context.consequence.model_copy(update={"rating": consequence}),
            }
        )
        assert changed.risk == risk


# What is counted -----------------------------------------------------------------------------------


def test_sums_are_those_of_the_totals():
    evidence = made(BAD, GOOD)
    for role in ("validation", "calibration"):
        found, total = sums(evidence.lines(role)), evidence.document[role]
        assert (found.figures, found.studies, found.groups) == (total["total"], total["studies"], total["groups"])
        for name in ("inside_95", "inside_50", "interval_score"):
            assert getattr(found, name) == pytest.approx(total[name])
        assert found.inside_95_interval == pytest.approx(total["inside_95_interval"])
        assert found.error_ratio == pytest.approx(total["hormone_means"]["error_ratio"])


def test_lines_are_picked_by_drug_men_outcome_and_day():
    evidence = made(GOOD)
    some = evidence.lines("validation")
    assert pick(some, drugs=["anastrozole"], conditions=["obese-hypogonadal"], until=28) == some
    assert not pick(some, until=27) and not pick(some, drugs=["letrozole"]) and not pick(some, outcomes=["semen"])
    context = prose().contexts[0]
    counted = cells(context, near_to(evidence, context))
    assert counted["anastrozole", "obese-hypogonadal", "hormones"] == len(GOOD) == sum(counted.values())
    needs = context.needs
    assert len(counted) == len(needs.drugs) * len(needs.conditions) * len(needs.outcomes)


def test_a_second_run_is_held_against_the_first():
    evidence = made([0.0, 1.9, 1.0])
    assert moved(evidence).shift is None
    second = made([0.5, 2.0, 1.0]).document
    found = moved(evidence._replace(again=second))
    assert (found.trials, found.figures) == (5, 5)
    assert found.largest == pytest.approx(0.1)  # of the first figure z is 0 and nothing tells its SD
    assert found.flipped == pytest.approx(1 / 5)


def test_expected_failures_and_run_tests_are_listed():
    missed = Miss("tests/validation/test_emergence.py::test_flat", "not flat", True)
    ran = {
        "tests/verification/test_kinetics.py::test_a": "passed",
        "tests/verification/test_kinetics.py::test_b": "failed",
    }
    text = page(made(GOOD, suite=Suite(70, 3, (missed, missed), ran, 5, 6)))
    assert "[test_flat](../tests/validation/test_emergence.py) | 2 | not flat | yes |" in text
    assert "closed forms of the kinetics of drugs | 2 | 1 | **missed** |" in text
    assert "**missed**: 5 of 6 dependencies locked by hash" in text
    assert "test_flat" not in page(made(GOOD))


def test_facts_are_said_as_they_are():
    fit = Fitted("core", 7, 3, 11, 2, (0.9, "a.b", "c.d"), {"identified": 3, "one-sided": 4}, {"hormone": 0.3})
    facts = Facts((fit,), Known({"fitted": 7, "measured": 1}, 7, 8), {"none": 3e-3}, {"daily": 1e-3}, {"weak": 2},
                  ("joint_pain_probability",), 4, (("A claim.", "No figure."),), 9, {"data": "abc"})  # fmt: skip
    text = page(made(GOOD, facts=facts))
    for line in (
        "Made from: data abc.",
        "| core | 7 | 3 | 11 | 2 | +0.90 a.b, c.d | 3 identified, 4 one-sided |",
        "Of the profiled parameters 3 of 7 (43 %) are identified",
        "| none | 0.003 | **missed** |",
        "**missed**: two independent solvers at tight tolerance differ by at most 0.001",
        "No male data: joint pain probability",
        "- A claim. No figure.",
        "87.5 % of 8 parameters that are not just measured are in the",
    ):
        assert line in text


def test_what_is_known_of_parameters_is_counted():
    found = known()
    assert found.drawn <= found.not_measured == sum(found.kinds.values()) - found.kinds["measured"]
    assert set(profile_classes()) <= {"joint", "drugs", "levers", "outcomes"}


# Drivers -------------------------------------------------------------------------------------------


def test_rank_correlations_find_what_drives():
    rng = np.random.default_rng(0)
    drawn = rng.standard_normal((30, 400))
    drawn[29] = 1.0
    values = np.exp(drawn[3] - 0.5 * drawn[7]) + 0.01 * rng.random(400)
    found = drivers.correlations(values, drawn)
    assert found[3] > 0.8 and found[7] < -0.3 and found[29] == 0
    least = drivers.chance_limit(400, 30)
    assert {i for i in range(30) if abs(found[i]) > least} == {3, 7}
    assert drivers.explained(values, [drawn[3], drawn[7]]) > 0.9
    assert drivers.correlations(drawn[3] ** 3, drawn[3:4]) == pytest.approx(1)


def test_the_limit_of_chance_holds_for_idle_parameters():
    rng = np.random.default_rng(1)
    least = drivers.chance_limit(200, 40)
    passed = [
        np.abs(drivers.correlations(rng.standard_normal(200), rng.standard_normal((40, 200)))).max() > least
        for _ in range(300)
    ]
    assert 0.01 < np.mean(passed) < 0.09  # one time in twenty


# The file of fixed words ---------------------------------------------------------------------------


def test_fixed_words_hold_no_result():
    held = yaml.safe_load((DATA / "credibility.yaml").read_text(encoding="utf-8"))
    checked = [held["question"], held["model"], held["judgement"]["note"], *held["intervals"]["holds"]]
    checked += [*held["intervals"]["leaves_out"], *(one["limit"] for one in held["limits"])]
    checked += [one["says"] for one in held["judged"]] + [one["what"] for one in held["spots"] + held["checks"]]
    for context in held["contexts"]:
        checked += [context["asks"], context["role"], context["appropriate"], *context["not_for"]]
        checked += [context[name]["because"] for name in ("influence", "consequence", "impact")]
    assert len(checked) > 50
    assert [text for text in checked if re.search(r"\d|per ?cent|\bmost(ly)?\b|\bhalf\b", text)] == []


def test_every_test_trial_and_page_that_is_named_exists():
    there = claims.tests_below(ROOT)
    files = {test.partition("::")[0] for test in there}
    named = [test for check in prose().checks for test in check.tests] + [*prose().emergence]
    named += [test for limit in prose().limits for test in limit.tests]
    assert [test for test in named if test not in there and test not in files] == []
    assert all((ROOT / "docs" / limit.page).exists() for limit in prose().limits if limit.page)
    roles = {one.key: one.role for one in shipped()}
    assert {roles[key] for key in prose().again.trials} == {"calibration", "validation"}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("rating: medium", "rating: some", "rating"),
        ("outcomes: [hormones, semen, bone], until: 365", "outcomes: [hormons], until: 365", "hormones"),
        ("  hormones: [hormone]\n", "", "once"),
        ("name: kinetics", "name: kinetic", "kinetics"),
        ("frameworks: [ich_m15,", "frameworks: [ich_m16,", "ich_m15"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path, old, new, sentence):
    text = (DATA / "credibility.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "credibility.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load(path)
    assert sentence in str(error.value) and "\n" not in str(error.value)


# The written page ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tool():
    return tools.load("credibility_page")


def test_the_page_agrees_with_the_figures_beside_it():
    import csv

    with (ROOT / "docs" / "reproduce.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "done"]
    text = (ROOT / "docs" / "credibility.md").read_text(encoding="utf-8")
    for role in ("validation", "calibration"):
        own = [row for row in rows if row["role"] == role]
        weights = np.array([float(row["weight"]) for row in own])
        for level in (95, 50):
            inside = np.array([row[f"inside_{level}"] == "True" for row in own])
            share = 100 * np.average(inside, weights=weights)
            assert f"| {role} | {share:.1f} % inside the {level} % interval" in text
        assert f"| {role} | {len(own)} |" in text


def test_the_page_has_the_sections_of_the_frameworks():
    text = (ROOT / "docs" / "credibility.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == re.findall(r"^## (.*)$", page(made(GOOD)), re.MULTILINE)
    assert text.count("not a medical device") == 1


def test_the_picture_is_drawn_from_the_evidence(tool, tmp_path, monkeypatch):
    for name, evidence in (("good", made(GOOD)), ("bad", made(BAD)), ("nothing", made([], []))):
        monkeypatch.setattr(tool, "PICTURE", tmp_path / f"{name}.png")
        tool.picture(evidence)
    drawn = {path.stem: path.read_bytes() for path in tmp_path.glob("*.png")}
    assert len(drawn) == 3 and drawn["good"] != drawn["bad"]


def test_locked_dependencies_are_counted(tool):
    text = "one==1 \\\n    --hash=sha256:a\ntwo[x]==2 ; python_version < '3.12'\nthree==3 \\\n    --hash=sha256:b\n"
    entries = [match.group() for match in tool.PINNED.finditer(text)]
    assert ["--hash=" in entry for entry in entries] == [True, False, True]
