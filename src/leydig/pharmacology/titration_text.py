"""Titration rules in plain words: text to ``RuleSet``, and a protocol parted from the rules that follow it.

Grammar (words in any case; { } any number of times, [ ] optional, | or):

    rules     = [ head ":" ] rule { ";" rule }
    head      = ["titrate" drug { "or" drug }] [visits] { [","] setting }        visits as in ``visits_text``
    setting   = "results after" time | "steps" dose { "," dose } | "lowest" dose | "highest" dose
    rule      = "if" condition "then" action
              | "step" ("up" | "down") "until" comparison        a step at each visit where it does not hold
    condition = both { "or" both }                               "and" binds tighter than "or"
    both      = one { "and" one }
    one       = (comparison | "(" condition ")") ["twice" | "at" number "visits in a row"]
    comparison = quantity sign number [unit] ["(" assay ")"]     E2 < 15 pg/mL (LC-MS)
    sign      = "<" | "<=" | ">" | ">=" | "below" | "above" | "at most" | "at least"
    action    = ("halve" | "double") "the dose"
              | ("reduce" | "raise") "the dose by" number ("%" | unit)
              | "multiply the dose by" number
              | dose | "step up" | "step down" ["or stop"] | "stop" | "change nothing"
              | "restart" ["at" (dose | number "%" "of the dose" | "half the dose")]
    dose      = number unit [schedule]                           schedule as in ``protocol_text``

Beside a protocol rules stand last: "anastrozole 1 mg daily for 26 weeks + if E2 < 15 pg/mL (LC-MS) then halve the
dose", or "+ titrate NAME" for a bundled set or a file of rules. Several such parts are one set, in their order. What a
text leaves out of visits and turnaround is assumed, see data/titration/_defaults.yaml.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from leydig.errors import InputError, nearest
from leydig.pharmacology import titration_words as words
from leydig.pharmacology.protocol_words import quote
from leydig.pharmacology.titration import Provenance, Rule, RuleSet
from leydig.pharmacology.titration_actions import SetDose
from leydig.pharmacology.titration_reader import RuleReader
from leydig.pharmacology.visits import Time, Visits
from leydig.pharmacology.visits_text import checked_text, tokens

EXAMPLE = '"if E2 < 15 pg/mL (LC-MS) then halve the dose"'
BESIDE = '"anastrozole 1 mg daily + if E2 < 15 pg/mL (LC-MS) then halve the dose"'

# How a part of a text shows that it is rules: its first word, or a sign that no protocol has.
FIRST_WORDS = ("if", "titrate", "step", "every", "at", "(if", "(every", "(at")
SIGNS = re.compile(r"[<>≤≥:;]")
LIKENESS = 0.75  # of a misspelt first word; nothing that a protocol begins with is as near

Part = tuple[dict[str, Any], list[Rule]]  # settings and rules


def rule(text: str) -> Rule:
    """See ``Rule.parse``."""
    reader = RuleReader(tokens(checked_text(text, "rule", EXAMPLE)), "rule")
    found = reader.rule()
    reader.end()
    return found


def rule_set(text: str) -> RuleSet:
    """See ``RuleSet.parse``."""
    reader = RuleReader(tokens(checked_text(text, "rules", EXAMPLE)), "rules")
    return _joined([(reader.head(), reader.rules())])


def dose(text: str) -> SetDose:
    """A dose such as "0.5 mg twice weekly"."""
    reader = RuleReader(tokens(text), "dose")
    found = reader.dose()
    reader.end()
    return found


def time(text: str) -> Time:
    """A length of time such as "3 days"."""
    reader = RuleReader(tokens(text), "time")
    found = reader.time('a time, such as "3 days"')
    reader.end()
    return found


def split(text: str) -> tuple[str, RuleSet | None]:
    """A protocol's text without the rules that follow it, and these rules as one set (None where there are none).

    The protocol itself is not read. Raises InputError, pointing at the word, for rules that cannot be read, that stand
    before or between parts of the protocol, or that are said to hold at different visits.
    """
    pieces = checked_text(text, "protocol", BESIDE).split("+")
    first = next((place for place, piece in enumerate(pieces) if _is_rules(piece)), None)
    if first is None:
        return text, None
    protocol = "+".join(pieces[:first])
    if not protocol.strip():
        raise InputError(f"protocol, at word 1 {quote(text.split()[0])}: rules stand after a protocol, as in {BESIDE}")
    parts: list[Part | str] = []
    for place, piece in enumerate(pieces[first:], start=first):
        before = _words_before(text, sum(len(earlier) + 1 for earlier in pieces[:place]))
        if not _is_rules(piece):
            at = f"protocol, at word {before + 1} {quote((piece.split() or ['+'])[0])}"
            raise InputError(f"{at}: rules stand last; write this part of the protocol before them")
        parts.append(_part(piece, before))
    names = [part for part in parts if isinstance(part, str)]
    heads = [part for part in parts if isinstance(part, str) or part[0]]
    if len(heads) > 1:
        raise InputError("the rules beside a protocol are one set; say only once when he is seen, or name one set")
    return protocol.strip(), _joined(parts, RuleSet.open(names[0]) if names else None)


def _is_rules(piece: str) -> bool:
    first = (piece.split() or [""])[0].lower()
    return first in FIRST_WORDS or bool(SIGNS.search(piece)) or nearest(first, ("titrate", "if"), LIKENESS) is not None


def _words_before(text: str, offset: int) -> int:
    """How many words stand before a place in a text; a word that goes on there is not counted."""
    inside = offset > 0 and not text[offset - 1].isspace() and not text[offset : offset + 1].isspace()
    return len(text[:offset].split()) - inside


def _part(piece: str, before: int) -> Part | str:
    """The name of a rule set, or settings and rules."""
    said = piece.split()
    if said[0].lower() == "titrate" and not SIGNS.search(piece) and "if" not in piece.lower().split():
        if len(said) != 2:
            raise InputError(
                f'protocol, at word {before + 1} "titrate": expected the name of one rule set, or a drug and rules '
                'after a colon, as in "titrate anastrozole: if ..."'
            )
        return said[1]
    reader = RuleReader(tokens(piece, before), "protocol")
    return reader.head(), reader.rules()


def _joined(parts: list[Part | str], named: RuleSet | None = None) -> RuleSet:
    """One set of several parts in their order; a name among them stands for the rules of ``named``."""
    rules: tuple[Rule, ...] = ()
    own: tuple[Rule, ...] = ()
    for part in parts:
        if not isinstance(part, str):
            own += tuple(part[1])
        rules += tuple(part[1]) if not isinstance(part, str) else named.rules if named else ()
    if named:
        return replace(named, rules=rules, provenance=(*named.provenance, *map(_own, own)))
    settings: dict[str, Any] = next((part[0] for part in parts if not isinstance(part, str) and part[0]), {})
    provenance = [_own(one) for one in rules]
    for field, said, read in (
        ("visits", words.default_visits(), Visits.parse),
        ("turnaround", words.default_turnaround(), time),
    ):
        if field not in settings:
            settings = {**settings, field: read(said.text)}
            provenance.append(Provenance(said.text, said.kind, said.source, said.where, said.note))
    return RuleSet(rules, **settings, provenance=tuple(provenance))


def _own(one: Rule) -> Provenance:
    return Provenance(one.text(), words.ASSUMED, (words.ASSUMED,), None, "written for this run")
