"""For every protocol: object to text to object is the identity, and doses and levers keep the rules of time."""

import re
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leydig.errors import InputError
from leydig.pharmacology import levers
from leydig.pharmacology.kinetics import evaluate
from leydig.pharmacology.product import Product
from leydig.pharmacology.protocol import (
    Continuous,
    Course,
    Every,
    MissedDoses,
    MissedEvery,
    Once,
    Pause,
    PerDay,
    PerWeek,
    Protocol,
    Regimen,
    Span,
    Weekdays,
    WeightChange,
)
from leydig.pharmacology.schedule import HOURS, WEEKDAYS

pytestmark = [
    pytest.mark.filterwarnings("ignore:a weight change of:leydig.errors.ModelWarning"),
    pytest.mark.filterwarnings("ignore:.* is more than the tolerable:leydig.errors.ModelWarning"),
]

WIDE = (1e-6, 1e6)
PRODUCTS = [
    Product("anastrozole", None, "mg", {"mg": 1.0, "ug": 0.001}, WIDE, WIDE),
    Product("testosterone", "cypionate", "mg", {"mg": 1.0}, WIDE, WIDE),
    Product("estradiol patch", None, "ug/day", {"ug": 1.0}, WIDE, WIDE),
    Product("hCG", None, "IU", {"IU": 1.0}, WIDE, WIDE),
]
CATALOGUE = {product.name: product for product in PRODUCTS}

amounts = st.floats(*WIDE)
counts = st.one_of(st.integers(1, 99), st.floats(0.01, 99))
spans = st.builds(Span, counts, st.sampled_from([*HOURS])).filter(lambda span: 2 <= span.hours <= HOURS["year"])
schedules = st.one_of(
    st.builds(Every, spans),
    st.builds(PerDay, st.integers(1, 24)),
    st.builds(PerWeek, st.integers(1, 7)),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(lambda days: Weekdays(tuple(days))),
    st.just(Once()),
)
missed = st.one_of(
    st.none(),
    st.sets(st.integers(1, 200), min_size=1, max_size=4).map(lambda numbers: MissedDoses(tuple(numbers))),
    st.builds(MissedEvery, st.integers(2, 200)),
)


@st.composite
def regimens(draw, open_end: bool) -> Regimen:
    product = draw(st.sampled_from(PRODUCTS))
    schedule = Continuous() if product.continuous else draw(schedules)
    length = draw(st.one_of(st.none(), spans) if open_end else spans)
    missing = None if isinstance(schedule, Continuous | Once) else draw(missed)
    if missing and length and missing.highest > schedule.most(length.hours):
        missing = None
    delay = draw(st.one_of(st.none(), spans))
    return Regimen(product.drug, draw(amounts), product.unit, schedule, product.form, length, delay, missing)


@st.composite
def intakes(draw, open_end: bool) -> Regimen:
    """A supplement, whose amount a day is within its range."""
    name, unit, most = draw(st.sampled_from([("calcium", "mg", 5000), ("vitamin D", "IU", 20000)]))
    schedule = draw(st.one_of(st.builds(PerDay, st.integers(1, 24)), st.builds(PerWeek, st.integers(1, 7))))
    amount = draw(st.floats(7, most / 24))
    length = draw(st.one_of(st.none(), spans) if open_end else spans)
    return Regimen(name, amount, unit, schedule, None, length, draw(st.one_of(st.none(), spans)))


# So small that all changes of two protocols stay within the accepted sum.
weights = st.builds(
    WeightChange, st.one_of(st.floats(-2, -1e-6), st.floats(1e-6, 2)), spans, st.one_of(st.none(), spans)
)


@st.composite
def courses(draw) -> Course:
    closed = st.one_of(regimens(open_end=False), intakes(open_end=False), st.builds(Pause, spans), weights)
    last = st.one_of(regimens(open_end=True), intakes(open_end=True), st.builds(Pause, st.one_of(st.none(), spans)))
    last = st.one_of(last, weights)
    return Course((*draw(st.lists(closed, max_size=3)), draw(last)))


def side_by_side(several):
    """The protocol of some courses; None where they are too much of a supplement together."""
    try:
        return Protocol(tuple(several))
    except InputError:
        return None


