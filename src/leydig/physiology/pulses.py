"""The minutes: bursts of GnRH and LH, their decay in blood, and the daily drive of the Leydig cell.

The slow model's secretion of LH and FSH (IU/L/h, a 24-hour mean) is handed out in bursts. Bursts are a renewal
process whose clock runs faster the less androgen and oestrogen brake it; what one burst holds is the secretion
that has to be given off per burst at that frequency. So a slower clock makes larger bursts, and no mean is rescaled.

A burst is released in two first-order steps and lost in two phases, so between bursts a level is a sum of
exponentials (``Components``), exact at any time.
"""

from typing import Any, NamedTuple

import numpy as np

from leydig.physiology import hypothalamus_pituitary
from leydig.physiology.arithmetic import positive

HOURS_PER_DAY = 24.0


class Parameters(NamedTuple):
    frequency: float  # 1/h, bursts at rest in a young man
    frequency_reference_age: float  # years
    frequency_age: float  # 1/years, rise of frequency with age
    frequency_oldest: float  # years, beyond which it rises no further
    frequency_androgen_share: float  # 1, of the brake on frequency at rest
    frequency_ceiling: float  # 1, q: frequency can rise to (1 + q) / q times rest
    outflow_on_frequency: float  # 1, power of his own GnRH outflow that slows bursts; the rest makes them small
    interval_shape: float  # 1, Weibull shape of the intervals: 1 is by chance alone, large is a clock
    mass_spread: float  # 1, standard deviation of the logarithm of what bursts of one man hold
    LH_basal_share: float  # 1, of LH that is given off between bursts
    FSH_basal_share: float  # 1
    release_early: float  # 1/h, first step of release
    release_late: float  # 1/h, second step
    LH_fast: float  # 1/h, first phase of the decay
    LH_slow: float  # 1/h, second phase
    LH_fast_share: float  # 1, of what is lost in the first phase, by height at time 0
    testosterone_turnover: float  # 1/h, in the testis: how soon it follows LH
    signal_floor: float  # 1, smallest signal that is used


class Components(NamedTuple):
    """Response to one burst that brings 1 IU/L: the sum of ``height`` exp(-``rate`` t), 0 at t = 0."""

    rate: Any  # (k,) 1/h
    height: Any  # (k,) 1

    @property
    def area(self) -> float:
        """Time that a burst is seen, its integral, h."""
        return float(np.sum(np.asarray(self.height) / np.asarray(self.rate)))


# Frequency -----------------------------------------------------------------------------------------


def frequency_at_rest(age: Any, gnrh_outflow: Any, p: Parameters) -> Any:
    """Bursts per hour of an untreated man of this age (years); his own GnRH outflow is 1, less in a central lesion."""
    years = np.clip(age, p.frequency_reference_age, p.frequency_oldest) - p.frequency_reference_age
    own = positive(gnrh_outflow, p.signal_floor) ** p.outflow_on_frequency
    return p.frequency * np.exp(p.frequency_age * years) * own


def frequency(
    at_rest: Any, androgen_signal: Any, estrogen_signal: Any, axis: hypothalamus_pituitary.Parameters, p: Parameters
) -> Any:
    """Bursts per hour, f0 (1 + q) / (q + w S_a^x + (1 - w) S_e^y): f0 at rest, (1 + q)/q f0 without steroids.

    Signals are hormone over the man's set-point, as the brain sees it; x and y are the exponents of its brake on LH.
    Arrays are welcome.
    """
    androgen = positive(androgen_signal, p.signal_floor) ** axis.androgen_exponent
    estrogen = positive(estrogen_signal, p.signal_floor) ** axis.estrogen_exponent
    brake = p.frequency_androgen_share * androgen + (1 - p.frequency_androgen_share) * estrogen
    return at_rest * hypothalamus_pituitary.ceilinged(brake, p.frequency_ceiling)


# Bursts --------------------------------------------------------------------------------------------


class Pattern(NamedTuple):
    """The bursts of a day on their own clock, on which the mean interval is 1."""

    times: np.ndarray  # (n,) increasing
    sizes: np.ndarray  # (n,) mean 1


