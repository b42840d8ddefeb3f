"""exp and log of many lanes as plain arithmetic and bit casts, which a compiler turns into vector code.

A compiler vectorises no call into the C library, so the generated kernel brings its own: exp(x) is 2^n exp(r)
with n whole and |r| <= ln(2)/2, log(x) is e ln(2) + log(m) with m between sqrt(1/2) and sqrt(2). Relative
errors are about 1e-14 in double and 2e-7 in single precision (tested). Arguments of ``exp`` are held
within the range of normal numbers; the ``log`` of 0 is that of the smallest of them, of less nan, and nan stays nan.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Precision = Literal["double", "single"]
PRECISIONS: tuple[Precision, ...] = ("double", "single")


class Format(NamedTuple):
    """A floating-point format: its names, the bits of its mantissa and how long the series are."""

    real: str
    whole: str
    bits: int
    mantissa: int
    rounder: float  # 1.5 * 2^mantissa: adding it rounds to whole numbers
    rounder_bits: int
    sqrt_half_bits: int
    ln2_high: float  # ln(2) in two parts, so that n * ln2_high is exact
    largest: float  # argument of exp
    exp_degree: int
    log_terms: int
    lanes: int  # two vectors of 512 bits: while one waits for a result the other goes on


FORMATS: dict[str, Format] = {
    "double": Format(
        "float64", "int64", 64, 52, 6755399441055744.0, 0x4338000000000000, 0x3FE6A09E667F3BCD, 0.6931471803691238,
        708.0, 11, 8, 16,
    ),
    "single": Format(
        "float32", "int32", 32, 23, 12582912.0, 0x4B400000, 0x3F3504F3, 0.693359375, 87.0, 6, 5, 32,
    ),
}  # fmt: skip


def text(precision: Precision) -> str:
    """Source of ``exp``, ``log`` and ``exp_double`` for a generated module whose numbers are ``real``."""
    own = _functions(precision, "")
    double = "exp_double = exp\n" if precision == "double" else _functions("double", "_double")
    return f"\nreal = np.{FORMATS[precision].real}\n{own}\n{double}"


def _functions(precision: Precision, suffix: str) -> str:
    f = FORMATS[precision]
    exp_series = [1 / math.factorial(i) for i in range(f.exp_degree, -1, -1)]
    log_series = [2 / (2 * i + 1) for i in range(f.log_terms - 1, -1, -1)]
    real, whole, bits_of, number_of = f"np.{f.real}", f"np.{f.whole}", f"bits_of{suffix}", f"number_of{suffix}"
    return f'''

@intrinsic
def {bits_of}(typing, number):
    """The bits of a number as a whole number."""
    return types.{f.whole}(types.{f.real}), lambda context, builder, signature, given: builder.bitcast(
        given[0], ir.IntType({f.bits})
    )


@intrinsic
def {number_of}(typing, bits):
    """The number that has these bits."""
    kind = ir.{"DoubleType" if f.bits == 64 else "FloatType"}()
    return types.{f.real}(types.{f.whole}), lambda context, builder, signature, given: builder.bitcast(given[0], kind)


@inlined
def exp{suffix}(x):
    x = {real}({-f.largest}) if x < {real}({-f.largest}) else x  # written so that nan stays nan
    x = {real}({f.largest}) if x > {real}({f.largest}) else x
    shifted = x * {real}({1 / math.log(2)!r}) + {real}({f.rounder!r})
    n = shifted - {real}({f.rounder!r})
    r = (x - n * {real}({f.ln2_high!r})) - n * {real}({math.log(2) - f.ln2_high!r})
{_horner("r", exp_series, real)}
    return {number_of}({bits_of}(series) + ({bits_of}(shifted) << {whole}({f.mantissa})))


@inlined
def log{suffix}(x):
    bits = {bits_of}(x)
    e = (bits - {whole}({f.sqrt_half_bits})) >> {whole}({f.mantissa})
    m = {number_of}(bits - (e << {whole}({f.mantissa})))
    doublings = {number_of}(e + {whole}({f.rounder_bits})) - {real}({f.rounder!r})
    s = (m - {real}(1.0)) / (m + {real}(1.0))
    z = s * s
{_horner("z", log_series, real)}
    found = series * s + doublings * {real}({math.log(2)!r})
    return found if x >= {real}(0.0) else {real}(np.nan)
'''


def _horner(variable: str, coefficients: list[float], real: str) -> str:
    lines = [f"    series = {real}({coefficients[0]!r})"]
    lines += [f"    series = series * {variable} + {real}({c!r})" for c in coefficients[1:]]
    return "\n".join(lines)
