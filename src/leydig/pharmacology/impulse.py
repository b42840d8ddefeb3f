"""What one unit of drug in one compartment adds later: the algebra behind the closed forms.

Compartments that exchange (central and peripheral) are symmetrised and split into modes,
which are real and distinct; the parts are then followed one after another along the one-way
flows (depot, then blood), each mode convolving what reaches it. Eigenvectors of the whole matrix
are never formed, because they break down where two rates are equal.

One call answers for many men, whose rates differ: they lie along the first axis, and every number of a
man is made from his own numbers by the same operations in the same order whoever else is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Two rates closer than this (relative) have no usable difference: dividing by it would lose machine
# precision / 1e-6 ~ 2e-10. What would be divided is then a ramp at their mean rate, which is off by
# (1e-6 * rate * tau)^2 / 24 only, less than that while anything is left of the dose.
SAME_RATE = 1e-6

# A signal that is followed through the compartments: by number of the rate, a and b of every man, (2, n).
Terms = dict[int, Array]


class Flow(NamedTuple):
    """First-order movement of an amount; ``target`` None means out of the system."""

    source: str
    target: str | None
    rate: float | Array  # 1/h; of many men (n,)


class Compartments(NamedTuple):
    """dx/dt = matrix @ x + input; ``matrix[..., i, j]`` is the flow from j to i."""

    names: tuple[str, ...]
    matrix: Array  # (c, c) 1/h; of many men (n, c, c)


class Signal(NamedTuple):
    """sum_i (a_i + b_i*tau) exp(-rate_i*tau) over rates that are kept beside it."""

    a: Array  # (..., m)
    b: Array  # (..., m) per h


class Part(NamedTuple):
    """Compartments that exchange with one another, in modes exp(-rate*tau)."""

    members: tuple[int, ...]
    rates: Array  # (n, k) 1/h
    enter: Array  # (n, k, members): amounts to modes
    leave: Array  # (n, members, k): modes to amounts


class Responses(NamedTuple):
    """The output after one unit given to each of c compartments, at once or as 1 per h without end.

    The first rate is 0. Of one man (``merged``) rates are distinct and the men's axis is gone.
    """

    rates: Array  # (n, m) 1/h
    impulse: Signal  # (n, c, m)
    step: Signal  # (n, c, m)


def compartments(names: Sequence[str], flows: Sequence[Flow]) -> Compartments:
    """The system that these flows make; of many men where a rate is an array.

    Raises ValueError for a rate that is negative or not finite, KeyError for an unknown name.
    """
    position = {name: i for i, name in enumerate(names)}
    men = np.broadcast_shapes(*(np.shape(flow.rate) for flow in flows))
    matrix = np.zeros((*men, len(position), len(position)))
    for flow in flows:
        rate = np.asarray(flow.rate, float)
        good = (rate >= 0) & (rate < np.inf)
        if not good.all():
            worst = rate[~good].flat[0]
            raise ValueError(f"flow from {flow.source} has rate {worst}; it must be finite and not negative")
        source = position[flow.source]
        matrix[..., source, source] -= rate
        if flow.target is not None:
            matrix[..., position[flow.target], source] += rate
    return Compartments(tuple(names), matrix)


def advance(signal: Signal, rates: Array, elapsed: Array) -> Signal:
    """The same signal counted from ``elapsed`` (h) later; leading shapes broadcast."""
    elapsed = np.asarray(elapsed)[..., None]
    decay = np.exp(-rates * elapsed)
    return Signal((signal.a + signal.b * elapsed) * decay, signal.b * decay)


class Rates:
    """The rates that occur, by number: 0, those of the modes, and the means of two that are nearly equal."""

    def __init__(self, modes: Iterable[Array]) -> None:
        own = list(modes)
        self.values = [np.zeros_like(own[0]), *own]  # each (n,) 1/h
        self._modes = len(self.values)
        self._means: dict[tuple[int, int], int] = {}
        self._gaps: dict[tuple[int, int], tuple[Array, NDArray[np.bool_] | None]] = {}

    def gap(self, mode: int, other: int) -> tuple[Array, NDArray[np.bool_] | None]:
        """By how much the rate of ``mode`` is above ``other``, infinite in the men in whom both are nearly equal.

        Second, which men these are: None where there is none.
        """
        if (mode, other) not in self._gaps:
            one, two = self.values[mode], self.values[other]
            gap = one - two
            same = np.abs(gap) <= SAME_RATE * np.minimum(one, two)
            some = bool(same.any())
            self._gaps[mode, other] = (np.where(same, np.inf, gap), same) if some else (gap, None)
        return self._gaps[mode, other]

    def mean(self, one: int, other: int) -> int | None:
        """The number of the mean of two modes' rates; None where one is such a mean already."""
        if max(one, other) >= self._modes:
            return None
        pair = min(one, other), max(one, other)
        if pair not in self._means:
            self._means[pair] = len(self.values)
            self.values.append((self.values[one] + self.values[other]) / 2)
        return self._means[pair]


