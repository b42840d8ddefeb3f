"""Published figures of a drug beside what its declaration computes.

Each figure names its regimen; the same closed forms that drive the model (for letrozole the same
equations) are run under it and read as the authors read theirs. Inputs (testosterone, estradiol) are
read through one blood compartment with a published clearance, because the model's own handling of
the hormone, with binding and feedback, is not the drug's. A figure of a mixture is one of a
constituent, which is then run under its share of the dose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leydig.errors import InputError, unknown
from leydig.pharmacology import drugs, kinetics, letrozole
from leydig.pharmacology.drug_file import Drug, Figure, Mixture, Regimen
from leydig.pharmacology.kinetics import Event, Flow

Array = NDArray[np.float64]

# Without a printed spread a figure counts as reproduced within this share of its value.
TOLERANCE = 0.25
# "For ever" is this many doses; points per read-off; the share of steady state that counts as reached.
MANY_DOSES, POINTS, STEADY = 150, 4001, 0.95
# After this many mean residence times nothing is left.
LIFETIMES = 40.0
# Unit of an input's level in blood; what one ng/L is in a published unit: definitions.
LEVEL_IN_BLOOD = "nmol/L"
FROM_NG_PER_LITRE = {"ng/mL": 1e-3, "ng/dL": 0.1, "pg/mL": 1.0}


class Line(NamedTuple):
    """One row of the table of figures."""

    drug: str
    figure: Figure
    computed: float
    tolerance: float  # in the figure's unit

    @property
    def reproduced(self) -> bool:
        return abs(self.computed - self.figure.value) <= self.tolerance


class Run(NamedTuple):
    """A drug's level under a regimen."""

    level: Callable[[Array], Array]  # in the channel's unit, or nmol/L in blood of an input
    last: float  # h, time of the last dose
    cycle: float  # h, from there to where the next would be, or to where nothing is left
    factor: float  # what one dose unit in one litre is in the level's unit


def table(drug: Drug | Mixture) -> list[Line]:
    """Every published figure of a drug, computed."""
    return [line(drug, figure) for figure in drug.published]


def line(drug: Drug | Mixture, figure: Figure) -> Line:
    """One figure, computed: reproduced when it lies within the printed spread, or 25 % where none was printed."""
    if figure.quantity not in QUANTITIES:
        raise unknown("published quantity", figure.quantity, QUANTITIES, drug.name)
    tolerance = figure.spread if figure.spread is not None else TOLERANCE * figure.value
    measured, regimen = _measured(drug, figure)
    computed = QUANTITIES[figure.quantity](measured, regimen) * _unit_factor(measured, figure)
    return Line(drug.name, figure, float(computed), tolerance)


def _measured(drug: Drug | Mixture, figure: Figure) -> tuple[Drug, Regimen]:
    """The drug that was measured, and what of it was given: of a mixture the constituent and its share."""
    regimen = figure.regimen
    given = Event(drug.name, regimen.form, 0.0, regimen.amount, regimen.duration)
    for part, _, event in drugs.separated(given):
        if part.name == (figure.constituent or drug.name):
            return part, regimen.model_copy(update={"amount": event.amount, "form": event.form})
    raise InputError(f"{drug.name} does not contain {figure.constituent}")


