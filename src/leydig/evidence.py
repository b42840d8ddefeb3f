"""Published trials as data, and the references behind everything that runs.

A trial is one YAML file in ``data/trials/``: who the men were, what the arms took (as protocol text), what was
measured with which assay, where each figure stands in the paper and how it was seen. The role says whether a fit may
see the study (calibration), whether it is only compared with (validation), or neither; it holds for the whole study.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from leydig.bibliography import UNUSABLE, Reference, bibliography, cite, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.evidence_records import (
    RELATIVE,
    Allocation,
    Assay,
    Condition,
    Control,
    Count,
    Criterion,
    Population,
    Quantity,
    Reported,
    Role,
    Seen,
    Statistic,
    Strict,
    StudyDesign,
    Years,
    assay_name,
)
from leydig.files import DATA, read_yaml

__all__ = [
    "RELATIVE", "Allocation", "Arm", "Assay", "Condition", "Control", "Criterion", "Outcome", "Population",
    "Quantity", "Reference", "Reported", "Role", "Seen", "Statistic", "StudyDesign", "Trial", "Years",
    "bibliography", "cite", "load_trial", "trial", "trials",
]  # fmt: skip

LATEST_DAY = 36_525  # a century: no trial lasts longer
PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Outcome(Reported):
    """One result of an arm on one day."""

    quantity: Quantity
    day: Annotated[float, Field(ge=0, le=LATEST_DAY)]
    where: str
    seen: Seen
    moment: bool = False  # sampled at this time after the last dose: no mean of a day
    against: str | None = None  # the arm with which a contrast is formed: difference, or ratio for a ratio
    fit: bool = True  # false: recorded but not scored
    why: str | None = None  # why it is not scored

    @model_validator(mode="after")
    def complete(self) -> Self:
        """The unit belongs to the quantity, and an unscored outcome says why."""
        self.check_unit(self.quantity)
        if not self.fit and not self.why:
            raise InputError('an outcome with "fit: false" needs "why"')
        return self

    @property
    def canonical(self) -> float:
        """The value in the canonical unit of its quantity; a relative statistic (ratio, percent) as printed."""
        return self.convert(self.quantity, self.value)


class Arm(Strict):
    """One group of men and what they took."""

    name: str
    n: Count | None = None
    baseline: dict[Quantity, Reported] = Field(default_factory=dict)
    protocol: str
    outcomes: list[Outcome] = Field(default_factory=list)

    @model_validator(mode="after")
    def baseline_units(self) -> Self:
        """Every baseline stands in a unit of its quantity and is absolute."""
        for quantity, reported in self.baseline.items():
            if reported.statistic not in {"mean", "median"}:
                raise unknown("statistic of a baseline", reported.statistic, ("mean", "median"), f"baseline.{quantity}")
            reported.check_unit(quantity)
        return self

    def canonical_baseline(self) -> dict[str, float]:
        """The baseline values in canonical units."""
        return {quantity: reported.convert(quantity, reported.value) for quantity, reported in self.baseline.items()}


def _plain_key(key: str) -> str:
    """The key, when it is a plain word: it names files and stands in tables."""
    if not PLAIN_KEY.fullmatch(key):
        raise InputError("a key is made of 1 to 80 of the letters A to Z and a to z, digits, _ and -")
    return key


class Trial(Strict):
    """One published study."""

    key: Annotated[str, AfterValidator(_plain_key)]
    citation: str
    title: str
    verification: Seen
    role: Role
    reason: str
    shares_men_with: list[str] = Field(default_factory=list)
    population: Population
    design: StudyDesign = StudyDesign()
    assay: dict[Quantity, Annotated[Assay, BeforeValidator(assay_name)]] = Field(default_factory=dict)
    sensitive: list[Quantity] = Field(default_factory=list)  # whose assay quantified less than its kind usually does
    arms: Annotated[list[Arm], Field(min_length=1)]
    assumptions: list[str] = Field(default_factory=list)
    deviations: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def arms_fit_together(self) -> Self:
        """Arm names are unique and a contrast names another arm."""
        names = [arm.name for arm in self.arms]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f'two arms have the name "{name}"')
        for arm in self.arms:
            for outcome in arm.outcomes:
                if outcome.against is not None and outcome.against not in set(names) - {arm.name}:
                    others = [name for name in names if name != arm.name]
                    raise unknown("arm", outcome.against, others, f'"against" of arm "{arm.name}"')
        return self

    def outcomes(self) -> list[tuple[Arm, Outcome]]:
        """Every outcome with its arm, in the order of the file."""
        return [(arm, outcome) for arm in self.arms for outcome in arm.outcomes]


def load_trial(path: Path | str) -> Trial:
    """The trial in any file, also one outside the package; InputError in one sentence when it is not one."""
    path = Path(path)
    content = read_yaml(path)
    try:
        return Trial.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, path.name, Trial) from error


@cache
def _keys() -> tuple[str, ...]:
    """The keys of the package's trials."""
    return tuple(sorted(path.stem for path in (DATA / "trials").glob("*.yaml")))


@cache
def trial(key: str) -> Trial:
    """A trial of the package; its references and the studies that it shares men with are checked."""
    if key not in _keys():
        raise unknown("trial", key, _keys(), "data/trials")
    where = f"{key}.yaml"
    loaded = load_trial(DATA / "trials" / where)
    if loaded.key != key:
        raise InputError(f'the key "{loaded.key}" of {where} must be the name of its file')
    if reference(loaded.citation, f"citation of {where}").verification in UNUSABLE and loaded.role != "none":
        raise InputError(f'{where} rests on "{loaded.citation}", which nobody has seen; its role must be none')
    for other in loaded.shares_men_with:
        if other not in _keys() or other == key:
            raise unknown("trial", other, [name for name in _keys() if name != key], f"shares_men_with of {where}")
    return loaded


def trials(role: Role | None = None) -> list[Trial]:
    """The trials of the package with this role, or all of them, in alphabetical order of their keys."""
    if role not in (None, "calibration", "validation", "none"):
        raise unknown("role", role, ("calibration", "validation", "none"))
    return [loaded for loaded in map(trial, _keys()) if role is None or loaded.role == role]
