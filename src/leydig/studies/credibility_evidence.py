"""What the credibility report is made from, and what is found in it by counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from leydig.evidence import Trial
from leydig.studies.credibility_drivers import Driven
from leydig.studies.credibility_facts import Facts
from leydig.studies.credibility_file import Context, Prose
from leydig.studies.credibility_lines import Line, gives, lines, of_role, pick

VALIDATION, CALIBRATION, DONE = "validation", "calibration", "done"


class Miss(NamedTuple):
    """A test that is expected to fail."""

    test: str  # path::name[case]
    reason: str
    strict: bool  # the suite fails when it passes


class Suite(NamedTuple):
    """What the project's tests say."""

    tests: int
    files: int
    misses: tuple[Miss, ...]
    outcomes: Mapping[str, str]  # of the tests that were run for the report: passed, failed, skipped, expected to fail
    pinned: int  # dependencies that are locked by a hash
    locked: int  # dependencies that are locked


class Evidence(NamedTuple):
    """Everything that the report is made from."""

    document: Mapping[str, Any]  # of ``leydig reproduce``
    trials: Mapping[str, Trial]
    again: Mapping[str, Any] | None  # some trials once more with other random numbers
    suite: Suite
    facts: Facts
    driven: tuple[Driven, ...]
    prose: Prose

    def lines(self, role: str) -> list[Line]:
        """The scored figures of a role."""
        return of_role(lines(self.document, self.trials, self.prose), role)


def near_to(evidence: Evidence, context: Context, role: str = VALIDATION) -> list[Line]:
    """The figures of the drugs, men, outcomes and times that a use needs."""
    needs = context.needs
    return pick(
        evidence.lines(role), drugs=needs.drugs, conditions=needs.conditions, outcomes=needs.outcomes, until=needs.until
    )


def cells(context: Context, near: Sequence[Line]) -> dict[tuple[str, str, str], int]:
    """How many figures each drug by men by outcome of a use has."""
    needs = context.needs
    return {
        (drug, condition, outcome): sum(
            gives(line, drug) and line.condition == condition and line.outcome == outcome for line in near
        )
        for drug in needs.drugs
        for condition in needs.conditions
        for outcome in needs.outcomes
    }


def outcomes_of(suite: Suite, paths: Sequence[str]) -> list[str]:
    """What became of the tests that these paths name: a file, a function with all its cases."""
    return [
        outcome
        for test, outcome in suite.outcomes.items()
        if any(test == path or test.startswith((f"{path}::", f"{path}[")) for path in paths)
    ]


class Moved(NamedTuple):
    """How far a second run lies from the first; None where nothing tells."""

    trials: int
    figures: int
    shift: float | None  # median, in standard deviations of the prediction
    largest: float | None
    flipped: float | None  # share that changes between inside and outside of the 95 % interval


def moved(evidence: Evidence) -> Moved:
    """The second run beside the first, figure by figure."""
    first = {row["key"]: row["figures"] for row in evidence.document["trials"] if row["status"] == DONE}
    second = [] if evidence.again is None else [row for row in evidence.again["trials"] if row["key"] in first]
    pairs = [pair for row in second for pair in zip(first[row["key"]], row["figures"], strict=True)]
    shifts = [
        abs((b["compared"]["predicted"] - a["compared"]["predicted"]) / (a["error"] / a["z"]))
        for a, b in pairs
        if a["z"] and a["error"] and b["z"] is not None
    ]
    if not shifts:
        return Moved(len(second), len(pairs), None, None, None)
    flipped = sum(a["inside_95"] != b["inside_95"] for a, b in pairs) / len(pairs)
    return Moved(len(second), len(pairs), median(shifts), max(shifts), flipped)
