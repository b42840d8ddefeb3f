"""What a meta-analysis asks: an outcome, the drugs, the visits and the designs; and what an arm takes when."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache, lru_cache
from math import inf
from typing import Any, NamedTuple

from leydig.errors import InputError, ModelWarning, unknown
from leydig.evidence import Trial, trials
from leydig.files import DATA, read_yaml
from leydig.pharmacology import drugs
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.schedule import HOURS
from leydig.pharmacology.steps import Regimen, WeightChange

DESIGNS = ("controlled", "before-after", "any")
ROLES = ("calibration", "validation", "none")
WEIGHT_LOSS, WEIGHT_GAIN = "weight loss", "weight gain"
EARLIEST_DAY, LATEST_DAY = 0.0, 20_000.0


class Question(NamedTuple):
    """What is pooled. Days count from the beginning of the drug."""

    outcome: str  # a quantity
    drug: str  # the name of the drug or of the group
    members: tuple[str, ...]  # the drugs of the group
    design: str
    from_day: float
    to_day: float
    role: str | None  # studies of this role only


class Taken(NamedTuple):
    """When something is taken, days; ``end`` inf where it goes on."""

    start: float
    end: float


@cache
def settings() -> dict[str, Any]:
    """data/meta.yaml."""
    return read_yaml(DATA / "meta.yaml")


def value(name: str) -> Any:
    """A number of data/meta.yaml."""
    return settings()[name]["value"]


def ask(
    outcome: str,
    *,
    drug: str | None = None,
    design: str = "any",
    from_day: float | None = None,
    to_day: float | None = None,
    role: str | None = None,
) -> Question:
    """The question in known words; InputError names the word that is not known and the nearest one."""
    outcomes = reported()
    if outcome not in outcomes:
        raise unknown("outcome", outcome, outcomes, "the evidence base")
    if design not in DESIGNS:
        raise unknown("design", design, DESIGNS, "--design")
    if role not in (None, *ROLES):
        raise unknown("role", role, ROLES, "--role")
    first, last = value("window")
    first, last = first if from_day is None else from_day, last if to_day is None else to_day
    if not EARLIEST_DAY <= first <= last <= LATEST_DAY:
        raise InputError(
            f"the visits are from day {first:g} to day {last:g}; they must be from {EARLIEST_DAY:g} to "
            f"{LATEST_DAY:g}, the first not after the last"
        )
    name, members = group(settings()["drug"] if drug is None else drug)
    return Question(outcome, name, members, design, float(first), float(last), role)


@cache
def reported() -> tuple[str, ...]:
    """Every quantity that some trial reports, the most often reported first."""
    counts: dict[str, int] = {}
    for trial in trials():
        for _, outcome in trial.outcomes():
            counts[outcome.quantity] = counts.get(outcome.quantity, 0) + 1
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


@cache
def groups() -> Mapping[str, tuple[str, ...]]:
    """Names of groups and of single drugs with the drugs that they stand for."""
    catalogue = drugs.catalogue()
    found: dict[str, tuple[str, ...]] = {}
    for kind in sorted({drug.kind for drug in catalogue.values()}):
        found[kind] = tuple(sorted(name for name, drug in catalogue.items() if drug.kind == kind))
    found |= {name: tuple(members) for name, members in settings()["groups"].items()}
    return found | {name: (name,) for name in sorted(catalogue)}


def group(word: str) -> tuple[str, tuple[str, ...]]:
    """The group or the drug that a word names, whatever its case or number, and its drugs."""
    names = {name.casefold(): name for name in groups()}
    names |= {f"{name.casefold()}s": name for name in groups()}
    for drug in drugs.catalogue().values():
        for synonym in drug.synonyms:
            names.setdefault(synonym.casefold(), drug.name)
    names |= {short.casefold(): name for short, name in settings()["short"].items()}
    folded = " ".join(word.casefold().replace("-", " ").split())
    if folded not in names:
        raise unknown("drug or group of drugs", word, groups(), "--drug")
    return names[folded], groups()[names[folded]]


def in_words(question: Question) -> str:
    """The drugs of the question in a sentence: a class in the plural, everything else as it is."""
    kinds = {drug.kind for drug in drugs.catalogue().values()}
    return f"{question.drug}s" if question.drug in kinds else question.drug


@lru_cache(maxsize=4096)
def agents(protocol: str) -> Mapping[str, Taken]:
    """What a protocol gives besides supplements, and when: drugs by name, and changes of weight, which last."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # a published dose is a fact, however unusual
        courses = Protocol.parse(protocol).courses
    found: dict[str, Taken] = {}
    for course in courses:
        for step, start, end in course.placed():
            if isinstance(step, WeightChange):
                name, end = WEIGHT_LOSS if step.percent < 0 else WEIGHT_GAIN, None
            elif isinstance(step, Regimen) and not step.supplement:
                name = step.drug
            else:
                continue
            began = float(start / HOURS["day"])
            ended = inf if end is None else float(end / HOURS["day"])
            before = found.get(name, Taken(began, ended))
            found[name] = Taken(min(before.start, began), max(before.end, ended))
    return found


def begun(protocol: str, day: float) -> dict[str, Taken]:
    """What has begun before a day."""
    return {name: taken for name, taken in agents(protocol).items() if taken.start < day}


def sharing(every: list[Trial]) -> list[list[Trial]]:
    """Trials in groups that share men, directly or through a third; each in the order of ``every``."""
    found: list[list[Trial]] = []
    for trial in every:
        linked = [own for own in found if any(_linked(trial, other) for other in own)]
        found = [own for own in found if own not in linked] + [[*(t for own in linked for t in own), trial]]
    place = {trial.key: number for number, trial in enumerate(every)}
    ordered = [sorted(own, key=lambda trial: place[trial.key]) for own in found]
    return sorted(ordered, key=lambda own: place[own[0].key])


def _linked(one: Trial, other: Trial) -> bool:
    return other.key in one.shares_men_with or one.key in other.shares_men_with
