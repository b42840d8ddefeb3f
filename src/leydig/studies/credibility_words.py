"""Numbers and tables of the credibility report as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

NOTHING, MINUS = "–", "\u2212"
MISSED, MET, UNTOLD = "**missed**", "met", "not told"


def number(value: float | None, digits: int = 2) -> str:
    """A number with so many significant digits."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:.{digits}g}"
    if abs(value) >= 10**digits:
        text = f"{value:,.0f}"
    return text.replace("e-0", "e-") if value >= 0 else MINUS + text.replace("e-0", "e-").removeprefix("-")


def signed(value: float | None) -> str:
    """A number with its sign and two decimals."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:+.2f}".replace("-", MINUS)


def percent(value: float | None, decimals: int = 0) -> str:
    """A share in percent; what is nearly none or all is not rounded to it."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{100 * value:.{decimals}f}"
    if float(text) in (0.0, 100.0) and value not in (0.0, 1.0):
        text = f"{100 * value:.{decimals + 1}f}"
    return f"{text} %"


def between(interval: Sequence[float] | None) -> str:
    """Two shares as a range in percent."""
    return NOTHING if interval is None else f"{100 * interval[0]:.0f}–{100 * interval[1]:.0f} %"


def plural(count: int, word: str) -> str:
    """A count with its word."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def of(some: int, every: int) -> str:
    """Some of how many."""
    return f"{some:,} of {every:,}"


def portion(some: int, every: int, word: str) -> str:
    """Some of how many as a share: 88.6 % of 334 lines."""
    return f"{percent(some / every if every else None, 1)} of {plural(every, word)}"


def verdict(met: bool | None) -> str:
    """Whether something that was asked for was found."""
    return UNTOLD if met is None else MET if met else MISSED


def quantity(name: str) -> str:
    """A quantity's name in words."""
    return name.replace("_", " ")


def link(test: str) -> str:
    """A test as a link from docs/, by its last name."""
    path, _, name = test.partition("::")
    return f"[{(name or path).rpartition('::')[2]}](../{path})"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def bullets(sentences: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {sentence}" for sentence in sentences) + "\n"


def listed(words: Sequence[str]) -> str:
    """Words in a row: a, b and c."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)
