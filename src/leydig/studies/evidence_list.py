"""The evidence base filtered by what a reader asks for.

rows = select(Filter(drug="anastrozole", quantity="testosterone", role="validation"))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple, get_args

from leydig.bibliography import reference
from leydig.errors import InputError, nearest, unknown
from leydig.evidence import Condition, Role, Seen, trials
from leydig.literature.conflicts import Conflict, OfTrial, conflicts, figures_named
from leydig.literature.entries import distributions, guidelines, variations
from leydig.studies.evidence_rows import KINDS, TRIALS, Row, rows, trial_rows
from leydig.units import CANONICAL

UNTREATED = "none"


class Filter(NamedTuple):
    """What is asked for; None is anything."""

    kind: str | None = None
    drug: str | None = None  # that an arm takes; "testosterone" is any of its forms, "none" no drug
    quantity: str | None = None
    role: str | None = None
    verification: str | None = None  # how the number was seen
    condition: str | None = None

    @property
    def given(self) -> dict[str, str]:
        """What was asked for, by name."""
        return {name: value for name, value in self._asdict().items() if value is not None}


def checked(asked: Filter) -> Filter:
    """The filter, when every name in it is known and they fit together; else InputError with the nearest name."""
    known: dict[str, Sequence[str]] = {
        "kind": KINDS,
        "drug": drugs(),
        "quantity": list(CANONICAL),
        "role": get_args(Role),
        "verification": get_args(Seen),
        "condition": get_args(Condition),
    }
    for name, value in asked.given.items():
        if value not in known[name]:
            raise unknown(name, value, known[name], f"--{name}")
    for name in ("drug", "role"):
        if name in asked.given and asked.kind not in (None, TRIALS):
            raise InputError(f"{asked.kind} have no {name}; leave --{name} out or ask for --kind {TRIALS}")
    return asked


def select(asked: Filter) -> list[Row]:
    """The rows that meet a filter, by kind and study, trials first."""
    checked(asked)
    return [row for kind in KINDS if asked.kind in (None, kind) for row in rows(kind) if _meets(row, asked)]


def _meets(row: Row, asked: Filter) -> bool:
    exact = {"quantity": row.quantity, "role": row.role, "verification": row.seen, "condition": row.condition}
    if any(getattr(asked, name) not in (None, value) for name, value in exact.items()):
        return False
    return asked.drug is None or (row.kind == TRIALS and takes(row.drugs, asked.drug))


def takes(taken: tuple[str, ...], drug: str) -> bool:
    """Whether a drug, or a form of it, is among those taken; ``none`` is met where none is."""
    if drug == UNTREATED:
        return not taken
    return any(name == drug or name.startswith(f"{drug} ") for name in taken)


@cache
def drugs() -> tuple[str, ...]:
    """Every drug or lever that an arm of a trial takes, with the names that several forms share, and ``none``."""
    names = {name for row in trial_rows() for name in row.drugs}
    first = [name.split(" ")[0] for name in names if " " in name]
    shared = {word for word in first if first.count(word) > 1}
    return (*sorted(names | shared, key=str.casefold), UNTREATED)


# Overview and single studies ----------------------------------------------------------------------


def keys() -> list[str]:
    """The key of every study of any kind, in alphabetical order."""
    found = {one.key for one in trials()} | {*distributions(), *variations(), *guidelines()}
    return sorted(found, key=str.casefold)


def entries_named(key: str) -> dict[str, Any]:
    """What is entered under a key, by kind; InputError with the nearest key when there is nothing.

    A key of the bibliography stands for the trials that cite it.
    """
    found: dict[str, Any] = {}
    named = [one for one in trials() if key in (one.key, one.citation)]
    if named:
        found[TRIALS] = named
    others: tuple[dict[str, Any], ...] = (distributions(), variations(), guidelines())
    found |= {kind: known[key] for kind, known in zip(KINDS[1:], others, strict=True) if key in known}
    if not found:
        close = nearest(key, keys())
        guess = f'; did you mean "{close}"? Allowed' if close else "; allowed"
        raise InputError(f'unknown study "{key}"{guess}: a key that leydig evidence --json lists under "studies"')
    return found


def overview() -> dict[str, Any]:
    """How many studies and figures of each kind there are, by role and by how they were seen."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        several = rows(kind)
        found[kind] = {
            "studies": len({row.study for row in several}),
            "figures": len(several),
            "seen": dict(Counter(row.seen for row in several)),
        }
    by_role = {role: [one for one in trials() if one.role == role] for role in get_args(Role)}
    found[TRIALS]["roles"] = {
        role: {
            "studies": len(several),
            "figures": sum(row.role == role for row in trial_rows()),
            "scored": sum(row.role == role and row.scored for row in trial_rows()),
        }
        for role, several in by_role.items()
    }
    found[TRIALS]["drugs"] = {
        drug: len({row.study for row in trial_rows() if takes(row.drugs, drug)}) for drug in drugs()
    }
    return found


def studies() -> list[dict[str, Any]]:
    """Every study of every kind: key, kind, title, how it was seen, role, number of figures."""
    titles: dict[str, dict[str, Any]] = {TRIALS: {one.key: one for one in trials()}}
    titles |= dict(zip(KINDS[1:], (distributions(), variations(), guidelines()), strict=True))
    counts = Counter((row.kind, row.study) for kind in KINDS for row in rows(kind))
    return [
        {
            "key": key,
            "kind": kind,
            "title": one.title,
            "verification": one.verification,
            "role": getattr(one, "role", ""),
            "figures": counts[kind, key],
        }
        for kind in KINDS
        for key, one in titles[kind].items()
    ]


def citation(key: str) -> dict[str, str]:
    """A reference of the bibliography: formatted, with its identifiers and how it was seen."""
    entry = reference(key)
    identifiers = {name: entry.fields[name] for name in ("doi", "pmid", "url") if entry.fields.get(name)}
    return {"key": key, "text": entry.formatted(), "verification": entry.verification, **identifiers}


def conflicting(some: Iterable[Row], asked: Filter) -> list[tuple[Conflict, list[tuple[str, list[Row]]]]]:
    """The conflicts with their figures as rows, side by side; with a filter those that one of its rows belongs to."""
    chosen = set(some)
    found = []
    for conflict in conflicts():
        sides = [(side.says, [row for named in side.figures for row in _rows_named(named)]) for side in conflict.sides]
        if not asked.given or any(row in chosen for _, several in sides for row in several):
            found.append((conflict, sides))
    return found


def conflicts_of(some: Iterable[Row]) -> list[Conflict]:
    """The conflicts that one of these rows belongs to."""
    chosen = set(some)
    return [
        conflict
        for conflict in conflicts()
        if any(row in chosen for side in conflict.sides for named in side.figures for row in _rows_named(named))
    ]


def _rows_named(named: Any) -> list[Row]:
    """The rows of a named figure."""
    of_trial = isinstance(figures_named(named)[0], OfTrial)
    kind, study, group = (TRIALS, named.trial, named.arm) if of_trial else (KINDS[1], named.distribution, named.group)
    return [
        row
        for row in rows(kind)
        if (row.study, row.group, row.quantity) == (study, group, named.quantity) and row.day == named.day
    ]
