"""A man's partner, and the chance that they conceive while his semen changes."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from leydig import men
from leydig import parameters as parameter_files
from leydig.physiology import fertility
from leydig.subject import Completed

SYSTEM = "fertility"


@cache
def parameters() -> fertility.Parameters:
    return parameter_files.record(fertility.Parameters, SYSTEM)


def of(completed: Completed) -> fertility.Couple:
    """The couple: as the subject file says, else the one that is assumed."""
    usual = fertility.default_couple(completed.age, parameters())
    partner = completed.subject.partner
    if partner is None:
        return usual
    return fertility.Couple(partner.age, completed.age, partner.months_trying)


def chances(
    values: Mapping[str, np.ndarray], days: np.ndarray, couple: fertility.Couple, p: fertility.Parameters
) -> dict[str, np.ndarray]:
    """Chance per cycle among couples not yet pregnant, and chance of conception since day 0."""
    counts = values["total_motile_sperm_count"]
    if not np.isfinite(counts).all():
        nothing = np.full(len(days), np.nan)
        return {"conception_probability": nothing, "cumulative_conception_probability": nothing}
    found = fertility.prospect(counts, days, couple, p)
    return {"conception_probability": found.per_cycle, "cumulative_conception_probability": found.cumulative}


def chances_of_men(
    counts: np.ndarray, days: np.ndarray, ages: np.ndarray, p: fertility.Parameters
) -> dict[str, np.ndarray]:
    """The same (n, t) for total motile sperm ``counts`` (n, t) of men of ``ages`` (years, (n,)).

    Each is in the couple that is assumed where nothing is known of the partner; a man whose counts are not finite has
    no chances (NaN).
    """

    def compute(counts: np.ndarray, ages: np.ndarray) -> dict[str, np.ndarray]:
        known = np.isfinite(counts).all(axis=0)
        values = {"total_motile_sperm_count": np.where(known, counts, 0.0)}
        found = chances(values, days, fertility.default_couple(ages, p), p)
        return {name: np.where(known, chance, np.nan) for name, chance in found.items()}

    return men.by_blocks(compute, counts, ages)


def assumed(completed: Completed) -> list[str]:
    """What is said where nothing is known of the partner."""
    if completed.subject.partner is not None:
        return []
    return [
        f"A partner of {of(completed).partner_age:g} years, trying since day 0, is assumed for the chance of "
        'conception; the subject file takes "partner: {age: 33, months_trying: 14}".'
    ]
