"""Who a trial wants, and the virtual men who come for it: from its population, screened by noisy readings.

Candidates come from the population of the trial's condition, age and BMI and are shifted towards its baseline table
(``resemble``). As many come for each draw of what is uncertain, because the trial's laboratory belongs to the draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from leydig import men, model
from leydig.errors import InputError
from leydig.evidence import Criterion, Reported
from leydig.files import DATA, read_yaml
from leydig.population_prior import Men, Spread, condition_named, crowd_like, men_of
from leydig.studies import many
from leydig.studies.mixture import mixture_text
from leydig.studies.resemble import Asked, resembling
from leydig.studies.trial_readings import chosen, drawn, needed, read
from leydig.studies.unknowns import Unknowns

BASELINE = "baseline"
QUARTILES, CI95 = 1.349, 3.92  # widths in SDs of a normal distribution
LEAST = 1e-9
TOGETHER = 4096  # men computed at once


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
    screening: dict[str, list[dict[str, Any]]]  # by quantity, one per sample
    baseline: dict[str, dict[str, Any]]
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


def candidates(wanted: Recruitment, several: Sequence[Unknowns], seed: int, least: int = 0) -> Candidates:
    """Men for a trial, as many per draw as it takes to find enough who keep the criteria; ``least`` are wanted of them.

    Raises InputError where hardly any man keeps them.
    """
    known = settings()["candidates"]
    intact = _intact(wanted)
    size = max(known["per_draw" if intact else "with_a_lesion"], least)
    found = _candidates(wanted, several, seed, size)
    share = float(np.mean(kept_by(wanted, found, several)[0])) if wanted.criteria else 1.0
    if share < 1 and intact:
        size = int(min(size / max(share, LEAST), max(known["most_per_draw"], size)))
        found = _candidates(wanted, several, seed, size)
    eligible = kept_by(wanted, found, several)[0]
    counts = np.array([int(eligible[found.draw == place].sum()) for place in range(len(several))])
    possible = np.flatnonzero(counts >= known["fewest_eligible"])
    if not len(possible):
        words = "; ".join(_words(criterion) for criterion in wanted.criteria)
        raise InputError(
            f"at most {counts.max()} of {size} virtual men ({_mixture(wanted)}) keep the criteria: {words}"
        )
    return found._replace(possible=tuple(possible.tolist()))


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


def _candidates(wanted: Recruitment, several: Sequence[Unknowns], seed: int, size: int) -> Candidates:
    n, draw = size * len(several), np.repeat(np.arange(len(several)), size)
    crowd = crowd_like(wanted.condition, seed, n, age=wanted.age, ages=wanted.ages, BMI=wanted.BMI)
    if _intact(wanted):
        let_in = [criterion.quantity for criterion in wanted.criteria if criterion.visit == BASELINE]
        crowd = resembling(crowd, wanted.baseline, let_in, wanted.assay, several, draw, state_of, settings())
    quantities = [*dict.fromkeys([*wanted.baseline, *(criterion.quantity for criterion in wanted.criteria)])]
    screening = {
        criterion.quantity: [
            drawn(criterion.quantity, _assay(wanted, criterion), seed, f"screening {k}", 0, n)
            for k in range(criterion.samples - (criterion.visit == BASELINE))
        ]
        for criterion in wanted.criteria
    }
    baseline = {name: drawn(name, wanted.assay, seed, BASELINE, 0, n) for name in quantities}
    who = men_of(crowd)
    return Candidates(who, draw, state_of(who, quantities), screening, baseline)


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
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Who keeps all criteria, and what was read of everybody at screening; of all draws, or of one."""
    keep, found = [], []
    for place, one in enumerate(several):
        rows = np.flatnonzero(some.draw == (place if only is None else only))
        kept, screened = np.ones(len(rows), bool), {}
        state, age = {name: values[rows] for name, values in some.state.items()}, some.men.age[rows]
        for criterion in wanted.criteria:
            name, assay = criterion.quantity, _assay(wanted, criterion)
            first = [some.baseline[name]] if criterion.visit == BASELINE else []
            samples = [*first, *some.screening[name]]
            each = [read(name, assay, state, age, chosen(numbers, rows), one) for numbers in samples]
            low, high = criterion.limits
            screened[name] = np.mean(each, axis=0)
            kept &= (screened[name] >= low) & (screened[name] <= high)
        keep.append(kept)
        found.append(screened)
    return np.concatenate(keep), {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def _assay(wanted: Recruitment, criterion: Criterion) -> Mapping[str, str]:
    return wanted.assay if criterion.assay is None else {**wanted.assay, criterion.quantity: criterion.assay}
