"""``leydig reproduce`` and files: what a trial from outside must keep, what is never written over, what is believed."""

import json
from pathlib import Path

import pytest
import yaml

from leydig.cli import main
from leydig.studies import reproduce_many

QUICK = ("--draws", "2", "--men", "32", "--workers", "1")
MARKS = ("\x1b", "\u202e")


def content() -> dict:
    outcome = {
        "quantity": "testosterone", "day": 14, "value": 800, "unit": "ng/dL", "spread": 200, "spread_kind": "SD",
        "n": 12, "where": "table 1", "seen": "fulltext",
    }  # fmt: skip
    return {
        "key": "mine2001", "citation": "nobody1999", "title": "Not in the package", "verification": "fulltext",
        "role": "validation", "reason": "Made for a test.",
        "population": {"text": "Men of 30 years", "n": 12, "age": 30, "BMI": 24},
        "arms": [
            {
                "name": "drug", "n": 12, "protocol": "anastrozole 1 mg daily for 2 weeks", "outcomes": [outcome],
                "baseline": {"testosterone": {"value": 550, "unit": "ng/dL", "spread": 150, "spread_kind": "SD"}},
            },
            {"name": "none", "n": 12, "protocol": "none for 2 weeks"},
        ],
    }  # fmt: skip


def saved(path: Path, trial: dict) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(trial), encoding="utf-8")
    return str(path)


# What a file of one's own must keep -----------------------------------------------------------------

