"""Run every published trial again and write docs/credibility.md, docs/credibility.png and docs/reproduce.csv.

The runs are those of ``leydig reproduce --out out/validation`` (with other random numbers for some trials below it);
finished trials are found again. Then the tests that data/credibility.yaml names are run, the whole suite is looked
through for tests that are expected to fail, and the page is made of what came out.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from leydig import evidence as base
from leydig.cli import reproduce_run
from leydig.cli.shell import DONE, FOUND_WRONG
from leydig.errors import InputError
from leydig.report import figures
from leydig.report.reproduce_words import domain as kind_words
from leydig.studies import provenance
from leydig.studies.credibility import Evidence, Miss, Suite, page
from leydig.studies.credibility_drivers import drivers
from leydig.studies.credibility_evidence import CALIBRATION, VALIDATION
from leydig.studies.credibility_facts import gathered
from leydig.studies.credibility_file import Prose, prose
from leydig.studies.credibility_lines import Line, column, split, sums
from leydig.studies.reproduce_totals import settings
from leydig.writing import replacing, write_text

ROOT = Path(__file__).resolve().parents[1]
OUT, DOCS = ROOT / "out" / "validation", ROOT / "docs"
PAGE, PICTURE, FIGURES = DOCS / "credibility.md", DOCS / "credibility.png", DOCS / "reproduce.csv"
ROLES = {VALIDATION: 0, CALIBRATION: 1}  # with the place of its colour
PINNED = re.compile(
    r"^[A-Za-z0-9_.-]+(\[[^\]]*\])?==.*?(?=^[A-Za-z0-9_.-]+(\[[^\]]*\])?==|\Z)", re.MULTILINE | re.DOTALL
)


# What is run ---------------------------------------------------------------------------------------


def rerun(names: Sequence[str], seed: int, folder: Path) -> dict[str, Any]:
    """The document of ``leydig reproduce NAMES --seed SEED --out FOLDER``."""
    with redirect_stdout(io.StringIO()):
        code = reproduce_run.run(
            names, role=None, drug=None, draws=None, men=None, seed=str(seed), workers=None, out=str(folder),
            as_json=False,
        )  # fmt: skip
    if code not in (DONE, FOUND_WRONG):
        raise SystemExit(code)
    found: dict[str, Any] = json.loads((folder / reproduce_run.ANSWER).read_text(encoding="utf-8"))
    return found


class Looking:
    """A plugin of pytest that notes every test, runs those that are wanted and notes what becomes of them."""

    def __init__(self, wanted: Sequence[str]) -> None:
        self.wanted, self.tests, self.strict = wanted, list[str](), False
        self.misses, self.outcomes = list[Miss](), dict[str, str]()

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        self.tests = [item.nodeid for item in items]
        strict = bool(config.getini("xfail_strict"))
        for item in items:
            mark = next(item.iter_markers("xfail"), None)
            if mark is not None:
                kept = mark.kwargs.get("strict", strict)
                self.misses.append(Miss(item.nodeid, mark.kwargs.get("reason", ""), bool(kept)))
        items[:] = [item for item in items if self._is_wanted(item.nodeid)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        missed = hasattr(report, "wasxfail")
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = "expected to fail" if missed and report.skipped else report.outcome

    def _is_wanted(self, test: str) -> bool:
        return any(test == path or test.startswith((f"{path}::", f"{path}[")) for path in self.wanted)


def suite(asked: Prose) -> Suite:
    """The project's tests: all of them looked at, those that the page names run."""
    wanted = {test for check in asked.checks for test in check.tests} | {*asked.emergence}
    wanted |= {test for limit in asked.limits for test in limit.tests}
    looking = Looking(sorted(wanted))
    with redirect_stdout(io.StringIO()):
        pytest.main(["-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}", str(ROOT / "tests")], plugins=[looking])
    entries = [match.group() for match in PINNED.finditer((ROOT / "requirements.txt").read_text(encoding="utf-8"))]
    return Suite(
        len(looking.tests),
        len({test.partition("::")[0] for test in looking.tests}),
        tuple(looking.misses),
        looking.outcomes,
        sum("--hash=" in entry for entry in entries),
        len(entries),
    )


def second_solver() -> dict[str, float]:
    """How far two independent solvers differ, where `make bench` has measured it."""
    path = ROOT / "benchmarks" / "results.json"
    if not path.exists():
        return {}
    found: Mapping[str, float] = json.loads(path.read_text(encoding="utf-8")).get("reference", {}).get("agree", {})
    return {name: float(error) for name, error in found.items()}


# The picture ---------------------------------------------------------------------------------------


