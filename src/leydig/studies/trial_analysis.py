"""From what was printed of the men of a trial to its estimates, as a paper would analyse it.

level           mean on the day; against an arm the difference of means (Welch)
change          mean change from baseline; against an arm its difference
percent_change  mean of the men's percent changes, or the percent change of the mean; against an arm its difference
ratio           geometric mean of the men's ratios to baseline; against an arm the ratio of these
responder       share of men within limits (Wilson); against an arm the difference of shares (Newcombe)
ancova          difference of means on the day, adjusted for baseline with one slope

In a crossover each man is compared with himself, so that the effects of periods cancel; baseline is then the beginning
of each period. A reading below the limit of quantification enters at that limit, as a paper's would. Ratios of what is
next to nothing are taken above the floors of data/calibration.yaml. After a man has left his readings are missing:
available cases, the last reading carried forward (baseline too), or completers only, as the design says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from leydig.studies import trial_statistics as statistics
from leydig.studies.comparison import settings
from leydig.studies.trial_design import Contrast, Design
from leydig.studies.trial_pool import Pool
from leydig.studies.trial_records import Outcome
from leydig.studies.trial_statistics import PERCENT, Estimate
from leydig.units import to_canonical

Rows = Sequence[np.ndarray]  # of every sequence of the design: places of its men in the pool, (..., n)
DAY_TOLERANCE = 1e-6  # d


class Source(NamedTuple):
    """Readings of all men of a pool."""

    values: np.ndarray  # (N, v)
    left: np.ndarray  # (N,) d
    days: np.ndarray  # (v,)


class Pair(NamedTuple):
    """A quantity of men at the beginning of a period and on a later day, (..., n)."""

    before: np.ndarray
    after: np.ndarray


def printed(pool: Pool, quantity: str) -> Source:
    """What the trial reads."""
    return Source(pool.printed[quantity], pool.left, pool.days)


def true(pool: Pool, quantity: str) -> Source:
    """The state behind it, of men of whom nobody leaves."""
    return Source(pool.truth[quantity], np.full(len(pool.left), np.inf), pool.days)


def untreated(pool: Pool, quantity: str) -> Source | None:
    """What would have been read of the same men without any drug; None where that was not run."""
    return None if pool.untreated is None else Source(pool.untreated[quantity], pool.left, pool.days)


def analyse(design: Design, contrast: Contrast, source: Source, rows: Rows) -> Estimate:
    """The estimate of one contrast from the men in ``rows``; leading axes are replicate trials."""
    outcome = contrast.outcome
    if design.crossover is not None and contrast.against is not None:
        return _finished(outcome, statistics.within_men(_differences(design, contrast, source, rows)))
    own = _pair(design, contrast, contrast.arm, source, rows)
    if contrast.against is None:
        if outcome.analysis == "percent_change" and outcome.of == "means":
            return statistics.percent_of_means(*own)
        score = scores(outcome, own)
        if outcome.analysis == "responder":
            return statistics.one_share(score)
        return _finished(outcome, statistics.one_mean(score, tested=outcome.analysis != "level"))
    other = _pair(design, contrast, contrast.against, source, rows)
    if outcome.analysis == "ancova":
        return statistics.ancova(*own, *other)
    if outcome.analysis == "percent_change" and outcome.of == "means":
        return statistics.percent_of_means_apart(own, other)
    score, against = scores(outcome, own), scores(outcome, other)
    if outcome.analysis == "responder":
        return statistics.difference_of_shares(score, against)
    return _finished(outcome, statistics.difference(score, against))


def period_effect(design: Design, contrast: Contrast, source: Source, rows: Rows) -> Estimate | None:
    """How much more the second period of a crossover of two arms shows than the first; None for other designs."""
    if design.crossover is None or contrast.against is None or len(design.arms) != 2:
        return None
    # the arm comes second in one sequence and first in the other
    weights = [0.5 if order[1] == contrast.arm else -0.5 for _, order in design.sequences]
    return _finished(contrast.outcome, statistics.within_men(_differences(design, contrast, source, rows), weights))


class Split(NamedTuple):
    """A change without a control and its two parts, of the same men."""

    seen: Estimate  # before to after on the drug
    without: Estimate  # before to after without it: regression to the mean, and time
    drug: Estimate  # what is left for the drug


def split(design: Design, contrast: Contrast, pool: Pool, rows: Rows) -> Split | None:
    """A change within an arm beside that of the same men untreated; None where these are not there.

    The parts add (of a ratio they multiply): men who left or are not read are missing from both.
    """
    without = untreated(pool, contrast.outcome.quantity)
    if without is None or contrast.against is not None:
        return None
    outcome, read = contrast.outcome, printed(pool, contrast.outcome.quantity)
    one, other = (_pair(design, contrast, contrast.arm, source, rows) for source in (read, without))
    if outcome.analysis == "percent_change" and outcome.of == "means":
        both = statistics.percent_of_means(*one), statistics.percent_of_means(*other)
        m, k = statistics.change_of_means(*one), statistics.change_of_means(*other)
        # the same men twice: taken as independent, the error is on the large side
        error = np.sqrt(m.variance / m.n + k.variance / k.n)
        return Split(*both, statistics.by_t(m.mean - k.mean, error, m.n - 1, m.n))
    own, none = scores(outcome, one), scores(outcome, other)
    seen, back = analyse(design, contrast, read, rows), analyse(design, contrast, without, rows)
    return Split(seen, back, _finished(outcome, statistics.one_mean(own - none)))


def scores(outcome: Outcome, pair: Pair) -> np.ndarray:
    """Every man's own number on the scale that is averaged."""
    before, after = pair
    if outcome.analysis in ("level", "ancova"):
        return after
    if outcome.analysis == "change":
        return after - before
    if outcome.analysis == "ratio":
        return _log(after, outcome.quantity) - _log(before, outcome.quantity)
    if outcome.analysis == "responder":
        return _responds(outcome, pair)
    return _percent(pair)


