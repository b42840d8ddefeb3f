"""A meta-analysis in words: what was asked, what was found, which studies disagree, what the model says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from leydig.bibliography import reference
from leydig.report import wording
from leydig.report.meta_forest import RATIO, Document, number, with_limits

FOLD = 2.0  # ratios from here on are told as so many times, not in percent
DECISIVE = 0.05


def title(document: Document) -> str:
    """What was asked: testosterone under aromatase inhibitors, days 80 to 400."""
    asked = document["question"]
    outcome = wording.capital(wording.name(document["outcome"]))
    return f"{outcome} {under(document)}, days {asked['from_day']:g} to {asked['to_day']:g}"


def under(document: Document) -> str:
    """The treatment with its preposition: under aromatase inhibitors, with weight loss."""
    words = document["question"]["drug_in_words"]
    return f"{'with' if words.startswith('weight') else 'under'} {words}"


def study_name(study: Mapping[str, Any]) -> str:
    """First author and year as far as they are known, or the study's key where the reference has no author."""
    fields = reference(study["citation"]).fields
    author = re.split(r" and |,| et al", fields.get("author", ""))[0].strip()
    surname = " ".join(part for part in author.split() if not part.isupper()) or author
    if not surname:
        return str(study["study"])
    year = fields.get("year") or (re.findall(r"(?:19|20)\d\d", study["study"]) or [""])[-1]
    return f"{surname} {year}".strip()


def row_name(study: Mapping[str, Any]) -> str:
    """A study's line in the forest: name, drugs, men, day; a star where the fit has seen it."""
    men = f"{study['n']}" + (f" and {study['controls']}" if study["controls"] else "")
    return f"{study_name(study)}{star(study)}, {', '.join(study['drugs'])}, {men} men, day {study['day']:g}"


def star(study: Mapping[str, Any]) -> str:
    """A star where the fit has seen the study."""
    return "*" if study["role"] == "calibration" else ""


def is_ratio(document: Document) -> bool:
    """Whether effects are ratios; else they are differences."""
    return bool(document["scale"]["kind"] == RATIO)


def summary(document: Document) -> list[str]:
    """What was found, in sentences; one sentence of why not where nothing is pooled."""
    pooled = document["pooled"]
    if pooled is None:
        return [f"{wording.capital(document['why_not'])}."]
    effect = pooled["effect"]
    name = wording.capital(wording.name(document["outcome"]))
    ratio = f"ratio {number(effect['value'])}, " if is_ratio(document) else ""
    chance = ", which may be chance" if effect["low"] <= no_effect(document) <= effect["high"] else ""
    found = [
        f"{name} {told(document, effect)} {under(document)} "
        f"({ratio}95{wording.NARROW}% interval {number(effect['low'])} to {number(effect['high'])}, "
        f"{pooled['studies']} studies, {pooled['men']:,} men){chance}."
    ]
    limits = pooled["prediction"]
    if limits is not None:
        across = limits["low"] < no_effect(document) < limits["high"]
        found.append(
            f"The effect in a further study is expected between {number(limits['low'])} and {number(limits['high'])}"
            f"{', so it may be none or the opposite' if across else ''}."
        )
    found.append(heterogeneity(document))
    found += model_sentences(document)
    return found


def told(document: Document, effect: Mapping[str, Any]) -> str:
    """An effect as a verb: rises by 35 %, is 4.2 times as high, falls by 3.2 percentage points."""
    value = effect["value"]
    if not is_ratio(document):
        unit = "percentage points" if document["scale"]["unit"] == "%" else wording.unit(document["scale"]["unit"])
        size = f"{number(abs(value))} {unit}".strip()
        return f"{'rises' if value > 0 else 'falls'} by {size}" if value else "does not change"
    if value >= FOLD:
        return f"is {number(value)} times as high"
    change = wording.PERCENT * (value - 1)
    words = f"{abs(change):.0f}{wording.NARROW}%"
    return f"{'rises' if change > 0 else 'falls'} by {words}" if f"{abs(change):.0f}" != "0" else "does not change"


def heterogeneity(document: Document) -> str:
    """How far studies differ."""
    pooled = document["pooled"]
    low, high = pooled["I2_limits"]
    share = f"{wording.PERCENT * pooled['I2']:.0f}{wording.NARROW}%"
    limits = f"{wording.PERCENT * low:.0f} to {wording.PERCENT * high:.0f}{wording.NARROW}%"
    return (
        f"Of the variance of the effects {share} lies between studies (I², interval {limits}; "
        f"τ² {short(pooled['tau2'])}, interval {short(pooled['tau2_limits'][0])} to "
        f"{short(pooled['tau2_limits'][1])}; Q {pooled['Q']:.1f} with {_degrees(pooled['degrees'])}, "
        f"p {probability(pooled['Q_p'])})."
    )


