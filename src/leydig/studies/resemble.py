"""Men shifted and stretched until what is expected to be printed of them has the means and spreads of a baseline table.

Each man keeps his place among the others, and what was not printed moves along as far as it goes with what was:

    z + Cov(z, h) Cov(h)^-1 (h wanted - h)

z  the men's quantities on the scale of the population, h what is expected to be printed of them, on a scale on which it
is normal; the wanted spread is the printed one without what readings of one man vary by.

Where men were let in by the very readings that are printed, they are shifted until those among them who keep the
criteria have the printed mean: a paper whose men differ from the population had another source of men, not better luck.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from leydig.population_prior import Crowd, Men, men_of, population
from leydig.studies import observe
from leydig.studies import observe_test as tests
from leydig.studies.trial_readings import measured, read
from leydig.studies.unknowns import Unknowns

FARTHEST = 6.0  # SDs from the middle of the population, beyond which nobody is shifted
SHIFTS = 3  # steps, since what is printed follows the men's own values in a curve
SELECTING = 8  # steps where criteria hold back part of every one
LEAST, MOST_SHARE = 1e-9, 0.99  # where logarithms and log odds are taken

StateOf = Callable[[Men, Sequence[str]], dict[str, np.ndarray]]
Selected = Callable[[Mapping[str, np.ndarray], np.ndarray, int, np.ndarray], tuple[dict[str, np.ndarray], np.ndarray]]


class Asked(NamedTuple):
    """A line of a baseline table in the canonical unit."""

    mean: float  # or median
    sd: float | None
    median: bool


def matchable(name: str) -> bool:
    """Whether men can be matched on a quantity: the population has it, or it is made up of what it has.

    Assays of free and bioavailable testosterone and of what is in the testis differ by factors that are not known.
    """
    return name in population().quantities or name in observe.DERIVED


def on_reading(table: Iterable[str], let_in: Iterable[str]) -> set[str]:
    """Lines that share blood or semen with a reading that let men in."""
    kept = _bloods(let_in)
    return {name for name in table if _bloods([name]) & kept}


def resembling(
    crowd: Crowd, table: Mapping[str, Asked], let_in: Collection[str], assay: Mapping[str, str],
    several: Sequence[Unknowns], draw: np.ndarray, state_of: StateOf, selected: Selected, settings: Mapping[str, Any],
) -> Crowd:  # fmt: skip
    """The men, of whom ``draw`` (n,) says to which of the draws they belong, like a baseline table.

    ``let_in`` are quantities whose printed readings let men in. ``state_of`` gives untreated quantities (n,) of men;
    ``selected`` the readings of some of them and who of these keeps the criteria.
    """
    aimed = {name: line for name, line in table.items() if matchable(name)}
    if not aimed:
        return crowd
    chosen = on_reading(aimed, let_in)
    goals = {name: _goal(name, line, assay, settings["least_share_between_men"]) for name, line in aimed.items()}
    z = np.stack([*crowd.z.values()])
    middle, reach = z.mean(axis=1, keepdims=True), FARTHEST * z.std(axis=1, keepdims=True)
    lowest, highest = middle - reach, middle + reach
    for _ in range(SELECTING if chosen else SHIFTS):
        who = men_of(crowd)
        state = state_of(who, [*aimed, *let_in])
        for place, one in enumerate(several):
            own = np.flatnonzero(draw == place)
            part = {name: values[own] for name, values in state.items()}
            h = np.stack([_normal(name, read(name, assay, part, who.age[own], {}, one)) for name in aimed])
            readings, kept = selected(part, who.age[own], place, own) if chosen else ({}, np.zeros(0))
            move = np.empty_like(h)
            for row, (name, (mean, sd)) in enumerate(goals.items()):
                if name in chosen and kept.any():
                    some = readings[name][kept]
                    printed = float(np.median(some) if aimed[name].median else np.mean(some))
                    move[row] = _normal(name, aimed[name].mean) - _normal(name, printed)
                    continue
                spread = float(h[row].std())
                stretch = 1.0 if sd is None or spread < LEAST else sd / spread
                move[row] = mean + stretch * (h[row] - h[row].mean()) - h[row]
            deviations = h - h.mean(axis=1, keepdims=True)
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
