"""What a man takes: a protocol, and the changes of one drug's dose that rules have made so far.

A change holds from an hour on. The first dose that would have been due then is the first one of the new amount, so
there are never two doses at once and no dose is brought forward. A change of amount keeps the times of the doses; a new
schedule begins at that dose and goes on from there, on its weekdays where it names such. The regimen ends when it
would have ended, doses that the protocol says are missed stay missed (counted on through every change), and a drug
without pause changes its rate at the hour itself. All other courses are untouched.

Time counts in hours from the beginning of day 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from leydig.errors import InputError
from leydig.pharmacology.kinetics import SAME_TIME, Event
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.schedule import HOURS, MOST_EVENTS, Continuous, Once, Schedule
from leydig.pharmacology.steps import Regimen
from leydig.pharmacology.titration import RuleSet
from leydig.pharmacology.titration_actions import Action, Prescription


class Change(NamedTuple):
    """What is prescribed from an hour on."""

    hour: float
    prescription: Prescription


@dataclass(frozen=True, slots=True)
class Treatment:
    """A protocol with the changes of its titrated drug; men with equal treatments take the same doses."""

    protocol: Protocol
    drug: str | None = None  # with its form; None where nothing is titrated
    changes: tuple[Change, ...] = ()  # in order of time

    @classmethod
    def of(cls, protocol: Protocol, rules: RuleSet | None) -> Treatment:
        """The protocol before any change; InputError where the rules have no single regimen that they can titrate."""
        if rules is None:
            return cls(protocol)
        regimens = [step for step in protocol.regimens if not step.supplement]
        meant = [step for step in regimens if not rules.drugs or {step.name, step.drug} & {*rules.drugs}]
        if not meant:
            what = f"{' or '.join(rules.drugs) or 'a drug'}"
            held = ", ".join(protocol.drugs) or "none"
            raise InputError(f'the rules titrate {what}, and the protocol "{protocol.text()}" has drugs: {held}')
        names = tuple(dict.fromkeys(step.name for step in meant))
        if len(names) > 1:
            example = f'"titrate {names[-1]} {rules.visits.text()}: ..."'
            raise InputError(f"the protocol has {' and '.join(names)}; say which the rules titrate, as in {example}")
        regimen = meant[0]
        if len(meant) > 1 or sum(step.drug == regimen.drug for step in regimens) > 1:
            raise InputError(f"rules titrate one regimen, and the protocol has several of {regimen.drug}")
        if isinstance(regimen.schedule, Once):
            raise InputError(f'"{regimen.text()}" is a single dose; rules titrate a repeated one')
        rules.latitude(regimen.name)
        return cls(protocol, regimen.name)

    @property
    def regimen(self) -> Regimen:
        """The titrated regimen as the protocol has it."""
        return self._placed().step

    def _placed(self) -> _PlacedRegimen:
        for course in self.protocol.courses:
            for placed in course.placed():
                if isinstance(placed.step, Regimen) and placed.step.name == self.drug:
                    return _PlacedRegimen(placed.step, placed.start, placed.end)
        raise InputError("nothing is titrated in this treatment")

    @property
    def end(self) -> float | None:
        """Hour at which the titrated regimen ends, None where it goes on."""
        end = self._placed().end
        return None if end is None else float(end)

    @property
    def prescription(self) -> Prescription:
        """What is prescribed after the latest change."""
        return (
            self.changes[-1].prescription if self.changes else Prescription(self.regimen.amount, self.regimen.schedule)
        )

    @property
    def stopped(self) -> bool:
        return bool(self.changes) and self.changes[-1].prescription.stopped

    def words(self) -> str:
        """What is prescribed after the latest change: "1 mg daily", "stopped"."""
        return self.prescription.words(self.regimen.unit)

    def after(self, action: Action, hour: float, rules: RuleSet) -> Treatment:
        """The treatment with a change that holds from an hour on; the same one where the action changes nothing.

        Changes come in order of time; one at the hour of the latest change takes its place.
        """
        if self.changes and hour < self.changes[-1].hour:
            raise InputError(f"a change at {hour:g} h comes before the latest one, at {self.changes[-1].hour:g} h")
        now = self.prescription
        then = action.after(now, rules.latitude(self.regimen.name))
        end = self._placed().end
        if then == now or (end is not None and hour >= end):
            return self
        earlier = replace(self, changes=tuple(change for change in self.changes if change.hour < hour))
        if then == earlier.prescription:
            return earlier
        return replace(self, changes=(*earlier.changes, Change(float(hour), then)))

    def doses(self, horizon_hours: float, start_weekday: int = 0) -> list[Event]:
        """Doses of all drugs before the horizon (h), in order of time, as ``Protocol.events`` gives them."""
        days = horizon_hours / float(HOURS["day"])
        planned = self.protocol.events(days, start_weekday)
        if not self.changes:
            return planned
        step, start, end = self._placed()
        horizon = Fraction(repr(days)) * HOURS["day"]
        end = horizon if end is None else min(end, horizon)
        taken = _without_pause if isinstance(step.schedule, Continuous) else _one_by_one
        own = [Event(step.drug, step.form, *rest) for rest in taken(step, start, end, self.changes, start_weekday)]
        order = {name: place for place, name in reversed([*enumerate(self.protocol.drugs)])}
        events = [event for event in planned if event.drug != step.drug] + own
        return sorted(events, key=lambda event: (event.time, order[event.drug]))


class _PlacedRegimen(NamedTuple):
    step: Regimen
    start: Fraction
    end: Fraction | None


_Taken = Iterator[tuple[float, float, float]]  # time, amount, duration


def _one_by_one(step: Regimen, start: Fraction, end: Fraction, changes: tuple[Change, ...], weekday: int) -> _Taken:
    """The doses that are taken; every due dose is counted, whether it is taken or not."""
    now = Prescription(step.amount, step.schedule)
    waiting = list(reversed(changes))
    due = _due(step.schedule, start, end, weekday)
    number = 0
    while (time := next(due, None)) is not None:
        before = now.schedule
        while waiting and time >= waiting[-1].hour - SAME_TIME:
            now = waiting.pop().prescription
        if now.schedule != before:  # begins at this dose; on weekdays its first one may be later
            due = _due(now.schedule, time, end, weekday)
            continue
        number += 1
        if not now.stopped and not (step.missed and step.missed.holds(number)):
            yield float(time), now.amount, 0.0


def _due(schedule: Schedule, start: Fraction, end: Fraction, weekday: int) -> Iterator[Fraction]:
    if schedule.most(end - start) > MOST_EVENTS:
        raise InputError(f"a titrated schedule has more than {MOST_EVENTS:,} doses")
    return iter(schedule.times(start, end, weekday))


def _without_pause(step: Regimen, start: Fraction, end: Fraction, changes: tuple[Change, ...], weekday: int) -> _Taken:
    """One stretch for each rate."""
    now, since, last = Prescription(step.amount, step.schedule), float(start), float(end)
    for hour, following in (*changes, Change(last, now)):
        until = min(max(hour, since), last)
        if until - since > SAME_TIME and not now.stopped:
            yield since, now.amount, until - since
        now, since = following, until
