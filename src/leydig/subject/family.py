"""What a man writes of his wish for children: his partner, how long they have tried, whether he wants any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leydig import ranges
from leydig.errors import InputError
from leydig.subject.entries import needed, number, only

KEYS = ("age", "months_trying")
MONTHS_PER_YEAR = 12


def partner(given: Any, where: str) -> dict[str, float] | None:
    """Her age in years and how many months they have tried (0 where nothing is said)."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InputError(f"{where} must be a mapping such as {{age: 33, months_trying: 14}}")
    only(given, KEYS, where)
    age = _within(needed(given, "age", where), "age", "partner_age", " years", where)
    months = given.get("months_trying")
    tried = 0.0 if months is None else _within(months, "months_trying", "months_trying", "", where)
    youngest = ranges.limits("accepted")["partner_age"].low
    if tried > (age - youngest) * MONTHS_PER_YEAR:
        raise InputError(f"months_trying {months} in {where} began before her age of {youngest:g} years; check both")
    return {"age": age, "months_trying": tried}


def truth(given: Any, key: str, where: str) -> bool | None:
    """True, false or nothing."""
    if given is None or isinstance(given, bool):
        return given
    raise InputError(f'"{key}" in {where} must be true or false, not "{given}"')


def _within(given: Any, key: str, limit: str, unit: str, where: str) -> float:
    """A plain number within the accepted limits; true and false are none."""
    if isinstance(given, bool):
        raise InputError(f'"{key}" in {where} must be a number, not "{given}"')
    value, bounds = number(given, key, where), ranges.limits("accepted")[limit]
    if not bounds.low <= value <= bounds.high:
        raise InputError(
            f"{key} {given} in {where} is outside what this model covers; "
            f"accepted: {bounds.low:g} to {bounds.high:g}{unit}"
        )
    return value
