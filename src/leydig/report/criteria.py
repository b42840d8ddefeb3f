"""Which published criteria a man's own values meet: met, not met, or unknown because something was not measured.

The criteria are data (data/criteria.yaml). Values are those at the start on the scale that his laboratory prints,
since that is the scale of most published limits; a limit of mass spectrometry is held against the value on that scale.
A value that was completed and not measured decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from leydig import laboratory
from leydig.bibliography import reference
from leydig.engine.trajectory import Trajectory
from leydig.errors import InputError, from_pydantic
from leydig.files import DATA, read_yaml
from leydig.parameters import Strict
from leydig.population_prior import condition_named
from leydig.report import conception, limits, runs, treatment, wording

FILE = "criteria.yaml"
# What has to be measured for a quantity to be known; every other quantity stands for itself.
RESTS_ON = {
    "testosterone_estradiol_ratio": ("testosterone", "estradiol"),
    **{f"{score}_score_{site}": (f"bmd_{site}",) for score in "tz" for site in ("spine", "hip")},
}
MET, NOT_MET, UNKNOWN = "met", "not met", "unknown"


class Criterion(Strict):
    """One criterion as its file states it."""

    name: str
    speaks: Literal["for", "against", "neutral"]
    all: tuple[Mapping[str, Any], ...] = ()
    any: tuple[Mapping[str, Any], ...] = ()
    score: Literal["t", "z"] | None = None  # only where this score of bone density leads at his age
    also: str | None = None  # what no laboratory value can show
    grade: str
    because: str
    sources: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def one_list(self) -> Self:
        """Conditions stand in one list."""
        if bool(self.all) == bool(self.any):
            raise InputError('a criterion needs either "all" or "any"')
        return self


class CriteriaFile(Strict):
    """The file of the criteria."""

    criteria: tuple[Criterion, ...]


class Finding(NamedTuple):
    """One condition held against a man."""

    words: str  # the limit
    holds: bool | None  # None where it is not known
    value: str  # what he has


class Row(NamedTuple):
    """One criterion as it is printed."""

    name: str
    speaks: str
    limit: str
    also: str
    values: list[str]
    verdict: str
    why: str  # what was not measured
    grade: str
    because: str
    sources: list[str]


@cache
def criteria() -> tuple[Criterion, ...]:
    """The criteria of the package; their sources and limits are checked."""
    try:
        loaded = CriteriaFile.model_validate(read_yaml(DATA / FILE)).criteria
    except ValidationError as error:
        raise from_pydantic(error, FILE, CriteriaFile) from error
    for criterion in loaded:
        for key in criterion.sources:
            reference(key, f'"{criterion.name}" of {FILE}')
        for condition in (*criterion.all, *criterion.any):
            if "quantity" in condition:
                limits.limit(condition, f'"{criterion.name}" of {FILE}')
            if "condition" in condition:
                condition_named(condition["condition"], f'"{criterion.name}" of {FILE}')
    return loaded


def rows(trajectories: Sequence[Trajectory]) -> list[Row]:
    """Every criterion held against the man of these runs, in the order of the file."""
    run = trajectories[0]
    return [_row(one, run) for one in criteria() if one.score in (None, runs.leading_score(run)) and _applies(one, run)]


def sources() -> list[str]:
    """Keys of the references behind the criteria and their limits; an assumed limit has none."""
    keys = {key for criterion in criteria() for key in criterion.sources}
    for criterion in criteria():
        for condition in (*criterion.all, *criterion.any):
            if "quantity" in condition and condition.get("kind") != "assumed":
                keys.add(condition["source"])
    return sorted(keys)


def summary(found: Sequence[Row]) -> str:
    """How many criteria are met, not met and unknown."""
    counts = {verdict: sum(row.verdict == verdict for row in found) for verdict in (MET, NOT_MET, UNKNOWN)}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)


def _applies(criterion: Criterion, run: Trajectory) -> bool:
    """False for a criterion on something that this man cannot have."""
    left_out = run.left_out
    conditions = (*criterion.all, *criterion.any)
    if conception.PER_CYCLE in left_out and any("months_trying" in condition for condition in conditions):
        return False
    return not any(condition.get("quantity") in left_out for condition in conditions)


def _row(criterion: Criterion, run: Trajectory) -> Row:
    found = [_held(condition, run) for condition in criterion.all or criterion.any]
    states = [finding.holds for finding in found]
    deciding = not criterion.all  # one such condition settles the whole
    if deciding in states:
        verdict = MET if deciding else NOT_MET
    else:
        verdict = UNKNOWN if None in states else NOT_MET if deciding else MET
    unmeasured = [finding.value for finding in found if finding.holds is None] if verdict == UNKNOWN else []
    between = " and " if criterion.all else " or "
    return Row(
        name=criterion.name,
        speaks=criterion.speaks,
        limit=wording.capital(between.join(finding.words for finding in found)),
        also=criterion.also or "",
        values=list(dict.fromkeys(finding.value for finding in found if finding.holds is not None)),
        verdict=verdict,
        why="; ".join(dict.fromkeys(unmeasured)),
        grade=criterion.grade,
        because=criterion.because,
        sources=list(criterion.sources),
    )


def _held(condition: Mapping[str, Any], run: Trajectory) -> Finding:
    """One condition against the man: on a disorder, on a drug, on months of trying, or on a quantity."""
    if "condition" in condition:
        named = str(run.subject.get("condition") or "")
        words = named.replace("-", " ") if named else "no condition is named"
        return Finding(condition["condition"].replace("-", " "), named == condition["condition"], words)
    if "taking" in condition:
        drug = condition["taking"]
        taken = treatment.takes_before(run, drug)
        return Finding(f"on {drug}", taken, f"takes {drug}" if taken else f"takes no {drug} at the start")
    if "months_trying" in condition:
        return _months(float(condition["months_trying"]), run)
    bound = limits.limit(condition, FILE)
    spectrometry = condition.get("assay") == laboratory.MASS_SPECTROMETRY
    by = f" by {laboratory.MASS_SPECTROMETRY}" if spectrometry else ""
    value = _value(bound.quantity, run, spectrometry=spectrometry)
    if value is None:
        return Finding(f"{bound.words}{by}", None, f"{wording.name(bound.quantity)} was not measured")
    shown = wording.with_unit(value, bound.quantity, _unit(bound.quantity, run))
    if spectrometry:
        shown += f" on the scale of {laboratory.MASS_SPECTROMETRY}"
    held = bool(bound.holds(np.asarray(value)))
    return Finding(f"{bound.words}{by}", held, f"{wording.name(bound.quantity)} {shown}")


def _months(least: float, run: Trajectory) -> Finding:
    """Whether a couple has tried for so many months; an assumed partner is not known."""
    words, partner = f"at least {least:g} months without a pregnancy", run.subject.get("partner")
    if not partner or partner.get("assumed"):
        return Finding(words, None, "months without a pregnancy are not given")
    tried = float(partner["months_trying"])
    return Finding(words, tried >= least, f"{tried:g} months without a pregnancy")


def _value(quantity: str, run: Trajectory, *, spectrometry: bool) -> float | None:
    """What he has at the start on the scale that his laboratory prints, or on that of mass spectrometry; None where
    it was not measured.
    """
    if quantity == "age":
        return runs.age(run)
    if quantity == "BMI":
        # A BMI that was completed is told among the assumptions.
        assumed = any(sentence.startswith("BMI was not measured") for sentence in run.assumed)
        return None if assumed or run.subject.get("BMI") is None else float(run.subject["BMI"])
    measured = run.subject.get("measured") or {}
    if quantity not in measured and not all(part in measured for part in RESTS_ON.get(quantity, (quantity,))):
        return None
    series = runs.state if spectrometry else runs.shown
    return series(run, quantity).start if runs.has(run, quantity) else None


def _unit(quantity: str, run: Trajectory) -> str:
    return {"age": "years", "BMI": "kg/m2"}.get(quantity) or runs.shown(run, quantity).unit
