"""The words of protocol text: what each means, how text is cut into them, how an error points at one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, NoReturn

from leydig.errors import InputError, nearest
from leydig.pharmacology.schedule import (
    MOST_EVENTS,
    NUMBER_LIMITS,
    WEEKDAYS,
    Every,
    PerDay,
    PerWeek,
    Schedule,
    Span,
    write_number,
)

PAUSES = ("none", "nothing", "stop", "off", "untreated", "placebo")
DELAYS = ("from", "starting", "after")
MODIFIERS = {"for": "length", "from": "delay", "starting": "delay", "after": "delay", "missing": "missed"}
JOINTS = ("then", "+")

_NUMBER_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBERS = {"a": 1, "an": 1} | {word: i for i, word in enumerate(_NUMBER_WORDS, start=1)}
ORDINALS = {"other": 2, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "tenth": 10}
ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
COUNTS = {"once": 1, "twice": 2, "thrice": 3}
TIMES = ("times", "time", "x", "×")
PER = ("a", "per", "each", "every")

SCHEDULES: dict[str, Schedule] = {
    "daily": PerDay(1),
    "weekly": PerWeek(1),
    "fortnightly": Every(Span(2, "week")),
    "monthly": Every(Span(1, "month")),
}
RATE_PERIODS: dict[str, Schedule] = {"hour": Every(Span(1, "hour")), "day": PerDay(1), "week": PerWeek(1)}
PERIODS: dict[str, Callable[[int], Schedule]] = {"day": PerDay, "week": PerWeek, "daily": PerDay, "weekly": PerWeek}
SCHEDULE_FORMS = '"daily", "twice weekly", "every 36 hours", "Mon Wed Fri", "once"'

TIME_UNITS = {
    spelling: unit
    for unit, spellings in {
        "hour": "h hr hrs hour hours",
        "day": "d day days",
        "week": "w wk wks week weeks",
        "month": "mo mos month months",
        "year": "y yr yrs year years",
    }.items()
    for spelling in spellings.split()
}
TIME_FORMS = ("hours", "days", "weeks", "months", "years")

DAYS = {
    spelling: WEEKDAYS[i]
    for i, spellings in enumerate(
        [
            "mon monday mondays",
            "tue tues tuesday tuesdays",
            "wed weds wednesday wednesdays",
            "thu thur thurs thursday thursdays",
            "fri friday fridays",
            "sat saturday saturdays",
            "sun sunday sundays",
        ]
    )
    for spelling in spellings.split()
}

HOW_OFTEN = (*SCHEDULES, *COUNTS, *DAYS, "every")  # words that begin a schedule

# Spellings of dose units; which of them a drug takes, and their sizes, is the catalogue's business.
UNIT_SPELLINGS = {"ng": "ng", "ug": "ug", "mcg": "ug", "µg": "ug", "μg": "ug", "mg": "mg", "g": "g", "iu": "IU"}

PROTOCOL = "protocol"  # what a text is called in errors, where it is nothing else
LONGEST_QUOTE = 40  # characters of a bad word that a message repeats


class Token(NamedTuple):
    """A number, a word or a plus sign, with the place of the word it is part of."""

    text: str
    place: int  # 1 is the first word of the text; words are parted by spaces
    number: bool

    @property
    def word(self) -> str:
        return "" if self.number else self.text.lower()


def tokens(text: str) -> list[Token]:
    """The tokens of a text; "0.5mg" is a number and a word, "+" always stands alone."""
    found: list[Token] = []
    for place, piece in enumerate(text.split(), start=1):
        start = 0
        while start < len(piece):
            end = _token_end(piece, start)
            part = piece[start:end]
            is_number = _is_digit(part[-1]) and all(_is_digit(c) or c == "." for c in part)
            if is_number and piece[end : end + 1] == "," and _is_digit(piece[end + 1 : end + 2]):
                fail(Token(piece, place, True), 'has a comma inside; write numbers such as "1500" or "0.5"')
            if part != ",":
                found.append(Token(part, place, is_number))
            start = end
    return found


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9" if character else False


def _token_end(piece: str, start: int) -> int:
    """End of the token that begins at ``start``: one sign, a run of digits, or a run of anything else."""
    if piece[start] in "+,":
        return start + 1
    end = start + 1
    starts_number = _is_digit(piece[start]) or (piece[start] == "." and _is_digit(piece[end : end + 1]))
    point = piece[start] == "."
    while end < len(piece) and piece[end] not in "+,":
        if starts_number and not _is_digit(piece[end]):
            if point or piece[end] != "." or not _is_digit(piece[end + 1 : end + 2]):
                break
            point = True
        end += 1
    return end


def quote(text: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in text[:LONGEST_QUOTE])
    return f'"{shown}{"…" if len(text) > LONGEST_QUOTE else ""}"'


def fail(token: Token, sentence: str, subject: str = PROTOCOL) -> NoReturn:
    raise InputError(f"{subject}, at word {token.place} {quote(token.text)}: {sentence}")


def guess(word: str, candidates: Iterable[str]) -> str:
    """'; did you mean "daily"?' where a candidate is close, otherwise nothing."""
    close = nearest(word[:LONGEST_QUOTE], candidates)
    return f'; did you mean "{close}"?' if close else ""


class Place:
    """A place in a text, from left to right; ``subject`` names the text in errors."""

    def __init__(self, tokens: list[Token], subject: str = PROTOCOL) -> None:
        self.tokens = tokens
        self.subject = subject
        self.at = 0

    @property
    def token(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    @property
    def word(self) -> str:
        """The next word in lower case; empty before a number and at the end."""
        return self.token.word if self.token else ""

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def takes(self, *choices: str) -> bool:
        """Whether the next word is one of these; if so it is taken."""
        found = self.word in choices
        self.at += found
        return found

    def expect(self, what: str, candidates: Iterable[str] = ()) -> NoReturn:
        """Fail at the next token, or after the last one."""
        if self.token:
            fail(self.token, f"expected {what}{guess(self.token.text, candidates)}", self.subject)
        after = f", after {quote(self.tokens[-1].text)}" if self.tokens else ""
        raise InputError(f"{self.subject}, at the end{after}: expected {what}")


class Cursor(Place):
    """A place in the text of a protocol, and the reading of what many rules share: numbers, spans, ordinals."""

    def ordinal(self) -> int | None:
        """2 for "other", "second" and "2nd"; None where no ordinal comes next."""
        if self.word in ORDINALS:
            return ORDINALS[self.take().word]
        if self.at + 1 < len(self.tokens) and self.tokens[self.at + 1].word in ORDINAL_ENDINGS:
            number = self.whole("a whole number", MOST_EVENTS)
            self.take()
            return number
        return None

    def span(self, what: str) -> Span:
        start = self.token
        count = self.number(what)
        unit = TIME_UNITS.get(self.word)
        if unit is None:
            self.expect(f"a unit of time: {', '.join(TIME_FORMS)}", TIME_FORMS)
        self.take()
        return self.limited(start, count, unit)

    def delay(self, said: Token, first: bool) -> Span | None:
        """What follows "after", "from" or "starting"; None where it begins at once."""
        if said.word == "after":
            return self.span('a length of time, such as "12 weeks"')
        if not first:
            fail(said, 'counts from day 0, so it stands in the first step only; here write "after 4 weeks"')
        self.takes("on", "at")
        unit = TIME_UNITS.get(self.word)
        if unit is None:
            self.expect('a time after day 0, such as "week 4" or "day 10"', TIME_FORMS)
        self.take()
        start = self.token
        if start and start.number and not start.text.strip("0."):
            self.take()
            return None
        return self.limited(start, self.number('a number, as in "week 4"'), unit)

    def limited(self, token: Token | None, count: float, unit: str) -> Span:
        try:
            return Span(count, unit)
        except InputError as error:
            assert token is not None
            fail(token, str(error))

    def number(self, what: str) -> float:
        token = self.token
        if token is None or not (token.number or token.word in NUMBERS):
            self.expect(what)
        self.take()
        value = float(token.text) if token.number else float(NUMBERS[token.word])
        low, high = NUMBER_LIMITS
        if not low <= value <= high:
            fail(token, f"a number must be from {write_number(low)} to {write_number(high)}")
        return value

    def whole(self, what: str, highest: int) -> int:
        token = self.token
        value = self.number(what)
        if token and not (value.is_integer() and value <= highest):
            fail(token, f"{what} must be a whole number from 1 to {highest}")
        return int(value)


def weekdays_in(word: str) -> list[str]:
    """The days that a word names ("Mon", "Mon/Thu"), or none."""
    parts = word.split("/")
    return [DAYS[part] for part in parts] if all(part in DAYS for part in parts) else []
