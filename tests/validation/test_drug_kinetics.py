"""Every drug beside what was published of it, and the drug files' own rules.

A figure's ``outcome`` is part of its file: the test fails when a figure that is declared reproduced is missed, and
also when one that is declared missed is reproduced after all.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import sympy

from leydig import parameters
from leydig.errors import InputError, ModelWarning
from leydig.files import DATA, parse_yaml
from leydig.pharmacology import drug_file, drugs, kinetics, letrozole, published
from leydig.pharmacology.kinetics import Event

EXPECTED = {
    "anastrozole",
    "letrozole",
    "testosterone gel",
    "testosterone enanthate",
    "testosterone cypionate",
    "testosterone infusion",
    "estradiol patch",
    "degarelix",
    "ketoconazole",
    "hCG",
    "FSH",
    "exemestane",
    "testolactone",
    "clomiphene",
    "enclomiphene",
    "zuclomiphene",
    "testosterone undecanoate",
    "DHT gel",
    "leuprolide",
    "goserelin",
}
FIGURES = [
    pytest.param(drug, figure, id=f"{drug.name}-{figure.quantity}-{figure.source}-{i}")
    for drug in drugs.catalogue().values()
    for i, figure in enumerate(drug.published)
]


@pytest.mark.parametrize(("drug", "figure"), FIGURES)
def test_published_figure(drug, figure):
    found = published.line(drug, figure)
    said = f"{drug.name} {figure.quantity}: {found.computed:.4g} against {figure.value:.4g} {figure.unit}"
    assert found.reproduced == (figure.outcome == "reproduced"), f"{said} is declared {figure.outcome}"


def test_every_drug_stands_beside_a_published_figure():
    assert set(drugs.names()) == EXPECTED
    assert {d.name for d in drugs.catalogue().values() if d.unmeasured} == {"testolactone"}
    reproduced = [f for d in drugs.catalogue().values() for f in d.published if f.outcome == "reproduced"]
    assert len(reproduced) > len(FIGURES) / 2


def test_letrozole_values_are_what_their_note_says():
    drug = drugs.get("letrozole")
    single = drug_file.Regimen(amount=2.5)
    daily = drug_file.Regimen(amount=2.5, every=24)
    assert published.apparent_clearance(drug, single) == pytest.approx(2.21, rel=0.01)
    assert published.apparent_clearance(drug, daily) == pytest.approx(1.20, rel=0.01)


def test_letrozole_equations_balance_and_trace():
    p = parameters.record(letrozole.Parameters, "letrozole")
    state = letrozole.State(80.0, 60.0)
    rates = letrozole.derivatives(state, p, 0.5)
    change = rates.central * p.central_volume + rates.peripheral * p.peripheral_volume
    lost = letrozole.oxidise(80.0, p.capacity, p.half_saturation) + letrozole.excrete(80.0, p.linear_clearance)
    assert change == pytest.approx(0.5 * p.central_volume - lost, rel=1e-12)
    assert letrozole.derivatives(letrozole.at_rest(), p, 0.0) == (0.0, 0.0)
    symbols = [kind(*sympy.symbols(kind._fields)) for kind in (letrozole.State, letrozole.Parameters)]
    traced = letrozole.derivatives(*symbols, sympy.Symbol("absorption"))
    given = dict(zip([*symbols[0], *symbols[1], sympy.Symbol("absorption")], [*state, *p, 0.5], strict=True))
    assert [float(term.subs(given)) for term in traced] == pytest.approx(list(rates), rel=1e-12)


def test_all_of_a_dose_reaches_its_channel():
    """Areas: an input's is the absorbed amount, a level's is the absorbed amount over the clearance."""
    times = np.linspace(0, 30000, 600001)
    for name, amount, expected in [
        ("testosterone cypionate", 100, 1e8 / 412.6),
        ("testosterone gel", 50, 0.115 * 5e7 / 288.42),
        ("anastrozole", 1, 1000 / 2.33),
        ("letrozole", 2.5, 0.999 * 2500 / 68),
        ("testosterone undecanoate", 1000, 1e9 / 456.7),
        ("DHT gel", 70, 0.084 * 7e7 / 290.44),
        ("enclomiphene", 25, 25000 * 0.6788 / 160),
        ("leuprolide", 7.5, 0.94 * 7500 / 8.34),
        ("leuprolide three-month depot", 22.5, 0.94 * 22500 / 8.34),
        ("goserelin", 3.6, 3600 / 6.66),
    ]:
        own, _, form = name.partition(" three-month ")
        event = Event(own, f"three-month {form}" if form else None, 0.0, amount, 0.0)
        found = drugs.channels([event])[drugs.get(own).channel.name]
        assert np.trapezoid(kinetics.evaluate(found, times), times) == pytest.approx(expected, rel=1e-3)


def test_drugs_that_feed_one_channel_add_up():
    gel, ester = Event("testosterone", "gel", 0.0, 50, 0.0), Event("testosterone enanthate", None, 30.0, 100, 0.0)
    infusion = Event("testosterone infusion", None, 10.0, 5, 48.0)
    times = np.linspace(0, 200, 401)
    together = drugs.channels([gel, ester, infusion, Event("hCG", "subcutaneous", 0.0, 1500, 0.0)])
    assert set(together) == {"testosterone_input", "hCG"}
    parts = [drugs.channels([event])["testosterone_input"] for event in (gel, ester, infusion)]
    alone = sum(kinetics.evaluate(part, times) for part in parts)
    np.testing.assert_allclose(kinetics.evaluate(together["testosterone_input"], times), alone, rtol=1e-12)
    assert kinetics.evaluate(parts[2], 20.0) == pytest.approx(5e6 / 24 / 288.42)


def test_a_mixture_is_doses_of_what_it_contains():
    assert drugs.constituents("Clomid") == ("enclomiphene", "zuclomiphene")
    assert drugs.constituents("Arimidex") == ("anastrozole",)
    times = np.linspace(0, 100, 201)
    mixed = [Event("clomiphene", None, 0.0, 50.0, 0.0), Event("enclomiphene", "tablet", 24.0, 12.5, 0.0)]
    apart = [
        Event("enclomiphene", None, 0.0, 31.0, 0.0),
        Event("enclomiphene", None, 24.0, 12.5, 0.0),
        Event("zuclomiphene", None, 0.0, 19.0, 0.0),
    ]
    together, each = drugs.channels(mixed), drugs.channels(apart)
    assert set(together) == set(each) == {"enclomiphene", "zuclomiphene"}
    for channel, found in together.items():
        np.testing.assert_allclose(kinetics.evaluate(found, times), kinetics.evaluate(each[channel], times), rtol=1e-12)
    own = {("clomiphene", "zuclomiphene_share"): 0.5, ("zuclomiphene", "central_volume"): 2.0}
    scaled = drugs.channels(mixed[:1], own)["zuclomiphene"]
    assert kinetics.evaluate(scaled, 24.0) == pytest.approx(
        kinetics.evaluate(together["zuclomiphene"], 24.0) * 0.25, 0.02
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("enclomiphene: [1 - zuclomiphene_share]\n", "\n", "contains"),
        ("[1 - zuclomiphene_share]", "[1 - zuclomiphene_part]", 'did you mean "zuclomiphene_share"'),
        ("constituent: zuclomiphene", "constituent: anastrozole", 'unknown constituent "anastrozole"'),
        ("    constituent: zuclomiphene\n", "", "unknown constituent"),
        ("published:", "unmeasured: none\npublished:", "either published figures or"),
        ("contains:", "flows: []\ncontains:", 'unknown key "flows"'),
    ],
)
def test_a_bad_mixture_is_refused(tmp_path, old, new, message):
    text = (DATA / "drugs" / "clomiphene.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "bad.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        drug_file.read_file(path)


def test_men_differ_by_their_multipliers():
    events = [Event("anastrozole", None, 0.0, 1.0, 0.0)]
    times = np.linspace(0, 2000, 20001)
    own = kinetics.evaluate(drugs.channels(events)["anastrozole"], times)
    slow = drugs.channels(events, {("anastrozole", "clearance"): 0.5, ("letrozole", "capacity"): 3.0})["anastrozole"]
    assert np.trapezoid(kinetics.evaluate(slow, times), times) == pytest.approx(2 * np.trapezoid(own, times), rel=1e-3)


def test_names_synonyms_and_forms():
    assert drugs.get("Arimidex").name == "anastrozole"
    assert drugs.resolve("testosterone", "gel")[0].name == "testosterone gel"
    assert drugs.resolve("hCG", "subcutaneous")[1].route == "subcutaneous"
    with pytest.raises(InputError, match='unknown drug "anastrozol"; did you mean "anastrozole"'):
        drugs.get("anastrozol")
    with pytest.raises(InputError, match='unknown form "rectal"'):
        drugs.resolve("hCG", "rectal")


def test_doses_are_checked():
    drug = drugs.get("anastrozole")
    assert drugs.check_dose(drug, 500, "ug") == 0.5
    with pytest.raises(InputError, match=r"anastrozole 1000 mg in step 1 is outside the accepted range 0\.01 to 60 mg"):
        drugs.check_dose(drug, 1000, "mg", "step 1")
    with pytest.raises(InputError, match='unknown unit "IU"'):
        drugs.check_dose(drug, 1, "IU")
    with pytest.warns(ModelWarning, match="outside the usual range 0.1 to 10 mg"):
        drugs.check_dose(drug, 20, "mg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drugs.check_dose(drugs.get("ketoconazole"), 0.4, "g") == 400
    with pytest.raises(InputError, match="needs a time"):
        drugs.channels([Event("estradiol patch", None, 0.0, 50.0, 0.0)])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("class:", "clas:", '"class" is missing|unknown key "clas"'),
        ("to: central, rate", "to: centre, rate", 'unknown compartment "centre"'),
        ("rate: absorption_rate", "rate: absorbtion_rate", 'did you mean "absorption_rate"'),
        ("default_form: tablet", "default_form: pill", 'unknown form "pill"'),
        ("accepted: [0.01, 60]", "accepted: [0.5, 60]", "usual range must lie within"),
        ("value: 2.33", "value: -2.33", "must be 0 or above"),
        ("source: mauras2009", "source: mauras2099", 'mauras2099.*did you mean "mauras2009"'),
        ("{from: central, clearance: clearance}", "{from: gut, clearance: clearance}", "needs a volume"),
        ("{concentration_in: central}", "{concentration_in: central, leaving: true}", "exactly one of"),
        ("unit: L/h", "unit: L/hour", 'unknown unit "hour"'),
    ],
)
def test_a_bad_drug_file_is_refused(tmp_path, old, new, message):
    text = (DATA / "drugs" / "anastrozole.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "bad.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        drug_file.read_file(path)


def test_no_parameter_stands_unused():
    text = (DATA / "drugs" / "anastrozole.yaml").read_text(encoding="utf-8")
    content = parse_yaml(text, "anastrozole.yaml")
    assert set(content["parameters"]) == drugs.get("anastrozole").used_parameters()
