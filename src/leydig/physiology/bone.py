"""Bone: resorption and formation under oestradiol and androgen, turnover markers, areal BMD, fracture.

Oestradiol (pg/mL, total, LC-MS/MS scale) holds back resorption and keeps osteoblasts active; androgen
(ng/dL, as total testosterone of the reference man) does both more weakly. Tissues see absolute levels.
"""

import math
from typing import NamedTuple

from leydig.physiology.arithmetic import loss, positive, shortfall


class State(NamedTuple):
    resorption: float  # 1, relative to the man at rest
    osteoblasts: float  # 1, number, relative to the man at rest
    bmd_spine: float  # g/cm2
    bmd_hip: float  # g/cm2


class Parameters(NamedTuple):
    estradiol_half: float  # pg/mL
    estradiol_steepness: float  # 1
    estradiol_on_resorption: float  # 1
    estradiol_on_formation: float  # 1
    androgen_half: float  # ng/dL
    androgen_steepness: float  # 1
    androgen_on_resorption: float  # 1
    androgen_on_formation: float  # 1
    osteoclast_rate: float  # 1/h
    osteoblast_rate: float  # 1/h
    spine_renewal: float  # 1/h, share of areal BMD renewed
    hip_renewal: float  # 1/h
    ageing_age: float  # years, from which hip BMD falls by itself
    ageing_rate: float  # 1/h, share of hip BMD lost at that age
    ageing_growth: float  # 1/years
    ntx_exponent: float  # 1
    hormone_floor: float  # pg/mL and ng/dL


class Setpoints(NamedTuple):
    """What is a man's own, by inversion from his baseline."""

    estradiol: float  # pg/mL at rest
    androgen: float  # ng/dL at rest
    bmd_spine: float  # g/cm2 at rest
    bmd_hip: float  # g/cm2 at rest
    CTX: float  # pg/mL at rest
    P1NP: float  # ug/L at rest


class Signals(NamedTuple):
    estradiol: float  # pg/mL, total, LC-MS/MS scale
    androgen: float  # ng/dL
    age: float  # years
    resorption_drive: float  # 1; below 1 with calcium or an antiresorptive drug


def resorption_target(estradiol, androgen, p: Parameters):
    """Osteoclast recruitment in an arbitrary unit: more where either hormone is short."""
    missing_estradiol = shortfall(positive(estradiol, p.hormone_floor), p.estradiol_half, p.estradiol_steepness)
    missing_androgen = shortfall(positive(androgen, p.hormone_floor), p.androgen_half, p.androgen_steepness)
    return (1 + p.estradiol_on_resorption * missing_estradiol) * (1 + p.androgen_on_resorption * missing_androgen)


def osteoblast_activity(estradiol, androgen, p: Parameters):
    """Bone made per osteoblast in an arbitrary unit: less where either hormone is short."""
    missing_estradiol = shortfall(positive(estradiol, p.hormone_floor), p.estradiol_half, p.estradiol_steepness)
    missing_androgen = shortfall(positive(androgen, p.hormone_floor), p.androgen_half, p.androgen_steepness)
    return (1 - p.estradiol_on_formation * missing_estradiol) * (1 - p.androgen_on_formation * missing_androgen)


def recruit_osteoclasts(setpoints: Setpoints, p: Parameters, s: Signals):
    """Pull on resorption, per hour: the target now over the target at rest."""
    at_rest = resorption_target(setpoints.estradiol, setpoints.androgen, p)
    return p.osteoclast_rate * s.resorption_drive * resorption_target(s.estradiol, s.androgen, p) / at_rest


def couple_osteoblasts(resorption, p: Parameters):
    """Osteoblasts called by resorption, per hour."""
    return p.osteoblast_rate * resorption


def formation(osteoblasts, estradiol, androgen, setpoints: Setpoints, p: Parameters):
    """Formation over formation at rest: osteoblast number times activity."""
    at_rest = osteoblast_activity(setpoints.estradiol, setpoints.androgen, p)
    return osteoblasts * osteoblast_activity(estradiol, androgen, p) / at_rest


def ageing(bmd, p: Parameters, s: Signals):
    """Loss of hip BMD with age that hormones do not explain, g/cm2/h; grows with age, small in the young."""
    return bmd * p.ageing_rate * math.e ** (p.ageing_growth * (s.age - p.ageing_age))


