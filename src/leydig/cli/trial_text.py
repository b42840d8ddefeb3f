"""What ``leydig trial`` says in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# letters of the terminal's table
FIRST, COLUMNS = 19, {"truth": 6, "expected": 8, "one trial": 22, "p": 6, "power": 5, "assured": 7}
SHORT = ("Men", "Criteria", "Before baseline", "Visits", "Washout", "Assays")  # of the design; the rest in other lines


def text(answer: Mapping[str, Any], written: Sequence[str]) -> str:
    """What a person reads in the terminal: who the men are, the outcomes, power by size, and where the files are."""
    from rich.console import Console

    from leydig.cli.shell import spelt
    from leydig.cli.table import NOT_ADVICE
    from leydig.report import trial as page
    from leydig.report import trial_design, trial_words, wording

    console = Console(highlight=False)
    with console.capture() as shown:
        length = wording.span(answer["design"]["horizon"])
        console.print(f"{answer['design']['name']}, {length}", markup=False)
        console.print(page.size(answer), markup=False)
        console.print(NOT_ADVICE)
        for remark in answer["unreached"]:
            console.print(remark, markup=False, style="bold")
        console.print()
        for heading, words in trial_design.lines(answer):
            if heading in SHORT or heading.startswith("Doses of"):
                console.print(f"{heading}: {words}", markup=False)
        grouped: dict[str, list[Any]] = {}
        for one in answer["outcomes"]:
            grouped.setdefault(f"{trial_words.title(one)}, {trial_words.unit(one)}", []).append(one)
        for place, (title, several) in enumerate(grouped.items()):
            console.print()
            console.print(title + (" (primary)" if several[0]["primary"] else ""), style="bold", markup=False)
            console.print(_outcomes(several, with_header=not place))
            for one in several:
                if one["split"]:
                    console.print(f"  {trial_words.parts(one)}", markup=False)
        comes_back = [trial_words.control(one) for one in answer["controls"]]
        carried_over = [trial_words.period(one) for one in answer["outcomes"] if one["period"]]
        for sentences in (comes_back, carried_over):
            if sentences:
                console.print()
            for sentence in sentences:
                console.print(sentence, markup=False)
        if carried_over:
            console.print("What the first period leaves in the second shows in these differences.", markup=False)
        if len(answer["curve"]) > 1 and any(one["power"] for one in answer["outcomes"]):
            console.print()
            console.print(_power(answer))
        console.print()
        for sentence in _men(answer):
            console.print(sentence, markup=False)
        console.print(
            "Truth: the state behind the readings, nobody leaving. Expected: what very large trials with the same "
            "assays and drop-outs find. One trial: estimate and 95 % interval. "
            f"Power: share of {answer['design']['replicates']:,} trials with p below 0.05. "
            "Assurance: power averaged over what is not known.",
            markup=False,
        )
        for remark in answer["remarks"]:
            if remark not in answer["unreached"]:
                console.print(remark, markup=False)
        for path in written:
            console.print(f"written: {spelt(path)}", markup=False, soft_wrap=True)
    return shown.get()


def _outcomes(several: Sequence[Mapping[str, Any]], with_header: bool) -> Any:
    from rich.markup import escape
    from rich.table import Table

    from leydig.report import trial_words, wording

    table = Table(box=None, show_header=with_header, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("", width=FIRST, overflow="fold")
    for heading, width in COLUMNS.items():
        table.add_column(heading, width=width, justify="right", overflow="fold")
    for one in several:
        table.add_row(
            escape(f"  {trial_words.arms(one)}"),
            *(trial_words.number(one, one[name]) for name in ("truth", "expected")),
            trial_words.with_interval(one, one["one_trial"]),
            trial_words.p_value(one["one_trial"]["p"]).replace(wording.NARROW, ""),
            *(trial_words.share(one[name]).partition(" (")[0] for name in ("power", "assurance")),
        )
    return table


def _power(answer: Mapping[str, Any]) -> Any:
    """Power alone; its intervals stand in the files."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from leydig.report import trial_words

    table = Table(title="How many men it takes", title_style="bold", title_justify="left", box=box.SIMPLE_HEAD)
    table.show_edge, table.padding = False, (0, 1, 0, 0)
    table.add_column("power", overflow="fold")
    for point in answer["curve"]:
        size = trial_words.men(answer["design"], point).replace(", ", ",\n")
        table.add_column(size, justify="right")
    for place, one in enumerate(answer["outcomes"]):
        if one["power"]:
            cells = [trial_words.share(point["power"][place]).partition(" (")[0] for point in answer["curve"]]
            table.add_row(escape(f"{trial_words.short(one)}, {trial_words.arms(one)}"), *cells)
    return table


def _men(answer: Mapping[str, Any]) -> list[str]:
    """The baseline table, and who leaves."""
    from leydig.report import trial as page
    from leydig.report import trial_words, wording

    found = []
    for row in page.baseline_rows(answer):
        unit = f" ({row['unit']})" if row["unit"] else ""
        reached = wording.listed(list(dict.fromkeys(row["reached"])))
        asked = "" if row["asked"] == trial_words.NOTHING else f"asked for {row['asked']}, reached "
        found.append(f"{row['name']}{unit} at {row['when']}: {asked}{reached}.")
    for group in page.group_rows(answer):
        taken = "" if group["taken"] == "\u2013" else f", {group['taken']} % of doses taken"
        let_in = f"{group['n']} of about {group['screened']} screened"
        found.append(f"{group['group']}: {let_in}, {group['left']} leave{taken}.")
    return found
