"""The reader of titration rules, word by word; ``titration_text`` states the grammar."""

from __future__ import annotations

from typing import Any

from leydig import units
from leydig.errors import InputError
from leydig.pharmacology import titration_words as words
from leydig.pharmacology.product import known_products, unknown_drug
from leydig.pharmacology.protocol_words import Token
from leydig.pharmacology.titration import Rule
from leydig.pharmacology.titration_action_reader import SETTINGS, ActionReader
from leydig.pharmacology.titration_conditions import AllOf, AnyOf, Comparison, Condition, Repeated

SIGNS = {
    **{"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="},
    **{"below": "<", "under": "<", "above": ">", "over": ">", "at most": "<=", "at least": ">="},
}
INVERSE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
COMPARISON = '"<", "<=", ">", ">=", "below" or "above"'
LONGEST_UNIT = 4  # words: nmol BCE/mmol creatinine
VISIT_WORDS = ("every", "at", "(")
AFTER_LIMIT = ("then", "and", "or", "twice", "at", "(", ")", ";", ",")


class RuleReader(ActionReader):
    """Reads tokens from left to right; one method for each rule of the grammar."""

    def end(self, *joints: str) -> None:
        """Nothing further comes."""
        if self.token:
            self.expect(" or ".join([*(f'"{joint}"' for joint in joints), "the end"]), joints)

    # What stands before the colon ---------------------------------------------------------------

    def head(self) -> dict[str, Any]:
        """Drugs, visits and settings, as arguments of ``RuleSet``; empty where the text begins with a rule."""
        found: dict[str, Any] = {}
        if self.word in ("if", "step"):
            return found
        if self.takes("titrate"):
            found["drugs"] = self.drugs()
        if self.word in VISIT_WORDS:
            found["visits"] = self.visits()
        while not self.takes(":"):
            self.takes(",")
            self.setting(found)
        return found

    def drugs(self) -> tuple[str, ...]:
        known = known_products(None)
        found: list[str] = []
        while not found or self.takes("or"):
            start, name = self.token, []
            while self.token and self.word not in (*VISIT_WORDS, *SETTINGS, "or", "if", ":", ","):
                name.append(self.take().text)
            said = " ".join(name)
            if not said:
                self.expect("a drug")
            if said.lower() not in known:
                self.fail(start._replace(text=said) if start else None, unknown_drug(said, known))
            found.append(known[said.lower()].name)
        return tuple(found)

    def setting(self, found: dict[str, Any]) -> None:
        start, word = self.token, self.word
        if word not in SETTINGS:
            self.expect(
                '":" and a rule, or visits, "results after 3 days", "steps 0.5 mg, 1 mg"', (*SETTINGS, "titrate")
            )
        self.take()
        name = "turnaround" if word == "results" else word
        if name in found:
            self.fail(start, "is said twice; say it once")
        if word == "results":
            self.takes("after", "in")
            found[name] = self.time('a time, such as "3 days"')
        elif word == "steps":
            steps = [self.dose()]
            while self.word == "," and (after := self.following()) and after.number:
                self.take()
                steps.append(self.dose())
            found[name] = tuple(steps)
        else:
            found[name] = self.dose()

    # Rules --------------------------------------------------------------------------------------

    def rules(self) -> list[Rule]:
        found = [self.rule()]
        while self.takes(";"):
            found.append(self.rule())
        self.end(";")
        return found

    def rule(self) -> Rule:
        self.parts = 0
        if self.word == "step":
            return self.step_until()
        if not self.takes("if"):
            self.expect('"if" and a condition, such as "if E2 < 15 pg/mL (LC-MS) then halve the dose"', ("if",))
        condition = self.any_of()
        self.takes(",")
        if not self.takes("then"):
            self.expect('"then" and what is done, or "and", "or"', ("then", "and", "or", "twice"))
        return Rule(condition, self.action())

    def step_until(self) -> Rule:
        """Step up until a limit is met: a step at each visit where it is not."""
        action = self.action()
        if not self.takes("until"):
            self.expect('"until" and a limit, as in "step up until E2 < 20 pg/mL"', ("until",))
        goal = self.comparison()
        return Rule(Comparison(goal.quantity, INVERSE[goal.sign], goal.limit, goal.unit, goal.assay), action)

    def any_of(self) -> Condition:
        found = [self.all_of()]
        while self.takes("or"):
            found.append(self.all_of())
        return AnyOf(tuple(found)) if len(found) > 1 else found[0]

    def all_of(self) -> Condition:
        found = [self.condition()]
        while self.takes("and"):
            found.append(self.condition())
        return AllOf(tuple(found)) if len(found) > 1 else found[0]

    def condition(self) -> Condition:
        self.count_parts()
        found: Condition
        if self.takes("("):
            found = self.any_of()
            if not self.takes(")"):
                self.expect('")"', (")", "and", "or"))
        else:
            found = self.comparison()
        start, visits = self.token, self.in_a_row()
        if visits is None:
            return found
        try:
            return Repeated(found, visits)
        except InputError as error:
            self.fail(start, str(error))

    def in_a_row(self) -> int | None:
        """2 for "twice", "at 2 visits in a row" and "at 2 consecutive visits"; None where none of these comes."""
        if self.takes("twice"):
            visits = 2.0
        elif self.takes("at"):
            visits = self.number('a number of visits, as in "at 2 visits in a row"')
            self.takes("consecutive")
            if not self.takes("visits", "visit"):
                self.expect('"visits in a row"', ("visits",))
        else:
            return None
        if self.takes("in") and not (self.takes("a") and self.takes("row")):
            self.expect('"in a row"', ("row",))
        return int(visits) if visits.is_integer() else 0

    def comparison(self) -> Comparison:
        start = self.token
        name = self.quantity()
        sign = self.sign()
        limit = self.token
        number = self.number('a limit with its unit, such as "15 pg/mL"')
        unit = self.unit(name, limit)
        assay = self.assay()
        try:
            return Comparison(name, sign, number, unit, assay)
        except InputError as error:
            self.fail(limit or start, str(error))

    def quantity(self) -> str:
        start, said = self.token, []
        while self.token and not self._sign_comes() and not self.token.number and self.word not in ("then", ";", ")"):
            said.append(self.take().text)
        if said and said[-1].lower() == "is":
            said.pop()
        if not said or not start:
            self.expect("what is measured, such as E2, T or T/E2")
        try:
            return words.quantity_named(" ".join(said)).quantity
        except InputError as error:
            self.fail(start._replace(text=" ".join(said)), str(error))

    def _sign_comes(self) -> bool:
        after = self.following()
        return self.word in SIGNS or f"{self.word} {after.word if after else ''}" in SIGNS

    def sign(self) -> str:
        if not self._sign_comes():
            self.expect(COMPARISON, ("below", "above", "at least", "at most"))
        word = self.take().word
        return SIGNS[word] if word in SIGNS else SIGNS[f"{word} {self.take().word}"]

    def unit(self, quantity: str, limit: Token | None) -> str:
        """The longest run of words that is a unit of the quantity."""
        end = self.at
        while end < len(self.tokens) and end - self.at < LONGEST_UNIT and self.tokens[end].word not in AFTER_LIMIT:
            end += 1
        if end == self.at:
            if units.CANONICAL[quantity] == "1":
                return "1"
            self.fail(limit, f"needs a unit; allowed: {', '.join(units.accepted(quantity))}")
        refusal = ""
        for last in range(end, self.at, -1):
            try:
                unit = units.check_accepted(quantity, " ".join(token.text for token in self.tokens[self.at : last]))
            except InputError as error:
                refusal = str(error)
            else:
                self.at = last
                return unit
        self.fail(self.token, refusal)

    def assay(self) -> str | None:
        if not self.takes("("):
            return None
        start, said = self.token, []
        while self.token and self.word != ")":
            said.append(self.take().text)
        if not self.takes(")"):
            self.expect('")"', (")",))
        try:
            return words.assay_named(" ".join(said))
        except InputError as error:
            self.fail(start._replace(text=" ".join(said)) if start else None, str(error))
