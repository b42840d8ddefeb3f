"""Published changes of semen and testosterone, split into a drug's effect and what comes back by itself.

    found = [split for trial in chosen_trials() for split in splits(trial)]

A paper without comparator prints the product of both. The trial is run again as ``reproduce`` runs it; the same virtual
men given nothing give what comes back by itself (regression to the mean), and what is printed over that is what the
drug would have to do. Where men come out of depends on who came: they are taken from the trial's condition, and once
more from everybody who comes to a clinic.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from typing import Literal, NamedTuple

import numpy as np

from leydig.errors import InputError, ModelWarning
from leydig.evidence import Arm, Criterion, Outcome, Trial, trials
from leydig.pharmacology.protocol import Protocol
from leydig.start import given
from leydig.studies import comparison, observe
from leydig.studies.fertility_plan import Series, plan
from leydig.studies.fertility_trials import Estimate, estimate
from leydig.studies.figures import Figure, figures
from leydig.studies.mixture import read_mixture
from leydig.studies.recruit import BASELINE
from leydig.studies.replicates import Replicates, Settings, default_settings, run_arms

Kind = Literal["uncontrolled", "controlled", "untreated"]
From = Literal["condition", "clinic"]
CONTROLLED = ("placebo", "untreated")
SUBFERTILE = "oligozoospermic-subfertile"
REACH = 1.959964  # standard errors to either limit of 95 %


class Split(NamedTuple):
    """One published figure as a log ratio to baseline (of a contrast: to the other arm), and its parts."""

    trial: str
    arm: str
    against: str | None
    protocol: str
    quantity: str
    day: float
    n: int
    printed: str
    kind: Kind
    men: From  # where the virtual men come from
    chosen: bool  # whether the reading that is printed as baseline let them in, so that it can come back by itself
    reported: float
    error: float  # its standard error by sampling
    predicted: Estimate  # of a trial of its size
    itself: Estimate  # what comes back by itself; of a contrast, in the other arm
    drug: Estimate
    needed: Estimate  # drug effect at which the reported figure comes out
    inside: bool  # whether the reported figure lies in the 95 % interval that also holds what studies differ by


class Failed(NamedTuple):
    """A trial that could not be run with men from there."""

    trial: str
    men: From
    why: str


# Which figures --------------------------------------------------------------------------------------


@cache
def published(text: str) -> Protocol:
    """A published protocol, however unusual: its doses are facts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        return Protocol.parse(text)


def wanted(trial: Trial, arm: Arm, outcome: Outcome, of: Series) -> bool:
    """Whether a figure is split: of semen, or a hormone where low readings let men in, under these drugs or none."""
    if trial.role == "none" or trial.key in of.left_out:
        return False
    drugs = set(published(arm.protocol).drugs)
    if not drugs <= set(of.drugs):
        return False
    named = (trial.key, arm.name, outcome.quantity) in {(one.trial, one.arm, one.quantity) for one in of.also}
    if not (outcome.fit or named):
        return False
    if outcome.quantity in of.semen:
        return True
    on_reading = any(one.visit == BASELINE for one in trial.population.criteria)
    return outcome.quantity in of.hormones and bool(drugs) and outcome.against is None and on_reading


def trimmed(trial: Trial, of: Series) -> Trial | None:
    """The trial with no other figures than those that are split; None where it has none."""
    arms = [
        arm.model_copy(
            update={
                "outcomes": [
                    outcome.model_copy(update={"fit": True})
                    for outcome in arm.outcomes
                    if wanted(trial, arm, outcome, of)
                ]
            }
        )
        for arm in trial.arms
    ]
    return trial.model_copy(update={"arms": arms}) if any(arm.outcomes for arm in arms) else None


@cache
def chosen_trials() -> tuple[Trial, ...]:
    """Every trial of the package that has figures to split, with these figures alone."""
    found = (trimmed(trial, plan().series) for trial in trials())
    return tuple(trial for trial in found if trial is not None)


def kind(trial: Trial, arm: Arm, outcome: Outcome) -> Kind:
    """Whether the figure has a comparator that took nothing."""
    if not any(given(published(arm.protocol), 1.0)):
        return "untreated"
    return "controlled" if outcome.against is not None or trial.design.control in CONTROLLED else "uncontrolled"


# Whose men ------------------------------------------------------------------------------------------


