"""Titrated runs: a dose changed by a rule is the same dose written down, and noise belongs to the man alone."""

from pathlib import Path

import numpy as np
import pytest
from tests import tools

from leydig import start
from leydig.errors import InputError
from leydig.files import read_yaml
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.titration import Measured, RuleSet, rule_sets
from leydig.pharmacology.titration_conditions import Comparison, Printed
from leydig.pharmacology.titration_words import FOLDER
from leydig.population_prior import men
from leydig.studies import (
    many,
    observe,
    sampling,
    simulate,
    titrate,
    titrate_many,
    titrate_tables,
    titrated_year,
)
from leydig.studies.clock import look
from leydig.studies.population_plan import available
from leydig.studies.titrate import Plan, planned, rules_of
from leydig.subject import Subject, complete

ROOT = Path(__file__).resolve().parents[2]
BASE = "anastrozole 0.5 mg twice weekly"
NEVER = RuleSet.parse("titrate anastrozole every 4 weeks: if E2 < 0.2 pg/mL (LC-MS) then stop")
ALWAYS = RuleSet.parse("at week 4, results after 3 days: if E2 > 0.2 pg/mL (LC-MS) then 1 mg")
BUSY = RuleSet.parse(
    "at weeks 4, 8, 12, results after 5 days, steps 0.25 mg, 0.5 mg, 1 mg, 2 mg: "
    "if E2 < 15 pg/mL (LC-MS) then step down; if T < 400 ng/dL then step up; if T/E2 > 60 then stop"
)
DAYS = np.array([0.0, 20.0, 40.0, 84.0, 112.0])
WANTED = ("testosterone", "estradiol", "LH", "bmd_spine", "total_motile_sperm_count", "conception_probability")
MIXTURE = {"eugonadal": 0.3, "obese-hypogonadal": 0.5, "primary-failure": 0.2}


def follow(rules, first=0, n=24, text=BASE, seed=1, days=DAYS, over=7.0, **options):
    protocol = Protocol.parse(text)
    prepared = many.prepare(men(MIXTURE, seed, first, n), many.multipliers([protocol], seed, first, n))
    clock = many.look(days, over)
    return titrate_many.follow_titrated(prepared, protocol, rules, clock, WANTED, seed=seed, **options)


def fixed(text, first=0, n=24, seed=1, days=DAYS, over=7.0):
    protocol = Protocol.parse(text)
    factors = many.multipliers([protocol], seed, first, n)
    return many.follow_men(men(MIXTURE, seed, first, n), factors, [protocol], days, WANTED, over=over)[0]


def close(one, other, tolerance=2e-4):
    for name in WANTED:
        wanted = other.quantities[name]
        size = np.maximum(np.abs(wanted), 1e-3 * np.abs(wanted).max())
        assert np.max(np.abs(one.quantities[name] - wanted) / size) < tolerance, name


# Many men -------------------------------------------------------------------------------------------


def test_rules_that_never_act_leave_the_run_as_it_is():
    run = follow(NEVER)
    close(run.followed, fixed(BASE))
    assert [visit.hour for visit in run.visits] == [672.0, 1344.0, 2016.0]  # neither the start nor the end
    assert all((visit.rule == -1).all() and visit.after == visit.before for visit in run.visits)


@pytest.mark.parametrize("text", [BASE, "testosterone cypionate 100 mg weekly + anastrozole 0.5 mg twice weekly"])
def test_a_change_is_the_same_dose_written_into_the_protocol(text):
    """0.5 mg every 84 hours: nine doses until week 4 and three days, at hour 744; the tenth is due at hour 756."""
    run = follow(RuleSet.parse(f"titrate anastrozole {ALWAYS.text()}"), text=text)
    written = text.replace(BASE, "anastrozole 0.5 mg every 84 hours for 756 hours then 1 mg every 84 hours")
    close(run.followed, fixed(written))
    assert {treatment.words() for treatment in run.treatments} == {"1 mg twice weekly"}