def derivatives(state: State, setpoints: Setpoints, p: Parameters, s: Signals) -> State:
    """Rates of change per hour.

    dR/dt  = + recruitment - loss
    dN/dt  = + coupling - loss
    dBs/dt = + formation (k B0 F) - resorption (k R B)
    dBh/dt = + formation - resorption - ageing

    F is osteoblast number N times activity; N lags R, so remodelling space opens first and refills
    after stopping. Hormones reach bone as their total concentrations.
    Source: this project's fit to castration, replacement and inhibitor trials.
    """
    formed = formation(state.osteoblasts, s.estradiol, s.androgen, setpoints, p)
    return State(
        resorption=(+recruit_osteoclasts(setpoints, p, s) - loss(state.resorption, p.osteoclast_rate)),
        osteoblasts=(+couple_osteoblasts(state.resorption, p) - loss(state.osteoblasts, p.osteoblast_rate)),
        bmd_spine=(
            +p.spine_renewal * setpoints.bmd_spine * formed - loss(state.bmd_spine, p.spine_renewal * state.resorption)
        ),
        bmd_hip=(
            +p.hip_renewal * setpoints.bmd_hip * formed
            - loss(state.bmd_hip, p.hip_renewal * state.resorption)
            - ageing(state.bmd_hip, p, s)
        ),
    )


def at_rest(setpoints: Setpoints) -> State:
    """State in which every hormone-driven derivative is zero (ageing of the hip goes on)."""
    return State(1.0, 1.0, setpoints.bmd_spine, setpoints.bmd_hip)


def density_at_rest(state: State, setpoints: Setpoints, p: Parameters, s: Signals):
    """BMD of spine and hip (g/cm2) at which gain meets loss at these hormones and age, turnover as in ``state``."""
    formed = formation(state.osteoblasts, s.estradiol, s.androgen, setpoints, p)
    hip_loss = p.hip_renewal * state.resorption + ageing(1.0, p, s)
    return setpoints.bmd_spine * formed / state.resorption, p.hip_renewal * setpoints.bmd_hip * formed / hip_loss


# Markers and scores ------------------------------------------------------------------------------


def CTX(state: State, setpoints: Setpoints):
    """C-telopeptide of collagen, pg/mL."""
    return setpoints.CTX * state.resorption


def NTX(state: State, p: Parameters):
    """N-telopeptide of collagen in serum, relative to the man at rest: moves less than CTX."""
    return state.resorption**p.ntx_exponent


def P1NP(state: State, estradiol, androgen, setpoints: Setpoints, p: Parameters):
    """Procollagen propeptide, ug/L."""
    return setpoints.P1NP * formation(state.osteoblasts, estradiol, androgen, setpoints, p)


class Reference(NamedTuple):
    """The base of T-scores, and fracture risk; constants, not part of the equations."""

    spine_young_mean: float  # g/cm2, young white women
    spine_young_sd: float
    hip_young_mean: float
    hip_young_sd: float
    fracture_rate: float  # 1/year at fracture_age and mean BMD
    fracture_age: float  # years
    fracture_age_slope: float  # 1/year
    fracture_per_sd: float  # 1, rate ratio per SD of hip BMD below the mean
    fracture_estradiol_excess: float  # 1, direct excess without estradiol
    fracture_estradiol_half: float  # pg/mL
    fracture_estradiol_floor: float  # pg/mL
    fracture_estradiol_steepness: float  # 1
    fracture_years: float  # years


def t_scores(bmd_spine, bmd_hip, r: Reference):
    """T-scores of spine and hip against young white women, the reference for all."""
    return (bmd_spine - r.spine_young_mean) / r.spine_young_sd, (bmd_hip - r.hip_young_mean) / r.hip_young_sd


def z_score(bmd, mean, sd):
    """Z-score of a BMD against the mean and SD (g/cm2) of men of the same age."""
    return (bmd - mean) / sd


def fracture_risk(hip_z_score, age, estradiol, r: Reference):
    """Probability of any fracture in ``fracture_years`` at the present hip Z-score, age (years) and estradiol (pg/mL).

    Rate = base(age) * RR^(-z) * (1 + direct estradiol term), summed over the years ahead. The base is the rate of
    any fracture in older men; RR, the ratio of osteoporotic fractures per SD of femoral-neck BMD at 65 years, is
    applied to any fracture and to the total hip. Death is not counted, so the figure is higher than a calculator
    that allows for it.
    """
    growth = r.fracture_age_slope
    years = (math.e ** (growth * r.fracture_years) - 1) / growth
    base = r.fracture_rate * math.e ** (growth * (age - r.fracture_age)) * years
    missing = shortfall(
        positive(estradiol, r.fracture_estradiol_floor), r.fracture_estradiol_half, r.fracture_estradiol_steepness
    )
    hazard = base * r.fracture_per_sd ** (-hip_z_score) * (1 + r.fracture_estradiol_excess * missing)
    return 1 - math.e ** (-hazard)
