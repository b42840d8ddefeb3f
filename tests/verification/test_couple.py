"""The couple of a run: the partner as given or assumed, and chances that follow his semen."""

import numpy as np
import pytest

from leydig.studies import couple
from leydig.studies.simulate import simulate
from leydig.subject import Subject, complete

PLAN = ["anastrozole 1 mg daily for 1 year", "none for 1 year"]


def test_an_unknown_partner_is_assumed_and_said():
    run = simulate("older-man", ["none for 12 weeks"])[0]
    assert run.subject["partner"]["assumed"] is True
    assert any("assumed for the chance of conception" in sentence for sentence in run.assumed)


def test_a_given_partner_is_used(tmp_path):
    man = tmp_path / "man.yaml"
    man.write_text("age: 40\npartner: {age: 38, months_trying: 24}\n", encoding="utf-8")
    own = complete(Subject.open(str(man)))
    assert couple.of(own)._asdict() == {"partner_age": 38, "man_age": 40, "months_trying": 24}
    assert not couple.assumed(own)


def test_better_semen_raises_the_chance_of_the_same_couple():
    on, off = simulate("oligozoospermic-man", PLAN)
    assert on.quantities.values["total_motile_sperm_count"][-1] > off.quantities.values["total_motile_sperm_count"][-1]
    for name in ("conception_probability", "cumulative_conception_probability"):
        assert on.quantities.values[name][0] == pytest.approx(off.quantities.values[name][0])
    gained = [run.quantities.values["cumulative_conception_probability"] for run in (on, off)]
    assert gained[0][-1] > gained[1][-1]
    assert all((np.diff(series) >= 0).all() and series[0] == 0 and series[-1] < 1 for series in gained)
