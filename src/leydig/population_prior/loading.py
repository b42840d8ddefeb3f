"""Reading data/population.yaml: names, units, sources and correlations are checked once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ValidationError

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml
from leydig.population_prior.records import BODY, HIDDEN, LESIONS, Population, Sourced
from leydig.units import CANONICAL


@cache
def population() -> Population:
    """The baseline population of the package."""
    return read_population(DATA / "population.yaml")


def read_population(path: Path | str) -> Population:
    """A checked population file; InputError in one sentence when something in it does not hold."""
    path = Path(path)
    content = read_yaml(path)
    try:
        found = Population.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, path.name, Population) from error
    _check_names(found, path.name)
    _check_sources(found, path.name)
    correlation_matrix(found)
    return found


def _check_names(found: Population, where: str) -> None:
    """Every quantity, lesion and condition that is named exists, and units are canonical."""
    names = list(found.quantities)
    for name, quantity in found.quantities.items():
        canonical = "1" if name == HIDDEN else CANONICAL.get(name)
        if quantity.unit != canonical:
            raise InputError(f"quantities.{name} of {where} must be in {canonical}, not {quantity.unit}")
    sides = [side for pair in found.correlations for side in pair.between]
    for name in [*sides, *found.floors, found.drawn_first_through]:
        if name not in names:
            raise unknown("quantity", name, names, where)
    for title, condition in found.conditions.items():
        for name in condition.shift:
            if name not in names:
                raise unknown("quantity", name, names, f"conditions.{title} of {where}")
        for name in condition.lesion:
            if name not in LESIONS:
                raise unknown("lesion", name, LESIONS, f"conditions.{title} of {where}")
    limits = [limit for condition in found.conditions.values() for limit in condition.expected]
    for rule in found.inference:
        if rule.condition not in found.conditions:
            raise unknown("condition", rule.condition, found.conditions, f"inference of {where}")
        limits.extend(rule.when)
    limits.extend(limit for question in found.questions for limit in question.when)
    for limit in limits:
        if limit.quantity not in (*names, *BODY):
            raise unknown("quantity", limit.quantity, (*names, *BODY), where)


def _check_sources(part: object, where: str) -> None:
    """Every source is in the bibliography, and nothing measured or derived rests on memory."""
    if isinstance(part, Sourced):
        for key in part.source:
            if reference(key, where).verification in UNUSABLE and part.kind in ("measured", "derived"):
                raise InputError(f'"{key}" in {where} was not seen; find a source or make the kind assumed')
        if part.kind in ("derived", "assumed") and not part.note:
            raise InputError(f"a number of kind {part.kind} in {where} needs a note ({part!r})")
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            _check_sources(getattr(part, name), where)
    elif isinstance(part, dict):
        for member in part.values():
            _check_sources(member, where)
    elif isinstance(part, tuple):
        for member in part:
            _check_sources(member, where)


def correlation_matrix(found: Population) -> np.ndarray:
    """Correlations between the quantities in the file's order; InputError unless positive definite."""
    names = list(found.quantities)
    matrix = np.eye(len(names))
    for pair in found.correlations:
        i, j = (names.index(side) for side in pair.between)
        matrix[i, j] = matrix[j, i] = pair.value
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest <= 0:
        raise InputError(f"the correlations of the population are not positive definite (eigenvalue {smallest:.3g})")
    return matrix
