"""Equations as LaTeX: readable names for symbols, one line per equation. Knows nothing of what they are about."""

from collections.abc import Mapping

import sympy
from sympy.printing.latex import LatexPrinter

LONGEST_LETTER = 3  # letters of a symbol that is not a word
STYLES = {"upright": "mathrm", "sans": "mathsf", "italic": "mathit"}


def words(name: str, style: str, mark: str = "") -> str:
    """A snake_case name as words in one of the ``STYLES``; a trailing number and ``mark`` go below the line."""
    name = name.strip("_")
    stem, _, last = name.rpartition("_")
    stem, number = (stem, last) if stem and last.isdigit() else (name, "")
    below = ",".join(part for part in (number, mark) if part)
    text = stem.replace("_", "\\ ")
    return rf"\{STYLES[style]}{{{text}}}" + (f"_{{{below}}}" if below else "")


def letter(symbol: str, *more: str) -> str:
    """A short symbol such as ``tau_Lambda``, with ``more`` words below the line."""
    written = str(sympy.latex(sympy.Symbol(symbol)))
    if len(symbol) > LONGEST_LETTER and symbol == written:
        written = rf"\mathrm{{{symbol}}}"
    if not more:
        return written
    added = r",\,".join(rf"\mathrm{{{part}}}".replace("_", r"\ ") for part in more)
    return f"{written[:-1]},{added}}}" if written.endswith("}") and "_{" in written else f"{written}_{{{added}}}"


def expression(value: sympy.Expr, written: Mapping[sympy.Symbol, str]) -> str:
    """An expression with its symbols as ``written``."""
    return str(_Printer({"symbol_names": dict(written), "mul_symbol": "dot"}).doprint(value))


class _Printer(LatexPrinter):
    """Writes a power of a named function outside its brackets."""

    def _print_Function(self, expr: sympy.Function, exp: str | None = None) -> str:
        applied = super()._print_Function(expr)
        return applied if exp is None else rf"\left({applied}\right)^{{{exp}}}"


def equation(left: str, right: sympy.Expr, written: Mapping[sympy.Symbol, str]) -> str:
    """One display equation in Markdown."""
    return f"$$\n{left} = {expression(right, written)}\n$$"


def rate(state: str) -> str:
    """The derivative with respect to time of what is written ``state``."""
    return rf"\frac{{d\,{state}}}{{dt}}"
