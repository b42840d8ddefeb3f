"""Virtual trials of men's fertility: the same men under each drug and under nothing, in noisy readings and in truth.

    several = {name: follow_group(name) for name in plan().groups}
    rows = [row for found in several.values() for row in effects(found)]

A change in readings of men who were let in on such a reading is the drug's effect times what comes back by itself. The
second part is read off the same men under nothing, with the same noise, so that both multiply to the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from leydig.errors import InputError
from leydig.numerics import Mode
from leydig.pharmacology.protocol import Protocol
from leydig.start import given
from leydig.studies import comparison, couple, uncertainty
from leydig.studies.fertility_plan import DAYS_PER_WEEK, NOTHING, Plan, plan
from leydig.studies.many import DONE
from leydig.studies.mixture import read_mixture
from leydig.studies.recruit import Recruitment, candidates
from leydig.studies.trial_course import NOTHING as NO_DRUG
from leydig.studies.trial_course import Group, Visit, clock_of, follow, gather, readings
from leydig.studies.trial_records import Men
from leydig.studies.unknowns import unknowns
from leydig.units import CANONICAL

COUNT, MOTILE, RATIO = "sperm_concentration", "total_motile_sperm_count", "testosterone_estradiol_ratio"
READ = (COUNT, MOTILE, "testosterone", RATIO)
INTERVAL = (50, 2.5, 97.5)  # %, of the draws
MONTHLY = 4 * DAYS_PER_WEEK  # d, between counts that a chance of conception is computed from
PERCENT = 100
TINY = 1e-12


class Estimate(NamedTuple):
    """The middle of the draws and the interval that holds 95 % of them."""

    middle: float
    low: float
    high: float


class Followed(NamedTuple):
    """The men of a group under every drug. Men who could not be solved under all of them are not here."""

    group: str
    drugs: tuple[str, ...]  # nothing is the first
    days: np.ndarray  # (v,) d, the first is 0
    visits: tuple[int, ...]  # places in days at which men are read
    draw: np.ndarray  # (N,) from 0
    draws: tuple[int, ...]  # numbers of the draws of what is uncertain
    age: np.ndarray  # (N,) years
    truth: Mapping[str, Mapping[str, np.ndarray]]  # (N, v) 24-hour means, by drug and quantity
    printed: Mapping[str, Mapping[str, np.ndarray]]  # (N, len(visits)) readings
    failed: int


# Men -----------------------------------------------------------------------------------------------


def recruitment(men: Men) -> Recruitment:
    """Who is wanted: by condition, ages and readings, without a baseline table."""
    return Recruitment(read_mixture(men.condition), None, men.ages, None, tuple(men.criteria), {}, {})


def gathered(
    name: str, men: Men, protocols: Sequence[Protocol], quantities: Sequence[str], seed: int, draws: int, count: int
) -> Group:  # fmt: skip
    """``count`` men for each of the draws from 1 on, let in by their readings; ``quantities`` are read of them."""
    wanted, drugs = recruitment(men), {drug for protocol in protocols for drug in protocol.drugs}
    several = [unknowns(seed, number, drugs) for number in range(1, draws + 1)]
    some = candidates(wanted, several, seed, also=quantities)
    return gather(name, wanted, some, several, count, 0, protocols, seed)


def follow_group(
    name: str, of: Plan | None = None, *, draws: int | None = None, men: int | None = None, mode: Mode = "single",
    threads: int = 2,
) -> Followed:  # fmt: skip
    """The men of a group of the plan under nothing and each of its drugs. InputError for men who cannot be had."""
    of = plan() if of is None else of
    group = of.groups[name]
    protocols = {drug: Protocol.parse(of.drugs[drug].protocol) for drug in group.drugs}
    who = gathered(
        name, group.men, [*protocols.values()], READ, of.seed.value, draws or of.draws.value, men or of.men.value
    )
    visited = (0.0, *of.days(name))
    days = sorted({*visited, *np.arange(0, visited[-1], MONTHLY)} if group.couples else {*visited})
    places = tuple(days.index(day) for day in visited)
    clock, seen = clock_of([Visit(day) for day in days]), [Visit(day) for day in visited]
    truth, printed, solved = {}, {}, np.ones(len(who.draw), bool)
    for drug, protocol in {NOTHING: None, **protocols}.items():
        taken = NO_DRUG if protocol is None else given(protocol, days[-1])
        run = follow(who, [taken], np.zeros(len(who.draw), int), clock, READ, mode, threads)
        solved &= run.status == DONE
        at_visits = {quantity: series[:, places] for quantity, series in run.quantities.items()}
        truth[drug] = {quantity: run.quantities[quantity] for quantity in READ}
        printed[drug] = {quantity: readings(who, quantity, at_visits, seen) for quantity in READ}
    return Followed(
        name,
        tuple(truth),
        np.array(days),
        places,
        who.draw[solved],
        tuple(one.number for one in who.several),
        who.men.age[solved],
        {drug: {quantity: series[solved] for quantity, series in own.items()} for drug, own in truth.items()},
        {drug: {quantity: series[solved] for quantity, series in own.items()} for drug, own in printed.items()},
        int((~solved).sum()),
    )


# Effects -------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One line of the table; of a ratio or a level the middle of the draws."""

    group: str
    drug: str
    quantity: str
    day: float
    part: str
    unit: str
    estimate: Estimate


