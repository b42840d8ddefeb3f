"""One man under one or several protocols, with 95 % bands from joint draws of man and fit."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from leydig import laboratory, model, outputs, start
from leydig.baseline import Baseline, Lesion
from leydig.engine import reference
from leydig.engine.inputs import evaluate
from leydig.engine.trajectory import Trajectory
from leydig.errors import InputError
from leydig.grading import Alternative
from leydig.matching import Matched
from leydig.pharmacology.protocol import Protocol
from leydig.studies import alternatives, couple, uncertainty, weight
from leydig.studies.answer import Values, drug_names, printed, trajectory
from leydig.studies.before import already_taken
from leydig.studies.clock import Clock, look, shown_at
from leydig.subject import Completed, Subject, complete, draw

DEFAULT_DAYS = 365.0
TOLERANCE, ALTERNATIVE_TOLERANCE, DRAW_TOLERANCE = 1e-6, 1e-5, 1e-4
BONES = ("bmd_spine", "bmd_hip")
LEAST_ESTRADIOL = 1e-3  # pg/mL, so that a logarithm is finite

Progress = Callable[[int, int], None]


def simulate(
    subject: Subject | str | Path,
    protocols: Sequence[str | Protocol],
    *,
    days: float | None = None,
    draws: int = 0,
    seed: int = 0,
    start_weekday: int | None = None,
    assume: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Trajectory]:
    """A man under each protocol: one trajectory per protocol, in order.

    ``subject`` is a Subject, a file or the name of a bundled example. A protocol is all that he takes
    from day 0 on; what he took before (his ``drugs``) is run in and fades unless the protocol goes on
    with it. ``days`` defaults to the longest protocol, one year for open ones. With ``draws`` the
    trajectories carry 95 % bands and their values are medians; protocols share the same draws.
    ``start_weekday`` (0 Monday) defaults to the weekday of his latest baseline date. ``assume`` names conflicting
    findings to take as true (``leydig.grading.alternatives``); what the others would change is shown beside the run.

    Raises InputError for a subject or protocol that cannot be used. A solver failure is a status.
    """
    if not protocols:
        raise InputError('at least one protocol is needed; the untreated one is "none for 1 year"')
    man = subject if isinstance(subject, Subject) else Subject.open(str(subject))
    plans = [p if isinstance(p, Protocol) else Protocol.parse(p) for p in protocols]
    horizon = days if days is not None else max(p.duration_days or DEFAULT_DAYS for p in plans)
    clock = look(horizon)
    completed = complete(man)
    weekday = start_weekday if start_weekday is not None else _weekday(completed)
    plan_given = [start.given(plan, horizon, weekday) for plan in plans]
    taken = already_taken(completed.drugs, weekday)
    findings = alternatives.chosen(assume)
    for what in plan_given:
        weight.check(what.levers, completed.BMI)
    total, done = len(plans) * (draws + 1), 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    typical = begin_typical(completed, taken, findings)
    couple_now = couple.of(completed)
    best, conflicting = [], []
    for some in plan_given:
        values, status = follow(typical, completed.age, some, clock)
        best.append((values | couple.chances(values, clock.days, couple_now, couple.parameters()), status))

        def other(more: Sequence[Alternative], some: start.Given = some) -> Values:
            began = begin_typical(completed, taken, [*findings, *more], like=typical.found)
            return follow(began, completed.age, some, clock, tolerance=ALTERNATIVE_TOLERANCE)[0]

        conflicting.append(alternatives.shown(alternatives.others(findings), other))
        tick()
    gathered: list[list[tuple[Values, Values]]] = [[] for _ in plans]
    failed, off = [0] * len(plans), 0
    if draws:
        used = drug_names(plan_given, taken)
        for i in range(draws):
            began, scale, constants = begin_draw(completed, i, seed, taken, used, typical, findings)
            off += bool(began.missed) and not typical.missed
            chance = uncertainty.record("fertility", couple.parameters(), seed, i)
            for k, some in enumerate(plan_given):
                values, status = follow(began, completed.age, some, clock, scale=scale, tolerance=DRAW_TOLERANCE)
                if status is reference.Status.done:
                    values |= couple.chances(values, clock.days, couple_now, chance)
                    gathered[k].append((values, printed(completed, values, constants)))
                else:
                    failed[k] += 1
                tick()
    return [
        trajectory(
            completed,
            plan,
            clock,
            typical,
            *outcome,
            gathered[k],
            failed[k],
            off,
            draws,
            seed,
            some,
            taken,
            findings,
            conflicting[k],
        )
        for k, (plan, outcome, some) in enumerate(zip(plans, best, plan_given, strict=True))
    ]


def _weekday(completed: Completed) -> int:
    return completed.day_zero.weekday() if completed.day_zero is not None else 0


def baseline_of(age: float, values: Mapping[str, float]) -> Baseline:
    """A reference man from completed values on the state scale."""
    return Baseline(age=age, **{name: float(values[name]) for name in Baseline._fields if name != "age"})


def begin_typical(
    completed: Completed, taken: start.Given, findings: Sequence[Alternative] = (), like: Matched | None = None
) -> start.Start:
    """The man as his values and the population's medians make him, under the best estimate of the fit."""
    return start.begin(
        baseline_of(completed.age, completed.reference),
        alternatives.switched(model.load_parameters(), findings),
        lesion=Lesion(**completed.lesion),
        taken=taken,
        measured=completed.measured,
        like=like,
    )


