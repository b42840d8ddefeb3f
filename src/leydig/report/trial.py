"""The page of a virtual trial: arms over time, its outcomes, power by size, then who the men were and all numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leydig.report import figures, plan, runs, trial_design, trial_figures, trial_words, wording
from leydig.report.page import PLAIN_STATEMENT
from leydig.report.template import filled

NOT_FROM_ZERO = ("bmd_spine", "bmd_hip", "hematocrit", "desire_score", "erectile_function_score", "HDL", "LDL")
CHANGES = ("bmd_spine", "bmd_hip")  # shown as percent of the start where that is there

Answer = Mapping[str, Any]  # as ``io.tables.plain`` makes it


def html(answer: Answer) -> str:
    """The page as text; the same answer gives the same text."""
    return filled("trial.html.j2", _context(answer))


def _context(answer: Answer) -> dict[str, Any]:
    from markupsafe import Markup

    design, labels = answer["design"], list(runs.letters(len(answer["arms"])))
    length = wording.span(design["horizon"])
    drawn = panels(answer, labels)
    over_time = [
        Markup(figures.svg(panel, labels, f"{panel.title} over {length}"))  # our own drawing, no text from outside
        for panel in drawn
    ]
    return {
        "title": design["name"],
        "about": design["about"],
        "kind": "virtual crossover" if "crossover" in design else "virtual trial",
        "length": length,
        "size": size(answer),
        "unreached": answer["unreached"],
        "design": trial_design.lines(answer),
        "statement": PLAIN_STATEMENT,
        "arms": _key(answer, labels),
        "over_time": over_time,
        "scans": any(panel.around is not None for panel in drawn),
        "banded": len(labels) <= plan.MOST_BANDS,
        "forests": [Markup(one) for one in _forests(answer)],
        "curves": [Markup(one) for one in _curves(answer, labels)],
        "replicates": f"{design['replicates']:,}",
        "draws": answer["men"]["draws"],
        "splits": [trial_words.split(one) for one in answer["outcomes"] if one["split"]],
        "controls": [trial_words.control(one) for one in answer["controls"]],
        "periods": [trial_words.period(one) for one in answer["outcomes"] if one["period"]],
        "washout": _washout(design),
        "baseline": baseline_rows(answer),
        "groups": group_rows(answer),
        "outcomes": [_row(one) for one in answer["outcomes"]],
        "sizes": [trial_words.men(design, point) for point in answer["curve"]],
        "power": _power(answer),
        "remarks": [remark for remark in answer["remarks"] if remark not in answer["unreached"]],
        "sources": answer["sources"],
        "made_with": sorted(answer["made_with"].items()),
        "seed": answer["seed"],
        "simulated": f"{answer['men']['simulated']:,}",
    }


def size(answer: Answer) -> str:
    """How many men are randomised to what: 90 men: placebo 30, daily 30, …"""
    groups = ", ".join(f"{group['group']} {group['n']:,}" for group in answer["groups"])
    return f"{answer['design']['n']:,} men: {groups}"


def _washout(design: Mapping[str, Any]) -> str:
    days = design.get("crossover", {}).get("washout", 0)
    return f"a washout of {wording.span(days)}" if days else "no washout"


def _key(answer: Answer, labels: Sequence[str]) -> list[dict[str, str]]:
    """The arms with letter, colour and dash."""
    found = []
    for place, (label, arm) in enumerate(zip(labels, answer["arms"], strict=True)):
        colour, dash = figures.style(place)
        pattern = " ".join(f"{length:g}" for length in dash[1]) if isinstance(dash, tuple) else ""
        words = f"{arm['name']}: {arm['takes']}{' (control)' if arm['control'] else ''}"
        found.append({"label": label, "words": words, "colour": colour, "dash": pattern})
    return found


# Plots --------------------------------------------------------------------------------------------


def panels(answer: Answer, labels: Sequence[str]) -> list[plan.Panel]:
    """Every quantity of all arms over time, density as its change."""
    found, days = [], np.array(answer["days"])
    for name in answer["arms"][0]["quantities"]:
        changed = name in CHANGES and "percent_change" in answer["arms"][0]["quantities"][name]
        lines = []
        for label, arm in zip(labels, answer["arms"], strict=True):
            values = arm["quantities"][name]["percent_change"] if changed else arm["quantities"][name]
            lines.append(_line(label, days, values, 1.0 if changed else wording.factor(name), len(labels)))
        heading = wording.capital(wording.name(name))
        if changed:
            around = plan.least_significant_change(name)
            found.append(plan.Panel(name, heading, "% of the start", tuple(lines), around=around, from_zero=False))
        else:
            unit = wording.shown_unit(name, answer["arms"][0]["quantities"][name]["unit"])
            from_zero = name not in NOT_FROM_ZERO and not wording.signed(name)
            found.append(plan.Panel(name, heading, unit, tuple(lines), from_zero=from_zero))
    return found


def _line(label: str, days: np.ndarray, values: Mapping[str, Any], factor: float, arms: int) -> plan.Line:
    def array(numbers: Sequence[float | None]) -> np.ndarray:
        return factor * np.array([np.nan if number is None else number for number in numbers], dtype=float)

    swing = (array(values["interval"]["low"]), array(values["interval"]["high"]))
    if arms > plan.MOST_BANDS:  # bands would hide one another
        return plan.Line(label, days, array(values["mean"]), None, None)
    men = values["men"]
    return plan.Line(label, days, array(values["mean"]), array(men["low"]), array(men["high"]), swing=swing)


def _forests(answer: Answer) -> list[str]:
    """One forest for each family of outcomes."""
    places = {arm["name"]: place for place, arm in enumerate(answer["arms"])}
    families: dict[str, list[Any]] = {}
    for one in answer["outcomes"]:
        families.setdefault(trial_words.family(one), []).append(one)
    found = []
    for number, several in enumerate(families.values()):
        words = f"Outcomes: {trial_words.ANALYSES[several[0]['analysis']]}"
        height = trial_figures.height_of(several)
        found.append(
            trial_figures.svg(
                f"forest-{number}",
                words,
                lambda axes, several=several: trial_figures.forest(axes, several, places),  # type: ignore[misc]
                height,
            )
        )
    return found


def _curves(answer: Answer, labels: Sequence[str]) -> list[str]:
    """Power by size, one panel for each outcome with all that it compares."""
    places = {arm["name"]: place for place, arm in enumerate(answer["arms"])}
    sizes = [point["n"] for point in answer["curve"]]
    grouped: dict[tuple[str, str], list[Any]] = {}
    for place, one in enumerate(answer["outcomes"]):
        if one["power"] is None:
            continue
        arm = places[one["arm"]]
        label = labels[arm] + (f"{wording.MINUS}{labels[places[one['against']]]}" if one["against"] else "")
        shares = [[point[share][place] for point in answer["curve"]] for share in ("power", "assurance")]
        grouped.setdefault((trial_words.title(one), trial_words.short(one)), []).append((label, arm, *shares))
    return [
        trial_figures.svg(
            f"power-{number}",
            f"Power by size: {title}",
            lambda axes, short=short, several=several: trial_figures.power(axes, short, several, sizes),  # type: ignore[misc]
        )
        for number, ((title, short), several) in enumerate(grouped.items())
    ]


# Numbers ------------------------------------------------------------------------------------------


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    quantiles = one["all"].get("quantiles")
    ends = [trial_words.number(one, quantiles[q]) for q in ("2.5", "97.5")] if quantiles else []
    return {
        "title": trial_words.title(one),
        "arms": trial_words.arms(one),
        "primary": one["primary"],
        "unit": trial_words.unit(one),
        "truth": trial_words.number(one, one["truth"]),
        "expected": trial_words.number(one, one["expected"]),
        "trial": trial_words.with_interval(one, one["one_trial"]),
        "p": trial_words.p_value(one["one_trial"]["p"]),
        "n": one["one_trial"]["n"],
        "spread": " to ".join(ends) or trial_words.NOTHING,
        "power": trial_words.share(one["power"]),
        "assurance": trial_words.share(one["assurance"]),
        "type_one": trial_words.share(one["type_one"]),
    }


def baseline_rows(answer: Answer) -> list[dict[str, Any]]:
    """The baseline table: what was asked for, and what every group has."""
    groups = answer["baseline"]
    return [
        {
            "name": wording.capital(wording.name(row["quantity"])),
            "when": row["when"],
            "unit": wording.unit(row["unit"]),
            "asked": _mean_sd(row["quantity"], row["asked"]),
            "reached": [_mean_sd(row["quantity"], group["rows"][place]["reached"]) for group in groups],
        }
        for place, row in enumerate(groups[0]["rows"])
    ]


def _mean_sd(quantity: str, of: Mapping[str, float | None]) -> str:
    spread = "" if of["sd"] is None else f" (SD {wording.number(of['sd'], quantity)})"
    return f"{wording.number(of['mean'], quantity)}{spread}"


def group_rows(answer: Answer) -> list[dict[str, str]]:
    """How many men are looked at and let in, who leaves, and what is taken."""
    found = []
    for group, enrolled in zip(answer["groups"], answer["baseline"], strict=True):
        taken = group["taken"]
        percent = None if taken is None else (wording.PERCENT * taken["mean"], wording.PERCENT * taken["sd"])
        screened, left = enrolled["screened"], group["left"]
        found.append(
            {
                "group": group["group"],
                "screened": trial_words.NOTHING if screened is None else f"{screened:,.0f}",
                "n": f"{group['n']:,}",
                "left": f"{left['men']:.1f} ({wording.PERCENT * left['share']:.0f}{wording.NARROW}%)",
                "taken": trial_words.NOTHING if percent is None else f"{percent[0]:.0f} (SD {percent[1]:.0f})",
            }
        )
    return found


def _power(answer: Answer) -> list[dict[str, Any]]:
    """Power and assurance of every contrast at every size."""
    return [
        {
            "title": trial_words.title(one),
            "arms": trial_words.arms(one),
            "cells": [
                (trial_words.share(point["power"][place]), trial_words.share(point["assurance"][place]))
                for point in answer["curve"]
            ],
        }
        for place, one in enumerate(answer["outcomes"])
        if one["power"] is not None
    ]
