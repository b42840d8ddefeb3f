"""One man's day, minute by minute, before and on a protocol, and what a study that samples it would find.

The minutes begin from the slow model's state a week before the day that is asked for, so that bursts, hormones and
brain have met. Laboratory values are those of blood drawn at the minute on the man's own assays, with the assay's own
error and nothing else: pulses and the hour are in the minutes themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from leydig import laboratory, minutes, model, outputs, start
from leydig.engine import reference
from leydig.engine.inputs import InputTable
from leydig.engine.trajectory import Panel
from leydig.errors import InputError
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.schedule import HOURS, LONGEST_YEARS
from leydig.pharmacology.visits import Every, Time
from leydig.studies import observe, observe_test, pulse_detection
from leydig.studies.answer import describe, drug_names
from leydig.studies.before import already_taken
from leydig.studies.provenance import cautions, digests, sources
from leydig.studies.simulate import begin_typical, weekday_of
from leydig.subject import Completed, Subject, complete
from leydig.units import CANONICAL

HOURS_PER_DAY, MINUTES_PER_HOUR = 24.0, 60.0
WARM_UP_DAYS = 7.0  # numerics, not physiology
DEFAULT_DAY = 84.0
LONGEST_DAYS = float(LONGEST_YEARS * HOURS["year"] / HOURS["day"])
SHORTEST_HOURS, LONGEST_HOURS = 1.0, 168.0
EVERY = 1.0  # min between the values that are kept
SAMPLED = 10.0  # min between the samples in which pulses are looked for
MATCHED_WITHIN = 30.0  # min from a burst to the peak that it makes, which in blood comes after a quarter of an hour
RATIO = "testosterone_estradiol_ratio"
FAST = (
    "LH",
    "FSH",
    "testosterone",
    "free_testosterone",
    "bioavailable_testosterone",
    "estradiol",
    "free_estradiol",
    "estrone",
    "dihydrotestosterone",
    RATIO,
    "SHBG",
    "intratesticular_testosterone",
)  # what moves within a day, besides drugs


class Found(NamedTuple):
    """Pulses of LH in a day's samples, beside the bursts that were there."""

    detector: str
    pulses: pulse_detection.Pulses  # times in minutes since the beginning of the day
    against: pulse_detection.Agreement


@dataclass(frozen=True)
class Day:
    """Some hours of a man, seen every minute; the panels as in ``Trajectory``, but of the moment, not of 24 hours."""

    hours: np.ndarray  # (t,) h since the beginning of day 0
    quantities: Panel
    laboratory: Panel
    below: Mapping[str, np.ndarray]  # where a printed value is the limit of quantitation that it lies below
    bursts: minutes.Bursts
    frequency: float  # bursts per 24 h that the brain's state stands for, mean over the day
    sampled: np.ndarray  # places in ``hours`` of the samples in which pulses were looked for
    found: tuple[Found, ...]


@dataclass(frozen=True)
class Minutes:
    """A man's day before a protocol and on it."""

    subject: Mapping[str, Any]  # as in ``Trajectory``
    protocol: str  # canonical text
    at_day: float
    before: Day  # the last day before day 0
    on: Day
    seed: int
    assumed: tuple[str, ...]  # sentences
    remarks: tuple[str, ...]  # sentences
    sources: tuple[Mapping[str, str], ...]
    digests: Mapping[str, str]
    left_out: tuple[str, ...]  # quantities that he cannot have


