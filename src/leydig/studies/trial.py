"""A virtual trial from its design to its answer: men through it once, replicates drawn from them, everything counted.

design = open_design("obese-men-anastrozole")
pool = simulated(design, seed=1, sizes=sizes_of(design))
found = answer(design, pool, seed=1, sizes=sizes_of(design))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leydig.errors import InputError
from leydig.studies import trial_power as power
from leydig.studies.trial_design import MOST_MEN, Design, open_design
from leydig.studies.trial_document import arms_over_time, controls, outcome, remarks, stated, untold
from leydig.studies.trial_pool import Pool
from leydig.studies.trial_table import baseline, groups, unreached

TRIALS_POOLED, FEWEST_POOLED, ENOUGH_POOLED = 20, 200, 2000  # central men: so many trials' worth, within limits
FEWEST_DRAWN = 50  # men of a group and of every other draw
MOST_POOLED = 400_000  # men simulated in all
DRAWS = 20  # of what is uncertain, besides the central values
FOLDS = (0.5, 1.0, 2.0)  # of the design's size, where no sizes are asked for
OVER_TIME = 400  # replicates for the intervals of means at visits

Progress = Callable[[int, int], None]


def sizes_of(design: Design, per_arm: Sequence[int] = ()) -> tuple[int, ...]:
    """Sizes (men in all) of the power curve: those asked for per arm and the design's own, in order."""
    for men in per_arm:
        if not design.least_per_arm <= men <= design.most_per_arm:
            raise InputError(
                f"a trial with {men:,} men per arm is not possible; it must be from {design.least_per_arm} to "
                f"{design.most_per_arm:,} men per arm ({MOST_MEN:,} in all)"
            )
    least = design.total(design.least_per_arm)
    asked = [design.total(men) for men in per_arm] or [max(round(fold * design.n), least) for fold in FOLDS]
    return tuple(sorted({*asked, design.n}))


def simulated(
    design: Design, *, seed: int = 0, sizes: Sequence[int] = (), draws: int = DRAWS, progress: Progress | None = None
) -> Pool:
    """Men enough for trials of these sizes, through the whole trial."""
    from leydig.studies.trial_run import simulate_trial

    own, largest = max(design.counts()), max(max(design.counts(n)) for n in (*sizes, design.n))
    central = max(largest, 2 * own, min(max(TRIALS_POOLED * own, FEWEST_POOLED), ENOUGH_POOLED))
    drawn = max(largest, FEWEST_DRAWN)
    total = (central + draws * drawn) * len(design.sequences)
    if total > MOST_POOLED:
        raise InputError(
            f"{total:,} men would have to be simulated for trials of up to {max(*sizes, design.n):,} men; at most "
            f"{MOST_POOLED:,} are, so ask for smaller trials"
        )
    steps = _Parts(2 if draws else 1, progress)
    pool = simulate_trial(design, seed=seed, draws=1, men=central, progress=steps)
    if not draws:
        return pool
    steps.part += 1
    return together(pool, simulate_trial(design, seed=seed, draws=1 + draws, men=drawn, progress=steps))


