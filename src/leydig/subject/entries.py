"""Keys, plain numbers and names of results in what a person writes; a refusal is one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leydig import units
from leydig.errors import InputError, unknown


def only(given: Mapping[str, Any], allowed: Sequence[str], where: str) -> None:
    """Every key is known."""
    for key in given:
        if key not in allowed:
            raise unknown("key", key, allowed, where)


def needed(entry: Mapping[str, Any], key: str, where: str) -> Any:
    """The value of a key that must be there."""
    if entry.get(key) is None:
        raise InputError(f'"{key}" is missing in {where}')
    return entry[key]


def number(given: Any, key: str, where: str) -> float:
    """A finite plain number."""
    try:
        return units.split(given, "testosterone_estradiol_ratio")[0]
    except InputError:
        raise InputError(f'"{key}" in {where} must be a number, not "{given}"') from None


# Results that belong to an organ that a man may lack; everything else every man has.
OF_AN_ORGAN = (
    *("PSA", "erectile_function_score", "sperm_concentration", "semen_volume", "total_motility", "normal_morphology"),
    *("total_sperm_count", "total_motile_sperm_count"),
    *("conception_probability", "cumulative_conception_probability"),
)


def outputs(given: Any, key: str, where: str) -> tuple[str, ...]:
    """The names of results that a man cannot have, each once."""
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
        raise InputError(f'"{key}" in {where} must be a list of results such as [PSA, erectile_function_score]')
    for name in given:
        if name not in OF_AN_ORGAN:
            raise unknown("result", name, OF_AN_ORGAN, f"{key} of {where}")
    return tuple(dict.fromkeys(given))
