"""Tables as Parquet files, and back.

A number that is not there is nan in memory and null in the file. The same table gives the same bytes: one thread, rows
in their order, no time and no place among what is written. That holds for one version of the library, whose name and
version stand in each file.
"""

from __future__ import annotations

import errno
import glob
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leydig.errors import InputError

SUFFIX = ".parquet"
COMPRESSION = "zstd"


def encode(table: Mapping[str, np.ndarray], scratch: Path | None = None) -> bytes:
    """A Parquet file of columns of one length. OSError when there is no room for it.

    The library writes files only, so the bytes go through ``scratch``, or the system's folder for temporary files.
    """
    import duckdb

    folder = scratch if scratch is not None and scratch.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="leydig-", dir=folder) as place, _connected() as connection:
        path = Path(place).resolve() / f"table{SUFFIX}"  # the library would expand a leading ~
        connection.register("rows", dict(table))
        try:
            connection.table("rows").write_parquet(str(path), compression=COMPRESSION)
            return path.read_bytes()
        except duckdb.Error as error:
            raise OSError(errno.ENOSPC, f"a table could not be written ({_short(error)})", place) from error


def decode(path: Path | str, columns: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """The columns of a Parquet file by name, all of them when none is named; InputError when it cannot be read."""
    import duckdb

    with _connected() as connection:
        try:
            # A value, never text of the query; the library would take *, ? and [ for patterns and expand a leading ~.
            relation = connection.read_parquet(glob.escape(str(Path(path).resolve())))
            found = relation.select(*map(_quoted, columns)).fetchnumpy() if columns else relation.fetchnumpy()
        except duckdb.Error as error:
            raise InputError(f"{path} cannot be read: {_short(error)}") from error
    return {name: _filled(column) for name, column in found.items()}


def _filled(column: Any) -> np.ndarray:
    """A number that is not there is null in the file and nan in memory."""
    return np.asarray(column.filled(np.nan if column.dtype.kind == "f" else None) if np.ma.isMA(column) else column)


def _connected() -> Any:
    import duckdb

    return duckdb.connect(config={"threads": 1, "preserve_insertion_order": True})


def _quoted(name: str) -> Any:
    import duckdb

    return duckdb.ColumnExpression(name)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
