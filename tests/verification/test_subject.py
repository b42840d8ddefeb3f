"""A man from words: what is read, refused, warned about, contradicted; the bundled men."""

import datetime

import numpy as np
import pytest

from leydig import laboratory, outputs, population_prior
from leydig.errors import InputError, ModelWarning
from leydig.files import parse_yaml
from leydig.physiology import bone
from leydig.population_prior.loading import population
from leydig.studies.simulate import simulate
from leydig.subject import Subject, bundled, complete, draw
from leydig.units import CANONICAL

MASS = {"assay": "LC-MS/MS", "time": "08:00"}
LAB = {"analyte": "testosterone", "value": "343 ng/dL", "assay": "immunoassay", "time": "08:00"}


def man(**given):
    return Subject.from_mapping({"age": 45} | given, "man.yaml")


def hormones(**values):
    """Blood values in canonical units, testosterone by mass spectrometry at 08:00."""
    return [
        {"analyte": name, "value": f"{value} {CANONICAL[name]}"} | (MASS if name == "testosterone" else {})
        for name, value in values.items()
    ]


def refusal(**given):
    with pytest.raises(InputError) as error:
        man(**given)
    return str(error.value)


def test_the_design_example_is_read():
    subject = man(
        name="older man",
        age=68,
        height="176 cm",
        weight="88 kg",
        condition="ageing-low-testosterone",
        labs=[
            LAB | {"date": "2026-01-12"},
            {"analyte": "estradiol", "value": "26 pg/mL", "date": "2026-01-12", "assay": "immunoassay"},
            {"analyte": "LH", "value": "5.1 IU/L", "date": "2026-01-12"},
        ],
        semen=[
            {
                "concentration": "9 10^6/mL",
                "volume": "3.1 mL",
                "total_motility": "38 %",
                "date": "2026-01-14",
                "abstinence": "3 d",
            }
        ],
        dxa=[{"site": "spine", "bmd": "1.12 g/cm2", "date": "2026-02-01"}],
        drugs=[],
    )
    assert subject.body_mass_index == pytest.approx(88 / 1.76**2)
    assert subject.labs[0].hour == 8.0 and subject.labs[1].hour is None
    assert subject.labs[2].assay == "unknown"
    assert subject.semen[0].abstinence == 3
    assert subject.day_zero == datetime.date(2026, 2, 1)


def test_units_are_converted():
    subject = man(labs=[{"analyte": "testosterone", "value": "11.89 nmol/L"}, {"analyte": "LH", "value": "5.1 mIU/mL"}])
    assert subject.labs[0].value == pytest.approx(343, rel=1e-3)
    assert subject.labs[1].value == pytest.approx(5.1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"age": None}, '"age" is missing in man.yaml; it is the only value that must be given'),
        ({"bmi": 27}, 'unknown key "bmi" in man.yaml; did you mean "BMI"?'),
        ({"age": 12}, "age 12 in man.yaml is outside what this model covers; accepted: 18 to 100 years"),
        ({"BMI": 3}, "BMI 3 in man.yaml is impossible; accepted: 12 to 90 kg/m2"),
        ({"height": "1.76 cm"}, "height 1.76 cm in man.yaml is impossible; accepted: 120 to 240 cm"),
        ({"height": "180 cm", "weight": "36 kg"}, "BMI 11.1 kg/m2 (from height and weight) in man.yaml is impossible"),
        ({"condition": "eugonadl"}, 'unknown condition "eugonadl" in man.yaml; did you mean "eugonadal"?'),
        ({"labs": {"analyte": "LH"}}, '"labs" in man.yaml must be a list; begin each entry with a dash'),
        ({"labs": ["LH"]}, "labs[0] of man.yaml must be a mapping of names to values"),
        (
            {"labs": [LAB | {"analyte": "testosteron"}]},
            'unknown analyte "testosteron" in labs[0] of man.yaml; did you mean "testosterone"? Allowed: testosterone,',
        ),
        ({"labs": [LAB | {"value": "-3 ng/dL"}]}, "testosterone -3 ng/dL in labs[0] of man.yaml is impossible"),
        (
            {"labs": [{"analyte": "LH", "value": "5000 IU/L"}]},
            "LH 5000 IU/L in labs[0] of man.yaml is impossible; accepted: 0 to 200 IU/L",
        ),
        ({"labs": [LAB | {"value": "343"}]}, 'testosterone "343" in labs[0] of man.yaml needs a unit; allowed: ng/dL'),
        ({"labs": [{"analyte": "LH", "value": "5 ng/dL"}]}, 'unknown unit of LH "ng/dL" in labs[0] of man.yaml'),
        ({"labs": [{"analyte": "LH"}]}, '"value" is missing in labs[0] of man.yaml'),
        ({"labs": [LAB | {"assay": "ELISA"}]}, 'unknown assay "ELISA" in labs[0] of man.yaml'),
        ({"labs": [LAB | {"time": "25:00"}]}, 'the time "25:00" in labs[0] of man.yaml cannot be read'),
        ({"labs": [LAB | {"date": "2026-02-30"}]}, 'the date "2026-02-30" in labs[0] of man.yaml cannot be read'),
        ({"labs": [LAB | {"hour": 8}]}, 'unknown key "hour" in labs[0] of man.yaml'),
        ({"semen": [{"date": "2026-01-14"}]}, "semen[0] of man.yaml holds no result; give at least one of"),
        ({"semen": [{"total_motility": "140 %"}]}, "total_motility 140 % in semen[0] of man.yaml is impossible"),
        (
            {"dxa": [{"site": "spin", "bmd": "1 g/cm2"}]},
            'unknown site "spin" in dxa[0] of man.yaml; did you mean "spine"?',
        ),
        ({"dxa": [{"site": "hip", "bmd": "1 g/cm2", "device": "Luna"}]}, 'unknown device "Luna" in dxa[0] of man.yaml'),
        ({"drugs": "anastrozole 1 mg daily"}, '"drugs" in man.yaml must be a list of protocol texts'),
    ],
)
def test_bad_input_is_refused_in_one_sentence(given, message):
    said = refusal(**given)
    assert said.startswith(message)
    assert "\n" not in said


