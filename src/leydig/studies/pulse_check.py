"""Published pulses and rhythms beside the model's, each taken from virtual men as the study took it from its men.

data/pulse_studies.yaml names the studies. For each series virtual men of its ages and condition take what the men took,
the slow model carries them to a week before the samples, minutes follow, blood is drawn every few minutes with the
assay's error, and the study's detector or one like it reads the samples. Nothing is fitted here.

    misses = [result for result in results() if not result.inside]
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from leydig import laboratory, minutes, model, outputs, start
from leydig.baseline import Lesion
from leydig.engine import reference
from leydig.engine.inputs import InputTable
from leydig.errors import InputError, ModelWarning
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.visits import Every, Time
from leydig.population_prior import men as virtual_men
from leydig.population_prior.streams import normals
from leydig.studies.pulse_statistics import STATISTICS, Record
from leydig.studies.pulse_studies import (
    HOURS_PER_DAY,
    MINUTES_PER_HOUR,
    Figure,
    Series,
    Study,
    pulse_studies,
)
from leydig.studies.simulate import baseline_of

QUANTITIES = ("LH", "FSH", "testosterone", "free_testosterone", "estradiol")
RESAMPLED = 200  # times men are drawn again for the standard error; numerics
WITHIN = 2.0  # standard errors of the published figure
COARSE, FINE = 5.0, 1.0  # min between the values of a course that are kept
SMOOTH = (1e-6, 1e-8)  # tolerances of the slow model


class Result(NamedTuple):
    """A published figure beside the model's."""

    study: Study
    figure: Figure
    model: float  # in the figure's unit
    model_error: float  # standard error, by drawing the virtual men again
    error: float | None  # standard error of the published figure

    @property
    def difference(self) -> float:
        """Model less published; of clock hours the short way round."""
        apart = self.model - self.figure.published
        half = HOURS_PER_DAY / 2
        return (apart + half) % HOURS_PER_DAY - half if self.figure.unit == "clock" else apart

    @property
    def z(self) -> float | None:
        """The difference in standard errors of both together; None where none was printed."""
        return None if self.error is None else self.difference / float(np.hypot(self.error, self.model_error))

    @property
    def allowed(self) -> tuple[float, float]:
        """Lowest and highest difference that is no miss."""
        figure, file = self.figure, pulse_studies()
        if figure.spread_kind == "range" and isinstance(figure.spread, tuple):
            return figure.spread[0] - figure.published, figure.spread[1] - figure.published
        if figure.unit == "clock":
            side = file.tolerance_hours.value
        else:
            side = file.tolerance.value * figure.published if self.error is None else WITHIN * self.error
        return -side, side

    @property
    def inside(self) -> bool:
        """Whether the model lies within two standard errors, the printed range, or the tolerance where neither is."""
        low, high = self.allowed
        return bool(low <= self.difference <= high)

    @property
    def off_by(self) -> float:
        """The difference over what is allowed on its side; beyond 1 is a miss."""
        low, high = self.allowed
        return abs(self.difference / (high if self.difference > 0 else low))

    @property
    def used(self) -> bool:
        """Whether the model's numbers rest on the figure's source."""
        return self.study.used if self.figure.used is None else self.figure.used


class Begun(NamedTuple):
    """An untreated virtual man."""

    individual: model.Individual
    state: np.ndarray
    age: float


def results(sources: Iterable[str] | None = None) -> tuple[Result, ...]:
    """Every published figure beside the model's, in the order of the file; or those of some ``sources``."""
    wanted = None if sources is None else set(sources)
    chosen = [study for study in pulse_studies().studies if wanted is None or study.source in wanted]
    return tuple(result(study, figure) for study in chosen for figure in study.figures)


def result(study: Study, figure: Figure) -> Result:
    """One published figure beside the model's."""
    upper = _by_man(study, study.series[figure.of], figure)
    lower = None if figure.over is None else _by_man(study, study.series[figure.over.of], figure)
    scale = figure.per if figure.per is not None and figure.over is None else 1.0
    every = study.series[figure.of].every
    of_men = STATISTICS[figure.statistic][1]

    def taken(which: np.ndarray) -> float:
        value = scale * of_men(upper[which], every)
        return value if lower is None else value / of_men(lower[which], every)

    count = len(upper)
    rng = np.random.default_rng(pulse_studies().seed)
    again = np.array([taken(rng.integers(count, size=count)) for _ in range(RESAMPLED)])
    if figure.unit == "clock":
        again = (again - figure.value + HOURS_PER_DAY / 2) % HOURS_PER_DAY
    return Result(study, figure, taken(np.arange(count)), float(np.nanstd(again)), figure.error(dict(study.series)))


def group_value(study: Study, series: Series, statistic: str, quantity: str) -> float:
    """A statistic of a series' virtual men."""
    per_man, of_men = STATISTICS[statistic]
    found = np.array([per_man(man, quantity, study.detector) for man in sampled(series)])
    return of_men(found, series.every)


def _by_man(study: Study, series: Series, figure: Figure) -> np.ndarray:
    per_man = STATISTICS[figure.statistic][0]
    return np.array([per_man(man, figure.quantity, study.detector) for man in sampled(series)])


# Men and their samples -----------------------------------------------------------------------------


@cache
def begun(condition: str, ages: tuple[float, float], count: int) -> tuple[Begun, ...]:
    """Untreated virtual men."""
    drawn, shared = virtual_men(condition, pulse_studies().seed, 0, count, ages=ages), model.load_parameters()
    found = []
    for i in range(count):
        values = {name: float(several[i]) for name, several in drawn.values.items()}
        lesion = Lesion(**{organ: float(left[i]) for organ, left in drawn.lesion.items()})
        baseline = baseline_of(float(drawn.age[i]), values)
        man = start.begin(baseline, shared, lesion=lesion, compile=True)
        found.append(Begun(man.individual, man.state, float(drawn.age[i])))
    return tuple(found)


