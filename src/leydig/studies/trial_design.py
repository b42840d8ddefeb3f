"""A virtual trial as a person designs it: men, arms, visits, what is missed, and what is analysed how.

One YAML file, read as plain data; data/designs holds commented examples that open by name. ``trial_words`` reads the
words in it, ``trial_run`` lets men through it, ``trial`` analyses what was printed of them.
"""

from __future__ import annotations

from functools import cache, cached_property
from itertools import permutations
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import Field, ValidationError, model_validator

from leydig import laboratory
from leydig.errors import InputError, from_pydantic, nearest, unknown
from leydig.evidence import Quantity
from leydig.files import DATA, read_yaml
from leydig.parameters import Strict
from leydig.pharmacology.protocol import Protocol
from leydig.physiology.fertility import DAYS_PER_YEAR
from leydig.studies.trial_records import Adherence, Arm, Crossover, Men, Missing, Outcome
from leydig.studies.trial_words import Count, Days, Share, Text

DESIGNS = DATA / "designs"
MOST_MEN, MOST_ARMS, MOST_VISITS, MOST_REPLICATES = 100_000, 10, 200, 100_000
FEWEST_REPLICATES = 20
LONGEST_RUN_IN_YEARS = 10
MOST_CROSSED = 3  # arms of a crossover: every order of them is a sequence
FEWEST_IN_AN_ARM = 2  # or no spread could be told


class Contrast(NamedTuple):
    """One number that the trial estimates: an outcome of one arm, against another or within it."""

    outcome: Outcome
    arm: int
    against: int | None
    day: float  # within its period


