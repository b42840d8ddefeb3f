"""What a man takes already: doses and levers before day 0, long enough for him to be settled on them."""

import math
from collections.abc import Sequence
from fractions import Fraction

from leydig import start
from leydig.pharmacology.kinetics import Event
from leydig.pharmacology.levers import WEIGHT, LeverEvent
from leydig.pharmacology.protocol import Course, Every, Protocol, Regimen, Weekdays
from leydig.pharmacology.schedule import HOURS

DAY, WEEK = HOURS["day"], HOURS["week"]


def already_taken(texts: Sequence[str], weekday: int = 0) -> start.Given:
    """Everything of these protocols at negative hours; ``weekday`` is that of day 0.

    A course that has an end ends at day 0. Of an open one its last step has gone on for so long that what came before
    is forgotten: it runs in for at least ``start.RUN_IN_DAYS``, a whole number of its intervals (and of weeks where
    it names days), so that the next dose would fall on day 0.
    """
    doses: list[Event] = []
    levers: list[LeverEvent] = []
    for text in texts:
        for course in Protocol.parse(text).courses:
            before = _before(course, weekday)
            doses += before.doses
            levers += before.levers
    return start.Given(tuple(sorted(doses, key=lambda event: event.time)), tuple(levers))


def _before(course: Course, weekday: int) -> start.Given:
    length = course.hours
    if length is None:
        last = course.steps[-1]
        length = _run_in(last)
        course = Course((last,))
    if any(isinstance(step, Regimen) and isinstance(step.schedule, Weekdays) for step in course.steps):
        length = math.floor(length / DAY) * DAY  # a part of a day would shift the days of the week
    given = start.given(Protocol((course,)), float(length / DAY), (weekday - math.floor(length / DAY)) % 7)
    shift, earliest = float(length), -float(_run_in(course.steps[-1]))
    doses = [e._replace(time=e.time - shift) for e in given.doses]
    # his weight at day 0 is what it is: a change before it is in his values
    levers = [e._replace(time=e.time - shift) for e in given.levers if e.lever != WEIGHT]
    recent = [e for e in doses if e.time + e.duration >= earliest]
    return start.Given(tuple(recent), tuple(e for e in levers if e.time + e.duration >= earliest))


def _run_in(step: object) -> Fraction:
    """Hours of run-in: whole intervals of a schedule that has one, else whole weeks."""
    interval = WEEK
    if isinstance(step, Regimen) and isinstance(step.schedule, Every):
        interval = step.schedule.interval.hours
    least = Fraction(start.RUN_IN_DAYS) * DAY
    return math.ceil(least / interval) * interval
