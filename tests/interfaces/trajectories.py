"""Trajectories made from smooth curves, for tests of what is written and shown; no model runs here."""

import re
from typing import Any

import numpy as np

from leydig.engine.trajectory import Panel, Trajectory
from leydig.quantities import CANONICAL

START = {
    "testosterone": 343.0,
    "free_testosterone": 61.0,
    "bioavailable_testosterone": 99.0,
    "estradiol": 26.0,
    "LH": 5.1,
    "FSH": 6.4,
    "inhibin_B": 140.0,
    "SHBG": 44.0,
    "intratesticular_testosterone": 650.0,
    "sperm_concentration": 31.0,
    "semen_volume": 2.6,
    "total_motility": 45.0,
    "normal_morphology": 5.0,
    "total_motile_sperm_count": 36.3,
    "CTX": 310.0,
    "P1NP": 41.0,
    "bmd_spine": 1.021,
    "bmd_hip": 0.934,
    "t_score_spine": -0.36,
    "t_score_hip": -0.07,
    "z_score_spine": -0.33,
    "z_score_hip": -0.21,
    "fracture_risk_10y": 0.121,
    "LDL": 131.0,
    "HDL": 44.0,
    "total_cholesterol": 205.0,
    "triglycerides": 150.0,
    "glucose": 101.0,
    "insulin_sensitivity": 1.0,
    "fat_mass": 25.0,
    "lean_mass": 61.0,
    "muscle_fat": 1.0,
    "CRP": 1.9,
    "flow_mediated_dilation": 5.2,
    "hematocrit": 44.0,
    "PSA": 1.3,
    "desire_score": 62.0,
    "erectile_function_score": 66.0,
    "hot_flush_probability": 0.07,
    "low_mood_probability": 0.055,
    "fatigue_probability": 0.14,
    "anxiety_probability": 0.12,
    "joint_pain_probability": 0.3,
    "cognition_score": 1.0,
    "conception_probability": 0.031,
    "cumulative_conception_probability": 0.0,
}
ANALYTES = ("testosterone", "free_testosterone", "bioavailable_testosterone", "estradiol", "LH", "FSH", "SHBG")
# Fold of the start that is approached, and the days in which two thirds of the way are gone.
FOLD: dict[str, tuple[float, float]] = {
    "testosterone": (1.62, 9),
    "free_testosterone": (1.7, 9),
    "bioavailable_testosterone": (1.7, 9),
    "estradiol": (0.62, 4),
    "LH": (1.55, 6),
    "FSH": (1.6, 8),
    "sperm_concentration": (1.22, 80),
    "total_motile_sperm_count": (1.27, 80),
    "bmd_spine": (0.97, 500),
    "bmd_hip": (0.99, 500),
    "CTX": (1.18, 30),
    "HDL": (0.95, 60),
    "total_cholesterol": (0.99, 60),
    "insulin_sensitivity": (1.04, 60),
    "fat_mass": (0.97, 180),
    "lean_mass": (1.02, 120),
    "flow_mediated_dilation": (0.8, 14),
    "hematocrit": (1.04, 60),
    "PSA": (1.05, 45),
    "desire_score": (1.06, 21),
    "erectile_function_score": (1.03, 42),
    "hot_flush_probability": (1.6, 21),
    "conception_probability": (1.3, 80),
}
UNCERTAIN = ("anxiety_probability", "joint_pain_probability")  # bands that open though the value stays
PUBLISHED = (
    {"protocol": "anastrozole 1 mg daily for 12 weeks", "quantity": "testosterone", "day": 84, "value": 572,
     "unit": "ng/dL", "source": "leder2004"},
    {"protocol": "anastrozole 1 mg daily for 12 weeks", "quantity": "estradiol", "day": 84, "value": 17,
     "unit": "pg/mL", "source": "leder2004"},
    {"protocol": "anastrozole 1 mg daily for 12 weeks", "quantity": "LH", "day": 84, "value": 7.9,
     "unit": "IU/L", "source": "leder2004"},
    {"protocol": "anastrozole 1 mg twice weekly for 12 weeks", "quantity": "testosterone", "day": 84, "value": 520,
     "unit": "ng/dL", "source": "leder2004"},
)  # fmt: skip
SOURCES = (
    {"key": "leder2004", "reference": "Leder BZ. Aromatase inhibition. JCEM 89 (2004). doi 10.1210/jc.1. [abstract]",
     "verification": "abstract", "used_for": "published figures"},
    {"key": "own_fit", "reference": "Fit of this project, see https://example.org/fit. [own]",
     "verification": "own", "used_for": "fitted parameters"},
)  # fmt: skip


