"""``leydig trial``: what is shown and written of a virtual trial, and what is refused."""

import csv
import json
import re

import pytest

from leydig.cli import main
from leydig.studies.trial_design import bundled

DESIGN = """\
name: <b>A small</b> trial
population:
  condition: obese-hypogonadal
  baseline: {age: {value: 45, unit: years, spread: 6, spread_kind: SD}}
n: 20
arms:
  - {name: placebo, protocol: none, control: true}
  - {name: drug & more, protocol: anastrozole 1 mg daily}
visits: at weeks 4, 8
adherence: {taken: 80 %}
dropout: 20 %
outcomes:
  - {quantity: testosterone}
  - {quantity: testosterone, analysis: responder, responder: {above: 300, unit: ng/dL}}
  - {quantity: estradiol, analysis: ratio, arm: drug & more, against: null}
replicates: 40
"""
QUICK = ["--draws", "2", "--power", "10, 20", "--seed", "3"]
FILES = ("report.html", "trial.json", "outcomes.csv", "arms.csv", "power.csv", "baseline.csv")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The design's file, the folder that a run wrote, and its object on standard output."""
    folder = tmp_path_factory.mktemp("trial")
    file = folder / "small.yaml"
    file.write_text(DESIGN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("sys.stdout.write", lambda text: printed.append(text) or len(text))
        assert main(["trial", str(file), *QUICK, "--out", f"{folder}/out/", "--json"]) == 0
    return file, folder / "out", json.loads("".join(printed))


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_json_has_one_object_with_everything(small):
    _, out, found = small
    assert found["design"]["n"] == 20
    assert [group["n"] for group in found["groups"]] == [10, 10]
    assert found["groups"][0]["taken"] is None  # nothing to take
    assert 0.6 < found["groups"][1]["taken"]["mean"] < 0.95
    assert found["days"] == [0, 28, 56]
    assert [point["n"] for point in found["curve"]] == [20, 40]
    assert found["baseline"][0]["rows"][0]["reached"]["mean"] == pytest.approx(45, abs=2)
    change, responders, within = found["outcomes"]
    assert change["power"]["value"] > 0.9 and change["truth"] > 50
    assert change["one_trial"]["low"] < change["one_trial"]["value"] < change["one_trial"]["high"]
    assert change["one_trial"]["n"] <= 20
    assert change["all"]["quantiles"]["2.5"] < change["central"]["mean"] < change["all"]["quantiles"]["97.5"]
    assert 0 <= responders["truth"] <= 1 and responders["split"] is None
    parts = [within["split"][name]["value"] for name in ("seen", "without", "drug")]
    assert parts[1] * parts[2] == pytest.approx(parts[0], rel=0.01) and parts[2] < 0.8
    drug = found["arms"][1]["quantities"]["testosterone"]
    assert drug["men"]["low"][2] < drug["interval"]["low"][2] < drug["mean"][2] < drug["interval"]["high"][2]
    assert found["sources"] and found["made_with"]["version"] and found["remarks"]
    assert found["files"] == [str(out / name) for name in FILES]
    assert "<b>A small</b> trial" not in json.dumps(found["warnings"])


def test_a_folder_gets_page_object_and_tables(small):
    _, out, found = small
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    written = json.loads((out / "trial.json").read_text(encoding="utf-8"))
    assert written == {name: value for name, value in found.items() if name not in ("files", "warnings")}
    outcomes, arms, power = (rows(out / f"{name}.csv") for name in ("outcomes", "arms", "power"))
    assert [row["analysis"] for row in outcomes] == ["change", "responder", "ratio"]
    assert float(outcomes[0]["power"]) == found["outcomes"][0]["power"]["value"]
    assert len(arms) == 2 * 2 * 3 and {row["arm"] for row in arms} == {"placebo", "drug & more"}
    assert len(power) == 2 * 3
    assert rows(out / "baseline.csv")[0]["asked_mean"] == "45"


def test_the_page_is_one_file_with_plots_first_and_text_escaped(small):
    page = (small[1] / "report.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;A small&lt;/b&gt; trial" in page and "<b>A small" not in page
    assert "drug &amp; more" in page
    assert page.count("Not medical advice and not a medical device") == 1
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    figures = [page.index(f'<figure id="{name}"') for name in ("arms", "outcomes", "power")]
    assert figures == sorted(figures) and figures[-1] < page.index('id="men"') < page.index('id="numbers"')
    assert page.count("<svg") >= 2 + 3 + 3
    assert "in the same men untreated" in page


def test_the_same_seed_is_the_same_to_the_byte_and_another_is_not(small, tmp_path):
    file, out, _ = small
    for seed, same in (("3", True), ("4", False)):
        target = tmp_path / f"{seed}.json"
        assert main(["trial", str(file), *QUICK[:-1], seed, "--out", str(target)]) == 0
        assert (target.read_bytes() == (out / "trial.json").read_bytes()) is same


def test_a_person_reads_tables_in_the_terminal(small, capsys):
    command = ["trial", str(small[0]), "--draws", "0", "-n", "6", "--power", "6", "--replicates", "20"]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert "12 men: placebo 6, drug & more 6" in text
    assert "Men: obese-hypogonadal" in text and "Visits: start, week 4, week 8" in text and "expected" in text
    assert "Testosterone, change, week 8, ng/dL (primary)" in text
    assert "drug & more" in text and "against placebo" in text and "of about" in text and "20 trials" in text
    assert "in the same men untreated times" in " ".join(text.split())
    assert text.count("not medical advice") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pelusi2017"], '"pelusi2017" is a published trial; leydig reproduce pelusi2017 runs published trials'),
        (["obese-men"], 'there is no file "obese-men" and no bundled design of that name; did you mean'),
        (["FILE", "-n", "1"], '-n is "1"; it must be a whole number from 2 to 50,000 men per arm'),
        (
            ["FILE", "-n", "60000"],
            '-n is "60000"; it must be a whole number from 2 to 50,000 men per arm (100,000 in all)',
        ),
        (["FILE", "--power", "20;40"], '--power is "20;40"; it must be a whole number'),
        (["FILE", "--power", ","], '--power is ","; it must be 1 to 12 numbers of men per arm, such as "20, 40, 80"'),
        (
            ["FILE", "--power", "90000"],
            '--power is "90000"; it must be a whole number from 2 to 50,000 men per arm (100,000 in all)',
        ),
        (["FILE", "--power", "40000"], "men would have to be simulated for trials of up to 80,000 men"),
        (["FILE", "--replicates", "5"], '--replicates is "5"; it must be a whole number from 20 to 100,000'),
        (["FILE", "--draws", "-1"], '--draws is "-1"; it must be a whole number from 0 to 1,000'),
        (["FILE", "--seed", "x"], '--seed is "x"'),
        (["FILE", "--out", "a.xlsx"], 'unknown suffix ".xlsx"; allowed: .html, .json, .csv, or a folder'),
        (["FILE", "--out", "a", "--out", "b"], "--out stands 2 times; it may stand once"),
        *(
            (["FILE", option, "20", option, "40"], f"{option} stands 2 times; it may stand once")
            for option in ("-n", "--power", "--replicates", "--draws", "--seed")
        ),
        ([], "FILE|NAME is missing; leydig trial --help shows an example"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(small, tmp_path, capsys, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    assert main(["trial", *(str(small[0]) if word == "FILE" else word for word in arguments)]) == 2
    told = capsys.readouterr()
    assert sentence in told.err and told.err.count("\n") == 1 and told.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_design_is_never_replaced_by_what_is_found(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "trial.json"
    own.write_text(DESIGN, encoding="utf-8")
    (tmp_path / "linked.yaml").symlink_to(own)
    for name, out, said in (
        ("trial.json", "./", "--out ./: trial.json is the input file; choose another folder"),
        ("linked.yaml", "./", "--out ./: trial.json is the input file; choose another folder"),
        ("linked.yaml", "trial.json", "--out trial.json is the input file; choose another name"),
    ):
        assert main(["trial", name, "--draws", "0", "--out", out]) == 2
        assert capsys.readouterr().err == f"error: {said}\n"
    assert own.read_text(encoding="utf-8") == DESIGN
    assert sorted(path.name for path in tmp_path.iterdir()) == ["linked.yaml", "trial.json"]


def test_a_path_that_a_terminal_would_obey_is_spelt_out(small, tmp_path, capsys):
    out = f"{tmp_path}/a\x1b[31m\u202eb.json"
    assert main(["trial", str(small[0]), "--draws", "0", "--replicates", "20", "--power", "6", "--out", out]) == 0
    said = capsys.readouterr().out
    assert "a\\u001b[31m\\u202eb.json" in said and "\x1b" not in said and "\u202e" not in said


ALIKE = DESIGN.replace("obese-hypogonadal", "agonadal").replace(
    "testosterone}", "sperm_concentration, analysis: ratio}"
)
GONE = DESIGN.replace("n: 20", "n: 4\nmissing: completers").replace("dropout: 20 %", "dropout: 90 %")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ALIKE, "No trial has an interval of sperm concentration (ratio, drug & more): too few men are left, or all"),
        (GONE, "No trial has an estimate of testosterone (change, drug & more)"),
    ],
    ids=["alike", "gone"],
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_what_cannot_be_estimated_is_missing_and_said(tmp_path, capsys, text, sentence):
    file = tmp_path / "few.yaml"
    file.write_text(text, encoding="utf-8")
    command = ["trial", str(file), "--draws", "0", "--replicates", "20", "--power", "4", "--json"]
    assert main([*command, "--out", f"{tmp_path}/out/"]) == 0
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert any(remark.startswith(sentence) for remark in found["remarks"])
    assert found["outcomes"][0]["width"] is None and found["outcomes"][0]["coverage"] is None
    assert "RuntimeWarning" not in told.err


def test_criteria_that_nobody_keeps_are_refused(tmp_path, capsys):
    file = tmp_path / "none.yaml"
    criteria = "  criteria: [{quantity: testosterone, above: 2000, unit: ng/dL}]\n"
    file.write_text(DESIGN.replace("population:\n", f"population:\n{criteria}"), encoding="utf-8")
    assert main(["trial", str(file), "--draws", "0"]) == 2
    told = capsys.readouterr().err
    assert told.endswith("keep the criteria: testosterone above 2000 ng/dL\n") and told.count("\n") == 1


def test_who_was_let_in_and_what_the_men_are_is_shown(small):
    _, out, found = small
    page = (out / "report.html").read_text(encoding="utf-8")
    block = page[page.index('id="design"') : page.index('id="men"')]
    for words in ("Who was let in", "obese-hypogonadal", "start, week 4, week 8", "20\u202f% by the last visit"):
        assert words in block
    for group in found["baseline"]:
        lines = {(row["quantity"], row["when"]): row for row in group["rows"]}
        assert list(lines) == [("age", "baseline"), ("BMI", "baseline"), ("testosterone", "baseline")]
        assert lines["BMI", "baseline"]["asked"] == {"mean": None, "sd": None}
        assert 30 < lines["BMI", "baseline"]["reached"]["mean"] < 50 and lines["BMI", "baseline"]["reached"]["sd"] > 1
    assert "changes that two scans" not in page  # no density here
    assert found["unreached"] == [] and found["controls"] == []


def test_men_selected_at_baseline_come_back_in_the_control_arm_and_a_table_out_of_reach_is_said(tmp_path, capsys):
    file = tmp_path / "selected.yaml"
    wanted = (
        "  criteria: [{quantity: testosterone, below: 300, unit: ng/dL, visit: baseline}]\n"
        "  baseline: {testosterone: {value: 350, unit: ng/dL, spread: 60, spread_kind: SD}}\n"
    )
    text = DESIGN.replace("population:\n", f"population:\n{wanted}").replace(
        "  baseline: {age: {value: 45, unit: years, spread: 6, spread_kind: SD}}\n", ""
    )
    file.write_text(text, encoding="utf-8")
    assert main(["trial", str(file), "--draws", "0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (back,) = found["controls"]
    assert (back["arm"], back["quantity"], back["day"]) == ("placebo", "testosterone", 56)
    assert back["low"] > 0  # a low reading is followed by a higher one
    (said,) = found["unreached"]
    assert (
        said.startswith("The men asked for are not to be had: testosterone at baseline is ")
        and found["remarks"][0] == said
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("testosterone: {value: -400, unit: ng/dL}", "a mean of testosterone of -400 ng/dL cannot be"),
        ("testosterone: {value: 40000, unit: ng/dL}", "a mean of testosterone of 40000 ng/dL cannot be"),
        ("testosterone: {value: 0, unit: ng/dL}", "baseline.testosterone is 0; it must be above 0"),
        ("testosterone: {value: 300, unit: ng/dL, spread: 0, spread_kind: SD}", "the spread of baseline.testosterone"),
        (
            "testosterone: {value: 300, unit: ng/dL, spread: 3000, spread_kind: SD}",
            "the SD of baseline.testosterone is",
        ),
        ("age: {value: 15, unit: years}", "a mean of age of 15 year cannot be"),
    ],
)
def test_a_baseline_that_no_men_have_is_refused(tmp_path, capsys, line, sentence):
    file = tmp_path / "impossible.yaml"
    old = "age: {value: 45, unit: years, spread: 6, spread_kind: SD}"
    file.write_text(DESIGN.replace(old, line), encoding="utf-8")
    assert main(["trial", str(file)]) == 2
    told = capsys.readouterr()
    assert sentence in told.err and told.err.count("\n") == 1 and told.out == ""


def test_nothing_is_left_of_a_run_that_ends_while_it_writes(small, tmp_path, capsys, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    def full(*_):
        raise OSError(28, "No space left on device")

    for failure, code in ((stop, 130), (full, 1)):
        monkeypatch.setattr("leydig.io.trial_files.written", failure)
        command = ["trial", str(small[0]), "--draws", "0", "--replicates", "20", "--json"]
        assert main([*command, "--out", f"{tmp_path}/new/deep/"]) == code
        told = capsys.readouterr()
        assert told.out == "" and told.err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


def test_help_names_the_bundled_designs(capsys):
    assert main(["trial", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in bundled())