def begin_draw(
    completed: Completed, i: int, seed: int, taken: start.Given, used: tuple[str, ...], typical: start.Start,
    findings: Sequence[Alternative],
) -> tuple[start.Start, start.Scale, laboratory.Constants]:  # fmt: skip
    """Joint draw number ``i`` of man, laboratory and fit.

    A diseased man's search starts where the typical man's ended.
    """
    scale = uncertainty.kinetics(seed, i, used)
    constants = uncertainty.laboratory_constants(seed, i, partial(plausible, completed))
    man = draw(completed, uncertainty.generator(seed, i, uncertainty.OF_MEN), 1, constants)
    began = start.begin(
        baseline_of(completed.age, {name: values[0] for name, values in man.reference.items()}),
        alternatives.switched(uncertainty.parameters(seed, i), findings),
        lesion=Lesion(**{name: float(values[0]) for name, values in man.lesion.items()}),
        taken=taken,
        measured={name: float(values[0]) for name, values in man.measured.items()},
        scale=scale,
        like=typical.found,
        compile=True,
    )
    return began, scale, constants


def plausible(completed: Completed, constants: laboratory.Constants) -> float:
    """How likely men like him have the estradiol that his reading means in this laboratory, 1 at their median."""
    before, name = completed.unconditioned, "estradiol"
    readings = [r for r in completed.readings if r.name == name]
    if not readings or name not in before.names:
        return 1.0
    place = before.names.index(name)
    logs = [
        np.log(max(laboratory.to_state(name, r.printed, r.assay, r.hour, completed.age, constants), LEAST_ESTRADIOL))
        for r in readings
    ]
    z = (float(np.mean(logs)) - before.mean[place]) / np.sqrt(before.covariance[place, place])
    return float(np.exp(-0.5 * z * z))


def follow(
    began: start.Start,
    age: float,
    what: start.Given,
    clock: Clock,
    *,
    scale: start.Scale | None = None,
    tolerance: float = TOLERANCE,
) -> tuple[Values, reference.Status]:
    """Quantities at the clock's days; nan after a failure, which the status names.

    A man is always several runs, since conflicting findings are shown beside the default, so machine code pays.
    """
    table = start.input_table(age, began.earlier, start.driven(what, scale))
    solution = reference.solve(
        model.traced(),
        began.state,
        start.vector(began.individual),
        table,
        clock.hours,
        rtol=tolerance,
        atol=tolerance / 100,
        compile=True,
    )
    inputs = evaluate(table, clock.hours)
    values = outputs.quantities(solution.values, began.individual, inputs)
    shown = {name: shown_at(series, clock) for name, series in values.items()}
    for name in BONES:
        shown[f"{name}_change"] = 100 * (shown[name] / shown[name][0] - 1)
    return shown, solution.status
