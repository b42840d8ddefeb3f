"""Noise of a test in words, as a table with sources, and as the change between two readings that means something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, logit, ndtri

from leydig import laboratory, parameters, units
from leydig.errors import InputError
from leydig.population_prior import population
from leydig.studies import observe_test as tests
from leydig.studies.observe_file import ANY, Number, observation
from leydig.studies.observe_test import DERIVED, Test

PERCENT = 100.0


class Change(NamedTuple):
    """How far a second reading must lie from the first to be no chance, %."""

    fall: float  # below 0
    rise: float


class Row(NamedTuple):
    """One number of the noise with where it comes from."""

    analyte: str  # empty where it holds for all
    assay: str  # empty where it does not depend on it
    what: str
    value: float
    unit: str
    kind: str
    source: tuple[str, ...]
    note: str


def change(log_sd: float, probability: float = 0.95) -> Change:
    """Reference change of readings whose logarithms have this SD: exp(-+ z sqrt(2) SD) - 1, in %.

    Source: Fokkema et al. 2006 (fokkema2006); the formula and worked figures in cats_rcv2020.
    """
    if not 0 < probability < 1:
        raise InputError(f"the probability must lie between 0 and 1, not {probability:g}")
    far = float(ndtri((1 + probability) / 2) * np.sqrt(2) * log_sd)
    return Change(PERCENT * float(np.expm1(-far)), PERCENT * float(np.expm1(far)))


def log_sd(cv: float) -> float:
    """SD of the logarithm of a log-normal variable with this coefficient of variation."""
    return float(np.sqrt(np.log1p(cv**2)))


def reference_change(
    analyte: str, assay: str = laboratory.UNKNOWN, probability: float = 0.95, at: float | None = None
) -> Change:
    """How far two readings of one man in one laboratory lie apart by chance alone with this probability.

    ``at`` is the level in canonical units: near the limit of quantification analysis weighs more. Without it the
    level is well above that limit, and of percentages, hematocrit and bone density the middle of all men.
    """
    entry, within = tests.entry(analyte), tests.within_man(analyte)
    several = tests.kinds(analyte, assay, laboratory.constants())
    level = at if at is not None else _middle(analyte) if entry.scale != "log" else None
    if level is not None and not level > 0:
        raise InputError(f"the level of {analyte} must lie above 0, not {level:g}")
    if level is not None and entry.scale == "log odds":
        if level >= PERCENT:
            raise InputError(f"the level of {analyte} must lie below 100 %, not {level:g}")
        sd = np.hypot(within, tests.counted(several[0].analysis, level / PERCENT))
        far = ndtri((1 + probability) / 2) * np.sqrt(2) * sd
        ends = [PERCENT * expit(logit(level / PERCENT) + side * far) for side in (-1, 1)]
        return Change(*(PERCENT * float(end / level - 1) for end in ends))
    squares = []
    for kind in several:
        e = tests.error(analyte, kind.analysis)
        square = e.cv**2 if level is None else (e.floor / level) ** 2 + e.per_level / level + e.cv**2
        squares.append(kind.weight * square)
    cv = float(np.sqrt(sum(squares)))
    if entry.scale == "log":
        return change(float(np.hypot(within, log_sd(cv))), probability)
    far = float(ndtri((1 + probability) / 2) * np.sqrt(2) * np.hypot(within / (level or 1.0), cv))
    return Change(-PERCENT * far, PERCENT * far)


def _middle(analyte: str) -> float:
    """The middle of all men."""
    center = population().quantities[analyte].center
    return 1.0 if center is None else center.value


def words(test: Test) -> str:
    """One sentence of what a printed value of this test varies by."""
    name = test.analyte.replace("_", " ")
    if test.analyte in DERIVED:
        computed = " and ".join(part.replace("_", " ") for part in DERIVED[test.analyte])
        return f"{_capital(name)} is computed from {computed} as they were printed, so it carries their noise."
    entry, c = tests.entry(test.analyte), laboratory.constants()
    several = tests.kinds(test.analyte, test.assay, c)
    pulse, day = entry.pulse.value, tests.day_to_day(entry, test.abstinence is not None)
    sizes = ((pulse, "by pulses"), (day, "by the day"))
    inside = [f"{_amount(test.analyte, size)} {what}" for size, what in sizes if size]
    said = [f"within the man by {' and '.join(inside)}"] if inside else []
    said += [f"in analysis by {' or '.join(dict.fromkeys(_analysis(test.analyte, kind) for kind in several))}"]
    spread = max(tests.scale(test.analyte, kind.assay, c).spread for kind in several)
    if spread:
        said.append(f"between laboratories by {_amount(test.analyte, spread, relative=entry.scale != 'log odds')}")
    assay = f" ({test.assay})" if len(several) > 1 or ANY not in entry.analysis else ""
    if assay and test.assay == laboratory.UNKNOWN:
        assay = " (assay not known)" if len(several) > 1 else " (scanner not known)"
    limits = dict.fromkeys(tests.error(test.analyte, kind.analysis).lloq for kind in several)
    shown = [f"{limit:.3g}" for limit in limits if limit is not None]
    below = f"; below {' or '.join(shown)} {units.CANONICAL[test.analyte]} no number is printed" if shown else ""
    return f"A reading of {name}{assay} varies {', '.join(said)} (SD){below}."


def _amount(analyte: str, size: float, relative: bool = False) -> str:
    """A standard deviation in words."""
    kind = tests.entry(analyte).scale
    if relative or kind == "log":
        return f"{PERCENT * size:.2g} %"
    if kind == "log odds":
        return f"{size:.2g} log odds"
    unit = units.CANONICAL[analyte]
    return f"{size:.2g} {'points' if unit == '%' else unit}"


def _analysis(analyte: str, kind: tests.Kind) -> str:
    """The error of one kind of assay in words."""
    if kind.analysis.cells is not None:
        return f"the counting of {kind.analysis.cells.value:.0f} cells"
    return f"{PERCENT * tests.error(analyte, kind.analysis).cv:.2g} %"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def noise() -> tuple[Row, ...]:
    """Every number that readings vary by, with its source: data/observation.yaml, and what it takes from elsewhere."""
    return tuple(_rows())


def _rows() -> Iterator[Row]:
    whole = observation()
    yield _row("", "", "CV at the limit of quantification", whole.lloq_cv)
    for what in ("usual", "spread", "shortest", "plateau"):
        yield _row("", "", f"abstinence, {what}", getattr(whole.abstinence, what))
    for name, entry in whole.analytes.items():
        yield _row(name, "", f"pulses, SD ({entry.scale})", entry.pulse)
        yield _row(name, "", f"day to day, SD ({entry.scale})", entry.day_to_day)
        if entry.abstinence is not None:
            yield _row(name, "", "power of abstinence", entry.abstinence)
        if entry.laboratories is not None:
            yield _row(name, "", f"between laboratories, SD ({entry.scale})", entry.laboratories)
        for assay, analysis in entry.analysis.items():
            shown = "" if assay == ANY else assay
            numbers: dict[str, Any] = {
                "CV of analysis": analysis.cv,
                "limit of quantification": analysis.lloq,
                "volume counted": analysis.volume,
                "cells counted": analysis.cells,
            }
            yield from (_row(name, shown, what, number) for what, number in numbers.items() if number is not None)
            spread = laboratory_spread(name, assay)
            if entry.laboratories is None and spread is not None:
                number = parameters.load("laboratory")[spread]
                size = float(getattr(laboratory.constants(), spread))
                what, note = "between laboratories, SD (log)", number.note or ""
                yield Row(name, shown, what, size, number.unit, number.kind, number.source, note)


def laboratory_spread(analyte: str, assay: str) -> str | None:
    """The parameter of data/parameters/laboratory.yaml that says how laboratories differ; None where there is none."""
    if analyte in laboratory.DENSITIES:
        return "device_spread" if assay != laboratory.HOLOGIC else None
    shared = {"LH": "gonadotropin", "FSH": "gonadotropin", "CTX": "bone_marker", "P1NP": "bone_marker"}
    kind = shared.get(analyte, analyte)
    known = laboratory.Constants._fields
    return next((name for name in (f"{kind}_spread", f"{kind}_{assay}_spread") if name in known), None)


def _row(analyte: str, assay: str, what: str, number: Number) -> Row:
    return Row(analyte, assay, what, number.value, number.unit, number.kind, number.source, number.note)
