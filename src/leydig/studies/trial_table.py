"""Who the men of a virtual trial are: their baseline table, asked and reached, who leaves, and what is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from leydig.evidence import Criterion
from leydig.studies import trial_power as power
from leydig.studies.recruit import settings
from leydig.studies.trial_design import Design
from leydig.studies.trial_pool import Enrolled, Pool
from leydig.studies.trial_readings import measured
from leydig.units import CANONICAL

ALWAYS_SHOWN = ("age", "BMI")  # in every table
BASELINE, SCREENING = "baseline", "screening"


def baseline(design: Design, pool: Pool) -> list[dict[str, Any]]:
    """How the men of every group were found, and their baseline table.

    First the lines that were asked for; then, without ``asked``, what the criteria were read on, age, BMI and the
    primary outcomes. ``when`` tells a screening reading from the baseline reading.
    """
    return [
        {
            "group": one.arm,
            "n": count,
            "candidates": one.candidates,
            "eligible": one.eligible,
            "effective": one.effective,
            "screened": count / one.eligible if one.eligible else None,  # men to be looked at for so many
            "rows": _rows(design, pool, place, one),
        }
        for place, (one, count) in enumerate(zip(pool.enrolled, design.counts(), strict=True))
    ]


def _rows(design: Design, pool: Pool, place: int, enrolled: Enrolled) -> list[dict[str, Any]]:
    """The lines of one group; each quantity once for every visit."""
    found = {
        (row.quantity, BASELINE): {
            "quantity": row.quantity,
            "unit": row.unit,
            "when": BASELINE,
            "asked": {"mean": row.asked_mean, "sd": row.asked_sd},
            "reached": {"mean": row.reached_mean, "sd": row.reached_sd},
        }
        for row in enrolled.rows
    }
    own = (pool.arm == place) & (pool.draw == power.CENTRAL)
    for name, when, values in _read(design, pool):
        if (name, when) not in found and own.any():
            found[name, when] = {
                "quantity": name,
                "unit": CANONICAL[name],
                "when": when,
                "asked": {"mean": None, "sd": None},
                "reached": {"mean": float(np.mean(values[own])), "sd": float(np.std(values[own]))},
            }
    return list(found.values())


def _read(design: Design, pool: Pool) -> Iterator[tuple[str, str, np.ndarray]]:
    """Quantities that a reader wants to see whatever was asked for, with the visit and everybody's readings (N,)."""
    for name in ALWAYS_SHOWN:
        if name in pool.screening:
            yield name, BASELINE, pool.screening[name]
    for criterion in design.population.criteria:
        if criterion.quantity in pool.screening:
            yield criterion.quantity, _visit(criterion), pool.screening[criterion.quantity]
    for name in dict.fromkeys(design.contrasts[place].outcome.quantity for place in design.primary):
        yield name, BASELINE, pool.printed[name][:, 0]


def _visit(criterion: Criterion) -> str:
    """What is not measured with noise is the same at any visit."""
    same = not measured(criterion.quantity) or (criterion.visit == BASELINE and criterion.samples == 1)
    return BASELINE if same else SCREENING


def unreached(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """One sentence for each line of the table that the men miss by far, of groups as ``baseline`` gives them."""
    found, weights, far_off = [], [group["n"] for group in groups], settings()["told_beyond"]
    for place, row in enumerate(groups[0]["rows"]):
        asked = row["asked"]
        if asked["mean"] is None:
            continue
        mean, sd = (
            float(np.average([group["rows"][place]["reached"][part] for group in groups], weights=weights))
            for part in ("mean", "sd")
        )
        far = abs(mean - asked["mean"]) > far_off["mean"] * abs(asked["mean"])
        wide = asked["sd"] is not None and abs(sd - asked["sd"]) > far_off["sd"] * asked["sd"]
        if far or wide:
            spread = "" if asked["sd"] is None else f" (SD {asked['sd']:.3g})"
            found.append(
                f"The men asked for are not to be had: {row['quantity'].replace('_', ' ')} at baseline is {mean:.3g} "
                f"(SD {sd:.3g}) {row['unit']}, {asked['mean']:.3g}{spread} was asked for."
            )
    return found


def groups(design: Design, pool: Pool) -> list[dict[str, Any]]:
    """Who leaves and what is taken, by group."""
    found = []
    for place, ((name, order), count) in enumerate(zip(design.sequences, design.counts(), strict=True)):
        own, given = pool.arm == place, any(design.arms[arm].plan.protocol.drugs for arm in order)
        left = float(np.mean(pool.left[own] <= design.horizon))
        found.append(
            {
                "group": name,
                "n": count,
                "left": {"share": left, "men": left * count},
                "taken": {"mean": float(np.mean(pool.taken[own])), "sd": float(np.std(pool.taken[own]))}
                if given
                else None,
            }
        )
    return found
