"""When doses are taken: lengths of time, dosing schedules and missed doses.

Every object is immutable and has one canonical text. A schedule gives the times of its doses from a start
up to, not including, an end, as exact fractions of an hour: no dose is gained or lost by rounding.

A week has 7 days, a year 365.25 days, a month the twelfth part of a year (30.4375 days), for durations
and intervals alike: one dose monthly for 1 year is 12 doses. A depot for every 28 days is written so.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from leydig.errors import InputError

HOURS_PER_DAY = 24
HOURS = {
    "hour": Fraction(1),
    "day": Fraction(24),
    "week": Fraction(7 * 24),
    "month": Fraction(36525, 100) * 24 / 12,
    "year": Fraction(36525, 100) * 24,
}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

# Bounds on what one protocol may ask of the computer, not on medicine.
MOST_EVENTS = 200_000
NUMBER_LIMITS = (1e-6, 1e6)
LONGEST_YEARS = 100


def write_number(value: float) -> str:
    """The shortest decimal text that reads back as the same number, without an exponent."""
    text = format(Decimal(repr(float(value))), "f")
    return text.removesuffix(".0")


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def checked_number(value: float, what: str) -> float:
    low, high = NUMBER_LIMITS
    if not low <= value <= high:
        raise InputError(f"{what} is {value:g}; it must be from {write_number(low)} to {write_number(high)}")
    return float(value)


def checked_count(value: int, low: int, high: int, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{what} is {value!r}; it must be a whole number from {low} to {high}")


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as a person writes it: 12 weeks."""

    count: float
    unit: str  # hour, day, week, month or year

    def __post_init__(self) -> None:
        if self.unit not in HOURS:
            raise InputError(f'unknown unit of time "{self.unit}"; allowed: {", ".join(HOURS)}')
        object.__setattr__(self, "count", checked_number(self.count, f"a number of {self.unit}s"))
        if self.hours > LONGEST_YEARS * HOURS["year"]:
            raise InputError(f"{self.text()} is longer than {LONGEST_YEARS} years")

    @property
    def hours(self) -> Fraction:
        return Fraction(repr(self.count)) * HOURS[self.unit]

    def text(self) -> str:
        return f"{write_number(self.count)} {self.unit}{'' if self.count == 1 else 's'}"


def _evenly(start: Fraction, end: Fraction, interval: Fraction) -> Iterator[Fraction]:
    return (start + k * interval for k in range(math.ceil((end - start) / interval)))


@dataclass(frozen=True, slots=True)
class Every:
    """One dose at the start and then at a fixed interval."""

    interval: Span

    def text(self) -> str:
        return "monthly" if self.interval == Span(1, "month") else f"every {self.interval.text()}"

    def times(self, start: Fraction, end: Fraction, start_weekday: int) -> Iterator[Fraction]:
        return _evenly(start, end, self.interval.hours)

    def most(self, length: Fraction) -> int:
        return math.ceil(length / self.interval.hours)


@dataclass(frozen=True, slots=True)
class PerDay:
    """A number of doses a day, evenly spaced over the 24 hours."""

    count: int = 1

    def __post_init__(self) -> None:
        checked_count(self.count, 1, HOURS_PER_DAY, "the number of doses a day")

    def text(self) -> str:
        return {1: "daily", 2: "twice daily"}.get(self.count, f"{self.count} times daily")

    def times(self, start: Fraction, end: Fraction, start_weekday: int) -> Iterator[Fraction]:
        return _evenly(start, end, HOURS["day"] / self.count)

    def most(self, length: Fraction) -> int:
        return math.ceil(length * self.count / HOURS["day"])


