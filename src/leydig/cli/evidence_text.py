"""The evidence base in the terminal: overview, lists, conflicts, what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from leydig.cli.table import NOT_ADVICE
from leydig.literature.conflicts import Conflict, LeftOut
from leydig.studies.evidence_list import Filter, select
from leydig.studies.evidence_rows import DISTRIBUTIONS, GUIDELINES, KINDS, TRIALS, VARIATION, Row

if TYPE_CHECKING:
    from rich.table import Table

UNSCORED = " *"
MOST_ROWS = 80  # of a list in the terminal
WIDEST = 12  # letters of a word that a column is not narrower than; names of studies are never broken
STUDY = ("study", "source")
NAMES = {TRIALS: "Trials", DISTRIBUTIONS: "Distributions of men", VARIATION: "Variation", GUIDELINES: "Guidelines"}


def printed(parts: Iterable[Any]) -> str:
    """Sentences and tables as the terminal shows them; text is never read as markup."""
    from rich.console import Console

    console = Console(highlight=False)
    with console.capture() as shown:
        for part in parts:
            if isinstance(part, str):
                console.print(part, markup=False, soft_wrap=False)
            else:
                console.print(part)
    return shown.get()


def table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> Table:
    """A table that folds words of its columns where the terminal is narrow."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown, filled = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0)), list(lines)
    for place, heading in enumerate(headings):
        longest = max((len(word) for line in filled for word in line[place].split()), default=0)
        of_study = heading in STUDY
        least = max(longest, len(heading)) if of_study else min(max(longest, len(heading)), WIDEST)
        shown.add_column(heading, overflow="fold", min_width=least, no_wrap=of_study)
    for line in filled:
        shown.add_row(*map(Text, line))
    return shown


def overview(document: dict[str, Any]) -> str:
    """How much there is of each kind, by role and by how it was seen, and how to ask further."""
    kinds = document["kinds"]
    lines = [
        [NAMES[kind], str(one["studies"]), str(one["figures"]), *(str(one["seen"].get(seen, 0)) for seen in SEEN)]
        for kind, one in kinds.items()
    ]
    roles = kinds[TRIALS]["roles"]
    by_role = [[role, str(one["studies"]), str(one["figures"]), str(one["scored"])] for role, one in roles.items()]
    drugs = ", ".join(f"{name} {count}" for name, count in kinds[TRIALS]["drugs"].items())
    return printed(
        [
            "Published evidence, by kind and by how its numbers were seen",
            NOT_ADVICE,
            "",
            table(("", "studies", "figures", *SEEN), lines),
            "",
            table(("trials by role", "studies", "figures", "scored"), by_role),
            "",
            f"Trials by drug: {drugs}.",
            f"{document['conflicts']} conflicts stand side by side (--conflicts); {document['left_out']} collected "
            "studies were left out (--left-out).",
            "One study whole: leydig evidence burnettbowie2009. Figures: leydig evidence --drug anastrozole "
            "--quantity testosterone. Every study by its key: leydig evidence --json.",
        ]
    )


SEEN = ("fulltext", "abstract", "secondary")


def listed(found: Sequence[Row], asked: Filter) -> str:
    """The figures that meet a filter, a table for each kind."""
    what = ", ".join(f"{name} {value}" for name, value in asked.given.items())
    if not found:
        return printed([f"No figure meets this: {what}.", *widened(asked)])
    studies = len({(row.kind, row.study) for row in found})
    parts: list[Any] = [f"{_figures(len(found))} of {studies} {'study' if studies == 1 else 'studies'}: {what}"]
    left = MOST_ROWS
    for kind in KINDS:
        several = [row for row in found if row.kind == kind][:left]
        left -= len(several)
        if several:
            parts += ["", _of_kind(kind, several, asked)]
    if any(row.role not in ("", "none") and not row.scored for row in found[:MOST_ROWS]):
        parts += ["", "* recorded, not scored"]
    if len(found) > MOST_ROWS:
        parts += ["", f"{len(found) - MOST_ROWS:,} more stand in --json and --out."]
    return printed(parts)


