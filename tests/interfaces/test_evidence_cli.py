"""``leydig evidence``: overview, lists, one study, conflicts, files, and what is refused."""

import csv
import json
import math
import re

import pytest

from leydig.cli import main
from leydig.evidence import trials
from leydig.report import evidence_page, evidence_points
from leydig.studies.evidence_list import Filter, select
from leydig.studies.evidence_rows import TRIALS, Row


def said(capsys, *arguments: str) -> str:
    assert main(["evidence", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def as_object(capsys, *arguments: str) -> dict:
    out = said(capsys, *arguments, "--json")
    assert out.count("\n") == 1
    return json.loads(out)


def test_the_overview_counts_by_kind_role_and_verification(capsys):
    text = said(capsys)
    assert text.count("For research and teaching") == 1
    for word in ("Trials", "Distributions of men", "Variation", "Guidelines", "calibration", "validation", "fulltext"):
        assert word in text
    document = as_object(capsys)
    assert document["kinds"]["trials"]["studies"] == len(trials())
    assert {"key", "kind", "title", "verification", "role", "figures"} == set(document["studies"][0])


def test_a_list_holds_what_was_asked_for(capsys):
    asked = ("--drug", "anastrozole", "--quantity", "testosterone", "--role", "validation", "--condition")
    document = as_object(capsys, *asked, "ageing-low-testosterone", "--verification", "fulltext")
    assert document["filter"]["drug"] == "anastrozole"
    figures = document["figures"]
    assert {one["study"] for one in figures} == {"burnettbowie2009"}
    assert all(one["drugs"] == ["anastrozole"] for one in figures)
    assert "11.2 → 18.2 nmol/L" in said(capsys, *asked, "ageing-low-testosterone", "--verification", "fulltext")


def test_an_empty_list_says_what_could_be_widened(capsys):
    asked = ("--drug", "letrozole", "--quantity", "LDL", "--condition", "agonadal")
    text = " ".join(said(capsys, *asked).split())
    fewer = as_object(capsys, *asked[:4])["figures"]
    assert fewer and f"Without --condition agonadal: {len(fewer)} figures." in text


def test_names_of_studies_are_not_broken(capsys):
    text = said(capsys, "--kind", "guidelines")
    names = {row.study for row in select(Filter(kind="guidelines"))[:80]}
    assert max(map(len, names)) > 16
    assert all(name in text for name in names)


def test_one_study_is_shown_whole(capsys):
    text = " ".join(said(capsys, "burnettbowie2009").split())
    for part in (
        "doi 10.1111/j.1365-2265.2008.03327.x",
        "Role: validation.",
        "Arm anastrozole",
        "Arm placebo",
        "Assumption:",
        "Deviation:",
        "Conflict: Bone on anastrozole in older men.",
    ):
        assert part in text
    document = as_object(capsys, "burnettbowie2009")
    (trial,) = document["trials"]
    assert trial["arms"][0]["outcomes"][0]["seen"] == "fulltext"
    assert trial["reference"]["doi"]
    assert {one["name"] for one in document["conflicts"]} >= {"LDL under an inhibitor"}


@pytest.mark.parametrize(
    ("study", "kind", "words"),
    [
        ("kley1980", "distributions", "Enhanced conversion"),
        ("guldhaug", "variation", "within man"),
        ("aua2018", "guidelines", "Testosterone deficiency"),
    ],
)
def test_a_study_of_another_kind_is_shown_with_the_file_of_each_number(capsys, study, kind, words):
    text = said(capsys, study)
    assert words in text
    assert ".yaml" in text.replace("\n", "").replace(" ", "")
    assert kind in as_object(capsys, study)


def test_conflicts_stand_side_by_side(capsys):
    document = as_object(capsys, "--conflicts")
    assert all(len(one["sides"]) >= 2 for one in document["conflicts"])
    only = as_object(capsys, "--conflicts", "--quantity", "LDL")["conflicts"]
    assert [one["name"] for one in only] == ["LDL under an inhibitor"]
    text = " ".join(said(capsys, "--conflicts", "--quantity", "LDL").split())
    assert "did not change in any other trial" in text
    assert "No conflict" in said(capsys, "--conflicts", "--quantity", "hematocrit")


def test_what_was_left_out_is_listed_with_reasons(capsys):
    document = as_object(capsys, "--left-out")
    assert all(set(one) == {"id", "noted", "reason"} for one in document["left_out"])
    assert "collected studies are not used" in said(capsys, "--left-out")


def test_files_hold_the_figures_and_a_plot_for_each_quantity(capsys, tmp_path):
    folder = tmp_path / "out"
    asked = ("--drug", "letrozole", "--quantity", "estradiol")
    document = as_object(capsys, *asked, "--out", str(folder))
    assert [path.name for path in sorted(folder.iterdir())] == ["evidence.html", "figures.csv"]
    assert len(document["written"]) == 2
    with (folder / "figures.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(document["figures"])
    raven = next(line for line in lines if line["unit"] == "pmol/L" and line["statistic"] == "mean")
    assert float(raven["canonical_value"]) == pytest.approx(float(raven["value"]) * 0.27238, rel=1e-4)
    page = (folder / "evidence.html").read_text(encoding="utf-8")
    assert page.count("not a medical device") == 1
    assert page.index("<svg") < page.index("<table")
    assert page.index("<svg") < page.index("Trials: a point is")
    assert page.count("<svg") == 1
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "loves2008" in page


def test_a_page_holds_every_kind_and_is_the_same_each_time():
    asked = Filter(quantity="SHBG")
    found = select(asked)
    page = evidence_page.html(found, asked)
    assert page == evidence_page.html(found, asked)
    assert page.count("<svg") == 3  # trials, distributions, variation
    assert 'id="guidelines"' in page
    assert 'id="conflicts"' in page


def row(**changed) -> Row:
    known = {"kind": TRIALS, "study": "some", "group": "arm", "quantity": "testosterone", "statistic": "mean"}
    place = {"seen": "abstract", "where": "abstract", "file": "trials/some.yaml", "unit": "ng/dL", "value": 600.0}
    return Row(**{**known, **place, **changed})


def test_level_and_change_follow_from_what_is_printed():
    start = {"baseline": 300.0, "baseline_unit": "ng/dL"}
    assert evidence_points.point(row(**start)).change[0] == pytest.approx(100)
    assert evidence_points.point(row()).change is None
    assert evidence_points.point(row(value=20.0, unit="nmol/L")).level[0] == pytest.approx(576.84)
    doubled = evidence_points.point(row(statistic="ratio", unit="1", value=2.0, low=1.5, high=2.5, **start))
    assert doubled.level == pytest.approx((600, 450, 750))
    assert doubled.change == pytest.approx((100, 50, 150))
    fall = evidence_points.point(row(statistic="percent_change", unit="%", value=-25.0, **start))
    assert fall.level[0] == pytest.approx(225)
    contrast = evidence_points.point(row(statistic="ratio", unit="1", value=0.5, against="placebo", **start))
    assert contrast.level is None
    assert contrast.change[0] == pytest.approx(-50)
    assert evidence_points.drawn([row(statistic="change", value=10.0)]) == []
    assert math.isclose(evidence_points.point(row(statistic="change", value=30.0, **start)).change[0], 10)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["burnetbowie2009"], 'unknown study "burnetbowie2009"; did you mean "burnettbowie2009"'),
        (["--drug", "anastrazole"], 'unknown drug "anastrazole" in --drug; did you mean "anastrozole"'),
        (["--quantity", "testosteron"], 'did you mean "testosterone"'),
        (["--role", "validate"], 'unknown role "validate"'),
        (["--verification", "memory"], 'unknown verification "memory"'),
        (["--condition", "eugonadel"], 'did you mean "eugonadal"'),
        (["--kind", "trial"], 'did you mean "trials"'),
        (["--kind", "guidelines", "--drug", "anastrozole"], "guidelines have no drug"),
        (["--drug", "hCG", "--drug", "FSH"], "--drug stands 2 times"),
        (["leder2004", "--role", "validation"], "leder2004 is shown whole; leave --role out"),
        (["--conflicts", "--left-out"], "exclude each other"),
        (["--left-out", "--quantity", "LH"], "leave --quantity out"),
        (["--quantity", "LH", "--out", "page.html"], "must be a folder"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_no_file(capsys, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    assert main(["evidence", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_named_twice_is_refused(tmp_path, capsys):
    folders = [str(tmp_path / name) for name in ("a", "b")]
    assert main(["evidence", "--quantity", "estradiol", "--out", folders[0], "--out", folders[1]]) == 2
    assert capsys.readouterr().err == "error: --out stands 2 times; it may stand once\n"
    assert list(tmp_path.iterdir()) == []


def test_a_drug_goes_by_the_names_that_protocols_know(capsys):
    assert said(capsys, "--drug", "Arimidex") == said(capsys, "--drug", "anastrozole")


def test_a_failure_while_writing_leaves_no_folder(capsys, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(evidence_page, "html", full)
    assert main(["evidence", "--drug", "anastrozole", "--out", str(tmp_path / "a" / "b/")]) == 1
    assert not list(tmp_path.iterdir())
