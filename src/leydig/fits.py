"""Fitted values: what ``make calibrate`` wrote, with standard errors and correlations.

One file per fit, ``data/fits/<fit>.yaml``. A parameter stands there as ``system.name`` with its value on the natural
scale; ``scale`` says on which scale its standard error and its correlations hold (log or natural).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from leydig.errors import InputError, from_pydantic, unknown
from leydig.files import DATA, read_yaml

if TYPE_CHECKING:
    import numpy as np

# Rounding in the file may leave a correlation matrix this little short of positive semidefinite.
SMALLEST_EIGENVALUE = -1e-6

Scale = Literal["log", "natural"]


class Fit(NamedTuple):
    """A fit: point estimate and its uncertainty."""

    names: tuple[str, ...]  # parameters as system.name, in the order of the correlation
    values: dict[str, float]  # natural scale, the parameter's unit
    standard_errors: dict[str, float]  # on the scale of the parameter
    scale: dict[str, Scale]
    correlation: np.ndarray  # (n, n), symmetric, ones on the diagonal
    between_study: dict[str, Any]
    assay_offsets: dict[str, Any]
    objective: float  # of its best start
    digest: str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Estimate(_Strict):
    value: float
    scale: Scale
    standard_error: Annotated[float, Field(ge=0)]


class _Correlation(_Strict):
    names: list[str]
    lower: list[list[Annotated[float, Field(ge=-1, le=1)]]]  # row i has i + 1 entries, the last is 1


class _FitFile(_Strict):
    fit: str
    made_by: str
    parameters: Annotated[dict[str, _Estimate], Field(min_length=1)]
    correlation: _Correlation
    between_study: dict[str, Any] = {}
    assay_offsets: dict[str, Any] = {}
    objective: float = 0.0
    digest: str = ""


def fits() -> list[str]:
    """The names of all fits that have been made."""
    return sorted(path.stem for path in (DATA / "fits").glob("*.yaml"))


@cache
def load_fit(name: str) -> Fit:
    """A fit of the package by name."""
    if name not in fits():
        raise unknown("fit", name, fits(), "data/fits")
    return read_fit(DATA / "fits" / f"{name}.yaml")


def read_fit(path: Path | str) -> Fit:
    """The fit that a file holds; InputError in one sentence when it is not a whole one."""
    path = Path(path)
    content = read_yaml(path)
    try:
        file = _FitFile.model_validate(content)
    except ValidationError as error:
        raise from_pydantic(error, path.name, _FitFile) from error
    if file.fit != path.stem:
        raise InputError(f'the fit "{file.fit}" of {path.name} must have the name of its file, {path.stem}')
    names = tuple(file.correlation.names)
    if len(set(names)) != len(names) or set(names) != set(file.parameters):
        raise InputError(f"correlation.names of {path.name} must list every parameter of the fit once")
    for name, estimate in file.parameters.items():
        if estimate.scale == "log" and estimate.value <= 0:
            raise InputError(f"parameters.{name} of {path.name} is on the log scale and must be above 0")
    return Fit(
        names=names,
        values={name: file.parameters[name].value for name in names},
        standard_errors={name: file.parameters[name].standard_error for name in names},
        scale={name: file.parameters[name].scale for name in names},
        correlation=_full(file.correlation.lower, len(names), path.name),
        between_study=file.between_study,
        assay_offsets=file.assay_offsets,
        objective=file.objective,
        digest=file.digest,
    )


def _full(lower: list[list[float]], size: int, where: str) -> np.ndarray:
    """The symmetric matrix with this lower triangle, when it is a correlation matrix."""
    import numpy as np

    if [len(row) for row in lower] != list(range(1, size + 1)):
        raise InputError(f"correlation.lower of {where} must have one row per name, the i-th with i entries")
    matrix = np.eye(size)
    for i, row in enumerate(lower):
        if row[-1] != 1:
            raise InputError(f"correlation.lower[{i}] of {where} must end with 1")
        matrix[i, : i + 1] = matrix[: i + 1, i] = row
    if size and np.linalg.eigvalsh(matrix)[0] < SMALLEST_EIGENVALUE:
        raise InputError(f"correlation of {where} is not positive semidefinite")
    return matrix
