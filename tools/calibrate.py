"""make calibrate: fit the joint parameters and write data/fits/joint.yaml and docs/calibration.md."""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from leydig.evidence import trials
from leydig.fits import load_fit
from leydig.studies import calibrate
from leydig.studies.calibration_report import fit_file, page
from leydig.studies.published import figures
from leydig.writing import write_text

ROOT = Path(__file__).resolve().parent.parent
_problem: calibrate.Problem
_held_out: calibrate.Problem
_free: calibrate.Free


def _load() -> None:
    """Per worker: the arms, prepared once. Only the calibration arms are fitted."""
    global _problem, _held_out, _free
    _held_out = calibrate.assemble([t for t in trials("validation") if figures(t)])
    _problem = calibrate.assemble([t for t in trials("calibration") if figures(t)])
    _free = calibrate.free_parameters()


def _predict(values: np.ndarray) -> np.ndarray:
    return calibrate.predictions(_problem, *calibrate.place(_free, values))


def _predict_held_out(values: np.ndarray) -> np.ndarray:
    return calibrate.predictions(_held_out, *calibrate.place(_free, values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=0, help="random starts besides the prior's centre")
    parser.add_argument("--warm", action="store_true", help="begin at the present fit, not at the priors' centre")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    _load()
    began, rng = time.monotonic(), np.random.default_rng(options.seed)

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr, flush=True)

    say(
        f"{len(_problem.figures)} figures of {len({f.trial for f in _problem.figures})} calibration studies, "
        f"{len(_problem.arms)} arms, {len(_free.names)} parameters"
    )
    known = load_fit(calibrate.FIT).values if options.warm else {}
    present = np.array([np.log(known.get(name, np.exp(c))) for name, c in zip(_free.names, _free.centre, strict=True)])
    _predict(_free.centre)  # compiles before the workers start
    with ProcessPoolExecutor(2, initializer=_load) as pool:
        estimates = []
        for turn in range(1 + options.starts):
            away = 0.5 * _free.spread * rng.standard_normal(len(_free.names)) if turn else 0.0
            begin = np.clip((present if options.warm else _free.centre) + away, _free.low, _free.high)
            say(f"start {turn + 1} of {1 + options.starts}")
            search = calibrate.Search(_problem, _free, pool, _predict, say)
            estimates.append(calibrate.fit(search, begin))
            say(f"objective {estimates[-1].objective:.2f}")
        best = min(estimates, key=lambda e: e.objective)
        say("slopes of the validation figures")
        search = calibrate.Search(_held_out, _free, pool, _predict_held_out, say)
        slopes = calibrate.differences(search, best.values, _predict_held_out(best.values))
    if not options.dry:
        write_text(ROOT / "src/leydig/data/fits/joint.yaml", fit_file(best, _problem))
        write_text(ROOT / "docs/calibration.md", page(best, _problem, [e.objective for e in estimates], slopes))
        say("wrote src/leydig/data/fits/joint.yaml and docs/calibration.md")


if __name__ == "__main__":
    main()
