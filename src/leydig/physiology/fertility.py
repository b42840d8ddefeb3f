"""Conception: from total motile sperm count, both ages and months of trying to the chance per cycle and in all.

An output of a run, never part of the traced equations. Couples differ in their fecundability u (a Beta distribution,
and a share that is sterile whatever the semen). Each failed cycle makes the less fertile couples more likely, so
couples who have tried long are a selected group. One couple or many: counts are arrays (times,) or (times, couples),
ages then arrays (couples,); months of trying are one number, as they set how finely the time before day 0 is cut.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import roots_jacobi

DAYS_PER_MONTH = 365.25 / 12
DAYS_PER_YEAR = 365.25
NODES = 96  # exact for up to 191 failed cycles under a constant count


class Parameters(NamedTuple):
    fecundability_mean: float  # 1, per cycle at ample sperm in young couples that are not sterile
    fecundability_size: float  # 1, sum of the Beta distribution's two shapes
    sterile_share: float  # 1
    count_half: float  # 10^6, total motile sperm count at which the chance is halved
    count_steepness: float  # 1
    partner_age_start: float  # years, from which her age counts
    partner_age_slope: float  # 1/year^2
    man_age_start: float  # years, from which his age counts apart from his semen
    man_age_slope: float  # 1/year^2
    cycle_length: float  # days
    default_partner_age: float  # years, where none is given
    default_months_trying: float  # months, where none is given


class Couple(NamedTuple):
    """Both ages on day 0 (years), and months of trying without success before it."""

    partner_age: float
    man_age: float
    months_trying: float


class Prospect(NamedTuple):
    """Chances at each time of a run."""

    per_cycle: np.ndarray  # 1, of conceiving in the cycle around then, among couples not yet pregnant
    cumulative: np.ndarray  # 1, of having conceived at least once since day 0


@lru_cache(maxsize=512)
def fecundability(mean: float, size: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights (sum 1) of Gauss-Jacobi quadrature over u ~ Beta(mean size, (1 - mean) size)."""
    nodes, weights = roots_jacobi(NODES, (1 - mean) * size - 1, mean * size - 1)
    nodes, weights = (1 + nodes) / 2, weights / weights.sum()
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights


def sperm_factor(count, p: Parameters):
    """Share of the chance that ``count`` (total motile sperm, 10^6) allows: 0 without sperm, towards 1 with many."""
    power = np.maximum(np.asarray(count, float), 0.0) ** p.count_steepness
    return power / (power + p.count_half**p.count_steepness)


def age_factor(partner_age, man_age, p: Parameters):
    """Share of the chance that both ages leave: exp(-slope (years beyond the start)^2) for each."""
    hers = np.maximum(np.asarray(partner_age, float) - p.partner_age_start, 0.0)
    his = np.maximum(np.asarray(man_age, float) - p.man_age_start, 0.0)
    return np.exp(-p.partner_age_slope * hers**2 - p.man_age_slope * his**2)


def chance(count, days, couple: Couple, p: Parameters):
    """Chance per cycle of a couple with u = 1, ``days`` (as many as counts) after day 0 (before it if negative)."""
    years = _beside(np.asarray(days, float) / DAYS_PER_YEAR, np.asarray(count, float))
    return sperm_factor(count, p) * age_factor(couple.partner_age + years, couple.man_age + years, p)


def failure(u, chances, days, p: Parameters):
    """Log of the chance of no conception by each of ``days``, by node (last axis): log(1 - u q) summed over the cycles.

    A cycle's chance is spread evenly over its days, so any time is allowed and a constant q gives (1 - u q)^cycles.
    """
    per_day = np.log1p(-u * np.asarray(chances, float)[..., None]) / p.cycle_length
    steps = _beside(np.diff(days), per_day) * (per_day[1:] + per_day[:-1]) / 2
    return np.concatenate([np.zeros((1, *per_day.shape[1:])), np.cumsum(steps, axis=0)])


def _beside(times, values):
    """Values (times,) as they combine with ``values`` (times, ...)."""
    return times.reshape(-1, *(1,) * (values.ndim - 1)) if values.ndim else times


def tried(u, baseline_count, couple: Couple, p: Parameters):
    """Log of the chance of no conception in the months of trying before day 0, by node; he had his baseline count."""
    days = np.linspace(-couple.months_trying * DAYS_PER_MONTH, 0.0, 1 + max(1, round(2 * couple.months_trying)))
    counts = np.broadcast_to(baseline_count, (len(days), *np.shape(baseline_count)))
    return failure(u, chance(counts, days, couple, p), days, p)[-1]


def prospect(counts, days, couple: Couple, p: Parameters, baseline_count=None) -> Prospect:
    """Chances during a run of total motile sperm ``counts`` (10^6) at ``days`` (rising, from day 0).

    P(t) = E[u q(t) S(u,t)] / E[S(u,t)], cumulative = 1 - E[S(u,t)] / E[S(u,0)]; S(u,t) is the chance that a couple of
    fecundability u has not conceived from the start of trying until t, and E runs over all couples, sterile ones
    included. ``baseline_count`` is what he had while they tried, the first of ``counts`` if not given.
    Assumes intercourse through the fertile days, no other treatment, and losses of early pregnancies not counted.
    Source: fitted to cohorts of couples, see data/parameters/fertility.yaml.
    """
    counts, days = np.asarray(counts, float), np.asarray(days, float)
    u, weights = fecundability(p.fecundability_mean, p.fecundability_size)
    before = tried(u, counts[0] if baseline_count is None else baseline_count, couple, p)
    chances = chance(counts, days, couple, p)
    fertile = (1 - p.sterile_share) * weights * np.exp(before + failure(u, chances, days, p))
    still = p.sterile_share + fertile.sum(axis=-1)
    # not a matrix product, whose order of adding up may depend on the number of couples
    return Prospect(per_cycle=chances * (fertile * u).sum(axis=-1) / still, cumulative=1 - still / still[0])


def conception_probability(counts, days, couple: Couple, p: Parameters, baseline_count=None) -> np.ndarray:
    """Chance of conceiving in one cycle at each time, among couples not yet pregnant."""
    return prospect(counts, days, couple, p, baseline_count).per_cycle


def cumulative_conception(counts, days, couple: Couple, p: Parameters, baseline_count=None) -> np.ndarray:
    """Chance of at least one conception between day 0 and each time."""
    return prospect(counts, days, couple, p, baseline_count).cumulative


def default_couple(man_age, p: Parameters) -> Couple:
    """The couple that is assumed where nothing is known of the partner; ``man_age`` in years, one man's or an array."""
    return Couple(p.default_partner_age, man_age, p.default_months_trying)
