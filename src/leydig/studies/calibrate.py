"""The fits: parameters to the calibration trials, one module after another.

The core (hormones, semen, bone; the fit "joint") comes first, then the targets of further drugs, then how weight acts
on the axis, then what follows from the hormones (heart, metabolism, wellbeing). A later module keeps what the earlier
ones found, so that evidence on an outcome cannot bend the axis. Within a module all parameters are fitted at once to
all its figures.

Penalised least squares on the log of the parameters: priors from the parameter files, residuals
whitened by sampling error and by a between-study variance shared within a study. The between-study
SDs are estimated by turns with the parameters, which are integrated out for it.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from leydig.fits import load_fit
from leydig.studies.comparison import settings
from leydig.studies.figures import Figure
from leydig.studies.problem import (
    FITS,
    Free,
    Problem,
    covariance,
    free_parameters,
    offset_effects,
    place,
    study_start,
)

STEP = 0.02  # of a log parameter, for differences
FAR = 1000.0  # of a residual: beyond any figure on any scale
HOLD = 1e-3  # relative gain that ends a round
FIRST_DAMPING, LAST_DAMPING = 1e-2, 1e6


class Estimate(NamedTuple):
    free: Free
    values: np.ndarray  # log scale
    covariance: np.ndarray  # log scale, posterior
    curvature: np.ndarray  # log scale, of the data alone: J' J without the prior
    study: Mapping[str, float]  # between-study SD by domain
    objective: float


def residuals(reported: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Reported minus predicted, a failed run counting as a large miss on every scale."""
    return np.where(np.isfinite(values), np.clip(reported - values, -FAR, FAR), FAR)


def estimate_study_sd(
    figures: Sequence[Figure],
    residual: np.ndarray,
    jacobian: np.ndarray,
    free: Free,
    away: np.ndarray,
    kits: np.ndarray,
    known: Mapping[str, float],
) -> dict[str, float]:
    """Between-study SDs that make the residuals most likely with the parameters integrated out.

    Linear about the present values: the residual from the priors' centre (``away`` is how far the
    values lie from it) has covariance V + J P J', P the prior's. A weak prior holds each SD near its start.
    Domains that earlier fits have estimated (``known``) keep theirs; those without a figure stay at their start.
    """
    from scipy.optimize import minimize

    present = {f.domain for f in figures}
    names = [name for name in study_start() if name in present and name not in known]
    if not names:
        return {**study_start(), **known}
    centre = np.log([study_start()[name] for name in names])
    from_prior = residual + jacobian @ away
    spread = (jacobian * free.spread) @ (jacobian * free.spread).T

    def cost(log_sd: np.ndarray) -> float:
        study = {**study_start(), **known, **dict(zip(names, np.exp(log_sd), strict=True))}
        return marginal_misfit(covariance(figures, study, kits) + spread, from_prior) + _sd_penalty(study)

    best = minimize(cost, centre, method="L-BFGS-B", bounds=[(c - 3, c + 2) for c in centre])
    return {**study_start(), **known, **dict(zip(names, np.exp(best.x).tolist(), strict=True))}


def marginal_misfit(matrix: np.ndarray, residual: np.ndarray) -> float:
    """Minus twice the log likelihood of a residual with this covariance, up to a constant."""
    return float(residual @ np.linalg.solve(matrix, residual) + np.linalg.slogdet(matrix)[1])


def _sd_penalty(study: Mapping[str, float]) -> float:
    away = np.array([np.log(study[name] / start) for name, start in study_start().items()])
    return float(np.sum((away / settings()["study_log_sd"]) ** 2))


Predict = Callable[[np.ndarray], np.ndarray]


class Search(NamedTuple):
    """What a fit works with: the problem, its parameters and how predictions are made."""

    problem: Problem
    free: Free
    pool: Executor
    predict: Predict  # log values to the predictions of the problem; runs in the pool
    report: Callable[[str], None]
    fixed: Mapping[str, float] = {}  # what earlier fits found
    study: Mapping[str, float] = {}  # between-study SDs that earlier fits estimated, by domain


