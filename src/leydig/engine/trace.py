"""Plain equations to straight-line code: traced once with symbols, generated, cached by digest.

``trace`` calls the same function that runs on floats with one symbol per state, parameter and input,
shares common sub-expressions and differentiates. The generated module is readable Python; it is kept
in a cache folder under the digest of its own text, so a stale one is never run.
"""

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

GENERATOR = "1"  # raised when the generated text changes meaning without the equations changing


class Traced(NamedTuple):
    """Straight-line functions of flat arrays, and the names of their slots.

    ``rates(state, parameters, inputs, out)`` fills ``out`` (n,);
    ``jacobian(state, parameters, inputs, out)`` fills ``out`` (n, n), rows are derivatives.
    """

    rates: Callable[..., None]
    jacobian: Callable[..., None]
    path: Path  # the generated module; ``compiled`` keeps machine code beside it
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    inputs: tuple[str, ...]
    source: str
    digest: str


def names(record: type, prefix: str = "") -> tuple[str, ...]:
    """Dotted names of the leaves of a (nested) NamedTuple class, in order."""
    found: list[str] = []
    for field, kind in record.__annotations__.items():
        dotted = f"{prefix}{field}"
        if isinstance(kind, type) and hasattr(kind, "_fields"):
            found.extend(names(kind, f"{dotted}."))
        else:
            found.append(dotted)
    return tuple(found)


def flatten(record: Any) -> list[Any]:
    """Leaves of a (nested) NamedTuple in order."""
    leaves: list[Any] = []
    for value in record:
        leaves.extend(flatten(value) if isinstance(value, tuple) else [value])
    return leaves


def build(record: Any, leaves: Any) -> Any:
    """The (nested) NamedTuple of class ``record`` from its leaves in order."""
    iterator = iter(leaves)

    def fill(kind: Any) -> Any:
        parts = kind.__annotations__.values()
        return kind(*(fill(k) if isinstance(k, type) and hasattr(k, "_fields") else next(iterator) for k in parts))

    return fill(record)


def trace(derivatives: Callable[..., Any], state: type, parameters: type, inputs: type) -> Traced:
    """Straight-line rates and Jacobian of ``derivatives(state, parameters, inputs)``.

    Each argument is a NamedTuple class, possibly nested; the function may use ``+ - * / **`` only.
    The text is generated once per version of the equations and cached.
    """
    recipe = _recipe_digest(derivatives, state, parameters, inputs)
    folder = cache_folder()
    path = folder / f"equations_{recipe}.py"
    if not path.exists():
        _write(path, _generate(derivatives, state, parameters, inputs))
    source = path.read_text()
    if not source.endswith(_seal(source)):
        source = _generate(derivatives, state, parameters, inputs)
        _write(path, source)
    module = _load(path)
    return Traced(
        module.rates, module.jacobian, path, names(state), names(parameters), names(inputs), source, _digest(source)
    )


# What the solver calls, around the straight-line functions: inputs at time t, then rates or Jacobian.
_WRAPPERS = """
@compiled
def inputs_at(t, starts, constant, slope, term_channel, term_rate, exponential, ramp_exponential):
    row = max(np.searchsorted(starts, t, side="right") - 1, 0)
    tau = t - starts[row]
    values = constant[row] + slope[row] * tau
    for i in range(term_rate.shape[0]):
        faded = np.exp(-term_rate[i] * tau)
        values[term_channel[i]] += (exponential[row, i] + ramp_exponential[row, i] * tau) * faded
    return values


@compiled
def rates_at(t, state, parameters, starts, constant, slope, term_channel, term_rate, exponential, ramp_exponential):
    out = np.empty(state.shape[0])
    inputs = inputs_at(t, starts, constant, slope, term_channel, term_rate, exponential, ramp_exponential)
    rates(state, parameters, inputs, out)
    return out


@compiled
def jacobian_at(t, state, parameters, starts, constant, slope, term_channel, term_rate, exponential, ramp_exponential):
    out = np.empty((state.shape[0], state.shape[0]))
    inputs = inputs_at(t, starts, constant, slope, term_channel, term_rate, exponential, ramp_exponential)
    jacobian(state, parameters, inputs, out)
    return out
"""


def compiled(traced: Traced) -> ModuleType:
    """The same functions as machine code, with ``rates_at`` and ``jacobian_at`` for a solver.

    Compilation takes some seconds the first time; the result is kept beside the generated text.
    """
    path = _compiled_path(traced)
    body = traced.source.replace("def rates", "@compiled\ndef rates").replace("def jacobian", "@compiled\ndef jacobian")
    text = "import numpy as np\nfrom numba import njit\n\ncompiled = njit(cache=True)\n" + body + _WRAPPERS
    if not path.exists() or path.read_text() != text:
        _write(path, text)
    return _load(path)


def generated(stem: str, text: str, prepare: Callable[[ModuleType], None] | None = None) -> ModuleType:
    """A module of generated text, kept in the cache folder under the digest of that text.

    ``prepare`` is to compile all of it: processes that need the module at once wait for the first of them.
    """
    path = cache_folder() / f"{stem}_{_digest(text)}.py"
    with _alone(path):
        if not path.exists() or path.read_text() != text:
            _write(path, text)
        module = _load(path)
        if prepare is not None:
            prepare(module)
    return module


