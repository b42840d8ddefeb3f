"""The names of the quantities that leydig speaks about, their canonical units and the accepted spellings.

This is the table behind ``units``: it holds definitions of units, no physiology. The canonical unit is the one of
the trajectory format; a quantity that is not listed here can be neither read nor written.
"""

from __future__ import annotations

from typing import NamedTuple

# Molar masses in g/mol, from the molecular formulas: C19H28O2, C18H24O2, C18H22O2, C19H30O2 for the steroids,
# C27H46O for cholesterol, C57H104O6 (triolein) for triglycerides, C6H12O6 for glucose.
MOLAR_MASS = {
    "testosterone": 288.42,
    "estradiol": 272.38,
    "estrone": 270.37,
    "dihydrotestosterone": 290.44,
    "cholesterol": 386.65,
    "triglycerides": 885.4,
    "glucose": 180.16,
}

# Accepted spellings by family, each with the expression that the unit library understands. Case and spaces do not
# matter when a spelling is looked up; µ is read as u and mcg as ug.
_MASS_PER_VOLUME = (
    "pg/mL",
    "ng/L",
    "pg/dL",
    "ng/dL",
    "ng/mL",
    "ug/L",
    "ug/dL",
    "ug/mL",
    "mg/L",
    "mg/dL",
    "g/dL",
    "g/L",
)
_MOLAR = ("pmol/L", "nmol/L", "umol/L", "mmol/L", "pmol/mL", "nmol/mL")
SPELLINGS: dict[str, dict[str, str]] = {
    "mass concentration": {unit: unit for unit in _MASS_PER_VOLUME},
    "molar concentration": {unit: unit for unit in _MOLAR} | {"nM": "nmol/L", "pM": "pmol/L"},
    "steroid": {unit: unit for unit in _MASS_PER_VOLUME + _MOLAR},
    "activity": {
        "IU/L": "activity/L",
        "mIU/mL": "milliactivity/mL",
        "U/L": "activity/L",
        "mU/mL": "milliactivity/mL",
        "IU/mL": "activity/mL",
        "mIU/L": "milliactivity/L",
    },
    "cells per volume": {
        "10^6/mL": "megacell/mL",
        "million/mL": "megacell/mL",
        "millions/mL": "megacell/mL",
        "M/mL": "megacell/mL",
        "x10^6/mL": "megacell/mL",
        "10**6/mL": "megacell/mL",
        "10^9/L": "gigacell/L",
        "1/mL": "cell/mL",
    },
    "cells": {
        "10^6": "megacell",
        "million": "megacell",
        "millions": "megacell",
        "M": "megacell",
        "x10^6": "megacell",
        "10**6": "megacell",
        "1": "cell",
    },
    "volume": {"mL": "mL", "L": "L", "uL": "uL", "cm3": "cm**3"},
    "percent": {"%": "percent", "percent": "percent", "1": "one", "fraction": "one"},
    "percent only": {"%": "percent", "percent": "percent"},
    "fraction": {"1": "one", "": "one", "fraction": "one", "%": "percent"},
    "number": {"1": "one", "": "one", "ratio": "one"},
    "score": {"1": "one", "": "one", "SD": "one", "points": "one"},
    "mass per area": {"g/cm2": "g/cm**2", "g/cm^2": "g/cm**2", "mg/cm2": "mg/cm**2", "mg/cm^2": "mg/cm**2"},
    "mass": {"kg": "kg", "g": "g", "lb": "lb"},
    "length": {"cm": "cm", "m": "m", "in": "inch", "mm": "mm"},
    "body mass index": {"kg/m2": "kg/m**2", "kg/m^2": "kg/m**2"},
    "time": {
        unit: expression
        for expression, spellings in {
            "second": ("s", "second", "seconds"),
            "minute": ("min", "minute", "minutes"),
            "hour": ("h", "hour", "hours"),
            "day": ("d", "day", "days"),
            "week": ("wk", "week", "weeks"),
            "month": ("month", "months"),
            "year": ("y", "yr", "year", "years"),
        }.items()
        for unit in spellings
    },
    "dose": {"ug": "ug", "mg": "mg", "g": "g"},
    "dose in activity": {"IU": "activity"},
    "telopeptide in serum": {"nmol BCE/L": "nmol/L", "nM BCE": "nmol/L"},
    "telopeptide in urine": {"nmol BCE/mmol creatinine": "nmol/mmol", "nmol BCE/mmol": "nmol/mmol"},
}


_DRUGS = (
    *("anastrozole", "letrozole", "exemestane", "testolactone", "ketoconazole"),
    *("enclomiphene", "zuclomiphene", "degarelix", "leuprolide", "goserelin"),
)


class Quantity(NamedTuple):
    """What is known about one quantity's unit."""

    unit: str  # canonical, spelled as in the output
    family: str  # which spellings are accepted
    molar_mass: float | None = None  # g/mol, where both mass and molar concentrations are accepted


