"""The page of a meta-analysis: forest and funnel, then what was found, what was left out and why, and the sources."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from leydig.report import meta_figures, meta_forest, wording
from leydig.report import meta_words as words
from leydig.report.meta_forest import Document, with_limits
from leydig.report.page import PLAIN_STATEMENT
from leydig.report.template import filled

SEEN = {"fulltext": "full text", "abstract": "abstract", "secondary": "quoted elsewhere"}
NOTES = {
    "selected": "chosen by this reading",
    "imputed": "spread not printed",
    "words": "told in words only",
    "typical": "value before not printed",
    "crossover": "crossover",
    "men-assumed": "number of men assumed",
}


def html(document: Document) -> str:
    """The page as text; the same document gives the same text."""
    return filled("meta.html.j2", _context(document))


def pictures(document: Document) -> dict[str, Any]:
    """What makes each picture of a folder, by the name of its file without a suffix."""
    found: dict[str, Any] = {}
    if document["pooled"] is not None:
        found["forest"] = partial(meta_forest.forest, document, words.row_name, words.title(document))
        found["funnel"] = partial(meta_figures.funnel, document)
    return found


def _context(document: Document) -> dict[str, Any]:
    from markupsafe import Markup

    def drawn(make: Any, key: str, description: str) -> Any:
        # Our own drawing; text from outside never enters it.
        return Markup(meta_figures.inline(make, key, description))

    made = pictures(document)
    described = f"{words.title(document)}: effects of {len(document['studies'])} studies"
    panels = [drawn(made["funnel"], "funnel", "Effects over their standard errors")] if made else []
    for one in document["regressions"]:
        if one["line"]:
            draw = partial(meta_figures.bubbles, document, one)
            panels.append(drawn(draw, f"by-{one['moderator']}", f"Effects by {one['name']}"))
    return {
        "title": words.title(document),
        "statement": PLAIN_STATEMENT,
        "designs": {"any": "any design", "controlled": "comparisons with untreated men"}.get(
            document["question"]["design"], "changes from before to after"
        ),
        "forest": drawn(partial(meta_forest.forest, document, words.row_name), "forest", described) if made else None,
        "panels": panels,
        "with_model": document["model"] is not None and document["model"]["effect"] is not None,
        "ratio": words.is_ratio(document),
        "summary": words.summary(document),
        "cautions": document["cautions"],
        "opposed": words.opposed(document),
        "studies": [_study(one) for one in document["studies"]],
        "groups": words.groups(document),
        "regressions": [words.regression(one) for one in document["regressions"]],
        "asymmetry": words.asymmetry_sentence(document),
        "variants": [_variant(one) for one in document["variants"]],
        "left_out": document["left_out"],
        "silent": document["silent"],
        "methods": document["methods"],
        "sources": document["sources"],
        "made_with": sorted(document["made_with"].items()),
        "outcome": wording.name(document["outcome"]),
        "drug": document["question"]["drug_in_words"],
    }


def _study(one: Mapping[str, Any]) -> dict[str, Any]:
    before = {
        "T": ("baseline_testosterone", "T {:.0f} ng/dL"),
        "BMI": ("BMI", "BMI {:.1f}"),
        "age": ("age", "{:.0f} years"),
    }
    known = [form.format(one[key]) for key, form in before.values() if one[key] is not None]
    return {
        "name": words.study_name(one),
        "key": one["study"],
        "title": one["title"],
        "men": ", ".join([str(one["condition"] or "not stated").replace("-", " "), *known]),
        "protocols": one["protocols"],
        "printed": one["printed"],
        "design": one["design"],
        "n": f"{one['n']}" + (f" and {one['controls']}" if one["controls"] else ""),
        "role": one["role"],
        "seen": SEEN[one["verification"]],
        "assay": one["assay"],
        "effect": with_limits(one["effect"]),
        "weight": "\u2013" if one["weight"] is None else f"{wording.PERCENT * one['weight']:.0f}{wording.NARROW}%",
        "model": "\u2013" if one["model"] is None else with_limits(one["model"]),
        "notes": [NOTES[flag] for flag in one["flags"]],
    }


def _variant(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"what": wording.capital(one["what"]), "studies": one["studies"], "effect": with_limits(one["effect"])}
