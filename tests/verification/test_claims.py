"""The claims of the source text: complete, answered, and pointing at nothing that does not exist."""

import re
from pathlib import Path

import numpy as np
import pytest
from tests import tools

from leydig import claims as sheet
from leydig.bibliography import bibliography
from leydig.engine.trajectory import Panel, Trajectory
from leydig.errors import InputError
from leydig.files import DATA, read_yaml
from leydig.pharmacology.protocol import Protocol
from leydig.quantities import CANONICAL
from leydig.start import given
from leydig.studies.simulate import drug_names, simulate
from leydig.subject import Subject

ROOT = Path(__file__).resolve().parents[2]
ROWS = {
    *("F1", "F2", "F2b", "F3", "F4", "F5", "F6", "F7", "F8"),
    *("I1", "I2", "I3", "I4", "I5", "I6a", "I6b", "I6c", "I6d", "I7"),
    *("A1", "A2a", "A2b", "A2c", "A3", "A4", "A5", "R1", "R2"),
}
# How many passages each part of the text has: its paragraphs, list items and tables that make a claim.
PASSAGES = {"fundamentals": 6, "intermediate": 13, "academic": 12, "reflection": 2}


@pytest.fixture(scope="module")
def whole():
    return sheet.claims()


def test_every_row_of_the_plan_and_every_passage_has_claims(whole):
    assert set(whole.rows) == ROWS == {claim.row for claim in whole.claims}
    assert {part: len(whole.passages(part)) for part in sheet.PARTS} == PASSAGES
    assert len(whole.claims) >= 80


def test_every_test_that_a_claim_names_exists(whole):
    known = sheet.tests_below(ROOT)
    assert tools.load("claims_page").missing(whole, known) == []
    assert known["tests/verification/test_claims.py::test_every_test_that_a_claim_names_exists"].known_miss is False


def test_a_known_miss_is_told_from_a_test_that_holds(tmp_path):
    folder = tmp_path / "tests"
    folder.mkdir()
    text = (
        "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_a_raised_LH(): ...\n"
        "class TestCohort:\n    def test_b(self): ...\ndef helper(): ...\n"
    )
    (folder / "test_x.py").write_text(text, encoding="utf-8")
    assert sheet.tests_below(tmp_path) == {
        "tests/test_x.py::test_a_raised_LH": sheet.Held("tests/test_x.py", "a raised LH", True),
        "tests/test_x.py::TestCohort::test_b": sheet.Held("tests/test_x.py", "b", False),
    }


def test_the_ten_references_are_all_judged(whole):
    assert [cited.number for cited in whole.references] == list(range(1, 11))
    assert {cited.verdict for cited in whole.references} == set(sheet.FOUND)
    for cited in whole.references:
        assert cited.key in bibliography()
        assert (cited.correction is None) == (cited.verdict == "found as cited")
        for key in re.findall(r"\((\w+\d{4}\w*)\)", cited.correction or ""):
            assert key in bibliography()
    judged = next(claim for claim in whole.claims if claim.id == "ten-references")
    assert set(judged.sources) == {c.key for c in whole.references if c.verdict != "not found"}


def test_no_claim_is_supported_by_what_nobody_saw(whole):
    known = bibliography()
    for claim in whole.claims:
        assert all(known[key].verification not in {"not found", "memory"} for key in claim.sources), claim.id


@pytest.mark.parametrize("name", read_yaml(DATA / "claims.yaml")["runs"])
def test_every_run_is_of_a_bundled_man_under_a_protocol_that_lasts(name, whole):
    run = whole.runs[name]
    assert Subject.open(run.subject).name
    plan = Protocol.parse(run.protocol)
    assert plan.duration_days is None or plan.duration_days >= run.days