def together(central: Pool, drawn: Pool) -> Pool:
    """One pool: the men at the central values of the first, and those of all other draws of the second."""
    kept = drawn.draw != power.CENTRAL

    def both(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.concatenate([one, other[kept]])

    def each(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: both(values, other[name]) for name, values in one.items()}

    return central._replace(
        arm=both(central.arm, drawn.arm),
        draw=both(central.draw, drawn.draw),
        printed=each(central.printed, drawn.printed),
        truth=each(central.truth, drawn.truth),
        screening=each(central.screening, drawn.screening),
        left=both(central.left, drawn.left),
        taken=both(central.taken, drawn.taken),
        untreated=None
        if central.untreated is None or drawn.untreated is None
        else each(central.untreated, drawn.untreated),
        failed=central.failed + drawn.failed,
    )


def virtual_trial(
    design: Design | Path | str, *, seed: int = 0, per_arm: Sequence[int] = (), draws: int = DRAWS,
    progress: Progress | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A design (object, file or bundled name) simulated and analysed: see ``answer``; power also at ``per_arm`` men."""
    own = design if isinstance(design, Design) else open_design(design)
    sizes = sizes_of(own, per_arm)
    pool = simulated(own, seed=seed, sizes=sizes, draws=draws, progress=progress)
    return answer(own, pool, seed=seed, sizes=sizes, progress=progress)


def answer(
    design: Design, pool: Pool, *, seed: int = 0, sizes: Sequence[int] = (), progress: Progress | None = None
) -> dict[str, Any]:
    """Everything that the trial says, as plain values; numpy arrays and nan are for ``io.tables.plain`` to turn.

    ``design``, ``baseline`` (table asked and reached), ``unreached`` (sentences on what the men miss of it),
    ``groups`` (drop-outs, adherence), ``arms`` over ``days``, ``outcomes`` (truth, one trial, spread, power),
    ``controls`` (their own change), ``curve`` by size, ``remarks``, ``sources``, ``made_with``.
    """
    from leydig.studies import provenance

    steps = _Steps(design, pool, sizes, progress)
    central = power.replicate(design, pool, replicates=design.replicates, seed=seed, progress=steps)
    others = [draw for draw in power.draws_of(pool) if draw != power.CENTRAL]
    drawn = central
    if others:
        drawn = power.replicate(
            design, pool, replicates=design.replicates, draws=others, seed=seed, progress=steps
        )  # fmt: skip
    nothing = power.null(design, pool, replicates=design.replicates, seed=seed, progress=steps)
    wanted = sorted({*sizes, design.n})
    points = power.curve(design, pool, wanted, replicates=design.replicates, seed=seed, progress=steps)
    own, tables = points[wanted.index(design.n)], baseline(design, pool)
    missed = unreached(tables)
    outcomes = [
        outcome(design, pool, place, central.estimates[place], drawn.estimates[place])
        | {
            "power": _share(own.power[place]),
            "assurance": _share(own.assurance[place]),
            "type_one": _share(nothing[place]),
        }
        for place in range(len(design.contrasts))
    ]
    return {
        "design": stated(design),
        "seed": seed,
        "baseline": tables,
        "unreached": missed,
        "groups": groups(design, pool),
        "days": list(design.visit_days),
        "arms": arms_over_time(design, pool, seed, min(OVER_TIME, design.replicates)),
        "outcomes": outcomes,
        "controls": controls(design, pool),
        "curve": [
            {
                "n": point.n,
                "per_arm": design.per_arm(point.n),
                "counts": list(point.counts),
                "power": list(map(_share, point.power)),
                "assurance": list(map(_share, point.assurance)),
            }
            for point in points
        ],
        "men": {
            "simulated": len(pool.arm),
            "central": [len(rows) for rows in power.everybody(design, pool)],  # by group
            "draws": len(others),
            "failed": pool.failed,
        },
        "remarks": [*missed, *untold(outcomes), *remarks(design, pool)],
        "sources": list(provenance.sources(design.drugs)),
        "made_with": dict(provenance.digests()),
    }


def _share(of: power.Share | None) -> dict[str, float] | None:
    return None if of is None else of._asdict()


class _Parts:
    """Steps done of several runs of equal length."""

    def __init__(self, parts: int, progress: Progress | None) -> None:
        self.parts, self.part, self.progress = parts, 0, progress

    def __call__(self, done: int, total: int) -> None:
        if self.progress:
            self.progress(self.part * total + done, self.parts * total)


class _Steps:
    """Replicates done of all that will be made."""

    def __init__(self, design: Design, pool: Pool, sizes: Sequence[int], progress: Progress | None) -> None:
        several = 1 + (len(power.draws_of(pool)) > 1)
        self.total = design.replicates * (several * (1 + len({*sizes, design.n})) + 1)
        self.done, self.progress = 0, progress

    def __call__(self, count: int) -> None:
        self.done = min(self.done + count, self.total)
        if self.progress:
            self.progress(self.done, self.total)
