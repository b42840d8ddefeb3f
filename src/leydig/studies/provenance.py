"""Cite what ran: the references behind one run, each with what it was used for, and digests of what made it."""

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from leydig import model
from leydig import parameters as parameter_files
from leydig.bibliography import reference
from leydig.evidence import trials
from leydig.files import DATA, read_yaml
from leydig.grading import outcomes
from leydig.pharmacology import drugs, levers
from leydig.pharmacology.levers import LeverEvent

OWN = ("assumed", "leydig_fit")
SHOWN_USES = 4
RULES = "rules of the titration"
WEIGHT_LOSS = "weight loss"
PULSES = "pulses"


def sources(
    drug_names: Iterable[str], shown: Iterable[str] = (), minutes: bool = False
) -> tuple[Mapping[str, str], ...]:
    """Everything that a run of the whole model with these drugs rests on, by reference key.

    ``shown`` are the keys of published figures that stand beside the simulated ones; ``minutes`` adds the pulses.
    """
    used: dict[str, list[str]] = {}
    pulses = _system_uses(PULSES) if minutes else ()
    for key, use in (*_uses(drug_names), *pulses, *((key, "published figures shown beside the run") for key in shown)):
        if use not in used.setdefault(key, []):
            used[key].append(use)
    return tuple(cited(key, _shortened(uses)) for key, uses in sorted(used.items()))


def cited(key: str, used_for: str) -> Mapping[str, str]:
    """One source, how it was seen and what it was used for."""
    entry = reference(key)
    return {
        "key": key,
        "reference": entry.formatted(),
        "verification": entry.verification,
        "used_for": used_for,
    }


def cautions(names: Iterable[str], given: Iterable[LeverEvent] = ()) -> list[str]:
    """What must be said about these drugs and levers together (data/cautions.yaml)."""
    kinds = {drugs.get(name).kind for name in names}
    kinds |= {WEIGHT_LOSS for event in given if event.lever == levers.WEIGHT and event.amount < 0}
    rules = read_yaml(DATA / "cautions.yaml")["cautions"]
    return [rule["sentence"] for rule in rules if set(rule["together"]) <= kinds]


def _shortened(uses: list[str]) -> str:
    more = len(uses) - SHOWN_USES
    return ", ".join(uses[:SHOWN_USES]) + (f" and {more} more" if more > 0 else "")


def _uses(drug_names: Iterable[str]) -> Iterable[tuple[str, str]]:
    systems = (*model.SYSTEMS, "bone_reference", "fertility", "laboratory", "reporting")
    if "letrozole" not in drug_names:
        systems = tuple(name for name in systems if name != "letrozole")
    for system in systems:
        yield from _system_uses(system)
    for name in drug_names:
        for parameter in drugs.get(name).parameters.values():
            for key in _keys(parameter.source):
                yield key, f"kinetics of {name}"
    for name, lever in levers.parameters().items():
        for key in lever.source:
            yield key, f"levers, {name.replace('_', ' ')}"
    for name, outcome in outcomes().items():
        for key in (*outcome.sources, *(key for other in outcome.alternatives for key in other.sources)):
            yield key, f"grade of the evidence on {name.replace('_', ' ')}"
    for key, use in _population_uses():
        yield key, use
    for trial in trials("calibration"):
        yield trial.citation, "calibration of the fit"


def _system_uses(system: str) -> Iterable[tuple[str, str]]:
    for name, entry in parameter_files.load(system).items():
        for key in entry.source:
            yield key, f"{system} {name.replace('_', ' ')}"


def _keys(source: Any) -> Iterable[str]:
    return (source,) if isinstance(source, str) else source


@cache
def _population_uses() -> tuple[tuple[str, str], ...]:
    """Sources of the baseline population, found wherever its file names one."""
    found: list[tuple[str, str]] = []

    def visit(part: Any, place: str) -> None:
        if isinstance(part, dict):
            for key in _keys(part["source"]) if "source" in part else ():
                found.append((key, f"population, {place}"))
            for name, inner in part.items():
                visit(inner, f"{place} {name}".strip() if place.count(" ") < 1 else place)
        elif isinstance(part, list):
            for inner in part:
                visit(inner, place)

    visit(read_yaml(DATA / "population.yaml"), "")
    return tuple(found)


@cache
def digests() -> Mapping[str, str]:
    """What identifies a run besides its inputs: version, equations and data."""
    from leydig import __version__

    whole = hashlib.sha256()
    for path in sorted(DATA.rglob("*")):
        if path.is_file() and path.suffix in {".yaml", ".bib"}:
            whole.update(path.relative_to(DATA).as_posix().encode() + b"\0" + path.read_bytes())
    return {"version": __version__, "equations": model.traced().digest, "data": whole.hexdigest()[:16]}