def simulate_minutes(
    subject: Subject | str | Path,
    protocols: Sequence[str | Protocol],
    *,
    hours: float = HOURS_PER_DAY,
    at_day: float | None = None,
    seed: int = 0,
    start_weekday: int | None = None,
) -> list[Minutes]:
    """A man minute by minute for ``hours`` from the beginning of ``at_day``, and as long on the last day before day 0.

    ``at_day`` defaults to day 84, or to the last day of a shorter protocol. ``seed`` decides his bursts and the
    assay's error; protocols share them. Raises InputError for a subject, a protocol or times that cannot be used.
    """
    man = subject if isinstance(subject, Subject) else Subject.open(str(subject))
    plans = [p if isinstance(p, Protocol) else Protocol.parse(p) for p in protocols]
    if not plans:
        raise InputError('at least one protocol is needed; the untreated one is "none for 1 year"')
    if not _is_number(hours) or not SHORTEST_HOURS <= hours <= LONGEST_HOURS:
        raise InputError(
            f"the minutes of {hours!r:.40} hours were asked for; it must be a number from {SHORTEST_HOURS:g} to "
            f"{LONGEST_HOURS:g}"
        )
    last = LONGEST_DAYS - np.ceil(hours / HOURS_PER_DAY)
    if at_day is not None and (not _is_number(at_day) or not 0 <= at_day <= last):
        raise InputError(f"the day (--at-day) is {at_day!r:.40}; it must be a number from 0 to {last:,.0f}")
    completed = complete(man)
    weekday = start_weekday if start_weekday is not None else weekday_of(completed)
    taken = already_taken(completed.drugs, weekday)
    began = begin_typical(completed, taken)
    untreated = minutes.inputs_of(*_until_day_0(began, completed.age))
    whole_days = float(np.ceil(hours / HOURS_PER_DAY)) * HOURS_PER_DAY  # so that both begin at one hour of the clock
    first = -whole_days - WARM_UP_DAYS * HOURS_PER_DAY
    state = _state_before(began, completed.age, first)
    before = _day(completed, began, state, untreated, first, (-whole_days, hours - whole_days), seed)
    return [
        _on(completed, began, before, plan, _chosen_day(plan, at_day), hours, seed, weekday, taken) for plan in plans
    ]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))


def _chosen_day(plan: Protocol, at_day: float | None) -> float:
    """The day asked for; else day 84, or the last whole day of a shorter protocol."""
    if at_day is not None:
        return float(at_day)
    length = plan.duration_days
    return DEFAULT_DAY if length is None else float(max(min(np.ceil(length) - 1, DEFAULT_DAY), 0.0))


def _first_dose(began: start.Start) -> float:
    """Hour of the first dose that he took before day 0; 0 where there was none."""
    return min((float(s.starts[0]) for several in began.earlier.values() for s in several), default=0.0)


def _until_day_0(began: start.Start, age: float) -> list[tuple[float, InputTable]]:
    """What acts on him until day 0: nothing, then what he took."""
    return [(-np.inf, start.input_table(age)), (_first_dose(began), start.input_table(age, began.earlier))]


def _state_before(began: start.Start, age: float, hour: float) -> np.ndarray:
    """State (s,) of the man as he is at an hour before day 0."""
    if not began.earlier:
        return began.state
    first = _first_dose(began)
    state = start.settle(began.individual, start.rest(began.individual), age, True)
    state[start.BMD] = began.state[start.BMD]
    if first >= hour:
        return state
    return _solved(began, state, start.input_table(age, began.earlier), np.array([first, hour]))


def _on(
    completed: Completed, began: start.Start, before: Day, plan: Protocol, at_day: float, hours: float, seed: int,
    weekday: int, taken: start.Given,
) -> Minutes:  # fmt: skip
    given = start.given(plan, at_day + hours / HOURS_PER_DAY, weekday)
    table = start.input_table(completed.age, began.earlier, start.driven(given))
    inputs = minutes.inputs_of(*_until_day_0(began, completed.age), (0.0, table))
    begin = at_day * HOURS_PER_DAY
    first = begin - WARM_UP_DAYS * HOURS_PER_DAY
    if first > 0:
        state = _solved(began, began.state, table, np.array([0.0, first]))
    else:
        state = _state_before(began, completed.age, first)
    day = _day(completed, began, state, inputs, first, (begin, begin + hours), seed)
    used, known = drug_names([given], taken), (*completed.contradictions, *completed.notes)
    return Minutes(
        subject=describe(completed, began),
        protocol=plan.text(),
        at_day=at_day,
        before=before,
        on=day,
        seed=seed,
        assumed=tuple(a.sentence for a in completed.assumed),
        remarks=tuple(dict.fromkeys([*_over(plan, at_day), *known, *cautions(used, given.levers)])),
        sources=sources(used, minutes=True),
        digests=digests(),
        left_out=completed.subject.does_not_apply,
    )


def _over(plan: Protocol, at_day: float) -> list[str]:
    """A sentence where the protocol has ended before the day that is shown."""
    end = plan.duration_days
    if end is None or at_day < end or not plan.regimens:
        return []
    return [f'"{plan.text()}" had ended when day {at_day:g}, which is shown, began']


