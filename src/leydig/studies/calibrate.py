"""The joint fit: parameters of hormones, semen and bone to all calibration trials at once.

Penalised least squares on the log of the parameters: priors from the parameter files, residuals
whitened by sampling error and by a between-study variance shared within a study. The between-study
SDs are estimated by turns with the parameters, which are integrated out for it.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np

from leydig import laboratory, model
from leydig import parameters as parameter_files
from leydig.engine.trace import build, flatten, names
from leydig.evidence import Trial
from leydig.studies.published import Figure, PreparedArm, figures, predicted, prepare, run, settings

FIT = "joint"
STEP = 0.02  # of a log parameter, for differences
KIT_STEP = 0.3  # of the log of an estradiol offset, wide because its spread between kits is
HOLD = 1e-3  # relative gain that ends a round
FIRST_DAMPING, LAST_DAMPING = 1e-2, 1e6


class Free(NamedTuple):
    """The fitted parameters: dotted names, prior and bounds on the log scale."""

    names: tuple[str, ...]
    centre: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Problem(NamedTuple):
    """All arms and figures of a set of trials."""

    arms: tuple[PreparedArm, ...]
    figures: tuple[Figure, ...]


class Estimate(NamedTuple):
    free: Free
    values: np.ndarray  # log scale
    covariance: np.ndarray  # log scale, posterior
    curvature: np.ndarray  # log scale, of the data alone: J' J without the prior
    study: Mapping[str, float]  # between-study SD by domain
    objective: float


def free_parameters(fit: str = FIT) -> Free:
    """Every parameter whose file says that this fit makes it."""
    found = []
    for system in parameter_files.systems():
        for name, entry in parameter_files.load(system, fitted=False).items():
            if entry.fit == fit and entry.prior is not None:
                bounds = entry.bounds or (0.0, np.inf)
                found.append((f"{system}.{name}", entry.prior.centre, entry.prior.log_sd or 1.0, *bounds))
    labels, centre, spread, low, high = zip(*found, strict=True)
    with np.errstate(divide="ignore"):
        return Free(labels, np.log(centre), np.array(spread), np.log(low), np.log(high))


def place(free: Free, values: np.ndarray) -> tuple[model.Parameters, laboratory.Constants]:
    """Shared parameters and laboratory constants with these log values in place."""
    numbers = dict(zip(free.names, np.exp(values), strict=True))
    shared = unfitted()
    labels = names(model.Parameters)
    leaves = [numbers.get(label, value) for label, value in zip(labels, flatten(shared), strict=True)]
    lab = parameter_files.record(laboratory.Constants, "laboratory", fitted=False)
    changed = {k.removeprefix("laboratory."): v for k, v in numbers.items() if k.startswith("laboratory.")}
    return build(model.Parameters, leaves), lab._replace(**changed)


def unfitted() -> model.Parameters:
    """Shared parameters with the prior's centre where a fit is to come."""
    return model.Parameters(
        **{name: parameter_files.record(m.Parameters, name, fitted=False) for name, m in model.SYSTEMS.items()}
    )


def assemble(trials: Sequence[Trial]) -> Problem:
    """Arms that some scored figure needs, and those figures."""
    arms, scored = [], []
    for trial in trials:
        own = figures(trial)
        needed = {f.arm for f in own} | {f.against for f in own}
        arms += [prepare(trial, arm) for arm in trial.arms if arm.name in needed]
        scored += own
    return Problem(tuple(arms), tuple(scored))


def predictions(problem: Problem, parameters: model.Parameters, lab: laboratory.Constants) -> np.ndarray:
    """The model's value of every figure."""
    runs: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    days: dict[str, dict[str, np.ndarray]] = {}
    for arm in problem.arms:
        runs.setdefault(arm.trial, {})[arm.name] = run(arm, parameters, lab)
        days.setdefault(arm.trial, {})[arm.name] = arm.times / 24
    return np.array([predicted(f, runs[f.trial], days[f.trial]) for f in problem.figures])


def study_size(figure: Figure) -> float:
    """How much of the between-study SD a figure carries: BMD in proportion to time, up to a year."""
    if not figure.domain.startswith("bmd"):
        return 1.0
    return min(1.0, figure.day / settings()["bmd_full_after_days"])


def offset_effects(
    problem: Problem, parameters: model.Parameters, lab: laboratory.Constants, now: np.ndarray
) -> np.ndarray:
    """How each prediction moves with the log of its study's estradiol offset; ``now`` are the predictions."""
    factor = np.exp(KIT_STEP)
    moved = lab._replace(
        estradiol_immunoassay_offset=lab.estradiol_immunoassay_offset * factor,
        estradiol_RIA_offset=lab.estradiol_RIA_offset * factor,
    )
    effect = (predictions(problem, parameters, moved) - now) / KIT_STEP
    return np.where(np.isfinite(effect), effect, 0.0)


