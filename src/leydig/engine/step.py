"""One step of a linearly implicit Runge-Kutta method as straight-line code, from the traced equations.

The method is GRK4T, a Rosenbrock method of order 4 with an embedded error estimate (Kaps and Rentrop 1979,
Generalized Runge-Kutta methods of order four with stepsize control for stiff ordinary differential
equations, Numerische Mathematik 33, 55-68), in the form that needs no product with the Jacobian (Hairer and
Wanner, Solving Ordinary Differential Equations II, section IV.7). Each stage solves

    (1/(gamma h) - J) k_i = f(t + alpha_i h, y + sum_j a_ij k_j) + sum_j c_ij k_j / h + gamma_i h df/dt

with J exact and sparse; what depends on parameters alone is computed once per man (``hoist``). States that act on no
other (``passive``) are left out of it and follow in closed form.
All values of all lanes live in one flat array: value ``row`` of ``lane`` is ``w[row * LANES + lane]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig.engine import passive
from leydig.engine.elimination import Elimination, plan
from leydig.engine.graph import Graph, Node, derivatives, reachable
from leydig.engine.straight_line import Statement, Writer
from leydig.engine.trace import Traced

GAMMA = 0.231
STAGE_TIME = (0.0, 0.462, 0.8802083333333333)  # stage 4 shares the rates of stage 3
INPUT_TIMES = (*STAGE_TIME, *passive.NODES)
BY_STAGE = ((), (2.0,), (4.524708207373116, 4.163528788597648))
COUPLING = (
    (),
    (-5.071675338776316,),
    (6.020152728650786, 0.1597506846727117),
    (-1.856343618686113, -8.505380858179826, -2.084075136023187),
)
TIME_SLOPE = (0.231, -0.03962966775244303, 0.5507789395789127, -0.05535098457052764)
RESULT = (3.957503746640777, 4.624892388363313, 0.6174772638750108, 1.282612945269037)
ERROR = (2.302155402932996, 3.073634485392623, -0.8732808018045032, -1.282612945269037)


def dense(share: float) -> tuple[float, ...]:
    """Weights of the stages that make the state at a share of the step, of order 3 half-way and at the end.

    Two solutions of order 3 exist at the end, so the conditions are not independent: half-way they can be met,
    elsewhere not. Of the solutions the smallest is taken.
    """
    coupling = np.array([[*row, *[0.0] * (4 - len(row))] for row in COUPLING])
    gamma = np.linalg.inv(np.eye(4) / GAMMA - coupling)
    alpha = np.array([[*row, *[0.0] * (4 - len(row))] for row in (*BY_STAGE, BY_STAGE[2])]) @ gamma
    beta, ones = alpha + gamma, np.ones(4)
    conditions = np.array([ones, beta @ ones, (alpha @ ones) ** 2, beta @ beta @ ones])
    order = np.array([share, share**2 / 2, share**3 / 3, share**3 / 6])
    weights = np.linalg.lstsq(conditions, order, rcond=1e-12)[0]
    if not np.allclose(conditions @ weights, order, atol=1e-12):
        raise ValueError(f"no weights of order 3 at {share:g} of the step")
    return tuple(float(weight) for weight in weights @ np.linalg.inv(gamma))


class Variant(NamedTuple):
    """What does not move in a class of runs, so that code for it falls away.

    ``absent``: inputs that keep a value; ``still``: states that then stay where every one begins (``still_states``).
    """

    absent: tuple[tuple[str, float], ...] = ()
    still: tuple[tuple[str, float], ...] = ()


class Layout(NamedTuple):
    """Where each group of values begins among the rows."""

    state: int
    increment: int  # what a step adds to the state
    error: int
    step: int
    inputs: int  # groups of them, side by side: at INPUT_TIMES, then how fast they move at the start
    parameters: int
    hoisted: int
    factors: int
    stages: tuple[int, ...]
    half: int  # the core's states half-way
    end: int
    before: int  # rates of the passive states at the start of the step
    after: int  # and at its end
    rows: int


class Step(NamedTuple):
    """Straight-line programs over the rows, and where the rows are; state rows hold the ``moving`` states only."""

    layout: Layout
    moving: tuple[int, ...]
    passive: int  # how many of them act on no other
    seen: tuple[int, ...]  # inputs that these see
    hoist: tuple[Statement, ...]
    begin: tuple[Statement, ...]  # rates of the passive states at the start, where they are not known from before
    phases: tuple[tuple[Statement, ...], ...]
    elimination: Elimination

    def functions(self) -> dict[str, tuple[Statement, ...]]:
        """All programs by the names that drivers call them by, in the order in which they take them."""
        return {
            "hoist": self.hoist,
            "begin": self.begin,
            **{f"phase_{i}": phase for i, phase in enumerate(self.phases)},
        }


def step(traced: Traced, variant: Variant) -> Step:
    """The programs that advance the traced equations by one step."""
    return _Builder(traced, variant).build()


def still_states(traced: Traced, absent: Mapping[str, float], begun: Mapping[str, float]) -> dict[str, float]:
    """Those of the states in ``begun`` that never leave that value while the ``absent`` inputs keep theirs.

    Found by arithmetic on the equations: all that are left make one another's rates vanish exactly.
    """
    still = dict(begun)
    while True:
        _, states, _, _, rates = _run(traced, Variant(tuple(absent.items()), tuple(still.items())))
        leaves = [
            name
            for name, node, rate in zip(traced.states, states, rates, strict=True)
            if node.number is not None and rate.number != 0
        ]
        if not leaves:
            return still
        still = {name: value for name, value in still.items() if name not in leaves}


def _run(traced: Traced, variant: Variant) -> tuple[Graph, list[Node], list[Node], list[Node], list[Node]]:
    """The equations on symbols: states, parameters, inputs and rates; what does not move is a constant."""
    graph, absent, still = Graph(), dict(variant.absent), dict(variant.still)

    def leaves(letter: str, names: Iterable[str], fixed: Mapping[str, float]) -> list[Node]:
        return [
            graph.constant(fixed[name]) if name in fixed else graph.symbol(f"{letter}_{_word(name)}") for name in names
        ]

    states, inputs = leaves("y", traced.states, still), leaves("u", traced.inputs, absent)
    parameters = leaves("p", traced.parameters, {})
    found: list[Any] = [0.0] * len(states)
    traced.rates(states, parameters, inputs, found)
    return graph, states, parameters, inputs, [graph.lifted(rate) for rate in found]


class _Builder:
    def __init__(self, traced: Traced, variant: Variant) -> None:
        self.graph, states, self.parameters, self.inputs, rates = _run(traced, variant)
        self.moving = tuple(i for i, node in enumerate(states) if node.number is None)
        self.states, self.rates = [states[i] for i in self.moving], [rates[i] for i in self.moving]
        self.slopes = [
            self.graph.symbol(f"du_{_word(name)}") if node.number is None else self.graph.constant(0.0)
            for name, node in zip(traced.inputs, self.inputs, strict=True)
        ]
        one = self.graph.constant(1.0)
        seeds: dict[int, dict[Any, Node]] = {node.place: {i: one} for i, node in enumerate(self.states)}
        seeds |= {
            u.place: {"time": slope} for u, slope in zip(self.inputs, self.slopes, strict=True) if u.number is None
        }
        moved = derivatives(self.rates, seeds)
        jacobian = {(i, j): node for i, row in enumerate(moved) for j, node in row.items() if j != "time"}
        self.core, self.passive = passive.split(self.states, self.rates, jacobian)
        self.along_time = [moved[i].get("time") for i in self.core]
        place = {state: k for k, state in enumerate(self.core)}
        self.jacobian = {(place[i], place[j]): node for (i, j), node in jacobian.items() if i in place and j in place}
        self.elimination = plan(len(self.core), self.jacobian)
        self.dynamic = self._dynamic()
        self.hoisted = self._hoisted()
        self.layout = self._layout()

    def _dynamic(self) -> set[int]:
        """Nodes that change along a run."""
        moving = {node.place for group in (self.states, self.inputs, self.slopes) for node in group}
        for place, (name, *operands) in enumerate(self.graph.operations):
            if name not in ("symbol", "constant") and any(operand in moving for operand in operands):
                moving.add(place)
        return moving

    def _hoisted(self) -> dict[int, int]:
        """Values of parameters alone that moving ones, or the results themselves, are made of: place -> number."""
        results = [*(self.rates[i] for i in self.core), *(n for n in self.along_time if n), *self.jacobian.values()]
        results += [node for one in self.passive for node in (one.gain, one.loss, self.rates[one.state])]
        kept: dict[int, int] = {}
        everything = reachable(self.graph, (node.place for node in results))
        wanted = {node.place for node in results}
        for place in everything:
            if place in self.dynamic:
                wanted.update(self.graph.operations[place][1:])
        for place in everything:
            if place in wanted and place not in self.dynamic and self._is_computed(place):
                kept[place] = len(kept)
        return kept

    def _is_computed(self, place: int) -> bool:
        return self.graph.operations[place][0] not in ("symbol", "constant")

    def _layout(self) -> Layout:
        n, k, p = len(self.states), len(self.core), len(self.passive)
        inputs = (len(INPUT_TIMES) + 1) * len(self.inputs)
        sizes = [n, n, n, 1, inputs, len(self.parameters), len(self.hoisted), len(self.elimination.slots)]
        sizes += [k, k, k, k, k, p, p]
        starts = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
        stages = tuple(starts[8:11])
        return Layout._make([*starts[:8], stages, *starts[11:]])

    def build(self) -> Step:
        return Step(
            self.layout,
            self.moving,
            len(self.passive),
            self._seen(),
            self._hoist(),
            self._begin(),
            self._phases(),
            self.elimination,
        )

    def _hoist(self) -> tuple[Statement, ...]:
        writer = self._writer(0)
        for place, number in self.hoisted.items():
            writer.store(self.layout.hoisted + number, writer.value(place, through_hoisted=False))
        return tuple(writer.statements)

    def _writer(self, time: int) -> Writer:
        """A writer at one of INPUT_TIMES; states are at hand at the start, the core's also at those of ``passive``."""
        return Writer(
            self.graph,
            self._rows(time),
            {place: self.layout.hoisted + number for place, number in self.hoisted.items()},
        )

    def _rows(self, time: int) -> dict[int, int]:
        layout, c = self.layout, len(self.inputs)
        rows = {node.place: layout.parameters + i for i, node in enumerate(self.parameters)}
        rows |= {node.place: layout.inputs + time * c + i for i, node in enumerate(self.inputs)}
        rows |= {node.place: layout.inputs + len(INPUT_TIMES) * c + i for i, node in enumerate(self.slopes)}
        if time == 0:
            rows |= {node.place: layout.state + i for i, node in enumerate(self.states)}
        elif time >= len(STAGE_TIME):
            begin = (layout.half, layout.end)[time - len(STAGE_TIME)]
            rows |= {self.states[i].place: begin + k for k, i in enumerate(self.core)}
        return rows

    def _phases(self) -> tuple[tuple[Statement, ...], ...]:
        return (self._first(), self._later(1), self._later(2), self._followed())

    def _first(self) -> tuple[Statement, ...]:
        """Rates, Jacobian, its factors and the first stage."""
        writer, layout = self._writer(0), self.layout
        writer.let("h", f"w[{layout.step}]")
        writer.let("per_h", "1.0 / h")
        writer.let("diagonal", f"{1 / GAMMA!r} * per_h")
        rates = [writer.value(self.rates[i].place) for i in self.core]
        slots = {}
        for i, j in self.elimination.slots:
            node = self.jacobian.get((i, j))
            own = writer.value(node.place) if node is not None else None
            terms = ("diagonal - " + own if own else "diagonal") if i == j else (f"-{own}" if own else "0.0")
            slots[(i, j)] = writer.let(f"m{i}_{j}", terms)
        for pivot, below in self.elimination.rounds:
            at = slots[(pivot, pivot)] = writer.let(f"d{pivot}", f"1.0 / {slots[(pivot, pivot)]}")
            for row, across in below:
                factor = slots[(row, pivot)] = writer.let(f"l{row}_{pivot}", f"{slots[(row, pivot)]} * {at}")
                for column in across:
                    taken = f"{slots[(row, column)]} - {factor} * {slots[(pivot, column)]}"
                    slots[(row, column)] = writer.let(f"m{row}_{column}_at_{pivot}", taken)
        for place, slot in self.elimination.slots.items():
            writer.store(layout.factors + slot, slots[place])
        right = []
        for i, rate in enumerate(rates):
            moving = self.along_time[i]
            extra = f" + {TIME_SLOPE[0]!r} * h * {writer.value(moving.place)}" if moving is not None else ""
            if moving is not None:  # later stages need it as well; the error row is free until the step ends
                writer.store(layout.error + self.core[i], f"h * {writer.value(moving.place)}")
            right.append(f"{rate}{extra}")
        right = self._solved(writer, 0, right, slots)
        for i, name in enumerate(right):
            writer.store(layout.stages[0] + i, name)
        return tuple(writer.statements)

    def _later(self, stage: int) -> tuple[Statement, ...]:
        """A later stage; the last one also makes the fourth, the result and the error."""
        writer, layout = self._writer(stage), self.layout
        writer.let("per_h", f"1.0 / w[{layout.step}]")
        earlier = [[writer.let(f"k{s}_{i}", f"w[{layout.stages[s] + i}]") for s in range(stage)] for i in self._places]
        for k, i in enumerate(self.core):
            begun = writer.let(f"b{k}", f"w[{layout.state + i}]")
            writer.names[self.states[i].place] = writer.let(f"y{k}", _sum(begun, BY_STAGE[stage], earlier[k]))
        slots = {
            (i, j): writer.let(f"m{i}_{j}", f"w[{layout.factors + s}]") for (i, j), s in self.elimination.slots.items()
        }
        rates = [writer.let(f"f{k}", writer.value(self.rates[i].place)) for k, i in enumerate(self.core)]
        last = self._stage(writer, stage, rates, earlier, slots)
        if stage == 1:
            for i, name in enumerate(last):
                writer.store(layout.stages[1] + i, name)
            return tuple(writer.statements)
        earlier = [[*names, last[i]] for i, names in enumerate(earlier)]
        final = self._stage(writer, 3, rates, earlier, slots)
        half = dense(passive.NODES[0])
        for k, i in enumerate(self.core):
            every = [*earlier[k], final[k]]
            added = writer.let(f"z{k}", _sum("", RESULT, every))
            writer.store(layout.increment + i, added)
            writer.store(layout.error + i, _sum("", ERROR, every))
            writer.store(layout.half + k, _sum(f"b{k}", half, every))
            writer.store(layout.end + k, f"b{k} + {added}")
        return tuple(writer.statements)

    def _followed(self) -> tuple[Statement, ...]:
        """The states that act on no other."""
        layout, first = self.layout, len(STAGE_TIME)
        half = self._writer(first)
        end = half.beside(self._rows(first + 1))
        half.let("h", f"w[{layout.step}]")
        half.let("per_h", "1.0 / h")
        for k, one in enumerate(self.passive):
            i = one.state
            rows = passive.Rows(
                layout.state + i, layout.increment + i, layout.error + i, layout.before + k, layout.after + k
            )
            passive.advance(half, end, one, self.states[i].place, rows)
        return tuple(half.statements)

    def _begin(self) -> tuple[Statement, ...]:
        writer = self._writer(0)
        for k, one in enumerate(self.passive):
            writer.store(self.layout.after + k, writer.value(self.rates[one.state].place))
        return tuple(writer.statements)

    def _seen(self) -> tuple[int, ...]:
        made_of = {p for one in self.passive for p in reachable(self.graph, [one.gain.place, one.loss.place])}
        return tuple(i for i, node in enumerate(self.inputs) if node.place in made_of)

    @property
    def _places(self) -> range:
        return range(len(self.core))

    def _stage(
        self,
        writer: Writer,
        stage: int,
        rates: Sequence[str],
        earlier: Sequence[Sequence[str]],
        slots: dict[tuple[int, int], str],
    ) -> list[str]:
        right = []
        for i, rate in enumerate(rates):
            moving = (
                f" + {TIME_SLOPE[stage]!r} * w[{self.layout.error + self.core[i]}]"
                if self.along_time[i] is not None
                else ""
            )
            coupled = _sum("", COUPLING[stage], earlier[i])
            right.append(f"{rate} + per_h * ({coupled}){moving}")
        return self._solved(writer, stage, right, slots)

    def _solved(self, writer: Writer, stage: int, right: Sequence[str], slots: dict[tuple[int, int], str]) -> list[str]:
        """The stage vector by forward and back substitution."""
        taken: dict[int, str] = {}
        names = list(right)
        for pivot, below in self.elimination.rounds:
            names[pivot] = writer.let(f"r{stage}_{pivot}", names[pivot] + taken.get(pivot, ""))
            for row, _ in below:
                taken[row] = taken.get(row, "") + f" - {slots[(row, pivot)]} * {names[pivot]}"
        for pivot, across in self.elimination.backward:
            rest = "".join(f" - {slots[(pivot, column)]} * {names[column]}" for column in across)
            names[pivot] = writer.let(f"k{stage}_{pivot}", f"({names[pivot]}{rest}) * {slots[(pivot, pivot)]}")
        return names


def _sum(first: str, weights: Iterable[float], names: Iterable[str]) -> str:
    terms = [f"{weight!r} * {name}" for weight, name in zip(weights, names, strict=True) if weight]
    return " + ".join([first, *terms] if first else terms)


def _word(name: str) -> str:
    return name.replace(".", "__")
