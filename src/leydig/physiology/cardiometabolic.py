"""Heart and metabolism: lipids, glucose, insulin action, fat and lean mass, inflammation, vessel, blood, prostate.

Every outcome moves from a man's own value towards a target that androgen (ng/dL, as total testosterone of the
reference man), estradiol (pg/mL, total, LC-MS/MS scale) and his fat mass set, with one time constant. Tissues see
absolute levels; the target is 1, or 0 for a change, at his own levels. Low estradiol acts within bounds, since
inhibitors and inborn defects take it far below what trials measured. Nothing here acts back on hormones.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from leydig.physiology.arithmetic import hill, loss, positive, shortfall

# What a measured value sets, by how it moves: relative to his own value, or as a change added to it.
RELATIVE = ("HDL", "LDL", "triglycerides", "glucose", "CRP", "PSA", "flow_mediated_dilation")
ADDED = {"hematocrit": "hematocrit", "fat_mass": "fat", "lean_mass": "lean"}


class State(NamedTuple):
    HDL: float  # 1, relative to his own value at rest
    LDL: float  # 1
    triglycerides: float  # 1
    glucose: float  # 1, fasting
    insulin_sensitivity: float  # 1
    muscle_fat: float  # 1
    CRP: float  # 1
    PSA: float  # 1
    fat: float  # kg, change by hormones
    lean: float  # kg, change by hormones
    flow_mediated_dilation: float  # 1, relative to his own value at rest
    hematocrit: float  # percentage points, change


class Parameters(NamedTuple):
    HDL_androgen_exponent: float  # 1
    HDL_androgen_offset: float  # ng/dL
    HDL_fat_exponent: float  # 1
    LDL_estradiol_effect: float  # 1, share gained without estradiol, as the other estradiol effects
    LDL_androgen_effect: float  # 1, share gained without androgen
    LDL_fat_exponent: float  # 1
    triglycerides_estradiol_effect: float  # 1
    triglycerides_fat_exponent: float  # 1
    glucose_estradiol_effect: float  # 1
    glucose_fat_exponent: float  # 1
    insulin_sensitivity_androgen_effect: float  # 1, share lost without androgen
    insulin_sensitivity_estradiol_effect: float  # 1
    insulin_sensitivity_fat_exponent: float  # 1
    muscle_fat_estradiol_effect: float  # 1
    muscle_fat_fat_exponent: float  # 1
    CRP_estradiol_effect: float  # 1
    CRP_fat_exponent: float  # 1
    fat_androgen_effect: float  # kg gained without androgen
    fat_estradiol_effect: float  # kg gained without estradiol
    fat_estradiol_half: float  # pg/mL
    fat_estradiol_steepness: float  # 1
    fat_mass_minimum: float  # kg
    lean_androgen_effect: float  # kg between no androgen and plenty
    lean_androgen_half: float  # ng/dL
    flow_mediated_dilation_estradiol_slope: float  # 1, share per unit of ln estradiol, at rest
    flow_mediated_dilation_estradiol_limit: float  # 1, share
    flow_mediated_dilation_fat_exponent: float  # 1
    hematocrit_androgen_effect: float  # percentage points between no androgen and plenty
    hematocrit_androgen_half: float  # ng/dL
    PSA_without_androgen: float  # 1, over PSA with plenty
    PSA_androgen_half: float  # ng/dL
    PSA_androgen_steepness: float  # 1
    PSA_fat_exponent: float  # 1, below 0: more plasma dilutes it
    androgen_half: float  # ng/dL, for fat mass and insulin action
    androgen_steepness: float  # 1
    estradiol_offset: float  # pg/mL
    estradiol_lack_half: float  # 1, how soon the effect of lacking estradiol saturates
    estradiol_lack_width: float  # 1, how smoothly it begins below his own level
    fat_reference: float  # kg, of the people whose loss of weight gave the exponents of fat
    hormone_floor: float  # ng/dL and pg/mL
    lipid_time: float  # h
    insulin_time: float  # h, also glucose and fat in muscle
    inflammation_time: float  # h
    PSA_time: float  # h
    fat_time: float  # h
    lean_time: float  # h
    vessel_time: float  # h
    hematocrit_time: float  # h


class Setpoints(NamedTuple):
    """What is a man's own: his hormones at rest and the values that go with them."""

    androgen: float  # ng/dL at rest
    estradiol: float  # pg/mL at rest
    HDL: float  # mg/dL
    LDL: float  # mg/dL
    triglycerides: float  # mg/dL
    glucose: float  # mg/dL
    CRP: float  # mg/L
    flow_mediated_dilation: float  # %
    hematocrit: float  # %
    PSA: float  # ng/mL
    fat_mass: float  # kg
    lean_mass: float  # kg
    fat_scale: float  # kg, his own fat or the reference, whichever is more; changes of fat count relative to it