protocols = st.lists(courses(), min_size=1, max_size=3).map(side_by_side).filter(lambda protocol: protocol is not None)


@settings(deadline=None)
@given(protocols)
def test_object_to_text_to_object_is_the_identity(protocol):
    assert Protocol.parse(protocol.text(), CATALOGUE) == protocol


@settings(deadline=None)
@given(protocols, protocols)
def test_side_by_side_in_python_is_plus_in_text(one, other):
    text = f"{one.text()} + {other.text()}"
    try:
        together = one + other
    except InputError as error:  # together too much of a supplement, or of a change of weight
        with pytest.raises(InputError, match=re.escape(str(error))):
            Protocol.parse(text, CATALOGUE)
        return
    assert Protocol.parse(text, CATALOGUE) == together
    assert len(together.events(50)) == len(one.events(50)) + len(other.events(50))


@settings(deadline=None)
@given(protocols, st.floats(0, 60), st.integers(0, 6))
def test_events_are_ordered_and_lie_inside_their_protocol(protocol, horizon, start_weekday):
    events = protocol.events(horizon, start_weekday)
    assert all(earlier.time <= later.time for earlier, later in pairwise(events))
    end = horizon if protocol.duration_days is None else min(horizon, protocol.duration_days)
    assert all(0 <= event.time <= end * 24 and event.time + event.duration <= end * 24 + 1e-9 for event in events)


@settings(deadline=None)
@given(protocols, st.floats(1, 40), st.integers(0, 6))
def test_a_shorter_run_has_the_same_beginning(protocol, horizon, start_weekday):
    end = float(Fraction(repr(horizon)) * 24)  # 1.1 days are 26.4 h, as the protocol has it, and not a rounding more
    longer = [event for event in protocol.events(2 * horizon, start_weekday) if event.time < end]
    shorter = protocol.events(horizon, start_weekday)
    assert [event[:4] for event in longer] == [event[:4] for event in shorter]


WORDS = st.sampled_from(
    """
    weight calcium vitamin D over % -5 -10% exercise
    anastrozole hCG testosterone cypionate patch 1 0.5 2nd 3 mg IU mg/day daily once twice times weekly every other Mon
    Thu and on for from starting after missing dose doses then + , none stop a per day week 12 weeks years < if
    """.split()  # noqa: SIM905 - a list of 60 quoted words is harder to read
)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(WORDS, max_size=14).map(" ".join)))
def test_any_text_is_either_read_for_good_or_refused_in_a_sentence(text):
    try:
        protocol = Protocol.parse(text, CATALOGUE)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert Protocol.parse(protocol.text(), CATALOGUE) == protocol


@settings(deadline=None)
@given(protocols, st.integers(0, 40), WORDS)
def test_a_word_put_anywhere_is_either_read_for_good_or_refused(protocol, place, word):
    words = protocol.text().split()
    words.insert(place % (len(words) + 1), word)
    try:
        changed = Protocol.parse(" ".join(words), CATALOGUE)
    except InputError:
        return
    assert Protocol.parse(changed.text(), CATALOGUE) == changed


@settings(deadline=None)
@given(protocols, st.floats(0, 400))
def test_levers_are_ordered_and_their_inputs_keep_their_bounds(protocol, horizon):
    found = protocol.levers(horizon)
    assert all(earlier.time <= later.time for earlier, later in pairwise(found))
    assert all(0 <= event.time < horizon * 24 and event.duration > 0 for event in found)
    times = np.linspace(0, horizon * 24 + 1, 200)
    inputs = {name: evaluate(signal, times) for name, signal in levers.channels(found).items()}
    assert (np.abs(inputs["weight_change"]) <= 0.6 + 1e-9).all()
    assert (inputs["resorption_drive"] <= 0).all() and (inputs["resorption_drive"] > -0.5).all()
    ended = [event for event in found if event.lever == levers.WEIGHT and event.time + event.duration <= horizon * 24]
    if len(ended) == sum(event.lever == levers.WEIGHT for event in found):
        assert inputs["weight_change"][-1] == pytest.approx(sum(event.amount for event in ended), abs=1e-9)
