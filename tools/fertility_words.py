"""The words of docs/fertility.md around its tables: misses, what the tables mean, limits."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fertility_results import Found, interval, ratio
from leydig.evidence import Criterion
from leydig.report import wording
from leydig.studies import comparison
from leydig.studies.fertility_plan import NOTHING
from leydig.studies.fertility_split import Split
from leydig.studies.fertility_trials import COUNT, Estimate
from leydig.units import CANONICAL

SPLIT = """Every published change of semen, and of testosterone or its ratio to estradiol where a low one let men in, of
arms that took a drug for fertility or lost weight and were compared with nothing but their own baseline; largest first,
as ratios. Men are taken from the trial's condition first. Those of subfertile men are taken once more from everybody
who comes to a clinic ([`clinic`](../src/leydig/data/fertility_trials.yaml)), let in by the same reading, or by one that
is supposed where the paper printed none: among them are men whose count was low by chance alone. "Not let in by it": no
reading of this quantity that is printed as baseline let them in, so nothing of it comes back in the virtual men.
Inside: the figure lies in the 95 % interval that also holds what studies differ by.
"""

UNTREATED = """The check on the whole split: these men took nothing, so the change is what came back by itself (or what
differs between two readings). Two are donors picked for a low first reading; the others are arms on placebo of which
"no change" was printed, entered as 1.
"""

CONTROLLED = """What is left of a drug where the other arm took nothing. A change printed without a baseline is taken
from the typical man of the condition. The other arm alone is what a series without comparator would have added.
"""

DESIGNED = """Geometric means of the men, so that both parts multiply to the change. Readings carry what samples of one
man vary by and the trial's own laboratory; the true change is that of the state, which does not move under nothing.
"""

PREGNANCIES = """Published, with nothing known of the partners; a couple that comes to a clinic conceives at such rates
without any drug:
"""

MONTH = wording.DAYS_PER_YEAR / 12


def criterion(one: Criterion) -> str:
    """A limit in words."""
    sides = [f"{word} {value:g}" for word, value in (("above", one.above), ("below", one.below)) if value is not None]
    unit = wording.unit(one.unit)
    samples = "one reading" if one.samples == 1 else f"the mean of {one.samples} readings"
    when = "that is their baseline" if one.visit == "baseline" else "before baseline"
    return f"{wording.name(one.quantity)} {' and '.join(sides)}{' ' + unit if unit else ''} in {samples} {when}"


def name_of(one: Split) -> str:
    """A figure, short."""
    arm = one.arm if one.against is None else f"{one.arm} against {one.against}"
    return f"{wording.name(one.quantity)} of {one.trial} ({arm}, day {one.day:g})"


# Misses -------------------------------------------------------------------------------------------


def apart(estimate: Estimate, low: float, high: float) -> bool:
    """Whether an interval has nothing in common with another."""
    return estimate.low > high or estimate.high < low


def misses(found: Found) -> list[list[str]]:
    """Whatever is published and lies outside what comes out, the farthest of each kind first."""
    return [*_of_groups(found), *_of_recovery(found), *_of_induction(found), *_of_trials(found)]


def _of_trials(found: Found) -> Iterable[list[str]]:
    """Published figures outside the interval of a trial of their size."""
    missed = [one for one in found.splits if one.men == "condition" and apart(one.predicted, *[one.reported] * 2)]
    for one in sorted(missed, key=lambda one: (one.inside, -abs(one.reported - one.predicted.middle))):
        still = "" if one.inside else "; **outside even with what studies differ by**"
        printed = f"ratio {np.exp(one.reported):.2f} ({one.kind})"
        yield [name_of(one), printed, f"{ratio(one.predicted)}{still}", one.trial]


def _of_groups(found: Found) -> Iterable[list[str]]:
    """Gains where none is published."""
    for one in found.plan.expected:
        day = found.plan.days(one.group)[1]
        source = one.source if isinstance(one.source, str) else ", ".join(one.source)
        for drug in one.drugs:
            change = found.of(one.group, drug, COUNT, day, "true change")
            if apart(change, one.low, one.high):
                what = f"{wording.name(COUNT)}, men with {one.group}, {drug}, {day / MONTH:.0f} months"
                yield [what, one.says, f"ratio **{interval(change)}**", source]


def _of_induction(found: Found) -> Iterable[list[str]]:
    induced = found.plan.induction
    group = next(name for name, one in found.plan.groups.items() if one.above)
    for one in induced.above:
        here = found.of(group, "hCG and FSH", COUNT, induced.day, f"above {one.limit:g}")
        if apart(here, one.share, one.share):
            what = f"men with {group} who read above {one.limit:g} million/mL after {induced.day / MONTH:.0f} months"
            yield [what, f"{one.share:g} %", f"**{interval(here, 0)} %**", one.source]


def _of_recovery(found: Found) -> Iterable[list[str]]:
    of = found.plan.recovery
    for months in of.published:
        here = found.recovery_of(of.treated_after, NOTHING, months.limit).quartiles[1]
        if apart(here, months.low, months.high):
            what = f"median months from testosterone to {months.limit:g} million/mL"
            printed = f"{months.months:g} ({months.low:g} to {months.high:g})"
            yield [what, printed, f"**{interval(here, 1)}**", months.source]
    for share in of.published_shares:
        here = found.recovery_of(of.treated_after, NOTHING, of.limits[-1]).shares[share.by or 0.0]
        low, high = (share.share if side is None else side for side in (share.low, share.high))
        if apart(here, low, high):
            what = f"men back at {of.limits[-1]:g} million/mL {share.by:g} months after testosterone"
            yield [what, f"{share.share:g} % ({low:g} to {high:g})", f"**{interval(here, 0)} %**", share.source]


# Around the tables --------------------------------------------------------------------------------


def couples(found: Found) -> str:
    """What is assumed of couples."""
    pairs = "; ".join(
        f"couples {name}: she is {pair.partner_age:g}, {pair.months_trying:g} months of trying, {pair.note}"
        for name, pair in found.plan.couples.items()
    )
    return (
        "Nobody measured the partners in trials of these drugs, so **partner and cycle are assumed**: "
        f"{pairs}. Cycles follow one another, with intercourse through the fertile days and no other treatment; what "
        "is uncertain about couples is drawn as well. Chances follow the true motile count of each man over the year "
        "and are means over the men.\n"
    )


def recovery(found: Found) -> str:
    """What was followed."""
    of = found.plan.recovery
    criteria = "; ".join(criterion(one) for one in of.men.criteria)
    weeks = wording.listed([str(number) for number in of.weeks])
    return (
        f"{wording.capital(of.men.condition)} men with {criteria}; `{of.given}` for {weeks} weeks, then nothing, or "
        f"one of `{'`, `'.join(of.afterwards.values())}` for {of.followed} weeks. {of.note} Later: not within the time "
        "that they were followed.\n"
    )


def limits(found: Found) -> Iterable[str]:
    """What a reader must know before he uses a number of this page."""
    of, floor = found.plan, comparison.settings()["floors"][COUNT]
    yield (
        f"What comes back by itself hangs on who comes. Virtual men of a clinic are {of.clinic.condition}: two crowds "
        "with a gap between them. Real counts run on without a gap, so more men stand just above a limit and more of "
        "them are let in by chance."
    )
    yield (
        "Trials' criteria are as in their files, where limits that were not printed are assumed; those supposed here "
        "on top of them are listed in the data file. Men of a trial are drawn towards its printed baseline where that "
        "lies far from its condition."
    )
    yield (
        "In nearly every trial that it is scored on, the model over-predicts what anastrozole does to testosterone and "
        "estradiol ([calibration.md](calibration.md)), and with them counts: gains on inhibitors are upper estimates. "
        "A ratio of testosterone to estradiol rises without limit as estradiol goes to nothing; a kit stops that."
    )
    yield (
        "Men of the model differ in little that makes some recover slowly, so the slow part of the published men is "
        "missing. Longer-acting esters and progestins, which the published figures pool, are not here."
    )
    yield (
        "Men whose sperm cannot leave, or who lack them by their genes, are not among the virtual men. Retrieval of "
        f"sperm and insemination are not computed. A count below {floor:g} {wording.unit(CANONICAL[COUNT])} is taken "
        "as none where ratios are formed."
    )
    yield (
        f"A draw has {of.men.value} men, so brackets of readings hold what the mean of {of.men.value} men varies by as "
        "well. That a condition's men have the right counts and hormones is not drawn; it is taken as known."
    )
