"""Straight-line programs: statements in order, every value of a graph computed once and given one name."""

from __future__ import annotations

from leydig.engine.graph import Graph

Statement = tuple[str, str]  # target and expression; a target such as "w[3]" stores row 3


class Writer:
    """Statements in order, each value computed once, at its first use."""

    def __init__(self, graph: Graph, rows: dict[int, int], hoisted: dict[int, int]) -> None:
        self.graph, self.rows, self.hoisted = graph, rows, hoisted
        self.names: dict[int, str] = {}
        self.taken: dict[str, int] = {}
        self.shared: dict[str, tuple[str, str, str]] = {}  # what several states have in common, by what it is of
        self.statements: list[Statement] = []

    def beside(self, rows: dict[int, int]) -> Writer:
        """A writer of the same statements for another time of the step: the same nodes have other values there."""
        other = Writer(self.graph, rows, self.hoisted)
        other.taken, other.shared, other.statements = self.taken, self.shared, self.statements
        return other

    def let(self, name: str, expression: str) -> str:
        """The name given to an expression; one that is taken gets a number, so that no name changes its meaning."""
        used = self.taken.get(name, 0)
        self.taken[name] = used + 1
        chosen = f"{name}_{used}" if used else name
        self.statements.append((chosen, expression))
        return chosen

    def store(self, row: int, expression: str) -> None:
        self.statements.append((f"w[{row}]", expression))

    def value(self, place: int, through_hoisted: bool = True) -> str:
        """The name (or literal) of a node's value, after writing what it needs."""
        waiting = [place]
        while waiting:
            now = waiting[-1]
            if now in self.names:
                waiting.pop()
                continue
            name, *operands = self.graph.operations[now]
            if name == "constant":
                self.names[now] = f"({operands[0]!r})" if operands[0] < 0 else repr(operands[0])
            elif name == "symbol":
                self.names[now] = self.let(operands[0], f"w[{self.rows[now]}]")
            elif through_hoisted and now in self.hoisted:
                self.names[now] = self.let(f"c{self.hoisted[now]}", f"w[{self.hoisted[now]}]")
            elif missing := [operand for operand in operands if operand not in self.names]:
                waiting.extend(reversed(missing))
                continue
            else:
                self.names[now] = self.let(f"x{now}", FORMS[name].format(*(self.names[o] for o in operands)))
            waiting.pop()
        return self.names[place]


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