@dataclass(frozen=True, slots=True)
class PerWeek:
    """A number of doses a week: twice is every 84 h, any other number falls on whole days.

    People take tablets on days, not every 56 h: three times weekly is days 0, 2 and 4 of each week of
    the step, which is Mon Wed Fri when the step starts on a Monday. In general dose j of n is taken on
    day floor(7 j / n), the most even choice of whole days.
    """

    count: int = 1

    def __post_init__(self) -> None:
        checked_count(self.count, 1, len(WEEKDAYS), "the number of doses a week")

    def text(self) -> str:
        return {1: "weekly", 2: "twice weekly"}.get(self.count, f"{self.count} times weekly")

    def times(self, start: Fraction, end: Fraction, start_weekday: int) -> Iterator[Fraction]:
        if self.count == 2:
            yield from _evenly(start, end, HOURS["week"] / 2)
            return
        for k in range(self.most(end - start)):
            week, dose = divmod(k, self.count)
            time = start + week * HOURS["week"] + (dose * len(WEEKDAYS) // self.count) * HOURS["day"]
            if time < end:
                yield time

    def most(self, length: Fraction) -> int:
        return math.ceil(length / HOURS["week"]) * self.count


@dataclass(frozen=True, slots=True)
class Weekdays:
    """A dose at the beginning of each of these days of the week."""

    days: tuple[str, ...]  # of WEEKDAYS, in their order

    def __post_init__(self) -> None:
        unknown = [day for day in self.days if day not in WEEKDAYS]
        if unknown or not self.days or len(set(self.days)) < len(self.days):
            raise InputError(f"days of the week are {self.days!r}; name each once, of {' '.join(WEEKDAYS)}")
        object.__setattr__(self, "days", tuple(sorted(self.days, key=WEEKDAYS.index)))

    def text(self) -> str:
        return " ".join(self.days)

    def times(self, start: Fraction, end: Fraction, start_weekday: int) -> Iterator[Fraction]:
        chosen = {WEEKDAYS.index(day) for day in self.days}
        days = range(math.ceil(start / HOURS["day"]), math.ceil(end / HOURS["day"]))
        return (day * HOURS["day"] for day in days if (start_weekday + day) % len(WEEKDAYS) in chosen)

    def most(self, length: Fraction) -> int:
        return math.ceil(length / HOURS["week"]) * len(self.days)


@dataclass(frozen=True, slots=True)
class Once:
    """A single dose, at the start."""

    def text(self) -> str:
        return "once"

    def times(self, start: Fraction, end: Fraction, start_weekday: int) -> Iterator[Fraction]:
        return iter([start] if start < end else [])

    def most(self, length: Fraction) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class Continuous:
    """Without pause, as an infusion or a patch; the amount is then a rate per day."""

    def text(self) -> str:
        return ""

    def times(self, start: Fraction, end: Fraction, start_weekday: int) -> Iterator[Fraction]:
        return iter([start] if start < end else [])

    def most(self, length: Fraction) -> int:
        return 1


Schedule = Every | PerDay | PerWeek | Weekdays | Once | Continuous


@dataclass(frozen=True, slots=True)
class MissedDoses:
    """Doses that are not taken, by their number in the step; the first dose is number 1."""

    numbers: tuple[int, ...]

    def __post_init__(self) -> None:
        for number in self.numbers:
            checked_count(number, 1, MOST_EVENTS, "the number of a missed dose")
        if not self.numbers or len(set(self.numbers)) < len(self.numbers):
            raise InputError(f"missed doses are {self.numbers!r}; name at least one, and each once")
        object.__setattr__(self, "numbers", tuple(sorted(self.numbers)))

    def text(self) -> str:
        return f"missing dose{'s' if len(self.numbers) > 1 else ''} {' '.join(map(str, self.numbers))}"

    @property
    def highest(self) -> int:
        """The highest dose number that must exist for this to make sense."""
        return self.numbers[-1]

    def holds(self, number: int) -> bool:
        place = bisect_left(self.numbers, number)
        return place < len(self.numbers) and self.numbers[place] == number


@dataclass(frozen=True, slots=True)
class MissedEvery:
    """Each n-th dose of the step is not taken: dose n, 2n, 3n and so on."""

    nth: int

    def __post_init__(self) -> None:
        checked_count(self.nth, 2, MOST_EVENTS, "the interval of missed doses")

    def text(self) -> str:
        return f"missing every {ordinal(self.nth)} dose"

    @property
    def highest(self) -> int:
        """The highest dose number that must exist for this to make sense."""
        return self.nth

    def holds(self, number: int) -> bool:
        return number % self.nth == 0


Missed = MissedDoses | MissedEvery
