"""make calibrate: make the fits one after another, write data/fits/*.yaml and docs/calibration.md."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from leydig.evidence import trials
from leydig.fits import load_fit
from leydig.studies import calibrate, problem
from leydig.studies.calibration_report import evidence_digest, fit_file, page, study_domains
from leydig.writing import write_text

ROOT = Path(__file__).resolve().parent.parent
_problem: problem.Problem
_free: problem.Free
_fixed: Mapping[str, float]


def _load(fit: str, fixed: Mapping[str, float]) -> None:
    """Per worker: the arms that inform a fit, prepared once."""
    global _problem, _free, _fixed
    _problem = problem.assemble(trials("calibration"), fit)
    _free, _fixed = problem.free_parameters(fit), fixed


def _load_held_out(free: problem.Free) -> None:
    """Per worker: the validation arms and every fitted parameter."""
    global _problem, _free, _fixed
    _problem, _free, _fixed = problem.assemble(trials("validation")), free, {}


def _predict(values: np.ndarray) -> np.ndarray:
    return problem.predictions(_problem, *problem.place(_free, values, _fixed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=0, help="random starts besides the prior's centre")
    parser.add_argument("--warm", action="store_true", help="begin at the present fits, not at the priors' centre")
    parser.add_argument("--begin", choices=problem.FITS, default=problem.FITS[0], help="keep the fits before this")
    parser.add_argument("--page", action="store_true", help="keep all fits and write their page again")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    began, rng = time.monotonic(), np.random.default_rng(options.seed)

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr, flush=True)

    kept = problem.FITS if options.page else problem.FITS[: problem.FITS.index(options.begin)]
    for fit in kept:
        now = evidence_digest(problem.assemble(trials("calibration"), fit), problem.earlier(fit))
        if load_fit(fit).digest != now:
            sys.exit(f"error: the fit {fit} is stale and cannot be kept; begin with it: --begin {fit}")
    estimates = [calibrate.stored(fit) for fit in kept]
    fixed = {} if options.page else problem.earlier(options.begin)
    objectives = {fit: [estimate.objective] for fit, estimate in zip(kept, estimates, strict=True)}
    study = {domain: sd for fit in kept for domain, sd in load_fit(fit).between_study.items()}
    for fit in problem.FITS[len(kept) :]:
        found = make(fit, fixed, study, options, rng, say)
        best = min(found, key=lambda e: e.objective)
        if not options.dry:
            write_text(ROOT / f"src/leydig/data/fits/{fit}.yaml", fit_file(fit, best, _problem, fixed))
            say(f"wrote src/leydig/data/fits/{fit}.yaml")
        estimates.append(best)
        objectives[fit] = [e.objective for e in found]
        study |= {domain: best.study[domain] for domain in study_domains(_problem)}
        fixed = {**fixed, **dict(zip(best.free.names, np.exp(best.values).tolist(), strict=True))}
    whole = calibrate.together(estimates)
    say("slopes of the validation figures")
    _load_held_out(whole.free)
    with ProcessPoolExecutor(2, initializer=_load_held_out, initargs=(whole.free,)) as pool:
        search = calibrate.Search(_problem, whole.free, pool, _predict, say)
        slopes = calibrate.differences(search, whole.values, _predict(whole.values))
    if not options.dry:
        write_text(ROOT / "docs/calibration.md", page(whole, objectives, slopes))
        say("wrote docs/calibration.md")


def make(fit, fixed, study, options, rng, say) -> list[calibrate.Estimate]:
    """One fit from each of its starts."""
    _load(fit, fixed)
    say(
        f"{fit}: {len(_problem.figures)} figures of {len({f.trial for f in _problem.figures})} calibration studies, "
        f"{len(_problem.arms)} arms, {len(_free.names)} parameters"
    )
    known = load_fit(fit).values if options.warm and fit in problem.fits() else {}
    centre = np.log([known.get(name, np.exp(c)) for name, c in zip(_free.names, _free.centre, strict=True)])
    _predict(_free.centre)  # compiles before the workers start
    estimates = []
    with ProcessPoolExecutor(2, initializer=_load, initargs=(fit, fixed)) as pool:
        for turn in range(1 + options.starts):
            away = 0.5 * _free.spread * rng.standard_normal(len(_free.names)) if turn else 0.0
            say(f"start {turn + 1} of {1 + options.starts}")
            search = calibrate.Search(_problem, _free, pool, _predict, say, fixed, study)
            estimates.append(calibrate.fit(search, np.clip(centre + away, _free.low, _free.high)))
            say(f"objective {estimates[-1].objective:.2f}")
    return estimates


if __name__ == "__main__":
    main()
