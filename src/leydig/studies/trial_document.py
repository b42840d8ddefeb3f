"""What a virtual trial found, as plain values: the design, its arms over time, and every outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from leydig import laboratory
from leydig.studies import observe
from leydig.studies import trial_analysis as analysis
from leydig.studies import trial_power as power
from leydig.studies.comparison import settings
from leydig.studies.trial_design import Contrast, Design
from leydig.studies.trial_pool import Pool
from leydig.studies.trial_records import Outcome
from leydig.studies.trial_statistics import PERCENT, Estimate
from leydig.units import CANONICAL

MIDDLE_95 = (0.025, 0.975)
QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)
MISSING = {
    "available": "After a man has left his readings are missing; every man with a reading counts (available cases).",
    "carried": "After a man has left his last reading is carried forward.",
    "completers": "Only men who stayed to the end are analysed.",
}


def stated(design: Design) -> dict[str, Any]:
    """The design with what follows from it."""
    content = design.model_dump(mode="json", exclude_none=True)
    for said, arm in zip(content["arms"], design.arms, strict=True):
        if arm.plan.rules is not None:
            said["rules"] = arm.plan.rules.text()
    return {
        **content,
        "groups": [
            {"name": name, "order": [design.arms[arm].name for arm in order], "n": count}
            for (name, order), count in zip(design.sequences, design.counts(), strict=True)
        ],
        "horizon": design.horizon,
    }


def arms_over_time(design: Design, pool: Pool, seed: int, replicates: int) -> list[dict[str, Any]]:
    """Every quantity of every arm at the visits of a period; in ``percent_change`` as well where that is an outcome.

    ``mean`` and the middle 95 % of ``men`` are those of all men at the central values; ``interval`` holds 95 % of the
    means that trials of this size find, with all that is not known; ``truth`` is the mean of the state behind.
    """
    draws = power.draws_of(pool)
    several = list(power.trials(design, pool, replicates=replicates, draws=draws[1:] or draws, seed=seed))
    in_percent = {one.outcome.quantity for one in design.contrasts if one.outcome.analysis == "percent_change"}
    everybody, found = power.everybody(design, pool), []
    for place, arm in enumerate(design.arms):
        quantities = {}
        for name in design.quantities:
            printed, true = (
                [analysis.over_time(design, of(pool, name), place, rows) for rows in (everybody, *many)]
                for of, many in ((analysis.printed, [rows for _, rows in several]), (analysis.true, []))
            )
            quantities[name] = {"unit": CANONICAL[name], **_series(printed, true[0])}
            if name in in_percent:
                change = _series([_percent(values) for values in printed], _percent(true[0]))
                quantities[name]["percent_change"] = {"unit": "%", **change}
        found.append({"name": arm.name, "takes": arm.plan.text(), "control": arm.control, "quantities": quantities})
    return found


def _series(printed: list[np.ndarray], true: np.ndarray) -> dict[str, Any]:
    """Means and spreads (visits,) of the men of a pool, the first of ``printed``, and of trials, the rest."""
    means = np.concatenate([_mean(values) for values in printed[1:]])
    low, high = _middle(printed[0])
    below, above = _middle(means)
    return {
        "mean": _mean(printed[0]),
        "men": {"low": low, "high": high},
        "interval": {"low": below, "high": above},
        "truth": _mean(true),
    }


def _middle(values: np.ndarray) -> np.ndarray:
    """The ends (2, visits) of the middle 95 % along the first axis; nan where nothing is there."""
    ends = np.full((len(MIDDLE_95), values.shape[-1]), np.nan)
    there = np.isfinite(values).any(axis=0)
    ends[:, there] = np.nanquantile(values[:, there], MIDDLE_95, axis=0)
    return ends


def _percent(values: np.ndarray) -> np.ndarray:
    """Changes from the first visit, nan from nothing."""
    first = values[..., :1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(first > 0, PERCENT * (values / first - 1), np.nan)


def _mean(values: np.ndarray) -> np.ndarray:
    """Means over men, the axis before the last; nan where nobody is read."""
    there = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(there, values, 0.0).sum(axis=-2) / there.sum(axis=-2))


def outcome(design: Design, pool: Pool, place: int, central: Estimate, drawn: Estimate) -> dict[str, Any]:
    """One contrast: its truth, one trial, the spread of estimates at the central values and over all draws."""
    contrast = design.contrasts[place]
    asked, everybody = contrast.outcome, power.everybody(design, pool)
    printed, true = (of(pool, asked.quantity) for of in (analysis.printed, analysis.true))
    expected = float(analysis.analyse(design, contrast, printed, everybody).value)
    first = Estimate(*(np.asarray(field)[0] for field in central))
    period = analysis.period_effect(design, contrast, printed, everybody)
    split = analysis.split(design, contrast, pool, everybody)
    width, covers = central.high - central.low, (central.low <= expected) & (expected <= central.high)
    return {
        "quantity": asked.quantity,
        "analysis": asked.analysis,
        "of": asked.of,
        "responder": None if asked.responder is None else asked.responder.model_dump(exclude_none=True),
        "arm": design.arms[contrast.arm].name,
        "against": None if contrast.against is None else design.arms[contrast.against].name,
        "day": contrast.day,
        "unit": unit(contrast),
        "primary": place in design.primary,
        "truth": float(analysis.analyse(design, contrast, true, everybody).value),
        "expected": expected,
        "one_trial": numbers(first),
        "central": spread(central),
        "all": spread(drawn),
        "width": _over(np.mean, width),
        "coverage": _over(np.mean, np.where(np.isnan(width), np.nan, covers)),
        "period": None if period is None else of_pool(contrast, pool, period),
        "split": None
        if split is None
        else {name: of_pool(contrast, pool, one) for name, one in split._asdict().items()},
    }


def controls(design: Design, pool: Pool) -> list[dict[str, Any]]:
    """How a control arm itself changes in what men were let in by at baseline: regression to the mean, and time."""
    let_in = [criterion.quantity for criterion in design.population.criteria if criterion.visit == "baseline"]
    compared = dict.fromkeys(one.against for one in design.contrasts if one.against is not None)
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys(let_in) if design.crossover is None else ():
        for arm in compared if name in pool.printed else ():
            contrast = Contrast(Outcome(quantity=name, against=None), arm, None, design.period_days)
            rows = power.everybody(design, pool)
            change = analysis.analyse(design, contrast, analysis.printed(pool, name), rows)
            said = {"quantity": name, "arm": design.arms[arm].name, "day": contrast.day, "unit": CANONICAL[name]}
            found.append({**said, **of_pool(contrast, pool, change)})
    return found


def unit(contrast: Contrast) -> str:
    """The unit of an estimate."""
    of = {"percent_change": "%", "ratio": "1", "responder": "1"}
    return of.get(contrast.outcome.analysis, CANONICAL[contrast.outcome.quantity])


def numbers(of: Estimate) -> dict[str, Any]:
    """A single estimate; the error of a ratio is that of its logarithm."""
    return {
        "value": float(of.value),
        "low": float(of.low),
        "high": float(of.high),
        "standard_error": float(of.error),
        "p": float(of.p),
        "n": int(of.n),
    }


def of_pool(contrast: Contrast, pool: Pool, of: Estimate) -> dict[str, Any]:
    """An estimate from all men of the pool; its interval says how far it is off by Monte Carlo.

    Men drawn from fewer candidates are worth fewer, by which the interval is wider.
    """
    size = np.mean([np.sum((pool.arm == place) & (pool.draw == power.CENTRAL)) for place in range(len(pool.arms))])
    wider = float(np.sqrt(max(size / min(one.effective for one in pool.enrolled), 1.0)))
    value, low, high = float(of.value), float(of.low), float(of.high)
    if contrast.outcome.analysis == "ratio":
        low, high = value * (low / value) ** wider, value * (high / value) ** wider
    else:
        low, high = value - wider * (value - low), value + wider * (high - value)
    return {"value": value, "low": low, "high": high}


def spread(of: Estimate) -> dict[str, Any]:
    """How estimates spread over replicates, and the middle of their intervals' ends."""
    values = np.asarray(of.value, float)
    there = values[np.isfinite(values)]
    if not len(there):
        return {"replicates": 0}
    return {
        "replicates": len(there),
        "mean": float(np.mean(there)),
        "sd": float(np.std(there)),
        "quantiles": {
            f"{PERCENT * q:g}": float(v) for q, v in zip(QUANTILES, np.quantile(there, QUANTILES), strict=True)
        },
        "interval": {"low": _over(np.median, of.low), "high": _over(np.median, of.high)},
    }


