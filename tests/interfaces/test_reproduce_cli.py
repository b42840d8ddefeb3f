"""``leydig reproduce``: what it prints and writes, trials from outside, going on after a stop, and what is refused."""

import csv
import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import pytest
import yaml

from leydig.cli import main
from leydig.errors import InputError
from leydig.evidence import Trial, trials
from leydig.files import DATA
from leydig.studies import reproduce_many
from leydig.studies.reproduce_entries import check_comparable

QUICK = ("--draws", "2", "--men", "32", "--workers", "1")
OUTSIDE = """
key: {key}
citation: nobody1999
title: A trial that is not in the package
verification: fulltext
role: {role}
reason: Made for a test.
population: {{text: Men of 30 years, n: 12, age: 30, BMI: 24}}
assay: {{testosterone: LC-MS/MS}}
arms:
  - name: {drug}
    n: 12
    baseline:
      testosterone: {{value: 550, unit: ng/dL, spread: 150, spread_kind: SD}}
    protocol: {drug} 1 mg daily for 2 weeks
    outcomes:
      - {{quantity: testosterone, day: 14, value: 800, unit: ng/dL, spread: 200, spread_kind: SD, n: 12,
         where: table 1, seen: fulltext}}
      - {{quantity: estradiol, day: 14, value: -50, unit: "%", statistic: percent_change, where: text, seen: fulltext}}
deviations: ["<script>alert(1)</script>"]
"""


def outside(folder: Path, key: str = "mine2001", role: str = "validation", drug: str = "anastrozole") -> str:
    path = folder / f"{key}.yaml"
    path.write_text(OUTSIDE.format(key=key, role=role, drug=drug), encoding="utf-8")
    return str(path)


