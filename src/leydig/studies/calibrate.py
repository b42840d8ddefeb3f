"""The joint fit: parameters of hormones, semen and bone to all calibration trials at once.

Penalised least squares on the log of the parameters: priors from the parameter files, residuals
whitened by sampling error and by a between-study variance shared within a study. The between-study
SDs are estimated together with the parameters, by restricted likelihood of the residuals.
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
HOLD = 1e-3  # residual change that ends the fit, relative


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


def covariance(figures: Sequence[Figure], study: Mapping[str, float]) -> np.ndarray:
    """Sampling variance plus between-study variance, a share of which the arms of one study have in common."""
    share = settings()["shared_between_arms"]
    size = np.array([study[f.domain] * study_size(f) for f in figures])
    same = np.array([[a.trial == b.trial and a.quantity == b.quantity for b in figures] for a in figures])
    matrix = share * np.outer(size, size) * same
    matrix[np.diag_indices(len(figures))] = size**2 + np.array([f.standard_error for f in figures]) ** 2
    return matrix


def residuals(reported: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Reported minus predicted, a failed run counting as a large miss."""
    return np.where(np.isfinite(values), np.clip(reported - values, -25, 25), 25.0)


def estimate_study_sd(figures: Sequence[Figure], residual: np.ndarray, start: Mapping[str, float]) -> dict[str, float]:
    """Between-study SD of each domain: the marginal likelihood of its residuals, with a weak prior at ``start``."""
    from scipy.optimize import minimize_scalar

    found = {}
    for domain, centre in start.items():
        index = [i for i, f in enumerate(figures) if f.domain == domain]
        own, r = [figures[i] for i in index], residual[index]
        if not own:
            found[domain] = centre
            continue

        def cost(
            log_sd: float, own: Sequence[Figure] = own, r: np.ndarray = r, domain: str = domain, centre: float = centre
        ) -> float:
            matrix = covariance(own, {domain: float(np.exp(log_sd))})
            _, logdet = np.linalg.slogdet(matrix)
            return 0.5 * (r @ np.linalg.solve(matrix, r) + logdet) + 0.5 * ((log_sd - np.log(centre)) / 0.7) ** 2

        best = minimize_scalar(cost, bounds=(np.log(centre) - 3, np.log(centre) + 2), method="bounded")
        found[domain] = float(np.exp(best.x))
    return found


Predict = Callable[[np.ndarray], np.ndarray]


def fit(
    problem: Problem,
    free: Free,
    start: np.ndarray,
    pool: Executor,
    predict: Predict,
    report: Callable[[str], None] = lambda _: None,
    rounds: int = 4,
    iterations: int = 8,
) -> Estimate:
    """Levenberg-Marquardt on whitened residuals and priors, alternating with the between-study SDs.

    ``predict`` maps log values to the predictions of ``problem``; it runs in ``pool``.
    """
    reported = np.array([f.reported for f in problem.figures])
    study = {name: choice["study_start"] for name, choice in settings()["domains"].items()}
    values, damping = start.copy(), 1e-2
    now = predict(values)
    jacobian = np.zeros((len(reported), len(values)))
    for turn in range(rounds):
        whiten = np.linalg.inv(np.linalg.cholesky(covariance(problem.figures, study)))

        def cost(at: np.ndarray, prediction: np.ndarray, whiten: np.ndarray = whiten) -> float:
            z = whiten @ residuals(reported, prediction)
            return float(z @ z + np.sum(((at - free.centre) / free.spread) ** 2))

        current = cost(values, now)
        for _ in range(iterations):
            jacobian = differences(values, now, free, pool, predict)
            slope = whiten @ jacobian
            normal = slope.T @ slope + np.diag(free.spread**-2.0)
            gradient = slope.T @ (whiten @ residuals(reported, now)) - (values - free.centre) / free.spread**2
            accepted = False
            while damping < 1e6:
                step = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
                trial = np.clip(values + np.clip(step, -1, 1), free.low, free.high)
                prediction = predict(trial)
                if cost(trial, prediction) < current:
                    accepted = True
                    break
                damping *= 5
            if not accepted:
                damping = 1e-2
                break
            gain = current - cost(trial, prediction)
            values, now, damping = trial, prediction, max(damping / 5, 1e-5)
            current -= gain
            report(f"round {turn + 1}: objective {current:.2f}")
            if gain < HOLD * current:
                break
        study = estimate_study_sd(problem.figures, residuals(reported, now), study_centres())
        report("between-study SD " + ", ".join(f"{k} {v:.3f}" for k, v in study.items()))
    whiten = np.linalg.inv(np.linalg.cholesky(covariance(problem.figures, study)))
    slope = whiten @ differences(values, now, free, pool, predict)
    curvature = slope.T @ slope
    posterior = np.linalg.inv(curvature + np.diag(free.spread**-2.0))
    z = whiten @ residuals(reported, now)
    objective = float(z @ z + np.sum(((values - free.centre) / free.spread) ** 2))
    return Estimate(free, values, posterior, curvature, study, objective)


def study_centres() -> dict[str, float]:
    return {name: choice["study_start"] for name, choice in settings()["domains"].items()}


def differences(values: np.ndarray, now: np.ndarray, free: Free, pool: Executor, predict: Predict) -> np.ndarray:
    """Jacobian of the predictions by differences that step inside the bounds; ``now`` are those at ``values``."""
    steps = np.where(values + STEP <= free.high, STEP, -STEP)
    results = list(
        pool.map(predict, [values + step * unit for step, unit in zip(steps, np.eye(len(values)), strict=True)])
    )
    jacobian = np.stack([(result - now) / step for result, step in zip(results, steps, strict=True)], axis=1)
    return np.where(np.isfinite(jacobian), jacobian, 0.0)
