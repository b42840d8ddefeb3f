"""A meta-analysis as one JSON object: effects as they are read (ratios, points), with the numbers behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from leydig.bibliography import reference
from leydig.quantities import CANONICAL
from leydig.studies import comparison, provenance
from leydig.studies.meta import Analysis, Beside, Groups, Regression, Variant, analyse
from leydig.studies.meta_arms import (
    CROSSOVER,
    IMPUTED,
    MEN_ASSUMED,
    SELECTED,
    TYPICAL,
    WORDS,
)
from leydig.studies.meta_effects import BEFORE_AFTER, NOT_RANDOMISED, Effect
from leydig.studies.meta_model import Estimate, normal
from leydig.studies.meta_question import Question, ask, in_words, settings, value

RATIO, DIFFERENCE = "ratio of means", "difference"
FLAGS = (SELECTED, IMPUTED, WORDS, TYPICAL, CROSSOVER, MEN_ASSUMED)
SEEN_BY_FIT = "calibration"


def meta_analysis(
    outcome: str, *, by: str | None = None, moderators: Sequence[str] = (), with_model: bool = True, **question: Any
) -> dict[str, Any]:
    """The evidence on an outcome pooled; ``question`` as in ``meta_question.ask``, the rest as in ``meta.analyse``."""
    return document(analyse(ask(outcome, **question), by=by, moderators=moderators, with_model=with_model))


def document(found: Analysis) -> dict[str, Any]:
    """The analysis as plain values; ``pooled`` and what follows from it are null where there are too few studies."""
    question, effects = found.question, found.collected.effects
    shown = shown_by(question)
    weights = found.fit.weights if found.fit else [None] * len(effects)
    return {
        "outcome": question.outcome,
        "scale": scale(question),
        "question": _question(question, found),
        "studies": [
            _study(one, shown, weight, found.beside) for one, weight in zip(effects, weights, strict=True)
        ],
        "pooled": _pooled(found, shown),
        "groups": None if found.groups is None else _groups(found.groups, shown, found.beside),
        "regressions": [_regression(one, shown, question) for one in found.regressions],
        "asymmetry": _asymmetry(found, shown),
        "variants": [_variant(one, shown) for one in found.variants],
        "model": None if found.beside is None else _model(found, found.beside, shown),
        "left_out": [
            {
                "study": one.trial.key,
                "citation": one.trial.citation,
                "arms": list(one.arms),
                "reason": one.reason,
                "other_arms_are_pooled": one.pooled,
            }
            for one in found.collected.left_out
        ],
        "silent": found.collected.silent,
        "why_not": why_not(found),
        "cautions": cautions(found),
        "methods": settings()["methods"],
        "sources": _sources(found),
        "made_with": dict(provenance.digests()),
    }  # fmt: skip


def scale(question: Question) -> dict[str, str]:
    """How effects are read: a ratio of means, or a difference in percentage points or in the outcome's own unit."""
    kind = comparison.settings()["domains"][comparison.domain(question.outcome)]["scale"]
    if kind == "log":
        return {"kind": RATIO, "unit": "1", "on": "log"}
    return {"kind": DIFFERENCE, "unit": CANONICAL[question.outcome] if kind == "points" else "%", "on": kind}


def shown_by(question: Question) -> Callable[[float], float]:
    """From the scale of comparison to the one that effects are read on."""
    return lambda x: float(np.exp(x)) if scale(question)["kind"] == RATIO else float(x)


def no_effect(question: Question) -> float:
    """The value that means no effect, as it is read."""
    return shown_by(question)(0.0)


def why_not(found: Analysis) -> str | None:
    """Why nothing is pooled, in one sentence; None where something is."""
    if found.fit is not None:
        return None
    question, effects = found.question, found.collected.effects
    few = f"only one study ({effects[0].trial.key}) tells" if effects else "no study tells"
    how = {"controlled": " against untreated men", "before-after": " from before to after"}.get(question.design, "")
    unused = {one.trial.key for one in found.collected.left_out} - {one.trial.key for one in effects}
    more = f"; {len(unused)} more measured it but cannot be used, for the reasons listed" if unused else ""
    return (
        f"{few} the effect of {in_words(question)} on {question.outcome.replace('_', ' ')}{how} "
        f"on days {question.from_day:g} to {question.to_day:g}, and two are needed{more}"
    )


