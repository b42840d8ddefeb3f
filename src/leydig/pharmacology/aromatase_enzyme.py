"""Active aromatase under an irreversible inhibitor: exemestane destroys the enzyme, and cells make it anew.

A reversible inhibitor changes how fast the enzyme works (``effects.inhibition``); an irreversible one changes how
much of it there is, so its effect outlasts the drug by the life of the enzyme.
"""

from typing import NamedTuple

from leydig.pharmacology.effects import Concentrations


class State(NamedTuple):
    peripheral: float  # 1, active enzyme outside the testis over that without drug
    testicular: float  # 1, the same in the testis


class Parameters(NamedTuple):
    turnover: float  # 1/h, loss and renewal of the enzyme without drug
    exemestane_inactivation: float  # mL/ng/h, inactivation outside the testis per total plasma concentration


def renew(turnover):
    """New enzyme, 1/h of what there is without drug."""
    return turnover


def decay(active, turnover):
    """Loss of active enzyme without drug, 1/h."""
    return turnover * active


def inactivate(active, exemestane, rate):
    """Active enzyme destroyed by exemestane, 1/h."""
    return rate * exemestane * active


def derivatives(state: State, p: Parameters, drug: Concentrations, protection) -> State:
    """Rates of change per hour.

    dE/dt = + renewal - decay - inactivation, outside and inside the testis

    ``protection`` is by how much the substrate slows inactivation in the testis (1: not at all): drug and
    testosterone compete for the same site.
    Assumes that inactivation is first order in the drug and that the drug does not change synthesis of the enzyme.
    Source: irreversible inhibition, mauras2003exemestane; inactivation fitted, turnover assumed.
    """
    return State(
        peripheral=(
            +renew(p.turnover)
            - decay(state.peripheral, p.turnover)
            - inactivate(state.peripheral, drug.exemestane, p.exemestane_inactivation)
        ),
        testicular=(
            +renew(p.turnover)
            - decay(state.testicular, p.turnover)
            - inactivate(state.testicular, drug.exemestane, p.exemestane_inactivation / protection)
        ),
    )


def at_rest() -> State:
    """All enzyme active."""
    return State(peripheral=1.0, testicular=1.0)
