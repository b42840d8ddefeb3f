"""Who the men of a re-run trial were, in words: what the paper says, by what they were let in, and what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leydig.report import wording

Answer = Mapping[str, Any]

ASSUMED_SD = "SD assumed, not printed"
ASSUMED_BOTH = "mean and SD assumed, not printed"
VISITS = {"screening": "at screening", "baseline": "by the baseline reading itself"}


def lines(trial: Answer) -> list[tuple[str, str]]:
    """Title and sentence of everything that is known of the men."""
    who = trial["population"]
    found = [("Men", who["text"])]
    if who["condition"]:
        found.append(("Condition", str(who["condition"]).replace("-", " ")))
    if who["ages"]:
        found.append(("Ages let in", f"{who['ages'][0]:g} to {who['ages'][1]:g} years"))
    found += [("Let in by reading", criterion(one)) for one in who["criteria"]]
    found += [("Let in, as the paper words it", words) for words in who["inclusion"]]
    if not (who["criteria"] or who["inclusion"] or who["ages"]):
        found.append(("Let in", "no limit is entered; every virtual man of the condition may be let in"))
    return found


def criterion(one: Answer) -> str:
    """A limit on readings: testosterone at most 300 ng/dL, mean of 2 readings, at screening."""
    ends = (("at least", one["above"]), ("at most", one["below"]))
    limits = " and ".join(f"{word} {wording.join(f'{end:g}', one['unit'])}" for word, end in ends if end is not None)
    samples = f", mean of {one['samples']} readings" if one["samples"] > 1 else ""
    assay = f" ({one['assay']})" if one["assay"] else ""
    note = f"; {one['note']}" if one["note"] else ""
    return f"{wording.name(one['quantity'])}{assay} {limits}{samples}, {VISITS[one['visit']]}{note}"


def assumed(line: Answer) -> str:
    """What of a line of the baseline table the paper does not print; empty where it prints all of it."""
    if line["inherited"] is not None:
        return f"assumed: that of the arm {line['inherited']}"
    return {"sd": ASSUMED_SD, "mean and sd": ASSUMED_BOTH, None: ""}[line["assumed"]]
