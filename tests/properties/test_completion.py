"""For any man that can be described: completion stays possible, keeps what was measured, and forgets order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leydig import laboratory, population_prior, ranges
from leydig.population_prior import condition_on, draw, prior, typical
from leydig.studies.simulate import simulate
from leydig.subject import Subject, complete
from leydig.subject import draw as draw_man
from leydig.subject.completion import DIVIDED_BY
from leydig.units import CANONICAL

C = laboratory.constants()
QUANTITIES = list(population_prior.population().quantities)
LABS = {
    "testosterone": ("ng/dL", 11, 1400),
    "estradiol": ("pg/mL", 0, 110),
    "LH": ("IU/L", 0, 55),
    "FSH": ("IU/L", 0, 75),
    "SHBG": ("nmol/L", 7, 140),
    "inhibin_B": ("pg/mL", 0, 480),
    "CTX": ("pg/mL", 31, 1400),
    "P1NP": ("ug/L", 9, 240),
}

ages = st.floats(18, 100)
masses = st.one_of(st.none(), st.floats(16, 60))
conditions = st.sampled_from(population_prior.conditions())
assays = st.sampled_from(["LC-MS/MS", "immunoassay", "RIA", "unknown"])


@st.composite
def labs(draw):
    found = []
    for analyte in draw(st.lists(st.sampled_from(sorted(LABS)), max_size=10)):
        unit, low, high = LABS[analyte]
        value = draw(st.floats(low, high).map(lambda x: round(x, 3)))
        entry = {"analyte": analyte, "value": f"{value} {unit}", "assay": draw(assays)}
        if draw(st.booleans()):
            entry["time"] = f"{draw(st.integers(0, 23)):02d}:{draw(st.integers(0, 59)):02d}"
        found.append(entry)
    return found


@st.composite
def semen(draw):
    concentration = draw(st.one_of(st.just(0.0), st.floats(0.001, 340)))
    sample = {"concentration": f"{concentration:.6f} 10^6/mL", "volume": f"{draw(st.floats(0.6, 8.9)):.3f} mL"}
    if draw(st.booleans()):
        sample["total_motility"] = f"{draw(st.floats(0, 100)):.3f} %"
    return draw(st.sampled_from([[], [sample]]))


def within(values):
    accepted = ranges.limits("accepted")
    for name, value in values.items():
        low, high = accepted[name]
        assert np.all(np.isfinite(value)), name
        assert np.all((np.asarray(value) >= low) & (np.asarray(value) <= high)), name


@settings(deadline=None, max_examples=60)
@given(ages, masses, conditions, labs(), semen(), st.integers(0, 2**32 - 1))
def test_completion_stays_within_the_accepted_limits(age, bmi, condition, blood, samples, seed):
    body = {} if bmi is None else {"BMI": bmi}
    done = complete(Subject(age=age, condition=condition, labs=blood, semen=samples, **body))
    within(done.reference)
    drawn = draw_man(done, np.random.default_rng(seed), 40)
    within(drawn.reference)
    within(drawn.measured)
    assert all(np.all(severity >= 0) for severity in drawn.lesion.values())
    assert set(drawn.lesion) == set(done.lesion)
    for assumption in done.assumed:
        assert assumption.low <= assumption.value <= assumption.high


ZERO = [name for name in laboratory.analytes() if ranges.limits("accepted")[name].low == 0]


@pytest.mark.filterwarnings("ignore:.* is unlikely")
@pytest.mark.parametrize("analyte", ZERO)
@settings(deadline=None, max_examples=6)
@given(age=ages, bmi=masses, assay=assays, others=labs(), seed=st.integers(0, 2**32 - 1))
def test_a_man_with_none_of_a_hormone_can_be_simulated(analyte, age, bmi, assay, others, seed):
    body = {} if bmi is None else {"BMI": bmi}
    blood = [lab for lab in others if lab["analyte"] != analyte]
    blood.append({"analyte": analyte, "value": f"0 {CANONICAL[analyte]}", "assay": assay})
    man = Subject(age=age, labs=blood, **body)
    done = complete(man)
    drawn = draw_man(done, np.random.default_rng(seed), 40)
    for name in DIVIDED_BY:
        assert done.reference[name] >= population_prior.floor(name) > 0
        assert np.all(drawn.reference[name] >= population_prior.floor(name))
    alone = Subject(age=age, labs=blood[-1:], **body)
    (found,) = simulate(alone, ["none for 4 weeks"])
    assert found.status == "done"
    for panel in (found.quantities, found.laboratory):
        assert all(np.all(np.isfinite(series)) for series in panel.values.values())


@pytest.mark.filterwarnings("ignore:.* is unlikely")
@pytest.mark.parametrize("analyte", DIVIDED_BY)
def test_draws_of_a_man_with_none_of_a_hormone_are_solved(analyte):
    least = max(ranges.limits("accepted")[analyte].low, 0.0)
    man = Subject(age=45, BMI=27, labs=[{"analyte": analyte, "value": f"{least:g} {CANONICAL[analyte]}"}])
    (found,) = simulate(man, ["none for 4 weeks"], draws=3, seed=1)
    assert found.status == "done" and found.failed_draws == 0
    assert all(np.all(np.isfinite(series)) for series in found.quantities.upper.values())


@settings(deadline=None, max_examples=60)
@given(ages, masses, st.dictionaries(st.sampled_from(QUANTITIES), st.floats(-2.5, 2.5)), st.integers(0, 2**32 - 1))
def test_known_values_are_kept_and_uncertainty_never_grows(age, bmi, deviations, seed):
    before = prior(age, bmi)
    sd = population_prior.standard_deviations(before)
    z = before.mean.copy()
    for name, deviation in deviations.items():
        i = before.names.index(name)
        z[i] += deviation * sd[i]
    wanted = {name: value for name, value in population_prior.medians(before, z).items() if name in deviations}
    after = condition_on(before, wanted)
    assert {name: typical(after)[name] for name in wanted} == wanted
    drawn = draw(after, np.random.default_rng(seed), 5)
    assert all(np.all(drawn[name] == value) for name, value in wanted.items())
    assert np.all(population_prior.standard_deviations(after) <= sd * (1 + 1e-9) + 1e-9)
    assert np.linalg.eigvalsh(after.covariance)[0] > -1e-9


@settings(deadline=None, max_examples=40)
@given(ages, st.floats(17, 50), st.permutations(["testosterone", "SHBG", "FSH", "sperm_concentration"]))
def test_conditioning_at_once_or_one_by_one_is_the_same(age, bmi, order):
    values = {"testosterone": 310.0, "SHBG": 22.0, "FSH": 7.0, "sperm_concentration": 30.0}
    at_once = condition_on(prior(age, bmi), values)
    one_by_one = prior(age, bmi)
    for name in order:
        one_by_one = condition_on(one_by_one, {name: values[name]})
    assert typical(one_by_one) == pytest.approx(typical(at_once), rel=1e-9)
    assert np.allclose(one_by_one.covariance, at_once.covariance, atol=1e-10)


@settings(deadline=None, max_examples=30)
@given(labs(), semen(), st.randoms())
def test_the_order_of_the_labs_does_not_matter(blood, samples, random):
    shuffled = list(blood)
    random.shuffle(shuffled)
    first, second = (complete(Subject(age=50, BMI=27, labs=entries, semen=samples)) for entries in (blood, shuffled))
    assert first.reference == second.reference
    assert first.measured == second.measured
    assert first.assumed == second.assumed
    assert first.contradictions == second.contradictions
    one, two = (draw_man(done, np.random.default_rng(7), 10).reference for done in (first, second))
    assert all(np.array_equal(one[name], two[name]) for name in one)


@settings(deadline=None, max_examples=30)
@given(ages, st.floats(17, 55), st.integers(0, 2**32 - 1))
def test_a_man_with_everything_measured_on_the_reference_scale_keeps_it(age, bmi, seed):
    drawn = {name: float(v[0]) for name, v in draw(prior(age, bmi), np.random.default_rng(seed), 1).items()}
    blood = [
        {"analyte": name, "value": f"{min(max(drawn[name], low), high)!r} {unit}", "assay": "LC-MS/MS", "time": "08:00"}
        for name, (unit, low, high) in LABS.items()
    ]
    sample = {
        "concentration": f"{min(drawn['sperm_concentration'], 340.0)!r} 10^6/mL",
        "volume": f"{min(max(drawn['semen_volume'], 0.5), 9.0)!r} mL",
        "total_motility": f"{drawn['total_motility']!r} %",
        "normal_morphology": f"{drawn['normal_morphology']!r} %",
    }
    scans = [
        {"site": site, "bmd": f"{min(max(drawn['bmd_' + site], 0.65), 1.55)!r} g/cm2", "device": "Hologic"}
        for site in ("spine", "hip")
    ]
    man = Subject(age=age, BMI=bmi, condition="eugonadal", labs=blood, semen=[sample], dxa=scans)
    done = complete(man)
    for lab in man.labs:
        expected = laboratory.to_state(lab.analyte, lab.value, "LC-MS/MS", 8.0, age, C)
        assert done.reference[lab.analyte] == expected
    assert done.reference["sperm_concentration"] == man.semen[0].concentration
    assert done.reference["bmd_hip"] == man.dxa[1].bmd
    later = {name for name in QUANTITIES if QUANTITIES.index(name) > QUANTITIES.index("sensitivity")}
    assert {a.name for a in done.assumed} == {"fat_mass", "lean_mass", "sensitivity", "height"} | later


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(["testosterone", "estradiol", "LH", "inhibin_B", "free_testosterone"]),
    st.floats(0, 3000),
    assays,
    st.one_of(st.none(), st.floats(0, 24)),
    ages,
)
def test_to_state_undoes_to_laboratory(analyte, state, assay, hour, age):
    printed = laboratory.to_laboratory(analyte, state, assay, hour, age, C)
    assert laboratory.to_state(analyte, printed, assay, hour, age, C) == pytest.approx(state, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(ages, conditions, st.integers(0, 2**32 - 1))
def test_draws_follow_the_seed_alone(age, condition, seed):
    done = complete(Subject(age=age, condition=condition, BMI=26))
    one, two = (draw_man(done, np.random.default_rng(seed), 8) for _ in range(2))
    assert all(np.array_equal(one.reference[name], two.reference[name]) for name in one.reference)
    assert all(np.array_equal(one.lesion[name], two.lesion[name]) for name in one.lesion)
