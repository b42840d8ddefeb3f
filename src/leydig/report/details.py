"""What stands in the closed sections of the report: tables and lists, as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig import grading, laboratory
from leydig.engine.trajectory import Trajectory
from leydig.report import plan, published, runs, wording
from leydig.units import CANONICAL, to_canonical


class Cell(NamedTuple):
    """A value and, below it, its band."""

    value: str
    band: str


SPERM = "sperm_concentration"
NO_MALE_DATA = "no male data"  # the grade of an outcome that shows an interval and no value
NOT_SHOWN = Cell("\u2013", "")
WITHOUT_BAND = Cell(f"{NO_MALE_DATA};", "run with --bands for the interval")


class Row(NamedTuple):
    """One quantity over the table's moments."""

    name: str
    unit: str
    cells: list[Cell]


class Table(NamedTuple):
    """Values over time of one run on one scale."""

    title: str
    moments: list[str]
    rows: list[Row]


def tables(trajectories: Sequence[Trajectory]) -> list[Table]:
    """For each run what his laboratory would print, and the state."""
    found = []
    for label, run in zip(runs.letters(len(trajectories)), trajectories, strict=True):
        under = f"{label}, {run.protocol}" if label else run.protocol
        if run.laboratory.values:
            found.append(_table(run, f"What his laboratory would print: {under}", list(run.laboratory.values), True))
        found.append(_table(run, f"24-hour means on the reference assay: {under}", list(run.quantities.values), False))
    return found


def _table(run: Trajectory, title: str, quantities: list[str], printed: bool) -> Table:
    days = moments(run)
    other = "t" if runs.leading_score(run) == "z" else "z"
    rows = []
    for quantity in sorted(quantities, key=lambda q: q.startswith(f"{other}_score")):  # the leading score first
        if not runs.has(run, quantity):
            continue
        series = runs.shown(run, quantity) if printed else runs.state(run, quantity)
        cells = [cell(series, day) if _says_something(run, quantity, day) else NOT_SHOWN for day in days]
        if quantity in wording.settings()["least_age"] and all(one is NOT_SHOWN for one in cells):
            continue
        unit = wording.unit(wording.shown_unit(quantity, series.unit))
        rows.append(Row(wording.capital(wording.name(quantity)), unit, hinted_once(cells)))
    return Table(title, [wording.capital(wording.moment(day)) for day in days], rows)


def _says_something(run: Trajectory, quantity: str, day: float) -> bool:
    """False for what is computed but means nothing: how no sperm move, a risk at an age from which it is not known."""
    least_age = wording.settings()["least_age"].get(quantity)
    if least_age and runs.age(run) + day / wording.DAYS_PER_YEAR < least_age["value"]:
        return False
    if quantity not in wording.settings()["judged_on_sperm"] or not runs.has(run, SPERM):
        return True
    return _enough_sperm(runs.state(run, SPERM).at(day)[0])


def _enough_sperm(concentration: float) -> bool:
    """Whether a concentration (10^6/mL) leaves enough sperm to judge them."""
    least = wording.settings()["least_sperm"]
    return concentration >= to_canonical(SPERM, float(least["value"]), least["unit"], "least_sperm of report.yaml")


def moments(run: Trajectory) -> list[float]:
    """The days of the table's columns: the usual visits as far as the run goes, and its end."""
    visits = [week * wording.DAYS_PER_WEEK for week in wording.settings()["table_weeks"]["value"]]
    end = float(run.days[-1])
    return sorted({day for day in visits if day <= end - wording.DAYS_PER_WEEK} | {end})


def cell(series: runs.Series, day: float) -> Cell:
    """A value with its band; of an outcome without data in men only the interval."""
    value, lower, upper = series.at(day)
    known = grading.outcomes().get(series.quantity)
    alone = known is not None and known.grade == NO_MALE_DATA
    if alone and (lower is None or upper is None):
        return WITHOUT_BAND
    shown = "" if alone else wording.number(value, series.quantity)
    if lower is None or upper is None or not np.isfinite([lower, upper]).all():
        return NOT_SHOWN if alone else Cell(shown, "")
    low, high = wording.number(lower, series.quantity), wording.number(upper, series.quantity)
    if alone:
        return NOT_SHOWN if low == high else Cell(f"{low} to {high}", NO_MALE_DATA)
    return Cell(shown, "" if low == high == shown else f"{low} to {high}")


def hinted_once(cells: list[Cell]) -> list[Cell]:
    """The cells of a row in which only the first says how to see an interval."""
    return [Cell(NO_MALE_DATA, "") if cell is WITHOUT_BAND and place else cell for place, cell in enumerate(cells)]


# Published figures --------------------------------------------------------------------------------


