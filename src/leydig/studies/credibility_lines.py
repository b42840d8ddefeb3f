"""The scored figures of a re-run as lines that can be picked and summed: by drug, men, outcome and time.

A line is a figure of the document that ``leydig reproduce`` writes, with what its trial's file says of the men. Sums
are formed as the totals are: one weight per arm and quantity, shares as sure as the independent groups of men make
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig.evidence import Trial
from leydig.studies.credibility_file import Prose
from leydig.studies.reproduce_entries import UNTREATED, shared_men
from leydig.studies.reproduce_totals import NULLS, Interval, mean, median, sampling_alone, share_interval

CONTROLLED = ("placebo", "untreated", "active", "dose")  # controls beside which an effect can be told apart
EUGONADAL = "eugonadal"  # men of whom a trial's file names no condition
ONE_ARM = ("single-group", "cross-section")
PRINTED_SPREADS = ("SD", "SEM", "CI95", "IQR")


class Line(NamedTuple):
    """A scored figure."""

    trial: Trial
    group: str  # of studies that share men
    figure: Mapping[str, Any]  # as in the document
    outcome: str  # hormones, semen, ...

    @property
    def condition(self) -> str:
        return self.trial.population.condition or EUGONADAL

    @property
    def controlled(self) -> bool:
        """Whether there is a group to compare with, formed by the same study."""
        design = self.trial.design
        return design.control in CONTROLLED and design.allocation not in ONE_ARM

    @property
    def randomised(self) -> bool:
        return self.controlled and self.trial.design.allocation == "randomised"


class Sums(NamedTuple):
    """What is said of some lines; None where there is nothing to tell by."""

    figures: int
    studies: int
    groups: int
    inside_95: float | None
    inside_95_interval: Interval | None
    inside_50: float | None
    inside_50_interval: Interval | None
    interval_score: float | None
    nulls: Mapping[str, float | None]
    mean_z: float | None
    error: float | None  # median, absolute, on the scale of comparison
    error_ratio: float | None  # of hormone means on treatment over what sampling alone gives

    @property
    def totals(self) -> dict[str, Any]:
        """As ``reproduce_totals.targets_met`` takes them."""
        return {
            "inside_95": self.inside_95,
            "inside_50": self.inside_50,
            "interval_score": self.interval_score,
            "null_interval_scores": dict(self.nulls),
            "hormone_means": {"error_ratio": self.error_ratio},
        }


def lines(document: Mapping[str, Any], trials: Mapping[str, Trial], prose: Prose) -> list[Line]:
    """Every scored figure of the document; ``trials`` are by key."""
    groups = shared_men([trials[row["key"]] for row in document["trials"]])
    return [
        Line(trials[row["key"]], groups[row["key"]], figure, prose.outcome(figure["domain"]))
        for row in document["trials"]
        for figure in row["figures"]
    ]


def of_role(some: Iterable[Line], role: str) -> list[Line]:
    """Those of the trials of a role."""
    return [line for line in some if line.trial.role == role]


def pick(
    some: Iterable[Line], *, drugs: Sequence[str] = (), conditions: Sequence[str] = (),
    quantities: Sequence[str] = (), outcomes: Sequence[str] = (), until: float | None = None,
) -> list[Line]:  # fmt: skip
    """Lines that meet everything that is asked; nothing asked is anything."""
    return [
        line
        for line in some
        if (not drugs or any(gives(line, drug) for drug in drugs))
        and (not conditions or line.condition in conditions)
        and (not quantities or line.figure["quantity"] in quantities)
        and (not outcomes or line.outcome in outcomes)
        and (until is None or line.figure["day"] <= until)
    ]


def gives(line: Line, drug: str) -> bool:
    """Whether its arm takes a drug; "testosterone" is any of its forms."""
    return any(name == drug or name.startswith(f"{drug} ") for name in line.figure["drugs"])


def given(line: Line) -> list[str]:
    """The drugs of its arm."""
    return [name for name in line.figure["drugs"] if name != UNTREATED]


def split(some: Iterable[Line], name: Callable[[Line], str]) -> dict[str, list[Line]]:
    """Lines by name, in the order in which names first come."""
    found: dict[str, list[Line]] = {}
    for line in some:
        found.setdefault(name(line), []).append(line)
    return found


def sums(some: Sequence[Line]) -> Sums:
    """What is said of these lines."""
    weights, groups = column(some, "weight"), [line.group for line in some]
    inside = {level: column(some, f"inside_{level}") for level in (95, 50)}
    hormones = [line for line in some if line.figure["hormone_mean"]]
    return Sums(
        len(some),
        len({line.trial.key for line in some}),
        len(set(groups)),
        mean(inside[95], weights),
        share_interval(inside[95], weights, groups),
        mean(inside[50], weights),
        share_interval(inside[50], weights, groups),
        mean(column(some, "interval_score"), weights),
        {null: mean(_numbers(line.figure["null_interval_scores"][null] for line in some), weights) for null in NULLS},
        mean(column(some, "z"), weights),
        median(np.abs(column(some, "error")), weights),
        _ratio(hormones),
    )


def share(some: Sequence[Line], holds: Callable[[Line], bool]) -> float | None:
    """The share of the figures, each counted once, of which something holds."""
    return sum(map(holds, some)) / len(some) if some else None


def column(some: Sequence[Line], field: str) -> np.ndarray:
    """One field of the figures as numbers; nan where there is none."""
    return _numbers(line.figure[field] for line in some)


def _numbers(values: Iterable[Any]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in values], dtype=float)


def _ratio(hormones: Sequence[Line]) -> float | None:
    weights = column(hormones, "weight")
    found = median(np.abs(column(hormones, "error")), weights)
    alone = sampling_alone(column(hormones, "sampling"), weights)
    return found / alone if found is not None and alone else None
