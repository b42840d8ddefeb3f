"""Table and picture from the results: benchmarks/README.md and speed.png."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.problem import PROTOCOLS, YEARS
from benchmarks.worker import NO_RESULT

OWN, COMPARED = ("kernel_adaptive", "kernel_fast", "kernel_single", "generated_cpp"), "mrgsolve_package"
CALLABLE = ("numbalsoda_lsoda", "sundae_cvode", "project_reference", "scipy_lsoda", "roadrunner_sbml")

HEAD = """# Speed, side by side

The whole model of this project ({states} states, {parameters} parameters) on the same virtual men under three
protocols of two years, with all states out every week. `make bench` repeats it; `python -m benchmarks.run --quick` is
a small variant. This page is written by the run.

- **Speed** is simulated subject-years per second on one core: median of {rounds} interleaved rounds (least to most).
  Preparing (drawing men, compiling, reading files, loading SBML) is not in it; it is listed on its own.
- **Error** is the largest, over men, weeks and states, of |y - ref| / max(|ref|, 0.001 of the man's largest |ref|, a
  thousandth of what a typical man has; for fat, lean mass and haematocrit, which are differences from day 0, of the
  quantity that they are a difference of). Every engine has the loosest
  tolerance of its list with which this is at most {target:g} on its sample; where none does, the error says so. The
  program's own lists begin with its default.
- **Reference**: {reference}.
- **Men**: {men}, extremes first (drug kinetics, exposure and parameters at their 1st and 99th percentiles, a castrated
  man, one without estradiol, one without gonadotropins, BMI 55, a thin man of 85), the rest drawn from six conditions
  with the parameters of body and drugs that differ between men. A sample is spread over them; faster engines run them
  over and over, so that every run takes seconds.
- **Equations**: every engine solves the same traced equations, with shared subexpressions and logarithms, with what
  depends on parameters alone computed once per man, and without drugs and states that the protocol leaves alone
  (libRoadRunner and `leydig.engine.reference` have the whole of them, as generated). Drugs are closed forms, except in
  mrgsolve, which has them as compartments and doses them itself. Solvers with a memory are restarted at every dose.
"""


def write(results: dict[str, Any], where: Path) -> None:
    """README.md and speed.png in a folder."""
    parts = [_head(results), _machine(results["machine"])]
    for which, found in results["protocols"].items():
        parts.append(_table(PROTOCOLS[which], found))
    if any(not one.get("missing") for found in results["protocols"].values() for one in found.values()):
        picture(results, where / "speed.png")
        parts.append("![Subject-years per second by engine and protocol](speed.png)")
    parts += [_sizes(results), _population(results), _starts(results), _parts(results), LIMITS, _versions(results)]
    (where / "README.md").write_text("\n\n".join(part for part in parts if part) + "\n")


LIMITS = """## What is not reached, and what is not measured

The aim was 50 times mrgsolve in the default and 100 in a fast mode. A stand-in of 30 states with a third of the
exponentials per step reached that. This model has 58 states and a tablet that is absorbed within the hour, which every
dose has to be followed through (half of all steps fall into the first six hours after a dose); and the peers above are
given the same economies as the kernel. g++ makes the same step no faster. What is left is in the numerics: fewer steps
after a dose, and inputs that are evaluated once where men keep the same hours.

The stored grid (`fast`) has to serve the man who needs the shortest steps, while a lane of its own lets every man have
his. So it gains a third over `single`, on men outside its pilot its error can exceed the target, and for testosterone
with hCG it would need more steps than men do by their own error, so that none is stored.

On a graphics processor nothing was measured, because none was at hand. The CUDA kernel is made of the same step; in
numba's simulator it agrees with the lanes to rounding (tested). rxode2 was not measured either."""


def _parts(results: dict[str, Any]) -> str:
    """Where the time of a step goes."""
    if "parts" not in results:
        return ""
    found, lanes = results["parts"]["microseconds"], results["parts"]["lanes"]
    total = sum(found.values())
    rows = [f"| {name} | {value:.2f} | {100 * value / total:.0f} |" for name, value in found.items()]
    return "\n".join([
        "## Where the time goes", "",
        f"One step of {lanes} men, smallest class of protocols, double precision; each part called alone. Choosing the",
        "next step of every lane, events and outputs come on top.", "",
        "| part | µs | % |", "|---|---|---|", *rows,
    ])  # fmt: skip


def _head(results: dict[str, Any]) -> str:
    from leydig import model

    traced, agree = model.traced(), results["reference"]
    differences = ", ".join(f"{value:.1e} ({which})" for which, value in agree["agree"].items())
    reference = f"{agree['solvers'][0]}; {agree['solvers'][-1]} on some of the men differs from it by {differences}"
    return HEAD.format(
        states=len(traced.states),
        parameters=len(traced.parameters),
        rounds=results["rounds"],
        target=results["target"],
        reference=reference,
        men=results["men"],
    ).rstrip()


def _machine(about: dict[str, str]) -> str:
    return "Measured on: " + "; ".join(f"{name} {value}" for name, value in about.items()) + "."


