"""Published trials as data, and the references behind everything that runs.

A trial is one YAML file in ``data/trials/``: who the men were, what the arms took (as protocol text), what was
measured with which assay, where each figure stands in the paper and how it was seen. The role says whether a fit may
see the study (calibration), whether it is only compared with (validation), or neither; it holds for the whole study.
"""

from __future__ import annotations

from functools import cache
from math import inf
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from leydig.bibliography import UNUSABLE, Reference, bibliography, cite, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml
from leydig.units import CANONICAL, check_accepted, to_canonical

__all__ = ["Arm", "Outcome", "Reference", "Reported", "Trial", "bibliography", "cite", "load_trial", "trial", "trials"]

Role = Literal["calibration", "validation", "none"]
Seen = Literal["fulltext", "abstract", "secondary"]
Assay = Literal["LC-MS/MS", "immunoassay", "RIA", "unknown"]
Condition = Literal[
    "eugonadal",
    "obese-hypogonadal",
    "ageing-low-testosterone",
    "primary-failure",
    "hypogonadotropic",
    "oligozoospermic-subfertile",
    "aromatase-deficient",
    "aromatase-excess",
    "agonadal",
]
Allocation = Literal["randomised", "not-randomised", "single-group", "cross-section", "pooled", "unknown"]
Control = Literal["placebo", "untreated", "active", "dose", "none", "unknown"]
Statistic = Literal["mean", "median", "ratio", "percent_change", "change", "percent_of"]

# Statistics that are relative, and the units that they may be written in.
RELATIVE = {"ratio": ("1",), "percent_change": ("%",), "percent_of": ("%",)}


def _known_quantity(name: str) -> str:
    """The name, when it is a quantity."""
    if name not in CANONICAL:
        raise unknown("quantity", name, CANONICAL)
    return name


def _assay_name(name: Any) -> Any:
    """The full name of an assay; LC-MS is short for LC-MS/MS."""
    return "LC-MS/MS" if name == "LC-MS" else name


Quantity = Annotated[str, AfterValidator(_known_quantity)]
Count = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Reported(_Strict):
    """One printed figure with its spread."""

    value: float
    unit: str
    statistic: Statistic = "mean"
    spread: float | tuple[float, float] | None = None  # SD and SEM: one number; CI95 and IQR: lower and upper limit
    spread_kind: Literal["SD", "SEM", "CI95", "IQR", "none"] = "none"
    n: Count | None = None
    where: str | None = None
    seen: Seen | None = None
    note: str | None = None

    @model_validator(mode="after")
    def spread_fits_its_kind(self) -> Self:
        """A spread has a kind, and an interval has two limits in order."""
        if (self.spread is None) != (self.spread_kind == "none"):
            raise InputError("a spread needs a spread_kind and a spread_kind needs a spread")
        if self.spread_kind in {"CI95", "IQR"}:
            if not isinstance(self.spread, tuple):
                raise InputError(f"the spread of kind {self.spread_kind} is a list of its lower and upper limit")
            if self.spread[0] > self.spread[1]:
                raise InputError("the lower limit of a spread must not lie above the upper")
        elif isinstance(self.spread, tuple):
            raise InputError(f"the spread of kind {self.spread_kind} is one number")
        elif self.spread is not None and self.spread < 0:
            raise InputError("a spread must not be negative")
        return self

    def check_unit(self, quantity: str) -> None:
        """Refuse a unit in which this statistic of this quantity cannot be written."""
        if self.statistic in RELATIVE:
            if self.unit not in RELATIVE[self.statistic]:
                raise unknown("unit", self.unit, RELATIVE[self.statistic], f"a {self.statistic} of {quantity}")
        else:
            check_accepted(quantity, self.unit)

    def convert(self, quantity: str, number: float) -> float:
        """A number in this figure's unit in the canonical unit of the quantity; relative figures stay as they are."""
        return number if self.statistic in RELATIVE else to_canonical(quantity, number, self.unit)


class Outcome(Reported):
    """One result of an arm on one day."""

    quantity: Quantity
    day: Annotated[float, Field(ge=0)]
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


class Arm(_Strict):
    """One group of men and what they took."""

    name: str
    n: Count | None = None
    baseline: dict[Quantity, Reported] = {}
    protocol: str
    outcomes: list[Outcome] = []

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


Years = Annotated[float, Field(ge=0, le=120)]


class Criterion(_Strict):
    """A limit that a man's readings had to keep for him to be let in; both limits belong to what is allowed.

    ``visit`` says which reading: one of its own before baseline ("screening"), or the baseline reading itself, so
    that what a paper prints as the change contains regression to the mean.
    """

    quantity: Quantity
    above: float | None = None
    below: float | None = None
    unit: str
    samples: Annotated[int, Field(ge=1, le=10)] = 1  # whose mean is compared
    visit: Literal["screening", "baseline"] = "screening"
    assay: Annotated[Assay, BeforeValidator(_assay_name)] | None = None  # where it is not the trial's own
    note: str | None = None

    @model_validator(mode="after")
    def has_limits(self) -> Self:
        """There is a limit, in a unit of the quantity, and some value keeps both."""
        check_accepted(self.quantity, self.unit)
        if self.above is None and self.below is None:
            raise InputError(f'the criterion on {self.quantity} needs "above", "below" or both')
        if self.above is not None and self.below is not None and self.above > self.below:
            raise InputError(f'the criterion on {self.quantity} has "above" {self.above:g} over "below" {self.below:g}')
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """Lower and upper limit in the canonical unit."""
        low = -inf if self.above is None else to_canonical(self.quantity, self.above, self.unit)
        high = inf if self.below is None else to_canonical(self.quantity, self.below, self.unit)
        return low, high


class Population(_Strict):
    """Who the men were."""

    text: str
    n: Count | None = None
    age: Years | None = None  # mean
    age_sd: Annotated[float, Field(ge=0, le=40)] | None = None  # between men, years
    ages: tuple[Years, Years] | None = None  # lowest and highest that were let in
    BMI: Annotated[float, Field(ge=10, le=80)] | None = None  # mean, kg/m2
    BMI_sd: Annotated[float, Field(ge=0, le=20)] | None = None  # between men, kg/m2
    condition: Condition | None = None
    inclusion: list[str] = []  # as the paper words it
    criteria: list[Criterion] = []  # of these, the limits on what the model has


class StudyDesign(_Strict):
    """How the groups came about and what they were compared with."""

    allocation: Allocation = "unknown"
    control: Control = "unknown"
    crossover: bool = False


class Trial(_Strict):
    """One published study."""

    key: str
    citation: str
    title: str
    verification: Seen
    role: Role
    reason: str
    shares_men_with: list[str] = []
    population: Population
    design: StudyDesign = StudyDesign()
    assay: dict[Quantity, Annotated[Assay, BeforeValidator(_assay_name)]] = {}
    sensitive: list[Quantity] = []  # whose assay quantified less than its kind usually does
    arms: Annotated[list[Arm], Field(min_length=1)]
    assumptions: list[str] = []
    deviations: list[str] = []

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
