"""Totals over the scored figures of re-run trials: coverage, sharpness and error, each as sure as its studies make it.

Figures of one study share its men and its laboratory, so a share is only as sure as the number of independent groups of
men behind it: Wilson's interval is taken at the effective number of figures (variance between groups, Kish's number of
weights), and beside it stands an interval from drawing the groups again with replacement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from leydig.files import DATA, read_yaml
from leydig.studies.reproduce_entries import Entry

NORMAL_95, NORMAL_MEDIAN = 1.959964, 0.6744898  # two-sided 95 %, and the median of |z|
PERCENTILES = (2.5, 97.5)
NULLS = ("no_change", "mean_change")

Interval = tuple[float, float]


@cache
def settings() -> dict[str, Any]:
    """data/reproduce_targets.yaml: what totals are held against, and how often studies are drawn again."""
    return read_yaml(DATA / "reproduce_targets.yaml")


def totals(entries: Sequence[Entry]) -> dict[str, Any]:
    """Everything that is said of the figures of one role.

    Shares and means are weighted; ``None`` stands where there is nothing to take a mean of. Of a figure whose run
    failed nothing is inside, and it is left out of means (``failed`` counts those).
    """
    found = brief(entries)
    for level in (95, 50):
        inside = _column(entries, f"inside_{level}")
        found[f"inside_{level}_interval"] = share_interval(inside, _weights(entries), _groups(entries))
        found[f"inside_{level}_bootstrap"] = bootstrap(inside, _weights(entries), _groups(entries))
    found["better_by"] = {null: _better_by(entries, null) for null in NULLS}
    found["hormone_means"] = _error([entry for entry in entries if entry.hormone_mean])
    found["by_domain"] = {
        name: brief(some) | _error(some) for name, some in split(entries, lambda e: (e.scored.figure.domain,)).items()
    }
    found["by_drug"] = {name: brief(some) for name, some in split(entries, lambda e: e.drugs).items()}
    found["by_verification"] = {
        name: brief(some) for name, some in split(entries, lambda e: (e.trial.verification,)).items()
    }
    found["without_words"] = brief([entry for entry in entries if not entry.in_words])
    return found


def brief(entries: Sequence[Entry]) -> dict[str, Any]:
    """How many figures, how many of them inside, and how sharp the intervals were."""
    weights = _weights(entries)
    z = _column(entries, "z")
    return {
        "total": len(entries),
        "weight": float(weights.sum()),
        "studies": len({entry.trial.key for entry in entries}),
        "groups": len(set(_groups(entries))),
        "failed": int(np.sum(~np.isfinite(z))),
        "inside_95": mean(_column(entries, "inside_95"), weights),
        "inside_50": mean(_column(entries, "inside_50"), weights),
        "interval_score": mean(_column(entries, "interval_score"), weights),
        "null_interval_scores": {null: mean(_column(entries, f"null_{null}"), weights) for null in NULLS},
        "z": {"mean": mean(z, weights), "sd": deviation(z, weights)},
    }


def split(entries: Sequence[Entry], names: Callable[[Entry], Sequence[str]]) -> dict[str, list[Entry]]:
    """Entries by name, in alphabetical order; one with several names stands under each of them."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        for name in names(entry):
            found.setdefault(name, []).append(entry)
    return dict(sorted(found.items()))


def mean(values: np.ndarray, weights: np.ndarray) -> float | None:
    """Weighted mean of what is finite; None of nothing."""
    there = np.isfinite(values)
    return float(np.average(values[there], weights=weights[there])) if weights[there].sum() > 0 else None


def deviation(values: np.ndarray, weights: np.ndarray) -> float | None:
    """Weighted standard deviation about the weighted mean, of what is finite; None of nothing."""
    there = np.isfinite(values)
    middle = mean(values, weights)
    return None if middle is None else float(np.sqrt(np.average((values[there] - middle) ** 2, weights=weights[there])))


def share_interval(inside: np.ndarray, weights: np.ndarray, groups: Sequence[str]) -> Interval | None:
    """Wilson's 95 % interval of a weighted share at its effective number of figures; None of nothing."""
    share = mean(inside, weights)
    return None if share is None else wilson(share, effective_number(inside, weights, groups))


def wilson(share: float, number: float) -> Interval:
    """Wilson's 95 % interval of a share that was found among ``number`` independent trials."""
    z2, share = NORMAL_95**2, min(max(share, 0.0), 1.0)  # a mean by weight can lie beyond by rounding
    middle = (share + z2 / (2 * number)) / (1 + z2 / number)
    half = NORMAL_95 / (1 + z2 / number) * float(np.sqrt(share * (1 - share) / number + z2 / (4 * number**2)))
    # at a share of 0 or 1 the limit is the share, which rounding misses
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)


