"""The whole man: joins the organ systems and the drugs into one set of equations.

Systems see each other only through the named signals assembled here. ``personalise`` turns a man's
baseline into his hidden capacities in closed form, so that untreated he rests exactly there.
"""

from functools import cache
from typing import NamedTuple

from leydig import parameters as parameter_files
from leydig.engine.trace import Traced, trace
from leydig.pharmacology import effects, letrozole
from leydig.physiology import bone, hypothalamus_pituitary, spermatogenesis, steroids, testis
from leydig.units import from_molar, to_molar


class State(NamedTuple):
    axis: hypothalamus_pituitary.State
    testis: testis.State
    steroids: steroids.State
    spermatogenesis: spermatogenesis.State
    bone: bone.State
    letrozole: letrozole.State


class Parameters(NamedTuple):
    """What is shared by all men; drawn as one when uncertainty of the fit is shown."""

    axis: hypothalamus_pituitary.Parameters
    testis: testis.Parameters
    steroids: steroids.Parameters
    spermatogenesis: spermatogenesis.Parameters
    bone: bone.Parameters
    effects: effects.Parameters
    letrozole: letrozole.Parameters


class Man(NamedTuple):
    """What is a man's own."""

    axis: hypothalamus_pituitary.Setpoints
    testis: testis.Capacity
    steroids: steroids.Capacity
    spermatogenesis: spermatogenesis.Capacity
    bone: bone.Setpoints


class Individual(NamedTuple):
    """One man with the parameters that hold for him: what the equations need besides inputs."""

    man: Man
    parameters: Parameters


class Inputs(NamedTuple):
    """What comes from outside, as functions of time; the defaults are a man left alone."""

    anastrozole: float = 0.0  # ng/mL
    letrozole_absorption: float = 0.0  # ng/mL/h
    testosterone_input: float = 0.0  # nmol/h
    estradiol_input: float = 0.0  # nmol/h
    degarelix: float = 0.0  # ng/mL
    ketoconazole: float = 0.0  # ug/mL
    hCG: float = 0.0  # IU/L
    FSH_given: float = 0.0  # IU/L
    fat_mass: float = 1.0  # 1, relative to baseline
    resorption_drive: float = 1.0  # 1
    age: float = 0.0  # years; every caller sets it


class Baseline(NamedTuple):
    """An untreated, intact reference man, in the units people use (state scale: 24-hour mean, LC-MS/MS)."""

    age: float  # years
    fat_mass: float  # kg
    testosterone: float  # ng/dL
    estradiol: float  # pg/mL
    LH: float  # IU/L
    FSH: float  # IU/L
    SHBG: float  # nmol/L
    inhibin_B: float  # pg/mL
    sperm_concentration: float  # 10^6/mL
    semen_volume: float  # mL
    total_motility: float  # %
    normal_morphology: float  # %
    bmd_spine: float  # g/cm2
    bmd_hip: float  # g/cm2
    CTX: float  # pg/mL
    P1NP: float  # ug/L
    sensitivity: float  # 1, of germ cells to FSH and testosterone


class Lesion(NamedTuple):
    """What disease has taken (below 1) or given (aromatase excess: above 1)."""

    gnrh_outflow: float = 1.0
    leydig: float = 1.0
    sertoli: float = 1.0
    aromatase: float = 1.0


def androgen_in_bone(androgen, p: steroids.Parameters):
    """Androgen as ng/dL of total testosterone in a man with reference SHBG; DHT counts by its potency."""
    reference = steroids.free_testosterone(p.reference_testosterone, p.reference_SHBG, p)
    reference_DHT = free_dihydrotestosterone_at_rest(reference, p)
    scale = p.reference_testosterone / steroids.androgen(reference, reference_DHT, p)
    return from_molar("testosterone", androgen * scale)


