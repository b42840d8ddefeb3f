"""Every claim of the source text, what answers it and how it stands; the references of that text as they were found.

``data/claims.yaml`` holds the rows of the plan, the simulations behind the results and the references;
``data/claims/<part>.yaml`` the claims, passage by passage. A claim is in this project's own words and has an answer:

    outputs        quantities of a simulation (``run``) on a ``day`` (its last by default), beside those of the run
                   named by ``against`` on that day, or else beside its own start; ``alternatives`` are conflicting
                   findings whose result is printed as well
    tests          tests that hold it, as path::function
    not_modelled   why nothing computes it; excludes the other two

and a ``verdict`` on the text with one sentence why and the sources that were seen.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args

from pydantic import Field, ValidationError, model_validator

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml
from leydig.grading import alternatives
from leydig.parameters import Strict
from leydig.quantities import CANONICAL

FILE, FOLDER = "claims.yaml", "claims"
PARTS = ("fundamentals", "intermediate", "academic", "reflection")
TEN = range(1, 11)
CHANGES = {"bmd_spine_change": "bmd_spine", "bmd_hip_change": "bmd_hip"}  # what changes in percent from the start

Verdict = Literal[
    "supported", "supported in part", "overstated", "not supported by what was found", "not testable"
]  # fmt: skip
Found = Literal["found as cited", "found with other details", "not found"]
VERDICTS: tuple[str, ...] = get_args(Verdict)
FOUND: tuple[str, ...] = get_args(Found)

Sentence = Annotated[str, Field(min_length=1)]


class Run(Strict):
    """A simulation behind results: a bundled man under a protocol, with so many draws for bands."""

    subject: Sentence
    protocol: Sentence
    days: Annotated[float, Field(gt=0)]
    draws: Annotated[int, Field(ge=0)] = 0
    says: Sentence


class Output(Strict):
    """What of a run answers a claim."""

    run: str
    quantities: Annotated[tuple[str, ...], Field(min_length=1)]
    day: Annotated[float, Field(ge=0)] | None = None
    against: str | None = None
    alternatives: tuple[str, ...] = ()


class _Claim(Strict):
    """A claim as its file states it."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    row: str
    claim: Sentence
    outputs: tuple[Output, ...] = ()
    tests: tuple[Annotated[str, Field(pattern=r"^tests/\S+\.py(::\w+)+$")], ...] = ()
    not_modelled: Sentence | None = None
    verdict: Verdict
    because: Sentence
    sources: tuple[str, ...]

    @model_validator(mode="after")
    def answered(self) -> Self:
        """Something answers it, and a judgement on evidence names its sources."""
        if bool(self.outputs or self.tests) == bool(self.not_modelled):
            raise InputError(f'the claim "{self.id}" needs either "outputs" or "tests", or else "not_modelled"')
        if not self.sources and self.verdict != "not testable":
            raise InputError(f'the claim "{self.id}" is judged "{self.verdict}" and needs "sources"')
        return self


class Claim(_Claim):
    """A claim with its place in the text."""

    part: str
    passage: str


class _Passage(Strict):
    passage: Sentence
    claims: Annotated[tuple[_Claim, ...], Field(min_length=1)]


class _Part(Strict):
    part: Literal["fundamentals", "intermediate", "academic", "reflection"]
    passages: Annotated[tuple[_Passage, ...], Field(min_length=1)]


class Cited(Strict):
    """A reference of the source text: how it cites it and what was found."""

    number: int
    cited_as: Sentence
    verdict: Found
    key: str | None = None
    correction: Sentence | None = None
    checked: Sentence

    @model_validator(mode="after")
    def told(self) -> Self:
        """What was not found as cited says what is right or nearest."""
        if (self.verdict == "found as cited") != (self.correction is None):
            raise InputError(f'reference {self.number} needs a "correction" exactly when it was not found as cited')
        if self.verdict != "not found" and self.key is None:
            raise InputError(f'reference {self.number} was found and needs a "key" of the bibliography')
        return self


class _File(Strict):
    rows: Annotated[dict[str, Sentence], Field(min_length=1)]
    runs: Annotated[dict[str, Run], Field(min_length=1)]
    references: tuple[Cited, ...]


class Claims(NamedTuple):
    """Everything together; claims in the order of the text."""

    rows: dict[str, str]
    runs: dict[str, Run]
    references: tuple[Cited, ...]
    claims: tuple[Claim, ...]

    def passages(self, part: str) -> dict[str, list[Claim]]:
        """The claims of one part by passage, in order."""
        found: dict[str, list[Claim]] = {}
        for claim in self.claims:
            if claim.part == part:
                found.setdefault(claim.passage, []).append(claim)
        return found


