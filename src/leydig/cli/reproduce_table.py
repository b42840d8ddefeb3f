"""What ``leydig reproduce`` shows in the terminal: the totals of each role, then figures, misses first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

MOST_LINES = 25  # figures that are listed

Answer = Mapping[str, Any]


def text(answer: Answer, written: Sequence[str] = ()) -> str:
    """Totals, figures outside their intervals, remarks, and where the files are."""
    from rich.console import Console

    from leydig.cli.table import NOT_ADVICE
    from leydig.report.reproduce_words import by_miss, from_files, remarks, scored_trials

    console = Console(highlight=False)
    with console.capture() as shown:
        console.print(scored_trials(answer), markup=False)
        console.print(NOT_ADVICE)
        roles = [role for role in answer if role != "trials" and answer[role]["total"]]
        if roles:
            console.print()
            console.print(_totals(answer, roles))
            if from_files(answer):
                console.print(from_files(answer))
            console.print()
            console.print(_figures(by_miss(answer)))
        more = sum(answer[role]["total"] for role in roles) - MOST_LINES
        if more > 0:
            where = "in figures.csv and on the page" if written else "with --json, or in files with --out FOLDER"
            console.print(f"{more} more figures {where}.", markup=False)
        for sentence in remarks(answer):
            console.print(f"remark: {sentence}", markup=False)
        for path in written:
            console.print(f"written: {path}", markup=False, soft_wrap=True)
    return shown.get()


def _totals(answer: Answer, roles: Sequence[str]) -> Table:
    """One column per role beside what was aimed at."""
    from leydig.report.reproduce_words import total_rows

    table = _table("Totals")
    for heading in ("", *roles, "aim"):
        table.add_column(heading, justify="left" if heading in ("", "aim") else "right")
    for row in total_rows(answer, roles):
        table.add_row(row.name, *row.cells, row.aim)
    return table


def _figures(ordered: Iterator[tuple[Answer, Answer]]) -> Table:
    """The figures that lie furthest from what was predicted, each with its interval, in the paper's unit."""
    from rich.markup import escape

    from leydig.report.reproduce_words import (
        arm_words,
        band,
        printed,
        quantity_words,
        reported_words,
        signed,
        trial_name,
    )

    table = _table("Figures, misses first (z beyond 2 lies about outside the 95 % interval)")
    for heading in ("z", "trial", "arm", "quantity", "reported", "predicted"):
        table.add_column(heading, justify="right" if heading in ("z", "reported", "predicted") else "left")
    for place, (trial, figure) in enumerate(ordered):
        if place == MOST_LINES:
            break
        z = signed(figure["z"], 1)
        table.add_row(
            z if figure["inside_95"] else f"[bold]{z}[/bold]",
            escape(trial_name(trial)),
            escape(arm_words(figure)),
            quantity_words(figure),
            reported_words(figure),
            f"{printed(figure, 'predicted')} ({band(figure, 'lower', 'upper')})",
        )
    return table


def _table(title: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_style="bold", title_justify="left", box=box.SIMPLE_HEAD)
    table.show_edge, table.padding = False, (0, 1, 0, 0)
    return table
