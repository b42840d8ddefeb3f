"""The parts of a virtual trial's design: men, arms, what is missed, and the outcomes; ``trial_design`` joins them."""

from __future__ import annotations

from functools import cached_property
from math import sqrt
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from leydig import ranges
from leydig.errors import InputError, unknown
from leydig.evidence import Criterion, Reported
from leydig.parameters import Strict
from leydig.studies.mixture import mixture_text, read_mixture
from leydig.studies.titrate import Plan, planned
from leydig.studies.trial_words import (
    PERCENT,
    Day,
    Number,
    Share,
    Text,
    measurable,
    number_not_bool,
    readable,
    rules_named,
)
from leydig.units import CANONICAL, check_accepted

Analysis = Literal["level", "change", "percent_change", "ratio", "responder", "ancova"]
Missing = Literal["available", "carried", "completers"]
FROM_BASELINE = {"change", "percent_change", "ratio", "ancova"}
ROUNDING = 1e-9  # of a share


Readable = Annotated[str, AfterValidator(readable)]


class Limit(Criterion):
    """A criterion on what the model has of untreated men."""

    quantity: Readable

    @field_validator("above", "below", "samples", mode="before")
    @classmethod
    def numbers(cls, value: Any) -> Any:
        """Numbers, as they are written."""
        return number_not_bool(value)


class Line(Reported):
    """A line of a baseline table."""

    @field_validator("value", "spread", "n", mode="before")
    @classmethod
    def numbers(cls, value: Any) -> Any:
        """Numbers, as they are written."""
        return number_not_bool(value)


class Men(Strict):
    """Who is let in: a condition or a mixture, ages, limits on readings, and the baseline table to be met."""

    condition: str
    ages: tuple[Number, Number] | None = None  # years
    criteria: tuple[Limit, ...] = ()
    baseline: dict[Readable, Line] = Field(default_factory=dict)

    @field_validator("condition")
    @classmethod
    def known_condition(cls, text: str) -> str:
        """The canonical text of the mixture."""
        return mixture_text(read_mixture(text))

    @model_validator(mode="after")
    def possible(self) -> Self:
        """Ages rise within what is accepted, and a baseline is a level in a unit of its quantity."""
        accepted = ranges.limits("accepted")["age"]
        if self.ages is not None and not accepted.low <= self.ages[0] < self.ages[1] <= accepted.high:
            raise InputError(
                f"the ages {self.ages[0]:g} to {self.ages[1]:g} must rise and lie between {accepted.low:g} and "
                f"{accepted.high:g} years"
            )
        for quantity, reported in self.baseline.items():
            if reported.statistic not in {"mean", "median"}:
                raise unknown("statistic of a baseline", reported.statistic, ("mean", "median"), f"baseline.{quantity}")
            reported.check_unit(quantity)
            _check_level(quantity, reported)
        age = self.baseline.get("age")
        if age is not None and self.ages is not None and not self.ages[0] <= age.value <= self.ages[1]:
            raise InputError(
                f"the {age.statistic} age of {age.value:g} years in the baseline must lie within the ages "
                f"{self.ages[0]:g} to {self.ages[1]:g}"
            )
        return self


def _check_level(quantity: str, reported: Reported) -> None:
    """Refuse a line of a baseline table that no group of men can have, besides values that no man has."""
    where, unit = f"baseline.{quantity}", CANONICAL[quantity]
    if reported.value == 0:
        raise InputError(f"{where} is 0; it must be above 0, and men without any are asked for by a criterion")
    if reported.spread == 0 or (isinstance(reported.spread, tuple) and reported.spread[0] == reported.spread[1]):
        raise InputError(f"the spread of {where} is 0; it must be above 0, or left out where it is not known")
    known = ranges.limits("accepted").get(quantity)
    if known is None or reported.spread_kind != "SD" or isinstance(reported.spread, tuple | None):
        return
    widest = (known.high - known.low) / 2  # of values of which half lie at either end
    if reported.convert(quantity, reported.spread) > widest:
        raise InputError(
            f"the SD of {where} is {reported.spread:g} {reported.unit}; it must be at most {widest:g} {unit}, which is "
            "half of what is accepted"
        )


