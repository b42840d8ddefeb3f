"""Arithmetic as a graph: expressions shared by construction, exact derivatives, few divisions.

The generated rates run on ``Node`` objects as they run on floats. Equal expressions are one node. A power
becomes exp(exponent * log(base)), so that all powers of one base, and their derivatives, share its
logarithm; a quotient becomes a product with a reciprocal, which is shared as well.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

LARGEST_PRODUCT = 8  # whole powers up to this are products


class Graph:
    """All nodes of one set of equations. ``operations[i]`` is (name, operands...) of node i; operands come first."""

    def __init__(self) -> None:
        self.operations: list[tuple[Any, ...]] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def symbol(self, name: str) -> Node:
        """A value that comes from outside."""
        return self.node("symbol", name)

    def constant(self, value: float) -> Node:
        return self.node("constant", float(value))

    def node(self, *operation: Any) -> Node:
        """The node of an operation on node numbers; the same one for the same operation."""
        place = self._known.get(operation)
        if place is None:
            place = self._known[operation] = len(self.operations)
            self.operations.append(operation)
        return Node(self, place)

    def value(self, place: int) -> float | None:
        """The number a constant node holds."""
        operation = self.operations[place]
        return operation[1] if operation[0] == "constant" else None

    def lifted(self, other: Any) -> Node:
        return other if isinstance(other, Node) else self.constant(other)


class Node:
    """One value of a graph; overloads what generated rates use: + - * / ** and ``exp``, ``log``, ``sqrt``."""

    __slots__ = ("graph", "place")

    def __init__(self, graph: Graph, place: int) -> None:
        self.graph, self.place = graph, place

    @property
    def number(self) -> float | None:
        return self.graph.value(self.place)

    def __add__(self, other: Any) -> Node:
        other = self.graph.lifted(other)
        a, b = self.number, other.number
        if a is not None and b is not None:
            return self.graph.constant(a + b)
        if a == 0:
            return other
        if b == 0:
            return self
        for left, right in ((self, other), (other, self)):  # x + (-y) is x - y
            operation = self.graph.operations[right.place]
            if operation[0] == "negative":
                return left - Node(self.graph, operation[1])
        return self.graph.node("add", *sorted((self.place, other.place)))

    def __sub__(self, other: Any) -> Node:
        other = self.graph.lifted(other)
        a, b = self.number, other.number
        if a is not None and b is not None:
            return self.graph.constant(a - b)
        if b == 0:
            return self
        if a == 0:
            return -other
        if self.place == other.place:
            return self.graph.constant(0.0)
        operation = self.graph.operations[other.place]
        if operation[0] == "negative":
            return self + Node(self.graph, operation[1])
        return self.graph.node("subtract", self.place, other.place)

    def __mul__(self, other: Any) -> Node:
        other = self.graph.lifted(other)
        a, b = self.number, other.number
        if a is not None and b is not None:
            return self.graph.constant(a * b)
        if a == 0 or b == 0:
            return self.graph.constant(0.0)
        for number, rest in ((a, other), (b, self)):
            if number == 1:
                return rest
            if number == -1:
                return -rest
        return self.graph.node("multiply", *sorted((self.place, other.place)))

    def __truediv__(self, other: Any) -> Node:
        return self * self.graph.lifted(other).reciprocal()

    def __neg__(self) -> Node:
        operation = self.graph.operations[self.place]
        if operation[0] == "constant":
            return self.graph.constant(-operation[1])
        if operation[0] == "negative":
            return Node(self.graph, operation[1])
        if operation[0] == "subtract":
            return Node(self.graph, operation[2]) - Node(self.graph, operation[1])
        return self.graph.node("negative", self.place)

    def __pow__(self, exponent: Any) -> Node:
        exponent = self.graph.lifted(exponent)
        power = exponent.number
        if power is not None:
            if power < 0:
                return (self ** (-power)).reciprocal()
            if power == 0.5:
                return self.sqrt()
            if power == int(power) and power <= LARGEST_PRODUCT:
                return self._product(int(power))
        return (exponent * self.log()).exp()

    def _product(self, times: int) -> Node:
        if times == 0:
            return self.graph.constant(1.0)
        half = self._product(times // 2)
        return half * half * self if times % 2 else half * half

    def __radd__(self, other: Any) -> Node:
        return self + other

    def __rsub__(self, other: Any) -> Node:
        return self.graph.lifted(other) - self

    def __rmul__(self, other: Any) -> Node:
        return self * other

    def __rtruediv__(self, other: Any) -> Node:
        return self.graph.lifted(other) / self

    def __rpow__(self, base: Any) -> Node:
        return self.graph.lifted(base) ** self

    def reciprocal(self) -> Node:
        operation = self.graph.operations[self.place]
        if operation[0] == "constant":
            return self.graph.constant(1.0 / operation[1])
        return Node(self.graph, operation[1]) if operation[0] == "reciprocal" else self._of("reciprocal")

    def exp(self) -> Node:
        return self._of("exp", math.exp, "log")

    def log(self) -> Node:
        return self._of("log", math.log, "exp")

    def sqrt(self) -> Node:
        return self._of("sqrt", math.sqrt)

    def _of(self, name: str, function: Any = None, inverse: str = "") -> Node:
        operation = self.graph.operations[self.place]
        if operation[0] == "constant":
            return self.graph.constant(function(operation[1]))
        return Node(self.graph, operation[1]) if operation[0] == inverse else self.graph.node(name, self.place)


def derivatives(outputs: Iterable[Node], seeds: Mapping[int, Mapping[Any, Node]]) -> list[dict[Any, Node]]:
    """Total derivatives of each output: direction -> node, zeros left out.

    ``seeds[symbol's place][direction]`` is how fast that symbol moves in a direction: 1 for a partial
    derivative, its own rate for the derivative along time.
    """
    outputs = list(outputs)
    if not outputs:
        return []
    graph = outputs[0].graph
    needed = reachable(graph, (node.place for node in outputs))
    found: dict[int, dict[Any, Node]] = {}
    for place in needed:  # operands have lower numbers than what is made of them
        operation = graph.operations[place]
        name, operands = operation[0], operation[1:]
        if name == "symbol":
            found[place] = dict(seeds.get(place, {}))
        elif name == "constant":
            found[place] = {}
        else:
            slopes = _slopes(graph, place, name, operands)
            moved: dict[Any, Node] = {}
            for operand, slope in zip(operands, slopes, strict=True):
                for direction, own in found[operand].items():
                    part = slope * own
                    moved[direction] = moved[direction] + part if direction in moved else part
            found[place] = {direction: node for direction, node in moved.items() if node.number != 0}
    return [found[node.place] for node in outputs]


def _slopes(graph: Graph, place: int, name: str, operands: tuple[int, ...]) -> list[Node]:
    """Partial derivatives of one operation by its operands, in nodes that share its value."""
    value, nodes = Node(graph, place), [Node(graph, operand) for operand in operands]
    one = graph.constant(1.0)
    match name:
        case "add":
            return [one, one]
        case "subtract":
            return [one, -one]
        case "multiply":
            return [nodes[1], nodes[0]]
        case "negative":
            return [-one]
        case "reciprocal":
            return [-(value * value)]
        case "exp":
            return [value]
        case "log":
            return [nodes[0].reciprocal()]
        case "sqrt":
            return [0.5 * value.reciprocal()]
    raise ValueError(f"no derivative of {name}")


def substituted(node: Node, values: Mapping[int, Node]) -> Node:
    """The same expression with symbols, by their places, replaced."""
    graph, done = node.graph, dict(values)
    for place in reachable(graph, [node.place]):
        name, *operands = graph.operations[place]
        if place not in done:
            leaf = name in ("symbol", "constant")
            done[place] = Node(graph, place) if leaf else APPLIED[name](*(done[operand] for operand in operands))
    return done[node.place]


APPLIED: dict[str, Callable[..., Node]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "negative": operator.neg,
    "reciprocal": Node.reciprocal,
    "exp": Node.exp,
    "log": Node.log,
    "sqrt": Node.sqrt,
}


def reachable(graph: Graph, places: Iterable[int]) -> list[int]:
    """Every node that these are made of, themselves included, operands first."""
    found: set[int] = set()
    waiting = list(places)
    while waiting:
        place = waiting.pop()
        if place in found:
            continue
        found.add(place)
        operation = graph.operations[place]
        if operation[0] not in ("symbol", "constant"):
            waiting.extend(operation[1:])
    return sorted(found)
