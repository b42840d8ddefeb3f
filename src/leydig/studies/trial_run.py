"""A virtual trial from its design: men recruited, randomised, given and missed their doses, and read at every visit.

    pool = simulate_trial(open_design("obese-men-anastrozole"), seed=1, draws=10, men=60)

Everything random about a man is decided by the seed and his id. Missed doses come in patterns that some men share: a
pattern has a share of doses taken, drawn from the spread between men, and leaves out each dose by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from leydig import start
from leydig.errors import InputError
from leydig.numerics import Mode
from leydig.pharmacology.protocol import Protocol
from leydig.population_prior import Spread
from leydig.population_prior.streams import uniforms
from leydig.studies import many, trial_readings
from leydig.studies.clock import HOURS_PER_DAY
from leydig.studies.mixture import read_mixture
from leydig.studies.recruit import BASELINE, Recruitment, asked, candidates, plausible
from leydig.studies.titrate_many import follow_titrated
from leydig.studies.trial_course import NOTHING, Group, Visit, clock_of, follow, gather, joined, later, readings
from leydig.studies.trial_design import Design
from leydig.studies.trial_pool import Pool
from leydig.studies.unknowns import CENTRAL

PATTERNS = 24  # of missed doses in an arm
Progress = Callable[[int, int], None]


class Course(NamedTuple):
    """What one sequence of men went through."""

    truth: dict[str, np.ndarray]
    printed: dict[str, np.ndarray]
    untreated: dict[str, np.ndarray] | None
    taken: np.ndarray
    solved: np.ndarray  # (N,) bool


def recruitment(design: Design) -> Recruitment:
    """Who a design wants."""
    who = design.population
    lines = {name: asked(name, reported, design.n) for name, reported in who.baseline.items()}
    spreads = {name: Spread(lines[name].mean, lines[name].sd) for name in ("age", "BMI") if name in lines}
    return Recruitment(
        read_mixture(who.condition),
        spreads.get("age"),
        who.ages,
        spreads.get("BMI"),
        who.criteria,
        {name: line for name, line in lines.items() if name not in spreads},
        design.assay,
    )


def simulate_trial(
    design: Design, *, seed: int = 0, draws: int = 25, men: int = 60, mode: Mode = "default", threads: int = 2,
    progress: Progress | None = None,
) -> Pool:  # fmt: skip
    """``men`` men per sequence and draw of what is uncertain, through the whole trial; draw 0 is the best estimate.

    Raises InputError where hardly any man keeps the criteria, or for what cannot be run together.
    """
    _check(design)
    wanted = recruitment(design)
    several = plausible([wanted], seed, range(draws), design.drugs)
    some = candidates(wanted, several, seed, design.quantities, men)
    if CENTRAL not in some.possible:
        raise InputError("hardly any virtual man keeps the criteria at the best estimate of everything")
    size, visits = len(some.possible) * men, [Visit(day) for day in design.days]
    courses, groups = [], []
    for place, (name, order) in enumerate(design.sequences):
        protocols = [design.arms[arm].plan.protocol for arm in order]
        group = gather(name, wanted, some, several, men, place * size, protocols, seed)
        courses.append(_course(design, order, group, visits, mode, threads))
        groups.append(group)
        if progress:
            progress(place + 1, len(design.sequences))
    arm = np.repeat(np.arange(len(courses)), size)
    solved = np.concatenate([course.solved for course in courses])

    def stacked(part: str) -> dict[str, np.ndarray]:
        return {
            name: np.concatenate([getattr(course, part)[name] for course in courses])[solved]
            for name in design.quantities
        }

    return Pool(
        tuple(name for name, _ in design.sequences),
        arm[solved],
        np.concatenate([group.draw for group in groups])[solved],
        np.array(design.days),
        stacked("printed"),
        stacked("truth"),
        {
            "age": np.concatenate([group.men.age for group in groups])[solved],
            "BMI": np.concatenate([group.men.values["BMI"] for group in groups])[solved],
            **{
                criterion.quantity: np.concatenate([group.screened[place] for group in groups])[solved]
                for place, criterion in enumerate(wanted.criteria)
            },
        },
        _leaving(design, seed, len(arm))[solved],
        np.concatenate([course.taken for course in courses])[solved],
        tuple(group.enrolled for group in groups),
        stacked("untreated") if design.wants_untreated else None,
        int((~solved).sum()),
    )


def _check(design: Design) -> None:
    titrated = [arm.name for arm in design.arms if arm.plan.rules is not None]
    for what, there in (
        ("a crossover", design.crossover is not None),
        ("a run-in with a drug", bool(design.run_in) and bool(_run_in(design).doses)),
        ("missed doses", design.adherence.taken < 1),
    ):
        if titrated and there:
            raise InputError(f'the arm "{titrated[0]}" is titrated, which cannot be combined with {what}')

    on_drug = bool(design.run_in) and any(_run_in(design))
    at_baseline = [criterion.quantity for criterion in design.population.criteria if criterion.visit == BASELINE]
    at_baseline += [name for name in design.population.baseline if name not in ("age", "BMI")]
    if on_drug and at_baseline:
        raise InputError(
            f"{at_baseline[0]} at baseline cannot be asked for after a run-in on a drug, because men are let in "
            "untreated; make it a criterion at screening, or leave it out"
        )


def _run_in(design: Design) -> start.Given:
    if not design.run_in:
        return NOTHING
    return start.given(Protocol.parse(design.run_in), design.run_in_days)


def _course(
    design: Design, order: tuple[int, ...], group: Group, visits: list[Visit], mode: Mode, threads: int
) -> Course:  # fmt: skip
    """One sequence of men."""
    before = _run_in(design)
    after = design.run_in_days if any(before) else 0.0  # men who take nothing stay as they are
    clock, wanted = clock_of(visits, after), design.quantities
    n, taken = len(group.draw), np.ones(len(group.draw))
    rules = design.arms[order[0]].plan.rules
    if rules is not None:
        protocol, names = design.arms[order[0]].plan.protocol, trial_readings.needed(wanted)
        found = follow_titrated(group.prepared, protocol, rules, clock, names, mode, threads, seed=group.seed).followed
    else:
        whole = joined(
            before,
            *(
                later(start.given(design.arms[arm].plan.protocol, design.period_days), HOURS_PER_DAY * (after + begins))
                for arm, begins in zip(order, design.starts, strict=True)
            ),
        )
        patterns, shares = _missed(design, whole, group)
        own = np.minimum(uniforms(group.seed, "pattern", int(group.men.id[0]), n) * len(patterns), len(patterns) - 1)
        taking = own.astype(int)
        taken = shares[taking]
        found = follow(group, patterns, taking, clock, wanted, mode, threads)
    solved = found.status == many.DONE
    printed = {name: readings(group, name, found.quantities, visits) for name in wanted}
    untreated = None
    if design.wants_untreated:
        left = follow(group, [before], np.zeros(n, int), clock, wanted, mode, threads)
        untreated = {name: readings(group, name, left.quantities, visits) for name in wanted}
        solved &= left.status == many.DONE
    return Course({name: found.quantities[name] for name in wanted}, printed, untreated, taken, solved)


def _missed(design: Design, whole: start.Given, group: Group) -> tuple[list[start.Given], np.ndarray]:
    """What is taken of everything that is given, pattern by pattern, with the share of the doses."""
    wanted = design.adherence
    if wanted.taken >= 1 or not whole.doses:
        return [whole], np.ones(1)
    rng = np.random.default_rng([group.seed, int(group.men.id[0]), PATTERNS])
    chance = np.full(PATTERNS, wanted.taken)
    if wanted.between_men:
        # a beta distribution with the mean and SD that are asked for, cut where the SD is larger than one can have
        spread = min(wanted.between_men**2, 0.95 * wanted.taken * (1 - wanted.taken))
        size = wanted.taken * (1 - wanted.taken) / spread - 1
        chance = rng.beta(wanted.taken * size, (1 - wanted.taken) * size, PATTERNS)
    patterns, shares = [], []
    for share in chance:
        kept = rng.random(len(whole.doses)) < share
        patterns.append(start.Given(tuple(d for d, k in zip(whole.doses, kept, strict=True) if k), whole.levers))
        shares.append(float(kept.mean()))
    return patterns, np.array(shares)


def _leaving(design: Design, seed: int, n: int) -> np.ndarray:
    """The day on which each man leaves, at a constant rate; inf where he stays."""
    if not design.dropout:
        return np.full(n, np.inf)
    rate = -np.log1p(-design.dropout) / design.horizon
    day = -np.log(uniforms(seed, "leaving", 0, n)) / rate
    return np.where(day < design.horizon, day, np.inf)