def _table() -> dict[str, Quantity]:
    """Every quantity by name: the output's own names first, then what only input files name."""
    t, e2 = MOLAR_MASS["testosterone"], MOLAR_MASS["estradiol"]
    cholesterol = Quantity("mg/dL", "steroid", MOLAR_MASS["cholesterol"])
    drug = Quantity("ng/mL", "mass concentration")
    activity, cells = Quantity("IU/L", "activity"), Quantity("10^6", "cells")
    percent, number, score = Quantity("%", "percent"), Quantity("1", "number"), Quantity("1", "score")
    probability, bmd = Quantity("1", "fraction"), Quantity("g/cm2", "mass per area")
    probabilities = ("hot_flush", "low_mood", "fatigue", "anxiety", "joint_pain")
    return {
        "testosterone": Quantity("ng/dL", "steroid", t),
        "free_testosterone": Quantity("pg/mL", "steroid", t),
        "bioavailable_testosterone": Quantity("ng/dL", "steroid", t),
        "estradiol": Quantity("pg/mL", "steroid", e2),
        "free_estradiol": Quantity("pg/mL", "steroid", e2),
        "estrone": Quantity("pg/mL", "steroid", MOLAR_MASS["estrone"]),
        "dihydrotestosterone": Quantity("ng/dL", "steroid", MOLAR_MASS["dihydrotestosterone"]),
        "testosterone_estradiol_ratio": number,
        **dict.fromkeys(("LH", "FSH", "hCG", "FSH_given"), activity),
        "inhibin_B": Quantity("pg/mL", "mass concentration"),
        "SHBG": Quantity("nmol/L", "molar concentration"),
        "intratesticular_testosterone": Quantity("nmol/L", "steroid", t),
        **dict.fromkeys(_DRUGS, drug),
        "sperm_concentration": Quantity("10^6/mL", "cells per volume"),
        "semen_volume": Quantity("mL", "volume"),
        **dict.fromkeys(("total_motility", "progressive_motility", "normal_morphology", "vitality"), percent),
        **dict.fromkeys(("total_sperm_count", "total_motile_sperm_count"), cells),
        **dict.fromkeys(("conception_probability", "cumulative_conception_probability"), probability),
        **dict.fromkeys(("bmd_spine", "bmd_hip", "bmd_femoral_neck", "bmd_forearm"), bmd),
        **dict.fromkeys(("bmd_spine_change", "bmd_hip_change"), Quantity("%", "percent only")),
        **dict.fromkeys(("t_score_spine", "t_score_hip", "z_score_spine", "z_score_hip"), score),
        "CTX": Quantity("pg/mL", "mass concentration"),
        "P1NP": Quantity("ug/L", "mass concentration"),
        "NTX": Quantity("nmol BCE/L", "telopeptide in serum"),
        "urinary_NTX": Quantity("nmol BCE/mmol creatinine", "telopeptide in urine"),
        **dict.fromkeys(("osteocalcin", "bone_alkaline_phosphatase"), Quantity("ug/L", "mass concentration")),
        "fracture_risk_10y": probability,
        **dict.fromkeys(("LDL", "HDL", "total_cholesterol"), cholesterol),
        "triglycerides": Quantity("mg/dL", "steroid", MOLAR_MASS["triglycerides"]),
        "glucose": Quantity("mg/dL", "steroid", MOLAR_MASS["glucose"]),
        **dict.fromkeys(("fat_mass", "lean_mass", "weight"), Quantity("kg", "mass")),
        **dict.fromkeys(("insulin_sensitivity", "muscle_fat", "cognition_score"), number),
        "CRP": Quantity("mg/L", "mass concentration"),
        **dict.fromkeys(("flow_mediated_dilation", "hematocrit", "body_fat"), percent),
        **dict.fromkeys(("desire_score", "erectile_function_score"), score),
        **{f"{name}_probability": probability for name in probabilities},
        "PSA": Quantity("ng/mL", "mass concentration"),
        "albumin": Quantity("g/dL", "mass concentration"),
        "testis_volume": Quantity("mL", "volume"),
        "height": Quantity("cm", "length"),
        "BMI": Quantity("kg/m2", "body mass index"),
        "age": Quantity("year", "time"),
        "abstinence": Quantity("d", "time"),
        "duration": Quantity("d", "time"),
        "dose": Quantity("mg", "dose"),
        "dose_in_activity": Quantity("IU", "dose in activity"),
    }


QUANTITIES = _table()
CANONICAL: dict[str, str] = {name: quantity.unit for name, quantity in QUANTITIES.items()}

# What a parameter's unit is made of, with * / and whole powers (``cm^2``); each with the library's expression.
ATOMS: dict[str, str] = {
    **{
        unit: unit
        for unit in ("L", "mL", "dL", "pg", "ng", "ug", "mg", "g", "kg", "pmol", "nmol", "umol", "mmol", "mol")
    },
    **{"1": "one", "%": "percent", "s": "second", "min": "minute", "h": "hour", "d": "day", "week": "week"},
    **{"month": "month", "year": "year", "cm": "cm", "m": "meter", "cm2": "cm**2", "m2": "meter**2", "cm3": "cm**3"},
    **{"IU": "activity", "mIU": "milliactivity", "10^6": "megacell", "cell": "cell"},
}
