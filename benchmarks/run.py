"""The whole benchmark: every engine on the same men, rounds interleaved on one core, errors beside speeds.

    python -m benchmarks.run            everything; writes results.json, README.md and speed.png here
    python -m benchmarks.run --quick    few men, one round, one protocol; writes to out/benchmarks only

Every engine gets the loosest tolerance of its list with which its largest error is at most the target.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine, parts, prepare, report, scaling
from benchmarks.engines import MODULES
from benchmarks.problem import PROTOCOLS
from benchmarks.worker import MARK

HERE = Path(__file__).parent
FOLDER = HERE.parent / "out" / "benchmarks"
TARGET = 1e-4
ROUNDS, MEN = 5, 64
QUICK_ROUNDS, QUICK_MEN, QUICK_SHARE = 1, 17, 10  # a tenth of every sample


class Worker:
    """One engine in its own process; None of the others runs while it does."""

    def __init__(self, module: str, which: str, core: int, share: int = 1) -> None:
        environment = {**os.environ, "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "benchmarks.worker", module, which, str(FOLDER), str(core)]
        self.process = subprocess.Popen(
            [*command, str(share)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=HERE.parent,
        )  # fmt: skip
        self.about = self._answer()
        self.missing = self.about.get("missing")
        self.tolerance: Any = None
        self.tried: list[dict[str, Any]] = []
        self.rounds: list[dict[str, Any]] = []

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(MARK):
                return dict(json.loads(line.removeprefix(MARK)))
        return {"missing": f"it stopped with exit status {self.process.wait()}"}

    def solve(self, tolerance: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        print(json.dumps(tolerance), file=self.process.stdin, flush=True)
        return self._answer()

    def tune(self) -> None:
        """The loosest tolerance that meets the target; the closest one where none does."""
        self.solve(self.about["tolerances"][-1])  # warms up
        for tolerance in self.about["tolerances"]:
            found = self.solve(tolerance)
            if found.get("missing"):
                self.missing = found["missing"]
                return
            self.tried.append({"tolerance": tolerance, **found})
            if found.get("error", 1.0) <= TARGET:
                self.tolerance = tolerance
                return
        worked = [one for one in self.tried if "error" in one]
        if worked:
            self.tolerance = min(worked, key=lambda one: one["error"])["tolerance"]
        else:
            self.missing = f"it fails at every tolerance: {self.tried[-1]['failed']}"

    def result(self) -> dict[str, Any]:
        if self.missing or not self.rounds:
            return {"missing": self.missing, "name": self.about.get("name")}
        speeds = [one["speed"] for one in self.rounds]
        return {
            **{key: self.about[key] for key in ("name", "versions", "prepare", "men", "weeks")},
            "tolerance": self.tolerance,
            "speeds": speeds,
            "speed": median(speeds),
            **{key: self.rounds[-1][key] for key in ("error", "typical_error", "worst", "shown")},
            "meets": self.rounds[-1]["error"] <= TARGET,
            "tried": self.tried,
        }

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


def side_by_side(which: str, modules: list[str], rounds: int, core: int, share: int) -> dict[str, Any]:
    """All engines on one protocol: prepared one after another, tuned, then run in interleaved rounds."""
    workers = {}
    for module in modules:
        workers[module] = worker = Worker(module, which, core, share)
        if not worker.missing:
            worker.tune()
        print(f"  {which}: {module}: {worker.missing or worker.tolerance}", flush=True)
    for _ in range(rounds):
        for worker in workers.values():
            if not worker.missing:
                worker.rounds.append(worker.solve(worker.tolerance))
    found = {module: worker.result() for module, worker in workers.items()}
    for worker in workers.values():
        worker.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small variant, to try it")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--men", type=int, help="men in the problem")
    parser.add_argument("--core", type=int, default=0, help="the core that everything is pinned to")
    parser.add_argument("--only", help="engines, separated by commas")
    parser.add_argument("--protocols", help="protocols, separated by commas")
    parser.add_argument("--no-scaling", action="store_true", help="leave out scaling, memory and start-up")
    given = parser.parse_args()
    rounds = given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS)
    men = given.men or (QUICK_MEN if given.quick else MEN)
    modules = given.only.split(",") if given.only else list(MODULES)
    usual = list(PROTOCOLS)[1:2] if given.quick else list(PROTOCOLS)
    protocols = given.protocols.split(",") if given.protocols else usual
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(f"{men} men, {rounds} rounds; problem and reference (kept in {FOLDER.relative_to(HERE.parent)})", flush=True)
    agreement = prepare.ready(FOLDER, men, protocols)
    results: dict[str, Any] = {
        "machine": machine.described(),
        "target": TARGET,
        "rounds": rounds,
        "men": men,
        "reference": agreement,
        "protocols": {},
    }
    share = QUICK_SHARE if given.quick else 1
    where = FOLDER if given.quick else HERE
    for which in protocols:
        results["protocols"][which] = side_by_side(which, modules, rounds, given.core, share)
        keep(results, where)
    if not given.no_scaling:
        results |= scaling.measured(FOLDER, given.quick)
        results["parts"] = parts.measured()
        keep(results, where)
    print((where / "README.md").read_text())


def keep(results: dict[str, Any], where: Path) -> None:
    """Everything measured so far, as figures and as a page."""
    (where / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    report.write(results, where)


if __name__ == "__main__":
    main()