def test_a_bad_drug_names_its_place():
    assert refusal(drugs=["anastrozol 1 mg daily"]).endswith("in drugs[0] of man.yaml")


def test_an_unlikely_value_warns_and_is_kept():
    with pytest.warns(ModelWarning, match="testosterone 2000 ng/dL in labs"):
        assert man(labs=[LAB | {"value": "2000 ng/dL"}]).labs[0].value == 2000


def test_a_file_is_read_and_named_in_errors(tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text("age: 50\nlabs:\n  - {analyte: LH, value: 4 IU/L, time: 10:30}\n", encoding="utf-8")
    assert Subject.open(path).labs[0].hour == 10.5
    path.write_text("age: 50\nsex: male\n", encoding="utf-8")
    with pytest.raises(InputError, match=r'unknown key "sex" in other.yaml'):
        Subject.open(path)


def test_an_unknown_name_lists_the_bundled_men():
    with pytest.raises(InputError, match='did you mean "older-man"'):
        Subject.open("older-men")


def test_the_template_is_a_man():
    assert Subject.from_mapping(parse_yaml(Subject.template(), "template"), "template").age == 45


def test_the_template_shows_every_key_uncommented_too():
    keys = ("height", "weight", "condition:", "labs", "semen", "dxa", "wants", "partner", "does_not_apply:", "  -")
    text = "\n".join(
        line.removeprefix("# ") if line.startswith(tuple(f"# {key}" for key in keys)) else line
        for line in Subject.template().splitlines()
    )
    subject = Subject.from_mapping(parse_yaml(text, "template"), "template")
    assert len(subject.labs) == 8 and subject.partner.months_trying == 14 and subject.wants_children is True
    assert len(subject.semen) == 1 and len(subject.dxa) == 2
    assert subject.does_not_apply == ("PSA", "erectile_function_score")


# Completion -----------------------------------------------------------------------------------------


def test_nothing_measured_is_all_assumed():
    done = complete(man())
    assert done.condition == "eugonadal"
    assert {a.name for a in done.assumed} == set(done.reference) | {"height"}
    assert not done.measured and not done.converted
    assert all(a.low <= a.value <= a.high for a in done.assumed)
    assert all("45 years" in a.sentence for a in done.assumed if a.name != "height")


def test_measured_values_are_converted_and_kept():
    done = complete(man(labs=[LAB], BMI=27))
    assert done.reference["testosterone"] == done.measured["testosterone"] < 343
    assert done.reference["BMI"] == 27
    assert "immunoassay, 08:00" in done.converted[0]
    assert "testosterone" not in {a.name for a in done.assumed}


def test_testosterone_moves_what_goes_with_it():
    low, high = (
        complete(man(BMI=27, condition="eugonadal", labs=[LAB | {"value": v}])) for v in ("250 ng/dL", "900 ng/dL")
    )
    assert low.reference["SHBG"] < high.reference["SHBG"]
    assert low.reference["estradiol"] < high.reference["estradiol"]
    assert low.reference["semen_volume"] == high.reference["semen_volume"]


@pytest.mark.parametrize(
    ("given", "condition"),
    [
        ({"labs": [LAB | {"value": "220 ng/dL", "assay": "LC-MS/MS"}], "BMI": 34}, "obese-hypogonadal"),
        (
            {"labs": [LAB | {"value": "220 ng/dL", "assay": "LC-MS/MS"}], "age": 66, "BMI": 26},
            "ageing-low-testosterone",
        ),
        ({"labs": [LAB | {"value": "220 ng/dL", "assay": "LC-MS/MS"}], "BMI": 26}, "eugonadal"),
        ({"labs": [LAB | {"value": "301 ng/dL", "assay": "LC-MS/MS"}], "BMI": 34}, "eugonadal"),
        ({"labs": [LAB | {"value": "299 ng/dL", "assay": "LC-MS/MS"}], "BMI": 34}, "obese-hypogonadal"),
        ({"semen": [{"concentration": "9 10^6/mL", "volume": "3 mL"}]}, "oligozoospermic-subfertile"),
        ({"semen": [{"concentration": "0 10^6/mL", "volume": "3 mL"}]}, "oligozoospermic-subfertile"),
        ({"semen": [{"concentration": "60 10^6/mL", "volume": "3 mL"}]}, "eugonadal"),
        ({"labs": hormones(testosterone=220, LH=0.8), "BMI": 26}, "hypogonadotropic"),
        ({"labs": hormones(testosterone=220, LH=1.49), "BMI": 38}, "hypogonadotropic"),
        ({"labs": hormones(testosterone=220, LH=1.51), "BMI": 38}, "obese-hypogonadal"),
        ({"labs": hormones(testosterone=220, LH=0.8), "age": 70}, "hypogonadotropic"),
        ({"labs": hormones(testosterone=301, LH=0.8)}, "eugonadal"),
        ({"labs": hormones(testosterone=220, LH=9.5), "BMI": 34}, "primary-failure"),
        ({"labs": hormones(testosterone=220, LH=9.3), "BMI": 34}, "obese-hypogonadal"),
        ({"labs": hormones(testosterone=220, LH=9.3), "BMI": 26}, "eugonadal"),
        ({"labs": hormones(testosterone=301, LH=20)}, "eugonadal"),
        (
            {"labs": hormones(testosterone=220, LH=20), "semen": [{"concentration": "0 10^6/mL", "volume": "3 mL"}]},
            "primary-failure",
        ),
        ({"labs": hormones(testosterone=220, LH=0.2), "drugs": ["testosterone gel 50 mg daily"]}, "eugonadal"),
    ],
)
def test_the_condition_is_inferred_with_its_reason(given, condition):
    done = complete(man(**given))
    assert done.condition == condition
    assert condition in done.condition_reason or condition == "eugonadal"


@pytest.mark.parametrize(("LH", "lesion"), [(0.8, "hypogonadotropic"), (15, "primary-failure")])
def test_an_inferred_lesion_keeps_his_values_out_of_the_healthy_reference(LH, lesion):
    done = complete(man(BMI=27, labs=hormones(testosterone=150, LH=LH)))
    named = complete(man(BMI=27, labs=hormones(testosterone=150, LH=LH), condition=lesion))
    healthy = complete(man(BMI=27))
    assert done.lesion == named.lesion != {}
    assert done.reference == named.reference == pytest.approx(healthy.reference)
    assert done.measured["LH"] == LH and not done.measured_is_reference
    begun = simulate(done.subject, ["none for 1 week"])[0]
    assert begun.quantities.values["LH"][0] == pytest.approx(LH, rel=0.15)
    assert begun.quantities.values["testosterone"][0] == pytest.approx(done.measured["testosterone"], rel=0.15)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"labs": hormones(testosterone=700, LH=0.1, FSH=0.2)}, True),
        ({"labs": hormones(testosterone=700, LH=0.1, FSH=0.4)}, False),
        ({"labs": hormones(testosterone=700, LH=0.4, FSH=0.1)}, False),
        ({"labs": hormones(testosterone=200, LH=0.1, FSH=0.2)}, False),
        ({"labs": hormones(LH=0.1, FSH=0.2)}, False),
        ({"labs": hormones(testosterone=700, LH=0.1, FSH=0.2), "drugs": ["testosterone gel 50 mg daily"]}, False),
    ],
)
def test_absent_gonadotropins_with_testosterone_ask_for_androgens(given, asked):
    done = complete(man(**given))
    assert any("another androgen" in sentence for sentence in done.contradictions) == asked
    if asked:
        assert done.condition == "eugonadal"


