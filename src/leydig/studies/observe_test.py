"""A test that a laboratory makes, and how each kind of assay prints it: the numbers of data/observation.yaml in use.

A test is an analyte on an assay (of bone density: on a scanner), at a clock hour, of semen after days of abstinence.
Some tests are computed from others (``DERIVED``). An assay that nobody named is a mixture of kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from leydig import laboratory, units
from leydig.errors import InputError, unknown
from leydig.studies.observe_file import ANY, FILE, Analysis, Analyte, observation

# Tests that a laboratory computes from others, with their parts.
DERIVED: Mapping[str, tuple[str, ...]] = {
    "testosterone_estradiol_ratio": ("testosterone", "estradiol"),
    "total_sperm_count": ("sperm_concentration", "semen_volume"),
    "total_motile_sperm_count": ("sperm_concentration", "semen_volume", "total_motility"),
    "t_score_spine": ("bmd_spine",),
    "t_score_hip": ("bmd_hip",),
}
CELLS_PER_VOLUME = 1e6  # 10^6/mL in cells per mL


@dataclass(frozen=True)
class Test:
    """What is measured, with what and when."""

    __test__: ClassVar[bool] = False  # no test of the program

    analyte: str  # of ``analytes`` or of ``DERIVED``
    assay: str = laboratory.UNKNOWN  # for bone density and its T-scores the scanner
    hour: Any = None  # clock hour; None where it is not known
    abstinence: Any = None  # d, of semen; None where it is not known


class Kind(NamedTuple):
    """One kind of assay that a test may have been made with."""

    weight: float  # chance of it
    assay: str  # as ``laboratory.scale`` knows it
    analysis: Analysis


class Error(NamedTuple):
    """Analysis of one kind of assay: SD at a level x is sqrt(floor^2 + per_level x + (cv x)^2)."""

    floor: float  # canonical unit
    per_level: float  # canonical unit, variance by which counted cells add at each level
    cv: float  # 1
    lloq: float | None  # canonical unit


def analytes() -> tuple[str, ...]:
    """Every analyte that can be observed by itself."""
    return tuple(observation().analytes)


def entry(analyte: str) -> Analyte:
    """The numbers of an analyte; InputError with the nearest name when there is none."""
    known = observation().analytes
    if analyte not in known:
        raise unknown("test", analyte, (*known, *DERIVED))
    return known[analyte]


def parts(test: Test) -> dict[str, Test]:
    """The tests behind a test by analyte: of a derived one its parts made alike, else itself."""
    if test.analyte in DERIVED:
        return {name: replace(test, analyte=name) for name in DERIVED[test.analyte]}
    entry(test.analyte)
    return {test.analyte: test}


def single(test: Test) -> Test:
    """The test, when it is not computed from others; InputError names the parts."""
    if test.analyte in DERIVED:
        names = " and ".join(DERIVED[test.analyte])
        raise InputError(f"{test.analyte} is computed from {names}; give these as they were printed")
    entry(test.analyte)
    return test


def kinds(analyte: str, assay: str, c: laboratory.Constants) -> tuple[Kind, ...]:
    """The kinds of assay behind a name: one, or for an unknown assay those it may have been with their chances."""
    analysis = entry(analyte).analysis
    if analyte in laboratory.DENSITIES:
        if assay not in laboratory.DEVICES:
            raise unknown("device", assay, laboratory.DEVICES)
        shown = laboratory.HOLOGIC if assay == laboratory.UNKNOWN else assay
        return (Kind(1.0, assay, analysis[shown]),)
    assay = laboratory.assay_named(assay)
    if ANY in analysis:
        return (Kind(1.0, assay, analysis[ANY]),)
    if assay == laboratory.UNKNOWN:
        share = c.unknown_assay_share
        return (
            Kind(share, laboratory.IMMUNOASSAY, analysis[laboratory.IMMUNOASSAY]),
            Kind(1 - share, laboratory.MASS_SPECTROMETRY, analysis[laboratory.MASS_SPECTROMETRY]),
        )
    return (Kind(1.0, assay, analysis[assay]),)


def scale(analyte: str, assay: str, c: laboratory.Constants) -> laboratory.Scale:
    """Factor, offset and spread between laboratories of one kind of assay."""
    known = analyte in laboratory.DENSITIES or analyte in laboratory.analytes()
    found = laboratory.scale(analyte, assay, c) if known else laboratory.Scale(1.0, 0.0, 0.0)
    spread = entry(analyte).laboratories
    return found if spread is None else found._replace(spread=spread.value)


def error(analyte: str, analysis: Analysis) -> Error:
    """The error of analysis of a level; of percentages see ``counted``."""
    cv = 0.0 if analysis.cv is None else analysis.cv.value
    lloq = _canonical(analyte, analysis.lloq)
    count = 0.0 if analysis.volume is None else 1 / (CELLS_PER_VOLUME * analysis.volume.value)
    at_lloq = 0.0 if lloq is None else (observation().lloq_cv.value * lloq) ** 2 - (cv * lloq) ** 2 - count * lloq
    return Error(float(np.sqrt(max(at_lloq, 0.0))), count, cv, lloq)


def _canonical(analyte: str, limit: Any) -> float | None:
    return None if limit is None else units.to_canonical(analyte, limit.value, limit.unit, FILE)


def counted(analysis: Analysis, fraction: Any) -> Any:
    """SD of the log odds of a fraction of counted cells."""
    cells = 1.0 if analysis.cells is None else analysis.cells.value
    inside = np.clip(fraction, 0.5 / cells, 1 - 0.5 / cells)
    return 1 / np.sqrt(cells * inside * (1 - inside))


def lloq(analyte: str, assay: str = laboratory.UNKNOWN, c: laboratory.Constants | None = None) -> float | None:
    """Where a laboratory stops to print numbers, canonical unit; None where it does not; the likeliest kind's."""
    likeliest = max(kinds(analyte, assay, c or laboratory.constants()), key=lambda kind: kind.weight)
    return error(analyte, likeliest.analysis).lloq