def test_the_laboratory_takes_its_time():
    """Until the result is there, the dose is the old one; then it is the new one."""
    days = np.array([0.0, 28.0, 30.0, 34.0, 56.0])
    slow = RuleSet.parse("titrate anastrozole at week 4, results after 20 days: if E2 > 0.2 pg/mL (LC-MS) then 8 mg")
    quick = RuleSet.parse("titrate anastrozole at week 4, results after 1 hours: if E2 > 0.2 pg/mL (LC-MS) then 8 mg")
    late, soon, never = (follow(rules, days=days, over=1.0).followed for rules in (slow, quick, NEVER))
    estradiol = {"late": late, "soon": soon, "never": never}
    estradiol = {name: found.quantities["estradiol"] for name, found in estradiol.items()}
    np.testing.assert_allclose(estradiol["late"][:, :4], estradiol["never"][:, :4], rtol=2e-4)
    assert (estradiol["soon"][:, 3] < 0.9 * estradiol["never"][:, 3]).all()
    assert (estradiol["late"][:, 4] < 0.9 * estradiol["never"][:, 4]).all()


def test_without_noise_no_decision_is_taken_on_noise():
    quiet, loud = follow(BUSY, n=64, noise=False), follow(BUSY, n=64)
    assert not any(visit.on_noise.any() for visit in quiet.visits)
    assert sum(visit.on_noise.sum() for visit in loud.visits) > 5
    for one, other in zip(quiet.visits[:1], loud.visits[:1], strict=True):  # before anything was changed
        for measured, values in one.expected.items():
            np.testing.assert_array_equal(values, other.expected[measured])
        np.testing.assert_array_equal(one.without_noise, other.without_noise)
        np.testing.assert_array_equal(one.rule, one.without_noise)


def test_a_man_has_the_same_bytes_whoever_stands_beside_him():
    whole = follow(BUSY, n=128, threads=2)
    assert len({*whole.treatments}) > 8  # many histories, so groups differ from chunk to chunk
    for size, firsts in ((1, (0, 17, 127)), (7, (3, 100)), (64, (0, 64))):
        for first in firsts:
            part, own = follow(BUSY, first, size), slice(first, first + size)
            assert part.treatments == whole.treatments[own]
            assert (part.followed.steps == whole.followed.steps[own]).all()
            for name in WANTED:
                there = whole.followed.quantities[name][own]
                assert there.tobytes() == part.followed.quantities[name].tobytes(), (name, first, size)
            for one, other in zip(part.visits, whole.visits, strict=True):
                for measured in one.observed:
                    for kind in ("observed", "expected"):
                        values = np.ascontiguousarray(getattr(other, kind)[measured][own])
                        assert getattr(one, kind)[measured].tobytes() == values.tobytes()


def test_the_noise_is_that_of_observe_and_belongs_to_man_and_visit():
    run, c = follow(NEVER, n=40), sampling.common_laboratory(NEVER).constants
    (measured,) = NEVER.measured
    test = observe.Test("estradiol", "LC-MS/MS", c.usual_hour)
    for visit in run.visits[1:]:
        drawn = sampling.draws(1, run.laboratory, visit.hour, 0, 40)[test]
        again = observe.simulate(test, visit.expected[measured], np.full(40, 40.0), drawn)
        np.testing.assert_allclose(visit.observed[measured], again.values, rtol=0.01)  # but for his own share
    ratios = [np.log(visit.observed[measured] / visit.expected[measured]) for visit in run.visits]
    assert abs(np.corrcoef(ratios[0], ratios[1])[0, 1]) < 0.5 and np.std(ratios) > 0.05
    again = follow(NEVER, n=40, seed=2)
    assert not np.array_equal(again.visits[0].observed[measured], run.visits[0].observed[measured])