def sums(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> list[str]:
    """Two small trials in files."""
    folder = tmp_path_factory.mktemp("files")
    return [outside(folder), outside(folder, "other2002", "calibration", "letrozole")]


@pytest.fixture(scope="module")
def undisturbed(two, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "out"
    assert main(["reproduce", *two, *QUICK, "--out", str(folder)]) == 0
    return folder


# What is printed ------------------------------------------------------------------------------------


def test_json_is_one_object_with_the_fixed_words(two, capsys):
    assert main(["reproduce", two[0], *QUICK, "--json"]) == 0
    printed = capsys.readouterr()
    said = [line for line in printed.err.splitlines() if not line.startswith("note: compiling")]
    assert len(said) == 1 and re.fullmatch(r"reproduce: 1 of 1 trials, mine2001 took [0-9.]+ s", said[0])
    answer = json.loads(printed.out)
    assert set(answer) == {"calibration", "validation", "trials", "files", "warnings"}
    assert (answer["calibration"]["total"], answer["validation"]["total"]) == (0, 2)
    for name in ("inside_95", "inside_50", "interval_score"):
        assert answer["validation"][name] is not None
    assert set(answer["validation"]["null_interval_scores"]) == {"no_change", "mean_change"}
    [row] = answer["trials"]
    assert (row["key"], row["role"], row["status"]) == ("mine2001", "validation", "done")
    assert "nobody1999" in row["remarks"][0] and row["reference"] is None
    for figure in row["figures"]:
        assert figure["lower"] < figure["lower_50"] < figure["predicted"] < figure["upper_50"] < figure["upper"]
        assert figure["inside_95"] == (figure["lower"] <= figure["reported"] <= figure["upper"])
    # an inhibitor of aromatase: testosterone up, estradiol down
    assert row["figures"][0]["predicted"] > 550 and row["figures"][1]["predicted"] < -20


def test_the_table_has_totals_then_figures_with_misses_first(capsys, two):
    assert main(["reproduce", *two, *QUICK]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("2 published trials run again, 4 figures scored\n")
    assert shown.index("Totals") < shown.index("misses first")
    assert "calibration" in shown and "validation" in shown
    z = [float(found.strip("+−")) for found in re.findall(r"^ *([+−]?\d+\.\d)  ", shown, re.MULTILINE)]
    assert len(z) == 4 and z == sorted(z, reverse=True)


def test_a_trial_of_the_package_by_its_name(capsys):
    assert main(["reproduce", "yuan2001", *QUICK, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [row["key"] for row in answer["trials"]] == ["yuan2001"] and answer["trials"][0]["reference"]


def test_a_study_without_a_role_is_apart(tmp_path, capsys):
    assert main(["reproduce", outside(tmp_path, role="none"), *QUICK, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["none"]["total"] == 2
    assert answer["calibration"]["total"] == answer["validation"]["total"] == 0


# What is written ------------------------------------------------------------------------------------


def test_the_folder_holds_page_data_and_finished_trials(undisturbed):
    assert set(sums(undisturbed)) == {
        "report.html", "figures.csv", "reproduce.json", "trials/mine2001.json", "trials/other2002.json",
    }  # fmt: skip
    answer = json.loads((undisturbed / "reproduce.json").read_text(encoding="utf-8"))
    with (undisturbed / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["mine2001"] * 2 + ["other2002"] * 2
    figures = [figure for trial in answer["trials"] for figure in trial["figures"]]
    assert [float(row["z"]) for row in rows] == [figure["z"] for figure in figures]


def test_the_page_is_whole_and_safe(undisturbed):
    page = (undisturbed / "report.html").read_text(encoding="utf-8")
    assert page.count("not a medical device") == 1
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert page.index("<img") < page.index("Totals") < page.index("Misses") < page.index("Trial by trial")
    assert page.count('<details class="trial"') == 2 and page.count('loading="lazy"') == 2
    assert 'data-drugs~="letrozole"' in page and 'id="drug-letrozole"' in page


def test_the_same_whatever_the_number_of_processes(two, undisturbed, tmp_path):
    assert main(["reproduce", *two, *QUICK[:4], "--workers", "2", "--out", str(tmp_path / "out")]) == 0
    assert sums(tmp_path / "out") == sums(undisturbed)


def test_a_stopped_run_goes_on_where_it_was(two, undisturbed, tmp_path, monkeypatch, capsys):
    folder, real, begun = tmp_path / "out", reproduce_many.reproduce, []

    def stopping(trial, **options):
        begun.append(trial.key)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return real(trial, **options)

    monkeypatch.setattr(reproduce_many, "reproduce", stopping)
    command = ["reproduce", *two, *QUICK, "--out", str(folder)]
    assert main(command) == 130
    assert "finished trials are kept in" in capsys.readouterr().err
    assert set(sums(folder)) == {"trials/mine2001.json"}
    assert main(command) == 0
    assert begun == ["mine2001", "other2002", "other2002"]
    assert "1 of 2 trials found finished" in capsys.readouterr().err
    assert sums(folder) == sums(undisturbed)
    (folder / "trials" / "mine2001.json").write_text('{"digest": "', encoding="utf-8")  # damaged
    assert main(command) == 0
    assert begun[3:] == ["mine2001"] and sums(folder) == sums(undisturbed)
    assert main([*command, "--seed", "1"]) == 0  # what was made from another seed is not believed
    assert begun[4:] == ["mine2001", "other2002"] and sums(folder) != sums(undisturbed)


def test_without_a_folder_nothing_is_kept(two, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(reproduce_many, "reproduce", stopped)
    assert main(["reproduce", *two, *QUICK]) == 130
    assert "nothing was kept" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# What goes wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [InputError("its men cannot be had"), ZeroDivisionError("by chance")])
def test_a_broken_trial_among_many_does_not_lose_the_others(two, error, tmp_path, monkeypatch, capsys):
    real = reproduce_many.reproduce

    def broken(trial, **options):
        if trial.key == "mine2001":
            raise error
        return real(trial, **options)

    monkeypatch.setattr(reproduce_many, "reproduce", broken)
    assert main(["reproduce", *two, *QUICK, "--json", "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert f"error: mine2001: {error}" in printed.err or f"ZeroDivisionError: {error}" in printed.err
    rows = {row["key"]: row for row in json.loads(printed.out)["trials"]}
    assert rows["mine2001"]["status"] == "failed" and str(error) in rows["mine2001"]["why"]
    assert rows["other2002"]["status"] == "done" and len(rows["other2002"]["figures"]) == 2
    assert "mine2001" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_one_trial_that_cannot_be_used_is_bad_input(two, monkeypatch, capsys):
    def broken(*_, **__):
        raise InputError("its men cannot be had")

    monkeypatch.setattr(reproduce_many, "reproduce", broken)
    assert main(["reproduce", two[0], *QUICK]) == 2
    assert capsys.readouterr().err.endswith("error: mine2001: its men cannot be had\n")


NAMES = f"the key of one of the {len(trials())} published trials, such as adt_hemoglobin, or a file"
REFUSED = {
    "name misspelt": (["leder204"], f'unknown trial "leder204"; did you mean "leder2004"? Allowed: {NAMES}'),
    "name unknown": (["qqqqqq"], f'unknown trial "qqqqqq"; allowed: {NAMES}'),
    "no such file": (["none.yaml"], "there is no file none.yaml"),
    "file is no trial": (["man.yaml"], '"key" is missing in man.yaml (and 8 more problems)'),
    "file is no YAML": (["text.yaml"], "text.yaml must hold names and values at its top level, not a str"),
    "folder": (["folder/"], "folder is not an ordinary file"),
    "drug of an arm unknown": (["wrong2003.yaml"], "trial wrong2003: "),
    "two of one key": (
        ["twice.yaml", "twice2.yaml"],
        'two of the trials have the key "twice"; run them apart or give one another key',
    ),
    "role unknown": (
        ["--role", "validaton"],
        'unknown role "validaton" in --role; did you mean "validation"? Allowed: calibration, validation, none',
    ),
    "drug unknown": (["--drug", "anastrozol"], 'unknown drug "anastrozol" in --drug; did you mean "anastrozole"?'),
    "nothing left": (
        ["leder2004", "--role", "calibration"],
        "none of the trials asked for is one of --role calibration; leave the option out or ask for others",
    ),
    "draws": (["leder2004", "--draws", "0"], '--draws is "0"; it must be a whole number from 1 to 1,000'),
    "men": (["leder2004", "--men", "1"], '--men is "1"; it must be a whole number from 2 to 10,000'),
    "workers": (["leder2004", "--workers", "x"], '--workers is "x"; it must be a whole number from 1 to 64'),
    "out is a file": (["leder2004", "--out", "man.yaml"], "--out man.yaml/ should be a folder, but it is a file"),
    "drug twice": (["--drug", "hCG", "--drug", "FSH"], "--drug stands 2 times; it may stand once"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_said_in_one_sentence(case, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("man.yaml").write_text("age: 40\n", encoding="utf-8")
    Path("text.yaml").write_text("some words\n", encoding="utf-8")
    Path("folder").mkdir()
    outside(tmp_path, "wrong2003", drug="anastrozolee")
    outside(tmp_path, "twice")
    Path("twice2.yaml").write_text(Path("twice.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    before = sums(tmp_path)
    arguments, sentence = REFUSED[case]
    assert main(["reproduce", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert printed.err.startswith(f"error: {sentence}")
    assert sums(tmp_path) == before


def changed(folder: Path, old: str, new: str) -> str:
    """A trial of one's own with one thing in it changed."""
    path = Path(outside(folder))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return str(path)


IMPLAUSIBLE = {
    "huge": ("value: 800", "value: 1e300", "a mean of testosterone of 1e+300 ng/dL cannot be"),
    "negative level": ("value: 800", "value: -650", "it must lie from 0 to 5000 ng/dL"),
    "negative baseline": ("value: 550", "value: -400", "a mean of testosterone of -400 ng/dL cannot be"),
    "spread": ("spread: 200", "spread: 1e300", "a spread of 1e+300 ng/dL"),
    "percent": ("value: -50", "value: -150", "a percent change of estradiol of -150 % cannot be"),
    "men of an arm": ("    n: 12", "    n: 1000000000", '"n" must be at most 100000'),
    "men of a figure": ("SD, n: 12", "SD, n: 1000000000", '"n" must be at most 100000'),
    "men in all": ("years, n: 12", "years, n: 1000000000", '"n" must be at most 100000'),
    "day": ("day: 14", "day: 1e9", '"day" must be at most 36525'),
    "key a path": ("key: mine2001", 'key: "../../evil"', "a key is made of 1 to 80 of the letters"),
    "key in a folder": ("key: mine2001", "key: a/b", "a key is made of"),
    "key with a control": ("key: mine2001", 'key: "mine\\e[31m"', "a key is made of"),
    "key too long": ("key: mine2001", f"key: {'a' * 81}", "a key is made of"),
}


@pytest.mark.parametrize("case", IMPLAUSIBLE)
def test_what_cannot_be_in_a_trial_is_refused_when_it_is_read(case, tmp_path, capsys):
    old, new, sentence = IMPLAUSIBLE[case]
    path = changed(tmp_path, old, new)
    assert main(["reproduce", path, *QUICK, "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert sentence in printed.err and "mine2001.yaml" in printed.err
    assert not (tmp_path / "out").exists()


def test_a_figure_against_nothing_is_refused():
    content = yaml.safe_load(OUTSIDE.format(key="mine2001", role="validation", drug="anastrozole"))
    content["arms"][0]["baseline"]["PSA"] = {"value": 0, "unit": "ng/mL"}
    content["arms"][0]["outcomes"].append(
        {"quantity": "PSA", "day": 14, "value": 1.0, "unit": "ng/mL", "where": "text", "seen": "fulltext"}
    )
    with pytest.raises(InputError, match=r"of PSA in the arm .* on day 14 cannot be compared as a ratio"):
        check_comparable(Trial.model_validate(content))
    for one in trials("calibration") + trials("validation"):
        check_comparable(one)


def test_a_finished_run_of_two_trials_is_read_again(two, undisturbed, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "out"
    shutil.copytree(undisturbed, folder)
    monkeypatch.setattr(reproduce_many, "reproduce", None)  # nothing is left to be run
    assert main(["reproduce", *two, *QUICK[:4], "--workers", "2", "--out", str(folder)]) == 0
    assert "2 of 2 trials found finished" in capsys.readouterr().err
    assert sums(folder) == sums(undisturbed)


def test_a_design_is_sent_to_the_verb_that_runs_it(tmp_path, capsys):
    path = tmp_path / "own.yaml"
    path.write_text((DATA / "designs" / "obese-men-anastrozole.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("obese-men-anastrozole", str(path)):
        assert main(["reproduce", name]) == 2
        said = f"error: {name} is a design, not a published trial; leydig trial {name} runs it\n"
        assert capsys.readouterr().err == said


def test_a_file_with_the_key_of_a_published_trial_does_not_look_like_it(tmp_path, capsys):
    path = outside(tmp_path, "leder2004")
    assert main(["reproduce", path, *QUICK, "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert "leder2004 (file)" in shown and "is not the trial leder2004 of the package" in " ".join(shown.split())
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "leder2004 (file)" in page and "from a file, not of the package" in page


def test_what_a_terminal_would_obey_is_spelt_out(tmp_path, capsys):
    path = changed(tmp_path, "- name: anastrozole", '- name: "d\\e[31m\\u202Ee"')
    assert main(["reproduce", path, *QUICK]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\u202e" not in shown and "\\u001b" in shown
    assert main(["reproduce", path, *QUICK, "--json"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\u202e" not in shown
    assert json.loads(shown)["trials"][0]["arms"][0]["name"] == "d\x1b[31m\u202ee"


def test_the_page_says_who_was_let_in_and_what_was_assumed(tmp_path):
    assert main(["reproduce", "leder2004", *QUICK, "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert re.search(r"testosterone at most 350\sng/dL, at screening", page)
    assert "62 to 74 years" in page and "SD assumed, not printed" in page
    assert "assumed: that of the arm 1 mg daily" in page
    assert "too few to say" in page and "<small>missed" not in page
    assert page.index("<img") < page.index("Totals")


def test_a_place_that_cannot_be_written_to_is_refused_before_anything_is_run(two, tmp_path, monkeypatch, capsys):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)
    monkeypatch.setattr(reproduce_many, "reproduce", None)
    assert main(["reproduce", *two, *QUICK, "--json", "--out", str(tmp_path / "out")]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and "cannot be written to" in printed.err
    assert main(["reproduce", *two, "--out", ""]) == 2
