"""One man whose doses are changed at visits, from visit to visit, and what is said of it.

A visit whose answer comes at the end of the titrated course or of the run, or later, could change nothing and is left
out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from leydig import laboratory, model, outputs, start
from leydig.engine import reference
from leydig.engine.inputs import InputTable, evaluate
from leydig.engine.trajectory import Trajectory
from leydig.errors import InputError
from leydig.pharmacology import titration_text
from leydig.pharmacology.protocol import Protocol
from leydig.pharmacology.schedule import Schedule
from leydig.pharmacology.titration import RuleSet, rule_sets
from leydig.pharmacology.titration_actions import Restart, SetDose
from leydig.pharmacology.treatment import Treatment
from leydig.studies.provenance import RULES, cited
from leydig.studies.sampling import Laboratory, draws, needed, own_laboratory
from leydig.studies.titrate_visit import HOURS_PER_DAY, Visit, attend, checked, given, hours
from leydig.subject import Completed
from leydig.units import CANONICAL

# One man --------------------------------------------------------------------------------------------


class Course(NamedTuple):
    """One man's titrated run."""

    solution: reference.Solution  # at the hours asked for
    table: InputTable  # all that he was given
    visits: tuple[Visit, ...]  # of one man
    treatment: Treatment  # as prescribed at the end


def follow(
    began: start.Start,
    age: float,
    protocol: Protocol,
    rules: RuleSet,
    place: Laboratory,
    times: np.ndarray,
    *,
    weekday: int = 0,
    seed: int = 0,
    man: int = 0,
    scale: start.Scale | None = None,
    tolerance: float = 1e-6,
) -> Course:
    """One man from visit to visit; ``times`` (h) rise from 0, the last is the end of the run.

    ``seed`` and ``man`` decide the noise of his samples. A failed solve is the status of the solution, as elsewhere.
    """
    horizon = float(times[-1])
    treatment = Treatment.of(protocol, rules)
    visits: list[Visit] = []
    stops = hours(rules, treatment, horizon)
    bounds = [*dict.fromkeys([0.0, *stops]), horizon]
    state, values = began.state, np.full((len(times), len(began.state)), np.nan)
    status, reached, steps, evaluations = reference.Status.done, 0.0, 0, 0
    table = start.input_table(age, began.earlier)
    names = needed(place.samples)
    for begin, end in pairwise(bounds):
        if begin in stops:
            now = outputs.quantities(state[None, :], began.individual, evaluate(table, np.array([begin])))
            drawn = draws(seed, place, begin, man, 1)
            seen = {name: now[name] for name in names}
            there = np.ones(1, bool)
            visits.append(attend(rules, place, visits, begin, seen, np.array([age], float), drawn, [treatment], there))
            treatment = visits[-1].after[0]
        what = given(treatment, protocol, horizon / HOURS_PER_DAY, end, weekday)
        table = start.input_table(age, began.earlier, start.driven(what, scale))
        inside = np.flatnonzero((times >= begin) & ((times < end) | (end == horizon)))
        moments = np.union1d(times[inside], [begin, end])
        found = reference.solve(
            model.traced(), state, start.vector(began.individual), table, moments,
            rtol=tolerance, atol=tolerance / 100, compile=True,
        )  # fmt: skip
        values[inside] = found.values[np.searchsorted(moments, times[inside])]
        state, status, reached = found.values[-1], found.status, found.reached
        steps, evaluations = steps + found.steps, evaluations + found.evaluations
        if status is not reference.Status.done:
            break
    return Course(
        reference.Solution(times, values, status, reached, steps, evaluations), table, tuple(visits), treatment
    )


class Titration(NamedTuple):
    """How one man's doses are titrated under a plan, if they are; ``man`` 0 is the run at central values."""

    plan: Plan
    completed: Completed
    times: np.ndarray  # h
    weekday: int
    seed: int
    man: int = 0
    constants: laboratory.Constants | None = None  # of his laboratory, None for the usual

    def of_draw(self, number: int, constants: laboratory.Constants) -> Titration:
        """The same for draw ``number`` (from 0) of the man, whose samples have noise of their own."""
        return self._replace(man=number + 1, constants=constants)

    def place(self, began: start.Start) -> Laboratory:
        """His laboratory."""
        assert self.plan.rules is not None
        return own_laboratory(self.plan.rules, self.completed, began, self.constants)

    def follow(self, began: start.Start, scale: start.Scale | None, tolerance: float) -> Course | None:
        """His course; None without rules."""
        if self.plan.rules is None:
            return None
        return follow(
            began,
            self.completed.age,
            self.plan.protocol,
            self.plan.rules,
            self.place(began),
            self.times,
            weekday=self.weekday,
            seed=self.seed,
            man=self.man,
            scale=scale,
            tolerance=tolerance,
        )


# What is said of it ---------------------------------------------------------------------------------


def records(visits: Sequence[Visit], rules: RuleSet, place: Laboratory, man: int = 0) -> list[dict[str, Any]]:
    """Every decision of one man as plain values."""
    found = []
    for visit in visits:
        if not visit.there[man]:
            continue
        readings = [
            {
                "analyte": sample.measured.quantity,
                "assay": sample.test.assay,
                "hour": sample.test.hour,
                "unit": CANONICAL[sample.measured.quantity],
                "observed": float(visit.observed[sample.measured][man]),
                "below_quantitation": bool(visit.below[sample.measured][man]),
                "noise_free": float(visit.expected[sample.measured][man]),
            }
            for sample in place.samples
        ]
        acts, would = int(visit.rule[man]), int(visit.without_noise[man])
        found.append(
            {
                "visit_day": visit.hour / HOURS_PER_DAY,
                "effect_day": visit.effect / HOURS_PER_DAY,
                "readings": readings,
                "rule": _text(rules, acts),
                "action": None if acts < 0 else rules.rules[acts].action.text(),
                "dose_before": visit.before[man].words(),
                "dose_after": visit.after[man].words(),
                "rule_without_noise": _text(rules, would),
                "on_noise": bool(visit.on_noise[man]),
            }
        )
    return found


