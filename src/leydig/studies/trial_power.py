"""Replicate trials drawn from a pool of men: power, assurance, type-I error, and how estimates spread.

A replicate takes men of one draw of what is uncertain, in every arm without putting them back, so that it is a trial
of men who are independent of one another. Replicates of one pool share men, which the intervals of shares take into
account (``Tally``).

power       share of replicates with p below 0.05 at the central values (draw 0)
assurance   the same over the other draws: power averaged over what is not known
type-I      the same where nothing is given: two halves of the control arm; of a change within an arm, and of a
            crossover, the same men untreated
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from leydig.errors import InputError
from leydig.studies import trial_analysis as analysis
from leydig.studies import trial_statistics as statistics
from leydig.studies.trial_analysis import Rows
from leydig.studies.trial_design import Contrast, Design
from leydig.studies.trial_pool import Pool
from leydig.studies.trial_statistics import LEVEL, Estimate

TOGETHER = 2_000_000  # men whose order is drawn at once
CENTRAL = 0
OF_REPLICATES, OF_NULL = 1, 2  # streams of random numbers
Progress = Callable[[int], None]  # how many replicates were just done


class Share(NamedTuple):
    """A share of replicates with its 95 % interval by Monte Carlo."""

    value: float
    low: float
    high: float


class Point(NamedTuple):
    """Trials of one size."""

    n: int  # men in all
    counts: tuple[int, ...]  # by group
    power: tuple[Share | None, ...]  # of every contrast; None where nothing is tested
    assurance: tuple[Share | None, ...]  # None as well where there is one draw only


class Replicates(NamedTuple):
    """Estimates of every contrast over replicates, each field (R,), and the share of them that is significant."""

    estimates: tuple[Estimate, ...]
    significant: tuple[Share | None, ...]


class Tally:
    """In how many replicates each man of a pool was, and in how many of them the result was significant.

    The share p of B replicates of n from M men varies from pool to pool. Its variance is that of a U-statistic by the
    infinitesimal jackknife (Wager, Hastie and Efron 2014), less what chance adds to it,

        V = (M - 1) / M (M / (M - n))^2 (sum_i c_i^2 - n (1 - n/M) p (1 - p) / B),

    c_i the covariance over replicates of man i being in it with its being significant, added over the groups; p (1-p)
    / B comes on top. Men of a pool who were drawn from fewer candidates count as so many fewer
    (``Enrolled.effective``). The interval is Wilson's for as many independent trials as have this variance, and for no
    fewer than fit into the pool side by side (Hoeffding 1948). Where all replicates agree no variance is seen: then it
    is that of a normal test statistic whose mean is off by sqrt(n/M) standard deviations.
    """

    def __init__(self, pool: Pool) -> None:
        self.within, self.hits = np.zeros(len(pool.arm)), np.zeros(len(pool.arm))
        self.effective = [one.effective for one in pool.enrolled]
        self.groups: dict[int, tuple[np.ndarray, int]] = {}
        self.replicates, self.significant, self.tested = 0, 0, False

    def add(self, rows: dict[int, np.ndarray], members: dict[int, np.ndarray], p: np.ndarray) -> None:
        """Replicates with the men in ``rows`` (replicates, n), drawn from ``members``, by group."""
        hit = np.asarray(p < LEVEL, float)  # what cannot be tested is not significant
        for group, men in rows.items():
            self.groups[group] = (members[group], men.shape[-1])
            self.within += np.bincount(men.ravel(), minlength=len(self.within))
            weights = np.repeat(hit, men.shape[-1])
            self.hits += np.bincount(men.ravel(), weights=weights, minlength=len(self.within))
        self.replicates += len(p)
        self.significant += int(hit.sum())
        self.tested |= bool(np.isfinite(p).any())

    def share(self) -> Share | None:
        """The share that is significant, with its interval; None where nothing could be tested."""
        if not self.tested:
            return None
        count, share = self.replicates, self.significant / self.replicates
        alone, variance = share * (1 - share), share * (1 - share) / count
        fit = np.inf
        for group, (members, n) in self.groups.items():
            covariance = self.hits[members] / count - self.within[members] / count * share
            size, by_chance = len(members), n * (1 - n / len(members)) * alone / count
            copies = max(size / self.effective[group], 1.0)
            fit = min(fit, size / copies / n)
            if size > n:
                excess = max(float((covariance**2).sum()) - by_chance, 0.0)
                variance += copies * (size - 1) / size * (size / (size - n)) ** 2 * excess
        if not alone:
            at, reach = ndtri((self.significant + 0.5) / (count + 1)), statistics.Z / np.sqrt(fit)
            return Share(share, float(ndtr(at - reach)) * share, 1.0 if share else float(ndtr(at + reach)))
        worth = max(alone / variance, 1 / (1 / max(fit, 1.0) + 1 / count))
        low, high = statistics.wilson(share, worth)
        return Share(share, float(low), float(high))


def draws_of(pool: Pool) -> tuple[int, ...]:
    """The draws that the pool has, the central one first."""
    return tuple(int(draw) for draw in np.unique(pool.draw))


def everybody(design: Design, pool: Pool, draw: int | None = CENTRAL) -> list[np.ndarray]:
    """All men of a draw (None: of all draws) by sequence."""
    of_draw = np.ones(len(pool.arm), bool) if draw is None else pool.draw == draw
    return [np.flatnonzero((pool.arm == place) & of_draw) for place in range(len(design.sequences))]


def replicate(
    design: Design, pool: Pool, *, n: int | None = None, replicates: int, draws: Sequence[int] = (CENTRAL,),
    seed: int = 0, progress: Progress | None = None,
) -> Replicates:  # fmt: skip
    """Trials of ``n`` men (default: the design's own), as many of each draw as of any other."""
    found: list[list[Estimate]] = [[] for _ in design.contrasts]
    tallies = [Tally(pool) for _ in design.contrasts]
    numbers = []
    for draw, rows in trials(design, pool, n=n, replicates=replicates, draws=draws, seed=seed):
        members = dict(enumerate(everybody(design, pool, draw)))
        for place, contrast in enumerate(design.contrasts):
            source = analysis.printed(pool, contrast.outcome.quantity)
            estimate = analysis.analyse(design, contrast, source, rows)
            found[place].append(estimate)
            if len(draws) == 1:
                tallies[place].add({group: rows[group] for group in _groups(design, contrast)}, members, estimate.p)
        numbers.append(np.full(len(rows[0]), draw))
        if progress:
            progress(len(rows[0]))
    estimates, number = tuple(map(_joined, found)), np.concatenate(numbers)
    if len(draws) == 1:
        return Replicates(estimates, tuple(tally.share() for tally in tallies))
    return Replicates(estimates, tuple(over_draws(one.p, number) for one in estimates))


def _groups(design: Design, contrast: Contrast) -> tuple[int, ...]:
    """The groups whose men a contrast is made of."""
    of = {contrast.arm, contrast.arm if contrast.against is None else contrast.against}
    return tuple(place for place, (_, order) in enumerate(design.sequences) if of & set(order))


def trials(
    design: Design, pool: Pool, *, n: int | None = None, replicates: int, draws: Sequence[int] = (CENTRAL,),
    seed: int = 0,
) -> Iterator[tuple[int, list[np.ndarray]]]:  # fmt: skip
    """The men of replicate trials, some trials at a time: their draw, and by sequence (trials, men) places."""
    counts, per_draw = design.counts(n), -(-replicates // len(draws))
    for draw in draws:
        of_draw = everybody(design, pool, draw)
        _check(design, of_draw, counts)
        rng = np.random.default_rng([seed, OF_REPLICATES, draw, sum(counts)])
        for batch in _batches(per_draw, max(map(len, of_draw))):
            yield draw, [_some(rng, own, count, batch) for own, count in zip(of_draw, counts, strict=True)]


def null(
    design: Design, pool: Pool, *, replicates: int, seed: int = 0, progress: Progress | None = None
) -> tuple[Share | None, ...]:
    """How often each contrast is significant where there is no effect, at the central values and the design's size."""
    counts, of_draw = design.counts(), everybody(design, pool)
    tallies = [Tally(pool) for _ in design.contrasts]
    rng, members = np.random.default_rng([seed, OF_NULL]), dict(enumerate(of_draw))
    for batch in _batches(replicates, max(map(len, of_draw))):
        for place, contrast in enumerate(design.contrasts):
            against, read = contrast.against, analysis.printed(pool, contrast.outcome.quantity)
            if against is None or design.crossover is not None:
                rows = [_some(rng, own, count, batch) for own, count in zip(of_draw, counts, strict=True)]
                drawn = {group: rows[group] for group in _groups(design, contrast)}
                without = analysis.untreated(pool, contrast.outcome.quantity)
                if without is None:
                    continue
                read = without
            elif len(of_draw[against]) < counts[contrast.arm] + counts[against]:
                continue
            else:
                both = _some(rng, of_draw[against], counts[contrast.arm] + counts[against], batch)
                rows, drawn = _halves(design, contrast.arm, against, both, counts[contrast.arm]), {against: both}
            tallies[place].add(drawn, members, analysis.analyse(design, contrast, read, rows).p)
        if progress:
            progress(batch)
    return tuple(tally.share() for tally in tallies)


def _halves(design: Design, arm: int, against: int, both: np.ndarray, count: int) -> list[np.ndarray]:
    """Men of the arm compared with in both arms."""
    rows = [both[:, :0]] * len(design.sequences)
    rows[arm], rows[against] = both[:, :count], both[:, count:]
    return rows


def curve(
    design: Design, pool: Pool, sizes: Sequence[int], *, replicates: int, seed: int = 0,
    progress: Progress | None = None,
) -> list[Point]:  # fmt: skip
    """Power and assurance of trials of these sizes (men in all)."""
    others = [draw for draw in draws_of(pool) if draw != CENTRAL]
    found = []
    for n in sizes:
        options = {"n": n, "replicates": replicates, "seed": seed, "progress": progress}
        power = replicate(design, pool, **options).significant  # type: ignore[arg-type]
        assurance: tuple[Share | None, ...] = (None,) * len(power)
        if others:
            assurance = replicate(design, pool, draws=others, **options).significant  # type: ignore[arg-type]
        found.append(Point(n, design.counts(n), power, assurance))
    return found


def over_draws(p: np.ndarray, draw: np.ndarray) -> Share | None:
    """Share of p values below the level, averaged over draws, with Student's interval of the mean of the draws."""
    shares = [
        float(np.mean(own[np.isfinite(own)] < LEVEL))
        for own in (p[draw == number] for number in np.unique(draw))
        if np.isfinite(own).any()
    ]
    if not shares:
        return None
    mean = float(np.mean(shares))
    if len(shares) == 1:
        return Share(mean, 0.0, 1.0)
    reach = float(stdtrit(len(shares) - 1, 1 - LEVEL / 2) * np.std(shares, ddof=1) / np.sqrt(len(shares)))
    return Share(mean, max(mean - reach, 0.0), min(mean + reach, 1.0))


def _check(design: Design, of_draw: Rows, counts: Sequence[int]) -> None:
    for (name, _), rows, count in zip(design.sequences, of_draw, counts, strict=True):
        if len(rows) < count:
            raise InputError(
                f'a trial of {sum(counts):,} men has {count:,} in "{name}", more than the {len(rows):,} simulated; '
                "ask for smaller trials"
            )


def _batches(replicates: int, men: int) -> Iterator[int]:
    """Numbers of replicates that fit into memory together."""
    most = max(TOGETHER // max(men, 1), 1)
    while replicates > 0:
        yield min(most, replicates)
        replicates -= most


def _some(rng: np.random.Generator, rows: np.ndarray, count: int, batch: int) -> np.ndarray:
    """(batch, count) places, in each row different men in random order."""
    order = rng.random((batch, len(rows)))
    return rows[np.argsort(order, axis=1)[:, :count]]


def _joined(parts: list[Estimate]) -> Estimate:
    return Estimate(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))