def convolve(signal: Terms, rates: Rates, mode: int) -> Terms:
    """``signal`` through a compartment that empties at the rate ``mode``.

    A term at the mode's own rate becomes a ramp, for those men in whom the two are nearly equal. A ramp at
    that rate would need tau squared: three equal rates in a row, which no drug here has, raise ValueError.
    """
    found: Terms = {}
    for i, term in signal.items():
        gap, same = rates.gap(mode, i)
        if same is not None:
            a, b = np.where(same, term, 0.0)
            if a.any() or b.any():
                ramp = rates.mean(i, mode)
                if ramp is None or b.any():
                    rate = rates.values[mode][same][0]
                    raise ValueError(
                        f"three compartments in a row share the rate {rate:g} 1/h; make one of them differ"
                    )
                _add(found, ramp, _term(0.0, a))
            if same.all():
                continue
        slope = term[1] / gap
        share = (term[0] - slope) / gap
        _add(found, i, _term(share, slope))
        _add(found, mode, _term(-share, 0.0))
    return found


def _term(a: Array | float, b: Array | float) -> Array:
    term = np.empty((2, np.size(a) if isinstance(a, np.ndarray) else np.size(b)))
    term[0], term[1] = a, b
    return term


def _add(terms: Terms, number: int, term: Array) -> None:
    """Add one term in place."""
    terms[number] = terms[number] + term if number in terms else term


def _sum(parts: Iterable[tuple[Array, Terms]]) -> Terms:
    """The sum of signals, each times one weight per man."""
    total: Terms = {}
    for weight, terms in parts:
        for number, term in terms.items():
            _add(total, number, weight * term)
    return total


def _parts(matrix: Array) -> list[Part]:
    """Groups of exchanging compartments, upstream before downstream."""
    flowing = (matrix != 0).any(axis=0)
    size = len(flowing)
    reach = flowing | np.eye(size, dtype=bool)
    for _ in range(size):
        reach = reach @ reach
    groups = {tuple(np.flatnonzero(reach[:, i] & reach[i, :]).tolist()) for i in range(size)}
    upstream_first = sorted(groups, key=lambda group: (-int(reach[:, group[0]].sum()), group))
    return [_modes(matrix, group) for group in upstream_first]


