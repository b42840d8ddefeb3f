"""The common problem: virtual men, three protocols, two years, and a reference that every engine is held against.

Men are drawn from the population of the program (several conditions, ages 20 to 85), each with parameters of his
own; extremes are added by hand. A problem is plain arrays, so that an engine in another language can read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from leydig import model, numerics, population_prior, start
from leydig.baseline import Baseline, Lesion
from leydig.engine.trace import build, flatten, names
from leydig.pharmacology import drugs
from leydig.pharmacology.drug_file import share
from leydig.pharmacology.protocol import Protocol
from leydig.schedules import schedule_of
from leydig.studies import uncertainty
from leydig.studies.simulate import baseline_of

PROTOCOLS = {
    "daily": "anastrozole 1 mg daily",
    "twice-weekly": "anastrozole 0.5 mg twice weekly",
    "combined": (
        "testosterone cypionate 100 mg weekly + hCG 500 IU three times weekly + anastrozole 0.5 mg twice weekly"
    ),
}
WEEKS = 104
HOURS_PER_WEEK = 168.0
HOURS_PER_YEAR = 8766.0
YEARS = WEEKS * HOURS_PER_WEEK / HOURS_PER_YEAR
SEED = 7
CONDITIONS = (
    "eugonadal",
    "obese-hypogonadal",
    "ageing-low-testosterone",
    "oligozoospermic-subfertile",
    "primary-failure",
    "hypogonadotropic",
)
AGES = {"ageing-low-testosterone": (60.0, 85.0)}
USUAL_AGES = (20.0, 70.0)
PERCENTILE = 2.326  # standard normal deviate of the 99th percentile


class Man(NamedTuple):
    """One virtual man as the equations take him; ``scale`` multiplies the parameters of drugs."""

    label: str
    age: float  # years
    state: np.ndarray  # (states,) at day 0
    parameters: np.ndarray  # (parameters,)
    scale: dict[tuple[str, str], float]


class Kinetics(NamedTuple):
    """One drug as linear compartments, for engines that solve these too; men along the first axis."""

    drug: str
    channel: int
    compartments: tuple[str, ...]
    matrix: np.ndarray  # (n, c, c) 1/h, amounts
    weight: np.ndarray  # (n, c) what an amount adds to the channel
    depot: int  # which compartment a dose enters
    share: np.ndarray  # (n,) of a dose


class Problem(NamedTuple):
    """n men under one protocol. Inputs are sums of terms (a + b tau) exp(-rate tau) that doses add to."""

    protocol: str
    labels: tuple[str, ...]
    states: np.ndarray  # (n, s)
    parameters: np.ndarray  # (n, p)
    channel: np.ndarray  # (m,) which input a term adds to
    rate: np.ndarray  # (n, m) 1/h
    first: np.ndarray  # (n, m) a before the first dose
    first_ramp: np.ndarray  # (n, m) b, 1/h
    time: np.ndarray  # (e,) h
    kind: np.ndarray  # (e,)
    amount: np.ndarray  # (e,)
    jump: np.ndarray  # (n, k, m)
    ramp: np.ndarray  # (n, k, m)
    kinetics: tuple[Kinetics, ...]  # one for each kind
    times: np.ndarray  # (t,) h

    @property
    def n(self) -> int:
        return len(self.states)

    def of(self, men: np.ndarray | slice) -> Problem:
        """The same problem for some of the men."""
        per_man = ("states", "parameters", "rate", "first", "first_ramp", "jump", "ramp")
        kinetics = tuple(
            k._replace(matrix=k.matrix[men], weight=k.weight[men], share=k.share[men]) for k in self.kinetics
        )
        labels = tuple(np.array(self.labels, dtype=object)[men])
        return self._replace(labels=labels, kinetics=kinetics, **{name: getattr(self, name)[men] for name in per_man})

    def repeated(self, n: int) -> Problem:
        """n men: these over and over."""
        return self.of(np.arange(n) % self.n)

    def until(self, weeks: int) -> Problem:
        """Only the first weeks."""
        times = self.times[: weeks + 1]
        kept = self.time < times[-1]
        return self._replace(times=times, time=self.time[kept], kind=self.kind[kept], amount=self.amount[kept])

    def pieces(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Begin of every piece between doses (g,), and a and b of every term there (n, g, m)."""
        begins = np.unique(np.concatenate([self.times[:1], self.time]))
        a, b = np.empty((self.n, len(begins), len(self.channel))), np.empty((self.n, len(begins), len(self.channel)))
        now, ramp, before = self.first.copy(), self.first_ramp.copy(), begins[0]
        for row, begin in enumerate(begins):
            fade = np.exp(-self.rate * (begin - before))
            now, ramp, before = (now + ramp * (begin - before)) * fade, ramp * fade, begin
            for event in np.flatnonzero(self.time == begin):
                now = now + self.amount[event] * self.jump[:, self.kind[event]]
                ramp = ramp + self.amount[event] * self.ramp[:, self.kind[event]]
            a[:, row], b[:, row] = now, ramp
        return begins, a, b


