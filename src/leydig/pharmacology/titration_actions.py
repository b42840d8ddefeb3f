"""What a titration rule does to a dose. Every action is immutable and has one canonical text.

    Multiply(0.5)              halve the dose
    Add(-25, "mg")             reduce the dose by 25 mg
    SetDose(1, "mg")           1 mg                       with a schedule also "1 mg twice weekly"
    StepUp(), StepDown()       step up, step down         to the next of the steps of the rule set, by amount a day
    StepDown(or_stop=True)     step down or stop          stop where there is no lower step
    Stop()                     stop                       after it only Restart acts
    Restart(0.5)               restart at 50 % of the dose, which is the last one before the stop
    Restart(dose=SetDose(..))  restart at 0.5 mg
    Keep()                     change nothing

What raises never lowers and what lowers never raises: a dose beyond the highest one stays when a rule asks for more.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, NamedTuple

from leydig.errors import InputError
from leydig.pharmacology.levers import intake
from leydig.pharmacology.product import Product, refused
from leydig.pharmacology.protocol_words import UNIT_SPELLINGS
from leydig.pharmacology.schedule import Continuous, Once, PerDay, Schedule, checked_number, write_number
from leydig.pharmacology.steps import PER_DAY

DIGITS = 9  # of a computed dose, so that two ways to one dose meet
SAME = 1e-9  # relative difference of doses that are one


class Prescription(NamedTuple):
    """What he is told to take of the titrated drug; ``stopped`` keeps the dose from before the stop."""

    amount: float  # in the drug's own unit
    schedule: Schedule
    stopped: bool = False

    @property
    def daily(self) -> float:
        """The mean amount a day."""
        return self.amount if isinstance(self.schedule, Continuous) else intake(self.amount, self.schedule)

    def words(self, unit: str) -> str:
        """1 mg twice weekly; stopped."""
        return "stopped" if self.stopped else f"{write_number(self.amount)} {unit} {self.schedule.text()}".strip()


@dataclass(frozen=True, slots=True)
class SetDose:
    """A dose as written; without a schedule it keeps the one that there is."""

    restarts: ClassVar[bool] = False
    amount: float
    unit: str  # mg, IU, ...
    schedule: Schedule | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", checked_number(self.amount, "a dose"))
        if isinstance(self.schedule, Once | Continuous):
            raise InputError(f'the dose "{self.text()}" of a rule must be repeated, such as "1 mg daily"')

    def text(self) -> str:
        return f"{write_number(self.amount)} {self.unit}{f' {self.schedule.text()}' if self.schedule else ''}"

    def prescription(self, product: Product, now: Schedule) -> Prescription:
        """The dose of this drug; InputError for another unit, a dose that is refused, a schedule it cannot have."""
        amount = amount_of(product, self.amount, self.unit)
        schedule = self.schedule or now
        if product.continuous:
            if self.schedule not in (None, PerDay(1)):
                raise InputError(f'{product.name} runs without pause; write its rate, such as "1 {product.unit}"')
            schedule = Continuous()
        if not product.accepted[0] <= amount <= product.accepted[1]:
            raise InputError(refused(product, amount))
        return Prescription(amount, schedule)

    def after(self, now: Prescription, within: Latitude) -> Prescription:
        return now if now.stopped else self.prescription(within.product, now.schedule)


def amount_of(product: Product, amount: float, unit: str) -> float:
    """An amount in the product's own unit."""
    spelled = UNIT_SPELLINGS.get(unit.lower(), unit)
    if spelled not in product.units:
        allowed = " or ".join(name.removesuffix(PER_DAY) for name in product.units)
        raise InputError(f'{product.name} is dosed in {allowed}, not in "{unit}"')
    return float(Fraction(repr(float(amount))) * Fraction(repr(float(product.units[spelled]))))


class Latitude(NamedTuple):
    """Within what a rule set may move the dose of one drug."""

    product: Product
    steps: tuple[Prescription, ...]  # increasing by amount a day
    own_schedules: bool  # whether the steps say how often they are taken, or keep the schedule that there is
    low: float  # a dose
    high: float

    def steps_from(self, now: Prescription) -> tuple[Prescription, ...]:
        """The steps of a man who takes this."""
        return self.steps if self.own_schedules else tuple(step._replace(schedule=now.schedule) for step in self.steps)


