"""One man under one or several protocols, with 95 % bands from joint draws of man and fit."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from leydig import laboratory, model, outputs, start
from leydig.baseline import Baseline, Lesion
from leydig.engine import reference
from leydig.engine.inputs import evaluate
from leydig.engine.trajectory import Panel, Trajectory
from leydig.errors import InputError
from leydig.grading import Alternative
from leydig.matching import Matched
from leydig.pharmacology import drugs
from leydig.pharmacology.levers import WEIGHT
from leydig.pharmacology.protocol import Protocol
from leydig.studies import alternatives, couple, provenance, uncertainty
from leydig.studies.clock import Clock, look, shown_at
from leydig.subject import Completed, Subject, complete, draw
from leydig.units import CANONICAL

DEFAULT_DAYS = 365.0
TOLERANCE, DRAW_TOLERANCE = 1e-6, 1e-4
QUANTILES = (0.025, 0.5, 0.975)
HIDDEN = ("relative_NTX", "own_testosterone_share")
BONES = ("bmd_spine", "bmd_hip")
RATIO = "testosterone_estradiol_ratio"
LEAST_ESTRADIOL = 1e-3  # pg/mL, so that a logarithm is finite

Progress = Callable[[int, int], None]
Values = dict[str, np.ndarray]


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
            return follow(began, completed.age, some, clock)[0]

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
        _trajectory(
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


def already_taken(texts: Sequence[str], weekday: int = 0) -> start.Given:
    """What a man takes already before day 0, at negative hours, long enough to be settled.

    ``weekday`` is that of day 0. The run-in is whole weeks, so that a weekly drug goes on in step.
    """
    days = start.RUN_IN_DAYS
    doses, levers = [], []
    for text in texts:
        plan = Protocol.parse(text)
        length = min(plan.duration_days or days, days)
        before = start.given(plan, length, int(weekday - length) % 7)
        doses += [e._replace(time=e.time - length * start.HOURS_PER_DAY) for e in before.doses]
        # his weight at day 0 is what it is: a change before it is in his values
        lasting = [e for e in before.levers if e.lever != WEIGHT]
        levers += [e._replace(time=e.time - length * start.HOURS_PER_DAY) for e in lasting]
    return start.Given(tuple(sorted(doses, key=lambda event: event.time)), tuple(levers))


def drug_names(plans: Sequence[start.Given], taken: start.Given) -> tuple[str, ...]:
    """The drugs of the plans and of what he takes already; of a mixture, what it holds as well."""
    named = {event.drug for some in (*plans, taken) for event in some.doses}
    return tuple(sorted(named | {part for name in named for part in drugs.constituents(name)}))


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


def printed(completed: Completed, values: Values, constants: laboratory.Constants) -> Values:
    """What his laboratory would print: his own assay and hour, LC-MS/MS in the morning where he has none.

    A draw that supposes a kit reading high or low keeps that kit: what was measured is what it prints at the start.
    """
    floor = outputs.reporting().estradiol_floor
    own = {reading.name: (reading.assay, reading.hour) for reading in completed.readings}
    usual = (laboratory.MASS_SPECTROMETRY, constants.usual_hour)
    found = {}
    for name in values:
        if name in laboratory.analytes():
            assay, hour = own.get(name, usual)
            state = values[name]
            if name in laboratory.WITH_TESTOSTERONE_RHYTHM:  # testosterone that is given has no rhythm of the testis
                rhythm = laboratory.rhythm(name, hour, completed.age, constants)
                state, hour = state * (1 + (rhythm - 1) * values["own_testosterone_share"]), None
            found[name] = laboratory.to_laboratory(name, state, assay, hour, completed.age, constants)
            if name in own and completed.measured_is_reference and found[name][0] > 0:
                read = [r.printed for r in completed.readings if r.name == name and r.printed > 0]
                if read:
                    found[name] = found[name] * (float(np.exp(np.mean(np.log(read)))) / found[name][0])
    found[RATIO] = found["testosterone"] / np.maximum(found["estradiol"], floor)
    return found


def _panel(values: Values, several: Sequence[Values]) -> Panel:
    values = {name: series for name, series in values.items() if name not in HIDDEN}
    units = {name: CANONICAL[name] for name in values}
    if not several:
        return Panel(units, values)
    middle, lower, upper = {}, {}, {}
    for name in values:
        stack = np.stack([one[name] for one in several if name in one])
        lower[name], middle[name], upper[name] = np.quantile(stack, QUANTILES, axis=0)
    return Panel(units, middle, lower, upper)


def _trajectory(
    completed: Completed, plan: Protocol, clock: Clock, typical: start.Start, values: Values, status: reference.Status,
    gathered: Sequence[tuple[Values, Values]], failed: int, off: int, draws: int, seed: int, what: start.Given,
    taken: start.Given, findings: Sequence[Alternative], conflicting: Mapping[str, Mapping[str, np.ndarray]],
) -> Trajectory:  # fmt: skip
    remarks = [*completed.contradictions, *completed.notes, *provenance.cautions(drug_names([what], taken))]
    remarks += [f'Assumed against the default ("{a.name}"): {a.claim}' for a in findings]
    for name, (wanted, reached) in typical.missed.items():
        remarks.append(
            f"{name} was measured as {wanted:.4g} {CANONICAL[name]}, but this condition with these drugs gives "
            f"{reached:.4g}; the simulation starts there"
        )
    if failed:
        remarks.append(f"{failed} of {draws} draws could not be solved and are left out of the bands")
    if off:
        remarks.append(f"{off} of {draws} draws could not be brought to all of his measured values")
    return Trajectory(
        subject=describe(completed, typical),
        protocol=plan.text(),
        days=clock.days,
        quantities=_panel(values, [one for one, _ in gathered]),
        laboratory=_panel(printed(completed, values, laboratory.constants()), [one for _, one in gathered]),
        status="done" if status is reference.Status.done else status.value,
        draws=len(gathered),
        failed_draws=failed,
        seed=seed,
        assumed=(*(a.sentence for a in completed.assumed), *couple.assumed(completed)),
        remarks=tuple(dict.fromkeys(remarks)),
        sources=provenance.sources(drug_names([what], taken), [f.source for f in completed.subject.published]),
        digests=provenance.digests(),
        alternatives=conflicting,
    )


def describe(completed: Completed, typical: start.Start) -> dict[str, Any]:
    """The man as plain values: who he is, his reference baseline, what was measured and how it was read."""
    subject = completed.subject
    own = {r.name: f"{r.assay}{'' if r.hour is None else f', {r.hour:05.2f} h'}" for r in completed.readings}
    return {
        "name": subject.name,
        "age": completed.age,
        "BMI": completed.BMI,
        "fat_mass": typical.baseline.fat_mass,
        "condition": completed.condition,
        "condition_reason": completed.condition_reason,
        "lesion": dict(completed.lesion),
        "baseline": {k: v for k, v in typical.baseline._asdict().items() if k not in ("age", "fat_mass")},
        "measured": dict(completed.measured),
        "converted": list(completed.converted),
        "drugs": list(completed.drugs),
        "partner": {**couple.of(completed)._asdict(), "assumed": subject.partner is None},
        "wants_children": subject.wants_children,
        "laboratory": own,
        "published": [figure.model_dump() for figure in subject.published],
    }
