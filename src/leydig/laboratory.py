"""From what a laboratory prints to the state and back; what is accepted, usual and published as normal.

The state is the 24-hour mean on the LC-MS/MS scale (bone density: Hologic). A laboratory prints

    value = factor * state * rhythm + offset

factor, offset  the assay's multiplicative bias and cross-reaction (canonical unit of the analyte)
rhythm          hour of day over the 24-hour mean, 1 + A(age) cos(2 pi (hour - peak) / 24); 1 where none is known

An assay that nobody named is a distribution: its best estimate mixes LC-MS/MS and immunoassay by their shares,
and ``possible_states`` draws from it. There is no noise here; values are in canonical units, scalars or arrays.

Sources: data/parameters/laboratory.yaml, data/ranges.yaml.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from leydig import parameters, units
from leydig.bibliography import reference as bibliography_entry
from leydig.errors import unknown
from leydig.ranges import ranges

MASS_SPECTROMETRY, IMMUNOASSAY, RADIOIMMUNOASSAY, UNKNOWN = "LC-MS/MS", "immunoassay", "RIA", "unknown"
ASSAYS = (MASS_SPECTROMETRY, IMMUNOASSAY, RADIOIMMUNOASSAY, UNKNOWN)
OTHER_SPELLINGS = {"LC-MS": MASS_SPECTROMETRY}
HOLOGIC, LUNAR = "Hologic", "Lunar"
DEVICES = (HOLOGIC, LUNAR, UNKNOWN)
DENSITIES = ("bmd_spine", "bmd_hip")
WITH_TESTOSTERONE_RHYTHM = ("testosterone", "free_testosterone", "bioavailable_testosterone")
HOURS_PER_DAY = 24


class Constants(NamedTuple):
    """The numbers of the laboratory scale; see data/parameters/laboratory.yaml for units and sources."""

    diurnal_testosterone_amplitude: float  # 1
    diurnal_testosterone_reference_age: float  # years
    diurnal_testosterone_decline: float  # 1/years
    diurnal_testosterone_peak: float  # h, clock
    diurnal_inhibin_B_amplitude: float  # 1
    diurnal_inhibin_B_peak: float  # h, clock
    testosterone_immunoassay_factor: float  # 1
    testosterone_immunoassay_offset: float  # ng/dL
    testosterone_immunoassay_spread: float  # 1, log-SD between methods
    testosterone_RIA_factor: float
    testosterone_RIA_offset: float
    testosterone_RIA_spread: float
    estradiol_immunoassay_factor: float  # 1
    estradiol_immunoassay_offset: float  # pmol/L
    estradiol_immunoassay_spread: float  # 1
    estradiol_RIA_factor: float
    estradiol_RIA_offset: float
    estradiol_RIA_spread: float
    unknown_assay_share: float  # 1, of immunoassay where no assay is named
    gonadotropin_spread: float  # 1
    SHBG_spread: float  # 1
    inhibin_B_spread: float  # 1
    bone_marker_spread: float  # 1
    spine_Lunar_factor: float  # 1
    spine_Lunar_offset: float  # g/cm2
    hip_Lunar_factor: float  # 1
    hip_Lunar_offset: float  # g/cm2
    device_spread: float  # 1
    usual_hour: float  # h, clock


class Scale(NamedTuple):
    """An assay against the reference method."""

    factor: float  # 1
    offset: float  # canonical unit of the analyte
    spread: float  # 1, log-SD of a reading between laboratories that use this kind of assay


@cache
def constants() -> Constants:
    """The constants of the package, with fitted offsets where the fit has been made."""
    return parameters.record(Constants, "laboratory")


def assay_named(text: object, where: str = "") -> str:
    """The assay that a word names; InputError with the nearest name when there is none."""
    name = OTHER_SPELLINGS.get(str(text), str(text))
    if name not in ASSAYS:
        raise unknown("assay", text, (*ASSAYS, *OTHER_SPELLINGS), where)
    return name


def scale(analyte: str, assay: str, c: Constants) -> Scale:
    """Factor, offset and spread of an analyte on an assay (for ``DENSITIES``: on a scanner).

    Where the assay is unknown: the mean of immunoassay and LC-MS/MS by their shares.
    """
    if analyte in DENSITIES:
        return _device_scale(analyte, assay, c)
    if assay not in ASSAYS:
        raise unknown("assay", assay, (*ASSAYS, *OTHER_SPELLINGS))
    if analyte in ("testosterone", "estradiol"):
        if assay == UNKNOWN:
            likely, share = scale(analyte, IMMUNOASSAY, c), c.unknown_assay_share
            return Scale(share * likely.factor + 1 - share, share * likely.offset, share * likely.spread)
        if assay == MASS_SPECTROMETRY:
            return Scale(1.0, 0.0, 0.0)
        kind = f"{analyte}_{assay}"
        offset = float(getattr(c, f"{kind}_offset"))
        if analyte == "estradiol":
            offset = float(units.from_molar(analyte, offset))
        return Scale(getattr(c, f"{kind}_factor"), offset, getattr(c, f"{kind}_spread"))
    between = {
        "LH": c.gonadotropin_spread,
        "FSH": c.gonadotropin_spread,
        "SHBG": c.SHBG_spread,
        "inhibin_B": c.inhibin_B_spread,
        "CTX": c.bone_marker_spread,
        "P1NP": c.bone_marker_spread,
    }
    return Scale(1.0, 0.0, between.get(analyte, 0.0))


def _device_scale(site: str, device: str, c: Constants) -> Scale:
    """A scanner against Hologic; an unnamed one is taken as Hologic, with the spread between scanners."""
    if device not in DEVICES:
        raise unknown("device", device, DEVICES)
    if device == LUNAR:
        spine = site == "bmd_spine"
        factor = c.spine_Lunar_factor if spine else c.hip_Lunar_factor
        return Scale(factor, c.spine_Lunar_offset if spine else c.hip_Lunar_offset, c.device_spread)
    return Scale(1.0, 0.0, 0.0 if device == HOLOGIC else c.device_spread)


def rhythm(analyte: str, hour: Any, age: Any, c: Constants) -> Any:
    """The analyte at a clock hour over its 24-hour mean; 1 without an hour or without a known rhythm.

    Testosterone's amplitude falls with age as A exp(-d (age - age_0)); inhibin B's is one for all.
    """
    if hour is None:
        return 1.0
    if analyte in WITH_TESTOSTERONE_RHYTHM:
        years = np.asarray(age, dtype=float) - c.diurnal_testosterone_reference_age
        amplitude = c.diurnal_testosterone_amplitude * np.exp(-c.diurnal_testosterone_decline * years)
        peak = c.diurnal_testosterone_peak
    elif analyte == "inhibin_B":
        amplitude, peak = np.asarray(c.diurnal_inhibin_B_amplitude), c.diurnal_inhibin_B_peak
    else:
        return 1.0
    angle = 2 * np.pi * (np.asarray(hour, dtype=float) - peak) / HOURS_PER_DAY
    return _plain(1 + amplitude * np.cos(angle))


def to_state(analyte: str, value: Any, assay: str, hour: Any, age: Any, c: Constants) -> Any:
    """The 24-hour mean on the reference scale behind a printed value; never below zero.

    ``hour`` None means that the value is itself a 24-hour mean. A reading below the assay's offset is what the
    assay prints where there is nothing, so its state is zero.
    """
    s = scale(analyte, assay, c)
    state = (np.asarray(value, dtype=float) - s.offset) / (s.factor * rhythm(analyte, hour, age, c))
    return _plain(np.maximum(state, 0.0))


def to_laboratory(analyte: str, state: Any, assay: str, hour: Any, age: Any, c: Constants) -> Any:
    """What a laboratory prints for a 24-hour mean; the inverse of ``to_state``."""
    s = scale(analyte, assay, c)
    return _plain(s.factor * np.asarray(state, dtype=float) * rhythm(analyte, hour, age, c) + s.offset)


def possible_states(
    analyte: str, value: float, assay: str, hour: float | None, age: float, c: Constants, normal: Any, uniform: Any
) -> np.ndarray:
    """States that may stand behind one printed value, given how laboratories with that assay differ.

    ``normal`` and ``uniform`` are draws of that name, of one shape; the uniform ones choose the method where it is
    unknown. The reading itself is taken as exact: noise within a laboratory belongs to the observation.
    """
    if assay == UNKNOWN and analyte in ("testosterone", "estradiol"):
        by_kit = possible_states(analyte, value, IMMUNOASSAY, hour, age, c, normal, uniform)
        by_mass = possible_states(analyte, value, MASS_SPECTROMETRY, hour, age, c, normal, uniform)
        return np.where(np.asarray(uniform) < c.unknown_assay_share, by_kit, by_mass)
    readings = value * np.exp(scale(analyte, assay, c).spread * np.asarray(normal, dtype=float))
    return np.asarray(to_state(analyte, readings, assay, hour, age, c), dtype=float)


def _plain(values: Any) -> Any:
    """A scalar result as a float, an array as it is."""
    return float(values) if np.ndim(values) == 0 else values


# Ranges -------------------------------------------------------------------------------------------


class Range(NamedTuple):
    """A published interval on its own assay, age and hour, in the canonical unit."""

    quantity: str
    low: float | None
    high: float | None
    median: float | None
    interval: str  # which part of the population lies inside
    ages: tuple[float, float]  # years
    assay: str | None
    hour: float | None
    population: str
    source: str


@cache
def tolerance(name: str) -> float:
    """How far two statements about one thing may differ before it is reported."""
    return float(ranges()["tolerances"][name]["value"])


def analytes() -> list[str]:
    """What may stand among a man's laboratory values."""
    return list(ranges()["analytes"])


