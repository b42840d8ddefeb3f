"""Equations as named steps: what a person writes down, found by running the very functions on symbols.

A function of the equations is run with its helpers replaced by recording ones: each helper's result becomes a symbol
of its own with the expression behind it, so a derivative reads as its named fluxes and not as one long term.
"""

import inspect
import math
import sys
from collections.abc import Callable, Collection
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import sympy
from sympy.core.function import AppliedUndef

from leydig.engine.trace import build, flatten, names

LONGEST_IN_PLACE = 2  # operations of a product that needs no name of its own


class Step(NamedTuple):
    """One named result of a helper function."""

    symbol: sympy.Symbol
    expression: sympy.Expr
    function: Callable[..., Any]


class Recorder:
    """Runs functions of one package on symbols and records what their helpers return.

    ``kept`` are helpers that stay unevaluated functions of their arguments (a Hill curve, say), ``opened`` those whose
    result is written in place, ``ends`` those that are not run: their arguments are kept in ``calls``.
    """

    def __init__(
        self,
        package: str,
        kept: Collection[Callable[..., Any]] = (),
        opened: Collection[Callable[..., Any]] = (),
        ends: Collection[Callable[..., Any]] = (),
    ):
        self.package = package
        self.kept, self.opened, self.ends = set(kept), set(opened), set(ends)
        self.steps: list[Step] = []
        self.calls: dict[Callable[..., Any], dict[str, Any]] = {}
        self._globals: dict[str, dict[str, Any]] = {}

    def run(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The function's result on these arguments, its helpers recorded."""
        assert isinstance(function, FunctionType)
        shadow = FunctionType(
            function.__code__,
            self._shadowed(function.__module__),
            function.__name__,
            function.__defaults__,
            function.__closure__,
        )
        shadow.__kwdefaults__ = function.__kwdefaults__
        return shadow(*arguments, **named)

    def _shadowed(self, module: str) -> dict[str, Any]:
        """The module's names as its functions see them, with recording helpers."""
        if module not in self._globals:
            self._globals[module] = {name: self._recording(value) for name, value in vars(sys.modules[module]).items()}
        return self._globals[module]

    def _recording(self, value: Any) -> Any:
        if isinstance(value, FunctionType) and self._ours(value.__module__):
            return lambda *arguments, **named: self._record(value, arguments, named)
        if isinstance(value, ModuleType) and self._ours(value.__name__):
            members = {name: self._helper(member) for name, member in vars(value).items()}
            return SimpleNamespace(**members)
        return value

    def _helper(self, member: Any) -> Any:
        return self._recording(member) if isinstance(member, FunctionType) else member

    def _ours(self, module: str) -> bool:
        return module.split(".")[0] == self.package

    def _record(self, function: FunctionType, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if function in self.ends:
            bound = inspect.signature(function).bind(*arguments, **named)
            self.calls[function] = dict(bound.arguments)
            record = inspect.signature(function).return_annotation
            return build(record, [sympy.Integer(0)] * len(names(record)))
        if function in self.kept:
            return sympy.Function(function.__name__)(*(tidy(sympy.sympify(a)) for a in (*arguments, *named.values())))
        result = self.run(function, *arguments, **named)
        if function in self.opened or not isinstance(result, sympy.Expr) or _short(result):
            return result
        return self._named(function, tidy(result))

    def _named(self, function: FunctionType, expression: sympy.Expr) -> sympy.Symbol:
        same = [s for s in self.steps if s.function is function]
        for step in same:
            if step.expression == expression:
                return step.symbol
        alike = [s for s in self.steps if s.function.__name__ == function.__name__]
        number = f"_{len(alike) + 1}" if alike else ""
        step = Step(sympy.Symbol(f"step.{function.__name__}{number}"), expression, function)
        self.steps.append(step)
        return step.symbol


def _short(expression: sympy.Expr) -> bool:
    """Whether a result is written in place: a number, a symbol, or a short product."""
    sums = expression.has(sympy.Add) or expression.has(AppliedUndef)
    return expression.is_Atom or (not sums and expression.count_ops() <= LONGEST_IN_PLACE)


def symbols(record: type, prefix: str) -> Any:
    """A (nested) NamedTuple of symbols named ``prefix.field``."""
    return build(record, [sympy.Symbol(f"{prefix}.{name}") for name in names(record)])


def tidy(expression: sympy.Expr) -> sympy.Expr:
    """Floats as the numbers that were meant: whole numbers, halves and quarters, and e."""
    floats = expression.atoms(sympy.Float)
    exact = {f: sympy.Rational(f) for f in floats if (4 * f) % 1 == 0}
    return expression.xreplace(exact | {f: sympy.E for f in floats if float(f) == math.e})


def needed(steps: Collection[Step], results: Any) -> list[Step]:
    """The steps that the results rest on, directly or through others, in their order."""
    wanted = set().union(*(sympy.sympify(r).free_symbols for r in flatten(results)))
    found = []
    for step in reversed(list(steps)):
        if step.symbol in wanted:
            found.append(step)
            wanted |= step.expression.free_symbols
    return found[::-1]
