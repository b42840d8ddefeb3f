"""Testis: Leydig cells make testosterone under LH, Sertoli cells make inhibin B under FSH."""

from typing import NamedTuple

import numpy as np

from leydig.physiology.arithmetic import hill, loss, positive


class State(NamedTuple):
    leydig_adaptation: float  # 1, slow loss of response to lasting stimulation
    leydig_responsiveness: float  # 1, receptor down-regulation by hCG
    intratesticular_testosterone: float  # nmol/L
    inhibin_B: float  # pg/mL


class Parameters(NamedTuple):
    stimulation_exponent: float  # 1, kappa
    adaptation_strength: float  # 1, mu
    adaptation_time: float  # h
    basal_share: float  # 1, output without LH
    testosterone_turnover: float  # 1/h, intratesticular
    hCG_potency: float  # 1, IU of LH that one IU of hCG in plasma stands for
    downregulation_depth: float  # 1, largest share of responsiveness lost
    downregulation_half: float  # IU/L of hCG in plasma
    downregulation_rate: float  # 1/h
    inhibin_clearance: float  # 1/h
    inhibin_basal_share: float  # 1, inhibin B without FSH
    inhibin_exponent: float  # 1
    capacity_fold: float  # 1, Leydig capacity of a young man over his usual output
    capacity_at_70: float  # 1, capacity at 70 years over that at 40
    capacity_age: float  # years, from which capacity falls
    capacity_years: float  # years over which it falls to capacity_at_70
    capacity_oldest: float  # 1, multiples of those years after which it falls no further
    spent_LH: float  # IU/L, resting LH at which half of the reserve is taken as spent
    spent_steepness: float  # 1
    spent_in_use: float  # 1, share in use of a testis whose reserve is spent
    capacity_in_use_limits_low: float  # 1
    capacity_in_use_limits_high: float  # 1
    LH_floor: float  # 1, smallest relative stimulus that a power is taken of


class Capacity(NamedTuple):
    """What is a man's own, by inversion from his baseline."""

    LH: float  # IU/L at rest
    FSH: float  # IU/L at rest
    inhibin_B: float  # pg/mL at rest
    intratesticular_testosterone: float  # nmol/L at rest
    in_use: float  # 1, share of Leydig capacity in use at rest
    leydig: float  # 1, Leydig capacity left by disease
    sertoli: float  # 1, Sertoli capacity left by disease


class Signals(NamedTuple):
    LH: float  # IU/L
    FSH: float  # IU/L, own and given
    hCG: float  # IU/L
    steroidogenesis: float  # 1; below 1 under a blocker of steroid synthesis


def leydig_stimulus(LH, hCG, potency):
    """LH activity in IU/L: LH and hCG act on one receptor."""
    return LH + potency * hCG


def leydig_response(relative_stimulus, in_use, exponent):
    """Output over output at rest, l^k / (g l^k + 1 - g): saturates at 1/g."""
    raised = relative_stimulus**exponent
    return raised / (in_use * raised + 1 - in_use)


def adapt(response, strength, time):
    """Pull of lasting stimulation on Leydig adaptation, (1 + mu) / (1 + mu s) / tau, per hour."""
    return (1 + strength) / (1 + strength * response) / time


def recover_responsiveness(hCG, p: Parameters):
    """Pull towards the responsiveness that the present hCG allows, 1 - depth x^2 / (1 + x^2), per hour."""
    excess = (hCG / p.downregulation_half) ** 2
    return p.downregulation_rate * (1 - p.downregulation_depth * excess / (1 + excess))


def secrete_testosterone(state: State, capacity: Capacity, p: Parameters, s: Signals, response):
    """Intratesticular testosterone made, nmol/L/h: a basal share and the LH-driven rest."""
    driven = (1 - p.basal_share) * response * state.leydig_adaptation * state.leydig_responsiveness
    made = p.testosterone_turnover * capacity.intratesticular_testosterone * (p.basal_share + driven)
    return capacity.leydig * s.steroidogenesis * made


def secrete_inhibin(FSH, capacity: Capacity, p: Parameters):
    """Inhibin B made by Sertoli cells, pg/mL/h: a basal share and a share that follows FSH."""
    relative = positive(FSH / capacity.FSH, p.LH_floor)
    driven = (1 - p.inhibin_basal_share) * relative**p.inhibin_exponent
    return p.inhibin_clearance * capacity.sertoli * capacity.inhibin_B * (p.inhibin_basal_share + driven)


def derivatives(state: State, capacity: Capacity, p: Parameters, s: Signals) -> State:
    """Rates of change per hour.

    dLambda/dt = + adapt - Lambda / tau_Lambda
    dR/dt      = + recover - k_R R
    dITT/dt    = + secretion - k_I ITT
    dIB/dt     = + secretion - k_IB IB

    Assumes that testosterone in the testis follows Leydig output, that hCG and LH share one
    receptor, and that only hCG, given in excess, down-regulates it.
    Source: this project's fit; down-regulation after hCG from its biphasic testosterone response.
    """
    stimulus = positive(leydig_stimulus(s.LH, s.hCG, p.hCG_potency) / capacity.LH, p.LH_floor)
    response = leydig_response(stimulus, capacity.in_use, p.stimulation_exponent)
    return State(
        leydig_adaptation=(
            +adapt(response, p.adaptation_strength, p.adaptation_time)
            - loss(state.leydig_adaptation, 1 / p.adaptation_time)
        ),
        leydig_responsiveness=(
            +recover_responsiveness(s.hCG, p) - loss(state.leydig_responsiveness, p.downregulation_rate)
        ),
        intratesticular_testosterone=(
            +secrete_testosterone(state, capacity, p, s, response)
            - loss(state.intratesticular_testosterone, p.testosterone_turnover)
        ),
        inhibin_B=(+secrete_inhibin(s.FSH, capacity, p) - loss(state.inhibin_B, p.inhibin_clearance)),
    )


def capacity_in_use(free_testosterone, reference, age, LH, p: Parameters):
    """Share of Leydig capacity in use at rest, 1.

    Capacity is a property of age, not of the man's own testosterone: ``capacity_fold`` times the
    reference free testosterone (nmol/L), falling with age (years). A raised resting LH (IU/L) says
    that the reserve is spent already. Not among the equations, so it may have corners.
    """
    old = np.minimum(np.maximum((age - p.capacity_age) / p.capacity_years, 0.0), p.capacity_oldest)
    share = free_testosterone / (p.capacity_fold * reference * p.capacity_at_70**old)
    spent = hill(LH, p.spent_LH, p.spent_steepness)
    share = share + spent * np.maximum(p.spent_in_use - share, 0.0)
    return np.minimum(np.maximum(share, p.capacity_in_use_limits_low), p.capacity_in_use_limits_high)


def at_rest(capacity: Capacity) -> State:
    """State in which every derivative is zero for an untreated, intact man."""
    return State(1.0, 1.0, capacity.intratesticular_testosterone, capacity.inhibin_B)