def _text(rules: RuleSet, number: int) -> str | None:
    return None if number < 0 else rules.rules[number].text()


def told(trajectory: Trajectory, plan: Plan, place: Laboratory, course: Course, drawn: Sequence[Course]) -> Trajectory:
    """A titrated man's result with his decisions: those of the run at central values, and how draws of him ended."""
    rules = plan.rules
    if rules is None:
        return trajectory
    taken = sum(len(one.visits) for one in drawn)
    on_noise = sum(int(visit.on_noise[0]) for one in drawn for visit in one.visits)
    ends = Counter(one.treatment.words() for one in drawn)
    titration: dict[str, Any] = {
        "name": rules.name,
        "title": rules.title,
        "rules": rules.text(),
        "sources": list(rules.sources),
        "drug": course.treatment.regimen.drug,
        "final_dose": course.treatment.words(),
    }
    if drawn:
        titration["draws"] = {
            "final_doses": dict(sorted(ends.items(), key=lambda item: (-item[1], item[0]))),
            "decisions": taken,
            "on_noise": on_noise,
        }
    used = {source["key"]: source for source in trajectory.sources}
    for key in rules.sources:
        used[key] = cited(key, f"{used[key]['used_for']}, {RULES}" if key in used else RULES)
    return replace(
        trajectory,
        protocol=plan.text(),
        titration=titration,
        decisions=tuple(records(course.visits, rules, place)),
        sources=tuple(used[key] for key in sorted(used)),
    )


# What is asked --------------------------------------------------------------------------------------


WORDS_OF_RULES = frozenset({"if", "titrate", "step"})  # without one of these a text is a protocol, right or wrong


class Plan(NamedTuple):
    """A protocol and what changes its doses."""

    protocol: Protocol
    rules: RuleSet | None = None

    def text(self) -> str:
        """Both as a protocol's text has them: bundled rules by their name, others whole."""
        if self.rules is None:
            return self.protocol.text()
        bundled = self.rules.name in rule_sets() and RuleSet.open(self.rules.name) == self.rules
        return f"{self.protocol.text()} + {f'titrate {self.rules.name}' if bundled else self.rules.text()}"

    @classmethod
    def of(cls, asked: str | Protocol | Plan) -> Plan:
        """What is asked for, in words or as objects; InputError for words that cannot be read."""
        if isinstance(asked, Plan):
            return asked
        if isinstance(asked, Protocol):
            return cls(asked)
        if not isinstance(asked, str) or not ("+" in asked or WORDS_OF_RULES & {*asked.lower().split()}):
            return cls(Protocol.parse(asked))
        words, rules = titration_text.split(asked)
        return cls(Protocol.parse(words), rules)


def rules_of(asked: str | Path | RuleSet) -> RuleSet:
    """A rule set: itself, of a bundled name, of a file or in words."""
    if isinstance(asked, RuleSet):
        return asked
    text = str(asked)
    if isinstance(asked, str) and not text.strip():
        raise InputError("the titration is empty; it must be the name of a rule set, a file, or rules in words")
    in_words = (isinstance(asked, str) and " then " in f" {text.lower()} ") or ": step " in text.lower()
    return known(RuleSet.parse(text)) if in_words and text not in rule_sets() else RuleSet.open(text)


def planned(asked: Sequence[str | Protocol | Plan], titrate: str | Path | RuleSet | None = None) -> list[Plan]:
    """Every protocol with its rules: its own, else those of ``titrate`` where it gives their drug.

    InputError where these fit no protocol, where a protocol cannot be titrated, and for what cannot be measured.
    """
    plans = [Plan.of(one) for one in asked]
    if titrate is not None:
        rules = rules_of(titrate)
        plans = [plan._replace(rules=rules) if plan.rules is None and _gives(plan, rules) else plan for plan in plans]
        if not any(plan.rules is rules for plan in plans):
            drug = " or ".join(rules.drugs) or "a drug"
            raise InputError(f"the titration changes the dose of {drug}, which no protocol without its own rules gives")
    for plan in plans:
        if plan.rules is not None:
            Treatment.of(plan.protocol, checked(plan.rules))
    return plans


def _gives(plan: Plan, rules: RuleSet) -> bool:
    """Whether a protocol gives the drug that rules change, or any where they name none."""
    regimens = [regimen for regimen in plan.protocol.regimens if not regimen.supplement]
    names = {name for regimen in regimens for name in (regimen.drug, regimen.name)}
    return bool(names & {*rules.drugs}) if rules.drugs else bool(names)


def known(rules: RuleSet) -> RuleSet:
    """The bundled rule set that says the same, with its name and sources, else the rules themselves."""
    return next((bundled for name in rule_sets() if (bundled := RuleSet.open(name)) == rules), rules)


def schedules_of(rules: RuleSet) -> tuple[Schedule, ...]:
    """Schedules that rules may put a man on, besides that of his protocol."""
    set_by_rules = [rule.action.dose if isinstance(rule.action, Restart) else rule.action for rule in rules.rules]
    doses = [*rules.steps, *(dose for dose in set_by_rules if isinstance(dose, SetDose))]
    return tuple(dose.schedule for dose in doses if dose.schedule is not None)
