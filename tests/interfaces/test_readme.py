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


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command, tmp_path, monkeypatch, capsys):
    """The study itself is replaced; what it does is tested elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(study, "simulate", lambda man, plans, **options: [trajectory(length=28) for _ in plans])
    assert main(shlex.split(command)[1:]) == 0, capsys.readouterr().err


def test_the_protocols_can_be_read():
    written = re.findall(r"^\| `([^`]+)` \|", README, re.MULTILINE)
    assert len(written) >= 8
    for text in written:
        assert Protocol.parse(text if re.search(r"\d mg|IU|none", text) else f"anastrozole 1 mg {text}")


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
