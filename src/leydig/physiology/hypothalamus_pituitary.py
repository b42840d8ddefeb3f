"""Hypothalamus and pituitary: GnRH drive, LH and FSH under feedback by T, DHT, E2 and inhibin B.

States are 24-hour means. Steroid feedback acts through two slow signals relative to the man's own
set-points; the LH response has a fast ceiling (release) and a slow one (gonadotrope capacity).
"""

from typing import NamedTuple

from leydig.physiology.arithmetic import loss, positive


class State(NamedTuple):
    androgen_signal: float  # 1, androgen seen by the brain over its set-point
    estrogen_signal: float  # 1, oestrogen seen by the brain over its set-point
    gonadotrope_capacity: float  # 1, slow capacity to make and release gonadotropins
    gnrh_reserve: float  # 1, falls over months of suppression by steroids and wakes as slowly
    LH: float  # IU/L, 24-hour mean
    FSH: float  # IU/L, 24-hour mean, the man's own


class Parameters(NamedTuple):
    signal_rate: float  # 1/h
    androgen_share: float  # 1, of the brake on gonadotropins at rest
    androgen_exponent: float  # 1, androgen receptor arm of the brake on LH
    estrogen_exponent: float  # 1, oestrogen receptor arm of the brake on LH
    release_ceiling: float  # 1, q_a: fast release can rise to (1 + q_a) / q_a
    capacity_ceiling: float  # 1, q_c: chronic output can rise to (1 + q_c) / q_c
    oversuppression_threshold: float  # 1, product of both signals that shuts the axis down
    oversuppression_androgen: float  # 1, androgen signal that does so without oestrogen
    oversuppression_steepness: float  # 1
    capacity_time: float  # h
    reserve_half: float  # 1, capacity at which the reserve is half of its most
    reserve_time: float  # h
    LH_clearance: float  # 1/h
    FSH_clearance: float  # 1/h
    androgen_exponent_FSH: float  # 1
    estrogen_exponent_FSH: float  # 1
    inhibin_exponent_FSH: float  # 1
    adiposity_exponent: float  # 1, fall of GnRH outflow with fat mass
    signal_floor: float  # 1, smallest signal that a power is taken of


class Setpoints(NamedTuple):
    """What is a man's own, by inversion from his baseline."""

    androgen: float  # nmol/L, free-testosterone equivalents at rest
    estrogen: float  # pmol/L, free oestradiol at rest
    LH: float  # IU/L at rest
    FSH: float  # IU/L at rest
    inhibin_B: float  # pg/mL at rest
    gnrh_outflow: float  # 1; below 1 in central hypogonadism


class Signals(NamedTuple):
    androgen: float  # nmol/L, free-testosterone equivalents of T and DHT together
    estrogen: float  # pmol/L, free oestradiol as its receptor sees it
    inhibin_B: float  # pg/mL
    gnrh_action: float  # 1; below 1 under a GnRH antagonist
    fat_mass: float  # 1, relative to the man's own at baseline


def brake(state: State, androgen_exponent, estrogen_exponent, p: Parameters):
    """Steroid brake w S_a^x + (1 - w) S_e^y: 1 at rest, 0 without steroids; each hormone brakes without the other."""
    androgen = positive(state.androgen_signal, p.signal_floor) ** androgen_exponent
    estrogen = positive(state.estrogen_signal, p.signal_floor) ** estrogen_exponent
    return p.androgen_share * androgen + (1 - p.androgen_share) * estrogen


def ceilinged(braking, ceiling):
    """Output (1 + q) / (q + brake): 1 at rest, at most (1 + q) / q when nothing brakes."""
    return (1 + ceiling) / (ceiling + braking)


def oversuppression(state: State, p: Parameters):
    """Shut-down by steroids in excess, 1 at rest: by both together, and by androgen alone at a higher level.

    (1 + Th^-n + Th_a^-n) / (1 + (S_a S_e / Th)^n + (S_a / Th_a)^n)
    """
    n = p.oversuppression_steepness
    both = positive(state.androgen_signal * state.estrogen_signal, p.signal_floor) / p.oversuppression_threshold
    alone = positive(state.androgen_signal, p.signal_floor) / p.oversuppression_androgen
    at_rest = p.oversuppression_threshold**-n + p.oversuppression_androgen**-n
    return (1 + at_rest) / (1 + both**n + alone**n)


