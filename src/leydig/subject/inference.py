"""The condition of a man who names none, and what to ask when his values go together as no untreated man's do."""

from __future__ import annotations

from collections.abc import Mapping

from leydig import population_prior as population
from leydig.population_prior.records import Limit
from leydig.subject import agreement
from leydig.subject.man import Subject

EUGONADAL = "eugonadal"


def condition(subject: Subject, measured: Mapping[str, float], bmi: float | None) -> tuple[str, str]:
    """The condition and why: as named, else that of the first rule of data/population.yaml whose limits are met.

    A lesion is not inferred while he takes drugs, which move the values that would point to it.
    """
    if subject.condition is not None:
        return subject.condition, f"the condition {subject.condition} was named"
    values = dict(measured) | {"age": subject.age} | ({"BMI": bmi} if bmi is not None else {})
    for rule in population.population().inference:
        if subject.drugs and population.condition_named(rule.condition).lesion:
            continue
        if _all_met(rule.when, values, subject.age):
            why = " and ".join(
                f"{limit.quantity} {'below' if limit.below is not None else 'of at least'} "
                f"{limit.below if limit.below is not None else limit.above:g} {limit.unit}"
                + (f" ({limit.assay}, {limit.hour:02.0f}:00)" if limit.assay and limit.hour is not None else "")
                for limit in rule.when
            )
            return rule.condition, f"no condition was named; {rule.condition} is inferred from {why}"
    return EUGONADAL, "no condition was named and nothing measured points to one; eugonadal is assumed"


def questions(subject: Subject, values: Mapping[str, float]) -> list[str]:
    """What to ask him about values (state scale) that go together in no untreated man; nothing when drugs are named."""
    if subject.drugs:
        return []
    return [q.ask for q in population.population().questions if _all_met(q.when, values, subject.age)]


def _all_met(limits: tuple[Limit, ...], values: Mapping[str, float], age: float) -> bool:
    """Whether every limit's quantity is known and on the named side."""
    return all(limit.quantity in values and agreement.meets(limit, values[limit.quantity], age) for limit in limits)
