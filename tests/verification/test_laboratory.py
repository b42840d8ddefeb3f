"""From printed values to the state and back, and the published figures behind the conversion."""

import numpy as np
import pytest

from leydig import laboratory, ranges, units
from leydig.bibliography import bibliography
from leydig.errors import InputError
from leydig.laboratory import ASSAYS, constants, to_laboratory, to_state

C = constants()


@pytest.mark.parametrize("assay", ASSAYS)
@pytest.mark.parametrize("analyte", ["testosterone", "estradiol", "LH", "FSH", "SHBG", "inhibin_B", "CTX"])
@pytest.mark.parametrize("hour", [None, 0.0, 8.0, 16.5])
def test_the_two_directions_are_inverse(analyte, assay, hour):
    states = np.array([0.0, 0.3, 5.0, 24.0, 450.0])
    printed = to_laboratory(analyte, states, assay, hour, 47.0, C)
    assert np.allclose(to_state(analyte, printed, assay, hour, 47.0, C), states, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("device", laboratory.DEVICES)
@pytest.mark.parametrize("site", laboratory.DENSITIES)
def test_scanners_are_inverse(site, device):
    assert to_state(site, to_laboratory(site, 1.05, device, None, 60, C), device, None, 60, C) == pytest.approx(1.05)


def test_a_scalar_stays_a_scalar_and_an_array_an_array():
    assert isinstance(to_state("testosterone", 343.0, "immunoassay", 8.0, 68.0, C), float)
    assert to_state("testosterone", np.array([343.0, 397.0]), "immunoassay", 8.0, 68.0, C).shape == (2,)
    ages = np.array([25.0, 70.0])
    assert laboratory.rhythm("testosterone", 8.0, ages, C)[0] > laboratory.rhythm("testosterone", 8.0, ages, C)[1]


@pytest.mark.parametrize(("age", "fall"), [(35, (0.20, 0.25)), (70, (0.09, 0.11))])
def test_testosterone_falls_to_the_afternoon_as_published(age, fall):
    morning, afternoon = (laboratory.rhythm("testosterone", hour, age, C) for hour in (8.0, 16.0))
    assert fall[0] <= 1 - afternoon / morning <= fall[1]


def test_inhibin_B_falls_as_published():
    at = [laboratory.rhythm("inhibin_B", hour, 30, C) for hour in (8.0, 12.0, 16.0)]
    assert at[1] / at[0] == pytest.approx((1 - 0.02) ** 4, abs=0.01)
    assert at[2] / at[1] == pytest.approx((1 - 0.0325) ** 4, abs=0.02)


@pytest.mark.parametrize("age", [20, 45, 80])
def test_the_rhythm_has_mean_one_over_the_day(age):
    hours = np.arange(0, 24, 0.25)
    for analyte in ("testosterone", "inhibin_B"):
        assert np.mean(laboratory.rhythm(analyte, hours, age, C)) == pytest.approx(1.0, abs=1e-12)


def test_an_immunoassay_reads_estradiol_where_there_is_none():
    offset = units.from_molar("estradiol", C.estradiol_immunoassay_offset)
    assert to_laboratory("estradiol", 0.0, "immunoassay", None, 40, C) == pytest.approx(offset)
    assert to_laboratory("estradiol", 0.0, "LC-MS/MS", None, 40, C) == 0
    assert to_state("estradiol", offset / 2, "immunoassay", None, 40, C) == 0


def test_an_unknown_assay_lies_between_and_varies():
    known = [to_state("estradiol", 26.0, assay, None, 40, C) for assay in ("immunoassay", "LC-MS/MS")]
    assert min(known) < to_state("estradiol", 26.0, "unknown", None, 40, C) < max(known)
    rng = np.random.default_rng(1)
    normal, uniform = rng.standard_normal(4000), rng.random(4000)

    def spread(assay):
        return np.std(laboratory.possible_states("estradiol", 26.0, assay, None, 40, C, normal, uniform))

    assert spread("LC-MS/MS") == 0
    assert spread("immunoassay") > 0
    assert spread("unknown") > 0


def test_the_offset_can_be_replaced_by_a_fit():
    other = C._replace(estradiol_immunoassay_offset=0.0)
    assert to_state("estradiol", 26.0, "immunoassay", None, 40, other) == 26.0


def test_the_published_scanner_lines_hold():
    # Hui 1997: the standardised density from either scanner is one number
    for density in (0.7, 1.0, 1.3):
        spine = to_state("bmd_spine", density, "Lunar", None, 50, C)
        assert 1.0550 * (spine - 0.972) == pytest.approx(0.9683 * (density - 1.100), abs=5e-4)
        hip = to_state("bmd_hip", density, "Lunar", None, 50, C)
        assert 0.006 + 1.008 * hip == pytest.approx(-0.031 + 0.979 * density, abs=5e-4)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("immunoassy", 'unknown assay "immunoassy" in labs[0]; did you mean "immunoassay"?'),
        ("ria", 'unknown assay "ria" in labs[0]; did you mean "RIA"?'),
    ],
)
def test_an_unknown_assay_name_is_refused(word, message):
    with pytest.raises(InputError) as error:
        laboratory.assay_named(word, "labs[0]")
    assert str(error.value).startswith(message)


def test_LC_MS_is_accepted():
    assert laboratory.assay_named("LC-MS") == "LC-MS/MS"


def test_every_reference_range_is_sourced_and_ordered():
    ranges = laboratory.reference_ranges()
    assert len(ranges) > 20
    for found in ranges:
        assert found.source in bibliography()
        assert found.quantity in units.CANONICAL
        if found.low is not None and found.high is not None:
            assert found.low < (found.median or (found.low + found.high) / 2) < found.high


def test_reference_ranges_fit_age_and_assay():
    assert laboratory.reference_range("CTX", 28).high == 830
    assert laboratory.reference_range("CTX", 77).high == 580
    assert laboratory.reference_range("estradiol", 40, "LC-MS/MS").source == "verdonk2019"
    assert laboratory.reference_range("estradiol", 40, "immunoassay").source == "qin2012"
    assert laboratory.reference_range("anastrozole", 40) is None


def test_usual_lies_inside_accepted():
    accepted = ranges.limits("accepted")
    for name, usual in ranges.limits("usual").items():
        assert accepted[name].low <= usual.low < usual.high <= accepted[name].high
