"""Reading files that people write, without trusting them.

A file is read only when it is an ordinary file of bounded size. YAML is read as plain data: no tags that build
objects, no anchors or aliases (a small file could unfold into a huge one), no key twice, bounded depth. Words are
read as YAML 1.2 reads them: ``no`` is a word, ``10:30`` is text, ``1e-3`` is a number.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from leydig.errors import InputError

DATA = Path(__file__).resolve().parent / "data"
LARGEST_FILE = 1_000_000  # bytes
DEEPEST = 30  # levels of nesting


def read_text(path: Path | str) -> str:
    """The text of an ordinary UTF-8 file of at most ``LARGEST_FILE`` bytes; InputError names what is wrong."""
    path = Path(path)
    try:
        if not path.exists():
            raise InputError(f"there is no file {path}")
        if not path.is_file():
            raise InputError(f"{path} is not an ordinary file")
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"{path} is larger than the {LARGEST_FILE} bytes that are accepted")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def read_yaml(path: Path | str) -> dict[str, Any]:
    """The mapping that a YAML file holds; InputError in one sentence when it is not one."""
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """The mapping that YAML text holds. ``where`` names the text in errors."""
    import yaml

    loader = _loader()
    try:
        _refuse_bombs(text, loader, where)
        content = yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{where} is not valid YAML{line}: {problem}") from error
    except InputError as error:
        raise error if where in str(error) else InputError(f"{error}, in {where}") from None
    except ValueError as error:  # a date that does not exist, a number with too many digits
        raise InputError(f"{where} holds an impossible value: {error}") from error
    if content is None:
        raise InputError(f"{where} is empty; it must hold names and values")
    if not isinstance(content, dict):
        raise InputError(f"{where} must hold names and values at its top level, not a {type(content).__name__}")
    return content


def _refuse_bombs(text: str, loader: type, where: str) -> None:
    """Stop at aliases and at deep nesting before anything is built from the text."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=loader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InputError(f"{where} uses an anchor or alias (& or *) at line {line}; write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise InputError(f"{where} is nested deeper than {DEEPEST} levels at line {line}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


@cache
def _loader() -> type:
    """The YAML loader: safe, with unique text keys and YAML 1.2's idea of numbers and booleans."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):
        pass

    replaced = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:merge"}
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in replaced]
        for first, resolvers in base.yaml_implicit_resolvers.items()
    }
    for tag, pattern, first in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
        ("float", r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+", "-+.0123456789"),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))

    def mapping(loader: Any, node: Any) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise InputError(f"the name {key!r} at line {line} must be text; put it in quotes")
            if key in seen:
                raise InputError(f'the name "{key}" stands twice in one place (again at line {line})')
            seen[key] = loader.construct_object(value_node, deep=True)
        return seen

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    return Loader
