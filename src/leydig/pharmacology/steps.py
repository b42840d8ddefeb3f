"""Steps of a course: a regimen of a drug or supplement, a pause, a change of weight. Each has one canonical text."""

from __future__ import annotations

from dataclasses import dataclass

from leydig.errors import InputError
from leydig.pharmacology import levers
from leydig.pharmacology.schedule import Continuous, Missed, Once, Schedule, Span, checked_number, write_number

PER_DAY = "/day"


@dataclass(frozen=True, slots=True)
class Pause:
    """No drug of this course, for a length of time or to the end; a weight that has changed stays where it is."""

    length: Span | None = None

    @property
    def delay(self) -> Span | None:
        return None

    def text(self, carried: str | None = None, first: bool = True) -> str:
        return f"none for {self.length.text()}" if self.length else "none"


@dataclass(frozen=True, slots=True)
class Regimen:
    """One drug or supplement in one amount on one schedule.

    ``amount`` is in ``unit``, the drug's own dose unit; for a continuous input the unit ends in "/day".
    ``delay`` passes without drug before the first dose; ``length`` counts from the first dose, and None
    means to the end of the run. The drug, its unit and the dose range are checked by ``Protocol.check``;
    a supplement (``levers.SUPPLEMENTS``) is an amount a day, and its range is checked here.
    """

    drug: str
    amount: float
    unit: str
    schedule: Schedule
    form: str | None = None
    length: Span | None = None
    delay: Span | None = None
    missed: Missed | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", checked_number(self.amount, f"the dose of {self.name}"))
        if isinstance(self.schedule, Continuous) != self.unit.endswith(PER_DAY):
            raise InputError(f'{self.name} has the unit "{self.unit}"; a continuous input, and no other, is per day')
        if self.missed and isinstance(self.schedule, Continuous | Once):
            raise InputError(f"{self.name} has no repeated doses that could be missed")
        if self.missed and self.length and self.missed.highest > self.schedule.most(self.length.hours):
            raise InputError(f'"{self.missed.text()}": {self.name} has fewer doses in {self.length.text()}')
        if self.supplement:
            levers.check_intake(self.drug, self.amount, self.unit, self.schedule, self.missed)

    @property
    def name(self) -> str:
        """The drug with its form: testosterone gel."""
        return f"{self.drug} {self.form}" if self.form else self.drug

    @property
    def supplement(self) -> bool:
        """Whether this is a lever and no drug: it has no level in blood, only an amount a day."""
        return self.drug in levers.SUPPLEMENTS

    def text(self, carried: str | None = None, first: bool = True) -> str:
        """Canonical text. ``carried`` is the drug named last in the course, which is then not repeated."""
        name = "" if self.name == carried else self.name
        parts = [name, f"{write_number(self.amount)} {self.unit}", self.schedule.text(), _wait(self.delay, first)]
        parts.append(f"for {self.length.text()}" if self.length else "")
        parts.append(self.missed.text() if self.missed else "")
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class WeightChange:
    """Body weight moves evenly by ``percent`` of the weight at day 0, over a length of time, and then stays.

    ``delay`` passes before it begins. Several changes, in one course or side by side, add up.
    """

    percent: float  # below 0 for a loss
    over: Span
    delay: Span | None = None

    def __post_init__(self) -> None:
        sign = -1.0 if self.percent < 0 else 1.0
        object.__setattr__(self, "percent", sign * checked_number(abs(self.percent), "a weight change in %"))
        low, high = levers.limits().accepted
        if not low <= self.percent <= high:
            raise InputError(
                f"a weight change of {self.percent:+g} % is outside the accepted range, {low:+g} to {high:+g} %"
            )

    @property
    def length(self) -> Span:
        return self.over

    def text(self, carried: str | None = None, first: bool = True) -> str:
        sign = "+" if self.percent > 0 else ""
        wait = _wait(self.delay, first)
        return f"weight {sign}{write_number(self.percent)} % over {self.over.text()}{' ' if wait else ''}{wait}"


Step = Regimen | Pause | WeightChange


def _wait(delay: Span | None, first: bool) -> str:
    """What the text says of the time before a step; the first step counts from day 0."""
    if delay is None:
        return ""
    return f"from {delay.unit} {write_number(delay.count)}" if first else f"after {delay.text()}"


def gap_in(step: Step, following: Step) -> str | None:
    """Why ``following`` cannot come after ``step``, or None when it can."""
    if step.length:
        return None
    if isinstance(step, Regimen) and isinstance(step.schedule, Once):
        if following.delay:
            return None
        return 'a single dose before "then" needs "for 4 weeks", or the next step "after 4 weeks"'
    return 'the step before "then" never ends; say for how long, such as "for 12 weeks"'
