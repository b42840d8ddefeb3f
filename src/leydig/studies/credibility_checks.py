"""The credibility report on verification and calibration."""

from __future__ import annotations

from collections.abc import Sequence

from leydig.studies.comparison import settings
from leydig.studies.credibility_criteria import PASSED, Criterion, check, numbers, steps
from leydig.studies.credibility_evidence import CALIBRATION, Evidence, moved, outcomes_of
from leydig.studies.credibility_facts import IDENTIFIED, Fitted
from leydig.studies.credibility_file import Check
from leydig.studies.credibility_words import NOTHING, bullets, number, of, percent, plural, table, verdict

SCALES = {"log": "log ratio", "percent": "percentage points", "points": "points", "share": "percent of men"}


def verification(evidence: Evidence) -> str:
    """Code verification by tests that were run for the page, calculation verification by measured errors."""
    suite, facts = evidence.suite, evidence.facts
    level = evidence.prose.levels.time_step.value
    rows = sorted((_checked(evidence, one) for one in evidence.prose.checks), key=lambda row: row[-1] == verdict(True))
    errors = sorted(facts.errors.items(), key=lambda pair: -pair[1])
    parts = [
        "## Verification\n",
        "### Code\n",
        f"The suite has {suite.tests:,} tests in {plural(suite.files, 'file')}; "
        f"{len(suite.misses)} of them are expected to fail and are listed under limits. "
        "These were run for this page:\n",
        table(("what", "tests", "passed", "verdict"), rows),
    ]
    if facts.second_solver:
        found = ", ".join(f"{name} {number(error)}" for name, error in facts.second_solver.items())
        parts.append(
            f"Largest relative difference of two independent solvers on the whole model of {facts.states} states, as "
            f"`make bench` last measured it: {found}.\n"
        )
    parts += [
        "### Calculation\n",
        "Largest relative error of the default solver beside its own result at a much smaller tolerance, over all "
        "states and weeks of half a year and men of every condition, some of them extreme (`make accuracy`):\n",
        table(("protocol", "error", "verdict"), [(text, number(e), verdict(e <= level)) for text, e in errors]),
        said(steps(evidence)),
        f"The whole run was repeated with other random numbers on {_repeated(evidence)}:\n",
        said(numbers(evidence)),
    ]
    return "\n".join(parts)


def _checked(evidence: Evidence, one: Check) -> tuple[str, ...]:
    outcomes = outcomes_of(evidence.suite, one.tests)
    return one.what, str(len(outcomes)), str(outcomes.count(PASSED)), verdict(check(evidence, one.name).met)


def _repeated(evidence: Evidence) -> str:
    found = moved(evidence)
    largest = f", at most {number(found.largest)} standard deviations apart" if found.largest is not None else ""
    return f"{plural(found.trials, 'trial')} (seed {evidence.prose.again.seed}){largest}"


def said(some: Sequence[Criterion]) -> str:
    """Criteria as a list, misses first."""
    ordered = sorted(some, key=lambda one: one.met is True)
    return bullets(f"{verdict(one.met)}: {one.says}" for one in ordered)


def calibration(evidence: Evidence) -> str:
    """What was fitted, to what, and how much the data say."""
    facts = evidence.facts
    known = facts.parameters
    kinds = ", ".join(f"{count} {kind}" for kind, count in known.kinds.items())
    study = {domain: sd for fit in facts.fits for domain, sd in fit.between_study.items()}
    scored = evidence.lines(CALIBRATION)
    parts = [
        "## Calibration\n",
        f"{sum(fit.parameters for fit in facts.fits)} parameters were fitted in {plural(len(facts.fits), 'step')}, "
        f"each keeping what the ones before it found, to {sum(fit.figures for fit in facts.fits)} figures; "
        f"{len(scored)} figures of {len({line.trial.key for line in scored})} calibration studies are scored below. "
        f"Parameters by kind: {kinds}. More in [calibration.md](calibration.md).\n",
        table(
            ("fit", "parameters", "studies", "figures", "prior speaks", "largest correlation", "by profile likelihood"),
            [_row(fit) for fit in facts.fits],
        ),
        "*Prior speaks*: parameters that keep most of the spread that they were given before the fit.\n",
        _identified(facts.fits),
        "Standard deviation between studies, estimated on calibration studies alone:\n",
        table(
            ("kind of figure", "SD", "scale"),
            [(name, number(sd), SCALES[settings()["domains"][name]["scale"]]) for name, sd in study.items()],
        ),
    ]
    return "\n".join(parts)


def _row(fit: Fitted) -> tuple[str, ...]:
    largest = NOTHING if fit.correlation is None else "{:+.2f} {}, {}".format(*fit.correlation)
    classes = ", ".join(f"{count} {name}" for name, count in sorted(fit.classes.items())) or "not made"
    return (
        fit.name, str(fit.parameters), str(fit.studies), str(fit.figures), str(fit.prior_speaks), largest, classes
    )  # fmt: skip


def _identified(fits: Sequence[Fitted]) -> str:
    every = sum(sum(fit.classes.values()) for fit in fits)
    if not every:
        return "Profile likelihoods were not made.\n"
    clear = sum(fit.classes.get(IDENTIFIED, 0) for fit in fits)
    return (
        f"Of the profiled parameters {of(clear, every)} ({percent(clear / every)}) are identified by their data; the "
        "others lean on their prior.\n"
    )