def free_dihydrotestosterone_at_rest(free_testosterone, p: steroids.Parameters):
    """Free DHT (nmol/L) of a man at rest: the reference man's, moved by saturable reduction of his own T."""
    reference = steroids.free_testosterone(p.reference_testosterone, p.reference_SHBG, p)
    per_free = steroids.total_dihydrotestosterone(1.0, reference, p.reference_SHBG, p)
    own = free_testosterone / (p.reduction_half + free_testosterone)
    return p.dihydrotestosterone_reference / per_free * own * (p.reduction_half + reference) / reference


def derivatives(state: State, individual: Individual, inputs: Inputs) -> State:
    """Rates of change per hour of the whole man: each system with the signals it is given."""
    man, p = individual
    free = state.steroids.free_testosterone
    androgen = steroids.androgen(free, state.steroids.free_dihydrotestosterone, p.steroids)
    drug = effects.Concentrations(inputs.anastrozole, state.letrozole.central, inputs.ketoconazole, inputs.degarelix)
    load = effects.inhibitor_load(drug, p.effects)
    synthesis = effects.steroidogenesis(drug, p.effects)
    FSH = state.axis.FSH + inputs.FSH_given
    testosterone_in_testis = state.testis.intratesticular_testosterone
    return State(
        axis=hypothalamus_pituitary.derivatives(
            state.axis,
            man.axis,
            p.axis,
            hypothalamus_pituitary.Signals(
                androgen=androgen,
                estrogen=state.steroids.free_estradiol,
                inhibin_B=state.testis.inhibin_B,
                gnrh_action=effects.gnrh_action(drug, p.effects),
                fat_mass=inputs.fat_mass,
            ),
        ),
        testis=testis.derivatives(
            state.testis,
            man.testis,
            p.testis,
            testis.Signals(LH=state.axis.LH, FSH=FSH, hCG=inputs.hCG, steroidogenesis=synthesis),
        ),
        steroids=steroids.derivatives(
            state.steroids,
            man.steroids,
            p.steroids,
            steroids.Signals(
                testicular_testosterone=testosterone_in_testis / man.testis.intratesticular_testosterone,
                adrenal=synthesis,
                testosterone_input=inputs.testosterone_input,
                estradiol_input=inputs.estradiol_input,
                adipose_inhibition=effects.inhibition(load, 1.0, p.effects),
                lean_inhibition=effects.inhibition(load, p.effects.lean_resistance, p.effects),
                testicular_inhibition=effects.inhibition(load, p.effects.testicular_resistance, p.effects),
                fat_mass=inputs.fat_mass,
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
                estradiol=total_estradiol(state, p),
                androgen=androgen_in_bone(androgen, p.steroids),
                age=inputs.age,
                resorption_drive=inputs.resorption_drive,
            ),
        ),
        letrozole=letrozole.derivatives(state.letrozole, p.letrozole, inputs.letrozole_absorption),
    )


def total_estradiol(state: State, p: Parameters):
    """Total estradiol, pg/mL."""
    s = state.steroids
    total = steroids.total_estradiol(s.free_estradiol, s.free_testosterone, s.SHBG, p.steroids)
    return from_molar("estradiol", total)