def covariance(figures: Sequence[Figure], study: Mapping[str, float], kits: np.ndarray | None = None) -> np.ndarray:
    """Variance of what a paper prints about the model's prediction.

    Sampling; between-study variance, a share of which the arms of one study have in common; and the
    estradiol kit, which all figures of a study share (``kits``: effect of its log offset on each figure).
    """
    share = settings()["shared_between_arms"]
    contrast = np.array([f.against is not None for f in figures])
    size = np.array([study[f.domain] * study_size(f) for f in figures])
    # what the arms of a study share cancels in a contrast between them, the rest counts twice
    size = np.where(contrast, size * np.sqrt(2 * (1 - share)), size)
    same = np.array([[a.trial == b.trial and a.quantity == b.quantity for b in figures] for a in figures])
    same &= ~contrast[:, None] & ~contrast[None, :]
    matrix = share * np.outer(size, size) * same
    matrix[np.diag_indices(len(figures))] = size**2 + np.array([f.standard_error for f in figures]) ** 2
    if kits is not None:
        one_study = np.array([[a.trial == b.trial for b in figures] for a in figures])
        matrix += settings()["kit_log_sd"] ** 2 * np.outer(kits, kits) * one_study
    return matrix


def residuals(reported: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Reported minus predicted, a failed run counting as a large miss."""
    return np.where(np.isfinite(values), np.clip(reported - values, -25, 25), 25.0)


def estimate_study_sd(
    figures: Sequence[Figure],
    residual: np.ndarray,
    jacobian: np.ndarray,
    free: Free,
    away: np.ndarray,
    kits: np.ndarray,
) -> dict[str, float]:
    """Between-study SDs that make the residuals most likely with the parameters integrated out.

    Linear about the present values: the residual from the priors' centre (``away`` is how far the
    values lie from it) has covariance V + J P J', P the prior's. A weak prior holds each SD near its start.
    """
    from scipy.optimize import minimize

    centre = np.log(list(study_start().values()))
    from_prior = residual + jacobian @ away
    spread = (jacobian * free.spread) @ (jacobian * free.spread).T

    def cost(log_sd: np.ndarray) -> float:
        study = dict(zip(study_start(), np.exp(log_sd), strict=True))
        return marginal_misfit(covariance(figures, study, kits) + spread, from_prior) + _sd_penalty(log_sd)

    best = minimize(cost, centre, method="L-BFGS-B", bounds=[(c - 3, c + 2) for c in centre])
    return dict(zip(study_start(), np.exp(best.x).tolist(), strict=True))


def marginal_misfit(matrix: np.ndarray, residual: np.ndarray) -> float:
    """Minus twice the log likelihood of a residual with this covariance, up to a constant."""
    return float(residual @ np.linalg.solve(matrix, residual) + np.linalg.slogdet(matrix)[1])


def _sd_penalty(log_sd: np.ndarray) -> float:
    centre = np.log(list(study_start().values()))
    return float(np.sum(((log_sd - centre) / settings()["study_log_sd"]) ** 2))


def study_start() -> dict[str, float]:
    """Between-study SD of each domain before anything is estimated."""
    return {name: choice["study_start"] for name, choice in settings()["domains"].items()}


Predict = Callable[[np.ndarray], np.ndarray]


class Search(NamedTuple):
    """What a fit works with: the problem, its parameters and how predictions are made."""

    problem: Problem
    free: Free
    pool: Executor
    predict: Predict  # log values to the predictions of the problem; runs in the pool
    report: Callable[[str], None]


def fit(search: Search, begin: np.ndarray, rounds: int = 2, iterations: int = 10) -> Estimate:
    """Levenberg-Marquardt on whitened residuals and priors, alternating with the between-study SDs.

    The last descent is under the last SDs. The objective is minus twice the log of the marginal
    likelihood and the priors, so that starts with SDs of their own can be compared.
    """
    problem, free, study = search.problem, search.free, study_start()
    reported = np.array([f.reported for f in problem.figures])
    values, now = begin.copy(), search.predict(begin)
    for turn in range(rounds + 1):
        kits = offset_effects(problem, *place(free, values), now)
        whiten = np.linalg.inv(np.linalg.cholesky(covariance(problem.figures, study, kits)))
        values, now = _descend(search, values, now, whiten, iterations, f"round {turn + 1}")
        jacobian, away = differences(search, values, now), values - free.centre
        if turn < rounds:
            study = estimate_study_sd(problem.figures, residuals(reported, now), jacobian, free, away, kits)
            search.report("between-study SD " + ", ".join(f"{k} {v:.3f}" for k, v in study.items()))
    kits = offset_effects(problem, *place(free, values), now)
    matrix = covariance(problem.figures, study, kits)
    slope = np.linalg.inv(np.linalg.cholesky(matrix)) @ jacobian
    curvature = slope.T @ slope
    posterior = np.linalg.inv(curvature + np.diag(free.spread**-2.0))
    spread = (jacobian * free.spread) @ (jacobian * free.spread).T
    objective = marginal_misfit(matrix + spread, residuals(reported, now) + jacobian @ away)
    objective += _sd_penalty(np.log(list(study.values())))
    return Estimate(free, values, posterior, curvature, study, objective)


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
