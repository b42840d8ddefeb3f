"""The inputs of many men under one protocol: the engine's schedule, from doses and levers.

The same for one man is ``start.driven`` and ``start.input_table``, which add all doses up; here they stay events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leydig import model
from leydig.engine.schedule import Schedule, moved
from leydig.errors import InputError
from leydig.pharmacology import levers, many
from leydig.pharmacology.kinetics import joined
from leydig.pharmacology.levers import LeverEvent
from leydig.pharmacology.many import Answer, Scale
from leydig.start import CHANNELS, HOURS_PER_YEAR, Given

Array = NDArray[np.float64]
Kind = many.Kind | tuple[str, int]  # of a drug, or a lever's input and the number of its change
Effects = dict[Kind, list[Answer]]  # of one unit


class Event(NamedTuple):
    """``amount`` units of a kind at a time."""

    time: float  # h
    kind: Kind
    amount: float


def schedule_of(given: Given, age: Array, scale: Scale | None = None, start: float = 0.0) -> Schedule:
    """The inputs of n men who are all given the same, for a run that begins at ``start`` (h; day 0 is 0).

    ``age`` (n,) in years is that at day 0. ``scale`` multiplies, with one number per man, parameters by (drug,
    parameter) or by (``levers.SYSTEM``, parameter). What was given before ``start`` stands in ``first``. A man's
    numbers do not depend on who else is there. InputError where ``age`` or ``scale`` is not one number per man, or
    a dose cannot be given.
    """
    age = np.asarray(age, float)
    scale = {} if scale is None else scale
    _check(age, scale)
    events, effects = _together(given, scale)
    begin = min([start, *(event.time for event in events[:1])])
    schedule = _assemble(events, effects, age, begin)
    return schedule if begin == start else _begun(schedule, begin, start)


def _check(age: Array, scale: Scale) -> None:
    if age.ndim != 1 or not np.isfinite(age).all():
        raise InputError("the ages of the men must be one finite number per man")
    for (system, parameter), factor in scale.items():
        if np.shape(factor) != age.shape:
            said = f"{parameter} of {system} is scaled by an array of shape {np.shape(factor)}"
            raise InputError(f"{said}; it must be one number per man, ({len(age)},)")


def _together(given: Given, scale: Scale) -> tuple[list[Event], Effects]:
    """All events in order of time, and what one unit of each kind adds."""
    doses = many.rows(given.doses)
    changes, by_lever = _levers(given.levers, scale)
    effects: Effects = dict(by_lever)
    effects.update(many.answers(dict.fromkeys(row.kind for row in doses), scale).items())
    events = [*(Event(*row) for row in doses), *changes]
    if not events:
        return [], {}
    moments, place = joined(np.array([event.time for event in events]))
    ordered = np.argsort(place, kind="stable")
    return [events[i]._replace(time=float(moments[place[i]])) for i in ordered], effects


def _levers(events: Sequence[LeverEvent], scale: Scale) -> tuple[list[Event], Effects]:
    """Every change of a lever's input is an event of its own kind, because men answer to it differently."""
    men = max((len(factor) for (system, _), factor in scale.items() if system == levers.SYSTEM), default=1)
    numbers: dict[str, Any] = {
        name: ((entry.value or 0.0) * scale.get((levers.SYSTEM, name), np.ones(men)))[:, None]
        for name, entry in levers.parameters().items()
    }
    changes: list[Event] = []
    effects: Effects = {}
    for channel, pieces in levers.channels(events, numbers).items():
        constant, slope = np.atleast_2d(pieces.constant), np.atleast_2d(pieces.slope)
        a, b = constant.copy(), slope.copy()
        a[:, 1:] -= constant[:, :-1] + slope[:, :-1] * np.diff(pieces.starts)
        b[:, 1:] -= slope[:, :-1]
        for i, time in enumerate(pieces.starts.tolist()):
            if a[:, i].any() or b[:, i].any():
                changes.append(Event(time, (channel, i), 1.0))
                effects[channel, i] = [Answer(channel, None, np.zeros(1), a[:, i], b[:, i])]
    return changes, effects


def _assemble(events: Sequence[Event], effects: Effects, age: Array, begin: float) -> Schedule:
    """Terms and kinds side by side, for a run that begins at ``begin``, which no event precedes."""
    # Flat terms of what is never 0 come first, then those of the kinds in the order in which they first occur.
    aged = age + begin / HOURS_PER_YEAR
    initial = {name: (a, b) for name, a, b in _left_alone(aged) if np.any(a) or b}
    terms: dict[tuple[str, tuple[str, int] | None], Array] = {(name, None): np.zeros(1) for name in initial}
    kinds = {kind: place for place, kind in enumerate(dict.fromkeys(event.kind for event in events))}
    for kind in kinds:
        terms |= {(answer.channel, answer.term): answer.rate for answer in effects[kind]}
    column = {term: place for place, term in enumerate(terms)}
    n, m, k = len(age), len(terms), len(kinds)
    rate, first, first_ramp = np.zeros((n, m)), np.zeros((n, m)), np.zeros((n, m))
    jump, ramp = np.zeros((n, k, m)), np.zeros((n, k, m))
    for term, place in column.items():
        rate[:, place] = terms[term]
    for name, (a, b) in initial.items():
        first[:, column[name, None]], first_ramp[:, column[name, None]] = a, b
    for kind, number in kinds.items():
        for answer in effects[kind]:
            place = column[answer.channel, answer.term]
            jump[:, number, place] += answer.a
            ramp[:, number, place] += answer.b
    return Schedule(
        channel=np.array([CHANNELS.index(channel) for channel, _ in terms], np.int64),
        rate=rate,
        first=first,
        first_ramp=first_ramp,
        time=np.array([[event.time for event in events]], float),
        kind=np.array([[kinds[event.kind] for event in events]], np.int64),
        amount=np.array([[event.amount for event in events]], float),
        jump=jump,
        ramp=ramp,
    )


def _left_alone(age: Array) -> Iterable[tuple[str, Any, float]]:
    """What a man who is given nothing has in every channel, and how fast it grows per hour."""
    for name, value in model.Inputs(age=0.0)._asdict().items():
        yield (name, age, 1 / HOURS_PER_YEAR) if name == "age" else (name, value, 0.0)


def _begun(schedule: Schedule, begin: float, start: float) -> Schedule:
    """The same inputs for a run that begins at ``start``: earlier events are aged to it and are no events any more."""
    a, b, rate = schedule.first, schedule.first_ramp, schedule.rate
    earlier = int(np.searchsorted(schedule.time[0], start, side="left"))
    now = begin
    for event in range(earlier):
        time, kind, amount = schedule.time[0, event], schedule.kind[0, event], schedule.amount[0, event]
        a, b = moved(a, b, rate, time - now)
        a, b, now = a + amount * schedule.jump[:, kind], b + amount * schedule.ramp[:, kind], time
    a, b = moved(a, b, rate, start - now)
    return schedule._replace(
        first=a,
        first_ramp=b,
        time=schedule.time[:, earlier:].copy(),
        kind=schedule.kind[:, earlier:].copy(),
        amount=schedule.amount[:, earlier:].copy(),
    )
