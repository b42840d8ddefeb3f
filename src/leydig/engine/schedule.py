"""Inputs u(t) of many men in closed form: terms with a man's own rates, events that jump them.

Where ``inputs`` holds one man's coefficients after every event, a schedule holds what one unit of an event adds,
so it grows with men and with events but never with their product.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


class Schedule(NamedTuple):
    """Inputs of n men: a channel is the sum of its terms (a + b*tau) exp(-rate*tau), tau hours since the latest event.

    At an event all terms are first moved to its time, then ``amount`` times the ``jump`` of its kind is added to every
    a and ``amount`` times the ``ramp`` of its kind to every b, for each event that is due. A term of rate 0 makes
    constants and lines. A channel without a term is 0. Arrays are contiguous.
    """

    channel: Numbers  # (m,) which channel a term adds to
    rate: Array  # (n, m) 1/h
    first: Array  # (n, m) a at the first time of the run, before any event then due
    first_ramp: Array  # (n, m) b then, per h
    time: Array  # (r, e) h, of every event, nondecreasing, +inf pads; r is 1 (all men share them) or n
    kind: Numbers  # (r, e)
    amount: Array  # (r, e)
    jump: Array  # (n, k, m) what one unit of each kind adds to a
    ramp: Array  # (n, k, m) and to b, per h


def evaluate(schedule: Schedule, man: int, times: Array) -> Array:
    """All channels of one man, up to the last that has a term, at ``times``: shape (channels, times).

    ``times`` (h) do not decrease; the first is the first time of the run. At an event it is the value just after.
    Written to be plain, for tests: the kernel does the same while it steps. Raises ValueError for events before the
    first time.
    """
    times = np.asarray(times, float)
    row = man if len(schedule.time) > 1 else 0
    due, kind, amount = schedule.time[row], schedule.kind[row], schedule.amount[row]
    if len(due) and due[0] < times[0]:
        raise ValueError(f"the schedule has an event at {due[0]:g} h, before the first time, {times[0]:g} h")
    rate, a, b = schedule.rate[man], schedule.first[man], schedule.first_ramp[man]
    values = np.zeros((int(schedule.channel.max(initial=-1)) + 1, len(times)))
    origin, event = times[0], 0
    for place, time in enumerate(times):
        while event < len(due) and due[event] <= time:
            a, b = moved(a, b, rate, due[event] - origin)
            a = a + amount[event] * schedule.jump[man, kind[event]]
            b = b + amount[event] * schedule.ramp[man, kind[event]]
            origin, event = due[event], event + 1
        # One after another: numpy's own sum groups terms by how many there are.
        for channel, term in zip(schedule.channel, moved(a, b, rate, time - origin)[0], strict=True):
            values[channel, place] += term
    return values


def moved(a: Array, b: Array, rate: Array, elapsed: float) -> tuple[Array, Array]:
    """The same terms counted from ``elapsed`` h later."""
    faded = np.exp(-rate * elapsed)
    return (a + b * elapsed) * faded, b * faded
