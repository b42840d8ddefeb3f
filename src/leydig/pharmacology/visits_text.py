"""Visits in plain words, and the reader of words that rules use as well.

Grammar (words in any case; { } any number of times, [ ] optional, | or):

    visits    = both { "or" both }                        "until" binds tightest, then "and", then "or"
    both      = until { "and" until }
    until     = one { "until" time }                      up to and including that time
    one       = "(" visits ")"
              | "every" (number unit | unit) ["from" time]
              | "at" row { "," row }
    row       = unit number { [","] number } | number unit
    time      = unit number | number unit                 week 12, 12 weeks
    unit      = "minutes" | "hours" | "days" | "weeks" | "months" | "years"

In "at weeks 2, 6 and 12" the word "and" stands before a bare number and only ends the list.
"""

from __future__ import annotations

import re
from typing import NoReturn

from leydig.errors import InputError
from leydig.pharmacology.protocol_words import NUMBERS, TIME_UNITS, Place, Token, quote
from leydig.pharmacology.visits import UNITS, At, Both, Either, Every, Time, Until, Visits

LONGEST_TEXT = 10_000  # characters
MOST_PARTS = 50  # of one text, joined by "or", "and", "until"
UNIT_WORDS = TIME_UNITS | dict.fromkeys(("min", "mins", "minute", "minutes"), "minute")
UNIT_FORMS = tuple(f"{unit}s" for unit in UNITS)
INTERVAL = 'an interval, such as "6 weeks"'
EXAMPLES = '"every 6 weeks" or "at weeks 2, 6, 12"'

# A unit such as 10^6/mL, a number, a comparison, a sign, a word.
_TOKEN = re.compile(r"[0-9]+\^[^\s(),:;<>≤≥=+]*|-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)|[<>]=?|[≤≥]|[(),:;=+]|[^\s(),:;<>≤≥=+]+")
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


def parse(text: str) -> Visits:
    """See ``Visits.parse``."""
    reader = VisitReader(tokens(checked_text(text, "visits", EXAMPLES)), "visits")
    visits = reader.visits()
    if reader.token:
        reader.expect('"or", "and", "until" or the end', ("or", "and", "until", "from"))
    return visits


def checked_text(text: object, subject: str, example: str) -> str:
    """The text itself, when it is one of bearable length."""
    if not isinstance(text, str):
        raise InputError(f"{subject}: {text!r:.40} is given; it must be text such as {example}")
    if len(text) > LONGEST_TEXT:
        raise InputError(f"{subject}: the text has {len(text):,} characters; at most {LONGEST_TEXT:,} are read")
    return text


def tokens(text: str, before: int = 0) -> list[Token]:
    """The tokens of a text that stands after ``before`` other words; signs stand alone, "0.5mg" is two tokens."""
    return [
        Token(part, place, bool(_NUMBER.fullmatch(part)))
        for place, piece in enumerate(text.split(), start=before + 1)
        for part in _TOKEN.findall(piece.replace("−", "-"))
    ]


class Reader(Place):
    """A place in a text of visits or rules."""

    def following(self, steps: int = 1) -> Token | None:
        """The token that stands some steps behind the next one."""
        return self.tokens[self.at + steps] if self.at + steps < len(self.tokens) else None

    def fail(self, token: Token | None, sentence: str) -> NoReturn:
        place = f"at word {token.place} {quote(token.text)}" if token else "at the end"
        raise InputError(f"{self.subject}, {place}: {sentence}")

    def number(self, what: str) -> float:
        token = self.token
        if token is None or not (token.number or token.word in NUMBERS):
            self.expect(what)
        self.take()
        return float(token.text) if token.number else float(NUMBERS[token.word])


class VisitReader(Reader):
    """Reads visits; one method for each rule of the grammar."""

    parts = 0

    def visits(self) -> Visits:
        found = self.both()
        while self.takes("or"):
            found = Either(found, self.both())
        return found

    def both(self) -> Visits:
        found = self.until()
        while self.takes("and"):
            found = Both(found, self.until())
        return found

    def until(self) -> Visits:
        found = self.one()
        while self.takes("until"):
            self.count_parts()
            found = Until(found, self.time('a time, such as "1 year"'))
        return found

    def count_parts(self) -> None:
        self.parts += 1
        if self.parts > MOST_PARTS:
            self.fail(self.token, f"the visits have more than {MOST_PARTS} parts")

    def one(self) -> Visits:
        self.count_parts()
        if self.word == "(":
            return self.enclosed()
        if self.takes("every"):
            return self.every()
        if self.takes("at"):
            return self.listed()
        self.expect(f"visits, such as {EXAMPLES}", ("every", "at"))

    def enclosed(self) -> Visits:
        self.take()
        found = self.visits()
        if not self.takes(")"):
            self.expect('")"', (")",))
        return found

    def every(self) -> Visits:
        start = self.token
        interval = Time(1, UNIT_WORDS[self.take().word]) if self.word in UNIT_WORDS else self.length(INTERVAL)
        if interval.count == 0:
            self.fail(start, "an interval must be above 0")
        return Every(interval, self.time('a time, such as "week 6"') if self.takes("from", "starting") else None)

    def listed(self) -> Visits:
        times: list[Time] = []
        while not times or self._goes_on():
            if self.word in UNIT_WORDS:
                unit = UNIT_WORDS[self.take().word]
                times.append(self.counted(unit))
                while self._another_number():
                    times.append(self.counted(unit))
            else:
                times.append(self.length('a time, such as "weeks 2, 6" or "2 weeks"'))
        return At(tuple(times))

    def _goes_on(self) -> bool:
        """Whether a comma and a further time come; the comma is taken."""
        after = self.following()
        return bool(after and (after.number or after.word in UNIT_WORDS)) and self.takes(",")

    def _another_number(self) -> bool:
        """Whether a further number of the same unit comes; the comma or word before it is taken."""
        joined = self.word in (",", "and", "or")
        number, after = self.following(int(joined)), self.following(int(joined) + 1)
        if number is None or not number.number or (after and after.word in UNIT_WORDS):
            return False
        self.at += joined
        return True

    def time(self, what: str) -> Time:
        """week 12, or 12 weeks."""
        if self.word in UNIT_WORDS:
            return self.counted(UNIT_WORDS[self.take().word])
        return self.length(what)

    def length(self, what: str) -> Time:
        """12 weeks."""
        start = self.token
        if not (start and (start.number or start.word in NUMBERS)):
            self.expect(what, UNIT_FORMS)
        count = self.number(what)
        if self.word not in UNIT_WORDS:
            self.expect(f"a unit of time: {', '.join(UNIT_FORMS)}", UNIT_FORMS)
        return self.limited(start, count, UNIT_WORDS[self.take().word])

    def counted(self, unit: str) -> Time:
        """The number that stands after its unit."""
        start = self.token
        return self.limited(start, self.number(f'a number, as in "{unit} 4"'), unit)

    def limited(self, token: Token | None, count: float, unit: str) -> Time:
        try:
            return Time(count, unit)
        except InputError as error:
            self.fail(token, str(error))