def cautions(found: Analysis) -> list[str]:
    """What a reader must be warned of, in sentences."""
    effects, total = found.collected.effects, len(found.collected.effects)
    if found.fit is None:
        return []
    said: dict[str, dict[str, Any]] = {}
    if total < value("sturdy_from"):
        said["fragile"] = {}
    if found.fit.i2 >= value("considerable_from"):
        said["heterogeneous"] = {"share": f"{100 * found.fit.i2:.0f}"}
    designs = [one.design for one in effects]
    for name, held in {"before-after": BEFORE_AFTER, "not-randomised": NOT_RANDOMISED}.items():
        if held in designs:
            said[name] = {"count": designs.count(held)}
    if BEFORE_AFTER in designs and len(set(designs)) > 1:
        said["mixed"] = {}
    for flag in FLAGS:
        if count := sum(flag in one.flags for one in effects):
            said[flag] = {"count": count, "men": comparison.settings()["men_assumed"]}
    assays = sorted({one.trial.assay.get(found.question.outcome, "unknown") for one in effects})
    if len(assays) > 1:
        said["assays"] = {"names": ", ".join(assays)}
    if found.question.outcome in [one.moderator for one in found.regressions if one.fit is not None]:
        said["coupled"] = {}
    if found.beside is not None and (count := sum(one.trial.role == SEEN_BY_FIT for one in effects)):
        said["seen"] = {"count": count}
    return [settings()["cautions"][name].format(studies=total, **numbers) for name, numbers in said.items()]


def _question(question: Question, found: Analysis) -> dict[str, Any]:
    return {
        "drug": question.drug,
        "drug_in_words": in_words(question),
        "drugs": list(question.members),
        "design": question.design,
        "from_day": question.from_day,
        "to_day": question.to_day,
        "role": question.role,
        "by": None if found.groups is None else found.groups.by,
    }


def _estimate(estimate: Estimate | None, shown: Callable[[float], float]) -> dict[str, Any] | None:
    """Value and limits as they are read; ``estimate`` and ``standard_error`` on the scale of comparison."""
    if estimate is None:
        return None
    return {
        "value": shown(estimate.value),
        "low": shown(estimate.low),
        "high": shown(estimate.high),
        "estimate": estimate.value,
        "standard_error": estimate.standard_error,
    }


def _study(
    effect: Effect, shown: Callable[[float], float], weight: float | None, beside: Beside | None
) -> dict[str, Any]:
    trial = effect.trial
    return {
        "study": trial.key,
        "title": trial.title,
        "citation": trial.citation,
        "role": trial.role,
        "verification": trial.verification,
        "design": effect.design,
        "condition": trial.population.condition,
        "drugs": list(effect.drugs),
        "arms": list(effect.arms),
        "protocols": [arm.protocol for arm in trial.arms if arm.name in effect.arms],
        "n": effect.n,
        "controls": effect.controls,
        "day": effect.day,
        "assay": trial.assay.get(effect.parts[0][1].quantity, "unknown"),
        "baseline_testosterone": effect.baseline_testosterone,
        "BMI": trial.population.BMI,
        "age": trial.population.age,
        "printed": [f"{figure.arm}, day {figure.day:g}: {figure.printed}" for _, figure in effect.parts],
        "effect": _estimate(normal(effect.value, effect.variance**0.5), shown),
        "weight": weight,
        "model": None if beside is None else _estimate(_of_model(beside, effect), shown),
        "flags": sorted(effect.flags),
    }


def _of_model(beside: Beside, effect: Effect) -> Estimate | None:
    number, error = beside.rows[effect.trial.key, effect.arms]
    return normal(number, error) if np.isfinite(number) else None


