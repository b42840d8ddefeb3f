"""What laboratories print: draws follow the distribution that weighs them."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from leydig import laboratory
from leydig.studies import observe, observe_density
from leydig.studies.observe import Test
from leydig.studies.observe_density import Method
from leydig.studies.observe_file import ANY
from leydig.studies.observe_test import entry, error

MEN = 20_000
KOLMOGOROV = 2.23  # critical value of sqrt(n) D at a chance of 1 in 10,000; more than 100 tests are made
AGE = 40.0
# A state in the middle of men, and one where assays begin to fail.
STATES = {
    "testosterone": (500, 6), "free_testosterone": (90, 1.5), "bioavailable_testosterone": (250, 6),
    "estradiol": (25, 4), "free_estradiol": (0.5, 0.15), "estrone": (35, 5), "dihydrotestosterone": (40, 4),
    "LH": (4, 0.15), "FSH": (5, 0.3), "inhibin_B": (160, 10), "SHBG": (32, 3), "CTX": (350, 30), "P1NP": (45, 5),
    "albumin": (4.4, 3), "LDL": (110, 60), "HDL": (48, 25), "total_cholesterol": (185, 100),
    "triglycerides": (110, 40), "glucose": (92, 70), "CRP": (1.4, 0.2), "hematocrit": (45, 36), "PSA": (0.9, 0.06),
    "sperm_concentration": (70, 0.08), "semen_volume": (3, 1), "total_motility": (60, 8),
    "normal_morphology": (9, 1), "bmd_spine": (1.05, 0.7), "bmd_hip": (1.0, 0.6),
}  # fmt: skip


def assays(analyte: str) -> list[str]:
    if analyte in laboratory.DENSITIES:
        return list(laboratory.DEVICES)
    return [laboratory.UNKNOWN] if ANY in entry(analyte).analysis else list(laboratory.ASSAYS)


CASES = [(name, assay, state) for name in observe.analytes() for assay in assays(name) for state in STATES[name]]


def test_every_analyte_is_observed():
    assert set(STATES) == set(observe.analytes())
    assert set(laboratory.analytes()) < set(observe.analytes())


@pytest.mark.parametrize("lab", [0.1, None], ids=["one laboratory", "any laboratory"])
@pytest.mark.parametrize(("analyte", "assay", "state"), CASES)
def test_draws_follow_the_distribution_function(analyte, assay, state, lab):
    test = Test(analyte, assay, hour=9.0)
    drawn = observe.draws(5, test, "visit", 0, MEN)
    read = observe.simulate(test, state, AGE, drawn, lab=lab)
    at = np.unique(read.values[~read.below])[:: max(1, (~read.below).sum() // 150)]
    # Below the highest limit some values are printed by the finer kind of assay alone; both sides count them.
    found = observe.cumulative(test, at, state, AGE, lab=lab)
    counted = np.searchsorted(np.sort(read.values), at, side="right") / MEN
    assert np.max(np.abs(found - counted), initial=0.0) < KOLMOGOROV / np.sqrt(MEN)
    limits = np.unique(read.values[read.below])
    for limit in limits:
        chance = float(observe.cumulative(test, limit, state, AGE, lab=lab))
        few = 4 / MEN  # of what hardly ever happens there may be some men more
        assert abs(np.mean(read.values <= limit) - chance) < 4 * np.sqrt(chance * (1 - chance) / MEN) + few


@pytest.mark.parametrize("lab", [0.0, None], ids=["one laboratory", "any laboratory"])
@pytest.mark.parametrize(("analyte", "assay", "state"), CASES)
def test_density_and_censored_chance_make_one(analyte, assay, state, lab):
    test = Test(analyte, assay)
    middle = float(observe.expected(test, state, AGE))
    limits = [error(analyte, analysis).lloq or 0.0 for analysis in entry(analyte).analysis.values()]
    low = max(limits) if assay == laboratory.UNKNOWN else (observe.lloq(analyte, assay) or 0.0)
    highest = 100.0 if entry(analyte).scale == "log odds" else 40 * max(middle, low)
    ends = (0.6 * middle, 1.6 * middle) if entry(analyte).scale == "unit" else (max(low, 1e-4 * middle), highest - 1e-9)
    grid = np.geomspace(*ends, 601 if lab is None and entry(analyte).scale != "unit" else 1201)
    dense = np.exp(observe.log_likelihood(test, grid, False, state, AGE, lab=lab))
    inside = integrate.simpson(dense * grid, x=np.log(grid))
    assert inside + observe.cumulative(test, grid[0], state, AGE, lab=lab) == pytest.approx(1.0, abs=2e-5)
    if low and assay != laboratory.UNKNOWN:
        less = observe.log_likelihood(test, low, True, state, AGE, lab=lab)
        assert np.exp(less) == pytest.approx(float(observe.cumulative(test, low, state, AGE, lab=lab)), abs=1e-12)


METHOD = Method(50.0, 0.3, -0.02, 1.1, 4.0, 0.8, 0.05, 0.07, True)


@pytest.mark.parametrize("y", [5.0, 40.0, 59.0, 95.0])
@pytest.mark.parametrize(
    "change", [{}, {"within": 0.02}, {"within": 1.2}, {"floor": 20.0}, {"floor": 0.0, "per_level": 0.0, "cv": 0.005}]
)
def test_quadrature_is_the_integral(y, change):
    """The same integrals by adaptive quadrature, in pieces, of formulas written down again."""
    m = METHOD._replace(**change)

    def sd(x):
        return np.sqrt(m.floor**2 + m.per_level * x + (m.cv * x) ** 2)

    def level(z):
        return m.gain * m.state * np.exp(m.shift + m.within * z) + m.offset

    kink = np.log((y - m.offset) / (m.gain * m.state)) - m.shift
    points = [p for p in np.clip(kink / m.within + np.array([-3.0, -0.5, -0.05, 0, 0.05, 0.5, 3.0]), -12, 12)]
    ends = sorted({-12.0, *points, 0.0, 12.0})
    for function, made in (
        (lambda z: stats.norm.pdf(z) * stats.norm.pdf(y, level(z), sd(level(z))), observe_density.log_density),
        (lambda z: stats.norm.pdf(z) * stats.norm.cdf(y, level(z), sd(level(z))), observe_density.log_below),
    ):
        pieces = pairwise(ends)
        truth = sum(integrate.quad(function, a, b, epsabs=1e-14, epsrel=1e-10, limit=200)[0] for a, b in pieces)
        assert np.exp(float(made(y, m))) == pytest.approx(truth, rel=1e-6, abs=1e-12)


def test_quadrature_at_its_closed_forms():
    y = np.array([20.0, 50.0, 120.0])
    exact = METHOD._replace(shift=0.0, gain=1.0, offset=0.0, floor=0.0, per_level=0.0, cv=1e-4)
    lognormal = stats.lognorm(0.3, scale=50.0)
    assert np.exp(observe_density.log_density(y, exact)) == pytest.approx(lognormal.pdf(y), rel=1e-5)
    assert np.exp(observe_density.log_below(y, exact)) == pytest.approx(lognormal.cdf(y), rel=1e-5)
    still = exact._replace(within=0.0, floor=8.0, cv=0.0)
    assert observe_density.log_density(y, still) == pytest.approx(stats.norm.logpdf(y, 50, 8), abs=1e-9)
    assert observe_density.log_below(y, still) == pytest.approx(stats.norm.logcdf(y, 50, 8), abs=1e-9)
    both = still._replace(within=6.0, logarithmic=False)
    assert observe_density.log_density(y, both) == pytest.approx(stats.norm.logpdf(y, 50, 10), abs=1e-9)
    assert observe_density.log_below(y, both) == pytest.approx(stats.norm.logcdf(y, 50, 10), abs=1e-9)


def test_weights_stay_finite_and_fall_far_out():
    test = Test("testosterone", "LC-MS/MS")
    far = observe.log_likelihood(test, 500 * np.array([1, 2, 4, 8, 30, 1000.0]), False, 500.0, AGE)
    assert np.all(np.isfinite(far)) and np.all(np.diff(far) < 0)
    scan = observe.log_likelihood(Test("bmd_hip", "Hologic"), np.array([1.0, 1.2, 1.6, 2.4]), False, 1.0, AGE)
    assert np.all(np.isfinite(scan)) and np.all(np.diff(scan) < 0)
    below = observe.log_likelihood(Test("LH"), 0.15, True, np.array([0.1, 1, 10, 100.0]), AGE)
    assert np.all(np.isfinite(below)) and np.all(np.diff(below) < 0)