def pattern(uniforms: np.ndarray, normals: np.ndarray, p: Parameters) -> Pattern:
    """A day's bursts from random numbers (n,): Weibull intervals after a stationary beginning, log-normal sizes.

    The first burst comes after what is left of an interval that the day finds running (equilibrium renewal), so a
    day can be asked for alone and the mean frequency is met on every day.
    """
    from scipy.special import gammaincinv

    scale, power = interval_scale(p), 1 / p.interval_shape
    intervals = scale * (-np.log(uniforms)) ** power
    intervals[0] = scale * gammaincinv(power, uniforms[0]) ** power
    return Pattern(np.cumsum(intervals), np.exp(p.mass_spread * normals - p.mass_spread**2 / 2))


def interval_scale(p: Parameters) -> float:
    """Scale of the Weibull law with mean 1."""
    from scipy.special import gamma

    return float(1 / gamma(1 + 1 / p.interval_shape))


def burst_mass(level: Any, frequency: Any, basal_share: Any, area: Any) -> Any:
    """What an average burst brings into blood, IU/L: bursts of it keep up ``level`` but for what flows between them."""
    return (1 - basal_share) * level / (frequency * area)


def response(p: Parameters, fast: float, slow: float, fast_share: float) -> Components:
    """Level after a burst: two steps of release (r1, r2) convolved with a two-phase decay.

    Of r1 r2 exp(-r1 t) * exp(-r2 t) * [s exp(-a t) + (1 - s) exp(-b t)] every exponential's height is a product of
    1 / (difference of rates); all rates must differ.
    """
    first, second = p.release_early, p.release_late
    rates = np.array([first, second, fast, slow])
    height = np.zeros(4)
    for place, (share, phase) in enumerate(((fast_share, fast), (1 - fast_share, slow)), start=2):
        made = share * first * second
        height[0] += made / ((second - first) * (phase - first))
        height[1] += made / ((first - second) * (phase - second))
        height[place] += made / ((first - phase) * (second - phase))
    return Components(rates, height)


def LH_response(p: Parameters) -> Components:
    """Level of LH after a burst of 1 IU/L."""
    return response(p, p.LH_fast, p.LH_slow, p.LH_fast_share)


def FSH_response(p: Parameters, clearance: float) -> Components:
    """Level of FSH after a burst of 1 IU/L: one phase, ``clearance`` per hour."""
    every = response(p, clearance, 1.0, 1.0)
    return Components(every.rate[:3], every.height[:3])


def stationary_spread(c: Components, frequency: float, p: Parameters) -> float:
    """Coefficient of variation over time of a level made of bursts alone, at a constant frequency (1/h).

    Renewal shot noise: E x^2 = f sum_ij h_i h_j / (r_i + r_j) [E m^2 + g(r_i) / (1 - g(r_i)) + g(r_j) / (1 - g(r_j))]
    with g the Laplace transform of the intervals and m the size of a burst, mean 1.
    """
    rate, height = np.asarray(c.rate), np.asarray(c.height)
    g = np.array([interval_transform(r / frequency, p) for r in rate])
    later = g / (1 - g)
    size = np.exp(p.mass_spread**2)
    pairs = height[:, None] * height / (rate[:, None] + rate) * (size + later[:, None] + later)
    return float(np.sqrt(frequency * pairs.sum() / (frequency * c.area) ** 2 - 1))


def interval_transform(rate: float, p: Parameters) -> float:
    """Laplace transform of the interval law at ``rate`` (per mean interval)."""
    from scipy.integrate import quad

    scale, power = interval_scale(p), 1 / p.interval_shape
    return float(quad(lambda u: np.exp(-rate * scale * (-np.log(u)) ** power), 0, 1)[0])


# The day -------------------------------------------------------------------------------------------


def drive(clock: Any, amplitude: float, peak: float) -> Any:
    """Leydig output over its 24-hour mean at a clock hour, 1 + A cos(2 pi (hour - peak) / 24)."""
    return 1 + amplitude * np.cos(2 * np.pi * (np.asarray(clock, float) - peak) / HOURS_PER_DAY)
