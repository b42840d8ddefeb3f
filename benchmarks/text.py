"""The traced equations as source text for other solvers, at their best: shared subexpressions, shared logarithms.

What depends on parameters alone is computed once per man, into ``c``; what is left runs at every evaluation. Inputs
that a protocol does not drive are numbers, and states that then never move are left out. Peers so get the same economy
as the program's own step, and the comparison is one of solvers and not of equations.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from benchmarks.problem import Problem
from leydig import model
from leydig.engine.graph import Graph, Node, derivatives, reachable
from leydig.engine.step import Variant, still_states
from leydig.engine.trace import Traced, cache_folder
from leydig.pharmacology import aromatase_enzyme, gnrh_receptor, letrozole

STEADY = {"resorption_drive"}  # inputs with a value, which no protocol here changes

FORMS = {
    "add": "{} + {}",
    "subtract": "{} - {}",
    "multiply": "{} * {}",
    "negative": "-{}",
    "reciprocal": "1.0 / {}",
    "exp": "exp({})",
    "log": "log({})",
    "sqrt": "sqrt({})",
}
Statement = tuple[str, str]  # name and expression


class Program(NamedTuple):
    """Statements in order; names of values in y (moving states), p (parameters), u (inputs) are y[i], p[i], u[i]."""

    once: tuple[Statement, ...]  # of parameters
    constants: tuple[str, ...]  # which values of ``once``, or parameters, the rest needs as c[k]
    moving: tuple[Statement, ...]  # of y, u and c
    rates: tuple[str, ...]
    jacobian_moving: tuple[Statement, ...]
    jacobian: dict[tuple[int, int], str]


@cache
def variant(driven: tuple[str, ...]) -> Variant:
    """What does not move while only these inputs do: the other inputs, and states that begin alike in every man."""
    defaults = model.Inputs()._asdict()
    absent = {name: value for name, value in defaults.items() if name not in driven}
    alike = (letrozole.at_rest(), aromatase_enzyme.at_rest(), gnrh_receptor.at_rest())
    begun = {
        f"{system}.{name}": value
        for system, rest in zip(("letrozole", "aromatase_enzyme", "gnrh_receptor"), alike, strict=True)
        for name, value in rest._asdict().items()
    }
    return Variant(tuple(absent.items()), tuple(still_states(model.traced(), absent, begun).items()))


def of(problem: Problem) -> Variant:
    """The variant of a problem's protocol."""
    return variant(tuple(sorted({model.Inputs._fields[k] for k in problem.channel} - STEADY)))


class Reduced(NamedTuple):
    """The moving states of a problem, and the way back to all of them."""

    states: np.ndarray  # (n, moving)
    moving: np.ndarray
    whole: np.ndarray  # (n, states)

    def expand(self, values: np.ndarray) -> np.ndarray:
        """All states (n, t, s) of moving ones (n, t, moving)."""
        found = np.repeat(self.whole[: len(values), None, :], values.shape[1], axis=1)
        found[:, :, self.moving] = values
        return found


def reduced(problem: Problem) -> Reduced:
    still = dict(of(problem).still)
    moving = np.array([i for i, name in enumerate(model.traced().states) if name not in still])
    return Reduced(np.ascontiguousarray(problem.states[:, moving]), moving, problem.states)


@cache
def program(of: Variant) -> Program:
    """The program of this project's model."""
    return _program(model.traced(), of)


