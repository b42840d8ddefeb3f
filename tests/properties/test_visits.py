"""Visits: object to text to object is the identity, and their times follow the algebra of sets."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leydig.errors import InputError
from leydig.pharmacology.schedule import Span
from leydig.pharmacology.visits import MOST_VISITS, UNITS, At, Both, Either, Every, Time, Until, Visits

numbers = st.one_of(st.integers(0, 60), st.floats(1e-3, 60))
times = st.builds(Time, numbers, st.sampled_from([*UNITS]))
intervals = times.filter(lambda time: time.hours >= 1)
leaves = st.one_of(
    st.builds(Every, intervals, st.one_of(st.none(), times)),
    st.lists(times, min_size=1, max_size=5).map(lambda several: At(tuple(several))),
)
visits = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(Either, parts, parts), st.builds(Both, parts, parts), st.builds(Until, parts, times)
    ),
    max_leaves=6,
)
horizons = st.one_of(st.integers(0, 2000), st.floats(0, 2000))


def hours_or_none(seen: Visits, horizon: float) -> tuple[float, ...] | None:
    """The times; None where "and" leaves none."""
    try:
        return seen.hours(horizon)
    except InputError as error:
        assert "never holds" in str(error) and " or " in str(error)
        return None


@settings(deadline=None)
@given(visits)
def test_object_to_text_to_object_is_the_identity(seen):
    assert Visits.parse(seen.text()) == seen
    assert Visits.parse(seen.text()).text() == seen.text()


@settings(deadline=None)
@given(visits, horizons)
def test_times_increase_and_lie_within_the_horizon(seen, horizon):
    hours = hours_or_none(seen, horizon) or ()
    assert all(earlier < later for earlier, later in pairwise(hours))
    assert all(0 <= hour <= horizon for hour in hours)


@settings(deadline=None)
@given(visits, visits, horizons)
def test_or_is_the_union_and_and_is_the_intersection(one, other, horizon):
    first, second = hours_or_none(one, horizon), hours_or_none(other, horizon)
    assume(first is not None and second is not None)
    assert set((one | other).hours(horizon)) == {*first} | {*second}
    both = hours_or_none(one & other, horizon)
    assert {*(both or ())} == {*first} & {*second}
    assert (both is None) == bool(first and second and not {*first} & {*second})


@settings(deadline=None)
@given(leaves, times, horizons)
def test_until_keeps_the_times_up_to_and_including_its_own(seen, last, horizon):
    assert seen.until(last).hours(horizon) == tuple(hour for hour in seen.hours(horizon) if hour <= float(last.hours))


@settings(deadline=None)
@given(leaves, horizons, horizons)
def test_a_shorter_run_has_the_same_beginning(seen, one, other):
    shorter, longer = sorted((one, other))
    assert seen.hours(shorter) == tuple(hour for hour in seen.hours(longer) if hour <= shorter)


@given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 5000))
def test_an_interval_has_as_many_visits_as_fit(interval, start, horizon):
    hours = Every(Time(interval, "hour"), Time(start, "hour")).hours(horizon)
    assert hours == tuple(range(start, horizon + 1, interval))


@given(st.integers(1, 50), st.integers(1, 50))
def test_two_intervals_meet_at_their_common_multiples(one, other):
    meeting = Every(Time(one, "day")) & Every(Time(other, "day"))
    step = Fraction(one * other, math.gcd(one, other))
    assert meeting.hours(24 * 2500) == tuple(float(24 * step * k) for k in range(int(2500 // step) + 1))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("every 6 weeks", (0, 42, 84, 126)),
        ("every 12 weeks from week 6", (42, 126)),
        ("at weeks 2, 6, 12", (14, 42, 84)),
        ("at weeks 2, 6 and 12", (14, 42, 84)),
        ("at 2 weeks", (14,)),
        ("AT DAYS 84,0", (0, 84)),
        ("at week 12, day 84", (84,)),
        ("at 3 days, 2 weeks", (3, 14)),
        ("at weeks 1, 2 or every 50 days until 1 year", (0, 7, 14, 50, 100)),
        ("(at week 1 or every 10 days) until day 20", (0, 7, 10, 20)),
        ("every 4 days and every 6 days and every week or at day 1", (0, 1, 84)),
        ("every 2 months", (0, 60.875, 121.75)),
        ("at minutes 0, 1440", (0, 1)),
        ("every twelve weeks from 6 weeks", (42, 126)),
    ],
)
def test_what_is_written_is_when_he_is_seen(text, days):
    assert tuple(hour / 24 for hour in Visits.parse(text).hours(130 * 24)) == days


def test_a_day_of_ten_minute_samples_has_both_ends():
    assert len(Visits.parse("every 10 minutes until 24 hours").hours(10_000)) == 145


def test_spans_are_taken_as_times():
    assert Every(Span(6, "week"), Span(2, "day")) == Every(Time(6, "week"), Time(2, "day"))
    assert At((Span(1, "week"),)).until(Span(2, "week")) == Until(At((Time(1, "week"),)), Time(2, "week"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("evry 6 weeks", 'at word 1 "evry": .*did you mean "every"'),
        ("every 6 weks", 'at word 3 "weks": .*did you mean "weeks"'),
        ("at weeks 2, 6 orr every 3 months", 'at word 5 "orr": .*did you mean "or"'),
        ("every 0 weeks", 'at word 2 "0": .*above 0'),
        ("at weeks", 'at the end, after "weeks": expected a number'),
        ("every week from", 'at the end, after "from": expected a time'),
        ("(every week", r'at the end, after "week": expected "\)"'),
        ("every week until 200 years", 'at word 4 "200": 200 years is longer than 100 years'),
        ("", "at the end: expected visits"),
        ("at week 1 or " * 60 + "at week 1", "more than 50 parts"),
        ("x" * 20_000, "characters"),
        (7, "must be text"),
    ],
)
def test_errors_point_at_the_word_and_name_what_may_stand_there(text, said):
    with pytest.raises(InputError, match=f"^visits.*{said}") as caught:
        Visits.parse(text)
    assert "\n" not in str(caught.value)


def test_visits_that_never_fall_together_suggest_or():
    with pytest.raises(InputError, match=r'write "at weeks 2, 6 or every 3 months from month 1"'):
        Visits.parse("at weeks 2, 6 and every 3 months from month 1").hours(9000)


def test_too_many_visits_are_refused_before_they_are_counted_out():
    with pytest.raises(InputError, match=f"more than {MOST_VISITS:,} visits"):
        Visits.parse("every minute").hours(800_000)
    with pytest.raises(InputError, match="horizon"):
        Visits.parse("every day").hours(float("nan"))


WORDS = st.sampled_from("every at or and until from ( ) , week weeks 2 6 12 0.5 day 3 months year minutes x +".split())  # noqa: SIM905


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join)))
def test_any_text_is_either_read_for_good_or_refused_in_a_sentence(text):
    try:
        seen = Visits.parse(text)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert Visits.parse(seen.text()) == seen
