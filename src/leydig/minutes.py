"""A man minute by minute: the whole model with LH and FSH given off in bursts and testosterone made by the clock.

The equations are the slow model's own. Its secretion of LH and FSH is handed out by ``physiology.pulses`` instead of
flowing, and the Leydig cells' capacity follows a daily drive whose answer in blood has the published rhythm. The loop
is closed: testosterone and estradiol of these minutes slow the next bursts.

Time is in hours from the beginning of day 0, which is 08:00 by the clock. Which bursts a day has, on their own clock,
is decided by (seed, man, day) alone.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from leydig import laboratory, model, parameters
from leydig.engine.inputs import InputTable
from leydig.engine.trace import compiled, flatten
from leydig.engine.trace import names as names_of
from leydig.physiology import hypothalamus_pituitary, pulses, steroids
from leydig.population_prior import streams

HOURS_PER_DAY = 24.0
MINUTES_PER_HOUR = 60.0
LONGEST_STEP = 5 / MINUTES_PER_HOUR  # h; numerics, not physiology
BLOCKS = 64  # of random numbers a day has, four in each: more than a day has bursts

STATES, VECTOR = names_of(model.State), names_of(model.Individual)
LH, FSH = STATES.index("axis.LH"), STATES.index("axis.FSH")
ANDROGEN, ESTROGEN = STATES.index("axis.androgen_signal"), STATES.index("axis.estrogen_signal")
CAPACITY = VECTOR.index("man.testis.leydig")
TURNOVER = VECTOR.index("parameters.testis.testosterone_turnover")

Inputs = Callable[[float], np.ndarray]  # channels (c,) at a time, h


class Bursts(NamedTuple):
    """What was given off, in order."""

    hours: np.ndarray  # (n,) h
    LH: np.ndarray  # (n,) IU/L
    FSH: np.ndarray  # (n,) IU/L


class Course(NamedTuple):
    """A man over some hours."""

    hours: np.ndarray  # (t,) h
    states: np.ndarray  # (t, s), LH and FSH those of the minutes
    frequency: np.ndarray  # (t,) bursts per hour that the brain's state stands for
    bursts: Bursts


class Rhythm(NamedTuple):
    """The daily drive of Leydig output."""

    amplitude: float  # 1, over its mean
    peak: float  # h, clock


@cache
def load_parameters() -> pulses.Parameters:
    """Constants of the minutes as the data file gives them."""
    return parameters.record(pulses.Parameters, "pulses")


def bursts_of_day(seed: int, man: int, day: int, p: pulses.Parameters) -> pulses.Pattern:
    """The bursts of one man's day on their own clock; the same whenever they are asked for."""
    drawn = streams.words(seed, f"bursts of man {man} on day {day}", 0, 2 * BLOCKS)
    uniform = ((drawn >> np.uint64(12)).astype(float) + 0.5) * 2.0**-52
    return pulses.pattern(uniform[:BLOCKS].ravel(), ndtri(uniform[BLOCKS:].ravel()), p)


def rhythm_of(
    individual: model.Individual, age: float, c: laboratory.Constants, p: pulses.Parameters | None = None
) -> Rhythm:
    """The drive whose answer in blood is the published rhythm of total testosterone at his age.

    Testis, exchange with tissue and binding lower and delay a rhythm; they are linear enough within a day for the
    drive to follow from their transfer function at one turn a day.
    """
    man, shared = individual
    free, SHBG = man.steroids.free_testosterone, man.steroids.SHBG
    s, turn = shared.steroids, 2j * np.pi / HOURS_PER_DAY
    turnover = (p or load_parameters()).testosterone_turnover
    testis = turnover / (turnover + turn)
    back = s.testosterone_to_tissue * s.testosterone_from_tissue / (s.testosterone_from_tissue + turn)
    blood = s.testosterone_elimination / (s.testosterone_elimination + s.testosterone_to_tissue + turn - back)
    step = 1e-4 * free
    more, less = (steroids.total_testosterone(free + side, SHBG, s) for side in (step, -step))
    bound = (more - less) / (2e-4 * steroids.total_testosterone(free, SHBG, s))
    answer = testis * blood * bound * (1 - s.adrenal_testosterone_share)
    hours = np.arange(0, 24, 0.5)
    seen = laboratory.rhythm("testosterone", hours, age, c) - 1
    wave = 2 * np.mean(seen * np.exp(-turn * hours)) / answer
    return Rhythm(float(abs(wave)), float(-np.angle(wave) / abs(turn) % HOURS_PER_DAY))