class Design(Strict):
    """A virtual trial."""

    name: Annotated[Text, Field(min_length=1, max_length=200)]
    about: Text = ""
    population: Men
    n: Annotated[Count, Field(ge=FEWEST_IN_AN_ARM, le=MOST_MEN)]  # randomised in all
    arms: Annotated[tuple[Arm, ...], Field(min_length=1, max_length=MOST_ARMS)]
    run_in: Text = ""  # what everybody takes until baseline
    visits: Days
    crossover: Crossover | None = None
    assay: dict[Quantity, str] = Field(default_factory=dict)
    adherence: Adherence = Adherence()
    dropout: Annotated[Share, Field(le=0.9)] = 0.0  # who has left by the last visit
    missing: Missing = "available"  # readings after he left: absent, the last one carried forward, or completers only
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1)]
    replicates: Annotated[Count, Field(ge=FEWEST_REPLICATES, le=MOST_REPLICATES)] = 1000

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        """Names are unique and exist, days can be had, and every group is large enough."""
        names = [arm.name for arm in self.arms]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f'two arms have the name "{name}"')
        if sum(arm.control for arm in self.arms) > 1:
            raise InputError('two arms have "control: true"; one can be the control')
        if self.crossover is not None and not 2 <= len(names) <= MOST_CROSSED:
            raise InputError(f"a crossover has 2 or {MOST_CROSSED} arms, not {len(names)}")
        shared = [arm.name for arm in self.arms if "share" in arm.model_fields_set]
        if self.crossover is not None and shared:
            raise InputError(f'every man of a crossover takes all arms; leave out "share" of the arm "{shared[0]}"')
        if self.run_in and self._run_in.duration_days is None:
            raise InputError(f'the run-in "{self.run_in}" has no end; write how long it is, as in "none for 4 weeks"')
        if self.run_in_days > DAYS_PER_YEAR * LONGEST_RUN_IN_YEARS:
            raise InputError(f'the run-in "{self.run_in}" is too long; it may last {LONGEST_RUN_IN_YEARS} years')
        if len(self.days) > MOST_VISITS:
            raise InputError(f"the trial has {len(self.days)} visits; at most {MOST_VISITS} can be kept")
        for quantity, assay in self.assay.items():
            _check_assay(quantity, assay)
        if min(self.counts()) < FEWEST_IN_AN_ARM:
            raise InputError(
                f"{self.n} men are too few for {len(self.sequences)} groups; each needs at least {FEWEST_IN_AN_ARM}"
            )
        for contrast in self.contrasts:
            if contrast.outcome.analysis == "ancova" and (contrast.against is None or self.crossover is not None):
                raise InputError("ancova compares two parallel arms; give one as against, or analyse the change")
            if contrast.outcome.of == "means" and self.crossover is not None:
                raise InputError('a crossover compares each man with himself; leave out "of: means"')
        return self

    @property
    def _run_in(self) -> Protocol:
        return Protocol.parse(self.run_in)

    @property
    def run_in_days(self) -> float:
        """How long before baseline the men take the run-in."""
        return float(self._run_in.duration_days or 0.0) if self.run_in else 0.0

    # Time ------------------------------------------------------------------------------------------

    @cached_property
    def visit_days(self) -> tuple[float, ...]:
        """Days of one period at which men are seen: 0, the visits, and the days of outcomes."""
        extra = (outcome.day for outcome in self.outcomes if outcome.day is not None)
        return tuple(sorted({0.0, *self.visits, *extra}))

    @property
    def period_days(self) -> float:
        """Length of one period; of a parallel trial, of all."""
        return self.visit_days[-1]

    @cached_property
    def starts(self) -> tuple[float, ...]:
        """The days on which periods begin."""
        if self.crossover is None:
            return (0.0,)
        return tuple(k * (self.period_days + self.crossover.washout_days) for k in range(len(self.arms)))

    @cached_property
    def days(self) -> tuple[float, ...]:
        """Every visit of the whole course, rising from 0, which is baseline."""
        return tuple(sorted({start + day for start in self.starts for day in self.visit_days}))

    @property
    def horizon(self) -> float:
        """The last day."""
        return self.days[-1]

    # Groups ----------------------------------------------------------------------------------------

    @cached_property
    def sequences(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The groups that men are randomised to: name, and what they take period by period as numbers of arms."""
        if self.crossover is None:
            return tuple((arm.name, (place,)) for place, arm in enumerate(self.arms))
        orders = permutations(range(len(self.arms)))
        return tuple((" then ".join(self.arms[place].name for place in order), order) for order in orders)

    def counts(self, n: int | None = None) -> tuple[int, ...]:
        """Men per group of a trial of n men (default: its own number), by largest remainder."""
        total = self.n if n is None else n
        shares = [self.arms[order[0]].share if self.crossover is None else 1.0 for _, order in self.sequences]
        exact = [total * share / sum(shares) for share in shares]
        found = [int(number) for number in exact]
        most = sorted(range(len(exact)), key=lambda place: found[place] - exact[place])
        for place in most[: total - sum(found)]:
            found[place] += 1
        return tuple(found)

    def total(self, per_arm: int) -> int:
        """Men in all where so many take each arm (of unequal shares: on average)."""
        return per_arm if self.crossover is not None else per_arm * len(self.arms)

    def per_arm(self, n: int) -> float:
        """Men who take each arm of a trial of n men; of unequal shares: on average."""
        return n / self.total(1)

    @property
    def most_per_arm(self) -> int:
        """The most men per arm of a trial that can be analysed."""
        return MOST_MEN // self.total(1)

    @property
    def least_per_arm(self) -> int:
        """The fewest men per arm of a trial that can be analysed."""
        return FEWEST_IN_AN_ARM * (len(self.sequences) if self.crossover is not None else 1)

    def changed(self, **new: int) -> Design:
        """The same design with other numbers, checked again; InputError in one sentence."""
        try:
            # of the fields as they are: what was left out stays left out
            return Design.model_validate({**{name: getattr(self, name) for name in self.model_fields_set}, **new})
        except ValidationError as error:
            raise from_pydantic(error, self.name, Design) from error

    # What is analysed ------------------------------------------------------------------------------

    @cached_property
    def contrasts(self) -> tuple[Contrast, ...]:
        """Every number that is estimated, outcome by outcome."""
        names = [arm.name for arm in self.arms]
        control = next((place for place, arm in enumerate(self.arms) if arm.control), None)
        found = []
        for number, outcome in enumerate(self.outcomes):
            where = f"outcomes[{number}]"
            for role, name in (("arm", outcome.arm), ("against", outcome.against)):
                if name is not None and name not in names:
                    raise unknown("arm", name, names, f"{where}.{role}")
            of = None if outcome.arm is None else names.index(outcome.arm)
            named = names.index(outcome.against) if outcome.against is not None else None
            against = named if "against" in outcome.model_fields_set else control if control != of else None
            if against is not None and against == of:
                raise InputError(f'{where} compares the arm "{outcome.arm}" with itself')
            places = [of] if of is not None else [place for place in range(len(names)) if place != against]
            if not places:
                raise InputError(f'{where} compares the only arm "{names[0]}" with itself; leave out against')
            day = self.visit_days[-1] if outcome.day is None else outcome.day
            found += [Contrast(outcome, place, against, day) for place in places]
        return tuple(found)

    @property
    def primary(self) -> tuple[int, ...]:
        """Places of the primary contrasts: those so marked, else those of the first outcome."""
        marked = tuple(place for place, one in enumerate(self.contrasts) if one.outcome.primary)
        return marked or tuple(k for k, one in enumerate(self.contrasts) if one.outcome is self.outcomes[0])

    @property
    def quantities(self) -> tuple[str, ...]:
        """What must be printed for the outcomes."""
        return tuple(dict.fromkeys(outcome.quantity for outcome in self.outcomes))

    @property
    def uncontrolled(self) -> bool:
        """Whether a change is looked at within an arm, so that the same men untreated are of interest."""
        return any(one.against is None for one in self.contrasts)

    @property
    def wants_untreated(self) -> bool:
        """Whether readings of the same men untreated are needed: for a change within an arm, for a crossover's null."""
        return self.uncontrolled or self.crossover is not None

    @property
    def drugs(self) -> tuple[str, ...]:
        """Names of all that is given."""
        plans = [arm.plan.protocol for arm in self.arms] + ([self._run_in] if self.run_in else [])
        return tuple(dict.fromkeys(name for plan in plans for name in plan.drugs))


def _check_assay(quantity: str, assay: str) -> None:
    """Refuse an assay that the quantity is not measured with."""
    if quantity in laboratory.DENSITIES:
        if assay not in laboratory.DEVICES:
            raise unknown("device", assay, laboratory.DEVICES, f"assay.{quantity}")
    else:
        laboratory.assay_named(assay, f"assay.{quantity}")


@cache
def bundled() -> tuple[str, ...]:
    """The names of the designs that come with the package."""
    return tuple(sorted(path.stem for path in DESIGNS.glob("*.yaml")))


def load_design(path: Path | str) -> Design:
    """The design in a file; InputError in one sentence when it is none. A published trial is told apart."""
    path = Path(path)
    content = read_yaml(path)
    if {"key", "citation"} <= set(content):
        raise InputError(f"{path.name} is a published trial, not a design; leydig reproduce {path} runs it")
    try:
        return Design.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, path.name, Design) from error


def open_design(name: Path | str) -> Design:
    """A bundled design by name, or the design of a file by path."""
    if str(name) in bundled():
        return load_design(DESIGNS / f"{name}.yaml")
    if Path(name).exists():
        return load_design(name)
    if (DATA / "trials" / f"{Path(name).name}.yaml").is_file():
        raise InputError(f'"{name}" is a published trial; leydig reproduce {name} runs published trials')
    guess = nearest(str(name), bundled())
    question = f'; did you mean "{guess}"? Bundled' if guess else "; bundled"
    raise InputError(f'there is no file "{name}" and no bundled design of that name{question}: {", ".join(bundled())}')
