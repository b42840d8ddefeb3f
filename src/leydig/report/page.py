"""The report: one HTML file that opens with a few figures and keeps the rest closed.

It works offline and without scripts: styles and figures are inside, text from outside is escaped, and a content
policy in the page forbids everything else. The same runs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leydig import laboratory
from leydig.engine.trajectory import Trajectory
from leydig.report import (
    conception,
    criteria,
    details,
    evidence,
    figures,
    flags,
    goals,
    organs,
    plan,
    published,
    readings,
    runs,
    sentences,
    source_list,
    titration,
    wording,
)
from leydig.report.template import filled
from leydig.writing import write_text

PLAIN_STATEMENT = "For research and teaching. Not medical advice and not a medical device."
DONE = "done"
STEROIDS = ("testosterone", "estradiol")  # on these, assays differ in scale


def write(trajectories: Sequence[Trajectory], path: Path | str) -> None:
    """Write the report of one man under one or several protocols; whole or not at all.

    ValueError for no run; InputError when the place cannot be written to.
    """
    write_text(path, html(trajectories))


def html(trajectories: Sequence[Trajectory]) -> str:
    """The report as text."""
    if not trajectories:
        raise ValueError("there is no run to report")
    return filled("report.html.j2", context(trajectories))


def context(trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """Everything that the template shows."""
    first = trajectories[0]
    compared = published.comparisons(trajectories)
    return {
        "subject": subject_line(first),
        "name": str(first.subject.get("name") or "a man"),
        "length": wording.span(runs.longest(trajectories)),
        "statement": PLAIN_STATEMENT,
        "runs": _key(trajectories),
        "failures": [run for run in trajectories if run.status != DONE],
        "flags": flags.red_flags(trajectories),
        "figures": [_figure(figure, trajectories) for figure in plan.figures(trajectories)],
        **_closed(trajectories),
        "scale": scale_note(first),
        "bands": band_note(trajectories),
        "other_assays": details.other_assays(trajectories),
        "tables": details.tables(trajectories),
        "comparisons": details.comparison_rows(compared),
        "comparison_summary": details.comparison_summary(compared),
        "unanswered": len(published.unanswered(trajectories)),
        "titrations": titration.logs(trajectories),
        "sampled": readings.slips(trajectories),
        "baseline": details.baseline_rows(first),
        "condition": wording.capital(str(first.subject.get("condition_reason") or "")),
        "taken": wording.listed([str(drug) for drug in first.subject.get("drugs") or ()]),
        "converted": [str(sentence) for sentence in first.subject.get("converted") or ()],
        "assumed": _assumed(trajectories),
        "remarks": _once(trajectories, "remarks"),
        "ranges": details.range_rows(trajectories),
        "not_modelled": wording.settings()["not_modelled"],
        "sources": source_list.sources(trajectories),
        "digests": sorted(first.digests.items()),
        "seed": first.seed,
    }


def _closed(trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """The sections on goals, criteria, organs, conception and evidence."""
    held = criteria.rows(trajectories)
    return {
        "goals": goals.goals(trajectories),
        "criteria": held,
        "criteria_summary": criteria.summary(held),
        "organs": [
            {"section": section, "panels": _panels(section.panels, trajectories), "legend": _organ_legend(section)}
            for section in organs.sections(trajectories)
        ],
        "conception": conception.rows(trajectories),
        "conception_panels": _panels(conception.panels(trajectories), trajectories),
        "partner": conception.partner_line(trajectories[0]),
        "evidence": evidence.by_organ(trajectories),
        "evidence_summary": evidence.summary(),
    }


def subject_line(run: Trajectory) -> str:
    """Who he is: 68 years, BMI 28.0 kg/m², ageing, low testosterone."""
    subject = run.subject
    parts = [f"{runs.age(run):g} years"]
    if subject.get("BMI"):
        parts.append(f"BMI {float(subject['BMI']):.1f} kg/m²")
    if subject.get("condition"):
        parts.append(str(subject["condition"]).replace("-", " "))
    return ", ".join(parts)


def scale_note(run: Trajectory) -> str:
    """On which assay and at which hour the hormones are shown, and what one point stands for."""
    points = "Each point is the mean of the 24 hours before it. " if runs.averaged(run) else ""
    printed = [quantity for quantity in STEROIDS if quantity in run.laboratory.values]
    if not printed:
        return points.strip()
    parts = []
    for quantity in printed:
        assay, hour = runs.laboratory_of(run, quantity)
        by = "an assay that is not named" if assay == laboratory.UNKNOWN else assay
        moves = hour is not None and laboratory.rhythm(quantity, hour, runs.age(run), laboratory.constants()) != 1
        parts.append(f"{wording.name(quantity)} by {by}{f' at {wording.clock(hour or 0.0)}' if moves else ''}")
    return f"{points}Hormones are shown as his laboratory would print them: {wording.listed(parts)}."


def band_note(trajectories: Sequence[Trajectory]) -> str:
    """What the bands hold and what they do not."""
    draws = max(run.draws for run in trajectories)
    if not draws:
        return "Lines are one run at central values. No bands were asked for, so nothing here says how sure it is."
    failed = sum(run.failed_draws for run in trajectories)
    left_out = f" {failed} draws failed and are left out." if failed else ""
    hidden = (
        f" With more than {plan.MOST_BANDS} protocols the bands stand in the tables only."
        if len(trajectories) > plan.MOST_BANDS
        else ""
    )
    return (
        f"Lines are medians, bands hold the middle 95{wording.NARROW}% of {draws} joint draws of what is not known "
        "about this man and of the fitted parameters. They do not hold measurement noise, nor errors in the "
        f"structure of the model.{left_out}{hidden}"
    )


def _key(trajectories: Sequence[Trajectory]) -> list[dict[str, Any]]:
    """The protocols with their letter, colour and dash."""
    labels = runs.letters(len(trajectories))
    found = []
    for place, (label, run) in enumerate(zip(labels, trajectories, strict=True)):
        colour, dash = figures.style(place)
        pattern = " ".join(f"{length:g}" for length in dash[1]) if isinstance(dash, tuple) else ""
        found.append(
            {"label": label, "protocol": run.protocol, "colour": colour, "dash": pattern, "status": run.status}
        )
    return found


def _panels(panels: Sequence[plan.Panel], trajectories: Sequence[Trajectory]) -> list[Any]:
    """Panels as drawings for the page."""
    from markupsafe import Markup

    places, length = runs.letters(len(trajectories)), wording.span(runs.longest(trajectories))
    # Our own drawing; text from outside never enters it.
    return [Markup(figures.svg(panel, places, f"{panel.title} over {length}")) for panel in panels]


def _organ_legend(section: organs.Section) -> list[str]:
    """What the marks of small plots mean, and what is not among them."""
    found = []
    if any(panel.reference for panel in section.panels):
        found.append("Grey: published range.")
    if any(panel.others for panel in section.panels):
        found.append("Dots: the same protocol if a conflicting finding of the table held, for his central values.")
    if section.unmoved:
        found.append(f"Not drawn, since nothing moves: {section.unmoved[:1].lower()}{section.unmoved[1:]}.")
    return found


def _figure(figure: plan.Figure, trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    sentence = sentences.of(figure, trajectories)
    banded = any(run.draws for run in trajectories) and len(trajectories) <= plan.MOST_BANDS
    panels = _panels(figure.panels, trajectories)
    return {
        "key": figure.key,
        "title": figure.title,
        "panels": panels,
        "sentence": sentence,
        "legend": _legend(figure, banded=banded, averaged=runs.averaged(trajectories[0])),
    }


def _legend(figure: plan.Figure, *, banded: bool, averaged: bool) -> list[str]:
    """What the fills and marks of a figure mean, as far as it has them."""
    found = []
    if any(panel.reference for panel in figure.panels):
        found.append("Grey: published range.")
    if any(panel.around is not None for panel in figure.panels):
        found.append("Grey: changes that two scans of one man do not tell apart.")
    if any(line.marks for panel in figure.panels for line in panel.lines):
        found.append("Diamonds: published means of the study that he stands for.")
    if any(line.swing for panel in figure.panels for line in panel.lines):
        found.append(
            "Where doses lie days apart, the line is the mean of a week, the dark strip its range, the band its widest."
        )
    if figure.key == "semen" and any(line.upper is not None for panel in figure.panels for line in panel.lines):
        found.append(
            "The upper end of a band of sperm is, where semen was not measured, for the most part how far men differ "
            "in a sensitivity that no test measures."
        )
    no_band = all(line.lower is None for panel in figure.panels for line in panel.lines)
    if figure.key == "bone" and no_band and banded:
        found.append("No band here: the draws begin at different densities, so only the level has one (in the tables).")
    if figure.key == "drug" and averaged:
        found.append("Means of 24 hours; peaks and troughs within a day are not drawn.")
    return found


def _assumed(trajectories: Sequence[Trajectory]) -> list[str]:
    """What was completed and assumed, without what does not apply to him."""
    left_out = trajectories[0].left_out
    idle = tuple(f"{name} " for name in left_out)
    if conception.PER_CYCLE in left_out:
        idle += ("A partner ",)
    return [sentence for sentence in _once(trajectories, "assumed") if not sentence.startswith(idle)]


def _once(trajectories: Sequence[Trajectory], field: str) -> list[str]:
    """The sentences of all runs, each once."""
    return list(dict.fromkeys(sentence for run in trajectories for sentence in getattr(run, field)))
