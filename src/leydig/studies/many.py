"""Many men under protocols with the fast kernel: what a population run asks of the numerics.

Every step here is done man by man or element by element, so that a man's bytes do not depend on his neighbours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from leydig import men as many_men
from leydig import model, numerics, population_prior, start
from leydig.baseline import Baseline, Lesion
from leydig.engine.kernel import EVERYTHING, STATUS, Batch, Control, kernel_source, solve_many
from leydig.engine.kernel import is_ready as kernel_ready
from leydig.engine.lane_arithmetic import PRECISIONS
from leydig.engine.reference import Status
from leydig.engine.schedule import Schedule
from leydig.engine.trace import build, flatten, names
from leydig.numerics import Mode
from leydig.pharmacology import drugs
from leydig.pharmacology.protocol import Protocol
from leydig.population_prior import Men
from leydig.schedules import schedule_of
from leydig.studies import couple, uncertainty, weight
from leydig.studies.clock import HOURS_PER_DAY, PER_DAY, Clock

DONE, REFUSED = Status.done.name, "refused"
SETTLING = Control(tolerance=1e-7)  # rest is a property of the equations, so it is found closely
SPACING = ((1.0, 4.0), (7.0, 8.0), (31.0, 16.0), (np.inf, 32.0))  # d of a mean at most, h between its samples
ROWS_TOGETHER = 40_000  # men times hours whose states are held at once
SPERM = "total_motile_sperm_count"


class Followed(NamedTuple):
    """What became of n men under one protocol."""

    quantities: dict[str, np.ndarray]  # (n, days), in canonical units; nan past ``reached``
    status: np.ndarray  # (n,) words: "done", or the name of what stopped him
    reached: np.ndarray  # (n,) d
    steps: np.ndarray  # (n,) whole numbers, of the solver


class Begun(NamedTuple):
    """n men at day 0: rows in the order of ``model.traced()``."""

    states: np.ndarray  # (n, s)
    vectors: np.ndarray  # (n, p)
    settled: np.ndarray  # (n,) whether a resting state was found


class Prepared(NamedTuple):
    """n men before any protocol."""

    men: Men
    begun: Begun
    scale: Mapping[tuple[str, str], np.ndarray]  # factors (n,) on the parameters of drugs and levers


def multipliers(protocols: Sequence[Protocol], seed: int, first: int, n: int) -> dict[str, np.ndarray]:
    """How these men differ in parameters of body and drugs: factors (n,) by dotted name."""
    spreads = dict(uncertainty.between_men())
    named = {name for protocol in protocols for name in protocol.drugs}
    for drug in sorted(named | {part for name in named for part in drugs.constituents(name)}):
        for parameter in drugs.get(drug).parameters.values():
            if parameter.between_men is not None and parameter.between_men.log_sd:
                # a drug whose equations are a system of the model has its parameters there as well
                spreads.setdefault(f"{drug}.{parameter.name}", parameter.between_men.log_sd)
    return population_prior.multipliers(spreads.items(), seed, first, n)


def follow_men(
    men: Men,
    factors: Mapping[str, np.ndarray],
    protocols: Sequence[Protocol],
    days: np.ndarray,
    wanted: Collection[str],
    over: float = 1.0,
    mode: Mode = "default",
    threads: int = 1,
    prepared: Prepared | None = None,
) -> list[Followed]:
    """Every man under every protocol at ``days``: one ``Followed`` per protocol, with the ``wanted`` quantities.

    A value is the mean of the ``over`` days up to its day (0: the value itself; day 0 always), or of those since day 0
    where there are fewer. It is sampled every 4 hours of one day, every 8 of up to a week, every 16 or 32 of longer
    times, which meet doses half a week or a day apart at several phases.

    A protocol is all that a man takes from day 0 on. ``factors`` are those of ``multipliers``, ``prepared`` what
    ``prepare`` made of both, where that has been done already. Raises InputError for a
    ``mode`` that cannot be used (``numerics.settings``); a man who cannot be solved has a status.
    """
    prepared = prepare(men, factors) if prepared is None else prepared
    clock = look(np.asarray(days, float), over)
    return [follow_one(prepared, protocol, clock, wanted, mode, threads) for protocol in protocols]


def prepare(men: Men, factors: Mapping[str, np.ndarray], shared: Mapping[str, np.ndarray] | None = None) -> Prepared:
    """Men with ``factors`` on their parameters, ready for any protocol.

    ``shared`` are values (n,) of parameters of the organ systems, in place of what the files say, by dotted name.
    """
    body = {name: factor for name, factor in factors.items() if name in names(model.Parameters)}
    scale = {
        (name.rpartition(".")[0], name.rpartition(".")[2]): factor
        for name, factor in factors.items()
        if name not in body
    }
    return Prepared(men, begin_men(men, body, shared), scale)


def use(protocol: Protocol, days: float, mode: Mode) -> numerics.Settings:
    """How men are solved under a protocol; InputError for a mode that it cannot have."""
    schedule = schedule_of(start.given(protocol, days), np.zeros(1))
    return numerics.settings(schedule, mode)


def is_ready(protocols: Sequence[Protocol], days: float, mode: Mode) -> bool:
    """Whether all machine code that these runs need lies in the cache; else the first of them compiles it."""
    settling = numerics.settings(_left_alone(np.zeros(1)))
    needed = {(one.variant, one.precision) for one in (settling, *(use(p, days, mode) for p in protocols))}
    return all(kernel_ready(model.traced(), variant, precision) for variant, precision in needed)


@cache
def kernel_digest() -> str:
    """Of the text of the generated kernel, whose change may change last digits."""
    texts = [kernel_source(model.traced(), EVERYTHING, precision) for precision in PRECISIONS]
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]


def begin_men(
    men: Men,
    factors: Mapping[str, np.ndarray],
    shared: Mapping[str, np.ndarray] | None = None,
    width: int = many_men.WIDTH,
) -> Begun:
    """Untreated men at day 0: at rest, those with a lesion where the equations then settle.

    ``factors`` multiply parameters of the organ systems by dotted name, ``shared`` stand in their place;
    ``width`` as in ``men.by_blocks``.
    """
    loaded = dict(zip(names(model.Parameters), flatten(model.load_parameters()), strict=True)) | dict(shared or {})
    parameters = build(model.Parameters, [value * factors.get(name, 1.0) for name, value in loaded.items()])
    columns: dict[str, Any] = {"age": men.age, **men.values}
    baseline = Baseline(**{name: columns[name] for name in Baseline._fields})
    severity: dict[str, Any] = dict(men.lesion)
    lesion = Lesion(**severity)
    vectors, states = many_men.individuals(baseline, parameters, lesion, width)
    ill = np.flatnonzero(np.any([left != 1 for left in men.lesion.values()], axis=0))
    settled = np.ones(len(states), bool)
    if len(ill):
        age = men.age[ill]
        schedule = _left_alone(age)
        found = solve_many(
            model.traced(),
            states[ill],
            vectors[ill],
            schedule,
            np.array([0.0, start.SETTLE_YEARS * start.HOURS_PER_YEAR]),
            floors=numerics.floors(),
            control=SETTLING,
            variant=numerics.settings(schedule).variant,
        )
        resting = found.values[:, -1]
        resting[:, start.BMD] = states[ill][:, start.BMD]
        fat, lean = men.values["fat_mass"][ill], men.values["lean_mass"][ill]
        vectors[ill], states[ill] = many_men.settled(resting, vectors[ill], age, fat, lean)
        settled[ill] = found.status == STATUS.index(Status.done)
    return Begun(states, vectors, settled)


def _left_alone(age: np.ndarray) -> Schedule:
    """Men who are given nothing and do not age."""
    schedule = schedule_of(start.Given((), ()), age)
    return schedule._replace(first_ramp=np.zeros_like(schedule.first_ramp))


def follow_one(
    prepared: Prepared, protocol: Protocol, clock: Clock, wanted: Collection[str], mode: Mode, threads: int = 1
) -> Followed:
    """Every man under one protocol."""
    return follow_given(prepared, start.given(protocol, float(clock.days[-1])), clock, wanted, mode, threads)


def follow_given(
    prepared: Prepared, given: start.Given, clock: Clock, wanted: Collection[str], mode: Mode, threads: int = 1
) -> Followed:
    """Every man under the same doses and levers."""
    men, begun, scale = prepared
    found = expected(prepared, given, clock, wanted)
    for some in together(np.flatnonzero(found.status == DONE), len(clock.hours), threads):
        own_scale = {key: factor[some] for key, factor in scale.items()}
        schedule = schedule_of(given, men.age[some], own_scale)
        settings = numerics.settings(schedule, mode)
        batch = solve_many(
            model.traced(),
            begun.states[some],
            begun.vectors[some],
            schedule,
            clock.hours,
            floors=numerics.floors(),
            control=settings.control,
            variant=settings.variant,
            precision=settings.precision,
            threads=threads,
        )
        _note(found, some, batch, begun.vectors[some], men.age[some], clock)
    return found


def expected(prepared: Prepared, given: start.Given, clock: Clock, wanted: Collection[str]) -> Followed:
    """Who can be followed under what is given, before anybody is."""
    men, begun, _ = prepared
    n, horizon = len(begun.states), float(clock.days[-1])
    allowed = begun.settled & weight.possible(given.levers, men.values["BMI"])
    return Followed(
        {name: np.full((n, len(clock.days)), np.nan) for name in wanted},
        np.where(begun.settled, np.where(allowed, DONE, REFUSED), Status.left_domain.name).astype(object),
        np.where(allowed, horizon, 0.0),
        np.zeros(n, np.int64),
    )


def together(who: np.ndarray, hours: int, threads: int = 1) -> Sequence[np.ndarray]:
    """Men, by number, in parts whose states at so many hours may be held at once."""
    size = threads * many_men.WIDTH * max(ROWS_TOGETHER // (hours * many_men.WIDTH), 1)
    return np.split(who, range(size, len(who), size)) if len(who) else ()


def _note(found: Followed, some: np.ndarray, batch: Batch, vectors: np.ndarray, age: np.ndarray, clock: Clock) -> None:
    """Quantities, status and work of some of the men, into their rows."""
    wanted = found.quantities
    direct = {*wanted} - {*couple_names()} | ({SPERM} if {*wanted} & {*couple_names()} else set())
    values = many_men.quantities_of(batch.values, vectors, np.swapaxes(batch.inputs, 1, 2), direct)
    shown = {name: _shown(series, clock) for name, series in values.items()}
    if {*wanted} & {*couple_names()}:
        shown |= couple.chances_of_men(shown[SPERM], clock.days, age, couple.parameters())
    failed = batch.status != 0
    for name in wanted:
        wanted[name][some] = np.where(failed[:, None] & ~np.isfinite(batch.values[:, clock.samples[:, -1], 0]), np.nan,
                                      shown[name])  # fmt: skip
    found.steps[some] = batch.steps
    for row in np.flatnonzero(failed):
        found.status[some[row]] = STATUS[batch.status[row]].name
        found.reached[some[row]] = batch.reached[row] / HOURS_PER_DAY


@cache
def couple_names() -> tuple[str, ...]:
    """Quantities that need a couple: the same couple for every man."""
    none = np.zeros((1, 1))
    return tuple(couple.chances_of_men(none, np.zeros(1), np.full(1, 30.0), couple.parameters()))


def _shown(series: np.ndarray, clock: Clock) -> np.ndarray:
    """(n, days) from (n, hours): the mean of each day's samples, added one after another for the sake of the bytes."""
    total = np.zeros((len(series), len(clock.days)))
    for place in clock.samples.T:
        total = total + series[:, place]
    return total / clock.samples.shape[1]


def look(days: np.ndarray, over: float) -> Clock:
    """When to look for values at ``days`` that are means of the ``over`` days up to each."""
    if not over:
        return Clock(days, days * HOURS_PER_DAY, np.arange(len(days))[:, None])
    spacing = next(hours for most, hours in SPACING if over <= most)
    last = np.floor(days * PER_DAY + 1e-9) / PER_DAY * HOURS_PER_DAY  # an end within a day meets doses at no new hour
    count = max(round(over * HOURS_PER_DAY / spacing), 1)
    apart = (
        np.minimum(over * HOURS_PER_DAY, last) / count
    )  # closer in the days in which a whole window has not passed yet
    hours, places = np.unique(np.round(last[:, None] - apart[:, None] * np.arange(count), 6), return_inverse=True)
    return Clock(days, hours, places.reshape(len(days), count))