def _solved(began: start.Start, state: np.ndarray, table: Any, hours: np.ndarray) -> np.ndarray:
    solution = reference.solve(
        model.traced(), state, start.vector(began.individual), table, hours, rtol=1e-6, atol=1e-8, compile=True
    )
    if solution.status is not reference.Status.done:
        raise InputError(f"the man could not be followed to day {hours[-1] / HOURS_PER_DAY:g}: {solution.status.value}")
    return np.array(solution.values[-1])


def _day(
    completed: Completed, began: start.Start, state: np.ndarray, inputs: minutes.Inputs, first: float,
    hours: tuple[float, float], seed: int,
) -> Day:  # fmt: skip
    """The hours asked for, after a warm-up from ``first``."""
    rhythm = minutes.rhythm_of(began.individual, completed.age, laboratory.constants())
    runner = minutes.Runner(began.individual, state, inputs, first, seed=seed, age=completed.age, rhythm=rhythm)
    runner.run(hours[0])
    course = runner.run(hours[1], EVERY / MINUTES_PER_HOUR)
    u = np.array([inputs(t) for t in course.hours]).T
    values = outputs.quantities(course.states, began.individual, u)
    without = completed.subject.does_not_apply
    kept = {name: values[name] for name in (*FAST, *outputs.DRUGS) if name in values and name not in without}
    printed, below = _printed(completed, kept, seed, round(hours[0]))
    units = {name: CANONICAL[name] for name in kept}
    day = Day(
        course.hours, Panel(units, kept), Panel({name: units[name] for name in printed}, printed), below, course.bursts,
        float(course.frequency.mean()) * HOURS_PER_DAY, _sampled(hours[1] - hours[0]), (),
    )  # fmt: skip
    return replace(day, found=tuple(_found(day)))


def _sampled(length: float) -> np.ndarray:
    """Places of the minutes in which pulses are looked for."""
    samples = Every(Time(int(SAMPLED), "minute")).hours(length)
    return np.round(np.array(samples) * MINUTES_PER_HOUR / EVERY).astype(int)


def _printed(
    completed: Completed, values: Mapping[str, np.ndarray], seed: int, when: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """What his laboratory prints for blood of each minute, with its own error alone, and where that is "less than"."""
    assays = {reading.name: reading.assay for reading in completed.readings}
    found: dict[str, np.ndarray] = {}
    below: dict[str, np.ndarray] = {}
    for name in [name for name in values if name in observe.analytes()]:
        test = observe.Test(name, assays.get(name, laboratory.MASS_SPECTROMETRY))
        errors = observe.draws(seed, test, f"minutes from hour {when}", 0, len(values[name]))
        own_laboratory = np.full(len(values[name]), errors.method[0])  # one kind of assay for all of his samples
        same = errors._replace(method=own_laboratory)
        found[name], below[name] = observe.simulate(test, values[name], completed.age, same, moment=True)
    if {"testosterone", "estradiol"} <= set(found):
        floor = outputs.reporting().estradiol_floor
        found[RATIO] = found["testosterone"] / np.maximum(found["estradiol"], floor)
        below[RATIO] = below["testosterone"]
    return found, {name: flags for name, flags in below.items() if flags.any()}


def above(day: Day) -> np.ndarray:
    """Where T/E2 is more than what is printed, because estradiol is less than its limit (t,)."""
    return day.below.get("estradiol", np.zeros(len(day.hours), bool))


def _found(day: Day) -> list[Found]:
    """LH pulses in samples ten minutes apart, by both detectors."""
    since = (day.hours[day.sampled] - day.hours[0]) * MINUTES_PER_HOUR
    printed = day.laboratory.values["LH"][day.sampled]
    variation = observe.analytical("LH", laboratory.MASS_SPECTROMETRY)
    error = observe_test.error(
        "LH", observe_test.kinds("LH", laboratory.MASS_SPECTROMETRY, laboratory.constants())[0].analysis
    )
    # one determination has this error; Cluster counts each sample as a pair whose mean has it
    of_a_pair = np.sqrt(2 * (error.floor**2 + (error.cv * printed) ** 2))
    begun = (day.bursts.hours - day.hours[0]) * MINUTES_PER_HOUR
    begun = begun[(begun >= 0) & (begun < since[-1])]
    several = {
        "Cluster": pulse_detection.cluster(since, printed, of_a_pair),
        "Santen-Bardin": pulse_detection.santen_bardin(since, printed, variation),
    }
    return [
        Found(name, pulses, pulse_detection.agreement(pulses, begun, MATCHED_WITHIN))
        for name, pulses in several.items()
    ]