class Drawn(NamedTuple):
    """Who is followed minute by minute, so that several series can be cut out of one course."""

    condition: str
    ages: tuple[float, float]
    protocol: str | None
    step: float  # min between the values that are kept


class Followed(NamedTuple):
    """A man's course with what the laboratory printed of it."""

    course: minutes.Course
    true: dict[str, np.ndarray]  # (t,) by quantity
    printed: dict[str, np.ndarray]


def sampled(series: Series) -> tuple[tuple[Record, ...], ...]:
    """The records of every virtual man of a series."""
    return tuple(
        tuple(_record(series, man, k * HOURS_PER_DAY) for k in range(series.records)) for man in followed(_who(series))
    )


def _who(series: Series) -> Drawn:
    step = COARSE if series.every % COARSE == 0 else FINE
    return Drawn(series.condition, series.ages, series.protocol, step)


@cache
def _spans() -> dict[Drawn, tuple[float, float]]:
    """First and last hour that any series asks for."""
    spans: dict[Drawn, tuple[float, float]] = {}
    for series in (series for study in pulse_studies().studies for series in study.series.values()):
        begin = series.first_hour
        end = begin + (series.records - 1) * HOURS_PER_DAY + series.hours
        known = spans.get(_who(series), (begin, end))
        spans[_who(series)] = min(begin, known[0]), max(end, known[1])
    return spans


@cache
def followed(who: Drawn) -> tuple[Followed, ...]:
    """Every virtual man of one kind, over all hours that the studies of such men ask for."""
    everyone = begun(who.condition, who.ages, int(pulse_studies().men.value))
    return tuple(_follow(who, number, man) for number, man in enumerate(everyone))


def _follow(who: Drawn, number: int, man: Begun) -> Followed:
    """Blood of a course as the laboratory prints it: means of two determinations."""
    first, last = _spans()[who]
    table = treated(who.protocol, last / HOURS_PER_DAY + 1, man.age)
    runner = warmed(man, number, table, first)
    course = runner.run(last, who.step / MINUTES_PER_HOUR)
    found = quantities(course, man.individual, runner.body.inputs)
    true = {name: np.asarray(found[name]) for name in QUANTITIES}
    file, error = pulse_studies(), pulse_studies().assay["cv"].value / np.sqrt(2)
    printed = {
        name: values * (1 + error * normals(file.seed, f"pulse check {name} of man {number}", 0, len(values)))
        for name, values in true.items()
    }
    return Followed(course, true, printed)


def _record(series: Series, man: Followed, later: float) -> Record:
    """One record of a series, cut out of a man's course."""
    course = man.course
    begin = series.first_hour + later
    step = float(course.hours[1] - course.hours[0])
    samples = np.array(Every(Time(series.every, "minute")).hours(series.hours))
    at = round((begin - course.hours[0]) / step) + np.round(samples / step).astype(int)
    since = (course.hours[at] - begin) * MINUTES_PER_HOUR
    bursts = (course.bursts.hours - begin) * MINUTES_PER_HOUR
    within = (bursts >= 0) & (bursts < since[-1])
    return Record(
        clock=series.start,
        minutes=since,
        true={name: values[at] for name, values in man.true.items()},
        printed={name: values[at] for name, values in man.printed.items()},
        frequency=course.frequency[at],
        bursts=bursts[within],
        masses={"LH": course.bursts.LH[within], "FSH": course.bursts.FSH[within]},
        error=pulse_studies().assay["cv"].value,
    )


def treated(protocol: str | None, days: float, age: float) -> InputTable:
    """What a man is given from day 0."""
    if protocol is None:
        return start.input_table(age)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # a published dose is a fact, however unusual
        return start.input_table(age, start.driven(start.given(Protocol.parse(protocol), days)))


def warmed(man: Begun, number: int, table: InputTable, first: float, seed: int | None = None) -> minutes.Runner:
    """A man carried minute by minute to the hour ``first`` through a warm-up; ``number``, ``seed``: his bursts."""
    file = pulse_studies()
    begin = first - file.warm_up.value * HOURS_PER_DAY
    state = man.state
    if begin > 0:
        state = slow(man, table, np.array([0.0, begin]))[-1]
    inputs = minutes.inputs_of((-np.inf, start.input_table(man.age)), (0.0, table))
    rhythm = minutes.rhythm_of(man.individual, man.age, laboratory.constants())
    of_bursts = file.seed if seed is None else seed
    runner = minutes.Runner(
        man.individual, state, inputs, begin, seed=of_bursts, man=number, age=man.age, rhythm=rhythm
    )
    runner.run(first)
    return runner


def slow(man: Begun, table: InputTable, hours: np.ndarray) -> np.ndarray:
    """States (t, s) of the slow model; InputError where it cannot go on."""
    relative, absolute = SMOOTH
    vector = start.vector(man.individual)
    solution = reference.solve(
        model.traced(), man.state, vector, table, hours, rtol=relative, atol=absolute, compile=True
    )
    if solution.status is not reference.Status.done:
        raise InputError(f"a virtual man could not be followed to hour {hours[-1]:g}: {solution.status.value}")
    return np.asarray(solution.values)


def quantities(course: minutes.Course, individual: model.Individual, inputs: minutes.Inputs) -> dict[str, np.ndarray]:
    """Quantities (t,) of a course by name."""
    channels = np.array([inputs(hour) for hour in course.hours]).T
    return outputs.quantities(course.states, individual, channels)
