"""Filling the pages' templates: text from outside is escaped, a name that is missing is an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leydig.files import DATA


def filled(name: str, context: Mapping[str, Any]) -> str:
    """The page of a template of data/templates; the same context gives the same text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(DATA / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(context)
