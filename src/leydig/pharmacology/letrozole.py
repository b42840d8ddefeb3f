"""Letrozole in plasma: elimination that saturates, so its level is part of the equations.

On daily doses letrozole rises to about twice what single doses predict. The simplest mechanism that
published single-dose and steady-state figures support is one saturable pathway (oxidation, mainly by
CYP2A6) beside a small linear one (unchanged drug in urine); the central compartment exchanges with tissue.
"""

from typing import NamedTuple


class State(NamedTuple):
    central: float  # ng/mL in plasma
    peripheral: float  # ng/mL in tissue, as plasma in balance with it


class Parameters(NamedTuple):
    central_volume: float  # L
    peripheral_volume: float  # L
    distribution_clearance: float  # L/h
    capacity: float  # ug/h, largest rate of oxidation
    half_saturation: float  # ng/mL, level at which half of the capacity is used
    linear_clearance: float  # L/h, unchanged drug into urine


def oxidise(central, capacity, half_saturation):
    """Saturable metabolism, ug/h: capacity C / (half_saturation + C)."""
    return capacity * central / (half_saturation + central)


def excrete(central, linear_clearance):
    """Unchanged drug into urine, ug/h."""
    return linear_clearance * central


def distribute(central, peripheral, distribution_clearance):
    """Net movement from plasma to tissue, ug/h."""
    return distribution_clearance * (central - peripheral)


def derivatives(state: State, p: Parameters, absorption) -> State:
    """Rates of change per hour.

    dC/dt = + absorption - (oxidation + excretion + distribution) / V_c
    dP/dt = + distribution / V_p

    ``absorption`` is ng/mL/h entering the central volume (1 ug in 1 L is 1 ng/mL).
    Assumes that bioavailability is complete and that metabolism depends on the present level alone.
    Source: derived from sioufi1997, pfister2001, tanii2011.
    """
    exchange = distribute(state.central, state.peripheral, p.distribution_clearance)
    return State(
        central=(
            +absorption
            - oxidise(state.central, p.capacity, p.half_saturation) / p.central_volume
            - excrete(state.central, p.linear_clearance) / p.central_volume
            - exchange / p.central_volume
        ),
        peripheral=+exchange / p.peripheral_volume,
    )


def at_rest() -> State:
    """No drug."""
    return State(central=0.0, peripheral=0.0)
