"""The short table of a run in the terminal, in the words and roundings of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.table import Table

    from leydig.engine.trajectory import Trajectory
    from leydig.report.runs import Series

NOT_ADVICE = "For research and teaching, not medical advice."


class Row(NamedTuple):
    """One line of the table."""

    quantity: str
    label: str = ""  # the report's name of the quantity where it is empty


ROWS = (
    Row("testosterone"),
    Row("free_testosterone"),
    Row("estradiol"),
    Row("testosterone_estradiol_ratio", "T/E2"),
    Row("LH"),
    Row("FSH"),
    Row("sperm_concentration", "sperm"),
    Row("total_motile_sperm_count", "motile sperm"),
    Row("bmd_spine_change", "spine BMD, change"),
    Row("bmd_hip_change", "hip BMD, change"),
    Row("CTX"),
)
WEEKS_SHOWN = (4, 12)


def table(run: Trajectory, title: str) -> Table:
    """Day 0, 4 and 12 weeks and the end of one run, with its bands where it has them.

    A quantity stands as the man's laboratory would print it where the laboratory measures it, else as it is.
    """
    from rich import box
    from rich.table import Table

    from leydig.report import runs, wording

    end = float(run.days[-1])
    columns = [0.0, *(float(wording.DAYS_PER_WEEK * week) for week in WEEKS_SHOWN), end]
    columns = [day for day in columns if day < end] + [end]
    shown = Table(title=title, title_style="bold", title_justify="left", box=box.SIMPLE_HEAD)
    shown.show_edge, shown.padding = False, (0, 1, 0, 0)
    shown.add_column("", no_wrap=True)
    shown.add_column("unit", style="dim", no_wrap=True)
    for day in columns:
        shown.add_column(wording.span(day) if day else "day 0", justify="right", overflow="fold")
    for row in ROWS:
        if runs.has(run, row.quantity):
            series = runs.shown(run, row.quantity)
            swing = runs.swing(series)
            if swing is not None:  # doses some days apart: the week's mean, not the phase of the dosing
                series = series._replace(values=swing.mean, lower=swing.lower, upper=swing.upper)
            cells = [_cell(series, day) for day in columns]
            shown.add_row(row.label or wording.name(row.quantity), wording.unit(series.unit), *cells)
    return shown


def _cell(series: Series, day: float) -> str:
    """A value and, below it, its band; a change in percent carries its sign."""
    from leydig.report import wording

    def shown(part: float) -> str:
        if series.unit == "%" and series.quantity.endswith("_change"):
            return wording.percent(part).removesuffix("%").strip()
        return wording.number(part, series.quantity)

    value, low, high = series.at(day)
    if low is None or high is None or low == high:
        return shown(value)
    return f"{shown(value)}\n[dim]{shown(low)} to {shown(high)}[/dim]"


# What a person looks at first; every other reading is in --json and in the report.
SAMPLED = ("testosterone", "estradiol", "testosterone_estradiol_ratio", "LH", "FSH", "SHBG", "hematocrit",
           "sperm_concentration", "total_motile_sperm_count", "bmd_spine")  # fmt: skip
MOST_VISITS = 4  # in 80 columns


def samples_table(run: Trajectory) -> Table:
    """Readings with their noise at the first visits, and the change that 95 % of unchanged men stay within."""
    from rich import box
    from rich.table import Table

    from leydig.report import readings, wording

    days = run.samples["days"][:MOST_VISITS]
    more = len(run.samples["days"]) - len(days)
    later = f"; {more} later visit{'s' if more > 1 else ''} in --json" if more else ""
    title = f"One reading at each visit, noise included{later}"
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    shown.show_edge, shown.padding = False, (0, 1, 0, 0)
    shown.add_column("", no_wrap=True)
    shown.add_column("unit", style="dim", no_wrap=True)
    for day in days:
        shown.add_column(wording.moment(day), justify="right", no_wrap=True)
    shown.add_column("by chance", justify="right", no_wrap=True)
    short = {row.quantity: row.label for row in ROWS if row.label} | {"bmd_spine": "spine BMD"}
    for name in SAMPLED:
        one = run.samples["readings"].get(name)
        if one is None:
            continue
        cells = readings.printed(name, one)[:MOST_VISITS]
        change = one["reference_change_percent"]
        by_chance = "" if change is None else f"{wording.MINUS}{-change[0]:.0f}/+{change[1]:.0f} %"
        shown.add_row(short.get(name, wording.name(name)), wording.unit(one["unit"]), *cells, by_chance)
    return shown
