"""What bone density is among men of one age: the base of Z-scores, from the same numbers as the baseline men."""

from __future__ import annotations

from typing import Any

import numpy as np

from leydig.errors import unknown
from leydig.population_prior.loading import population

SITES = ("bmd_spine", "bmd_hip")


def density_reference(site: str, age: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mean and SD (g/cm2, Hologic) of ``bmd_spine`` or ``bmd_hip`` among men of an age, at the survey's own BMI.

    ``age`` is a number or an array (years); the results have its shape, with straight lines between the middles of
    the survey's decades and constant values beyond them. The SD is that of all men of the age: the spread between
    men of one BMI and, beside it, what BMI adds as it varies among them.

    Raises InputError for another site.
    """
    if site not in SITES:
        raise unknown("site", site, SITES)
    file = population()
    q, BMI, log_sd = file.quantities[site], file.density_survey_BMI.value, file.BMI.log_sd.value
    assert q.center is not None and q.spread is not None and q.age is not None and q.BMI is not None
    low, middle, high = q.BMI.effects(BMI * np.exp(log_sd * np.array([-1.0, 0.0, 1.0])), q.transform)
    mean = q.center.value + q.age.effects(age, q.transform) + middle
    return mean, np.hypot(q.spread.at_ages(age), (high - low) / 2)
