"""The problem on disk and its reference: two independent accurate solvers that agree; kept until the model changes."""

from __future__ import annotations

import hashlib
import json
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import problem as problems
from benchmarks.engines.project_reference import tables
from leydig import model
from leydig.engine import reference

RELATIVE, ABSOLUTE = 1e-11, 1e-14
CHECKED = 8  # men solved by the second solver as well


def ready(folder: Path, men: int, protocols: list[str]) -> dict[str, Any]:
    """Problem and reference in ``folder``; how well the two references agree, by protocol."""
    note = folder / "reference.json"
    digest = _digest(men)
    known = json.loads(note.read_text()) if note.exists() else {}
    if known.get("digest") != digest:
        known = {"digest": digest, "solvers": [f"LSODA (odeint), rtol {RELATIVE:g}"], "agree": {}}
    missing = [which for which in protocols if which not in known["agree"]]
    if missing:
        several = problems.men(men)
        for which in missing:
            one = problems.problem(which, several)
            (folder / f"problem-{which}.pickle").write_bytes(pickle.dumps(one))
            with ProcessPoolExecutor() as pool:
                values = np.array(list(pool.map(_solve, (one.of(slice(i, i + 1)) for i in range(one.n)))))
            np.save(folder / f"reference-{which}.npy", values)
            name, difference = _second(one, values)
            known["solvers"] = [known["solvers"][0], name]
            known["agree"][which] = difference
            note.write_text(json.dumps(known))
            print(f"  {which}: reference made; {name} differs by {difference:.1e}", flush=True)
    return known


def _digest(men: int) -> str:
    text = Path(problems.__file__).read_text() + Path(__file__).read_text()
    state = problems.men(3)[0]
    parts = [text.encode(), model.traced().digest.encode(), state.parameters.tobytes(), state.state.tobytes()]
    return hashlib.sha256(b"".join([*parts, str(men).encode()])).hexdigest()[:16]


def _solve(one: problems.Problem) -> np.ndarray:
    found = reference.solve(
        model.traced(), one.states[0], one.parameters[0], tables(one)[0], one.times, rtol=RELATIVE, atol=ABSOLUTE,
        compile=True,
    )  # fmt: skip
    if found.status is not reference.Status.done:
        raise RuntimeError(f"no reference for {one.labels[0]}: {found.status.value}")
    return np.asarray(found.values)


def _second(one: problems.Problem, values: np.ndarray) -> tuple[str, float]:
    """CVODE where it is installed, else SciPy's Radau, on some of the men: its name and the largest difference."""
    chosen = (np.arange(CHECKED) * one.n / CHECKED).astype(int)
    some = one.of(chosen)
    try:
        from benchmarks.engines import sundae_cvode

        found, name = sundae_cvode.Engine(some).solve(1e-10)[0], "CVODE (BDF), rtol 1e-10"
    except ImportError:
        from benchmarks.engines import scipy_radau

        some = some.until(4)
        found, name = scipy_radau.solve(some), "Radau, rtol 1e-9, 4 weeks"
    off = problems.error(found, values[chosen, : len(some.times)])
    return name, float(off.max())
