"""Published figures on the scale of comparison, and the model's value of each.

Figures are compared as the log of the ratio to baseline (hormones, semen, markers, blood), as percentage points (BMD,
dilation, blood count) or as shares of men (symptoms).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from leydig import laboratory, parameters, population_prior
from leydig.errors import InputError
from leydig.evidence import RELATIVE, Arm, Outcome, Reported, Trial
from leydig.studies.comparison import domain, settings, to_laboratory

# A state is a 24-hour mean: six samples before the visit, from the second day on.
SAMPLES = np.arange(6) / 6
FIRST_DAILY_MEAN = 2.0


class Figure(NamedTuple):
    """One published figure on the scale of comparison."""

    trial: str
    arm: str
    against: str | None
    quantity: str
    day: float
    domain: str
    moment: bool  # read at that time, else as the mean of the 24 hours before
    level: bool  # compared as a level, because no baseline is printed, else as a change
    reported: float
    standard_error: float  # sampling alone
    printed: str  # as the paper prints it


def figures(trial: Trial) -> list[Figure]:
    """The trial's scored figures: every outcome with ``fit: true``."""
    found = []
    for arm, outcome in trial.outcomes():
        if not outcome.fit:
            continue
        level, reported, error = transformed(trial, arm, outcome)
        spread = "" if outcome.spread is None else f" ({outcome.spread_kind} {outcome.spread})"
        printed = f"{outcome.statistic} {outcome.value:g} {outcome.unit}{spread}"
        found.append(
            Figure(
                trial.key,
                arm.name,
                outcome.against,
                outcome.quantity,
                outcome.day,
                domain(outcome.quantity),
                outcome.moment,
                level,
                reported,
                error,
                printed,
            )
        )
    return found


def transformed(trial: Trial, arm: Arm, outcome: Outcome) -> tuple[bool, float, float]:
    """Whether a figure is compared as a level, its value and its standard error on the scale of comparison.

    Without a printed baseline a mean is compared as a level, with the spread of studies about the
    population's typical man added, and a change is taken from that man's value.
    """
    kind = domain(outcome.quantity)
    choice, n = settings()["domains"][kind], outcome.n or arm.n or settings()["men_assumed"]
    fallback = choice["between_men"] * np.sqrt(1 / n + _one_over_other(trial, outcome))
    before = arm.baseline.get(outcome.quantity)
    base = before.convert(outcome.quantity, before.value) if before else None
    value, floor = outcome.canonical, settings()["floors"].get(outcome.quantity, 0.0)
    spread, least = _standard_error(outcome, outcome.quantity, n), choice["least_error"]
    if choice["scale"] in ("points", "share"):
        return _on_own_scale(trial, outcome, base, value, spread, fallback)
    if outcome.statistic == "percent_change" and choice["scale"] == "percent":
        return False, value, spread or fallback
    if outcome.statistic in ("percent_change", "ratio", "percent_of"):
        share = {"percent_change": 1 + value / 100, "ratio": value, "percent_of": value / 100}[outcome.statistic]
        unit = 1.0 if outcome.statistic == "ratio" else 100.0
        error = _relative(spread, share * unit) or fallback
        return False, float(np.log(max(share, 1e-3))), max(error, least)
    of_base = 0.0  # relative error of a baseline that is not printed
    if base is None and outcome.statistic == "change":
        base, of_base = typical_value(trial, outcome.quantity), settings()["level_study_log_sd"]
    if base is None:
        apart = settings()["level_study_log_sd"] if kind == "hormone" else 0.0
        error = max(_relative(spread, value) or fallback, least)
        return True, float(np.log(value + floor)), float(np.hypot(error, apart))
    if choice["scale"] == "percent":
        error = 100 * spread / base if spread and outcome.statistic == "change" else fallback
        return False, 100 * (value if outcome.statistic == "change" else value - base) / base, error
    if outcome.statistic == "change":
        after = max(base + value, floor, 1e-6)
        error = float(np.hypot(_relative(spread, after) or fallback, of_base * abs(value) / after))
        return False, float(np.log(after / base)), max(error, least)
    correlation = settings()["within_man_correlation"]
    after = _relative(spread, max(value, floor, 1e-6))
    first = _relative(_standard_error(before, outcome.quantity, n), base) if before else None
    error = fallback
    if after and first and after < 1:
        error = float(np.sqrt(after**2 + first**2 - 2 * correlation * after * first))
    return False, float(np.log((value + floor) / (base + floor))), max(error, least)


