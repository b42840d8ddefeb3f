"""Titrated doses in plain words: one man's decisions, and how a population's doses ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from leydig.engine.trajectory import Trajectory
from leydig.report import runs, wording

NOBODY, MOST_DOSES = "no rule held", 6


class Row(NamedTuple):
    """One visit of one man."""

    when: str
    read: str
    done: str
    beside: str  # what the same rules would have done without noise, where that differs


class Log(NamedTuple):
    """The visits of one run."""

    title: str
    rules: str
    rows: tuple[Row, ...]
    summary: str


def logs(trajectories: Sequence[Trajectory]) -> list[Log]:
    """The decisions of every titrated run."""
    return [
        Log(
            f"{label}, {run.protocol}" if label else run.protocol,
            str(run.titration["rules"]),
            tuple(_row(decision) for decision in run.decisions),
            summary(run),
        )
        for label, run in zip(runs.letters(len(trajectories)), trajectories, strict=True)
        if run.titration
    ]


def _row(decision: Mapping[str, Any]) -> Row:
    beside = ""
    if decision["on_noise"]:
        beside = f"without noise: {decision['rule_without_noise'] or NOBODY}"
    read = "; ".join(_reading(one) for one in decision["readings"])
    return Row(wording.moment(decision["visit_day"]), read, _done(decision), beside)


def _reading(one: Mapping[str, Any]) -> str:
    """Estradiol by LC-MS/MS 14.2 pg/mL (15.8 without noise)."""
    name, unit = one["analyte"], one["unit"]
    sign = f"<{wording.NARROW}" if one["below_quantitation"] else ""
    printed = wording.join(f"{sign}{wording.number(one['observed'], name)}", wording.shown_unit(name, unit))
    by = "" if one["assay"] == "unknown" else f" by {one['assay']}"
    return f"{wording.name(name)}{by} {printed} ({wording.number(one['noise_free'], name)} without noise)"


def _done(decision: Mapping[str, Any]) -> str:
    if decision["rule"] is None:
        return f"{NOBODY}; stays at {decision['dose_before']}"
    if decision["dose_after"] == decision["dose_before"]:
        return f"{decision['rule']}: stays at {decision['dose_before']}"
    day = wording.digits(decision["effect_day"], 0)
    return f"{decision['rule']}: {decision['dose_before']} → {decision['dose_after']} from day {day}"


def summary(run: Trajectory) -> str:
    """How many decisions there were, how many noise took, and the dose at the end."""
    taken, noise = len(run.decisions), sum(bool(one["on_noise"]) for one in run.decisions)
    moved = sum(one["dose_after"] != one["dose_before"] for one in run.decisions)
    text = (
        f"{taken} {_word(taken, 'visit')}, {moved} {_word(moved, 'change')} of dose; {noise} "
        f"{_word(noise, 'decision')} on noise alone. Last prescribed: {run.titration['final_dose']}."
    )
    drawn = run.titration.get("draws")
    if drawn:
        number = sum(drawn["final_doses"].values())
        ends = _doses([(dose, count / number) for dose, count in drawn["final_doses"].items()])
        share = _share(drawn["on_noise"] / drawn["decisions"]) if drawn["decisions"] else wording.MINUS
        text += f" Of {number} draws of him: {ends}; {share} of their decisions on noise alone."
    return text


def _word(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _share(share: float) -> str:
    return f"{wording.PERCENT * share:.0f}{wording.NARROW}%"


def _doses(shares: Sequence[tuple[str, float]]) -> str:
    """The most frequent doses with their shares."""
    shown = [f"{dose} {_share(share)}" for dose, share in shares[:MOST_DOSES]]
    if len(shares) > MOST_DOSES:
        shown.append(f"{len(shares) - MOST_DOSES} other doses {_share(sum(share for _, share in shares[MOST_DOSES:]))}")
    return ", ".join(shown)


def of_population(one: Mapping[str, Any]) -> list[str]:
    """Sentences on the titration of one protocol of a population's answer; none where nothing is titrated."""
    found = one.get("titration")
    if found is None:
        return []
    sentences = []
    if found["final_doses"]:
        shares = [(dose["dose"], dose["share"]) for dose in found["final_doses"]]
        sentences.append(f"Last prescribed: {_doses(shares)} of the men.")
    if found["decisions"]:
        changes = f"{found['changes']:,} of {found['decisions']:,} visits changed the dose"
        of_changes = found["share_of_changes_on_noise"]
        also = f" ({_share(of_changes)} of the changes)" if of_changes is not None else ""
        noise = f"{_share(found['share_on_noise'])} of the decisions were taken on noise alone{also}"
        sentences.append(f"{changes}; {noise}: free of noise, the readings would have led to another rule.")
    return sentences


def visit_rows(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Per visit: men seen, share whose dose changed, share decided on noise, doses after it."""
    found = []
    for visit in one["titration"]["visits"]:
        seen = visit["decisions"]
        ordered = sorted(visit["doses"].items(), key=lambda item: (-item[1], item[0]))
        found.append(
            {
                "when": wording.capital(wording.moment(visit["day"])),
                "men": f"{seen:,}",
                "changed": _share(visit["changes"] / seen) if seen else wording.MINUS,
                "on_noise": _share(visit["on_noise"] / seen) if seen else wording.MINUS,
                "doses": _doses([(dose, count / seen) for dose, count in ordered]) if seen else "",
            }
        )
    return found
