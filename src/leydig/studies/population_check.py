"""Virtual men against published men: medians, percentiles, correlations and prevalences, as they were measured.

data/population_checks.yaml names published figures with their men, assay and hour; what one man's samples vary by is
that of data/observation.yaml. For each study virtual men of its
ages, BMI and conditions are drawn, each gives one sample as the study's laboratory would print it, and the figure is
taken from them as the study took it. Nothing is fitted here.

    misses = [result for result in results() if not result.inside]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import stats
from scipy.special import ndtri

from leydig import laboratory, outputs, parameters, units
from leydig.errors import InputError
from leydig.physiology import bone, steroids
from leydig.population_prior import Men, lipids, men, population, some_men
from leydig.population_prior.records import Transform
from leydig.population_prior.streams import normals
from leydig.studies.observe import published_within_man
from leydig.studies.population_figures import MADE, PANELS, PERCENT, Drawn, Figure, Limit, Study, canonical, checks

OUTER = 10.0  # percentiles this near to 0 or 100 are outer ones
MOST_DRAWN = 1_000_000  # men that are drawn in search of a BMI
LEAST_FOUND = 1000  # men without whom a figure is not taken


class Result(NamedTuple):
    """A published figure beside the model's."""

    study: Study
    figure: Figure
    model: float  # in the figure's unit
    distance: float  # from published to model, in tolerances

    @property
    def inside(self) -> bool:
        """Whether the model lies within the tolerance."""
        return abs(self.distance) <= 1

    @property
    def panel(self) -> str:
        """marginals, correlations or prevalences."""
        return PANELS[self.figure.statistic]


def results() -> tuple[Result, ...]:
    """Every published figure beside the model's, in the order of the file."""
    found = []
    for study in checks().studies:
        sampled = Sampled(study)
        found += [_result(study, figure, sampled) for figure in study.figures]
    return tuple(found)


class Sampled:
    """What a study would have printed of virtual men: arrays by quantity, one sample per man, canonical units."""

    def __init__(self, study: Study) -> None:
        self.study, self.men = study, drawn(study.men)
        self.found: dict[str, np.ndarray] = {"age": self.men.age, "height": self.men.height}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.found:
            self.found[name] = _HOW[name](self) if name in MADE else self._printed(name)
        return self.found[name]

    def _printed(self, name: str) -> np.ndarray:
        """A sample of every man: his 24-hour mean on the study's assay at its hour, with his own variation."""
        state, study = self.men.values[name], self.study
        varies = published_within_man().get(name)
        if varies is not None:
            by = varies.value * _deviates(name, self.men)
            state = _moved(state, by, transform_of(name))
        assay = laboratory.HOLOGIC if name in laboratory.DENSITIES else study.assay
        printed = laboratory.to_laboratory(name, state, assay, study.hour, self.men.age, laboratory.constants())
        return np.asarray(printed)

    def meets(self, limit: Limit) -> np.ndarray:
        """Which men meet a limit."""
        values = self[limit.quantity]
        below = np.inf if limit.below is None else canonical(limit.quantity, limit.below, limit.unit)
        above = -np.inf if limit.above is None else canonical(limit.quantity, limit.above, limit.unit)
        return (values < below) & (values >= above)


def drawn(who: Drawn) -> Men:
    """As many virtual men as the file asks for; where a BMI is asked for, those of the first ids who have it."""
    wanted, seed = checks().men, checks().seed
    if who.BMI is None:
        return men(who.conditions, seed, 0, wanted, ages=who.ages)
    parts: list[Men] = []
    first, number = 0, 0
    while number < wanted and first < MOST_DRAWN:
        some = men(who.conditions, seed, first, 5 * wanted, ages=who.ages)
        parts.append(some_men(some, (some.values["BMI"] >= who.BMI[0]) & (some.values["BMI"] < who.BMI[1])))
        first, number = first + 5 * wanted, number + len(parts[-1].id)
    if number < LEAST_FOUND:
        raise InputError(f"of {first} virtual men only {number} have a BMI from {who.BMI[0]:g} to {who.BMI[1]:g}")
    return some_men(joined(parts), slice(0, wanted))


def joined(parts: list[Men]) -> Men:
    """Several groups of one mixture as one."""
    return parts[0]._replace(
        id=np.concatenate([part.id for part in parts]),
        condition=np.concatenate([part.condition for part in parts]),
        age=np.concatenate([part.age for part in parts]),
        height=np.concatenate([part.height for part in parts]),
        values={name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values},
        lesion={organ: np.concatenate([part.lesion[organ] for part in parts]) for organ in parts[0].lesion},
    )


def _deviates(name: str, who: Men) -> np.ndarray:
    """How far each man's sample lies from his own mean, by his id."""
    return normals(checks().seed, f"sample {name}", 0, int(who.id[-1]) + 1)[who.id]


def _moved(values: np.ndarray, by: np.ndarray, transform: Transform) -> np.ndarray:
    """Values moved on their transformed scale."""
    if transform == "identity":
        return values + by
    if transform == "log":
        return values * np.exp(by)
    odds = values / (PERCENT - values) * np.exp(by)
    return PERCENT * odds / (1 + odds)


