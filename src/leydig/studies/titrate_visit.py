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

from leydig import laboratory, men, outputs, start
from leydig.engine.inputs import evaluate
from leydig.errors import InputError, ModelWarning, unknown
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.schedule import Continuous
from leydig.pharmacology.titration import Measured, RuleSet, decide_many
from leydig.pharmacology.titration_conditions import Printed, Readings, comparisons
from leydig.pharmacology.treatment import Treatment
from leydig.studies import observe
from leydig.subject import Completed
from leydig.units import from_canonical

HOURS_PER_DAY = 24.0
OWN_SHARE = "own_testosterone_share"
RATIO = "testosterone_estradiol_ratio"  # rules have it from its two parts
NOT_COMPUTED = ("albumin",)  # a laboratory measures it, the model has one for all times
NO_RULE = -1
MOST_VISITS = 1000


class Sample(NamedTuple):
    """Something that the rules look at, as a laboratory measures it."""

    measured: Measured  # what the rules call it
    test: observe.Test
    factor: float = 1.0  # by which this man's laboratory prints more than others with the assay
    quotient: tuple[Sample, ...] = ()  # two values that it is the quotient of, each on its own assay


class Laboratory(NamedTuple):
    """What is drawn at every visit, and by which scales it is printed."""

    samples: tuple[Sample, ...]
    constants: laboratory.Constants
    noise: bool = True  # without it every reading is the expected one


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


# Who measures ---------------------------------------------------------------------------------------


def checked(rules: RuleSet, what: str = "the titration") -> RuleSet:
    """The rules, if a laboratory can measure all that they look at; InputError otherwise."""
    for measured in rules.measured:
        _test(measured, laboratory.constants(), {}, what)
    usual = laboratory.limits("usual")
    for one in (one for rule in rules.rules for one in comparisons(rule.condition)):
        if one.quantity in usual and not usual[one.quantity].low <= one.canonical <= usual[one.quantity].high:
            low, high = (from_canonical(one.quantity, bound, one.unit) for bound in usual[one.quantity])
            sentence = f'"{one.text()}": usual values are {low:.3g} to {high:.3g} {one.unit}, so check the unit'
            warnings.warn(ModelWarning(sentence), stacklevel=2)
    return rules


def common_laboratory(rules: RuleSet, noise: bool = True) -> Laboratory:
    """The laboratory of men of whom no reading is known: mass spectrometry where no assay is named, in the morning."""
    c = laboratory.constants()
    return Laboratory(tuple(_sample(measured, c, {}) for measured in rules.measured), c, noise)


def own_laboratory(
    rules: RuleSet, completed: Completed, began: start.Start, c: laboratory.Constants | None = None
) -> Laboratory:
    """What a man's own laboratory draws for these rules; see ``of_man``."""
    return of_man(rules.measured, completed, began, c)


def of_man(
    every: Sequence[Measured], completed: Completed, began: start.Start, c: laboratory.Constants | None = None
) -> Laboratory:
    """A man's own laboratory: his assay and hour where he has a reading, printing at day 0 what was measured then.

    What names another assay than his is read on that assay in the morning.
    """
    c = laboratory.constants() if c is None else c
    own = {reading.name: (reading.assay, reading.hour) for reading in completed.readings}
    samples = tuple(_sample(measured, c, own) for measured in every)
    if not completed.measured_is_reference:
        return Laboratory(samples, c)
    now = _at_day_0(began, completed.age)
    return Laboratory(tuple(_anchored(sample, completed, own, now, c) for sample in samples), c)


def _sample(measured: Measured, c: laboratory.Constants, own: Mapping[str, tuple[str, float | None]]) -> Sample:
    """What is drawn for something that is looked at."""
    parts = observe.DERIVED[RATIO] if measured.quantity == RATIO else ()
    of_each = (Measured(part, measured.assay) for part in parts)
    return Sample(measured, _test(measured, c, own), quotient=tuple(Sample(one, _test(one, c, own)) for one in of_each))


def _test(
    measured: Measured, c: laboratory.Constants, own: Mapping[str, tuple[str, float | None]], what: str = ""
) -> observe.Test:
    """How something is measured: on the assay that the rule names, else on his own."""
    allowed = tuple(name for name in (*observe.analytes(), *observe.DERIVED) if name not in NOT_COMPUTED)
    if measured.quantity not in allowed:
        raise unknown("analyte", measured.quantity, allowed, what)
    parts = observe.DERIVED.get(measured.quantity, (measured.quantity,))
    assay, hour = next((own[part] for part in parts if part in own), (_usual(measured.quantity), c.usual_hour))
    if measured.assay is not None and measured.assay != assay:
        return observe.Test(measured.quantity, measured.assay, c.usual_hour)
    return observe.Test(measured.quantity, assay, hour)