class Signals(NamedTuple):
    androgen: float  # ng/dL
    estradiol: float  # pg/mL, total, LC-MS/MS scale
    fat_mass: float  # 1, over his own at day 0, as a change of weight makes it


def over_own(now, own, offset):
    """A hormone over his own at rest, (x + o) / (x0 + o): stays above 0 without any hormone."""
    return (now + offset) / (own + offset)


def relative_fat(setpoints: Setpoints, s: Signals):
    """Fat over that at day 0 as outcomes see it: a lean man's kilogram counts as one of the people in the trials."""
    return (setpoints.fat_scale + setpoints.fat_mass * (s.fat_mass - 1)) / setpoints.fat_scale


def lack_of_estradiol(ratio, p: Parameters):
    """How much of the effect of having no estradiol is there: L (1 + h) / (L + h) of L = 1 - ratio, about 0 above rest.

    L is positive(1 - ratio, w) - w, written so that it is exactly 0 at rest. Source: the bound is assumed.
    """
    missing, width = 1 - ratio, p.estradiol_lack_width
    lack = (missing + missing * missing / ((missing * missing + 4 * width * width) ** 0.5 + 2 * width)) / 2
    return lack * (1 + p.estradiol_lack_half) / (lack + p.estradiol_lack_half)


def missing_androgen(androgen, p: Parameters):
    """How much of the effect of having no androgen is there, 0 to 1."""
    return shortfall(positive(androgen, p.hormone_floor), p.androgen_half, p.androgen_steepness)


def hormonal_fat(androgen, estradiol, p: Parameters):
    """Fat mass (kg) over that of a man with plenty of both hormones."""
    missing = shortfall(positive(estradiol, p.hormone_floor), p.fat_estradiol_half, p.fat_estradiol_steepness)
    return p.fat_androgen_effect * missing_androgen(androgen, p) + p.fat_estradiol_effect * missing


def androgen_gain(androgen, own, effect, half, p: Parameters):
    """What androgen adds to lean mass (kg) or hematocrit (percentage points): rises with every dose that was tried."""
    now, before = (hill(positive(x, p.hormone_floor), half, 1) for x in (androgen, own))
    return effect * (now - before)


def prostate_drive(androgen, p: Parameters):
    """PSA over that with plenty of androgen: saturates below normal androgen."""
    driven = hill(positive(androgen, p.hormone_floor), p.PSA_androgen_half, p.PSA_androgen_steepness)
    return p.PSA_without_androgen + (1 - p.PSA_without_androgen) * driven


def vessel_change(ratio, p: Parameters):
    """Change of dilation by estradiol as a share of his own: B (x^n - 1) / (x^n + 1) with n = 2 s / B.

    It has the slope s per unit of ln x at rest, like a logarithm, and stays within its limit B on either side.
    """
    limit = p.flow_mediated_dilation_estradiol_limit
    power = ratio ** (2 * p.flow_mediated_dilation_estradiol_slope / limit)
    return limit * (power - 1) / (power + 1)


def targets(setpoints: Setpoints, p: Parameters, s: Signals) -> State:
    """Where everything settles at these hormones and this fat mass, as a state."""
    e = over_own(s.estradiol, setpoints.estradiol, p.estradiol_offset)
    a = over_own(s.androgen, setpoints.androgen, p.HDL_androgen_offset)
    lack, fat = lack_of_estradiol(e, p), relative_fat(setpoints, s)
    missing, before = missing_androgen(s.androgen, p), missing_androgen(setpoints.androgen, p)
    LDL_gain = 1 + p.LDL_androgen_effect * (missing - before)
    return State(
        HDL=a ** (-p.HDL_androgen_exponent) * fat**p.HDL_fat_exponent,
        LDL=(1 + p.LDL_estradiol_effect * lack) * LDL_gain * fat**p.LDL_fat_exponent,
        triglycerides=(1 + p.triglycerides_estradiol_effect * lack) * fat**p.triglycerides_fat_exponent,
        glucose=(1 + p.glucose_estradiol_effect * lack) * fat**p.glucose_fat_exponent,
        insulin_sensitivity=(
            (1 - p.insulin_sensitivity_androgen_effect * missing)
            / (1 - p.insulin_sensitivity_androgen_effect * before)
            * (1 + p.insulin_sensitivity_estradiol_effect * lack)
            * fat**p.insulin_sensitivity_fat_exponent
        ),
        muscle_fat=(1 + p.muscle_fat_estradiol_effect * lack) * fat**p.muscle_fat_fat_exponent,
        CRP=(1 + p.CRP_estradiol_effect * lack) * fat**p.CRP_fat_exponent,
        PSA=prostate_drive(s.androgen, p) / prostate_drive(setpoints.androgen, p) * fat**p.PSA_fat_exponent,
        fat=hormonal_fat(s.androgen, s.estradiol, p) - hormonal_fat(setpoints.androgen, setpoints.estradiol, p),
        lean=androgen_gain(s.androgen, setpoints.androgen, p.lean_androgen_effect, p.lean_androgen_half, p),
        flow_mediated_dilation=(1 + vessel_change(e, p)) * fat**p.flow_mediated_dilation_fat_exponent,
        hematocrit=androgen_gain(
            s.androgen, setpoints.androgen, p.hematocrit_androgen_effect, p.hematocrit_androgen_half, p
        ),
    )


