"""Men shifted and stretched until what is expected to be printed of them has the means and spreads of a baseline table.

Each man keeps his place among the others, and what was not printed moves along as far as it goes with what was:

    z + Cov(z, h) Cov(h)^-1 (h wanted - h)

z  the men's quantities on the scale of the population, h what is expected to be printed of them, on a scale on which it
is normal; the wanted spread is the printed one without what readings of one man vary by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig.population_prior import Crowd, Men, men_of
from leydig.studies import observe
from leydig.studies import observe_test as tests
from leydig.studies.trial_readings import measured, read
from leydig.studies.unknowns import Unknowns

FARTHEST = 6.0  # SDs from the middle of the population, beyond which nobody is shifted
SHIFTS = 3  # steps, since what is printed follows the men's own values in a curve
LEAST, MOST_SHARE = 1e-9, 0.99  # where logarithms and log odds are taken

StateOf = Callable[[Men, Sequence[str]], dict[str, np.ndarray]]


class Asked(NamedTuple):
    """A line of a baseline table in the canonical unit."""

    mean: float  # or median
    sd: float | None
    median: bool


def resembling(
    crowd: Crowd, table: Mapping[str, Asked], let_in: Sequence[str], assay: Mapping[str, str],
    several: Sequence[Unknowns], draw: np.ndarray, state_of: StateOf, settings: Mapping[str, Any],
) -> Crowd:  # fmt: skip
    """The men, of whom ``draw`` (n,) says to which of the draws they belong, like a baseline table.

    Quantities that men were ``let_in`` on, and what shares their blood, stay as they are. ``state_of`` gives untreated
    quantities (n,) of men.
    """
    kept = _bloods(let_in)
    aimed = {name: line for name, line in table.items() if not _bloods([name]) & kept and name != "age"}
    if not aimed:
        return crowd
    goals = {name: _goal(name, line, assay, settings["least_share_between_men"]) for name, line in aimed.items()}
    z = np.stack([*crowd.z.values()])
    middle, reach = z.mean(axis=1, keepdims=True), FARTHEST * z.std(axis=1, keepdims=True)
    lowest, highest = middle - reach, middle + reach
    for _ in range(SHIFTS):
        who = men_of(crowd)
        state = state_of(who, [*aimed])
        for place, one in enumerate(several):
            own = np.flatnonzero(draw == place)
            part = {name: values[own] for name, values in state.items()}
            h = np.stack([_normal(name, read(name, assay, part, who.age[own], {}, one)) for name in aimed])
            middle, spread = h.mean(axis=1), h.std(axis=1)
            move = np.empty_like(h)
            for row, (mean, sd) in enumerate(goals.values()):
                stretch = 1.0 if sd is None or spread[row] < LEAST else sd / spread[row]
                move[row] = mean + stretch * (h[row] - middle[row]) - h[row]
            deviations = h - middle[:, None]
            inner = deviations @ deviations.T
            inner += settings["ridge"] * np.diag(np.diag(inner)) + LEAST * np.eye(len(inner))
            here = z[:, own] - z[:, own].mean(axis=1, keepdims=True)
            moved = z[:, own] + here @ deviations.T @ np.linalg.solve(inner, move)
            z[:, own] = np.clip(moved, lowest, highest)
        crowd = crowd._replace(z=dict(zip(crowd.z, z.copy(), strict=True)))
    return crowd


def _bloods(names: Iterable[str]) -> set[str]:
    """What quantities are made of: shifting one of them shifts all that share a part with it."""
    parts = {part for name in names for part in observe.DERIVED.get(name, (name,))}
    known = set(observe.analytes())
    return {(tests.entry(part).blood or part) if part in known else part for part in parts}


def _normal(name: str, values: Any) -> Any:
    """Values on the scale on which a quantity is taken as normal."""
    scale = tests.entry(name).scale if name in observe.analytes() else "log"
    if scale == "log odds":
        share = np.clip(np.asarray(values) / 100, 1 - MOST_SHARE, MOST_SHARE)
        return np.log(share / (1 - share))
    return np.log(np.maximum(values, LEAST)) if scale == "log" else np.asarray(values, float)


def _goal(name: str, line: Asked, assay: Mapping[str, str], least: float) -> tuple[float, float | None]:
    """Mean and SD between men on that scale, without what readings of one man vary by."""
    scale = tests.entry(name).scale if name in observe.analytes() else "log"
    z = float(_normal(name, line.mean))
    if line.sd is None:
        return z, None
    if scale == "log odds":
        share = min(max(line.mean / 100, 1 - MOST_SHARE), MOST_SHARE)
        sd = line.sd / 100 / (share * (1 - share))
    else:
        sd = float(np.sqrt(np.log1p((line.sd / line.mean) ** 2))) if scale == "log" else line.sd
    if scale == "log" and not line.median:
        z -= sd**2 / 2
    return z, float(np.sqrt(max(sd**2 - _noise(name, assay) ** 2, (least * sd) ** 2)))


def _noise(name: str, assay: Mapping[str, str]) -> float:
    """SD of readings of one man on that scale."""
    if not measured(name):
        return 0.0
    squares = [
        observe.within_man(part, False) ** 2 + tests.analytical(part, assay.get(part, "unknown")) ** 2
        for part in observe.DERIVED.get(name, (name,))
        if part not in ("bmd_spine", "bmd_hip")
    ]
    return float(np.sqrt(sum(squares)))
