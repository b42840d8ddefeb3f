"""The page of re-run trials: pictures of them all, totals, what was missed, then a panel for every trial.

Without scripts: the list is narrowed by style rules, and the panels stay closed until they are opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from leydig.report import reproduce_figures, reproduce_men, reproduce_panels, reproduce_words, wording
from leydig.report.page import PLAIN_STATEMENT
from leydig.report.template import filled

Answer = Mapping[str, Any]

ROLE_ORDER = ("validation", "calibration", "none")
MOST_MISSES = 100


def html(answer: Answer) -> str:
    """The page as text; the same answer gives the same text."""
    return filled("reproduce.html.j2", _context(answer))


def _context(answer: Answer) -> dict[str, Any]:
    roles = [role for role in answer if role != "trials" and answer[role]["total"]]
    places = {trial["key"]: place for place, trial in enumerate(answer["trials"], start=1)}
    misses = [_miss(trial, one, places) for trial, one in reproduce_words.by_miss(answer) if not one["inside_95"]]
    trials = sorted(answer["trials"], key=lambda trial: (ROLE_ORDER.index(trial["role"]), trial["key"]))
    several = len(trials) > 1
    return {
        "title": "Published trials, run again",
        "scored": reproduce_words.scored_trials(answer),
        "statement": PLAIN_STATEMENT,
        "failures": [f"{reproduce_words.trial_name(row)}: {row['why']}" for row in trials if row["status"] != "done"],
        "pictures": _pictures(answer) if several and reproduce_figures.roles(answer) else {},
        "roles": roles,
        "totals": _totals(answer, roles),
        "from_files": reproduce_words.from_files(answer),
        "groups": [_groups(answer, role) for role in roles],
        "misses": misses[:MOST_MISSES],
        "missed": len(misses),
        "trials": [_trial(trial, places[trial["key"]], opened=not several) for trial in trials],
        "drugs": sorted({name for trial in trials for one in trial["figures"] for name in one["drugs"]}),
        "slug": _slug,
        "several": several,
    }


def _pictures(answer: Answer) -> dict[str, str]:
    return {
        "coverage": reproduce_figures.coverage(answer),
        "bias": reproduce_figures.bias(answer),
        "agreement": reproduce_figures.agreement(answer),
    }


def _slug(name: str) -> str:
    """A name as one word of an attribute."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


# Totals ---------------------------------------------------------------------------------------------


def _totals(answer: Answer, roles: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": line.name,
            "cells": [{"text": t, "met": v} for t, v in zip(line.cells, line.verdicts, strict=True)],
            "aim": line.aim,
        }
        for line in reproduce_words.total_rows(answer, roles)
    ]


def _groups(answer: Answer, role: str) -> dict[str, Any]:
    """The totals of one role by kind of figure, by drug, and by how the study was seen."""
    titles = {"by_domain": "Kind of figure", "by_drug": "Drug", "by_verification": "Study seen in"}
    tables = [
        {"title": title, "rows": [_group(name, one) for name, one in answer[role][part].items()]}
        for part, title in titles.items()
    ]
    return {"role": role, "tables": tables}


def _group(name: str, one: Answer) -> dict[str, Any]:
    scores = one["null_interval_scores"]
    numbers = [one["interval_score"], scores["no_change"], scores["mean_change"], one["z"]["mean"], one["z"]["sd"]]
    shares = [one["inside_95"], one["inside_50"]]
    return {
        "name": reproduce_words.domain(name),
        "cells": [
            str(one["total"]),
            str(one["studies"]),
            *(reproduce_words.NONE if s is None else f"{100 * s:.0f}{wording.NARROW}%" for s in shares),
            *(reproduce_words.number(value) for value in numbers),
        ],
    }


# Figures and trials ---------------------------------------------------------------------------------


def _miss(trial: Answer, one: Answer, places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "key": reproduce_words.trial_name(trial),
        "role": trial["role"],
        "place": places[trial["key"]],
        **_figure(one),
    }


def _figure(one: Answer) -> dict[str, Any]:
    """One figure as a line: what was printed, what was predicted, and what sampling alone gives."""
    said = reproduce_words.printed
    return {
        "z": reproduce_words.signed(one["z"], 1),
        "arm": reproduce_words.arm_words(one),
        "figure": reproduce_words.statistic_words(one),
        "reported": said(one, "reported"),
        "spread": reproduce_words.spread(one),
        "predicted": said(one, "predicted"),
        "band_95": reproduce_words.band(one, "lower", "upper"),
        "band_50": reproduce_words.band(one, "lower_50", "upper_50"),
        "inside": one["inside_95"],
        "error": reproduce_words.over_sampling(one),
        "score": reproduce_words.number(one["interval_score"]),
        "nulls": " / ".join(reproduce_words.number(score) for score in one["null_interval_scores"].values()),
        "seen": one["seen"],
        "note": one["note"] or "",
    }


def _trial(trial: Answer, place: int, opened: bool) -> dict[str, Any]:
    figures = trial["figures"]
    inside = sum(one["inside_95"] for one in figures)
    letters = reproduce_panels.letters(trial)
    return {
        "key": reproduce_words.trial_name(trial),
        "outside": trial["outside"],
        "place": place,
        "title": trial["title"],
        "role": trial["role"],
        "opened": opened,
        "summary": f"{inside} of {len(figures)} inside" if figures else trial["status"].replace("done", "not scored"),
        "verdict": "all" if inside == len(figures) and figures else "misses" if figures else "unscored",
        "drugs": " ".join(sorted({_slug(name) for one in figures for name in one["drugs"]})),
        "picture": reproduce_panels.picture(trial),
        "arms": [{"letter": letters[arm["name"]], **arm} for arm in trial["arms"]],
        "figures": [_figure(one) for one in sorted(figures, key=lambda one: -abs(one["z"] or 1e9))],
        "enrolled": [_enrolled(arm, letters) for arm in trial["enrolled"]],
        "men": reproduce_men.lines(trial),
        "baseline": [_baseline(line, letters) for line in trial["baseline"]],
        "reference": trial["reference"] or trial["citation"],
        "why": trial["why"] if trial["status"] != "done" else "",
        **{name: trial[name] for name in ("reason", "verification", "assumptions", "deviations", "remarks")},
        "assays": ", ".join(f"{wording.name(name)} {assay}" for name, assay in trial["assay"].items()),
        "shares": ", ".join(trial["shares_men_with"]),
    }


def _enrolled(arm: Answer, letters: Mapping[str, str]) -> str:
    """How the virtual men of an arm were found."""
    share = f"{100 * arm['eligible']:.3g}{wording.NARROW}%"
    return (
        f"{letters[arm['arm']]}: {arm['candidates']:,} candidates, {share} eligible, "
        f"weights worth {arm['effective']:.0f} men"
    )


def _baseline(line: Answer, letters: Mapping[str, str]) -> dict[str, str]:
    def both(mean: float | None, sd: float | None) -> str:
        return wording.number(mean, "") + (f" ± {wording.number(sd, '')}" if sd is not None else "")

    return {
        "arm": letters[line["arm"]],
        "name": wording.name(line["quantity"]),
        "unit": wording.unit(line["unit"]),
        "assumed": reproduce_men.assumed(line),
        "asked": both(line["asked"], line["asked_sd"]),
        "reached": both(line["reached"], line["reached_sd"]),
    }
