"""Who a trial wants, and the virtual men who come for it: from its population, screened by noisy readings.

Candidates come from the population of the trial's condition, age and BMI and are shifted towards its baseline table
(``resemble``). As many come for each draw of what is uncertain, because the trial's laboratory belongs to the draw.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from leydig import men, model
from leydig.errors import InputError
from leydig.evidence import Criterion, Reported
from leydig.files import DATA, read_yaml
from leydig.population_prior import Men, Spread, condition_named, crowd_like, men_of
from leydig.population_prior.streams import uniforms
from leydig.studies import comparison, many
from leydig.studies.mixture import mixture_text
from leydig.studies.resemble import Asked, matchable, resembling
from leydig.studies.sampling import RATIO
from leydig.studies.trial_readings import chosen, drawn, needed, read
from leydig.studies.unknowns import CENTRAL, Unknowns, unknowns

BASELINE = "baseline"
QUARTILES, CI95 = 1.349, 3.92  # widths in SDs of a normal distribution
LEAST = 1e-9
TOGETHER = 4096  # men computed at once
SAMPLED, ATTEMPTS = 300, 40  # men by whom a kit is judged, and kits tried
ESTRADIOL = "estradiol"


class Recruitment(NamedTuple):
    """Who is wanted."""

    condition: str | Mapping[str, float]
    age: Spread | None  # years
    ages: tuple[float, float] | None
    BMI: Spread | None  # kg/m2
    criteria: tuple[Criterion, ...]
    baseline: Mapping[str, Asked]
    assay: Mapping[str, str]


class Candidates(NamedTuple):
    """Men who may be let in, as many for each draw of the unknowns, with the random numbers of what is read of them."""

    men: Men
    draw: np.ndarray  # (n,) place among the draws
    state: dict[str, np.ndarray]  # (n,) by quantity, untreated
    screening: list[list[dict[str, Any]]]  # by criterion, one per sample
    baseline: dict[str, dict[str, Any]]  # by quantity
    possible: tuple[int, ...] = ()  # draws in which enough men keep the criteria; no such trial is held in the others


@cache
def settings() -> dict[str, Any]:
    """data/trial_settings.yaml."""
    return read_yaml(DATA / "trial_settings.yaml")


def asked(quantity: str, reported: Reported, n: int) -> Asked:
    """A printed baseline value of ``n`` men."""
    sd = None
    if isinstance(reported.spread, tuple):
        width = reported.spread[1] - reported.spread[0]
        sd = width / CI95 * np.sqrt(n) if reported.spread_kind == "CI95" else width / QUARTILES
    elif reported.spread is not None:
        sd = reported.spread * (np.sqrt(n) if reported.spread_kind == "SEM" else 1.0)
    size = None if not sd else float(reported.convert(quantity, float(sd)))
    return Asked(reported.convert(quantity, reported.value), size, reported.statistic == "median")


def candidates(
    wanted: Recruitment, several: Sequence[Unknowns], seed: int, also: Collection[str] = (), least: int = 0
) -> Candidates:
    """Men for a trial, as many per draw as it takes to find enough who keep the criteria; ``least`` are wanted of them.

    ``also`` are quantities that are read at baseline beside those of the table and the criteria. Raises InputError
    where hardly any man keeps the criteria.
    """
    known = settings()["candidates"]
    intact = _intact(wanted)
    size = max(known["per_draw" if intact else "with_a_lesion"], least)
    found = _candidates(wanted, several, seed, size, also)
    share = float(np.mean(kept_by(wanted, found, several)[0])) if wanted.criteria else 1.0
    if share < 1 and intact:
        size = int(min(size / max(share, LEAST), max(known["most_per_draw"], size)))
        found = _candidates(wanted, several, seed, size, also)
    eligible = kept_by(wanted, found, several)[0]
    counts = np.array([int(eligible[found.draw == place].sum()) for place in range(len(several))])
    possible = np.flatnonzero(counts >= known["fewest_eligible"])
    if not len(possible):
        words = "; ".join(_words(criterion) for criterion in wanted.criteria)
        raise InputError(
            f"at most {counts.max()} of {size} virtual men ({_mixture(wanted)}) keep the criteria: {words}"
        )
    return found._replace(possible=tuple(possible.tolist()))


def plausible(wanted: Sequence[Recruitment], seed: int, draws: Sequence[int], drugs: Collection[str]) -> list[Unknowns]:
    """The draws, with assays that may have printed the estradiol of the baseline tables.

    A kit that would make of the printed mean men who are unlike those of the condition is drawn anew, with the chance
    that such a mean is that unlikely among studies.
    """
    tables = [
        ({name: one.baseline[name] for name in (ESTRADIOL, RATIO) if name in one.baseline}, one)
        for one in wanted
        if _intact(one)
    ]
    looked_at = []
    for lines, one in tables:
        if lines:
            crowd = crowd_like(one.condition, seed, SAMPLED, age=one.age, ages=one.ages, BMI=one.BMI)
            who = men_of(crowd)
            looked_at.append((lines, one.assay, state_of(who, [*lines]), who.age))

    def likelihood(one: Unknowns) -> float:
        apart = [
            np.log(np.mean(read(name, assay, state, age, {}, one)) / line.mean)
            for lines, assay, state, age in looked_at
            for name, line in lines.items()
        ]
        spread = comparison.settings()["level_study_log_sd"]
        return float(np.exp(-np.mean(np.square(apart)) / (2 * spread**2))) if apart else 1.0

    found = []
    for draw in draws:
        best, chance = unknowns(seed, draw, drugs), -1.0
        for attempt in range(ATTEMPTS if looked_at and draw != CENTRAL else 0):
            tried = unknowns(seed, draw, drugs, attempt)
            now = likelihood(tried)
            if now > chance:
                best, chance = tried, now
            if uniforms(seed, f"trial kit taken {attempt}", draw, 1)[0] < now:
                best = tried
                break
        found.append(best)
    return found


def _mixture(wanted: Recruitment) -> str:
    return wanted.condition if isinstance(wanted.condition, str) else mixture_text(wanted.condition)


def _words(criterion: Criterion) -> str:
    low = "" if criterion.above is None else f" above {criterion.above:g}"
    high = "" if criterion.below is None else f" below {criterion.below:g}"
    return f"{criterion.quantity}{low}{high} {criterion.unit}"


def _intact(wanted: Recruitment) -> bool:
    """Whether the men's untreated values are those that the population gives: no condition is a lesion."""
    names = [wanted.condition] if isinstance(wanted.condition, str) else list(wanted.condition)
    return not any(condition_named(name).lesion for name in names)


