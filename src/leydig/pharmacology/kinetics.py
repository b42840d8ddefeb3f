"""Linear drug kinetics in closed form: doses, infusions, superposition, steady state.

A drug is a set of compartments joined by first-order flows. Between two events of a protocol

    y(t) = constant + slope*tau + sum_i (exponential_i + ramp_exponential_i*tau) * exp(-rate_i*tau)

with tau the time since the latest event, so no dose ever restarts a solver. The ramp is what
remains of two exponentials whose rates are equal (absorption as fast as elimination).

Units: time in hours, rates in 1/h, amounts in the drug's own unit, the output in whatever the
output weights make of an amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leydig.pharmacology.impulse import (
    Compartments,
    Flow,
    Responses,
    Signal,
    advance,
    compartments,
    merged,
    responses,
)

__all__ = [
    "Compartments",
    "Dose",
    "Event",
    "Flow",
    "Segments",
    "add",
    "compartments",
    "evaluate",
    "given",
    "joined",
    "nothing",
    "segments",
    "steady_state",
]

Array = NDArray[np.float64]

# Events closer than this (h, a few microseconds) are one event, so that a patch that ends when the
# next begins does not leave a sliver between them.
SAME_TIME = 1e-9


class Event(NamedTuple):
    """One administration, as a protocol states it.

    ``amount`` is in the drug's dose unit. Where that unit is itself a rate (ug/day of a patch,
    mg/day of an infusion), ``amount`` is that rate and ``duration`` says for how long it runs.
    """

    drug: str
    form: str | None
    time: float  # h
    amount: float
    duration: float  # h, 0 = at once


class Segments(NamedTuple):
    """A signal in closed form between events; zero before the first start."""

    starts: Array  # (n,) h, increasing
    constant: Array  # (n,)
    slope: Array  # (n,) per h
    rates: Array  # (m,) 1/h, above zero
    exponential: Array  # (n, m)
    ramp_exponential: Array  # (n, m) per h


class Dose(NamedTuple):
    """An amount that enters one compartment, at once or evenly over ``duration``."""

    time: float  # h
    amount: float
    duration: float  # h, 0 = at once
    depot: str


def nothing() -> Segments:
    """A signal that is zero for all time."""
    zero, none = np.zeros(1), np.zeros((1, 0))
    return Segments(zero, zero, zero, np.zeros(0), none, none)


def evaluate(segments: Segments, times: Array | Sequence[float] | float) -> Array:
    """The signal at ``times`` (h, any shape): zero before the first start, just after an event at it.

    It is a sum of terms of either sign, so where it should be 0 it may be a rounding error of either sign.
    """
    moments = np.asarray(times, dtype=float)
    index = np.searchsorted(segments.starts, moments, side="right") - 1
    row = np.maximum(index, 0)
    elapsed = np.maximum(moments - segments.starts[row], 0.0)[..., None]
    terms = (segments.exponential[row] + segments.ramp_exponential[row] * elapsed) * np.exp(-segments.rates * elapsed)
    value = segments.constant[row] + segments.slope[row] * elapsed[..., 0] + terms.sum(axis=-1)
    return np.where(index < 0, 0.0, value)


def segments(system: Compartments, doses: Iterable[Dose], output: Mapping[str, float]) -> Segments:
    """What all doses together make of ``output`` (weight per unit of amount, by compartment).

    Exact superposition in O(n log n) for n doses. Raises ValueError for a dose that is negative or
    not finite, lasts a negative time, or goes into a compartment that does not exist.
    """
    responding = merged(responses(system, output))
    times, jumps = _jumps(system, tuple(doses), responding)
    return nothing() if not len(times) else _pack(times, _superpose(times, jumps, responding.rates), responding.rates)


def steady_state(system: Compartments, doses: Iterable[Dose], interval: float, output: Mapping[str, float]) -> Segments:
    """One cycle, 0 to ``interval`` (h), of doses that have been repeated every ``interval`` for ever.

    The doses are those of one cycle and must end within it. Raises ValueError when they do not, or when
    some drug never leaves the system, so that no steady state exists.
    """
    responding = merged(responses(system, output))
    cycle = tuple(doses)
    if any(dose.time < 0 or dose.time + dose.duration > interval for dose in cycle):
        raise ValueError(f"every dose of a cycle must begin and end within its {interval:g} h")
    times, jumps = _jumps(system, (*cycle, Dose(0.0, 0.0, 0.0, system.names[0])), responding)
    signals = _superpose(times, jumps, responding.rates)
    end = advance(Signal(signals.a[-1], signals.b[-1]), responding.rates, interval - times[-1])
    constant, slope = end.a[0], end.b[0]
    size = max(float(np.abs(signals.a).max()), 1e-300)
    if abs(constant) > 1e-9 * size or abs(slope) * interval > 1e-9 * size:
        raise ValueError("part of the dose never leaves the system, so there is no steady state")
    # Cycles k = 1, 2, ... ago add (a + b*k*T') q^k with q = exp(-rate*interval): a geometric series and its derivative.
    rates = responding.rates[1:]
    kept, gone = np.exp(-rates * interval), -np.expm1(-rates * interval)
    before = Signal(np.zeros_like(end.a), np.zeros_like(end.b))
    before.a[1:] = end.a[1:] / gone + end.b[1:] * interval * kept / gone**2
    before.b[1:] = end.b[1:] / gone
    past = advance(before, responding.rates, times)
    return _pack(times, Signal(signals.a + past.a, signals.b + past.b), responding.rates)


def add(parts: Iterable[Segments]) -> Segments:
    """The sum of signals, in one record: for drugs that feed the same channel."""
    parts = tuple(parts)
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return nothing()
    starts = np.unique(np.concatenate([part.starts for part in parts]))
    constant, slope = np.zeros(len(starts)), np.zeros(len(starts))
    signals = []
    for part in parts:
        index = np.searchsorted(part.starts, starts, side="right") - 1
        row, begun = np.maximum(index, 0), index >= 0
        elapsed = np.maximum(starts - part.starts[row], 0.0)
        constant += begun * (part.constant[row] + part.slope[row] * elapsed)
        slope += begun * part.slope[row]
        moved = advance(Signal(part.exponential[row], part.ramp_exponential[row]), part.rates, elapsed)
        signals.append(Signal(begun[:, None] * moved.a, begun[:, None] * moved.b))
    return Segments(
        starts,
        constant,
        slope,
        np.concatenate([part.rates for part in parts]),
        np.concatenate([signal.a for signal in signals], axis=1),
        np.concatenate([signal.b for signal in signals], axis=1),
    )


def _jumps(system: Compartments, doses: Sequence[Dose], responding: Responses) -> tuple[Array, Signal]:
    """What every start and end of a dose adds to the signal, by time: (n,) and (n, m)."""
    times, a, b = [], [], []
    for depot in sorted({dose.depot for dose in doses}):
        if depot not in system.names:
            raise ValueError(f"no compartment {depot!r}; there are {', '.join(system.names)}")
        into = system.names.index(depot)
        given = np.array([dose[:3] for dose in doses if dose.depot == depot], dtype=float)
        time, amount, duration = given.T
        if not np.isfinite(given).all() or (amount < 0).any() or (duration < 0).any():
            raise ValueError(f"a dose into {depot} has a time, amount or duration that is negative or not finite")
        at_once = duration == 0
        speed = amount[~at_once] / duration[~at_once]
        for when, much, signal in (
            (time[at_once], amount[at_once], responding.impulse),
            (time[~at_once], speed, responding.step),
            (time[~at_once] + duration[~at_once], -speed, responding.step),
        ):
            times.append(when)
            a.append(much[:, None] * signal.a[into])
            b.append(much[:, None] * signal.b[into])
    if not times:
        return np.zeros(0), Signal(np.zeros((0, 1)), np.zeros((0, 1)))
    starts, row = joined(np.concatenate(times))
    total = Signal(np.zeros((len(starts), len(responding.rates))), np.zeros((len(starts), len(responding.rates))))
    np.add.at(total.a, row, np.concatenate(a))
    np.add.at(total.b, row, np.concatenate(b))
    return starts, total


def joined(times: Array) -> tuple[Array, NDArray[np.intp]]:
    """Times in order, and the row of each given one among them; those that differ by next to nothing are one."""
    distinct, place = np.unique(times, return_inverse=True)
    begins = np.diff(distinct, prepend=-np.inf) > SAME_TIME
    return distinct[begins], (np.cumsum(begins) - 1)[place]


def _superpose(times: Array, jumps: Signal, rates: Array) -> Signal:
    """Running sum of all jumps so far, each aged to the time of its row.

    Row i first holds its own jump, then those of the last 2, 4, 8, ... events, because ageing from
    one event to another depends only on the time between them.
    """
    a, b = jumps.a.copy(), jumps.b.copy()
    reach = 1
    while reach < len(times):
        earlier = advance(Signal(a[:-reach], b[:-reach]), rates, times[reach:] - times[:-reach])
        a[reach:] += earlier.a
        b[reach:] += earlier.b
        reach *= 2
    return Signal(a, b)


def _pack(times: Array, signal: Signal, rates: Array) -> Segments:
    """Rate 0 is the constant and its ramp the slope."""
    return Segments(times, signal.a[:, 0], signal.b[:, 0], rates[1:], signal.a[:, 1:], signal.b[:, 1:])


def given(doses: Iterable[Dose], weight: float) -> Segments:
    """What is running in, per hour, times ``weight``: an infusion is its own input. Doses must last."""
    doses = tuple(doses)
    if any(dose.duration <= 0 for dose in doses):
        raise ValueError("a dose given at once has no rate; give it over a time")
    if not doses:
        return nothing()
    pool = Compartments(("given",), np.zeros((1, 1)))
    total = segments(pool, [dose._replace(depot="given") for dose in doses], {"given": weight})
    return total._replace(constant=total.slope, slope=np.zeros_like(total.slope))
