"""What a population run is made of: n virtual men under one or several protocols, chunk by chunk.

    courses   what is shown of every man under every protocol on every day that is kept
    men       who they are: age, untreated values, lesion, factors on parameters
    results   how it ended for each man and protocol: status, values at start and end, extremes, what held at the end
    decisions  of protocols whose doses are titrated: what was read at every visit of every man, and what was decided

A chunk is a pure function of the specification, its first id and its size. A value on a day is the mean of the 24 hours
up to it, of the week up to it where doses lie days apart, and the value itself on day 0 and in runs of up to two weeks.
Courses and results are 32-bit numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from leydig.engine import runs
from leydig.engine.runs import Chunk
from leydig.numerics import Mode
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.titration import RuleSet
from leydig.population_prior import Men, men
from leydig.studies import many, provenance, titrate_tables
from leydig.studies.clock import Clock
from leydig.studies.mixture import read_mixture
from leydig.studies.population_summary import Tally, counted
from leydig.studies.responders import needed, percent_change, responders
from leydig.studies.titrate import Plan, known
from leydig.studies.titrate_many import Titrated, follow_titrated

CHUNK = 1024  # men; part of the format, so that the same files result whoever computes them
DONE = many.DONE
TABLES = ("men", "courses", "results")
DECISIONS = titrate_tables.TABLE
KEYS = ("id", "protocol", "day")
CHANGE = "_change"
IN_PERCENT = {f"{site}{CHANGE}": site for site in ("bmd_spine", "bmd_hip")}  # of his own start

Table = Mapping[str, np.ndarray]  # columns of one length
Tables = Mapping[str, Table]


@dataclass(frozen=True)
class Specification:
    """What is run. Build it with ``studies.population_plan.specify``, which checks every value."""

    condition: str  # one, or several with their shares, in canonical text
    n: int
    protocols: tuple[str, ...]  # canonical text
    days: float  # length of the run
    every: float  # days between the days that are kept
    over: float  # days up to a kept day that its value is the mean of; 0: the value itself
    seed: int
    quantities: tuple[str, ...]
    ages: tuple[float, float] | None = None  # years
    mode: Mode = "default"  # of the solver
    chunk: int = CHUNK
    titrations: tuple[str, ...] = ()  # canonical text of the rules of every protocol, "" for none; () for none at all

    @cached_property
    def kept(self) -> np.ndarray:
        """The days that are kept, (d,): from day 0 on, and the end; none lies within half an interval of the end."""
        count = max(math.ceil(self.days / self.every - 0.5), 1)
        return np.append(np.arange(count) * self.every, self.days)

    @cached_property
    def plans(self) -> tuple[Protocol, ...]:
        """The protocols as objects."""
        return tuple(Protocol.parse(text) for text in self.protocols)

    @cached_property
    def rules(self) -> tuple[RuleSet | None, ...]:
        """What changes the doses of each protocol."""
        texts = self.titrations or ("",) * len(self.protocols)
        return tuple(known(RuleSet.parse(text)) if text else None for text in texts)

    @property
    def labels(self) -> tuple[str, ...]:
        """What tells the protocols apart: their text, and that of their rules."""
        return tuple(Plan(plan, some).text() for plan, some in zip(self.plans, self.rules, strict=True))

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables that the run leaves."""
        return (*TABLES, DECISIONS) if any(self.rules) else TABLES

    @property
    def cells(self) -> int:
        """Places of the summary: every protocol, day and quantity, then the changes from start to end."""
        return len(self.protocols) * (len(self.kept) + 1) * len(self.quantities)

    def cell(self, protocol: Any, day: Any, quantity: Any) -> Any:
        """The number of a cell from places; ``day`` = number of days means the change."""
        return (np.asarray(protocol) * (len(self.kept) + 1) + day) * len(self.quantities) + quantity

    def chunks(self) -> Sequence[Chunk]:
        """All chunks."""
        return list(runs.chunks(self.n, self.chunk))

    def document(self) -> dict[str, dict[str, Any]]:
        """What describes the run: the specification, and what it is made with."""
        written = asdict(self)
        if not self.titrations:
            del written["titrations"]
        return {"specification": written, "made_with": self.made_with()}

    @staticmethod
    def made_with() -> dict[str, str]:
        """What decides the bytes besides the specification: version, equations, data, kernel, processor, libraries."""
        return {**provenance.digests(), "kernel": many.kernel_digest(), "instruction_set": instruction_set()}


