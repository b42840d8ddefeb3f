"""The words of a trial's design: shares, days, visits, names of rules and of what can be measured."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator

from leydig.errors import InputError, unknown
from leydig.pharmacology.schedule import HOURS_PER_DAY
from leydig.pharmacology.titration import RuleSet, rule_sets
from leydig.pharmacology.visits import Visits
from leydig.studies.titrate import rules_of

PERCENT = 100
LONGEST_DAYS = 20 * 365.25  # of a trial
MOST_LISTED = 1000
EXAMPLE_OF_RULES = "titrate anastrozole at weeks 6, 12: if E2 < 15 pg/mL (LC-MS) then halve the dose"


def _share(value: Any) -> float:
    """A share from 0 to 1, or in percent with its sign."""
    text = str(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    found = re.fullmatch(r"\s*([0-9]{1,3}(?:\.[0-9]{0,9})?)\s*(%?)\s*", text)
    share = None if found is None else float(found[1]) / (PERCENT if found[2] else 1)
    if share is None or not 0 <= share <= 1:
        raise InputError(f'"{str(value)[:40]}" must be a share from 0 to 1, or a percentage such as 90 %')
    return share


def _day(value: Any) -> float:
    """A number of days, or one time such as "week 52" or "4 weeks"."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _possible(float(value), value)
    days = _at(f"at {value}") if isinstance(value, str) else ()
    if len(days) != 1:
        raise InputError(f'"{str(value)[:40]}" must be one day, as a number or as text such as "week 52" or "1 year"')
    return days[0]


def _days(value: Any) -> tuple[float, ...]:
    """Days in a list, or visits in words that come to an end."""
    if isinstance(value, str):
        days = _at(value)
    elif isinstance(value, list | tuple) and value and len(value) <= MOST_LISTED:
        days = tuple(_day(one) for one in value)
    else:
        raise InputError('the visits must be text such as "every 13 weeks until week 52", or a list of days')
    if not any(day > 0 for day in days):
        raise InputError("the visits need at least one after day 0")
    return tuple(sorted(set(days)))


def _at(text: str) -> tuple[float, ...]:
    """The days of visits in words; InputError where they have no end."""
    visits, longest = Visits.parse(text), HOURS_PER_DAY * LONGEST_DAYS
    hours = visits.hours(longest)
    if len(visits.hours(2 * longest)) > len(hours):
        raise InputError(
            f'"{text}" has no end within {LONGEST_DAYS / 365.25:g} years; write one, as in "{text} until week 52"'
        )
    return tuple(hour / HOURS_PER_DAY for hour in hours)


def _possible(day: float, shown: Any) -> float:
    if not 0 <= day <= LONGEST_DAYS:
        raise InputError(f"the day {shown} must be from 0 to {LONGEST_DAYS:,.0f}")
    return day


def _text(value: Any) -> Any:
    """Text on one line, without control characters and others that are not seen but change how it is shown."""
    if not isinstance(value, str):
        return value
    return "".join(letter for letter in " ".join(value.split()) if letter.isprintable())


def _count(value: Any) -> Any:
    """A whole number that is written as one."""
    if isinstance(value, bool | str):
        shown = f'the text "{_text(value)[:40]}"' if isinstance(value, str) else str(value).lower()
        raise InputError(f"a whole number is needed, not {shown}")
    return value


def number_not_bool(value: Any) -> Any:
    """A number, or a list of them, that is written as one: true is not 1."""
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, bool):
            raise InputError(f"a number is needed, not {str(one).lower()}")
    return value


Text = Annotated[str, BeforeValidator(_text)]
Number = Annotated[float, BeforeValidator(number_not_bool)]
Count = Annotated[int, BeforeValidator(_count)]
Share = Annotated[float, BeforeValidator(_share)]
Day = Annotated[float, BeforeValidator(_day)]
Days = Annotated[tuple[float, ...], BeforeValidator(_days)]


def rules_named(text: str) -> RuleSet:
    """Bundled rules by name, or rules in words; no file is opened."""
    if text in rule_sets():
        return RuleSet.open(text)
    if " then " not in f" {text.lower()} " and ": step " not in text.lower():
        said = unknown("rule set", text, rule_sets())
        raise InputError(f'{said}, or rules in words, such as "{EXAMPLE_OF_RULES}"; those of a file are written out')
    return rules_of(text)


@cache
def _measurable() -> tuple[str, ...]:
    from leydig import outputs
    from leydig.studies.population import IN_PERCENT
    from leydig.studies.population_plan import available

    return tuple(name for name in available() if name not in IN_PERCENT and name not in outputs.DRUGS)


@cache
def _readable() -> tuple[str, ...]:
    from leydig.studies.trial_readings import BODY, IN_STATE

    return (*BODY, *_measurable(), *IN_STATE)


def readable(name: str) -> str:
    """The name of a quantity that is known of men before they are given anything."""
    if name not in _readable():
        raise unknown("quantity", name, _readable())
    return name


def measurable(name: str) -> str:
    """The name of a quantity that can be looked at in a trial; a change is an analysis, no quantity of its own."""
    if name not in _measurable():
        raise unknown("quantity", name, _measurable())
    return name
