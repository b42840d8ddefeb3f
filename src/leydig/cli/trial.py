"""The options and help of ``leydig trial``; nothing slow is imported until it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from leydig.cli.shell import once


def trial(
    design: Annotated[
        str, typer.Argument(metavar="FILE|NAME", help="A design of a trial, or the name of a bundled one.")
    ],
    per_arm: Annotated[
        list[str] | None,
        typer.Option("-n", metavar="N", help="Men per arm (not in all), in place of the design's number."),
    ] = None,
    power: Annotated[
        list[str] | None,
        typer.Option(
            "--power",
            metavar='"N, N, …"',
            help="Men per arm (not in all) for the power curve. Default: half, once and twice the design's.",
        ),
    ] = None,
    replicates: Annotated[
        list[str] | None,
        typer.Option("--replicates", metavar="N", help="Trials that are drawn, in place of the design's number."),
    ] = None,
    draws: Annotated[
        list[str] | None,
        typer.Option(
            "--draws", metavar="N", help="Draws of what is not known, for assurance; 0 for none. Default: 20."
        ),
    ] = None,
    seed: Annotated[
        list[str] | None,
        typer.Option("--seed", metavar="S", help="Which men and readings; the same seed, the same result. Default: 0."),
    ] = None,
    out: Annotated[
        list[str] | None,
        typer.Option(
            "--out", metavar="FOLDER", help="A folder (page, JSON and tables), or a .html, .json or one .csv file."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Run a trial of your own design on virtual men: what it would find, and how often.

    Men are let in by criteria and a baseline table, randomised, given and missing their doses, read at every visit
    with the noise of the laboratory, and analysed as a paper would. The trial is drawn many times: power by size,
    assurance, false positives, and where there is no control how much of a change comes back by itself.

    Bundled: obese-men-anastrozole, obese-men-clomiphene-crossover, oligozoospermic-men-before-after; their files are
    commented and show the format.

    \b
    Example:
      leydig trial obese-men-clomiphene-crossover --power "6, 10, 20" --draws 4
    """
    from leydig.cli import trial_run

    code = trial_run.run(
        design,
        per_arm=once("-n", per_arm),
        sizes=once("--power", power),
        replicates=once("--replicates", replicates),
        draws=once("--draws", draws),
        seed=once("--seed", seed) or "0",
        out=once("--out", out),
        as_json=as_json,
    )
    raise typer.Exit(code)
