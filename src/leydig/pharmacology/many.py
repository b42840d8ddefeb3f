"""What doses make of the channels in many men at once: what one unit adds later, for every man's own rates.

``drugs.channels`` adds up all doses of one man. Here nothing is added up: a unit of a drug in a form answers with
terms (a + b*tau) exp(-rate*tau), and an event says how many units are given when. The functions of ``drugs`` that
read a drug's declaration only multiply and divide, so they take one number per man as well as one number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leydig.errors import InputError
from leydig.pharmacology import drugs
from leydig.pharmacology.drug_file import Drug, share
from leydig.pharmacology.impulse import Responses, responses
from leydig.pharmacology.kinetics import Event

Array = NDArray[np.float64]
Scale = Mapping[tuple[str, str], Array]  # (drug, parameter): (n,)


class Kind(NamedTuple):
    """Events that differ only in time and amount."""

    drug: str
    form: str
    lasting: bool  # one unit is 1 per h from now on, in the drug's dose unit; otherwise it is given at once


class Row(NamedTuple):
    """``amount`` units of a kind at a time; a dose that lasts is a row where it begins and minus it where it ends."""

    time: float  # h
    kind: Kind
    amount: float


class Answer(NamedTuple):
    """(a + b*tau) exp(-rate*tau) that one unit adds to a channel; arrays (n,), or (1,) where men do not differ."""

    channel: str
    term: tuple[str, int] | None  # which of a drug's rates, so that all its forms share terms; None is the rate 0
    rate: Array  # 1/h
    a: Array
    b: Array


def rows(events: Iterable[Event]) -> list[Row]:
    """What every event gives, in the order of the events: one that lasts is a start and an end.

    InputError for an amount, a time or a duration that is negative or not finite, and for a dose per day without
    a time for which it runs.
    """
    found: list[Row] = []
    known: dict[tuple[str, str | None], tuple[Any, str]] = {}
    for event in events:
        named = event.drug, event.form
        if named not in known:
            drug, form = drugs.resolve(*named)
            known[named] = drug, next(name for name, its in drug.forms.items() if its is form)
        drug, form_name = known[named]
        _check(event, drug.continuous)
        if event.duration == 0:
            found.append(Row(event.time, Kind(drug.name, form_name, False), event.amount))
            continue
        lasting = Kind(drug.name, form_name, True)
        speed = event.amount / (drugs.HOURS_PER_DAY if drug.continuous else event.duration)
        found += [Row(event.time, lasting, speed), Row(event.time + event.duration, lasting, -speed)]
    return found


def _check(event: Event, continuous: bool) -> None:
    if not (np.isfinite(event[2:]).all() and event.amount >= 0 and event.duration >= 0):
        said = f"a dose of {event.drug} at {event.time:g} h has an amount or a duration that is negative or not finite"
        raise InputError(said)
    if continuous and event.duration == 0:
        raise InputError(f"{event.drug} is given per day and needs a time for which it runs")


def answers(kinds: Iterable[Kind], scale: Scale | None = None) -> dict[Kind, list[Answer]]:
    """What one unit of each kind adds to the channels of every man.

    ``scale`` multiplies parameters by (drug, parameter) with one number per man. Of a mixture its constituents answer.
    """
    known: dict[str, tuple[dict[str, Any], Responses | None]] = {}
    found: dict[Kind, list[Answer]] = {}
    for kind in kinds:
        unit = Event(kind.drug, kind.form, 0.0, 1.0, 0.0)
        found[kind] = []
        for drug, form, part in drugs.separated(unit, scale):  # type: ignore[arg-type]  # one number per man
            if drug.name not in known:
                numbers: dict[str, Any] = drugs.values(drug, scale)  # type: ignore[arg-type]
                known[drug.name] = numbers, _responses(drug, numbers)
            numbers, responding = known[drug.name]
            entering = {depot: part.amount * share(factors, numbers) for depot, factors in form.into.items()}
            if responding is None:
                found[kind].append(_as_given(drug, kind, sum(entering.values()), numbers))
            else:
                found[kind] += _terms(drug, responding, kind.lasting, entering)
    return found


def _responses(drug: Drug, numbers: Mapping[str, Any]) -> Responses | None:
    """After one unit into each compartment; None for a drug whose channel is what is being given."""
    if drug.output.as_given:
        return None
    return responses(drugs.system(drug, numbers), drugs.weights(drug, numbers))


def _as_given(drug: Drug, kind: Kind, entering: Array | float, numbers: Mapping[str, Any]) -> Answer:
    if not kind.lasting:
        raise InputError(f"{drug.name} acts by the rate at which it is given and needs a time for which it runs")
    a = np.atleast_1d(np.asarray(entering * drugs.unit_factor(drug, numbers), float))
    return Answer(drug.channel.name, None, np.zeros(1), a, np.zeros(1))


def _terms(drug: Drug, responding: Responses, lasting: bool, entering: Mapping[str, Array | float]) -> list[Answer]:
    """The responses of all compartments that a unit enters, together; terms that nobody has are left out."""
    depots = list(drug.compartments)
    signal = responding.step if lasting else responding.impulse
    found = []
    for number, rate in enumerate(responding.rates.T):
        a, b = np.zeros(1), np.zeros(1)
        for depot, much in entering.items():
            place = depots.index(depot)
            a = a + much * signal.a[:, place, number]
            b = b + much * signal.b[:, place, number]
        if a.any() or b.any():
            found.append(Answer(drug.channel.name, (drug.name, number) if number else None, rate, a, b))
    return found