def inputs_of(*pieces: tuple[float, InputTable]) -> Inputs:
    """Channels at any time: each table from its hour on, the first one also before."""
    at: Any = compiled(model.traced()).inputs_at
    starts = [hour for hour, _ in pieces[1:]]

    def inputs(hour: float) -> np.ndarray:
        return np.asarray(at(hour, *pieces[bisect_right(starts, hour)][1]))

    return inputs


class Runner:
    """A man who goes on minute by minute from a state (s,) at ``hour``.

    Levels of LH and FSH are closed forms between bursts; the rest goes in steps of up to 5 minutes by the classical
    Runge-Kutta method, of which no time constant of these equations asks more. Frequency and secretion are those at
    the beginning of a step. ``man`` and ``seed`` decide his bursts, ``age`` (years) their frequency at rest.
    """

    def __init__(
        self,
        individual: model.Individual,
        state: np.ndarray,
        inputs: Inputs,
        hour: float,
        *,
        seed: int,
        man: int = 0,
        age: float,
        rhythm: Rhythm,
        p: pulses.Parameters | None = None,
    ) -> None:
        self.p = p or load_parameters()
        self.axis = individual.parameters.axis
        self.at_rest = pulses.frequency_at_rest(age, individual.man.axis.gnrh_outflow, self.p)
        self.hour = hour
        self.body = _Body(individual, inputs, rhythm, laboratory.constants().usual_hour, self.p)
        self.clockwork = _Clockwork(seed, man, self.p)
        self.state = np.array(state, float)
        self.blood = _Gonadotropins(self.axis, self.p, self.state[[LH, FSH]])

    @property
    def frequency(self) -> float:
        """Bursts per hour at present."""
        signals = self.state[ANDROGEN], self.state[ESTROGEN]
        return float(pulses.frequency(self.at_rest, *signals, self.axis, self.p))

    def run(self, until: float, every: float = LONGEST_STEP) -> Course:
        """To the hour ``until``, kept every ``every`` hours, of which there must be a whole number."""
        count = max(math.ceil(every / LONGEST_STEP - 1e-9), 1)
        begin, shown = self.hour, round((until - self.hour) / every)
        rows, rates, given = [self.state.copy()], [self.frequency], len(self.blood.given)
        for number in range(1, shown + 1):
            for part in range(count):
                self.hour = begin + (number - 1 + part / count) * every
                self._step(every / count)
            rows.append(self.state.copy())
            rates.append(self.frequency)
        self.hour = begin + shown * every
        new = np.array(self.blood.given[given:]).reshape(-1, 3).T
        return Course(begin + every * np.arange(shown + 1), np.array(rows), np.array(rates), Bursts(*new))

    def _step(self, length: float) -> None:
        slope = self.body.slope(self.hour, self.state)
        due = self.clockwork.due(self.hour, length, self.frequency)
        self.blood.give(self.body.secretion(slope, self.state), self.frequency, due, self.hour)
        self.state = self.body.step(self.hour, length, self.state, slope, self.blood.level)
        self.blood.move(length)
        self.state[[LH, FSH]] = self.blood.level(0.0)


