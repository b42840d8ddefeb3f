"""Sperm after testosterone: months until a sample reaches a limit, after courses of several lengths, alone or helped.

    rows = [row for course in follow_recovery() for row in recoveries(course)]

Men are sampled every few weeks from the end of testosterone on, as in the pooled studies; a man has recovered at the
first sample at or above the limit, noise included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from leydig.numerics import Mode
from leydig.pharmacology.protocol import Protocol
from leydig.physiology.fertility import DAYS_PER_MONTH
from leydig.start import given
from leydig.studies.fertility_plan import DAYS_PER_WEEK, Plan, plan
from leydig.studies.fertility_trials import COUNT, PERCENT, Estimate, estimate, gathered
from leydig.studies.many import DONE
from leydig.studies.trial_course import Group, Visit, clock_of, follow, readings

QUARTILES = (25, 50, 75)  # %


class Course(NamedTuple):
    """Men who were given testosterone for so long, and what they took afterwards."""

    weeks: int  # of testosterone
    afterwards: str
    protocol: str
    draw: np.ndarray  # (N,) from 0
    draws: int
    before: np.ndarray  # (N,) 10^6/mL, count of the state on day 0
    days: np.ndarray  # (v,) d since the end of testosterone
    truth: np.ndarray  # (N, v) 10^6/mL
    printed: np.ndarray  # (N, v) 10^6/mL


def follow_recovery(
    of: Plan | None = None, *, draws: int | None = None, men: int | None = None, mode: Mode = "single", threads: int = 2
) -> Iterator[Course]:
    """The same men after every course of the plan. InputError for men who cannot be had."""
    of = plan() if of is None else of
    recovery = of.recovery
    protocols = {course: Protocol.parse(recovery.text(*course)) for course in recovery.courses}
    who = gathered(
        "recovery",
        recovery.men,
        [*protocols.values()],
        (COUNT,),
        of.seed.value,
        draws or of.draws.value,
        men or of.men.value,
    )
    for (weeks, afterwards), protocol in protocols.items():
        yield _course(who, of, weeks, afterwards, protocol, mode, threads)


def _course(who: Group, of: Plan, weeks: int, afterwards: str, protocol: Protocol, mode: Mode, threads: int) -> Course:
    since = np.arange(0, of.recovery.followed + 1, of.recovery.sampled_every) * float(DAYS_PER_WEEK)
    # a count moves over weeks, so one moment stands for its day
    visits = [Visit(0.0), *(Visit(weeks * DAYS_PER_WEEK + day, moment=True) for day in since)]
    taken = given(protocol, visits[-1].day)
    run = follow(who, [taken], np.zeros(len(who.draw), int), clock_of(visits), (COUNT,), mode, threads)
    solved, series = run.status == DONE, run.quantities[COUNT]
    printed = readings(who, COUNT, run.quantities, visits)
    return Course(
        weeks,
        afterwards,
        of.recovery.text(weeks, afterwards),
        who.draw[solved],
        len(who.several),
        series[solved, 0],
        since,
        series[solved, 1:],
        printed[solved, 1:],
    )


# Times ---------------------------------------------------------------------------------------------


class Recovered(NamedTuple):
    """Months after testosterone by which so many men have reached a limit."""

    weeks: int
    afterwards: str
    limit: float  # 10^6/mL
    quartiles: tuple[Estimate, ...]  # months; inf where fewer men have reached it in the time that they were followed
    suppressed: Estimate  # %, of men below the limit at the end of testosterone, who alone can come back to it
    shares: dict[float, Estimate]  # %, by months


def months_to(printed: np.ndarray, days: np.ndarray, limit: float) -> np.ndarray:
    """(N,) months until the first sample at or above the limit; inf where there is none, nan where none was needed."""
    reached = printed >= limit
    first = np.where(reached.any(axis=1), days[reached.argmax(axis=1)] / DAYS_PER_MONTH, np.inf)
    return np.where(reached[:, 0], np.nan, first)


def recoveries(course: Course, of: Plan | None = None) -> Iterable[Recovered]:
    """Quartiles of the time to each limit and shares of men who have reached it by the published months."""
    of = plan() if of is None else of
    for limit in of.recovery.limits:
        months = months_to(course.printed, course.days, limit)
        each = [months[course.draw == number] for number in range(course.draws)]
        waiting = [own[~np.isnan(own)] for own in each]
        waiting = [own for own in waiting if len(own)]
        quartiles = np.array([np.quantile(own, np.array(QUARTILES) / PERCENT, method="higher") for own in waiting])
        yield Recovered(
            course.weeks,
            course.afterwards,
            limit,
            tuple(_estimate(column) for column in quartiles.T),
            estimate(np.array([PERCENT * np.mean(~np.isnan(own)) for own in each])),
            {
                one.by: estimate(np.array([PERCENT * np.mean(own <= one.by) for own in waiting]))
                for one in of.recovery.published_shares
                if one.by is not None
            },
        )


def _estimate(months: np.ndarray) -> Estimate:
    """Of times, some of which may not have come."""
    return Estimate(*(float(value) for value in np.quantile(months, (0.5, 0.025, 0.975), method="higher")))
