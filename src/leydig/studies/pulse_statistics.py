"""What a study reports of blood drawn every few minutes: a number per man, then one of all men.

A man is his records, one per day of sampling. ``per_man`` gives what one man contributes (k,), ``of_men`` turns men
(n, k) into the figure, so that a figure's sampling error follows by drawing men again.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from leydig.studies import pulse_detection
from leydig.studies.pulse_detection import Cluster, Pulses, SantenBardin
from leydig.studies.pulse_studies import HOURS_PER_DAY, MINUTES_PER_HOUR, NORMAL_95

PERCENT = 100.0
LONGEST_LAG = 3.0  # h, searched for in a cross-correlation
RISE = 0.2  # of the nadir: the first form of the criterion of Santen and Bardin
EVENING = 8.0  # h from 08:00 to 16:00
FEW = 2  # what a coefficient of variation needs


class Record(NamedTuple):
    """Samples of one man."""

    clock: float  # hour of the first sample
    minutes: np.ndarray  # (t,) since the first sample
    true: dict[str, np.ndarray]  # (t,) by quantity
    printed: dict[str, np.ndarray]  # (t,) with the assay's error
    frequency: np.ndarray  # (t,) bursts per hour that the brain's state stands for
    bursts: np.ndarray  # (b,) min since the first sample, those within the record
    masses: dict[str, np.ndarray]  # (b,) IU/L, LH and FSH
    error: float  # CV of one determination, as the detector is told

    @property
    def hours(self) -> float:
        """From the first sample to the last."""
        return float(self.minutes[-1]) / MINUTES_PER_HOUR


Man = Sequence[Record]
PerMan = Callable[[Man, str, str], np.ndarray]
OfMen = Callable[[np.ndarray, float], float]


def pulses(record: Record, quantity: str, detector: str) -> Pulses:
    """Pulses of a quantity as a detector finds them in the samples; "bursts" are those that were there."""
    values = record.printed[quantity]
    if detector == "bursts":
        mass = record.masses[quantity]
        return Pulses(record.bursts, record.bursts, mass, mass)
    if detector == "Cluster":
        return pulse_detection.cluster(record.minutes, values, record.error * values, Cluster())
    settings = SantenBardin()
    if detector == "rise of 20 %":
        settings = SantenBardin(variations=RISE / record.error, least=0.0)
    return pulse_detection.santen_bardin(record.minutes, values, record.error, settings)


def of_pulses(what: Callable[[Pulses, Record], float]) -> PerMan:
    """A number of each record's pulses, averaged over the man's records that have one."""

    def per_man(man: Man, quantity: str, detector: str) -> np.ndarray:
        return np.array([_mean([what(pulses(r, quantity, detector), r) for r in man])])

    return per_man


def of_records(what: Callable[[Record, str], Sequence[float]]) -> PerMan:
    """Numbers of each record's samples, averaged over the man's records."""

    def per_man(man: Man, quantity: str, detector: str) -> np.ndarray:
        return np.mean([np.asarray(what(r, quantity), float) for r in man], axis=0)

    return per_man


def between_days(what: Callable[[Pulses, Record, str], float]) -> PerMan:
    """How a number varies between a man's days: coefficient of variation, %."""

    def per_man(man: Man, quantity: str, detector: str) -> np.ndarray:
        daily = np.array([what(pulses(r, quantity, detector), r, quantity) for r in man])
        return np.array([variation(daily)])

    return per_man


def variation(values: np.ndarray) -> float:
    """Coefficient of variation, %; nan of fewer than two numbers."""
    values = values[np.isfinite(values)]
    return PERCENT * float(values.std(ddof=1) / values.mean()) if len(values) >= FEW else float("nan")


def _mean(values: Sequence[float]) -> float:
    kept = [value for value in values if np.isfinite(value)]
    return float(np.mean(kept)) if kept else float("nan")


def average(men: np.ndarray, _: float) -> float:
    """Mean over men."""
    return _mean(list(men[:, 0]))