def _program(traced: Traced, of: Variant) -> Program:
    graph, still, absent = Graph(), dict(of.still), dict(of.absent)
    number = {name: i for i, name in enumerate(name for name in traced.states if name not in still)}
    states = [
        graph.constant(still[name]) if name in still else graph.symbol(f"y[{number[name]}]") for name in traced.states
    ]
    inputs = [
        graph.constant(absent[name]) if name in absent else graph.symbol(f"u[{i}]")
        for i, name in enumerate(traced.inputs)
    ]
    parameters = [graph.symbol(f"p[{i}]") for i in range(len(traced.parameters))]
    out: list[Node] = [graph.constant(0.0)] * len(traced.states)
    traced.rates(states, parameters, inputs, out)
    groups = {"y": [node for node in states if node.number is None], "u": [n for n in inputs if n.number is None]}
    rates = [graph.lifted(rate) for rate, node in zip(out, states, strict=True) if node.number is None]
    one = graph.constant(1.0)
    rows = derivatives(rates, {node.place: {i: one} for i, node in enumerate(groups["y"])})
    entries = {(i, j): node for i, row in enumerate(rows) for j, node in row.items()}
    places = reachable(graph, [node.place for node in [*rates, *entries.values()]])

    moves: set[int] = {node.place for letter in "yu" for node in groups[letter]}
    for place in places:
        operation = graph.operations[place]
        if operation[0] not in ("symbol", "constant") and moves.intersection(operation[1:]):
            moves.add(place)

    def is_number(place: int) -> bool:
        return graph.operations[place][0] == "constant"

    results = {node.place for node in [*rates, *entries.values()]}
    needed = {p for place in places if place in moves for p in _operands(graph, place)} | results
    kept = sorted(p for p in needed if p not in moves and not is_number(p))
    names = {place: f"c[{k}]" for k, place in enumerate(kept)}

    def write(wanted: Iterable[int], known: dict[int, str]) -> tuple[tuple[Statement, ...], dict[int, str]]:
        known, statements = dict(known), []
        for place in reachable(graph, wanted):
            operation = graph.operations[place]
            if place in known:
                continue
            if operation[0] == "constant":
                known[place] = repr(operation[1]) if operation[1] >= 0 else f"({operation[1]!r})"
            elif operation[0] == "symbol":
                known[place] = operation[1]
            elif all(operand in known for operand in operation[1:]):
                known[place] = f"x{place}"
                statements.append((known[place], FORMS[operation[0]].format(*(known[o] for o in operation[1:]))))
        return tuple(statements), known

    once, of_once = write(kept, {})
    moving, of_rates = write([node.place for node in rates], names)
    moving = _used(moving, [of_rates[node.place] for node in rates])
    more, of_jacobian = write([node.place for node in entries.values()], names)
    jacobian = {where: of_jacobian[node.place] for where, node in entries.items()}
    return Program(
        once,
        tuple(of_once[place] for place in kept),
        moving,
        tuple(of_rates[node.place] for node in rates),
        _used(more, jacobian.values()),
        jacobian,
    )


def _operands(graph: Graph, place: int) -> tuple[int, ...]:
    operation = graph.operations[place]
    return () if operation[0] in ("symbol", "constant") else operation[1:]


def _used(statements: tuple[Statement, ...], results: Iterable[str]) -> tuple[Statement, ...]:
    """Only what the results are made of: what a constant replaces is not computed again."""
    wanted, kept = set(results), []
    for name, expression in reversed(statements):
        if name in wanted:
            kept.append((name, expression))
            wanted.update(expression.replace("(", " ").replace(")", " ").split())
            wanted.update(word.lstrip("-") for word in expression.split())
    return tuple(reversed(kept))


def python(of: Variant) -> str:
    """``hoist(p, c)``, ``rates(y, c, u, out)`` and ``jacobian(y, c, u, out)`` for numba."""
    p = program(of)
    lines = ["from math import exp, log, sqrt", "", f"CONSTANTS = {len(p.constants)}", "", "", "def hoist(p, c):"]
    lines += [f"    {name} = {text}" for name, text in p.once]
    lines += [f"    c[{k}] = {name}" for k, name in enumerate(p.constants)]
    lines += ["", "", "def rates(y, c, u, out):"]
    lines += [f"    {name} = {text}" for name, text in p.moving]
    lines += [f"    out[{i}] = {name}" for i, name in enumerate(p.rates)]
    lines += ["", "", "def jacobian(y, c, u, out):"]
    lines += [f"    {name} = {text}" for name, text in p.jacobian_moving]
    lines += [f"    out[{i}, {j}] = {name}" for (i, j), name in p.jacobian.items()]
    return "\n".join(lines) + "\n"


def cpp(of: Variant, rename: Callable[[str], str] = lambda text: text) -> tuple[str, str]:
    """Bodies in C++: what is computed once per man (c[k] from p), and the rates (dy[i] from y, c, u)."""
    p = program(of)
    once = [f"double {name} = {text};" for name, text in p.once]
    once += [f"c[{k}] = {name};" for k, name in enumerate(p.constants)]
    moving = [f"double {name} = {text};" for name, text in p.moving]
    moving += [f"dy[{i}] = {name};" for i, name in enumerate(p.rates)]
    return rename("\n".join(once)), rename("\n".join(moving))


@cache
def module(of: Variant) -> ModuleType:
    """The Python text as a module in the cache folder, named by its digest so that no stale code is run."""
    text = python(of)
    path = cache_folder() / f"benchmark_{hashlib.sha256(text.encode()).hexdigest()[:16]}.py"
    if not path.exists():
        path.write_text(text)
    return _load(path)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = loaded
    spec.loader.exec_module(loaded)
    return loaded