def _percent(pair: Pair) -> np.ndarray:
    """Percent changes; nan from a baseline of nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pair.before > 0, PERCENT * (pair.after / pair.before - 1), np.nan)


def _log(values: np.ndarray, quantity: str) -> np.ndarray:
    """Logarithms above the floor of the quantity; nan of nothing without a floor."""
    above = values + settings()["floors"].get(quantity, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(above > 0, np.log(above), np.nan)


def _responds(outcome: Outcome, pair: Pair) -> np.ndarray:
    """1 for men within the limits, which belong to it, 0 for others, nan for those not read."""
    rule = outcome.responder
    assert rule is not None
    of = {"level": lambda: pair.after, "change": lambda: pair.after - pair.before}
    value = of.get(rule.of, lambda: _percent(pair))()
    factor = 1.0 if rule.of == "percent_change" else to_canonical(outcome.quantity, 1.0, rule.unit)
    within = np.ones(np.shape(value), bool)
    if rule.above is not None:
        within &= value >= factor * rule.above
    if rule.below is not None:
        within &= value <= factor * rule.below
    return np.where(np.isfinite(value), within.astype(float), np.nan)


def _finished(outcome: Outcome, found: Estimate) -> Estimate:
    return statistics.exponential(found) if outcome.analysis == "ratio" else found


# Readings -------------------------------------------------------------------------------------------


def column(design: Design, source: Source, period: int, day: float) -> int:
    """The place of a day of a period among the visits."""
    away = np.abs(source.days - (design.starts[period] + day))
    place = int(np.argmin(away))
    assert away[place] <= DAY_TOLERANCE, f"day {day:g} of period {period} is no visit of the pool"
    return place


def _pair(design: Design, contrast: Contrast, arm: int, source: Source, rows: Rows) -> Pair:
    """Men on one arm, of a crossover from all sequences."""
    parts = [
        _read(design, source, where, order.index(arm), contrast.day)
        for (_, order), where in zip(design.sequences, rows, strict=True)
        if arm in order
    ]
    return Pair(*(np.concatenate([part[side] for part in parts], axis=-1) for side in (0, 1)))


def _differences(design: Design, contrast: Contrast, source: Source, rows: Rows) -> list[np.ndarray]:
    """Each man's score on one arm less that on the other, by sequence."""
    assert contrast.against is not None
    found = []
    for (_, order), where in zip(design.sequences, rows, strict=True):
        one, other = (
            scores(contrast.outcome, _read(design, source, where, order.index(arm), contrast.day))
            for arm in (contrast.arm, contrast.against)
        )
        found.append(one - other)
    return found


def _read(design: Design, source: Source, rows: np.ndarray, period: int, day: float) -> Pair:
    """Baseline of a period and a later day of it, with what is missing after men have left."""
    first, last = column(design, source, period, 0.0), column(design, source, period, day)
    left = source.left[rows]
    if design.missing == "completers":
        stays = left >= source.days[-1]
        return Pair(*(np.where(stays, source.values[rows, place], np.nan) for place in (first, last)))
    before = np.where(left >= source.days[first], source.values[rows, first], np.nan)
    if design.missing == "available":
        return Pair(before, np.where(left >= source.days[last], source.values[rows, last], np.nan))
    seen = np.searchsorted(source.days, left, side="right") - 1  # the last visit that he came to
    carried = source.values[rows, np.clip(seen, first, last)]
    return Pair(before, np.where(seen >= first, carried, np.nan))


def over_time(design: Design, source: Source, arm: int, rows: Rows) -> np.ndarray:
    """Readings (..., n, visits of a period) of men on one arm; nan after they left."""
    parts = []
    for (_, order), where in zip(design.sequences, rows, strict=True):
        if arm not in order:
            continue
        places = [column(design, source, order.index(arm), day) for day in design.visit_days]
        stays = source.left[where][..., None] >= source.days[places]
        parts.append(np.where(stays, source.values[where][..., places], np.nan))
    return np.concatenate(parts, axis=-2)
