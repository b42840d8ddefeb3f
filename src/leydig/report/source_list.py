"""The list of references of a report: what ran, and what the page itself shows beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from leydig.bibliography import reference
from leydig.engine.trajectory import Trajectory
from leydig.report import conception, criteria, details, flags, goals, organs, wording


class Source(NamedTuple):
    """A reference as it is printed; ``doi`` makes the link."""

    key: str
    text: str
    doi: str | None
    verification: str
    used_for: str


def sources(trajectories: Sequence[Trajectory]) -> list[Source]:
    """What ran, and what the report itself shows beside it; each reference once."""
    found: dict[str, Source] = {}
    for run in trajectories:
        for entry in run.sources:
            found.setdefault(
                entry["key"],
                _source(entry["key"], entry["reference"], entry["verification"], entry.get("used_for", "")),
            )
    for key, use in _own_sources(trajectories).items():
        if key not in found:
            known = reference(key)
            found[key] = _source(key, known.formatted(), known.verification, use)
    return [found[key] for key in sorted(found)]


def _own_sources(trajectories: Sequence[Trajectory]) -> dict[str, str]:
    """Keys of the references that only the report uses, with what for."""
    marks = wording.settings()["least_significant_change"].values()
    use = {row["source"]: "published ranges" for row in details.range_rows(trajectories)}
    use |= {mark["source"]: "least significant change" for mark in marks if mark["source"] not in use}
    for keys, what in (
        (flags.sources(), "thresholds of red flags"),
        (criteria.sources(), "published criteria"),
        (goals.sources(), "goals, risks and what to watch"),
        (organs.sources(), "strength of the evidence"),
        (conception.sources(trajectories), "the age of the partner"),
        (_not_modelled(), "what is not modelled"),
    ):
        use |= {key: what for key in keys if key not in use}
    return use


def _not_modelled() -> list[str]:
    return [key for item in wording.settings()["not_modelled"] for key in item.get("sources", ())]


def _source(key: str, text: str, verification: str, used_for: str) -> Source:
    doi = re.search(r"\bdoi (10\.\d{4,9}/[^\s,]+?)(?=[.,]?(?:\s|$))", text)
    text = re.sub(r"\s*\[[^\]]*\]\s*$", "", text)  # the status stands beside it
    return Source(key, re.sub(r"https?://", "", text), doi[1] if doi else None, verification, used_for)