def years(problem: Problem) -> float:
    """Simulated subject-years."""
    return problem.n * (problem.times[-1] - problem.times[0]) / HOURS_PER_YEAR


@cache
def men(n: int) -> tuple[Man, ...]:
    """n men, the extremes first."""
    chosen = [*extremes()][:n]
    return tuple(chosen + [_drawn(i) for i in range(n - len(chosen))])


def _drawn(i: int) -> Man:
    condition = CONDITIONS[i % len(CONDITIONS)]
    rng = np.random.default_rng([SEED, i])
    age = float(rng.uniform(*AGES.get(condition, USUAL_AGES)))
    values = population_prior.draw(population_prior.prior(age, None, condition), rng, 1)
    lesion = {organ: float(part[0]) for organ, part in population_prior.draw_lesion(condition, rng, 1).items()}
    baseline = baseline_of(age, {name: part[0] for name, part in values.items()})
    return _man(condition, baseline, uncertainty.parameters(SEED, i), lesion, uncertainty.kinetics(SEED, i, _drugs()))


def extremes() -> Iterable[Man]:
    """Men at the ends: parameters and kinetics at their 1st and 99th percentile, extreme weights, lost organs."""
    typical = _typical(45.0, None, "eugonadal")
    best = model.load_parameters()
    for word, z in (("1st", -PERCENTILE), ("99th", PERCENTILE)):
        scale = _kinetics_at(z)
        yield _man(f"drug kinetics at the {word} percentile", typical, best, {}, scale)
        yield _man(f"exposure at the {word} percentile", typical, best, {}, _exposure_at(z))
        yield _man(f"parameters at the {word} percentile", typical, _parameters_at(z), {}, {})
    yield _man("castrated", typical, best, {"leydig": 0.0, "sertoli": 0.0}, {})
    yield _man("no estradiol", typical, best, {"aromatase": 0.0}, {})
    yield _man("no gonadotropins", typical, best, {"gnrh_outflow": 0.0}, {})
    yield _man("BMI 55", _typical(40.0, 55.0, "obese-hypogonadal"), best, {}, _exposure_at(-PERCENTILE))
    yield _man("BMI 17, aged 85", _typical(85.0, 17.0, "eugonadal"), best, {}, _exposure_at(PERCENTILE))


def _typical(age: float, bmi: float | None, condition: str) -> Baseline:
    return baseline_of(age, population_prior.typical(population_prior.prior(age, bmi, condition)))


def _man(
    label: str,
    baseline: Baseline,
    parameters: model.Parameters,
    lesion: dict[str, float],
    scale: dict[tuple[str, str], float],
) -> Man:
    began = start.begin(baseline, parameters, lesion=Lesion(**lesion), compile=True)
    return Man(label, baseline.age, began.state, start.vector(began.individual), scale)


def _parameters_at(z: float) -> model.Parameters:
    values = dict(zip(names(model.Parameters), flatten(model.load_parameters()), strict=True))
    for name, log_sd in uncertainty.between_men():
        values[name] *= float(np.exp(z * log_sd))
    return build(model.Parameters, list(values.values()))


