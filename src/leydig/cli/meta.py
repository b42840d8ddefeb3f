"""The options and help of ``leydig meta``; nothing slow is imported until it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from leydig.cli.shell import once


def meta(
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="A quantity that trials report: testosterone, …")],
    drug: Annotated[
        list[str] | None,
        typer.Option(
            "--drug", metavar="NAME", help="A drug, a class, or weight loss. Default: aromatase inhibitors (also AI)."
        ),
    ] = None,
    design: Annotated[
        list[str] | None,
        typer.Option(
            "--design", metavar="NAME", help="controlled, before-after, or any (default): controlled where it is."
        ),
    ] = None,
    from_day: Annotated[
        list[str] | None, typer.Option("--from-day", metavar="N", help="First day since the drug began. Default: 80.")
    ] = None,
    to_day: Annotated[
        list[str] | None,
        typer.Option("--to-day", metavar="N", help='Last day, or a length such as "2 years". Default: 400.'),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="NAME", help="Compare groups: design, condition, drug, assay or role."),
    ] = None,
    moderator: Annotated[
        list[str] | None,
        typer.Option(
            "--moderator",
            metavar="NAME",
            help="Regress on testosterone, BMI or age at baseline; repeatable; default all.",
        ),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="NAME", help="Only calibration, validation or none. Default: every."),
    ] = None,
    no_model: Annotated[bool, typer.Option("--no-model", help="Leave out the model's row; quicker.")] = False,
    out: Annotated[
        list[str] | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="A folder (page, JSON, tables, pictures), or a .html .json .csv .png .svg file.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Pool what published trials found, and draw the model's prediction beside it.

    Each study counts once, with its last visit in the window; studies that share men and several arms of one study are
    not counted twice. What is left out is listed with the reason.

    \b
    Examples:
      leydig meta testosterone
      leydig meta sperm_concentration --by drug --out meta/
      leydig meta bmd_spine --drug "androgen deprivation" --to-day "2 years" --json
    """
    from leydig.cli import meta_run

    code = meta_run.run(
        outcome,
        drug=once("--drug", drug),
        design=once("--design", design) or "any",
        from_day=once("--from-day", from_day),
        to_day=once("--to-day", to_day),
        by=once("--by", by),
        moderators=list(dict.fromkeys(moderator or [])),
        role=once("--role", role),
        model=not no_model,
        out=once("--out", out),
        as_json=as_json,
    )
    raise typer.Exit(code)
