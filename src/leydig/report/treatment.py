"""When the man of a run takes something: each moment lies at the start, on treatment, in a pause or after it."""

from __future__ import annotations

import math
import warnings
from functools import cache
from typing import NamedTuple

from leydig.engine.trajectory import Trajectory
from leydig.errors import InputError, ModelWarning

STOPPED = "stopped"  # in place of a dose that rules have stopped
WEIGHT = "weight"  # stands for a change of weight among the drugs


class Course(NamedTuple):
    """One drug, supplement or change of weight from its first day to its end, infinite where open; days from day 0."""

    drug: str
    begin: float
    end: float


def phase(run: Trajectory, day: float) -> str:
    """The state of treatment for a value of this day, which is the mean of the 24 hours before it."""
    taken = drugs_before(run)
    if day <= 0:
        return "at the start, on what he takes already" if taken else "at the start"
    planned = _courses(run.protocol)
    if planned is None:
        return "during the run"
    courses = [part for course in planned for part in _without_stops(course, run)]
    if any(course.begin < day <= course.end for course in courses):
        return "on treatment"
    over = any(course.end < day for course in courses)
    to_come = any(day <= course.begin for course in courses)
    if over:
        return "in a pause of treatment" if to_come else "after treatment"
    if taken:
        return "after stopping what he took"
    return "before the first dose" if to_come else "without treatment"


def drugs_before(run: Trajectory) -> tuple[str, ...]:
    """What he takes already on day 0, in words."""
    return tuple(str(text) for text in run.subject.get("drugs") or ())


def takes_before(run: Trajectory, drug: str) -> bool:
    """Whether he takes a drug, in whatever form, already on day 0."""
    return any(drug in text for text in drugs_before(run))


def first_day(run: Trajectory, drug: str) -> float | None:
    """The day from which the protocol gives a drug, in whatever form; None where it never does."""
    courses = _courses(run.protocol)
    if courses is None:  # not in the words of protocols: the text is all there is
        return 0.0 if drug in run.protocol else None
    return min((course.begin for course in courses if drug in course.drug), default=None)


def wants_children(run: Trajectory) -> bool:
    """Whether he says so, or names a partner with whom he tries; an assumed partner says nothing."""
    wish, partner = run.subject.get("wants_children"), run.subject.get("partner")
    return bool(partner and not partner.get("assumed")) if wish is None else bool(wish)


def _without_stops(course: Course, run: Trajectory) -> list[Course]:
    """The stretches of a course in which no rule has stopped its drug."""
    if course.drug != run.titration.get("drug"):
        return [course]
    found, begin = [], course.begin
    stopped = False
    for decision in run.decisions:
        stops = decision["dose_after"] == STOPPED
        if stops and not stopped:
            found.append(course._replace(begin=begin, end=min(decision["effect_day"], course.end)))
        elif stopped and not stops:
            begin = decision["effect_day"]
        stopped = stops
    return found if stopped else [*found, course._replace(begin=begin)]


@cache
def _courses(text: str) -> tuple[Course, ...] | None:
    """The steps of a protocol that give or change something; None for a text that is no protocol."""
    from leydig.pharmacology.protocol import Protocol
    from leydig.pharmacology.schedule import HOURS, Once
    from leydig.pharmacology.steps import Regimen, WeightChange
    from leydig.pharmacology.titration_text import split

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ModelWarning)  # said when the run was made
            protocol = Protocol.parse(split(text)[0])
    except InputError:
        return None
    found = []
    for course in protocol.courses:
        for step, start, end in course.placed():
            begin = float(start / HOURS["day"])
            if isinstance(step, WeightChange):  # a weight that has changed stays
                found.append(Course(WEIGHT, begin, math.inf))
            if not isinstance(step, Regimen):
                continue
            # A single dose is over with its day; how long the drug stays is shown by its level.
            single = begin + 1 if isinstance(step.schedule, Once) else math.inf
            found.append(Course(step.drug, begin, single if end is None else float(end / HOURS["day"])))
    return tuple(found)
