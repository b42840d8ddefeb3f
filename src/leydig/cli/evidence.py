"""The options and help of ``leydig evidence``; nothing slow is imported until it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from leydig.cli.shell import once

Name = list[str] | None


def evidence(
    study: Annotated[
        str | None, typer.Argument(metavar="[STUDY]", help="A study by its key: everything that is entered of it.")
    ] = None,
    kind: Annotated[
        Name, typer.Option("--kind", metavar="NAME", help="trials, distributions, variation or guidelines.")
    ] = None,
    drug: Annotated[
        Name, typer.Option("--drug", metavar="NAME", help="Only arms that take this drug, or weight, or none.")
    ] = None,
    quantity: Annotated[Name, typer.Option("--quantity", metavar="NAME", help="Only figures of this quantity.")] = None,
    role: Annotated[Name, typer.Option("--role", metavar="NAME", help="calibration, validation or none.")] = None,
    verification: Annotated[
        Name, typer.Option("--verification", metavar="NAME", help="How it was seen: fulltext, abstract or secondary.")
    ] = None,
    condition: Annotated[
        Name, typer.Option("--condition", metavar="NAME", help="Only men of this condition, such as eugonadal.")
    ] = None,
    conflicts: Annotated[
        bool, typer.Option("--conflicts", help="Findings that contradict one another, side by side.")
    ] = False,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="Studies that were collected and not used, each with the reason.")
    ] = False,
    out: Annotated[
        Name,
        typer.Option("--out", metavar="FOLDER", help="Write the figures as CSV and a page with a plot per quantity."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """What is published: trials, distributions of men, variation within a man, guidelines; with sources and roles.

    Without anything, an overview. With a study, all of it. With options, the figures that meet every one of them, as
    they are printed: where each stands, how it was seen, and whether a fit may see it.

    \b
    Examples:
      leydig evidence --drug anastrozole --quantity testosterone --role validation
      leydig evidence burnettbowie2009
      leydig evidence --quantity estradiol --out out/estradiol
    """
    from leydig.cli import evidence_run

    code = evidence_run.run(
        study,
        given={
            "kind": once("--kind", kind),
            "drug": once("--drug", drug),
            "quantity": once("--quantity", quantity),
            "role": once("--role", role),
            "verification": once("--verification", verification),
            "condition": once("--condition", condition),
        },
        conflicts=conflicts,
        left_out=left_out,
        out=once("--out", out),
        as_json=as_json,
    )
    raise typer.Exit(code)
