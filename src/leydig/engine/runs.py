"""Long runs in chunks: broken off anywhere, begun again, and the same bytes in the end.

A run is a folder that only one process writes to at a time:

    run.json              the specification, and what the run is made with
    NAME/part-00000.EXT   what a chunk came to
    done/00000.json       written last: the chunk is finished; size and SHA-256 of its files, notes on it

Every file is written under a temporary name, flushed to the disk and renamed. A chunk counts as finished when its
record is whole and its files have the sums that it names; every other chunk is computed again. Nothing in the files
depends on when, where or in which order they were made.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from leydig.errors import InputError

RUN_FILE, DONE, SCRATCH, LOCK = "run.json", "done", ".unfinished", ".lock"
TEMPORARY = ".part"
PART_NAME = re.compile(r"[a-z_]+/part-[0-9]{5,}\.[a-z]+")
FOLDER_NAME, TEMPORARY_NAME = re.compile(r"[a-z_]+"), re.compile(r"\.[0-9a-f]{16}\.part")
LARGEST_RECORD = 100_000_000  # bytes of a file of ours that are read as JSON
BLOCK = 1 << 20  # bytes read at once


class RunStopped(RuntimeError):
    """A run that cannot go on. Its text is one sentence; finished chunks are kept and the run can be begun again."""


class Chunk(NamedTuple):
    """Contiguous ids that are computed together."""

    number: int
    first: int  # id
    size: int


class Made(NamedTuple):
    """What one chunk came to."""

    chunk: Chunk
    files: Mapping[str, bytes]  # NAME/part-00000.EXT -> content
    notes: Mapping[str, Any]  # plain values, kept in the chunk's record
    tally: Any  # for whoever adds up the chunks; not kept


class Recorded(NamedTuple):
    """A finished chunk that lies in the folder."""

    chunk: Chunk
    notes: Mapping[str, Any]


def chunks(n: int, size: int) -> Iterator[Chunk]:
    """Ids 0 to n - 1 in chunks of ``size``; the last one may be smaller."""
    for number, first in enumerate(range(0, n, size)):
        yield Chunk(number, first, min(size, n - first))


def part_name(name: str, chunk: Chunk, suffix: str) -> str:
    """The file of a chunk inside the run's folder."""
    return f"{name}/part-{chunk.number:05d}{suffix}"


class RunFolder:
    """The folder of one run, held by this process; see ``claimed``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def scratch(self) -> Path:
        """A folder for unfinished things, empty at the start of a run."""
        return self.path / SCRATCH

    def recorded(self, chunk: Chunk) -> Recorded | None:
        """The chunk as it lies in the folder, or None unless it is finished and every file has its sum."""
        content = _read_json(self._record(chunk))
        if content is None or content.pop("sum", None) != _sum_of(content):
            return None
        if content.get("chunk") != list(chunk):
            return None
        if not isinstance(content.get("files"), dict) or not isinstance(content.get("notes"), dict):
            return None
        for name, entry in content["files"].items():
            if not PART_NAME.fullmatch(name) or _file_entry(self.path / name) != entry:
                return None
        return Recorded(chunk, content["notes"])

    def has_record(self, chunk: Chunk) -> bool:
        """Whether there is a record of the chunk, whole or not."""
        return self._record(chunk).is_file()

    def keep(self, made: Made) -> None:
        """Write what a chunk came to, its record last. OSError when that fails; then no half file is left."""
        files = {}
        for name, content in sorted(made.files.items()):
            write_whole(self.path / name, content)
            files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        record = {"chunk": list(made.chunk), "files": files, "notes": dict(made.notes)}
        write_whole(self._record(made.chunk), _json({**record, "sum": _sum_of(record)}))

    def _record(self, chunk: Chunk) -> Path:
        return self.path / DONE / f"{chunk.number:05d}.json"


@contextmanager
def claimed(path: Path | str, document: Mapping[str, Any], growing: str | None = None) -> Iterator[RunFolder]:
    """The folder of the run that ``document`` describes, made or opened again, and held until the block ends.

    ``document`` holds groups of plain values by name, such as ``{"specification": {...}, "made_with": {...}}``.
    ``growing`` names a value that may be larger than before: the run is then extended.

    Raises InputError when another process holds the folder, when it holds another run (what differs is named), and
    when it holds something that is no run; OSError when it cannot be written to.
    """
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    _refuse_others(path)
    with _held(path):
        wanted = json.loads(_json(document))
        if (path / RUN_FILE).exists():
            _compare(path, wanted, growing)
            _clean(path)
        write_whole(path / RUN_FILE, _json(wanted, indent=2))
        (path / SCRATCH).mkdir()
        try:
            yield RunFolder(path)
        finally:
            shutil.rmtree(path / SCRATCH, ignore_errors=True)


def read_document(path: Path | str) -> dict[str, Any]:
    """What describes the run in a folder; InputError when there is none."""
    file = Path(path) / RUN_FILE
    content = _read_json(file)
    if content is None:
        raise InputError(
            f"{file} cannot be read as the description of a run; choose another folder, or remove this one"
        )
    return content


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; its folder is made. OSError when that fails."""
    temporary = path.parent / f".{secrets.token_hex(8)}{TEMPORARY}"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Flush the folder's own list of names, where the system can, so that a renamed file survives a loss of power."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Keep other processes out as long as the block lasts; the system lets go when a process dies."""
    with (path / LOCK).open("ab") as file:
        try:
            import fcntl
        except ImportError:  # no such lock on this system; two runs at once would write the same bytes
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(f"another process is writing to {path}; wait for it or choose another folder") from error
        yield


