"""What is drawn from a man at a visit, who measures it on which scale, and what is printed of it.

Blood is of the hour of the visit, just before a dose of that hour. A man's own assay and hour are used where he has a
reading, and his kit prints at day 0 what was measured then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig import laboratory, men, outputs, start
from leydig.engine.inputs import evaluate
from leydig.errors import unknown
from leydig.pharmacology.titration import Measured, RuleSet
from leydig.studies import observe
from leydig.subject import Completed

OWN_SHARE = "own_testosterone_share"
RATIO = "testosterone_estradiol_ratio"  # rules have it from its two parts
NOT_COMPUTED = ("albumin",)  # a laboratory measures it, the model has one for all times


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


# Who measures ---------------------------------------------------------------------------------------


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
    each = [Measured(part, measured.assay) for part in parts]
    return Sample(
        measured, test_of(measured, c, own), quotient=tuple(Sample(one, test_of(one, c, own)) for one in each)
    )


def test_of(
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


# What is printed -------------------------------------------------------------------------------------


def draws(seed: int, place: Laboratory, hour: float, first: int, n: int) -> dict[observe.Test, Any]:
    """The random numbers of the samples of n men: seed, man, analyte and hour of the visit decide them."""
    every = [part for sample in place.samples for part in (sample.quotient or (sample,))]
    return {part.test: _draws(seed, part.test, hour, first, n) for part in every}


def _draws(seed: int, test: observe.Test, hour: float, first: int, n: int) -> Any:
    """Two assays of one sample share its blood and err each for itself."""
    assay = laboratory.ASSAYS.index(test.assay) if test.assay in laboratory.ASSAYS else 0
    return observe.draws(seed, test, f"hour {float(hour)!r}", first, n, replicate=assay)


class Read(NamedTuple):
    """A sample of n men, arrays (n,): printed, whether it is less or more than that, and without noise."""

    values: np.ndarray
    below: np.ndarray  # less than is printed, which is the limit of quantitation
    expected: np.ndarray
    above: np.ndarray  # more than is printed: a quotient over less than a limit


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
            above.below & ~under.below,
            above.expected / np.maximum(under.expected, floor),
            under.below & ~above.below,
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
    below = found["below"].astype(bool)
    return Read(found["values"], below, found["expected"], np.zeros_like(below))
