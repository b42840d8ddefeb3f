"""Looking up a quantity in a run: on which scale it is shown, its values, its band, its assay."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig import laboratory
from leydig.engine.trajectory import Panel, Trajectory

RIPPLE = 0.02  # of its own range in the last weeks: a smaller up and down is not seen
SHORTEST = 10 * 7  # days; a shorter run is drawn day by day
WINDOW = 3  # days on either side of a day: a week

JUDGED_BY = {
    "testosterone_estradiol_ratio": "estradiol"
}  # a ratio is on the assay of the part that assays differ in most


class Swing(NamedTuple):
    """How far a quantity goes up and down within each week around a day; arrays (times,)."""

    mean: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    lower: np.ndarray | None  # the lowest lower limit of the week, so that the band holds every day of it
    upper: np.ndarray | None


class Series(NamedTuple):
    """One quantity of one run; arrays (times,). Bands are None where there are none."""

    quantity: str
    unit: str
    days: np.ndarray
    values: np.ndarray
    lower: np.ndarray | None
    upper: np.ndarray | None
    printed: bool  # on the scale that his laboratory prints

    @property
    def start(self) -> float:
        return float(self.values[0])

    @property
    def end(self) -> float:
        """The last value that is there; NaN when none is."""
        there = self.values[np.isfinite(self.values)]
        return float(there[-1]) if there.size else float("nan")

    def at(self, day: float) -> tuple[float, float | None, float | None]:
        """Value and band on a day, between the output times on a straight line."""
        band = [None if part is None else float(np.interp(day, self.days, part)) for part in (self.lower, self.upper)]
        return float(np.interp(day, self.days, self.values)), band[0], band[1]


def swing(series: Series) -> Swing | None:
    """The week around each day, where doses some days apart make a quantity go up and down within the week.

    None for short runs, for output that is not daily and for a quantity that does not. Before the first whole week
    the window shrinks evenly to the first day; after the last one it stays.
    """
    step = np.diff(series.days)
    long_enough = series.days[-1] - series.days[0] >= SHORTEST
    if not (long_enough and np.allclose(step[:-1], 1.0) and _ripples(series.values)):
        return None

    def weekly(values: np.ndarray, of: Callable[..., Any]) -> np.ndarray:
        middles = np.minimum(np.arange(len(values)), len(values) - 1 - WINDOW)
        return np.array([of(values[i - min(i, WINDOW) : i + min(i, WINDOW) + 1]) for i in middles])

    lower = None if series.lower is None else weekly(series.lower, np.min)
    upper = None if series.upper is None else weekly(series.upper, np.max)
    values = series.values
    return Swing(weekly(values, np.mean), weekly(values, np.min), weekly(values, np.max), lower, upper)


def _ripples(values: np.ndarray) -> bool:
    """Whether values turn at least once a week, by more than what is seen, over the last weeks."""
    late = values[-SHORTEST:]
    if not np.isfinite(late).all():
        return False
    change = np.diff(late)
    large = np.abs(change) > RIPPLE * max(float(np.ptp(values)), 1e-12)
    turns = np.count_nonzero(np.diff(np.sign(change[large])) != 0)
    return bool(turns >= len(late) / (2 * WINDOW + 1))


def letters(count: int) -> list[str]:
    """Labels of runs that are laid over one another: A, B, C …; none for a single run."""
    if count == 1:
        return [""]
    alphabet = string.ascii_uppercase
    return [alphabet[i] if i < len(alphabet) else str(i + 1) for i in range(count)]


def has(run: Trajectory, quantity: str) -> bool:
    """Whether the run holds the quantity and at least one value of it."""
    values = run.quantities.values.get(quantity)
    return values is not None and bool(np.isfinite(values).any())


def concerns(entry: Mapping[str, Any], run: Trajectory) -> bool:
    """Whether an entry of the report's file is meant for this man: ``only_condition`` and ``not_condition``."""
    condition = run.subject.get("condition")
    return condition in entry.get("only_condition", (condition,)) and condition not in entry.get("not_condition", ())


def state(run: Trajectory, quantity: str) -> Series:
    """The quantity as the 24-hour mean on the reference scale."""
    return _series(run, run.quantities, quantity, printed=False)


def shown(run: Trajectory, quantity: str) -> Series:
    """The quantity as his laboratory would print it, or the state of what no laboratory prints."""
    if quantity in run.laboratory.values:
        return _series(run, run.laboratory, quantity, printed=True)
    return state(run, quantity)


def times(series: Series, factor: float) -> Series:
    """The series with every number multiplied; for another unit."""
    parts = [None if part is None else factor * part for part in (series.lower, series.upper)]
    return series._replace(values=factor * series.values, lower=parts[0], upper=parts[1])


def alternative(run: Trajectory, name: str, quantity: str) -> np.ndarray | None:
    """The quantity over time if the conflicting finding of this name held; None where it was not run."""
    values = run.alternatives.get(name, {}).get(quantity)
    return None if values is None else np.asarray(values, float)


def _series(run: Trajectory, panel: Panel, quantity: str, printed: bool) -> Series:
    lower = None if panel.lower is None else panel.lower.get(quantity)
    upper = None if panel.upper is None else panel.upper.get(quantity)
    return Series(
        quantity, panel.units[quantity], run.days, np.asarray(panel.values[quantity], float), lower, upper, printed
    )


def laboratory_of(run: Trajectory, analyte: str) -> tuple[str, float | None]:
    """The assay and the clock hour on which an analyte is shown.

    His own where he had it measured, as ``subject["laboratory"]`` says ("immunoassay, 08.50 h", decimal hours);
    else LC-MS/MS at the usual hour.
    """
    own = str((run.subject.get("laboratory") or {}).get(analyte) or "")
    if not own:
        return laboratory.MASS_SPECTROMETRY, laboratory.constants().usual_hour
    name, _, clock = own.partition(",")
    hour = re.fullmatch(r"\s*([\d.]+) h", clock)
    return name, float(hour[1]) if hour else None


def assay(run: Trajectory, quantity: str) -> str | None:
    """The assay behind the values shown, None where it is not known; what no laboratory prints is LC-MS/MS."""
    if quantity not in run.laboratory.values:
        return laboratory.MASS_SPECTROMETRY
    name = laboratory_of(run, JUDGED_BY.get(quantity, quantity))[0]
    return name if name in laboratory.ASSAYS and name != laboratory.UNKNOWN else None


def age(run: Trajectory) -> float:
    """His age at the start, years."""
    return float(run.subject["age"])


def reference_range(run: Trajectory, quantity: str) -> laboratory.Range | None:
    """The published interval beside which the quantity is shown."""
    return laboratory.reference_range(quantity, age(run), assay(run, quantity))


def leading_score(run: Trajectory) -> str:
    """``z`` or ``t``: the score by which bone density is reported at his age.

    Under 50 years Z-scores lead; the limits are those of the published positions.
    """
    years = np.floor(age(run))
    z = [r for r in laboratory.reference_ranges() if r.quantity == "z_score_spine"]
    return "z" if any(r.ages[0] <= years <= r.ages[1] for r in z) else "t"


def averaged(run: Trajectory) -> bool:
    """Whether each value is the mean of a day: output is then a day apart."""
    return len(run.days) > 1 and float(np.median(np.diff(run.days))) >= 1


def longest(runs: Sequence[Trajectory]) -> float:
    """The last day of the longest run."""
    return max(float(run.days[-1]) for run in runs)
