"""What a man takes already: the end of a course is at day 0, an open one goes on in step."""

from itertools import pairwise

import pytest

from leydig import start
from leydig.studies.before import already_taken

HOURS = start.HOURS_PER_DAY


def days(text, weekday=0):
    return [event.time / HOURS for event in already_taken([text], weekday).doses]


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("anastrozole 1 mg daily", 1.0),
        ("testosterone cypionate 100 mg weekly", 7.0),
        ("testosterone undecanoate 1000 mg every 10 weeks", 70.0),
        ("testosterone undecanoate 1000 mg every 12 weeks", 84.0),
        ("leuprolide three-month depot 22.5 mg every 12 weeks", 84.0),
        ("goserelin 3.6 mg monthly", 30.4375),
    ],
)
def test_the_next_dose_of_an_open_course_would_fall_on_day_zero(text, interval):
    found = days(text)
    assert found[-1] == pytest.approx(-interval)
    assert found[0] <= -start.RUN_IN_DAYS + 1e-9
    assert all(b - a == pytest.approx(interval) for a, b in pairwise(found))


@pytest.mark.parametrize("weekday", range(7))
def test_named_days_stay_those_days(weekday):
    for text in ("anastrozole 1 mg Mon Thu", "anastrozole 1 mg Mon Thu for 3 months"):
        found = days(text, weekday)
        assert found and all(time == int(time) and (weekday + int(time)) % 7 in (0, 3) for time in found)


def test_a_course_that_has_ended_ended_at_day_zero():
    found = days("anastrozole 1 mg daily for 2 years then none for 1 year")
    assert max(found) < -364 and min(found) >= -start.RUN_IN_DAYS - 1


def test_of_an_open_course_the_last_step_counts():
    taken = already_taken(["anastrozole 1 mg daily for 2 years then 0.5 mg daily"]).doses
    assert {event.amount for event in taken} == {0.5}


def test_a_change_of_weight_before_day_zero_is_in_his_values_and_calcium_goes_on():
    taken = already_taken(["weight -10 % over 6 months", "calcium 1200 mg daily"])
    assert [lever.lever for lever in taken.levers] == ["calcium"]
    lever = taken.levers[0]
    assert lever.time < 0 and lever.time + lever.duration == pytest.approx(0)
    assert not taken.doses
