"""Numbers that the program reads from files of its own, presented as entries of the published kinds.

They stand once, where they are read: published ranges in ranges.yaml, figures that virtual men are held against in
population_checks.yaml, variation in observation.yaml, criteria and red flags in criteria.yaml and report.yaml. What
rests on no published source is no evidence and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from leydig.bibliography import UNUSABLE, bibliography
from leydig.files import DATA, read_yaml
from leydig.literature.records import DistributionNumber, Group, Limit, Statement, VariationNumber

RANGES, CHECKS, OBSERVATION = "ranges.yaml", "population_checks.yaml", "observation.yaml"
CRITERIA, REPORT = "criteria.yaml", "report.yaml"
PERCENT = 100.0
UNIT_OF_STATISTIC = {"share": "%", "relative slope": "%"}  # where the file leaves the unit out; else a plain number
BOTH_SITES = {"t_score_lowest": "t_score_hip"}  # the lower of hip and spine, told by what the figure is called
PUBLISHED = ("measured", "derived")
KEPT = ("statistic", "value", "percentile", "with", "given", "called")  # of a figure of population_checks.yaml


def is_published(source: object) -> bool:
    """Whether a source is a publication whose numbers were seen."""
    entry = bibliography().get(source) if isinstance(source, str) else None
    return entry is not None and entry.verification not in UNUSABLE and entry.verification != "own"


# Distributions ------------------------------------------------------------------------------------


def distributions() -> Iterator[tuple[str, Group]]:
    """The groups of men that stand in ranges.yaml and population_checks.yaml."""
    for row in read_yaml(DATA / RANGES)["reference"]:
        if is_published(row["source"]) and _percentiles(row["interval"]):
            yield row["source"], _of_range(row)
    for study in read_yaml(DATA / CHECKS)["studies"]:
        if is_published(study["source"]):
            yield study["source"], _of_check(study)


def _percentiles(interval: str) -> list[float]:
    """The percentiles of an interval such as "2.5-97.5 %"; none where it is told in words."""
    return [float(number) for number in re.findall(r"[\d.]+", interval)] if interval.endswith("%") else []


def _of_range(row: Mapping[str, Any]) -> Group:
    """A row of published ranges: its limits as percentiles, with the median."""
    percentiles = _percentiles(row["interval"])
    ends = [end for end in ("low", "high") if row[end] is not None]
    figures = [
        {"statistic": "percentile", "percentile": percentile, "value": row[end]}
        for end, percentile in zip(ends, percentiles, strict=True)
    ]
    if row.get("median") is not None:
        figures.append({"statistic": "median", "value": row["median"]})
    shared = {"quantity": row["quantity"], "unit": row["unit"], "file": RANGES}
    ages = row["ages"]
    return Group(
        name=f"{row['population']}, {ages[0]:g} to {ages[1]:g} years",
        text=row["population"],
        ages=tuple(ages),
        assay={row["quantity"]: row["assay"]} if row["assay"] else {},
        hour=row["hour"],
        figures=[DistributionNumber(**shared, **figure) for figure in figures],
    )


def _of_check(study: Mapping[str, Any]) -> Group:
    """A study that virtual men are held against."""
    men = study["men"]
    conditions = list(men.get("conditions", {}))
    figures = [_figure(figure) for figure in study["figures"]]
    measured = sorted({figure.quantity for figure in figures} & {"testosterone", "estradiol", "free_testosterone"})
    assay = study.get("assay")
    return Group(
        name=study["sample"],
        text=study["sample"],
        n=study["n"],
        ages=tuple(men["ages"]) if "ages" in men else None,
        BMI=tuple(men["BMI"]) if "BMI" in men else None,
        condition=conditions[0] if len(conditions) == 1 else None,
        assay=dict.fromkeys(measured, assay) if assay else {},
        hour=study.get("hour"),
        note=study.get("note"),
        figures=figures,
    )


def _figure(figure: Mapping[str, Any]) -> DistributionNumber:
    """A figure of population_checks.yaml; its limits are told under ``of``."""
    kept = {
        name: figure[name] for name in ("statistic", "value", "percentile", "with", "given", "called") if name in figure
    }
    unit = figure.get("unit") or UNIT_OF_STATISTIC.get(figure["statistic"], "1")
    limits = [_limit(limit) for limit in figure.get("where", ())]
    return DistributionNumber(quantity=_quantity(figure), unit=unit, of=limits, file=CHECKS, **kept)


def _quantity(named: Mapping[str, Any]) -> str:
    return BOTH_SITES.get(named["quantity"], named["quantity"])


def _limit(limit: Mapping[str, Any]) -> Limit:
    """A limit of any of the files; at least and at most become above and below."""
    above, below = limit.get("above", limit.get("at_least")), limit.get("below", limit.get("at_most"))
    return Limit(quantity=_quantity(limit), above=above, below=below, unit=limit["unit"])


# Variation ----------------------------------------------------------------------------------------


def variations() -> Iterator[tuple[str, VariationNumber]]:
    """What stands in observation.yaml with a published source, in percent where it is the SD of a logarithm."""
    content = read_yaml(DATA / OBSERVATION)
    scales = {name: analyte["scale"] for name, analyte in content["analytes"].items()}
    for name, number in content["within_man"].items():
        yield from _varied(name, number, "within man", scales.get(name, "log"))
    for name, analyte in content["analytes"].items():
        yield from _varied(name, analyte["day_to_day"], "day to day", analyte["scale"])
        if "laboratories" in analyte:
            yield from _varied(name, analyte["laboratories"], "between laboratories", analyte["scale"])
        for assay, analysis in analyte["analysis"].items():
            for part, component in (("cv", "analytical"), ("lloq", "detection limit")):
                if part in analysis:
                    scale = "log" if part == "cv" else "unit"
                    yield from _varied(name, analysis[part], component, scale, assay)


def _varied(
    name: str, number: Mapping[str, Any], component: str, scale: str, assay: str | None = None
) -> Iterator[tuple[str, VariationNumber]]:
    """One number under each of its published sources; of log odds there is no unit that a reader would know."""
    if number["kind"] not in PUBLISHED or scale == "log odds":
        return
    in_percent = scale == "log" or number.get("unit") == "%"
    value = PERCENT * number["value"] if scale == "log" else number["value"]
    sources = [number["source"]] if isinstance(number["source"], str) else number["source"]
    device = assay if assay in ("LC-MS/MS", "immunoassay", "RIA") else None
    told = [number.get("note"), f"scanner: {assay}" if assay and not device and assay != "any" else None]
    note = " ".join(text for text in told if text) or ("as it is used here" if number["kind"] == "derived" else None)
    if not any(map(is_published, sources)):
        return
    found = VariationNumber.model_validate(
        {
            "quantity": name,
            "component": component,
            "value": round(value, 6),
            "unit": "%" if in_percent else number["unit"],
            "kind": number["kind"],
            "assay": device,
            "note": note,
            "file": OBSERVATION,
        }
    )
    for source in sources:
        if is_published(source):
            yield source, found


# Guidelines and thresholds ------------------------------------------------------------------------


def statements() -> Iterator[tuple[str, Statement]]:
    """Criteria under the source that they rest on, limits of red flags, and published ranges that are thresholds."""
    for criterion in read_yaml(DATA / CRITERIA)["criteria"]:
        source = criterion["sources"][0]
        if is_published(source):
            yield source, _criterion(criterion)
    for flag in read_yaml(DATA / REPORT)["red_flags"]:
        yield from _flag(flag)
    for row in read_yaml(DATA / RANGES)["reference"]:
        if is_published(row["source"]) and not _percentiles(row["interval"]):
            limit = Limit(quantity=row["quantity"], below=row["low"], unit=row["unit"])
            says = f"{row['interval'].removesuffix(' below')}, {row['population']}"
            yield row["source"], Statement(topic="bone", says=says, limits=[limit], file=RANGES)


def _criterion(criterion: Mapping[str, Any]) -> Statement:
    """A criterion with its limits and the sources of those that are another's."""
    given = [limit for limit in (*criterion.get("all", ()), *criterion.get("any", ())) if "unit" in limit]
    others = sorted({limit["source"] for limit in given} - {criterion["sources"][0]})
    note = f"limits of {', '.join(others)}" if others else None
    says = f"{criterion['name']}: {criterion['because']}"
    limits, strength = [_limit(limit) for limit in given], criterion["grade"]
    return Statement(topic="diagnosis", says=says, limits=limits, strength=strength, note=note, file=CRITERIA)


def _flag(flag: Mapping[str, Any]) -> Iterator[tuple[str, Statement]]:
    """The numbers of a red flag, each set under the source of its limits."""
    by_source: dict[str, list[Limit]] = {}
    for limit in flag["when"]:
        if "unit" in limit and is_published(limit["source"]):
            by_source.setdefault(limit["source"], []).append(_limit(limit))
    for source, limits in by_source.items():
        says = f"{flag['name']}: {flag['meaning']}"
        yield source, Statement(topic="monitoring", says=says, limits=limits, file=REPORT)
