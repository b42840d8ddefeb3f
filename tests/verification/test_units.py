"""Units: known conversions, round trips, and refusals that name what is allowed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leydig import units
from leydig.errors import InputError
from leydig.quantities import ATOMS, SPELLINGS

PAIRS = [(quantity, unit) for quantity in units.CANONICAL for unit in units.accepted(quantity)]
STEROIDS = sorted(units.MOLAR)


@pytest.mark.parametrize(
    ("text", "quantity", "canonical"),
    [
        ("343 ng/dL", "testosterone", 343.0),
        ("343ng/dl", "testosterone", 343.0),
        ("3.43 ng/mL", "testosterone", 343.0),
        ("10 nmol/L", "testosterone", 288.42),
        ("100 pmol/L", "estradiol", 27.238),
        ("26 ng/L", "estradiol", 26.0),
        ("0.2 nmol/L", "free_testosterone", 57.684),
        ("9 10^6/mL", "sperm_concentration", 9.0),
        ("9 ×10⁶/mL", "sperm_concentration", 9.0),
        ("15 million/mL", "sperm_concentration", 15.0),
        ("3.1 mL", "semen_volume", 3.1),
        ("38 %", "total_motility", 38.0),
        ("38%", "total_motility", 38.0),
        ("5.1 mIU/mL", "LH", 5.1),
        ("1.12 g/cm²", "bmd_spine", 1.12),
        ("1120 mg/cm2", "bmd_spine", 1.12),
        ("0.35 ng/mL", "CTX", 350.0),
        ("50 µg/L", "P1NP", 50.0),
        ("50 mcg/L", "P1NP", 50.0),
        ("5 mmol/L", "glucose", 90.08),
        ("1.76 m", "height", 176.0),
        ("12 weeks", "duration", 84.0),
        ("-1.5", "t_score_spine", -1.5),
        ("5 %", "conception_probability", 0.05),
        (10.5, "testosterone_estradiol_ratio", 10.5),
    ],
)
def test_known_conversions(text, quantity, canonical):
    assert units.parse(text, quantity) == pytest.approx(canonical, rel=1e-12)


@given(st.sampled_from(PAIRS), st.floats(min_value=-1e9, max_value=1e9, allow_subnormal=False))
def test_every_accepted_unit_makes_the_round_trip(pair, value):
    quantity, unit = pair
    there = units.to_canonical(quantity, value, unit)
    assert math.isfinite(there)
    assert units.from_canonical(quantity, there, unit) == pytest.approx(value, rel=1e-12, abs=1e-300)


@given(st.sampled_from(PAIRS), st.floats(min_value=1e-6, max_value=1e6))
def test_text_means_the_same_as_number_and_unit(pair, value):
    quantity, unit = pair
    assert units.parse(f"{value!r} {unit}", quantity) == units.to_canonical(quantity, value, unit)


@given(st.sampled_from(STEROIDS), st.floats(min_value=1e-6, max_value=1e6))
def test_molar_units_of_the_equations_agree_with_the_edge(quantity, value):
    molar = units.to_molar(quantity, value)
    assert molar == pytest.approx(units.from_canonical(quantity, value, units.MOLAR[quantity]), rel=1e-12)
    assert units.from_molar(quantity, molar) == pytest.approx(value, rel=1e-12)


def test_the_equations_hold_androgens_in_nanomoles_and_estrogens_in_picomoles():
    assert units.MOLAR["testosterone"] == units.MOLAR["dihydrotestosterone"] == "nmol/L"
    assert units.MOLAR["intratesticular_testosterone"] == units.MOLAR["free_testosterone"] == "nmol/L"
    assert units.MOLAR["estradiol"] == units.MOLAR["estrone"] == units.MOLAR["free_estradiol"] == "pmol/L"


def test_every_quantity_accepts_its_own_unit_unchanged():
    for quantity, unit in units.CANONICAL.items():
        assert units.to_canonical(quantity, 1.25, unit) == 1.25


def test_spellings_stay_apart_when_case_and_spaces_are_ignored():
    for family, spellings in SPELLINGS.items():
        folded: dict[str, set[str]] = {}
        for spelling, expression in spellings.items():
            folded.setdefault(units._fold(spelling), set()).add(expression)
        assert all(len(expressions) == 1 for expressions in folded.values()), family


def test_every_atom_of_a_parameter_unit_is_a_real_unit():
    registry = units.registry_of_units()
    for expression in ATOMS.values():
        registry(expression)


@pytest.mark.parametrize("unit", ["1", "1/h", "nmol/L/h", "L/h/kg", "h^-1", "g/cm2", "10^6/mL", "%/year", "cm^2"])
def test_parameter_units_that_are_known(unit):
    assert units.check_unit(unit) == unit


@pytest.mark.parametrize("unit", ["", "furlong", "nmol//L", "ng/dl", "1/h ", "h^x", "(1/h)", "__import__('os')", None])
def test_parameter_units_that_are_refused(unit):
    with pytest.raises(InputError, match="unknown unit"):
        units.check_unit(unit)


@pytest.mark.parametrize(
    ("text", "quantity", "sentence"),
    [
        ("343", "testosterone", 'testosterone "343" in labs[0] of man.yaml needs a unit; allowed: ng/dL, pg/mL, '),
        ("5 mg/mL", "LH", 'unknown unit of LH "mg/mL" in labs[0] of man.yaml; did you mean "mU/mL"? Allowed: IU/L, '),
        ("5 ng/mL", "FSH", 'unknown unit of FSH "ng/mL" in labs[0] of man.yaml'),
        ("5 nmol/L", "inhibin_B", 'unknown unit of inhibin_B "nmol/L"'),
        ("12 5 ng/dL", "testosterone", 'unknown unit of testosterone "5 ng/dL"'),
        ("3,1 mL", "semen_volume", 'write it like "343 mL"'),
        ("nan ng/dL", "testosterone", '"nan ng/dL" is not a number and a unit'),
        ("1e999 ng/dL", "testosterone", '"1e999 ng/dL" is not a number and a unit'),
        ("", "testosterone", '"" is not a number and a unit'),
        (True, "testosterone_estradiol_ratio", '"True" is not a number and a unit'),
        (
            "1 ng/dL",
            "testosteron",
            'unknown quantity "testosteron" in labs[0] of man.yaml; did you mean "testosterone"?',
        ),
    ],
)
def test_refusals_say_what_where_and_what_is_allowed(text, quantity, sentence):
    with pytest.raises(InputError) as caught:
        units.parse(text, quantity, "labs[0] of man.yaml")
    assert sentence in str(caught.value)
    assert "labs[0] of man.yaml" in str(caught.value)


def test_international_units_of_one_analyte_never_become_a_mass():
    for quantity in ("LH", "FSH", "hCG"):
        assert not any("g/" in unit for unit in units.accepted(quantity))