def widened(asked: Filter) -> list[str]:
    """What there is when one of the things asked for is left out."""
    if len(asked.given) < 2:
        return ["leydig evidence shows what there is of each kind, role and drug."]
    counts = {name: len(select(asked._replace(**{name: None}))) for name in asked.given}
    found = [f"Without --{name} {asked.given[name]}: {_figures(count)}." for name, count in counts.items() if count]
    return found or ["Nothing is found without any one of these either; leave two of them out."]


def _figures(count: int) -> str:
    return f"{count:,} figure{'' if count == 1 else 's'}"


def _of_kind(kind: str, several: Sequence[Row], asked: Filter) -> Table:
    """The figures of one kind; what was asked for by name has no column."""
    if kind == TRIALS:
        headings = ["study", "arm", "quantity", "day", "figure", "n", "seen", "role"]
        lines: list[tuple[str, ...]] = list(map(_trial_line, several))
    elif kind == GUIDELINES:
        headings = ["source", "says", "limit", "seen"]
        lines = [(row.study, row.note, limit_of(row), row.seen) for row in several]
    else:
        headings = ["study", "men" if kind == DISTRIBUTIONS else "over", "quantity", "figure", "value", "n", "seen"]
        lines = [(r.study, r.group, r.quantity, r.statistic, value_of(r), str(r.n or ""), r.seen) for r in several]
    known = {{"verification": "seen"}.get(name, name) for name in asked.given}
    kept = [place for place, heading in enumerate(headings) if heading not in known]
    return table([headings[place] for place in kept], [[line[place] for place in kept] for line in lines])


def _trial_line(row: Row) -> tuple[str, ...]:
    return row.study, row.group, row.quantity, f"{row.day:g}", _change(row), str(row.n or ""), row.seen, row.role


def _change(row: Row) -> str:
    """Before and on treatment as they are printed: 343 → 572 ng/dL (SD 139)."""
    statistic = "" if row.statistic == "mean" else f"{row.statistic.replace('_', ' ')} "
    against = f" against {row.against}" if row.against else ""
    mark = "" if row.scored or row.role == "none" else UNSCORED
    before = ""
    if row.baseline is not None:
        unit = "" if row.baseline_unit == row.unit else f" {unit_of(row.baseline_unit)}".rstrip()
        before = f"{row.baseline:g}{unit} → "
    return f"{before}{statistic}{value_of(row)}{against}{mark}"


def value_of(row: Row) -> str:
    """Value, unit and spread as they are printed."""
    number = "" if row.value is None else f"{row.value:g} {unit_of(row.unit)}".strip()
    return f"{number} ({row.spread})" if row.spread else number


def unit_of(unit: str) -> str:
    """A unit as it is printed; a plain number has none."""
    return "" if unit == "1" else unit


def limit_of(row: Row) -> str:
    """The limit of a statement, empty where it has none."""
    return f"{row.quantity} {row.statistic} {value_of(row)}" if row.quantity else ""


# Conflicts and what was left out ------------------------------------------------------------------


def conflicts(several: Sequence[tuple[Conflict, list[tuple[str, list[Row]]]]]) -> str:
    """Every conflict in its sentence, with the figures of its sides."""
    parts: list[Any] = []
    for conflict, sides in several:
        parts += [f"{conflict.name}: {conflict.what}"]
        lines = [(says if place == 0 else "", *_told(row)) for says, side in sides for place, row in enumerate(side)]
        parts += [table(("", "study", "men", "quantity", "day", "figure"), lines), ""]
    return printed(parts[:-1] if parts else ["No conflict has a figure that meets this."])


def _told(row: Row) -> tuple[str, ...]:
    if row.kind != TRIALS:
        return row.study, row.group, row.quantity, "", f"{row.statistic} {value_of(row)}"
    return row.study, row.group, row.quantity, f"{row.day:g}", _change(row)


def left_out(studies: Sequence[LeftOut]) -> str:
    """What was collected and left out, by reason."""
    reasons: dict[str, list[LeftOut]] = {}
    for one in studies:
        reasons.setdefault(one.reason, []).append(one)
    parts: list[Any] = [f"{len(studies)} collected studies are not used:"]
    for reason, several in sorted(reasons.items(), key=lambda pair: -len(pair[1])):
        parts += ["", f"{reason}:", *(f"  {one.id}: {one.noted}" for one in several)]
    return printed(parts)
