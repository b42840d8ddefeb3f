"""Conflicting findings: named, switched on one at a time, and leaving alone what they are not about."""

import numpy as np
import pytest

from leydig import model
from leydig.engine.trace import flatten, names
from leydig.errors import InputError
from leydig.grading import alternatives, outcomes
from leydig.studies.alternatives import FOLLOWING, apart, chosen, others, rounds, switched
from leydig.studies.simulate import simulate

PLAN = "anastrozole 1 mg daily for 26 weeks"


@pytest.fixture(scope="module")
def default():
    return simulate("older-man", [PLAN])[0]


def test_switching_changes_the_named_parameters_and_no_other():
    shared = model.load_parameters()
    before = dict(zip(names(model.Parameters), flatten(shared), strict=True))
    for alternative in alternatives().values():
        after = dict(zip(names(model.Parameters), flatten(switched(shared, [alternative])), strict=True))
        assert {name for name in before if before[name] != after[name]} == set(alternative.set), alternative.name


def test_runs_are_shared_only_by_findings_that_cannot_meet():
    for together in rounds(list(alternatives().values())):
        for i, one in enumerate(together):
            assert all(apart(one, other) for other in together[:i])
        if len(together) > 1:
            assert all(name.partition(".")[0] in FOLLOWING for a in together for name in a.set)


def test_every_alternative_is_shown_beside_the_default(default):
    assert set(default.alternatives) == set(alternatives())
    moved = {
        name
        for name, changed in default.alternatives.items()
        for quantity, values in changed.items()
        if not np.allclose(values, default.quantities.values[quantity], rtol=1e-4)
    }
    assert "estradiol-lowers-LDL" in moved
    for name, changed in default.alternatives.items():
        assert set(changed) == {alternatives()[name].quantity}


def test_shown_alone_and_assumed_are_the_same(default):
    name = "estradiol-lowers-LDL"
    assumed = simulate("older-man", [PLAN], assume=[name])[0]
    np.testing.assert_allclose(assumed.quantities.values["LDL"], default.alternatives[name]["LDL"], rtol=1e-4)
    np.testing.assert_allclose(assumed.quantities.values["HDL"], default.quantities.values["HDL"], rtol=1e-4)
    np.testing.assert_allclose(
        assumed.quantities.values["testosterone"], default.quantities.values["testosterone"], rtol=1e-4
    )
    assert name not in assumed.alternatives
    assert any(name in remark for remark in assumed.remarks)


def test_contradicting_and_unknown_findings_are_refused():
    with pytest.raises(InputError, match=r'unknown alternative "estradiol-lowers-LDK".*did you mean'):
        chosen(["estradiol-lowers-LDK"])
    with pytest.raises(InputError, match="contradict each other"):
        chosen(["large-gain-of-sperm", "no-gain-of-sperm"])
    assert all(a.name != "no-gain-of-sperm" for a in others(chosen(["large-gain-of-sperm"])))


def test_every_computed_quantity_has_a_grade(default):
    levels = {"anastrozole"}
    ungraded = set(default.quantities.values) - set(outcomes()) - levels
    assert not ungraded