def _refuse_others(path: Path) -> None:
    """InputError for a folder that holds something, but no run; hidden files that are not ours may be there."""
    ours = (path / RUN_FILE).exists()
    if not ours and any(not entry.name.startswith(".") or entry.name == SCRATCH for entry in path.iterdir()):
        raise InputError(f"{path} is not empty and holds no run; choose another folder")


def _compare(path: Path, wanted: Mapping[str, Any], growing: str | None) -> None:
    """Refuse a folder that holds another run."""
    there, here = _flat(read_document(path)), _flat(wanted)
    different = [name for name in dict.fromkeys([*there, *here]) if there.get(name) != here.get(name)]
    if growing in different and _is_more(there.get(growing), here.get(growing)):
        different.remove(growing)
    if different:
        shown = [
            f"{name.replace('_', ' ')} {_shown(there.get(name))}, not {_shown(here.get(name))}" for name in different
        ]
        raise InputError(
            f"{path} holds another run, with {'; '.join(shown)}: choose another folder, or give what that run was given"
        )


def _is_more(there: Any, here: Any) -> bool:
    return isinstance(there, int) and isinstance(here, int) and here > there


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all groups by name."""
    groups = document.values()
    return {name: value for group in groups if isinstance(group, dict) for name, value in group.items()}


def _shown(value: Any) -> str:
    """A value of the description in a sentence."""
    if value is None:
        return "nothing"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f'"{text[:77]}…"' if len(text) > 80 else text if isinstance(value, int | float) else f'"{text}"'


def _clean(path: Path) -> None:
    """Remove what a killed run left unfinished."""
    shutil.rmtree(path / SCRATCH, ignore_errors=True)
    folders = (entry for entry in path.iterdir() if FOLDER_NAME.fullmatch(entry.name) and not entry.is_symlink())
    for folder in (path, *folders):
        for left in folder.glob(f".*{TEMPORARY}"):
            if TEMPORARY_NAME.fullmatch(left.name):
                with suppress(OSError):
                    left.unlink()


def _json(content: Mapping[str, Any], indent: int | None = None) -> bytes:
    return (json.dumps(content, ensure_ascii=False, allow_nan=False, indent=indent) + "\n").encode()


def _sum_of(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(_json(record)).hexdigest()


def _read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object of ours, or None when it is missing or damaged."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_RECORD:
            return None
        content = json.loads(path.read_bytes(), parse_constant=_no_constant)
        _json(content)  # what cannot be written again, such as half a surrogate, was not written by us
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _file_entry(path: Path) -> dict[str, Any] | None:
    """Size and sum of a file, None when it cannot be read."""
    whole, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                whole.update(block)
                size += len(block)
    except OSError:
        return None
    return {"bytes": size, "sha256": whole.hexdigest()}
