"""How the program's own kernel grows with men and threads, what a population run needs, and how long a start takes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

SIZES, SIZES_QUICK = (100, 1_000, 10_000, 100_000), (100, 1_000)
POPULATIONS, POPULATIONS_QUICK = (100, 1_000, 10_000), (20,)
PATIENCE = 120.0  # s: the next larger run is left out after one that took longer
REPEATS = 3
WEEKS = 26
POPULATION = ("--condition", "eugonadal", "--protocol", "anastrozole 0.5 mg twice weekly", "--days", "2 years")


def measured(folder: Path, quick: bool) -> dict[str, Any]:
    """Groups of figures by name; what fails is a sentence instead of a figure."""
    found: dict[str, Any] = {}
    groups = (("scaling", _sizes), ("population", _populations), ("start", _starts))
    for name, group in groups:
        try:
            found[name] = group(folder, quick)
        except (ImportError, RuntimeError) as failure:
            found[name] = {"missing": str(failure)}
        print(f"  {name}: done", flush=True)
    return found


def _sizes(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """Men and threads: subject-years per second and peak memory, the men of the problem over and over."""
    threads = sorted({1, os.cpu_count() or 1})
    return [
        json.loads(_python("kernel", str(folder), str(n), str(count)))
        for n in (SIZES_QUICK if quick else SIZES)
        for count in threads
    ]


def _populations(folder: Path, quick: bool) -> list[dict[str, Any]]:
    """The command a person gives: drawing men, solving, quantities, files, summary and page."""
    found: list[dict[str, Any]] = []
    for n in POPULATIONS_QUICK if quick else POPULATIONS:
        with tempfile.TemporaryDirectory() as where:
            command = ["population", "-n", str(n), *POPULATION, "--out", f"{where}/run"]
            found.append({"men": n, **json.loads(_python("command", *command))})
        if found[-1]["seconds"] > PATIENCE:
            break
    return found


def _starts(folder: Path, quick: bool) -> dict[str, float]:
    """Seconds from nothing: with an empty cache, and with what the first start has left there."""
    with tempfile.TemporaryDirectory() as where:
        cold = {**os.environ, "LEYDIG_CACHE": where}
        found = {"one man two years, empty cache": _timed(["one", str(folder)], cold)}
        found["one man two years, cached, new process"] = _least(["one", str(folder)], cold, REPEATS)
        found["one man two years, warm"] = float(_python("warm", str(folder), environment=cold))
        found["leydig --help"] = _least(["command", "--help"], cold, REPEATS)
        simulate = ["command", "simulate", "older-man", "--protocol", "anastrozole 1 mg daily for 52 weeks"]
        simulate += ["--out", f"{where}/report"]
        found["leydig simulate older-man (52 weeks, with report), first"] = _timed(simulate, cold)
        found["leydig simulate older-man (52 weeks, with report), again"] = _least(simulate, cold, REPEATS)
    return found


def _least(arguments: list[str], environment: dict[str, str], repeats: int) -> float:
    return median(_timed(arguments, environment) for _ in range(repeats))


def _timed(arguments: list[str], environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    _python(*arguments, environment=environment)
    return time.perf_counter() - begun


def _python(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """The last line of one measurement in a process of its own."""
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "benchmarks.scaling", *arguments]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=root)
    if found.returncode:
        said = (found.stderr.strip() or "failed").splitlines()[-1]
        raise RuntimeError(f"{arguments[0]}: " + re.sub(r" \(/.*\)", "", said))
    return (found.stdout.strip() or "nothing").splitlines()[-1]


# In a process of its own --------------------------------------------------------------------------


def kernel(folder: str, men: str, threads: str) -> None:
    """One row of the sizes: speed and memory of n men for half a year, outputs at both ends only."""
    from benchmarks.problem import years

    warm, _ = _engine(folder, 1, WEEKS)
    warm.solve()
    engine, problem = _engine(folder, int(men), WEEKS)
    repeats = 1 if int(men) >= SIZES[-2] else REPEATS
    speeds = [years(problem) / engine.solve(threads=int(threads))[1] for _ in range(repeats)]
    print(json.dumps({"men": int(men), "threads": int(threads), "speed": median(speeds), "megabytes": _peak()}))


def one(folder: str) -> None:
    """One man for two years, weekly."""
    engine, _ = _engine(folder, 1, 104)
    engine.solve()


def warm(folder: str) -> None:
    """Seconds of one man for two years once everything is loaded."""
    engine, _ = _engine(folder, 1, 104)
    engine.solve()
    print(median(engine.solve()[1] for _ in range(REPEATS)))


def command(*arguments: str) -> None:
    """What a person types; its seconds and peak memory."""
    begun = time.perf_counter()
    program = Path(sys.executable).with_name("leydig")
    found = subprocess.run([str(program), *arguments], capture_output=True, text=True)
    if found.returncode:
        raise SystemExit(found.stderr)
    print(json.dumps({"seconds": time.perf_counter() - begun, "megabytes": _peak(children=True)}))


def _engine(folder: str, men: int, weeks: int) -> Any:
    import pickle

    from benchmarks.engines.kernel_adaptive import Engine

    whole = pickle.loads((Path(folder) / "problem-twice-weekly.pickle").read_bytes())
    problem = whole.repeated(men).until(weeks)
    if weeks == WEEKS:
        problem = problem._replace(times=problem.times[[0, -1]])
    return Engine(problem), problem


def _peak(children: bool = False) -> float:
    import resource

    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
    return resource.getrusage(who).ru_maxrss / 1024


if __name__ == "__main__":
    {"kernel": kernel, "one": one, "warm": warm, "command": command}[sys.argv[1]](*sys.argv[2:])
