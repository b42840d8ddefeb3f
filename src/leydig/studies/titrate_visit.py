"""One visit of any number of men whose doses are titrated: what is drawn, what the laboratory prints, what is decided.

Blood is drawn just before the dose of that hour. The rules see printed values, with the noise of the sample and of the
assay; what they ask for takes effect when the laboratory has answered. Beside it stands what the same rules would have
asked for had every reading been free of noise: where the two lead to other doses, the decision was taken on noise.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig import laboratory, ranges, start
from leydig.errors import InputError, ModelWarning
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.schedule import Continuous
from leydig.pharmacology.titration import Measured, RuleSet, decide_many
from leydig.pharmacology.titration_conditions import Printed, Readings, comparisons
from leydig.pharmacology.treatment import Treatment
from leydig.studies import observe
from leydig.studies.sampling import Laboratory, read, test_of
from leydig.units import from_canonical

HOURS_PER_DAY = 24.0
NO_RULE = -1
MOST_VISITS = 1000


class Visit(NamedTuple):
    """One visit of n men; arrays (n,)."""

    hour: float  # h
    effect: float  # h, from which what is decided holds
    there: np.ndarray  # whether he is still followed
    observed: Mapping[Measured, np.ndarray]  # printed, canonical units
    below: Mapping[Measured, np.ndarray]  # whether it was printed as below the limit of quantitation
    expected: Mapping[Measured, np.ndarray]  # the same reading without any noise
    rule: np.ndarray  # number of the rule that acts, NO_RULE where none holds
    without_noise: np.ndarray  # number of the rule that would act on the readings without noise
    before: tuple[Treatment, ...]
    after: tuple[Treatment, ...]

    on_noise: np.ndarray  # whether he would be prescribed something else without noise
    seen: Readings  # what the rules were told
    clear: Readings  # what they would have been told without noise


def checked(rules: RuleSet, what: str = "the titration") -> RuleSet:
    """The rules, if a laboratory can measure all that they look at; InputError otherwise."""
    for measured in rules.measured:
        test_of(measured, laboratory.constants(), {}, what)
    usual = ranges.limits("usual")
    for one in (one for rule in rules.rules for one in comparisons(rule.condition)):
        if one.quantity in usual and not usual[one.quantity].low <= one.canonical <= usual[one.quantity].high:
            low, high = (from_canonical(one.quantity, bound, one.unit) for bound in usual[one.quantity])
            sentence = f'"{one.text()}": usual values are {low:.3g} to {high:.3g} {one.unit}, so check the unit'
            warnings.warn(ModelWarning(sentence), stacklevel=2)
    return rules


def hours(rules: RuleSet, treatment: Treatment, horizon_hours: float) -> tuple[float, ...]:
    """The visits of a run (h): those after day 0, on which it begins, that can still change a dose of it."""
    end = horizon_hours if treatment.end is None else min(treatment.end, horizon_hours)
    found = tuple(hour for hour in rules.visits.hours(horizon_hours) if hour > 0 and rules.effect_hour(hour) < end)
    if len(found) > MOST_VISITS:
        raise InputError(
            f'"{rules.visits.text()}" makes {len(found):,} visits in {horizon_hours / HOURS_PER_DAY:g} days; '
            f"a titration has at most {MOST_VISITS:,}"
        )
    return found


def attend(
    rules: RuleSet,
    place: Laboratory,
    past: Sequence[Visit],
    hour: float,
    values: Mapping[str, np.ndarray],
    age: np.ndarray,
    drawn: Mapping[observe.Test, Any],
    treatments: Sequence[Treatment],
    there: np.ndarray,
) -> Visit:
    """A visit at ``hour`` of n men whose state has these ``values`` (n,), and what is decided.

    ``past`` are all their visits before, ``drawn`` the random numbers of every sample, ``treatments`` what each is
    prescribed until now. Who is not ``there`` is not seen and keeps his treatment.
    """
    readings = {sample.measured: read(sample, values, age, drawn, place.constants) for sample in place.samples}
    expected = {one: np.where(there, some.expected, np.nan) for one, some in readings.items()}
    observed = (
        {one: np.where(there, some.values, np.nan) for one, some in readings.items()} if place.noise else expected
    )
    below = {one: some.below & there & place.noise for one, some in readings.items()}
    stopped = np.array([treatment.stopped for treatment in treatments], bool)
    seen = {one: Printed(observed[one], below[one]) for one in observed}
    acts = decide_many(rules, [*(visit.seen for visit in past), seen], stopped)
    clear = {sample.measured: _clear(sample.test, expected[sample.measured]) for sample in place.samples}
    would = decide_many(rules, [*(visit.clear for visit in past), clear], stopped)
    acts, would = (np.where(there, some, NO_RULE) for some in (acts, would))
    effect = rules.effect_hour(hour)
    changed: dict[tuple[Treatment, int], Treatment] = {}

    def then(treatment: Treatment, number: int) -> Treatment:
        key = treatment, number
        if key not in changed:
            changed[key] = treatment if number < 0 else treatment.after(rules.rules[number].action, effect, rules)
        return changed[key]

    after = tuple(then(*one) for one in zip(treatments, acts.tolist(), strict=True))
    otherwise = [then(*one) for one in zip(treatments, would.tolist(), strict=True)]
    on_noise = np.array([one != other for one, other in zip(after, otherwise, strict=True)], bool)
    readings_of = (there, observed, below, expected)
    return Visit(hour, effect, *readings_of, acts, would, tuple(treatments), after, on_noise, seen, clear)


def _clear(test: observe.Test, expected: np.ndarray) -> Printed:
    """A reading without noise as a laboratory prints it: below the limit of quantitation it is no number either."""
    limit = None if test.analyte in observe.DERIVED else observe.lloq(test.analyte, test.assay)
    return Printed(expected, False) if limit is None else Printed(np.maximum(expected, limit), expected < limit)


def given(treatment: Treatment, protocol: Protocol, days: float, until: float, weekday: int = 0) -> start.Given:
    """What is given before ``until`` (h): an infusion that goes on then is whole, a dose of that hour is not there."""
    lasting = any(isinstance(regimen.schedule, Continuous) for regimen in protocol.regimens)
    doses = treatment.doses(days * HOURS_PER_DAY if lasting else until, weekday)
    return start.Given(tuple(dose for dose in doses if dose.time < until), tuple(protocol.levers(days)))