def _over(statistic: Callable[[np.ndarray], Any], values: Any) -> float:
    """A statistic of the replicates in which there is a number; nan where there is none in any."""
    there = np.asarray(values, float)[~np.isnan(values)]
    return float(statistic(there)) if len(there) else np.nan


def untold(outcomes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which outcomes no replicate has an estimate of, or an interval, as sentences."""
    found = []
    for lacking, why in (
        ("estimate", "nobody whose readings it takes is left"),
        ("interval", "too few men are left, or all of them are alike"),
    ):
        names = [
            f"{_words(one['quantity'])} ({_words(one['analysis'])}, {one['arm']})"
            for one in outcomes
            if (not one["central"]["replicates"]) == (lacking == "estimate") and np.isnan(one["width"])
        ]
        if names:
            found.append(f"No trial has an {lacking} of {', '.join(dict.fromkeys(names))}: {why}.")
    return found


def remarks(design: Design, pool: Pool) -> list[str]:
    """What a reader must know of how the numbers came about."""
    found = [MISSING[design.missing]]
    in_blood = [name for name in design.quantities if name in laboratory.analytes()]
    if in_blood:
        found.append("A reading below the limit of quantification enters at that limit.")
    floors = {name: settings()["floors"].get(name) for name in design.quantities}
    added = [f"{_words(name)} {floor:g} {CANONICAL[name]}" for name, floor in floors.items() if floor]
    if added and any(one.outcome.analysis == "ratio" for one in design.contrasts):
        found.append(f"Before a ratio is taken, a floor is added to both readings: {', '.join(added)}.")
    unnamed = [_words(name) for name in in_blood if name not in design.assay]
    if unnamed:
        found.append(f"No assay is named for {', '.join(unnamed)}: it is one nobody knows, which may read high or low.")
    modelled = [_words(n) for n in design.quantities if n not in observe.analytes() and n not in observe.DERIVED]
    if modelled:
        found.append(f"No noise is known for {', '.join(modelled)}: the model's own value is read.")
    if pool.failed:
        found.append(f"{pool.failed:,} of {pool.failed + len(pool.arm):,} men could not be solved and are left out.")
    return found


def _words(quantity: str) -> str:
    return quantity.replace("_", " ")