def estimate(values: np.ndarray) -> Estimate:
    """Of one value per draw."""
    return Estimate(*(float(value) for value in np.percentile(values, INTERVAL)))


def by_draw(values: np.ndarray, draw: np.ndarray, draws: int) -> np.ndarray:
    """(draws, ...) means over the men of each draw."""
    return np.array([values[draw == number].mean(axis=0) for number in range(draws)])


def logged(quantity: str, values: np.ndarray) -> np.ndarray:
    """On the scale on which published figures are compared: a count below a limit is none."""
    floor = comparison.settings()["floors"].get(quantity, 0.0)
    return np.asarray(np.log(np.maximum(values, 0.0) + floor + TINY))


def effects(found: Followed) -> Iterable[Row]:
    """What becomes of each quantity by drug and visit.

    Parts: ``level`` (geometric mean in truth), ``reading`` (of what is read), ``change`` (reading over the first
    reading), ``by itself`` (the same of the same men under nothing), ``drug`` (one over the other), ``true change``
    (the state over its own start), ``gain`` (mean of the state over that under nothing) and, of counts, ``higher``
    (share of men whose reading is higher than their first).
    """
    draws = len(found.draws)

    def mean(values: np.ndarray) -> np.ndarray:
        return by_draw(values, found.draw, draws)

    for quantity in READ:
        unit = CANONICAL[quantity]
        alone_read = logged(quantity, found.printed[NOTHING][quantity])
        alone_true = found.truth[NOTHING][quantity][:, found.visits]
        for drug in found.drugs:
            state = found.truth[drug][quantity][:, found.visits]
            read, true = logged(quantity, found.printed[drug][quantity]), logged(quantity, state)
            parts = {
                "level": ("log", true),
                "reading": ("log", read),
                "change": ("ratio", read - read[:, :1]),
                "by itself": ("ratio", alone_read - alone_read[:, :1]),
                "drug": ("ratio", read - alone_read),
                "true change": ("ratio", true - true[:, :1]),
                "gain": ("difference", state - alone_true),
                "higher": ("share", PERCENT * (read > read[:, :1])),
            }
            for part, (kind, values) in parts.items():
                each = mean(values)
                each = np.exp(each) if kind in ("log", "ratio") else each
                own = {"ratio": "1", "share": "%"}.get(kind, unit)
                for place, day in enumerate(found.days[list(found.visits)]):
                    if day or kind == "log":
                        yield Row(found.group, drug, quantity, float(day), part, own, estimate(each[:, place]))


def above(found: Followed, limits: Sequence[float]) -> Iterable[Row]:
    """Shares of men, %, whose reading of the count lies above limits (10^6/mL)."""
    for drug in found.drugs:
        values = found.printed[drug][COUNT]
        for limit in limits:
            each = by_draw(PERCENT * (values > limit), found.draw, len(found.draws))
            for place, day in enumerate(found.days[list(found.visits)]):
                yield Row(found.group, drug, COUNT, float(day), f"above {limit:g}", "%", estimate(each[:, place]))


# Conception ----------------------------------------------------------------------------------------


class Conception(NamedTuple):
    """The chance of conception by the last day in couples of one kind, over men."""

    group: str
    couple: str
    drug: str
    days: float
    share: Estimate  # %, who have conceived
    ratio: Estimate  # over the same couples where he takes nothing
    more: Estimate  # percentage points over them


def conceptions(found: Followed, of: Plan | None = None) -> Iterable[Conception]:
    """Cumulative conception by drug and couple; what is uncertain about couples is drawn with the rest.

    Counts are those of the state, between visits by straight lines; the partner and her months of trying are assumed.
    """
    of = plan() if of is None else of
    if not of.groups[found.group].couples:
        raise InputError(f'the men of "{found.group}" have no couples in the plan')
    for name, pair in of.couples.items():
        shares: dict[str, np.ndarray] = {}
        for drug in found.drugs:
            each = []
            for place, number in enumerate(found.draws):
                own = found.draw == place
                p = uncertainty.record(couple.SYSTEM, couple.parameters(), of.seed.value, number)
                p = p._replace(default_partner_age=pair.partner_age, default_months_trying=pair.months_trying)
                counts = found.truth[drug][MOTILE][own]
                chances = couple.chances_of_men(counts, found.days, found.age[own], p)
                each.append(PERCENT * float(chances["cumulative_conception_probability"][:, -1].mean()))
            shares[drug] = np.array(each)
        for drug, share in shares.items():
            yield Conception(
                found.group,
                name,
                drug,
                float(found.days[-1]),
                estimate(share),
                estimate(share / shares[NOTHING]),
                estimate(share - shares[NOTHING]),
            )
