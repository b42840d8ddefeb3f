"""Bone density over dose and duration of an inhibitor: many men, each beside himself untreated, over draws of the fit.

    write("surface.csv", surface())       # minutes; data/bone_surface.yaml says for what

Nothing here knows how bone answers to a dose. Every man is followed through the whole model under every regimen; what
the mean man loses, how sure that is and how many men lose more than two scans tell apart is read off at the end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_text, read_yaml
from leydig.numerics import Mode
from leydig.parameters import ASSUMED, Strict
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.schedule import HOURS, PerWeek
from leydig.population_prior import men as draw_men
from leydig.population_prior.records import Sourced
from leydig.studies import many, unknowns
from leydig.studies.clock import HOURS_PER_DAY
from leydig.studies.responders import Responder, percent_change, responders
from leydig.units import CANONICAL
from leydig.writing import write_text

FILE = "bone_surface.yaml"
OVER = 7.0  # d whose mean is shown: with some doses a week every day is another one
SITES = ("bmd_spine", "bmd_hip")
CHANGED = ("CTX", "estradiol", "testosterone")  # shown in percent of the start
LEVEL = "estradiol"  # shown as it is as well
FOLLOWED = (*SITES, *CHANGED)
INTERVAL = (2.5, 97.5)  # %, of the draws
DECIMALS = 3
CHANGE, DIFFERENCE = "_change", "_difference"


class Choice(Sourced):
    """Numbers of the grid, and why these."""

    values: Annotated[tuple[float, ...], Field(min_length=1)]
    unit: str


class Count(Sourced):
    """How many, and why."""

    value: Annotated[int, Field(ge=0)]
    unit: str


class Supplement(Sourced):
    """What is taken beside the drug, as protocol text; nothing where that is empty."""

    protocol: str


class Group(Sourced):
    """Whose bones: a condition of the population, and the ages (years) between which every age is alike likely."""

    condition: str
    ages: tuple[float, float]


class Grid(Strict):
    """data/bone_surface.yaml."""

    drug: str
    doses: Choice
    per_week: Choice
    years: Choice
    supplements: Annotated[dict[str, Supplement], Field(min_length=1)]
    crossed: Annotated[tuple[str, ...], Field(min_length=1)]  # the supplements that the surface is computed for
    populations: Annotated[dict[str, Group], Field(min_length=1)]
    ceiling: Choice  # doses that are in no use, daily, to see where the surface ends
    draws: Count
    men: Count
    seed: Count

    @model_validator(mode="after")
    def whole(self) -> Self:
        """Known supplements are crossed, the first of them nothing, and times and sources can be used."""
        for name in self.crossed:
            if name not in self.supplements:
                raise unknown("supplement", name, self.supplements, '"crossed"')
        if self.supplements[self.crossed[0]].protocol:
            raise InputError(f'"{self.crossed[0]}", the first of "crossed", must have no protocol')
        if list(self.years.values) != sorted(set(self.years.values)) or min(self.years.values) <= 0:
            raise InputError("years must rise from above 0")
        every = (self.doses, self.per_week, self.years, self.ceiling, self.draws, self.men, self.seed)
        for entry in (*every, *self.supplements.values(), *self.populations.values()):
            for key in entry.source:
                if key != ASSUMED and reference(key, FILE).verification in UNUSABLE:
                    raise InputError(f'{FILE} rests on "{key}", which nobody has seen')
        return self


@cache
def grid() -> Grid:
    """What the surface is computed for; InputError in one sentence when the file cannot be used."""
    try:
        return Grid.model_validate(read_yaml(DATA / FILE))
    except ValidationError as error:
        raise from_pydantic(error, FILE, Grid) from error


class Regimen(NamedTuple):
    """One way of dosing; without a dose the man is untreated but for his supplement."""

    dose: float  # in the unit of the grid's doses
    per_week: int
    supplement: str  # a name of the grid's

    def text(self, of: Grid) -> str:
        """As protocol text."""
        drug = f"{of.drug} {self.dose:g} {of.doses.unit} {PerWeek(self.per_week).text()}" if self.dose else ""
        return " + ".join(part for part in (drug, of.supplements[self.supplement].protocol) if part) or "none"


def untreated(of: Grid, supplement: str | None = None) -> Regimen:
    """No drug; without a named supplement that of the comparison, which is nothing."""
    return Regimen(0.0, 0, of.crossed[0] if supplement is None else supplement)


def regimens(of: Grid) -> tuple[Regimen, ...]:
    """All of the surface; untreated men, without and with supplements, come first."""
    doses = product(of.doses.values, map(int, of.per_week.values))
    treated = [Regimen(dose, often, supplement) for dose, often in doses for supplement in of.crossed]
    return (*(untreated(of, supplement) for supplement in of.crossed), *treated)


class Course(NamedTuple):
    """Men of one population under one regimen."""

    days: np.ndarray  # (v,), the first is 0
    age: np.ndarray  # (draws, men) years
    values: Mapping[str, np.ndarray]  # (draws, men, v), means of a week in canonical units

    def change(self, quantity: str) -> np.ndarray:
        """(draws, men, v) in percent of each man's own start."""
        series = self.values[quantity]
        return percent_change(series.reshape(-1, series.shape[-1])).reshape(series.shape)