def test_a_far_value_informs_the_others_as_one_at_three_standard_deviations():
    before = population_prior.prior(45, 27)
    i = before.names.index("LH")
    sd, reach = population_prior.standard_deviations(before)[i], population().informs_within.value
    assert reach == 3
    edge = float(np.exp(before.mean[i] - reach * sd))
    at_edge, beyond, inside = (
        population_prior.typical(population_prior.condition_on(before, {"LH": edge * share}))
        for share in (1.0, 0.1, 1.5)
    )
    assert beyond["LH"] == pytest.approx(edge / 10)
    others = [name for name in before.names if name != "LH"]
    assert [beyond[name] for name in others] == pytest.approx([at_edge[name] for name in others])
    assert inside["FSH"] > 1.1 * at_edge["FSH"]


def test_draws_of_a_far_value_stay_with_their_median_man():
    done = complete(man(BMI=27, labs=hormones(LH=0.1)))
    drawn = draw(done, np.random.default_rng(4), 4000)
    assert done.reference["sperm_concentration"] < 200
    for name in ("FSH", "inhibin_B", "sperm_concentration"):
        assert np.median(drawn.reference[name]) == pytest.approx(done.reference[name], rel=0.06)
    assert np.median(drawn.reference["LH"]) == pytest.approx(0.1, rel=0.02)


