"""What the organ systems start from: lipids that add up, fat and lean mass that make the weight, draws that stay."""

import numpy as np
import pytest

from leydig import population_prior
from leydig.errors import InputError
from leydig.population_prior import deviates, lipids, root
from leydig.population_prior.loading import correlation_matrix, population
from leydig.subject import Partner, Subject, complete, draw

NAMES = list(population().quantities)
LATER = NAMES[NAMES.index("sensitivity") + 1 :]
UNITS = {"CRP": "mg/L", "PSA": "ng/mL", "hematocrit": "%"}


def man(labs=None, **given):
    entries = [{"analyte": k, "value": f"{v} {UNITS.get(k, 'mg/dL')}"} for k, v in (labs or {}).items()]
    return Subject.from_mapping({"age": 45, "BMI": 28, "labs": entries} | given, "man.yaml")


def total(values):
    return values["LDL"] + values["HDL"] + values["triglycerides"] / 5


def test_the_correlations_are_positive_definite():
    assert np.linalg.eigvalsh(correlation_matrix(population()))[0] > 0.1


def test_later_quantities_leave_earlier_draws_as_they_are():
    rng = np.random.default_rng(5)
    half = rng.standard_normal((6, 6))
    covariance = half @ half.T
    covariance[2] = covariance[:, 2] = 0.0  # one is known
    alone = np.random.default_rng(1).standard_normal((50, 4)) @ root(covariance[:4, :4]).T
    together = np.random.default_rng(1)
    assert np.array_equal(deviates(covariance, 4, together, 50)[:, :4], alone)
    fresh = np.random.default_rng(1)
    fresh.standard_normal((50, 4))
    assert together.standard_normal() == fresh.standard_normal()  # what is drawn afterwards stays too
    many = deviates(covariance, 4, np.random.default_rng(2), 200_000)
    assert np.allclose(np.cov(many.T), covariance, atol=0.05 * covariance.max())


@pytest.mark.parametrize("condition", population_prior.conditions())
@pytest.mark.parametrize("body", [{}, {"BMI": 41}])
def test_every_condition_is_completed_and_drawn(condition, body):
    done = complete(Subject(age=50, condition=condition, **body))
    assert {*NAMES, "BMI", "lean_mass"} == set(done.reference)
    drawn = draw(done, np.random.default_rng(1), 200).reference
    assert all(np.all(np.isfinite(values)) for values in drawn.values())
    weight = drawn["BMI"] * (done.height / 100) ** 2
    assert np.median(np.abs(drawn["fat_mass"] + drawn["lean_mass"] - weight)) < 1e-9
    assert done.reference["fat_mass"] + done.reference["lean_mass"] == pytest.approx(done.weight)


def test_lean_mass_is_assumed_with_the_range_of_drawn_men():
    done = complete(Subject(age=50))
    said = next(a for a in done.assumed if a.name == "lean_mass")
    drawn = draw(done, np.random.default_rng(3), 20000).reference["lean_mass"]
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    assert (said.low, said.value, said.high) == pytest.approx((low, middle, high), rel=0.06)


@pytest.mark.parametrize(
    ("age", "BMI", "name", "low", "high"),
    [
        (45, 29, "LDL", 115, 128),  # 122
        (35, 28.5, "CRP", 1.2, 1.6),  # 1.4
        (40, 22.7, "HDL", 50, 55),  # 14.2 % below 40
        (40, 34.5, "HDL", 40, 44),  # 42.2 % below 40
        (59, 23, "triglycerides", 75, 100),  # 96
        (65, 28, "PSA", 1.1, 1.3),  # 1.2
        (65, 28, "hematocrit", 43.5, 44.5),  # 44
    ],
)
def test_medians_lie_where_published(age, BMI, name, low, high):
    assert low < population_prior.typical(population_prior.prior(age, BMI))[name] < high


def test_dysfunction_is_as_frequent_as_published():
    drawn = population_prior.draw(population_prior.prior(65, 26), np.random.default_rng(1), 20000)
    score = 100 * (16 - 1) / 29  # the bound of moderate dysfunction
    assert np.mean(drawn["erectile_function_score"] <= score) == pytest.approx(0.418, abs=0.02)


@pytest.mark.parametrize("labs", [{}, {"HDL": 60}, {"LDL": 120}, {"triglycerides": 200}])
@pytest.mark.parametrize("cholesterol", [130, 200, 330])
def test_a_measured_total_binds_the_parts_that_are_missing(cholesterol, labs):
    if cholesterol == 130 and "LDL" in labs:
        return
    done = complete(man(labs | {"total_cholesterol": cholesterol}))
    assert total(done.reference) == pytest.approx(cholesterol)
    drawn = draw(done, np.random.default_rng(1), 500).reference
    assert np.mean(np.abs(total(drawn) - cholesterol) < 1e-6) > 0.97  # but where a part meets its accepted limit
    for name, value in labs.items():
        assert done.reference[name] == value and drawn[name] == pytest.approx(np.full(500, value))
    assert not any(name in labs for name in (a.name for a in done.assumed))


