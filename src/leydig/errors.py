"""What is said to a person whose input cannot be used.

Every refusal is one sentence: what was wrong, where it stands, what is allowed, and the nearest valid name.
"""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


class InputError(ValueError):
    """Input that cannot be used. Its text is one sentence that a person can act on."""


class ModelWarning(UserWarning):
    """An unlikely but possible value, or a result outside what the evidence covers. The run goes on."""


# The validator's word for a failed comparison, and the same in a sentence.
_COMPARISONS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_LENGTHS = {
    "too_short": ("at least", "min_length", "item"),
    "too_long": ("at most", "max_length", "item"),
    "string_too_short": ("at least", "min_length", "character"),
    "string_too_long": ("at most", "max_length", "character"),
}
_TYPES = {
    "float": "a number",
    "int": "a whole number",
    "string": "text",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping of names to values",
    "model": "a mapping of names to values",
    "date": "a date such as 2026-01-31",
    "time": "a time such as 08:00",
}


def nearest(word: str, allowed: Iterable[str], likeness: float = 0.6) -> str | None:
    """The allowed name that is most like ``word`` regardless of case, or None when none is close."""
    by_folded = {name.casefold(): name for name in allowed}
    close = difflib.get_close_matches(str(word).casefold(), list(by_folded), n=1, cutoff=likeness)
    return by_folded[close[0]] if close else None


def unknown(kind: str, word: object, allowed: Iterable[str], where: str = "") -> InputError:
    """The error for a word that is not one of the allowed ones.

    >>> print(unknown("analyte", "testosteron", ["testosterone", "LH"], "labs[0] of man.yaml"))
    unknown analyte "testosteron" in labs[0] of man.yaml; did you mean "testosterone"? Allowed: testosterone, LH
    """
    names = list(allowed)
    place = f" in {where}" if where else ""
    guess = nearest(str(word), names)
    question = f'; did you mean "{guess}"? Allowed: ' if guess else "; allowed: "
    return InputError(f'unknown {kind} "{word}"{place}{question}{", ".join(names) or "none"}')


