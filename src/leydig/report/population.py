"""The page of a population run: how quantities spread over time, how many men something holds of, then the numbers."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leydig.bibliography import reference
from leydig.report import figures, plan, runs, titration, wording
from leydig.report.page import PLAIN_STATEMENT
from leydig.report.template import filled

MIDDLE, OUTER, INNER = "50", ("2.5", "97.5"), ("25", "75")
IN_PICTURE = ("testosterone", "estradiol", "LH", "total_motile_sperm_count", "bmd_spine_change", "bmd_hip_change")
NOT_FROM_ZERO = ("bmd_spine", "bmd_hip", "hematocrit", "desire_score", "erectile_function_score", "HDL", "LDL")
COLUMNS = 3
DPI = 160

Answer = Mapping[str, Any]


def html(answer: Answer) -> str:
    """The page as text; the same answer gives the same text."""
    return filled("population.html.j2", _context(answer))


def _context(answer: Answer) -> dict[str, Any]:
    from markupsafe import Markup

    labels = _labels(answer)
    length = wording.span(answer["days"][-1])

    def drawn(panels: Sequence[plan.Panel]) -> list[Any]:
        # Our own drawing; text from outside never enters it.
        return [Markup(figures.svg(panel, labels, f"{panel.title} over {length}")) for panel in panels]

    return {
        "title": title(answer),
        "length": length,
        "statement": PLAIN_STATEMENT,
        "protocols": _key(answer),
        "failures": _failures(answer),
        "spreads": drawn(spreads(answer)),
        "shares": drawn(shares(answer)),
        "banded": len(labels) <= plan.MOST_BANDS,
        "resolution": f"{100 * answer['resolution']:.1g}",
        "averaged": averaged(answer),
        "tables": [_table(answer, place) for place in range(len(labels))],
        "counted": _counted(answer),
        "titrations": _titrations(answer),
        "sources": _sources(answer),
        "specification": sorted(answer["specification"].items()),
        "made_with": sorted(answer["made_with"].items()),
    }


def title(answer: Answer) -> str:
    """Who was run: 1,000 men, obese hypogonadal, of 40 to 60 years."""
    asked = answer["specification"]
    ages = asked["ages"]
    of_ages = f", {ages[0]:g} to {ages[1]:g} years" if ages else ""
    return f"{answer['men']:,} virtual {'man' if answer['men'] == 1 else 'men'}: {asked['condition']}{of_ages}"


def _labels(answer: Answer) -> list[str]:
    return list(runs.letters(len(answer["protocols"])))


def _key(answer: Answer) -> list[dict[str, str]]:
    """The protocols with their letter, colour and dash."""
    found = []
    for place, (label, one) in enumerate(zip(_labels(answer), answer["protocols"], strict=True)):
        colour, dash = figures.style(place)
        pattern = " ".join(f"{length:g}" for length in dash[1]) if isinstance(dash, tuple) else ""
        found.append({"label": label, "protocol": one["protocol"], "colour": colour, "dash": pattern})
    return found


def averaged(answer: Answer) -> str:
    """What a value is the mean of, in words; empty where it is the value itself."""
    over = answer["specification"]["over"]
    return {0.0: "", 1.0: "24 hours", 7.0: "week"}.get(over, f"{over:g} days")


def _failures(answer: Answer) -> list[str]:
    """A sentence per protocol under which men did not get to the end."""
    found = []
    for one in answer["protocols"]:
        others = {word: count for word, count in one["status"].items() if word != "done"}
        if others:
            words = ", ".join(f"{count:,} {word.replace('_', ' ')}" for word, count in others.items())
            who = f"{sum(others.values()):,} of {answer['men']:,} men"
            found.append(f"{one['protocol']}: {who} are left out from the day on that they stopped ({words}).")
    return found


# Plots --------------------------------------------------------------------------------------------


def spreads(answer: Answer) -> list[plan.Panel]:
    """Median, middle half and middle 95 % of every quantity; quantities that nothing moves or fills are left out."""
    found = []
    for name in answer["specification"]["quantities"]:
        factor, lines = wording.factor(name), []
        for label, one in zip(_labels(answer), answer["protocols"], strict=True):
            quantiles = one["quantities"][name]["quantiles"]
            line = _line(label, answer, {q: _numbers(values, factor) for q, values in quantiles.items()})
            if np.isfinite(line.values).any():
                lines.append(line)
        if not lines:
            continue
        unit = wording.shown_unit(name, answer["protocols"][0]["quantities"][name]["unit"])
        site = name.removesuffix("_change")
        around = plan.least_significant_change(site) if name in ("bmd_spine_change", "bmd_hip_change") else None
        if around is not None:
            unit = "% of the start"
        from_zero = name not in NOT_FROM_ZERO and not wording.signed(name)
        heading = wording.capital(wording.name(name))
        found.append(plan.Panel(name, heading, unit, tuple(lines), around=around, from_zero=from_zero))
    return found


def _line(label: str, answer: Answer, quantiles: Mapping[str, np.ndarray]) -> plan.Line:
    days = np.array(answer["days"])
    if len(answer["protocols"]) > plan.MOST_BANDS:  # bands would hide one another
        return plan.Line(label, days, quantiles[MIDDLE], None, None)
    inner = (quantiles[INNER[0]], quantiles[INNER[1]])
    return plan.Line(label, days, quantiles[MIDDLE], quantiles[OUTER[0]], quantiles[OUTER[1]], swing=inner)


def shares(answer: Answer) -> list[plan.Panel]:
    """The share of men of whom each thing holds, in percent; what holds of nobody on any day is left out."""
    found, days = [], np.array(answer["days"])
    for number, stated in enumerate(answer["protocols"][0]["responders"]):
        lines = []
        for label, one in zip(_labels(answer), answer["protocols"], strict=True):
            values = _numbers(one["responders"][number]["share"], wording.PERCENT)
            if np.isfinite(values).any():
                lines.append(plan.Line(label, days, values, None, None))
        if any(np.nanmax(line.values) > 0 for line in lines):
            found.append(plan.Panel(f"share-{stated['key']}", stated["short"], "% of men", tuple(lines)))
    return found


def _numbers(values: Sequence[float | None], factor: float) -> np.ndarray:
    return factor * np.array([np.nan if value is None else value for value in values], dtype=float)


def picture(answer: Answer) -> bytes:
    """The main plots as one PNG."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = spreads(answer)
    wanted = [panel for panel in panels if panel.key in IN_PICTURE] or panels[: len(IN_PICTURE)]
    wanted += shares(answer)[:COLUMNS]
    rows, labels = -(-len(wanted) // COLUMNS), _labels(answer)
    with matplotlib.rc_context(figures.STYLE | {"svg.fonttype": "path"}):
        above = 0.55 + 0.22 * len(labels)  # inches for the title and the protocols
        height = rows * figures.HEIGHT + above
        figure = Figure(figsize=(COLUMNS * figures.WIDTH, height), facecolor="white")
        FigureCanvasAgg(figure)
        top = 1 - (above + 0.35) / height
        grid = figure.add_gridspec(rows, COLUMNS, left=0.05, right=0.97, bottom=0.09, top=top, wspace=0.26, hspace=0.6)
        for place, panel in enumerate(wanted):
            figures.draw(figure.add_subplot(grid[place // COLUMNS, place % COLUMNS]), panel, labels)
        figure.text(0.013, 1 - 0.25 / height, title(answer), size=figures.TEXT + 3, weight="bold", parse_math=False)
        for place, (label, one) in enumerate(zip(labels, answer["protocols"], strict=True)):
            colour = figures.style(place)[0] if label else figures.INK
            up = 1 - (0.5 + 0.22 * place) / height
            words = f"{label}  {one['protocol']}".strip()
            figure.text(0.013, up, words, size=figures.TEXT + 1, color=colour, parse_math=False)
        written = io.BytesIO()
        figure.savefig(written, format="png", dpi=DPI, metadata={"Software": None})
    return written.getvalue()


# Numbers ------------------------------------------------------------------------------------------


def _table(answer: Answer, place: int) -> dict[str, Any]:
    """Median and middle 95 % at the start and the end of one protocol, and the change."""
    one, rows = answer["protocols"][place], []
    for name, values in one["quantities"].items():
        unit = wording.unit(wording.shown_unit(name, values["unit"]))
        cells = [_cell(name, {q: v[day] for q, v in values["quantiles"].items()}) for day in (0, -1)]
        cells.append(_cell(name, values["change"]["quantiles"]))
        rows.append({"name": wording.capital(wording.name(name)), "unit": unit, "cells": cells})
    label = _labels(answer)[place]
    return {"title": f"{label}: {one['protocol']}" if label else one["protocol"], "rows": rows}


def _cell(name: str, quantiles: Mapping[str, float | None]) -> dict[str, str]:
    low, middle, high = (wording.number(quantiles[q], name) for q in (OUTER[0], MIDDLE, OUTER[1]))
    return {"value": middle, "band": f"{low} to {high}" if low != high else ""}


def _counted(answer: Answer) -> list[dict[str, Any]]:
    """What is counted, its limit and its source, with the shares at the start and the end of every protocol."""
    found = []
    for number, stated in enumerate(answer["protocols"][0]["responders"]):
        ends = []
        for one in answer["protocols"]:
            share = one["responders"][number]["share"]
            ends.append(f"{_share(share[0])} → {_share(share[-1])}")
        origin = "assumed" if stated["kind"] == "assumed" else ", ".join(stated["source"])
        found.append({"name": stated["name"], "note": stated["note"], "origin": origin, "ends": ends})
    return found


def _titrations(answer: Answer) -> list[dict[str, Any]]:
    """How the doses of every titrated protocol were changed."""
    return [
        {
            "title": f"{label}: {one['protocol']}" if label else one["protocol"],
            "rules": one["titration"]["rules"],
            "sources": one["titration"]["sources"],
            "sentences": titration.of_population(one),
            "visits": titration.visit_rows(one),
        }
        for label, one in zip(_labels(answer), answer["protocols"], strict=True)
        if "titration" in one
    ]


def _share(share: float | None) -> str:
    return wording.MINUS if share is None else f"{wording.PERCENT * share:.1f}{wording.NARROW}%"


def _sources(answer: Answer) -> list[dict[str, str]]:
    """The references behind the limits that men are counted by, and behind the rules that changed their doses."""
    keys = {key for stated in answer["protocols"][0]["responders"] for key in stated["source"]}
    keys |= {key for one in answer["protocols"] for key in one.get("titration", {}).get("sources", ())}
    return [
        {"key": key, "text": reference(key).formatted()} for key in sorted(keys) if reference(key).verification != "own"
    ]
