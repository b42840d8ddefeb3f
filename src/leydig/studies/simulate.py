"""One man under one or several protocols, with 95 % bands from joint draws of man and fit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from leydig import laboratory, model, outputs, start
from leydig.baseline import Baseline, Lesion
from leydig.engine import reference
from leydig.engine.inputs import InputTable, evaluate
from leydig.engine.trajectory import Trajectory
from leydig.errors import InputError
from leydig.grading import Alternative
from leydig.matching import Matched
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.titration import RuleSet
from leydig.pharmacology.visits import Visits
from leydig.studies import alternatives, couple, uncertainty, weight
from leydig.studies.answer import Values, drug_names, printed, trajectory
from leydig.studies.before import already_taken
from leydig.studies.clock import HOURS_PER_DAY, Clock, at_days, look, shown_at
from leydig.studies.samples import printed as printed_at
from leydig.studies.samples import visits_of
from leydig.studies.titrate import Course, Plan, Titration, planned, told
from leydig.subject import Completed, Subject, complete, draw

DEFAULT_DAYS = 365.0
TOLERANCE, ALTERNATIVE_TOLERANCE, DRAW_TOLERANCE = 1e-6, 1e-5, 1e-4
BONES = ("bmd_spine", "bmd_hip")
LEAST_ESTRADIOL = 1e-3  # pg/mL, so that a logarithm is finite

Progress = Callable[[int, int], None]


def simulate(
    subject: Subject | str | Path,
    protocols: Sequence[str | Protocol | Plan],
    *,
    titrate: str | Path | RuleSet | None = None,
    samples: str | Visits | None = None,
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

    ``titrate`` (the name of a bundled rule set, a file or words) changes doses at visits by what his laboratory prints;
    rules may also stand at the end of a protocol's text. The run at central values, every contrary finding and every
    draw are titrated on their own printed values; ``seed`` decides the noise. Results then carry ``decisions``.

    ``samples`` ("at weeks 0, 6, 12", "every 3 months") are visits at which his laboratory's readings are drawn with all
    their noise, which ``seed`` decides; results then carry ``samples``.

    Raises InputError for a subject or protocol that cannot be used. A solver failure is a status.
    """
    if not protocols:
        raise InputError('at least one protocol is needed; the untreated one is "none for 1 year"')
    man = subject if isinstance(subject, Subject) else Subject.open(str(subject))
    plans = planned(protocols, titrate)
    horizon = days if days is not None else max(plan.protocol.duration_days or DEFAULT_DAYS for plan in plans)
    clock = look(horizon)
    asked = None if samples is None else visits_of(samples, horizon)
    completed = complete(man)
    weekday = start_weekday if start_weekday is not None else weekday_of(completed)
    plan_given = [start.given(plan.protocol, horizon, weekday) for plan in plans]
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
    titrations = [Titration(plan, completed, clock.hours, weekday, seed) for plan in plans]
    best, courses, conflicting = [], [], []
    for some, titration in zip(plan_given, titrations, strict=True):
        values, status, course = run(typical, completed.age, some, clock, titration)
        best.append((values | couple.chances(values, clock.days, couple_now, couple.parameters()), status))
        courses.append(course)

        def other(more: Sequence[Alternative], some: start.Given = some, titration: Titration = titration) -> Values:
            began = begin_typical(completed, taken, [*findings, *more], like=typical.found)
            return run(began, completed.age, some, clock, titration, tolerance=ALTERNATIVE_TOLERANCE)[0]

        conflicting.append(alternatives.shown(alternatives.others(findings), other))
        tick()
    gathered: list[list[tuple[Values, Values]]] = [[] for _ in plans]
    drawn: list[list[Course]] = [[] for _ in plans]
    failed, off = [0] * len(plans), 0
    if draws:
        used = drug_names(plan_given, taken)
        for i in range(draws):
            began, scale, constants = begin_draw(completed, i, seed, taken, used, typical, findings)
            off += bool(began.missed) and not typical.missed
            chance = uncertainty.record("fertility", couple.parameters(), seed, i)
            for k, some in enumerate(plan_given):
                own = titrations[k].of_draw(i, constants)
                values, status, course = run(began, completed.age, some, clock, own, scale, DRAW_TOLERANCE)
                if status is reference.Status.done:
                    drawn[k] += [course] if course is not None else []
                    values |= couple.chances(values, clock.days, couple_now, chance)
                    gathered[k].append((values, printed(completed, values, constants)))
                else:
                    failed[k] += 1
                tick()
    found = [
        trajectory(
            completed,
            plan.protocol,
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
    if asked is not None:
        visits, when = asked
        for k, course in enumerate(courses):
            titrated = None if course is None else course.treatment.doses(horizon * HOURS_PER_DAY, weekday)
            some = plan_given[k] if titrated is None else plan_given[k]._replace(doses=tuple(titrated))
            values, _ = follow(typical, completed.age, some, at_days(when))
            found[k] = replace(found[k], samples=printed_at(completed, typical, values, visits, when, seed))
    return [
        one if course is None else told(one, titration.plan, titration.place(typical), course, drawn[k])
        for k, (one, titration, course) in enumerate(zip(found, titrations, courses, strict=True))
    ]


def weekday_of(completed: Completed) -> int:
    """The weekday of day 0, Monday where no date is known."""
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


def run(
    began: start.Start,
    age: float,
    what: start.Given,
    clock: Clock,
    titration: Titration,
    scale: start.Scale | None = None,
    tolerance: float = TOLERANCE,
) -> tuple[Values, reference.Status, Course | None]:
    """``follow``, with doses that are titrated where there are rules; then the course of that as well."""
    course = titration.follow(began, scale, tolerance)
    if course is None:
        return (*follow(began, age, what, clock, scale=scale, tolerance=tolerance), None)
    return shown(began, course.solution, course.table, clock), course.solution.status, course


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
    return shown(began, solution, table, clock), solution.status


def shown(began: start.Start, solution: reference.Solution, table: InputTable, clock: Clock) -> Values:
    """Quantities at the clock's days, of a solution at its hours."""
    values = outputs.quantities(solution.values, began.individual, evaluate(table, clock.hours))
    found = {name: shown_at(series, clock) for name, series in values.items()}
    for name in BONES:
        found[f"{name}_change"] = 100 * (found[name] / found[name][0] - 1)
    return found