def run(drug: Drug, regimen: Regimen) -> Run:
    """The level under a regimen, from the drug's own declaration."""
    _, form = drugs.resolve(drug.name, regimen.form)
    count = 1 if regimen.every is None else regimen.doses or MANY_DOSES
    every = regimen.every or 0.0
    events = [Event(drug.name, regimen.form, i * every, regimen.amount, regimen.duration) for i in range(count)]
    numbers = drugs.values(drug)
    entering = drugs.doses(drug, form, events, numbers)
    last = (count - 1) * every
    factor = drugs.unit_factor(drug, numbers)
    if drug.equations:
        left = LIFETIMES * _slowest(drug, numbers)
        level = _letrozole(kinetics.segments(drugs.system(drug, numbers), entering, drugs.weights(drug, numbers)), left)
        return Run(level, last, regimen.every or left, factor)
    system, weights = drugs.system(drug, numbers), {}
    if drug.in_blood:
        blood = Flow("blood", None, numbers[drug.in_blood.clearance] / numbers[drug.in_blood.volume])
        into = [Flow(f.source, "blood", numbers[f.rate]) for f in drug.flows if f.target is None and f.rate]
        kept = [Flow(f.source, f.target, numbers[f.rate]) for f in drug.flows if f.target is not None and f.rate]
        system = kinetics.compartments((*drug.compartments, "blood"), [*kept, *into, blood])
        weights = {"blood": factor / numbers[drug.in_blood.volume]}
        if drug.output.as_given:
            entering = [dose._replace(depot="blood") for dose in entering]
    segments = kinetics.segments(system, entering, weights or drugs.weights(drug, numbers))
    left = LIFETIMES / float(segments.rates.min()) + regimen.duration
    return Run(lambda times: kinetics.evaluate(segments, times), last, regimen.every or left, factor)


def _slowest(drug: Drug, numbers: dict[str, float]) -> float:
    """Mean residence time of letrozole at low levels, h."""
    clearance = numbers["capacity"] / numbers["half_saturation"] + numbers["linear_clearance"]
    return (numbers["central_volume"] + numbers["peripheral_volume"]) / clearance


def _letrozole(absorption: kinetics.Segments, after: float) -> Callable[[Array], Array]:
    """The level that letrozole's equations give under an absorption, restarted at every dose."""
    from scipy.integrate import solve_ivp

    from leydig import parameters

    p = parameters.record(letrozole.Parameters, "letrozole")

    def slope(time: float, state: Array) -> tuple[float, ...]:
        entering = float(kinetics.evaluate(absorption, time))
        return tuple(letrozole.derivatives(letrozole.State(*state), p, entering))

    state, pieces = np.array(letrozole.at_rest()), []
    ends = [*absorption.starts[1:], absorption.starts[-1] + after]
    for start, end in zip(absorption.starts, ends, strict=True):
        solution = solve_ivp(slope, (start, end), state, method="LSODA", rtol=1e-8, atol=1e-10, dense_output=True)
        pieces.append(solution.sol)
        state = solution.y[:, -1]

    def level(times: Array) -> Array:
        which = np.clip(np.searchsorted(absorption.starts, times, side="right") - 1, 0, len(pieces) - 1)
        found = np.empty_like(times)
        for i in np.unique(which):
            found[which == i] = pieces[i](times[which == i])[0]
        return found

    return level


def _cycle(drug: Drug, regimen: Regimen) -> tuple[Array, Array, Run]:
    """Times after the last dose (denser at first), levels then, and the run."""
    found = run(drug, regimen)
    times = found.cycle * np.linspace(0, 1, POINTS) ** 3
    return times, found.level(found.last + times), found


def peak(drug: Drug, regimen: Regimen) -> float:
    return float(_cycle(drug, regimen)[1].max())


def time_of_peak(drug: Drug, regimen: Regimen) -> float:
    times, levels, _ = _cycle(drug, regimen)
    return float(times[levels.argmax()])


def area(drug: Drug, regimen: Regimen) -> float:
    """To infinity after a single dose; until ``at`` where given; over one interval of repeated doses."""
    if regimen.at is not None:
        found = run(drug, regimen)
        times = np.linspace(0, regimen.at, POINTS)
        return float(np.trapezoid(found.level(found.last + times), times))
    times, levels, _ = _cycle(drug, regimen)
    return float(np.trapezoid(levels, times))


def average(drug: Drug, regimen: Regimen) -> float:
    times, levels, _ = _cycle(drug, regimen)
    return float(np.trapezoid(levels, times) / times[-1])


def level_at(drug: Drug, regimen: Regimen) -> float:
    """At ``at`` hours after the last dose; without it at the end of the interval: the trough."""
    found = run(drug, regimen)
    after = found.cycle * (1 - 1e-9) if regimen.at is None else regimen.at
    return float(found.level(np.array([found.last + after]))[0])


