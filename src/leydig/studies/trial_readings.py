"""What the laboratory of a virtual trial prints of its men.

All men of a trial have their blood drawn in the morning and measured with the trial's own assays by one laboratory,
which reads higher or lower than others (``unknowns``). What no laboratory measures is shown as it is in the model.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import numpy as np

from leydig import laboratory, outputs
from leydig.studies import observe
from leydig.studies.observe_test import day_to_day, entry
from leydig.studies.population_plan import available
from leydig.studies.sampling import NOT_COMPUTED, OWN_SHARE, RATIO
from leydig.studies.unknowns import Unknowns, known, reads_more

Numbers = Mapping[str, np.ndarray]  # (n,) by quantity
BODY = ("age", "BMI", "height")  # what a man has beside what is measured
IN_STATE = {"NTX": "relative_NTX"}  # what the model calls a quantity that it has relative to a man's own start


@cache
def computed() -> frozenset[str]:
    """Quantities that a trial can have: the model's own, and what is computed from their readings."""
    return frozenset({*available(), *IN_STATE, *observe.DERIVED})


def measured(quantity: str) -> bool:
    """Whether the quantity is read by a laboratory, a scanner or a microscope, or computed from such readings."""
    if quantity.startswith("t_score"):  # a trial reports density
        return False
    return quantity in observe.DERIVED or (quantity in observe.analytes() and quantity not in NOT_COMPUTED)


def test_of(quantity: str, assay: Mapping[str, str]) -> observe.Test:
    """How a trial measures a quantity: on its assay, in the morning; abstinence is not known."""
    hour = laboratory.constants().usual_hour
    if quantity in laboratory.DENSITIES:
        scanner = assay.get(quantity, laboratory.HOLOGIC)
        return observe.Test(quantity, scanner if scanner in laboratory.DEVICES else laboratory.HOLOGIC, hour)
    return observe.Test(quantity, assay.get(quantity, laboratory.UNKNOWN), hour)


def tests_of(quantity: str, assay: Mapping[str, str]) -> dict[str, observe.Test]:
    """The tests that make up a quantity, each on its own assay."""
    if not measured(quantity):
        return {}
    return {name: test_of(name, assay) for name in observe.DERIVED.get(quantity, (quantity,))}


def needed(quantities: Collection[str]) -> tuple[str, ...]:
    """What must be known of the state for readings of these quantities."""
    parts = [part for quantity in quantities for part in observe.DERIVED.get(quantity, (quantity,))]
    return tuple(dict.fromkeys([IN_STATE.get(name, name) for name in (*parts, *quantities, OWN_SHARE)]))


def drawn(quantity: str, assay: Mapping[str, str], seed: int, visit: int | str, first: int, n: int) -> dict[str, Any]:
    """Random numbers of the readings of men ``first`` to ``first + n - 1`` at a visit, by part of the quantity.

    ``visit`` is a number or words: its own sample of blood.
    """
    return {name: observe.draws(seed, test, visit, first, n) for name, test in tests_of(quantity, assay).items()}


def chosen(numbers: Mapping[str, Any], rows: np.ndarray) -> dict[str, Any]:
    """The random numbers of some of the men."""
    return {name: observe.Draws(*(field[rows] for field in some)) for name, some in numbers.items()}


def read(
    quantity: str, assay: Mapping[str, str], state: Numbers, age: np.ndarray, numbers: Mapping[str, Any], one: Unknowns,
    moment: bool = False, limited: bool = True,
) -> np.ndarray:  # fmt: skip
    """Readings (n,) of men whose state is ``state``; without ``numbers`` their means.

    An assay that nobody named is one kind in each draw. ``moment`` and ``limited`` as in ``observe.simulate``.
    """
    tests = tests_of(quantity, assay)
    if not tests:
        return np.array(state[IN_STATE.get(quantity, quantity)], float)
    parts = {}
    for name, unnamed in tests.items():
        test = known(unnamed, one)
        more, share = reads_more(one, test), state[OWN_SHARE]
        if numbers:
            own = numbers[name]
            parts[name] = observe.simulate(test, state[name], age, own, share, more, one.lab, moment, limited).values
        else:
            parts[name] = observe.expected(test, state[name], age, share, more, one.lab) * _mean_of_days(test)
    return together(quantity, parts)


def _mean_of_days(test: observe.Test) -> float:
    """Mean over median of one man's readings from day to day, where these vary by a factor."""
    of = entry(test.analyte)
    if of.scale != "log":
        return 1.0
    return float(np.exp(day_to_day(of, test.abstinence is not None) ** 2 / 2))


def together(quantity: str, parts: Numbers) -> np.ndarray:
    """A quantity from the readings of its parts."""
    if quantity == RATIO:
        floor = outputs.reporting().estradiol_floor
        return parts["testosterone"] / np.maximum(parts["estradiol"], floor)
    if quantity in observe.DERIVED:
        count = parts["sperm_concentration"] * parts["semen_volume"]
        return count if quantity == "total_sperm_count" else count * parts["total_motility"] / 100
    return parts[quantity]
