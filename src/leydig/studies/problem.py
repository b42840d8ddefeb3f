"""What a fit is about: its free parameters, the published figures that inform it, and how far those may scatter."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from leydig import laboratory, model
from leydig import parameters as parameter_files
from leydig.engine.trace import build, flatten, names
from leydig.evidence import Trial
from leydig.fits import fits, load_fit
from leydig.studies.comparison import settings
from leydig.studies.figures import Figure, figures, predicted
from leydig.studies.published import PreparedArm, prepare, run

# The fits in the order in which they are made; each keeps what the ones before it found.
FITS = tuple(settings()["fits"])
KIT_STEP = 0.3  # of the log of an estradiol offset, wide because its spread between kits is


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


def free_parameters(fit: str = FITS[0]) -> Free:
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


def earlier(fit: str) -> dict[str, float]:
    """What the fits before this one found, by parameter."""
    known = (load_fit(name).values for name in FITS[: FITS.index(fit)] if name in fits())
    return {name: value for values in known for name, value in values.items()}


def place(
    free: Free, values: np.ndarray, fixed: Mapping[str, float] | None = None
) -> tuple[model.Parameters, laboratory.Constants]:
    """Shared parameters and laboratory constants with these log values, and those of earlier fits, in place."""
    numbers = {**(fixed or {}), **dict(zip(free.names, np.exp(values), strict=True))}
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


def informs(figure: Figure, driven: Collection[str]) -> str:
    """The fit that a figure informs: that of its outcome, else that of the drugs in its arms, else the first.

    ``driven`` are the inputs of its arms that drugs drive.
    """
    for fit, choice in settings()["fits"].items():
        if figure.domain in choice.get("domains", ()):
            return str(fit)
    for fit, choice in settings()["fits"].items():
        if not set(choice.get("levels", ())).isdisjoint(driven):
            return str(fit)
    return FITS[0]


def assemble(trials: Sequence[Trial], fit: str | None = None) -> Problem:
    """The figures that a fit is informed by, or all of them, and the arms that they need."""
    arms, scored = [], []
    for trial in trials:
        own = figures(trial)
        if not own:
            continue
        ready = {arm.name: prepare(trial, arm) for arm in trial.arms}
        own = [f for f in own if fit in (None, informs(f, _driven(f, ready)))]
        needed = {f.arm for f in own} | {f.against for f in own}
        arms += [arm for name, arm in ready.items() if name in needed]
        scored += own
    return Problem(tuple(arms), tuple(scored))


def _driven(figure: Figure, arms: Mapping[str, PreparedArm]) -> frozenset[str]:
    """What drives a figure's arms; of an arm without any, such as a placebo, what drives the arms it stands beside."""
    other = arms[figure.against].driven if figure.against else frozenset()
    own = arms[figure.arm].driven | other
    return own or frozenset().union(*(arm.driven for arm in arms.values()))


def predictions(problem: Problem, parameters: model.Parameters, lab: laboratory.Constants) -> np.ndarray:
    """The model's value of every figure."""
    runs: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    days: dict[str, dict[str, np.ndarray]] = {}
    for arm in problem.arms:
        runs.setdefault(arm.trial, {})[arm.name] = run(arm, parameters, lab)
        days.setdefault(arm.trial, {})[arm.name] = arm.times / 24
    return np.array([predicted(f, runs[f.trial], days[f.trial]) for f in problem.figures])


def study_start() -> dict[str, float]:
    """Between-study SD of each domain before anything is estimated."""
    return {name: choice["study_start"] for name, choice in settings()["domains"].items()}


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
    matrix += _between_contrasts(figures)
    if kits is not None:
        one_study = np.array([[a.trial == b.trial for b in figures] for a in figures])
        matrix += settings()["kit_log_sd"] ** 2 * np.outer(kits, kits) * one_study
    return matrix


def _between_contrasts(figures: Sequence[Figure]) -> np.ndarray:
    """Covariance of the sampling errors of contrasts that share an arm; the diagonal is left at 0."""
    share = settings()["contrast_correlation"]
    matrix = np.zeros((len(figures), len(figures)))
    for i, one in enumerate(figures):
        for j, other in enumerate(figures[:i]):
            alike = one.trial == other.trial and one.quantity == other.quantity and one.against and other.against
            if not alike:
                continue
            r = share["same_arm"] if one.arm == other.arm else share["same_comparator"]
            if one.arm == other.arm or one.against == other.against:
                matrix[i, j] = matrix[j, i] = r * one.standard_error * other.standard_error
    return matrix
