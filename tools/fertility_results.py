"""What docs/fertility.md is made of: computed once, found by name, and written as one table."""

from __future__ import annotations

import csv
import io
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from leydig.report import wording
from leydig.studies import fertility_recovery as recovery
from leydig.studies import fertility_split as split
from leydig.studies import fertility_trials as trials
from leydig.studies.fertility_plan import NOTHING, Plan, plan
from leydig.studies.fertility_recovery import Recovered
from leydig.studies.fertility_split import Failed, Split
from leydig.studies.fertility_trials import Conception, Estimate, Row
from leydig.writing import write_text

DECIMALS = 4
HEAD = ("part", "men", "drug", "quantity", "day", "what", "unit", "middle", "low", "high")
MONTHS_BY = ("first quartile", "median", "third quartile")


class Found:
    """Everything that was computed."""

    def __init__(
        self,
        splits: Sequence[Split],
        failed: Sequence[Failed],
        followed: Sequence[trials.Followed],
        courses: Sequence[recovery.Course],
    ) -> None:
        self.plan: Plan = plan()
        self.splits, self.failed, self.followed, self.courses = splits, failed, followed, courses

    @cached_property
    def rows(self) -> dict[tuple[str, str, str, float, str], Row]:
        """Lines of the designed trials by group, drug, quantity, day and part."""
        several = [row for found in self.followed for row in trials.effects(found)]
        several += [row for found in self.followed for row in trials.above(found, self.plan.groups[found.group].above)]
        return {(row.group, row.drug, row.quantity, row.day, row.part): row for row in several}

    def of(self, group: str, drug: str, quantity: str, day: float, part: str) -> Estimate:
        """One estimate of the designed trials."""
        return self.rows[group, drug, quantity, day, part].estimate

    @cached_property
    def conceptions(self) -> tuple[Conception, ...]:
        """Chances of conception."""
        some = [found for found in self.followed if self.plan.groups[found.group].couples]
        return tuple(one for found in some for one in trials.conceptions(found))

    @cached_property
    def recovered(self) -> tuple[Recovered, ...]:
        """Times after testosterone."""
        return tuple(one for course in self.courses for one in recovery.recoveries(course))

    def recovery_of(self, weeks: int, afterwards: str, limit: float) -> Recovered:
        """Times after one course, to one limit."""
        return next(r for r in self.recovered if (r.weeks, r.afterwards, r.limit) == (weeks, afterwards, limit))


def compute(threads: int = 2) -> Found:
    """Everything, with progress on standard error."""
    some, groups = split.chosen_trials(), plan().groups
    together, failed = [], []
    for done, trial in enumerate(some):
        own, not_run = split.splits(trial)
        together += own
        failed += not_run
        tell(f"published trials: {done + 1} of {len(some)}", done + 1 == len(some))
    followed = []
    for done, name in enumerate(groups):
        followed.append(trials.follow_group(name, threads=threads))
        tell(f"groups of men: {done + 1} of {len(groups)}", done + 1 == len(groups))
    courses = [*recovery.follow_recovery(threads=threads)]
    return Found(together, failed, followed, courses)


def tell(text: str, last: bool) -> None:
    """Progress in one line."""
    print(f"\r{text}", end="\n" if last else "", file=sys.stderr, flush=True)


# Numbers as they are printed ------------------------------------------------------------------------


def shown(value: float, decimals: int = 2) -> str:
    """A number; what has not come within the time is later than all of it."""
    return "later" if math.isinf(value) else wording.digits(value, decimals)


def interval(estimate: Estimate, decimals: int = 2) -> str:
    """1.57 (0.88 to 3.00)."""
    middle, low, high = (shown(value, decimals) for value in estimate)
    return f"{middle} ({low} to {high})"


def ratio(logs: Estimate) -> str:
    """The same of log ratios."""
    return interval(Estimate(*(float(np.exp(value)) for value in logs)))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of the page, with a line before and after it."""
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines, ""]


# The whole table ------------------------------------------------------------------------------------


def write(path: Path, found: Found) -> int:
    """All numbers of the page as CSV; how many lines there are."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEAD)
    count = 0
    for make in (_split_lines, _designed_lines, _conception_lines, _recovery_lines):
        for *words, estimate in make(found):
            numbers = ["" if math.isinf(value) else f"{round(value, DECIMALS) + 0.0:g}" for value in estimate]
            writer.writerow([*words, *numbers])
            count += 1
    write_text(path, text.getvalue())
    return count


def _split_lines(found: Found) -> Iterable[tuple[object, ...]]:
    parts: dict[str, Callable[[Split], Estimate]] = {
        "reported": lambda s: Estimate(s.reported, s.reported - 1.96 * s.error, s.reported + 1.96 * s.error),
        "predicted": lambda s: s.predicted,
        "by itself": lambda s: s.itself,
        "drug": lambda s: s.drug,
        "drug needed": lambda s: s.needed,
    }
    for one in found.splits:
        arm = one.arm if one.against is None else f"{one.arm} against {one.against}"
        for name, get in parts.items():
            logs = get(one)
            exact = Estimate(*(float(np.exp(value)) for value in logs))
            yield (
                f"published, {one.kind}",
                f"{one.trial}: {arm} ({one.men})",
                one.protocol,
                one.quantity,
                f"{one.day:g}",
                name,
                "1",
                exact,
            )


def _designed_lines(found: Found) -> Iterable[tuple[object, ...]]:
    for row in found.rows.values():
        yield "designed", row.group, row.drug, row.quantity, f"{row.day:g}", row.part, row.unit, row.estimate


def _conception_lines(found: Found) -> Iterable[tuple[object, ...]]:
    name = "cumulative_conception_probability"
    for one in found.conceptions:
        men = f"{one.group}, couples {one.couple}"
        for part, unit, estimate in (("share", "%", one.share), ("over nothing", "1", one.ratio)):
            yield "conception", men, one.drug, name, f"{one.days:g}", part, unit, estimate


def _recovery_lines(found: Found) -> Iterable[tuple[object, ...]]:
    for one in found.recovered:
        men, what = f"{one.weeks} weeks of testosterone", f"to {one.limit:g} 10^6/mL"
        then = "" if one.afterwards == NOTHING else one.afterwards
        for name, estimate in zip(MONTHS_BY, one.quartiles, strict=True):
            yield "recovery", men, then, trials.COUNT, "", f"{name} {what}", "month", estimate
        for by, estimate in one.shares.items():
            yield "recovery", men, then, trials.COUNT, "", f"{what} by {by:g} months", "%", estimate
