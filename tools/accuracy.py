"""Measure the error of the fast engine, choose the grids of its fast mode, and write data/accuracy.yaml (minutes).

The pilot: virtual men of every condition, one in eight of them with all factors at the ends of their distributions,
under the protocols that data/numerics.yaml names, looked at every week for half a year. An error is the largest
difference from steps of a much smaller tolerance, over men, weeks and states, relative to the state: its value, a
thousandth of its largest in time, or its floor, whichever is more. A grid is the cheapest of those tried that keeps
within the limit.
"""

from __future__ import annotations

import sys
from itertools import product
from typing import Any

import numpy as np

from leydig import model, numerics, population_prior, start
from leydig.engine.kernel import Control, solve_many
from leydig.engine.trace import names
from leydig.files import DATA
from leydig.pharmacology.protocol import Protocol
from leydig.schedules import schedule_of
from leydig.studies import many
from leydig.writing import replacing

MEN, SEED = 96, 7
TIGHT, LIMIT = 1e-7, 0.8e-4  # the limit leaves room for men who are not in the pilot
FIRST, GROWTH, LONGEST = (
    (0.05, 0.1, 0.15, 0.2),
    (1.2, 1.3, 1.4, 1.55),
    (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 13.0),
)
EXTREMES = 2.6  # of every eighth man, standard deviations of all his factors at once, up or down
DAYS, WEEK = 182.0, 168.0  # d, h


def pilot(protocol: Protocol) -> dict[str, Any]:
    """What ``solve_many`` is given for one protocol of the pilot."""
    shares = {name: 1 / len(population_prior.conditions()) for name in population_prior.conditions()}
    drawn = population_prior.men(shares, SEED, 0, MEN)
    factors = many.multipliers([protocol], SEED, 0, MEN)
    for name, factor in factors.items():
        spread = float(np.std(np.log(population_prior.multipliers([(name, 1.0)], SEED, 0, 4096)[name])))
        log_sd = float(np.median(np.abs(np.log(factor)))) / 0.6745 / spread
        factor[::16], factor[8::16] = np.exp(EXTREMES * log_sd), np.exp(-EXTREMES * log_sd)
    body = {name: factor for name, factor in factors.items() if name in names(model.Parameters)}
    scale = {tuple(name.rsplit(".", 1)): factor for name, factor in factors.items() if name not in body}
    begun = many.begin_men(drawn, body)
    if not begun.settled.all():
        raise SystemExit(f"a man of the pilot finds no rest under {protocol}")
    schedule = schedule_of(start.given(protocol, DAYS), drawn.age, scale)
    return {
        "states": begun.states,
        "parameters": begun.vectors,
        "schedule": schedule,
        "times": np.arange(0.0, DAYS * 24 + 1, WEEK),
        "floors": numerics.floors(),
        "variant": numerics.settings(schedule).variant,
        "threads": 2,
    }


def error_of(found: np.ndarray, exact: np.ndarray, floors: np.ndarray) -> float:
    """Largest |found - exact| over the size of a state: its value, a thousandth of its largest in time, its floor."""
    size = np.maximum(np.abs(exact), np.maximum(1e-3 * np.abs(exact).max(axis=1, keepdims=True), floors))
    error = float(np.max(np.abs(found - exact) / size))
    return error if np.isfinite(error) else np.inf


def measured(text: str, mode: numerics.Mode) -> float:
    """The error of a mode under one protocol."""
    problem = pilot(Protocol.parse(text))
    exact = solve_many(model.traced(), **problem, control=Control(TIGHT)).values
    use = numerics.settings(problem["schedule"], mode)
    found = solve_many(model.traced(), **problem, control=use.control, precision=use.precision)
    error = error_of(found.values, exact, problem["floors"])
    print(f"{mode}, {text}: {found.steps.mean():.0f} steps, error {error:.1e}", file=sys.stderr)
    return float(f"{error:.2g}")


def choose(own: numerics.Fast) -> numerics.Grid | None:
    """The cheapest grid within the limit, in single precision, or None."""
    problems = [pilot(Protocol.parse(text)) for text in own.pilot]
    exact = [solve_many(model.traced(), **problem, control=Control(TIGHT)).values for problem in problems]
    best: tuple[float, float, tuple[float, float, float]] | None = None
    for first, growth, longest in product(FIRST, GROWTH, LONGEST):
        steps = error = 0.0
        for problem, wanted in zip(problems, exact, strict=True):
            control = Control(numerics.numerics().guard, first, growth, longest)
            found = solve_many(model.traced(), **problem, control=control, precision="single")
            steps += float(found.steps.mean())
            error = max(error, error_of(found.values, wanted, problem["floors"]) if (found.status == 0).all() else 1.0)
            if error > LIMIT or (best is not None and steps >= best[0]):
                break
        else:
            best = steps, error, (first, growth, longest)
            print(f"{own.name}: {first} {growth} {longest}: {steps:.0f} steps, error {error:.1e}", file=sys.stderr)
    if best is None:
        return None
    first, growth, longest = best[2]
    error = float(f"{best[1]:.2g}")
    return numerics.Grid(first=first, growth=growth, longest=longest, error=error, digest=model.traced().digest)


def main() -> int:
    lines = ["# Written by tools/accuracy.py, which says what an error is.", "errors:"]
    for mode in ("default", "single"):
        lines.append(f"  {mode}:")
        for own in numerics.numerics().classes:
            lines += [f"    {text}: {measured(text, mode)}" for text in own.pilot]
    lines.append("grids:")
    for fast in numerics.numerics().fast:
        grid = choose(fast)
        if grid is None:
            print(f"no grid for {fast.name} keeps within {LIMIT:g}", file=sys.stderr)
            continue
        lines += [f"  {fast.name}:", *(f"    {name}: {value}" for name, value in grid.model_dump().items())]
    with replacing(DATA / "accuracy.yaml") as temporary:
        temporary.write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
