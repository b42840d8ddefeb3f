"""What a man's laboratory would print at visits: blood, semen and scans of one run, with their noise.

A reading is of his own assay and hour where his file has them. Beside each value stand the reading without noise and
how far two readings of an unchanged man may lie apart (reference change values).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from leydig import laboratory, start
from leydig.errors import InputError
from leydig.pharmacology.titration import Measured
from leydig.pharmacology.visits import Visits
from leydig.studies import observe
from leydig.studies.sampling import NOT_COMPUTED, OWN_SHARE, draws, of_man, read
from leydig.studies.titrate_visit import HOURS_PER_DAY, MOST_VISITS
from leydig.subject import Completed
from leydig.units import CANONICAL

ALSO = ("testosterone_estradiol_ratio", "total_motile_sperm_count")


def visits_of(text: str | Visits, horizon: float) -> tuple[Visits, np.ndarray]:
    """The visits of a run of ``horizon`` days, and their days; InputError where there are none, or too many."""
    visits = text if isinstance(text, Visits) else Visits.parse(text)
    days = np.array(visits.hours(horizon * HOURS_PER_DAY)) / HOURS_PER_DAY
    if not 1 <= len(days) <= MOST_VISITS:
        raise InputError(
            f'"{visits.text()}" makes {len(days):,} visits within {horizon:g} days; there must be from 1 to '
            f"{MOST_VISITS:,}"
        )
    return visits, days


def printed(
    completed: Completed, began: start.Start, values: Mapping[str, np.ndarray], visits: Visits, days: np.ndarray,
    seed: int,
) -> dict[str, Any]:  # fmt: skip
    """The readings of one run as plain values, by analyte.

    ``values`` are the state's quantities (times,) at the ``days`` of these visits, just before a dose of that hour.
    """
    without = completed.subject.does_not_apply
    names = [name for name in (*observe.analytes(), *ALSO) if name not in (*NOT_COMPUTED, *without)]
    names = [name for name in names if set(observe.DERIVED.get(name, (name,))) <= set(values)]
    place = of_man([Measured(name, None) for name in names], completed, began)
    age = np.array([completed.age])
    found: dict[str, Any] = {
        sample.measured.quantity: {
            "unit": CANONICAL[sample.measured.quantity],
            "assay": sample.test.assay if _by_assay(sample.test.analyte) else None,
            "hour": sample.test.hour,
            "values": [],
            "below": [],
            "above": [],
            "without_noise": [],
            "varies_by": observe.words(sample.test),
        }
        for sample in place.samples
    }
    for at, hour in enumerate(days * HOURS_PER_DAY):
        drawn = draws(seed, place, float(hour), 0, 1)
        now = {name: np.array([series[at]]) for name, series in values.items() if name in _state(names)}
        for sample in place.samples:
            reading, one = read(sample, now, age, drawn, place.constants), found[sample.measured.quantity]
            one["values"].append(float(reading.values[0]))
            one["below"].append(bool(reading.below[0]))
            one["above"].append(bool(reading.above[0]))
            one["without_noise"].append(float(reading.expected[0]))
    for sample in place.samples:
        one = found[sample.measured.quantity]
        one["reference_change_percent"] = _change(sample.test, float(np.mean(one["without_noise"])))
    return {"visits": visits.text(), "days": days.tolist(), "readings": found}


def _by_assay(analyte: str) -> bool:
    """Whether the kind of assay, or the scanner, makes a difference to what is printed."""
    parts = observe.DERIVED.get(analyte, (analyte,))
    return any(part in (*laboratory.DENSITIES, "testosterone", "estradiol") for part in parts)


def _state(names: list[str]) -> set[str]:
    return {part for name in names for part in observe.DERIVED.get(name, (name,))} | {OWN_SHARE}


def _change(test: observe.Test, level: float) -> list[float] | None:
    """Fall and rise between two readings that 95 % of unchanged men stay within at this level, %.

    None for what is computed from other readings, and where there is nothing to change.
    """
    if test.analyte in observe.DERIVED or not level > 0:
        return None
    return list(observe.reference_change(test.analyte, test.assay, at=level))
