"""The credibility factors of ASME V&V 40, each graded by a rule from criteria that results meet or do not.

A factor is graded high when all of its criteria are met, medium when at least half are, low when any is, none else.
What could not be told is not met. A use of some risk asks for factors of that grade at least.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from leydig.studies import credibility_criteria as criteria
from leydig.studies.credibility_criteria import Criterion
from leydig.studies.credibility_evidence import VALIDATION, Evidence, near_to
from leydig.studies.credibility_file import Context, Rating
from leydig.studies.credibility_lines import sums

Grade = Literal["none", "low", "medium", "high"]
GRADES: tuple[Grade, ...] = ("none", "low", "medium", "high")


class Factor(NamedTuple):
    """A credibility factor with what it rests on."""

    part: str
    name: str
    criteria: tuple[Criterion, ...]

    @property
    def grade(self) -> Grade:
        """All criteria met, at least half, any, none."""
        met = sum(one.met is True for one in self.criteria)
        if not met:
            return "none"
        if met == len(self.criteria):
            return "high"
        return "medium" if 2 * met >= len(self.criteria) else "low"

    def reaches(self, risk: Rating) -> bool:
        """Whether it is as good as a use of this risk asks for."""
        return GRADES.index(self.grade) >= GRADES.index(risk)


def factors(evidence: Evidence) -> list[Factor]:
    """The factors that do not depend on the use."""
    validation = evidence.lines(VALIDATION)
    made: tuple[tuple[str, str, list[Criterion]], ...] = (
        ("code", "Software quality assurance", criteria.quality(evidence)),
        ("code", "Numerical code verification", criteria.code(evidence)),
        ("calculation", "Discretization error", criteria.steps(evidence)),
        ("calculation", "Numerical solver error", criteria.numbers(evidence)),
        ("calculation", "Use error", [criteria.check(evidence, "input")]),
        ("model", "Model form", criteria.form(evidence, validation)),
        ("model", "Model inputs", criteria.inputs(evidence)),
        ("comparator", "Test samples", criteria.samples(evidence, validation)),
        ("comparator", "Test conditions", criteria.conditions(evidence, validation)),
        ("assessment", "Equivalency of input parameters", criteria.equivalency(evidence)),
        ("assessment", "Output comparison", criteria.targets(sums(validation))),
    )
    return [Factor(part, name, (*found, *_judged(evidence, name))) for part, name, found in made]


def factors_of(evidence: Evidence, context: Context) -> list[Factor]:
    """The factors that depend on the use: agreement near it, and how near the evidence comes."""
    near = near_to(evidence, context)
    return [
        Factor("assessment", "Output comparison near this use", tuple(criteria.targets(sums(near)))),
        Factor(
            "applicability",
            "Relevance of the quantities of interest",
            tuple(criteria.quantities(evidence, context, near)),
        ),
        Factor(
            "applicability",
            "Relevance of the validation to this use",
            tuple(criteria.validation(evidence, context, near)),
        ),
    ]


def _judged(evidence: Evidence, name: str) -> list[Criterion]:
    return [
        Criterion(f"judged: {one.says}", one.met) for one in evidence.prose.judged if one.factor == name
    ]  # fmt: skip
