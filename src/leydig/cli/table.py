"""The short table of a run in the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from rich.table import Table

    from leydig.engine.trajectory import Panel, Trajectory

NOT_ADVICE = "For research and teaching, not medical advice."


class Row(NamedTuple):
    """One line of the table: a quantity as it is, or its change since day 0 in percent."""

    label: str
    quantity: str
    change: bool = False


ROWS = (
    Row("testosterone", "testosterone"),
    Row("free testosterone", "free_testosterone"),
    Row("estradiol", "estradiol"),
    Row("T/E2", "testosterone_estradiol_ratio"),
    Row("LH", "LH"),
    Row("FSH", "FSH"),
    Row("sperm concentration", "sperm_concentration"),
    Row("total motile sperm", "total_motile_sperm_count"),
    Row("spine BMD, change", "bmd_spine", change=True),
    Row("hip BMD, change", "bmd_hip", change=True),
    Row("CTX", "CTX"),
)
WEEKS_SHOWN = (4, 12)


def table(run: Trajectory) -> Table:
    """Day 0, 4 and 12 weeks and the end of one run, with its bands where it has them.

    A quantity stands as the man's laboratory would print it where the laboratory measures it, else as it is.
    """
    from rich.table import Table

    end = float(run.days[-1])
    columns = [0.0, *(7.0 * week for week in WEEKS_SHOWN if 7 * week < end), end]
    shown = Table(title=run.protocol, title_style="bold", title_justify="left", header_style="bold")
    shown.add_column("")
    shown.add_column("unit", style="dim")
    for day in columns:
        shown.add_column(moment(day), justify="right")
    for row in ROWS:
        panel = run.laboratory if row.quantity in run.laboratory.values else run.quantities
        if row.quantity in panel.values:
            unit = "%" if row.change else panel.units[row.quantity]
            cells = [_cell(panel, run.days, day, row) for day in columns]
            shown.add_row(row.label, "" if unit == "1" else unit, *cells)
    return shown


def moment(day: float) -> str:
    """Day 0, 12 weeks, 2 years, day 45."""
    years = day / 365.25
    if day and abs(years - round(years)) * 365.25 < 0.5 and round(years) >= 1:
        return "1 year" if round(years) == 1 else f"{round(years)} years"
    if day and day % 7 == 0:
        return "1 week" if day == 7 else f"{day / 7:g} weeks"
    return f"day {day:g}"


def number(value: float, signed: bool = False) -> str:
    """Three significant digits, without an exponent where a person would write none."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(value)))) if abs(value) >= 0.001 else 5
    return f"{value:{'+' if signed else ''}.{min(decimals, 4)}f}".replace("-", "−")


def _cell(panel: Panel, days: np.ndarray, day: float, row: Row) -> str:
    import numpy as np

    values = panel.values[row.quantity]
    now = float(np.interp(day, days, values))
    if row.change:
        before = float(values[0])
        return number(100 * (now / before - 1), signed=True) if before else "–"
    if panel.lower is None or panel.upper is None or row.quantity not in panel.lower:
        return number(now)
    low, high = (float(np.interp(day, days, band[row.quantity])) for band in (panel.lower, panel.upper))
    return f"{number(now)}\n[dim]{number(low)} to {number(high)}[/dim]"