def test_every_quantity_is_in_the_output_of_its_run(whole):
    computed = set(simulate("older-man", ["none for 14 days"])[0].quantities.values)
    for claim in whole.claims:
        for output in claim.outputs:
            run = whole.runs[output.run]
            plan = Protocol.parse(run.protocol)
            drugs = drug_names([given(plan, run.days)], given(Protocol.parse("none"), run.days))
            assert set(output.quantities) <= computed | set(drugs), f"{claim.id}: {run.protocol}"
    assert computed <= set(CANONICAL)


def made_up(tool, run: sheet.Run):
    """A run with every quantity of the table, rising from 1 to 2 within a band."""
    days = np.arange(0.0, run.days + 1)
    values = {name: 1 + days / days[-1] for name in CANONICAL}
    panel = Panel(CANONICAL, values)
    lower, upper = ({name: factor * v for name, v in values.items()} for factor in (0.5, 2.5))
    other = {"estradiol-lowers-LDL": {"LDL": 3 * values["LDL"]}}
    run_made = Trajectory({"name": run.subject}, run.protocol, days, panel, panel, "done", alternatives=other)
    return tool.Made(run_made, Panel(CANONICAL, values, lower, upper) if run.draws else None)


def test_the_page_has_every_claim_with_its_result(whole):
    tool = tools.load("claims_page")
    made = {name: made_up(tool, run) for name, run in whole.runs.items()}
    text = tool.page(whole, made, sheet.tests_below(ROOT))
    for claim in whole.claims:
        assert claim.claim in text and claim.because in text
    assert "LDL cholesterol 1 → 2 mg/dL (1 to 5); *if estradiol lowers LDL* 6" in text
    assert "joint pain no male data: 100 to 500 %" in text.replace("\u202f", " ") and "anxiety no male data" in text
    assert not re.search(r"(anxiety|joint pain) \d", text)
    assert "known miss: [no gain in semen in normozoospermic men](../tests/validation/test_emergence.py)" in text
    for path in set(re.findall(r"\]\(\.\./([^)]+)\)", text)):
        assert (ROOT / path).is_file()
    table = [line for line in text.splitlines() if line.startswith("| ") and "**supported" in line]
    assert {line.replace("\\|", "").count("|") for line in table} == {6}


def test_runs_of_one_man_are_made_together(whole):
    several = tools.load("claims_page").groups(whole.runs)
    assert sorted(name for names in several for name in names) == sorted(whole.runs)
    assert ["older", "older-untreated"] in several


@pytest.fixture
def copy(tmp_path):
    """The files of the claims where a test may spoil them."""
    (tmp_path / sheet.FOLDER).mkdir()
    for path in (DATA / sheet.FILE, *(DATA / sheet.FOLDER).glob("*.yaml")):
        (tmp_path / path.relative_to(DATA)).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("claims/reflection.yaml", "row: R2", "row: R3", 'unknown row "R3"'),
        ("claims/reflection.yaml", "run: lighter", "run: heavier", 'unknown run "heavier"'),
        ("claims/reflection.yaml", "[testosterone]", "[testosteron]", 'did you mean "testosterone"'),
        ("claims/reflection.yaml", "[corona2013", "[corona2031", 'unknown reference "corona2031"'),
        ("claims/reflection.yaml", "id: way-of-life", "id: his-goals", 'two claims have the id "his-goals"'),
        ("claims/reflection.yaml", "verdict: supported\n", "verdict: true\n", "verdict"),
        ("claims/reflection.yaml", "day: 84", "day: 9999", "ends before"),
        ("claims/academic.yaml", "not_modelled: The", "outputs: []\n        because: The", "stands twice"),
        ("claims/academic.yaml", "[triglycerides-follow-estradiol]", "[estradiol-lowers-LDL]", "does not show"),
        ("claims.yaml", "  F1: ", "  F0: Nothing\n  F1: ", 'the row "F0" of claims.yaml has no claim'),
        ("claims.yaml", "verdict: not found", "verdict: found with other details", 'krause2002 says "not found"'),
        ("claims.yaml", "number: 10", "number: 11", "numbered 1 to 10"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(copy, file, old, new, sentence):
    path = copy / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(sentence)):
        sheet.load(copy)
