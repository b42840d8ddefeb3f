"""Writing a run's files: all of them or none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from leydig.cli.options import Target
from leydig.errors import InputError

if TYPE_CHECKING:
    from leydig.engine.trajectory import Trajectory


def write(runs: Sequence[Trajectory], target: Target) -> list[str]:
    """The paths written of runs over days to years."""
    return write_all(target, partial(_write_one, runs))


def check_writable(target: Target) -> None:
    """Refuse, before anything is computed, a place in which no file can be made, by making one for a moment."""
    folder = target.path if target.is_folder else target.path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-"):
            pass
    except OSError as error:
        raise InputError(f"--out {target.path}: the folder {folder} cannot be written to") from error


def write_all(target: Target, write_one: Callable[[Path], None]) -> list[str]:
    """The paths written. A folder's files are made in a hidden folder beside their places and moved when all exist.

    A folder that was made for them and got nothing is taken away again.
    """
    if not target.is_folder:
        write_one(target.path)
        return [str(target.path)]
    made = [folder for folder in (target.path, *target.path.parents) if not folder.exists()]
    try:
        target.path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.path, prefix=".unfinished-") as unfinished:
            for name in target.in_a_folder:
                write_one(Path(unfinished) / name)
            for name in target.in_a_folder:
                os.replace(Path(unfinished) / name, target.path / name)
    except BaseException:
        for folder in made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()
        raise
    return [str(target.path / name) for name in target.in_a_folder]


def _write_one(runs: Sequence[Trajectory], path: Path) -> None:
    if path.suffix.lower() == ".html":
        from leydig.report import page

        page.write(list(runs), path)
    else:
        from leydig.io import tables

        tables.write(list(runs), path)
