"""The programs in tools/ as modules, for tests of the pages that they write."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


def load(name: str) -> ModuleType:
    """``tools/NAME.py``, loaded anew."""
    place = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert place and place.loader
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module