def courses(
    group: Group,
    several: Sequence[Regimen],
    years: Sequence[float],
    of: Grid,
    *,
    draws: int | None = None,
    men: int | None = None,
    mode: Mode = "single",
    threads: int = 1,
    tick: Callable[[], None] = lambda: None,
) -> dict[Regimen, Course]:
    """Men of a group under each regimen at ``years``: the same men, with the same parameters, under all of them.

    ``men`` belong to each of ``draws`` draws of what is uncertain about body, drug and supplements, other men to every
    draw; with ``draws`` 0 all of them have the best estimate. Raises InputError when a man cannot be solved.
    """
    draws, men = of.draws.value if draws is None else draws, of.men.value if men is None else men
    count = max(draws, 1)
    protocols = [Protocol.parse(one.text(of)) for one in several]
    prepared = _prepared(group, protocols, of.seed.value, draws, men)
    days = np.array([0.0, *np.round(np.asarray(years) * float(HOURS["year"]) / HOURS_PER_DAY)])
    clock, age = many.look(days, OVER), prepared.men.age.reshape(count, men)
    found = {}
    for one, protocol in zip(several, protocols, strict=True):
        run = many.follow_one(prepared, protocol, clock, FOLLOWED, mode, threads)
        if failed := int(np.sum(run.status != many.DONE)):
            raise InputError(f'{failed} men of "{group.condition}" could not be solved under "{one.text(of)}"')
        values = {name: series.reshape(count, men, len(days)) for name, series in run.quantities.items()}
        found[one] = Course(days, age, values)
        tick()
    return found


def _prepared(group: Group, protocols: Sequence[Protocol], seed: int, draws: int, men: int) -> many.Prepared:
    """``men`` for each of the draws, in the order of the draws; draw 0, which is the best estimate, is none of them."""
    numbers = range(1, draws + 1) if draws else (unknowns.CENTRAL,)
    n, names = men * len(numbers), sorted({name for protocol in protocols for name in protocol.drugs})
    several = [unknowns.unknowns(seed, number, names) for number in numbers]
    shared, scale = unknowns.columns(several, np.repeat(np.arange(len(several)), men))
    factors = many.multipliers(protocols, seed, 0, n)
    for (system, name), factor in scale.items():
        key = f"{system}.{name}"
        factors[key] = factors.get(key, 1.0) * factor
    return many.prepare(draw_men(group.condition, seed, 0, n, ages=group.ages), factors, shared)