def gnrh_outflow(setpoints: Setpoints, p: Parameters, s: Signals):
    """GnRH action at the gonadotrope: own outflow, drug, and the fall with fat mass; 1 at rest."""
    return setpoints.gnrh_outflow * s.gnrh_action * s.fat_mass**-p.adiposity_exponent


def signal(concentration, setpoint, rate):
    """Slow approach of a brain signal to hormone over set-point, per hour."""
    return rate * concentration / setpoint


def build_capacity(chronic, fast, outflow, p: Parameters):
    """Growth of gonadotrope capacity towards chronic / fast, never negative; without GnRH it cannot adapt, per hour."""
    return positive(1 + (chronic / fast - 1) * outflow, p.signal_floor) / p.capacity_time


def rebuild_reserve(capacity, half, time):
    """Pull of activity on the GnRH reserve, (1 + k) C / (k + C) / tau, per hour: 1 / tau at rest."""
    return (1 + half) * capacity / (half + capacity) / time


def secrete(at_rest, state: State, fast, outflow, clearance):
    """Gonadotropin secretion, IU/L/h."""
    return clearance * at_rest * state.gonadotrope_capacity * state.gnrh_reserve * fast * outflow


def derivatives(state: State, setpoints: Setpoints, p: Parameters, s: Signals) -> State:
    """Rates of change per hour.

    dS_a/dt = + k_S androgen/set-point - k_S S_a
    dS_e/dt = + k_S oestrogen/set-point - k_S S_e
    dC/dt   = + build capacity - C / tau_C
    dG/dt   = + rebuild reserve - G / tau_G
    dLH/dt  = + secretion (LH0 C G R A k_LH) - k_LH LH
    dFSH/dt = + secretion (FSH0 C G R_F A k_F) - k_F FSH

    R and R_F are fast release under their own brakes (FSH also under inhibin B), A is GnRH outflow.
    Steroids silence C within weeks; the reserve G follows over months, so recovery after long
    suppression is slower than suppression was.
    Assumes 24-hour means and one shared capacity for both gonadotropins.
    Source: this project's fit; structure compared in the calibration report.
    """
    outflow = gnrh_outflow(setpoints, p, s)
    braking = brake(state, p.androgen_exponent, p.estrogen_exponent, p)
    inhibin = positive(s.inhibin_B / setpoints.inhibin_B, p.signal_floor) ** p.inhibin_exponent_FSH
    braking_FSH = brake(state, p.androgen_exponent_FSH, p.estrogen_exponent_FSH, p) * inhibin
    fast = ceilinged(braking, p.release_ceiling)
    chronic = oversuppression(state, p) * ceilinged(braking, p.capacity_ceiling)
    return State(
        androgen_signal=(
            +signal(s.androgen, setpoints.androgen, p.signal_rate) - loss(state.androgen_signal, p.signal_rate)
        ),
        estrogen_signal=(
            +signal(s.estrogen, setpoints.estrogen, p.signal_rate) - loss(state.estrogen_signal, p.signal_rate)
        ),
        gonadotrope_capacity=(
            +build_capacity(chronic, fast, outflow, p) - loss(state.gonadotrope_capacity, 1 / p.capacity_time)
        ),
        gnrh_reserve=(
            +rebuild_reserve(state.gonadotrope_capacity, p.reserve_half, p.reserve_time)
            - loss(state.gnrh_reserve, 1 / p.reserve_time)
        ),
        LH=(+secrete(setpoints.LH, state, fast, outflow, p.LH_clearance) - loss(state.LH, p.LH_clearance)),
        FSH=(
            +secrete(
                setpoints.FSH,
                state,
                ceilinged(braking_FSH, p.release_ceiling),
                outflow,
                p.FSH_clearance,
            )
            - loss(state.FSH, p.FSH_clearance)
        ),
    )


def at_rest(setpoints: Setpoints) -> State:
    """State in which every derivative is zero for an untreated, intact man."""
    return State(1.0, 1.0, 1.0, 1.0, setpoints.LH, setpoints.FSH)
