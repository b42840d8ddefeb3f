"""One sentence per figure, computed from the numbers that the figure draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from leydig.engine.trajectory import Trajectory
from leydig.report import plan, runs, wording

# A run that ends with less than this share of its largest change has turned back, and the sentence says so.
TURNED_BACK = 0.5
LATE = 4 * wording.DAYS_PER_WEEK  # days at the end of a run that stand for its late level
GONE = 0.1  # share of its highest level below which a drug counts as gone
SMALLEST_FOLD = 1e-3  # below it a quantity counts as gone
NOTICED = 0.05  # relative change below which a turn is not worth a word


def of(figure: plan.Figure, trajectories: Sequence[Trajectory]) -> str:
    """The sentence of a figure."""
    by_key: dict[str, Callable[[plan.Figure, Sequence[Trajectory]], str]] = {
        "hormones": _hormones,
        "ratio": _ratio,
        "semen": _semen,
        "bone": _bone,
        "drug": _drug,
    }
    return wording.capital(by_key[figure.key](figure, trajectories))


def _hormones(figure: plan.Figure, trajectories: Sequence[Trajectory]) -> str:
    quantities = [panel.key for panel in figure.panels]
    parts = [_from_to(trajectories, quantity, units=True) for quantity in quantities]
    return f"{_after(trajectories)} {wording.listed(parts)}{_turn(trajectories, quantities[0])}."


def _ratio(_: plan.Figure, trajectories: Sequence[Trajectory]) -> str:
    return (
        f"{_after(trajectories)} the {_from_to(trajectories, plan.RATIO, units=False, noun='ratio')}"
        f"{_against_range(trajectories, plan.RATIO)}{_turn(trajectories, plan.RATIO)}."
    )


def _semen(figure: plan.Figure, trajectories: Sequence[Trajectory]) -> str:
    parts = [_from_to(trajectories, panel.key, units=True) for panel in figure.panels]
    quantity = plan.SEMEN[0]
    limit = ""
    if figure.panels[0].key == quantity:
        known = runs.reference_range(trajectories[0], quantity)
        words = [_against_limit(run, quantity, known.low) for run in trajectories] if known and known.low else []
        if words and len(set(words)) == 1:
            threshold = wording.with_unit(known.low if known else None, quantity, figure.panels[0].unit)
            limit = f"; the concentration {words[0]} the lower limit of {threshold}"
    return f"{_after(trajectories)} {wording.listed(parts)}{_turn(trajectories, figure.panels[0].key)}{limit}."


def _bone(figure: plan.Figure, trajectories: Sequence[Trajectory]) -> str:
    parts = []
    for panel in figure.panels:
        change = [_labelled(line.label, _change(line, alone=len(panel.lines) == 1)) for line in panel.lines]
        beyond = [abs(_last(line.values)) > (panel.around or np.inf) for line in panel.lines]
        verdict = "beyond" if all(beyond) else "within" if not any(beyond) else "in part beyond"
        told = f"{panel.around:.1f}{wording.NARROW}%"
        parts.append(
            f"{panel.title.lower()} by {wording.listed(change)}, {verdict} the {told} that two scans tell apart"
        )
    return (
        f"{_after(trajectories)} bone density has changed at the {', and at the '.join(parts)}{_scores(trajectories)}."
    )


def _change(line: plan.Line, alone: bool) -> str:
    """A change in percent, with its band where a single run has one."""
    text = wording.percent(_last(line.values))
    if alone and line.lower is not None and line.upper is not None:
        low, high = (wording.percent(float(part[-1])) for part in (line.lower, line.upper))
        text += f" (95{wording.NARROW}% band {low} to {high})"
    return text


def _scores(trajectories: Sequence[Trajectory]) -> str:
    """The score that leads at his age, at the start and at the end."""
    score = runs.leading_score(trajectories[0])
    found = []
    for site in ("spine", "hip"):
        quantity = f"{score}_score_{site}"
        held = [(label, run) for label, run in _with(trajectories, quantity)]
        if held:
            ends = [_labelled(label, wording.number(runs.shown(run, quantity).end, quantity)) for label, run in held]
            start = wording.number(runs.shown(held[0][1], quantity).start, quantity)
            found.append(f"{wording.listed(ends)} at the {site} (start {start})")
    return f"; the {score.upper()}-score is {wording.listed(found)}" if found else ""


def _drug(figure: plan.Figure, trajectories: Sequence[Trajectory]) -> str:
    parts = []
    for panel in figure.panels:
        levels = [_labelled(line.label, _level(line, panel)) for line in panel.lines]
        parts.append(f"{wording.name(panel.key)} {wording.listed(levels)}")
    return f"{'; '.join(parts)}."


def _level(line: plan.Line, panel: plan.Panel) -> str:
    """Where a drug lies towards the end of the run, or its highest level when it has gone by then."""
    lowest_day, highest_day = line.swing or (line.values, line.values)
    late = line.days >= line.days[-1] - LATE
    highest = int(np.nanargmax(highest_day))
    top = wording.with_unit(float(highest_day[highest]), panel.key, panel.unit)
    if np.nanmax(highest_day[late]) < GONE * highest_day[highest]:
        end = wording.with_unit(_last(line.values), panel.key, panel.unit)
        return f"is at most {top} {wording.when(float(line.days[highest]))} and {end} at the end"
    low = wording.number(float(np.nanmin(lowest_day[late])), panel.key)
    high = wording.number(float(np.nanmax(highest_day[late])), panel.key)
    held = high if low == high else f"{low} to {high}"
    return f"is {wording.join(held, panel.unit)} over the last {wording.span(min(LATE, float(line.days[-1])))}"


# Pieces -------------------------------------------------------------------------------------------


def _with(trajectories: Sequence[Trajectory], quantity: str) -> list[tuple[str, Trajectory]]:
    """The runs that hold the quantity, with their labels."""
    labels = runs.letters(len(trajectories))
    return [(label, run) for label, run in zip(labels, trajectories, strict=True) if runs.has(run, quantity)]


def _after(trajectories: Sequence[Trajectory]) -> str:
    return f"after {wording.span(runs.longest(trajectories))}"


def _from_to(trajectories: Sequence[Trajectory], quantity: str, units: bool, noun: str = "") -> str:
    """testosterone is 556 ng/dL (95 % band 467 to 645) against 343 at the start."""
    ends = []
    held = _with(trajectories, quantity)
    for label, run in held:
        series = runs.shown(run, quantity)
        text = _end(series)
        if units and label == held[0][0]:
            text = wording.join(text, series.unit)
        if len(held) == 1:
            text += _band(series)
        ends.append(_labelled(label, text))
    start = wording.number(runs.shown(held[0][1], quantity).start, quantity)
    named = f"{wording.name(quantity)} {noun}".strip()
    return f"{named} is {wording.listed(ends)} against {start} at the start"


def _end(series: runs.Series) -> str:
    """The last value, or the range of the last week where doses make it go up and down."""
    weeks = runs.swing(series)
    if weeks is None:
        return wording.number(series.end, series.quantity)
    low, high = (wording.number(float(part[-1]), series.quantity) for part in weeks[1:3])
    return low if low == high else f"{low} to {high}"


def _band(series: runs.Series) -> str:
    """The band of the last value, or the widest of the last week."""
    weeks = runs.swing(series)
    lower, upper = (series.lower, series.upper) if weeks is None else (weeks.lower, weeks.upper)
    if lower is None or upper is None:
        return ""
    low, high = (wording.number(float(part[-1]), series.quantity) for part in (lower, upper))
    return f" (95{wording.NARROW}% band {low} to {high})"


def _labelled(label: str, text: str) -> str:
    return f"{text} ({label})" if label else text


def _last(values: np.ndarray) -> float:
    there = values[np.isfinite(values)]
    return float(there[-1]) if there.size else float("nan")


def _turn(trajectories: Sequence[Trajectory], quantity: str) -> str:
    """A word on a change that has gone back by the end of the run, such as after the last dose."""
    if len(trajectories) > 1 or not runs.has(trajectories[0], quantity):
        return ""
    series = runs.shown(trajectories[0], quantity)
    if not series.start > 0:
        return ""
    fold = np.abs(np.log(np.maximum(series.values / series.start, SMALLEST_FOLD)))
    place = int(np.nanargmax(fold))
    if fold[place] < NOTICED or fold[-1] > TURNED_BACK * fold[place]:
        return ""
    furthest = wording.with_unit(float(series.values[place]), quantity, series.unit)
    when = wording.when(float(series.days[place]))
    return f"; {wording.name(quantity)} was furthest from the start {when}, {furthest}"


def _against_range(trajectories: Sequence[Trajectory], quantity: str) -> str:
    """Where the ends lie against the published range: above (A, B) and inside (C) the published range of …."""
    known = runs.reference_range(trajectories[0], quantity)
    if known is None or known.low is None or known.high is None:
        return ""
    places: dict[str, list[str]] = {}
    for label, run in _with(trajectories, quantity):
        series = runs.shown(run, quantity)
        weeks = runs.swing(series)
        end = series.end if weeks is None else float(weeks.mean[-1])
        place = "below" if end < known.low else "above" if end > known.high else "inside"
        places.setdefault(place, []).append(label)
    if len(places) == 1:
        words = next(iter(places))
    else:
        words = wording.listed([f"{place} ({', '.join(labels)})" for place, labels in places.items()])
    low, high = wording.number(known.low, quantity), wording.number(known.high, quantity)
    return f", {words} the published range of {low} to {high}"


def _against_limit(run: Trajectory, quantity: str, low: float) -> str:
    """How a concentration stands to its lower limit."""
    series = runs.shown(run, quantity)
    above = series.values >= low
    if above.all():
        return "stays above"
    if not above.any():
        return "stays below"
    return "ends above" if above[-1] else "ends below"
