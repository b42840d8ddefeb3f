"""Replicates of a published trial: each of its arms on virtual men, and its figures computed as the paper did.

A replicate takes one draw of what is uncertain (parameters, the trial's laboratory), men who look like the paper's
baseline table, and what its laboratory reads of them. How far studies differ beyond that was estimated on calibration
studies alone and is added.

    figure = statistic(readings of n men under one draw) + study effect
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from leydig.errors import InputError
from leydig.evidence import Arm, Criterion, Trial
from leydig.fits import fits, load_fit
from leydig.numerics import Mode
from leydig.pharmacology.protocol import Protocol
from leydig.population_prior import Spread
from leydig.population_prior.streams import normals, uniforms
from leydig.start import Given, given
from leydig.studies import comparison, many, recruit
from leydig.studies.figures import Figure
from leydig.studies.problem import study_size, study_start
from leydig.studies.recruit import Candidates, Recruitment, asked, candidates, plausible
from leydig.studies.trial_course import NOTHING, Group, Visit, clock_of, follow, gather, readings
from leydig.studies.trial_readings import BODY, computed, measured
from leydig.studies.unknowns import Unknowns

TINY = 1e-12  # keeps a logarithm finite
DRAWS_APART = 1_000_000
Of = Literal["arm", "before", "untreated"]


class Settings(NamedTuple):
    """How much work a trial is worth."""

    draws: int  # of what is uncertain
    least_men: int  # per arm and draw
    most_men: int
    replicates: int
    mode: Mode = "default"


def default_settings() -> Settings:
    """data/trial_settings.yaml."""
    known = recruit.settings()
    return Settings(known["draws"], known["men"]["least"], known["men"]["most"], known["replicates"])


# The arms -------------------------------------------------------------------------------------------


class Run(NamedTuple):
    """One arm: its men, and what was read of them."""

    group: Group
    n: int  # men of the published arm
    visits: tuple[Visit, ...]
    readings: dict[str, np.ndarray]  # (N, v)
    untreated: dict[str, np.ndarray]  # (N, v) of the same men given nothing; empty where nobody was selected
    solved: np.ndarray  # (N,) bool


def run_arms(
    trial: Trial, own: Sequence[Figure], seed: int, settings: Settings
) -> tuple[dict[str, Run], list[str]]:  # fmt: skip
    """Every arm that a figure needs."""
    needed = {figure.arm for figure in own} | {figure.against for figure in own if figure.against is not None}
    chosen = [arm for arm in trial.arms if arm.name in needed]
    protocols = [Protocol.parse(arm.protocol) for arm in chosen]
    drugs = {name for protocol in protocols for name in protocol.drugs}
    # each trial has draws of its own, so that the error of few draws is not common to all trials
    first_draw = 1 + zlib.crc32(trial.key.encode()) % DRAWS_APART
    numbers = range(first_draw, first_draw + settings.draws)
    several = plausible([recruitment(trial, arm) for arm in chosen], seed, numbers, drugs)
    visits = tuple(sorted({Visit(0.0), *(Visit(figure.day, figure.moment) for figure in own)}))
    pools = _pools(trial, chosen, several, seed, {figure.quantity for figure in own})
    found: dict[str, Run] = {}
    remarks = [
        f"the criterion on {one.quantity} is not computed and was left out"
        for one in trial.population.criteria
        if not _has(one)
    ]
    if len(pools[0].possible) < len(several):
        remarks.append(f"in {len(several) - len(pools[0].possible)} of {len(several)} draws nobody keeps the criteria")
    first = 0
    for arm, protocol, pool in zip(chosen, protocols, pools, strict=True):
        wanted = recruitment(trial, arm)
        n = _men(arm, trial)
        size = int(np.clip(n, settings.least_men, settings.most_men))
        group = gather(arm.name, wanted, pool, several, size, first, protocols, seed)
        first += len(group.draw)
        quantities = dict.fromkeys(
            figure.quantity for figure in own if arm.name in (figure.arm, figure.against)
        )  # fmt: skip
        taken = given(protocol, max(visit.day for visit in visits) or 1.0)
        finer = trial.sensitive
        printed, solved = _read(group, taken, visits, [*quantities], finer, settings.mode)
        if not solved.all():
            remarks.append(f"{(~solved).sum()} of {len(solved)} virtual men of the arm {arm.name} could not be solved")
        untreated: dict[str, np.ndarray] = {}
        if wanted.criteria and any(taken):
            untreated, there = _read(group, NOTHING, visits, [*quantities], finer, settings.mode)
            solved &= there
        found[arm.name] = Run(group, n, visits, printed, untreated, solved)
        if group.enrolled.effective < settings.least_men:
            remarks.append(
                f"the men of the arm {arm.name} are worth {group.enrolled.effective:.0f} of "
                f"{group.enrolled.candidates:,} candidates: its baseline table is far from the population's"
            )
    return found, remarks


def _pools(
    trial: Trial, arms: Sequence[Arm], several: Sequence[Unknowns], seed: int, also: Collection[str]
) -> list[Candidates]:
    """Candidates of every arm, one lot for arms that want the same men; with the draws that are possible for all."""
    lots: dict[str, Candidates] = {}
    for arm in arms:
        wanted = recruitment(trial, arm)
        if repr(wanted) not in lots:
            lots[repr(wanted)] = candidates(wanted, several, seed, sorted(also))
    shared = set.intersection(*(set(lot.possible) for lot in lots.values()))
    if not shared:
        raise InputError(f"{trial.key}: no draw of what is uncertain has men for all of its arms")
    return [lots[repr(recruitment(trial, arm))]._replace(possible=tuple(sorted(shared))) for arm in arms]


def _read(
    group: Group, taken: Given, visits: Sequence[Visit], quantities: Sequence[str], finer: Collection[str], mode: Mode
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Readings (N, v) of a group by quantity, and who could be solved; ``finer`` are read below the usual limits."""
    course = follow(group, [taken], np.zeros(len(group.draw), int), clock_of(visits), quantities, mode)
    printed = {name: readings(group, name, course.quantities, visits, name not in finer) for name in quantities}
    return printed, course.status == many.DONE


