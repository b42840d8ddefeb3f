"""The gonadotrope under a GnRH agonist: stimulated at once (the flare), deaf within weeks.

An agonist occupies the receptor without pause. Occupancy first releases more LH and FSH than a man's own pulses do;
unbroken, it takes away the response, because receptors and their signalling are lost faster than they return.
"""

from typing import NamedTuple

from leydig.pharmacology.effects import raised


class State(NamedTuple):
    response: float  # 1, response of the gonadotrope to GnRH and agonist over that without drug


class Parameters(NamedTuple):
    leuprolide_half: float  # ng/mL, half of the largest occupancy
    goserelin_half: float  # ng/mL
    stimulation: float  # 1, most that an agonist adds to the action of a man's own GnRH
    desensitisation_half: float  # 1, occupancy that takes away half of the response in the long run
    desensitisation_steepness: float  # 1
    desensitisation_time: float  # h
    concentration_floor: float  # 1, smallest relative occupancy that a power is taken of


def occupancy(leuprolide, goserelin, p: Parameters):
    """Share of receptors that the agonists hold, 0 to 1: both compete for one site."""
    load = leuprolide / p.leuprolide_half + goserelin / p.goserelin_half
    return load / (1 + load)


def action(state: State, occupied, p: Parameters):
    """GnRH action at the gonadotrope over that without drug: (1 + s occupancy) response."""
    return (1 + p.stimulation * occupied) * state.response


def recover(occupied, p: Parameters):
    """Pull of the response towards 1 / (1 + (occupancy / half)^n), per hour."""
    lost = raised(occupied / p.desensitisation_half, p.desensitisation_steepness, p.concentration_floor)
    return 1 / (1 + lost) / p.desensitisation_time


def fade(response, p: Parameters):
    """Loss of response, per hour."""
    return response / p.desensitisation_time


def derivatives(state: State, p: Parameters, occupied) -> State:
    """Rates of change per hour.

    dR/dt = + recovery - fading

    Assumes one time constant for losing and regaining the response, and that a man's own pulses add nothing to
    occupancy. Source: this project's fit to the flare and to castration by depots.
    """
    return State(response=(+recover(occupied, p) - fade(state.response, p)))


def at_rest() -> State:
    """Full response."""
    return State(response=1.0)