def test_the_fourth_follows_from_three():
    done = complete(man({"total_cholesterol": 200, "HDL": 50, "triglycerides": 150}))
    assert done.measured["LDL"] == done.reference["LDL"] == 120
    assert any("LDL 120 mg/dL follows" in sentence for sentence in done.converted)
    on_drugs = complete(
        man({"total_cholesterol": 200, "HDL": 50, "triglycerides": 150}, drugs=["anastrozole 1 mg daily"])
    )
    assert on_drugs.measured["LDL"] == 120


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"labs": {"total_cholesterol": 260, "LDL": 100, "HDL": 50, "triglycerides": 100}}, "does not fit LDL, HDL"),
        ({"labs": {"total_cholesterol": 150, "HDL": 90, "triglycerides": 400}}, "leaves nothing for LDL beside HDL"),
        ({"partner": {"age": 33, "months_trying": 9}, "wants_children": False}, "tried for 9 months"),
    ],
)
def test_contradictions_are_reported(given, words):
    assert any(words in sentence for sentence in complete(man(**given)).contradictions)


def test_parts_that_make_the_total_are_no_contradiction():
    done = complete(man({"total_cholesterol": 180, "LDL": 105, "HDL": 50, "triglycerides": 100}))
    assert not done.contradictions and not any("total_cholesterol" in note for note in done.notes)


def test_units_of_the_new_analytes():
    entries = [
        {"analyte": "LDL", "value": "3.0 mmol/L"},
        {"analyte": "triglycerides", "value": "1.0 mmol/L"},
        {"analyte": "glucose", "value": "5.0 mmol/L"},
        {"analyte": "CRP", "value": "< 1 mg/L"},
        {"analyte": "PSA", "value": "0.8 ug/L"},
        {"analyte": "hematocrit", "value": "0.45 fraction"},
    ]
    found = {lab.analyte: lab.value for lab in Subject(age=45, labs=entries).labs}
    wanted = {"LDL": 116, "triglycerides": 88.5, "glucose": 90.1, "CRP": 1, "PSA": 0.8, "hematocrit": 45}
    assert found == pytest.approx(wanted, rel=1e-3)
    assert complete(Subject(age=45, labs=entries)).reference["CRP"] == 0.5


@pytest.mark.parametrize("name", [name for name in LATER if name in ("CRP", "PSA")])
def test_none_of_it_is_an_ordinary_value(name):
    done = complete(man({name: 0}))
    assert done.reference[name] == 0
    assert all(np.all(np.isfinite(v)) for v in draw(done, np.random.default_rng(1), 20).reference.values())


def test_a_partner_is_read():
    subject = man(partner={"age": 33, "months_trying": 14}, wants_children=True)
    assert subject.partner == Partner(age=33, months_trying=14) and subject.wants_children
    assert man().partner is None and man().wants_children is None
    beginning = man(partner={"age": 29})
    assert beginning.partner.months_trying == 0
    assert any("begin now" in note for note in complete(beginning).notes)
    with pytest.raises(ValueError, match="frozen"):
        subject.partner.age = 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"partner": 33}, "partner of man.yaml must be a mapping such as {age: 33, months_trying: 14}"),
        ({"partner": {"months_trying": 3}}, '"age" is missing in partner of man.yaml'),
        ({"partner": {"age": 33, "months": 3}}, 'unknown key "months" in partner of man.yaml'),
        (
            {"partner": {"age": 12}},
            "age 12 in partner of man.yaml is outside what this model covers; accepted: 15 to 50",
        ),
        (
            {"partner": {"age": 50.5}},
            "age 50.5 in partner of man.yaml is outside what this model covers; accepted: 15 to 50 years",
        ),
        ({"partner": {"age": 33, "months_trying": -1}}, "months_trying -1 in partner of man.yaml is outside"),
        ({"partner": {"age": 33, "months_trying": 301}}, "months_trying 301 in partner of man.yaml is outside"),
        (
            {"partner": {"age": 20, "months_trying": 80}},
            "months_trying 80 in partner of man.yaml began before her age of 15",
        ),
        ({"partner": {"age": "old"}}, '"age" in partner of man.yaml must be a number, not "old"'),
        ({"partner": {"age": True}}, '"age" in partner of man.yaml must be a number, not "True"'),
        ({"wants_children": "maybe"}, '"wants_children" in man.yaml must be true or false, not "maybe"'),
        ({"does_not_apply": "PSA"}, '"does_not_apply" in man.yaml must be a list of results such as [PSA, erec'),
        ({"does_not_apply": ["psa"]}, 'unknown result "psa" in does_not_apply of man.yaml; did you mean "PSA"?'),
        ({"does_not_apply": ["age"]}, 'unknown result "age" in does_not_apply of man.yaml; allowed: PSA'),
        ({"labs": {"HDL": 250}}, "HDL 250 mg/dL in labs[0] of man.yaml is impossible; accepted: 3 to 200 mg/dL"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(given, message):
    with pytest.raises(InputError) as error:
        man(**given)
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_the_identity_is_the_models_own():
    assert lipids.total({"LDL": 100, "HDL": 50, "triglycerides": 150}) == 180


def test_what_does_not_apply_is_read_once_each():
    assert man(does_not_apply=["PSA", "semen_volume", "PSA"]).does_not_apply == ("PSA", "semen_volume")
    assert man().does_not_apply == () == man(does_not_apply=None).does_not_apply
    assert "PSA" in Subject.open("trans-man").does_not_apply
