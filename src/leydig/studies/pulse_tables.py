"""What the minutes do beside the slow model, what detectors find of them, and what a treatment changes in them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from leydig import laboratory, minutes, outputs, start
from leydig.engine.inputs import evaluate
from leydig.pharmacology.protocol import Protocol
from leydig.population_prior.streams import normals
from leydig.studies import pulse_detection
from leydig.studies.before import already_taken
from leydig.studies.pulse_check import Begun, group_value, quantities, sampled, slow, treated
from leydig.studies.pulse_statistics import Record, pulses
from leydig.studies.pulse_studies import (
    DAY_BEGINS,
    HOURS_PER_DAY,
    MINUTES_PER_HOUR,
    Compared,
    Series,
    pulse_studies,
)
from leydig.studies.simulate import begin_typical
from leydig.subject import Subject, complete

SETTLED = ("LH", "FSH", "testosterone", "estradiol")
READERS = ("Cluster", "Santen-Bardin")
INTERVALS = (5.0, 10.0, 20.0)  # min
CONSTANT, CONSTANT_DAYS = 5.0, 100  # IU/L
MATCHED_WITHIN = 60.0  # min from a burst to the peak that it makes
UNTREATED = "none"


class Settled(NamedTuple):
    """A man's mean over some weeks of minutes, over the slow model's."""

    subject: str
    protocol: str
    ratio: dict[str, float]  # mean of the seeds
    error: dict[str, float]  # its standard error


def settled(subject: str, protocol: str, seeds: int) -> Settled:
    """A bundled man under a protocol: minutes over the slow model after both were left to settle."""
    ask = pulse_studies().settling
    completed = complete(Subject.open(subject))
    began = begin_typical(completed, already_taken(completed.drugs, 0))
    man = Begun(began.individual, began.state, completed.age)
    begin, end = (days * HOURS_PER_DAY for days in (ask.settle.value, ask.settle.value + ask.compare.value))
    plan = None if protocol == UNTREATED else Protocol.parse(protocol).text()
    table = treated(plan, end / HOURS_PER_DAY + 1, man.age)
    hours = np.arange(0.0, end + 0.5)
    smooth = outputs.quantities(slow(man, table, hours), man.individual, evaluate(table, hours))
    inputs = minutes.inputs_of((-np.inf, start.input_table(man.age)), (0.0, table))
    rhythm = minutes.rhythm_of(man.individual, man.age, laboratory.constants())
    found: dict[str, list[float]] = {name: [] for name in SETTLED}
    for seed in range(seeds):
        runner = minutes.Runner(man.individual, man.state, inputs, 0.0, seed=seed, age=man.age, rhythm=rhythm)
        runner.run(begin)
        pulsed = quantities(runner.run(end), man.individual, inputs)
        for name in SETTLED:
            found[name].append(float(pulsed[name].mean() / smooth[name][hours >= begin].mean()))
    return Settled(
        subject,
        protocol,
        {name: float(np.mean(ratios)) for name, ratios in found.items()},
        {name: float(np.std(ratios, ddof=1) / np.sqrt(seeds)) for name, ratios in found.items()},
    )


@cache
def settling() -> tuple[Settled, ...]:
    """Every man of the file under every protocol of the file."""
    ask = pulse_studies().settling
    seeds = int(ask.seeds.value)
    return tuple(settled(subject, protocol, seeds) for protocol in ask.protocols for subject in ask.subjects)


class Detected(NamedTuple):
    """What a detector makes of samples so far apart."""

    detector: str
    every: float  # min
    bursts: float  # in 24 h, that were there
    found: float  # in 24 h
    seen: float  # share of bursts with a pulse
    false: float  # share of pulses without a burst
    constant: float  # in 24 h, found where LH is constant and only the assay errs


def detection(place: str) -> tuple[Detected, ...]:
    """LH of a series (source.series) read at several intervals by both detectors."""
    _, series = pulse_studies().series(place)
    return tuple(detected(series, detector, every) for detector in READERS for every in INTERVALS)


def detected(series: Series, detector: str, every: float) -> Detected:
    """LH of a series' men, sampled every so many minutes, against the bursts that were there."""
    records = [r for man in sampled(series.model_copy(update={"every": every})) for r in man]
    agreed = [pulse_detection.agreement(pulses(r, "LH", detector), r.bursts, MATCHED_WITHIN) for r in records]
    days = sum(r.hours for r in records) / HOURS_PER_DAY
    found, missed, false = (sum(several) for several in zip(*agreed, strict=True))
    return Detected(
        detector,
        every,
        bursts=(found + missed) / days,
        found=(found + false) / days,
        seen=found / (found + missed),
        false=false / max(found + false, 1),
        constant=in_constant(detector, every),
    )


@cache
def in_constant(detector: str, every: float) -> float:
    """Pulses in 24 hours that a detector finds where there are none."""
    file, error = pulse_studies(), pulse_studies().assay["cv"].value
    n = round(CONSTANT_DAYS * HOURS_PER_DAY * MINUTES_PER_HOUR / every)
    printed = CONSTANT * (1 + error / np.sqrt(2) * normals(file.seed, f"pulse check constant {every:g}", 0, n))
    since, nothing = every * np.arange(n), np.zeros(0)
    values, masses = {"LH": printed}, {"LH": nothing}
    record = Record(DAY_BEGINS, since, values, values, np.zeros(n), nothing, masses, error)
    return len(pulses(record, "LH", detector).peak) / CONSTANT_DAYS


class Change(NamedTuple):
    """One series over another; LH."""

    bursts: float
    burst_mass: float
    mean: float
    found: float  # pulses as the study's detector finds them
    amplitude: float  # of those


def change(pair: Compared) -> Change:
    """What a treatment, or age, changes."""
    (study, upper), (of, lower) = (pulse_studies().series(place) for place in (pair.of, pair.over))

    def over(statistic: str, there: bool) -> float:
        first, second = (s.model_copy(update={"detector": "bursts"}) if there else s for s in (study, of))
        above = group_value(first, upper, statistic, "LH")
        return above / group_value(second, lower, statistic, "LH")

    return Change(
        over("pulses", True), over("burst mass", True), over("mean", True), over("pulses", False),
        over("amplitude", False),
    )  # fmt: skip


def day(series: Series, man: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A man's first record for a picture: clock hours, LH (IU/L), testosterone (ng/dL), bursts at clock hours."""
    record = sampled(series)[man][0]
    clock = record.clock + record.minutes / MINUTES_PER_HOUR
    return clock, record.true["LH"], record.true["testosterone"], record.clock + record.bursts / MINUTES_PER_HOUR