def personalise(baseline: Baseline, p: Parameters, lesion: Lesion | None = None) -> Man:
    """A man's hidden capacities from his baseline, in closed form.

    The reference man is intact and untreated: there every hormone derivative is zero. A lesion then
    scales what disease took; his diseased state follows from the equations.
    """
    lesion = lesion or Lesion()
    s = p.steroids
    total = to_molar("testosterone", baseline.testosterone)
    free = steroids.free_testosterone(total, baseline.SHBG, s)
    estradiol = to_molar("estradiol", baseline.estradiol)
    free_estradiol = estradiol / steroids.total_estradiol(1.0, free, baseline.SHBG, s)
    free_DHT = free_dihydrotestosterone_at_rest(free, s)
    reference_free = steroids.free_testosterone(s.reference_testosterone, s.reference_SHBG, s)
    reference_free_estradiol = s.reference_estradiol / steroids.total_estradiol(
        1.0, reference_free, s.reference_SHBG, s
    )
    relative_free = free / reference_free
    testosterone_in_testis = p.spermatogenesis.normal_intratesticular_testosterone * relative_free

    # the estrone route makes an amount that follows aromatising tissue, the testis one that follows his
    # testosterone; what is left of his estradiol is his own aromatase outside the testis
    scarce = s.reference_estradiol / estradiol
    tissue = steroids.aromatising_tissue(baseline.fat_mass, s)
    in_fat = steroids.adipose_fraction(baseline.fat_mass, s)
    from_testis = min(max(s.testicular_share * relative_free * scarce, s.testicular_share_low), s.testicular_share_high)
    from_estrone = min(s.estrone_share * min(scarce * tissue, s.estrone_share_limit), s.other_share_high - from_testis)
    peripheral = 1 - from_testis - from_estrone

    resting = spermatogenesis.Signals(FSH=baseline.FSH, intratesticular_testosterone=testosterone_in_testis)
    germ = spermatogenesis.Capacity(baseline.sensitivity, 0, 1, 0, 0, 0, 1)
    output = spermatogenesis.at_rest(germ, p.spermatogenesis, resting).ducts_3
    return Man(
        axis=hypothalamus_pituitary.Setpoints(
            androgen=steroids.androgen(free, free_DHT, s),
            estrogen=free_estradiol,
            LH=baseline.LH,
            FSH=baseline.FSH,
            inhibin_B=baseline.inhibin_B,
            gnrh_outflow=lesion.gnrh_outflow,
        ),
        testis=testis.Capacity(
            LH=baseline.LH,
            FSH=baseline.FSH,
            inhibin_B=baseline.inhibin_B,
            intratesticular_testosterone=testosterone_in_testis,
            in_use=testis.capacity_in_use(free, reference_free, baseline.age, baseline.LH, p.testis),
            leydig=lesion.leydig,
            sertoli=lesion.sertoli,
        ),
        steroids=steroids.Capacity(
            free_testosterone=free,
            free_dihydrotestosterone=free_DHT,
            estrone=s.estrone_reference * tissue,
            free_estradiol=free_estradiol,
            SHBG=baseline.SHBG,
            adipose_fraction=in_fat,
            adipose_aromatase=peripheral * in_fat,
            lean_aromatase=peripheral * (1 - in_fat),
            estrone_route=from_estrone,
            testicular_aromatase=from_testis,
            aromatase=lesion.aromatase,
            free_clearance_testosterone=s.testosterone_clearance * s.reference_testosterone / reference_free,
            free_clearance_estradiol=s.estradiol_clearance * s.reference_estradiol / reference_free_estradiol,
        ),
        spermatogenesis=spermatogenesis.Capacity(
            sensitivity=baseline.sensitivity,
            ceiling=baseline.sperm_concentration / output,
            sertoli=lesion.sertoli,
            volume=baseline.semen_volume,
            motility=baseline.total_motility,
            morphology=baseline.normal_morphology,
            output=output,
        ),
        bone=bone.Setpoints(
            estradiol=baseline.estradiol,
            androgen=androgen_in_bone(steroids.androgen(free, free_DHT, s), s),
            bmd_spine=baseline.bmd_spine,
            bmd_hip=baseline.bmd_hip,
            CTX=baseline.CTX,
            P1NP=baseline.P1NP,
        ),
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
        letrozole=letrozole.at_rest(),
    )


SYSTEMS = {
    "axis": hypothalamus_pituitary,
    "testis": testis,
    "steroids": steroids,
    "spermatogenesis": spermatogenesis,
    "bone": bone,
    "effects": effects,
    "letrozole": letrozole,
}


@cache
def load_parameters() -> Parameters:
    """The shared parameters as the data files give them."""
    return Parameters(**{name: parameter_files.record(m.Parameters, name) for name, m in SYSTEMS.items()})


@cache
def traced() -> Traced:
    """Straight-line code of the whole man (generated once, cached)."""
    return trace(derivatives, State, Individual, Inputs)