def median(men: np.ndarray, _: float) -> float:
    """Median over men."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no man has one: nan
        return float(np.nanmedian(men[:, 0]))


def _percent(upper: np.ndarray, lower: np.ndarray) -> float:
    return PERCENT * float(np.mean(upper / lower)) if len(upper) else float("nan")


def _wave(values: np.ndarray, record: Record) -> list[float]:
    """The turn of 24 hours in a record: cosine and sine at clock hours."""
    whole = record.minutes < HOURS_PER_DAY * MINUTES_PER_HOUR - 1e-6
    turn = 2 * np.pi * (record.clock + record.minutes[whole] / MINUTES_PER_HOUR) / HOURS_PER_DAY
    return [float(np.mean(values[whole] * np.cos(turn))), float(np.mean(values[whole] * np.sin(turn)))]


def _hour(men: np.ndarray, _: float) -> float:
    """Clock hour of the highest value."""
    cosine, sine = men.mean(axis=0)
    return float(np.arctan2(sine, cosine) / (2 * np.pi) * HOURS_PER_DAY % HOURS_PER_DAY)


def correlogram(record: Record, quantity: str) -> list[float]:
    """Correlation of LH with the quantity 0, 1, 2 ... samples later."""
    first, then = record.printed["LH"], record.printed[quantity]
    step = float(record.minutes[1] - record.minutes[0])
    most = min(round(LONGEST_LAG * MINUTES_PER_HOUR / step), len(first) // 2)
    return [float(np.corrcoef(first[: len(first) - k], then[k:])[0, 1]) for k in range(most + 1)]


def _sampled(record: Record, quantity: str, hours: float) -> float:
    return float(record.printed[quantity][np.argmin(np.abs(record.minutes - hours * MINUTES_PER_HOUR))])


def _first_and_mean(record: Record, quantity: str) -> list[float]:
    return [record.printed[quantity][0], record.printed[quantity].mean()]


def _ends(record: Record, quantity: str) -> list[float]:
    return [record.printed[quantity][-1], record.printed[quantity][0]]


def _fall(men: np.ndarray, _: float) -> float:
    end, begin = men.mean(axis=0)
    return PERCENT * float(1 - end / begin)


def _rise(men: np.ndarray, _: float) -> float:
    first, mean = men.mean(axis=0)
    return PERCENT * float(first / mean - 1)


def _count(found: Pulses, record: Record) -> float:
    return len(found.peak) / record.hours


def _burst_mass(record: Record, quantity: str) -> list[float]:
    return [float(record.masses[quantity].mean()), float(record.true[quantity].mean())]


STATISTICS: dict[str, tuple[PerMan, OfMen]] = {
    "pulses": (of_pulses(_count), average),  # per hour
    "interval": (of_pulses(lambda p, r: p.mean_interval), average),
    "amplitude": (of_pulses(lambda p, r: p.mean_amplitude), average),
    "amplitude over nadir": (of_pulses(lambda p, r: _percent(p.amplitude, p.height - p.amplitude)), average),
    "peak over nadir": (of_pulses(lambda p, r: _percent(p.height, p.height - p.amplitude)), average),
    "highest": (of_records(lambda r, q: [r.printed[q].max()]), average),
    "mean": (of_records(lambda r, q: [r.printed[q].mean()]), average),
    "burst mass": (of_records(_burst_mass), average),
    "burst mass over mean": (of_records(_burst_mass), lambda men, _: float(np.mean(men[:, 0] / men[:, 1]))),
    "CV of pulses": (between_days(lambda p, r, q: float(len(p.peak))), median),
    "CV of interval": (between_days(lambda p, r, q: p.mean_interval), median),
    "CV of mean": (between_days(lambda p, r, q: float(r.printed[q].mean())), median),
    "CV of amplitude": (between_days(lambda p, r, q: p.mean_amplitude), median),
    "CV within a day": (of_records(lambda r, q: [variation(r.printed[q])]), average),
    "CV of samples": (of_records(lambda r, q: [variation(r.true[q])]), average),
    "limit of change": (
        of_records(lambda r, q: [variation(r.printed[q]) ** 2]),
        lambda men, _: NORMAL_95 * float(np.sqrt(2 * men[:, 0].mean())),
    ),
    "first over mean": (of_records(_first_and_mean), _rise),
    "fall from begin to end": (of_records(_ends), _fall),
    "least fall": (
        of_records(lambda r, q: [PERCENT * (1 - r.printed[q].min() / r.printed[q].max())]),
        lambda men, _: float(men[:, 0].min()),
    ),
    "16:00 over 08:00": (
        of_records(lambda r, q: [_sampled(r, q, EVENING), _sampled(r, q, 0.0)]),
        lambda men, _: float(men[:, 0].mean() / men[:, 1].mean()),
    ),
    "peak hour": (of_records(lambda r, q: _wave(r.printed[q], r)), _hour),
    "slowest hour": (of_records(lambda r, q: [-part for part in _wave(r.frequency, r)]), _hour),
    "lag": (of_records(correlogram), lambda men, every: every * float(np.argmax(men.mean(axis=0)))),
    "correlation": (of_records(correlogram), lambda men, _: float(men.mean(axis=0).max())),
}