def test_a_value_of_none_counts_as_its_floor_and_is_said():
    done = complete(man(labs=hormones(LH=0)))
    assert done.reference["LH"] == done.measured["LH"] == population_prior.floor("LH") > 0
    assert any("LH 0 IU/L" in note and "stands for none" in note for note in done.notes)
    assert not any("stands for none" in note for note in complete(man(labs=hormones(LH=0.06))).notes)
    # the assay prints something where there is nothing
    below_offset = complete(man(labs=[{"analyte": "estradiol", "value": "1 pg/mL", "assay": "immunoassay"}]))
    assert below_offset.reference["estradiol"] == population_prior.floor("estradiol")
    # with a lesion there may be none, and his own value stays apart
    assert complete(man(condition="hypogonadotropic", labs=hormones(LH=0))).measured["LH"] == 0


def test_several_values_are_averaged_and_said():
    done = complete(man(labs=[{"analyte": "FSH", "value": "4 IU/L"}, {"analyte": "FSH", "value": "9 IU/L"}]))
    assert done.reference["FSH"] == pytest.approx(6)
    assert any("2 values of FSH are averaged" in sentence for sentence in done.converted)


def test_azoospermia_is_an_ordinary_input():
    done = complete(man(semen=[{"concentration": "0 10^6/mL", "volume": "2.5 mL"}]))
    assert done.reference["sperm_concentration"] == 0
    assert all(np.isfinite(value) for value in done.reference.values())
    assert done.reference["FSH"] > complete(man()).reference["FSH"]
    assert np.all(draw(done, np.random.default_rng(1), 50).reference["sperm_concentration"] == 0)


def test_what_is_missing_follows_what_the_assay_leaves_open():
    done = complete(man(BMI=27, condition="eugonadal", labs=[LAB]))
    drawn = draw(done, np.random.default_rng(2), 4000)
    assert np.array_equal(drawn.reference["testosterone"], drawn.measured["testosterone"])
    log_T, log_SHBG = (np.log(drawn.reference[name]) for name in ("testosterone", "SHBG"))
    assert np.std(log_T) == pytest.approx(laboratory.constants().testosterone_immunoassay_spread, rel=0.05)
    # the slope of SHBG on testosterone among men: r s_SHBG / s_T, spreads and correlation of the population
    quantities = population().quantities
    slope = 0.6 * quantities["SHBG"].spread.value / quantities["testosterone"].spread.value
    assert np.polyfit(log_T, log_SHBG, 1)[0] == pytest.approx(slope, abs=0.12)
    exact = draw(complete(man(BMI=27, labs=[LAB | {"assay": "LC-MS/MS"}])), np.random.default_rng(2), 10)
    assert np.ptp(exact.reference["testosterone"]) == 0


