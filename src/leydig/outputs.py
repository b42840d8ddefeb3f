"""From states to the quantities that people name, in their canonical units; arithmetic on arrays over time."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from leydig import exposure, model
from leydig import parameters as parameter_files
from leydig.engine.trace import build
from leydig.physiology import body, bone, cardiometabolic, spermatogenesis, steroids, wellbeing
from leydig.physiology.arithmetic import positive
from leydig.population_prior import density_reference
from leydig.units import from_molar

# Drugs whose level is a quantity, where they are given.
DRUGS = (
    "anastrozole",
    "letrozole",
    "exemestane",
    "testolactone",
    "ketoconazole",
    "enclomiphene",
    "zuclomiphene",
    "hCG",
    "FSH_given",
    "degarelix",
    "leuprolide",
    "goserelin",
)


NOISE = 1e-12  # of a drug's highest level, below which it is rounding


class Reporting(NamedTuple):
    """Constants of what is shown, not of the man."""

    estradiol_floor: float  # pg/mL, smallest estradiol that the T/E2 ratio divides by
    testosterone_floor: float  # nmol/L, smallest free testosterone that a share is taken of


@cache
def reporting() -> Reporting:
    return parameter_files.record(Reporting, "reporting")


@cache
def bone_reference() -> bone.Reference:
    return parameter_files.record(bone.Reference, "bone_reference")


def quantities(
    states: np.ndarray, individual: model.Individual, inputs: np.ndarray, *, every_drug: bool = False
) -> dict[str, np.ndarray]:
    """Named quantities over time, of one man or of many.

    ``states`` (times, n states), ``inputs`` (channels, times) as ``model.Inputs`` orders them; of many men (times,
    men, n states), (channels, times, men) and an individual whose leaves are arrays (men,).
    Returns arrays (times,) or (times, men) in the units of ``units.CANONICAL``; ``relative_NTX`` is relative to the
    man at rest. Levels of drugs that are not there at all are left out, unless ``every_drug``.
    """
    state: model.State = build(model.State, np.moveaxis(states, -1, 0))
    man, p = individual
    u = model.Inputs(*inputs)
    blood, s = state.steroids, p.steroids
    free = blood.free_testosterone
    more_DHT = blood.free_dihydrotestosterone - man.steroids.free_dihydrotestosterone
    testosterone = from_molar("testosterone", steroids.total_testosterone(free, blood.SHBG, s, more_DHT))
    estradiol = exposure.estradiol(blood.free_estradiol, blood, man.steroids, s)
    androgen = exposure.androgen(blood, s)
    DHT = steroids.total_dihydrotestosterone(blood.free_dihydrotestosterone, free, blood.SHBG, s, more_DHT)
    germ = man.spermatogenesis
    concentration = spermatogenesis.concentration(state.spermatogenesis, germ)
    motility = spermatogenesis.motility(state.spermatogenesis, germ, p.spermatogenesis)
    volume = np.full_like(free, germ.volume)
    reference = bone_reference()
    t_spine, t_hip = bone.t_scores(state.bone.bmd_spine, state.bone.bmd_hip, reference)
    z_spine = bone.z_score(state.bone.bmd_spine, *density_reference("bmd_spine", u.age))
    z_hip = bone.z_score(state.bone.bmd_hip, *density_reference("bmd_hip", u.age))
    return {
        "testosterone": testosterone,
        "free_testosterone": from_molar("free_testosterone", free),
        "bioavailable_testosterone": from_molar(
            "bioavailable_testosterone", steroids.bioavailable_testosterone(free, s)
        ),
        "estradiol": estradiol,
        "free_estradiol": from_molar("free_estradiol", blood.free_estradiol),
        "estrone": from_molar("estrone", blood.estrone),
        "dihydrotestosterone": from_molar("dihydrotestosterone", DHT),
        "testosterone_estradiol_ratio": testosterone / positive(estradiol, reporting().estradiol_floor),
        "LH": state.axis.LH,
        "FSH": state.axis.FSH + u.FSH_given,
        "inhibin_B": state.testis.inhibin_B,
        "SHBG": blood.SHBG,
        "intratesticular_testosterone": state.testis.intratesticular_testosterone,
        "sperm_concentration": concentration,
        "semen_volume": volume,
        "total_sperm_count": volume * concentration,
        "total_motility": motility,
        "normal_morphology": spermatogenesis.morphology(state.spermatogenesis, germ, p.spermatogenesis),
        "total_motile_sperm_count": volume * concentration * motility / 100,
        "CTX": bone.CTX(state.bone, man.bone),
        "P1NP": bone.P1NP(state.bone, estradiol, androgen, man.bone, p.bone),
        "relative_NTX": bone.NTX(state.bone, p.bone),
        "own_testosterone_share": own_testosterone_share(state, man),
        "bmd_spine": state.bone.bmd_spine,
        "bmd_hip": state.bone.bmd_hip,
        "t_score_spine": t_spine,
        "t_score_hip": t_hip,
        "z_score_spine": z_spine,
        "z_score_hip": z_hip,
        "fracture_risk_10y": bone.fracture_risk(z_hip, u.age, estradiol, reference),
        **heart_and_metabolism(state.cardiometabolic, individual, u, androgen, estradiol),
        **feelings(state.wellbeing, individual),
        **drug_levels(state, u, every_drug=every_drug),
    }


def heart_and_metabolism(
    state: cardiometabolic.State,
    individual: model.Individual,
    u: model.Inputs,
    androgen: np.ndarray,
    estradiol: np.ndarray,
) -> dict[str, np.ndarray]:
    """Lipids, sugar, body composition, vessel, blood count and prostate."""
    own, p = individual.man, individual.parameters
    exposures: tuple[Any, ...] = (androgen, estradiol, body.relative_fat(u.weight_change, own.body, p.body))
    seen = cardiometabolic.Signals(*exposures)
    lean_change = body.lean_change(u.weight_change, own.body, p.body)
    man = own.cardiometabolic
    return {
        "HDL": cardiometabolic.HDL(state, man),
        "LDL": cardiometabolic.LDL(state, man),
        "total_cholesterol": cardiometabolic.total_cholesterol(state, man),
        "triglycerides": cardiometabolic.triglycerides(state, man),
        "glucose": cardiometabolic.glucose(state, man),
        "insulin_sensitivity": cardiometabolic.insulin_sensitivity(state, man),
        "fat_mass": cardiometabolic.fat_mass(state, man, p.cardiometabolic, seen),
        "lean_mass": cardiometabolic.lean_mass(state, man, lean_change),
        "muscle_fat": cardiometabolic.muscle_fat(state, man),
        "CRP": cardiometabolic.CRP(state, man),
        "flow_mediated_dilation": cardiometabolic.flow_mediated_dilation(state, man),
        "hematocrit": cardiometabolic.hematocrit(state, man),
        "PSA": cardiometabolic.PSA(state, man),
    }


def feelings(state: wellbeing.State, individual: model.Individual) -> dict[str, np.ndarray]:
    """Desire, erection, symptoms, cognition."""
    man, p = individual.man.wellbeing, individual.parameters.wellbeing
    return {
        "desire_score": wellbeing.desire_score(state, man, p),
        "erectile_function_score": wellbeing.erectile_function_score(state, man, p),
        "hot_flush_probability": wellbeing.hot_flush_probability(state, p),
        "low_mood_probability": wellbeing.low_mood_probability(state, p),
        "fatigue_probability": wellbeing.fatigue_probability(state, p),
        "anxiety_probability": wellbeing.anxiety_probability(state, p),
        "joint_pain_probability": wellbeing.joint_pain_probability(state, p),
        "cognition_score": wellbeing.cognition_score(state),
    }


def own_testosterone_share(state: model.State, man: model.Man) -> np.ndarray:
    """Share of the testosterone in blood that his own testes make, 0 to 1; the daily rhythm is theirs."""
    made = state.testis.intratesticular_testosterone / man.testis.intratesticular_testosterone
    own = made * man.steroids.free_testosterone
    return np.clip(own / positive(state.steroids.free_testosterone, reporting().testosterone_floor), 0.0, 1.0)


def drug_levels(state: model.State, u: model.Inputs, *, every_drug: bool = False) -> Mapping[str, np.ndarray]:
    """Levels by name, over time along the first axis, of the drugs that are there at all or of every drug."""
    levels: dict[str, Any] = {
        **{name: getattr(u, name) for name in DRUGS if name in u._fields},
        "letrozole": state.letrozole.central,
        "ketoconazole": 1000 * u.ketoconazole,  # ug/mL to ng/mL
    }
    # sums of exponentials leave rounding of either sign where there is none; each man by his own highest level
    clean = {
        name: np.where(level > NOISE * level.max(axis=0, initial=0.0), level, 0.0) for name, level in levels.items()
    }
    return {name: level for name, level in clean.items() if every_drug or np.any(level > 0)}
