"""The reader of what a titration rule does: doses and actions; ``titration_text`` states the grammar."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from leydig.errors import InputError
from leydig.pharmacology.product import Product, known_products
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.protocol_words import HOW_OFTEN, UNIT_SPELLINGS, Token, guess
from leydig.pharmacology.schedule import NUMBER_LIMITS
from leydig.pharmacology.titration_actions import (
    Action,
    Add,
    Keep,
    Multiply,
    Restart,
    SetDose,
    StepDown,
    StepUp,
    Stop,
    by_percent,
)
from leydig.pharmacology.visits_text import VisitReader

LOWERING, RAISING = ("reduce", "lower", "cut"), ("raise", "increase")
SETTINGS = ("results", "steps", "lowest", "highest")
ACTION_WORDS = (
    *("halve the dose", "double the dose", "reduce", "raise", "multiply the dose by"),
    *("halve", "double", "step up", "step down", "stop", "restart", "change nothing"),
)
ACTIONS = '"halve the dose", "reduce the dose by 25 %", "1 mg", "step up", "step down", "stop", "change nothing"'
DOSE = 'a dose, such as "1 mg" or "0.5 mg twice weekly"'
AFTER_DOSE = (";", ",", ":", ")", *SETTINGS)
WHICH_DRUG = 'the drug stands before the colon, as in "titrate anastrozole at week 6: if ..."'
PERCENT = ("%", "percent")


class ActionReader(VisitReader):
    """Reads tokens from left to right; one method for each rule of the grammar."""

    # Actions ------------------------------------------------------------------------------------

    def action(self) -> Action:
        self.takes("give", "take", "set")
        start = self.token
        if start and start.number:
            return self.dose()
        try:
            return self.worded_action()
        except InputError as error:
            if str(error).startswith(self.subject):
                raise
            self.fail(start, str(error))

    def worded_action(self) -> Action:
        if self.takes("halve"):
            self.the_dose()
            return Multiply(0.5)
        if self.takes("double"):
            self.the_dose()
            return Multiply(2)
        if self.word in (*LOWERING, *RAISING):
            return self.moved(-1 if self.take().word in LOWERING else 1)
        if self.takes("multiply"):
            self.the_dose()
            self.by()
            return Multiply(self.number("a factor"))
        if self.takes("step"):
            return self.step()
        if self.takes("stop"):
            if self.takes("the"):
                self.dose_itself()
            return Stop()
        if self.takes("restart"):
            return self.restart()
        if self.takes("change") and self.takes("nothing"):
            return Keep()
        self.expect(f"what is done: {ACTIONS}", ACTION_WORDS)

    def the_dose(self) -> None:
        self.takes("the")
        self.dose_itself()

    def dose_itself(self) -> None:
        if not self.takes("dose", "drug"):
            hint = f"; {WHICH_DRUG}" if self.word in known_products(None) else guess(self.word, ("dose",))
            self.expect(f'"the dose"{hint}')

    def by(self) -> None:
        if not self.takes("by"):
            self.expect('"by" and how much, as in "by 25 %"', ("by",))

    def moved(self, sign: int) -> Action:
        self.the_dose()
        self.by()
        start, number = self.token, self.number('how much, such as "25 %" or "25 mg"')
        if number <= 0:
            self.fail(start, "by how much must be above 0")
        if self.takes(*PERCENT):
            if sign < 0 and number >= 100:
                raise InputError('a dose cannot be reduced by 100 % or more; write "stop"')
            return Multiply(by_percent(sign * number))
        return Add(sign * number, self.dose_unit()[0])

    def step(self) -> Action:
        if self.takes("up"):
            return StepUp()
        if not self.takes("down"):
            self.expect('"up" or "down"', ("up", "down"))
        if not self.takes("or"):
            return StepDown()
        if not self.takes("stop"):
            self.expect('"stop"', ("stop",))
        return StepDown(or_stop=True)

    def restart(self) -> Action:
        if not self.takes("at", "with"):
            return Restart()
        if self.takes("half"):
            self.the_dose()
            return Restart(0.5)
        after = self.following()
        if not (after and after.word in (*PERCENT, "of")):
            return Restart(dose=self.dose())
        number = self.number('a share of the dose, such as "50 %"')
        share = float(Fraction(repr(number)) / 100) if self.takes(*PERCENT) else number
        if not self.takes("of"):
            self.expect('"of the dose"', ("of",))
        self.the_dose()
        return Restart(share)

    # Doses --------------------------------------------------------------------------------------

    def dose(self) -> SetDose:
        start, amount = self.token, self.number(DOSE)
        place = self.token
        unit, period = self.dose_unit()
        said: list[Token] = []
        while self.token and self.word not in AFTER_DOSE:
            said.append(self.take())
        often = " ".join(token.text for token in said)
        if not often and not period:
            return self._checked(start, amount, unit, None)
        first = said[0] if said else place
        product = Product("drug", None, unit, {unit: 1.0}, NUMBER_LIMITS, NUMBER_LIMITS)
        try:
            regimen = Protocol.parse(f"drug 1 {unit}{period} {often}", {"drug": product}).regimens[0]
        except InputError as error:
            what = str(error).partition(": ")[2] or str(error)
            self.fail(first, what if often else f"expected {DOSE}")
        if often and regimen.text() != f"drug 1 {unit} {regimen.schedule.text()}":
            self.fail(first, "a dose of a rule has an amount and how often it is taken, nothing else")
        return self._checked(start, amount, unit, regimen.schedule)

    def _checked(self, start: Token | None, amount: float, unit: str, schedule: Any) -> SetDose:
        try:
            return SetDose(amount, unit, schedule)
        except InputError as error:
            self.fail(start, str(error))

    def dose_unit(self) -> tuple[str, str]:
        """The unit of a dose, and "/day" or the like where it is written with it."""
        written, slash, period = self.word.partition("/")
        if written not in UNIT_SPELLINGS:
            candidates = dict.fromkeys(UNIT_SPELLINGS.values())
            self.expect(f"the unit of a dose: {', '.join(candidates)}", (*candidates, *HOW_OFTEN))
        self.take()
        return UNIT_SPELLINGS[written], slash + period