def comparison_rows(found: Sequence[published.Comparison]) -> list[dict[str, str]]:
    """Published beside simulated, as text."""
    rows = []
    for one in found:
        absolute = one.statistic in published.LEVELS or one.statistic == "change"
        quantity = one.quantity if absolute else ""
        unit = wording.shown_unit(quantity, one.unit)
        band = ""
        if one.lower is not None and one.upper is not None:
            band = f"{wording.number(one.lower, quantity)} to {wording.number(one.upper, quantity)}"
        rows.append(
            {
                "protocol": f"{one.label}, {one.protocol}" if one.label else one.protocol,
                "quantity": wording.capital(wording.name(one.quantity)),
                "statistic": one.statistic.replace("_", " ") + (f"; {one.note}" if one.note else ""),
                "when": wording.moment(one.day),
                "published": wording.join(wording.number(one.published, quantity), unit),
                "simulated": wording.join(wording.number(one.simulated, quantity), unit),
                "band": band,
                "inside": {True: "inside", False: "outside", None: "no band"}[one.inside],
                "source": one.source,
            }
        )
    return rows


def comparison_summary(found: Sequence[published.Comparison]) -> str:
    """How many published figures lie inside their bands."""
    banded = [one for one in found if one.inside is not None]
    if not banded:
        return f"{len(found)} without a band"
    return f"{sum(bool(one.inside) for one in banded)} of {len(banded)} inside the band"


# What was known -----------------------------------------------------------------------------------


def baseline_rows(run: Trajectory) -> list[dict[str, str]]:
    """The values of the man before any lesion and drug, and where each is from."""
    found = []
    baseline = run.subject.get("baseline") or {}
    without_sperm = SPERM in baseline and not _enough_sperm(float(baseline[SPERM]))
    for quantity, value in baseline.items():
        if quantity not in run.quantities.values:
            continue
        if without_sperm and quantity in wording.settings()["judged_on_sperm"]:
            continue
        text = wording.with_unit(_float(value), quantity, run.quantities.units[quantity])
        name = wording.capital(wording.name(quantity))
        found.append({"quantity": name, "value": text, "origin": _origin(run, quantity, value)})
    return found


def _origin(run: Trajectory, quantity: str, value: Any) -> str:
    """Whether a value was measured, was chosen to meet a measured one, or was completed."""
    measured = run.subject.get("measured") or {}
    if quantity not in measured:
        return "completed from men like him"
    same = np.isclose(float(value), float(measured[quantity]), rtol=1e-3)
    return "measured" if same else "chosen so that his measured value is met"


def range_rows(trajectories: Sequence[Trajectory]) -> list[dict[str, str]]:
    """The published ranges behind the figures."""
    run = trajectories[0]
    quantities = [
        *plan.HORMONES,
        plan.RATIO,
        *plan.SEMEN,
        *(f"{runs.leading_score(run)}_score_{s}" for s in ("spine", "hip")),
        *(q for section in wording.settings()["sections"] for q in section["quantities"] if runs.has(run, q)),
    ]
    found = []
    for quantity in quantities:
        known = runs.reference_range(run, quantity)
        if known is None or quantity in run.left_out:
            continue
        found.append(
            {
                "quantity": wording.capital(wording.name(quantity)),
                "range": _interval(known, quantity),
                "interval": known.interval,
                "population": f"{known.population}, {known.ages[0]:g} to {known.ages[1]:g} years",
                "assay": known.assay or "",
                "hour": "" if known.hour is None else wording.clock(known.hour),
                "source": known.source,
            }
        )
    return found


def _interval(known: laboratory.Range, quantity: str) -> str:
    unit = _canonical(quantity)
    if known.low is None or known.high is None:
        limit, word = (known.high, "up to") if known.low is None else (known.low, "from")
        return f"{word} {wording.with_unit(limit, quantity, unit)}"
    text = f"{wording.number(known.low, quantity)} to {wording.number(known.high, quantity)}"
    return wording.join(text, unit)


def other_assays(trajectories: Sequence[Trajectory]) -> list[str]:
    """A sentence for each figure whose published range was made on an assay with another scale than the values."""
    run = trajectories[0]
    found = []
    for quantity in (*plan.HORMONES, plan.RATIO):
        known, own = runs.reference_range(run, quantity), runs.assay(run, quantity)
        if known and known.assay and own and _other_scale(quantity, known.assay, own):
            found.append(f"The range of {wording.name(quantity)} was made with {known.assay}, his values are {own}.")
    return found


def _other_scale(quantity: str, one: str, other: str) -> bool:
    """Whether two assays print different numbers for the same blood; a ratio follows its parts."""
    constants = laboratory.constants()
    parts = plan.HORMONES[:2] if quantity == plan.RATIO else (quantity,)
    scales = [[laboratory.scale(part, assay, constants)[:2] for part in parts] for assay in (one, other)]
    return scales[0] != scales[1]


def _canonical(quantity: str) -> str:
    return CANONICAL.get(quantity, "")


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
