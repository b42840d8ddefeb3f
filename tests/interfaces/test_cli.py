"""The verbs of the command line: what they print, write and return."""

import csv
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from trajectories import trajectory

import leydig
from leydig import bibliography
from leydig.cli import main, shell
from leydig.cli import population as many_men
from leydig.cli.options import horizon, weekday
from leydig.errors import ModelWarning
from leydig.studies import simulate as study
from leydig.subject import Subject

PLAN = "anastrozole 1 mg daily for 4 weeks"
RUN = ["simulate", "older-man", "--protocol", PLAN]
VERBS = ("simulate", "population", "trial", "reproduce", "meta", "evidence", "new", "cite", "doctor")
ONE_RUN = {
    *("subject", "protocol", "time", "quantities", "laboratory", "sources", "status", "draws", "failed_draws"),
    *("seed", "assumed", "remarks", "digests", "flags", "evidence", "alternatives"),
}
# What must not be loaded for help; typer itself loads pydantic.
HEAVY = ("numpy", "scipy", "sympy", "xarray", "matplotlib", "numba", "duckdb", "pint", "yaml", "jinja2", "rich")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Every test works in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def asked(monkeypatch):
    """A study that computes nothing: what it was asked for, and the runs that it answers with."""
    seen = {"runs": [trajectory(PLAN, length=28)]}

    def answer(subject, protocols, **options):
        seen.update(subject=subject, protocols=protocols, **options)
        return seen["runs"]

    monkeypatch.setattr(study, "simulate", answer)
    monkeypatch.setattr(many_men, "run", lambda **options: seen.update(options) or 0)
    return seen


def process(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "leydig", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)


# Help -----------------------------------------------------------------------------------------------


