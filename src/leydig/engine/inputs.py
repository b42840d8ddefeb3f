"""Inputs u(t) in closed form between events, packed for a solver.

A channel between two events is ``constant + slope*tau + sum_i (a_i + b_i*tau) exp(-rate_i*tau)`` with
tau the hours since the segment began. Channels with events of their own are joined on one grid.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np


class Segments(Protocol):
    """One channel: ``starts`` (n,), ``constant`` (n,), ``slope`` (n,), ``rates`` (m,), coefficients (n, m)."""

    @property
    def starts(self) -> np.ndarray: ...
    @property
    def constant(self) -> np.ndarray: ...
    @property
    def slope(self) -> np.ndarray: ...
    @property
    def rates(self) -> np.ndarray: ...
    @property
    def exponential(self) -> np.ndarray: ...
    @property
    def ramp_exponential(self) -> np.ndarray: ...


class InputTable(NamedTuple):
    """All channels on one grid of n segments, c channels, m exponential terms; contiguous float64."""

    starts: np.ndarray  # (n,) h
    constant: np.ndarray  # (n, c)
    slope: np.ndarray  # (n, c) 1/h
    term_channel: np.ndarray  # (m,) which channel a term adds to
    term_rate: np.ndarray  # (m,) 1/h
    exponential: np.ndarray  # (n, m)
    ramp_exponential: np.ndarray  # (n, m) 1/h


def steady(values: Sequence[float]) -> InputTable:
    """Channels that do not change."""
    return tabulate([[] for _ in values], list(values))


def tabulate(
    channels: Sequence[Sequence[Segments]], constants: Sequence[float], slopes: Sequence[float] | None = None
) -> InputTable:
    """Join channels on one grid of events.

    ``channels[k]`` lists the segments that add up in channel k, in its unit; before the first start of
    a segment list it adds nothing. ``constants[k]`` and ``slopes[k]`` (per hour since time 0) are added
    throughout.
    """
    slopes = [0.0] * len(constants) if slopes is None else slopes
    parts = [(k, s) for k, several in enumerate(channels) for s in several if len(s.starts)]
    starts = np.unique(np.concatenate([[0.0], *[s.starts for _, s in parts]]))
    n, width = len(starts), sum(len(s.rates) for _, s in parts)
    slope = np.tile(np.asarray(slopes, float), (n, 1))
    constant = np.asarray(constants, float) + slope * starts[:, None]
    term_channel, term_rate = np.zeros(width, np.int64), np.zeros(width)
    exponential, ramp = np.zeros((n, width)), np.zeros((n, width))
    column = 0
    for k, s in parts:
        own = np.searchsorted(s.starts, starts, side="right") - 1
        live, own = own >= 0, np.maximum(own, 0)
        shift = np.where(live, starts - s.starts[own], 0.0)
        constant[:, k] += np.where(live, s.constant[own] + s.slope[own] * shift, 0.0)
        slope[:, k] += np.where(live, s.slope[own], 0.0)
        for i, rate in enumerate(s.rates):
            faded = np.where(live, np.exp(-rate * shift), 0.0)
            term_channel[column], term_rate[column] = k, rate
            exponential[:, column] = (s.exponential[own, i] + s.ramp_exponential[own, i] * shift) * faded
            ramp[:, column] = s.ramp_exponential[own, i] * faded
            column += 1
    return InputTable(starts, constant, slope, term_channel, term_rate, exponential, ramp)


def row_of(table: InputTable, row: int) -> InputTable:
    """The inputs of one segment, held on beyond its end: what acts just before the next event."""
    one = slice(row, row + 1)
    return InputTable(
        table.starts[one],
        table.constant[one],
        table.slope[one],
        table.term_channel,
        table.term_rate,
        table.exponential[one],
        table.ramp_exponential[one],
    )


def evaluate(table: InputTable, times: np.ndarray) -> np.ndarray:
    """Values of all channels at ``times`` (h): shape (c, len(times))."""
    times = np.asarray(times, float)
    row = np.maximum(np.searchsorted(table.starts, times, side="right") - 1, 0)
    tau = (times - table.starts[row])[:, None]
    values = table.constant[row] + table.slope[row] * tau
    terms = (table.exponential[row] + table.ramp_exponential[row] * tau) * np.exp(-table.term_rate * tau)
    for column, k in enumerate(table.term_channel):
        values[:, k] += terms[:, column]
    return values.T
