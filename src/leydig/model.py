"""The whole man: joins the organ systems and the drugs into one set of equations.

Systems see each other only through the named signals assembled here. ``baseline`` turns a man's measured
values into the capacities (``Man``) with which these equations rest exactly there.
"""

from functools import cache
from typing import NamedTuple

from leydig import exposure
from leydig import parameters as parameter_files
from leydig.engine.trace import Traced, trace
from leydig.pharmacology import aromatase_enzyme, effects, gnrh_receptor, letrozole
from leydig.physiology import (
    body,
    bone,
    cardiometabolic,
    hypothalamus_pituitary,
    spermatogenesis,
    steroids,
    testis,
    wellbeing,
)


class State(NamedTuple):
    axis: hypothalamus_pituitary.State
    testis: testis.State
    steroids: steroids.State
    spermatogenesis: spermatogenesis.State
    bone: bone.State
    cardiometabolic: cardiometabolic.State
    wellbeing: wellbeing.State
    letrozole: letrozole.State
    aromatase_enzyme: aromatase_enzyme.State
    gnrh_receptor: gnrh_receptor.State


class Parameters(NamedTuple):
    """What is shared by all men; drawn as one when uncertainty of the fit is shown."""

    axis: hypothalamus_pituitary.Parameters
    testis: testis.Parameters
    steroids: steroids.Parameters
    spermatogenesis: spermatogenesis.Parameters
    body: body.Parameters
    bone: bone.Parameters
    cardiometabolic: cardiometabolic.Parameters
    wellbeing: wellbeing.Parameters
    effects: effects.Parameters
    letrozole: letrozole.Parameters
    aromatase_enzyme: aromatase_enzyme.Parameters
    gnrh_receptor: gnrh_receptor.Parameters


class Man(NamedTuple):
    """What is a man's own."""

    axis: hypothalamus_pituitary.Setpoints
    testis: testis.Capacity
    steroids: steroids.Capacity
    spermatogenesis: spermatogenesis.Capacity
    body: body.Setpoints
    bone: bone.Setpoints
    cardiometabolic: cardiometabolic.Setpoints
    wellbeing: wellbeing.Setpoints


class Individual(NamedTuple):
    """One man with the parameters that hold for him: what the equations need besides inputs."""

    man: Man
    parameters: Parameters


class Inputs(NamedTuple):
    """What comes from outside, as functions of time; the defaults are a man left alone."""

    anastrozole: float = 0.0  # ng/mL
    letrozole_absorption: float = 0.0  # ng/mL/h
    exemestane: float = 0.0  # ng/mL
    testolactone: float = 0.0  # ng/mL
    ketoconazole: float = 0.0  # ug/mL
    enclomiphene: float = 0.0  # ng/mL
    zuclomiphene: float = 0.0  # ng/mL
    testosterone_input: float = 0.0  # nmol/h
    dihydrotestosterone_input: float = 0.0  # nmol/h
    estradiol_input: float = 0.0  # nmol/h
    hCG: float = 0.0  # IU/L
    FSH_given: float = 0.0  # IU/L
    degarelix: float = 0.0  # ng/mL
    leuprolide: float = 0.0  # ng/mL
    goserelin: float = 0.0  # ng/mL
    weight_change: float = 0.0  # 1, of body weight at day 0
    resorption_drive: float = 1.0  # 1
    age: float = 0.0  # years; every caller sets it


def concentrations(state: State, inputs: Inputs) -> effects.Concentrations:
    """Drugs in plasma, whether an input or a state."""
    return effects.Concentrations(
        anastrozole=inputs.anastrozole,
        letrozole=state.letrozole.central,
        ketoconazole=inputs.ketoconazole,
        degarelix=inputs.degarelix,
        exemestane=inputs.exemestane,
        testolactone=inputs.testolactone,
        enclomiphene=inputs.enclomiphene,
        zuclomiphene=inputs.zuclomiphene,
    )


