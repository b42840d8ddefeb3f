"""A small stiff model with a driven input, for tests of the engine: closed forms and quick compilation."""

from typing import NamedTuple

import numpy as np

from leydig.engine.schedule import Schedule
from leydig.engine.trace import trace


class State(NamedTuple):
    fast: float
    slow: float
    drug: float  # exact solution known
    rare: float  # moves only where ``poison`` is given


class Parameters(NamedTuple):
    gain: float
    power: float
    rate: float


class Inputs(NamedTuple):
    dose: float = 0.0
    poison: float = 0.0
    base: float = 1.0


def derivatives(state: State, p: Parameters, u: Inputs) -> State:
    return State(
        fast=p.rate * (p.gain * u.base / (1 + state.slow**p.power) - state.fast),
        slow=0.1 * (state.fast**0.7 * (1 + state.rare) - state.slow),
        drug=u.dose - 0.3 * state.drug,
        rare=u.poison - 0.05 * state.rare,
    )


def traced():
    return trace(derivatives, State, Parameters, Inputs)


def schedule(n: int, rates=(0.8,), every: float = 12.0, doses: int = 6, poison: float = 0.0, amounts=None) -> Schedule:
    """Doses into ``dose`` as one decaying exponential, a constant ``base`` of 1, perhaps one dose of poison."""
    rate = np.zeros((n, 3))
    rate[:, 0] = np.resize(rates, n)
    rate[:, 2] = 0.2
    first = np.zeros((n, 3))
    first[:, 1] = 1.0
    time = np.append(np.arange(doses) * every, [] if not poison else [every / 2])
    kind = np.append(np.zeros(doses, np.int64), [] if not poison else [1]).astype(np.int64)
    order = np.argsort(time, kind="stable")
    jump = np.zeros((n, 2, 3))
    jump[:, 0, 0], jump[:, 1, 2] = 1.0, poison
    amount = np.ones((1, len(time))) if amounts is None else np.asarray(amounts, float)
    return Schedule(
        np.array([0, 2, 1], np.int64),
        rate,
        first,
        np.zeros((n, 3)),
        time[order][None],
        kind[order][None],
        amount,
        jump,
        np.zeros((n, 2, 3)),
    )
