"""What a drug file declares, and the checks that it declares it completely.

One file in data/drugs is one drug: its names, its dose, its forms, its compartments with their
parameters, the channel it drives, and the published figures it is held against. A drug that is a
mixture of others declares what it contains instead of compartments: its doses are doses of those.
Everything else (closed forms, exported models, the table in the documentation) is derived from
that declaration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from leydig import parameters as parameter_files
from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import read_yaml
from leydig.parameters import Entry, Parameter
from leydig.units import check_unit

PER_DAY = "/day"
REST = "1 - "  # before a parameter's name in a share: what that parameter leaves

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class Strict(BaseModel):
    """A record that refuses unknown keys and numbers that are not finite, and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Channel(Strict):
    """What the model reads of the drug."""

    name: str
    unit: Literal["ng/mL", "ug/mL", "IU/L", "ng/mL/h", "nmol/h"]
    meaning: str


class Dose(Strict):
    """What may be given, in ``unit``; ``units`` says how much one of each accepted unit is in ``unit``."""

    unit: Literal["mg", "ug", "IU", "mg/day", "ug/day"]
    units: Mapping[str, Positive] = {}
    accepted: tuple[NotNegative, Positive]
    usual: tuple[NotNegative, Positive]

    @field_validator("units")
    @classmethod
    def _same_kind(cls, units: Mapping[str, float], info: Any) -> Mapping[str, float]:
        own = info.data.get("unit", "")
        if any(unit.endswith(PER_DAY) != own.endswith(PER_DAY) for unit in units):
            raise InputError("units of a dose are either all per day or none")
        return {own: 1.0, **units}

    @model_validator(mode="after")
    def _nested(self) -> Self:
        (low, high), (usual_low, usual_high) = self.accepted, self.usual
        if not low <= usual_low < usual_high <= high:
            raise InputError("the usual range must lie within the accepted range, both ascending")
        return self


class Form(Strict):
    """A way to give the drug: the compartments that a dose enters, each with the factors of its share."""

    route: str
    into: Mapping[str, tuple[str, ...]] = {}  # nothing of its own for a mixture


class FlowRule(Strict):
    """First-order flow by a rate constant (1/h), or by a clearance (L/h) over the volume of its source."""

    source: Annotated[str, Field(alias="from")]
    target: Annotated[str | None, Field(alias="to")] = None
    rate: str | None = None
    clearance: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.rate is None) == (self.clearance is None):
            raise InputError(f"the flow from {self.source} needs either a rate or a clearance")
        return self


class Output(Strict):
    """How compartments make the channel: one's concentration, what leaves all of them by a rate, or the dose rate."""

    concentration_in: str | None = None
    leaving: bool = False
    as_given: bool = False
    per_volume: str | None = None
    molar_mass: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.concentration_in is not None) + self.leaving + self.as_given != 1:
            raise InputError("the output is exactly one of concentration_in, leaving, as_given")
        return self


class Blood(Strict):
    """How an input is read against published concentrations; the model has its own kinetics of the hormone."""

    clearance: str
    volume: str
    molar_mass: str  # of the hormone, where the dose is an ester


class Regimen(Strict):
    """What was given when a figure was seen."""

    amount: Positive
    form: str | None = None
    every: Positive | None = None  # h; None = a single dose
    doses: Annotated[int, Field(gt=0)] | None = None  # how many; None with ``every`` = for ever
    duration: NotNegative = 0.0  # h, how long each dose runs
    at: NotNegative | None = None  # h, when it was seen, where the quantity needs a moment
    window: tuple[NotNegative, Positive] | None = None  # h after the last dose, for a half-life


class Figure(Strict):
    """A published figure, the regimen it was seen under, and whether this declaration reproduces it."""

    quantity: str
    value: Positive
    unit: str
    spread: Positive | None = None  # in ``unit``; what kind it is, ``spread_kind`` says
    spread_kind: Literal["SD", "range", "CI90"] = "SD"  # of a range and an interval the half-width is given
    outcome: Literal["reproduced", "missed"]
    source: str
    where: str
    seen: Literal["fulltext", "abstract", "secondary"]
    regimen: Regimen
    constituent: str | None = None  # which drug of a mixture was measured
    note: str = ""

    @field_validator("unit")
    @classmethod
    def _known(cls, unit: str) -> str:
        return check_unit(unit)


