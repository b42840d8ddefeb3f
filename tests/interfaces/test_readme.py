"""What README.md shows is what the program does."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from trajectories import trajectory

from leydig.cli import main
from leydig.pharmacology.protocol import Protocol
from leydig.studies import simulate as study
from leydig.subject import Subject

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LIMITS = README[README.index("## Limits") :]
NUMBER = re.compile(r"[−+]?\d+(?:\.\d+)?")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("leydig ")]


def test_the_table_is_the_output_of_the_command_above_it(capsys, monkeypatch):
    """Renewed by ``make picture``; a number may differ by a unit in its last place on another machine."""
    monkeypatch.setenv("COLUMNS", "80")
    assert main(shlex.split(COMMANDS[0])[1:]) == 0
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    pasted = blocks("text")[0].splitlines()
    assert [NUMBER.sub("#", " ".join(line.split())) for line in shown] == [
        NUMBER.sub("#", " ".join(line.split())) for line in pasted
    ]
    for here, there in zip(NUMBER.findall("\n".join(shown)), NUMBER.findall("\n".join(pasted)), strict=True):
        decimals = len(there.partition(".")[2])
        assert abs(float(here.replace("−", "-")) - float(there.replace("−", "-"))) < 1.5 * 10**-decimals


def test_the_ratio_in_the_table_is_that_of_the_printed_values():
    rows = {line.split()[0]: [float(n) for n in NUMBER.findall(line)] for line in blocks("text")[0].splitlines()[4:13]
            if re.match(r"(testosterone|estradiol|T/E2) ", line)}  # fmt: skip
    assert len(rows["T/E2"]) == 1 + 4  # the 2 of the name stands first
    for ratio, testosterone, estradiol in zip(rows["T/E2"][1:], rows["testosterone"], rows["estradiol"], strict=True):
        assert ratio == pytest.approx(testosterone / estradiol, rel=0.01)
    assert "T/E2 is the quotient of\nthese printed values" in README


def test_every_page_of_the_documentation_is_linked_from_its_first():
    first = ROOT / "docs" / "index.md"
    linked = set(re.findall(r"\]\(([^)#]+)\)", first.read_text(encoding="utf-8")))
    assert {page.name for page in first.parent.glob("*.md")} - {first.name} <= linked


INHIBITOR_TRIALS = "deboer2005|tsjoen2005young|tsjoen2005elderly"


@pytest.mark.parametrize(
    ("sentence", "studies", "quantity", "sign"),
    [
        ("Estradiol falls deeper under an inhibitor", f"{INHIBITOR_TRIALS}|taxel2001|lew2003", "estradiol", -1),
        ("when estradiol is replaced is under-predicted", "langley2016|herrmann2005|rochira2000", "bmd_spine", -1),
        (
            "Sperm counts of infertile men on an inhibitor rise less",
            "raman2002|cavallini2013",
            "sperm_concentration",
            -1,
        ),
        (
            "Weight loss raises testosterone by a third",
            "woodard2012|schulte2014|hammoud2009|lavignera2023|rossato2018",
            "testosterone",
            -1,
        ),
        ("FSH stays down under a GnRH agonist", "shore2020", "FSH", -1),
        ("dihydrotestosterone under its gel reads too high", "schaison1980|ly2001", "dihydrotestosterone", 1),
        ("Men born without aromatase have no insulin resistance here", "yialamas2007", "insulin_sensitivity", 1),
        ("sperm and gonadotropins less than uncontrolled series", "katz2012", "LH", -1),
    ],
)
def test_a_limit_that_is_named_is_in_the_calibration(sentence, studies, quantity, sign):
    """The mean sign of the misses, so that a new fit which mends one of them shows that its sentence must go."""
    assert sentence in LIMITS
    found = misses(studies, quantity)
    assert found
    assert sign * sum(z for z, _, _ in found) / len(found) > 1


def test_the_bone_of_men_without_aromatase_is_missed_several_fold():
    assert "in men born without aromatase several-fold" in LIMITS
    found = misses("rochira2000|herrmann2005", "bmd_spine")
    assert sum(reported for _, reported, _ in found) > 3 * sum(predicted for _, _, predicted in found)


def misses(studies: str, quantity: str) -> list[tuple[float, float, float]]:
    """z, reported and predicted of a quantity in these studies, from docs/calibration.md."""
    page = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    number = r"([-+]?[\d.]+)"
    row = rf"^\| \**{number}\** \| (?:{studies}) \| [^|]* \| {quantity} \|[^|]*\|[^|]*\| {number} [^|]*\| {number} \|"
    return [(float(z), float(reported), float(predicted)) for z, reported, predicted in re.findall(row, page, re.M)]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command, tmp_path, monkeypatch, capsys, small):
    """The study of one man is replaced, that of many is given few; what they do is tested elsewhere."""
    command = command.replace("-n 100000", "-n 3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(study, "simulate", lambda man, plans, **options: [trajectory(length=28) for _ in plans])
    assert main(shlex.split(command)[1:]) == 0, capsys.readouterr().err


def test_the_protocols_can_be_read():
    written = re.findall(r"^\| `([^`]+)` \|", README, re.MULTILINE)
    assert len(written) >= 8
    for text in written:
        assert Protocol.parse(text if re.search(r"\d mg|IU|none|weight", text) else f"anastrozole 1 mg {text}")


def test_the_man_can_be_read():
    (text,) = blocks("yaml")
    assert Subject.from_mapping(yaml.safe_load(text)).age == 52


def test_the_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (program,) = blocks("python")
    exec(program, {})
    assert float(capsys.readouterr().out.split()[0]) > 0
    assert (tmp_path / "report.html").exists()


def test_the_files_that_it_names_are_there():
    for page in (ROOT / "README.md", ROOT / "docs" / "index.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), target
