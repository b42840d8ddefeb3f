"""What one unit of drug in one compartment adds later: the algebra behind the closed forms.

Compartments that exchange (central and peripheral) are symmetrised and split into modes,
which are real and distinct; the parts are then followed one after another along the one-way
flows (depot, then blood), each mode convolving what reaches it. Eigenvectors of the whole matrix
are never formed, because they break down where two rates are equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Two rates closer than this (relative) have no usable difference: dividing by it would lose machine
# precision / 1e-6 ~ 2e-10. What would be divided is then a ramp at their mean rate, which is off by
# (1e-6 * rate * tau)^2 / 24 only, less than that while anything is left of the dose.
SAME_RATE = 1e-6


class Flow(NamedTuple):
    """First-order movement of an amount; ``target`` None means out of the system."""

    source: str
    target: str | None
    rate: float  # 1/h


class Compartments(NamedTuple):
    """dx/dt = matrix @ x + input; ``matrix[i, j]`` is the flow from j to i."""

    names: tuple[str, ...]
    matrix: Array  # (c, c) 1/h


class Signal(NamedTuple):
    """sum_i (a_i + b_i*tau) exp(-rate_i*tau) over rates that are kept beside it."""

    a: Array  # (..., m)
    b: Array  # (..., m) per h


class Part(NamedTuple):
    """Compartments that exchange with one another, in modes exp(-rate*tau)."""

    members: tuple[int, ...]
    rates: Array  # (k,) 1/h
    enter: Array  # (k, members): amounts to modes
    leave: Array  # (members, k): modes to amounts


class Spectrum(NamedTuple):
    """The rates that occur, and which of them stands for the mean of two that are nearly equal."""

    rates: Array  # (m,) 1/h, the first is 0
    means: Mapping[tuple[int, int], int]


class Responses(NamedTuple):
    """The output after one unit given to each compartment, at once or as 1 per h without end."""

    rates: Array  # (m,) 1/h, the first is 0
    impulse: Signal  # (c, m)
    step: Signal  # (c, m)


def compartments(names: Sequence[str], flows: Sequence[Flow]) -> Compartments:
    """The system that these flows make.

    Raises ValueError for a rate that is negative or not finite, KeyError for an unknown name.
    """
    position = {name: i for i, name in enumerate(names)}
    matrix = np.zeros((len(position), len(position)))
    for flow in flows:
        if not 0 <= flow.rate < np.inf:
            raise ValueError(f"flow from {flow.source} has rate {flow.rate}; it must be finite and not negative")
        source = position[flow.source]
        matrix[source, source] -= flow.rate
        if flow.target is not None:
            matrix[position[flow.target], source] += flow.rate
    return Compartments(tuple(names), matrix)


def advance(signal: Signal, rates: Array, elapsed: Array) -> Signal:
    """The same signal counted from ``elapsed`` (h) later; leading shapes broadcast."""
    elapsed = np.asarray(elapsed)[..., None]
    decay = np.exp(-rates * elapsed)
    return Signal((signal.a + signal.b * elapsed) * decay, signal.b * decay)


def convolve(signal: Signal, spectrum: Spectrum, mode: int) -> Signal:
    """``signal`` through a compartment that empties at the rate ``mode``; one signal, shape (m,).

    A term at the mode's own rate becomes a ramp. A ramp at that rate would need tau squared:
    three equal rates in a row, which no drug here has, raise ValueError.
    """
    rates, means = spectrum
    a, b = np.zeros_like(rates), np.zeros_like(rates)
    for i in np.flatnonzero((signal.a != 0) | (signal.b != 0)).tolist():
        gap = rates[mode] - rates[i]
        if abs(gap) <= SAME_RATE * min(rates[mode], rates[i]):
            ramp = mode if i == mode else means.get((min(i, mode), max(i, mode)))
            if signal.b[i] != 0 or ramp is None:
                said = f"three compartments in a row share the rate {rates[mode]:g} 1/h; make one of them differ"
                raise ValueError(said)
            b[ramp] += signal.a[i]
            continue
        share = signal.a[i] / gap - signal.b[i] / gap**2
        a[i] += share
        a[mode] -= share
        b[i] += signal.b[i] / gap
    return Signal(a, b)


def _parts(matrix: Array) -> list[Part]:
    """Groups of exchanging compartments, upstream before downstream."""
    size = len(matrix)
    reach = (matrix != 0) | np.eye(size, dtype=bool)
    for _ in range(size):
        reach = reach @ reach
    groups = {tuple(np.flatnonzero(reach[:, i] & reach[i, :]).tolist()) for i in range(size)}
    upstream_first = sorted(groups, key=lambda group: (-int(reach[:, group[0]].sum()), group))
    return [_modes(matrix, group) for group in upstream_first]


def _modes(matrix: Array, members: tuple[int, ...]) -> Part:
    """Split an exchanging group. Its flows must balance in detail, as in any tree of two-way flows."""
    block = matrix[np.ix_(members, members)]
    weight = np.full(len(members), np.nan)
    weight[0] = 1.0
    for _ in members:
        for i, j in zip(*np.nonzero(block), strict=True):
            if np.isnan(weight[i]) and not np.isnan(weight[j]) and block[j, i] > 0:
                weight[i] = weight[j] * np.sqrt(block[i, j] / block[j, i])
    symmetric = block * weight[None, :] / weight[:, None]
    if not np.allclose(symmetric, symmetric.T, rtol=1e-9, atol=0):
        raise ValueError("compartments exchange in a one-way loop; only two-way exchange has this closed form")
    values, vectors = np.linalg.eigh((symmetric + symmetric.T) / 2)
    return Part(members, np.maximum(-values, 0.0), vectors.T / weight[None, :], weight[:, None] * vectors)


def _spectrum(rates: Array) -> tuple[Spectrum, list[int]]:
    """The rates that occur, 0 first, and the place of each given rate among them."""
    exact = np.unique(np.append(rates, 0.0))
    place = np.searchsorted(exact, rates).tolist()
    close = [
        (i, j)
        for i in range(len(exact))
        for j in range(i + 1, len(exact))
        if exact[j] - exact[i] <= SAME_RATE * exact[i]
    ]
    means = [(exact[i] + exact[j]) / 2 for i, j in close]
    numbered = {pair: len(exact) + k for k, pair in enumerate(close)}
    return Spectrum(np.append(exact, means), numbered), place


def responses(system: Compartments, output: Mapping[str, float]) -> Responses:
    """How ``output`` (weight per unit of amount, by compartment) follows a dose into each compartment."""
    names, matrix = system
    weights = np.array([output.get(name, 0.0) for name in names])
    parts = _parts(matrix)
    spectrum, place = _spectrum(np.concatenate([part.rates for part in parts]))
    shape = (len(names), len(spectrum.rates))
    impulse = Signal(np.zeros(shape), np.zeros(shape))
    step = Signal(np.zeros(shape), np.zeros(shape))
    for dosed in range(len(names)):
        amounts = Signal(np.zeros(shape), np.zeros(shape))  # of each compartment after one unit into `dosed`
        mode = 0
        for part in parts:
            inside = list(part.members)
            inflow = matrix[inside] @ amounts.a, matrix[inside] @ amounts.b
            for k in range(len(inside)):
                column, row = part.leave[:, k, None], part.enter[k]
                reached = convolve(Signal(row @ inflow[0], row @ inflow[1]), spectrum, place[mode])
                if dosed in inside:
                    reached.a[place[mode]] += row[inside.index(dosed)]
                amounts.a[inside] += column * reached.a
                amounts.b[inside] += column * reached.b
                mode += 1
        impulse.a[dosed], impulse.b[dosed] = weights @ amounts.a, weights @ amounts.b
        step.a[dosed], step.b[dosed] = convolve(Signal(impulse.a[dosed], impulse.b[dosed]), spectrum, 0)
    used = np.any([(part != 0).any(axis=0) for part in (*impulse, *step)], axis=0)
    used[0] = True
    kept = [Signal(signal.a[:, used], signal.b[:, used]) for signal in (impulse, step)]
    return Responses(spectrum.rates[used], *kept)
