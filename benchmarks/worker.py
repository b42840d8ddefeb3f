"""One engine on one protocol in a process of its own: prepares once, then solves whenever a line asks it to.

``python -m benchmarks.worker ENGINE PROTOCOL FOLDER CORE [SHARE]``; a line on standard input is a setting as JSON, the
answer on standard output is JSON as well. SHARE divides the engine's sample of men.
"""

from __future__ import annotations

import importlib
import json
import os
import pickle
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

MARK = "@@"
NO_RESULT = 1e99  # the error of values that are not finite; JSON has no infinity


def main(name: str, which: str, folder: str, core: str, share: str = "1") -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    begun = time.perf_counter()
    import numpy as np

    from benchmarks.problem import error, years
    from leydig import model
    from leydig.engine.trace import names

    try:
        module = importlib.import_module(f"benchmarks.engines.{name}")
        versions = module.versions()
    except (ImportError, FileNotFoundError) as missing:
        answer(missing=re.sub(r" \(/.*\)", "", str(missing)), name=name)
        return
    whole = pickle.loads((Path(folder) / f"problem-{which}.pickle").read_bytes())
    reference = np.load(Path(folder) / f"reference-{which}.npy", mmap_mode="r")
    sample = module.SAMPLE
    count = max(1, sample.men // int(share))
    chosen = spread(whole.n, count)
    problem = whole.of(chosen).until(sample.weeks)
    wanted = np.array(reference[chosen % whole.n, : len(problem.times)])
    engine = module.Engine(problem)
    answer(
        versions=versions, name=module.NAME, tolerances=module.TOLERANCES, prepare=time.perf_counter() - begun,
        men=count, weeks=sample.weeks,
    )  # fmt: skip
    states = names(model.State)
    for line in sys.stdin:
        setting = json.loads(line)
        try:
            values, seconds = engine.solve(setting)
        except RuntimeError as failure:  # a solver that gives up at this tolerance
            answer(failed=str(failure).splitlines()[0][:200])
            continue
        off = error(values, wanted)
        i, t, s = np.unravel_index(np.argmax(off), off.shape)
        answer(
            seconds=seconds,
            shown=engine.shown(setting) if hasattr(engine, "shown") else f"{setting:g}",
            speed=years(problem) / seconds,
            error=min(float(off[i, t, s]), NO_RESULT),
            typical_error=min(float(np.median(off.max(axis=(1, 2)))), NO_RESULT),
            worst=f"{states[s]}, {problem.labels[i]}, week {t}",
            megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )
    if hasattr(engine, "close"):
        engine.close()


def spread(n: int, count: int) -> Any:
    """Which of n men a sample of ``count`` is: evenly spread, all of them over and over when it is larger."""
    import numpy as np

    return np.arange(count) % n if count >= n else ((np.arange(count) + 0.5) * n / count).astype(int)


def answer(**values: Any) -> None:
    print(MARK + json.dumps(values), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