def from_clinic(trial: Trial, of: Series) -> Iterator[Trial]:
    """The trial's arms with men out of everybody who comes to a clinic, by what let them in.

    Only of subfertile men, and where a reading printed as baseline let them in or is supposed to have done so.
    """
    if trial.population.condition != SUBFERTILE:
        return
    supposed: dict[tuple[Criterion, ...], list[str]] = {}
    for arm in trial.arms:
        more = next((one.criteria for one in of.supposed if (one.trial, one.arm) == (trial.key, arm.name)), ())
        supposed.setdefault(more, []).append(arm.name)
    for more, names in supposed.items():
        criteria = [*trial.population.criteria, *more]
        if not any(one.visit == BASELINE or one.quantity in of.semen for one in criteria):
            continue
        needed = {outcome.against for arm in trial.arms if arm.name in names for outcome in arm.outcomes}
        arms = [arm for arm in trial.arms if arm.name in names or arm.name in needed]
        clinic = {"condition": read_mixture(plan().clinic.condition), "criteria": criteria}
        who = trial.population.model_copy(update=clinic)
        yield trial.model_copy(update={"arms": arms, "population": who})


# Splitting ------------------------------------------------------------------------------------------


def splits(
    trial: Trial, *, seed: int = 0, settings: Settings | None = None, of: Series | None = None
) -> tuple[list[Split], list[Failed]]:  # fmt: skip
    """All figures of a trimmed trial, split; with men of its condition first, then with those of the clinic."""
    of = plan().series if of is None else of
    settings = settings or default_settings()
    found: list[Split] = []
    failed: list[Failed] = []
    versions: list[tuple[From, Trial]] = [("condition", trial), *(("clinic", one) for one in from_clinic(trial, of))]
    for men, version in versions:
        try:
            found += _split(trial, version, men, seed, settings)
        except InputError as error:
            failed.append(Failed(trial.key, men, str(error)))
    return found, failed


def _split(trial: Trial, version: Trial, men: From, seed: int, settings: Settings) -> Iterator[Split]:
    listed = {(arm.name, *_named(outcome)): (arm, outcome) for arm, outcome in trial.outcomes()}
    names = {arm.name for arm in version.arms}
    own = [figure for figure in figures(trial) if figure.arm in names and not figure.level]
    if not own:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        arms, _ = run_arms(version, own, seed, settings)
    outcomes = {figure: listed[figure.arm, figure.against, figure.quantity, figure.day] for figure in own}
    sizes = {figure: outcome.n for figure, (_, outcome) in outcomes.items() if outcome.n}
    replicates = Replicates(version, arms, seed, settings, sizes)
    on_reading = [one.quantity for one in version.population.criteria if one.visit == BASELINE]
    for figure, (arm, outcome) in outcomes.items():
        chosen = any(_parts(quantity) & _parts(figure.quantity) for quantity in on_reading)
        yield _one(trial, arm, outcome, figure, replicates, men, chosen)


def _named(outcome: Outcome) -> tuple[str | None, str, float]:
    return outcome.against, outcome.quantity, outcome.day


def _parts(quantity: str) -> set[str]:
    """What a reading is made of."""
    return set(observe.DERIVED.get(quantity, (quantity,)))


def _one(
    trial: Trial, arm: Arm, outcome: Outcome, figure: Figure, replicates: Replicates, men: From, chosen: bool
) -> Split:  # fmt: skip
    """One figure, replicate by replicate."""
    median, what = outcome.statistic == "median", kind(trial, arm, outcome)
    treated = replicates.values(figure, figure.arm, median)
    if figure.against is not None:
        itself = replicates.values(figure, figure.against, median)
        drug = whole = treated - itself
    else:
        run, whole = replicates.arms[figure.arm], treated
        if what == "untreated":
            itself = treated
        elif figure.quantity in run.untreated:
            itself = replicates.values(figure, figure.arm, median, "untreated")
        else:
            itself = np.zeros_like(treated)
        drug = treated - itself
    # what came back in the paper's own men is one of the values that it has in trials of their number; where nothing
    # can come back, or the comparator has taken it out, the figure's own sampling is what is left
    needed = estimate(figure.reported - itself)
    if figure.against is not None or not itself.any():
        needed = Estimate(
            figure.reported, *(figure.reported + side * REACH * figure.standard_error for side in (-1, 1))
        )
    low, high = np.quantile(replicates.predicted(figure, median), (0.025, 0.975))
    return Split(
        trial.key,
        figure.arm,
        figure.against,
        arm.protocol,
        figure.quantity,
        figure.day,
        outcome.n or arm.n or int(comparison.settings()["men_assumed"]),
        figure.printed,
        what,
        men,
        chosen,
        figure.reported,
        figure.standard_error,
        estimate(whole),
        estimate(itself),
        estimate(drug),
        needed,
        bool(low <= figure.reported <= high),
    )
