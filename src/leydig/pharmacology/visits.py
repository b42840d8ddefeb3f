"""When something is looked at: visits, blood draws, the printed days of a run.

Visits are a small algebra of immutable objects. Each has one canonical text, and ``Visits.parse(v.text()) == v``;
``visits_text`` states the words.

    Every(Span(6, "week"), Time(6, "week"))     every 6 weeks from week 6
    At((Time(2, "week"), Time(6, "week")))      at weeks 2, 6
    a | b                                       a or b: all times of either
    a & b                                       a and b: times of both at once
    a.until(Span(1, "year"))                    a until 1 year, that time included

Time counts in hours from the beginning of day 0, and times are exact fractions of an hour until the last step: the
84th day and the 12th week are one time. Weeks, months and years are those of ``schedule``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction

from leydig.errors import InputError
from leydig.pharmacology.schedule import HOURS, LONGEST_YEARS, NUMBER_LIMITS, Span, write_number

UNITS = {"minute": Fraction(1, 60), **HOURS}  # h

# A bound on what one text may ask of the computer.
MOST_VISITS = 200_000


@dataclass(frozen=True, slots=True)
class Time:
    """A time after the beginning of day 0, or a length of time: as ``Span``, but it may be 0 or in minutes."""

    count: float
    unit: str  # minute, hour, day, week, month or year

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise InputError(f'unknown unit of time "{self.unit}"; allowed: {", ".join(UNITS)}')
        low, high = NUMBER_LIMITS
        if not (self.count == 0 or low <= self.count <= high):
            allowed = f"0 or from {write_number(low)} to {write_number(high)}"
            raise InputError(f"a number of {self.unit}s is {self.count:g}; it must be {allowed}")
        object.__setattr__(self, "count", float(self.count))
        if self.hours > LONGEST_YEARS * HOURS["year"]:
            raise InputError(f"{self.text()} is longer than {LONGEST_YEARS} years")

    @classmethod
    def of(cls, time: Time | Span) -> Time:
        """The same as a ``Time``."""
        return time if isinstance(time, cls) else cls(time.count, time.unit)

    @property
    def hours(self) -> Fraction:
        return Fraction(repr(self.count)) * UNITS[self.unit]

    def text(self) -> str:
        """12 weeks."""
        return f"{write_number(self.count)} {self.unit}{'' if self.count == 1 else 's'}"

    def after_day_0(self) -> str:
        """week 12."""
        return f"{self.unit} {write_number(self.count)}"


class Visits(ABC):
    """Times to look at something; ``Every``, ``At``, ``Either``, ``Both`` or ``Until``."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Visits:
        """The visits that a text such as "at weeks 2, 6 or every 3 months until 1 year" names.

        Raises InputError, pointing at the word, for text outside the grammar.
        """
        from leydig.pharmacology import visits_text

        return visits_text.parse(text)

    @abstractmethod
    def text(self) -> str:
        """Canonical text, which ``parse`` reads back as the same object."""

    def hours(self, horizon_hours: float) -> tuple[float, ...]:
        """The times from 0 up to and including the horizon (h), increasing and distinct.

        Raises InputError where two kinds of visits that must fall together never do up to the horizon.
        """
        longest = float(LONGEST_YEARS * HOURS["year"])
        if not 0 <= horizon_hours <= longest:
            raise InputError(f"the horizon is {horizon_hours:g} h; it must be from 0 to {LONGEST_YEARS} years")
        # From the shortest decimal text, so that a horizon of whole days stays exact.
        return tuple(dict.fromkeys(float(time) for time in self.times(Fraction(repr(float(horizon_hours))))))

    @abstractmethod
    def times(self, horizon: Fraction) -> list[Fraction]:
        """``hours`` as exact fractions."""

    def until(self, last: Time | Span) -> Visits:
        """The same up to and including ``last``."""
        return Until(self, Time.of(last))

    def __or__(self, other: Visits) -> Visits:
        return Either(self, other) if isinstance(other, Visits) else NotImplemented

    def __and__(self, other: Visits) -> Visits:
        return Both(self, other) if isinstance(other, Visits) else NotImplemented

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class Every(Visits):
    """At a start (day 0 where none is named) and then at a fixed interval."""

    interval: Time
    start: Time | None = None  # None for day 0

    def __init__(self, interval: Time | Span, start: Time | Span | None = None) -> None:
        every, begin = Time.of(interval), None if start is None else Time.of(start)
        if every.count == 0:
            raise InputError(f'the interval "{every.text()}" must be above 0')
        object.__setattr__(self, "interval", every)
        object.__setattr__(self, "start", begin if begin and begin.count else None)

    def text(self) -> str:
        interval = self.interval.unit if self.interval.count == 1 else self.interval.text()
        return f"every {interval}{f' from {self.start.after_day_0()}' if self.start else ''}"

    def times(self, horizon: Fraction) -> list[Fraction]:
        start = self.start.hours if self.start else Fraction()
        number = math.floor((horizon - start) / self.interval.hours) + 1
        if number > MOST_VISITS:
            raise InputError(f'"{self.text()}" is more than {MOST_VISITS:,} visits; let it end, as in "until 1 day"')
        return [start + k * self.interval.hours for k in range(number)]