POPULATION, ARM, OUTCOME = ("population",), ("arms", 0), ("arms", 0, "outcomes", 0)
CRITERION = {"quantity": "bmd_hip_change", "above": 1, "unit": "%"}
REFUSED = {
    "day 0": (OUTCOME, {"day": 0}, 'the testosterone on day 0 of the arm "drug" is no outcome'),
    "day that is 0 hours": (OUTCOME, {"day": 1e-9}, "is no outcome"),
    "ages reversed": (POPULATION, {"ages": [40, 20]}, '"ages" of the population must be the lowest, then the highest'),
    "mean age outside": (POPULATION, {"ages": [40, 60]}, 'the mean "age" 30 of the population must lie within'),
    "more men than the arm has": (OUTCOME, {"n": 13}, "has an n of 13; at most 12 men are in it"),
    "more men than both arms have": (OUTCOME, {"n": 25, "against": "none"}, "has an n of 25; at most 24 men"),
    "empty name": (ARM, {"name": " "}, "an arm has an empty name"),
    "interval beside its value": (
        OUTCOME,
        {"spread": [810, 900], "spread_kind": "CI95"},
        "800, must lie within its CI95, 810 to 900 ng/dL",
    ),
    "true for a number": (OUTCOME, {"value": True}, "must be a number, not true, in arms[0].outcomes[0].value of"),
    "criterion on a change": (
        POPULATION,
        {"criteria": [CRITERION]},
        "nobody can be let in by bmd_hip_change, which is a change under treatment; did you mean bmd_hip?",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_contradicts_itself_is_refused_in_one_sentence(case, tmp_path, capsys):
    where, new, sentence = REFUSED[case]
    trial = part = content()
    for step in where:
        part = part[step]
    part.update(new)
    path = saved(tmp_path / "own.yaml", trial)
    assert main(["reproduce", path, *QUICK, "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and sentence in printed.err
    assert not (tmp_path / "out").exists()


def test_limits_and_the_men_of_both_arms_belong_to_what_is_allowed(tmp_path, monkeypatch, capsys):
    trial = content()
    trial["population"]["ages"] = [30, 40]
    trial["arms"][0]["outcomes"][0] |= {"n": 24, "against": "none", "statistic": "ratio", "unit": "1", "fit": True}
    trial["arms"][0]["outcomes"][0] |= {"value": 1.5, "spread": [1.5, 2], "spread_kind": "CI95"}
    assert main(["reproduce", saved(tmp_path / "own.yaml", trial), *QUICK]) == 0


def test_a_criterion_that_is_not_computed_is_named(tmp_path, capsys):
    trial = content()
    trial["population"]["criteria"] = [{"quantity": "testis_volume", "above": 12, "unit": "mL"}]
    assert main(["reproduce", saved(tmp_path / "own.yaml", trial), *QUICK, "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)["trials"]
    assert "the criterion on testis_volume is not computed and was left out" in row["remarks"]


# What is written ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["trials/mine2001.json", "reproduce.json", "figures.csv", "report.html"])
def test_a_trial_is_not_written_over_by_its_own_result(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(reproduce_many, "reproduce", None)  # refused before anything is run
    path = Path(saved(tmp_path / "out" / name, content()))
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path / "out")
    assert main(["reproduce", f"./{name}", *QUICK, "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1 and "is a file to be read; choose another folder" in printed.err
    assert path.read_bytes() == before and [one for one in (tmp_path / "out").rglob("*") if one.is_file()] == [path]


def test_what_a_browser_would_obey_is_spelt_out_and_files_of_ones_own_are_counted(tmp_path, capsys):
    trial = content() | {"title": "\u202eti\x1b[31mtle", "reason": "\u202er"}
    trial["arms"][0]["name"] = "d\x1b[31m\u202ee"
    out = tmp_path / "out"
    assert main(["reproduce", saved(tmp_path / "own.yaml", trial), *QUICK, "--out", str(out)]) == 0
    assert "1 trial of these is from a file of yours." in capsys.readouterr().out
    for name in ("report.html", "figures.csv", "reproduce.json"):
        text = (out / name).read_text(encoding="utf-8")
        assert not any(mark in text for mark in MARKS) and "\\u202e" in text, name
    assert "1 trial of these is from a file of yours." in (out / "report.html").read_text(encoding="utf-8")
    answer = json.loads((out / "reproduce.json").read_text(encoding="utf-8"))
    assert answer["trials"][0]["title"] == trial["title"]  # as JSON spells it, nothing is lost


def test_results_of_another_run_are_not_replaced_in_silence(tmp_path, capsys):
    first, second = content(), content() | {"key": "other2002"}
    own, other = saved(tmp_path / "own.yaml", first), saved(tmp_path / "other.yaml", second)
    out = ("--out", str(tmp_path / "out"))
    for arguments, said in (((own, *QUICK), False), ((own, *QUICK), False), ((own, *QUICK, "--seed", "1"), True),
                            ((other, *QUICK), True)):  # fmt: skip
        assert main(["reproduce", *arguments, *out]) == 0
        assert ("holds results of another run" in capsys.readouterr().err) == said


@pytest.mark.parametrize("damage", ["[" * 100_000, "NaN", "-Infinity", "1e999"])
def test_a_damaged_result_is_not_believed(damage, tmp_path, monkeypatch, capsys):
    path, kept = saved(tmp_path / "own.yaml", content()), tmp_path / "out" / "trials" / "mine2001.json"
    command = ["reproduce", path, *QUICK, "--out", str(tmp_path / "out")]
    assert main(command) == 0
    whole = kept.read_text(encoding="utf-8")
    z = json.dumps(json.loads(whole)["scored"][0]["z"])
    assert f'"z": {z}' in whole
    kept.write_text(damage if damage[0] == "[" else whole.replace(f'"z": {z}', f'"z": {damage}'), encoding="utf-8")
    (tmp_path / "out" / "reproduce.json").write_text(damage, encoding="utf-8")
    capsys.readouterr()
    assert main(command) == 0
    assert "found finished" not in capsys.readouterr().err
    assert kept.read_text(encoding="utf-8") == whole


# Options --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--out", "--draws", "--role", "--seed", "--men", "--workers"])
def test_an_option_that_stands_twice_is_refused(option, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "leder2004", option, "2", option, "3"]) == 2
    assert capsys.readouterr().err == f"error: {option} stands 2 times; it may stand once\n"
    assert list(tmp_path.iterdir()) == []
