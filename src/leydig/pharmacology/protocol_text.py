"""Protocols in plain words: text to ``Protocol``, with errors that point at the word.

Grammar (words in any case; commas read as spaces; { } any number of times, [ ] optional, | or):

    protocol  = course { "+" course }
    course    = step { "then" step }                      "then" binds tighter than "+"
    step      = pause | weight | [drug] dose [schedule] { modifier }
    pause     = ("none" | "nothing" | "stop" | "off" | "untreated" | "placebo") ["for" span]
    weight    = "weight" ["loss" | "gain"] ["+" | "-"] number "%" "over" span { "from" or "after" as below }
    drug      = a name of the catalogue, form included, or a supplement; after "then" it may be left out
    dose      = number unit [("/" | "per" | "a" | "each") ("hour" | "day" | "week")]
    schedule  = "daily" | "weekly" | "fortnightly" | "monthly" | "once"
              | times ("daily" | "weekly" | ("a" | "per" | "each") ("day" | "week"))
              | "every" (span | (ordinal | "other") unit | unit | days)
              | ["on"] days
    times     = "once" | "twice" | "thrice" | number ("times" | "x")
    days      = weekday { ["and"] weekday }
    modifier  = ("from" | "starting") unit number         first step of a course: counted from day 0
              | "after" span                              a wait before the first dose of the step
              | "for" span                                counted from the first dose
              | "missing" (("dose" | "doses") number { ["and"] number } | "every" ordinal "dose")
    span      = number ("hours" | "days" | "weeks" | "months" | "years")

"from week 4" begins 4 whole weeks after the beginning of day 0, as "week 4" of a trial is day 28. A drug
given dose by dose may be written per day or per week: "1 mg/day" is "1 mg daily". Canonical text uses the
drug's own unit, full words, and the order schedule, from or after, for, missing.

Percentages of weight are of the weight at day 0. Supplements and change of weight are levers, read in
``lever_text``; exercise, alcohol and other levers without numbers are refused there, each with its reason.

Reading takes time proportional to the length of the text; nothing is read twice.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from leydig.errors import InputError, nearest
from leydig.pharmacology import levers
from leydig.pharmacology import protocol_words as words
from leydig.pharmacology.lever_text import LeverCursor, supplements, unknown_lever
from leydig.pharmacology.product import Catalogue, Product, known_products, refused, unknown_drug
from leydig.pharmacology.protocol import (
    LONGEST_TEXT,
    MOST_STEPS,
    Course,
    Pause,
    Protocol,
    Regimen,
    Step,
    WeightChange,
    gap_in,
)
from leydig.pharmacology.protocol_words import Token, fail, guess
from leydig.pharmacology.schedule import (
    HOURS,
    MOST_EVENTS,
    WEEKDAYS,
    Continuous,
    Every,
    Missed,
    MissedDoses,
    MissedEvery,
    Once,
    PerDay,
    PerWeek,
    Schedule,
    Span,
    Weekdays,
)

EXAMPLE = '"anastrozole 1 mg daily for 12 weeks"'


def parse(text: str, catalogue: Catalogue | None = None) -> Protocol:
    """See ``Protocol.parse``."""
    if not isinstance(text, str):
        raise InputError(f"the protocol is {text!r:.40}; it must be text such as {EXAMPLE}")
    if len(text) > LONGEST_TEXT:
        raise InputError(f"the protocol text has {len(text):,} characters; at most {LONGEST_TEXT:,} are read")
    protocol = _Reader(words.tokens(text), known_products(catalogue)).protocol()
    protocol.warn_of_levers()
    return protocol


class _Reader(LeverCursor):
    """Reads tokens from left to right; one method for each rule of the grammar."""

    def __init__(self, tokens: list[Token], drugs: Catalogue) -> None:
        super().__init__(tokens)
        self.drugs = drugs
        self.products = {**drugs, **supplements()}
        self.steps = 0

    def protocol(self) -> Protocol:
        courses = [self.course()]
        while self.takes("+"):
            courses.append(self.course())
        return Protocol(tuple(courses))

    def course(self) -> Course:
        steps = [self.step(None, first=True)]
        carried = steps[0] if isinstance(steps[0], Regimen) else None
        while self.word == "then":
            joint = self.take()
            following = self.step(carried, first=False)
            why = gap_in(steps[-1], following)
            if why:
                fail(joint, why)
            steps.append(following)
            carried = following if isinstance(following, Regimen) else carried
        if self.token and self.word != "+":
            days = WEEKDAYS if self.tokens[self.at - 1].word in words.DAYS else ()
            next_words = words.DELAYS if isinstance(steps[-1], WeightChange) else (*words.MODIFIERS,)
            what = ", ".join(f'"{word}"' for word in (*next_words, *words.JOINTS))
            self.expect(f"{what} or the end", (*next_words, *words.JOINTS, *days))
        return Course(tuple(steps))

    def step(self, carried: Regimen | None, first: bool) -> Step:
        self.steps += 1
        if self.steps > MOST_STEPS and self.token:
            fail(self.token, f"begins step {self.steps}; a protocol has at most {MOST_STEPS} steps")
        lever = self.lever(first)
        if lever:
            return lever
        if self.takes(*words.PAUSES):
            self.refuse_stopping_one(self.products)
            return Pause(self.span('a length of time, such as "12 weeks"') if self.takes("for") else None)
        return self.regimen(carried, first)

    def regimen(self, carried: Regimen | None, first: bool) -> Regimen:
        product = self.drug(carried)
        dose = self.token
        amount, schedule = self.dose(product)
        schedule = schedule or self.schedule(product)
        said: dict[str, Any] = {}
        last = self.tokens[self.at - 1]
        while self.word in words.MODIFIERS:
            last = self.take()
            field = words.MODIFIERS[last.word]
            if field in said:
                fail(last, f"the same is said twice for {product.name}; say it once")
            said[field] = self.modifier(last, first)
        try:
            return Regimen(product.drug, amount, product.unit, schedule, product.form, **said)
        except InputError as error:
            fail(dose if dose and product.drug in levers.SUPPLEMENTS else last, str(error))

    def drug(self, carried: Regimen | None) -> Product:
        start = self.at
        while self.token and not self.token.number and self.word not in words.JOINTS:
            self.take()
        run = [token.text for token in self.tokens[start : self.at]]
        if not run or run[0].lower() in words.HOW_OFTEN:
            self.at = start
            if carried and self.token and self.token.number:
                return self.products[carried.name.lower()]
            self.expect(f'a drug with its dose, such as {EXAMPLE}, or "none"')
        for length in range(min(len(run), self.longest_name), 0, -1):
            product = self.products.get(" ".join(run[:length]).lower())
            if product:
                self.at = start + length
                return product
        whole = " ".join(run[: self.longest_name])
        name = whole if nearest(whole, self.products) else run[0]
        said = self.tokens[start]._replace(text=name)
        fail(said, unknown_lever(name, self.drugs) or unknown_drug(name, self.drugs))

    @property
    def longest_name(self) -> int:
        """Words in the longest name of a drug or supplement."""
        return max((len(name.split()) for name in self.products), default=1)

    def dose(self, product: Product) -> tuple[float, Schedule | None]:
        """The amount in the product's unit, and the schedule where the written unit implies one (1 mg/day)."""
        example = f'the dose of {product.name} in {" or ".join(product.units)}, such as "1 {product.unit}"'
        start, number = self.token, self.number(example)
        written, slash, period = self.word.partition("/")
        unit = words.UNIT_SPELLINGS.get(written, written)
        if unit not in product.units:
            self.expect(example, product.units)
        last = self.take()
        if not slash and self.takes("per", "a", "each"):
            slash = "per"
            last = self.take() if self.word else self.expect('"day", "hour" or "week"')
            period = last.word
        every = words.TIME_UNITS.get(period, "")
        if slash and every not in words.RATE_PERIODS:
            fail(last, f'expected a dose per "hour", "day" or "week"{guess(period, words.RATE_PERIODS)}')
        if product.continuous and not slash:
            fail(last, f'{product.name} runs without pause; write its rate, such as "1 {product.unit}"')
        amount = Fraction(repr(number)) * Fraction(repr(product.units[unit]))
        if product.continuous:
            amount *= HOURS["day"] / HOURS[every]
        refusal = refused(product, float(amount))
        if refusal and start:
            fail(start, refusal)
        return float(amount), words.RATE_PERIODS[every] if slash and not product.continuous else None

    def schedule(self, product: Product) -> Schedule:
        if product.continuous:
            return Continuous()
        following = self.tokens[self.at + 1].word if self.at + 1 < len(self.tokens) else ""
        if self.word in words.SCHEDULES:
            return words.SCHEDULES[self.take().word]
        if self.word == "once" and following not in (*words.PERIODS, *words.PER):
            self.take()
            return Once()
        if self.word == "once" and following == "every":
            self.take()
        if self.takes("every"):
            return self.every()
        if self.word in words.COUNTS or following in words.TIMES:
            return self.times()
        if self.word == "on" or words.weekdays_in(self.word):
            return self.days()
        if self.word == "biweekly":
            fail(self.take(), 'can mean two things; write "twice weekly" or "every 2 weeks"')
        self.expect(f"how often, such as {words.SCHEDULE_FORMS}", words.HOW_OFTEN)

    def times(self) -> Schedule:
        """Twice weekly, 3 times a day."""
        start = self.token
        assert start is not None
        count = words.COUNTS.get(self.word)
        if count is None:
            count = self.whole("the number of doses", MOST_EVENTS)
        else:
            self.take()
        self.takes(*words.TIMES)
        self.takes(*words.PER)
        if self.word not in words.PERIODS:
            self.expect('"daily" or "weekly", or an interval such as "every 2 weeks"', words.PERIODS)
        period = words.PERIODS[self.take().word]
        try:
            return period(count)
        except InputError as error:
            fail(start, str(error))

    def every(self) -> Schedule:
        """What follows "every": Monday, 36 hours, other day, 2nd day, day."""
        if words.weekdays_in(self.word):
            return self.days()
        nth = self.ordinal()
        unit = words.TIME_UNITS.get(self.word)
        if nth and unit:
            self.take()
            return Every(Span(nth, unit))
        if unit:
            self.take()
            alone: dict[str, Schedule] = {"day": PerDay(1), "week": PerWeek(1)}
            return alone.get(unit, Every(Span(1, unit)))
        if nth:
            self.expect('"day", "week" or "month"', words.TIME_FORMS)
        return Every(self.span('an interval, such as "every 36 hours" or "every other day"'))

    def days(self) -> Weekdays:
        self.takes("on")
        found: list[str] = []
        joined = True
        while words.weekdays_in(self.word) or (not joined and self.word == "and"):
            token = self.take()
            joined = token.word == "and"
            for day in words.weekdays_in(token.word):
                if day in found:
                    fail(token, f"{day} is named twice; name each day once")
                found.append(day)
        if joined:
            self.expect("a day of the week, such as Mon", words.DAYS)
        return Weekdays(tuple(found))

    def modifier(self, token: Token, first: bool) -> Span | Missed | None:
        """What follows "for", "from", "after" or "missing"."""
        if token.word == "missing":
            return self.missed()
        if token.word == "for":
            return self.span('a length of time, such as "12 weeks"')
        return self.delay(token, first)

    def missed(self) -> Missed:
        if self.takes("every"):
            start = self.token
            nth = self.ordinal()
            if nth is None or not self.takes("dose", "doses"):
                self.expect('an interval of missed doses, such as "every 7th dose"')
            if nth < 2 and start:
                fail(start, 'leaves no dose; write at least "every 2nd dose"')
            return MissedEvery(nth)
        if not self.takes("dose", "doses"):
            self.expect('"doses 3 5" or "every 7th dose"', ("doses", "every"))
        numbers: set[int] = set()
        while not numbers or self.takes("and") or (self.token and self.token.number):
            start = self.token
            number = self.whole("the number of a missed dose", MOST_EVENTS)
            if start and number in numbers:
                fail(start, "this dose is named twice; name each once")
            numbers.add(number)
        return MissedDoses(tuple(numbers))
