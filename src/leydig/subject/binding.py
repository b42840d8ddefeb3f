"""Total testosterone, free testosterone and SHBG: any two give the third (state scale, canonical units)."""

from __future__ import annotations

from functools import cache

from leydig import parameters, units
from leydig.physiology import steroids


@cache
def _constants() -> steroids.Parameters:
    """The binding constants of the steroid equations."""
    return parameters.record(steroids.Parameters, "steroids")


def free_testosterone(total: float, SHBG: float) -> float:
    """Free testosterone (pg/mL) from total (ng/dL) and SHBG (nmol/L)."""
    free = steroids.free_testosterone(units.to_molar("testosterone", total), SHBG, _constants())
    return float(units.from_molar("free_testosterone", free))


def total_testosterone(free: float, SHBG: float) -> float:
    """Total testosterone (ng/dL) from free (pg/mL) and SHBG (nmol/L)."""
    total = steroids.total_testosterone(units.to_molar("free_testosterone", free), SHBG, _constants())
    return float(units.from_molar("testosterone", total))


def binding_globulin(total: float, free: float) -> float:
    """SHBG (nmol/L) from total (ng/dL) and free testosterone (pg/mL); below zero where albumin alone binds more.

    Total minus free and albumin-bound is what SHBG holds; divided by the share of its sites that is taken.
    """
    p, molar = _constants(), float(units.to_molar("free_testosterone", free))
    bound = float(units.to_molar("testosterone", total)) - float(steroids.bioavailable_testosterone(molar, p))
    taken = p.testosterone_SHBG_affinity * molar
    return bound * (1 + taken) / taken
