"""The men of a virtual trial with everything that was read of them: what its analysis draws replicate trials from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """One line of a baseline table, in the canonical unit: what was asked for, and what the virtual men have."""

    quantity: str
    unit: str
    asked_mean: float
    reached_mean: float
    asked_sd: float | None
    reached_sd: float


class Enrolled(NamedTuple):
    """How the men of an arm were found."""

    arm: str
    candidates: int
    eligible: float  # share of the candidates that kept the criteria
    effective: float  # number of equal weights that those of the eligible are worth, in the middle draw
    rows: tuple[Row, ...]


class Pool(NamedTuple):
    """Virtual men by arm and by draw of what is uncertain."""

    arms: tuple[str, ...]
    arm: np.ndarray  # (N,) place in ``arms``
    draw: np.ndarray  # (N,) draw of what is uncertain, 0 is the best estimate
    days: np.ndarray  # (v,) visits; the first is baseline, day 0
    printed: dict[str, np.ndarray]  # (N, v) readings in canonical units, after drop-out as well
    truth: dict[str, np.ndarray]  # (N, v) 24-hour means behind them
    screening: dict[str, np.ndarray]  # (N,) age, BMI, and the readings that the men were let in on
    left: np.ndarray  # (N,) d, day on which a man leaves; inf where he stays
    taken: np.ndarray  # (N,) share of doses taken
    enrolled: tuple[Enrolled, ...]  # one per arm
    untreated: dict[str, np.ndarray] | None  # (N, v) readings of the same men had they been given nothing
    failed: int  # men who could not be solved and are not here