def place(location: Sequence[str | int], where: str = "") -> str:
    """A location inside a file in words: ``("labs", 0, "unit")`` in man.yaml is ``labs[0].unit of man.yaml``."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")
    return " of ".join(text for text in (path, where) if text)


def from_pydantic(exception: ValidationError, where: str, model: type[BaseModel] | None = None) -> InputError:
    """Turn a validator's report into one sentence about its first problem.

    ``where`` names the file; ``model`` is the class that was validated and lets an unknown key be answered with
    the allowed ones. Further problems are counted, not listed.
    """
    problems: Sequence[Any] = exception.errors(include_url=False)
    problems = [one for one in problems if not _follows(one, problems)]
    first = _first(problems, model)
    problems = [one for one in problems if one is first or not _is_meant(one, first, model)]
    location = tuple(step for step in first["loc"] if not _names_a_union_member(step))
    sentence = str(_sentence(first, location, where, model))
    more = len({problem["loc"][: len(first["loc"])] for problem in problems}) - 1
    others = "" if not more else " (and one more problem)" if more == 1 else f" (and {more} more problems)"
    return InputError(sentence + others)


def _first(problems: Sequence[Any], model: type[BaseModel] | None) -> Any:
    """The problem to speak of: the first, but where a key is missing, an unknown one that stands for it or another."""
    if problems[0]["type"] != "missing":
        return problems[0]
    beside = [one for one in problems if one["loc"][:-1] == problems[0]["loc"][:-1]]
    return next((one for one in beside if any(_is_meant(by, one, model) for by in beside)), problems[0])


def _is_meant(missing: Any, extra: Any, model: type[BaseModel] | None) -> bool:
    """Whether an unknown key stands for a missing one beside it, as the nearest name."""
    if missing["type"] != "missing" or extra["type"] != "extra_forbidden" or missing["loc"][:-1] != extra["loc"][:-1]:
        return False
    above = [step for step in extra["loc"][:-1] if not _names_a_union_member(step)]
    return nearest(str(extra["loc"][-1]), _keys(model, above)) == missing["loc"][-1]


def _follows(problem: Any, problems: Sequence[Any]) -> bool:
    """Whether a list is told to be short only because its items are refused."""
    above = problem["loc"]
    return problem["type"] == "too_short" and any(
        len(one["loc"]) > len(above) and one["loc"][: len(above)] == above for one in problems
    )


def _sentence(problem: Any, location: tuple[str | int, ...], where: str, model: type[BaseModel] | None) -> object:
    """The sentence for one problem of a validator's report."""
    kind, context, given = problem["type"], problem.get("ctx", {}), problem["input"]
    field = location[-1] if location and isinstance(location[-1], str) else None
    inside = place(location[:-1] if field else location, where)
    in_place = f" in {inside}" if inside else ""
    subject = f'"{field}"' if field else "the value"
    if kind == "missing":
        return f"{subject} is missing{in_place}"
    if kind == "extra_forbidden":
        return unknown("key", field, _keys(model, location[:-1]), inside)
    if kind in {"literal_error", "enum"}:
        allowed = [word.strip("'") for word in context["expected"].replace("' or '", "', '").split(", ")]
        return unknown(f"{field or 'value'}", given, allowed, inside)
    if isinstance(context.get("error"), Exception):
        said, here = str(context["error"]), place(location, where)
        if not here or where in said:
            return said
        cut = min((at for at in (said.find("; did you mean"), said.find("; allowed:")) if at >= 0), default=-1)
        return f"{said}, in {here}" if cut < 0 else f"{said[:cut]} in {here}{said[cut:]}"
    if kind in _COMPARISONS:
        words, key = _COMPARISONS[kind]
        return f"{subject} must be {words} {context[key]:g}, not {_shown(given)}{in_place}"
    if kind in _LENGTHS:
        words, key, what = _LENGTHS[kind]
        return f"{subject} needs {words} {context[key]} {what}{'s' if context[key] != 1 else ''}{in_place}"
    if kind == "finite_number":
        return f"{subject} must be a finite number, not {_shown(given)}{in_place}"
    expected = _TYPES.get(kind.removesuffix("_type").removesuffix("_parsing").removesuffix("_from_float"))
    if expected:
        return f"{subject} must be {expected}, not {_shown(given)}{in_place}"
    return f"{subject} cannot be {_shown(given)}{in_place}: {problem['msg']}"


def _shown(value: object) -> str:
    """A given value, short enough for a sentence."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "empty"
    text = str(value)
    return f'"{text[:57]}..."' if len(text) > 60 else f'"{text}"'


def _names_a_union_member(step: str | int) -> bool:
    """Whether a step of a location is the validator's own name for one choice of a union, not a key of the file."""
    return isinstance(step, str) and (step in {"float", "int", "str", "bool", "date", "time"} or "[" in step)


def _keys(model: type[BaseModel] | None, location: Sequence[str | int]) -> list[str]:
    """The keys that the model accepts at this location; empty when that cannot be told."""
    current: Any = model
    for step in location:
        current = _member(current, step)
    return [field.alias or name for name, field in getattr(current, "model_fields", {}).items()]


def _member(annotation: Any, step: str | int) -> Any:
    """The annotation of what lies one step below ``annotation``: a field, an item or a mapping's value."""
    fields = getattr(annotation, "model_fields", None)
    if fields is not None:
        by_key = {field.alias or name: field.annotation for name, field in fields.items()}
        return _plain(by_key.get(str(step)))
    arguments = [argument for argument in typing.get_args(annotation) if argument is not Ellipsis]
    return _plain(arguments[-1]) if arguments else None


def _plain(annotation: Any) -> Any:
    """An annotation without its ``| None``."""
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        choices = [choice for choice in typing.get_args(annotation) if choice is not type(None)]
        return next((choice for choice in choices if hasattr(choice, "model_fields")), choices[0])
    if typing.get_origin(annotation) is typing.Annotated:
        return _plain(typing.get_args(annotation)[0])
    return annotation
