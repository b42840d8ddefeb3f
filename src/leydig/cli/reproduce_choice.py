"""Which published trials ``leydig reproduce`` runs: by name, by file, by role, by drug."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from leydig.cli.options import usable_path
from leydig.errors import InputError, nearest, unknown

if TYPE_CHECKING:
    from leydig.evidence import Trial

ROLES = ("calibration", "validation", "none")
SCORED_ROLES = ("calibration", "validation")
DESIGN_KEYS = {"n", "arms", "visits"}  # that every design of a virtual trial has
WEIGHT = ("weight", "weight loss", "weight change")
A_FILE = re.compile(r".*(/|\\|\.ya?ml$)", re.IGNORECASE)


def select(names: Sequence[str], role: str | None, drug: str | None) -> list[Trial]:
    """The trials that were asked for; InputError for a name, file, protocol or drug that cannot be used."""
    from leydig import evidence
    from leydig.studies.reproduce_entries import drugs_of

    if role is not None and role not in ROLES:
        raise unknown("role", role, ROLES, "--role")
    wanted = None if drug is None else drug_named(drug)
    if names:
        found = [_open(name) for name in dict.fromkeys(names)]
        _refuse_two_of_one_key(found)
    else:
        found = [trial for trial in evidence.trials() if role is not None or trial.role in SCORED_ROLES]
    given = {}
    for trial in found:
        try:
            given[trial.key] = drugs_of(trial)
        except InputError as error:
            raise InputError(f"trial {trial.key}: {error}") from error
    if role is not None:
        found = [trial for trial in found if trial.role == role]
    if wanted is not None:
        found = [trial for trial in found if wanted in given[trial.key]]
    if not found:
        asked = " ".join(f"{option} {value}" for option, value in (("--role", role), ("--drug", drug)) if value)
        raise InputError(f"none of the trials asked for is one of {asked}; leave the option out or ask for others")
    return found


def _open(name: str) -> Trial:
    """A trial of the package by its key, or one in a file."""
    from leydig import evidence
    from leydig.studies.trial_design import bundled

    keys = [trial.key for trial in evidence.trials()]
    if name in keys:
        return evidence.trial(name)
    path = usable_path("NAME", name)
    if path.exists() or A_FILE.match(name):
        return _from_file(path)
    if name in bundled():
        raise _is_design(name)
    close = nearest(name, keys)
    guess = f'; did you mean "{close}"?' if close else ";"
    raise InputError(
        f'unknown trial "{name[:60]}"{guess} allowed: the key of one of the {len(keys)} published trials, such as '
        f"{keys[0]}, or a file".replace("? allowed", "? Allowed")
    )


def _from_file(path: Path) -> Trial:
    """A trial from outside the package, whose figures can all be compared."""
    from leydig import evidence
    from leydig.files import read_yaml
    from leydig.studies.reproduce_entries import check_comparable, packaged
    from leydig.studies.reproduce_outside import check_content, check_outside

    content = read_yaml(path)
    if set(content) >= DESIGN_KEYS and "key" not in content:
        raise _is_design(str(path))
    trial = evidence.load_trial(path)
    if not packaged(trial):
        check_content(content, path.name)
        check_outside(trial)
    check_comparable(trial)
    return trial


def _is_design(name: str) -> InputError:
    return InputError(f"{name} is a design, not a published trial; leydig trial {name} runs it")


def _refuse_two_of_one_key(found: Sequence[Trial]) -> None:
    keys = [trial.key for trial in found]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise InputError(f'two of the trials have the key "{twice}"; run them apart or give one another key')


def drug_named(name: str) -> str:
    """The drug's own name; a change of weight goes by several."""
    from leydig.pharmacology import drugs
    from leydig.studies.reproduce_entries import WEIGHT_CHANGE

    return WEIGHT_CHANGE if name.casefold() in WEIGHT else drugs.get(name, "--drug").name