def _table(protocol: str, found: dict[str, dict[str, Any]]) -> str:
    ran = {module: one for module, one in found.items() if not one.get("missing")}
    best = max((m for m in CALLABLE if m in ran), key=lambda m: ran[m]["speed"], default=None)
    rows = [
        "| engine | subject-years/s | × mrgsolve | × best of Python's | largest error | typical man's | tolerance "
        "| men × weeks | prepare |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for module, one in sorted(found.items(), key=lambda item: -item[1].get("speed", 0.0)):
        if module not in ran:
            rows.append(f"| {one.get('name') or module} | not measured here: {one['missing']} | | | | | | | |")
            continue
        over = [_ratio(one, ran.get(other)) for other in (COMPARED, best)]
        found_error = "no result for a man" if one["error"] >= NO_RESULT else f"{one['error']:.1e}"
        error = found_error + ("" if one["meets"] else " (misses)")
        rows.append(
            f"| {one['name']} | {_figure(one['speed'])} ({_figure(min(one['speeds']))}–{_figure(max(one['speeds']))}) "
            f"| {over[0]} | {over[1]} | {error} | {one['typical_error']:.1e} | {one['shown']} "
            f"| {one['men']} × {one['weeks']} | {one['prepare']:.1f} s |"
        )
    return f"## {protocol[0].upper()}{protocol[1:]}, {YEARS:.0f} years\n\n" + "\n".join(rows)


def _ratio(one: dict[str, Any], other: dict[str, Any] | None) -> str:
    """Median of the ratios round by round, which drift of the machine touches least."""
    if other is None:
        return "–"
    return f"{median(a / b for a, b in zip(one['speeds'], other['speeds'], strict=False)):.3g}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _lines(head: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    columns = list(columns)
    table = [columns, ["---"] * len(columns), *(list(map(str, row)) for row in rows)]
    return f"## {head}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in table)


def _sizes(results: dict[str, Any]) -> str:
    found = results.get("scaling")
    if not isinstance(found, list):
        return f"## Men and threads\n\nNot measured: {found['missing']}." if found else ""
    rows = [(f"{x['men']:,}", x["threads"], _figure(x["speed"]), f"{x['megabytes']:,.0f}") for x in found]
    text = _lines("Men and threads", ("men", "threads", "subject-years/s", "peak memory, MiB"), rows)
    return f"{text}\n\nThe default kernel: twice-weekly anastrozole for half a year, states at its end only."


def _population(results: dict[str, Any]) -> str:
    found = results.get("population")
    if not isinstance(found, list):
        return f"## Population runs\n\nNot measured: {found['missing']}." if found else ""
    rows = [
        (f"{x['men']:,}", f"{x['seconds']:.1f}", _figure(x["men"] * YEARS / x["seconds"]), f"{x['megabytes']:,.0f}")
        for x in found
    ]
    columns = ("men", "seconds", "subject-years/s", "peak memory, MiB")
    return _lines("Population runs, end to end on all cores", columns, rows) + (
        "\n\n`leydig population` with new men, twice-weekly anastrozole for two years, from the shell to the last file."
    )


def _starts(results: dict[str, Any]) -> str:
    found = results.get("start")
    if not found or "missing" in found:
        return f"## Starting\n\nNot measured: {found['missing']}." if found else ""
    return _lines("Starting", ("what", "seconds"), ((name, f"{value:.2g}") for name, value in found.items()))


def _versions(results: dict[str, Any]) -> str:
    found: dict[str, str] = {}
    for protocol in results["protocols"].values():
        for one in protocol.values():
            found |= one.get("versions") or {}
    return "Versions: " + ", ".join(f"{name} {version}" for name, version in sorted(found.items())) + "."


def picture(results: dict[str, Any], path: Path) -> None:
    """Bars of subject-years per second on a logarithmic axis, least to most as a line."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = results["protocols"]
    first = next(iter(found.values()))
    ran = [m for m in first if any(not p[m].get("missing") for p in found.values())]
    ran.sort(key=lambda m: max(p[m].get("speed", 0.0) for p in found.values()))
    shades = ("#1b6ca8", "#7fb2d9", "#c9dcea")
    figure, axes = pyplot.subplots(figsize=(9, 1.4 + 0.55 * len(ran)), layout="constrained")
    height = 0.8 / len(found)
    for k, (which, protocol) in enumerate(found.items()):
        for row, module in enumerate(ran):
            one = protocol[module]
            if one.get("missing"):
                continue
            place = row + (len(found) - 1 - 2 * k) * height / 2
            label = PROTOCOLS[which] if row == len(ran) - 1 else None
            axes.barh(place, one["speed"], height, color=shades[k % 3], label=label)
            axes.plot([min(one["speeds"]), max(one["speeds"])], [place, place], color="#333333", linewidth=1)
            axes.text(
                max(one["speeds"]) * 1.08,
                place,
                _figure(one["speed"]) + ("" if one["meets"] else " *"),
                va="center",
                fontsize=7,
            )
    axes.set_xscale("log")
    axes.set_yticks(range(len(ran)), [_short(first[m].get("name") or m) for m in ran], fontsize=8)
    axes.set_xlabel(
        f"simulated subject-years per second, one core, largest error {results['target']:g} or less (* more)"
    )
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), fontsize=7, frameon=False, loc="outside upper right")
    figure.savefig(path, dpi=150)
    pyplot.close(figure)


def _short(name: str) -> str:
    return name.replace(" (", "\n(")
