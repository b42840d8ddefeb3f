"""Published findings that contradict one another, and what was collected but could not be used."""

from __future__ import annotations

from functools import cache
from typing import Annotated, NamedTuple, Self

from pydantic import Field, ValidationError, model_validator

from leydig.errors import InputError, from_pydantic, unknown
from leydig.evidence import Arm, Outcome, Quantity, Trial, trial
from leydig.files import DATA, read_yaml
from leydig.literature.entries import distributions
from leydig.literature.records import Distribution, DistributionNumber, Group, Strict

CONFLICTS, LEFT_OUT = "conflicts.yaml", "evidence_left_out.yaml"


class Named(Strict):
    """The name of a figure: of a trial by arm, quantity and day, or of a distribution by group and quantity."""

    trial: str | None = None
    arm: str | None = None
    day: float | None = None
    distribution: str | None = None
    group: str | None = None
    quantity: Quantity

    @model_validator(mode="after")
    def names_one_figure(self) -> Self:
        """Either a trial with arm and day, or a distribution with its group."""
        of_trial = (self.trial, self.arm, self.day)
        of_men = (self.distribution, self.group)
        if None not in of_trial and of_men == (None, None):
            return self
        if None not in of_men and of_trial == (None, None, None):
            return self
        raise InputError('a figure needs "trial", "arm" and "day", or "distribution" and "group"')


class Side(Strict):
    """One of the findings."""

    says: str
    figures: Annotated[list[Named], Field(min_length=1)]


class Conflict(Strict):
    """Findings that contradict one another, told in one sentence."""

    name: str
    what: str
    sides: Annotated[list[Side], Field(min_length=2)]


class LeftOut(Strict):
    """A study that was collected and is not in the evidence base."""

    id: str
    noted: str  # how it was cited where it was collected
    reason: str


class OfTrial(NamedTuple):
    """A figure of a trial."""

    trial: Trial
    arm: Arm
    outcome: Outcome


class OfMen(NamedTuple):
    """A figure of a distribution."""

    distribution: Distribution
    group: Group
    number: DistributionNumber


class _Conflicts(Strict):
    conflicts: list[Conflict]


class _LeftOuts(Strict):
    studies: list[LeftOut]


@cache
def conflicts() -> tuple[Conflict, ...]:
    """Every conflict, in the order of the file; InputError when a figure that one names does not exist."""
    content = read_yaml(DATA / CONFLICTS)
    try:
        found = _Conflicts.model_validate(content).conflicts
    except ValidationError as error:
        raise from_pydantic(error, CONFLICTS, _Conflicts) from error
    for conflict in found:
        if not conflict.what.endswith(".") or conflict.what.count(". ") > 0:
            raise InputError(f'the conflict "{conflict.name}" of {CONFLICTS} must be told in one sentence')
        for side in conflict.sides:
            for named in side.figures:
                figures_named(named, f'"{conflict.name}" of {CONFLICTS}')
    return tuple(found)


def figures_named(named: Named, where: str = CONFLICTS) -> list[OfTrial | OfMen]:
    """The figures of this name, several where one group or day has more than one; InputError when there is none."""
    if named.trial is not None:
        return list(_of_trial(named, where))
    return list(_of_men(named, where))


def _of_trial(named: Named, where: str) -> list[OfTrial]:
    study = trial(str(named.trial))
    arms = {arm.name: arm for arm in study.arms}
    if named.arm not in arms:
        raise unknown("arm", named.arm, arms, f"{study.key}, {where}")
    arm = arms[str(named.arm)]
    found = [outcome for outcome in arm.outcomes if (outcome.quantity, outcome.day) == (named.quantity, named.day)]
    if not found:
        there = sorted({f"{outcome.quantity} on day {outcome.day:g}" for outcome in arm.outcomes})
        raise unknown("figure", f"{named.quantity} on day {named.day:g}", there, f"{study.key}, {where}")
    return [OfTrial(study, arm, outcome) for outcome in found]


def _of_men(named: Named, where: str) -> list[OfMen]:
    known = distributions()
    if named.distribution not in known:
        raise unknown("distribution", named.distribution, known, where)
    entry = known[str(named.distribution)]
    groups = [group for group in entry.groups if group.name == named.group]
    if not groups:
        raise unknown("group", named.group, [group.name for group in entry.groups], f"{entry.key}, {where}")
    found = [
        OfMen(entry, group, number) for group in groups for number in group.figures if number.quantity == named.quantity
    ]
    if not found:
        there = sorted({number.quantity for group in groups for number in group.figures})
        raise unknown("quantity", named.quantity, there, f'group "{named.group}" of {entry.key}, {where}')
    return found


@cache
def left_out() -> tuple[LeftOut, ...]:
    """What was collected and left out, in alphabetical order, each with the reason."""
    content = read_yaml(DATA / LEFT_OUT)
    try:
        found = _LeftOuts.model_validate(content).studies
    except ValidationError as error:
        raise from_pydantic(error, LEFT_OUT, _LeftOuts) from error
    names = [study.id for study in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f'"{name}" stands twice in {LEFT_OUT}')
    return tuple(found)
