"""A year of one dose, of a dose raised by what is measured, and of the highest dose, in the same virtual men."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from leydig.errors import InputError
from leydig.pharmacology.titration import RuleSet
from leydig.population_prior import men
from leydig.studies import many, observe, titrate_tables
from leydig.studies.clock import HOURS_PER_DAY
from leydig.studies.mixture import read_mixture
from leydig.studies.responders import OWN_SHARE, Responder, responders
from leydig.studies.titrate import Plan
from leydig.studies.titrate_many import Titrated, follow_titrated

CONDITION, MEN, TOGETHER, SEED = "obese-hypogonadal", 1000, 500, 1
START, HIGHEST = "anastrozole 0.5 mg twice weekly", "anastrozole 1 mg daily"
RULES = {
    "by estradiol": "anastrozole-twice-weekly-by-estradiol",
    "by testosterone": "anastrozole-twice-weekly-by-testosterone",
}
DAILY = "anastrozole 0.5 mg daily"
UNTREATED, FIXED, HALF_DAILY, MOST = "untreated", "0.5 mg twice weekly", "0.5 mg daily", "1 mg daily"
WITHOUT_NOISE = "without noise"
DAYS, EVERY, WEEK = 364.0, 28.0, 7.0
QUANTITIES = (
    *("testosterone", "estradiol", "LH", "total_motile_sperm_count", "bmd_spine", "bmd_hip", "desire_score"),
    OWN_SHARE,
)
HOLDS = ("testosterone_at_least_300", "estradiol_below_10")  # of data/responders.yaml
ASSAY = "LC-MS/MS"
SITES = {"bmd_spine_change": "bmd_spine", "bmd_hip_change": "bmd_hip"}
PERCENT = 100.0


class Arm(NamedTuple):
    """One way of dosing n men."""

    ends: Mapping[str, np.ndarray]  # (n,) at the end, mean of the last week; densities also as change in %
    holds: Mapping[str, np.ndarray]  # (n,) by key of ``HOLDS``: whether it holds at the end
    final: tuple[str, ...]  # the dose prescribed at the end
    on_noise: np.ndarray  # (n, visits) whether noise alone decided
    changed: np.ndarray  # (n, visits) whether the dose was changed
    days: tuple[float, ...] = ()  # of the visits


Arms = Mapping[str, Arm]


def rules(name: str) -> RuleSet:
    """The rules of one way of titrating."""
    return RuleSet.open(RULES[name])


def counted() -> tuple[Responder, ...]:
    """What is counted at the end."""
    return tuple(one for one in responders() if one.key in HOLDS)


def arms(n: int = MEN) -> dict[str, Arm]:
    """Every way of dosing the same men, by name; "… without noise" is the same titration on expected readings.

    Raises InputError when a man cannot be solved.
    """
    parts: dict[str, list[Arm]] = {}
    fixed = {UNTREATED: Plan.of("none"), FIXED: Plan.of(START), HALF_DAILY: Plan.of(DAILY), MOST: Plan.of(HIGHEST)}
    clock = many.look(np.arange(0, DAYS + EVERY / 2, EVERY), WEEK)
    for first in range(0, n, TOGETHER):
        size = min(TOGETHER, n - first)
        drawn = men(read_mixture(CONDITION), SEED, first, size)
        prepared = many.prepare(drawn, many.multipliers([fixed[FIXED].protocol], SEED, first, size))
        for name, plan in fixed.items():
            found = many.follow_one(prepared, plan.protocol, clock, QUANTITIES, "default")
            parts.setdefault(name, []).append(_arm(found, name, drawn.age))
        for name in RULES:
            for noise in (True, False):
                run = follow_titrated(
                    prepared, fixed[FIXED].protocol, rules(name), clock, QUANTITIES, seed=SEED, noise=noise
                )
                key = name if noise else f"{name} {WITHOUT_NOISE}"
                parts.setdefault(key, []).append(_arm(run.followed, name, drawn.age, run))
    return {name: _joined(several) for name, several in parts.items()}


def _arm(found: many.Followed, name: str, age: np.ndarray, run: Titrated | None = None) -> Arm:
    if not (found.status == many.DONE).all():
        raise InputError(f"{np.sum(found.status != many.DONE)} men could not be solved ({name})")
    ends = {quantity: series[:, -1] for quantity, series in found.quantities.items()}
    for change, site in SITES.items():
        ends[change] = PERCENT * (found.quantities[site][:, -1] / found.quantities[site][:, 0] - 1)
    holds = {one.key: one.met(found.quantities, age)[0][:, -1] for one in counted()}
    n = len(found.status)
    if run is None:
        return Arm(ends, holds, (name,) * n, np.zeros((n, 0), bool), np.zeros((n, 0), bool))
    return Arm(
        ends,
        holds,
        tuple(treatment.words() for treatment in run.treatments),
        np.stack([visit.on_noise for visit in run.visits], axis=1),
        np.stack([titrate_tables.changed(visit) for visit in run.visits], axis=1),
        tuple(visit.hour / HOURS_PER_DAY for visit in run.visits),
    )


def _joined(several: Sequence[Arm]) -> Arm:
    def each(of: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
        return {name: np.concatenate([one[name] for one in of]) for name in of[0]}

    return Arm(
        each([one.ends for one in several]),
        each([one.holds for one in several]),
        tuple(dose for one in several for dose in one.final),
        np.concatenate([one.on_noise for one in several]),
        np.concatenate([one.changed for one in several]),
        several[0].days,
    )


def gain(found: Arms, name: str, over: str = FIXED, quantity: str = "testosterone") -> np.ndarray:
    """How much more each man has of something at the end than under another way of dosing, %."""
    return np.asarray(PERCENT * (found[name].ends[quantity] / found[over].ends[quantity] - 1))


def noticed(quantity: str = "testosterone") -> tuple[float, float]:
    """Fall and rise in percent that lie beyond what two samples of one man differ by, by chance (95 %)."""
    change = observe.reference_change(quantity, ASSAY)
    return float(change.fall), float(change.rise)


def doses() -> list[str]:
    """All doses that the rules know, the smallest first."""
    return list(dict.fromkeys(step.text() for name in RULES for step in rules(name).steps))