def derivatives(state: State, individual: Individual, inputs: Inputs) -> State:
    """Rates of change per hour of the whole man: each system with the signals it is given."""
    man, p = individual
    blood = state.steroids
    drug = concentrations(state, inputs)
    load = effects.inhibitor_load(drug, p.effects)
    synthesis = effects.steroidogenesis(drug, p.effects)
    agonist = gnrh_receptor.occupancy(inputs.leuprolide, inputs.goserelin, p.gnrh_receptor)
    FSH = state.axis.FSH + inputs.FSH_given
    testosterone_in_testis = state.testis.intratesticular_testosterone
    relative_in_testis = testosterone_in_testis / man.testis.intratesticular_testosterone
    fat_mass = body.relative_fat(inputs.weight_change, man.body, p.body)
    androgen = exposure.androgen(blood, p.steroids)
    estradiol = exposure.estradiol(blood.free_estradiol, blood, man.steroids, p.steroids)
    estrogen_seen = effects.estrogen_seen(blood.free_estradiol, man.axis.estrogen, drug, p.effects)
    estradiol_in_brain = exposure.estradiol(estrogen_seen, blood, man.steroids, p.steroids)
    half = p.steroids.testicular_aromatase_half
    return State(
        axis=hypothalamus_pituitary.derivatives(
            state.axis,
            man.axis,
            p.axis,
            hypothalamus_pituitary.Signals(
                androgen=steroids.androgen(blood.free_testosterone, blood.free_dihydrotestosterone, p.steroids),
                estrogen=estrogen_seen,
                inhibin_B=state.testis.inhibin_B,
                gnrh_action=effects.gnrh_action(drug, p.effects)
                * gnrh_receptor.action(state.gnrh_receptor, agonist, p.gnrh_receptor),
                fat_mass=fat_mass,
            ),
        ),
        testis=testis.derivatives(
            state.testis,
            man.testis,
            p.testis,
            testis.Signals(LH=state.axis.LH, FSH=FSH, hCG=inputs.hCG, steroidogenesis=synthesis),
        ),
        steroids=steroids.derivatives(
            blood,
            man.steroids,
            p.steroids,
            steroids.Signals(
                testicular_testosterone=relative_in_testis,
                adrenal=synthesis,
                testosterone_input=inputs.testosterone_input,
                dihydrotestosterone_input=inputs.dihydrotestosterone_input,
                estradiol_input=inputs.estradiol_input,
                adipose_inhibition=effects.inhibition(load, 1.0, p.effects),
                lean_inhibition=effects.inhibition(load, p.effects.lean_resistance, p.effects),
                testicular_inhibition=effects.inhibition(load, p.effects.testicular_resistance, p.effects),
                peripheral_enzyme=state.aromatase_enzyme.peripheral,
                testicular_enzyme=state.aromatase_enzyme.testicular,
                fat_mass=fat_mass,
            ),
        ),
        spermatogenesis=spermatogenesis.derivatives(
            state.spermatogenesis,
            man.spermatogenesis,
            p.spermatogenesis,
            spermatogenesis.Signals(FSH=FSH, intratesticular_testosterone=testosterone_in_testis),
        ),
        bone=bone.derivatives(
            state.bone,
            man.bone,
            p.bone,
            bone.Signals(
                estradiol=estradiol,
                androgen=androgen,
                age=inputs.age,
                resorption_drive=inputs.resorption_drive,
            ),
        ),
        cardiometabolic=cardiometabolic.derivatives(
            state.cardiometabolic,
            man.cardiometabolic,
            p.cardiometabolic,
            cardiometabolic.Signals(androgen=androgen, estradiol=estradiol, fat_mass=fat_mass),
        ),
        wellbeing=wellbeing.derivatives(
            state.wellbeing,
            man.wellbeing,
            p.wellbeing,
            wellbeing.Signals(androgen=androgen, estradiol=estradiol_in_brain, fat_mass=fat_mass),
        ),
        letrozole=letrozole.derivatives(state.letrozole, p.letrozole, inputs.letrozole_absorption),
        aromatase_enzyme=aromatase_enzyme.derivatives(
            state.aromatase_enzyme, p.aromatase_enzyme, drug, protection=(half + relative_in_testis) / half
        ),
        gnrh_receptor=gnrh_receptor.derivatives(state.gnrh_receptor, p.gnrh_receptor, agonist),
    )


def at_rest(man: Man, p: Parameters) -> State:
    """The untreated, intact man's state: every hormone derivative is zero."""
    return State(
        axis=hypothalamus_pituitary.at_rest(man.axis),
        testis=testis.at_rest(man.testis),
        steroids=steroids.State(
            free_testosterone=man.steroids.free_testosterone,
            tissue_testosterone=man.steroids.free_testosterone,
            free_dihydrotestosterone=man.steroids.free_dihydrotestosterone,
            estrone=man.steroids.estrone,
            free_estradiol=man.steroids.free_estradiol,
            SHBG=man.steroids.SHBG,
        ),
        spermatogenesis=spermatogenesis.at_rest(
            man.spermatogenesis,
            p.spermatogenesis,
            spermatogenesis.Signals(man.axis.FSH, man.testis.intratesticular_testosterone),
        ),
        bone=bone.at_rest(man.bone),
        cardiometabolic=cardiometabolic.at_rest(man.cardiometabolic),
        wellbeing=wellbeing.at_rest(man.wellbeing, p.wellbeing),
        letrozole=letrozole.at_rest(),
        aromatase_enzyme=aromatase_enzyme.at_rest(),
        gnrh_receptor=gnrh_receptor.at_rest(),
    )


SYSTEMS = {
    "axis": hypothalamus_pituitary,
    "testis": testis,
    "steroids": steroids,
    "spermatogenesis": spermatogenesis,
    "body": body,
    "bone": bone,
    "cardiometabolic": cardiometabolic,
    "wellbeing": wellbeing,
    "effects": effects,
    "letrozole": letrozole,
    "aromatase_enzyme": aromatase_enzyme,
    "gnrh_receptor": gnrh_receptor,
}


@cache
def load_parameters() -> Parameters:
    """The shared parameters as the data files give them."""
    return Parameters(**{name: parameter_files.record(m.Parameters, name) for name, m in SYSTEMS.items()})


@cache
def traced() -> Traced:
    """Straight-line code of the whole man (generated once, cached)."""
    return trace(derivatives, State, Individual, Inputs)
