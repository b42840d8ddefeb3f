"""What a man's values say against each other: reported in sentences, never fitted away."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from leydig import laboratory, units
from leydig.population_prior import Prior, condition_named, condition_on, forward, lipids, medians, standard_deviations
from leydig.population_prior.records import Limit
from leydig.subject.binding import free_testosterone
from leydig.subject.man import Subject

PER_NG_PER_DL = 10.0  # pg/mL in one ng/dL


def body(subject: Subject) -> list[str]:
    """BMI against height and weight."""
    own = subject.body_mass_index
    if own is None or subject.BMI is None or subject.height is None or subject.weight is None:
        return []
    if abs(own / subject.BMI - 1) <= laboratory.tolerance("BMI"):
        return []
    return [f"the BMI of {subject.BMI:g} does not fit height and weight, which give {own:.1f}; the latter is used"]


def binding(measured: Mapping[str, float]) -> list[str]:
    """Free and bioavailable against total testosterone and SHBG."""
    total, SHBG = measured.get("testosterone"), measured.get("SHBG")
    free, loose = measured.get("free_testosterone"), measured.get("bioavailable_testosterone")
    said = []
    if total is not None and loose is not None and loose > total:
        said.append(f"bioavailable testosterone ({loose:.0f} ng/dL) exceeds total testosterone ({total:.0f} ng/dL)")
    if total is not None and free is not None and free > total * PER_NG_PER_DL:
        said.append(f"free testosterone ({free:.0f} pg/mL) exceeds total testosterone ({total:.0f} ng/dL)")
    elif total and free and SHBG:
        expected = free_testosterone(total, SHBG)
        if abs(np.log(free / expected)) > laboratory.tolerance("free_testosterone"):
            said.append(
                f"free testosterone {free:.0f} pg/mL does not fit total testosterone {total:.0f} ng/dL with SHBG "
                f"{SHBG:.0f} nmol/L, which give {expected:.0f} pg/mL; the total and SHBG are used"
            )
    return said


def cholesterol(measured: Mapping[str, float]) -> list[str]:
    """Total cholesterol against the sum of its parts; where triglycerides are high the sum is known to fail."""
    if not {lipids.TOTAL, *lipids.PARTS} <= measured.keys():
        return []
    printed, expected = measured[lipids.TOTAL], float(lipids.total(measured))
    if measured["triglycerides"] > laboratory.tolerance("triglycerides"):
        return []
    if abs(np.log(printed / expected)) <= laboratory.tolerance("total_cholesterol"):
        return []
    return [
        f"total cholesterol {printed:.0f} mg/dL does not fit LDL, HDL and a fifth of the triglycerides, which make "
        f"{expected:.0f} mg/dL; the parts are used"
    ]


def family(subject: Subject) -> list[str]:
    """A couple that tries while he wants no children."""
    partner = subject.partner
    if partner is None or subject.wants_children is not False or partner.months_trying == 0:
        return []
    return [f"the couple has tried for {partner.months_trying:g} months, but wants_children is false"]


def semen(subject: Subject) -> list[str]:
    """A sample without sperm has neither motility nor morphology."""
    said = []
    for number, sample in enumerate(subject.semen):
        if sample.concentration == 0 and (sample.total_motility or sample.normal_morphology):
            said.append(f"semen[{number}] has no sperm but a motility or morphology; the latter are left out")
    return said


def meets(limit: Limit, value: float, age: float) -> bool:
    """Whether a value (state scale, or years, or kg/m2) lies on the named side of a limit, both on one scale."""
    threshold = limit.below if limit.below is not None else limit.above
    assert threshold is not None
    if limit.quantity in units.CANONICAL:
        threshold = units.to_canonical(limit.quantity, threshold, limit.unit)
    if limit.assay is not None:
        threshold = laboratory.to_state(limit.quantity, threshold, limit.assay, limit.hour, age, laboratory.constants())
    return value < threshold if limit.below is not None else value >= threshold


def condition(name: str, values: Mapping[str, float], age: float) -> list[str]:
    """Values that are unlike the condition that was named."""
    said = []
    for limit in condition_named(name).expected:
        if limit.quantity in values and not meets(limit, values[limit.quantity], age):
            side = f"below {limit.below:g}" if limit.below is not None else f"above {limit.above:g}"
            said.append(
                f"{limit.quantity} {values[limit.quantity]:.3g} {_unit(limit.quantity)} (24-hour mean, LC-MS/MS) is "
                f"unlike {name}, where it is {side} {limit.unit}"
                + (f" ({limit.assay} assay)" if limit.assay not in (None, laboratory.MASS_SPECTROMETRY) else "")
            )
    return said


def improbable(before: Prior, measured: Mapping[str, float]) -> list[str]:
    """Values that his other values make improbable."""
    said = []
    known = {name: value for name, value in measured.items() if name in before.names and name not in before.known}
    for name, value in known.items():
        others = {other: v for other, v in known.items() if other != name}
        expected = condition_on(before, others)
        i = before.names.index(name)
        sd = float(standard_deviations(expected)[i])
        distance = (forward(name, value, before.transforms[i]) - float(expected.mean[i])) / sd
        if abs(distance) > laboratory.tolerance("improbable"):
            middle = medians(expected, expected.mean)[name]
            said.append(
                f"{name} {value:.3g} {_unit(name)} is improbable: men like him with his other values have about "
                f"{middle:.3g} ({abs(distance):.1f} standard deviations away)"
            )
    return said


def _unit(quantity: str) -> str:
    """The canonical unit of a quantity for a sentence."""
    return units.CANONICAL.get(quantity, "")
