"""Heart and metabolism: rest, directions, limits, plateaus against closed forms, and published sizes."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from leydig import grading, parameters
from leydig.physiology import cardiometabolic as system
from leydig.physiology.arithmetic import positive

# Numbers of this file stand on the centres of the priors, so that a refit does not move them.
P = parameters.record(system.Parameters, "cardiometabolic", fitted=False)
MAN = system.Setpoints(
    androgen=450.0,
    estradiol=24.0,
    HDL=47.0,
    LDL=120.0,
    triglycerides=120.0,
    glucose=92.0,
    CRP=1.5,
    flow_mediated_dilation=6.0,
    hematocrit=45.0,
    PSA=0.8,
    fat_mass=20.0,
    lean_mass=60.0,
    fat_scale=P.fat_reference,
)
OBESE = MAN._replace(fat_mass=50.3, fat_scale=50.3)  # the fat of the men and women in a feeding trial
REST = system.Signals(MAN.androgen, MAN.estradiol, 1.0)
CASTRATE = system.Signals(15.0, 3.0, 1.0)
NO_HORMONES = system.Signals(0.0, 0.0, 1.0)
RELATIVE = (*system.State._fields[:8], "flow_mediated_dilation")

hormone = st.floats(min_value=0.0, max_value=3000.0)
own = st.floats(min_value=0.1, max_value=300.0)
men = st.builds(system.Setpoints, *([hormone] * 2 + [own] * 11)).map(
    lambda man: man._replace(fat_scale=max(man.fat_scale, man.fat_mass))
)
scale = st.floats(min_value=0.5, max_value=2.0)


def scaled(factor: float) -> system.Parameters:
    """Every parameter moved by a factor; the share of PSA stays below 1."""
    return system.Parameters(*(value * factor for value in P))


@given(man=men, factor=scale)
def test_rest_is_exact_for_any_man_and_parameters(man, factor):
    rates = system.derivatives(
        system.at_rest(man), man, scaled(factor), system.Signals(man.androgen, man.estradiol, 1.0)
    )
    assert set(rates) == {0.0}


@given(man=men, androgen=hormone, estradiol=hormone, fat=st.floats(min_value=0.2, max_value=3.0), factor=scale)
def test_targets_are_finite_and_what_is_relative_stays_positive(man, androgen, estradiol, fat, factor):
    reached = system.targets(man, scaled(factor), system.Signals(androgen, estradiol, fat))
    assert all(math.isfinite(value) for value in reached)
    assert all(getattr(reached, name) > 0 for name in RELATIVE)


def test_equations_run_on_symbols_and_arrays():
    names = [f"{record.__name__}_{name}" for record in (system.State, system.Signals) for name in record._fields]
    symbols = sympy.symbols(names, positive=True)
    state, signals = system.State(*symbols[:12]), system.Signals(*symbols[12:])
    traced = system.derivatives(state, MAN, P, signals)
    values = dict(zip(symbols, (*system.at_rest(MAN)[:8], 1.0, -1.0, 0.9, 2.0, *CASTRATE), strict=True))
    plain = system.derivatives(system.State(*list(values.values())[:12]), MAN, P, CASTRATE)
    for symbolic, number in zip(traced, plain, strict=True):
        assert float(symbolic.subs(values)) == pytest.approx(float(number), rel=1e-12, abs=1e-18)
    many = system.targets(MAN, P, system.Signals(np.array([450.0, 15.0]), np.array([24.0, 3.0]), np.ones(2)))
    assert many.HDL[0] == 1.0 and many.HDL[1] == system.targets(MAN, P, CASTRATE).HDL


def settled(man, p, signals, years=8.0):
    """The state after years at these signals, by a solver that knows nothing of the closed form."""

    def rates(_, y):
        return np.array(system.derivatives(system.State(*y), man, p, signals))

    solution = solve_ivp(rates, (0, years * 8766), system.at_rest(man), method="LSODA", rtol=1e-9, atol=1e-12)
    return system.State(*solution.y[:, -1])


@pytest.mark.parametrize("signals", [CASTRATE, NO_HORMONES, system.Signals(1400.0, 60.0, 0.8), REST])
def test_integration_ends_at_the_target(signals):
    expected = system.targets(MAN, P, signals)
    np.testing.assert_allclose(settled(MAN, P, signals), expected, rtol=1e-6, atol=1e-6)


def test_time_courses_are_exponential():
    """A year at castrate level against (1 - exp(-t / tau)) of the way, for every part of the state."""
    reached = settled(MAN, P, CASTRATE, years=1.0)
    target, rest = system.targets(MAN, P, CASTRATE), system.at_rest(MAN)
    for name in system.State._fields:
        begin, end, time = (getattr(each, name) for each in (rest, target, system.times(P)))
        assert getattr(reached, name) == pytest.approx(end + (begin - end) * math.exp(-8766 / time), rel=1e-6, abs=1e-7)


def test_plateaus_against_closed_forms():
    reached = system.targets(MAN, P, CASTRATE)
    assert pytest.approx((550 / 115) ** P.HDL_androgen_exponent) == reached.HDL
    missing = [1 / (1 + (a / 150) ** 2) for a in (450, 15)]
    short = [1 / (1 + (e / 10) ** 3) for e in (24, 3)]
    fat = P.fat_androgen_effect * (missing[1] - missing[0]) + P.fat_estradiol_effect * (short[1] - short[0])
    assert reached.fat == pytest.approx(fat)
    effect = P.insulin_sensitivity_androgen_effect
    assert reached.insulin_sensitivity == pytest.approx((1 - effect * missing[1]) / (1 - effect * missing[0]))
    assert reached.hematocrit == pytest.approx(10 * (15 / 615 - 450 / 1050))
    assert reached.lean == pytest.approx(P.lean_androgen_effect * (15 / 1015 - 450 / 1450))
    assert pytest.approx((1 - 0.8 / (1 + 0.15**2)) / (1 - 0.8 / (1 + 4.5**2)), rel=1e-6) == reached.PSA
    slope, limit = P.flow_mediated_dilation_estradiol_slope, P.flow_mediated_dilation_estradiol_limit
    assert reached.flow_mediated_dilation == pytest.approx(1 + limit * math.tanh(slope / limit * math.log(5 / 26)))


def test_lack_of_estradiol_is_bounded_one_sided_and_smooth():
    assert system.lack_of_estradiol(1.0, P) == 0.0
    assert system.lack_of_estradiol(0.0, P) == pytest.approx(1, abs=0.005)
    width = P.estradiol_lack_width
    for ratio in (0.0, 0.3, 0.59, 0.99, 1.0, 1.01, 2.5, 30.0):
        short = positive(1 - ratio, width) - width
        expected = short * 1.3 / (short + 0.3)
        assert system.lack_of_estradiol(ratio, P) == pytest.approx(expected, abs=1e-12)
        assert ratio < 1 or -0.025 < system.lack_of_estradiol(ratio, P) <= 0
    ratios = np.linspace(0, 3, 3001)
    assert np.all(np.diff(system.lack_of_estradiol(ratios, P)) < 0)
    trials = [system.over_own(share * 24, 24, P.estradiol_offset) for share in (0.6, 0.4)]
    assert [system.lack_of_estradiol(x, P) for x in trials] == pytest.approx([0.71, 0.84], abs=0.01)


@given(man=men, change=st.floats(min_value=-1, max_value=3))
def test_a_kilogram_of_fat_counts_against_the_scale(man, change):
    seen = system.relative_fat(man, system.Signals(man.androgen, man.estradiol, 1 + change))
    assert seen == pytest.approx(1 + man.fat_mass * change / man.fat_scale, abs=1e-12)


def test_weight_change_stays_sensible_in_lean_and_obese_men():
    """78 % of the change of weight is fat; the lean man weighs 75 kg with 12 kg of fat, the obese one 120 kg."""
    lean = MAN._replace(fat_mass=12.0)

    def sensitivity(man, kilograms):
        fat = max(1 + 0.78 * kilograms / man.fat_mass, 0.1)
        return system.targets(man, P, REST._replace(fat_mass=fat)).insulin_sensitivity

    assert sensitivity(OBESE, -12) == pytest.approx(1.5, abs=0.1)
    assert 1.3 < sensitivity(lean, -15) < 2.3
    assert 0.4 < sensitivity(lean, 22.5) < 0.6


def test_dilation_has_the_slope_of_a_logarithm_at_rest_and_a_limit():
    step = 1e-6
    up, down = (system.vessel_change(math.exp(x), P) for x in (step, -step))
    assert (up - down) / (2 * step) == pytest.approx(P.flow_mediated_dilation_estradiol_slope, rel=1e-6)
    limit = P.flow_mediated_dilation_estradiol_limit
    assert system.vessel_change(0.0, P) == -limit and system.vessel_change(1e6, P) == pytest.approx(limit)


@given(low=hormone, high=hormone)
def test_androgen_has_its_directions(low, high):
    low, high = sorted((low, high))
    few, much = (system.targets(MAN, P, REST._replace(androgen=a)) for a in (low, high))
    for name in ("lean", "hematocrit", "PSA", "insulin_sensitivity"):
        assert getattr(few, name) <= getattr(much, name) + 1e-12
    for name in ("HDL", "fat"):
        assert getattr(few, name) >= getattr(much, name) - 1e-12
    for name in ("LDL", "triglycerides", "glucose", "muscle_fat", "CRP", "flow_mediated_dilation"):
        assert getattr(few, name) == getattr(much, name)


def test_estradiol_moves_by_default_only_vessel_and_fat():
    low = system.targets(MAN, P, REST._replace(estradiol=2.0))
    moved = {name for name, now, rest in zip(low._fields, low, system.at_rest(MAN), strict=True) if now != rest}
    assert moved == {"flow_mediated_dilation", "fat"}
    assert low.flow_mediated_dilation < 1 and low.fat > 0


def test_weight_loss_has_its_directions():
    lean = system.targets(MAN, P, REST._replace(fat_mass=0.8))
    assert max(lean.LDL, lean.triglycerides, lean.glucose, lean.CRP) < 1
    assert min(lean.HDL, lean.insulin_sensitivity, lean.PSA, lean.flow_mediated_dilation) > 1
    assert (lean.fat, lean.lean, lean.hematocrit, lean.muscle_fat) == (0, 0, 0, 1)


def with_alternative(name: str) -> system.Parameters:
    """The parameters with one finding switched on instead of the default."""
    change = {dotted.partition(".")[2]: value for dotted, value in grading.alternatives()[name].set.items()}
    return P._replace(**change)


@pytest.mark.parametrize(
    ("name", "signals", "quantity", "reported"),
    [
        # A GnRH agonist: LDL about 130 to 151 mg/dL at testosterone below 100 ng/dL.
        ("castration-raises-LDL", REST._replace(androgen=50.0), "LDL", 1.16),
        # Letrozole in young men: estradiol -41 %; sensitivity as the reciprocal of fasting insulin at -37 %.
        ("estradiol-lowers-LDL", REST._replace(estradiol=0.59 * 24), "LDL", 1.14),
        ("inhibitor-improves-insulin-sensitivity", REST._replace(estradiol=0.59 * 24), "glucose", 0.93),
        ("inhibitor-improves-insulin-sensitivity", REST._replace(estradiol=0.59 * 24), "insulin_sensitivity", 1.59),
        # Anastrozole and a clamp: 59.9 over 102.0 pmol/L.
        ("estradiol-keeps-insulin-sensitivity", REST._replace(estradiol=0.587 * 24), "insulin_sensitivity", 0.86),
        # Anastrozole in older men, 26 to 17 pg/mL; the size is assumed.
        ("triglycerides-follow-estradiol", REST._replace(estradiol=17 / 26 * 24), "triglycerides", 0.98),
        # Surgery: BMI -47 %, fat to about 28 %.
        ("weight-loss-lowers-muscle-fat", REST._replace(fat_mass=0.28), "muscle_fat", 0.70),
    ],
)
def test_alternatives_give_the_finding_they_name(name, signals, quantity, reported):
    found = getattr(system.targets(OBESE, with_alternative(name), signals), quantity)
    assert found == pytest.approx(reported, abs=0.02)


LOW_MAN = MAN._replace(androgen=330.0, estradiol=19.0)
EXPOSURES = {
    "anastrozole": (600.0, 5.0),
    "castrate": (15.0, 3.0),
    "agonadal": (15.0, 3.0),
    "no aromatase": (700.0, 0.0),
    "peak of a testosterone ester": (1200.0, 60.0),
    "clomiphene": (650.0, 35.0),
}
ALTERNATIVES = [name for name, a in grading.alternatives().items() if any(k.startswith("cardio") for k in a.set)]


@pytest.mark.parametrize("exposure", EXPOSURES)
@pytest.mark.parametrize("alternative", [None, *ALTERNATIVES])
def test_plateaus_stay_within_what_men_show(alternative, exposure):
    """Far outside the trials too: no finding may be extrapolated to sizes that no man has shown."""
    p = with_alternative(alternative) if alternative else P
    reached = system.targets(LOW_MAN, p, system.Signals(*EXPOSURES[exposure], 1.0))
    assert 0.80 <= reached.LDL <= 1.25
    assert 0.85 <= reached.triglycerides <= 1.15
    assert 0.88 <= reached.glucose <= 1.12
    assert 0.6 <= reached.insulin_sensitivity <= 1.9
    assert -5 <= reached.fat <= 5
    assert reached.flow_mediated_dilation >= 0 and system.flow_mediated_dilation(reached, LOW_MAN) >= 0


def test_published_sizes_that_derived_parameters_must_give():
    """Weight loss in a feeding trial (fat 50.3 to 36.9 kg) and a month of castration on PSA."""
    thin = system.targets(OBESE, P, REST._replace(fat_mass=36.9 / 50.3))
    assert thin.glucose == pytest.approx(88.6 / 92.7, abs=0.02)
    assert thin.insulin_sensitivity == pytest.approx(18.3 * 92.7 / (9.5 * 88.6), abs=0.25)
    assert pytest.approx(3.14 / 4.69, abs=0.1) == thin.CRP
    month = 1 + (system.targets(MAN, P, CASTRATE).PSA - 1) * (1 - math.exp(-21 * 24 / P.PSA_time))
    assert 0.61 <= month <= 0.81  # -29 % (19 to 39), castrate for about three of the four weeks


def test_referenced_makes_what_was_measured_come_out():
    state = settled(MAN, P, CASTRATE)
    measured = {"HDL": 60.0, "LDL": 100.0, "triglycerides": 150.0, "glucose": 99.0, "CRP": 0.7, "PSA": 0.2}
    measured |= {"flow_mediated_dilation": 2.5, "hematocrit": 39.0, "fat_mass": 24.0, "lean_mass": 58.0}
    moved = system.referenced(MAN, state, measured | {"LH": 5.0})
    assert moved.androgen == MAN.androgen and moved.estradiol == MAN.estradiol
    for name, value in measured.items():
        if name not in {"fat_mass", "lean_mass"}:
            assert getattr(system, name)(state, moved) == pytest.approx(value)
    assert system.fat_mass(state, moved, P, CASTRATE) == pytest.approx(24.0)
    assert system.lean_mass(state, moved, -2.0) == pytest.approx(56.0)
    assert system.referenced(MAN, state, {}) == MAN
    again = system.targets(moved, P, CASTRATE)
    assert again.flow_mediated_dilation == pytest.approx(state.flow_mediated_dilation)  # no drift
    assert system.referenced(MAN, state, {"fat_mass": 90.0}).fat_scale > 80.0


def test_reported_values_keep_their_bounds():
    state = system.at_rest(MAN)._replace(flow_mediated_dilation=-0.1, fat=-30.0)
    assert system.flow_mediated_dilation(state, MAN) == 0.0
    assert system.fat_mass(state, MAN, P, REST) == P.fat_mass_minimum
    rest = system.at_rest(MAN)
    assert system.flow_mediated_dilation(rest, MAN) == MAN.flow_mediated_dilation
    assert system.fat_mass(rest, MAN, P, REST) == MAN.fat_mass
    assert system.total_cholesterol(rest, MAN) == 120 + 47 + 24
