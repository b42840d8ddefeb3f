"""The verbs with their options and help. Nothing slow is imported until a verb runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from leydig import __version__
from leydig.cli.evidence import evidence
from leydig.cli.meta import meta
from leydig.cli.reproduce import reproduce
from leydig.cli.shell import guarded, once, unknown_verb
from leydig.cli.trial import trial


class Verbs(TyperGroup):
    """The group of verbs, in the order below; an unknown one is answered with the nearest."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise unknown_verb(args[0], self.commands)
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=Verbs,
    add_completion=False,
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 ran and found something wrong, 2 bad input, 130 interrupted.",
)

ProtocolOption = Annotated[
    list[str] | None,
    typer.Option("--protocol", "-p", metavar="TEXT", help="What he takes, in plain words; repeat it to compare."),
]
TitrateOption = Annotated[
    list[str] | None,
    typer.Option(
        "--titrate",
        metavar="RULES",
        help="Change doses at visits by printed values: a bundled name (another lists them), a file or words.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


@app.callback()
def leydig(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """A virtual man: hormones, semen, bone, metabolism and wellbeing under a protocol in plain words.

    \b
    leydig simulate older-man --protocol "anastrozole 1 mg daily for 52 weeks"

    For research and teaching. Not medical advice and not a medical device.
    """
    if version:
        print(f"leydig {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit


@app.command()
def simulate(
    subject: Annotated[
        str, typer.Argument(metavar="SUBJECT", help="A subject file, or the name of a bundled example.")
    ],
    protocol: ProtocolOption = None,
    titrate: TitrateOption = None,
    days: Annotated[
        str | None,
        typer.Option(
            "--days", metavar="N", help='How long: days, or text such as "2 years". Default: the protocol, else 1 year.'
        ),
    ] = None,
    bands: Annotated[
        bool, typer.Option("--bands", help="Add 95 % bands from joint draws of the man and the fit.")
    ] = False,
    draws: Annotated[
        str | None, typer.Option("--draws", metavar="N", help="How many draws make the bands; 200 unless given.")
    ] = None,
    seed: Annotated[
        str, typer.Option("--seed", metavar="S", help="Which random draws; the same seed, the same result.")
    ] = "0",
    start_weekday: Annotated[
        str | None,
        typer.Option("--start-weekday", metavar="DAY", help="Day of the week of day 0. Default: of his last baseline."),
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            "--assume",
            metavar="NAME",
            help="Take a conflicting finding as true, by its name in the report; repeatable.",
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="PATH", help="A folder (report and data), or a .json .csv .parquet .nc or .html file."
        ),
    ] = None,
    samples: Annotated[
        list[str] | None,
        typer.Option("--samples", metavar="VISITS", help='Readings with their noise, such as "at weeks 0, 6, 12".'),
    ] = None,
    minutes: Annotated[
        str | None,
        typer.Option("--minutes", metavar="LENGTH", help='Minute by minute for so long, such as "24h".'),
    ] = None,
    at_day: Annotated[
        str | None,
        typer.Option("--at-day", metavar="N", help="The day that --minutes begins with. Default: 84, or the last."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run one man under one or several protocols.

    \b
    Examples:
      leydig simulate older-man --protocol "anastrozole 1 mg daily for 52 weeks" --bands --out report/
      leydig simulate man.yaml -p "anastrozole 0.5 mg Mon Thu" -p "none" --days "2 years" --json
      leydig simulate obese-man -p "anastrozole 0.5 mg Mon Thu + at weeks 6, 12: if E2 < 15 pg/mL then halve the dose"
      leydig simulate obese-man -p "anastrozole 0.5 mg Mon Thu" --samples "at weeks 0, 6 or every 3 months"
      leydig simulate obese-man -p "anastrozole 0.5 mg Mon Thu" --minutes 24h --at-day 84 --out day/
    """
    if minutes is not None or at_day is not None:
        from leydig.cli import minutes as by_the_minute

        given = {
            "--days": days,
            "--bands": bands,
            "--draws": draws,
            "--assume": assume,
            "--titrate": titrate,
            "--samples": samples,
        }
        code = by_the_minute.run(
            subject,
            protocol or [],
            minutes="24h" if minutes is None else minutes,
            at_day=at_day,
            seed=seed,
            start_weekday=start_weekday,
            out=out,
            as_json=as_json,
            refused=[option for option, value in given.items() if value],
        )
        raise typer.Exit(code)
    from leydig.cli import simulate as verb

    code = verb.run(
        subject,
        protocol or [],
        titrate=once("--titrate", titrate),
        samples=once("--samples", samples),
        days=days,
        bands=bands,
        draws=draws,
        seed=seed,
        start_weekday=start_weekday,
        assume=assume or [],
        out=out,
        as_json=as_json,
    )
    raise typer.Exit(code)


@app.command()
def population(
    condition: Annotated[
        str | None,
        typer.Option(
            "--condition", metavar="TEXT", help='Which men: a condition, or several: "eugonadal 60 % + …". Required.'
        ),
    ] = None,
    n: Annotated[str | None, typer.Option("-n", metavar="N", help="How many men. Required.")] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option("--protocol", "-p", metavar="TEXT", help="What they take, in plain words; repeat it to compare."),
    ] = None,
    titrate: TitrateOption = None,
    days: Annotated[
        str | None,
        typer.Option(
            "--days", metavar="N", help='How long: days, or text such as "2 years". Default: the protocol, else 1 year.'
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option("--every", metavar="N", help='Interval between the days that are kept, such as "4 weeks".'),
    ] = None,
    seed: Annotated[
        str, typer.Option("--seed", metavar="S", help="Which men; the same seed, the same men, whatever their number.")
    ] = "0",
    quantity: Annotated[
        list[str] | None,
        typer.Option("--quantity", metavar="NAME", help="What is kept; repeatable. Default: the main ones."),
    ] = None,
    ages: Annotated[
        str | None,
        typer.Option("--ages", metavar="A-B", help="Ages in years, all alike likely. Default: as in the condition."),
    ] = None,
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            metavar="NAME",
            help="default: every man's own error is kept; single: so in single precision; fast: stored steps.",
        ),
    ] = "default",
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="FOLDER", help="Where the dataset goes; begun again, the run goes on. Required."),
    ] = None,
    workers: Annotated[
        str | None, typer.Option("--workers", metavar="N", help="Threads, or processes of Dask. Default: one per CPU.")
    ] = None,
    executor: Annotated[
        str, typer.Option("--executor", metavar="NAME", help="Who computes: local or dask; the files are the same.")
    ] = "local",
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="Your Dask scheduler. Default: one is started here."),
    ] = None,
    allow_failures: Annotated[
        str, typer.Option("--allow-failures", metavar="SHARE", help="Share of men that may fail before the run stops.")
    ] = "1 %",
    chunk: Annotated[str | None, typer.Option("--chunk", hidden=True)] = None,
    as_json: JsonOption = False,
) -> None:
    """Run many virtual men; stream them to Parquet files.

    Stopped in any way, the same command goes on where it was. The files are the same to the bit however often it was
    stopped and whoever computed them.

    \b
    Example:
      leydig population --condition obese-hypogonadal -n 10000 --protocol "anastrozole 0.5 mg twice weekly for 2 years" --seed 1 --out out/pop
    """  # noqa: E501
    from leydig.cli import population as verb

    code = verb.run(
        condition=condition,
        n=n,
        protocols=protocol or [],
        titrate=once("--titrate", titrate),
        days=days,
        every=every,
        seed=seed,
        quantities=quantity or [],
        ages=ages,
        mode=mode,
        out=out,
        workers=workers,
        executor=executor,
        scheduler=scheduler,
        allow_failures=allow_failures,
        chunk=chunk,
        as_json=as_json,
    )
    raise typer.Exit(code)


app.command()(trial)
app.command()(reproduce)
app.command()(meta)
app.command()(evidence)


@app.command()
def new(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to write it.")] = "man.yaml",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is already there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a commented subject file to fill in.

    \b
    Example:
      leydig new man.yaml
    """
    from leydig.cli import new as verb

    raise typer.Exit(verb.run(file, force=force, as_json=as_json))


@app.command()
def cite(
    of: Annotated[
        str,
        typer.Argument(
            metavar="SUBJECT|RUN.json", help="The JSON file of a run, or a subject together with --protocol."
        ),
    ],
    protocol: ProtocolOption = None,
    as_json: JsonOption = False,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print BibTeX entries.")] = False,
) -> None:
    """Print the sources of a run and how they were seen.

    \b
    Examples:
      leydig cite report/trajectory.json
      leydig cite older-man --protocol "anastrozole 1 mg daily for 12 weeks" --bibtex
    """
    from leydig.cli import cite as verb

    raise typer.Exit(verb.run(of, protocol or [], as_json=as_json, bibtex=bibtex))


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check this installation.

    Libraries, data files, the cache folder and one short run.

    \b
    Example:
      leydig doctor
    """
    from leydig.cli import doctor as verb

    raise typer.Exit(verb.run(as_json=as_json))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code and never raises for bad input."""
    return guarded(typer.main.get_command(app), sys.argv[1:] if arguments is None else arguments)
