"""What a laboratory prints for a man's state, in both directions: values drawn, and values weighed.

The state is the 24-hour mean on the reference scale (``laboratory``), semen after the usual abstinence. A man's one
sample lies off it by his pulses and by the day, the kit by its bias and offset, the laboratory by its own factor, the
reading by error of analysis; below its limit of quantification a laboratory prints that limit with a "<".

    printed = exp(lab) (factor m exp(w) + offset) + error,   m = state * rhythm * abstinence

Percentages vary on their log odds, hematocrit and bone density in their unit. ``simulate`` draws from exactly the
distribution that ``log_likelihood`` and ``cumulative`` compute, from the same numbers (data/observation.yaml).

The daily rhythm and the pulses of testosterone and what is made from it are those of the man's own testes, so both
shrink with his own share. Everything works element by element: one man's value depends on his own numbers alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, log_ndtr, logit, logsumexp, ndtr

from leydig import laboratory, outputs
from leydig.population_prior.streams import normals, uniforms
from leydig.studies import observe_density as density
from leydig.studies import observe_test as tests
from leydig.studies.observe_file import Variation, observation
from leydig.studies.observe_test import DERIVED, Kind, Test, analytes, analytical, lloq, parts, within_man
from leydig.studies.observe_words import Change, Row, noise, reference_change, words

__all__ = [
    "DERIVED", "Change", "Draws", "Readings", "Row", "Test", "analytes", "analytical", "cumulative", "draws",
    "expected", "lloq", "log_likelihood", "noise", "parts", "published_within_man", "reference_change", "simulate",
    "within_man", "words",
]  # fmt: skip

PERCENT = 100.0
FEWEST = 1e-4  # fraction; log odds are held within it and its mirror image
LAB_STEP, LAB_REACH = 0.25, 6.25  # standard deviations: sums over laboratories where there is no closed form


class Draws(NamedTuple):
    """Random numbers of men (n,): standard normal, ``method`` uniform."""

    pulse: np.ndarray
    day: np.ndarray
    analysis: np.ndarray
    laboratory: np.ndarray  # his laboratory, the same at every visit
    method: np.ndarray  # chooses the kind of assay where it is unknown, the same at every visit and for every test


class Readings(NamedTuple):
    """Printed values; where ``below`` holds, the value is the limit that it lies below."""

    values: np.ndarray
    below: np.ndarray


def published_within_man() -> Mapping[str, Variation]:
    """What single samples vary by as published, by analyte: what the checks of the population use."""
    return observation().within_man


def draws(
    seed: int, test: Test, visit: int | str, first: int, n: int, day: int | str | None = None, replicate: int = 0
) -> Any:
    """The random numbers of men ``first`` to ``first + n - 1`` at a visit: ``Draws``, or by part of a derived test.

    Visits on one ``day`` (default: each visit its own) share the day-to-day part; ``replicate`` counts analyses of
    one sample of blood. Free and bioavailable testosterone are of the blood of testosterone.
    """
    if test.analyte in DERIVED:
        return {name: draws(seed, one, visit, first, n, day, replicate) for name, one in parts(test).items()}
    blood = tests.entry(test.analyte).blood or test.analyte
    pulse, follows = normals(seed, f"observe pulse {blood} {visit}", first, n), tests.entry(blood).follows
    if follows is not None:
        with_it = follows.correlation.value
        leader = normals(seed, f"observe pulse {follows.blood} {visit}", first, n)
        pulse = with_it * leader + np.sqrt(1 - with_it**2) * pulse
    when = visit if day is None else day
    own_day = normals(seed, f"observe day {blood} {when}", first, n)
    shared = tests.share_of_abstinence(test)
    if shared:  # of semen after an unknown time: one ejaculate, one abstinence
        own_day = np.sqrt(1 - shared**2) * own_day + shared * normals(seed, f"observe abstinence {when}", first, n)
    return Draws(
        pulse,
        own_day,
        normals(seed, f"observe analysis {test.analyte} {visit} {replicate}", first, n),
        normals(seed, f"observe laboratory {test.analyte}", first, n),
        uniforms(seed, "observe method", first, n),
    )


def expected(
    test: Test, state: Any, age: Any, own_share: Any = 1.0, lab: Any = 0.0, c: laboratory.Constants | None = None
) -> Any:
    """What is printed without any noise; of a derived test ``state`` maps its parts to theirs."""
    c = c or laboratory.constants()
    if test.analyte in DERIVED:
        values = {name: expected(one, state[name], age, own_share, lab, c) for name, one in parts(test).items()}
        return _computed(test, values, c)
    middle = _middle(test, state, age, own_share, c)
    if tests.entry(test.analyte).scale == "log odds":
        return PERCENT * expit(_log_odds(middle) + lab)
    several = tests.kinds(test.analyte, test.assay, c)
    scales = [(kind.weight, tests.scale(test.analyte, kind.assay, c)) for kind in several]
    return np.exp(lab) * sum(weight * (s.factor * middle + s.offset) for weight, s in scales)


def simulate(
    test: Test, state: Any, age: Any, drawn: Any, own_share: Any = 1.0, lab: Any = 0.0,
    c: laboratory.Constants | None = None, moment: bool = False, limited: bool = True,
) -> Readings:  # fmt: skip
    """Printed values of men: ``state``, ``age``, ``own_share``, ``lab`` are numbers or arrays (n,).

    ``drawn`` comes from ``draws``. ``lab`` is the log-factor of the laboratory (of percentages a shift of the log
    odds); None draws it for each man. Of a derived test ``state`` maps parts to states, and a value is below a limit
    when one of its parts is. With ``moment`` the state is what is in the sample, not a 24-hour mean: pulses and the
    day are in it, and only the assay adds to it. An assay that is not ``limited`` prints what lies below its usual
    limit of quantification as well.
    """
    c = c or laboratory.constants()
    if test.analyte in DERIVED:
        read = {
            name: simulate(one, state[name], age, drawn[name], own_share, lab, c, moment, limited)
            for name, one in parts(test).items()
        }
        values = _computed(test, {name: reading.values for name, reading in read.items()}, c)
        return Readings(values, np.logical_or.reduce([reading.below for reading in read.values()]))
    several = tests.kinds(test.analyte, test.assay, c)
    found = [_drawn(test, kind, state, age, drawn, own_share, lab, c, moment, limited) for kind in several]
    if len(found) == 1:
        return found[0]
    first = np.asarray(drawn.method) < several[0].weight
    return Readings(*(np.where(first, one, other) for one, other in zip(*found, strict=True)))


def log_likelihood(
    test: Test, value: Any, below: Any, state: Any, age: Any, own_share: Any = 1.0, lab: Any = 0.0,
    c: laboratory.Constants | None = None,
) -> np.ndarray:  # fmt: skip
    """Logarithm of the density of a printed value per canonical unit; where ``below``, of the chance of less.

    A value of 0 counts as below the usual limit. A number below the usual limit came from a finer assay and has its
    density. ``lab`` None integrates the laboratory out, for one reading. T-scores have densities; of other derived
    tests InputError asks for the parts.
    """
    c = c or laboratory.constants()
    if test.analyte in ("t_score_spine", "t_score_hip"):
        (part,) = parts(test).values()
        printed, per_score = _density_of(test, value, c)
        return log_likelihood(part, printed, below, state[part.analyte], age, own_share, lab, c) + np.log(per_score)
    value = np.asarray(value, dtype=float)
    if tests.entry(tests.single(test).analyte).scale == "log odds":
        at, sd = _percentage(test, state, age, own_share, lab, c)
        fraction = np.clip(value / PERCENT, FEWEST, 1 - FEWEST)
        distance = (logit(fraction) - at) / sd
        dense = -0.5 * (distance**2 + np.log(2 * np.pi)) - np.log(sd * PERCENT * fraction * (1 - fraction))
        return np.where(below, log_ndtr(distance), dense)
    less, found = np.asarray(below) | (value <= 0), []
    for weight, limit, method in _methods(test, state, age, own_share, lab, c):
        threshold = value if limit is None else np.where(value > 0, value, limit)
        censored = density.log_below(threshold, method) if np.any(less) else 0.0
        dense = density.log_density(value, method) if not np.all(less) else 0.0
        found.append(np.log(weight) + np.where(less, censored, dense))
    return np.asarray(logsumexp(np.stack(found), axis=0))


def cumulative(
    test: Test, value: Any, state: Any, age: Any, own_share: Any = 1.0, lab: Any = 0.0,
    c: laboratory.Constants | None = None,
) -> np.ndarray:  # fmt: skip
    """Probability that what is printed is at most ``value``; readings below a limit count at that limit."""
    c = c or laboratory.constants()
    if test.analyte in ("t_score_spine", "t_score_hip"):
        (part,) = parts(test).values()
        return cumulative(part, _density_of(test, value, c)[0], state[part.analyte], age, own_share, lab, c)
    value = np.asarray(value, dtype=float)
    if tests.entry(tests.single(test).analyte).scale == "log odds":
        at, sd = _percentage(test, state, age, own_share, lab, c)
        with np.errstate(divide="ignore"):
            return np.asarray(ndtr((logit(np.clip(value / PERCENT, 0.0, 1.0)) - at) / sd))
    total: Any = 0.0
    for weight, limit, method in _methods(test, state, age, own_share, lab, c):
        reached = value >= (0.0 if limit is None else limit)
        total = total + weight * np.where(reached, np.exp(density.log_below(np.maximum(value, 0.0), method)), 0.0)
    return np.asarray(np.minimum(total, 1.0))


def _middle(test: Test, state: Any, age: Any, own_share: Any, c: laboratory.Constants) -> Any:
    """What the man has at that hour after that abstinence, on the reference scale."""
    rhythm = laboratory.rhythm(test.analyte, test.hour, age, c)
    if test.analyte in laboratory.WITH_TESTOSTERONE_RHYTHM:
        rhythm = 1 + (rhythm - 1) * own_share
    return np.asarray(state, dtype=float) * rhythm * tests.after(test.abstinence, tests.entry(test.analyte))


def _variation(test: Test, own_share: Any) -> tuple[Any, float]:
    """SD of pulses and from day to day."""
    of = tests.entry(test.analyte)
    pulse = of.pulse.value * (np.asarray(own_share, dtype=float) if of.from_testis else 1.0)
    return pulse, tests.day_to_day(of, test.abstinence is not None)


def _drawn(
    test: Test, kind: Kind, state: Any, age: Any, drawn: Draws, own_share: Any, lab: Any, c: laboratory.Constants,
    moment: bool, limited: bool,
) -> Readings:  # fmt: skip
    """Readings of one kind of assay."""
    of, middle = tests.entry(test.analyte), _middle(test, state, age, own_share, c)
    pulse, day = (0.0, 0.0) if moment else _variation(test, own_share)
    own = tests.scale(test.analyte, kind.assay, c)
    shift = own.spread * drawn.laboratory if lab is None else lab
    if of.scale == "log odds":
        sd = tests.counted(kind.analysis, middle / PERCENT)
        moved = _log_odds(middle) + pulse * drawn.pulse + day * drawn.day + sd * drawn.analysis + shift
        values = PERCENT * expit(moved)
        return Readings(values, np.zeros(np.shape(values), dtype=bool))
    if of.scale == "log":
        inside = middle * np.exp(pulse * drawn.pulse - pulse**2 / 2 + day * drawn.day)
    else:
        inside = middle + pulse * drawn.pulse + day * drawn.day
    error = tests.error(test.analyte, kind.analysis)
    level = np.exp(shift) * (own.factor * inside + own.offset)
    method = density.Method(0.0, 0.0, 0.0, 0.0, 0.0, error.floor, error.per_level, error.cv, True)
    values = level + density.deviation(level, method) * drawn.analysis
    limit = 0.0 if error.lloq is None or not limited else error.lloq
    return Readings(np.maximum(values, limit), (values < limit) & (limit > 0))


def _methods(
    test: Test, state: Any, age: Any, own_share: Any, lab: Any, c: laboratory.Constants
) -> list[tuple[float, float | None, density.Method]]:
    """The methods that may have printed a reading: chance, limit of quantification, how it prints.

    Where the laboratory is integrated out, its factor joins the variation within the man when there is no offset;
    else the methods are those of many laboratories.
    """
    logarithmic = tests.entry(test.analyte).scale == "log"
    middle, (pulse, day) = _middle(test, state, age, own_share, c), _variation(test, own_share)
    found = []
    for kind in tests.kinds(test.analyte, test.assay, c):
        own, error = tests.scale(test.analyte, kind.assay, c), tests.error(test.analyte, kind.analysis)
        within, shift = np.hypot(pulse, day), -(pulse**2) / 2 if logarithmic else 0.0
        labs = [(1.0, 0.0 if lab is None else lab)]
        if lab is None and own.offset == 0 and logarithmic:
            within = np.hypot(within, own.spread)
        elif lab is None and own.spread > 0:
            at = np.arange(-LAB_REACH, LAB_REACH + LAB_STEP / 2, LAB_STEP)
            weights = np.exp(-(at**2) / 2)
            labs = list(zip(weights / weights.sum(), own.spread * at, strict=True))
        for weight, moved in labs:
            gain, offset = own.factor * np.exp(moved), own.offset * np.exp(moved)
            method = density.Method(middle, within, shift, gain, offset, *error[:3], logarithmic)
            found.append((float(kind.weight * weight), error.lloq, method))
    return found


def _log_odds(percent: Any) -> Any:
    return logit(np.clip(np.asarray(percent, dtype=float) / PERCENT, FEWEST, 1 - FEWEST))


def _percentage(test: Test, state: Any, age: Any, own_share: Any, lab: Any, c: laboratory.Constants) -> tuple[Any, Any]:
    """Mean and SD of the log odds of a printed percentage."""
    (kind,) = tests.kinds(test.analyte, test.assay, c)
    middle, (pulse, day) = _middle(test, state, age, own_share, c), _variation(test, own_share)
    variance = pulse**2 + day**2 + tests.counted(kind.analysis, middle / PERCENT) ** 2
    if lab is None:
        variance = variance + tests.scale(test.analyte, kind.assay, c).spread ** 2
    return _log_odds(middle) + (0.0 if lab is None else lab), np.sqrt(variance)


def _computed(test: Test, values: Mapping[str, Any], c: laboratory.Constants) -> Any:
    """A derived test from the printed values of its parts."""
    if test.analyte == "testosterone_estradiol_ratio":
        return values["testosterone"] / np.maximum(values["estradiol"], outputs.reporting().estradiol_floor)
    if test.analyte in ("t_score_spine", "t_score_hip"):
        (name,) = DERIVED[test.analyte]
        scale, (mean, sd) = tests.scale(name, test.assay, c), _young(name)
        return ((values[name] - scale.offset) / scale.factor - mean) / sd
    count = values["sperm_concentration"] * values["semen_volume"]
    return count if test.analyte == "total_sperm_count" else count * values["total_motility"] / PERCENT


def _density_of(test: Test, score: Any, c: laboratory.Constants) -> tuple[Any, float]:
    """The printed density behind a T-score, and density per score; each scanner's base is its own."""
    (name,) = DERIVED[test.analyte]
    scale, (mean, sd) = tests.scale(name, test.assay, c), _young(name)
    return scale.factor * (np.asarray(score, dtype=float) * sd + mean) + scale.offset, scale.factor * sd


def _young(name: str) -> tuple[float, float]:
    """Mean and SD that T-scores are counted from."""
    base = outputs.bone_reference()
    spine = name == "bmd_spine"
    return (base.spine_young_mean, base.spine_young_sd) if spine else (base.hip_young_mean, base.hip_young_sd)
