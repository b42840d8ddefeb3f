"""Conflicting findings, switched on: what the model says of an outcome if the other side is right."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from leydig import model
from leydig.engine.trace import build, flatten, names
from leydig.errors import InputError, unknown
from leydig.grading import Alternative, alternatives

Values = Mapping[str, np.ndarray]

# Systems that follow the hormones and do not act back on them or on one another.
FOLLOWING = frozenset({"spermatogenesis", "bone", "cardiometabolic", "wellbeing"})


def chosen(wanted: Iterable[str]) -> list[Alternative]:
    """The alternatives of these names. InputError for an unknown name and for two that contradict each other."""
    known, found = alternatives(), []
    taken: dict[str, str] = {}
    spelled = {name.lower(): name for name in known}
    for words in dict.fromkeys(wanted):
        name = spelled.get("-".join(words.lower().split()), words)
        if name not in known:
            raise unknown("alternative", name, known, "what is assumed")
        for parameter in known[name].set:
            if taken.setdefault(parameter, name) != name:
                raise InputError(f'"{taken[parameter]}" and "{name}" contradict each other; assume one of them')
        found.append(known[name])
    return found


def switched(parameters: model.Parameters, some: Iterable[Alternative]) -> model.Parameters:
    """The parameters with those of the alternatives in place."""
    values = dict(zip(names(model.Parameters), flatten(parameters), strict=True))
    for alternative in some:
        values |= {name: value for name, value in alternative.set.items() if name in values}
    return build(model.Parameters, list(values.values()))


def others(assumed: Sequence[Alternative]) -> list[Alternative]:
    """The alternatives that are not assumed and touch nothing that an assumed one sets."""
    set_already = {parameter for alternative in assumed for parameter in alternative.set}
    return [a for a in alternatives().values() if set_already.isdisjoint(a.set)]


def rounds(some: Sequence[Alternative]) -> list[list[Alternative]]:
    """As few runs as it takes to show each alternative alone: those of different outcomes share a run."""
    found: list[list[Alternative]] = []
    for alternative in some:
        home = next((r for r in found if all(apart(alternative, other) for other in r)), None)
        if home is None:
            found.append([alternative])
        else:
            home.append(alternative)
    return found


def apart(one: Alternative, other: Alternative) -> bool:
    """Whether two alternatives leave each other's outcome alone: both follow the hormones, on different outcomes."""
    different = one.quantity != other.quantity and set(one.set).isdisjoint(other.set)
    return different and all(name.partition(".")[0] in FOLLOWING for name in (*one.set, *other.set))


def shown(
    some: Sequence[Alternative], run: Callable[[Sequence[Alternative]], Values]
) -> dict[str, dict[str, np.ndarray]]:
    """Each alternative's own outcome over time, by alternative and quantity; ``run`` runs some of them together."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for together in rounds(some):
        values = run(together)
        found |= {a.name: {a.quantity: values[a.quantity]} for a in together if a.quantity in values}
    return found
