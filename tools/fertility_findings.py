"""What docs/fertility.md comes to, in sentences that hold whatever the numbers are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from fertility_results import Found, interval, ratio
from fertility_words import MONTH
from leydig.report import wording
from leydig.studies.fertility_plan import NOTHING
from leydig.studies.fertility_trials import COUNT

SOURCES = ("matsumoto1986",)  # that sentences below name
FROM = {"condition": "the trial's condition", "clinic": "everybody who comes to a clinic"}


def sentences(found: Found) -> Iterable[str]:
    """What the numbers say."""
    yield from _of_series(found)
    yield from _of_donors(found)
    yield from _of_testolactone(found)
    yield from _of_drugs(found)
    yield from _of_couples(found)
    yield from _of_testosterone(found)


def middle(logs: Sequence[float]) -> str:
    """The median of log ratios as a ratio."""
    return f"{np.exp(np.median(logs)):.2f}"


def _of_series(found: Found) -> Iterable[str]:
    """Counts before and after."""
    counts = [one for one in found.splits if one.kind == "uncontrolled" and one.quantity == COUNT and one.chosen]
    for men, who in FROM.items():
        own = [one for one in counts if one.men == men]
        if not own:
            continue
        above = sum(one.needed.low > one.drug.high for one in own)
        parts = {part: middle([getattr(one, part).middle for one in own]) for part in ("itself", "drug", "needed")}
        yield (
            f"Sperm concentration of men let in by the reading that is printed as baseline, {len(own)} published "
            f"changes without a comparator, men from {who}: the median of what is printed is "
            f"×{middle([one.reported for one in own])}; ×{parts['itself']} comes back by itself, the drug does "
            f"×{parts['drug']} and would need to do ×{parts['needed']}. In {above} of them what is needed lies wholly "
            "above what the drug does."
        )


def _of_donors(found: Found) -> Iterable[str]:
    """Where nothing was given and the mean rose."""
    for one in found.splits:
        if one.kind == "untreated" and one.trial.startswith("baker"):
            short = "; what comes back by itself may be too small here" if one.itself.middle < one.reported else ""
            yield (
                f"Donors picked for a low {wording.name(one.quantity)} and given nothing read "
                f"×{np.exp(one.reported):.2f} the next time, virtual donors ×{ratio(one.itself)}{short}."
            )


def _of_testolactone(found: Found) -> Iterable[str]:
    """A drug whose series and trial contradict one another."""
    blind = [one for one in found.splits if "testolactone" in one.protocol and one.quantity == COUNT]
    blind = [one for one in blind if one.men == "condition"]
    series = sorted(one.reported for one in blind if one.kind == "uncontrolled")
    if series and len(blind) > len(series):
        lowest, highest = np.exp(series[0]), np.exp(series[-1])
        yield (
            f"Testolactone: {len(series)} series print ×{lowest:.2f} to ×{highest:.2f}; the one trial against placebo "
            f"printed no change. Here the drug does ×{middle([one.drug.middle for one in blind])}, on the trial's side."
        )


def _of_drugs(found: Found) -> Iterable[str]:
    """The designed trials."""
    for name, group in found.plan.groups.items():
        if not group.couples:
            continue
        day = found.plan.days(name)[1]
        changes = {drug: found.of(name, drug, COUNT, day, "true change") for drug in group.drugs}
        itself = found.of(name, NOTHING, COUNT, day, "change")
        higher = found.of(name, NOTHING, COUNT, day, "higher").middle
        yield (
            f"Men with {name}, true change of the count after {day / MONTH:.0f} months: "
            f"{'; '.join(f'{drug} ×{interval(change)}' for drug, change in changes.items())}. Under nothing they read "
            f"×{interval(itself)}, and {higher:.0f} % of them read higher than before."
        )
    for one in found.plan.expected:
        day = found.plan.days(one.group)[1]
        change = found.of(one.group, one.drugs[0], COUNT, day, "true change")
        yield f"Men with {one.group} on {one.drugs[0]}: ×{interval(change)}; published is {one.says}."
    yield (
        "hCG alone lowers counts in men whose own FSH is there, since it shuts FSH off; FSH beside it makes up for "
        "most of that. Of normal men this is published (matsumoto1986: 88 to 22 million/mL on a higher dose); of men "
        "with few sperm and low testosterone no figure was found."
    )


def _of_couples(found: Found) -> Iterable[str]:
    """Conception."""
    group = found.conceptions[0].group
    for name in found.plan.couples:
        own = {one.drug: one for one in found.conceptions if (one.group, one.couple) == (group, name)}
        daily = own[found.plan.groups[group].drugs[0]]
        yield (
            f"Couples {name} in which he has {group}: {interval(own[NOTHING].share, 0)} % have conceived after a year "
            f"if he takes nothing, {interval(daily.share, 0)} % on {daily.drug} (×{interval(daily.ratio)}). Intervals "
            "of the drugs that raise gonadotropins overlap, and no controlled trial of an inhibitor reports births."
        )


def _of_testosterone(found: Found) -> Iterable[str]:
    """Recovery."""
    of, main = found.plan.recovery, found.plan.recovery.limits[-1]

    def months(weeks: int, then: str) -> str:
        return interval(found.recovery_of(weeks, then, main).quartiles[1], 1)

    published, slow = next(one for one in of.published if one.limit == main), of.published_shares[0]
    here = found.recovery_of(of.treated_after, NOTHING, main).shares[slow.by or 0.0]
    alone = "; ".join(f"{weeks} weeks {months(weeks, NOTHING)}" for weeks in of.weeks)
    yield (
        f"The median man is back at {main:g} million/mL so many months after testosterone: {alone}. Published over all "
        f"regimens: {published.months:g} ({published.low:g} to {published.high:g}). By {slow.by:g} months "
        f"{interval(here, 0)} % are back here, {slow.share:g} % in the pooled studies."
    )
    helped = "; ".join(f"{then} {months(of.treated_after, then)}" for then in of.afterwards)
    yield f"With a drug after {of.treated_after} weeks of testosterone, median months: {helped}."
