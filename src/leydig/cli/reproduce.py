"""The options and help of ``leydig reproduce``; nothing slow is imported until it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from leydig.cli.shell import once


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME|FILE]...",
            help="Published trials by name, or trial files of your own. Default: every trial with a role.",
        ),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", metavar="NAME", help="Only trials of this role: calibration, validation or none."),
    ] = None,
    drug: Annotated[
        list[str] | None, typer.Option("--drug", metavar="NAME", help="Only trials in which an arm is given this drug.")
    ] = None,
    seed: Annotated[
        list[str] | None,
        typer.Option("--seed", metavar="S", help="Which random draws; the same seed, the same result. Default: 0."),
    ] = None,
    draws: Annotated[
        list[str] | None,
        typer.Option("--draws", metavar="N", help="Draws of what is uncertain; fewer are quicker and coarser."),
    ] = None,
    men: Annotated[
        list[str] | None, typer.Option("--men", metavar="N", help="At most so many virtual men per arm and draw.")
    ] = None,
    workers: Annotated[
        list[str] | None, typer.Option("--workers", metavar="N", help="Processes. Default: one per CPU.")
    ] = None,
    out: Annotated[
        list[str] | None,
        typer.Option("--out", metavar="FOLDER", help="Page, data and finished trials; begun again, the run goes on."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Run published trials again on virtual men and score every figure that they print.

    Each trial is run many times at its own size. A figure is inside or outside the 50 and 95 % intervals of what the
    model expects the paper to print; totals stand apart for trials that the model was fitted to (calibration) and for
    those that it had not seen (validation). Without a name, all trials are run, which takes minutes.

    \b
    Example:
      leydig reproduce leder2004 --draws 5
    """
    from leydig.cli import reproduce_run

    code = reproduce_run.run(
        names or [],
        role=once("--role", role),
        drug=once("--drug", drug),
        draws=once("--draws", draws),
        men=once("--men", men),
        seed=once("--seed", seed) or "0",
        workers=once("--workers", workers),
        out=once("--out", out),
        as_json=as_json,
    )
    raise typer.Exit(code)
