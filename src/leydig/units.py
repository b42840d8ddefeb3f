"""One canonical unit per quantity, and conversion at the edges.

Inside leydig a number has no unit attached: each quantity has one canonical unit (the table of the trajectory
format), and text such as ``343 ng/dL`` is turned into it on the way in and out of it on the way out. Each
quantity accepts an explicit list of spellings; anything else is refused. International units belong to one
analyte each and never turn into a mass or into each other.

The equations run on molar concentrations: nmol/L for testosterone and dihydrotestosterone, pmol/L for estradiol
and estrone (``to_molar``, ``from_molar``).
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

from leydig.errors import InputError, unknown
from leydig.quantities import ATOMS, CANONICAL, MOLAR_MASS, QUANTITIES, SPELLINGS, Quantity

# The unit in which the equations hold a steroid, by quantity.
MOLAR: dict[str, str] = {
    name: "pmol/L" if quantity.molar_mass in (MOLAR_MASS["estradiol"], MOLAR_MASS["estrone"]) else "nmol/L"
    for name, quantity in QUANTITIES.items()
    if quantity.molar_mass in {MOLAR_MASS[s] for s in ("testosterone", "dihydrotestosterone", "estradiol", "estrone")}
}

_GRAMS_PER_LITRE = {"ng/dL": 1e-8, "pg/mL": 1e-9}
_MOLES_PER_LITRE = {"nmol/L": 1e-9, "pmol/L": 1e-12}

# Typographic variants of a unit's letters: micro signs, superscripts, the multiplication sign.
_TYPOGRAPHY = {
    ord(letter): plain for letter, plain in zip("µμ²³⁶⁹×", ("u", "u", "2", "3", "^6", "^9", "x"), strict=True)
}


def quantity_named(name: str, where: str = "") -> Quantity:
    """The unit record of a quantity; InputError with the nearest name when there is none."""
    if name not in QUANTITIES:
        raise unknown("quantity", name, QUANTITIES, where)
    return QUANTITIES[name]


def accepted(quantity: str, where: str = "") -> list[str]:
    """The unit spellings that a quantity accepts, its canonical unit first."""
    record = quantity_named(quantity, where)
    names = [name for name in SPELLINGS[record.family] if name and name != record.unit]
    return [record.unit, *names]


def to_canonical(quantity: str, value: float, unit: str, where: str = "") -> float:
    """A value in ``unit`` as a value in the quantity's canonical unit."""
    return value * _factor(quantity, check_accepted(quantity, unit, where))


def from_canonical(quantity: str, value: float, unit: str) -> float:
    """A value in the quantity's canonical unit as a value in ``unit``."""
    return value / _factor(quantity, check_accepted(quantity, unit))


def parse(text: str | float | int, quantity: str, where: str = "") -> float:
    """The canonical value of text such as ``343 ng/dL``; a bare number only where the canonical unit is 1."""
    number, unit = split(text, quantity, where)
    return to_canonical(quantity, number, unit, where)


def split(text: str | float | int, quantity: str, where: str = "") -> tuple[float, str]:
    """The number and the accepted unit in text such as ``9 10^6/mL``, not yet converted."""
    place = f" in {where}" if where else ""
    found = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:\s+(.*?)|([^\s\d.,].*?))?\s*", str(text))
    number = float(found[1]) if found else math.nan
    if isinstance(text, bool) or found is None or not math.isfinite(number):
        example = f"343 {CANONICAL[quantity]}" if quantity in CANONICAL else "343 ng/dL"
        raise InputError(f'"{text}" is not a number and a unit for {quantity}{place}; write it like "{example}"')
    unit = found[2] or found[3] or ""
    if not unit and "" not in SPELLINGS[quantity_named(quantity, where).family]:
        raise InputError(f'{quantity} "{text}"{place} needs a unit; allowed: {", ".join(accepted(quantity))}')
    return number, check_accepted(quantity, unit, where)


def check_accepted(quantity: str, unit: str, where: str = "") -> str:
    """The spelling under which a quantity knows this unit; InputError when it accepts none like it."""
    family = quantity_named(quantity, where).family
    spelling = _folded(family).get(_fold(unit))
    if spelling is None:
        raise unknown(f"unit of {quantity}", unit, accepted(quantity), where)
    return spelling


def to_molar(quantity: str, value: Any) -> Any:
    """A steroid's canonical value (number or array) in the unit of the equations (``MOLAR``)."""
    return value * _molar_factor(quantity)


def from_molar(quantity: str, value: Any) -> Any:
    """A steroid's value in the unit of the equations (number or array) in its canonical unit."""
    return value / _molar_factor(quantity)


def check_unit(text: str, where: str = "") -> str:
    """A parameter's unit, when it is a product or quotient of known units such as ``nmol/L/h``; else InputError."""
    factors = re.split(r"[*/]", text) if isinstance(text, str) else [""]
    for factor in factors:
        atom = re.sub(r"\^-?\d+$", "", factor) if factor not in ATOMS else factor
        if atom not in ATOMS:
            raise unknown("unit", factor or text, ATOMS, where)
    return text


def _fold(unit: str) -> str:
    """A spelling without case, spaces and typographic variants."""
    plain = unit.translate(_TYPOGRAPHY)
    return re.sub(r"\s+", "", plain).casefold().replace("mcg", "ug").replace("perml", "/ml")


@cache
def _folded(family: str) -> dict[str, str]:
    """A family's spellings by their folded form."""
    return {_fold(spelling): spelling for spelling in SPELLINGS[family]}


@cache
def _factor(quantity: str, spelling: str) -> float:
    """What one ``spelling`` is in the quantity's canonical unit."""
    record = QUANTITIES[quantity]
    if spelling == record.unit:
        return 1.0
    registry, known = registry_of_units(), SPELLINGS[record.family]
    given, canonical = registry(known[spelling]), registry(known[record.unit])
    if given.dimensionality != canonical.dimensionality:
        if record.molar_mass is None:
            raise InputError(f"{quantity} cannot be turned from {spelling} into {record.unit}")
        mass = record.molar_mass * registry("g/mol")
        given = given * mass if given.check("[substance]/[length]**3") else given / mass
    return float(given.to(canonical.units).magnitude / canonical.magnitude)


@cache
def registry_of_units() -> Any:
    """The unit library's registry with what it lacks: international units, counted cells, the plain number."""
    import pint

    registry: Any = pint.UnitRegistry(cache_folder=None)
    registry.define("activity = [biological_activity]")  # international units of one analyte
    registry.define("cell = [cells]")
    registry.define("one = []")
    return registry


@cache
def _molar_factor(quantity: str) -> float:
    """What one canonical unit of a steroid is in the unit of the equations."""
    if quantity not in MOLAR:
        raise unknown("steroid", quantity, MOLAR)
    record, target = QUANTITIES[quantity], MOLAR[quantity]
    if record.unit == target or record.molar_mass is None:
        return 1.0
    return _GRAMS_PER_LITRE[record.unit] / record.molar_mass / _MOLES_PER_LITRE[target]