class Medicine(Strict):
    """What every file declares: names, dose, forms, parameters, and the figures it is held against."""

    name: str
    synonyms: tuple[str, ...]
    kind: Annotated[str, Field(alias="class")]
    dose: Dose
    forms: Annotated[Mapping[str, Form], Field(min_length=1)]
    default_form: str
    entries: Annotated[Mapping[str, Entry], Field(alias="parameters")]
    published: tuple[Figure, ...] = ()
    unmeasured: str = ""  # why there is no figure, where there is none
    note: str = ""

    @model_validator(mode="after")
    def _held(self) -> Self:
        if bool(self.published) == bool(self.unmeasured):
            raise InputError(
                f'{self.name} needs either published figures or "unmeasured", which says why there are none'
            )
        return self

    @property
    def continuous(self) -> bool:
        """Whether the dose is a rate that runs for a time (patch, infusion)."""
        return self.dose.unit.endswith(PER_DAY)

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Its parameters by name."""
        return {
            name: Parameter.model_construct(**(dict(entry) | {"name": name, "system": self.name}))
            for name, entry in self.entries.items()
        }

    def used_parameters(self) -> set[str]:
        """Every parameter that its forms need."""
        return _parameters_in(share for form in self.forms.values() for share in form.into.values())


class Drug(Medicine):
    """A drug with kinetics of its own."""

    channel: Channel
    compartments: Mapping[str, str | None]  # its volume parameter; None where no concentration is meant
    flows: tuple[FlowRule, ...]
    output: Output
    in_blood: Blood | None = None
    equations: str | None = None  # system of parameters and equations that hold the rest of its kinetics

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Its parameters by name: its own and those of its equations."""
        shared = parameter_files.load(self.equations) if self.equations else {}
        return {**shared, **super().parameters}

    def used_parameters(self) -> set[str]:
        """Every parameter that the compartments, or the reading of published figures, need."""
        names = {volume for volume in self.compartments.values() if volume}
        names |= {name for flow in self.flows for name in (flow.rate, flow.clearance) if name}
        names |= {name for name in (self.output.per_volume, self.output.molar_mass) if name}
        names |= set(self.in_blood.model_dump().values()) if self.in_blood else set()
        return names | super().used_parameters()


class Mixture(Medicine):
    """A drug that is several others in one dose; each constituent with the factors of its share."""

    contains: Annotated[Mapping[str, tuple[str, ...]], Field(min_length=2)]

    def used_parameters(self) -> set[str]:
        return super().used_parameters() | _parameters_in(self.contains.values())


def _parameters_in(shares: Iterable[tuple[str, ...]]) -> set[str]:
    return {factor.removeprefix(REST) for share in shares for factor in share}


def share(factors: Iterable[str], numbers: Mapping[str, float]) -> float:
    """The product of the factors of a share, where "1 - name" is what that parameter leaves."""
    product = 1.0
    for factor in factors:
        value = numbers[factor.removeprefix(REST)]
        product *= 1.0 - value if factor.startswith(REST) else value
    return product


def read_file(path: Path) -> Drug | Mixture:
    """The drug that a file declares; InputError in one sentence when it cannot be used."""
    content = read_yaml(path)
    kind = Mixture if isinstance(content, dict) and "contains" in content else Drug
    try:
        drug = kind.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, path.name, kind) from error
    if isinstance(drug, Drug):
        _check_kinetics(drug, path.name)
    _check(drug, path.name)
    return drug


def _check_kinetics(drug: Drug, where: str) -> None:
    """Every compartment that is named exists, and has a volume where a clearance needs one."""
    named = {end for flow in drug.flows for end in (flow.source, flow.target) if end}
    named |= {depot for form in drug.forms.values() for depot in form.into}
    named |= {drug.output.concentration_in} if drug.output.concentration_in else set()
    for compartment in sorted(named - set(drug.compartments)):
        raise unknown("compartment", compartment, drug.compartments, where)
    for flow in drug.flows:
        if flow.clearance and not drug.compartments[flow.source]:
            raise InputError(f"{where}: the clearance from {flow.source} needs a volume there")
    for name, form in drug.forms.items():
        if not form.into:
            raise InputError(f"{where}: the form {name} enters no compartment")


def _check(drug: Drug | Mixture, where: str) -> None:
    """Every parameter that is used exists, every one that exists is used, and every source has been seen."""
    if drug.default_form not in drug.forms:
        raise unknown("form", drug.default_form, drug.forms, f"default_form of {where}")
    parameters, used = drug.parameters, drug.used_parameters()
    for name in sorted(used - set(parameters)):
        raise unknown("parameter", name, parameters, where)
    for name in sorted(set(drug.entries) - used):
        raise InputError(f"{where} declares the parameter {name}, which nothing uses")
    for name, entry in drug.entries.items():
        if entry.value is None or entry.value < 0:
            raise InputError(f"parameters.{name} of {where} must be 0 or above")
        for key in entry.source:
            _seen(key, entry.kind, f"parameters.{name} of {where}")
    constituents = drug.contains if isinstance(drug, Mixture) else {}
    for i, figure in enumerate(drug.published):
        _seen(figure.source, "measured", f"published[{i}] of {where}")
        if (figure.constituent is not None or constituents) and figure.constituent not in constituents:
            raise unknown("constituent", figure.constituent, constituents, f"published[{i}] of {where}")


def _seen(key: str, kind: str, where: str) -> None:
    source = reference(key, where)
    if kind in {"measured", "derived"} and source.verification in UNUSABLE:
        raise InputError(f'{where} rests on "{key}", which nobody has seen (verification: {source.verification})')