def _usual(quantity: str) -> str:
    """The assay of men without one of their own."""
    if quantity in laboratory.DENSITIES or quantity.startswith("t_score"):
        return laboratory.HOLOGIC
    in_blood = quantity == RATIO or quantity in laboratory.analytes()
    return laboratory.MASS_SPECTROMETRY if in_blood else laboratory.UNKNOWN


def _anchored(
    sample: Sample, completed: Completed, own: Mapping[str, Any], now: Mapping[str, float], c: laboratory.Constants
) -> Sample:
    """The sample on his own kit: what it prints at day 0 is what was measured."""
    if sample.quotient:
        return sample._replace(quotient=tuple(_anchored(part, completed, own, now, c) for part in sample.quotient))
    name, test = sample.measured.quantity, sample.test
    read = [r.printed for r in completed.readings if r.name == name and r.printed > 0]
    if not read or own.get(name) != (test.assay, test.hour) or name not in laboratory.analytes():
        return sample
    printed = float(observe.expected(test, now[name], completed.age, now[OWN_SHARE], 0.0, c))
    return sample._replace(factor=float(np.exp(np.mean(np.log(read)))) / printed) if printed > 0 else sample


def _at_day_0(began: start.Start, age: float) -> dict[str, float]:
    inputs = evaluate(start.input_table(age, began.earlier), np.zeros(1))
    found = outputs.quantities(began.state[None, :], began.individual, inputs)
    return {name: float(values[0]) for name, values in found.items()}


def needed(samples: Sequence[Sample]) -> tuple[str, ...]:
    """The quantities of the state that these samples are made of."""
    parts = [part for sample in samples for part in observe.parts(sample.test)]
    return tuple(dict.fromkeys([*parts, OWN_SHARE]))


# One visit ------------------------------------------------------------------------------------------


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


def draws(seed: int, place: Laboratory, hour: float, first: int, n: int) -> dict[observe.Test, Any]:
    """The random numbers of the samples of n men: seed, man, analyte and hour of the visit decide them."""
    every = [part for sample in place.samples for part in (sample.quotient or (sample,))]
    return {part.test: _draws(seed, part.test, hour, first, n) for part in every}


def _draws(seed: int, test: observe.Test, hour: float, first: int, n: int) -> Any:
    """Two assays of one sample share its blood and err each for itself."""
    assay = laboratory.ASSAYS.index(test.assay) if test.assay in laboratory.ASSAYS else 0
    return observe.draws(seed, test, f"hour {float(hour)!r}", first, n, replicate=assay)


class Read(NamedTuple):
    """A sample of n men, arrays (n,): printed, whether below the limit of quantitation, and without noise."""

    values: np.ndarray
    below: np.ndarray
    expected: np.ndarray


def read(
    sample: Sample, values: Mapping[str, np.ndarray], age: np.ndarray, drawn: Mapping[observe.Test, Any],
    c: laboratory.Constants,
) -> Read:  # fmt: skip
    """What the laboratory prints of a sample of n men whose state has these ``values`` (n,)."""
    if sample.quotient:
        above, under = (read(part, values, age, drawn, c) for part in sample.quotient)
        floor = outputs.reporting().estradiol_floor
        return Read(
            above.values / np.maximum(under.values, floor),
            above.below | under.below,
            above.expected / np.maximum(under.expected, floor),
        )
    test, lab = sample.test, float(np.log(sample.factor))
    names, derived = list(observe.parts(test)), test.analyte in observe.DERIVED
    random = drawn[test] if derived else {test.analyte: drawn[test]}

    def of(some: Mapping[str, Any]) -> Any:
        return some if derived else some[test.analyte]

    def compute(state: np.ndarray, numbers: np.ndarray, age: np.ndarray, share: np.ndarray) -> dict[str, np.ndarray]:
        parts, n = of(dict(zip(names, state, strict=True))), len(age)
        kinds = []
        for method in (0.0, 1.0):  # stands for the kind of assay where none is named
            own = {
                name: observe.Draws(*fields)._replace(method=np.full(n, method))
                for name, fields in zip(names, numbers, strict=True)
            }
            kinds.append(observe.simulate(test, parts, age, of(own), share, lab, c))
        values, below = kinds[0]
        if test.assay == laboratory.UNKNOWN:  # as the report has it: what both kinds would print, by their shares
            values = c.unknown_assay_share * values + (1 - c.unknown_assay_share) * kinds[1].values
            below = below & kinds[1].below
        expected = observe.expected(test, parts, age, share, lab, c)
        return {"values": values, "below": below, "expected": expected}

    found = men.by_blocks(
        compute,
        np.stack([values[name] for name in names], axis=1),
        np.stack([np.stack(random[name], axis=1) for name in names], axis=1),
        age,
        values[OWN_SHARE],
    )
    return Read(found["values"], found["below"].astype(bool), found["expected"])


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
