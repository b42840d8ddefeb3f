"""A labelled result: values over time with units, bands, status, and what made them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True)
class Panel:
    """Quantities over one time axis: arrays (times,) by name; bands are 2.5 and 97.5 % of the draws."""

    units: Mapping[str, str]
    values: Mapping[str, np.ndarray]
    lower: Mapping[str, np.ndarray] | None = None
    upper: Mapping[str, np.ndarray] | None = None


@dataclass(frozen=True)
class Trajectory:
    """One subject under one protocol.

    ``quantities`` is the state scale (24-hour mean, mass spectrometry); ``laboratory`` what his
    laboratory would print. With bands, values are medians of ``draws`` joint draws of man and fit.
    """

    subject: Mapping[str, Any]  # name, age, condition and baseline, as plain values
    protocol: str  # canonical text
    days: np.ndarray
    quantities: Panel
    laboratory: Panel
    status: str
    draws: int = 0
    failed_draws: int = 0
    seed: int = 0
    assumed: tuple[str, ...] = ()  # sentences: what was completed, and from where
    remarks: tuple[str, ...] = ()  # sentences: contradictions, misfits, warnings
    sources: tuple[Mapping[str, str], ...] = ()  # key, reference, verification, used for
    digests: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()  # quantities that the subject cannot have
    findings: tuple[str, ...] = ()  # names of contrary findings that the run takes as true
    alternatives: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)  # finding, quantity: values
    titration: Mapping[str, Any] = field(default_factory=dict)  # the rules that changed his dose, and the last dose
    samples: Mapping[str, Any] = field(default_factory=dict)  # visits, days, and readings with their noise by analyte
    decisions: tuple[Mapping[str, Any], ...] = ()  # what was read at every visit, and what was done

    def dataset(self) -> "xarray.Dataset":
        """The result as xarray: dimension ``time`` in days, units in ``attrs``.

        Bands are ``NAME_lower`` and ``NAME_upper``; what a laboratory would print is ``laboratory_NAME``, and
        a reading with its noise ``reading_NAME`` over ``visit``.
        """
        import xarray

        variables: dict[str, Any] = {}
        for prefix, panel in (("", self.quantities), ("laboratory_", self.laboratory)):
            for suffix, part in (("", panel.values), ("_lower", panel.lower), ("_upper", panel.upper)):
                for name, values in (part or {}).items():
                    variables[f"{prefix}{name}{suffix}"] = ("time", values, {"units": panel.units[name]})
        visits = {}
        if self.samples:
            visits = {"visit": ("visit", np.asarray(self.samples["days"], dtype=float), {"units": "d"})}
            for name, one in self.samples["readings"].items():
                values = np.asarray(one["values"], dtype=float)
                variables[f"reading_{name}"] = ("visit", values, {"units": one["unit"]})
        attributes = {
            "subject": str(self.subject.get("name", "")),
            "protocol": self.protocol,
            "status": self.status,
            "draws": self.draws,
            "seed": self.seed,
            "sources": ", ".join(source["key"] for source in self.sources),
            **{f"digest_{name}": value for name, value in self.digests.items()},
        }
        return xarray.Dataset(
            variables, coords={"time": ("time", self.days, {"units": "d"}), **visits}, attrs=attributes
        )
