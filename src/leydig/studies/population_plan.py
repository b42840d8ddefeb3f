"""From what a person asks for to the specification of a population run, every value checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from leydig import outputs, population_prior, ranges, start
from leydig.baseline import Baseline, personalise
from leydig.errors import InputError, unknown
from leydig.model import Individual, Inputs, load_parameters
from leydig.numerics import Mode
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.schedule import LONGEST_YEARS, Every, PerWeek, Schedule, Weekdays
from leydig.pharmacology.titration import RuleSet
from leydig.population_prior.streams import LARGEST_SEED, whole
from leydig.studies import many
from leydig.studies.clock import HOURS_PER_DAY, SHORT_RUN_DAYS
from leydig.studies.mixture import mixture_text, read_mixture
from leydig.studies.population import CHUNK, IN_PERCENT, Specification
from leydig.studies.simulate import DEFAULT_DAYS
from leydig.studies.titrate import Plan, planned, schedules_of
from leydig.units import CANONICAL

QUANTITIES = (
    *("testosterone", "estradiol", "testosterone_estradiol_ratio", "LH", "FSH"),
    *("sperm_concentration", "total_motile_sperm_count", "bmd_spine", "bmd_hip"),
    *("bmd_spine_change", "bmd_hip_change", "CTX", "HDL", "hematocrit", "desire_score"),
)
INTERVALS = (1.0, 7.0, 28.0, 91.0, 182.0, 364.0)  # days; the first that keeps no more than MOST_BY_DEFAULT is taken
MOST_BY_DEFAULT = 30
WEEK = 7.0  # days
LEAST_DAYS, MOST_DAYS = {"days": 1.0, "every": 1 / 24}, LONGEST_YEARS * 365.25
LONGEST_CYCLE = 91.5  # days between doses of one drug; more is a new course
MOST_CELLS = 20_000  # protocols times days times quantities, so that a chunk and the summary fit into memory
MOST_MEN = 1_000_000_000
MOST_PROTOCOLS = 100
TYPICAL_AGE = 40.0  # of the man who tells which quantities there are


def specify(
    condition: str,
    n: int,
    protocols: Sequence[str | Protocol | Plan],
    *,
    titrate: str | Path | RuleSet | None = None,
    days: float | None = None,
    every: float | None = None,
    seed: int = 0,
    quantities: Sequence[str] = (),
    ages: tuple[float, float] | None = None,
    mode: Mode = "default",
    chunk: int = CHUNK,
) -> Specification:
    """The specification of a run; ``days`` defaults to the longest protocol, one year for open ones.

    ``titrate`` (a name, a file or words) are rules for every protocol that gives their drug and has none of its own.

    Raises InputError, in one sentence, for what cannot be used.
    """
    if not isinstance(condition, str):
        raise InputError("the condition must be text, such as obese-hypogonadal")
    for what, given in (("protocols", protocols), ("quantities", quantities)):
        if isinstance(given, str):
            raise InputError(f'the {what} must be a list; put brackets around "{given[:40]}"')
    shares = read_mixture(condition)
    n, seed = whole("the number of men", n, 1, MOST_MEN), whole("the seed", seed, most=LARGEST_SEED)
    for what, value in (("days", days), ("every", every)):
        if value is not None and not (isinstance(value, int | float) and LEAST_DAYS[what] <= value <= MOST_DAYS):
            raise InputError(f"{what} is {value!r}; it must be from {LEAST_DAYS[what]:g} to {MOST_DAYS:,.0f} days")
    asked = planned(protocols, titrate)
    plans = [plan.protocol for plan in asked]
    if not 1 <= len(plans) <= MOST_PROTOCOLS:
        raise InputError(f"{len(plans)} protocols were given; from 1 to {MOST_PROTOCOLS} can be run")
    length = days if days is not None else max(plan.duration_days or DEFAULT_DAYS for plan in plans)
    texts = [plan.text() for plan in plans]
    rules = ["" if plan.rules is None else plan.rules.text() for plan in asked]
    for text, changed in zip(texts, rules, strict=True):
        if [*zip(texts, rules, strict=True)].count((text, changed)) > 1:
            raise InputError(f'the protocol "{text}" stands twice')
    for plan in plans:
        many.use(plan, length, mode)  # more doses than can be run are refused here, and modes that do not fit
    interval = min(every if every is not None else _interval(length), length)
    names = _quantities(quantities)
    found = Specification(
        mixture_text(shares),
        n,
        tuple(texts),
        float(length),
        float(interval),
        _over(asked, length),
        seed,
        names,
        _ages(ages),
        mode,
        chunk,
        tuple(rules) if any(rules) else (),
    )
    if found.cells > MOST_CELLS:
        raise InputError(
            f"{len(texts)} protocols, {len(found.kept)} days and {len(names)} quantities are {found.cells:,} numbers "
            f"per man; at most {MOST_CELLS:,} are kept, so choose a longer interval or fewer quantities"
        )
    return found


def available() -> tuple[str, ...]:
    """The quantities that can be kept."""
    parameters = load_parameters()
    values = population_prior.typical(population_prior.prior(TYPICAL_AGE))
    baseline = Baseline(age=TYPICAL_AGE, **{name: values[name] for name in Baseline._fields if name != "age"})
    individual = Individual(personalise(baseline, parameters), parameters)
    inputs = np.array(Inputs(age=TYPICAL_AGE), dtype=float)[:, None]
    found = outputs.quantities(start.rest(individual)[None, :], individual, inputs)
    return tuple(dict.fromkeys(name for name in (*found, *IN_PERCENT, *outputs.DRUGS) if name in CANONICAL))


def _quantities(asked: Sequence[str]) -> tuple[str, ...]:
    if not asked:
        return QUANTITIES
    allowed = available()
    for name in asked:
        if name not in allowed:
            raise unknown("quantity", name, allowed)
    return tuple(dict.fromkeys(asked))


def _interval(length: float) -> float:
    """The shortest of the usual intervals that keeps few days."""
    return next((step for step in INTERVALS if length / step <= MOST_BY_DEFAULT), INTERVALS[-1])


def _over(plans: Sequence[Plan], length: float) -> float:
    """Days that a value is the mean of, so that no phase of the dosing is picked: the longest interval of all regimens.

    Whole days, one at least; in short runs 0, the value itself. A pause between courses is no interval.
    """
    if length <= SHORT_RUN_DAYS:
        return 0.0
    schedules = [regimen.schedule for plan in plans for regimen in plan.protocol.regimens]
    schedules += [schedule for plan in plans if plan.rules is not None for schedule in schedules_of(plan.rules)]
    intervals = [_interval_of(schedule) for schedule in schedules]
    longest = max([1.0, *(days for days in intervals if days <= LONGEST_CYCLE)])
    return float(WEEK if 1 < longest <= WEEK else math.ceil(longest - 1e-6))


def _interval_of(schedule: Schedule) -> float:
    """Days after which a schedule begins again; 1 where doses come every day, once or without end."""
    if isinstance(schedule, Every):
        return float(schedule.interval.hours) / HOURS_PER_DAY
    return WEEK if isinstance(schedule, PerWeek | Weekdays) else 1.0


def _ages(ages: tuple[float, float] | None) -> tuple[float, float] | None:
    if ages is None:
        return None
    accepted = ranges.limits("accepted")["age"]
    low, high = ages
    if not accepted.low <= low <= high <= accepted.high:
        raise InputError(
            f"the ages {low:g}-{high:g} cannot be used; they must rise and lie between {accepted.low:g} and "
            f"{accepted.high:g} years"
        )
    return float(low), float(high)
