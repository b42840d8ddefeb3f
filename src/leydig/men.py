"""Many men at once: the closed forms of one man, run over arrays with one value per man.

Nothing here is other arithmetic than one man's: the same functions get arrays. A man's bytes must not depend on who
stands beside him, while numpy may take another loop, with other last digits of a power, for another number of men or
another layout in memory. So men always go through contiguously and in blocks of the same width, the last one filled up
with its last man. Another kind of processor may still give other last digits.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from leydig import exposure, model, outputs
from leydig.baseline import Baseline, Lesion, personalise
from leydig.engine.trace import build, flatten
from leydig.engine.trace import names as names_of
from leydig.physiology import bone, cardiometabolic

WIDTH = 64  # men in a block; numerics, not physiology: a man's last digits may change with it

STATES = names_of(model.State)
BMD = [STATES.index(f"bone.{site}") for site in ("bmd_spine", "bmd_hip")]


def by_blocks(
    compute: Callable[..., Mapping[Any, np.ndarray]],
    *arrays: np.ndarray,
    names: Collection[Any] | None = None,
    width: int = WIDTH,
) -> dict[Any, np.ndarray]:
    """What ``compute`` makes of arrays whose last axis is men, whatever their number, with a man's bytes his own.

    ``arrays`` have men first (n, ...); ``compute`` gets them with men last (..., width) and returns arrays by name with
    men last. Returns the arrays in ``names`` (all of them if None), men first again, C-contiguous; there is at least
    one man. A wider block is quicker and may give other last digits.
    """
    count = len(arrays[0])
    found: dict[Any, np.ndarray] = {}
    for first in range(0, count, width):
        stop = min(first + width, count)
        full = stop - first == width
        chosen = slice(first, stop) if full else np.minimum(np.arange(first, first + width), count - 1)
        block = compute(*(np.ascontiguousarray(np.moveaxis(array[chosen], 0, -1)) for array in arrays))
        for name, values in block.items():
            if names is None or name in names:
                if name not in found:
                    found[name] = np.empty((count, *values.shape[:-1]))
                found[name][first:stop] = np.moveaxis(values[..., : stop - first], -1, 0)
    return found


def individuals(
    baseline: Baseline, parameters: model.Parameters, lesion: Lesion | None = None, width: int = WIDTH
) -> tuple[np.ndarray, np.ndarray]:
    """What is constant in the equations of n men (n, p), and their untreated, intact states at rest (n, s).

    Leaves of the arguments are numbers or arrays (n,), in the units of their records. Columns are in the order of
    ``model.traced().parameters`` and ``.states``; both arrays are float64 and C-contiguous. With a lesion the states
    are those of the reference men, from which the diseased ones are still to be followed until they rest; see
    ``settled``. Raises ValueError where lengths differ.
    """
    given = (baseline, parameters, lesion or Lesion())
    leaves = np.broadcast_arrays(*(np.atleast_1d(np.asarray(leaf, float)) for leaf in flatten(given)))

    def compute(block: np.ndarray) -> dict[str, np.ndarray]:
        rows = iter(block)
        who = build(Baseline, rows)
        shared = build(model.Parameters, rows)
        individual = model.Individual(personalise(who, shared, build(Lesion, rows)), shared)
        return {
            "vectors": _rows(individual, block.shape[1]),
            "states": _rows(model.at_rest(*individual), block.shape[1]),
        }

    found = by_blocks(compute, np.stack(leaves, axis=1), width=width)
    return found["vectors"], found["states"]


def settled(
    states: np.ndarray, vectors: np.ndarray, age: np.ndarray, fat_mass: np.ndarray, lean_mass: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, p) and states (n, s) at day 0 of untreated men whose hormones rest at ``states`` (n, s).

    What follows the hormones without acting back is placed in closed form, as for one man of whom nothing was
    measured: ``fat_mass`` and ``lean_mass`` (kg, (n,)) are those that he has in this state, and under a lesion of
    aromatase, which is from birth, bone is at rest at his ``age`` (years, (n,)). Other lesions began at an unknown
    time, so bone stays what it was. Men at rest and without a lesion stay as they are.
    """

    def compute(
        states: np.ndarray, vectors: np.ndarray, age: np.ndarray, fat_mass: np.ndarray, lean_mass: np.ndarray
    ) -> dict[str, np.ndarray]:
        individual, state = build(model.Individual, vectors), build(model.State, states)
        from_birth = individual.man.steroids.aromatase != 1
        placed = states.copy()
        for place, density in zip(BMD, density_at_rest(individual, state, age), strict=True):
            placed[place] = np.where(from_birth, density, states[place])
        masses = {"fat_mass": fat_mass, "lean_mass": lean_mass}
        own = cardiometabolic.referenced(individual.man.cardiometabolic, state.cardiometabolic, masses)
        moved = individual._replace(man=individual.man._replace(cardiometabolic=own))
        return {"vectors": _rows(moved, len(age)), "states": placed}

    found = by_blocks(compute, states, vectors, age, fat_mass, lean_mass)
    return found["vectors"], found["states"]


def density_at_rest(individual: model.Individual, state: model.State, age: Any) -> tuple[Any, Any]:
    """BMD of spine and hip (g/cm2) at rest at these hormones, untreated, at this age (years); numbers or arrays."""
    (man, p), blood = individual, state.steroids
    seen = bone.Signals(
        estradiol=exposure.estradiol(blood.free_estradiol, blood, man.steroids, p.steroids),
        androgen=exposure.androgen(blood, p.steroids),
        age=age,
        resorption_drive=model.Inputs().resorption_drive,
    )
    return bone.density_at_rest(state.bone, man.bone, p.bone, seen)


def quantities_of(
    states: np.ndarray,
    vectors: np.ndarray,
    inputs: np.ndarray,
    names: Collection[str] | None = None,
    width: int = WIDTH,
) -> dict[str, np.ndarray]:
    """Named quantities (n, t) of many men, as ``outputs.quantities`` has them for one.

    ``states`` (n, t, s), ``vectors`` (n, p), ``inputs`` (n, c, t) as ``model.Inputs`` orders them. ``names`` are the
    quantities to keep, all of them if None. Every drug has its level here, 0 where it is not given: which drugs belong
    to a protocol does not follow from the men at hand.
    """

    def compute(states: np.ndarray, vectors: np.ndarray, inputs: np.ndarray) -> dict[str, np.ndarray]:
        individual = build(model.Individual, vectors)
        return outputs.quantities(np.moveaxis(states, 0, -1), individual, inputs, every_drug=True)

    return by_blocks(compute, np.swapaxes(states, 1, 2), vectors, inputs, names=names, width=width)


def _rows(record: Any, width: int) -> np.ndarray:
    """Leaves of a record, each a number or an array over men, as rows (leaves, width)."""
    return np.stack([np.broadcast_to(np.asarray(leaf, float), width) for leaf in flatten(record)])
