"""Reference men for tests: baselines inside the plausible range."""

from leydig.baseline import Baseline

YOUNG = Baseline(
    age=30, fat_mass=16, testosterone=450, estradiol=24, LH=4.2, FSH=4.0, SHBG=33, inhibin_B=170,
    sperm_concentration=70, semen_volume=3.2, total_motility=62, normal_morphology=9, bmd_spine=1.05, bmd_hip=1.02,
    CTX=330, P1NP=55, lean_mass=60, HDL=48, LDL=115, triglycerides=100, glucose=92, CRP=1.0,
    flow_mediated_dilation=7, hematocrit=45, PSA=0.8, desire_score=75, erectile_function_score=88, sensitivity=1.0,
)  # fmt: skip
OLDER = YOUNG._replace(
    age=68, fat_mass=26, testosterone=330, estradiol=18, LH=5.1, FSH=6.8, SHBG=42, inhibin_B=130, CTX=220, P1NP=38
)
OBESE = YOUNG._replace(
    age=42, fat_mass=48, lean_mass=72, testosterone=190, estradiol=26, LH=3.6, SHBG=18, sperm_concentration=45
)
MEN = {"young": YOUNG, "older": OLDER, "obese": OBESE}
