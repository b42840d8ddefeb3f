"""The words of protocol text: what each means, which drugs there are, how an error points at one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple, NoReturn

from leydig.errors import InputError, ModelWarning, nearest
from leydig.pharmacology.schedule import WEEKDAYS, Every, PerDay, PerWeek, Span, write_number

PAUSES = ("none", "nothing", "stop", "off", "untreated", "placebo")
MODIFIERS = {"for": "length", "from": "delay", "starting": "delay", "after": "delay", "missing": "missed"}
JOINTS = ("then", "+")

NUMBERS = dict(
    zip("a an one two three four five six seven eight nine ten eleven twelve".split(), [1, 1, *range(1, 13)], strict=True)
)
ORDINALS = {"other": 2, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "tenth": 10}
ORDINAL_ENDINGS = ("st", "nd", "rd", "th")
COUNTS = {"once": 1, "twice": 2, "thrice": 3}
TIMES = ("times", "time", "x", "×")
PER = ("a", "per", "each", "every")

SCHEDULES = {
    "daily": PerDay(1),
    "weekly": PerWeek(1),
    "fortnightly": Every(Span(2, "week")),
    "monthly": Every(Span(1, "month")),
}
RATE_PERIODS = {"hour": Every(Span(1, "hour")), "day": PerDay(1), "week": PerWeek(1)}
PERIODS = {"day": PerDay, "week": PerWeek, "daily": PerDay, "weekly": PerWeek}
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

# Dose units as multiples of one unit of their kind; a dose is converted only within its kind.
DOSE_UNITS = {
    "ng": ("mass", Decimal("1e-9")),
    "ug": ("mass", Decimal("1e-6")),
    "mg": ("mass", Decimal("1e-3")),
    "g": ("mass", Decimal(1)),
    "IU": ("international units", Decimal(1)),
}
UNIT_SPELLINGS = {"ng": "ng", "ug": "ug", "mcg": "ug", "µg": "ug", "μg": "ug", "mg": "mg", "g": "g", "iu": "IU"}

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


def fail(token: Token, sentence: str) -> NoReturn:
    raise InputError(f"protocol, at word {token.place} {quote(token.text)}: {sentence}")


def guess(word: str, candidates: Iterable[str]) -> str:
    """'; did you mean "daily"?' where a candidate is close, otherwise nothing."""
    close = nearest(word[:LONGEST_QUOTE], candidates)
    return f'; did you mean "{close}"?' if close else ""


class Product(NamedTuple):
    """A drug in one form, as protocol text names and doses it."""

    drug: str
    form: str | None
    unit: str  # mg, ug, IU; with "/day" for a continuous input
    accepted: tuple[float, float]  # a dose outside is refused
    usual: tuple[float, float]  # a dose outside warns

    @property
    def name(self) -> str:
        return f"{self.drug} {self.form}" if self.form else self.drug


Catalogue = Mapping[str, Product]


def known_products(catalogue: Catalogue | None) -> dict[str, Product]:
    """Products by lower-case name: their own, and the other names that the catalogue gives them."""
    if catalogue is None:
        from leydig.pharmacology import drugs

        catalogue = drugs.products()
    own_names = {product.name.lower(): product for product in catalogue.values()}
    return own_names | {name.lower(): product for name, product in catalogue.items()}


def unknown_drug(name: str, known: Catalogue) -> str:
    names = list(dict.fromkeys(product.name for product in known.values()))
    question = guess(name, names)
    return f"unknown drug{question} {'K' if question else 'k'}nown: {', '.join(names)}".replace("drug known", "drug; known")


def refused(product: Product, amount: float) -> str | None:
    """Why the dose is refused, or None; warns where it is only unusual."""

    def within(limits: tuple[float, float]) -> str:
        return f"{write_number(limits[0])} to {write_number(limits[1])} {product.unit}"

    dose = f"{product.name} {write_number(amount)} {product.unit}"
    if not product.accepted[0] <= amount <= product.accepted[1]:
        return f"{dose} is outside the accepted range, {within(product.accepted)}"
    if not product.usual[0] <= amount <= product.usual[1]:
        warnings.warn(f"{dose} is outside the usual range, {within(product.usual)}", ModelWarning, stacklevel=4)
    return None


def check_regimen(regimen: Regimen, catalogue: Catalogue | None = None) -> None:
    """See ``Protocol.check``."""
    known = known_products(catalogue)
    product = known.get(regimen.name.lower())
    if product is None:
        raise InputError(f'"{regimen.name}": {unknown_drug(regimen.name, known)}')
    if regimen.unit != product.unit:
        raise InputError(f'{product.name} is dosed in {product.unit}, not in "{regimen.unit}"')
    refusal = refused(product, regimen.amount)
    if refusal:
        raise InputError(refusal)