def half_life(drug: Drug, regimen: Regimen) -> float:
    """Of the log-linear fall in ``window`` after the last dose; without a window the terminal one."""
    found = run(drug, regimen)
    start, end = regimen.window or (0.5 * found.cycle, 0.6 * found.cycle)
    times = np.linspace(start, end, POINTS)
    return float(-np.log(2) / np.polyfit(times, np.log(found.level(found.last + times)), 1)[0])


def accumulation(drug: Drug, regimen: Regimen) -> float:
    """Area of one interval at steady state over the area of the first."""
    first = regimen.model_copy(update={"doses": 1, "every": None, "at": regimen.every})
    return area(drug, regimen) / area(drug, first)


def apparent_clearance(drug: Drug, regimen: Regimen) -> float:
    """Dose over area, L/h."""
    return regimen.amount * run(drug, regimen).factor / area(drug, regimen)


def _once(regimen: Regimen) -> Regimen:
    return regimen.model_copy(update={"doses": None, "every": None})


def area_ratio(drug: Drug, regimen: Regimen) -> float:
    """Area of one interval at steady state over the whole area of a single dose: 1 where kinetics are linear."""
    return area(drug, regimen) / area(drug, _once(regimen))


def half_life_ratio(drug: Drug, regimen: Regimen) -> float:
    """Half-life after repeated doses over that after a single one."""
    return half_life(drug, regimen) / half_life(drug, _once(regimen))


def time_to_steady_state(drug: Drug, regimen: Regimen) -> float:
    """When the mean of an interval first reaches 95 % of its final value, h: the end of that interval."""
    if regimen.every is None:
        raise InputError(f"{drug.name}: a time to steady state needs repeated doses")
    found, final = run(drug, regimen), average(drug, regimen)
    ends = regimen.every * np.arange(1, MANY_DOSES)
    inside = np.linspace(0, regimen.every, 201)
    means = np.array([np.trapezoid(found.level(end - regimen.every + inside), inside) for end in ends]) / regimen.every
    return float(ends[np.argmax(means >= STEADY * final)])


QUANTITIES: dict[str, Callable[[Drug, Regimen], float]] = {
    "peak": peak,
    "time_of_peak": time_of_peak,
    "area": area,
    "average": average,
    "level": level_at,
    "half_life": half_life,
    "accumulation": accumulation,
    "apparent_clearance": apparent_clearance,
    "area_ratio": area_ratio,
    "half_life_ratio": half_life_ratio,
    "time_to_steady_state": time_to_steady_state,
}


def _unit_factor(drug: Drug, figure: Figure) -> float:
    """From what the quantity computes (h, L/h, 1, the level's unit) to the figure's unit."""
    own = {"time_of_peak": "h", "half_life": "h", "time_to_steady_state": "h", "apparent_clearance": "L/h"}
    ratios = {"accumulation", "area_ratio", "half_life_ratio"}
    unit = own.get(figure.quantity, "1" if figure.quantity in ratios else drug.channel.unit.removesuffix("/h"))
    concentration = figure.quantity in {"peak", "area", "average", "level"}
    if figure.quantity == "apparent_clearance" and drug.in_blood and drug.output.molar_mass:
        numbers = drugs.values(drug)  # clearances are printed as mass of the dose over mass of the hormone
        return numbers[drug.output.molar_mass] / numbers[drug.in_blood.molar_mass]
    wanted = figure.unit.replace("*h", "") if figure.quantity == "area" else figure.unit
    if concentration and drug.in_blood and wanted == LEVEL_IN_BLOOD:
        return 1.0
    if concentration and drug.in_blood and wanted in FROM_NG_PER_LITRE:
        return drugs.values(drug)[drug.in_blood.molar_mass] * FROM_NG_PER_LITRE[wanted]
    if unit != wanted:
        raise InputError(f"{drug.name}: {figure.quantity} is computed in {unit}, but the figure is in {figure.unit}")
    return 1.0
