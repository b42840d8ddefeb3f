"""The program's own step as C++, compiled by g++ and called by the same driver: what numba's compiler is worth."""

from __future__ import annotations

import ctypes
import hashlib
import math
import re
import shutil
import subprocess
from importlib.metadata import version
from types import SimpleNamespace

from numba import types

from benchmarks.engines import Sample
from benchmarks.engines.lanes import OWN, Lanes
from benchmarks.problem import Problem
from leydig import model
from leydig.engine import kernel
from leydig.engine.lane_arithmetic import FORMATS, Format
from leydig.engine.step import step
from leydig.engine.trace import cache_folder

NAME = "leydig step as C++ (g++), error-controlled"
TOLERANCES = (OWN, 3e-4, 2e-4, 1e-4, 5e-5, 2e-5)
SAMPLE = Sample(320)
FLAGS = (
    "-O3", "-march=native", "-mprefer-vector-width=512", "-fopenmp-simd", "-fno-math-errno", "-fno-trapping-math",
    "-fno-signed-zeros", "-freciprocal-math", "-ffp-contract=fast", "-std=c++20", "-shared", "-fPIC",
)  # fmt: skip
ROW = re.compile(r"w\[(\d+)\]")
FUNCTION = re.compile(r"\b(exp|log|sqrt)\(")
LITERAL = re.compile(r"(?<![\w.\[])(\d+\.\d*(?:e[+-]?\d+)?|\d+e[+-]?\d+)")


def versions() -> dict[str, str]:
    if shutil.which("g++") is None:
        raise FileNotFoundError("g++ is not installed")
    found = subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True)
    return {"g++": found.stdout.strip(), "numba": version("numba")}


class Engine(Lanes):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        traced, settings = model.traced(), self.settings(OWN)
        variant, precision = settings.variant, settings.precision
        module = kernel.compiled_kernel(traced, variant, precision)
        program = step(traced, variant)
        library = _compiled(source(program.functions(), FORMATS[precision]))
        signature = types.void(types.CPointer(types.float64 if precision == "double" else types.float32))
        functions = [_Function(getattr(library, name), signature) for name in program.functions()]
        ours = SimpleNamespace(FUNCTIONS=tuple(functions), solve_block=module.solve_block)
        kernel.compiled_kernel = lambda *_: ours  # in this process, which runs nothing else


class _Function(types.WrapperAddressProtocol):
    """A compiled C++ function as numba passes functions around."""

    def __init__(self, function: ctypes._CFuncPtr, signature: object) -> None:
        self.function, self.own = function, signature

    def __wrapper_address__(self) -> int:
        return ctypes.cast(self.function, ctypes.c_void_p).value or 0

    def signature(self) -> object:
        return self.own


def _compiled(code: str) -> ctypes.CDLL:
    digest = hashlib.sha256((code + " ".join(FLAGS)).encode()).hexdigest()[:16]
    path = cache_folder() / f"step_{digest}.so"
    if not path.exists():
        written = path.with_suffix(".cpp")
        written.write_text(code)
        subprocess.run(["g++", *FLAGS, str(written), "-o", str(path)], check=True)
    return ctypes.CDLL(str(path))


def source(parts: dict[str, tuple[tuple[str, str], ...]], form: Format) -> str:
    """One function per part, each a loop over the lanes."""
    lines = [_arithmetic(form)]
    for name, statements in parts.items():
        lines += [f'extern "C" void {name}(real* __restrict__ w) {{', "#pragma omp simd"]
        lines += [f"for (int lane = 0; lane < {form.lanes}; lane++) {{"]
        for target, expression in statements:
            declared = "" if target.startswith("w[") else "const real "
            lines.append(f"{declared}{_put(target, form)} = {_put(expression, form)};")
        lines += ["}", "}"]
    return "\n".join(lines) + "\n"


def _put(words: str, form: Format) -> str:
    words = FUNCTION.sub(r"lane_\1(", words)
    words = LITERAL.sub(r"real(\1)", words)
    return ROW.sub(lambda found: f"w[{int(found[1]) * form.lanes} + lane]", words)


def _arithmetic(f: Format) -> str:
    """exp and log as in the program's own lanes."""
    real = "double" if f.bits == 64 else "float"
    exp_series = [1 / math.factorial(i) for i in range(f.exp_degree, -1, -1)]
    log_series = [2 / (2 * i + 1) for i in range(f.log_terms - 1, -1, -1)]

    def horner(variable: str, coefficients: list[float]) -> str:
        more = "".join(f"  series = series * {variable} + real({c!r});\n" for c in coefficients[1:])
        return f"  real series = real({coefficients[0]!r});\n{more}"

    return f"""#include <bit>
#include <cstdint>
using real = {real};
using whole = std::{f.whole}_t;
static inline real lane_sqrt(real x) {{ return __builtin_sqrt{"" if f.bits == 64 else "f"}(x); }}
static inline __attribute__((always_inline)) real lane_exp(real x) {{
  x = x < real({-f.largest}) ? real({-f.largest}) : x;
  x = x > real({f.largest}) ? real({f.largest}) : x;
  const real shifted = x * real({1 / math.log(2)!r}) + real({f.rounder!r});
  const real n = shifted - real({f.rounder!r});
  const real r = (x - n * real({f.ln2_high!r})) - n * real({math.log(2) - f.ln2_high!r});
{horner("r", exp_series)}  const whole power = std::bit_cast<whole>(shifted) << {f.mantissa};
  return std::bit_cast<real>(whole(std::bit_cast<whole>(series) + power));
}}
static inline __attribute__((always_inline)) real lane_log(real x) {{
  const whole bits = std::bit_cast<whole>(x);
  const whole e = (bits - whole({f.sqrt_half_bits})) >> {f.mantissa};
  const real m = std::bit_cast<real>(whole(bits - (e << {f.mantissa})));
  const real doublings = std::bit_cast<real>(whole(e + whole({f.rounder_bits}))) - real({f.rounder!r});
  const real s = (m - real(1.0)) / (m + real(1.0));
  const real z = s * s;
{horner("z", log_series)}  return series * s + doublings * real({math.log(2)!r});
}}
"""
