"""Which men: a condition, or several with their shares, in words.

obese-hypogonadal
obese-hypogonadal 70 % + eugonadal 30 %
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from leydig.errors import InputError
from leydig.population_prior import condition_named, population

PERCENT = 100
PART = re.compile(r"(?P<name>[A-Za-z][A-Za-z-]{0,60})(?:\s+(?P<share>[0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%)?")
LONGEST = 1000  # characters
SUM_TOLERANCE = 1e-6  # percent


def read_mixture(text: str) -> dict[str, float]:
    """Shares by condition, adding to 1, in the order of the population's file; InputError for any other text."""
    if len(text) > LONGEST:
        raise InputError(f"the condition is longer than {LONGEST} characters")
    parts = [part.strip() for part in text.split("+")]
    found: dict[str, float] = {}
    for part in parts:
        words = PART.fullmatch(part)
        if words is None:
            raise InputError(
                f'the condition "{part[:60]}" cannot be read; write a name such as obese-hypogonadal, '
                'or several with their shares, such as "obese-hypogonadal 70 % + eugonadal 30 %"'
            )
        name, share = words["name"], words["share"]
        condition_named(name)
        if name in found:
            raise InputError(f'the condition "{name}" stands twice in "{text}"')
        if share is None and len(parts) > 1:
            raise InputError(f'the condition "{name}" in "{text}" needs its share, such as "{name} 30 %"')
        found[name] = PERCENT if share is None else float(share)
        if not 0 < found[name] <= PERCENT:
            raise InputError(f'the share of "{name}" in "{text}" must be above 0 and at most 100 %')
    if abs(sum(found.values()) - PERCENT) > SUM_TOLERANCE:
        raise InputError(f'the shares in "{text}" add to {sum(found.values()):g} %; they must add to 100 %')
    return {name: found[name] / PERCENT for name in population().conditions if name in found}


def mixture_text(shares: Mapping[str, float]) -> str:
    """The canonical text of a mixture; ``read_mixture`` reads it back."""
    if len(shares) == 1:
        return next(iter(shares))
    return " + ".join(f"{name} {round(PERCENT * share, 6):g} %" for name, share in shares.items())
