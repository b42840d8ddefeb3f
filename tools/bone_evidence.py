"""Published figures of bone beside the model, for docs/bone.md: every trial run again on virtual men like its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from bone_pictures import Beside
from bone_words import interval, percent, table
from leydig.evidence import Arm, Trial, trial, trials
from leydig.pharmacology import drugs
from leydig.pharmacology.protocol import Protocol
from leydig.report import wording
from leydig.studies.comparison import domain, settings
from leydig.studies.reproduce import reproduce

MARKERS = ("CTX", "NTX", "P1NP")
KINDS = ("bmd_spine", "bmd_hip", "marker")  # domains of what is scored here
WITHOUT_AROMATASE, CASTRATED = "born without aromatase, on estradiol", "castrated"
SHOWN = {"spine": ("bmd_spine",), "hip": ("bmd_hip",), "markers": MARKERS}


@cache
def published() -> tuple[Beside, ...]:
    """Every scored figure of bone of every trial; misses first."""
    found: list[Beside] = []
    for one in trials():
        if any(domain(outcome.quantity) in KINDS and outcome.fit for _, outcome in one.outcomes()):
            found += of_trial(one)
    return tuple(sorted(found, key=lambda beside: (beside.inside, -abs(beside.z))))


def of_trial(one: Trial) -> list[Beside]:
    """The figures of one trial."""
    arms, found = {arm.name: arm for arm in one.arms}, []
    for scored in reproduce(one).scored:
        figure = scored.figure
        if figure.domain in KINDS:
            change = in_percent(figure.domain)
            values = (change(x) for x in (figure.reported, scored.median, scored.low_95, scored.high_95))
            what = (figure.arm, figure.against, figure.quantity, figure.day, figure.printed)
            kind = kind_of(one, arms[figure.arm])
            found.append(Beside(kind, one.key, one.role, *what, *values, scored.z, scored.inside_95))
    return found


def in_percent(kind: str) -> Callable[[float], float]:
    """From the scale of comparison to change in percent."""
    logarithmic = settings()["domains"][kind]["scale"] == "log"
    return (lambda value: wording.PERCENT * float(np.expm1(value))) if logarithmic else float


def classes(arm: Arm) -> frozenset[str]:
    """The classes of the drugs of an arm."""
    return frozenset(drugs.get(name).kind for name in Protocol.parse(arm.protocol).drugs)


def kind_of(one: Trial, arm: Arm) -> str:
    """What was done to the men of an arm, in words."""
    taken = classes(arm)
    if one.population.condition == "aromatase-deficient":
        return WITHOUT_AROMATASE
    if "estrogen" in taken:
        return "testes shut off, on estradiol"
    if any(name.startswith("GnRH") for name in taken):
        return "castrated, hormones clamped" if len(taken) > 1 else CASTRATED
    if "androgen" in taken:
        return "testosterone or dihydrotestosterone"
    if any("aromatase inhibitor" in classes(other) for other in one.arms):
        return "inhibitor alone, and its placebo"
    return "calcium" if any("calcium" in other.protocol for other in one.arms) else "change of weight"


def section() -> list[str]:
    """The heading, the picture and how each kind of trial does."""
    found = published()
    missed = sum(not one.inside for one in found)
    said = (
        f"Every scored figure of density and turnover: {len(found)} of {len({one.trial for one in found})} trials, "
        "each run again many times on virtual men like its own; change in percent, with the interval of 95 % for a "
        "trial of its size. Filled: validation, which no fit has seen; open: calibration, and trials that a parameter "
        f"was taken from. {missed} figures lie outside.\n"
    )
    picture = "![Predicted against reported changes of density](bone-trials.png)\n"
    return ["\n## Published trials of bone beside the model\n", said, picture, *kinds_table(found)]


def kinds_table(found: Sequence[Beside]) -> list[str]:
    """How each kind of trial does."""
    rows = []
    for kind in sorted({one.kind for one in found}):
        for words, quantities in SHOWN.items():
            some = [one for one in found if one.kind == kind and one.quantity in quantities]
            if some:
                error = percent(float(np.mean([one.predicted - one.reported for one in some])))
                inside = f"{sum(one.inside for one in some)} of {len(some)}"
                rows.append([kind, words, str(len({one.trial for one in some})), inside, error])
    return table(("men", "what", "trials", "inside 95 %", "predicted less reported, mean, points"), rows)


def figure_table() -> list[str]:
    """Every figure."""
    rows = []
    for one in published():
        mark = wording.digits(one.z, 1) if one.inside else f"**{wording.digits(one.z, 1)} miss**"
        arm = one.arm if one.against is None else f"{one.arm} against {one.against}"
        what = one.quantity.removeprefix("bmd_")
        printed = one.printed.replace("percent_change", "change")
        predicted = interval(one.predicted, one.low, one.high)
        rows.append([mark, one.trial, one.role, arm, what, f"{one.day:g}", printed, percent(one.reported), predicted])
    return table(("z", "trial", "role", "arm", "what", "day", "printed", "reported, %", "predicted, %"), rows)


def sources() -> set[str]:
    """Citations of the trials."""
    return {trial(one.trial).citation for one in published()}