def effective_number(inside: np.ndarray, weights: np.ndarray, groups: Sequence[str]) -> float:
    """How many independent figures a weighted share is as sure as.

    p (1 - p) over the variance of the share between groups, never fewer than the groups would be worth if all
    figures of a group were one, never more than the weights are worth if all were independent. Where the share is 0
    or 1, the variance tells nothing and the fewest are taken.
    """
    total = float(weights.sum())
    _, place = np.unique(list(groups), return_inverse=True)
    fewest = total**2 / float(np.sum(np.bincount(place, weights) ** 2))
    most = total**2 / float(np.sum(weights**2))
    share = float(np.average(inside, weights=weights))
    sums = np.bincount(place, weights * (inside - share))
    between = float(np.sum(sums**2)) / total**2
    if len(sums) < 2 or between <= 0 or not 0 < share < 1:
        return fewest
    variance = between * len(sums) / (len(sums) - 1)
    return float(np.clip(share * (1 - share) / variance, fewest, most))


def bootstrap(values: np.ndarray, weights: np.ndarray, groups: Sequence[str]) -> Interval | None:
    """95 % interval of a weighted mean when groups are drawn again with replacement; the same every time.

    None of fewer than two groups. What is not finite is left out.
    """
    there = np.isfinite(values)
    names, place = np.unique(np.array(list(groups), dtype=str)[there], return_inverse=True)
    if len(names) < 2:
        return None
    sums, sizes = np.bincount(place, (weights * values)[there]), np.bincount(place, weights[there])
    rng = np.random.default_rng(int(settings()["bootstrap_seed"]["value"]))
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), int(settings()["bootstrap"]["value"]))
    low, high = np.percentile(counts @ sums / (counts @ sizes), PERCENTILES)
    return float(low), float(high)


def sampling_alone(errors: np.ndarray, weights: np.ndarray) -> float | None:
    """The median absolute error of a model that is right: of normal errors of these standard errors, mixed by weight.

    None of nothing.
    """
    there = np.isfinite(errors) & (weights > 0)
    if not there.any() or errors[there].max() <= 0:
        return None
    sizes, parts = np.maximum(errors[there], 1e-12), weights[there] / weights[there].sum()

    def below(limit: float) -> float:
        return float(parts @ (2 * ndtr(limit / sizes) - 1)) - 0.5

    return float(brentq(below, 0.0, float(sizes.max())))  # 68 % of every part lie below the largest of the sizes


def median(values: np.ndarray, weights: np.ndarray) -> float | None:
    """Weighted median of what is finite, between two values where they halve the weights; None of nothing."""
    there = np.isfinite(values) & (weights > 0)
    if not there.any():
        return None
    order = np.argsort(values[there], kind="stable")
    ordered, share = values[there][order], np.cumsum(weights[there][order]) / weights[there].sum()
    at = int(np.searchsorted(share, 0.5 - 1e-12))
    after = min(at + 1, len(ordered) - 1) if abs(share[at] - 0.5) < 1e-12 else at
    return float((ordered[at] + ordered[after]) / 2)


def _error(entries: Sequence[Entry]) -> dict[str, Any]:
    """Median absolute error on the scale of comparison, what sampling alone would give, and their ratio."""
    weights = _weights(entries)
    found = median(np.abs(_column(entries, "error")), weights)
    alone = sampling_alone(_column(entries, "sampling"), weights)
    return {
        "figures": len(entries),
        "median_absolute_error": found,
        "sampling_alone": alone,
        "error_ratio": found / alone if found is not None and alone else None,
    }


def _better_by(entries: Sequence[Entry], null: str) -> dict[str, Any]:
    """By how much the interval score of the null is larger than the model's; above 0 the model is better."""
    weights = _weights(entries)
    difference = _column(entries, f"null_{null}") - _column(entries, "interval_score")
    return {"difference": mean(difference, weights), "bootstrap": bootstrap(difference, weights, _groups(entries))}


def targets_met(found: Mapping[str, Any]) -> dict[str, bool | None]:
    """Which targets the totals of a role meet; None where there is nothing to tell by."""
    targets, met = settings()["targets"], {}
    for level in ("inside_95", "inside_50"):
        low, high = targets[level]["value"]
        met[level] = None if found[level] is None else low <= found[level] <= high
    for null in NULLS:
        other = found["null_interval_scores"][null]
        met[f"better_than_{null}"] = None if other is None else found["interval_score"] < other
    ratio = found["hormone_means"]["error_ratio"]
    met["error_ratio"] = None if ratio is None else ratio <= targets["error_ratio"]["value"]
    return met


def _column(entries: Sequence[Entry], field: str) -> np.ndarray:
    """One field of every score, as numbers."""
    return np.array([getattr(entry.scored, field) for entry in entries], dtype=float)


def _weights(entries: Sequence[Entry]) -> np.ndarray:
    return _column(entries, "weight")


def _groups(entries: Sequence[Entry]) -> list[str]:
    return [entry.group for entry in entries]