def test_two_of_three_give_the_third():
    done = complete(
        man(
            labs=[
                {"analyte": "testosterone", "value": "5.9 nmol/L"},
                {"analyte": "free_testosterone", "value": "163 pmol/L"},
            ]
        )
    )
    assert 10 < done.measured["SHBG"] < 20
    assert any("SHBG" in sentence and "follows" in sentence for sentence in done.converted)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {
                "labs": [
                    LAB,
                    {"analyte": "SHBG", "value": "30 nmol/L"},
                    {"analyte": "free_testosterone", "value": "240 pg/mL"},
                ]
            },
            "does not fit total testosterone",
        ),
        ({"labs": [LAB, {"analyte": "bioavailable_testosterone", "value": "600 ng/dL"}]}, "exceeds total"),
        ({"height": "180 cm", "weight": "80 kg", "BMI": 33}, "does not fit height and weight"),
        ({"semen": [{"concentration": "0 10^6/mL", "total_motility": "40 %"}]}, "no sperm but a motility"),
        ({"labs": [LAB | {"value": "300 ng/dL"}, {"analyte": "estradiol", "value": "115 pg/mL"}]}, "is improbable"),
        ({"condition": "primary-failure", "labs": [{"analyte": "LH", "value": "2 IU/L"}]}, "is unlike primary-failure"),
        ({"condition": "agonadal", "semen": [{"concentration": "20 10^6/mL", "volume": "3 mL"}]}, "is unlike agonadal"),
    ],
)
def test_contradictions_are_reported(given, words):
    assert any(words in sentence for sentence in complete(man(**given)).contradictions)


@pytest.mark.parametrize("name", bundled())
def test_bundled_men_are_completed_without_contradiction(name):
    done = complete(Subject.open(name))
    assert done.contradictions == ()
    assert done.subject.published
    assert done.subject.condition == done.condition


def test_the_bundled_men_are_the_published_ones():
    assert set(bundled()) == {
        *("older-man", "older-man-twice-weekly", "oligozoospermic-man", "obese-man", "aromatase-deficient-man"),
        *("obese-man-choosing", "man-on-testosterone", "trans-man", "young-man"),
        *("hypogonadotropic-man", "aromatase-excess-man"),
    }
    printed = {lab.analyte: lab.value for lab in Subject.open("older-man").labs}
    assert printed == {"testosterone": 343, "estradiol": 26, "LH": 5.1}


@pytest.mark.parametrize("condition", population_prior.conditions())
def test_a_lesion_keeps_measured_apart_from_reference(condition):
    labs = [LAB | {"value": "200 ng/dL"}]
    done = complete(man(condition=condition, labs=labs, BMI=27))
    lesion = population_prior.condition_named(condition).lesion
    assert bool(done.lesion) == bool(lesion)
    assert done.measured_is_reference == (not lesion)
    if lesion:
        assert done.reference["testosterone"] == pytest.approx(complete(man(BMI=27)).reference["testosterone"])
        assert done.measured["testosterone"] < done.reference["testosterone"]
    else:
        assert done.reference["testosterone"] == done.measured["testosterone"]


def test_drugs_keep_measured_apart_from_reference():
    done = complete(man(labs=[LAB | {"value": "700 ng/dL"}], drugs=["anastrozole 1 mg daily"]))
    assert not done.measured_is_reference
    assert done.reference["testosterone"] < done.measured["testosterone"]
    assert any("his drugs" in note for note in done.notes)


def test_there_are_the_nine_conditions():
    assert population_prior.conditions() == [
        *("eugonadal", "obese-hypogonadal", "ageing-low-testosterone", "oligozoospermic-subfertile"),
        *("primary-failure", "hypogonadotropic", "aromatase-deficient", "aromatase-excess", "agonadal"),
    ]
    assert population_prior.typical_lesion("agonadal") == {"leydig": 0.0, "sertoli": 0.0}


def test_the_age_is_needed():
    with pytest.raises(InputError, match="age is missing"):
        population_prior.prior(None)


# The population against published marginals (before any noise of the laboratory) ------------------------


@pytest.mark.parametrize(
    ("age", "name", "low", "high"),
    [
        (29, "testosterone", 430, 480),  # 531 in the morning over the rhythm
        (77, "testosterone", 310, 360),  # 13.1 (SD 4.9) nmol/L in the morning on LC-MS/MS, median about 354
        (77, "estradiol", 17, 22),  # 73 (SD 29) pmol/L
        (49, "estradiol", 22, 28),  # 28 (SD 10)
        (77, "SHBG", 35, 46),  # 42 (SD 17)
        (45, "LH", 3.8, 4.8),  # 4.2 in adult men
        (45, "FSH", 4.0, 6.0),  # 5.6 in adult men, 4.5 assumed earlier
        (75, "bmd_hip", 0.93, 0.99),  # 0.961
    ],
)
def test_medians_lie_where_published(age, name, low, high):
    typical = population_prior.typical(population_prior.prior(age))
    assert low < typical[name] < high


