"""make profiles: profile likelihoods of every fitted parameter; writes data/profiles.yaml, docs/profiles.md and .png.

Resumable: what has been computed for a fit lies in out/profiles and is used again as long as the fit is the same.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import profiles_page
from leydig.evidence import trials
from leydig.fits import load_fit
from leydig.studies import calibrate, problem
from leydig.studies import profile as profiles
from leydig.studies.calibration_report import evidence_digest
from leydig.writing import replacing, write_text

ROOT = Path(__file__).resolve().parents[1]
CACHE, DATA = ROOT / "out/profiles", ROOT / "src/leydig/data/profiles.yaml"
WORKERS = 2
FEW = 10  # parameters of a fit whose slopes are cheap enough to be computed at every step
CHECKED = 1  # profiles of a larger fit of which one point is settled again with all slopes: ten minutes each
LOWER = 0.1  # of the objective below the fit: worth saying
HEADER = "# Written by `make profiles`; docs/profiles.md says what it means. Do not edit.\n"

_weighed: profiles.Weighed
_start: profiles.State
_errors: np.ndarray
_fit: str


def _load(fit: str, now: np.ndarray, jacobian: np.ndarray) -> None:
    """Per worker: one fit with its predictions and slopes."""
    global _weighed, _start, _errors, _fit
    estimate = calibrate.stored(fit)
    _fit, _weighed = fit, profiles.weighed(fit, jacobian)
    _start = profiles.State(estimate.values, now, jacobian)
    _errors = np.sqrt(np.diag(estimate.covariance))


def _predict(values: np.ndarray) -> np.ndarray:
    return _weighed.predict(values)


def _profile(index: int) -> dict[str, Any]:
    began = time.process_time()
    points = profiles.profile(_weighed, index, _start, float(_errors[index]), len(_errors) < FEW)
    return {"points": [point._asdict() for point in points], "seconds": time.process_time() - began}


def _check(index: int, points: list[profiles.Point]) -> dict[str, float]:
    """The point nearest to the limit, and how high it stands when the others are fully fitted again."""
    near, least = nearest(points), min(point.data for point in points)
    full, values = profiles.weighed(_fit, _start.slopes, faint=0.0), np.array(near.values)
    state = profiles.State(values, full.predict(values), _start.slopes)
    again = profiles.settle(full, index, state, near.at, exact=True).point
    return {"at": near.at, "quick": near.data - least, "full": again.data - least}


def main() -> None:
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr, flush=True)

    found = {}
    for fit in problem.FITS:
        digest = evidence_digest(problem.assemble(trials("calibration"), fit), problem.earlier(fit))
        if load_fit(fit).digest != digest:
            sys.exit(f"error: the fit {fit} is stale and has no profiles; make calibrate comes first")
        found[fit] = computed(fit, say)
    found = json.loads(json.dumps(found))  # plain numbers
    for fit, part in found.items():
        for lower in part["lower"]:
            say(f"{fit}: a LOWER objective than the fit's, by {lower['by']}, at {lower['values']}")
    write_text(DATA, HEADER + yaml.safe_dump({"fits": found}, sort_keys=False, width=118, default_flow_style=None))
    write_text(ROOT / "docs/profiles.md", profiles_page.page(found))
    with replacing(ROOT / "docs/profiles.png") as temporary:
        profiles_page.picture(found, temporary)
    say("wrote src/leydig/data/profiles.yaml, docs/profiles.md and docs/profiles.png")


def computed(fit: str, say) -> dict[str, Any]:
    """The part of data/profiles.yaml on one fit, from the cache as far as it goes."""
    estimate, folder = calibrate.stored(fit), CACHE / f"{fit}-{key(fit)}"
    now, jacobian = slopes(fit, folder / "slopes.npz", say)
    names, jobs = estimate.free.names, {}
    files = {name: folder / f"{name}.json" for name in names}
    with ProcessPoolExecutor(WORKERS, initializer=_load, initargs=(fit, now, jacobian)) as pool:
        jobs = {pool.submit(_profile, i): files[name] for i, name in enumerate(names) if not files[name].exists()}
        collect(jobs, fit, say)
        every = {name: [profiles.Point(**p) for p in read(path)["points"]] for name, path in files.items()}
        spaced = names[:: -(-len(names) // CHECKED)]
        some = spaced if len(names) >= FEW else ()
        checks = {name: folder / f"{name}.check.json" for name in some}
        missing = {name: path for name, path in checks.items() if not path.exists()}
        jobs = {pool.submit(_check, names.index(name), every[name]): path for name, path in missing.items()}
        collect(jobs, fit, say)
    for name, path in checks.items():
        every[name] = lowered(every[name], read(path))
    height = next(p.penalised for p in every[names[0]] if p.at == estimate.values[0])
    errors = np.sqrt(np.diag(estimate.covariance))
    return {
        "digest": load_fit(fit).digest,
        "height": round(height, 3),
        "minutes": round(sum(read(path)["seconds"] for path in files.values()) / 60, 1),
        "largest_gain_left": round(max(p.gain for points in every.values() for p in points), 3),
        "lower": lower(every, names, height),
        "checked": {name: {k: _short(v) for k, v in _natural(read(path)).items()} for name, path in checks.items()},
        "parameters": {
            name: verdict(estimate.free, i, load_fit(fit).values[name], errors[i], every[name])
            for i, name in enumerate(names)
        },
    }


def nearest(points: list[profiles.Point]) -> profiles.Point:
    """The point whose rise is nearest to the limit."""
    least = min(point.data for point in points)
    return min(points, key=lambda point: abs(point.data - least - profiles.RISE))


def close_call(points: list[profiles.Point]) -> bool:
    """Whether an end is closed by less than what another step might have brought."""
    least = min(point.data for point in points)
    return 0 < nearest(points).data - least - profiles.RISE < profiles.SETTLED


def lowered(points: list[profiles.Point], check: Mapping[str, float]) -> list[profiles.Point]:
    """The points with the one that was checked as low as the check found it."""
    less = min(check["full"] - check["quick"], 0.0)
    near = nearest(points)
    return [p._replace(data=p.data + less, penalised=p.penalised + less) if p == near else p for p in points]


def _natural(check: Mapping[str, float]) -> dict[str, float]:
    return {"value": float(np.exp(check["at"])), "quick": check["quick"], "full": check["full"]}


def key(fit: str) -> str:
    """What the cache of a fit belongs to: its evidence and its values."""
    known = load_fit(fit)
    text = repr((known.digest, sorted(known.values.items()), sorted(known.standard_errors.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def slopes(fit: str, path: Path, say) -> tuple[np.ndarray, np.ndarray]:
    """Predictions (m,) and their Jacobian (m, n) at the fit."""
    if not path.exists():
        say(f"{fit}: slopes at the fit")
        whole, free = problem.assemble(trials("calibration"), fit), problem.free_parameters(fit)
        _load(fit, np.zeros(len(whole.figures)), np.zeros((len(whole.figures), len(free.names))))
        now = _predict(_start.values)
        with ProcessPoolExecutor(WORKERS, initializer=_load, initargs=(fit, now, _start.slopes)) as pool:
            search = calibrate.Search(whole, free, pool, _predict, say)
            jacobian = calibrate.differences(search, _start.values, now)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, now=now, jacobian=jacobian)
    with np.load(path) as known:
        return known["now"], known["jacobian"]


def collect(jobs: Mapping[Any, Path], fit: str, say) -> None:
    """Keep what each job has found as soon as it has."""
    for done, job in enumerate(as_completed(jobs), 1):
        write_text(jobs[job], json.dumps(job.result()))
        say(f"{fit}: {jobs[job].stem} ({done} of {len(jobs)})")


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def lower(every: Mapping[str, list[profiles.Point]], names: tuple[str, ...], height: float) -> list[dict[str, Any]]:
    """The lowest point of all, where it lies below the fit."""
    best = min((point for points in every.values() for point in points), key=lambda point: point.penalised)
    if best.penalised > height - LOWER:
        return []
    values = {name: _short(np.exp(v)) for name, v in zip(names, best.values, strict=True)}
    return [{"by": round(height - best.penalised, 3), "values": values}]


def verdict(free: problem.Free, index: int, value: float, error: float, points: list[profiles.Point]) -> dict[str, Any]:
    """One parameter's entry: class, intervals on the natural scale, and the points."""
    at, data, penalised = (np.array([getattr(p, part) for p in points]) for part in ("at", "data", "penalised"))
    found, with_prior = profiles.interval(at, data), profiles.interval(at, penalised)
    expected = profiles.quadratic(free, index, float(np.log(value)), error)
    length = profiles.ratio(found, expected)
    return {
        "class": profiles.kind(found),
        "estimate": value,
        "data_best": _short(np.exp(found.lowest)),
        "interval": _ends(found),
        "quadratic_interval": _ends(expected),
        "length_ratio": None if length is None else round(length, 3),
        "quadratic_agrees": profiles.alike(found, expected),
        "penalised_interval": _ends(with_prior),
        "wald_interval": [_short(np.exp(np.log(value) + side * profiles.NORMAL_95 * error)) for side in (-1, 1)],
        "prior_interval": [
            _short(np.exp(free.centre[index] + side * profiles.NORMAL_95 * free.spread[index])) for side in (-1, 1)
        ],
        "points": {
            "value": [_short(np.exp(x)) for x in at],
            "data": [round(float(x), 3) for x in data],
            "penalised": [round(float(x), 3) for x in penalised],
        },
    }


def _ends(found: profiles.Interval) -> list[float | None]:
    return [None if end is None else _short(np.exp(end)) for end in (found.low, found.high)]


def _short(value: float) -> float:
    return float(f"{float(value):.5g}")


if __name__ == "__main__":
    main()
