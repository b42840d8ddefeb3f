"""The credibility report on uncertainty, on the factors, and on what is known to fall short."""

from __future__ import annotations

from collections.abc import Sequence

from leydig.bibliography import cite
from leydig.studies.credibility_criteria import PASSED
from leydig.studies.credibility_drivers import Driven
from leydig.studies.credibility_evidence import VALIDATION, Evidence, Miss, outcomes_of
from leydig.studies.credibility_factors import Factor, factors
from leydig.studies.credibility_lines import pick, sums
from leydig.studies.credibility_use import Assessed
from leydig.studies.credibility_words import (
    NOTHING,
    bullets,
    link,
    listed,
    of,
    percent,
    plural,
    quantity,
    signed,
    table,
    verdict,
)


def uncertainty(evidence: Evidence) -> str:
    """What intervals hold, and which unknowns drive the main predictions."""
    asked, prose = evidence.prose.drivers, evidence.prose
    known = evidence.facts.parameters
    parts = [
        "## Uncertainty\n",
        "In the intervals:\n",
        bullets(prose.intervals.holds),
        "Not in the intervals:\n",
        bullets(prose.intervals.leaves_out),
        f"Of {known.not_measured} parameters that are not just measured, {known.drawn} are drawn; the other "
        f"{known.not_measured - known.drawn} stand at one value in every interval.\n",
        f"### What drives the predictions\n\nMen under {asked.protocol}: the same {asked.men} men of each condition "
        f"under {asked.draws} draws of the parameters. The median man's change with its 95 % over the draws (the "
        "laboratory, sampling and differences between studies are not in it), and the parameters with the largest rank "
        "correlation that cannot be chance. Parameters that were fitted together move together, so the one that is "
        "named may stand for another; *explained* is the share of the variance of ranks that the named ones take up.\n",
        table(
            ("men", "prediction", "day", "change", "drivers", "explained"),
            [_driven(one) for one in evidence.driven],
        ),
    ]
    return "\n".join(parts)


def _driven(one: Driven) -> tuple[str, ...]:
    names = ", ".join(f"{driver.name} {signed(driver.correlation)}" for driver in one.drivers)
    span = f"{signed_percent(one.median)} ({signed_percent(one.low)} to {signed_percent(one.high)})"
    return (
        one.condition, quantity(one.quantity), f"{one.day:g}", span, names or "none beyond chance",
        percent(one.explained),
    )  # fmt: skip


def signed_percent(value: float) -> str:
    """A change in percent."""
    digits = 1 if abs(value) < 10 else 0
    return f"{value:+.{digits}f} %".replace("-", "\u2212")


# Factors -------------------------------------------------------------------------------------------


def graded(evidence: Evidence, uses: Sequence[Assessed]) -> str:
    """Every credibility factor with its grade and what it rests on."""
    general = factors(evidence)
    parts = [
        "## Credibility factors\n",
        "The factors of ASME V&V 40. A factor is graded **high** when all of its criteria are met, **medium** when at "
        "least half are, **low** when any is, **none** else; what could not be told is not met. A use asks of each "
        "factor the grade of its model risk at least. "
        f"{evidence.prose.judgement.note}\n",
        table(("part", "factor", "grade", "criteria"), [_factor(one) for one in sorted(general, key=_rank)]),
    ]
    for use in uses:
        own = [one for one in use.factors if one not in general]
        short = ", ".join(one.name for one in use.short) or "none"
        parts += [
            f"### For the {use.context.name}: {use.context.risk} risk\n",
            table(("part", "factor", "grade", "criteria"), [_factor(one) for one in sorted(own, key=_rank)]),
            f"Factors graded below {use.context.risk}: {short}.\n",
        ]
    return "\n".join(parts)


def _rank(factor: Factor) -> float:
    return sum(one.met is True for one in factor.criteria) / len(factor.criteria)


def _factor(factor: Factor) -> tuple[str, ...]:
    ordered = sorted(factor.criteria, key=lambda one: one.met is True)
    said = "<br>".join(f"{verdict(one.met)}: {one.says}" for one in ordered)
    return factor.part, factor.name, f"**{factor.grade}**", said


# Limits --------------------------------------------------------------------------------------------


def limits(evidence: Evidence) -> str:
    """Shortfalls from results and tests, then what bounds every result."""
    suite, facts = evidence.suite, evidence.facts
    parts = [
        "## Limits\n",
        "### Parts of the evidence, by how far the model lies off\n",
        "Validation figures; a negative mean z means that less was predicted than reported.\n",
        table(("what", "figures", "studies", "inside 95 %", "inside 50 %", "mean z"), _spots(evidence)),
        f"### Tests that are expected to fail\n\n{plural(len(suite.misses), 'test')}; the suite turns red when one "
        "that is strict passes.\n",
        table(("test", "cases", "why", "strict"), _misses(suite.misses)),
        "### What bounds every result\n",
        bullets(_limit(evidence)),
        f"Outcomes by the strength of their evidence: "
        f"{', '.join(f'{count} {grade}' for grade, count in facts.grades.items())}. No male data: "
        f"{listed([quantity(name) for name in facts.no_male_data]) or 'none'}; shown as intervals only. "
        f"{plural(facts.alternatives, 'conflicting finding')} can be switched on.\n",
        "Not modelled:\n",
        bullets(f"{claim} {why}" for claim, why in facts.not_modelled),
    ]
    return "\n".join(parts)


def _spots(evidence: Evidence) -> list[tuple[str, ...]]:
    held, rows = evidence.lines(VALIDATION), []
    for spot in evidence.prose.spots:
        found = sums(pick(held, drugs=spot.drugs, conditions=spot.conditions, quantities=spot.quantities))
        off = -1.0 if found.mean_z is None else abs(found.mean_z)
        rows.append(
            (off, (spot.what, str(found.figures), str(found.studies), percent(found.inside_95),
                   percent(found.inside_50), signed(found.mean_z)))
        )  # fmt: skip
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def _misses(some: Sequence[Miss]) -> list[tuple[str, ...]]:
    """Cases of one test together."""
    found: dict[tuple[str, str, bool], int] = {}
    for miss in some:
        key = miss.test.partition("[")[0], miss.reason, miss.strict
        found[key] = found.get(key, 0) + 1
    return [
        (link(test), str(count), reason or NOTHING, "yes" if strict else "no")
        for (test, reason, strict), count in sorted(found.items())
    ]


def _limit(evidence: Evidence) -> list[str]:
    said = []
    for one in evidence.prose.limits:
        page = f" [{one.page}]({one.page})" if one.page else ""
        found = outcomes_of(evidence.suite, one.tests)
        tests = ", ".join(link(test) for test in one.tests)
        held = f" ({of(found.count(PASSED), len(found))} pass: {tests})" if found else ""
        said.append(f"{one.limit}{page}{held}")
    return said


def sources(evidence: Evidence) -> str:
    """The frameworks."""
    return "\n".join(["## Sources\n", "In brackets: how each was seen.\n", bullets(cite(evidence.prose.frameworks))])
