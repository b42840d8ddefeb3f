"""``leydig simulate`` with rules that change the dose: by option, in the protocol's text, from Python, in reports."""

import json

import numpy as np
import pytest

import leydig
from leydig.cli import main
from leydig.pharmacology.titration import RuleSet
from leydig.report import page, titration, treatment

BASE = "anastrozole 0.5 mg twice weekly"
RULES = "at weeks 4, 8, 12: if E2 < 15 pg/mL (LC-MS) then halve the dose; if E2 > 22 pg/mL (LC-MS) then double the dose"
KEYS = {
    *("visit_day", "effect_day", "readings", "rule", "action", "dose_before", "dose_after", "rule_without_noise"),
    "on_noise",
}


def asked(capfd, *arguments):
    assert main(["simulate", "obese-man", "--days", "16 weeks", "--json", *arguments]) == 0
    return json.loads(capfd.readouterr().out)


def test_every_decision_is_a_record(capfd):
    run = asked(capfd, "-p", BASE, "--titrate", RULES, "--seed", "3")
    assert run["protocol"] == f"{BASE} + {RuleSet.parse(RULES).text()}"
    assert [one["visit_day"] for one in run["decisions"]] == [28, 56, 84]
    assert [one["effect_day"] for one in run["decisions"]] == [31, 59, 87]
    doses = [run["decisions"][0]["dose_before"], *(one["dose_after"] for one in run["decisions"])]
    assert doses[0] == "0.5 mg twice weekly" and doses[-1] == run["titration"]["final_dose"]
    assert [one["dose_before"] for one in run["decisions"]] == doses[:-1]
    factor = {"halve the dose": 0.5, "double the dose": 2.0, None: 1.0}
    for one in run["decisions"]:
        assert {*one} == KEYS
        (reading,) = one["readings"]
        assert (reading["analyte"], reading["assay"], reading["hour"]) == ("estradiol", "LC-MS/MS", 8)
        printed, free = (
            "halve the dose" if value < 15 else "double the dose" if value > 22 else None
            for value in (reading["observed"], reading["noise_free"])
        )
        assert one["action"] == printed and one["on_noise"] == (printed != free)
        before, after = (float(words.split()[0]) for words in (one["dose_before"], one["dose_after"]))
        assert after == before * factor[printed]


def test_the_noise_free_reading_is_the_mans_own_value(capfd):
    """A short run shows the values themselves."""
    assert main(["simulate", "obese-man", "-p", "anastrozole 1 mg daily", "--days", "14", "--json", "--titrate",
                 "at day 7: if E2 < 10 pg/mL (LC-MS) then stop; if LH > 40 IU/L then stop"]) == 0  # fmt: skip
    run = json.loads(capfd.readouterr().out)
    place = run["time"]["values"].index(7)
    for reading in run["decisions"][0]["readings"]:
        panel = "quantities" if reading["assay"] == "LC-MS/MS" else "laboratory"
        wanted = run[panel][reading["analyte"]]["values"][place]
        assert reading["noise_free"] == pytest.approx(wanted, rel=1e-4) and reading["observed"] != reading["noise_free"]


def test_rules_may_stand_in_the_protocol_and_other_protocols_stay_as_they_are(capfd):
    by_option = asked(capfd, "-p", BASE, "-p", "none", "--titrate", RULES)
    in_words = asked(capfd, "-p", f"{BASE} + {RULES}", "-p", BASE, "-p", "none")
    assert by_option["runs"][0] == in_words["runs"][0] and by_option["runs"][1] == in_words["runs"][2]
    plain = asked(capfd, "-p", BASE)
    assert plain == in_words["runs"][1] | {"files": [], "warnings": []}
    assert "decisions" not in plain and "titration" not in plain
    assert len({run["protocol"] for run in in_words["runs"]}) == 3


def test_the_seed_decides_the_noise(capfd):
    def observed(seed):
        run = asked(capfd, "-p", BASE, "--titrate", RULES, "--seed", seed)
        return [one["readings"][0]["observed"] for one in run["decisions"]]

    assert observed("3") == observed("3") != observed("4")


def test_a_bundled_set_is_known_by_its_name(capfd):
    run = asked(capfd, "-p", "anastrozole 1 mg daily", "--titrate", "estradiol-safety")
    assert run["protocol"] == "anastrozole 1 mg daily + titrate estradiol-safety"
    assert run["titration"]["name"] == "estradiol-safety" and run["titration"]["sources"] == ["finkelstein2016"]
    used = {source["key"]: source["used_for"] for source in run["sources"]}
    assert "rules of the titration" in used["finkelstein2016"] and list(used) == sorted(used)
    assert asked(capfd, "-p", run["protocol"])["decisions"] == run["decisions"]


