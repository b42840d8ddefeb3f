"""Levers in plain words: a change of weight, the supplements as products, and the refusal of what is not modelled."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from leydig.errors import InputError, nearest
from leydig.pharmacology import levers
from leydig.pharmacology.product import Catalogue, Product
from leydig.pharmacology.protocol_words import DELAYS, Cursor, fail, quote, tokens
from leydig.pharmacology.schedule import NUMBER_LIMITS
from leydig.pharmacology.steps import WeightChange

WEIGHT = ("weight", "bodyweight")
SIGNS = {"+": 1, "-": -1, "−": -1, "–": -1}
DIRECTIONS = {"loss": -1, "gain": 1}
PERCENT = ("%", "percent")
OVER = ("over", "in", "within")
CHANGE = f"a weight change in % of the weight at day 0, such as {levers.EXAMPLE}"


@cache
def supplements() -> dict[str, Product]:
    """Supplements by lower-case name. Their range is per day, so it is the regimen that checks it."""
    found: dict[str, Product] = {}
    for name, lever in levers.file().supplements.items():
        units = {lever.unit: 1.0, **lever.units}
        product = Product(name, None, lever.unit, units, NUMBER_LIMITS, NUMBER_LIMITS)
        found |= dict.fromkeys((name.lower(), *(synonym.lower() for synonym in lever.synonyms)), product)
    return found


def unknown_lever(name: str, drugs: Catalogue) -> str | None:
    """The question for a misspelt lever, where no drug is as near; otherwise None."""
    close = nearest(name, (*WEIGHT, *levers.SUPPLEMENTS, *drugs))
    lever = close in WEIGHT or close in levers.SUPPLEMENTS
    return f'unknown drug or lever; did you mean "{close}"?' if lever else None


class LeverCursor(Cursor):
    """A place in a text, and the reading of a step that is a lever."""

    def lever(self, first: bool) -> WeightChange | None:
        """A change of weight, or None where the step is something else; refuses what is not modelled."""
        if self.word in WEIGHT:
            return self.weight(first)
        refusal = levers.refusal(self.word) if self.token else None
        if refusal and self.token:
            fail(self.token, refusal)
        return None

    def weight(self, first: bool) -> WeightChange:
        self.take()
        start = self.token
        percent = self.percent()
        if not self.takes(*OVER):
            self.expect('"over" and a length of time, such as "over 6 months"', OVER)
        over = self.span('a length of time, such as "6 months"')
        delay = self.delay(self.take(), first) if self.word in DELAYS else None
        try:
            return WeightChange(percent, over, delay)
        except InputError as error:
            assert start is not None
            fail(start, str(error))

    def percent(self) -> float:
        """-10 %: the sign is needed, as a number alone could be the new weight or a loss."""
        start = self.token
        sign = DIRECTIONS[self.take().word] if self.word in DIRECTIONS else self.sign()
        number = self.number(CHANGE)
        if not self.takes(*PERCENT):
            self.expect(CHANGE, PERCENT)
        if sign is None and start:
            fail(start, f"needs its sign: -{number:g} % is a loss, +{number:g} % a gain")
        return (sign or 1) * number

    def sign(self) -> int | None:
        """The sign of the number that comes next; "-10" is one piece, of which the number then stays."""
        sign = SIGNS.get(self.word[:1])
        if sign and self.token:
            rest = [part._replace(place=self.token.place) for part in tokens(self.token.text[1:])]
            self.tokens[self.at : self.at + 1] = rest
            if not self.token:
                self.expect(CHANGE)
        return sign

    def refuse_stopping_one(self, products: Collection[str]) -> None:
        """ "stop testosterone" would leave open what goes on: a protocol is all that he takes from day 0."""
        word = self.word
        if word and any(name.split()[0] == word for name in products):
            fail(
                self.tokens[self.at],
                f"{quote(self.tokens[self.at - 1].text)} stands alone, as a protocol is all that he takes from day 0 "
                "on; to stop one drug of several, write the others",
            )
