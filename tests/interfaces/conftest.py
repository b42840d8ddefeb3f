"""Lets the tests of this folder share the builder of trajectories, and studies that are small."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def small(monkeypatch):
    """Few draws and men in trials and meta-analyses: the words of a command are tested, not its numbers."""
    from leydig.studies import meta_question, recruit, trial

    monkeypatch.setitem(meta_question.settings(), "draws", {"value": 2})
    monkeypatch.setitem(recruit.settings(), "draws", 3)
    monkeypatch.setitem(recruit.settings(), "candidates", {**recruit.settings()["candidates"], "per_draw": 100})
    monkeypatch.setattr(trial, "DRAWS", 2)
