"""The design of a virtual trial in words: who was let in, and what happened to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leydig import laboratory
from leydig.report import wording
from leydig.studies.trial_readings import measured

MOST_VISITS = 8  # that are named one by one

Answer = Mapping[str, Any]


def lines(answer: Answer) -> list[tuple[str, str]]:
    """What a reader must know of the design: (heading, words)."""
    design = answer["design"]
    found = [
        ("Men", _men(design["population"])),
        ("Criteria", _criteria(design["population"]["criteria"])),
        ("Before baseline", design.get("run_in", "")),
        ("Visits", _visits(answer["days"], "crossover" in design)),
        ("Washout", wording.span(design["crossover"]["washout"]) if _washed_out(design) else ""),
        ("Doses taken", _adherence(design["adherence"])),
        ("Drop-out", f"{_percent(design['dropout'])} by the last visit" if design["dropout"] else "nobody leaves"),
        ("Assays", _assays(design["assay"])),
    ]
    found += [(f"Doses of {arm['name']}", arm["rules"]) for arm in design["arms"] if "rules" in arm]
    return [(heading, words) for heading, words in found if words]


def _washed_out(design: Answer) -> bool:
    return bool(design.get("crossover", {}).get("washout"))


def _men(men: Answer) -> str:
    ages = men.get("ages")
    return f"{men['condition']}, {f'{ages[0]:g} to {ages[1]:g} years' if ages else 'of the ages of the condition'}"


def _criteria(criteria: Sequence[Answer]) -> str:
    return "; ".join(map(_criterion, criteria)) or "none besides these"


def _criterion(one: Answer) -> str:
    """BMI at least 30 kg/m²; testosterone at most 300 ng/dL at screening, mean of 2 samples."""
    ends = [f"{sign} {one[end]:g}" for end, sign in (("above", "at least"), ("below", "at most")) if end in one]
    words = wording.join(f"{wording.name(one['quantity'])} {' and '.join(ends)}", one["unit"])
    if not measured(one["quantity"]):
        return words
    assay = f" by {_assay(one['assay'])}" if "assay" in one else ""
    visit = " at screening" if one["visit"] == "screening" else " at baseline (the reading that changes are taken from)"
    return f"{words}{assay}{visit}" + (f", mean of {one['samples']} samples" if one["samples"] > 1 else "")


def _visits(days: Sequence[float], crossover: bool) -> str:
    named = [wording.moment(day) for day in days]
    if len(named) > MOST_VISITS:
        named = [f"{len(named)} from {named[0]} to {named[-1]}"]
    return ", ".join(named) + (" of every period" if crossover else "")


def _adherence(of: Mapping[str, float]) -> str:
    between = f" on average (SD {_percent(of['between_men'])} between men)" if of["between_men"] else ""
    return "all" if of["taken"] == 1 else f"{_percent(of['taken'])}{between}"


def _percent(share: float) -> str:
    return f"{wording.PERCENT * share:.3g}{wording.NARROW}%"


def _assays(named: Mapping[str, str]) -> str:
    found = [f"{wording.name(quantity)} by {_assay(assay)}" for quantity, assay in named.items()]
    return ", ".join([*found, "what is not named by one nobody knows" if found else "none named"])


def _assay(name: str) -> str:
    return laboratory.OTHER_SPELLINGS.get(name, name)
