"""Many titrated men with the fast kernel: from visit to visit, those who were given the same so far together.

A man's bytes do not depend on who else has his history: the solver's variant, precision and steps are those of the
whole protocol, everything else is done man by man, and the random numbers of his samples are his own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain, groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from leydig import men as many_men
from leydig import model, numerics, start
from leydig.engine.kernel import STATUS, Batch, solve_many
from leydig.numerics import Mode
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.titration import RuleSet
from leydig.pharmacology.treatment import Treatment
from leydig.schedules import schedule_of
from leydig.studies import couple, sampling, titrate_visit
from leydig.studies.clock import HOURS_PER_DAY, Clock
from leydig.studies.many import SPERM, Followed, Prepared, couple_names, expected, together, use
from leydig.studies.sampling import Laboratory
from leydig.studies.titrate_visit import Visit

Numbers = dict[str, np.ndarray]


class Titrated(NamedTuple):
    """What became of n men under one protocol whose doses were changed."""

    followed: Followed
    visits: tuple[Visit, ...]
    treatments: tuple[Treatment, ...]  # as prescribed at the end
    laboratory: Laboratory
    rules: RuleSet


def follow_titrated(
    prepared: Prepared,
    protocol: Protocol,
    rules: RuleSet,
    clock: Clock,
    wanted: Collection[str],
    mode: Mode = "default",
    threads: int = 1,
    *,
    seed: int = 0,
    noise: bool = True,
) -> Titrated:
    """Every man under one protocol and the rules that change its doses; as ``many.follow_one`` otherwise.

    ``seed`` and the men's ids decide the noise of their samples; ids follow one another. Without ``noise`` every
    reading is the expected one.
    """
    men, _, _ = prepared
    horizon = float(clock.days[-1]) * HOURS_PER_DAY
    run = _Run(prepared, protocol, rules, clock, use(protocol, float(clock.days[-1]), mode), wanted, threads)
    place = sampling.common_laboratory(rules, noise)
    stops = titrate_visit.hours(rules, Treatment.of(protocol, rules), horizon)
    treatments: tuple[Treatment, ...] = (Treatment.of(protocol, rules),) * len(men.id)
    visits: list[Visit] = []
    names = sampling.needed(place.samples)
    run.look_at(names, _untreated(men.age), 0.0)
    for begin, end in pairwise([*dict.fromkeys([0.0, *stops]), horizon]):
        if begin in stops and len(men.id):
            drawn = sampling.draws(seed, place, begin, int(men.id[0]), len(men.id))
            there = (run.found.status == "done").astype(bool)
            now = titrate_visit.attend(rules, place, visits, begin, run.seen, men.age, drawn, treatments, there)
            visits.append(now)
            treatments = now.after
        run.go_on(treatments, begin, end, names)
    return Titrated(run.finished(), tuple(visits), treatments, place, rules)


class _Run:
    """Men on their way: states at the latest visit, and the sums of which the shown means are made."""

    def __init__(
        self, prepared: Prepared, protocol: Protocol, rules: RuleSet, clock: Clock, settings: numerics.Settings,
        wanted: Collection[str], threads: int,
    ) -> None:  # fmt: skip
        self.prepared, self.protocol, self.clock = prepared, protocol, clock
        self.settings, self.threads, self.wanted = settings, threads, tuple(wanted)
        days = float(clock.days[-1])
        self.found = expected(prepared, start.given(protocol, days), clock, wanted)
        self.states = prepared.begun.states.copy()
        self.seen: Numbers = {}
        n, chances = len(self.states), {*wanted} & {*couple_names()}
        kept = {*wanted} - chances | ({SPERM} if chances else set())
        self.sums = {name: np.zeros((n, len(clock.days))) for name in kept}

    def look_at(self, names: Sequence[str], inputs: np.ndarray, hour: float) -> None:
        """What a sample of everybody is made of, at the beginning; ``inputs`` (n, channels)."""
        values = many_men.quantities_of(
            self.states[:, None], self.prepared.begun.vectors, inputs[:, :, None], names
        )  # fmt: skip
        self.seen = {name: series[:, 0].copy() for name, series in values.items()}

    def go_on(self, treatments: Sequence[Treatment], begin: float, end: float, names: Sequence[str]) -> None:
        """Everybody from ``begin`` to ``end`` (h), each on his own treatment."""
        groups: dict[Treatment, list[int]] = {}
        for man in np.flatnonzero(self.found.status == "done").tolist():
            groups.setdefault(treatments[man], []).append(man)
        hours, days = self.clock.hours, float(self.clock.days[-1])
        inside = np.flatnonzero((hours >= begin) & ((hours < end) | (end == days * HOURS_PER_DAY)))
        moments = np.union1d(hours[inside], [begin, end])
        given = {one: titrate_visit.given(one, self.protocol, days, end) for one in groups}
        for some in together(np.array([*chain.from_iterable(groups.values())], int), len(moments), self.threads):
            own = [treatments[man] for man in some]
            parts = [
                self._solve(given[treatment], some[[place for place, _ in same]], moments)
                for treatment, same in groupby(enumerate(own), key=itemgetter(1))
            ]
            batch = Batch(*(np.concatenate(several) for several in zip(*parts, strict=True)))
            self._add(some, batch, np.searchsorted(moments, hours[inside]), inside, names)

    def _solve(self, given: start.Given, some: np.ndarray, moments: np.ndarray) -> Batch:
        men, begun, scale = self.prepared
        own_scale = {key: factor[some] for key, factor in scale.items()}
        return solve_many(
            model.traced(),
            self.states[some],
            begun.vectors[some],
            schedule_of(given, men.age[some], own_scale, float(moments[0])),
            moments,
            floors=numerics.floors(),
            control=self.settings.control,
            variant=self.settings.variant,
            precision=self.settings.precision,
            threads=self.threads,
        )

    def _add(
        self, some: np.ndarray, batch: Batch, places: np.ndarray, inside: np.ndarray, names: Sequence[str]
    ) -> None:
        """Values to the sums, states and what a sample is made of to the men, and how the solver fared."""
        vectors, inputs = self.prepared.begun.vectors[some], np.swapaxes(batch.inputs, 1, 2)
        values = many_men.quantities_of(batch.values, vectors, inputs, {*self.sums, *names})
        if len(inside):
            samples, first = self.clock.samples, int(inside[0])
            for column in samples.T:  # one after another for the sake of the bytes
                here = np.flatnonzero((column >= first) & (column <= inside[-1]))
                for name, total in self.sums.items():
                    total[np.ix_(some, here)] += values[name][:, places[column[here] - first]]
        for name in names:
            self.seen[name][some] = values[name][:, -1]
        self.states[some] = batch.values[:, -1]
        self.found.steps[some] += batch.steps
        for row in np.flatnonzero(batch.status != 0):
            man = some[row]
            self.found.status[man] = STATUS[batch.status[row]].name
            self.found.reached[man] = batch.reached[row] / HOURS_PER_DAY

    def finished(self) -> Followed:
        """The means; nan from where a man stopped."""
        clock, wanted = self.clock, self.found.quantities
        last = clock.hours[clock.samples].max(axis=1)
        missed = last > self.found.reached[:, None] * HOURS_PER_DAY
        missed |= np.isin(self.found.status, ["refused"])[:, None] | ~self.prepared.begun.settled[:, None]
        shown = {name: np.where(missed, np.nan, total / clock.samples.shape[1]) for name, total in self.sums.items()}
        if {*wanted} & {*couple_names()}:
            age = self.prepared.men.age
            shown |= couple.chances_of_men(shown[SPERM], clock.days, age, couple.parameters())
        for name in wanted:
            wanted[name][:] = shown[name]
        return self.found


def _untreated(age: np.ndarray) -> np.ndarray:
    """The inputs (n, channels) of men who were given nothing yet."""
    inputs = np.tile(np.array(model.Inputs(age=0.0), float), (len(age), 1))
    inputs[:, model.Inputs._fields.index("age")] = age
    return inputs
