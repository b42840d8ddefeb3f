"""data/credibility.yaml as records: the fixed words of the credibility report, none of them a result."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from leydig.bibliography import reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml
from leydig.parameters import Strict
from leydig.pharmacology import drugs
from leydig.quantities import CANONICAL
from leydig.studies.comparison import settings

FILE = "credibility.yaml"
Rating = Literal["low", "medium", "high"]
RATINGS: tuple[Rating, ...] = ("low", "medium", "high")
Sentence = Annotated[str, Field(min_length=1)]
TestPath = Annotated[str, Field(pattern=r"^tests/\S+\.py(::\w+)*$")]
Share = Annotated[float, Field(gt=0, le=1)]


CheckName = Literal[
    "kinetics", "physiology", "generated", "second-solver", "order", "sbml", "scores", "recruitment", "house", "input"
]  # fmt: skip


class Judged(Strict):
    """A rating and why."""

    rating: Rating
    because: Sentence


class Needs(Strict):
    """What a use of the model asks of the evidence."""

    drugs: Annotated[tuple[str, ...], Field(min_length=1)]
    conditions: Annotated[tuple[str, ...], Field(min_length=1)]
    outcomes: Annotated[tuple[str, ...], Field(min_length=1)]
    until: Annotated[float, Field(gt=0)]  # d


class Context(Strict):
    """A context of use."""

    name: Sentence
    asks: Sentence
    role: Sentence
    not_for: Annotated[tuple[Sentence, ...], Field(min_length=1)]
    influence: Judged
    consequence: Judged
    impact: Judged
    appropriate: Sentence
    needs: Needs

    @property
    def risk(self) -> Rating:
        """The higher of influence and consequence."""
        return max(self.influence.rating, self.consequence.rating, key=RATINGS.index)


class Check(Strict):
    """Tests of the project that verify one thing."""

    name: CheckName
    what: Sentence
    tests: Annotated[tuple[TestPath, ...], Field(min_length=1)]


class Again(Strict):
    """A second run with other random numbers."""

    seed: Annotated[int, Field(ge=1)]
    trials: Annotated[tuple[str, ...], Field(min_length=2)]


class Drivers(Strict):
    """A prediction whose uncertainty is traced to parameters; ``quantities`` with the day of their change."""

    protocol: Sentence
    conditions: Annotated[tuple[str, ...], Field(min_length=1)]
    quantities: Annotated[dict[str, float], Field(min_length=1)]
    draws: Annotated[int, Field(ge=10)]
    men: Annotated[int, Field(ge=1)]
    shown: Annotated[int, Field(ge=1)]


class Level(Strict):
    """A limit of a criterion."""

    value: Annotated[float, Field(gt=0)]
    unit: Sentence
    note: Sentence


class Levels(Strict):
    """The limits of the criteria by which factors are graded."""

    time_step: Level
    second_solver: Level
    shift: Level
    flipped: Level
    groups: Level
    printed: Level
    drawn: Level
    identified: Level
    kind_inside: Level
    kind_figures: Level
    baseline: Level
    baseline_lines: Level
    cells: Level


class Criterion(Strict):
    """A criterion of a factor that nothing computes."""

    factor: Sentence
    says: Sentence
    met: bool


class Spot(Strict):
    """A part of the evidence that is looked at apart."""

    what: Sentence
    drugs: Annotated[tuple[str, ...], Field(min_length=1)]
    conditions: tuple[str, ...] = ()
    quantities: Annotated[tuple[str, ...], Field(min_length=1)]


class Limit(Strict):
    """What bounds every result."""

    limit: Sentence
    page: str | None = None
    tests: tuple[TestPath, ...] = ()


class Durations(Strict):
    """Where short, middle and long end and begin."""

    value: tuple[float, float]
    unit: Literal["d"]
    kind: Literal["assumed"]
    source: Literal["assumed"]
    note: Sentence


class Judgement(Strict):
    """What kind of statement ratings and limits are."""

    kind: Literal["assumed"]
    source: Literal["assumed"]
    note: Sentence


class Intervals(Strict):
    """What is in the intervals and what is not."""

    holds: Annotated[tuple[Sentence, ...], Field(min_length=1)]
    leaves_out: Annotated[tuple[Sentence, ...], Field(min_length=1)]


class Prose(Strict):
    """The whole file."""

    frameworks: tuple[str, ...]
    judgement: Judgement
    question: Sentence
    model: Sentence
    contexts: Annotated[tuple[Context, ...], Field(min_length=1)]
    outcomes: dict[str, tuple[str, ...]]
    families: dict[str, tuple[str, ...]]
    durations: Durations
    checks: Annotated[tuple[Check, ...], Field(min_length=1)]
    emergence: Annotated[tuple[TestPath, ...], Field(min_length=1)]
    again: Again
    drivers: Drivers
    timed: Annotated[tuple[str, ...], Field(min_length=1)]
    levels: Levels
    judged: tuple[Criterion, ...]
    intervals: Intervals
    spots: tuple[Spot, ...]
    limits: Annotated[tuple[Limit, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def known(self) -> Self:
        """Every name exists."""
        for key in self.frameworks:
            reference(key, f"frameworks of {FILE}")
        kinds = [kind for some in self.outcomes.values() for kind in some]
        if sorted(kinds) != sorted(settings()["domains"]):
            raise InputError(f"outcomes of {FILE} must hold every kind of figure of calibration.yaml once")
        for context in self.contexts:
            for name in context.needs.outcomes:
                if name not in self.outcomes:
                    raise unknown("outcome", name, self.outcomes, f"the context {context.name}")
        for spot in self.spots:
            for quantity in spot.quantities:
                if quantity not in CANONICAL:
                    raise unknown("quantity", quantity, CANONICAL, f"spots of {FILE}")
        return self

    def outcome(self, domain: str) -> str:
        """The outcome that a kind of figure counts under."""
        return next(name for name, kinds in self.outcomes.items() if domain in kinds)

    def family(self, drug: str) -> str:
        """The family that a drug counts under; what is no drug is its own."""
        if drug not in drugs.catalogue():
            return drug
        return next((name for name, kinds in self.families.items() if drugs.get(drug).kind in kinds), "other")


@cache
def prose() -> Prose:
    """data/credibility.yaml; InputError in one sentence when it cannot be used."""
    return load(DATA / FILE)


def load(path: Path) -> Prose:
    """A file like it."""
    try:
        return Prose.model_validate(read_yaml(path))
    except ValidationError as error:
        raise from_pydantic(error, path.name, Prose) from error
