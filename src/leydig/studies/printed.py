"""A value on the scale of comparison as a paper would print it: the inverse of ``figures.transformed``."""

from __future__ import annotations

import numpy as np

from leydig.evidence import RELATIVE, Arm, Outcome, Trial
from leydig.studies.comparison import domain, settings
from leydig.studies.figures import typical_value
from leydig.units import from_canonical


def as_printed(trial: Trial, arm: Arm, outcome: Outcome, x: float) -> float:
    """The figure that lies at ``x`` on the scale of comparison, in the statistic and unit of the outcome."""
    quantity, statistic = outcome.quantity, outcome.statistic
    scale = settings()["domains"][domain(quantity)]["scale"]
    before = arm.baseline.get(quantity)
    base = before.convert(quantity, before.value) if before else None
    if scale == "share":
        return _in_unit(outcome, x / 100)
    if scale == "percent" and statistic == "percent_change":
        return x
    if scale == "points" and statistic == "change":
        return _in_unit(outcome, x)
    if scale == "log" and statistic in RELATIVE:
        return {"percent_change": 100 * (np.exp(x) - 1), "ratio": np.exp(x), "percent_of": 100 * np.exp(x)}[statistic]
    if base is None and (statistic == "change" or scale != "log"):
        base = typical_value(trial, quantity)
    if scale == "log":
        floor = 0.0 if statistic == "change" else settings()["floors"].get(quantity, 0.0)
        after = np.exp(x) * (1.0 if base is None else base + floor) - floor
    else:
        assert base is not None
        after = base * (1 + x / 100) if scale == "percent" else base + x
    if statistic in RELATIVE:
        share = after / base
        return {"percent_change": 100 * (share - 1), "ratio": share, "percent_of": 100 * share}[statistic]
    return _in_unit(outcome, after - base if statistic == "change" else after)


def _in_unit(outcome: Outcome, value: float) -> float:
    return float(from_canonical(outcome.quantity, float(value), outcome.unit))