def analytical(analyte: str, assay: str = laboratory.UNKNOWN, c: laboratory.Constants | None = None) -> float:
    """CV of analysis well above its limit; of percentages the SD of the log odds at 50 %.

    Of an unknown assay the root of the mean square over the kinds that it may be.
    """
    several = kinds(analyte, assay, c or laboratory.constants())
    percentage = entry(analyte).scale == "log odds"
    squares = [
        kind.weight * (counted(kind.analysis, 0.5) if percentage else error(analyte, kind.analysis).cv) ** 2
        for kind in several
    ]
    return float(np.sqrt(sum(squares)))


def within_man(analyte: str, abstinence_known: bool = True) -> float:
    """SD of samples of one man without analysis: of the logarithm, of the log odds or in the unit, as the file says.

    Pulses and days together; where the days of abstinence are not known, what these bring as well.
    """
    found = entry(analyte)
    return float(np.hypot(found.pulse.value, day_to_day(found, abstinence_known)))


def day_to_day(of: Analyte, abstinence_known: bool) -> float:
    """SD from day to day, with what unknown abstinence brings."""
    power = 0.0 if of.abstinence is None or abstinence_known else of.abstinence.value
    return float(np.hypot(of.day_to_day.value, power * observation().abstinence.spread.value))


def share_of_abstinence(test: Test) -> float:
    """How much of the day-to-day normal of semen is its unknown abstinence; 0 where that is known or plays no part."""
    of = entry(test.analyte)
    if of.abstinence is None or test.abstinence is not None:
        return 0.0
    return float(of.abstinence.value * observation().abstinence.spread.value / day_to_day(of, False))


def after(days: Any, of: Analyte) -> Any:
    """Semen after these days of abstinence over semen after the usual ones; 1 where they are not known.

    Grows with a power of the days up to a plateau. Source: data/observation.yaml, ``abstinence``.
    """
    if days is None or of.abstinence is None:
        return 1.0
    given = np.asarray(days, dtype=float)
    if not np.all(given >= 0):
        raise InputError(f"abstinence must be 0 days or more, not {np.min(given):g}")
    known = observation().abstinence
    return (np.clip(given, known.shortest.value, known.plateau.value) / known.usual.value) ** of.abstinence.value