def fit(search: Search, begin: np.ndarray, rounds: int = 2, iterations: int = 10) -> Estimate:
    """Levenberg-Marquardt on whitened residuals and priors, alternating with the between-study SDs.

    The last descent is under the last SDs. The objective is minus twice the log of the marginal
    likelihood and the priors, so that starts with SDs of their own can be compared.
    """
    problem, free, study = search.problem, search.free, {**study_start(), **search.study}
    reported = np.array([f.reported for f in problem.figures])
    values, now = begin.copy(), search.predict(begin)
    for turn in range(rounds + 1):
        kits = offset_effects(problem, *place(free, values, search.fixed), now)
        whiten = np.linalg.inv(np.linalg.cholesky(covariance(problem.figures, study, kits)))
        values, now = _descend(search, values, now, whiten, iterations, f"round {turn + 1}")
        jacobian, away = differences(search, values, now), values - free.centre
        if turn < rounds:
            study = estimate_study_sd(
                problem.figures, residuals(reported, now), jacobian, free, away, kits, search.study
            )
            used = {f.domain for f in problem.figures}
            search.report("between-study SD " + ", ".join(f"{k} {v:.3f}" for k, v in study.items() if k in used))
    kits = offset_effects(problem, *place(free, values, search.fixed), now)
    matrix = covariance(problem.figures, study, kits)
    slope = np.linalg.inv(np.linalg.cholesky(matrix)) @ jacobian
    curvature = slope.T @ slope
    posterior = np.linalg.inv(curvature + np.diag(free.spread**-2.0))
    spread = (jacobian * free.spread) @ (jacobian * free.spread).T
    objective = marginal_misfit(matrix + spread, residuals(reported, now) + jacobian @ away)
    objective += _sd_penalty(study)
    return Estimate(free, values, posterior, curvature, study, objective)


def together(estimates: Sequence[Estimate]) -> Estimate:
    """All fits as one: parameters side by side; the last one's between-study SDs.

    A later fit is conditional on the point values of the earlier ones, so correlations between fits are not known and
    count as nil: bands of what follows both are somewhat wrong in width.
    """
    from scipy.linalg import block_diag

    frees = [e.free for e in estimates]
    free = Free(
        tuple(name for some in frees for name in some.names),
        *(np.concatenate([getattr(some, part) for some in frees]) for part in ("centre", "spread", "low", "high")),
    )
    return Estimate(
        free,
        np.concatenate([e.values for e in estimates]),
        block_diag(*(e.covariance for e in estimates)),
        block_diag(*(e.curvature for e in estimates)),
        estimates[-1].study,
        sum(e.objective for e in estimates),
    )


def stored(fit: str) -> Estimate:
    """A fit as its file holds it; the curvature of its data is what its posterior adds to the prior."""
    known, free = load_fit(fit), free_parameters(fit)
    order = [known.names.index(name) for name in free.names]
    errors = np.array([known.standard_errors[name] for name in free.names])
    posterior = known.correlation[np.ix_(order, order)] * np.outer(errors, errors)
    curvature = np.linalg.inv(posterior) - np.diag(free.spread**-2.0)
    before = [load_fit(name).between_study for name in FITS[: FITS.index(fit)]]
    study = {**study_start(), **{k: v for part in before for k, v in part.items()}, **known.between_study}
    values = np.log([known.values[name] for name in free.names])
    return Estimate(free, values, posterior, curvature, study, known.objective)


def _objective(search: Search, values: np.ndarray, now: np.ndarray, whiten: np.ndarray) -> float:
    """Whitened misfit plus the distance from the priors."""
    z = whiten @ residuals(np.array([f.reported for f in search.problem.figures]), now)
    return float(z @ z + np.sum(((values - search.free.centre) / search.free.spread) ** 2))


def _descend(
    search: Search, values: np.ndarray, now: np.ndarray, whiten: np.ndarray, iterations: int, name: str
) -> tuple[np.ndarray, np.ndarray]:
    """Values of a lower objective and their predictions; each step is damped until the objective falls."""
    free, damping = search.free, FIRST_DAMPING
    reported = np.array([f.reported for f in search.problem.figures])
    current = _objective(search, values, now, whiten)
    for _ in range(iterations):
        slope = whiten @ differences(search, values, now)
        normal = slope.T @ slope + np.diag(free.spread**-2.0)
        gradient = slope.T @ (whiten @ residuals(reported, now)) - (values - free.centre) / free.spread**2
        while damping < LAST_DAMPING:
            step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
            tried = np.clip(values + np.clip(step, -1, 1), free.low, free.high)
            prediction = search.predict(tried)
            objective = _objective(search, tried, prediction, whiten)
            if objective < current:
                break
            damping *= 5
        else:
            return values, now
        gain, current = current - objective, objective
        values, now, damping = tried, prediction, damping / 5
        search.report(f"{name}: objective {current:.2f}")
        if gain < HOLD * current:
            break
    return values, now


def differences(search: Search, values: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Jacobian of the predictions by differences that step inside the bounds; ``now`` are those at ``values``."""
    steps = np.where(values + STEP <= search.free.high, STEP, -STEP)
    points = [values + step * unit for step, unit in zip(steps, np.eye(len(values)), strict=True)]
    results = list(search.pool.map(search.predict, points))
    jacobian = np.stack([(result - now) / step for result, step in zip(results, steps, strict=True)], axis=1)
    failed = int((~np.isfinite(jacobian)).sum())
    if failed:
        search.report(f"{failed} of {jacobian.size} slopes could not be computed and count as 0")
    return np.where(np.isfinite(jacobian), jacobian, 0.0)