def test_help_names_every_verb_and_the_exit_codes(capsys):
    for arguments in ([], ["--help"], ["-h"]):
        assert main(arguments) == 0
        shown = capsys.readouterr().out
        assert re.findall(r"^  (\w+)  ", shown, re.MULTILINE) == list(VERBS)
        assert "Exit codes: 0 done" in shown
        assert "Not medical advice and not a medical device." in shown


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_that_can_be_run(verb, asked, capsys, small):
    assert main([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    examples = [line.strip() for line in shown.splitlines() if line.strip().startswith("leydig ")]
    assert examples and "Example" in shown and "--json" in shown
    Path("man.yaml").write_text("age: 40\n", encoding="utf-8")
    Path("report").mkdir()
    Path("report/trajectory.json").write_text('{"sources": []}', encoding="utf-8")
    for example in examples:
        arguments = shlex.split(example)[1:]
        if verb == "new":
            Path("man.yaml").unlink()
        assert main(arguments) == 0, capsys.readouterr().err


def test_help_and_the_package_import_nothing_slow():
    program = (
        "import sys, leydig\nfrom leydig.cli import main\n"
        "assert main(['--help']) == 0 and main(['simulate', '--help']) == 0\n"
        f"print(sorted(set(sys.modules) & set({HEAVY!r})), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == "[]\n"


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"leydig {leydig.__version__}\n"


# Python's face --------------------------------------------------------------------------------------


def test_the_public_names_are_few_and_there():
    assert len(leydig.__all__) <= 20
    assert all(getattr(leydig, name) is not None for name in leydig.__all__)
    assert set(leydig.__all__) <= set(dir(leydig))
    assert leydig.Subject is Subject
    with pytest.raises(AttributeError, match="no attribute 'Subjekt'"):
        _ = leydig.Subjekt


# simulate -------------------------------------------------------------------------------------------


def test_json_is_one_object_and_nothing_else(capsys):
    assert main([*RUN, "--json"]) == 0
    printed = capsys.readouterr()
    run = json.loads(printed.out)
    assert printed.err == ""
    assert set(run) == ONE_RUN | {"files", "warnings"}
    assert (run["protocol"], run["status"], run["files"], run["warnings"]) == (PLAN, "done", [], [])
    days = run["time"]["values"]
    assert run["time"]["unit"] == "d" and days[0] == 0 and days[-1] == 28
    assert all(0 < later - earlier <= 1 for earlier, later in pairwise(days))
    for name in ("testosterone", "estradiol", "LH", "FSH", "sperm_concentration", "bmd_spine", "CTX", "anastrozole"):
        quantity = run["quantities"][name]
        assert len(quantity["values"]) == len(days) and None not in quantity["values"]
    assert run["quantities"]["testosterone"]["unit"] == "ng/dL"
    assert run["laboratory"]["testosterone"]["values"][0] == pytest.approx(343, rel=0.01)
    uses = "\n".join(source["used_for"] for source in run["sources"])
    assert "kinetics of anastrozole" in uses and "calibration of the fit" in uses and "population" in uses


def test_several_protocols_are_runs_side_by_side(capsys):
    assert main([*RUN, "--protocol", "none", "--days", "2 weeks", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [run["protocol"] for run in shown["runs"]] == [PLAN, "none"]
    assert all(set(run) == ONE_RUN and run["time"]["values"][-1] == 14 for run in shown["runs"])
    untreated = shown["runs"][1]["quantities"]["testosterone"]["values"]
    assert max(untreated) / min(untreated) < 1.001


def test_the_table_in_the_terminal(capsys):
    assert main(RUN) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("For research and teaching, not medical advice.") == 1
    rows = re.findall(r"^(\S.*?)  +\S", printed.out, re.MULTILINE)
    assert [row for row in rows if not row.startswith("older")] == [
        *("testosterone", "free testosterone", "estradiol", "T/E2", "LH", "FSH", "sperm", "motile sperm"),
        *("spine BMD, change", "hip BMD, change", "CTX"),
    ]
    assert re.search(r"unit +day 0 +4 weeks *\n", printed.out)
    assert re.search(r"^testosterone +ng/dL +343 ", printed.out, re.MULTILINE)
    assert max(map(len, printed.out.splitlines())) <= 80


def test_the_columns_of_a_long_run_and_its_bands(asked, capsys):
    asked["runs"] = [trajectory(length=364), trajectory("none", length=364, strength=0, width=0)]
    assert main(RUN) == 0
    shown = capsys.readouterr().out
    assert re.search(r"unit +day 0 +4 weeks +12 weeks +52 weeks", shown)
    assert "A: anastrozole 1 mg daily for 52 weeks" in shown and "B: none" in shown
    assert re.search(r"^ +480 to 612", shown, re.MULTILINE)
    assert "95" in shown and "200 joint draws" in shown


def test_options_reach_the_study(asked, capsys):
    assert main([*RUN, "--days", "2 years", "--bands", "--seed", "7", "--start-weekday", "thursday"]) == 0
    assert (asked["days"], asked["draws"], asked["seed"], asked["start_weekday"]) == (730.5, 200, 7, 3)
    asked["progress"](1, 2)  # standard error is no terminal here, so nothing is shown
    shell.pressed.set()  # Ctrl-C whose exception got lost in a library is heard at the next step
    with pytest.raises(KeyboardInterrupt):
        asked["progress"](2, 2)
    shell.pressed.clear()
    assert main([*RUN, "--draws", "300"]) == 0
    assert (asked["days"], asked["draws"], asked["seed"], asked["start_weekday"]) == (None, 300, 0, None)
    assert asked["subject"] == Subject.open("older-man")
    assert [plan.text() for plan in asked["protocols"]] == [PLAN]
    capsys.readouterr()


@pytest.mark.parametrize(
    ("text", "days"), [("365", 365), ("0.5 years", 182.625), ("2 weeks", 14), ("2weeks", 14), ("1 MONTH", 30.4375)]
)
def test_horizons(text, days):
    assert horizon("--days", text) == days


@pytest.mark.parametrize(("text", "number"), [("Mon", 0), ("sun", 6), ("Wednesday", 2)])
def test_weekdays(text, number):
    assert weekday("--start-weekday", text) == number


def test_an_unusual_dose_is_warned_of_once(asked, capsys):
    arguments = ["simulate", "older-man", "--protocol", "anastrozole 20 mg daily for 4 weeks", "--json"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    (sentence,) = json.loads(printed.out)["warnings"]
    assert sentence.startswith("anastrozole 20 mg is outside the usual range")
    assert printed.err == f"warning: {sentence}\n"


def test_other_warnings_are_not_swallowed(asked, monkeypatch, capsys):
    def answer(*arguments, **options):
        warnings.warn("of another kind", UserWarning, stacklevel=2)
        warnings.warn("of the model", ModelWarning, stacklevel=2)
        return asked["runs"]

    monkeypatch.setattr(study, "simulate", answer)
    with pytest.warns(UserWarning, match="of another kind"):
        assert main([*RUN, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == ["of the model"]


def test_remarks_are_part_of_the_answer(asked, capsys):
    asked["runs"] = [trajectory(remarks=("free testosterone does not fit",))]
    assert main(RUN) == 0
    assert "remark: free testosterone does not fit\n" in capsys.readouterr().out


def test_a_solver_failure_is_exit_code_one_and_still_shown(asked, capsys):
    failed = replace(trajectory(PLAN, length=28), status="the solver needed more steps than allowed before the end")
    asked["runs"] = [failed]
    assert main([*RUN, "--json", "--out", "run.csv"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["status"] == failed.status
    assert printed.err == f"error: {PLAN}: {failed.status}\n"
    assert Path("run.csv").exists()


def test_a_folder_gets_the_report_and_the_data(asked, capsys):
    assert main([*RUN, "--out", "made/here"]) == 0
    names = ["report.html", "trajectory.json", "trajectory.csv"]
    assert sorted(path.name for path in Path("made/here").iterdir()) == sorted(names)
    assert all(f"written: made/here/{name}\n" in capsys.readouterr().out for name in names[:1])
    assert Path("made/here/report.html").read_text(encoding="utf-8").startswith("<!")
    assert set(json.loads(Path("made/here/trajectory.json").read_text(encoding="utf-8"))) == ONE_RUN
    with Path("made/here/trajectory.csv").open(encoding="utf-8") as file:
        assert {row["protocol"] for row in csv.DictReader(file)} == {PLAN}


@pytest.mark.parametrize("suffix", [".json", ".csv", ".parquet", ".nc", ".html", ".CSV"])
def test_one_file_by_its_suffix(suffix, asked, capsys):
    assert main([*RUN, "--out", f"run{suffix}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == [f"run{suffix}"]
    assert [path.name for path in Path().iterdir()] == [f"run{suffix}"]
    assert Path(f"run{suffix}").stat().st_size > 500


def test_a_folder_may_have_a_point_in_its_name(asked, capsys):
    assert main([*RUN, "--out", "run.v2/"]) == 0
    assert main([*RUN, "--out", "run.v2"]) == 0
    assert len(list(Path("run.v2").iterdir())) == 3


def test_when_one_file_fails_the_folder_stays_as_it_was(asked, monkeypatch, capsys):
    assert main([*RUN, "--out", "made"]) == 0
    before = {path: path.read_bytes() for path in Path("made").iterdir()}
    asked["runs"] = [trajectory("none", length=28)]

    def full(trajectories, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("leydig.io.tables._write_csv", full)
    capsys.readouterr()
    assert main([*RUN, "--out", "made"]) != 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ") and "No space left on device" in printed.err
    assert {path: path.read_bytes() for path in Path("made").iterdir()} == before


def test_interruption_leaves_nothing(asked, monkeypatch, capsys):
    def interrupted(trajectories, path):
        raise KeyboardInterrupt

    monkeypatch.setattr("leydig.io.tables._write_csv", interrupted)
    Path("made").mkdir()
    assert main([*RUN, "--out", "made"]) == 130
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "interrupted: nothing was left half-written\n")
    assert list(Path("made").iterdir()) == []


def test_control_c_during_a_long_run():
    command = [sys.executable, "-m", "leydig", *RUN, "--bands", "--days", "10 years", "--out", "made.json"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(4)  # past the imports; the run itself takes minutes
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert err == "interrupted: nothing was left half-written\n"
    assert list(Path().iterdir()) == []


def test_a_reader_that_goes_away_is_no_error():
    command = [sys.executable, "-m", "leydig", *RUN, "--json"]
    reader, writer = os.pipe()
    running = subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    os.close(reader)
    assert running.communicate(timeout=120)[1] == ""
    assert running.returncode == 141


def test_the_installed_command_runs_a_man_of_his_own():
    assert process("new", "man.yaml").returncode == 0
    done = process("simulate", "man.yaml", "--protocol", "none for 2 weeks", "--json", env={**os.environ, "LANG": "C"})
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["status"] == "done"


# new ------------------------------------------------------------------------------------------------


def test_new_writes_a_man_that_can_be_read(capsys):
    assert main(["new"]) == 0
    assert capsys.readouterr().out.startswith("man.yaml is written.")
    man = Subject.from_file("man.yaml")
    assert man.age > 0
    text = Path("man.yaml").read_text(encoding="utf-8")
    assert all(f"{key}:" in text for key in ("labs", "semen", "dxa", "drugs", "condition", "height", "weight"))
    assert text.count("#") > 10


def test_new_overwrites_only_when_told_to(capsys):
    Path("he.yaml").write_text("age: 40\n", encoding="utf-8")
    assert main(["new", "he.yaml"]) == 2
    assert Path("he.yaml").read_text(encoding="utf-8") == "age: 40\n"
    capsys.readouterr()
    assert main(["new", "he.yaml", "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": "he.yaml"}
    assert Path("he.yaml").read_text(encoding="utf-8") == Subject.template()


# cite -----------------------------------------------------------------------------------------------


def cited(capsys, *arguments: str) -> str:
    assert main(["cite", *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out


def test_the_sources_of_a_run_and_of_its_file_agree(capsys):
    assert main([*RUN, "--out", "run.json"]) == 0
    capsys.readouterr()
    of_file = json.loads(cited(capsys, "run.json", "--json"))["sources"]
    of_man = json.loads(cited(capsys, "older-man", "--protocol", PLAN, "--json"))["sources"]
    assert of_file == of_man
    assert [source["key"] for source in of_man] == sorted({source["key"] for source in of_man})
    known = bibliography.bibliography()
    for source in of_man:
        assert source["verification"] == known[source["key"]].verification
        assert source["verification"] not in bibliography.UNUSABLE


def test_a_drug_brings_its_own_sources(capsys):
    def keys(*protocols: str) -> set[str]:
        plans = [part for text in protocols for part in ("--protocol", text)]
        return {source["key"] for source in json.loads(cited(capsys, "older-man", *plans, "--json"))["sources"]}

    untreated, later = keys("none"), keys("none for 60 weeks then letrozole 2.5 mg weekly for 1 week")
    assert untreated < later
    assert keys("none", "letrozole 2.5 mg weekly") == later


def test_the_bibliography_as_text_and_as_bibtex(capsys):
    text = cited(capsys, "older-man", "--protocol", PLAN)
    assert re.search(r"\(\d{4}\)\..* \[abstract\]\n    used for: .*kinetics of anastrozole", text)
    count = int(re.findall(r"(\d+) sources by how their numbers were seen: abstract \d+", text)[0])
    assert text.count("    used for: ") == count
    entries = bibliography.parse_bib(cited(capsys, "older-man", "--protocol", PLAN, "--bibtex"), "printed")
    known = bibliography.bibliography()
    assert len(entries) == count and all(known[key] == entry for key, entry in entries.items())


def test_the_sources_of_several_runs_stand_once(capsys):
    source = {"key": "leder2004", "reference": "Leder.", "verification": "abstract", "used_for": "this"}
    runs = {"runs": [{"sources": [source]}, {"sources": [source | {"used_for": "that"}, source]}]}
    Path("runs.json").write_text(json.dumps(runs), encoding="utf-8")
    assert json.loads(cited(capsys, "runs.json", "--json"))["sources"] == [source | {"used_for": "this; that"}]


# doctor ---------------------------------------------------------------------------------------------


def test_the_doctor_finds_this_installation_well(capsys):
    assert main(["doctor", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["works"] is True and shown["leydig"] == leydig.__version__
    assert [check["name"] for check in shown["checks"]] == [
        *("Python", "libraries", "data files", "cache folder", "equations", "a short run"),
    ]


def test_the_doctor_says_what_is_broken(monkeypatch, asked, capsys):
    def broken():
        raise RuntimeError("the disk\nis gone")

    monkeypatch.setattr("leydig.parameters.systems", broken)
    asked["runs"] = [replace(trajectory(PLAN, length=2), status="failed")]
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "FAILED  data files: RuntimeError: the disk is gone\n" in shown
    assert "FAILED  a short run: RuntimeError: failed\n" in shown
    assert shown.endswith("does not work here.\n")
