"""The totals and figures of re-run trials in words and rounded numbers, for the terminal and for the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from leydig.report import wording
from leydig.studies.reproduce_totals import settings

Answer = Mapping[str, Any]

NONE = "–"
MET, MISSED, TOO_FEW = "met", "missed", "too few to say"
SHARES = ("inside_95", "inside_50")
NULL_WORDS = {"no_change": "of no change", "mean_change": "of the drugs' mean"}
STATISTICS = {
    "mean": "mean",
    "median": "median",
    "change": "change",
    "percent_change": "change",
    "ratio": "ratio",
    "percent_of": "share of the start",
}
DOMAINS = {
    "hormone": "hormones",
    "marker": "bone markers",
    "bmd_spine": "spine BMD",
    "bmd_hip": "hip BMD",
    "lipid": "cholesterol",
    "fuel": "glucose, fat in blood",
    "inflammation": "CRP",
    "prostate": "PSA",
    "body": "fat mass",
    "lean": "lean mass",
    "points": "dilation, haematocrit",
    "score": "scores",
    "symptom": "symptoms",
}


def trial_name(trial: Answer) -> str:
    """The key of a trial; one from a file is told apart from those of the package."""
    return f"{trial['key']} (file)" if trial["outside"] else str(trial["key"])


class Line(NamedTuple):
    """One line of the totals."""

    name: str
    cells: tuple[str, ...]  # one per role
    aim: str
    verdicts: tuple[str, ...]  # one per role: met, missed, too few to say, or nothing


def domain(name: str) -> str:
    """A kind of figure in words."""
    return DOMAINS.get(name, name.replace("_", " "))


def scored_trials(answer: Answer) -> str:
    """How much was run: 155 published trials run again, 478 figures scored."""
    rows = answer["trials"]
    figures = sum(len(row["figures"]) for row in rows)
    failed = sum(row["status"] != "done" for row in rows)
    count = f"{len(rows)} published trial{'' if len(rows) == 1 else 's'} run again"
    scored = f"{figures} figure{'' if figures == 1 else 's'} scored"
    return f"{count}, {scored}" + (f"; {failed} could not be run" if failed else "")


def from_files(answer: Answer) -> str:
    """That trials from outside the package count into the totals; empty where none does."""
    count = sum(bool(row["outside"] and row["figures"]) for row in answer["trials"])
    if not count:
        return ""
    return (
        "1 trial of these is from a file of yours."
        if count == 1
        else f"{count} trials of these are from files of yours."
    )


def total_rows(answer: Answer, roles: Sequence[str]) -> list[Line]:
    """The totals of these roles, one line per number."""
    some = [answer[role] for role in roles]
    targets = settings()["targets"]

    def line(name: str, cells: Sequence[str], aim: str = "", target: str = "") -> Line:
        return Line(name, tuple(cells), aim, tuple(verdict(one, target) if target else "" for one in some))

    found = [
        line("figures (weight)", [f"{one['total']} ({one['weight']:.4g})" for one in some]),
        line("studies (independent)", [f"{one['studies']} ({one['groups']})" for one in some]),
    ]
    for level in (95, 50):
        low, high = (100 * limit for limit in targets[f"inside_{level}"]["value"])
        shares = [_share(one, f"inside_{level}") for one in some]
        name = f"inside the {level}{wording.NARROW}% interval"
        found.append(line(name, shares, f"{low:.0f} to {high:.0f}{wording.NARROW}%", f"inside_{level}"))
    found.append(line("interval score (less is better)", [number(one["interval_score"]) for one in some]))
    for null, words in NULL_WORDS.items():
        scores = [number(one["null_interval_scores"][null]) for one in some]
        found.append(line(f"{wording.NARROW}  {words}", scores, "above that", f"better_than_{null}"))
    ratio = targets["error_ratio"]["value"]
    found.append(
        line(
            "hormone error over sampling's",
            [_error(one["hormone_means"]) for one in some],
            f"at most {ratio:g}",
            "error_ratio",
        )
    )
    found.append(line("mean and SD of z", [f"{signed(one['z']['mean'])}, {number(one['z']['sd'])}" for one in some]))
    found.append(line("inside 95, 50 % but for words", [_without_words(one) for one in some]))
    return found


def verdict(one: Answer, target: str) -> str:
    """Whether a target is met; of few studies, or where the interval of what misses it reaches it, nobody can say."""
    met = one["targets_met"][target]
    if met is None:
        return ""
    if one["studies"] < settings()["fewest_studies"]["value"]:
        return TOO_FEW
    if met:
        return MET
    if target in SHARES:
        low, high = share_limits(one, target)
        aim = settings()["targets"][target]["value"]
        return TOO_FEW if low <= aim[1] and aim[0] <= high else MISSED
    span = one["better_by"].get(target.removeprefix("better_than_"), {}).get("bootstrap")
    return TOO_FEW if span is not None and span[0] <= 0 <= span[1] else MISSED


def share_limits(one: Answer, name: str) -> tuple[float, float]:
    """The interval of a share, the wider of the two."""
    spans = [span for span in (one[f"{name}_interval"], one[f"{name}_bootstrap"]) if span is not None]
    return min(span[0] for span in spans), max(span[1] for span in spans)


def _share(one: Answer, name: str) -> str:
    """A share with its interval."""
    if one[name] is None:
        return NONE
    low, high = share_limits(one, name)
    return f"{100 * one[name]:.0f}{wording.NARROW}% ({100 * low:.0f}–{100 * high:.0f})"


def _without_words(one: Answer) -> str:
    rest = one["without_words"]
    if rest["inside_95"] is None:
        return NONE
    return f"{100 * rest['inside_95']:.0f}{wording.NARROW}%, {100 * rest['inside_50']:.0f}{wording.NARROW}%"


def _error(one: Answer) -> str:
    if one["error_ratio"] is None:
        return NONE
    return f"{one['error_ratio']:.2f} ({one['figures']})"


def number(value: float | None) -> str:
    """Two decimals."""
    return NONE if value is None else f"{value:.2f}".replace("-", wording.MINUS)


def signed(value: float | None, decimals: int = 2) -> str:
    """With its sign."""
    if value is None:
        return NONE
    words = f"{value:+.{decimals}f}"
    return (words if float(words) else words[1:]).replace("-", wording.MINUS)


def by_miss(answer: Answer) -> Iterator[tuple[Answer, Answer]]:
    """Every figure with its trial, those without a prediction first, then by how far they are off."""
    every = [(trial, figure) for trial in answer["trials"] for figure in trial["figures"]]
    return iter(sorted(every, key=lambda pair: -_distance(pair[1])))


def _distance(figure: Answer) -> float:
    """Absolute z; whatever lies outside comes before what lies inside."""
    z = figure["z"]
    if z is None:
        return math.inf
    return abs(z) + (1000 if not figure["inside_95"] else 0)


def remarks(answer: Answer) -> list[str]:
    """What is to be said of single trials."""
    return [f"{trial_name(row)}: {remark}" for row in answer["trials"] for remark in row["remarks"]]


def arm_words(figure: Answer) -> str:
    """The arm, and the arm that it stands against."""
    return figure["arm"] + (f" against {figure['against']}" if figure["against"] else "")


def quantity_words(figure: Answer) -> str:
    """What was measured and when: testosterone, day 84."""
    return f"{wording.name(figure['quantity'])}, day {figure['day']:g}"


def reported_words(figure: Answer) -> str:
    """The printed figure with its unit; changes with their sign, ratios as a factor."""
    value, statistic = printed(figure, "reported"), figure["statistic"]
    if statistic == "ratio":
        return f"{wording.TIMES}{wording.NARROW}{value}"
    plus = "+" if statistic in ("change", "percent_change") and figure["reported"] > 0 else ""
    return plus + wording.join(value, figure["unit"]) + (" of start" if statistic == "percent_of" else "")


def statistic_words(figure: Answer) -> str:
    """What was printed: testosterone, change in %, day 84."""
    name, unit = wording.name(figure["quantity"]), wording.unit(figure["unit"])
    statistic = STATISTICS[figure["statistic"]]
    said = f"{statistic}, {unit}" if unit else statistic
    return f"{name}, {said}, day {figure['day']:g}"


def printed(figure: Answer, part: str) -> str:
    """A number in the paper's unit with as many digits as its size needs."""
    value = figure[part]
    if value is None:
        return NONE
    digits = 3 if abs(value) < 1000 else 4
    return f"{float(f'{value:.{digits}g}'):g}".replace("-", wording.MINUS)


def band(figure: Answer, low: str, high: str) -> str:
    """Two limits in the paper's unit."""
    ends = printed(figure, low), printed(figure, high)
    return f"{ends[0]} to {ends[1]}" if any(end.startswith(wording.MINUS) for end in ends) else "–".join(ends)


def spread(figure: Answer) -> str:
    """The printed spread and its kind."""
    given, kind = figure["spread"], figure["spread_kind"]
    if given is None:
        return "not printed"
    words = " to ".join(f"{limit:g}" for limit in given) if isinstance(given, list) else f"{given:g}"
    return f"{kind.replace('CI95', '95 % CI')} {words}".replace("-", wording.MINUS)


def over_sampling(figure: Answer) -> str:
    """The error in standard errors of the printed figure: what sampling alone gives lies mostly below 2."""
    error, sampling = figure["error"], figure["sampling"]
    return NONE if error is None or not sampling else f"{abs(error) / sampling:.1f}"