def times(p: Parameters) -> State:
    """The time constant (h) of each part of the state, in its order."""
    lipids, insulin = p.lipid_time, p.insulin_time
    slow = (p.fat_time, p.lean_time, p.vessel_time, p.hematocrit_time)
    return State(lipids, lipids, lipids, insulin, insulin, insulin, p.inflammation_time, p.PSA_time, *slow)


def derivatives(state: State, setpoints: Setpoints, p: Parameters, s: Signals) -> State:
    """Rates of change per hour.

    dX/dt = + production (target(A, E, fat) / tau) - loss (X / tau), for every X of the state

    A androgen in ng/dL, E estradiol in pg/mL, fat relative to day 0; tau the outcome's own time constant. Targets:
    powers of fat, bounded shares for missing hormones, differences of saturating curves for what is a change.
    A coefficient of 0 says that trials saw no effect.
    Source: this project's fit to castration, testosterone and inhibitor trials, and published trials of weight loss.
    """
    parts = zip(targets(setpoints, p, s), state, times(p), strict=True)
    return State(*(+target / time - loss(now, 1 / time) for target, now, time in parts))


def at_rest(setpoints: Setpoints) -> State:
    """State in which every derivative is zero: his own value of everything."""
    return State(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0)


def referenced(setpoints: Setpoints, state: State, measured: Mapping[str, Any]) -> Setpoints:
    """His own values moved so that at ``state`` and unchanged weight what was measured comes out exactly.

    Whatever is in ``measured`` (numbers or arrays over men) and not of this system is left alone.
    """
    own = {name: measured[name] / getattr(state, name) for name in RELATIVE if name in measured}
    own |= {name: measured[name] - getattr(state, change) for name, change in ADDED.items() if name in measured}
    moved = setpoints._replace(**own)
    return moved._replace(fat_scale=np.maximum(moved.fat_scale, moved.fat_mass))


def at_least(value, lowest):
    """``value``, or ``lowest`` where it is below it; for reported values only, as it has a corner."""
    above = value - lowest
    return lowest + (above + abs(above)) / 2


def HDL(state: State, setpoints: Setpoints):
    """HDL cholesterol, mg/dL."""
    return setpoints.HDL * state.HDL


def LDL(state: State, setpoints: Setpoints):
    """LDL cholesterol, mg/dL."""
    return setpoints.LDL * state.LDL


def triglycerides(state: State, setpoints: Setpoints):
    """Fasting triglycerides, mg/dL."""
    return setpoints.triglycerides * state.triglycerides


def total_cholesterol(state: State, setpoints: Setpoints):
    """Total cholesterol, mg/dL: LDL + HDL + triglycerides / 5 (Friedewald; poor above triglycerides of 400)."""
    return LDL(state, setpoints) + HDL(state, setpoints) + triglycerides(state, setpoints) / 5


def glucose(state: State, setpoints: Setpoints):
    """Fasting glucose, mg/dL."""
    return setpoints.glucose * state.glucose


def insulin_sensitivity(state: State, setpoints: Setpoints):
    """Insulin sensitivity, 1 at his own rest."""
    return state.insulin_sensitivity


def muscle_fat(state: State, setpoints: Setpoints):
    """Fat within muscle, 1 at his own rest."""
    return state.muscle_fat


def CRP(state: State, setpoints: Setpoints):
    """C-reactive protein, mg/L."""
    return setpoints.CRP * state.CRP


def flow_mediated_dilation(state: State, setpoints: Setpoints):
    """Flow-mediated dilation of the brachial artery, %; never below 0."""
    return at_least(setpoints.flow_mediated_dilation * state.flow_mediated_dilation, 0.0)


def hematocrit(state: State, setpoints: Setpoints):
    """Hematocrit, %."""
    return setpoints.hematocrit + state.hematocrit


def PSA(state: State, setpoints: Setpoints):
    """Prostate-specific antigen, ng/mL."""
    return setpoints.PSA * state.PSA


def fat_mass(state: State, setpoints: Setpoints, p: Parameters, s: Signals):
    """Fat mass, kg: his own as weight change leaves it, and the change by hormones; never below what a man needs."""
    return at_least(setpoints.fat_mass * s.fat_mass + state.fat, p.fat_mass_minimum)


def lean_mass(state: State, setpoints: Setpoints, lean_change_kg=0.0):
    """Lean mass, kg, with the lean part of a change of weight."""
    return setpoints.lean_mass + state.lean + lean_change_kg