def test_a_man_who_cannot_be_solved_is_seen_no_more(monkeypatch):
    solve = titrate_many.solve_many
    target = many.prepare(men(MIXTURE, 1, 5, 1), many.multipliers([Protocol.parse(BASE)], 1, 5, 1)).begun.vectors[0]

    def failing(traced, states, vectors, schedule, times, **options):
        batch = solve(traced, states, vectors, schedule, times, **options)
        for row in np.flatnonzero((vectors == target).all(axis=1)):
            if times[0] >= 672:
                batch.status[row], batch.reached[row] = 2, times[0] + 1
                batch.values[row, 1:], batch.inputs[row, 1:] = np.nan, np.nan
        return batch

    monkeypatch.setattr(titrate_many, "solve_many", failing)
    run = follow(BUSY, n=12)
    assert run.followed.status.tolist() == ["done"] * 5 + ["left_domain"] + ["done"] * 6
    assert run.followed.reached[5] == pytest.approx(673 / 24)
    assert [bool(visit.there[5]) for visit in run.visits] == [True, False, False]
    assert np.isnan(run.followed.quantities["LH"][5, 2:]).all()
    table = titrate_tables.decisions(np.arange(12), [BUSY], [run])
    assert np.count_nonzero(table["id"] == 5) == 1 and np.count_nonzero(table["id"] == 6) == 3
    assert sum(titrate_tables.counts([run])[0]["final"].values()) == 11


def test_all_men_are_solved_by_the_code_of_the_whole_protocol(monkeypatch):
    """Even a man whose drug is stopped, so that nobody's code depends on what was done to him."""
    seen = []
    solve = titrate_many.solve_many

    def noted(*arguments, **options):
        seen.append((options["variant"], options["precision"], options["control"]))
        return solve(*arguments, **options)

    monkeypatch.setattr(titrate_many, "solve_many", noted)
    stop = RuleSet.parse("at weeks 4, 8: if T > 300 ng/dL (LC-MS) then stop; if T < 300 ng/dL (LC-MS) then restart")
    run = follow(stop, text="letrozole 2.5 mg weekly", n=16)
    assert {treatment.stopped for treatment in run.treatments} == {True, False}
    assert len(seen) > 3 and len({*seen}) == 1


# One man --------------------------------------------------------------------------------------------


def test_one_man_and_many_men_decide_alike_on_the_same_numbers():
    """The same man, the same noise: the same readings, decisions and doses by either solver."""
    protocol, first = Protocol.parse(BASE), 3
    run = follow(BUSY, first, 1)
    drawn = men(MIXTURE, 1, first, 1)
    factors = many.multipliers([protocol], 1, first, 1)
    from tests.verification.test_many import alone  # the same man by the path of one man

    began, _ = alone(drawn, factors, protocol, 0)
    scale = {tuple(name.rsplit(".", 1)): float(f[0]) for name, f in factors.items() if name.startswith("anastrozole.")}
    scale |= {tuple(n.rsplit(".", 1)): float(f[0]) for n, f in factors.items() if n.startswith("levers.")}
    course = titrate.follow(
        began, float(drawn.age[0]), protocol, BUSY, run.laboratory, many.look(DAYS, 7.0).hours,
        seed=1, man=first, scale=scale, tolerance=1e-8,
    )  # fmt: skip
    assert course.treatment == run.treatments[0] and len(course.visits) == len(run.visits) == 3
    for one, other in zip(course.visits, run.visits, strict=True):
        assert one.rule[0] == other.rule[0] and one.without_noise[0] == other.without_noise[0]
        for measured in one.observed:
            np.testing.assert_allclose(one.observed[measured], other.observed[measured], rtol=3e-4)


def typical(name):
    completed = complete(Subject.open(name))
    return completed, simulate.begin_typical(completed, start.Given((), ()))


def test_one_mans_titrated_run_is_the_protocol_that_it_comes_to():
    completed, began = typical("obese-man")
    clock = look(112.0)
    for text, rules, written in (
        (BASE, NEVER, BASE),
        (BASE, ALWAYS, "anastrozole 0.5 mg every 84 hours for 756 hours then 1 mg every 84 hours"),
        ("testosterone infusion 6 mg/day", RuleSet.parse("at week 4, results after 3 days: if T > 10 ng/dL then 4 mg"),
         "testosterone infusion 6 mg/day for 744 hours then 4 mg/day"),
    ):  # fmt: skip
        plan = Plan(Protocol.parse(text), rules)
        titration = titrate.Titration(plan, completed, clock.hours, 0, 0)
        values, status, course = simulate.run(began, completed.age, start.given(plan.protocol, 112), clock, titration)
        given = start.given(Protocol.parse(written), 112)
        wanted, _ = simulate.follow(began, completed.age, given, clock)
        assert status.name == "done" and course is not None
        for name in ("testosterone", "estradiol", "LH", "bmd_spine"):
            np.testing.assert_allclose(values[name], wanted[name], rtol=1e-5, err_msg=f"{text}: {name}")


