"""Total cholesterol is LDL + HDL + triglycerides / 5: what a measured one tells of the parts that are missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from leydig.population_prior.loading import population
from leydig.ranges import limits

if TYPE_CHECKING:
    from leydig.population_prior import Prior

TOTAL = "total_cholesterol"
# Friedewald's identity: what one mg/dL of each adds to the total.
PARTS = {"LDL": 1.0, "HDL": 1.0, "triglycerides": 0.2}


def total(values: Mapping[str, Any]) -> Any:
    """Total cholesterol (mg/dL) of its parts."""
    return sum(share * values[name] for name, share in PARTS.items())


def left(measured: Mapping[str, float]) -> float:
    """What the measured total leaves for the parts that were not measured, mg/dL."""
    return measured[TOTAL] - sum(share * measured[name] for name, share in PARTS.items() if name in measured)


def least(missing: Collection[str]) -> float:
    """The least that missing parts can add to the total, mg/dL."""
    accepted = limits("accepted")
    return sum(PARTS[name] * accepted[name].low for name in missing)


def leaves_open(measured: Mapping[str, float]) -> bool:
    """Whether a measured total has something to tell of parts that were not measured."""
    missing = [name for name in PARTS if name not in measured]
    return TOTAL in measured and bool(missing) and left(measured) >= least(missing)


def with_total(before: Prior) -> Prior:
    """The distribution with the log of total cholesterol as one more quantity.

    Near the median man the log of the sum is a straight line of the logs of its parts, each with its share of the
    sum as the slope; ``settle`` makes the sum exact again.
    """
    index = np.array([before.names.index(name) for name in PARTS])
    medians = np.exp(before.mean[index]) * np.array(list(PARTS.values()))
    row = (medians / medians.sum()) @ before.covariance[index]
    variance = float(row[index] @ medians / medians.sum())
    mean, reach = np.log(medians.sum()), population().informs_within.value * np.sqrt(variance)
    return before._replace(
        names=(*before.names, TOTAL),
        transforms=(*before.transforms, "log"),
        mean=np.append(before.mean, mean),
        covariance=np.block([[before.covariance, row[:, None]], [row[None, :], np.array([[variance]])]]),
        lowest=np.append(before.lowest, mean - reach),
        highest=np.append(before.highest, mean + reach),
    )


def settle(values: Mapping[str, Any], measured: Collection[str]) -> dict[str, Any]:
    """The values with the parts that were not measured scaled alike, so that the sum is his total cholesterol."""
    accepted = limits("accepted")
    missing = [name for name in PARTS if name not in measured]
    known = sum(PARTS[name] * values[name] for name in PARTS if name in measured)
    factor = (values[TOTAL] - known) / sum(PARTS[name] * values[name] for name in missing)
    scaled = {name: np.clip(values[name] * factor, accepted[name].low, accepted[name].high) for name in missing}
    return {**values, **{name: value if np.ndim(value) else float(value) for name, value in scaled.items()}}
