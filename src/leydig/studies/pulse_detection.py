"""Finding pulses in samples, as a study does: Cluster, and the criterion of Santen and Bardin as later modified.

Cluster compares every few samples with those just before them by a pooled t statistic built from the assay's own
error, and calls a peak what lies between a significant rise and a significant fall. Santen and Bardin ask for a rise
from nadir to peak, here of three coefficients of variation and 1 IU/L, that a second sample supports.

Both see fewer pulses than there are bursts: small ones drown in the assay's error and near ones flow together.
Sources: veldhuis1986cluster, santenbardin1973. The rules are restated from descriptions and from the behaviour of
programs in use, not from the papers' own text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MINUTES_PER_DAY = 1440.0


class Cluster(NamedTuple):
    """Settings in common use for LH in men: two samples make a nadir, one or two a peak, |t| of 2 for rise and fall."""

    nadir: int = 2  # samples
    peak: int = 2  # samples
    rise: float = 2.0  # t
    fall: float = 2.0  # t
    replicates: int = 2  # of each sample in the assay


class SantenBardin(NamedTuple):
    """Settings of the modified criterion."""

    variations: float = 3.0  # coefficients of variation that a rise must exceed
    least: float = 1.0  # and the least rise, in the unit of the samples
    samples: int = 2  # least number in a rise, nadir included


CLUSTER, SANTEN_BARDIN = Cluster(), SantenBardin()


class Pulses(NamedTuple):
    """What was found; arrays (n,) in order. Times in the unit of the samples' times."""

    peak: np.ndarray  # time of the highest sample
    onset: np.ndarray  # time of the first sample of the pulse
    height: np.ndarray  # highest sample
    amplitude: np.ndarray  # height over the nadir before

    def frequency(self, minutes: float) -> float:
        """Pulses in 24 hours, from a record of this length."""
        return len(self.peak) * MINUTES_PER_DAY / minutes

    @property
    def mean_amplitude(self) -> float:
        """Mean amplitude; nan without a pulse."""
        return float(self.amplitude.mean()) if len(self.amplitude) else float("nan")

    @property
    def mean_interval(self) -> float:
        """Mean time between peaks; nan with fewer than two."""
        return float(np.diff(self.peak).mean()) if len(self.peak) > 1 else float("nan")


def cluster(times: np.ndarray, values: np.ndarray, error: np.ndarray, settings: Cluster = CLUSTER) -> Pulses:
    """Peaks by Cluster. ``error`` (n,) is the standard deviation of a replicate at each sample's level.

    A pulse that is under way at either end of the record is not counted. ValueError where lengths differ.
    """
    values, error = _same_length(times, values, error)
    rises, falls = _flags(values, error, settings)
    found: list[tuple[int, int]] = []
    begin: int | None = None
    for i in range(len(values)):
        if begin is not None and falls[i]:
            found.append((begin, i))
            begin = None
        if begin is None and rises[i]:
            begin = i
    spans = [(first, last) for first, last in found if first >= settings.nadir]
    nadirs = [values[first - settings.nadir : first].mean() for first, _ in spans]
    return _pulses(times, values, spans, nadirs)


def _flags(values: np.ndarray, error: np.ndarray, s: Cluster) -> tuple[np.ndarray, np.ndarray]:
    """Whether a rise, or a fall, begins with each sample."""
    rises, falls = np.zeros(len(values), bool), np.zeros(len(values), bool)
    for i in range(len(values)):
        for flags, before, after, limit, sign in (
            (rises, s.nadir, s.peak, s.rise, 1.0),
            (falls, s.peak, s.nadir, s.fall, -1.0),
        ):
            if before <= i <= len(values) - after:
                flags[i] = sign * _t(values, error, slice(i - before, i), slice(i, i + after), s.replicates) > limit
    return rises, falls


def _t(values: np.ndarray, error: np.ndarray, before: slice, after: slice, replicates: int) -> float:
    """Student's t of the means of two groups of samples, pooled from the replicates' errors."""
    n, m = (replicates * len(values[part]) for part in (before, after))
    squares = (replicates - 1) * (np.sum(error[before] ** 2) + np.sum(error[after] ** 2))
    spread = np.sqrt(squares / (n + m - 2) * (1 / n + 1 / m))
    return float((values[after].mean() - values[before].mean()) / spread)


def santen_bardin(
    times: np.ndarray, values: np.ndarray, variation: float, settings: SantenBardin = SANTEN_BARDIN
) -> Pulses:
    """Peaks by the modified criterion of Santen and Bardin. ``variation`` is the assay's, a share of the value."""
    values, _ = _same_length(times, values, values)
    spans, nadirs, start = [], [], 0
    while start < len(values) - 1:
        top = start
        while top + 1 < len(values) and values[top + 1] >= values[top]:
            top += 1
        if top > start and _is_pulse(values, start, top, variation, settings):
            spans.append((start, top + 1))
            nadirs.append(values[start])
        start = max(top, start + 1)
    return _pulses(times, values, spans, nadirs)


def _is_pulse(values: np.ndarray, start: int, top: int, variation: float, s: SantenBardin) -> bool:
    """Whether one unbroken rise is high enough, and a sample beside its top says so too."""
    hurdle = values[start] + max(s.variations * variation * values[start], s.least)
    beside = [values[i] for i in (top - 1, top + 1) if start < i < len(values)]
    return values[top] >= hurdle and top - start + 1 >= s.samples and any(value >= hurdle for value in beside)


def _pulses(times: np.ndarray, values: np.ndarray, spans: list[tuple[int, int]], nadirs: list[float]) -> Pulses:
    tops = [first + int(np.argmax(values[first:last])) for first, last in spans]
    height = values[tops] if tops else np.zeros(0)
    times = np.asarray(times, float)
    return Pulses(times[tops], times[[first for first, _ in spans]], height, height - np.array(nadirs, float))


def _same_length(times: np.ndarray, *several: np.ndarray) -> list[np.ndarray]:
    arrays = [np.asarray(array, float) for array in several]
    if any(array.shape != np.shape(times) for array in arrays):
        raise ValueError(f"there are {len(times)} times and {[len(array) for array in arrays]} values")
    return arrays


class Agreement(NamedTuple):
    """Detected pulses against the bursts that were there."""

    found: int  # bursts with a pulse
    missed: int  # bursts without
    false: int  # pulses without a burst


def agreement(pulses: Pulses, bursts: np.ndarray, within: float) -> Agreement:
    """Match each pulse with the nearest burst not yet taken that begins at most ``within`` before its peak."""
    taken: set[int] = set()
    for top in pulses.peak:
        near = [i for i, burst in enumerate(bursts) if 0 <= top - burst <= within and i not in taken]
        if near:
            taken.add(max(near))
    return Agreement(len(taken), len(bursts) - len(taken), len(pulses.peak) - len(taken))