def _kinetics_at(z: float) -> dict[tuple[str, str], float]:
    """Every parameter of every drug that differs between men, all on one side."""
    return {
        (drug.name, parameter.name): float(np.exp(z * parameter.between_men.log_sd))
        for drug in map(drugs.get, _drugs())
        for parameter in drug.parameters.values()
        if parameter.between_men is not None and parameter.between_men.log_sd
    }


def _exposure_at(z: float) -> dict[tuple[str, str], float]:
    """As above, but clearances on the other side: high exposure is fast absorption and slow clearance."""
    return {key: 1 / factor if "clearance" in key[1] else factor for key, factor in _kinetics_at(z).items()}


@cache
def _drugs() -> tuple[str, ...]:
    doses = [event for text in PROTOCOLS.values() for event in Protocol.parse(text).events(7.0, 0)]
    return tuple(sorted({event.drug for event in doses}))


def problem(which: str, several: tuple[Man, ...]) -> Problem:
    """The men under one of the protocols, by its name."""
    given = start.given(Protocol.parse(PROTOCOLS[which]), WEEKS * HOURS_PER_WEEK / 24)
    if given.levers:
        raise ValueError("a lever is no dose: the peers cannot be given it")
    keys = {key for man in several for key in man.scale}
    scale = {key: np.array([man.scale.get(key, 1.0) for man in several]) for key in keys}
    inputs = schedule_of(given, np.array([man.age for man in several]), scale)
    begins = inputs.first.any(axis=0) | inputs.first_ramp.any(axis=0)
    used = np.flatnonzero(begins | inputs.jump.any(axis=(0, 1)) | inputs.ramp.any(axis=(0, 1)))
    doses = sorted(given.doses, key=lambda event: event.time)
    kinds = dict.fromkeys((event.drug, event.form) for event in doses)
    return Problem(
        PROTOCOLS[which],
        tuple(man.label for man in several),
        np.array([man.state for man in several]),
        np.array([man.parameters for man in several]),
        inputs.channel[used],
        inputs.rate[:, used],
        inputs.first[:, used],
        inputs.first_ramp[:, used],
        inputs.time[0],
        inputs.kind[0],
        inputs.amount[0],
        inputs.jump[:, :, used],
        inputs.ramp[:, :, used],
        tuple(_kinetics(drug, form, several) for drug, form in kinds),
        HOURS_PER_WEEK * np.arange(WEEKS + 1),
    )


def _kinetics(name: str, form_name: str | None, several: tuple[Man, ...]) -> Kinetics:
    drug, form = drugs.resolve(name, form_name)
    (depot,) = form.into
    numbers = [drugs.values(drug, man.scale) for man in several]
    systems = [drugs.system(drug, own) for own in numbers]
    weights = [drugs.weights(drug, own) for own in numbers]
    kept = _reached(depot, systems[0].names, systems[0].matrix)
    names_ = [systems[0].names[c] for c in kept]
    return Kinetics(
        drug.name,
        model.Inputs._fields.index(drug.channel.name),
        tuple(names_),
        np.array([system.matrix[np.ix_(kept, kept)] for system in systems]),
        np.array([[weight.get(c, 0.0) for c in names_] for weight in weights]),
        names_.index(depot),
        np.array([share(form.into[depot], own) for own in numbers]),
    )


def _reached(depot: str, compartments: tuple[str, ...], matrix: np.ndarray) -> list[int]:
    """Numbers of the compartments that a dose into ``depot`` ever gets to."""
    found = {compartments.index(depot)}
    for _ in compartments:
        found |= {i for i in range(len(matrix)) for j in found if matrix[i, j] != 0}
    return sorted(found)


FLOOR_OF_MAN = 1e-3


def error(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """|y - ref| / max(|ref|, 1e-3 of this man's largest |ref|, the state's floor): (men, times, states).

    The floors are those of data/numerics.yaml, a thousandth of what a typical man has: for organs that a man has lost,
    and for states that are differences from day 0, whose size is that of the quantity they are a difference of.
    """
    largest = np.abs(reference).max(axis=1, keepdims=True)
    size = np.maximum(np.maximum(np.abs(reference), FLOOR_OF_MAN * largest), numerics.floors())
    return np.where(np.isfinite(values), np.abs(values - reference) / size, np.inf)
