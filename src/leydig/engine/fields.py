"""What the comment beside each field of a record says: a unit and mostly a meaning, written once, in the source."""

import inspect
import io
import tokenize
from functools import cache


@cache
def _comments(record: type) -> dict[str, str]:
    """Comment by field of one NamedTuple class."""
    fields = record.__annotations__
    found: dict[str, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(inspect.getsource(record)).readline):
        field = token.line.split(":")[0].strip()
        if token.type == tokenize.COMMENT and field in fields:
            found[field] = token.string.removeprefix("#").strip()
    return found


def described(record: type, prefix: str = "") -> dict[str, str]:
    """The comment (empty where there is none) of every leaf of a (nested) NamedTuple class, by dotted name."""
    found: dict[str, str] = {}
    comments = _comments(record)
    for field, kind in record.__annotations__.items():
        if isinstance(kind, type) and hasattr(kind, "_fields"):
            found |= described(kind, f"{prefix}{field}.")
        else:
            found[f"{prefix}{field}"] = comments.get(field, "")
    return found