def _men(arm: Arm, trial: Trial) -> int:
    """Men of an arm; where the paper does not say, as few as are assumed elsewhere."""
    sizes = [outcome.n for outcome in arm.outcomes if outcome.n]
    return int(arm.n or (max(sizes) if sizes else comparison.settings()["men_assumed"]))


def recruitment(trial: Trial, arm: Arm) -> Recruitment:
    """Who an arm's men were. A randomised arm whose table is not printed has that of the other arms."""
    who = trial.population
    table = {name: asked(name, reported, _men(arm, trial)) for name, reported in arm.baseline.items()}
    if trial.design.allocation == "randomised":
        for other in trial.arms:
            for name, reported in other.baseline.items():
                table.setdefault(name, asked(name, reported, _men(other, trial)))
    table = {name: line for name, line in table.items() if line.mean > 0 and (name in computed() or name == "BMI")}
    age = who.age or (None if who.ages else comparison.settings()["age_assumed"])
    body = table.pop("BMI", None)
    mass = body.mean if body is not None else who.BMI
    return Recruitment(
        who.condition or "eugonadal",
        None if age is None else Spread(age, who.age_sd or recruit.settings()["age_sd_assumed"]),
        who.ages,
        None if mass is None else Spread(mass, body.sd if body is not None else who.BMI_sd),
        tuple(one for one in who.criteria if _has(one)),
        table,
        trial.assay,
    )


def _has(criterion: Criterion) -> bool:
    """Whether virtual men have what a criterion asks for."""
    return criterion.quantity in computed() or criterion.quantity in BODY


# Replicates -----------------------------------------------------------------------------------------