def is_generated(stem: str, text: str, last: str) -> bool:
    """Whether machine code of this text lies ready; ``last`` is the function that is compiled last."""
    path = cache_folder() / f"{stem}_{_digest(text)}.py"
    return path.exists() and any((path.parent / "__pycache__").glob(f"{path.stem}.{last}-*.nbi"))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock beside a generated module, where the system has such locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_compiled(traced: Traced) -> bool:
    """Whether machine code of these very equations lies ready, so that nobody waits for it."""
    path = _compiled_path(traced)
    return path.exists() and any((path.parent / "__pycache__").glob(f"{path.stem}.rates_at-*.nbi"))


def _compiled_path(traced: Traced) -> Path:
    return traced.path.with_name(f"kernel_{_digest(traced.source + _WRAPPERS)}.py")


def cache_folder() -> Path:
    """Where generated code is kept: ``$LEYDIG_CACHE``, else the user's cache, else a temporary folder."""
    chosen = os.environ.get("LEYDIG_CACHE")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leydig"
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base):
            return base
    except OSError:
        return _private_folder()


@cache
def _private_folder() -> Path:
    """A new folder that nobody else can write to, for this process alone: generated code is run as code."""
    return Path(tempfile.mkdtemp(prefix="leydig-"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _recipe_digest(derivatives: Callable[..., Any], *records: type) -> str:
    """Digest of every source file that the equations can reach, of the records' names and of the generator."""
    parts = [GENERATOR, sys.version.split()[0], _generator_text()]
    parts += [Path(file).read_text() for _, file in sorted(_reachable(derivatives.__module__).items())]
    parts += [",".join(names(record)) for record in records]
    return _digest("\n".join(parts))


def _reachable(module: str) -> dict[str, str]:
    """Files of the package's modules that a module uses, directly or through others, whatever else is imported."""
    package, found, waiting = module.split(".")[0], {}, [module]
    while waiting:
        name = waiting.pop()
        loaded = sys.modules.get(name)
        file = getattr(loaded, "__file__", None)
        if name in found or file is None:
            continue
        found[name] = file
        for value in vars(loaded).values():
            home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None) or ""
            if home.split(".")[0] == package:
                waiting.append(home)
    return found


@cache
def _generator_text() -> str:
    return Path(__file__).read_text()


def _seal(source: str) -> str:
    body = source.rpartition("# seal ")[0]
    return f"# seal {_digest(body)}\n"


def _write(path: Path, source: str) -> None:
    """Temporary name, then rename: two processes may generate at once."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w") as out:
        out.write(source)
    os.replace(temporary, path)


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"leydig_generated.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"the generated equations at {path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _generate(derivatives: Callable[..., Any], state: type, parameters: type, inputs: type) -> str:
    import sympy

    def symbols(letter: str, record: type) -> list[Any]:
        return [sympy.Symbol(f"{letter}_{name.replace('.', '__')}", positive=True) for name in names(record)]

    groups = {"state": symbols("s", state), "parameters": symbols("p", parameters), "inputs": symbols("u", inputs)}
    records = (build(kind, groups[g]) for kind, g in zip((state, parameters, inputs), groups, strict=True))
    rates = [sympy.sympify(r) for r in flatten(derivatives(*records))]
    text = [
        '"""Generated from the equations; do not edit."""\n',
        _function("rates", groups, {(i,): r for i, r in enumerate(rates)}),
    ]
    entries: dict[tuple[int, ...], Any] = {}
    for i, rate in enumerate(rates):
        for j, symbol in enumerate(groups["state"]):
            if symbol in rate.free_symbols:
                entries[(i, j)] = sympy.diff(rate, symbol)
    text.append(_function("jacobian", groups, entries))
    source = "\n\n".join(text)
    return source + f"\n\n# seal {_digest(source + chr(10) * 2)}\n"


def _function(name: str, groups: dict[str, list[Any]], entries: dict[tuple[int, ...], Any]) -> str:
    """One straight-line function that fills ``out`` at the keys of ``entries``."""
    import sympy

    shared, results = sympy.cse(list(entries.values()), symbols=sympy.numbered_symbols("x"), order="none")
    used = set().union(*(e.free_symbols for e in [*results, *(e for _, e in shared)]))
    lines = [f"def {name}(state, parameters, inputs, out):"]
    for group, members in groups.items():
        lines += [f"    {symbol} = {group}[{i}]" for i, symbol in enumerate(members) if symbol in used]
    lines += [f"    {symbol} = {sympy.pycode(value)}".replace("math.", "") for symbol, value in shared]
    if name == "jacobian":
        lines.append("    out[:, :] = 0.0")
    for where, value in zip(entries, results, strict=True):
        place = ", ".join(map(str, where))
        lines.append(f"    out[{place}] = {sympy.pycode(value)}".replace("math.", ""))
    text = "\n".join(lines) + "\n"
    return ("from math import sqrt\n\n\n" if name == "rates" else "") + text
