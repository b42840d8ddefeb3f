"""The layers hold, and the check that says so catches what it should."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests import tools

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "check_layers.py"


check_layers = tools.load("check_layers")


def package(folder: Path, files: dict[str, str]) -> Path:
    """Write a small package and return its folder."""
    for name, text in files.items():
        path = folder / "leydig" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "leydig"


def test_the_package_keeps_its_layers():
    done = subprocess.run([sys.executable, str(TOOL)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "no violation" in done.stdout


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("units.py", "import leydig.model", "model lies above units"),
        ("physiology/bone.py", "from leydig.subject import Subject", "subject lies above physiology"),
        ("physiology/bone.py", "from ..subject import Subject", "subject lies above physiology"),
        ("physiology/bone.py", "from .. import cli", "cli lies above physiology"),
        ("physiology/bone.py", "from leydig import model", "model lies above physiology"),
        ("physiology/bone.py", "from leydig.engine import trace", "physiology and engine must not know each other"),
        ("engine/trace.py", "from leydig.pharmacology import drugs", "must not know each other"),
        ("pharmacology/drugs.py", "def f():\n    from leydig.physiology import bone", "must not know each other"),
        ("studies/trial.py", "import importlib\nimportlib.import_module('leydig.report.page')", "report lies above"),
        ("studies/trial.py", "from leydig import Subject", "import the module itself"),
        ("model.py", "import leydig.mystery", "mystery has no place in LAYERS"),
        ("mystery.py", "", "mystery has no place in LAYERS"),
        ("engine/kernel.py", "def step(testosterone):\n    return testosterone", "the engine names 'testosterone'"),
        ("engine/kernel.py", "names = ('LH',)", "the engine names 'LH'"),
    ],
)
def test_a_violation_is_caught(tmp_path, name, text, sentence):
    found = check_layers.violations(package(tmp_path, {name: text}))
    assert found, "nothing was found"
    assert sentence in found[0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cli.py", "from leydig import __version__\nfrom leydig.studies import trial\nimport leydig.units"),
        ("subject.py", "from leydig import parameters\nfrom leydig.model import Model\nfrom .errors import InputError"),
        ("physiology/bone.py", "from .steroids import State\nfrom ..units import CANONICAL\nimport numpy"),
        ("engine/kernel.py", '"""Hands back whatever it is given, testosterone or not."""\nwidth = algorithm = 1'),
        ("__init__.py", "from leydig.cli import main"),
    ],
)
def test_what_is_allowed_passes(tmp_path, name, text):
    assert check_layers.violations(package(tmp_path, {name: text})) == []
