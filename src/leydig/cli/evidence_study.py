"""One study of the evidence base in the terminal: everything that is entered of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leydig.cli.evidence_text import NAMES, limit_of, printed, table, unit_of, value_of
from leydig.evidence import Arm, Criterion, Outcome, Reported, Trial
from leydig.literature.records import Distribution, Group, Guideline, Variation
from leydig.studies import evidence_list
from leydig.studies.evidence_rows import GUIDELINES, KINDS, TRIALS, Row, rows, spread_words


def text(key: str, named: dict[str, Any]) -> str:
    """Everything that is entered of a study, of whatever kind."""
    parts: list[Any] = []
    for one in named.get(TRIALS, ()):
        parts += [*_trial(one), ""]
    for kind in KINDS[1:]:
        if kind in named:
            parts += [*_entry(kind, named[kind]), ""]
    keys = {key, *(one.key for one in named.get(TRIALS, ()))}
    its_own = [row for kind in KINDS for row in rows(kind) if row.study in keys]
    for conflict in evidence_list.conflicts_of(its_own):
        parts.append(f"Conflict: {conflict.name}. {conflict.what}")
    return printed(parts[:-1] if parts[-1] == "" else parts)


def _head(key: str, kind: str, title: str, citation: str) -> list[str]:
    entry = evidence_list.citation(citation)
    address = entry.get("url", "")
    return [f"{key} ({kind}): {title}", entry["text"], *([address] if address not in entry["text"] else [])]


def _trial(one: Trial) -> Iterator[Any]:
    yield from _head(one.key, "trial", one.title, one.citation)
    yield f"Role: {one.role}. {one.reason}"
    yield f"Numbers seen: {one.verification}."
    if one.shares_men_with:
        yield f"Shares men with {', '.join(one.shares_men_with)}."
    yield f"Men: {_men(one)}."
    if one.population.inclusion:
        yield f"Let in: {'; '.join(one.population.inclusion)}."
    for criterion in one.population.criteria:
        yield f"Let in by reading: {_criterion(criterion)}."
    crossover = ", crossover" if one.design.crossover else ""
    yield f"Design: {one.design.allocation}, control {one.design.control}{crossover}."
    if one.assay:
        yield f"Assay: {', '.join(f'{quantity} {assay}' for quantity, assay in one.assay.items())}."
    for arm in one.arms:
        yield ""
        yield from _arm(arm)
    for name, sentences in (("Assumption", one.assumptions), ("Deviation", one.deviations)):
        for sentence in sentences:
            yield f"{name}: {sentence.strip()}"


def _men(one: Trial) -> str:
    men = one.population
    parts = [men.text]
    for name, mean, spread, unit in (("age", men.age, men.age_sd, " years"), ("BMI", men.BMI, men.BMI_sd, " kg/m2")):
        if mean is not None:
            parts.append(f"{name} {mean:g}{f' (SD {spread:g})' if spread is not None else ''}{unit}")
    if men.ages:
        parts.append(f"{men.ages[0]:g} to {men.ages[1]:g} years")
    parts += [part for part in (f"n {men.n}" if men.n else "", men.condition or "") if part]
    return ", ".join(parts)


def _criterion(criterion: Criterion) -> str:
    ends = (("above", criterion.above), ("below", criterion.below))
    limits = " and ".join(f"{word} {value:g}" for word, value in ends if value is not None)
    samples = f", mean of {criterion.samples}" if criterion.samples > 1 else ""
    note = f" ({criterion.note})" if criterion.note else ""
    return f"{criterion.quantity} {limits} {unit_of(criterion.unit)}{samples}, at {criterion.visit}{note}"


def _arm(arm: Arm) -> Iterator[Any]:
    size = f", n {arm.n}" if arm.n else ""
    yield f"Arm {arm.name}{size}: {' '.join(arm.protocol.split())}"
    lines: list[tuple[str, ...]] = [
        ("0", quantity, _reported(reported), str(reported.n or ""), "baseline", reported.note or "")
        for quantity, reported in arm.baseline.items()
    ]
    lines += [_outcome(outcome) for outcome in arm.outcomes]
    if lines:
        yield table(("day", "quantity", "value", "n", "where and how seen", "note"), lines)


def _outcome(outcome: Outcome) -> tuple[str, ...]:
    statistic = "" if outcome.statistic == "mean" else f"{outcome.statistic.replace('_', ' ')} "
    against = f" against {outcome.against}" if outcome.against else ""
    told = [outcome.note or "", "" if outcome.fit else f"not scored: {outcome.why}"]
    return (
        f"{outcome.day:g}",
        outcome.quantity,
        f"{statistic}{_reported(outcome)}{against}",
        str(outcome.n or ""),
        _place(outcome.where, outcome.seen),
        "; ".join(part for part in told if part),
    )


def _reported(reported: Reported) -> str:
    spread = spread_words(reported)
    number = f"{reported.value:g} {unit_of(reported.unit)}".strip()
    return f"{number} ({spread})" if spread else number


def _entry(kind: str, entry: Distribution | Variation | Guideline) -> Iterator[Any]:
    """An entry of another kind, each number with where it stands in the source and in which data file."""
    yield from _head(entry.key, NAMES[kind].lower(), entry.title, entry.citation)
    if entry.note:
        yield entry.note
    several = [row for row in rows(kind) if row.study == entry.key]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in several:
        groups.setdefault((row.group, row.file), []).append(row)
    men = {group.name: _group(group) for group in entry.groups} if isinstance(entry, Distribution) else {}
    if isinstance(entry, Variation):
        yield f"Men: {entry.population}{f', n {entry.men}' if entry.men else ''}."
    for (group, file), some in groups.items():
        yield ""
        yield f"{men.get(group, group) or NAMES[kind]} ({file})"
        if kind == GUIDELINES:
            yield table(
                ["says", "limit", "assay", "seen"],
                [(r.note, limit_of(r), r.assay, _place(r.where, r.seen)) for r in some],
            )
        else:
            yield table(["quantity", "figure", "value", "seen", "note"], map(_number_line, some))


def _group(group: Group) -> str:
    """Who the men of a group are."""
    parts = [group.name] if group.text == group.name else [group.name, group.text]
    parts += [f"n {group.n}"] if group.n else []
    parts += [f"{group.ages[0]:g} to {group.ages[1]:g} years"] if group.ages else []
    parts += [f"BMI {group.BMI[0]:g} to {group.BMI[1]:g} kg/m2"] if group.BMI else []
    parts += [f"{group.hour:g} h"] if group.hour is not None else []
    told = ", ".join(parts)
    return f"{told}. {group.note}" if group.note else told


def _place(where: str, seen: str) -> str:
    """Where a number stands and how it was seen, once where both are the abstract."""
    return seen if where == seen else f"{where}, {seen}"


def _statement_line(row: Row) -> tuple[str, ...]:
    return row.note, limit_of(row), row.assay, _place(row.where, row.seen)


def _number_line(row: Row) -> tuple[str, ...]:
    note = "; ".join(part for part in (row.assay, row.against, row.note) if part)
    return row.quantity, row.statistic, value_of(row), _place(row.where, row.seen), note