def test_his_own_laboratory_prints_what_was_measured_and_the_rule_may_name_another():
    rules = RuleSet.parse(
        "if T < 300 ng/dL then double the dose; if E2 < 10 pg/mL (LC-MS) then stop; if T/E2 > 30 then stop"
    )
    for name in ("older-man", "obese-man"):
        completed, began = typical(name)
        place = sampling.own_laboratory(rules, completed, began)
        now = sampling._at_day_0(began, completed.age)
        values = {key: np.array([value]) for key, value in now.items()}
        drawn = sampling.draws(0, place, 0.0, 0, 1)
        read = {
            sample.measured: sampling.read(sample, values, np.array([completed.age]), drawn, place.constants)
            for sample in place.samples
        }
        own = {lab.analyte: lab.value for lab in Subject.open(name).labs}
        printed = {measured: float(one.expected[0]) for measured, one in read.items()}
        assert printed[Measured("testosterone", None)] == pytest.approx(own["testosterone"], rel=1e-6)
        assert printed[Measured("estradiol", None)] == pytest.approx(own["estradiol"], rel=1e-6)  # for the ratio
        assert printed[Measured("estradiol", "LC-MS/MS")] == pytest.approx(now["estradiol"], rel=1e-9)


# What is asked --------------------------------------------------------------------------------------


def test_every_quantity_that_rules_may_read_is_computed():
    readable = {*read_yaml(FOLDER / "_defaults.yaml")["observed"]}
    assert readable <= {*available()} and readable <= {*observe.analytes(), *observe.DERIVED}
    with pytest.raises(InputError, match='"albumin" is not measured at a visit'):
        planned([BASE], "if albumin < 4 g/dL then stop")


@pytest.mark.parametrize("name", rule_sets())
def test_every_bundled_rule_set_can_be_run(name):
    rules = RuleSet.open(name)
    (plan,) = planned([rules.start], name)
    assert plan.text() == f"{Protocol.parse(rules.start).text()} + titrate {name}" and Plan.of(plan.text()) == plan
    run = follow(rules, n=2, text=rules.start, days=np.array([0.0, 182.0]), over=0.0)
    assert (run.followed.status == "done").all() and run.visits


@pytest.mark.parametrize(
    ("protocols", "rules", "said"),
    [
        (["none"], "if E2 < 10 pg/mL then stop", "changes the dose of a drug, which no protocol"),
        (["clomiphene 25 mg daily"], "estradiol-safety", "changes the dose of anastrozole or letrozole"),
        ([BASE], "estradiol-safty", 'did you mean "estradiol-safety"'),
        ([f"{BASE} + hCG 500 IU daily"], "if E2 < 10 pg/mL then stop", "say which the rules titrate"),
        (["anastrozole 1 mg once"], "if E2 < 10 pg/mL then stop", "is a single dose"),
    ],
)
def test_what_cannot_be_titrated_is_refused(protocols, rules, said):
    with pytest.raises(InputError, match=said):
        planned(protocols, rules)


