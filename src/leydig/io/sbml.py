"""One man under one protocol as an SBML Level 3 file, for other simulators to run and to check leydig with.

Time is in hours since day 0. The file holds the model's own states (free hormone, relative outcomes), not printed
laboratory values. Doses are repeating events on inputs in closed form; the dose due at time 0 is in the initial
values. In libRoadRunner a model is put back with ``resetAll()``: ``reset()`` leaves what events have set.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from leydig import __version__, model, start
from leydig import parameters as parameter_files
from leydig.engine import sbml
from leydig.engine.fields import described
from leydig.engine.inputs import InputTable
from leydig.pharmacology.protocol import Protocol
from leydig.studies import alternatives, weight
from leydig.studies.before import already_taken
from leydig.studies.clock import look
from leydig.studies.simulate import DEFAULT_DAYS, begin_typical
from leydig.subject import Subject, complete
from leydig.writing import write_text


class Run(NamedTuple):
    """What the equations need for one man under one protocol, at best estimates."""

    subject: str
    protocol: str
    days: float
    began: start.Start
    inputs: InputTable


def run(
    subject: Subject | str | Path,
    protocol: str | Protocol,
    *,
    days: float | None = None,
    start_weekday: int | None = None,
    assume: Sequence[str] = (),
) -> Run:
    """The man at day 0 and his inputs; arguments, defaults and errors are those of ``studies.simulate.simulate``."""
    man = subject if isinstance(subject, Subject) else Subject.open(str(subject))
    plan = protocol if isinstance(protocol, Protocol) else Protocol.parse(protocol)
    horizon = days if days is not None else plan.duration_days or DEFAULT_DAYS
    look(horizon)  # refuses a length that cannot be simulated
    completed = complete(man)
    day_zero = completed.day_zero.weekday() if completed.day_zero is not None else 0
    weekday = start_weekday if start_weekday is not None else day_zero
    what = start.given(plan, horizon, weekday)
    weight.check(what.levers, completed.BMI)
    began = begin_typical(completed, already_taken(completed.drugs, weekday), alternatives.chosen(assume))
    table = start.input_table(completed.age, began.earlier, start.driven(what))
    return Run(man.name, plan.text(), horizon, began, table)


def text(of: Run) -> str:
    """The SBML text of one run."""
    about = (
        f"Equations of leydig {__version__}, generated. Time is in hours since day 0; states are 24-hour means.",
        f"Man: {of.subject}. Protocol: {of.protocol}. Doses are given for {of.days:g} days, none after that.",
        "Names without a dot are what acts from outside: drugs in plasma, hormone given, levers, age in years.",
    )
    return sbml.document(
        model.traced(),
        of.began.state,
        start.vector(of.began.individual),
        of.inputs,
        name="leydig",
        notes=meanings(),
        about=about,
    )


def write(
    path: Path | str,
    subject: Subject | str | Path,
    protocol: str | Protocol,
    *,
    days: float | None = None,
    start_weekday: int | None = None,
    assume: Sequence[str] = (),
) -> None:
    """Write one man under one protocol as SBML Level 3 Version 1; whole or not at all.

    InputError for a subject or protocol that cannot be used and for a place that cannot be written to.
    """
    write_text(path, text(run(subject, protocol, days=days, start_weekday=start_weekday, assume=assume)))


@cache
def meanings() -> dict[str, str]:
    """Unit and meaning of every state, input and constant of the model, by dotted name."""
    found = described(model.State) | described(model.Inputs) | described(model.Man, "man.")
    for name, comment in described(model.Parameters, "parameters.").items():
        system, parameter = name.split(".")[1:]
        entry = parameter_files.load(system)[parameter]
        meaning = comment.partition(",")[2].strip() or entry.note or ""
        found[name] = f"{entry.unit}{', ' if meaning else ''}{meaning} ({entry.kind}: {', '.join(entry.source)})"
    return found
