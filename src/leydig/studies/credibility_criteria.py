"""The criteria of the credibility factors: what was found beside what is asked for.

Each is a sentence with its numbers and whether it is met; what cannot be told is neither. The limits are in
data/credibility.yaml, the targets in data/reproduce_targets.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from leydig.studies.credibility_evidence import DONE, VALIDATION, Evidence, cells, moved, outcomes_of
from leydig.studies.credibility_facts import IDENTIFIED
from leydig.studies.credibility_file import CheckName, Context
from leydig.studies.credibility_lines import PRINTED_SPREADS, Line, Sums, share, split, sums
from leydig.studies.credibility_words import number, of, percent, plural, portion
from leydig.studies.reproduce_totals import NULLS, settings, targets_met

PASSED, SKIPPED, FULLTEXT, UNKNOWN = "passed", "skipped", "fulltext", "unknown"
CODE: tuple[CheckName, ...] = (
    "kinetics", "physiology", "generated", "second-solver", "order", "sbml", "scores", "recruitment"
)  # fmt: skip
NULL_WORDS = {"no_change": "no change", "mean_change": "the drugs' mean change on calibration trials"}


class Criterion(NamedTuple):
    """Something that a factor asks for."""

    says: str  # what was found, and what is asked for
    met: bool | None  # None where nothing tells


def targets(found: Sums) -> list[Criterion]:
    """The targets of the totals, each as a criterion."""
    asked, met = settings()["targets"], targets_met(found.totals)
    made = []
    for level in (95, 50):
        low, high = asked[f"inside_{level}"]["value"]
        inside = getattr(found, f"inside_{level}")
        says = f"{percent(inside, 1)} inside the {level} % interval (asked: {100 * low:.0f} to {100 * high:.0f} %)"
        made.append(Criterion(says, met[f"inside_{level}"]))
    for null in NULLS:
        ours, other = number(found.interval_score, 3), number(found.nulls[null], 3)
        says = f"interval score {ours} against {other} of {NULL_WORDS[null]} (asked: less)"
        made.append(Criterion(says, met[f"better_than_{null}"]))
    most = asked["error_ratio"]["value"]
    says = f"error of hormone means {number(found.error_ratio)} times that of sampling alone (asked: at most {most:g})"
    return [*made, Criterion(says, met["error_ratio"])]


# Verification --------------------------------------------------------------------------------------


def check(evidence: Evidence, name: CheckName) -> Criterion:
    check = next(one for one in evidence.prose.checks if one.name == name)
    found = outcomes_of(evidence.suite, check.tests)
    passed, skipped = found.count(PASSED), found.count(SKIPPED)
    left = f", {skipped} skipped" if skipped else ""
    says = f"{check.what}: {passed} of {plural(len(found), 'test')} passed{left}"
    untold = not found or (skipped and passed + skipped == len(found))
    return Criterion(says, None if untold else passed == len(found))


def quality(evidence: Evidence) -> list[Criterion]:
    suite = evidence.suite
    strict = sum(miss.strict for miss in suite.misses)
    return [
        Criterion(
            f"{suite.tests:,} tests in {plural(suite.files, 'file')}; {of(strict, len(suite.misses))} "
            "expected failures would be noticed if they passed",
            strict == len(suite.misses) and suite.tests > 0,
        ),
        Criterion(
            f"{of(suite.pinned, suite.locked)} dependencies locked by hash", 0 < suite.locked == suite.pinned
        ),
        check(evidence, "house"),
    ]  # fmt: skip


def code(evidence: Evidence) -> list[Criterion]:
    level, apart = evidence.prose.levels.second_solver.value, evidence.facts.second_solver
    largest = max(apart.values(), default=None)
    measured = Criterion(
        f"two independent solvers at tight tolerance differ by at most {number(largest)} (asked: {number(level)})",
        None if largest is None else largest <= level,
    )
    return [*(check(evidence, name) for name in CODE), measured]


def steps(evidence: Evidence) -> list[Criterion]:
    level, errors = evidence.prose.levels.time_step.value, evidence.facts.errors
    timed = {name: errors[name] for name in evidence.prose.timed if name in errors}
    made = []
    for what, some in (("the protocols of the design", timed), ("all protocols that were measured", errors)):
        inside = sum(error <= level for error in some.values())
        says = (
            f"largest relative error {number(max(some.values(), default=None))} over {what}, "
            f"{of(inside, len(some))} within {number(level)}"
        )
        made.append(Criterion(says, None if not some else inside == len(some)))
    return made


def numbers(evidence: Evidence) -> list[Criterion]:
    levels, found = evidence.prose.levels, moved(evidence)
    rows = evidence.document["trials"]
    done = sum(row["status"] == DONE for row in rows)
    return [
        Criterion(
            f"with other random numbers predictions of {plural(found.figures, 'figure')} move by a median of "
            f"{number(found.shift)} of their standard deviation (asked: at most {levels.shift.value:g})",
            None if found.shift is None else found.shift <= levels.shift.value,
        ),
        Criterion(
            f"{percent(found.flipped, 1)} of them change between inside and outside of the 95 % interval "
            f"(asked: at most {percent(levels.flipped.value)})",
            None if found.flipped is None else found.flipped <= levels.flipped.value,
        ),
        Criterion(f"{of(done, len(rows))} trials could be run", bool(rows) and done == len(rows)),
    ]


# The model -----------------------------------------------------------------------------------------


def form(evidence: Evidence, validation: Sequence[Line]) -> list[Criterion]:
    suite, levels = evidence.suite, evidence.prose.levels
    found = outcomes_of(suite, evidence.prose.emergence)
    passed = found.count(PASSED)
    kinds = {
        kind: sums(some)
        for kind, some in split(validation, lambda line: line.figure["domain"]).items()
        if len(some) >= levels.kind_figures.value
    }
    low = [name for name, one in kinds.items() if (one.inside_95 or 0.0) < levels.kind_inside.value]
    named = f"; not: {', '.join(sorted(low))}" if low else ""
    return [
        Criterion(
            f"{passed} of {plural(len(found), 'test')} of what must come out of mechanism pass",
            None if not found else passed == len(found),
        ),
        *targets(sums(validation))[2:4],
        Criterion(
            f"{of(len(kinds) - len(low), len(kinds))} kinds of validation figures have at least "
            f"{percent(levels.kind_inside.value)} inside the 95 % interval{named}",
            None if not kinds else not low,
        ),
    ]


def inputs(evidence: Evidence) -> list[Criterion]:
    facts, levels, known = evidence.facts, evidence.prose.levels, evidence.facts.parameters
    drawn = known.drawn / known.not_measured if known.not_measured else None
    profiled = sum(sum(fit.classes.values()) for fit in facts.fits)
    clear = sum(fit.classes.get(IDENTIFIED, 0) for fit in facts.fits)
    asked = len(evidence.prose.drivers.conditions) * len(evidence.prose.drivers.quantities)
    return [
        Criterion(
            f"{portion(known.drawn, known.not_measured, 'parameter')} that are not just measured are in the intervals "
            f"(asked: {percent(levels.drawn.value)})",
            None if drawn is None else drawn >= levels.drawn.value,
        ),
        Criterion(
            f"{of(clear, profiled)} profiled parameters are identified by their data "
            f"(asked: {percent(levels.identified.value)})"
            if profiled else "profile likelihoods were not made",
            None if not profiled else clear / profiled >= levels.identified.value,
        ),
        Criterion(
            f"{of(len(evidence.driven), asked)} predictions were traced to the parameters that drive them",
            len(evidence.driven) == asked,
        ),
    ]  # fmt: skip


# The comparators -----------------------------------------------------------------------------------


def samples(evidence: Evidence, validation: Sequence[Line]) -> list[Criterion]:
    levels, found = evidence.prose.levels, sums(validation)
    return [
        Criterion(
            f"{found.groups} independent groups of men (asked: {levels.groups.value:g})",
            found.groups >= levels.groups.value,
        ),
        _most(evidence, validation, "print a spread", lambda line: line.figure["spread_kind"] in PRINTED_SPREADS),
        _most(evidence, validation, "were read in the paper itself", lambda line: line.figure["seen"] == FULLTEXT),
    ]


def conditions(evidence: Evidence, validation: Sequence[Line]) -> list[Criterion]:
    hormones = [line for line in validation if line.outcome == "hormones"]
    return [
        _most(evidence, validation, "stand in a study with a control group", lambda line: line.controlled),
        _most(evidence, hormones, "of hormones name the assay", _assay_named),
    ]


def _assay_named(line: Line) -> bool:
    return line.trial.assay.get(line.figure["quantity"], UNKNOWN) != UNKNOWN


def _most(evidence: Evidence, some: Sequence[Line], what: str, holds: Callable[[Line], bool]) -> Criterion:
    level, found = evidence.prose.levels.printed.value, share(some, holds)
    says = f"{percent(found, 1)} of the validation figures {what} (asked: {percent(level)})"
    return Criterion(says, None if found is None else found >= level)


def equivalency(evidence: Evidence) -> list[Criterion]:
    levels = evidence.prose.levels
    rows = [row for row in evidence.document["trials"] if row["role"] == VALIDATION and row["status"] == DONE]
    table = [line for row in rows for line in row["baseline"] if line["reached"] is not None and line["asked"]]
    close = sum(abs(line["reached"] / line["asked"] - 1) <= levels.baseline.value for line in table)
    plain = sum(not row["deviations"] for row in rows)
    return [
        Criterion(
            f"{portion(close, len(table), 'line')} of baseline tables within {percent(levels.baseline.value)} "
            f"(asked: {percent(levels.baseline_lines.value)})",
            None if not table else close / len(table) >= levels.baseline_lines.value,
        ),
        Criterion(
            f"{portion(plain, len(rows), 'trial')} without a deviation from the published protocol "
            f"(asked: {percent(levels.printed.value)})",
            None if not rows else plain / len(rows) >= levels.printed.value,
        ),
    ]


# Applicability -------------------------------------------------------------------------------------


def quantities(evidence: Evidence, context: Context, near: Sequence[Line]) -> list[Criterion]:
    least = int(evidence.prose.levels.kind_figures.value)
    counts = {outcome: sum(line.outcome == outcome for line in near) for outcome in context.needs.outcomes}
    return [
        Criterion(f"{plural(count, 'validation figure')} of {outcome} (asked: {least})", count >= least)
        for outcome, count in counts.items()
    ]


def validation(evidence: Evidence, context: Context, near: Sequence[Line]) -> list[Criterion]:
    levels, table, until = evidence.prose.levels, cells(context, near), context.needs.until
    held = sum(count > 0 for count in table.values())
    late, least = sum(line.figure["day"] > until / 2 for line in near), int(levels.kind_figures.value)
    return [
        Criterion(
            f"{portion(held, len(table), 'cell')} drug by men by outcome hold a validation figure "
            f"(asked: {percent(levels.cells.value)})",
            held / len(table) >= levels.cells.value,
        ),
        _most(evidence, near, "near this use stand in a study with a control group", lambda line: line.controlled),
        Criterion(f"{plural(late, 'figure')} beyond {until / 2:.0f} days (asked: {least})", late >= least),
    ]
