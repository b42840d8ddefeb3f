"""``leydig simulate --samples``: what a laboratory would print at visits, with its noise."""

import json
import re

import numpy as np
import pytest

import leydig
from leydig.cli import main
from leydig.errors import InputError
from leydig.studies import observe

MAN, DRUG = "older-man", "anastrozole 1 mg daily for 26 weeks"


def answer(capsys, *more):
    assert main(["simulate", MAN, "--protocol", DRUG, "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_visit_has_a_reading_of_every_test_beside_the_one_without_noise(capsys):
    found = answer(capsys, "--samples", "at weeks 0, 6 or every 3 months until 26 weeks")["samples"]
    assert found["visits"] == "at weeks 0, 6 or every 3 months until 26 weeks"
    assert found["days"] == pytest.approx([0, 42, 91.3125])
    shown = ("testosterone", "estradiol", "LH", "hematocrit", "sperm_concentration", "testosterone_estradiol_ratio")
    for name in shown:
        one = found["readings"][name]
        assert len(one["values"]) == len(one["below"]) == len(one["without_noise"]) == 3
        assert one["values"] != one["without_noise"]
    testosterone = found["readings"]["testosterone"]
    assert testosterone["assay"] == "immunoassay" and testosterone["unit"] == "ng/dL"
    assert testosterone["without_noise"][0] == pytest.approx(343, rel=0.01), "his kit prints what was measured"
    fall, rise = testosterone["reference_change_percent"]
    assert -45 < fall < -25 and 40 < rise < 75


def test_readings_scatter_as_observe_says():
    found = leydig.simulate(MAN, ["none for 2 years"], samples="every 1 week")[0].samples["readings"]
    for name in ("testosterone", "LH"):
        one = found[name]
        logs = np.log(np.array(one["values"]) / np.array(one["without_noise"]))
        expected = float(np.hypot(observe.within_man(name), observe.analytical(name, "immunoassay")))
        assert len(logs) == 105
        assert logs.std() == pytest.approx(expected, rel=0.25)  # 3.5 standard errors of an SD of 105


def test_the_run_itself_is_what_it_is_without_samples(capsys):
    alone, sampled = answer(capsys), answer(capsys, "--samples", "every 6 weeks")
    assert "samples" not in alone
    assert sampled["quantities"] == alone["quantities"]


def test_the_seed_decides_the_noise(capsys):
    def read(seed):
        found = answer(capsys, "--samples", "at week 6", "--seed", str(seed))["samples"]
        return found["readings"]["LH"]["values"]

    assert read(1) == read(1) != read(2)


def test_the_terminal_shows_readings_and_what_chance_does(capsys):
    assert main(["simulate", MAN, "--protocol", DRUG, "--samples", "at weeks 0, 12"]) == 0
    shown = capsys.readouterr().out
    assert "One reading at each visit" in shown and "chance" in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("every fortnight", "fortnight"),
        ("at week 90", "0 visits within 182 days"),
        ("at week 6 and every 4 weeks", 'write "at week 6 or every 4 weeks"'),
        ("every 10 minutes", "from 1 to 1,000"),
    ],
)
def test_bad_visits_are_one_sentence(text, said, capsys):
    assert main(["simulate", MAN, "--protocol", DRUG, "--samples", text]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and said in printed.err
    with pytest.raises(InputError):
        leydig.simulate(MAN, [DRUG], samples=text)


def test_a_visit_sees_the_blood_before_the_dose_as_a_titrated_visit_does(capsys):
    gel = "testosterone gel 40.5 mg daily for 4 weeks"
    (run,) = leydig.simulate(
        "obese-man", [f"{gel} + at weeks 2: if T > 1400 ng/dL then stop"], samples="at week 2", seed=3
    )
    decided = run.decisions[0]["readings"][0]
    sampled = run.samples["readings"]["testosterone"]
    assert decided["noise_free"] == pytest.approx(sampled["without_noise"][0], rel=1e-4)
    assert decided["observed"] == pytest.approx(sampled["values"][0], rel=1e-4)


def test_samples_of_a_titrated_man_are_of_the_doses_that_he_came_to():
    words = "anastrozole 1 mg daily for 26 weeks + at week 6: if T > 20 ng/dL then stop"
    (titrated,) = leydig.simulate(MAN, [words], samples="at week 20")
    (fixed,) = leydig.simulate(MAN, ["anastrozole 1 mg daily for 6 weeks"], days=182, samples="at week 20")
    after, untreated = (one.samples["readings"]["estradiol"]["without_noise"][0] for one in (titrated, fixed))
    assert after == pytest.approx(untreated, rel=0.02)


def test_a_quotient_over_less_than_a_limit_is_more(capsys):
    arguments = ["simulate", "young-man", "--protocol", "letrozole 2.5 mg daily for 12 weeks", "--samples", "at week 8"]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["samples"]["readings"]
    assert found["estradiol"]["below"] == [True] and found["testosterone_estradiol_ratio"]["below"] == [False]
    assert found["testosterone_estradiol_ratio"]["above"] == [True]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert re.search(r"estradiol +pg/mL +<5", shown) and re.search(r"T/E2 +>", shown)
