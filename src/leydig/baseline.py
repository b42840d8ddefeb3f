"""A man's baseline in the units people use, and the capacities that follow from it in closed form."""

from typing import NamedTuple

import numpy as np

from leydig import exposure
from leydig.model import Man, Parameters
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
from leydig.units import to_molar


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
    lean_mass: float  # kg, everything that is not fat
    HDL: float  # mg/dL
    LDL: float  # mg/dL
    triglycerides: float  # mg/dL
    glucose: float  # mg/dL, fasting
    CRP: float  # mg/L
    flow_mediated_dilation: float  # %
    hematocrit: float  # %
    PSA: float  # ng/mL
    desire_score: float  # 0 to 100
    erectile_function_score: float  # 0 to 100
    sensitivity: float  # 1, of germ cells to FSH and testosterone


class Lesion(NamedTuple):
    """What disease has taken (below 1) or given (aromatase excess: above 1)."""

    gnrh_outflow: float = 1.0
    leydig: float = 1.0
    sertoli: float = 1.0
    aromatase: float = 1.0


def personalise(baseline: Baseline, p: Parameters, lesion: Lesion | None = None) -> Man:
    """A man's hidden capacities from his baseline, in closed form.

    The reference man is intact and untreated: there every hormone derivative is zero. A lesion then
    scales what disease took; his diseased state follows from the equations. Every leaf of the arguments
    is a number or an array over men.
    """
    lesion = lesion or Lesion()
    s = p.steroids
    total = to_molar("testosterone", baseline.testosterone)
    free = steroids.free_testosterone(total, baseline.SHBG, s)
    estradiol = to_molar("estradiol", baseline.estradiol)
    free_estradiol = estradiol / steroids.total_estradiol(1.0, free, baseline.SHBG, s)
    free_DHT = exposure.free_dihydrotestosterone_at_rest(free, s)
    androgen = exposure.androgen_at_rest(free, s)
    reference_free = steroids.free_testosterone(s.reference_testosterone, s.reference_SHBG, s)
    reference_free_DHT = exposure.free_dihydrotestosterone_at_rest(reference_free, s)
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
    wanted = s.testicular_share * relative_free * scarce
    from_testis = np.minimum(np.maximum(wanted, s.testicular_share_low), s.testicular_share_high)
    by_estrone = s.estrone_share * np.minimum(scarce * tissue, s.estrone_share_limit)
    from_estrone = np.minimum(by_estrone, s.other_share_high - from_testis)
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
            free_clearance_dihydrotestosterone=(
                s.dihydrotestosterone_clearance * s.dihydrotestosterone_reference / reference_free_DHT
            ),
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
        body=body.Setpoints(fat_mass=baseline.fat_mass, lean_mass=baseline.lean_mass),
        bone=bone.Setpoints(
            estradiol=baseline.estradiol,
            androgen=androgen,
            bmd_spine=baseline.bmd_spine,
            bmd_hip=baseline.bmd_hip,
            CTX=baseline.CTX,
            P1NP=baseline.P1NP,
        ),
        cardiometabolic=cardiometabolic.Setpoints(
            androgen=androgen,
            estradiol=baseline.estradiol,
            HDL=baseline.HDL,
            LDL=baseline.LDL,
            triglycerides=baseline.triglycerides,
            glucose=baseline.glucose,
            CRP=baseline.CRP,
            flow_mediated_dilation=baseline.flow_mediated_dilation,
            hematocrit=baseline.hematocrit,
            PSA=baseline.PSA,
            fat_mass=baseline.fat_mass,
            fat_scale=np.maximum(baseline.fat_mass, p.cardiometabolic.fat_reference),
            lean_mass=baseline.lean_mass,
        ),
        wellbeing=wellbeing.Setpoints(
            androgen=androgen,
            estradiol=baseline.estradiol,
            desire_score=baseline.desire_score,
            erectile_function_score=baseline.erectile_function_score,
        ),
    )