def _pooled(found: Analysis, shown: Callable[[float], float]) -> dict[str, Any] | None:
    fit, effects = found.fit, found.collected.effects
    if fit is None:
        return None
    limits = found.prediction
    return {
        "studies": len(effects),
        "men": sum(one.n + one.controls for one in effects),
        "effect": _estimate(found.pooled, shown),
        "degrees": fit.degrees,
        "prediction": None if limits is None else {"low": shown(limits[0]), "high": shown(limits[1])},
        "tau2": fit.tau2,
        "tau2_limits": list(fit.tau2_limits),
        "I2": fit.i2,
        "I2_limits": list(fit.i2_limits),
        "Q": fit.q,
        "Q_p": fit.q_p,
        "hartung_knapp_factor": fit.factor,
        "common_effect": _estimate(found.common, shown),
    }


def _groups(groups: Groups, shown: Callable[[float], float], beside: Beside | None) -> dict[str, Any]:
    test, tau2 = groups.test, groups.tau2 or 0.0
    whole = sum(1 / (one.variance + tau2) for row in groups.rows for one in row.effects)

    def weight(one: Effect) -> float:
        return 1 / (one.variance + tau2) / whole

    return {
        "by": groups.by,
        "rows": [
            {
                "name": row.name,
                "studies": [_study(one, shown, weight(one), beside) for one in row.effects],
                "effect": _estimate(row.estimate, shown),
            }
            for row in groups.rows
        ],
        "test": None if test is None else {"F": test.statistic, "degrees": [test.between, test.within], "p": test.p},
        "tau2": groups.tau2,
    }


def _regression(one: Regression, shown: Callable[[float], float], question: Question) -> dict[str, Any]:
    known = settings()["moderators"][one.moderator]
    return {
        "moderator": one.moderator,
        "name": known["name"],
        "unit": known["unit"],
        "step": one.step,
        "studies": [effect.trial.key for effect in one.effects],
        "values": one.values.tolist(),
        "slope": _estimate(one.slope, shown),
        "p": one.p,
        "tau2": None if one.fit is None else one.fit.tau2,
        "explained": one.explained,
        "line": [{"at": x, **(_estimate(estimate, shown) or {})} for x, estimate in one.line],
        "enough": len(one.effects) >= value("regression_from"),
        "coupled": one.moderator == question.outcome,
        "why_not": one.why or None,
    }


def _asymmetry(found: Analysis, shown: Callable[[float], float]) -> dict[str, Any] | None:
    funnel = found.funnel
    if funnel is None:
        return None
    return {
        "slope": funnel.slope,
        "standard_error": funnel.standard_error,
        "t": funnel.t,
        "degrees": funnel.degrees,
        "p": funnel.p,
        "at_zero": _estimate(funnel.at_zero, shown),
        "enough": len(found.collected.effects) >= value("asymmetry_from"),
    }


def _variant(one: Variant, shown: Callable[[float], float]) -> dict[str, Any]:
    return {"what": one.name, "studies": one.studies, "effect": _estimate(one.estimate, shown)}


def _model(found: Analysis, beside: Beside, shown: Callable[[float], float]) -> dict[str, Any]:
    own = found.fit.tau2 if found.fit else np.nan
    return {
        "studies": int(np.isfinite(beside.values[:, 0]).sum()),
        "effect": _estimate(beside.pooled, shown),
        "data_over_model": _estimate(beside.difference, shown),
        "data_over_model_unseen": _estimate(beside.unseen, shown),
        "tau2_left": beside.tau2,
        "explained": 1 - beside.tau2 / own if own > 0 else np.nan,
        "seen_by_the_fit": [one.trial.key for one in found.collected.effects if one.trial.role == SEEN_BY_FIT],
    }


def _sources(found: Analysis) -> list[Mapping[str, str]]:
    """The papers that are pooled, and those behind the methods."""
    used = {one.trial.citation: "pooled" for one in found.collected.effects}
    methods: Sequence[Mapping[str, Any]] = settings()["methods"]
    used |= {key: "method" for one in methods for key in one["sources"] if key not in used}
    return [
        {"key": key, "reference": reference(key).formatted(), "used_for": used[key]} for key in sorted(used)
    ]  # fmt: skip
