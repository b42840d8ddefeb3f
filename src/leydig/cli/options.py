"""Values of options, read with errors in one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from leydig.errors import InputError, nearest

LARGEST_SEED = 2**32 - 1
FEWEST_DRAWS, MOST_DRAWS = 200, 10_000
MOST_DRAWN_DAYS = 2_000_000  # draws times days times protocols that are kept at once, somewhat below 1 GB
FILES = (".json", ".csv", ".parquet", ".nc", ".html")
IN_A_FOLDER = ("report.html", "trajectory.json", "trajectory.csv")


def whole(option: str, text: str, low: int, high: int) -> int:
    """A whole number within limits."""
    value = int(text) if re.fullmatch(r"[-+]?[0-9]{1,18}", text) else None
    if value is None or not low <= value <= high:
        raise InputError(f'{option} is "{_short(text)}"; it must be a whole number from {low:,} to {high:,}')
    return value


def horizon(option: str, text: str) -> float:
    """A number of days, or a length of time such as "2 years", in days."""
    from leydig.pharmacology.protocol_words import TIME_FORMS, TIME_UNITS
    from leydig.pharmacology.schedule import HOURS, LONGEST_YEARS

    found = re.fullmatch(r"\s*(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)\s*", text)
    if found is None:
        raise InputError(
            f'{option} is "{_short(text)}"; it must be a number of days such as 365, or a length such as "2 years"'
        )
    unit = TIME_UNITS.get(found[2].lower() or "days")
    if unit is None:
        close = nearest(found[2], TIME_FORMS)
        guess = f'; did you mean "{close}"? Allowed' if close else "; allowed"
        raise InputError(f'{option} has the unknown unit of time "{_short(found[2])}"{guess}: {", ".join(TIME_FORMS)}')
    days = float(found[1]) * float(HOURS[unit] / HOURS["day"])
    if not 1 <= days <= LONGEST_YEARS * float(HOURS["year"] / HOURS["day"]):
        raise InputError(f'{option} is "{_short(text)}"; it must be from 1 day to {LONGEST_YEARS} years')
    return days


def weekday(option: str, text: str) -> int:
    """The number of a weekday, 0 Monday to 6 Sunday."""
    from leydig.pharmacology.protocol_words import DAYS
    from leydig.pharmacology.schedule import WEEKDAYS

    if text.lower() not in DAYS:
        close = nearest(text[:40], WEEKDAYS) or (nearest(text[:40], DAYS) or "").title()
        guess = f'; did you mean "{close}"? Allowed' if close else "; allowed"
        raise InputError(f'{option} has the unknown weekday "{_short(text)}"{guess}: {", ".join(WEEKDAYS)}')
    return WEEKDAYS.index(DAYS[text.lower()])


def usable_path(option: str, text: str) -> Path:
    """A path that the file system can hold; whether something is there does not matter."""
    if not text.strip():
        raise InputError(f"{option} is empty; it must be a name or a path")
    try:
        Path(text).lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f'{option} "{_short(text)}" cannot be used: {why}') from error
    return Path(text)


class Target:
    """Where a run's files go: one file by its suffix, or a folder that gets several."""

    def __init__(
        self, text: str, source: str, files: Sequence[str] = FILES, in_a_folder: Sequence[str] = IN_A_FOLDER
    ) -> None:
        """Refuse, before anything is computed, what could not be written after it.

        ``source`` is the file that is read; ``files`` are the suffixes that can be written, ``in_a_folder`` the names
        that a folder gets.
        """
        self.path, self.in_a_folder = usable_path("--out", text), in_a_folder
        suffix = self.path.suffix.lower()
        self.is_folder = text.endswith("/") or (self.path.is_dir() and suffix not in files) or not suffix
        if not self.is_folder and suffix not in files:
            guess = nearest(suffix, files)
            question = f'; did you mean "{guess}"? Allowed' if guess else "; allowed"
            allowed = f"{', '.join(files)}, or a folder, written with / at its end"
            raise InputError(f'--out {text} has the unknown suffix "{suffix}"{question}: {allowed}')
        if self.is_folder:
            self._check_folder(text, source)
        else:
            self._check_file(text, source)

    def _check_file(self, text: str, source: str) -> None:
        folder = self.path.parent
        if self.path.is_dir():
            raise InputError(f"--out {text} is a folder; a file is to be written there, so choose another name")
        if not folder.is_dir():
            raise InputError(f"--out {text}: there is no folder {folder}; create it or choose another")
        if not _writable(folder):
            raise InputError(f"--out {text}: the folder {folder} cannot be written to")
        if _same(self.path, source):
            raise InputError(f"--out {text} is the input file; choose another name")

    def _check_folder(self, text: str, source: str) -> None:
        standing = self.path
        while not standing.exists() and standing != standing.parent:
            standing = standing.parent
        if not standing.is_dir():
            what = "it" if standing == self.path else str(standing)
            raise InputError(f"--out {text} should be a folder, but {what} is a file")
        if not _writable(standing):
            raise InputError(f"--out {text}: the folder {standing} cannot be written to")
        for name in self.in_a_folder:
            if (self.path / name).is_dir():
                raise InputError(f"--out {text}: {self.path / name} is a folder; a file is to be written there")
            if _same(self.path / name, source):
                raise InputError(f"--out {text}: {self.path / name} is the input file; choose another folder")


def _same(path: Path, source: str) -> bool:
    return Path(source).exists() and path.exists() and path.samefile(source)


def _writable(folder: Path) -> bool:
    import os

    return os.access(folder, os.W_OK | os.X_OK)


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in text[:40])
    return shown + ("…" if len(text) > 40 else "")