class Row(NamedTuple):
    """One line of the table: means over men and draws, and how sure they are."""

    population: str
    dose: float  # mg, 0 without the drug
    per_week: int  # doses a week
    years: float
    supplement: str
    quantity: str  # ..._change: from his own start; ..._difference: from himself without drug and supplement
    unit: str
    mean: float
    lower: float  # 2.5 % of the draws of the mean
    upper: float  # 97.5 %
    losing: float | None  # share of men whose true loss is more than two scans tell apart; of density alone


def surface(
    of: Grid | None = None, *, threads: int = 2, progress: Callable[[int, int], None] | None = None
) -> tuple[Row, ...]:
    """Every population, regimen, time and quantity of the grid, by default that of the package.

    Density (spine, hip) as change and as difference from the same men untreated; resorption (CTX), estradiol and
    testosterone as change; estradiol as it is. ``progress`` gets runs done and runs in all. Raises InputError.
    """
    of = grid() if of is None else of
    several, done = regimens(of), 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, len(several) * len(of.populations))

    found: list[Row] = []
    for name, group in of.populations.items():
        runs = courses(group, several, of.years.values, of, threads=threads, tick=tick)
        alone = runs[untreated(of)]
        for one, course in runs.items():
            found += _rows(name, one, course, alone, of)
    return tuple(found)


def _rows(population: str, one: Regimen, course: Course, alone: Course, of: Grid) -> Iterable[Row]:
    """All lines of one regimen."""
    shown: list[tuple[str, str, np.ndarray, Responder | None]] = []
    for site in SITES:
        change = course.change(site)
        shown.append((site + CHANGE, "%", change, loss_of(site)))
        shown.append((site + DIFFERENCE, "% of the start", change - alone.change(site), loss_of(site)))
    shown += [(name + CHANGE, "%", course.change(name), None) for name in CHANGED]
    shown.append((LEVEL, CANONICAL[LEVEL], course.values[LEVEL], None))
    for place, years in enumerate(of.years.values, start=1):
        for quantity, unit, series, loss in shown:
            now = series[..., place]
            lost = None if loss is None else float(np.mean(now < loss.limit))
            yield Row(population, *one[:2], years, one.supplement, quantity, unit, *of_mean(now), lost)


def of_mean(values: np.ndarray) -> tuple[float, float, float]:
    """The mean of (draws, men), and the interval of 95 % of the draws' own means."""
    low, high = np.percentile(values.mean(axis=1), INTERVAL)
    return float(values.mean()), float(low), float(high)


@cache
def loss_of(site: str) -> Responder:
    """The loss in percent that two scans of one man tell apart, below 0 (data/responders.yaml)."""
    return next(one for one in responders() if one.quantity == site and one.of == "change")


HEAD = ["population", "dose_mg", "doses_per_week", *Row._fields[3:-1], "share_losing"]


def write(path: Path | str, rows: Iterable[Row]) -> None:
    """The table as CSV, whole or not at all; InputError where the place cannot be written to."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    for row in rows:
        lost = "" if row.losing is None else f"{row.losing:.{DECIMALS}f}"
        numbers = [f"{round(value, DECIMALS) + 0.0:.{DECIMALS}f}" for value in (row.mean, row.lower, row.upper)]
        writer.writerow([row.population, f"{row.dose:g}", row.per_week, f"{row.years:g}", *row[4:7], *numbers, lost])
    write_text(path, text.getvalue())


def read(path: Path | str) -> tuple[Row, ...]:
    """A table that ``write`` has written; InputError where it is none."""
    head, *lines = [*csv.reader(io.StringIO(read_text(path)))] or [[]]
    share = lambda text: float(text) if text else None  # noqa: E731
    made: list[Callable[[str], Any]] = [str, float, int, float, *[str] * 3, *[float] * 3, share]
    try:
        if head == HEAD:
            return tuple(Row(*(make(text) for make, text in zip(made, line, strict=True))) for line in lines)
    except ValueError:
        pass
    raise InputError(f"{path} is no table of bone over dose and time; its first line must be {','.join(HEAD)}")
