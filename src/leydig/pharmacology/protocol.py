"""Protocols as typed objects: who takes which drug, how much, when, for how long, and what follows.

A protocol is one or more courses side by side (``+`` in text and in Python). A course is a sequence of
steps (``then``); a step is a regimen of one drug or supplement, a change of weight, or a pause. Every
object is immutable and has one canonical text, and ``Protocol.parse(protocol.text()) == protocol`` for
every protocol of known drugs. ``protocol_text`` states the words and their grammar, ``steps`` the steps,
``schedule`` the schedules, ``levers`` what acts without being a drug.

Time counts in hours from the beginning of day 0. A step holds the doses from its start up to, not
including, its end: one dose a day for 12 weeks is 84 doses, and the next step begins where it ended.

    Protocol.of(
        Regimen("anastrozole", 1, "mg", PerDay(1), length=Span(12, "week")),
        Regimen("anastrozole", 0.5, "mg", PerWeek(2), length=Span(1, "year")),
    )
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from leydig.errors import InputError
from leydig.pharmacology import levers
from leydig.pharmacology.kinetics import Event
from leydig.pharmacology.levers import LeverEvent
from leydig.pharmacology.schedule import (
    HOURS,
    LONGEST_YEARS,
    MOST_EVENTS,
    WEEKDAYS,
    Continuous,
    Every,
    MissedDoses,
    MissedEvery,
    Once,
    PerDay,
    PerWeek,
    Span,
    Weekdays,
    checked_count,
)
from leydig.pharmacology.steps import PER_DAY, Pause, Regimen, Step, WeightChange, gap_in

if TYPE_CHECKING:
    from leydig.pharmacology.product import Catalogue

__all__ = [
    "PER_DAY",
    "Continuous",
    "Course",
    "Every",
    "LeverEvent",
    "MissedDoses",
    "MissedEvery",
    "Once",
    "Pause",
    "PerDay",
    "PerWeek",
    "Protocol",
    "Regimen",
    "Span",
    "Step",
    "Weekdays",
    "WeightChange",
    "gap_in",
]

# Bounds on what one protocol may ask of the computer, not on medicine.
LONGEST_TEXT = 10_000  # characters
MOST_STEPS = 100


class Placed(NamedTuple):
    """A step with its place in time, h; ``end`` None means open."""

    step: Step
    start: Fraction
    end: Fraction | None


@dataclass(frozen=True, slots=True)
class Course:
    """Steps one after another: one line of treatment."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise InputError("a course has no step; it needs at least one regimen or pause")
        for step, following in pairwise(self.steps):
            why = gap_in(step, following)
            if why:
                raise InputError(f'"{step.text()} then {following.text()}": {why}')
        if sum(_hours(step.delay) + _hours(step.length) for step in self.steps) > LONGEST_YEARS * HOURS["year"]:
            raise InputError(f"the steps of a course last longer than {LONGEST_YEARS} years together")

    def text(self) -> str:
        parts: list[str] = []
        carried = None
        for step in self.steps:
            parts.append(step.text(carried, first=not parts))
            carried = step.name if isinstance(step, Regimen) else carried
        return " then ".join(parts)

    @property
    def hours(self) -> Fraction | None:
        """Length of the course, None when its last step is open."""
        return list(self.placed())[-1].end

    def placed(self) -> Iterator[Placed]:
        start = Fraction()
        for step in self.steps:
            start += _hours(step.delay)
            yield Placed(step, start, start + step.length.hours if step.length else None)
            start += _hours(step.length)


