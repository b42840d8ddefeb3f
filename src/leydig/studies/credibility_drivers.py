"""Which uncertain parameters a prediction hangs on: rank correlation of the draws with what comes out.

The same men are followed under every draw of what is uncertain (parameters of the body, of drugs and of weight), so
that nothing but the draw differs. The laboratory is left out: predictions are of the state. A rank correlation sees
what goes one way only, and of parameters that are drawn together it cannot say which of them does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from leydig import population_prior
from leydig.pharmacology.protocol import Protocol
from leydig.studies import many
from leydig.studies.credibility_file import Drivers
from leydig.studies.many import DONE, Prepared
from leydig.studies.unknowns import columns, unknowns

SEED = 0
CHANCE = 0.05  # that any parameter at all that does nothing is named, per prediction
FLOOR = 1e-9  # keeps a logarithm finite


class Driver(NamedTuple):
    """A parameter, and how the prediction moves with it."""

    name: str
    correlation: float  # Spearman's


class Driven(NamedTuple):
    """A prediction of a group of men, over the draws."""

    condition: str
    quantity: str
    day: float
    low: float  # 95 % of the draws, %
    median: float  # change of the median man, %
    high: float
    drivers: tuple[Driver, ...]  # those that cannot be chance, largest first
    explained: float | None  # of the variance of the ranks, by the drivers together
    uncertain: int  # parameters that were drawn


def drivers(asked: Drivers, seed: int = SEED) -> list[Driven]:
    """Every condition and quantity that is asked for."""
    protocol = Protocol.parse(asked.protocol)
    several = [unknowns(seed, draw, protocol.drugs) for draw in range(1, asked.draws + 1)]
    found = []
    for condition in asked.conditions:
        draw = np.repeat(np.arange(asked.draws), asked.men)
        shared, scale = columns(several, draw)
        prepared = _prepared(condition, protocol, asked, shared, scale, seed)
        days = np.array(sorted({0.0, *asked.quantities.values()}))
        [followed] = many.follow_men(prepared.men, {}, [protocol], days, [*asked.quantities], prepared=prepared)
        drawn = {name: values[:: asked.men] for name, values in shared.items()}
        drawn |= {".".join(key): values[:: asked.men] for key, values in scale.items()}
        for quantity, day in asked.quantities.items():
            series = np.where((followed.status == DONE)[:, None], followed.quantities[quantity], np.nan)
            change = _change(series[:, [0, int(np.flatnonzero(days == day)[0])]].reshape(asked.draws, asked.men, 2))
            found.append(_driven(condition, quantity, day, change, drawn, asked.shown))
    return found


def _prepared(
    condition: str, protocol: Protocol, asked: Drivers, shared: Mapping[str, np.ndarray],
    scale: Mapping[tuple[str, str], np.ndarray], seed: int,
) -> Prepared:  # fmt: skip
    """The same men again and again, a block per draw."""
    who = np.tile(np.arange(asked.men), asked.draws)
    men = population_prior.some_men(population_prior.men({condition: 1.0}, seed, 0, asked.men), who)
    factors = {name: each[who] for name, each in many.multipliers([protocol], seed, 0, asked.men).items()}
    prepared = many.prepare(men, factors, shared)
    keys = {**prepared.scale, **scale}
    return prepared._replace(
        scale={key: np.broadcast_to(prepared.scale.get(key, 1.0) * scale.get(key, 1.0), len(who)) for key in keys}
    )


def _change(values: np.ndarray) -> np.ndarray:
    """(draws,) the median of the men's changes in percent; men who were not solved are left out."""
    before, after = np.moveaxis(values, -1, 0)
    change = 100 * (np.maximum(after, FLOOR) / np.maximum(before, FLOOR) - 1)
    found = np.full(len(change), np.nan)
    some = np.isfinite(change).any(axis=1)
    found[some] = np.nanmedian(change[some], axis=1)
    return found


def _driven(
    condition: str, quantity: str, day: float, change: np.ndarray, drawn: Mapping[str, np.ndarray], shown: int
) -> Driven:
    """One prediction and its largest drivers."""
    there = np.isfinite(change)
    named = [*drawn]
    found = correlations(change[there], np.array([drawn[name][there] for name in named]))
    least = chance_limit(int(there.sum()), len(named))
    order = [i for i in np.argsort(-np.abs(found)) if abs(found[i]) > least][:shown]
    low, middle, high = (float(value) for value in np.quantile(change[there], [0.025, 0.5, 0.975]))
    return Driven(
        condition,
        quantity,
        day,
        low,
        middle,
        high,
        tuple(Driver(named[i], float(found[i])) for i in order),
        explained(change[there], [drawn[named[i]][there] for i in order]) if order else None,
        len(named),
    )


def correlations(values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """(p,) Spearman's correlation of ``values`` (n,) with each row of ``drawn`` (p, n); 0 of what never varies."""
    ranks = rankdata(values) - (len(values) + 1) / 2
    others = rankdata(drawn, axis=1) - (len(values) + 1) / 2
    sizes = np.sqrt((others**2).sum(axis=1) * (ranks**2).sum())
    return np.divide(others @ ranks, sizes, out=np.zeros(len(drawn)), where=sizes > 0)


def chance_limit(draws: int, parameters: int) -> float:
    """A correlation that none of so many idle parameters passes, but for one time in twenty (Bonferroni)."""
    return float(-ndtri(CHANCE / 2 / max(parameters, 1)) / np.sqrt(max(draws - 1, 1)))


def explained(values: np.ndarray, drawn: Sequence[np.ndarray]) -> float:
    """Share of the variance of the ranks that a straight line in the ranks of all of these takes up."""
    ranks = rankdata(values) - (len(values) + 1) / 2
    others = np.column_stack([rankdata(one) for one in drawn])
    others = others - others.mean(axis=0)
    fitted = others @ np.linalg.lstsq(others, ranks, rcond=None)[0]
    return float((fitted**2).sum() / (ranks**2).sum())