def _on_own_scale(
    trial: Trial, outcome: Outcome, base: float | None, value: float, spread: float | None, fallback: float
) -> tuple[bool, float, float]:
    """A share as a level and percentage points as a change: what ``transformed`` returns, for these scales.

    A share is printed of men at one time, without their share before, so it is compared as it stands.
    """
    if settings()["domains"][domain(outcome.quantity)]["scale"] == "share":
        if outcome.statistic in RELATIVE:
            raise InputError(f"{trial.key}: {outcome.quantity} is compared as a share, not as a {outcome.statistic}")
        if outcome.statistic == "change" and outcome.against is None:
            raise InputError(f"{trial.key}: a change of {outcome.quantity} needs the arm that it is a difference from")
        return True, 100 * value, 100 * spread if spread else fallback
    first = base if base is not None else typical_value(trial, outcome.quantity)
    if outcome.statistic == "change":
        return False, value, spread or fallback
    if outcome.statistic in RELATIVE:
        share = {"percent_change": value / 100, "ratio": value - 1, "percent_of": value / 100 - 1}[outcome.statistic]
        return False, share * first, fallback
    return False, value - first, fallback


def _one_over_other(trial: Trial, outcome: Outcome) -> float:
    """1/n of the arm that a contrast is formed with; 0 without a contrast."""
    other = next((arm for arm in trial.arms if arm.name == outcome.against), None)
    return 0.0 if other is None else 1 / (other.n or settings()["men_assumed"])


def typical_value(trial: Trial, quantity: str) -> float:
    """What the trial's laboratory would print of the population's typical man of its age, BMI and condition."""
    who = trial.population
    prior = population_prior.prior(who.age or settings()["age_assumed"], who.BMI, who.condition or "eugonadal")
    values = population_prior.typical(prior)
    values["total_sperm_count"] = values["sperm_concentration"] * values["semen_volume"]
    values["total_cholesterol"] = values["LDL"] + values["HDL"] + values["triglycerides"] / 5
    if quantity not in values:
        raise InputError(f"{trial.key}: a change of {quantity} needs the arm's printed baseline")
    lab = parameters.record(laboratory.Constants, "laboratory", fitted=False)
    age = who.age or settings()["age_assumed"]
    return float(to_laboratory(quantity, np.array(values[quantity]), trial.assay, age, lab))


def _relative(spread: float | None, value: float) -> float | None:
    return None if spread is None or value <= 0 else spread / value


def _standard_error(reported: Reported, quantity: str, n: int) -> float | None:
    """Standard error of a mean in the canonical unit, when a usable spread is printed."""
    if reported.spread is None:
        return None
    if isinstance(reported.spread, tuple):
        low, high = reported.spread
        width = high - low
        size = width / 3.92 if reported.spread_kind == "CI95" else width / 1.349 / np.sqrt(n)
    else:
        size = reported.spread if reported.spread_kind == "SEM" else reported.spread / np.sqrt(n)
    return float(reported.convert(quantity, size))


def predicted(figure: Figure, arms: Mapping[str, Mapping[str, np.ndarray]], days: Mapping[str, np.ndarray]) -> float:
    """The model's value of a figure on the scale of comparison, from the runs of the trial's arms."""
    own = _relative_change(figure, arms[figure.arm], days[figure.arm])
    if figure.against is None:
        return own
    return own - _relative_change(figure, arms[figure.against], days[figure.against])


def _relative_change(figure: Figure, values: Mapping[str, np.ndarray], days: np.ndarray) -> float:
    series = values[figure.quantity]
    read = float(np.interp(figure.day, days, series)) if figure.moment else daily_mean(series, days, figure.day)
    now, before = read, float(series[0])
    scale = settings()["domains"][figure.domain]["scale"]
    if scale == "percent":
        return 100 * (now / before - 1)
    if scale == "points":
        return now - before
    if scale == "share":
        return 100 * now
    floor = settings()["floors"].get(figure.quantity, 0.0)
    after = np.log(max(now, 0.0) + floor + 1e-12)
    return float(after if figure.level else after - np.log(before + floor + 1e-12))


def sample_days(days: Iterable[float]) -> np.ndarray:
    """Times to compute (d) for values at ``days``: from day 2 on, the 24 hours before as well."""
    wanted = {0.0}
    for day in days:
        wanted |= set(day - SAMPLES) if day >= FIRST_DAILY_MEAN else {day}
    return np.array(sorted(wanted))


def daily_mean(series: np.ndarray, days: np.ndarray, day: float) -> float:
    """The mean of the 24 hours up to a day; in the first two days the value itself."""
    if day < FIRST_DAILY_MEAN:
        return float(np.interp(day, days, series))
    return float(np.mean(np.interp(day - SAMPLES, days, series)))
