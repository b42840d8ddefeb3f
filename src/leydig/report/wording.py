"""Numbers, times and names as they stand in the report."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from leydig.files import DATA, read_yaml

MINUTES_PER_HOUR = 60
DAYS_PER_WEEK = 7
DAYS_PER_YEAR = 365.25
PERCENT = 100
DIGITS = 3  # significant digits of a quantity without its own number of decimals
MINUS, TIMES, NARROW = "\u2212", "\u00d7", "\u202f"

# Units as they are printed; every other unit is printed as it is written.
PRINTED_UNITS = {
    "1": "",
    "10^6": f"{TIMES}10\u2076",
    "10^6/mL": f"{TIMES}10\u2076/mL",
    "g/cm2": "g/cm\u00b2",
    "kg/m2": "kg/m\u00b2",
    "ug/L": "\u00b5g/L",
}


@cache
def settings() -> dict[str, Any]:
    """The file of the report: names, flags, marks, what is not modelled."""
    return read_yaml(DATA / "report.yaml")


def name(quantity: str) -> str:
    """The quantity in words."""
    known = settings()["quantities"].get(quantity)
    return known["name"] if known else quantity.replace("_", " ")


def capital(text: str) -> str:
    """The text with a capital first letter; the rest as it is."""
    return text[:1].upper() + text[1:]


def unit(text: str) -> str:
    """A unit as it is printed."""
    return PRINTED_UNITS.get(text, text)


def shown_unit(quantity: str, canonical_unit: str) -> str:
    """The unit in which ``number`` gives a quantity: percent for a share that is printed so, else the canonical one."""
    return "%" if factor(quantity) == PERCENT else canonical_unit


def factor(quantity: str) -> float:
    """What a value is multiplied by before it is printed: 100 for a share that is printed as percent."""
    known = settings()["quantities"].get(quantity) or {}
    return PERCENT if known.get("percent") else 1


def number(value: float | None, quantity: str = "") -> str:
    """A value in its canonical unit or as percent, rounded as its quantity is; a dash for what is not there."""
    if value is None or not math.isfinite(value):
        return "\u2013"
    known = settings()["quantities"].get(quantity)
    if known is None:
        return _significant(value)
    value *= factor(quantity)
    decimals = _fewer(known["decimals"], value)
    smallest = 10.0**-decimals
    if 0 < value < smallest / 2 and not known.get("signed"):
        return f"<{NARROW}{smallest:.{decimals}f}"
    return _signed(f"{value:.{decimals}f}")


def signed(quantity: str) -> bool:
    """Whether a quantity may be negative."""
    return bool((settings()["quantities"].get(quantity) or {}).get("signed"))


def digits(value: float, decimals: int) -> str:
    """A number with so many decimals and a real minus sign."""
    return _signed(f"{value:.{decimals}f}")


def _fewer(decimals: int, value: float) -> int:
    """Fewer decimals for large values: none from 100 on, one from 10 on."""
    return 0 if abs(value) >= 100 else min(decimals, 1) if abs(value) >= 10 else decimals


def _significant(value: float) -> str:
    if value == 0:
        return "0"
    decimals = max(0, DIGITS - 1 - math.floor(math.log10(abs(value))))
    return _signed(f"{value:.{decimals}f}")


def _signed(text: str) -> str:
    """With a real minus sign, and none before a zero."""
    if text.startswith("-"):
        return text[1:] if float(text) == 0 else MINUS + text[1:]
    return text


def with_unit(value: float | None, quantity: str, canonical_unit: str) -> str:
    """A value with its unit: 343 ng/dL."""
    return join(number(value, quantity), shown_unit(quantity, canonical_unit))


def join(text: str, canonical_unit: str) -> str:
    """A printed number and its unit; percent stand close to the number."""
    printed = unit(canonical_unit)
    if not printed:
        return text
    return f"{text}{NARROW}{printed}" if printed == "%" else f"{text} {printed}"


def percent(value: float) -> str:
    """A change in percent with its sign and one decimal: −1.4 %."""
    text = _signed(f"{value:.1f}")
    plus = "+" if not text.startswith(MINUS) and float(text) > 0 else ""
    return f"{plus}{text}{NARROW}%"


def span(days: float) -> str:
    """A length of time: 12 weeks, 2 years, 10 days."""
    for length, word in ((DAYS_PER_YEAR, "year"), (DAYS_PER_WEEK, "week"), (1, "day")):
        count = days / length
        if round(count) >= 1 and abs(days - round(count) * length) <= length / DAYS_PER_YEAR:
            return f"{round(count)} {word}{'' if round(count) == 1 else 's'}"
    return f"{_significant(days)} days"


def moment(days: float) -> str:
    """A moment of the run as a name: start, week 12, day 3."""
    if days <= 0:
        return "start"
    weeks = days / DAYS_PER_WEEK
    return f"week {round(weeks)}" if weeks >= 2 else f"day {days:.0f}"


def when(days: float) -> str:
    """A moment of the run in a sentence: at the start, in week 12, on day 3."""
    name_of_it = moment(days)
    return f"at the {name_of_it}" if days <= 0 else f"{'in' if name_of_it.startswith('week') else 'on'} {name_of_it}"


def clock(hour: float) -> str:
    """A decimal hour as it stands on a clock: 8.5 is 08:30."""
    minutes = round(hour * MINUTES_PER_HOUR)
    return f"{minutes // MINUTES_PER_HOUR:02d}:{minutes % MINUTES_PER_HOUR:02d}"


def listed(items: list[str]) -> str:
    """Words in a row: a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
