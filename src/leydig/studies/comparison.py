"""On what scale published figures and the model are compared: data/calibration.yaml, and a trial's laboratory."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from leydig import laboratory
from leydig.files import DATA, read_yaml


@cache
def settings() -> dict[str, Any]:
    return read_yaml(DATA / "calibration.yaml")


def domain(quantity: str) -> str:
    """Which kind of figure this is: the domain that lists the quantity, a hormone where none does."""
    named = (kind for kind, choice in settings()["domains"].items() if quantity in choice.get("quantities", ()))
    return next(named, "hormone")


def to_state(quantity: str, value: float, assay: Mapping[str, str], age: float, lab: laboratory.Constants) -> float:
    """A printed mean on the state scale; the hour is left out, because only changes are compared."""
    if quantity not in laboratory.analytes():
        return value
    return float(laboratory.to_state(quantity, value, assay.get(quantity, laboratory.UNKNOWN), None, age, lab))


def to_laboratory(
    quantity: str, value: np.ndarray, assay: Mapping[str, str], age: float, lab: laboratory.Constants
) -> np.ndarray:
    """The reverse of ``to_state``."""
    if quantity not in laboratory.analytes():
        return value
    return np.asarray(
        laboratory.to_laboratory(quantity, value, assay.get(quantity, laboratory.UNKNOWN), None, age, lab)
    )