@dataclass(frozen=True, slots=True)
class At(Visits):
    """At these times; kept in order of time, each once."""

    at: tuple[Time, ...]

    def __init__(self, at: tuple[Time | Span, ...]) -> None:
        if not at:
            raise InputError('visits need at least one time, as in "at weeks 2, 6"')
        by_hours: dict[Fraction, Time] = {}
        for time in map(Time.of, at):
            by_hours.setdefault(time.hours, time)
        object.__setattr__(self, "at", tuple(by_hours[hours] for hours in sorted(by_hours)))

    def text(self) -> str:
        """Times of one unit in a row stand together: at weeks 2, 6, month 3."""
        rows: list[tuple[str, list[str]]] = []
        for time in self.at:
            if not rows or rows[-1][0] != time.unit:
                rows.append((time.unit, []))
            rows[-1][1].append(write_number(time.count))
        return "at " + ", ".join(f"{unit}{'s' if len(row) > 1 else ''} {', '.join(row)}" for unit, row in rows)

    def times(self, horizon: Fraction) -> list[Fraction]:
        return [time.hours for time in self.at if time.hours <= horizon]


@dataclass(frozen=True, slots=True)
class Either(Visits):
    """All times of one or the other."""

    one: Visits
    other: Visits

    def text(self) -> str:
        return f"{self.one.text()} or {_enclosed(self.other, Either)}"

    def times(self, horizon: Fraction) -> list[Fraction]:
        return sorted({*self.one.times(horizon), *self.other.times(horizon)})


@dataclass(frozen=True, slots=True)
class Both(Visits):
    """Times that are of one and the other."""

    one: Visits
    other: Visits

    def text(self) -> str:
        return f"{_enclosed(self.one, Either)} and {_enclosed(self.other, Either, Both)}"

    def times(self, horizon: Fraction) -> list[Fraction]:
        one, other = self.one.times(horizon), self.other.times(horizon)
        common = sorted({*one} & {*other})
        if one and other and not common:
            days = write_number(round(float(horizon / HOURS["day"]), 3))
            raise InputError(
                f'"{self.text()}" never holds within {days} days, as "and" asks for times that are of both; '
                f'for the times of either write "{Either(self.one, self.other).text()}"'
            )
        return common


@dataclass(frozen=True, slots=True)
class Until(Visits):
    """The same visits up to and including a time."""

    visits: Visits
    last: Time

    def text(self) -> str:
        return f"{_enclosed(self.visits, Either, Both)} until {self.last.text()}"

    def times(self, horizon: Fraction) -> list[Fraction]:
        return self.visits.times(min(horizon, self.last.hours))


def _enclosed(visits: Visits, *kinds: type[Visits]) -> str:
    """The text of a part, in parentheses where it is of a kind that would be read otherwise without them."""
    return f"({visits.text()})" if isinstance(visits, kinds) else visits.text()