def transform_of(name: str) -> Transform:
    """The scale on which men are about normal: that of the file, else the logarithm; height and age as they are."""
    entry = population().quantities.get(name)
    if entry is not None:
        return entry.transform
    return "identity" if name in ("age", "height", "t_score_spine", "t_score_lowest") else "log"


def _scaled(name: str, values: Any) -> Any:
    """Values on the scale on which men are about normal."""
    transform = transform_of(name)
    if transform == "identity":
        return np.asarray(values, dtype=float)
    return np.log(values) if transform == "log" else np.log(np.divide(values, PERCENT - np.asarray(values)))


def _free_testosterone(of: Sampled) -> np.ndarray:
    binding = parameters.record(steroids.Parameters, "steroids")
    free = steroids.free_testosterone(units.to_molar("testosterone", of["testosterone"]), of["SHBG"], binding)
    return np.asarray(units.from_molar("free_testosterone", free))


def _t_score_spine(of: Sampled) -> np.ndarray:
    return np.asarray(bone.t_scores(of["bmd_spine"], of["bmd_hip"], outputs.bone_reference())[0])


def _t_score_lowest(of: Sampled) -> np.ndarray:
    return np.minimum(*bone.t_scores(of["bmd_spine"], of["bmd_hip"], outputs.bone_reference()))


# What follows from printed values, for the names in ``MADE``.
_HOW: Mapping[str, Callable[[Sampled], np.ndarray]] = {
    "free_testosterone": _free_testosterone,
    "total_sperm_count": lambda of: of["sperm_concentration"] * of["semen_volume"],
    "total_cholesterol": lambda of: np.asarray(lipids.total({name: of[name] for name in lipids.PARTS})),
    "t_score_spine": _t_score_spine,
    "t_score_lowest": _t_score_lowest,
}


def _result(study: Study, figure: Figure, of: Sampled) -> Result:
    """The model's figure and how far it lies from the published one."""
    model = _model(figure, of)
    published, name, allowed = figure.value, figure.quantity, checks().tolerances
    if figure.statistic in ("correlation", "rank correlation"):
        return Result(study, figure, model, (model - published) / allowed.correlation)
    if figure.statistic in ("slope", "relative slope"):
        unit = 1.0 if figure.unit is None else canonical(name, 1.0, figure.unit)
        shown = model / unit
        return Result(study, figure, shown, (shown - published) / abs(allowed.slope * published))
    if figure.statistic == "share":
        return Result(study, figure, model, float(_probit(model) - _probit(published)) / allowed.share)
    if figure.statistic == "odds ratio":
        return Result(study, figure, model, float(np.log(model / published) / np.log(allowed.odds_ratio)))
    unit = canonical(name, 1.0, figure.unit or "")
    if figure.statistic == "sd":
        distance = float(np.log(model / (published * unit)) / np.log(allowed.spread))
    else:
        far = figure.percentile is not None and min(figure.percentile, PERCENT - figure.percentile) <= OUTER
        apart = _scaled(name, model) - _scaled(name, published * unit)
        distance = float(apart / np.std(_scaled(name, of[name]))) / (allowed.outer if far else allowed.middle)
    return Result(study, figure, model / unit, distance)


def _model(figure: Figure, of: Sampled) -> float:
    """The model's figure in canonical units; shares in percent."""
    if figure.statistic in ("share", "odds ratio"):
        met = np.logical_and.reduce([of.meets(limit) for limit in figure.where])
        if figure.among is None or figure.against is None:
            return PERCENT * float(np.mean(met))
        shares = [float(np.mean(met[of.meets(group)])) for group in (figure.among, figure.against)]
        first, second = (share / (1 - share) for share in shares)
        return first / second
    values = of[figure.quantity]
    if figure.other is not None:
        return _relation(figure, of, values, of[figure.other])
    if figure.statistic == "percentile":
        return float(np.percentile(values, figure.percentile or 0.0))
    if figure.statistic == "median":
        return float(np.median(values))
    return float(np.std(values) if figure.statistic == "sd" else np.mean(values))


def _relation(figure: Figure, of: Sampled, values: np.ndarray, other: np.ndarray) -> float:
    """Correlation or slope of two quantities."""
    if figure.statistic == "rank correlation":
        return float(stats.spearmanr(values, other).statistic)
    if figure.statistic == "slope":
        return float(np.polyfit(other, values, 1)[0])
    if figure.statistic == "relative slope":
        return PERCENT * float(np.expm1(np.polyfit(other, np.log(values), 1)[0]))
    one, two = _scaled(figure.quantity, values), _scaled(str(figure.other), other)
    if figure.given:
        beside = np.column_stack([np.ones(len(one)), *(_scaled(name, of[name]) for name in figure.given)])
        one, two = (side - beside @ np.linalg.lstsq(beside, side, rcond=None)[0] for side in (one, two))
    return float(np.corrcoef(one, two)[0, 1])


def _probit(percent: float) -> Any:
    """Where the limit lies in standard deviations when this share of men is below it; a share of none counts as few."""
    least = PERCENT / (2 * checks().men)
    return ndtri(min(max(percent, least), PERCENT - least) / PERCENT)
