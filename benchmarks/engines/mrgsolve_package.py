"""mrgsolve, where R has it: the same equations in its own language, drugs as compartments, doses as its own events.

The model is written from the traced equations with what depends on parameters alone in [MAIN], and compiled by
mrgsolve itself. Time is what ``mrgsim_ei`` takes inside R, without compiling or reading files.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks import text
from benchmarks.engines import Sample
from benchmarks.problem import Problem
from leydig import model

NAME = "mrgsolve (LSODA, C++)"
TOLERANCES = (3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7)
SAMPLE = Sample(16)
ABSOLUTE = 1e-3
SCRIPT = Path(__file__).with_name("mrgsolve_package.R")


def versions() -> dict[str, str]:
    asked = 'cat(as.character(packageVersion("mrgsolve")), paste(R.version$major, R.version$minor, sep="."))'
    found = subprocess.run([_rscript(), "-e", asked], capture_output=True, text=True)
    if found.returncode:
        raise ImportError("R has no package mrgsolve")
    package, r = found.stdout.split()
    return {"mrgsolve": package, "R": r}


def _rscript() -> str:
    program = shutil.which("Rscript")
    if program is None:
        raise FileNotFoundError("R is not installed")
    return program


class Engine:
    def __init__(self, problem: Problem) -> None:
        versions()
        self.problem, self.reduced = problem, text.reduced(problem)
        self.folder = Path(tempfile.mkdtemp(prefix="leydig-mrgsolve-"))
        (self.folder / "model.cpp").write_text(code(problem))
        names, columns = idata(problem)
        (self.folder / "names.txt").write_text("\n".join([*names, ""]))
        columns.astype("<f8").tofile(self.folder / "idata.bin")
        problem.times.astype("<f8").tofile(self.folder / "times.bin")
        doses = [f"{t!r},{a!r},{_depot(problem, k)}" for t, k, a in _events(problem)]
        (self.folder / "events.csv").write_text("\n".join(["time,amt,cmt", *doses, ""]))
        self.process = subprocess.Popen(
            [_rscript(), str(SCRIPT), str(self.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._wait("ready")

    def _wait(self, word: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(word):
                return line.removeprefix(word).strip()
        raise RuntimeError("mrgsolve stopped; its model is kept beside the message above")

    def solve(self, tolerance: float) -> tuple[np.ndarray, float]:
        assert self.process.stdin is not None
        found = self.folder / "values.bin"
        print(tolerance, tolerance * ABSOLUTE, found, file=self.process.stdin, flush=True)
        seconds = float(self._wait("done"))
        p = self.problem
        values = np.fromfile(found).reshape(p.n, len(p.times), len(self.reduced.moving))
        return self.reduced.expand(values), seconds

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.folder)


def _events(problem: Problem) -> list[tuple[float, int, float]]:
    return list(zip(problem.time.tolist(), problem.kind.tolist(), problem.amount.tolist(), strict=True))


def _depot(problem: Problem, kind: int) -> int:
    """The number of the compartment that a dose enters, from 1; the model's states come first."""
    own = problem.kinetics
    return 1 + len(text.reduced(problem).moving) + sum(len(k.compartments) for k in own[:kind]) + own[kind].depot


def code(problem: Problem) -> str:
    """The model in mrgsolve's language."""
    states, inputs = len(text.reduced(problem).moving), model.Inputs._fields
    once, moving = text.cpp(text.of(problem), _renamed)
    names, _ = idata(problem)
    compartments = [f"S{i}" for i in range(states)]
    flows, adds, shares = [], {i: [] for i in range(len(inputs))}, []
    for d, drug in enumerate(problem.kinetics):
        own = [f"A{d}_{c}" for c in range(len(drug.compartments))]
        compartments += own
        shares.append(f"F_{own[drug.depot]} = share{d};")
        for i, name in enumerate(own):
            terms = [f"K{d}_{i}_{j} * {own[j]}" for j in range(len(own)) if (drug.matrix[:, i, j] != 0).any()]
            flows.append(f"dxdt_{name} = {' + '.join(terms) or '0'};")
        adds[drug.channel] += [f"W{d}_{i} * {own[i]}" for i in range(len(own)) if (drug.weight[:, i] != 0).any()]
    adds[inputs.index("age")] += ["AGE + SOLVERTIME / 8766.0"]
    values = [
        f"double U{i} = {' + '.join(adds[i]) or repr(float(constant))};" for i, constant in enumerate(model.Inputs())
    ]
    given = "\n".join(f"{name} = 0" for name in names if name != "ID" and not re.fullmatch(r"S\d+_0", name))
    return "\n".join(
        [
            "[ PARAM ]", given, "[ CMT ]", " ".join(compartments),
            "[ GLOBAL ]", f"static double c[{len(text.program(text.of(problem)).constants)}];",
            "[ MAIN ]", once, *shares, "[ ODE ]", *values, moving, *flows, "",
        ]
    )  # fmt: skip


def _renamed(body: str) -> str:
    body = re.sub(r"\bdy\[(\d+)\]", r"dxdt_S\1", body)
    return re.sub(r"\b([ypu])\[(\d+)\]", lambda found: {"y": "S", "p": "P", "u": "U"}[found[1]] + found[2], body)


def idata(problem: Problem) -> tuple[list[str], np.ndarray]:
    """What differs between men: names and (n, names)."""
    used = sorted({int(i) for i in re.findall(r"p\[(\d+)\]", text.cpp(text.of(problem))[0])})
    names = ["ID", *(f"P{i}" for i in used), "AGE"]
    age = problem.first[:, problem.channel == model.Inputs._fields.index("age")][:, 0]
    columns = [np.arange(1.0, problem.n + 1), *problem.parameters[:, used].T, age]
    for d, drug in enumerate(problem.kinetics):
        size = range(len(drug.compartments))
        names += [f"share{d}", *(f"W{d}_{i}" for i in size), *(f"K{d}_{i}_{j}" for i in size for j in size)]
        columns += [drug.share, *drug.weight.T, *drug.matrix.reshape(problem.n, -1).T]
    states = text.reduced(problem).states
    names += [f"S{i}_0" for i in range(states.shape[1])]
    columns += list(states.T)
    return names, np.array(columns).T