def test_the_terminal_shows_the_log(capfd):
    assert main(["simulate", "obese-man", "-p", BASE, "--titrate", RULES, "--days", "16 weeks"]) == 0
    shown = " ".join(capfd.readouterr().out.split())
    assert "Week 4: estradiol by LC-MS/MS" in shown and "without noise)" in shown
    assert "3 visits," in shown and "Last prescribed:" in shown


def test_draws_are_titrated_on_their_own_values():
    first, again = (
        leydig.simulate("obese-man", [BASE, f"{BASE} + {RULES}"], days=112, draws=6, seed=2) for _ in range(2)
    )
    fixed, run = first
    drawn = run.titration["draws"]
    assert sum(drawn["final_doses"].values()) == 6 and drawn["decisions"] == 18
    assert len(drawn["final_doses"]) > 1
    assert run.decisions == again[1].decisions and run.titration == again[1].titration
    np.testing.assert_array_equal(run.quantities.upper["estradiol"], again[1].quantities.upper["estradiol"])
    before = slice(0, 31)  # until the first change both are one run
    np.testing.assert_allclose(run.quantities.upper["LH"][before], fixed.quantities.upper["LH"][before], rtol=1e-3)
    assert not np.allclose(run.quantities.upper["LH"][60:], fixed.quantities.upper["LH"][60:], rtol=1e-2)
    assert "6 draws of him" in titration.summary(run)


def test_findings_that_contradict_are_titrated_too():
    run = leydig.simulate("obese-man", [f"{BASE} + {RULES}"], days=112)[0]
    assert run.alternatives and run.status == "done"


def test_the_report_tells_it_in_plain_words(tmp_path):
    runs = leydig.simulate("obese-man", [f"{BASE} + {RULES}", "none"], days=112, seed=3)
    html = page.html(runs)
    assert 'id="titration"' in html and "How his dose was changed" in html
    assert "if estradiol &lt; 15 pg/mL (LC-MS/MS) then halve the dose" in html
    assert "without noise" in html and "Last prescribed" in html
    assert treatment.phase(runs[0], 40.0) == "on treatment"  # the rules do not hide the course
    assert 'id="titration"' not in page.html(runs[1:])
    assert runs[0].dataset().attrs["protocol"] == runs[0].protocol


def test_a_man_who_is_stopped_is_said_to_be():
    rules = "at week 4: if E2 > 1 pg/mL (LC-MS) then stop"
    run = leydig.simulate("obese-man", [f"{BASE} + {rules}"], days=112)[0]
    assert run.titration["final_dose"] == "stopped" and run.decisions[0]["dose_after"] == "stopped"
    estradiol = run.quantities.values["estradiol"]
    assert estradiol[28] < 0.9 * estradiol[0] and estradiol[-1] > 0.97 * estradiol[0]
    assert treatment.phase(run, 20.0) == "on treatment" and treatment.phase(run, 80.0) != "on treatment"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-p", BASE, "--titrate", "nonsense"], "bundled: anastrozole-estradiol-range, "),
        (["-p", BASE, "--titrate", "estradiol-safty"], 'did you mean "estradiol-safety"'),
        (["-p", "none", "--titrate", "estradiol-safety"], "which no protocol without its own rules gives"),
        (["-p", BASE, "--titrate", "if E2 < 15 then halve the dose"], "needs a unit"),
        (["-p", f"{BASE} + if E3 < 15 pg/mL then stop"], 'error: protocol, at word 8 "E3"'),
        (["-p", BASE, "--titrate", RULES, "--minutes", "24h"], "--titrate"),
    ],
)
def test_what_cannot_be_titrated_is_one_sentence(arguments, said, capfd):
    assert main(["simulate", "obese-man", *arguments]) == 2
    shown = capfd.readouterr()
    assert shown.out == "" and said in shown.err and shown.err.count("error: ") == 1 and "Traceback" not in shown.err


def test_cite_names_the_sources_of_a_titrated_protocol(capfd):
    assert main(["cite", "obese-man", "-p", "anastrozole 1 mg daily + titrate estradiol-safety", "--json"]) == 0
    used = {source["key"]: source["used_for"] for source in json.loads(capfd.readouterr().out)["sources"]}
    assert "rules of the titration" in used["finkelstein2016"]
