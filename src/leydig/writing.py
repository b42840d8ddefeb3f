"""Writing files whole or not at all.

A file is written under a temporary name in its own folder, flushed to the disk and then renamed, so that a reader
never sees half of it and a failure leaves what was there before.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from leydig.errors import InputError


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """A temporary path beside ``path``; what is written there becomes ``path`` when the block ends without an error.

    Missing folders are made. InputError when the place cannot be written to.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; a file is needed")
    temporary = path.parent / f".leydig-{secrets.token_hex(8)}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
