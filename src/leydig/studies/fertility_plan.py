"""What the virtual trials of men's fertility are: data/fertility_trials.yaml, checked."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.evidence import Criterion, Quantity
from leydig.files import DATA, read_yaml
from leydig.parameters import ASSUMED, Strict
from leydig.pharmacology.protocol import Protocol
from leydig.population_prior.records import Sourced
from leydig.studies.mixture import mixture_text, read_mixture
from leydig.studies.trial_records import Men

FILE = "fertility_trials.yaml"
DAYS_PER_WEEK = 7
NOTHING = "nothing"  # the name of no drug


class Count(Sourced):
    """How many, and why."""

    value: Annotated[int, Field(ge=0)]
    unit: str


class Days(Sourced):
    """Days on which men are seen, and why."""

    values: Annotated[tuple[float, ...], Field(min_length=1)]
    unit: str


class Clinic(Sourced):
    """Who comes, before anybody is let in."""

    condition: str

    @field_validator("condition")
    @classmethod
    def known_condition(cls, text: str) -> str:
        return mixture_text(read_mixture(text))


class Drug(Sourced):
    """What is taken, as protocol text."""

    protocol: str

    @field_validator("protocol")
    @classmethod
    def readable(cls, text: str) -> str:
        assert Protocol.parse(text)
        return text


class Group(Sourced):
    """Whose semen: men, the drugs that they are followed under, and when; the same men under each and under nothing."""

    men: Men
    drugs: tuple[str, ...]
    visits: tuple[float, ...] = ()  # d; those of the plan where there are none
    above: tuple[float, ...] = ()  # 10^6/mL, whose shares of men are shown
    couples: bool = False  # whether chances of conception are shown


class Expected(Strict):
    """The ratio of counts that is published of such men on these drugs."""

    group: str
    drugs: Annotated[tuple[str, ...], Field(min_length=1)]
    low: float
    high: float
    says: str
    source: tuple[str, ...] | str


class Share(Strict):
    """A published share of men, %, above a limit or by a time."""

    limit: float | None = None  # 10^6/mL
    by: float | None = None  # months
    share: float
    low: float | None = None
    high: float | None = None
    source: str


class Induction(Strict):
    """Published counts of men without gonadotropins who were given them."""

    trial: str
    day: float
    above: tuple[Share, ...]


class Months(Strict):
    """A published median time to a limit, months, with its 95 % interval."""

    months: float
    limit: float  # 10^6/mL
    low: float
    high: float
    source: str


class Recovery(Sourced):
    """Men given testosterone for some weeks, then nothing or something, until their sperm are back."""

    men: Men
    given: str
    weeks: tuple[int, ...]
    treated_after: int  # weeks after which something is given
    afterwards: dict[str, str]  # protocol text by name
    followed: int  # weeks
    sampled_every: int  # weeks
    limits: tuple[float, ...]  # 10^6/mL
    published: tuple[Months, ...]
    published_shares: tuple[Share, ...]

    def text(self, weeks: int, afterwards: str = NOTHING) -> str:
        """The whole course as protocol text."""
        stopped = f"{self.given} for {weeks} weeks"
        if afterwards == NOTHING:
            return stopped
        parts = (part.strip() for part in self.afterwards[afterwards].split("+"))
        return " + ".join([stopped, *(f"{part} from week {weeks} for {self.followed} weeks" for part in parts)])

    @property
    def courses(self) -> tuple[tuple[int, str], ...]:
        """Weeks of testosterone and what follows."""
        alone = tuple((weeks, NOTHING) for weeks in self.weeks)
        return (*alone, *((self.treated_after, name) for name in self.afterwards))


class Couple(Sourced):
    """The other half of a couple, about whom nobody knows anything."""

    partner_age: Annotated[float, Field(gt=0)]
    months_trying: Annotated[float, Field(ge=0)]


class Pregnancies(Strict):
    """What a paper prints of pregnancies."""

    who: str
    gave: str
    says: str
    source: str


class Unscored(Strict):
    """A figure that its trial's file holds unscored."""

    trial: str
    arm: str
    quantity: Quantity


class Supposed(Strict):
    """Limits that no paper printed, on the reading that is printed as baseline."""

    trial: str
    arm: str
    criteria: tuple[Criterion, ...]
    note: str


class Series(Strict):
    """Which published figures are split."""

    drugs: tuple[str, ...]
    semen: tuple[Quantity, ...]
    hormones: tuple[Quantity, ...]
    also: tuple[Unscored, ...]
    supposed: tuple[Supposed, ...]
    left_out: dict[str, str]  # trial: why


class Plan(Strict):
    """data/fertility_trials.yaml."""

    draws: Count
    men: Count
    seed: Count
    visits: Days
    clinic: Clinic
    drugs: dict[str, Drug]
    groups: dict[str, Group]
    expected: tuple[Expected, ...]
    induction: Induction
    recovery: Recovery
    couples: dict[str, Couple]
    pregnancies: tuple[Pregnancies, ...]
    series: Series

    @model_validator(mode="after")
    def whole(self) -> Self:
        """Names exist, and sources were seen."""
        for name, group in self.groups.items():
            for drug in group.drugs:
                if drug not in self.drugs:
                    raise unknown("drug", drug, self.drugs, f"groups.{name}")
        for one in self.expected:
            if one.group not in self.groups:
                raise unknown("group", one.group, self.groups, "expected")
            for drug in one.drugs:
                if drug not in self.groups[one.group].drugs:
                    raise unknown("drug", drug, self.groups[one.group].drugs, f'expected of "{one.group}"')
        for key in sorted(self.sources() - {ASSUMED}):
            if reference(key, FILE).verification in UNUSABLE:
                raise InputError(f'{FILE} rests on "{key}", which nobody has seen')
        return self

    def sources(self) -> set[str]:
        """Keys of all references."""
        entries = (*self.drugs.values(), *self.groups.values(), *self.couples.values(), self.clinic, self.recovery)
        keys = {key for entry in entries for key in entry.source}
        keys |= {one.source for one in self.recovery.published}
        keys |= {one.source for one in (*self.recovery.published_shares, *self.induction.above)}
        keys |= {one.source for one in self.pregnancies}
        for one in self.expected:
            keys |= {one.source} if isinstance(one.source, str) else set(one.source)
        return keys

    def days(self, group: str) -> tuple[float, ...]:
        """When the men of a group are seen after day 0."""
        return self.groups[group].visits or self.visits.values


@cache
def plan() -> Plan:
    """The plan of the package; InputError in one sentence when the file cannot be used."""
    try:
        return Plan.model_validate(read_yaml(DATA / FILE))
    except ValidationError as error:
        raise from_pydantic(error, FILE, Plan) from error
