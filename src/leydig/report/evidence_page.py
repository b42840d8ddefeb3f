"""The page of the evidence base: figures by quantity, plots before text, then conflicts, tables and sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from leydig.bibliography import reference
from leydig.evidence import trials
from leydig.literature.conflicts import left_out
from leydig.literature.entries import distributions, guidelines, variations
from leydig.report import evidence_points, evidence_spreads, wording
from leydig.report.page import PLAIN_STATEMENT
from leydig.report.template import filled
from leydig.studies.evidence_list import Filter, conflicting
from leydig.studies.evidence_rows import DISTRIBUTIONS, GUIDELINES, KINDS, TRIALS, VARIATION, Row

DIGITS = 4  # significant digits of a printed number
COLUMNS = ("Study", "Arm or group", "Figure", "Before", "Value", "Men", "Seen", "Role")

Progress = Callable[[int, int], None]


def html(rows: Sequence[Row], asked: Filter, progress: Progress = lambda done, total: None) -> str:
    """The page as text; the same rows give the same text. ``progress`` is called after each quantity."""
    return filled("evidence_base.html.j2", _context(rows, asked, progress))


def _context(rows: Sequence[Row], asked: Filter, progress: Progress) -> dict[str, Any]:
    sections = []
    names = quantities(rows)
    for place, quantity in enumerate(names):
        sections.append(_section(quantity, [row for row in rows if row.quantity == quantity]))
        progress(place + 1, len(names))
    return {
        "title": title(asked),
        "statement": PLAIN_STATEMENT,
        "counted": counted(rows),
        "sections": sections,
        "assays": evidence_spreads.assay_colours(),
        "of_men": any(row.kind == DISTRIBUTIONS for row in rows),
        "conflicts": _conflicts(rows, asked),
        "statements": [_statement(row) for row in rows if row.kind == GUIDELINES],
        "studies": studies(rows),
        "left_out": [] if asked.given else left_out(),
        "columns": COLUMNS,
    }


def title(asked: Filter) -> str:
    """What was asked for."""
    given = ", ".join(f"{name} {value}" for name, value in asked.given.items())
    return f"Published evidence: {given}" if given else "Published evidence"


def counted(rows: Iterable[Row]) -> str:
    """How many figures of how many studies."""
    several = list(rows)
    count = len({row.study for row in several})
    figures = "figure" if len(several) == 1 else "figures"
    return f"{len(several):,} {figures} of {count} {'study' if count == 1 else 'studies'}"


def quantities(rows: Iterable[Row]) -> list[str]:
    """The quantities of rows, in the order of the reports, others after them."""
    there = {row.quantity for row in rows if row.quantity}
    known = [name for name in wording.settings()["quantities"] if name in there]
    return known + sorted(there - set(known))


def _section(quantity: str, rows: Sequence[Row]) -> dict[str, Any]:
    from markupsafe import Markup

    of = {kind: [row for row in rows if row.kind == kind] for kind in KINDS}
    plots = [
        evidence_points.plot(quantity, of[TRIALS]),
        evidence_spreads.distributions(quantity, of[DISTRIBUTIONS]),
        evidence_spreads.variation(quantity, of[VARIATION]),
    ]
    several = [*of[TRIALS], *of[DISTRIBUTIONS], *of[VARIATION]]
    return {
        "key": quantity,
        "name": wording.capital(wording.name(quantity)),
        "counted": counted(rows),
        # Our own drawing; text from outside is escaped in it.
        "plots": [Markup(plot) for plot in plots if plot],
        "not_drawn": len(of[TRIALS]) - len(evidence_points.drawn(of[TRIALS])),
        "rows": [_cells(row) for row in several],
    }


def number(value: float | None, unit: str) -> str:
    """A number as it is printed, with its unit."""
    return "" if value is None else wording.join(f"{value:.{DIGITS}g}".replace("-", wording.MINUS), unit)


def figure(row: Row) -> str:
    """What a figure is: statistic, day, and what it is compared with."""
    day = f"day {row.day:g}" if row.day is not None else ""
    against = f"against {row.against}" if row.against and row.kind == TRIALS else row.against
    return ", ".join(part for part in (row.statistic.replace("_", " "), day, against) if part)


def _cells(row: Row) -> dict[str, Any]:
    value = number(row.value, row.unit)
    cells = [
        row.study,
        row.group,
        figure(row),
        number(row.baseline, row.baseline_unit),
        f"{value} ({row.spread})" if row.spread else value,
        str(row.n or ""),
        f"{row.seen}, {row.where}",
        row.role if row.scored or not row.role else f"{row.role}, not scored",
    ]
    return {"cells": cells, "note": row.note, "protocol": row.protocol}


def _statement(row: Row) -> dict[str, str]:
    limit = f"{row.quantity} {row.statistic} {number(row.value, row.unit)}" if row.quantity else ""
    body = guidelines()[row.study]
    return {
        "study": row.study,
        "body": f"{body.body}{f', {body.year}' if body.year else ''}",
        "says": row.note,
        "limit": f"{limit}{f' ({row.assay})' if row.assay and limit else ''}",
        "seen": f"{row.seen}, {row.where}",
    }


def _conflicts(rows: Sequence[Row], asked: Filter) -> list[dict[str, Any]]:
    return [
        {
            "name": conflict.name,
            "what": conflict.what,
            "sides": [{"says": says, "figures": [told(row) for row in several]} for says, several in sides],
        }
        for conflict, sides in conflicting(rows, asked)
    ]


def told(row: Row) -> str:
    """A figure of a conflict in one line."""
    before = f"{number(row.baseline, row.baseline_unit)} → " if row.baseline is not None else ""
    spread = f" ({row.spread})" if row.spread else ""
    what = f"{row.study}, {row.group}: {wording.name(row.quantity)}, {figure(row)}"
    return f"{what}: {before}{number(row.value, row.unit)}{spread}"


def studies(rows: Iterable[Row]) -> list[dict[str, str]]:
    """Every study of the rows with its reference, by kind and key."""
    cited = {TRIALS: {one.key: one.citation for one in trials()}}
    cited[DISTRIBUTIONS] = {key: entry.citation for key, entry in distributions().items()}
    cited[VARIATION] = {key: entry.citation for key, entry in variations().items()}
    cited[GUIDELINES] = {key: entry.citation for key, entry in guidelines().items()}
    found = dict.fromkeys((row.kind, row.study) for row in rows)
    return [{"kind": kind, "key": study, "text": reference(cited[kind][study]).formatted()} for kind, study in found]
