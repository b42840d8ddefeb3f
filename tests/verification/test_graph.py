"""Arithmetic as a graph: values, derivatives and elimination orders are those of the plain equations."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.men import YOUNG

from leydig import model
from leydig.baseline import personalise
from leydig.engine.elimination import plan
from leydig.engine.graph import Graph, derivatives, reachable
from leydig.engine.trace import flatten

FUNCTIONS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "negative": lambda a: -a,
    "reciprocal": lambda a: 1 / a,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
}


def evaluate(graph, symbols):
    values = []
    for name, *operands in graph.operations:
        if name == "symbol":
            values.append(symbols[operands[0]])
        elif name == "constant":
            values.append(operands[0])
        else:
            values.append(FUNCTIONS[name](*(values[o] for o in operands)))
    return values


def test_equal_expressions_are_one_node():
    graph = Graph()
    x, y = graph.symbol("x"), graph.symbol("y")
    assert (x * y + 1).place == (1 + y * x).place
    assert (x**1.7).place == (x**1.7).place
    logarithms = [operation for operation in graph.operations if operation[0] == "log"]
    (x**2.9) * (x**y)
    assert [operation for operation in graph.operations if operation[0] == "log"] == logarithms


def test_what_cancels_leaves_a_number():
    graph = Graph()
    x = graph.symbol("x")
    assert (x - x).number == 0
    assert (0 * x).number == 0
    assert (x - (x - 0)).number == 0
    assert (-x + x + 1).number == 1
    assert (x / 1).place == x.place
    assert (2**3 * graph.constant(1.0)).number == 8


@given(st.floats(0.1, 5), st.floats(0.1, 5), st.floats(-2, 2).filter(lambda v: abs(v) > 0.01))
def test_powers_and_quotients_have_their_value(x, y, g):
    graph = Graph()
    a, b = graph.symbol("x"), graph.symbol("y")
    for node, wanted in (
        (a**g, x**g),
        (a**b, x**y),
        (a**3, x**3),
        (a**-2, x**-2),
        (a**0.5, math.sqrt(x)),
        (2.0**a, 2**x),
        (a / b - b / a, x / y - y / x),
        (1 / (a + b), 1 / (x + y)),
    ):
        assert evaluate(graph, {"x": x, "y": y})[node.place] == pytest.approx(wanted, rel=1e-12, abs=1e-12)


def test_derivatives_of_the_whole_man_are_those_of_the_other_generator():
    traced = model.traced()
    graph = Graph()
    states = [graph.symbol(name) for name in traced.states]
    parameters = [graph.symbol(name) for name in traced.parameters]
    inputs = [graph.symbol(name) for name in traced.inputs]
    rates = [None] * len(states)
    traced.rates(states, parameters, inputs, rates)
    rates = [graph.lifted(rate) for rate in rates]
    one = graph.constant(1.0)
    found = derivatives(rates, {node.place: {i: one} for i, node in enumerate(states)})
    shared = model.load_parameters()
    man = model.Individual(personalise(YOUNG, shared), shared)
    rng = np.random.default_rng(1)
    state = np.array(flatten(model.at_rest(*man)), float) * np.exp(0.3 * rng.standard_normal(len(states)))
    state += 0.01
    u = np.array(model.Inputs(*(0.3 * (1 + np.arange(len(inputs))) / len(inputs)))._replace(age=40.0))
    constants = np.array(flatten(man), float)
    values = evaluate(
        graph, dict(zip((*traced.states, *traced.parameters, *traced.inputs), (*state, *constants, *u), strict=True))
    )
    wanted, slopes = np.zeros(len(states)), np.zeros((len(states), len(states)))
    traced.rates(state, constants, u, wanted)
    traced.jacobian(state, constants, u, slopes)
    assert np.allclose([values[rate.place] for rate in rates], wanted, rtol=1e-11, atol=1e-13)
    mine = np.zeros_like(slopes)
    for i, row in enumerate(found):
        for j, node in row.items():
            mine[i, j] = values[node.place]
    assert np.count_nonzero(slopes) > 150
    assert np.allclose(mine, slopes, rtol=1e-9, atol=1e-12 * np.abs(slopes).max())


def test_reachable_lists_operands_first():
    graph = Graph()
    x = graph.symbol("x")
    node = (x * 2 + x.exp()) ** 1.5
    places = reachable(graph, [node.place])
    assert places[-1] == node.place
    for place in places:
        operation = graph.operations[place]
        if operation[0] not in ("symbol", "constant"):
            assert all(operand in places and operand < place for operand in operation[1:])


@given(st.integers(1, 12), st.integers(0, 2**31))
def test_an_elimination_solves_its_matrix(size, seed):
    rng = np.random.default_rng(seed)
    pattern = rng.random((size, size)) < 0.25
    matrix = np.where(pattern, rng.standard_normal((size, size)), 0.0) + np.diag(size + rng.random(size))
    chosen = plan(size, zip(*np.nonzero(pattern), strict=True))
    entries = {place: matrix[place] for place in chosen.slots}
    right = rng.standard_normal(size)
    x = right.copy()
    for pivot, below in chosen.rounds:
        for row, across in below:
            factor = entries[row, pivot] / entries[pivot, pivot]
            x[row] -= factor * x[pivot]
            for column in across:
                entries[row, column] -= factor * entries[pivot, column]
    for pivot, across in chosen.backward:
        x[pivot] = (x[pivot] - sum(entries[pivot, column] * x[column] for column in across)) / entries[pivot, pivot]
    assert np.allclose(matrix @ x, right, atol=1e-9)