def instruction_set() -> str:
    """The kind of processor, and of libraries that compute, that results belong to, bit for bit."""
    import hashlib

    import llvmlite
    import numba

    config: Any = numba.config  # what was asked for in the processor's place
    asked = f"{config.CPU_NAME} {config.CPU_FEATURES}"
    features = f"{asked} {llvmlite.binding.get_host_cpu_features().flatten()}"
    name = f"{llvmlite.binding.get_process_triple().partition('-')[0]} {llvmlite.binding.get_host_cpu_name()}"
    versions = f"numba {numba.__version__}, llvmlite {llvmlite.__version__}, numpy {np.__version__}"
    return f"{name} ({hashlib.sha256(features.encode()).hexdigest()[:8]}), {versions}"


# One chunk ----------------------------------------------------------------------------------------


def compute(specification: Specification, first: int, count: int) -> tuple[Tables, dict[str, Any]]:
    """The tables of the men ``first`` to ``first + count - 1``, and notes: rows, statuses, how many met what."""
    drawn = men(read_mixture(specification.condition), specification.seed, first, count, ages=specification.ages)
    factors = many.multipliers(specification.plans, specification.seed, first, count)
    wanted = dict.fromkeys(IN_PERCENT.get(name, name) for name in (*specification.quantities, *needed()))
    prepared = many.prepare(drawn, factors)
    clock = many.look(specification.kept, specification.over)
    runs = [_titrated(specification, place, prepared, clock, wanted) for place in range(len(specification.plans))]
    fixed = iter(
        many.follow_men(
            drawn,
            factors,
            [plan for plan, run in zip(specification.plans, runs, strict=True) if run is None],
            specification.kept,
            tuple(wanted),
            over=specification.over,
            mode=specification.mode,
            prepared=prepared,
        )
    )
    followed = [next(fixed) if run is None else run.followed for run in runs]
    for some in followed:
        for name in set(IN_PERCENT) & set(specification.quantities):
            some.quantities[name] = percent_change(some.quantities[IN_PERCENT[name]])
    held = [[one.met(some.quantities, drawn.age) for some in followed] for one in responders()]
    tables = {
        "men": _men(drawn, factors),
        "courses": _courses(specification, drawn, followed),
        "results": _results(specification, drawn, followed, held),
    }
    if any(specification.rules):
        more = titrate_tables.results(runs, count)
        tables["results"] = {**tables["results"], **{name: column.ravel() for name, column in more.items()}}
        tables[DECISIONS] = titrate_tables.decisions(drawn.id, specification.rules, runs)
    notes: dict[str, Any] = {
        "rows": {name: len(table["id"]) for name, table in tables.items()},
        "status": [dict(sorted(Counter(some.status.tolist()).items())) for some in followed],
        "met": [[met.sum(axis=0).tolist() for met, _ in row] for row in held],
        "known": [[known.sum(axis=0).tolist() for _, known in row] for row in held],
    }
    if any(specification.rules):
        notes["titration"] = titrate_tables.counts(runs)
    return tables, notes


def _titrated(
    specification: Specification, place: int, prepared: many.Prepared, clock: Clock, wanted: Collection[str]
) -> Titrated | None:
    """The men under the protocol of this place, where it is titrated."""
    rules, plan = specification.rules[place], specification.plans[place]
    if rules is None:
        return None
    return follow_titrated(prepared, plan, rules, clock, wanted, specification.mode, seed=specification.seed)


