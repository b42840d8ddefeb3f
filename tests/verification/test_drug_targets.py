"""Targets of drugs that act through a state of their own: closed forms, limits, and rest where nothing is given."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from tests.men import YOUNG

from leydig import model
from leydig.pharmacology import aromatase_enzyme, effects, gnrh_receptor
from leydig.physiology import body

P = model.load_parameters()
NOTHING = effects.Concentrations(*[0.0] * len(effects.Concentrations._fields))


def settled(derivatives, state, hours=5000.0):
    """Where a system of plain records comes to rest."""
    kind = type(state)
    found = solve_ivp(lambda t, y: [*derivatives(kind(*y))], (0, hours), list(state), rtol=1e-10, atol=1e-12)
    return kind(*found.y[:, -1])


@pytest.mark.parametrize("level", [0.0, 0.5, 3.0, 40.0])
def test_active_enzyme_settles_where_renewal_meets_loss(level):
    p, drug = P.aromatase_enzyme, NOTHING._replace(exemestane=level)
    rest = settled(lambda s: aromatase_enzyme.derivatives(s, p, drug, protection=5.0), aromatase_enzyme.at_rest())
    killed = p.exemestane_inactivation * level
    assert rest.peripheral == pytest.approx(p.turnover / (p.turnover + killed), rel=1e-6)
    assert rest.testicular == pytest.approx(p.turnover / (p.turnover + killed / 5), rel=1e-6)


def test_enzyme_comes_back_with_its_own_turnover():
    p, gone = P.aromatase_enzyme, aromatase_enzyme.State(0.0, 0.0)
    day = settled(lambda s: aromatase_enzyme.derivatives(s, p, NOTHING, protection=1.0), gone, hours=24.0)
    assert day.peripheral == pytest.approx(1 - np.exp(-24 * p.turnover), rel=1e-8)


def test_an_agonist_stimulates_at_once_and_silences_later():
    p = P.gnrh_receptor
    occupied = gnrh_receptor.occupancy(1.0, 0.0, p)
    assert gnrh_receptor.action(gnrh_receptor.at_rest(), occupied, p) == pytest.approx(1 + p.stimulation * occupied)
    late = settled(lambda s: gnrh_receptor.derivatives(s, p, occupied), gnrh_receptor.at_rest())
    lost = (occupied / p.desensitisation_half) ** p.desensitisation_steepness
    assert late.response == pytest.approx(1 / (1 + lost), rel=1e-3)
    assert gnrh_receptor.action(late, occupied, p) < 0.1
    assert gnrh_receptor.occupancy(0.0, 0.0, p) == 0
    assert gnrh_receptor.occupancy(1.0, 1.0, p) > occupied  # one site: agonists add up, below 1
    assert gnrh_receptor.occupancy(1e9, 1e9, p) <= 1


def test_without_clomiphene_the_brain_sees_estradiol_as_it_is():
    p = P.effects
    assert effects.estrogen_seen(0.6, 0.5, NOTHING, p) == 0.6
    silenced = effects.estrogen_seen(0.6, 0.5, NOTHING._replace(enclomiphene=p.enclomiphene_constant), p)
    assert silenced == pytest.approx(0.3)
    flooded = effects.estrogen_seen(0.0, 0.5, NOTHING._replace(zuclomiphene=1e12), p)
    assert flooded == pytest.approx(0.5 * p.zuclomiphene_agonism, rel=1e-6)


@pytest.mark.parametrize("change", [-0.5, -0.2, -0.01, 0.0, 0.1, 0.5])
def test_fat_and_lean_make_up_the_change_of_weight(change):
    man = body.Setpoints(fat_mass=YOUNG.fat_mass, lean_mass=YOUNG.lean_mass)
    relative = body.relative_fat(change, man, P.body)
    fat = man.fat_mass * (relative - 1)
    assert relative > 0
    assert fat + body.lean_change(change, man, P.body) == pytest.approx(change * (man.fat_mass + man.lean_mass))
    if change == 0:
        assert relative == 1
    if abs(change) <= 0.01:
        assert fat == pytest.approx(P.body.fat_share * change * (man.fat_mass + man.lean_mass), rel=0.06, abs=1e-12)