def _modes(matrix: Array, members: tuple[int, ...]) -> Part:
    """Split an exchanging group. Its flows must balance in detail, as in any tree of two-way flows."""
    block = matrix[:, members][:, :, members]
    if len(members) == 1:
        return Part(members, -block[:, 0], np.ones_like(block), np.ones_like(block))
    weight = np.full(block.shape[:2], np.nan)
    weight[:, 0] = 1.0
    known = {0}
    pairs = list(zip(*np.nonzero((block != 0).any(axis=0)), strict=True))
    for _ in members:
        for i, j in pairs:
            if i not in known and j in known:
                # A man in whom nothing flows between the two may have any weight here.
                some = block[:, j, i] > 0
                ratio = np.divide(block[:, i, j], block[:, j, i], out=np.ones(len(block)), where=some)
                weight[:, i] = weight[:, j] * np.sqrt(ratio)
                known.add(i)
    symmetric = block * weight[:, None, :] / weight[:, :, None]
    mirrored = symmetric.transpose(0, 2, 1)
    if not np.allclose(symmetric, mirrored, rtol=1e-9, atol=0):
        raise ValueError("compartments exchange in a one-way loop; only two-way exchange has this closed form")
    values, vectors = np.linalg.eigh((symmetric + mirrored) / 2)
    enter = vectors.transpose(0, 2, 1) / weight[:, None, :]
    return Part(members, np.maximum(-values, 0.0), enter, weight[:, :, None] * vectors)


def responses(system: Compartments, output: Mapping[str, float | Array]) -> Responses:
    """How ``output`` (weight per unit of amount, by compartment) follows a dose into each compartment, in every man.

    ``system`` and the weights are those of n men or of one; see ``merged`` for one.
    """
    names, matrix = system
    if matrix.ndim == 2:
        matrix = matrix[None]
    parts = _parts(matrix)
    rates = Rates(part.rates[:, k] for part in parts for k in range(len(part.members)))
    weights = [(names.index(name), np.asarray(weight, float)) for name, weight in output.items() if name in names]
    impulse: list[Terms] = []
    for dosed in range(len(names)):
        amounts = _after(dosed, matrix, parts, rates)
        impulse.append(_sum((weight, amounts[i]) for i, weight in weights))
    step = [convolve(terms, rates, 0) for terms in impulse]
    used = sorted({0}.union(*impulse, *step))
    men = np.broadcast_shapes(matrix.shape[:1], *(weight.shape for _, weight in weights))
    table = np.stack([np.broadcast_to(rates.values[number], men) for number in used], axis=-1)
    return Responses(table, _dense(impulse, used, men), _dense(step, used, men))


def _after(dosed: int, matrix: Array, parts: Sequence[Part], rates: Rates) -> list[Terms]:
    """The amount in each compartment after one unit into ``dosed``."""
    feeding = [np.flatnonzero(row).tolist() for row in (matrix != 0).any(axis=0)]
    amounts: list[Terms] = [{} for _ in range(matrix.shape[1])]
    mode = 0
    for part in parts:
        inflow = [_sum((matrix[:, i, j], amounts[j]) for j in feeding[i]) for i in part.members]
        reached = []
        for k in range(len(part.members)):
            mode += 1
            into = convolve(_sum(zip(part.enter[:, k].T, inflow, strict=True)), rates, mode)
            if dosed in part.members:
                share = part.enter[:, k, part.members.index(dosed)]
                _add(into, mode, _term(share, 0.0))
            reached.append(into)
        for member, i in enumerate(part.members):
            amounts[i] = _sum(zip(part.leave[:, member].T, reached, strict=True))
    return amounts


def _dense(signals: Sequence[Terms], used: Sequence[int], men: tuple[int, ...]) -> Signal:
    """Terms side by side: (n, c, m)."""
    found = np.zeros((2, *men, len(signals), len(used)))
    for i, terms in enumerate(signals):
        for place, number in enumerate(used):
            if number in terms:
                found[:, :, i, place] = terms[number]
    return Signal(found[0], found[1])


def merged(many: Responses) -> Responses:
    """The responses of the only man there is: rates in order, equal ones as one, those without effect left out."""
    rates, place = np.unique(many.rates[0], return_inverse=True)
    same = place == np.arange(len(rates))[:, None]  # (distinct, m)
    sums = [np.where(same, part[0][:, None, :], 0.0).sum(axis=-1) for part in (*many.impulse, *many.step)]
    used = np.any([part.any(axis=0) for part in sums], axis=0)
    used[0] = True
    a, b, step_a, step_b = (part[:, used] for part in sums)
    return Responses(rates[used], Signal(a, b), Signal(step_a, step_b))