PARTNER = {"partner_age": 33, "man_age": 68, "months_trying": 14, "assumed": True}


def curve(name: str, days: np.ndarray, strength: float) -> np.ndarray:
    """A quantity that approaches its fold of the start; ``strength`` 1 is the whole way, 0 none."""
    if name == "cumulative_conception_probability":
        return 1 - (1 - START["conception_probability"] * (1 + 0.3 * strength)) ** (days / 28)
    fold, delay = FOLD.get(name, (1.0, 1.0))
    return START[name] * (1 + strength * (fold - 1) * (1 - np.exp(-days / delay)))


def panel(names: tuple[str, ...], days: np.ndarray, strength: float, width: float, change: dict[str, Any]) -> Panel:
    """Curves with bands of the relative half-width ``width`` that opens over time; none for width 0."""
    values = {name: np.asarray(change.get(name, curve(name, days, strength)), dtype=float) for name in names}
    units = {name: CANONICAL[name] for name in values}
    if not width:
        return Panel(units, values)
    opening = {name: (0.0005 if name.startswith("bmd") else width) * (1 - np.exp(-days / 20)) for name in values}
    lower = {name: series - abs(series) * opening[name] for name, series in values.items()}
    upper = {name: series + abs(series) * opening[name] for name, series in values.items()}
    return Panel(units, values, lower, upper)


def trajectory(
    protocol: str = "anastrozole 1 mg daily for 52 weeks",
    *,
    length: float = 364,
    strength: float = 1.0,
    width: float = 0.16,
    drug: float = 35.0,
    name: str = "older man",
    age: float = 68,
    change: dict[str, Any] | None = None,
    **fields: Any,
) -> Trajectory:
    """A plausible run; ``change`` replaces quantities by other series (arrays or one number for all days)."""
    days = np.arange(length + 1)
    change = {key: np.broadcast_to(value, days.shape) for key, value in (change or {}).items()}
    names = tuple(START)
    levels = {"anastrozole": drug * (1 - np.exp(-days / 3))} if drug else {}
    state = panel(names, days, strength, width, change)
    with_drug = Panel(
        {**state.units, **dict.fromkeys(levels, "ng/mL")},
        {**state.values, **levels},
        None if state.lower is None else {**state.lower, **{key: 0.6 * level for key, level in levels.items()}},
        None if state.upper is None else {**state.upper, **{key: 1.6 * level for key, level in levels.items()}},
    )
    subject = {
        "partner": dict(PARTNER),
        "name": name,
        "age": age,
        "condition": "ageing-low-testosterone",
        "BMI": 28.0,
        "fat_mass": 25.0,
        "baseline": {key: value for key, value in START.items() if key in ("testosterone", "estradiol", "LH")},
        "measured": {key: START[key] for key in ("testosterone", "estradiol", "LH")},
        "converted": ["LH 5.1 IU/L is used as printed"],
        "published": list(PUBLISHED),
        "laboratory": {"testosterone": "immunoassay, 08.50 h", "estradiol": "immunoassay, 08.50 h"},
    }
    given: dict[str, Any] = {
        "status": "done",
        "draws": 200 if width else 0,
        "seed": 7,
        "assumed": ("FSH, SHBG, semen and bone density were completed from men of his age, BMI and condition.",),
        "remarks": (),
        "sources": SOURCES,
        "digests": {"parameters": "1f0c", "equations": "77ab"},
    }
    laboratory = panel(ANALYTES, days, strength, width, {k: v for k, v in change.items() if k in ANALYTES})
    for part in (laboratory, with_drug):
        for held in (part.values, part.lower, part.upper):
            if held is not None:
                held["testosterone_estradiol_ratio"] = held["testosterone"] / held["estradiol"]
        part.units["testosterone_estradiol_ratio"] = "1"
    return Trajectory(subject, protocol, days.astype(float), with_drug, laboratory, **{**given, **fields})


TWICE = "anastrozole 1 mg twice weekly for 52 weeks"
NONE = "none for 52 weeks"


def three() -> list[Trajectory]:
    """Three protocols of one man."""
    return [trajectory(), trajectory(TWICE, strength=0.9, drug=12), trajectory(NONE, strength=0, drug=0)]


def text_of(html: str) -> str:
    """What a reader of a page sees, in one line."""
    body = re.sub(r"<(style|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())