@dataclass(frozen=True, slots=True)
class Protocol:
    """Everything a man is given or does: courses side by side, all counted from day 0."""

    courses: tuple[Course, ...]

    def __post_init__(self) -> None:
        steps = sum(len(course.steps) for course in self.courses)
        if not 1 <= steps <= MOST_STEPS:
            raise InputError(f"the protocol has {steps} steps; it must have from 1 to {MOST_STEPS}")
        if len(self.text()) > LONGEST_TEXT:
            raise InputError(f"the protocol in plain words is longer than {LONGEST_TEXT} characters")
        levers.check_weight(self.weight_changes())
        levers.check_supplements(self._supplements())

    @classmethod
    def of(cls, *steps: Step) -> Protocol:
        """A protocol of one course; combine courses with ``+``."""
        return cls((Course(steps),))

    @classmethod
    def parse(cls, text: str, catalogue: Catalogue | None = None) -> Protocol:
        """The protocol that ``text`` describes; ``catalogue`` (default: the bundled drugs) names the drugs.

        Raises InputError, pointing at the word, for text outside the grammar, an unknown drug or unit
        and a dose outside the accepted range; warns (ModelWarning) of an unusual dose or weight change.
        """
        from leydig.pharmacology import protocol_text

        return protocol_text.parse(text, catalogue)

    def check(self, catalogue: Catalogue | None = None) -> Protocol:
        """The same under the catalogue's names, after the checks of drug, unit and dose that ``parse`` makes."""
        from leydig.pharmacology.lever_text import supplements
        from leydig.pharmacology.product import checked_regimen, known_products

        known, extra = known_products(catalogue), supplements()
        courses = []
        for course in self.courses:
            steps = [
                checked_regimen(step, extra if step.name.lower() in extra else known)
                if isinstance(step, Regimen)
                else step
                for step in course.steps
            ]
            courses.append(Course(tuple(steps)))
        checked = Protocol(tuple(courses))
        checked.warn_of_levers()
        return checked

    def warn_of_levers(self) -> None:
        """ModelWarning for an unusual change of weight and for more of a supplement than is held tolerable."""
        levers.warn_of_unlikely(self.weight_changes())
        levers.warn_of_excess(self._supplements())

    def _supplements(self) -> list[LeverEvent]:
        """Supplements over the longest run."""
        return self.levers(float(LONGEST_YEARS * HOURS["year"] / HOURS["day"]))

    def __add__(self, other: Protocol) -> Protocol:
        if not isinstance(other, Protocol):
            return NotImplemented
        return Protocol(self.courses + other.courses)

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        return " + ".join(course.text() for course in self.courses)

    @property
    def regimens(self) -> tuple[Regimen, ...]:
        return tuple(step for course in self.courses for step in course.steps if isinstance(step, Regimen))

    @property
    def drugs(self) -> tuple[str, ...]:
        """Names of the drugs, without their forms, in order of appearance; supplements are levers, not drugs."""
        return tuple(dict.fromkeys(regimen.drug for regimen in self.regimens if not regimen.supplement))

    @property
    def duration_days(self) -> float | None:
        """Days until the last step of the longest course ends; None when one runs to the end of the run."""
        hours = [course.hours for course in self.courses]
        closed = [length for length in hours if length is not None]
        return float(max(closed) / HOURS["day"]) if len(closed) == len(hours) else None

    def events(self, horizon_days: float, start_weekday: int = 0) -> list[Event]:
        """Doses of drugs before ``horizon_days``, in order of time.

        ``start_weekday`` is the weekday of day 0: 0 Monday (the default) to 6 Sunday. A continuous input
        is one event with its rate and its duration, cut at the horizon.
        """
        checked_count(start_weekday, 0, len(WEEKDAYS) - 1, "the weekday of day 0")
        runs = [(step, start, end) for step, start, end in self._regimens_before(horizon_days) if not step.supplement]
        if sum(step.schedule.most(end - start) for step, start, end in runs) > MOST_EVENTS:
            raise InputError(f"the protocol has more than {MOST_EVENTS:,} doses in {horizon_days:g} days")
        events = [event for step, start, end in runs for event in _doses(step, start, end, start_weekday)]
        return sorted(events, key=lambda event: event.time)

    def levers(self, horizon_days: float) -> list[LeverEvent]:
        """Levers in use before ``horizon_days``, in order of time; ``levers.channels`` makes model inputs of them.

        A supplement is cut at the horizon. A change of weight is whole even where it goes on beyond it.
        """
        found = [
            LeverEvent(step.drug, float(start), float(end - start), levers.intake(step.amount, step.schedule))
            for step, start, end in self._regimens_before(horizon_days)
            if step.supplement
        ]
        found += [change for change in self.weight_changes() if change.time < horizon_days * float(HOURS["day"])]
        return sorted(found, key=lambda event: event.time)

    def _regimens_before(self, horizon_days: float) -> list[tuple[Regimen, Fraction, Fraction]]:
        """Every regimen that starts before the horizon, with its start and its end (h), cut at the horizon."""
        if not 0 <= horizon_days <= LONGEST_YEARS * HOURS["year"] / HOURS["day"]:
            raise InputError(f"the horizon is {horizon_days:g} days; it must be from 0 to {LONGEST_YEARS} years")
        horizon = Fraction(repr(float(horizon_days))) * HOURS["day"]
        return [
            (placed.step, placed.start, horizon if placed.end is None else min(placed.end, horizon))
            for course in self.courses
            for placed in course.placed()
            if isinstance(placed.step, Regimen) and placed.start < horizon
        ]

    def weight_changes(self) -> list[LeverEvent]:
        """Every change of weight, in order of the text."""
        return [
            LeverEvent(levers.WEIGHT, float(placed.start), float(placed.step.over.hours), placed.step.percent / 100)
            for course in self.courses
            for placed in course.placed()
            if isinstance(placed.step, WeightChange)
        ]


def _hours(span: Span | None) -> Fraction:
    return span.hours if span else Fraction()


def _doses(step: Regimen, start: Fraction, end: Fraction, start_weekday: int) -> Iterator[Event]:
    duration = float(end - start) if isinstance(step.schedule, Continuous) else 0.0
    for number, time in enumerate(step.schedule.times(start, end, start_weekday), start=1):
        if step.missed is None or not step.missed.holds(number):
            yield Event(step.drug, step.form, float(time), step.amount, duration)