class Replicates:
    """Replicate trials: who is in them, and how far their study lies from others."""

    def __init__(
        self, trial: Trial, arms: Mapping[str, Run], seed: int, settings: Settings,
        sizes: Mapping[Figure, int] | None = None,
    ) -> None:  # fmt: skip
        """``sizes`` are the men of a figure where they are fewer than those of its arm."""
        self.sizes = sizes or {}
        self.trial, self.arms, self.seed = trial, arms, seed
        self.count = settings.replicates
        self.blocks: dict[str, list[np.ndarray]] = {}
        self.rows: dict[str, list[np.ndarray]] = {}
        for place, (name, run) in enumerate(arms.items()):
            rng = np.random.default_rng([seed, place, self.count])
            draws = range(len(run.group.several))
            blocks = [np.flatnonzero((run.group.draw == draw) & run.solved) for draw in draws]
            filled = [block for block in blocks if len(block)]
            self.blocks[name] = filled
            self.rows[name] = [_some(rng, filled[k % len(filled)], run.n) for k in range(self.count)] if filled else []

    def values(self, figure: Figure, arm: str, median: bool, of: Of = "arm") -> np.ndarray:
        """(R,) of an arm on the scale of comparison: of what was done, of no change, or of the same men untreated."""
        run, rows = self.arms[arm], self.rows[arm]
        n = min(self.sizes.get(figure, run.n), run.n)
        found = self._statistic(figure, arm, median, of, [own[:n] for own in rows], yes_or_no=True)
        if not measured(figure.quantity) and not _is_share(figure):
            # no model of its reading is known: one man's change varies as is assumed of unprinted spreads
            extra = normals(self.seed, f"unread {figure.quantity} {arm} {figure.day!r}", 0, self.count)
            between = comparison.settings()["domains"][figure.domain]["between_men"]
            found = found + between / np.sqrt(n) * extra
        return found

    def by_draw(self, figure: Figure, median: bool) -> np.ndarray:
        """(draws,) the figure in a trial of very many men, without what studies differ by."""
        found = self._statistic(figure, figure.arm, median, "arm", self.blocks[figure.arm], yes_or_no=False)
        if figure.against is None:
            return found
        return found - self._statistic(
            figure, figure.against, median, "arm", self.blocks[figure.against], yes_or_no=False
        )

    def _statistic(
        self, figure: Figure, arm: str, median: bool, of: Of, rows: Sequence[np.ndarray], yes_or_no: bool
    ) -> np.ndarray:
        """The figure of each of these lots of men of an arm; shares are of men who say yes, or of their chances."""
        run = self.arms[arm]
        if not rows:
            return np.full(self.count, np.nan)
        visit = 0 if of == "before" else run.visits.index(Visit(figure.day, figure.moment))
        read = (run.untreated if of == "untreated" else run.readings)[figure.quantity]
        now, first = read[:, visit], read[:, 0]
        if _is_share(figure) and yes_or_no:
            chance = uniforms(self.seed, f"yes {figure.quantity} {figure.day!r}", int(run.group.men.id[0]), len(now))
            now = (chance < now).astype(float)
        middle = np.median if median else np.mean
        after, start = (np.array([middle(some[own]) for own in rows]) for some in (now, first))
        return _on_scale(comparison.settings()["domains"][figure.domain]["scale"], figure, after, start)

    def untreated(self, figure: Figure, median: bool) -> float | None:
        """The middle of the figure had the men been given nothing; None for contrasts and where nobody was selected."""
        if figure.against is not None or figure.quantity not in self.arms[figure.arm].untreated:
            return None
        return float(np.median(self.values(figure, figure.arm, median, "untreated")))

    def predicted(self, figure: Figure, median: bool) -> np.ndarray:
        """(R,) figures with what studies differ by."""
        found = self.values(figure, figure.arm, median)
        if figure.against is not None:
            found = found - self.values(figure, figure.against, median)
        size, shared = study_sd()[figure.domain] * study_size(figure), comparison.settings()["shared_between_arms"]
        name = f"{self.trial.key} {figure.quantity}"
        alone = normals(self.seed, f"study {name} {figure.arm} {figure.against} {figure.day!r}", 0, self.count)
        if figure.against is not None:
            return found + size * np.sqrt(2 * (1 - shared)) * alone
        common = normals(self.seed, f"study {name}", 0, self.count)
        found = found + size * (np.sqrt(shared) * common + np.sqrt(1 - shared) * alone)
        if figure.level and figure.domain == "hormone":
            apart = normals(self.seed, f"level {name}", 0, self.count)
            found = found + comparison.settings()["level_study_log_sd"] * apart
        return found


def _some(rng: np.random.Generator, block: np.ndarray, n: int) -> np.ndarray:
    """``n`` of the men of a draw, each once; all of them where they are fewer: other draws have other men."""
    return rng.permutation(block)[:n]


def _is_share(figure: Figure) -> bool:
    return bool(comparison.settings()["domains"][figure.domain]["scale"] == "share")


def _on_scale(scale: str, figure: Figure, now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """As ``figures.predicted``."""
    if scale == "percent":
        return 100 * (now / before - 1)
    if scale == "points":
        return now - before
    if scale == "share":
        return 100 * now
    floor = comparison.settings()["floors"].get(figure.quantity, 0.0)
    after = np.log(np.maximum(now, 0.0) + floor + TINY)
    return after if figure.level else after - np.log(np.maximum(before, 0.0) + floor + TINY)


@cache
def study_sd() -> dict[str, float]:
    """How far studies differ, by kind of figure, as the fits estimated it on calibration studies."""
    found = study_start()
    for name in fits():
        found.update({domain: float(sd) for domain, sd in load_fit(name).between_study.items()})
    return found
