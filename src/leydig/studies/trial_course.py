"""A group of virtual men on their way through a trial: who they are, what they go through, what is read of them.

A group holds the same number of men for every draw of what is uncertain, so that a replicate of the trial can be taken
from one draw alone: parameters and laboratory are then the same for all its men, as they are in a real trial.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig import start
from leydig.numerics import Mode
from leydig.pharmacology.protocol import Protocol
from leydig.population_prior import Men, some_men
from leydig.population_prior.streams import uniforms
from leydig.studies import many, trial_readings
from leydig.studies.balance import resampled
from leydig.studies.clock import HOURS_PER_DAY, Clock
from leydig.studies.enrol import choose, members, table
from leydig.studies.figures import FIRST_DAILY_MEAN, SAMPLES
from leydig.studies.many import Followed, Prepared
from leydig.studies.recruit import Candidates, Recruitment
from leydig.studies.trial_pool import Enrolled
from leydig.studies.unknowns import Unknowns, columns

NOTHING = start.Given((), ())


class Visit(NamedTuple):
    """When something is read."""

    day: float
    moment: bool = False  # what is in the blood at that time, not the mean of the day before


class Group(NamedTuple):
    """The men of one arm, draw after draw."""

    prepared: Prepared
    several: tuple[Unknowns, ...]
    draw: np.ndarray  # (N,) place in ``several``
    assay: Mapping[str, str]
    baseline: Mapping[str, Mapping[str, Any]]  # random numbers of what was read at baseline
    screened: Sequence[np.ndarray]  # (N,) by criterion, readings that they were let in on
    seed: int
    enrolled: Enrolled

    @property
    def men(self) -> Men:
        return self.prepared.men


def gather(
    name: str, wanted: Recruitment, some: Candidates, several: Sequence[Unknowns], size: int, first: int,
    protocols: Sequence[Protocol], seed: int,
) -> Group:  # fmt: skip
    """``size`` men per draw that is possible, with ids from ``first``; ``protocols`` are all that they may be given."""
    each = [choose(wanted, some, several[place], place) for place in some.possible]
    several = [several[place] for place in some.possible]
    offsets = uniforms(seed, f"recruiting {first}", 0, len(several))
    picked = [resampled(one.balanced.weights, size, float(offset)) for one, offset in zip(each, offsets, strict=True)]
    rows = np.concatenate([one.rows[own] for one, own in zip(each, picked, strict=True)])
    draw = np.repeat(np.arange(len(several)), size)
    who, baseline = members(some, rows, first)
    factors = many.multipliers(protocols, seed, first, len(rows))
    shared, scale = columns(several, draw)
    prepared = many.prepare(who, factors, shared)
    together = {
        key: prepared.scale.get(key, 1.0) * scale.get(key, 1.0) for key in {**prepared.scale, **scale}
    }  # fmt: skip
    return Group(
        prepared._replace(scale={key: np.broadcast_to(factor, len(rows)) for key, factor in together.items()}),
        tuple(several),
        draw,
        wanted.assay,
        baseline,
        [
            np.concatenate([one.screened[place][own] for one, own in zip(each, picked, strict=True)])
            for place in range(len(wanted.criteria))
        ],
        seed,
        table(name, wanted, some, each, picked),
    )


# What they go through ------------------------------------------------------------------------------


def later(given: start.Given, hours: float) -> start.Given:
    """The same, this much later."""
    return start.Given(
        tuple(dose._replace(time=dose.time + hours) for dose in given.doses),
        tuple(change._replace(time=change.time + hours) for change in given.levers),
    )


def joined(*several: start.Given) -> start.Given:
    """Everything that is given, in order of time."""
    doses = sorted((dose for given in several for dose in given.doses), key=lambda dose: dose.time)
    changes = sorted((change for given in several for change in given.levers), key=lambda change: change.time)
    return start.Given(tuple(doses), tuple(changes))


def clock_of(visits: Sequence[Visit], after: float = 0.0) -> Clock:
    """When to compute for these visits, whose day 0 comes ``after`` days; means as published figures have them."""
    moments = np.array(
        [
            (visit.day - (0.0 if visit.moment or visit.day < FIRST_DAILY_MEAN else SAMPLES)) + np.zeros(len(SAMPLES))
            for visit in visits
        ]
    )
    hours, places = np.unique(np.round((after + moments) * HOURS_PER_DAY, 6), return_inverse=True)
    if hours[0] > 0:
        hours, places = np.concatenate([[0.0], hours]), places + 1
    days = after + np.array([visit.day for visit in visits])
    return Clock(days, hours, places.reshape(moments.shape))


def follow(
    group: Group, given: Sequence[start.Given], taking: np.ndarray, clock: Clock, wanted: Collection[str],
    mode: Mode = "default", threads: int = 1,
) -> Followed:  # fmt: skip
    """Every man under what he takes: ``taking`` (N,) says which of ``given``."""
    names, n = trial_readings.needed(wanted), len(group.men.id)
    found = Followed(
        {name: np.full((n, len(clock.days)), np.nan) for name in names},
        np.full(n, many.DONE, dtype=object),
        np.zeros(n),
        np.zeros(n, np.int64),
    )
    for place, one in enumerate(given):
        rows = np.flatnonzero(taking == place)
        if not len(rows):
            continue
        part = many.follow_given(some_of(group.prepared, rows), one, clock, names, mode, threads)
        for name in names:
            found.quantities[name][rows] = part.quantities[name]
        found.status[rows], found.reached[rows], found.steps[rows] = part.status, part.reached, part.steps
    return found


def some_of(prepared: Prepared, rows: np.ndarray) -> Prepared:
    """Some of the men."""
    if len(rows) == len(prepared.men.id):
        return prepared
    men, begun, scale = prepared
    return Prepared(
        some_men(men, rows),
        many.Begun(begun.states[rows], begun.vectors[rows], begun.settled[rows]),
        {key: factor[rows] for key, factor in scale.items()},
    )


# What is read ---------------------------------------------------------------------------------------


def readings(
    group: Group, quantity: str, truth: Mapping[str, np.ndarray], visits: Sequence[Visit], limited: bool = True
) -> np.ndarray:  # fmt: skip
    """(N, v): what the laboratory of each draw prints at the visits; day 0 is the baseline that men were chosen by.

    An assay that is not ``limited`` prints what lies below its usual limit of quantification as well.
    """
    men, found = group.men, np.empty((len(group.draw), len(visits)))
    names = trial_readings.needed([quantity])
    for place, visit in enumerate(visits):
        if visit.day == 0 and quantity in group.baseline:
            numbers: Mapping[str, Any] = group.baseline[quantity]
        else:
            when = "baseline of all" if visit.day == 0 else f"day {visit.day!r}"
            numbers = trial_readings.drawn(quantity, group.assay, group.seed, when, int(men.id[0]), len(men.id))
        state = {name: truth[name][:, place] for name in names}
        for number, one in enumerate(group.several):
            own = np.flatnonzero(group.draw == number)
            found[own, place] = trial_readings.read(
                quantity,
                group.assay,
                {name: values[own] for name, values in state.items()},
                men.age[own],
                trial_readings.chosen(numbers, own),
                one,
                visit.moment,
                limited,
            )
    return found