@dataclass(frozen=True, slots=True)
class Multiply:
    """The dose times a factor."""

    restarts: ClassVar[bool] = False
    factor: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", checked_number(self.factor, "the factor of a dose"))
        if self.factor == 1:
            raise InputError('the factor of a dose is 1; for no change write "change nothing"')

    def text(self) -> str:
        if self.factor in (0.5, 2):
            return "halve the dose" if self.factor < 1 else "double the dose"
        percent = round(abs(self.factor - 1) * 100, 6)
        sign = -1 if self.factor < 1 else 1
        if percent and by_percent(sign * percent) == self.factor:
            return f"{'reduce' if sign < 0 else 'raise'} the dose by {write_number(percent)} %"
        return f"multiply the dose by {write_number(self.factor)}"

    def after(self, now: Prescription, within: Latitude) -> Prescription:
        return _moved(now, now.amount * self.factor, within)


def by_percent(percent: float) -> float:
    """The factor of a change by some percent."""
    return float(1 + Fraction(repr(float(percent))) / 100)


@dataclass(frozen=True, slots=True)
class Add:
    """The dose plus an amount, or less it."""

    restarts: ClassVar[bool] = False
    amount: float  # below 0 for less
    unit: str

    def __post_init__(self) -> None:
        size = checked_number(abs(self.amount), "the change of a dose")
        object.__setattr__(self, "amount", -size if self.amount < 0 else size)

    def text(self) -> str:
        return f"{'reduce' if self.amount < 0 else 'raise'} the dose by {write_number(abs(self.amount))} {self.unit}"

    def after(self, now: Prescription, within: Latitude) -> Prescription:
        size = amount_of(within.product, abs(self.amount), self.unit)
        return _moved(now, now.amount + (size if self.amount > 0 else -size), within)


def _moved(now: Prescription, amount: float, within: Latitude) -> Prescription:
    """The dose moved towards an amount, as far as it may go."""
    if now.stopped:
        return now
    if amount > now.amount:
        moved = max(now.amount, min(amount, within.high))
    else:
        moved = min(now.amount, max(amount, within.low))
    return now if moved == now.amount else now._replace(amount=rounded(moved))


def rounded(amount: float) -> float:
    return float(f"{amount:.{DIGITS}g}")


@dataclass(frozen=True, slots=True)
class StepUp:
    """The next step that is more a day; nothing where there is none."""

    restarts: ClassVar[bool] = False

    def text(self) -> str:
        return "step up"

    def after(self, now: Prescription, within: Latitude) -> Prescription:
        if now.stopped:
            return now
        return next((step for step in within.steps_from(now) if step.daily > now.daily * (1 + SAME)), now)


@dataclass(frozen=True, slots=True)
class StepDown:
    """The next step that is less a day; where there is none, nothing or a stop."""

    restarts: ClassVar[bool] = False
    or_stop: bool = False

    def text(self) -> str:
        return f"step down{' or stop' if self.or_stop else ''}"

    def after(self, now: Prescription, within: Latitude) -> Prescription:
        if now.stopped:
            return now
        steps = reversed(within.steps_from(now))
        lowest = now._replace(stopped=self.or_stop)
        return next((step for step in steps if step.daily < now.daily * (1 - SAME)), lowest)


@dataclass(frozen=True, slots=True)
class Stop:
    """No further doses, until a rule restarts the drug."""

    restarts: ClassVar[bool] = False

    def text(self) -> str:
        return "stop"

    def after(self, now: Prescription, within: Latitude) -> Prescription:
        return now._replace(stopped=True)


@dataclass(frozen=True, slots=True)
class Restart:
    """The drug again after a stop: at a share of the last dose, or at a dose. It acts on a stopped drug only."""

    restarts: ClassVar[bool] = True
    factor: float = 1.0
    dose: SetDose | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", checked_number(self.factor, "the share of a dose"))
        if self.dose and self.factor != 1:
            raise InputError("a restart is at a share of the last dose or at a dose, not both")

    def text(self) -> str:
        if self.dose:
            return f"restart at {self.dose.text()}"
        if self.factor == 1:
            return "restart"
        percent = round(self.factor * 100, 6)
        exact = float(Fraction(repr(percent)) / 100) == self.factor
        return f"restart at {f'{write_number(percent)} %' if exact else write_number(self.factor)} of the dose"

    def after(self, now: Prescription, within: Latitude) -> Prescription:
        if not now.stopped:
            return now
        if self.dose:
            return self.dose.prescription(within.product, now.schedule)
        return _moved(now._replace(stopped=False), now.amount * self.factor, within)


@dataclass(frozen=True, slots=True)
class Keep:
    """No change; as the first rule that holds it keeps later rules from acting."""

    restarts: ClassVar[bool] = False

    def text(self) -> str:
        return "change nothing"

    def after(self, now: Prescription, within: Latitude) -> Prescription:
        return now


Action = Multiply | Add | SetDose | StepUp | StepDown | Stop | Restart | Keep