class Arm(Strict):
    """What a group of men takes."""

    name: Annotated[Text, Field(min_length=1, max_length=80)]
    protocol: Text
    share: Annotated[Number, Field(gt=0, le=1000)] = 1.0  # of those randomised, beside the shares of the other arms
    titrate: Text | None = None  # rules that change the dose: a bundled name, or words
    control: bool = False

    @model_validator(mode="after")
    def readable(self) -> Self:
        """The protocol and its rules can be read and go together."""
        assert self.plan
        return self

    @cached_property
    def plan(self) -> Plan:
        """The protocol with what changes its doses."""
        return planned([self.protocol], None if self.titrate is None else rules_named(self.titrate))[0]


class Adherence(Strict):
    """The share of doses that a man takes."""

    taken: Share = 1.0  # mean
    between_men: Share = 0.0  # SD

    @model_validator(mode="after")
    def possible(self) -> Self:
        """The SD is one that shares of this mean can have: at most that of men who take all or nothing."""
        widest = sqrt(self.taken * (1 - self.taken))
        if self.between_men > widest + ROUNDING:
            raise InputError(
                f'"between_men" is {PERCENT * self.between_men:.3g} %; where {PERCENT * self.taken:.3g} % of doses are '
                f"taken on average, the SD between men is at most {PERCENT * widest:.3g} %"
            )
        return self


class Crossover(Strict):
    """Every man takes all arms, in an order that is drawn; visits count from the beginning of each period."""

    washout: Day = 0.0  # without any drug between two periods, d

    @property
    def washout_days(self) -> float:
        return self.washout


class Responder(Strict):
    """A man responds when his value, or his change from baseline, lies within limits."""

    of: Literal["level", "change", "percent_change"] = "level"
    above: Number | None = None
    below: Number | None = None
    unit: str

    @model_validator(mode="after")
    def has_limits(self) -> Self:
        if self.above is None and self.below is None:
            raise InputError('a responder needs "above", "below" or both')
        if self.above is not None and self.below is not None and self.above > self.below:
            raise InputError(f'the responder has "above" {self.above:g} over "below" {self.below:g}')
        if self.of == "percent_change" and self.unit != "%":
            raise unknown("unit", self.unit, ("%",), "a responder by percent_change")
        return self


class Outcome(Strict):
    """One analysis: of which quantity, when, how, of which arm against which."""

    quantity: Annotated[str, AfterValidator(measurable)]
    day: Day | None = None  # default: the last visit
    analysis: Analysis = "change"
    arm: Text | None = None  # default: every arm but the one compared with
    against: Text | None = None  # default: the control, if there is one; null: within the arm, without a comparison
    primary: bool = False
    of: Literal["men", "means"] = "men"  # percent change: mean of the men's, or of the means
    responder: Responder | None = None

    @model_validator(mode="after")
    def complete(self) -> Self:
        """A responder analysis has its limits in a unit of the quantity, and no other analysis has them."""
        if (self.analysis == "responder") != (self.responder is not None):
            raise InputError('the analysis "responder" goes with "responder: {above: …, unit: …}", and only with it')
        of = self.analysis if self.responder is None else self.responder.of
        if self.day == 0 and of in FROM_BASELINE:
            said = of if self.responder is None else f"responder by {of}"
            raise InputError(f"the analysis {said} starts from day 0, so its day must be above 0, or analyse the level")
        if self.responder is not None and self.responder.of != "percent_change":
            check_accepted(self.quantity, self.responder.unit)
        if self.of == "means" and self.analysis != "percent_change":
            raise InputError('"of: means" goes with the analysis percent_change only')
        return self
