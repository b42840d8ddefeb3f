"""States that follow the others without acting back on them: found from the equations, solved in closed form.

Whatever feeds no other state, or only such states, and is affine in itself, y' = gain - loss * y, need not be solved
for together with the rest. Over a step it is advanced by the three-stage Lobatto IIIA formula (order 4; Hairer and
Wanner, Solving Ordinary Differential Equations II, section IV.5) with the other states as they are half-way and at the
end of the step. Its rate at the start is that of the end of the step before. Both stages of one state are two linear
equations, so nothing is iterated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from leydig.engine.graph import Node, reachable, substituted
from leydig.engine.straight_line import Writer

NODES = (0.5, 1.0)


class Passive(NamedTuple):
    """One such state: its number, what it gains per hour and the share that it loses per hour."""

    state: int
    gain: Node
    loss: Node


def split(
    states: Sequence[Node], rates: Sequence[Node], jacobian: Mapping[tuple[int, int], Node]
) -> tuple[tuple[int, ...], tuple[Passive, ...]]:
    """The states that act on one another, and the others in an order in which each follows from those before."""
    core = set(range(len(states)))
    feeds: dict[int, set[int]] = {j: set() for j in core}
    for i, j in jacobian:
        if i != j:
            feeds[j].add(i)
    dropped: list[int] = []
    while free := [j for j in sorted(core) if not feeds[j] & core and _is_affine(j, states, jacobian)]:
        core -= set(free)
        dropped += free
    graph = rates[0].graph
    none = graph.constant(0.0)
    passive = [Passive(j, substituted(rates[j], {states[j].place: none}), -jacobian.get((j, j), none)) for j in dropped]
    return tuple(sorted(core)), tuple(reversed(passive))


def _is_affine(j: int, states: Sequence[Node], jacobian: Mapping[tuple[int, int], Node]) -> bool:
    own = jacobian.get((j, j))
    return own is None or states[j].place not in reachable(own.graph, [own.place])


class Rows(NamedTuple):
    """Where the values of one state lie: itself, what a step adds, its error, its rates at the start and at the end."""

    state: int
    increment: int
    error: int
    before: int
    after: int


def advance(half: Writer, end: Writer, passive: Passive, place: int, rows: Rows) -> None:
    """Write one state's step; both writers know what it is made of, half-way and at the end of the step.

    With p, q = h * loss and A, B = h * (gain - loss * y) at the two nodes and f = h * its rate at the start, what is
    added by half-way (v) and by the end (z) is

        v = 5/24 f + 1/3 (A - p v) - 1/24 (B - q z),    z = 1/6 f + 2/3 (A - p v) + 1/6 (B - q z)

    The error is the difference from the trapezoidal rule.
    """
    let, j = half.let, passive.state
    y, f = let(f"y{j}", f"w[{rows.state}]"), let(f"f{j}", f"h * w[{rows.before}]")
    p, q, per_determinant = _shared(half, end, passive)
    a = let(f"a{j}", f"h * {half.value(passive.gain.place)} - {p} * {y}")
    b = let(f"b{j}", f"h * {end.value(passive.gain.place)} - {q} * {y}")
    low = let(f"s{j}", f"{5 / 24!r} * {f} + {1 / 3!r} * {a} - {1 / 24!r} * {b}")
    high = let(f"t{j}", f"{1 / 6!r} * {f} + {2 / 3!r} * {a} + {1 / 6!r} * {b}")
    v = let(f"v{j}", f"({low} * (1.0 + {1 / 6!r} * {q}) + {high} * ({1 / 24!r} * {q})) * {per_determinant}")
    z = let(f"z{j}", f"({high} * (1.0 + {1 / 3!r} * {p}) - {low} * ({2 / 3!r} * {p})) * {per_determinant}")
    half.names[place], end.names[place] = let(f"y{j}", f"{y} + {v}"), let(f"y{j}", f"{y} + {z}")
    last = let(f"g{j}", f"{b} - {q} * {z}")
    half.store(rows.increment, z)
    half.store(rows.error, f"{1 / 3!r} * ({f} - 2.0 * ({a} - {p} * {v}) + {last})")
    half.store(rows.after, f"{last} * per_h")


def _shared(half: Writer, end: Writer, passive: Passive) -> tuple[str, str, str]:
    """h * loss at both nodes and what both stages are divided by; once for all states with the same losses."""
    losses = half.value(passive.loss.place), end.value(passive.loss.place)
    key = " ".join(losses)
    if key not in half.shared:
        p, q = half.let("p", f"h * {losses[0]}"), half.let("q", f"h * {losses[1]}")
        determinant = f"1.0 + {1 / 3!r} * {p} + {1 / 6!r} * {q} + {p} * {q} * {1 / 12!r}"
        half.shared[key] = (p, q, half.let("per_determinant", f"1.0 / ({determinant})"))
    return half.shared[key]