def test_testosterone_goes_with_SHBG_as_published():
    drawn = population_prior.draw(population_prior.prior(77, 26.5), np.random.default_rng(3), 4000)
    r = np.corrcoef(np.log(drawn["testosterone"]), np.log(drawn["SHBG"]))[0, 1]
    assert r == pytest.approx(0.6, abs=0.04)


def test_body_mass_joins_when_it_is_missing():
    drawn = population_prior.draw(population_prior.prior(50), np.random.default_rng(3), 4000)
    assert np.corrcoef(drawn["BMI"], drawn["fat_mass"])[0, 1] > 0.8
    assert np.corrcoef(drawn["BMI"], np.log(drawn["testosterone"]))[0, 1] < -0.3
    assert 20 < np.percentile(drawn["BMI"], 2.5) < np.percentile(drawn["BMI"], 97.5) < 40


def test_every_number_of_the_population_is_sourced():
    assert population().quantities  # loading checks sources, notes, names, units and correlations


# Z-scores and fracture --------------------------------------------------------------------------------

SURVEY = {  # mean and SD by the middle of the decade, as the survey's table prints them
    "bmd_spine": {25: (1.057, 0.110), 35: (1.042, 0.117), 45: (1.051, 0.129), 55: (1.053, 0.143), 65: (1.070, 0.142),
                  75: (1.068, 0.177)},
    "bmd_hip": {25: (1.067, 0.120), 35: (1.029, 0.134), 45: (1.040, 0.130), 55: (1.015, 0.142), 65: (0.997, 0.137),
                75: (0.961, 0.143)},
}  # fmt: skip


@pytest.mark.parametrize("site", SURVEY)
def test_density_by_age_is_that_of_the_survey(site):
    ages = np.array(list(SURVEY[site]))
    mean, sd = population_prior.density_reference(site, ages)
    printed = np.array(list(SURVEY[site].values())).T
    assert mean == pytest.approx(printed[0], abs=1e-9)
    assert sd == pytest.approx(printed[1], rel=0.015)
    between = population_prior.density_reference(site, 50.0)
    assert between[0] == pytest.approx((mean[2] + mean[3]) / 2)
    assert population_prior.density_reference(site, 95.0)[0] == mean[-1]


def test_an_unknown_site_is_refused():
    with pytest.raises(InputError, match='did you mean "bmd_hip"'):
        population_prior.density_reference("bmd_hips", 50)


def test_z_scores_of_a_man_rest_on_the_survey():
    scans = [
        {"site": "spine", "bmd": "1.070 g/cm2", "device": "Hologic"},
        {"site": "hip", "bmd": "0.860 g/cm2", "device": "Hologic"},
    ]
    values = simulate(man(age=65, dxa=scans), ["none for 10 years"])[0].quantities.values
    assert values["z_score_spine"][0] == pytest.approx(0, abs=0.01)
    assert values["z_score_hip"][0] == pytest.approx(-1, abs=0.01)  # 0.137 below 0.997
    mean, sd = population_prior.density_reference("bmd_hip", 75.0)
    assert values["z_score_hip"][-1] == pytest.approx((values["bmd_hip"][-1] - mean) / sd, abs=0.01)


def test_fracture_risk_follows_density_and_survives_no_estradiol():
    r = outputs.bone_reference()
    hazard = [-np.log(1 - bone.fracture_risk(z, 70.0, 25.0, r)) for z in (0.0, -1.0)]
    assert hazard[1] / hazard[0] == pytest.approx(r.fracture_per_sd)
    assert hazard[0] == pytest.approx(-np.log(1 - bone.fracture_risk(0.0, 70.0, 1000.0, r)), rel=0.02)
    none = -np.log(1 - bone.fracture_risk(0.0, 70.0, 0.0, r))
    assert none == pytest.approx(hazard[0] * (1 + r.fracture_estradiol_excess), rel=0.02)
    # one year ahead at the age of the cohort is its rate of any fracture
    year = -np.log(1 - bone.fracture_risk(0.0, r.fracture_age, 1000.0, r._replace(fracture_years=0.01))) / 0.01
    assert year == pytest.approx(r.fracture_rate, rel=1e-3)
