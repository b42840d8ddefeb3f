"""``leydig meta``: published effects of a drug on one outcome, pooled, with the model's prediction as one more row."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leydig.cli.files import check_writable
from leydig.cli.options import Target, horizon
from leydig.cli.shell import DONE, FOUND_WRONG, collected_warnings, print_json, progress_bar, say

FILES = (".json", ".csv", ".html", ".png", ".svg")
PICTURES = ("forest.png", "forest.svg", "funnel.png", "funnel.svg")
IN_A_FOLDER = ("report.html", "meta.json", "studies.csv", "left_out.csv", *PICTURES)
LEFT_OUT_SHOWN = 8


def run(
    outcome: str,
    *,
    drug: str | None,
    design: str,
    from_day: str | None,
    to_day: str | None,
    by: str | None,
    moderators: Sequence[str],
    role: str | None,
    model: bool,
    out: str | None,
    as_json: bool,
) -> int:
    target = None if out is None else Target(out, "", FILES, IN_A_FOLDER)
    if target is not None:
        check_writable(target)
    from leydig.io.tables import plain
    from leydig.studies.meta import analyse
    from leydig.studies.meta_document import document
    from leydig.studies.meta_question import ask

    first, last = _day("--from-day", from_day), _day("--to-day", to_day)
    question = ask(outcome, drug=drug, design=design, from_day=first, to_day=last, role=role)
    with collected_warnings() as warned, progress_bar("the model's row", model) as progress:
        found = analyse(question, by=by, moderators=moderators, with_model=model, progress=progress)
    answer = plain(document(found))
    written = [] if target is None or answer["pooled"] is None else write(answer, target)
    if as_json:
        print_json({**answer, "files": written, "warnings": warned})
    else:
        sys.stdout.write(text(answer, written))
    if answer["pooled"] is None:
        say("error", answer["why_not"] + ("" if target is None else "; nothing was written"))
        return FOUND_WRONG
    return DONE


def _day(option: str, text: str | None) -> float | None:
    """A day since the drug began: a number, 0 included, or a length such as "12 weeks"."""
    if text is None:
        return None
    return 0.0 if re.fullmatch(r"\s*0+(\.0+)?\s*", text) else horizon(option, text)


def write(answer: Mapping[str, Any], target: Target) -> list[str]:
    """The paths of the files written, all of them or none."""
    from leydig.cli.files import write_all

    return write_all(target, lambda path: _write_one(answer, path))


def _write_one(answer: Mapping[str, Any], path: Path) -> None:
    from leydig.io import meta_files
    from leydig.report import meta as page
    from leydig.report import meta_figures
    from leydig.writing import replacing, write_text

    suffix = path.suffix.lower()
    if suffix in (".png", ".svg"):
        make = page.pictures(answer)["funnel" if path.stem == "funnel" else "forest"]
        with replacing(path) as temporary:
            temporary.write_bytes(meta_figures.saved(make, suffix.removeprefix(".")))
    elif suffix == ".html":
        write_text(path, page.html(answer))
    elif suffix == ".csv":
        write_text(path, (meta_files.left_out_csv if path.stem == "left_out" else meta_files.studies_csv)(answer))
    else:
        write_text(path, meta_files.document_json(answer))


def text(answer: Mapping[str, Any], written: Sequence[str]) -> str:
    """What a person reads in the terminal: studies, pooled effect and model, warnings, what was left out."""
    from rich.console import Console

    from leydig.cli.table import NOT_ADVICE
    from leydig.report import meta_words as words

    console = Console(highlight=False)
    with console.capture() as shown:
        console.print(words.title(answer), markup=False)
        console.print(NOT_ADVICE)
        if answer["studies"]:
            console.print()
            console.print(_table(answer))
        console.print()
        if answer["pooled"] is not None:
            for sentence in [*words.summary(answer), *_groups(answer), *_regressions(answer), *words.opposed(answer)]:
                console.print(sentence, markup=False)
            for sentence in answer["cautions"]:
                console.print(f"Caution: {sentence}", markup=False)
        for sentence in _left_out(answer):
            console.print(sentence, markup=False, no_wrap=True, overflow="ellipsis")
        for path in written:
            console.print(f"written: {path}", markup=False, soft_wrap=True)
    return shown.get()


def _table(answer: Mapping[str, Any]) -> Any:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from leydig.report import meta_words as words
    from leydig.report.meta_forest import number, with_limits

    table = Table(box=box.SIMPLE_HEAD)
    table.show_edge, table.padding = False, (0, 1, 0, 0)
    table.add_column("")
    for heading in ("men", "day", "ratio (95 %)" if words.is_ratio(answer) else "difference (95 %)", "weight", "model"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in sorted(answer["studies"], key=lambda study: study["effect"]["value"]):
        men = f"{one['n']}+{one['controls']}" if one["controls"] else str(one["n"])
        model = number(None if one["model"] is None else one["model"]["value"])
        weight = "" if one["weight"] is None else f"{100 * one['weight']:.0f} %"
        name = escape(f"{words.study_name(one)}{words.star(one)}")
        table.add_row(name, men, f"{one['day']:g}", with_limits(one["effect"]), weight, model)
    pooled, model = answer["pooled"], answer["model"]
    if pooled is not None:
        beside = number(None if model is None or model["effect"] is None else model["effect"]["value"])
        table.add_section()
        table.add_row("pooled", f"{pooled['men']}", "", with_limits(pooled["effect"]), "100 %", beside)
    return table


def _groups(answer: Mapping[str, Any]) -> list[str]:
    from leydig.report import meta_words as words

    groups = words.groups(answer)
    if groups is None:
        return []
    rows = [f"{row['name']}: {row['effect']}, {row['studies']} {_studies(row['studies'])}." for row in groups["rows"]]
    return [*rows, groups["sentence"]]


def _regressions(answer: Mapping[str, Any]) -> list[str]:
    from leydig.report import meta_words as words

    found = []
    for one in map(words.regression, answer["regressions"]):
        if one["why_not"] is not None:
            found.append(f"By {one['name']}: {one['why_not']}.")
        else:
            times = "× " if words.is_ratio(answer) else ""
            warned = f"; {one['warned']}" if one["warned"] else ""
            found.append(f"By {one['name']}: {times}{one['slope']}, {one['studies']} studies, p {one['p']}{warned}.")
    return found


def _studies(count: int) -> str:
    return "study" if count == 1 else "studies"


def _left_out(answer: Mapping[str, Any]) -> list[str]:
    """The first of what was left out, and how many more there are."""
    left_out = answer["left_out"]
    if not left_out:
        return []
    found = [f"Left out ({len(left_out)}), and why:"]
    found += [f"  {one['study']} ({', '.join(one['arms'])}): {one['reason']}" for one in left_out[:LEFT_OUT_SHOWN]]
    more = len(left_out) - LEFT_OUT_SHOWN
    return [*found, f"  {more} more in --json and in the report"] if more > 0 else found
