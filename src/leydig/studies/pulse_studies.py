"""Published pulses and rhythms as records, and data/pulse_studies.yaml that holds them."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml
from leydig.parameters import Strict
from leydig.pharmacology.protocol import Protocol
from leydig.population_prior import centers

FILE = "pulse_studies.yaml"
MINUTES_PER_HOUR, HOURS_PER_DAY, DAY_BEGINS = 60.0, 24.0, 8.0  # the clock hour of time 0
NORMAL_95 = 1.959964

STATISTICS = Literal[
    "pulses", "interval", "amplitude", "amplitude over nadir", "peak over nadir", "highest", "mean", "burst mass",
    "burst mass over mean", "CV of pulses", "CV of interval", "CV of mean", "CV of amplitude", "CV within a day",
    "CV of samples", "limit of change", "first over mean", "fall from begin to end", "least fall", "16:00 over 08:00",
    "peak hour", "slowest hour", "lag", "correlation",
]  # fmt: skip
QUANTITIES = Literal["LH", "FSH", "testosterone", "free_testosterone", "estradiol"]
DETECTORS = Literal["Cluster", "Santen-Bardin", "rise of 20 %", "bursts"]
SPREADS = Literal["SEM", "SD", "CI95", "range", "none"]
Kind = Literal["measured", "derived", "assumed"]


class Setting(Strict):
    """A number of this check, with where it comes from."""

    value: float
    kind: Kind
    source: str
    note: str = ""
    unit: str = "1"


class Series(Strict):
    """Men, what they took, and when blood was drawn."""

    condition: str = "eugonadal"
    ages: tuple[float, float]
    n: Annotated[int, Field(ge=1)] | None = None  # as published
    protocol: str | None = None
    day: Annotated[float, Field(ge=0)] = 0.0
    start: Annotated[float, Field(ge=0, lt=24)] = DAY_BEGINS  # clock hour of the first sample
    hours: Annotated[float, Field(gt=0)]
    every: Annotated[float, Field(gt=0)]  # min
    records: Annotated[int, Field(ge=1)] = 1  # days in a row

    @property
    def first_hour(self) -> float:
        """When sampling begins, h since the beginning of day 0."""
        return self.day * HOURS_PER_DAY + (self.start - DAY_BEGINS) % HOURS_PER_DAY


class Printed(Strict):
    """The denominator of a published ratio."""

    of: str
    value: float
    spread: float | None = None


class Figure(Strict):
    """One published figure."""

    statistic: STATISTICS
    quantity: QUANTITIES
    of: str
    value: float
    unit: str = ""
    per: float | None = None  # h, of a number of pulses
    spread: float | tuple[float, float] | None = None
    spread_kind: SPREADS = "none"
    over: Printed | None = None
    used: bool | None = None  # None: as the study
    called: str = ""

    @model_validator(mode="after")
    def whole(self) -> Self:
        """A spread has a kind, and an absolute number of pulses a time in which they were counted."""
        if (self.spread is None) != (self.spread_kind == "none"):
            raise InputError(f"the {self.statistic} of {self.of} has a spread without its kind, or the reverse")
        if isinstance(self.spread, tuple) != (self.spread_kind in ("CI95", "range")):
            raise InputError(f"the spread of the {self.statistic} of {self.of} does not fit its kind")
        if self.statistic == "pulses" and self.over is None and self.per is None:
            raise InputError(f'the number of pulses of {self.of} lacks "per"')
        return self

    @property
    def published(self) -> float:
        """The value, or the ratio of the two printed values."""
        return self.value if self.over is None else self.value / self.over.value

    def error(self, series: dict[str, Series]) -> float | None:
        """Standard error of the published figure; None where none was printed."""
        if isinstance(self.spread, tuple):
            low, high = self.spread
            return (high - low) / (2 * NORMAL_95) if self.spread_kind == "CI95" else None
        if self.spread is None:
            return None
        error = self._of_mean(self.spread, series[self.of].n)
        if self.over is None:
            return error
        if self.over.spread is None:
            return None
        below = self._of_mean(self.over.spread, series[self.over.of].n)
        return float(self.published * np.hypot(error / self.value, below / self.over.value))

    def _of_mean(self, spread: float, n: int | None) -> float:
        return spread / float(np.sqrt(n or 1)) if self.spread_kind == "SD" else spread


class Study(Strict):
    """What one publication measured."""

    source: str
    used: bool
    printed: str  # how pulses were found there
    detector: DETECTORS
    note: str = ""
    series: Annotated[dict[str, Series], Field(min_length=1)]
    figures: tuple[Figure, ...]


class Said(Strict):
    """What a publication says, in words."""

    source: str
    says: str


class Compared(Strict):
    """Two series, each as source.series."""

    of: str
    over: str


class Conflict(Strict):
    """A question that studies answer differently."""

    question: str
    published: tuple[Said, ...]
    compare: tuple[Compared, ...]
    model: str


class Left(Strict):
    """A published figure that is not compared."""

    source: str
    figure: str
    because: str


class Settling(Strict):
    """Where the minutes are compared with the slow model."""

    subjects: tuple[str, ...]
    protocols: tuple[str, ...]  # "none" is no treatment
    settle: Setting
    compare: Setting
    seeds: Setting


class PulseStudies(Strict):
    """The whole file."""

    seed: int
    men: Setting
    warm_up: Setting
    assay: dict[str, Setting]
    tolerance: Setting
    tolerance_hours: Setting
    settling: Settling
    studies: tuple[Study, ...]
    conflicts: tuple[Conflict, ...]
    cannot_run: tuple[Left, ...]
    unscored: tuple[Left, ...]

    def series(self, place: str) -> tuple[Study, Series]:
        """A study and one of its series by source.series."""
        source, _, name = place.partition(".")
        for study in self.studies:
            if study.source == source and name in study.series:
                return study, study.series[name]
        places = [f"{study.source}.{name}" for study in self.studies for name in study.series]
        raise unknown("series", place, places, FILE)


@cache
def pulse_studies() -> PulseStudies:
    """The published figures of the package; InputError in one sentence when something in the file does not hold."""
    try:
        found = PulseStudies.model_validate(read_yaml(DATA / FILE))
    except ValidationError as error:
        raise from_pydantic(error, FILE, PulseStudies) from error
    for study in found.studies:
        if reference(study.source, FILE).verification in UNUSABLE:
            raise InputError(f'{FILE} compares with "{study.source}", which nobody has seen')
        for series in study.series.values():
            centers.condition_named(series.condition, FILE)
            if series.protocol is not None:
                Protocol.parse(series.protocol)
        for figure in study.figures:
            for name in (figure.of, *([figure.over.of] if figure.over else [])):
                if name not in study.series:
                    raise unknown("series", name, study.series, f"{study.source} of {FILE}")
    for conflict in found.conflicts:
        for said in conflict.published:
            reference(said.source, FILE)
        for pair in conflict.compare:
            found.series(pair.of), found.series(pair.over)
    for left in (*found.cannot_run, *found.unscored):
        reference(left.source, FILE)
    return found