def _men(drawn: Men, factors: Mapping[str, np.ndarray]) -> Table:
    names = np.array(drawn.conditions, dtype=object)
    return {
        "id": drawn.id,
        "condition": names[drawn.condition],
        "age": drawn.age,
        "height": drawn.height,
        **drawn.values,
        **{f"lesion_{organ}": left for organ, left in drawn.lesion.items()},
        **{f"factor_{name}": factor for name, factor in factors.items()},
    }


def _courses(specification: Specification, drawn: Men, followed: Sequence[many.Followed]) -> Table:
    """Rows by man, protocol and day."""
    n, protocols, days = len(drawn.id), len(followed), len(specification.kept)
    return {
        "id": np.repeat(drawn.id, protocols * days),
        "protocol": np.tile(np.repeat(np.arange(protocols, dtype=np.int16), days), n),
        "day": np.tile(specification.kept, n * protocols),
        **{
            name: np.stack([some.quantities[name] for some in followed], axis=1).astype(np.float32).ravel()
            for name in specification.quantities
        },
    }


def _results(
    specification: Specification,
    drawn: Men,
    followed: Sequence[many.Followed],
    held: Sequence[Sequence[tuple[np.ndarray, np.ndarray]]],
) -> Table:
    """Rows by man and protocol."""

    def rows(of: Callable[[many.Followed], np.ndarray]) -> np.ndarray:
        return np.stack([of(some) for some in followed], axis=1).ravel()

    table = {
        "id": np.repeat(drawn.id, len(followed)),
        "protocol": np.tile(np.arange(len(followed), dtype=np.int16), len(drawn.id)),
        "status": rows(lambda some: some.status),
        "reached": rows(lambda some: np.asarray(some.reached, dtype=np.float32)),
        "steps": rows(lambda some: np.asarray(some.steps, dtype=np.int64)),
    }
    for name in specification.quantities:
        for part in ("start", "end", "change", "lowest", "lowest_day", "highest", "highest_day"):
            table[f"{name}_{part}"] = rows(partial(_part, part, name, specification.kept))
    for responder, row in zip(responders(), held, strict=True):
        # 1, 0, or nan where it is not known, because he was not followed to the end
        ends = [np.where(known[:, -1], met[:, -1], np.nan).astype(np.float32) for met, known in row]
        table[f"met_{responder.key}"] = np.stack(ends, axis=1).ravel()
    return table


def _part(part: str, name: str, days: np.ndarray, some: many.Followed) -> np.ndarray:
    """One number per man of a quantity's course; nan where there is none."""
    series = some.quantities[name].astype(np.float32)
    if part == "start":
        return series[:, 0]
    if part == "end":
        return series[:, -1]
    if part == "change":
        return series[:, -1] - series[:, 0]
    low = part.startswith("lowest")
    filled = np.where(np.isfinite(series), series, np.float32(np.inf if low else -np.inf))
    place = filled.argmin(axis=1) if low else filled.argmax(axis=1)
    found = days[place] if part.endswith("day") else series[np.arange(len(series)), place]
    return np.where(np.isfinite(filled).any(axis=1), found, np.nan).astype(np.float32)


def tally(specification: Specification, courses: Table, results: Table, notes: Mapping[str, Any]) -> Tally:
    """What a chunk adds to the summary, from its tables as they are stored and its notes."""
    days, names = len(specification.kept), specification.quantities
    day = np.tile(np.arange(days), len(courses["id"]) // days)
    places = np.arange(len(names))
    of_courses = specification.cell(courses["protocol"].astype(np.int64), day, 0)
    of_changes = specification.cell(results["protocol"].astype(np.int64), days, 0)
    cells = np.concatenate([*(of_courses + k for k in places), *(of_changes + k for k in places)])
    values = [*(courses[name] for name in names), *(results[f"{name}{CHANGE}"] for name in names)]
    bins, sums = counted(cells, np.concatenate(values))
    shape = (len(responders()), len(specification.protocols), days)
    met, known = (np.array(notes[part], dtype=np.int64).reshape(shape) for part in ("met", "known"))
    return Tally(
        notes["rows"]["men"], bins, sums, met, known, tuple(notes["status"]), tuple(notes.get("titration", ()))
    )
