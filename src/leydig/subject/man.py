"""A man as he is described: age and whatever was measured, in canonical units.

    Subject(age=68, labs=[{"analyte": "testosterone", "value": "343 ng/dL", "assay": "immunoassay"}])
    Subject.open("older-man")            # a bundled man, or the path of a YAML file

Everything but age may be missing; ``complete`` says what is then assumed.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict

from leydig.errors import InputError, nearest
from leydig.files import DATA, read_text, read_yaml
from leydig.parameters import Strict
from leydig.subject.reading import CM_PER_M, SITES, read_subject

BUNDLED = DATA / "subjects"
TEMPLATE = DATA / "subject-template.yaml"


class Lab(Strict):
    """One blood value as the laboratory printed it, in the analyte's canonical unit."""

    analyte: str
    value: float  # canonical unit; the limit itself when ``below``
    below: bool = False  # printed as "< value"
    unit: str  # as written, for showing it again
    date: datetime.date | None = None
    hour: float | None = None  # h, clock
    assay: str


class Semen(Strict):
    """One semen sample."""

    concentration: float | None = None  # 10^6/mL
    volume: float | None = None  # mL
    total_motility: float | None = None  # %
    normal_morphology: float | None = None  # %
    date: datetime.date | None = None
    abstinence: float | None = None  # d


class Scan(Strict):
    """One bone density."""

    site: Literal["spine", "hip"]
    bmd: float  # g/cm2, on the scanner's own scale
    date: datetime.date | None = None
    device: str

    @property
    def quantity(self) -> str:
        """The name of the density among the quantities."""
        return SITES[self.site]


class Published(Strict):
    """One published figure that is shown beside the simulated one, in the unit in which it was printed."""

    protocol: str
    quantity: str
    day: float  # d from the start
    value: float
    unit: str
    statistic: str  # mean, median, ratio (to his own baseline), percent_change, change
    source: str  # key of the bibliography
    note: str = ""


class Partner(Strict):
    """The woman with whom he tries for children."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    age: float  # years
    months_trying: float = 0  # months without contraception and without a pregnancy; 0 where they begin now


class Subject(Strict):
    """One man. Build it from words with units (checked, one sentence per refusal); fields are canonical."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    age: float  # years
    height: float | None = None  # cm
    weight: float | None = None  # kg
    BMI: float | None = None  # kg/m2, as given
    condition: str | None = None
    labs: tuple[Lab, ...] = ()
    semen: tuple[Semen, ...] = ()
    dxa: tuple[Scan, ...] = ()
    drugs: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()
    partner: Partner | None = None
    wants_children: bool | None = None
    does_not_apply: tuple[str, ...] = ()  # output quantities that this man cannot have; results leave them out

    def __init__(self, where: str = "the subject", /, **given: Any) -> None:
        """``given`` is what a subject file holds; ``where`` names it in errors."""
        super().__init__(**read_subject(given, where))

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], where: str = "the subject") -> Subject:
        """The man that a mapping describes, with the place named in errors."""
        return cls(where, **given)

    @classmethod
    def from_file(cls, path: Path | str) -> Subject:
        """The man of a YAML file."""
        return cls.from_mapping(read_yaml(path), Path(path).name)

    @classmethod
    def open(cls, name: str | Path) -> Subject:
        """A bundled man by name, or the man of a file by path."""
        if str(name) in bundled():
            return cls.from_file(BUNDLED / f"{name}.yaml")
        if Path(name).exists():
            return cls.from_file(name)
        guess = nearest(str(name), bundled())
        raise InputError(
            f'there is no file "{name}" and no bundled man of that name'
            + (f'; did you mean "{guess}"?' if guess else ";")
            + f" Bundled: {', '.join(bundled())}"
        )

    @staticmethod
    def template() -> str:
        """A commented subject file to fill in."""
        return read_text(TEMPLATE)

    @property
    def body_mass_index(self) -> float | None:
        """BMI (kg/m2) from height and weight where both are known, else as given."""
        if self.height is not None and self.weight is not None:
            return self.weight / (self.height / CM_PER_M) ** 2
        return self.BMI

    @property
    def body_height(self) -> float | None:
        """Height (cm), given or from weight and BMI."""
        if self.height is None and self.weight is not None and self.BMI is not None:
            return float((self.weight / self.BMI) ** 0.5 * CM_PER_M)
        return self.height

    @property
    def day_zero(self) -> datetime.date | None:
        """Day 0: the latest baseline date; None when nothing is dated."""
        return max(self.dates, default=None)

    @property
    def dates(self) -> list[datetime.date]:
        """Every baseline date, in order."""
        dates = (
            [lab.date for lab in self.labs] + [sample.date for sample in self.semen] + [scan.date for scan in self.dxa]
        )
        return sorted(date for date in dates if date is not None)


def bundled() -> list[str]:
    """The names of the bundled men."""
    return sorted(path.stem for path in BUNDLED.glob("*.yaml"))