@cache
def reference_ranges() -> tuple[Range, ...]:
    """Every published interval, in canonical units."""
    found = []
    for number, entry in enumerate(ranges()["reference"]):
        where = f"reference[{number}] of ranges.yaml"
        bibliography_entry(entry["source"], where)
        quantity, unit = entry["quantity"], entry["unit"]
        low, high, median = (
            None if entry.get(key) is None else units.to_canonical(quantity, float(entry[key]), unit, where)
            for key in ("low", "high", "median")
        )
        assay = None if entry["assay"] is None else assay_named(entry["assay"], where)
        ages = (float(entry["ages"][0]), float(entry["ages"][1]))
        hour, population, source = entry["hour"], entry["population"], entry["source"]
        found.append(Range(quantity, low, high, median, str(entry["interval"]), ages, assay, hour, population, source))
    return tuple(found)


def reference_range(quantity: str, age: float, assay: str | None = None) -> Range | None:
    """The published interval for a quantity that fits a man's age and, where there is a choice, his assay best."""
    known = [r for r in reference_ranges() if r.quantity == quantity]
    if not known:
        return None

    def misfit(r: Range) -> tuple[float, bool]:
        return max(r.ages[0] - age, age - r.ages[1], 0.0), assay is not None and r.assay != assay

    return min(known, key=lambda r: (misfit(r)[1], misfit(r)[0], known.index(r)))