class Held(NamedTuple):
    """A test of the tree: what it holds, in words, and whether its failure is a known miss."""

    path: str
    holds: str
    known_miss: bool


@cache
def claims() -> Claims:
    """The claims of the package; InputError in one sentence when a file cannot be used."""
    return load(DATA)


def load(folder: Path) -> Claims:
    """The claims below a folder, checked against quantities, alternatives and bibliography."""
    head: _File = _read(folder / FILE, _File)
    found = []
    for name in PARTS:
        part: _Part = _read(folder / FOLDER / f"{name}.yaml", _Part)
        if part.part != name:
            raise InputError(f'{name}.yaml of {FOLDER} must hold the part "{name}", not "{part.part}"')
        for passage in part.passages:
            found += [Claim(**dict(claim), part=name, passage=passage.passage) for claim in passage.claims]
    whole = Claims(head.rows, head.runs, head.references, tuple(found))
    _check(whole)
    return whole


def _read(path: Path, model: Any) -> Any:
    try:
        return model.model_validate(read_yaml(path))
    except ValidationError as error:
        raise from_pydantic(error, path.name, model) from error


def _check(whole: Claims) -> None:
    """Refuse what points nowhere, what stands twice and what nothing uses."""
    ids = [claim.id for claim in whole.claims]
    for one in ids:
        if ids.count(one) > 1:
            raise InputError(f'two claims have the id "{one}"')
    used: set[str] = set()
    for claim in whole.claims:
        where = f'the claim "{claim.id}"'
        if claim.row not in whole.rows:
            raise unknown("row", claim.row, whole.rows, where)
        used |= _check_outputs(claim, whole.runs, where)
        held = [reference(key, where) for key in claim.sources]
        if held and all(source.verification in UNUSABLE for source in held):
            raise InputError(f"the sources of {where} are all unseen")
    for row in set(whole.rows) - {claim.row for claim in whole.claims}:
        raise InputError(f'the row "{row}" of {FILE} has no claim')
    for name in set(whole.runs) - used:
        raise InputError(f'the run "{name}" of {FILE} answers no claim')
    if [cited.number for cited in whole.references] != list(TEN):
        raise InputError(f"the references of {FILE} must be numbered 1 to 10 in order")
    for cited in whole.references:
        if cited.key is not None:
            seen = reference(cited.key, f"reference {cited.number} of {FILE}").verification
            if (seen == "not found") != (cited.verdict == "not found"):
                raise InputError(f'reference {cited.number} is "{cited.verdict}", but {cited.key} says "{seen}"')


def _check_outputs(claim: Claim, runs: dict[str, Run], where: str) -> set[str]:
    """The runs that a claim names, once everything its outputs name exists."""
    used = set()
    for output in claim.outputs:
        for name in (output.run, *([output.against] if output.against else [])):
            if name not in runs:
                raise unknown("run", name, runs, where)
            if output.day is not None and output.day > runs[name].days:
                raise InputError(f'{where} asks for day {output.day:g}, but the run "{name}" ends before')
            used.add(name)
        for quantity in output.quantities:
            if quantity not in CANONICAL:
                raise unknown("quantity", quantity, CANONICAL, where)
        for name in output.alternatives:
            if name not in alternatives():
                raise unknown("alternative", name, alternatives(), where)
            if alternatives()[name].quantity not in {CHANGES.get(shown, shown) for shown in output.quantities}:
                raise InputError(f'{where} names the alternative "{name}" but does not show what it is about')
    return used


def tests_below(root: Path) -> dict[str, Held]:
    """Every test function of ``root/tests`` by path::name (path::class::name), read and never run."""
    found: dict[str, Held] = {}
    for path in sorted((root / "tests").rglob("test_*.py")):
        place = path.relative_to(root).as_posix()
        for name, node in _functions(ast.parse(path.read_text(encoding="utf-8"), filename=place)):
            miss = any("xfail" in ast.dump(mark) for mark in node.decorator_list)
            found[f"{place}::{name}"] = Held(place, _words(node.name), miss)
    return found


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test_"):
                    yield f"{node.name}::{inner.name}", inner


def _words(name: str) -> str:
    """A function's name as words, with the letters of hormones large: test_a_raised_LH becomes a raised LH."""
    text = name.removeprefix("test_").replace("_", " ")
    return re.sub(r"\b(fsh|shbg|lh|bmd)\b", lambda found: found[0].upper(), text)