def coverage(axes: Axes, found: Evidence) -> None:
    """Shares inside by kind of figure, the target's bands behind."""
    least = found.prose.levels.kind_figures.value
    kinds = split(found.lines(VALIDATION), lambda line: line.figure["domain"])
    shown = [kind for kind, some in kinds.items() if len(some) >= least]
    shown.sort(key=lambda kind: sums(kinds[kind]).inside_95 or 0.0, reverse=True)
    for level in (95, 50):
        axes.axvspan(
            *(100 * x for x in settings()["targets"][f"inside_{level}"]["value"]), color=figures.FILL, zorder=0
        )
    for role, place in ROLES.items():
        own = split(found.lines(role), lambda line: line.figure["domain"])
        for row, kind in enumerate(shown):
            if kind not in own:
                continue
            one, y = sums(own[kind]), row + 0.16 - 0.32 * place
            for share, span, marker in (
                (one.inside_95, one.inside_95_interval, "o"),
                (one.inside_50, one.inside_50_interval, "D"),
            ):
                if share is not None and span is not None:
                    axes.plot([100 * x for x in span], [y, y], color=figures.COLOURS[place], linewidth=0.9)
                    axes.plot(100 * share, y, marker, color=figures.COLOURS[place], markersize=4)
    axes.set_yticks(range(len(shown)), [kind_words(kind) for kind in shown])
    axes.set(xlim=(0, 101), xlabel="inside, % (circle: 95 % interval, diamond: 50 %)")
    axes.set_title("Shares inside, by kind of figure", loc="left", fontsize=figures.TEXT + 1)


def beside_nulls(axes: Axes, found: Evidence) -> None:
    """The interval score over that of each null; below 1 the model is better."""
    rows = []
    for role in ROLES:
        one = sums(found.lines(role))
        for null, words in (("no_change", "no change"), ("mean_change", "drugs' mean change")):
            if one.interval_score is not None and one.nulls[null]:
                rows.append((f"{role},\n{words}", one.interval_score / one.nulls[null], ROLES[role]))
    for y, (_, ratio, place) in enumerate(rows):
        axes.barh(y, ratio, height=0.55, color=figures.COLOURS[place])
        axes.text(ratio + 0.02, y, f"{ratio:.2f}", va="center")
    axes.axvline(1, color=figures.GREY, linewidth=0.9)
    axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axes.invert_yaxis()
    axes.set(xlim=(0, max([1.1, *(ratio + 0.15 for _, ratio, _ in rows)])), xlabel="interval score / that of the null")
    axes.set_title("Beside the nulls (left of 1 is better)", loc="left", fontsize=figures.TEXT + 1)


def deviations(axes: Axes, found: Evidence) -> None:
    """How z is spread beside the normal curve that it should follow."""
    edges = np.linspace(-4, 4, 33)
    for role, place in ROLES.items():
        some: list[Line] = found.lines(role)
        z, weights = column(some, "z"), column(some, "weight")
        there = np.isfinite(z)
        if not there.any():
            continue
        axes.hist(
            np.clip(z[there], edges[0], edges[-1]), edges, weights=weights[there], density=True, histtype="step",
            color=figures.COLOURS[place], linewidth=1.3, label=role,
        )  # fmt: skip
    x = np.linspace(-4, 4, 200)
    axes.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), color=figures.GREY, linewidth=0.9, label="normal")
    axes.set(xlabel="z = (predicted − reported) / SD", ylabel="density")
    axes.legend(frameon=False, loc="upper left")
    axes.set_title("How far off, in standard deviations", loc="left", fontsize=figures.TEXT + 1)


def picture(found: Evidence) -> None:
    """The three panels as one picture."""
    with matplotlib.rc_context(figures.STYLE):
        canvas = Figure(figsize=(13.2, 4.6), facecolor="white")
        FigureCanvasAgg(canvas)
        for place, draw in enumerate((coverage, beside_nulls, deviations)):
            draw(canvas.add_subplot(1, 3, place + 1), found)
        canvas.tight_layout(w_pad=2.2)
        with replacing(PICTURE) as temporary:
            canvas.savefig(temporary, format="png", dpi=140, metadata={"Software": None})


# ---------------------------------------------------------------------------------------------------


def main() -> int:
    """Run, look, write; 0 when the page was written, whatever it says."""
    asked = prose()
    try:
        document = rerun([], 0, OUT)
        again = rerun(asked.again.trials, asked.again.seed, OUT / f"seed-{asked.again.seed}")
        print("tests that the page names", file=sys.stderr)
        tests = suite(asked)
        print("what drives the predictions", file=sys.stderr)
        driven = tuple(drivers(asked.drivers))
        trials = {one.key: one for one in base.trials()}
        facts = gathered(second_solver(), provenance.digests())
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    found = Evidence(document, trials, again, tests, facts, driven, asked)
    write_text(PAGE, page(found))
    picture(found)
    write_text(FIGURES, (OUT / reproduce_run.FIGURES).read_text(encoding="utf-8"))
    print(f"wrote {PAGE.name}, {PICTURE.name} and {FIGURES.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
