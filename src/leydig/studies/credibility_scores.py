"""The credibility report on validation: totals, kinds of figures, worst misses, comparators, applicability."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from leydig.studies import comparison
from leydig.studies.credibility_checks import said
from leydig.studies.credibility_criteria import targets
from leydig.studies.credibility_evidence import CALIBRATION, VALIDATION, Evidence, cells, near_to
from leydig.studies.credibility_file import Context
from leydig.studies.credibility_lines import Line, column, given, pick, split, sums
from leydig.studies.credibility_words import (
    NOTHING,
    between,
    bullets,
    number,
    percent,
    plural,
    quantity,
    signed,
    table,
)
from leydig.studies.reproduce_totals import sampling_alone

WORST = 15  # figures that are listed
HEAD = ("figures", "studies", "inside 95 %", "inside 50 %", "interval score", "no change", "drugs' mean", "mean z")
UNTREATED, HORMONE = "untreated", "hormone"


def validation(evidence: Evidence) -> str:
    """How the model does on trials that no fit saw, beside those that it was fitted to."""
    held, seen = evidence.lines(VALIDATION), evidence.lines(CALIBRATION)
    out = sorted((line for line in held if not line.figure["inside_95"]), key=lambda line: -_distance(line))
    parts = [
        "## Validation\n",
        "A published trial is run many times at its own size on men who look like its baseline table; a figure is "
        "inside when what was printed lies in the interval of what the runs print. One weight per arm and quantity. "
        "In brackets: 95 % intervals that count studies that share men once. Every figure is in "
        "[reproduce.csv](reproduce.csv).\n",
        table(("trials", *HEAD, "hormone error"), [_totals(VALIDATION, held), _totals(CALIBRATION, seen)]),
        "*Hormone error*: median absolute error of hormone means on treatment over what sampling alone would give. "
        "*Interval score*: smaller is better, in standard deviations between studies.\n",
        _floor(evidence),
        f"### Worst misses\n\n{len(out)} of {len(held)} validation figures lie outside their 95 % interval. "
        f"The {min(WORST, len(out))} that lie furthest off:\n",
        table(("z", "trial", "arm", "quantity", "day", "reported", "predicted"), [_miss(line) for line in out[:WORST]]),
        "### By kind of figure\n",
        _by(held, _kind, "kind"),
        "### By drug\n",
        _by_drug(held),
        "### Comparators\n",
        _by(held, _design, "control"),
        _by(held, lambda line: f"read in {_read(line)}", "how the figure was seen"),
        _by(held, lambda line: line.condition, "men"),
        _told(evidence),
    ]
    return "\n".join(parts)


def _row(some: Sequence[Line]) -> tuple[str, ...]:
    found = sums(some)
    return (
        str(found.figures), str(found.studies), percent(found.inside_95), percent(found.inside_50),
        *(number(score, 3) for score in (found.interval_score, found.nulls["no_change"], found.nulls["mean_change"])),
        signed(found.mean_z),
    )  # fmt: skip


def _totals(role: str, some: Sequence[Line]) -> tuple[str, ...]:
    found, row = sums(some), list(_row(some))
    row[1] = f"{found.studies} ({found.groups} independent)"
    row[2] += f" ({between(found.inside_95_interval)})"
    row[3] += f" ({between(found.inside_50_interval)})"
    return (role, *row, number(found.error_ratio))


def _floor(evidence: Evidence) -> str:
    """What the hormone error would be if nothing but studies differed."""
    apart = {domain: sd for fit in evidence.facts.fits for domain, sd in fit.between_study.items()}.get(HORMONE, 0.0)
    hormones = [line for line in evidence.lines(VALIDATION) if line.figure["hormone_mean"]]
    sampling, weights = column(hormones, "sampling"), column(hormones, "weight")
    alone, both = sampling_alone(sampling, weights), sampling_alone(np.hypot(sampling, apart), weights)
    if alone is None or both is None:
        return ""
    return (
        f"Studies differ by more than sampling. With the standard deviation between studies of {number(apart)} (log "
        "scale) that was estimated on calibration studies, which holds what the model gets wrong there as well, the "
        f"hormone error of a model that is right on average would be {number(both / alone)} on the validation "
        "figures.\n"
    )


def _by(some: Sequence[Line], name: Callable[[Line], str], what: str) -> str:
    """A table of parts, those that do worst first."""
    parts = sorted(split(some, name).items(), key=lambda pair: sums(pair[1]).inside_95 or 0.0)
    return table((what, *HEAD), [(one, *_row(own)) for one, own in parts])


def _by_drug(some: Sequence[Line]) -> str:
    names = dict.fromkeys(drug for line in some for drug in (given(line) or [UNTREATED]))
    parts = {name: [line for line in some if name in (given(line) or [UNTREATED])] for name in names}
    ordered = sorted(parts.items(), key=lambda pair: sums(pair[1]).inside_95 or 0.0)
    return table(("drug", *HEAD), [(name, *_row(own)) for name, own in ordered])


def _kind(line: Line) -> str:
    """A kind of figure with what it holds."""
    kind = line.figure["domain"]
    holds = comparison.settings()["domains"][kind].get("quantities", ())
    return f"{quantity(kind)} ({', '.join(map(quantity, holds))})" if len(holds) > 1 else quantity(kind)


def _design(line: Line) -> str:
    if not line.controlled:
        return "none, or not said"
    return f"{line.trial.design.control}, {'randomised' if line.randomised else 'not randomised'}"


def _read(line: Line) -> str:
    return {"fulltext": "the paper", "abstract": "the abstract", "secondary": "another text"}[line.figure["seen"]]


def _distance(line: Line) -> float:
    z = line.figure["z"]
    return math.inf if z is None else abs(z)


def _miss(line: Line) -> tuple[str, ...]:
    figure = line.figure
    arm = figure["arm"] + (f" against {figure['against']}" if figure["against"] else "")
    span = f"{number(figure['lower'], 3)} to {number(figure['upper'], 3)}"
    return (
        signed(figure["z"]), line.trial.key, arm, quantity(figure["quantity"]), f"{figure['day']:g}",
        f"{number(figure['reported'], 3)} {figure['unit']} ({figure['statistic'].replace('_', ' ')})",
        f"{number(figure['predicted'], 3)} ({span})",
    )  # fmt: skip


def _told(evidence: Evidence) -> str:
    held = evidence.lines(VALIDATION)
    rest = [line for line in held if not line.figure["in_words"]]
    found = sums(rest)
    return (
        f"{plural(len(held) - len(rest), 'validation figure')} only told in words that nothing changed; without them "
        f"{percent(found.inside_95)} lie inside the 95 % and {percent(found.inside_50)} inside the 50 % interval.\n"
    )


# Applicability -------------------------------------------------------------------------------------


def applicability(evidence: Evidence) -> str:
    """How near the validation comes to each use."""
    short, middle = (f"{days:.0f}" for days in evidence.prose.durations.value)
    outcomes = [*evidence.prose.outcomes]
    parts = [
        "## Applicability\n",
        f"Validation figures by family of drug, men and outcome; in each cell up to {short} days · up to {middle} days "
        "· longer. A figure of two drugs counts under both; – is none.\n",
        table(("drugs", "men", *outcomes), _coverage(evidence, outcomes)),
    ]
    for context in evidence.prose.contexts:
        parts += [f"### Near the {context.name}\n", _near(evidence, context)]
    return "\n".join(parts)


def _coverage(evidence: Evidence, outcomes: Sequence[str]) -> list[tuple[str, ...]]:
    held, family = evidence.lines(VALIDATION), evidence.prose.family
    pairs = sorted({(family(drug), line.condition) for line in held for drug in (given(line) or [UNTREATED])})
    rows = []
    for name, condition in pairs:
        own = [
            line for line in held
            if line.condition == condition and name in {family(drug) for drug in (given(line) or [UNTREATED])}
        ]  # fmt: skip
        rows.append((name, condition, *(_spans(evidence, pick(own, outcomes=[outcome])) for outcome in outcomes)))
    return rows


def _spans(evidence: Evidence, some: Sequence[Line]) -> str:
    short, middle = evidence.prose.durations.value
    days = [line.figure["day"] for line in some]
    counts = (sum(d <= short for d in days), sum(short < d <= middle for d in days), sum(d > middle for d in days))
    return " · ".join(map(str, counts)) if days else NOTHING


def _near(evidence: Evidence, context: Context) -> str:
    needs, near = context.needs, near_to(evidence, context)
    table_of = cells(context, near)
    bare = [drug for drug in needs.drugs if not any(table_of[key] for key in table_of if key[0] == drug)]
    head = (f"drug, up to {needs.until:.0f} days", *needs.conditions)
    rows = [(drug, *(_cell(table_of, context, drug, one) for one in needs.conditions)) for drug in needs.drugs]
    parts = [
        table(
            ("trials", *HEAD), [(role, *_row(near_to(evidence, context, role))) for role in (VALIDATION, CALIBRATION)]
        ),
        said(targets(sums(near))),
        f"Validation figures of {' · '.join(needs.outcomes)}:\n",
        table(head, rows),
    ]
    if bare:
        parts.append(bullets([f"no validation figure at all: {', '.join(bare)}"]))
    return "\n".join(parts)


def _cell(table_of: Mapping[tuple[str, str, str], int], context: Context, drug: str, condition: str) -> str:
    counts = [table_of[drug, condition, outcome] for outcome in context.needs.outcomes]
    return " · ".join(map(str, counts)) if any(counts) else NOTHING
