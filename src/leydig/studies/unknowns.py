"""What nobody knows about a trial before it is run, drawn: parameters of the model, and the trial's own laboratory.

Everything here is common to all men of a trial. Draw 0 is the best estimate of everything, with an average laboratory.
(seed, draw) decides each of the others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from leydig import laboratory, model
from leydig.engine.trace import flatten, names
from leydig.pharmacology import drugs, levers
from leydig.population_prior.streams import normals, uniforms
from leydig.studies import observe, uncertainty
from leydig.studies import observe_test as tests
from leydig.studies.comparison import settings

CENTRAL = 0
LIKELIER = 0.5  # of two kinds of assay
KITS = ("estradiol_immunoassay_offset", "estradiol_RIA_offset")


class Unknowns(NamedTuple):
    """One draw."""

    number: int
    parameters: dict[str, float]  # of the organ systems, by dotted name: those that are uncertain
    scale: dict[tuple[str, str], float]  # factors on parameters of drugs and levers
    lab: laboratory.Constants
    method: float  # 0 to 1: chooses the kind of assay where none is named
    laboratories: dict[str, float]  # standard normal: how far the trial's laboratory reads from others, by analyte


def unknowns(seed: int, draw: int, drug_names: Collection[str], attempt: int = 0) -> Unknowns:
    """The draw of this number for a trial of these drugs; ``attempt`` draws its assays anew."""
    lab = laboratory.constants()
    if draw == CENTRAL:
        return Unknowns(draw, {}, {}, lab, LIKELIER, {})
    fitted = uncertainty.fitted(seed, draw)
    known = set(names(model.Parameters))
    values = {name: value for name, value in fitted.items() if name in known}
    for system in model.SYSTEMS:
        values |= {name: value for name, value in uncertainty.uncertain(system, seed, draw).items() if name in known}
    kit = float(np.exp(settings()["kit_log_sd"] * normals(seed, f"trial kit {attempt}", draw, 1)[0]))
    offsets = {name: fitted.get(f"laboratory.{name}", getattr(lab, name)) * kit for name in KITS}
    others = {
        name.removeprefix("laboratory."): value
        for name, value in fitted.items()
        if name.startswith("laboratory.") and name.removeprefix("laboratory.") not in KITS
    }
    return Unknowns(
        draw,
        values,
        _scale(seed, draw, drug_names),
        # the offset is the one error of an immunoassay here, as in the fits
        lab._replace(**offsets, **others, estradiol_immunoassay_spread=0.0, estradiol_RIA_spread=0.0),
        float(uniforms(seed, f"trial method {attempt}", draw, 1)[0]),
        {name: float(normals(seed, f"trial laboratory {name}", draw, 1)[0]) for name in observe.analytes()},
    )


def _scale(seed: int, draw: int, drug_names: Collection[str]) -> dict[tuple[str, str], float]:
    """What is not known exactly about drugs and levers."""
    found = {}
    entries = [(levers.SYSTEM, name, entry) for name, entry in levers.parameters().items()]
    for drug in sorted({*drug_names} | {part for name in drug_names for part in drugs.constituents(name)}):
        entries += [(drug, parameter.name, parameter) for parameter in drugs.get(drug).parameters.values()]
    for system, name, entry in entries:
        if entry.uncertainty is None or not entry.value:
            continue
        z = float(normals(seed, f"trial {system}.{name}", draw, 1)[0])
        known = entry.uncertainty
        found[(system, name)] = float(
            np.exp(known.log_sd * z) if known.log_sd else max(1 + (known.sd or 0.0) * z / entry.value, 0.0)
        )
    return found


def columns(
    several: Sequence[Unknowns], of: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[tuple[str, str], np.ndarray]]:
    """Parameters and factors (n,) of men of whom ``of`` (n,) says to which of the draws each belongs."""
    best = dict(zip(names(model.Parameters), flatten(model.load_parameters()), strict=True))
    uncertain = {name for one in several for name in one.parameters}
    scaled = {key for one in several for key in one.scale}
    return (
        {name: np.array([one.parameters.get(name, best[name]) for one in several])[of] for name in sorted(uncertain)},
        {key: np.array([one.scale.get(key, 1.0) for one in several])[of] for key in sorted(scaled)},
    )


def known(test: observe.Test, one: Unknowns) -> observe.Test:
    """The test on one kind of assay: that of the draw where nobody named one."""
    kinds = tests.kinds(test.analyte, test.assay, one.lab)
    if len(kinds) == 1:
        return test
    return replace(test, assay=kinds[0].assay if one.method < kinds[0].weight else kinds[1].assay)


def reads_more(one: Unknowns, test: observe.Test) -> float:
    """Log-factor (of percentages shift of the log odds) by which the trial's laboratory reads more than others."""
    (kind,) = tests.kinds(test.analyte, test.assay, one.lab)
    return tests.scale(test.analyte, kind.assay, one.lab).spread * one.laboratories.get(test.analyte, 0.0)
