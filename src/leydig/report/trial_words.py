"""The outcomes of a virtual trial in words: what was compared, and its numbers as they are printed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from leydig.report import wording
from leydig.studies.trial_statistics import LEVEL

Outcome = Mapping[str, Any]

ANALYSES = {
    "level": "mean",
    "change": "change",
    "percent_change": "change in percent",
    "ratio": "ratio to baseline, geometric means",
    "responder": "responders",
    "ancova": "mean adjusted for baseline",
}
SHORT = {
    "level": "mean",
    "change": "change",
    "percent_change": "% change",
    "ratio": "ratio",
    "responder": "responders",
    "ancova": "adjusted",
}
LEAST_P = 0.001
NEXT_TO_NOTHING = 1e-9  # what the solver leaves of a change that is none
NOTHING = "\u2013"


def title(one: Outcome) -> str:
    """The quantity and how it was analysed: Testosterone, mean adjusted for baseline, week 52."""
    return f"{wording.capital(wording.name(one['quantity']))}, {analysis(one)}, {wording.moment(one['day'])}"


def short(one: Outcome) -> str:
    """The same for a small panel: Testosterone, adjusted."""
    return f"{wording.capital(wording.name(one['quantity']))}, {SHORT[one['analysis']]}"


def analysis(one: Outcome) -> str:
    """How an outcome is analysed, of responders with their limits."""
    words = ANALYSES[one["analysis"]]
    rule = one["responder"]
    if one["analysis"] == "percent_change" and one["of"] == "means":
        return "change of the mean in percent"
    if rule is None:
        return words
    ends = [(sign, rule[end]) for end, sign in (("above", "at least"), ("below", "at most")) if end in rule]
    of = {"level": "", "change": "change ", "percent_change": "change "}[rule["of"]]
    unit_words = wording.unit(rule["unit"])
    limits = " and ".join(f"{sign} {value:g} {unit_words}" for sign, value in ends)
    return f"{words}: {of}{limits}"


def arms(one: Outcome) -> str:
    """Which arm against which."""
    return one["arm"] if one["against"] is None else f"{one['arm']} against {one['against']}"


def family(one: Outcome) -> str:
    """Outcomes of one family stand on one axis."""
    return one["analysis"] if one["analysis"] in ("ratio", "percent_change", "responder") else one["quantity"]


def unit(one: Outcome) -> str:
    """The unit of an estimate as it is printed."""
    if one["analysis"] == "ratio":
        return "ratio"
    if one["analysis"] == "responder":
        return "% of men" if one["against"] is None else "percentage points"
    if one["analysis"] == "percent_change":
        return "%" if one["against"] is None else "percentage points"
    return wording.unit(wording.shown_unit(one["quantity"], one["unit"]))


def shown(one: Outcome, value: float | None) -> float:
    """A value on the scale that is printed; nan for what is not there."""
    if value is None:
        return math.nan
    if one["analysis"] == "responder":
        return wording.PERCENT * value
    return value * wording.factor(one["quantity"]) if family(one) == one["quantity"] else value


def number(one: Outcome, value: float | None) -> str:
    """A value without its unit; differences have their sign."""
    if value is None:
        return NOTHING
    if one["analysis"] == "ratio":
        return wording.digits(value, 2)
    difference = one["against"] is not None or one["analysis"] in ("change", "percent_change")
    if one["analysis"] == "responder":
        text = wording.digits(wording.PERCENT * value, 0)
    elif one["analysis"] == "percent_change":
        text = wording.digits(value, 1)
    else:
        text = wording.number(abs(value), one["quantity"]) if abs(value) > NEXT_TO_NOTHING else "0"
        if text.startswith("<"):  # a small difference keeps its sign and its first digit
            text = f"{abs(value) * wording.factor(one['quantity']):.1g}"
        text = wording.MINUS + text if value < 0 and text != "0" else text
    return f"+{text}" if difference and value > 0 and text != "0" else text


def with_interval(one: Outcome, of: Mapping[str, Any]) -> str:
    """+75 (+42 to +108)."""
    ends = f"{number(one, of['low'])} to {number(one, of['high'])}"
    return f"{number(one, of['value'])} ({ends})" if of["low"] is not None else number(one, of["value"])


def p_value(p: float | None) -> str:
    """A p value: 0.03, below 0.001."""
    if p is None:
        return NOTHING
    if p < LEAST_P:
        return f"<{wording.NARROW}{LEAST_P:g}"
    return f"{p:.3f}" if p < LEVEL else f"{p:.2f}"


def share(of: Mapping[str, float] | None) -> str:
    """A share of replicates with its interval: 83 % (79 to 87)."""
    if of is None:
        return NOTHING
    value, low, high = (f"{wording.PERCENT * of[name]:.0f}" for name in ("value", "low", "high"))
    return f"{value}{wording.NARROW}% ({low} to {high})"


def split(one: Outcome) -> str:
    """A change without a control in one sentence: what came back by itself, and what the treatment did."""
    return f"{title(one)}, {one['arm']}: {parts(one)}"


def parts(one: Outcome) -> str:
    """The parts of a change without a control."""
    seen, without, drug = (with_interval(one, one["split"][name]) for name in ("seen", "without", "drug"))
    by = "times" if one["analysis"] == "ratio" else "plus"
    where = "" if one["analysis"] == "ratio" else f" {unit(one)}"
    return f"{seen}{where} is {without} in the same men untreated {by} {drug} by the treatment."


def men(design: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    """The size of a trial: 10 per arm, 20 in all; where all take everything, or there is one arm, 20 men."""
    n, counts = point["n"], point["counts"]
    if "crossover" in design or len(counts) == 1:
        return f"{n:,} men"
    per_arm = f"{counts[0]:,} per arm" if len({*counts}) == 1 else f"{point['per_arm']:,.4g} per arm on average"
    return f"{per_arm}, {n:,} in all"


def period(one: Outcome) -> str:
    """What the second period of a crossover shows more than the first, as a sentence."""
    more, where = with_interval(one, one["period"]), unit(one)
    if one["analysis"] == "ratio":
        return f"{title(one)}: the second period shows {more} times what the first does."
    return f"{title(one)}: the second period less the first is {more} {where}."


def control(one: Mapping[str, Any]) -> str:
    """How a control arm itself changes in what its men were let in by."""
    as_change = {**one, "analysis": "change", "against": None}
    words = wording.join(with_interval(as_change, one), wording.shown_unit(one["quantity"], one["unit"]))
    return (
        f"In {one['arm']} {wording.name(one['quantity'])} changes by {words} from the start to "
        f"{wording.moment(one['day'])}: regression to the mean of men who were let in by that reading, and time."
    )