def _candidates(
    wanted: Recruitment, several: Sequence[Unknowns], seed: int, size: int, also: Collection[str]
) -> Candidates:
    n, draw = size * len(several), np.repeat(np.arange(len(several)), size)
    crowd = crowd_like(wanted.condition, seed, n, age=wanted.age, ages=wanted.ages, BMI=wanted.BMI)
    asked_for = [*dict.fromkeys([*wanted.baseline, *(criterion.quantity for criterion in wanted.criteria)])]
    screening = [
        [
            drawn(criterion.quantity, _assay(wanted, criterion), seed, f"screening {k}", 0, n)
            for k in range(criterion.samples - (criterion.visit == BASELINE))
        ]
        for criterion in wanted.criteria
    ]
    baseline = {name: drawn(name, wanted.assay, seed, BASELINE, 0, n) for name in dict.fromkeys([*asked_for, *also])}

    def selected(
        state: Mapping[str, np.ndarray], age: np.ndarray, place: int, own: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        kept, _ = _kept(wanted, state, age, own, several[place], baseline, screening)
        return {
            name: read(name, wanted.assay, state, age, chosen(baseline[name], own), several[place])
            for name in wanted.baseline
            if matchable(name)
        }, kept

    if _intact(wanted):
        let_in = [criterion.quantity for criterion in wanted.criteria if criterion.visit == BASELINE]
        needs = [*dict.fromkeys([*let_in, *(criterion.quantity for criterion in wanted.criteria)])] if let_in else []

        def known(who: Men, names: Sequence[str]) -> dict[str, np.ndarray]:
            return state_of(who, [*names, *needs])

        crowd = resembling(
            crowd, wanted.baseline, let_in, wanted.assay, several, draw, known, selected, settings()
        )  # fmt: skip
    who = men_of(crowd)
    return Candidates(who, draw, state_of(who, asked_for), screening, baseline)


def state_of(who: Men, quantities: Sequence[str]) -> dict[str, np.ndarray]:
    """Untreated quantities (n,) of men at the best estimate of everything, with age and body."""
    names = needed(quantities)
    own = {**who.values, "age": who.age, "height": who.height}
    begun = many.begin_men(who, {}, width=TOGETHER)
    inputs = np.tile(np.array(model.Inputs(age=0.0), float), (len(who.id), 1))
    inputs[:, model.Inputs._fields.index("age")] = who.age
    found = men.quantities_of(begun.states[:, None], begun.vectors, inputs[:, :, None], names, width=TOGETHER)
    return {**own, **{name: series[:, 0] for name, series in found.items()}}


def kept_by(
    wanted: Recruitment, some: Candidates, several: Sequence[Unknowns], only: int | None = None
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Who keeps all criteria, and what was read for each of them; of all draws, or of one."""
    keep, found = [], []
    for place, one in enumerate(several):
        rows = np.flatnonzero(some.draw == (place if only is None else only))
        state = {name: values[rows] for name, values in some.state.items()}
        kept, screened = _kept(wanted, state, some.men.age[rows], rows, one, some.baseline, some.screening)
        keep.append(kept)
        found.append(screened)
    return np.concatenate(keep), [np.concatenate(each) for each in zip(*found, strict=True)]


def _kept(
    wanted: Recruitment, state: Mapping[str, np.ndarray], age: np.ndarray, rows: np.ndarray, one: Unknowns,
    baseline: Mapping[str, Mapping[str, Any]], screening: Sequence[Sequence[Mapping[str, Any]]],
) -> tuple[np.ndarray, list[np.ndarray]]:  # fmt: skip
    """Who of some men keeps all criteria, and what was read for each."""
    kept, screened = np.ones(len(rows), bool), []
    for criterion, numbers in zip(wanted.criteria, screening, strict=True):
        name, assay = criterion.quantity, _assay(wanted, criterion)
        first = [baseline[name]] if criterion.visit == BASELINE else []
        each = [read(name, assay, state, age, chosen(some, rows), one) for some in (*first, *numbers)]
        low, high = criterion.limits
        screened.append(np.mean(each, axis=0))
        kept &= (screened[-1] >= low) & (screened[-1] <= high)
    return kept, screened


def _assay(wanted: Recruitment, criterion: Criterion) -> Mapping[str, str]:
    return wanted.assay if criterion.assay is None else {**wanted.assay, criterion.quantity: criterion.assay}