class _Body:
    """All states but LH and FSH, which are given."""

    def __init__(
        self, individual: model.Individual, inputs: Inputs, rhythm: Rhythm, clock: float, p: pulses.Parameters
    ) -> None:
        self.code: Any = compiled(model.traced())
        self.vector = np.array(flatten(individual), float)
        self.vector[TURNOVER] = p.testosterone_turnover
        self.capacity = self.vector[CAPACITY]
        self.inputs, self.rhythm, self.clock = inputs, rhythm, clock
        self.axis = individual.parameters.axis

    def slope(self, t: float, x: np.ndarray) -> np.ndarray:
        self.vector[CAPACITY] = self.capacity * pulses.drive(self.clock + t, *self.rhythm)
        out = np.empty(len(x))
        self.code.rates(x, self.vector, self.inputs(t), out)
        return out

    def secretion(self, slope: np.ndarray, x: np.ndarray) -> tuple[float, float]:
        """LH and FSH given off, IU/L/h: what the slow model adds, before what it loses."""
        return slope[LH] + self.axis.LH_clearance * x[LH], slope[FSH] + self.axis.FSH_clearance * x[FSH]

    def step(self, t: float, h: float, x: np.ndarray, first: np.ndarray, level: Callable[[float], Any]) -> np.ndarray:
        def ahead(slope: np.ndarray, part: float) -> np.ndarray:
            there = x + part * h * slope
            there[LH], there[FSH] = level(part * h)
            return self.slope(t + part * h, there)

        second = ahead(first, 0.5)
        third = ahead(second, 0.5)
        fourth = ahead(third, 1.0)
        return x + h / 6 * (first + 2 * second + 2 * third + fourth)


class _Clockwork:
    """When bursts come: the day's pattern on a clock that runs at the present frequency."""

    def __init__(self, seed: int, man: int, p: pulses.Parameters) -> None:
        self.seed, self.man, self.p = seed, man, p
        self.day: int | None = None

    def due(self, t: float, step: float, frequency: float) -> list[tuple[float, float]]:
        """Bursts of the step from ``t``: hours after t, and size over the mean."""
        day = int(np.floor(t / HOURS_PER_DAY + 1e-9))
        if day != self.day:
            self.day, self.passed, self.next = day, 0.0, 0
            self.pattern = bursts_of_day(self.seed, self.man, day, self.p)
        end, found = self.passed + frequency * step, []
        while self.pattern.times[self.next] < end:
            found.append(((self.pattern.times[self.next] - self.passed) / frequency, self.pattern.sizes[self.next]))
            self.next += 1
        self.passed = end
        return found


class _Gonadotropins:
    """LH and FSH in blood: sums of exponentials, and what flows between bursts."""

    def __init__(self, axis: hypothalamus_pituitary.Parameters, p: pulses.Parameters, level: np.ndarray) -> None:
        self.clearance = np.array([axis.LH_clearance, axis.FSH_clearance])
        self.basal_share = np.array([p.LH_basal_share, p.FSH_basal_share])
        self.responses = (pulses.LH_response(p), pulses.FSH_response(p, axis.FSH_clearance))
        self.area = np.array([response.area for response in self.responses])
        self.basal = self.flowing = level * self.basal_share
        self.parts = [np.zeros(len(response.rate)) for response in self.responses]
        for parts, there in zip(self.parts, level - self.basal, strict=True):
            parts[-1] = there  # as if from old bursts: only the last phase is left
        self.given: list[tuple[float, float, float]] = []
        self.new: list[tuple[float, np.ndarray]] = []

    def give(
        self, secretion: tuple[float, float], frequency: float, due: list[tuple[float, float]], hour: float
    ) -> None:
        """Hand out the secretion (IU/L/h) of one step in the bursts that are due."""
        level = np.array(secretion) / self.clearance  # what the slow model would have in the long run
        self.flowing = self.basal_share * level
        mass = pulses.burst_mass(level, frequency, self.basal_share, self.area)
        self.new = [(after, size * mass) for after, size in due]
        self.given += [(hour + after, *brought) for after, brought in self.new]

    def level(self, after: float) -> np.ndarray:
        """LH and FSH some hours into the step."""
        found = self._basal(after)
        for k, (response, parts) in enumerate(zip(self.responses, self.parts, strict=True)):
            found[k] += parts @ np.exp(-response.rate * after)
            for since, mass in self.new:
                if since < after:
                    found[k] += mass[k] * (response.height @ np.exp(-response.rate * (after - since)))
        return found

    def move(self, length: float) -> None:
        """To the end of the step."""
        self.basal = self._basal(length)
        for k, response in enumerate(self.responses):
            self.parts[k] = self.parts[k] * np.exp(-response.rate * length)
            for since, mass in self.new:
                self.parts[k] += mass[k] * response.height * np.exp(-response.rate * (length - since))
        self.new = []

    def _basal(self, after: float) -> np.ndarray:
        return self.flowing + (self.basal - self.flowing) * np.exp(-self.clearance * after)
