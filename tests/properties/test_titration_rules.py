"""Titration rules: text to object and back, which rule acts, and that a changed treatment keeps the rules of dosing."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leydig import units
from leydig.errors import InputError
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.schedule import WEEKDAYS, Every, PerDay, PerWeek, Span, Weekdays
from leydig.pharmacology.titration import (
    Add,
    AllOf,
    AnyOf,
    Comparison,
    Keep,
    Measured,
    Multiply,
    Repeated,
    Restart,
    Rule,
    RuleSet,
    SetDose,
    StepDown,
    StepUp,
    Stop,
    decide,
    decide_many,
)
from leydig.pharmacology.titration_text import split
from leydig.pharmacology.treatment import Change, Treatment
from leydig.pharmacology.visits import At, Time
from leydig.pharmacology.visits import Every as EveryVisit

E2, T, HCT = (Measured(name, None) for name in ("estradiol", "testosterone", "hematocrit"))
STEPS = tuple(SetDose(amount, "mg") for amount in (0.25, 0.5, 1.0))

numbers = st.one_of(st.integers(1, 200), st.floats(0.01, 200))
comparisons = st.one_of(
    st.builds(
        Comparison,
        st.sampled_from(["estradiol", "testosterone"]),
        st.sampled_from(["<", "<=", ">", ">="]),
        numbers,
        st.sampled_from(["pmol/L", "pg/mL"]),
        st.sampled_from([None, "LC-MS/MS", "immunoassay", "RIA"]),
    ),
    st.builds(Comparison, st.just("testosterone_estradiol_ratio"), st.sampled_from(["<", ">="]), numbers, st.just("1")),
    st.builds(Comparison, st.just("hematocrit"), st.just(">"), st.integers(20, 70), st.just("%")),
)
several = st.integers(2, 3)
conditions = st.recursive(
    comparisons,
    lambda part: st.one_of(
        st.lists(part, min_size=2, max_size=3).map(lambda parts: AllOf(tuple(parts))),
        st.lists(part, min_size=2, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
        st.builds(Repeated, part, several),
    ),
    max_leaves=5,
)
schedules = st.one_of(
    st.builds(PerDay, st.integers(1, 3)),
    st.builds(PerWeek, st.integers(1, 7)),
    st.builds(Every, st.builds(Span, st.integers(2, 60), st.just("day"))),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(lambda days: Weekdays(tuple(days))),
)
amounts = st.one_of(st.sampled_from([0.25, 0.5, 1.0, 2.0]), st.floats(0.02, 50))
doses = st.builds(SetDose, amounts, st.just("mg"), st.one_of(st.none(), schedules))
moves = st.one_of(
    st.builds(Multiply, st.one_of(st.sampled_from([0.5, 2, 0.75, 1.1]), st.floats(0.1, 5).filter(lambda x: x != 1))),
    st.builds(Add, st.one_of(st.floats(-5, -0.01), st.floats(0.01, 5)), st.just("mg")),
    st.just(StepUp()),
    st.builds(StepDown, st.booleans()),
)
restarts = st.one_of(st.builds(Restart, st.sampled_from([0.5, 1, 0.25, 1 / 3])), st.builds(Restart, dose=doses))
actions = st.one_of(moves, doses, restarts, st.just(Stop()), st.just(Keep()))
rules = st.builds(Rule, conditions, actions)


@st.composite
def rule_sets(draw) -> RuleSet:
    own = draw(st.booleans())
    steps = tuple(replace(step, schedule=PerDay(1)) for step in STEPS) if own else STEPS
    return RuleSet(
        tuple(draw(st.lists(rules, min_size=1, max_size=4))),
        draw(st.sampled_from([EveryVisit(Span(6, "week")), At((Time(2, "week"), Time(3, "month")))])),
        Time(draw(st.integers(0, 10)), "day"),
        draw(st.sampled_from([(), ("anastrozole",), ("letrozole", "anastrozole")])),
        steps,
        draw(st.sampled_from([None, SetDose(0.1, "mg")])),
        draw(st.sampled_from([None, SetDose(5, "mg")])),
    )


def set_of(*said: str, drug: str = "anastrozole", steps: tuple[SetDose, ...] = STEPS) -> RuleSet:
    return replace(RuleSet.parse("; ".join(said or ["if E2 < 1 pg/mL then stop"])), drugs=(drug,), steps=steps)


# Words ------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(rules)
def test_a_rule_to_text_to_rule_is_the_identity(rule):
    assert Rule.parse(rule.text()) == rule


@settings(deadline=None)
@given(rule_sets())
def test_a_rule_set_to_text_to_rule_set_is_the_identity(rule_set):
    assert RuleSet.parse(rule_set.text()) == rule_set
    protocol = "weight +5 % over 6 months + anastrozole 1 mg daily for 26 weeks"
    assert split(f"{protocol} + {rule_set.text()}") == (protocol, rule_set)
    assert split(protocol) == (protocol, None)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        (
            "if E2 < 15 pg/mL (LC-MS) then halve the dose",
            Rule(Comparison("estradiol", "<", 15, "pg/mL", "LC-MS/MS"), Multiply(0.5)),
        ),
        (
            "if haematocrit is above 54% twice, then stop the drug",
            Rule(Repeated(Comparison("hematocrit", ">", 54, "%"), 2), Stop()),
        ),
        (
            "if T/E2 at least 10 and LH over 9 IU/L then reduce the dose by 25 percent",
            Rule(
                AllOf((Comparison("testosterone_estradiol_ratio", ">=", 10, "1"), Comparison("LH", ">", 9, "IU/L"))),
                Multiply(0.75),
            ),
        ),
        (
            "if spine T-score below −2.5 then stop",
            Rule(Comparison("t_score_spine", "<", -2.5, "1"), Stop()),
        ),
        ("step up until E2 < 20 pg/mL", Rule(Comparison("estradiol", ">=", 20, "pg/mL"), StepUp())),
        (
            "if T > 750 ng/dL then reduce the dose by 20.25 mg",
            Rule(Comparison("testosterone", ">", 750, "ng/dL"), Add(-20.25, "mg")),
        ),
        (
            "IF total t < 10 nmol/l THEN give 0.5mg Mon/Thu",
            Rule(Comparison("testosterone", "<", 10, "nmol/L"), SetDose(0.5, "mg", Weekdays(("Mon", "Thu")))),
        ),
        (
            "if Hct < 50 % then restart at half the dose",
            Rule(Comparison("hematocrit", "<", 50, "%"), Restart(0.5)),
        ),
    ],
)
def test_what_is_written_is_what_is_done(said, means):
    assert Rule.parse(said) == means


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("iff E2 < 15 pg/mL then stop", 'at word 1 "iff": .*did you mean "if"'),
        ("if estradol < 15 pg/mL then stop", 'at word 2 "estradol": .*did you mean "estradiol"'),
        ("if hot flushes > 3 then stop", 'at word 2 "hot flushes" is not measured|"hot flushes" is not measured'),
        ("if E2 < 15 then stop", 'at word 4 "15": needs a unit; allowed: pg/mL'),
        ("if E2 < 15 pg/ml3 then stop", 'at word 5 "pg/ml3": .*did you mean "pg/mL"'),
        ("if E2 < 15 ng/mL then stop", 'at word 4 "15": .*no man has this'),
        ("if E2 < 15 pg/mL (LC-MSMS) then stop", 'at word 6 "LC-MSMS": .*did you mean "LC-MS/MS"'),
        ("if sperm < 1 million/mL (RIA) then stop", "has no assays"),
        ("if E2 < 15 pg/mL than stop", 'at word 6 "than": .*did you mean "then"'),
        ("if E2 < 15 pg/mL then halv the dose", 'at word 7 "halv": .*did you mean "halve"'),
        ("if E2 < 15 pg/mL then halve anastrozole", "the drug stands before the colon"),
        ("if E2 < 15 pg/mL then reduce the dose by 100 %", 'write "stop"'),
        ("if E2 < 15 pg/mL then reduce the dose by -5 mg", 'at word 11 "-5": .*above 0'),
        ("if E2 < 15 pg/mL then -1 mg", "a dose is -1"),
        ("if E2 < -15 pg/mL then stop", "no man has this"),
        ("if E2 < 15 pg/mL then 1 mgs", 'at word 8 "mgs": .*did you mean "mg"'),
        ("if E2 < 15 pg/mL then 1 mg dayly", 'at word 9 "dayly": .*did you mean "daily"'),
        ("if E2 < 15 pg/mL then 1 mg daily for 3 weeks", 'at word 9 "daily": '),
        ("if E2 < 15 pg/mL at 1 visits in a row then stop", "from 2 to 20"),
        ("if E2 < 15 pg/mL", 'at the end, after "pg/mL": expected "then"'),
        ("if E2 15 pg/mL then stop", 'at word 3 "15": expected "<"'),
    ],
)
def test_errors_point_at_the_word_and_name_the_nearest_one(said, answer):
    with pytest.raises(InputError, match=f"^rule, .*{answer}") as caught:
        Rule.parse(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("if E2 < 15 pg/mL then stop + anastrozole 1 mg daily", 'at word 1 "if": rules stand after a protocol'),
        ("anastrozole 1 mg daily + if E2 < 15 pg/mL then stop + calcium 500 mg daily", 'at word 14 "calcium"'),
        ("anastrozole 1 mg daily +if E2 < 15 pg/mL then halve teh dose", 'at word 12 "teh"'),
        ("anastrozole 1 mg daily + if E2 < 15 pg/mL then hold", 'at word 12 "hold"'),
        ("anastrozole 1 mg daily + titrate anastrozole-estradiol-rang", 'did you mean "anastrozole-estradiol-range"'),
        ("anastrozole 1 mg daily + titrate anastrozol: if E2 < 15 pg/mL then stop", 'did you mean "anastrozole"'),
        ("anastrozole 1 mg daily + titrate", 'at word 6 "titrate": expected the name'),
        (
            "anastrozole 1 mg daily + at week 6: if E2 < 9 pg/mL then stop + at week 7: if E2 < 9 pg/mL then stop",
            "once",
        ),
        ("anastrozole 1 mg daily + if E2 < 15 pg/mL then step down", "needs steps"),
        ("anastrozole 1 mg daily + at weeks 6 12 if E2 < 15 pg/mL then stop", 'at word 10 "if": expected ":"'),
    ],
)
def test_rules_beside_a_protocol_are_pointed_at_in_the_whole_text(text, answer):
    with pytest.raises(InputError, match=answer):
        split(text)


def test_several_rules_beside_a_protocol_are_one_set_in_their_order():
    text = "anastrozole 1 mg daily + if Hct > 54 % then stop + titrate anastrozole-upwards"
    protocol, rules = split(text)
    named = RuleSet.open("anastrozole-upwards")
    assert protocol == "anastrozole 1 mg daily"
    assert rules == replace(named, rules=(Rule.parse("if Hct > 54 % then stop"), *named.rules))


def test_what_rules_in_words_leave_out_is_assumed_and_said_so():
    _, rules = split("anastrozole 1 mg daily + if E2 < 15 pg/mL (LC-MS) then halve the dose")
    assert rules.visits.hours(24 * 100) == (42 * 24, 84 * 24)
    assert rules.turnaround.hours > 0
    assert {said.kind for said in rules.provenance} == {"assumed"} and len(rules.provenance) == 3


WORDS = st.sampled_from(
    """
    if E2 T/E2 < >= 15 54 pg/mL % ( LC-MS ) and or twice at 2 visits in a row then halve the dose stop step up down
    restart 1 mg daily reduce by ; : , titrate anastrozole steps lowest results after every weeks until +
    """.split()  # noqa: SIM905 - a list of 60 quoted words is harder to read
)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=18).map(" ".join)))
def test_any_text_is_either_read_for_good_or_refused_in_a_sentence(text):
    for read in (Rule.parse, RuleSet.parse):
        try:
            found = read(text)
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert read(found.text()) == found
    try:
        split(text)
    except InputError as error:
        assert "\n" not in str(error)


# Decisions ------------------------------------------------------------------------------------------------


@given(st.floats(1, 100), st.sampled_from(["pg/mL", "pmol/L", "ng/dL"]), st.floats(0, 200))
def test_a_limit_holds_in_whatever_unit_it_is_written(reading, unit, limit):
    assume(limit > 0 and units.to_canonical("estradiol", limit, unit) < 2000)
    rule = Rule(Comparison("estradiol", "<", limit, unit), Stop())
    below = reading < units.to_canonical("estradiol", limit, unit)
    found = decide(RuleSet((rule,), At((Time(0, "day"),)), Time(0, "day")), [{E2: reading}])
    assert (found is rule) == below


def test_an_assay_is_read_on_its_own_scale_only():
    rules = RuleSet.parse("if E2 < 15 pg/mL (LC-MS) then stop")
    assert rules.measured == (Measured("estradiol", "LC-MS/MS"),)
    assert decide(rules, [{E2: 1.0}]) is None
    assert decide(rules, [{E2: 99.0, Measured("estradiol", "LC-MS/MS"): 14.9}]) is rules.rules[0]


def test_a_ratio_is_that_of_the_printed_values():
    rules = RuleSet.parse("if T/E2 < 10 then double the dose")
    assert set(rules.measured) == {T, E2}
    assert decide(rules, [{T: 299.0, E2: 30.0}]) and not decide(rules, [{T: 301.0, E2: 30.0}])
    assert decide(rules, [{T: 299.0}]) is None and decide(rules, [{T: 299.0, E2: 0.0}]) is None


def test_the_first_rule_that_holds_acts():
    rules = RuleSet.parse("if E2 < 10 pg/mL then stop; if E2 < 20 pg/mL then halve the dose; if E2 > 5 pg/mL then 1 mg")
    chosen = [decide(rules, [{E2: value}]) for value in (8, 15, 20, float("nan"))]
    assert chosen == [rules.rules[0], rules.rules[1], rules.rules[2], None]
    men = {E2: np.array([8.0, 15.0, 20.0, np.nan, 8.0])}
    assert list(decide_many(rules, [men], np.array([False] * 4 + [True]))) == [0, 1, 2, -1, -1]


def test_visits_in_a_row_are_counted_backwards_from_the_present_one():
    rules = RuleSet.parse("if Hct > 54 % at 2 visits in a row then stop")
    rows = {(55,): False, (55, 55): True, (55, 53, 55): False, (53, 55, 55): True, (55, 55, 53): False}
    for row, holds in rows.items():
        assert (decide(rules, [{HCT: value} for value in row]) is not None) == holds


def test_after_a_stop_only_a_restart_acts_and_before_it_none_does():
    rules = RuleSet.parse("if Hct < 50 % then restart at half the dose; if T < 300 ng/dL then double the dose")
    now = [{HCT: 45.0, T: 250.0}]
    assert decide(rules, now) is rules.rules[1]
    assert decide(rules, now, stopped=True) is rules.rules[0]
    assert decide(rules, [{HCT: 52.0, T: 250.0}], stopped=True) is None


readings = st.one_of(st.floats(0, 300), st.just(float("nan")))


@settings(deadline=None, max_examples=60)
@given(rule_sets(), st.data(), st.integers(1, 4), st.integers(1, 3))
def test_many_men_are_decided_as_each_one_alone(rule_set, data, men, visits):
    def column():
        return np.array(data.draw(st.lists(readings, min_size=men, max_size=men)))

    history = [{one: column() for one in rule_set.measured if data.draw(st.booleans())} for _ in range(visits)]
    stopped = np.array(data.draw(st.lists(st.booleans(), min_size=men, max_size=men)))
    together = decide_many(rule_set, history, stopped)
    for man in range(men):
        own = [{one: values[man] for one, values in visit.items()} for visit in history]
        alone = decide(rule_set, own, bool(stopped[man]))
        assert (rule_set.rules[together[man]] if together[man] >= 0 else None) is alone


# What he takes ------------------------------------------------------------------------------------------------

BASES = (
    "anastrozole 1 mg daily",
    "anastrozole 1 mg twice daily for 10 weeks",
    "anastrozole 0.5 mg Mon Thu",
    "anastrozole 2 mg every 36 hours from day 3",
    "none for 2 weeks then anastrozole 1 mg 3 times weekly for 8 weeks missing every 4th dose",
    "testosterone gel 50 mg daily + anastrozole 1 mg twice weekly + calcium 500 mg daily",
)
DAYS = 120
HORIZON = 24.0 * DAYS


@st.composite
def treatments(draw) -> tuple[Treatment, RuleSet]:
    rules = set_of()
    treatment = Treatment.of(Protocol.parse(draw(st.sampled_from(BASES))), rules)
    hour = 0.0
    for action in draw(st.lists(actions, max_size=4)):
        hour += draw(st.one_of(st.integers(0, 24 * 40), st.floats(0, 24 * 40)))
        treatment = treatment.after(action, hour, rules)
    return treatment, rules


def own(treatment: Treatment, horizon: float = HORIZON, weekday: int = 0):
    return [event for event in treatment.doses(horizon, weekday) if event.drug == "anastrozole"]


@settings(deadline=None)
@given(treatments(), st.integers(0, 6))
def test_doses_are_in_order_never_two_at_once_and_within_the_regimen(drawn, weekday):
    treatment, _ = drawn
    taken = own(treatment, weekday=weekday)
    assert all(earlier.time < later.time - 1e-6 for earlier, later in pairwise(taken))
    assert all(0 <= event.time < HORIZON and 0.01 <= event.amount <= 60 for event in taken)
    ends = treatment.protocol.duration_days
    assert ends is None or all(event.time < 24 * ends for event in taken)


@settings(deadline=None)
@given(treatments(), actions, st.floats(1, 24 * 40), st.integers(0, 6))
def test_a_change_touches_nothing_before_it_and_no_other_drug(drawn, action, later, weekday):
    treatment, rules = drawn
    hour = (treatment.changes[-1].hour if treatment.changes else 0.0) + later
    changed = treatment.after(action, hour, rules)
    before, after = treatment.doses(HORIZON, weekday), changed.doses(HORIZON, weekday)
    assert [event for event in before if event.time < hour - 1e-6] == [
        event for event in after if event.time < hour - 1e-6
    ]
    others = [event for event in before if event.drug != "anastrozole"]
    assert [event for event in after if event.drug != "anastrozole"] == others
    due = [event.time for event in own(treatment, weekday=weekday) if event.time >= hour]
    started = [event.time for event in own(changed, weekday=weekday) if event.time >= hour]
    latest = treatment.changes[-1].hour if treatment.changes else -1.0
    settled = any(latest <= event.time < hour for event in own(treatment, weekday=weekday))
    if due and started and settled and not treatment.regimen.missed:
        assert started[0] >= due[0]  # no dose is brought forward


@settings(deadline=None)
@given(treatments(), moves, st.floats(0, 24 * 40), st.integers(0, 6))
def test_a_change_of_amount_keeps_the_times_of_the_doses(drawn, action, later, weekday):
    treatment, rules = drawn
    hour = (treatment.changes[-1].hour if treatment.changes else 0.0) + later
    changed = treatment.after(action, hour, rules)
    if changed.stopped:
        assert all(event.time < hour for event in own(changed, weekday=weekday))
        return
    assert [event.time for event in own(changed, weekday=weekday)] == [
        event.time for event in own(treatment, weekday=weekday)
    ]


@settings(deadline=None)
@given(treatments(), moves)
def test_what_raises_never_lowers_and_what_lowers_never_raises(drawn, action):
    treatment, rules = drawn
    hour = treatment.changes[-1].hour if treatment.changes else 0.0
    now, then = treatment.prescription, treatment.after(action, hour, rules).prescription
    raises = isinstance(action, StepUp) or getattr(action, "factor", 0) > 1 or getattr(action, "amount", 0) > 0
    assert then.daily >= now.daily if raises else then.daily <= now.daily


@settings(deadline=None)
@given(treatments(), st.floats(1, DAYS))
def test_a_shorter_run_has_the_same_beginning(drawn, days):
    treatment, _ = drawn
    assert treatment.doses(24 * days) == [event for event in treatment.doses(HORIZON) if event.time < 24 * days]


@settings(deadline=None)
@given(st.sampled_from(BASES), st.integers(0, 6))
def test_without_changes_he_takes_what_the_protocol_says(base, weekday):
    protocol = Protocol.parse(base)
    treatment = Treatment.of(protocol, set_of())
    assert treatment.doses(HORIZON, weekday) == protocol.events(DAYS, weekday)
    same = replace(treatment, changes=(Change(500.0, treatment.prescription),))
    assert same.doses(HORIZON, weekday) == protocol.events(DAYS, weekday)
    assert treatment.after(Keep(), 10.0, set_of()) is treatment


@settings(deadline=None)
@given(treatments())
def test_a_stop_and_a_restart_at_once_leave_the_doses_as_they_were(drawn):
    treatment, rules = drawn
    assume(not treatment.stopped)
    hour = (treatment.changes[-1].hour if treatment.changes else 0.0) + 100
    stopped = treatment.after(Stop(), hour, rules)
    if stopped is treatment:  # the course is over
        return
    assert stopped.stopped and stopped.words() == "stopped"
    again = stopped.after(Restart(), hour, rules)
    assert again.words() == treatment.words() and again.doses(HORIZON) == treatment.doses(HORIZON)


def test_men_with_the_same_history_are_one_and_others_are_not():
    rules, protocol = set_of(), Protocol.parse("anastrozole 1 mg daily")
    first = Treatment.of(protocol, rules).after(Multiply(0.5), 1008, rules)
    second = Treatment.of(Protocol.parse("anastrozole 1 mg daily"), rules).after(SetDose(500, "ug"), 1008.0, rules)
    assert first == second and hash(first) == hash(second)
    assert first != Treatment.of(protocol, rules).after(Multiply(0.5), 1009, rules)
    assert first.words() == "0.5 mg daily"
    assert first.after(StepUp(), 2000, rules).words() == "1 mg daily"
    assert first.after(Multiply(2), 1008, rules) == Treatment.of(protocol, rules)
    assert first.after(Multiply(0.5), 1008, rules) == Treatment.of(protocol, rules).after(Multiply(0.25), 1008, rules)


def test_a_change_waits_for_the_dose_that_is_due_next():
    rules = set_of()
    weekly = Treatment.of(Protocol.parse("anastrozole 1 mg weekly"), rules)
    changed = weekly.after(SetDose(0.5, "mg", PerWeek(2)), 24 * 10, rules)
    assert [(event.time / 24, event.amount) for event in own(changed, 24 * 22)] == [
        (0, 1), (7, 1), (14, 0.5), (17.5, 0.5), (21, 0.5),
    ]  # fmt: skip
    days = changed.after(SetDose(2, "mg", Weekdays(("Mon", "Fri"))), 24 * 16, rules)
    assert [event.time / 24 for event in own(days, 24 * 30)] == [0, 7, 14, 18, 21, 25, 28]  # day 0 is a Monday


def test_steps_are_taken_one_at_a_time_and_end():
    rules = set_of()
    treatment = Treatment.of(Protocol.parse("anastrozole 0.7 mg daily"), rules)
    up = [treatment]
    for hour in (100, 200, 300):
        up.append(up[-1].after(StepUp(), hour, rules))
    assert [one.words() for one in up] == ["0.7 mg daily", "1 mg daily", "1 mg daily", "1 mg daily"]
    assert up[2] is up[1]
    down = treatment
    said = []
    for hour in (100, 200, 300, 400):
        down = down.after(StepDown(or_stop=True), hour, rules)
        said.append(down.words())
    assert said == ["0.5 mg daily", "0.25 mg daily", "stopped", "stopped"]


def test_doses_keep_within_the_lowest_and_the_highest():
    rules = RuleSet.parse("titrate anastrozole lowest 0.3 mg, highest 1.5 mg: if E2 < 1 pg/mL then stop")
    one = Treatment.of(Protocol.parse("anastrozole 1 mg daily"), rules)
    assert one.after(Multiply(0.1), 0, rules).words() == "0.3 mg daily"
    assert one.after(Add(7, "mg"), 0, rules).words() == "1.5 mg daily"
    assert one.after(Add(-7, "mg"), 0, rules).words() == "0.3 mg daily"
    much = Treatment.of(Protocol.parse("anastrozole 4 mg daily"), rules)
    assert much.after(Multiply(2), 0, rules) is much


def test_a_drug_without_pause_changes_its_rate_at_the_hour():
    rules = set_of(drug="estradiol patch", steps=())
    patch = Treatment.of(Protocol.parse("estradiol patch 100 ug/day for 10 days + anastrozole 1 mg daily"), rules)
    changed = patch.after(Multiply(0.5), 50, rules).after(Stop(), 100, rules).after(Restart(), 150, rules)
    assert [event[2:] for event in changed.doses(1000) if event.drug == "estradiol patch"] == [
        (0.0, 100.0, 50.0), (50.0, 50.0, 50.0), (150.0, 50.0, 90.0),
    ]  # fmt: skip
    assert changed.words() == "50 ug/day"


@pytest.mark.parametrize(
    ("protocol", "said", "answer"),
    [
        ("letrozole 2.5 mg daily", "titrate anastrozole: if E2 < 9 pg/mL then stop", "rules titrate anastrozole"),
        ("none for 4 weeks", "if E2 < 9 pg/mL then stop", "drugs: none"),
        ("hCG 1500 IU weekly + anastrozole 1 mg daily", "if E2 < 9 pg/mL then stop", "say which"),
        ("anastrozole 1 mg daily for 4 weeks then 2 mg daily", "if E2 < 9 pg/mL then stop", "one regimen"),
        ("anastrozole 1 mg once", "if E2 < 9 pg/mL then stop", "single dose"),
        ("anastrozole 1 mg daily", "if E2 < 9 pg/mL then 500 IU", 'dosed in mg or ug, not in "IU"'),
        ("anastrozole 1 mg daily", "if E2 < 9 pg/mL then 100 mg", "outside the accepted range"),
        ("anastrozole 1 mg daily", "steps 1 mg, 0.5 mg: if E2 < 9 pg/mL then step up", "must increase"),
        ("anastrozole 1 mg daily", "lowest 2 mg, highest 1 mg: if E2 < 9 pg/mL then stop", "above the highest"),
        ("estradiol patch 50 ug/day", "if E2 < 9 pg/mL then 50 ug weekly", "without pause"),
    ],
)
def test_rules_that_do_not_suit_a_protocol_are_refused_at_the_start(protocol, said, answer):
    with pytest.raises(InputError, match=answer):
        Treatment.of(Protocol.parse(protocol), RuleSet.parse(said))


def test_changes_come_in_order_of_time():
    rules = set_of()
    changed = Treatment.of(Protocol.parse("anastrozole 1 mg daily"), rules).after(Stop(), 100, rules)
    with pytest.raises(InputError, match="before the latest"):
        changed.after(Restart(), 99, rules)