def model_sentences(document: Document) -> list[str]:
    """The model beside the data; empty without it."""
    model = document["model"]
    if model is None:
        return []
    if model["effect"] is None:
        return [f"The model has no {wording.name(document['outcome'])}, so it has no row."]
    found = [f"The model, pooled with the same weights, has {with_limits(model['effect'])}."]
    for key, who in (
        ("data_over_model", "all studies"),
        ("data_over_model_unseen", "studies that the fit has not seen"),
    ):
        beside = model[key]
        if beside is None or (key.endswith("unseen") and not model["seen_by_the_fit"]):
            continue
        apart = not beside["low"] <= no_effect(document) <= beside["high"]
        relation = "over" if is_ratio(document) else "less"
        found.append(
            f"Data {relation} model in {who}: {with_limits(beside)}"
            f"{', so model and data part' if apart else '; the interval includes no difference'}."
        )
    return found


def no_effect(document: Document) -> float:
    return 1.0 if is_ratio(document) else 0.0


def short(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def _degrees(*numbers: int) -> str:
    return f"{' and '.join(map(str, numbers))} degree{'' if numbers == (1,) else 's'} of freedom"


def probability(value: float | None) -> str:
    if value is None:
        return "\u2013"
    return f"<{wording.NARROW}0.001" if value < 0.001 else f"{value:.3f}"


def opposed(document: Document) -> list[str]:
    """Studies whose interval does not hold the pooled effect, on either side of it."""
    pooled = document["pooled"]
    if pooled is None:
        return []
    centre, found = pooled["effect"]["value"], []
    for words, holds in (
        ("Above the pooled effect", lambda effect: effect["low"] > centre),
        ("Below it", lambda effect: effect["high"] < centre),
    ):
        names = [
            f"{study_name(one)} {with_limits(one['effect'])}" for one in document["studies"] if holds(one["effect"])
        ]
        if names:
            found.append(f"{words}: {wording.listed(names)}.")
    return found


def groups(document: Document) -> dict[str, Any] | None:
    """The groups with their pooled effects and whether they differ; None where none were asked for."""
    found = document["groups"]
    if found is None:
        return None
    test = found["test"]
    if test is None:
        sentence = "There are too few studies, or only one group, to compare groups."
    else:
        differ = "differ" if test["p"] < DECISIVE else "cannot be told apart"
        sentence = (
            f"The groups {differ} (F {test['F']:.2f} with {_degrees(*test['degrees'])}, p {probability(test['p'])})."
        )
    counted, every = sum(len(row["studies"]) for row in found["rows"]), len(document["studies"])
    if counted > every:
        sentence += (
            f" The rows add to {counted} and not to {every}: a study counts once in each group that it has arms in."
        )
    return {
        "by": found["by"],
        "sentence": sentence,
        "rows": [
            {
                "name": wording.capital(row["name"]),
                "studies": len(row["studies"]),
                "effect": "\u2013" if row["effect"] is None else with_limits(row["effect"]),
            }
            for row in found["rows"]
        ],
    }


def asymmetry_sentence(document: Document) -> str:
    """What Egger's test says, and how far it can be trusted."""
    egger = document["asymmetry"]
    if egger is None or egger["t"] is None:
        return ""
    p = probability(egger["p"])
    found = f"t {wording.digits(egger['t'], 2)} with {_degrees(egger['degrees'])}, p {p}"
    which = "The funnel is asymmetric" if egger["p"] < DECISIVE else "Asymmetry of the funnel is not shown"
    few = "hardly finds any" if not egger["enough"] else "is weak"
    return (
        f"{which} (Egger: {found}; effect of a study without error {with_limits(egger['at_zero'])}); "
        f"with {len(document['studies'])} studies the test {few}."
    )


def regression(one: Mapping[str, Any]) -> dict[str, Any]:
    """How effects go with one characteristic of the men, or why that cannot be told."""
    if one["why_not"] is not None:
        return {"name": one["name"], "why_not": one["why_not"]}
    warned = []
    if not one["enough"]:
        warned.append("too few studies to rely on")
    if one["coupled"]:
        warned.append("measured from the same value")
    return {
        "name": one["name"],
        "why_not": None,
        "studies": len(one["studies"]),
        "slope": f"{with_limits(one['slope'])} per {one['step']:g} {wording.unit(one['unit'])}",
        "p": probability(one["p"]),
        "explained": "\u2013"
        if one["explained"] is None
        else f"{wording.PERCENT * one['explained']:.0f}{wording.NARROW}%",
        "warned": ", ".join(warned),
    }
