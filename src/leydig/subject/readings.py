"""Printed values and what they stand for: each with its assay, hour and a sentence on its conversion."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from leydig import laboratory, ranges, units
from leydig.population_prior import lipids, population
from leydig.subject import binding
from leydig.subject.man import Lab, Subject
from leydig.subject.reading import MINUTES_PER_HOUR

ROUNDING = 1e-12  # relative difference that is no conversion


class Reading(NamedTuple):
    """One printed value."""

    name: str  # quantity
    printed: float  # canonical unit, the laboratory's scale
    assay: str  # or the scanner
    hour: float | None  # h, clock
    date: datetime.date | None
    state: float  # canonical unit, state scale
    sentence: str


def readings(subject: Subject) -> list[Reading]:
    """Every printed value of a man, in the order of their dates (undated ones last)."""
    found = [_lab(subject, lab) for lab in subject.labs]
    for sample in subject.semen:
        values = {"sperm_concentration": sample.concentration, "semen_volume": sample.volume}
        if sample.concentration != 0:  # where there are no sperm, nothing moves or has a form
            values |= {"total_motility": sample.total_motility, "normal_morphology": sample.normal_morphology}
        for name, value in values.items():
            if value is not None:
                shown = f"{name} {value:g} {units.CANONICAL[name]} is used as printed"
                found.append(Reading(name, value, laboratory.UNKNOWN, None, sample.date, value, shown))
    for scan in subject.dxa:
        state = laboratory.to_state(scan.quantity, scan.bmd, scan.device, None, subject.age, laboratory.constants())
        shown = f"{scan.quantity} {scan.bmd:.3f} g/cm2 "
        if scan.device == laboratory.LUNAR:
            shown += f"on a Lunar scanner stands for {state:.3f} on Hologic"
        else:
            shown += "is used as printed" + (" (scanner unknown: Hologic)" if scan.device == laboratory.UNKNOWN else "")
        found.append(Reading(scan.quantity, scan.bmd, scan.device, None, scan.date, state, shown))
    # the order of a file carries no meaning: equal dates are ordered by name and value
    return sorted(found, key=_order)


def _order(r: Reading) -> tuple[bool, datetime.date, str, float, str, float]:
    """Where a reading stands among the others."""
    return r.date is None, r.date or datetime.date.min, r.name, r.printed, r.assay, r.hour or 0.0


def _lab(subject: Subject, lab: Lab) -> Reading:
    """One blood value on the state scale."""
    c = laboratory.constants()
    printed = lab.value * population().below_detection.value if lab.below else lab.value
    hour = lab.hour if lab.hour is not None else c.usual_hour
    state = laboratory.to_state(lab.analyte, printed, lab.assay, hour, subject.age, c)
    unit = units.CANONICAL[lab.analyte]
    start = f"{lab.analyte} {'< ' if lab.below else ''}{lab.value:.4g} {unit}"
    if lab.below:
        start += f" counts as {printed:.3g}"
    if abs(state - printed) <= ROUNDING * max(abs(printed), 1):
        sentence = f"{start} is used as printed"
    else:
        basis = "assay unknown" if lab.assay == laboratory.UNKNOWN else lab.assay
        if laboratory.rhythm(lab.analyte, hour, subject.age, c) != 1:
            basis += f", {clock(hour)}" + ("" if lab.hour is not None else " assumed")
        sentence = f"{start} ({basis}) stands for a 24-hour mean of {state:.3g} on LC-MS/MS"
    return Reading(lab.analyte, printed, lab.assay, hour, lab.date, state, sentence)


def clock(hour: float) -> str:
    """An hour of the day as 08:00."""
    minutes = round(hour * MINUTES_PER_HOUR)
    return f"{minutes // MINUTES_PER_HOUR:02d}:{minutes % MINUTES_PER_HOUR:02d}"


def states(printed: Iterable[Reading]) -> dict[str, float]:
    """One state value per quantity: the geometric mean of its readings (the plain mean where one is zero)."""
    by_name: dict[str, list[float]] = {}
    for reading in printed:
        by_name.setdefault(reading.name, []).append(reading.state)
    found = {}
    for name, values in sorted(by_name.items()):
        if len(values) == 1:
            found[name] = values[0]
        elif min(values) > 0:
            found[name] = float(np.exp(np.mean(np.log(values))))
        else:
            found[name] = float(np.mean(values))
    return found


def derived(measured: Mapping[str, float]) -> tuple[dict[str, float], list[str], list[str]]:
    """The third of total testosterone, free testosterone and SHBG from the other two: values, sentences, refusals."""
    total, free, SHBG = (measured.get(name) for name in ("testosterone", "free_testosterone", "SHBG"))
    accepted = ranges.limits("accepted")
    if free and SHBG and total is None:
        value = binding.total_testosterone(free, SHBG)
        return {"testosterone": value}, [f"testosterone {value:.3g} ng/dL follows from free testosterone and SHBG"], []
    if total and free and SHBG is None:
        value = binding.binding_globulin(total, free)
        if accepted["SHBG"].low <= value <= accepted["SHBG"].high:
            return {"SHBG": value}, [f"SHBG {value:.3g} nmol/L follows from total and free testosterone"], []
        refused = (
            f"free testosterone {free:.0f} pg/mL fits total testosterone {total:.0f} ng/dL at no SHBG; it is left out"
        )
        return {}, [], [refused]
    return {}, [], []


def cholesterol(measured: Mapping[str, float]) -> tuple[dict[str, float], list[str], list[str]]:
    """The fourth of total cholesterol's identity from the other three: values, sentences, refusals.

    The total itself is never derived: the model computes it from its parts.
    """
    missing = [name for name in lipids.PARTS if name not in measured]
    if lipids.TOTAL not in measured or not missing:
        return {}, [], []
    total, accepted = measured[lipids.TOTAL], ranges.limits("accepted")
    left, among = lipids.left(measured), " and ".join(name for name in lipids.PARTS if name in measured)
    if left < lipids.least(missing):
        refused = (
            f"total cholesterol {total:.0f} mg/dL leaves nothing for {' and '.join(missing)} beside {among}; "
            "it is left out"
        )
        return {}, [], [refused]
    if len(missing) > 1:
        return {}, [], []
    value = left / lipids.PARTS[missing[0]]
    if value > accepted[missing[0]].high:
        return {}, [], [f"{missing[0]} {value:.0f} mg/dL from total cholesterol and {among} is impossible"]
    how, unsure = f"{missing[0]} {value:.0f} mg/dL follows from total cholesterol and {among}", "triglycerides"
    if {**measured, missing[0]: value}[unsure] > laboratory.tolerance(unsure):
        how += f", which is unsure with {unsure} above {laboratory.tolerance(unsure):g} mg/dL"
    return {missing[0]: value}, [how], []
