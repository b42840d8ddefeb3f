"""The credibility report's outcome and its assessment table, one per use of the model, as ICH M15 lays it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from leydig.studies.credibility_criteria import Criterion, targets
from leydig.studies.credibility_evidence import CALIBRATION, VALIDATION, Evidence
from leydig.studies.credibility_factors import Factor, factors, factors_of
from leydig.studies.credibility_file import RATINGS, Context, Rating
from leydig.studies.credibility_lines import sums
from leydig.studies.credibility_words import bullets, of, plural, table, verdict

OVERALL = "Output comparison"  # over all figures; of a use only what is near it counts


class Assessed(NamedTuple):
    """A use and how far the evidence carries it."""

    context: Context
    factors: tuple[Factor, ...]

    @property
    def near(self) -> Factor:
        """How the targets are met near this use."""
        return next(one for one in self.factors if one.name.startswith(f"{OVERALL} near"))

    @property
    def short(self) -> list[Factor]:
        """Factors that are less than the risk asks for."""
        return [one for one in self.factors if not one.reaches(self.context.risk)]

    @property
    def missed(self) -> list[Criterion]:
        """Targets that are not met near this use."""
        return [one for one in self.near.criteria if one.met is not True]

    @property
    def credible(self) -> bool:
        """Whether nothing falls short."""
        return not self.short and not self.missed


def assessed(evidence: Evidence) -> list[Assessed]:
    """Every use, with all factors that count for it."""
    general = [one for one in factors(evidence) if one.name != OVERALL]
    return [
        Assessed(context, (*general, *factors_of(evidence, context))) for context in evidence.prose.contexts
    ]  # fmt: skip


def outcome(evidence: Evidence, uses: Sequence[Assessed]) -> str:
    """What is missed and what is met, misses first."""
    rows = []
    for role in (VALIDATION, CALIBRATION):
        rows += [(verdict(one.met), role, one.says) for one in targets(sums(evidence.lines(role)))]
    rows.sort(key=lambda row: row[0] != verdict(False))
    missed = sum(row[0] != verdict(True) for row in rows)
    said = "All targets are met." if not missed else f"**Missed: {of(missed, len(rows))} targets.**"
    failed = [row for row in evidence.document["trials"] if row["status"] != "done"]
    parts = ["## Outcome\n", said + "\n", table(("target", "trials", "found"), rows)]
    if failed:
        parts += [
            f"{plural(len(failed), 'trial')} could not be run and count nowhere above:\n",
            bullets(f"{row['key']}: {row['why']}" for row in failed),
        ]
    parts.append(bullets(f"For the {use.context.name}: {concluded(use)}" for use in uses))
    return "\n".join(parts)


def concluded(use: Assessed) -> str:
    """The outcome of the assessment in one sentence."""
    risk = use.context.risk
    if use.credible:
        return f"**met**: every target is met near this use and every factor is graded {least(risk)}."
    return (
        f"**missed**: near this use {of(len(use.missed), len(use.near.criteria))} targets are not met, and "
        f"{of(len(use.short), len(use.factors))} factors are graded below {risk}; by the rule below the model is not "
        "credible enough to lean on for this use."
    )


def least(risk: Rating) -> str:
    """The grades that a use of this risk asks for."""
    return risk if risk == RATINGS[-1] else f"{risk} or better"


def contexts(evidence: Evidence, uses: Sequence[Assessed]) -> str:
    """The assessment table of every use."""
    prose = evidence.prose
    parts = [
        "## Question of interest and context of use\n",
        f"**Question of interest.** {prose.question}\n",
        f"**Model.** {prose.model}\n",
        f"Ratings are judged (kind: {prose.judgement.kind}). {prose.judgement.note} Model risk is the higher one of "
        "influence and consequence, which is this project's rule.\n",
    ]
    for use in uses:
        parts += [f"### {use.context.name.capitalize()}\n", table(("item", "rating", "entry"), _rows(use))]
    return "\n".join(parts)


def _rows(use: Assessed) -> list[tuple[str, str, str]]:
    context = use.context
    met = sum(one.met is True for one in use.near.criteria)
    return [
        ("question of interest", "", context.asks),
        ("context of use", "", context.role),
        ("must not be used for", "", "; ".join(context.not_for) + "."),
        ("model influence", context.influence.rating, context.influence.because),
        ("consequence of wrong decision", context.consequence.rating, context.consequence.because),
        ("model risk", context.risk, "The higher one of the two."),
        ("model impact", context.impact.rating, context.impact.because),
        (
            "technical criteria", "",
            f"The targets of the totals, met on the validation figures near this use, and every credibility factor "
            f"graded {least(context.risk)}.",
        ),
        ("appropriateness", "", context.appropriate),
        (
            "evaluation of model and outcomes", "",
            f"{of(met, len(use.near.criteria))} targets met near this use, "
            f"{of(len(use.factors) - len(use.short), len(use.factors))} factors graded {least(context.risk)}.",
        ),
        ("outcome of the assessment", "", concluded(use)),
    ]  # fmt: skip
