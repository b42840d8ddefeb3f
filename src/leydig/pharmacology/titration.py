"""Titration: rules that change a dose by what is measured at visits.

A rule set says when blood is drawn (``visits``), how long it takes until a changed dose is taken (``turnaround``), and
what is done: at each visit the first rule that holds acts. Every object is immutable and has one canonical text.

    RuleSet.parse("titrate anastrozole at weeks 6, 12: if E2 < 15 pg/mL (LC-MS) then halve the dose")
    RuleSet.open("letrozole-obese-men")

``titration_conditions`` holds what a rule reads, ``titration_actions`` what it does, ``titration_text`` the words,
``titration_file`` the files, and ``treatment`` what a man then takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leydig.errors import InputError
from leydig.pharmacology import titration_words as words
from leydig.pharmacology.product import known_products, refused, unknown_drug
from leydig.pharmacology.schedule import Continuous, PerDay
from leydig.pharmacology.titration_actions import (
    Action,
    Add,
    Keep,
    Latitude,
    Multiply,
    Prescription,
    Restart,
    SetDose,
    StepDown,
    StepUp,
    Stop,
    amount_of,
)
from leydig.pharmacology.titration_conditions import AllOf, AnyOf, Comparison, Condition, Measured, Readings, Repeated
from leydig.pharmacology.visits import Time, Visits

__all__ = [
    "Action",
    "Add",
    "AllOf",
    "AnyOf",
    "Comparison",
    "Condition",
    "Keep",
    "Measured",
    "Multiply",
    "Provenance",
    "Readings",
    "Repeated",
    "Restart",
    "Rule",
    "RuleSet",
    "SetDose",
    "StepDown",
    "StepUp",
    "Stop",
    "decide",
    "decide_many",
    "rule_sets",
]

MOST_RULES = 50


@dataclass(frozen=True, slots=True)
class Rule:
    """If a condition holds, then an action."""

    condition: Condition
    action: Action

    @classmethod
    def parse(cls, text: str) -> Rule:
        """The rule of a text such as "if E2 < 15 pg/mL (LC-MS) then halve the dose"; InputError points at the word."""
        from leydig.pharmacology import titration_text

        return titration_text.rule(text)

    @property
    def measured(self) -> tuple[Measured, ...]:
        return self.condition.measured

    def text(self) -> str:
        return f"if {self.condition.text()} then {self.action.text()}"


class Provenance(NamedTuple):
    """Where something that a rule set says is from."""

    says: str
    kind: str  # measured, derived or assumed
    sources: tuple[str, ...]  # keys of the bibliography, or "assumed"
    where: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules with their visits. Two sets are one where they say the same, whatever their names and sources."""

    rules: tuple[Rule, ...]
    visits: Visits
    turnaround: Time  # from the visit to the changed dose
    drugs: tuple[str, ...] = ()  # the protocol's one of these is titrated; empty for the only drug that it has
    steps: tuple[SetDose, ...] = ()
    lowest: SetDose | None = None  # beyond these no rule moves a dose
    highest: SetDose | None = None
    name: str = field(default="", compare=False)
    title: str = field(default="", compare=False)
    whom: str = field(default="", compare=False)
    start: str | None = field(default=None, compare=False)  # the protocol that it begins with
    note: str | None = field(default=None, compare=False)
    provenance: tuple[Provenance, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.rules) <= MOST_RULES:
            raise InputError(f"there are {len(self.rules)} rules; there must be from 1 to {MOST_RULES}")
        steps = [rule for rule in self.rules if isinstance(rule.action, StepUp | StepDown)]
        if steps and len(self.steps) < 2:
            example = '"steps 0.5 mg, 1 mg"'
            raise InputError(f'"{steps[0].text()}" needs steps; name at least two before the colon, such as {example}')
        if len({step.schedule is None for step in self.steps}) > 1:
            raise InputError("of the steps either all say how often they are taken or none does")
        object.__setattr__(self, "drugs", tuple(_drug_named(drug) for drug in self.drugs))

    @classmethod
    def parse(cls, text: str) -> RuleSet:
        """The rules of a text, see ``titration_text``; InputError points at the word that cannot be read."""
        from leydig.pharmacology import titration_text

        return titration_text.rule_set(text)

    @classmethod
    def open(cls, name: str | Path) -> RuleSet:
        """A bundled rule set by name, or the one of a YAML file by path."""
        from leydig.pharmacology import titration_file

        return titration_file.open_set(name)

    def text(self) -> str:
        """Everything that is done, as ``parse`` reads it; names and sources are not part of it."""
        head = [f"titrate {' or '.join(self.drugs)} {self.visits.text()}" if self.drugs else self.visits.text()]
        head.append(f"results after {self.turnaround.text()}")
        if self.steps:
            head.append(f"steps {', '.join(step.text() for step in self.steps)}")
        for word, bound in (("lowest", self.lowest), ("highest", self.highest)):
            if bound:
                head.append(f"{word} {bound.text()}")
        return f"{', '.join(head)}: {'; '.join(rule.text() for rule in self.rules)}"

    @property
    def measured(self) -> tuple[Measured, ...]:
        """What must be measured at every visit."""
        return tuple(dict.fromkeys(one for rule in self.rules for one in rule.measured))

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of the bibliography."""
        return tuple(sorted({key for said in self.provenance for key in said.sources} - {words.ASSUMED}))

    def effect_hour(self, visit_hour: float) -> float:
        """From when on a dose that this visit changed is taken, h."""
        return visit_hour + float(self.turnaround.hours)

    def latitude(self, drug: str) -> Latitude:
        """Within what the dose of this drug (with its form) may move; InputError where the rules do not suit it."""
        return _latitude(self, drug.lower())


@lru_cache(maxsize=256)
def _latitude(rules: RuleSet, drug: str) -> Latitude:
    product = known_products(None)[drug]
    steps = tuple(step.prescription(product, PerDay(1)) for step in rules.steps)
    if any(later.daily <= earlier.daily for earlier, later in pairwise(steps)):
        raise InputError(f"the steps of {product.name} must increase in their amount a day")
    low, high = (
        amount_of(product, bound.amount, bound.unit) if bound else accepted
        for bound, accepted in zip((rules.lowest, rules.highest), product.accepted, strict=True)
    )
    if low > high:
        raise InputError(f"the lowest dose of {product.name} is above the highest")
    own = any(step.schedule for step in rules.steps) and not product.continuous
    latitude = Latitude(product, steps, own, max(low, product.accepted[0]), min(high, product.accepted[1]))
    example = Prescription(product.accepted[1], Continuous() if product.continuous else PerDay(1))
    for rule in rules.rules:  # refuses a unit or a dose that the drug cannot have
        rule.action.after(example._replace(stopped=rule.action.restarts), latitude)
    doses = (rule.action.dose if isinstance(rule.action, Restart) else rule.action for rule in rules.rules)
    for dose in dict.fromkeys((*rules.steps, *(dose for dose in doses if isinstance(dose, SetDose)))):
        refused(product, amount_of(product, dose.amount, dose.unit))  # warns of an unusual one, not for every man
    return latitude


def _drug_named(name: str) -> str:
    """The catalogue's name; InputError with the nearest one."""
    known = known_products(None)
    if name.lower() not in known:
        raise InputError(f'"{name}": {unknown_drug(name, known)}')
    return known[name.lower()].name


def rule_sets() -> list[str]:
    """The names of the bundled rule sets."""
    return sorted(path.stem for path in words.FOLDER.glob("*.yaml") if path.stem != words.DEFAULTS)


def decide(rules: RuleSet, visits: Sequence[Readings], stopped: bool = False) -> Rule | None:
    """The rule that acts: the first one that holds at the last of one man's visits, or None.

    While the drug is stopped only rules that restart it are considered, and before that they are passed over.
    """
    for rule in rules.rules:
        if rule.action.restarts == stopped and bool(rule.condition.holds(visits)):
            return rule
    return None


def decide_many(rules: RuleSet, visits: Sequence[Readings], stopped: NDArray[np.bool_]) -> NDArray[np.int64]:
    """``decide`` for many men at once: readings are arrays over men, the answer the place of the rule, -1 for none."""
    chosen = np.full(np.shape(stopped), -1)
    for place, rule in reversed(list(enumerate(rules.rules))):
        holds = np.logical_and(rule.condition.holds(visits), np.equal(stopped, rule.action.restarts))
        chosen = np.where(holds, place, chosen)
    return chosen
