"""The inputs of many men as one schedule, against the inputs of each man made alone."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from leydig import start
from leydig.engine import inputs
from leydig.engine.schedule import evaluate
from leydig.errors import InputError
from leydig.pharmacology import drugs, kinetics, levers
from leydig.pharmacology.impulse import Flow, responses
from leydig.pharmacology.kinetics import Event
from leydig.pharmacology.protocol import Protocol
from leydig.schedules import schedule_of
from leydig.start import CHANNELS, Given

FORMS = [(drug.name, form) for drug in drugs.catalogue().values() for form in drug.forms]
TIMES = np.sort(np.concatenate([np.linspace(0.0, 24 * 120, 97), np.linspace(24 * 120, 24 * 800, 12), [6.0, 48.0]]))
CLOSE = 1e-10  # relative
FLOOR = 1e-3  # of the largest value of the channel, below which a sum of terms of either sign has no relative precision


def drawn(names, men, seed=0, spread=0.3):
    """Factors on every parameter of the drugs (and of the levers), one per man; shares stay shares."""
    random, scale = np.random.default_rng(seed), {}
    of = {part: drugs.get(part).parameters for name in names for part in {name, *drugs.constituents(name)}}
    for system, parameters in {**of, levers.SYSTEM: levers.parameters()}.items():
        for name in sorted(parameters):
            share = parameters[name].unit == "1" and system != levers.SYSTEM
            factor = random.uniform(0.3, 1.0, men) if share else np.exp(random.normal(0, spread, men))
            scale[system, name] = factor
    return scale


def of_man(scale, man):
    return {key: float(factor[man]) for key, factor in scale.items()}


def alone(scale, man):
    return {key: factor[man : man + 1] for key, factor in scale.items()}


def expected(given, age, scale, man, times):
    """The inputs of one man as every other part of the program makes them."""
    table = start.input_table(float(age[man]), start.driven(given, of_man(scale, man)))
    return inputs.evaluate(table, times)


def assert_alike(found, wanted):
    assert found.shape == wanted.shape == (len(CHANNELS), wanted.shape[1])
    for name, ours, theirs in zip(CHANNELS, found, wanted, strict=True):
        floor = CLOSE * FLOOR * np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, rtol=CLOSE, atol=floor, err_msg=name)


def doses_of(drug, form, begin=0.0):
    """Doses of one drug at once and over a time, overlapping, some at the same time."""
    if drugs.get(drug).continuous:
        return [Event(drug, form, begin + at, 2.0 + at / 100, 240.0) for at in (0.0, 240.0, 300.0)]
    return [
        Event(drug, form, begin + at, 1.0 + at / 48, lasts)
        for at, lasts in itertools.product((0.0, 48.0, 700.0), (0.0, 6.0))
    ]


@pytest.mark.parametrize(("drug", "form"), FORMS, ids=[f"{drug} {form}" for drug, form in FORMS])
def test_every_drug_in_every_form_acts_as_it_does_in_one_man(drug, form):
    men = 5
    age, scale = np.linspace(20.0, 80.0, men), drawn([drug], men)
    given = Given(tuple(doses_of(drug, form)))
    schedule = schedule_of(given, age, scale)
    driven = expected(given, age, scale, 0, TIMES)
    assert max(abs(driven[CHANNELS.index(drugs.get(part).channel.name)]).max() for part in drugs.constituents(drug)) > 0
    for man in range(men):
        assert_alike(evaluate(schedule, man, TIMES), expected(given, age, scale, man, TIMES))


def test_every_drug_at_once():
    men = 3
    given = Given(tuple(event for drug, form in FORMS for event in doses_of(drug, form)))
    age, scale = np.full(men, 40.0), drawn([drug for drug, _ in FORMS], men)
    schedule = schedule_of(given, age, scale)
    for man in range(men):
        assert_alike(evaluate(schedule, man, TIMES), expected(given, age, scale, man, TIMES))


PROTOCOLS = [
    "anastrozole 0.5 mg twice weekly for 1 year + weight -10 % over 6 months then weight +5 % over 3 months",
    "testosterone cypionate 100 mg weekly for 6 months + hCG 500 IU three times weekly for 6 months"
    " + anastrozole 0.5 mg twice weekly + calcium 1000 mg daily for 1 year",
    "testosterone gel 50 mg daily for 8 weeks then testosterone enanthate 100 mg weekly for 8 weeks"
    " + calcium 600 mg daily for 3 months + calcium 400 mg daily for 6 months + vitamin D 1000 IU daily for 1 month",
    "clomiphene 25 mg daily for 3 months + enclomiphene 12.5 mg daily for 2 months + weight -5 % over 2 months",
    "hCG subcutaneous 1500 IU twice weekly for 6 weeks + hCG 1500 IU weekly for 2 months",
    "estradiol patch 50 ug/day for 3 months + goserelin 3.6 mg every 28 days + goserelin solution 1 mg weekly",
]


@pytest.mark.filterwarnings("ignore::leydig.errors.ModelWarning")
@pytest.mark.parametrize("text", PROTOCOLS)
def test_protocols_with_levers(text):
    protocol, men = Protocol.parse(text), 4
    given = start.given(protocol, 800.0)
    age, scale = np.linspace(25.0, 70.0, men), drawn(protocol.drugs, men, seed=1)
    schedule = schedule_of(given, age, scale)
    for man in range(men):
        assert_alike(evaluate(schedule, man, TIMES), expected(given, age, scale, man, TIMES))


@pytest.mark.filterwarnings("ignore::leydig.errors.ModelWarning")
@pytest.mark.parametrize("begin", [-24.0 * 200, -24.0 * 60, -30.0, 0.0, 48.0])
def test_what_was_given_before_the_run_begins(begin):
    """Whether the run begins before it, in the middle of it, or after it; a dose at the very start counts."""
    protocol, men = Protocol.parse(PROTOCOLS[1]), 3
    later = start.given(protocol, 200.0)
    shift = -24.0 * 150
    earlier = Given(
        tuple(event._replace(time=event.time + shift) for event in later.doses),
        tuple(event._replace(time=event.time + shift) for event in later.levers),
    )
    given = Given(earlier.doses + later.doses, earlier.levers)
    age, scale = np.full(men, 50.0), drawn(protocol.drugs, men, seed=2)
    schedule = schedule_of(given, age, scale, start=begin)
    assert (schedule.time >= begin).all()
    assert begin not in (0.0, 48.0) or (schedule.time[0, 0] == 0.0) == (begin == 0.0)
    times = np.linspace(begin, 24 * 300, 211)
    for man in range(men):
        # The table of one man says nothing of what is before its first event.
        known = times >= min(event.time for event in given.doses)
        found = evaluate(schedule, man, times)[:, known]
        assert_alike(found, expected(given, age, scale, man, times[known]))


@pytest.mark.parametrize("men", [1, 7, 1000])
def test_a_man_has_the_same_bytes_whoever_else_is_there(men):
    protocol = Protocol.parse(PROTOCOLS[1] + " + goserelin 3.6 mg every 28 days + letrozole 2.5 mg daily for 2 weeks")
    given = start.given(protocol, 60.0)
    age = np.random.default_rng(3).uniform(20.0, 80.0, 1000)
    scale = drawn(protocol.drugs, 1000, seed=3)
    times = np.append(24.0, TIMES[TIMES > 24.0])
    whole = schedule_of(given, age, scale, start=24.0)
    some = schedule_of(given, age[:men], {key: factor[:men] for key, factor in scale.items()}, start=24.0)
    for ours, theirs in zip(some, whole, strict=True):
        same = theirs if ours.shape == theirs.shape else theirs[:men]
        assert ours.flags.c_contiguous
        assert ours.tobytes() == np.ascontiguousarray(same).tobytes()
    for man in (0, 499, 999):
        lonely = schedule_of(given, age[man : man + 1], alone(scale, man), start=24.0)
        assert evaluate(lonely, 0, times).tobytes() == evaluate(whole, man, times).tobytes()


# How the absorption of a man follows from his elimination: not at all, equal, apart by next to nothing.
NEARNESS = st.lists(st.sampled_from([None, 0.0, 1e-14, 1e-10, 1e-8, 9.99e-7, 1.01e-6, 1e-4]), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@forall(NEARNESS, st.sampled_from(["testolactone", "testosterone enanthate", "hCG"]), st.integers(0, 9))
def test_nearly_equal_rates_in_some_men_or_in_all(nearness, drug, seed):
    men, random = len(nearness), np.random.default_rng(seed)
    numbers = drugs.values(drugs.get(drug))
    first, over, under = {
        "testolactone": ("absorption_rate", "clearance", "central_volume"),
        "testosterone enanthate": ("fast_release", "slow_release", None),
        "hCG": ("muscle_absorption", "clearance", "volume"),
    }[drug]
    second = numbers[over] / (numbers[under] if under else 1.0)
    unrelated = np.exp(random.normal(0, 0.5, men))
    factor = [
        other if near is None else second / numbers[first] * (1 + near)
        for near, other in zip(nearness, unrelated, strict=True)
    ]
    scale = {(drug, first): np.array(factor)}
    form = drugs.get(drug).default_form
    given, age = Given(tuple(doses_of(drug, form))), np.full(men, 30.0)
    schedule = schedule_of(given, age, scale)
    for man in range(men):
        found = evaluate(schedule, man, TIMES)
        wanted = expected(given, age, scale, man, TIMES)
        # Rates 1e-6 apart (relative) leave 1e-16 / 1e-6 of a dose, more of one that lasts, here as in one man.
        assert (np.abs(found - wanted) <= 1e-8 * np.abs(wanted).max(axis=1, keepdims=True)).all()
        lonely = schedule_of(given, age[:1], alone(scale, man))
        assert evaluate(lonely, 0, TIMES).tobytes() == found.tobytes()


def test_men_with_and_without_exchange_or_absorption_are_followed_together():
    """A flow that is 0 in one man leaves the others as they are."""
    given, age = Given(tuple(doses_of("anastrozole", "tablet"))), np.full(3, 30.0)
    none = np.array([1.0, 0.0, 1.0])
    for name in ("distribution_clearance", "absorption_rate", "clearance"):
        scale = {("anastrozole", name): none}
        schedule = schedule_of(given, age, scale)
        for man in range(3):
            assert_alike(evaluate(schedule, man, TIMES), expected(given, age, scale, man, TIMES))


def test_responses_of_many_men_are_those_of_each():
    random = np.random.default_rng(5)
    rates = np.exp(random.normal(-1, 1, (5, 20)))
    rates[1, ::3] = rates[0, ::3]  # in series: nearly equal in some
    place = ("depot", "gut", "central", "peripheral")

    def system(of):
        flows = [
            Flow("depot", "gut", of[0]),
            Flow("gut", "central", of[1]),
            Flow("central", None, of[2]),
            Flow("central", "peripheral", of[3]),
            Flow("peripheral", "central", of[4]),
        ]
        return kinetics.compartments(place, flows)

    elapsed = np.linspace(0, 30, 40)
    many = responses(system(rates), {"central": 2.0})
    for man in range(20):
        a, b, rate = many.impulse.a[man, 0], many.impulse.b[man, 0], many.rates[man]
        found = sum((a[i] + b[i] * elapsed) * np.exp(-rate[i] * elapsed) for i in range(len(rate)))
        one = kinetics.segments(system(rates[:, man]), [kinetics.Dose(0.0, 1.0, 0.0, "depot")], {"central": 2.0})
        np.testing.assert_allclose(found, kinetics.evaluate(one, elapsed), rtol=1e-10, atol=1e-13)


def test_a_man_left_alone_ages():
    schedule = schedule_of(Given(()), np.array([40.0, 60.0]), start=-8766.0)
    found = evaluate(schedule, 1, np.array([-8766.0, 0.0, 8766.0]))
    assert schedule.time.shape == (1, 0)
    assert found[CHANNELS.index("age")].tolist() == [59.0, 60.0, 61.0]
    assert found[CHANNELS.index("resorption_drive")].tolist() == [1.0] * 3
    assert not np.delete(found, [CHANNELS.index("age"), CHANNELS.index("resorption_drive")], axis=0).any()


def test_terms_and_rows_are_no_more_than_needed():
    """A tablet is one event and three terms beside age and resorption, however many tablets and men there are."""
    given = start.given(Protocol.parse("anastrozole 0.5 mg twice weekly for 2 years"), 730.0)
    schedule = schedule_of(given, np.full(9, 40.0), drawn(["anastrozole"], 9))
    assert schedule.rate.shape == (9, 5)
    assert schedule.jump.shape == (9, 1, 5)
    assert schedule.time.shape == (1, len(given.doses))
    mixture = schedule_of(Given((Event("clomiphene", None, 0.0, 25.0, 0.0),)), np.full(2, 40.0))
    assert mixture.time.shape == (1, 1)
    assert mixture.rate.shape == (2, 2 + 3 + 2)
    running = (
        Event("testosterone infusion", None, 0.0, 10.0, 24.0),
        Event("testosterone enanthate", None, 0.0, 9.0, 5.0),
    )
    assert schedule_of(Given(running), np.full(2, 40.0)).rate.shape == (2, 2 + 1 + 2)  # one flat term for both


def test_a_patch_that_ends_when_the_next_begins_is_at_one_time():
    patches = tuple(Event("estradiol patch", None, 0.1 * i, 50.0, 0.1) for i in range(30))
    schedule = schedule_of(Given(patches), np.array([40.0]))
    assert len(np.unique(schedule.time)) == 31
    assert (np.diff(schedule.time) >= 0).all()
    assert (np.sign(schedule.amount[0]) == [1.0, *[-1.0, 1.0] * 29, -1.0]).all()


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Event("anastrozole", None, 0.0, -1.0, 0.0), "negative or not finite"),
        (Event("anastrozole", None, np.nan, 1.0, 0.0), "negative or not finite"),
        (Event("anastrozole", None, 0.0, 1.0, -1.0), "negative or not finite"),
        (Event("estradiol patch", None, 0.0, 50.0, 0.0), "needs a time"),
        (Event("anastrozol", None, 0.0, 1.0, 0.0), 'did you mean "anastrozole"'),
        (Event("anastrozole", "gel", 0.0, 1.0, 0.0), "unknown form"),
    ],
)
def test_impossible_doses_are_refused(event, message):
    with pytest.raises(InputError, match=message):
        schedule_of(Given((event,)), np.array([40.0]))


def test_numbers_that_are_not_one_per_man_are_refused():
    given = Given(tuple(doses_of("anastrozole", "tablet")))
    with pytest.raises(InputError, match=r"one number per man, \(2,\)"):
        schedule_of(given, np.full(2, 40.0), {("anastrozole", "clearance"): np.ones(3)})
    with pytest.raises(InputError, match="one finite number per man"):
        schedule_of(given, np.array([40.0, np.nan]))
    with pytest.raises(ValueError, match="before the first time"):
        evaluate(schedule_of(given, np.full(1, 40.0)), 0, np.array([1.0, 2.0]))


def test_a_thousand_men_take_milliseconds():
    given = start.given(Protocol.parse("anastrozole 0.5 mg twice weekly for 2 years"), 730.0)
    age, scale = np.full(1000, 40.0), drawn(["anastrozole"], 1000)
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        schedule_of(given, age, scale)
        taken.append(time.perf_counter() - begun)
    assert min(taken) < 0.05  # about 0.003 s on an idle core, where man by man takes a second