def test_rules_are_found_by_name_in_words_and_in_a_file(tmp_path):
    file = tmp_path / "mine.yaml"
    bundled = RuleSet.open("estradiol-safety")
    file.write_text((FOLDER / "estradiol-safety.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert rules_of(str(file)) == rules_of(file) == rules_of("estradiol-safety") == rules_of(bundled.text()) == bundled
    assert rules_of(bundled.text()).name == "estradiol-safety"  # known by what it says
    plans = planned([f"{BASE} + if E2 < 5 pg/mL then stop", BASE, "none"], "estradiol-safety")
    assert [plan.rules is None for plan in plans] == [False, False, True]
    assert plans[0].rules != bundled and plans[1].rules == bundled


# The page -------------------------------------------------------------------------------------------


def test_the_titrated_year_compares_each_man_with_himself():
    found = titrated_year.arms(24)
    fixed, quiet = found[titrated_year.FIXED], found["by estradiol without noise"]
    assert not quiet.on_noise.any() and found["by estradiol"].on_noise.any()
    assert (titrated_year.gain(found, titrated_year.FIXED) == 0).all()
    never = ~found["by estradiol"].changed.any(axis=1)
    assert 0 < never.sum() < 24
    same = titrated_year.gain(found, "by estradiol")
    assert np.abs(same[never]).max() < 0.02 and same[~never].min() > 1
    steps = titrated_year.doses()
    assert {*found["by testosterone"].final} <= {*steps} and {*fixed.final} == {titrated_year.FIXED}
    for name in titrated_year.RULES:
        last = np.array([steps.index(dose) for dose in found[name].final])
        np.testing.assert_array_equal(last, found[name].changed.sum(axis=1))  # rules that only raise
    page = tools.load("titration_page").page(found)
    assert "24 virtual men" in page and "| 1 mg daily |" in page and " nan" not in page


def test_less_than_the_limit_of_quantitation_is_less_and_not_a_number():
    at_five = Comparison("estradiol", "<", 5, "pg/mL")
    measured = at_five.measured[0]
    printed = Printed(np.array([5.0, 5.0, 4.0, 6.0]), np.array([True, False, False, False]))
    seen = [{measured: printed}]
    assert at_five.holds(seen).tolist() == [True, False, True, False]
    assert Comparison("estradiol", "<", 3, "pg/mL").holds(seen).tolist() == [False] * 4, "it may be more than 3"
    assert Comparison("estradiol", ">", 3, "pg/mL").holds(seen).tolist() == [False, True, True, True]
    assert Comparison("estradiol", ">=", 5, "pg/mL").holds(seen).tolist() == [False, True, False, True]
    ratio = {Measured("testosterone", None): Printed(np.array([100.0]), np.array([False])),
             Measured("estradiol", None): Printed(np.array([5.0]), np.array([True]))}  # fmt: skip
    high, low = (Comparison("testosterone_estradiol_ratio", sign, 10, "1") for sign in (">", "<"))
    assert high.holds([ratio]).tolist() == [True], "100 over less than 5 is more than 20"
    assert low.holds([ratio]).tolist() == [False]


def test_the_safety_rule_stops_men_without_measurable_estradiol():
    (plan,) = planned(["letrozole 2.5 mg daily for 52 weeks"], "estradiol-safety")
    run = follow(plan.rules, n=40, text="letrozole 2.5 mg daily for 52 weeks", days=np.array([0.0, 364.0]), over=0.0)
    stopped = [any(visit.after[man].stopped for visit in run.visits) for man in range(40)]
    assert np.mean(stopped) > 0.8


def test_nothing_is_decided_once_the_course_has_ended():
    rules = RuleSet.parse("every 6 weeks: if T > 1 ng/dL then halve the dose")  # day 0 is the start, not a visit
    run = follow(rules, n=2, text="anastrozole 1 mg daily for 12 weeks", days=np.array([0.0, 364.0]), over=0.0)
    assert [visit.hour / 24 for visit in run.visits] == [42]


def test_a_decision_that_changes_nothing_is_not_taken_on_noise():
    rules = RuleSet.parse("every 6 weeks: if T < 500 ng/dL then 1 mg; if T >= 500 ng/dL then change nothing")
    run = follow(rules, n=30, text="anastrozole 1 mg daily for 1 year", days=np.array([0.0, 364.0]), over=0.0)
    assert any((visit.rule != visit.without_noise).any() for visit in run.visits)
    assert not any(visit.on_noise.any() for visit in run.visits)
