"""The answer of a run: panels of both scales, the man in plain values, remarks and sources."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from leydig import laboratory, outputs, start
from leydig.engine import reference
from leydig.engine.trajectory import Panel, Trajectory
from leydig.grading import Alternative
from leydig.pharmacology import drugs
from leydig.pharmacology.protocol import Protocol
from leydig.studies import couple, provenance
from leydig.studies.clock import Clock
from leydig.subject import Completed
from leydig.units import CANONICAL

QUANTILES = (0.025, 0.5, 0.975)
HIDDEN = ("relative_NTX", "own_testosterone_share")
RATIO = "testosterone_estradiol_ratio"

Values = dict[str, np.ndarray]


def drug_names(plans: Sequence[start.Given], taken: start.Given) -> tuple[str, ...]:
    """The drugs of the plans and of what he takes already; of a mixture, what it holds as well."""
    named = {event.drug for some in (*plans, taken) for event in some.doses}
    return tuple(sorted(named | {part for name in named for part in drugs.constituents(name)}))


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


def _panel(values: Values, several: Sequence[Values], without: Collection[str] = ()) -> Panel:
    values = {name: series for name, series in values.items() if name not in HIDDEN and name not in without}
    units = {name: CANONICAL[name] for name in values}
    if not several:
        return Panel(units, values)
    middle, lower, upper = {}, {}, {}
    for name in values:
        stack = np.stack([one[name] for one in several if name in one])
        lower[name], middle[name], upper[name] = np.quantile(stack, QUANTILES, axis=0)
    return Panel(units, middle, lower, upper)


def trajectory(
    completed: Completed, plan: Protocol, clock: Clock, typical: start.Start, values: Values, status: reference.Status,
    gathered: Sequence[tuple[Values, Values]], failed: int, off: int, draws: int, seed: int, what: start.Given,
    taken: start.Given, findings: Sequence[Alternative], conflicting: Mapping[str, Mapping[str, np.ndarray]],
) -> Trajectory:  # fmt: skip
    remarks = [
        *completed.contradictions,
        *completed.notes,
        *provenance.cautions(drug_names([what], taken), what.levers),
    ]
    without = completed.subject.does_not_apply
    if without:
        remarks.append(f"Left out, because it does not apply to this man: {', '.join(without)}")
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
        quantities=_panel(values, [one for one, _ in gathered], without),
        laboratory=_panel(printed(completed, values, laboratory.constants()), [one for _, one in gathered], without),
        status="done" if status is reference.Status.done else status.value,
        draws=len(gathered),
        failed_draws=failed,
        seed=seed,
        assumed=(*(a.sentence for a in completed.assumed), *couple.assumed(completed)),
        remarks=tuple(dict.fromkeys(remarks)),
        sources=provenance.sources(drug_names([what], taken), [f.source for f in completed.subject.published]),
        digests=provenance.digests(),
        left_out=without,
        findings=tuple(a.name for a in findings),
        alternatives={
            name: kept
            for name, changed in conflicting.items()
            if (kept := {quantity: series for quantity, series in changed.items() if quantity not in without})
        },
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
