"""Levers as inputs of the model: a change of weight, calcium and vitamin D in closed form, and their sources."""

import numpy as np
import pytest

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import ModelWarning
from leydig.pharmacology import levers
from leydig.pharmacology.kinetics import evaluate
from leydig.pharmacology.protocol import LeverEvent, Protocol

HALF_YEAR = 182.625  # days


def inputs(text: str, days: list[float], horizon: float = 2000, **values: float) -> dict[str, list[float]]:
    """Both inputs of a protocol at these days."""
    found = levers.channels(Protocol.parse(text).levers(horizon), values)
    return {name: list(evaluate(signal, np.array(days) * 24)) for name, signal in found.items()}


@pytest.mark.parametrize(
    ("text", "days", "expected"),
    [
        ("weight -10 % over 6 months", [0, HALF_YEAR / 2, HALF_YEAR, 1900], [0, -0.05, -0.1, -0.1]),
        ("weight -10 % over 6 months from week 4", [0, 28, 28 + HALF_YEAR / 2, 300], [0, 0, -0.05, -0.1]),
        ("weight +6 % over 1 week", [3.5, 7, 8], [0.03, 0.06, 0.06]),
        (  # percent of the weight at day 0, so that a loss is undone by a gain of the same size
            "weight -10 % over 20 weeks then none for 10 weeks then weight +10 % over 40 weeks",
            [70, 140, 175, 210, 350, 490, 600],
            [-0.05, -0.1, -0.1, -0.1, -0.05, 0, 0],
        ),
        (
            "weight -10 % over 100 days + weight +4 % over 50 days from day 50",
            [50, 75, 100, 101],
            [-0.05, -0.055, -0.06, -0.06],
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:a weight change of")
def test_weight_moves_evenly_and_stays(text, days, expected):
    found = inputs(text, days)
    assert found["weight_change"] == pytest.approx(expected, abs=1e-12)
    assert found["resorption_drive"] == [0] * len(days)


def test_weight_is_exactly_flat_after_the_last_change():
    signal = levers.channels(Protocol.parse("weight -10 % over 6 months then weight +5 % over 1 year").levers(300))
    assert signal["weight_change"].slope[-1] == 0
    assert signal["weight_change"].constant[-1] == -0.1 + 0.05


def test_a_change_that_goes_on_beyond_the_horizon_keeps_its_speed():
    assert inputs("weight -10 % over 6 months", [10], horizon=20) == inputs("weight -10 % over 6 months", [10])


def test_calcium_acts_at_once_while_it_is_taken():
    found = inputs("calcium 1200 mg daily for 1 year from week 4", [0, 27.9, 28, 393.2, 393.3, 1000])
    effect = levers.parameters()["calcium_effect"].value
    assert found["resorption_drive"] == pytest.approx([0, 0, effect, effect, 0, 0])
    assert found["weight_change"] == [0] * 6


@pytest.mark.filterwarnings("ignore:calcium 5000 mg")
def test_calcium_saturates_in_all_that_is_taken_a_day():
    drive = {mg: inputs(f"calcium {mg} mg daily", [1])["resorption_drive"][0] for mg in (300, 600, 1200, 2400, 5000)}
    assert drive[300] > -0.01
    assert drive[600] > 0.3 * drive[1200], "600 mg/d did not differ from placebo in the trial"
    assert drive[1200] > drive[2400] > drive[5000] > 1.4 * drive[1200]
    both = inputs("calcium 600 mg daily + calcium 300 mg twice daily", [1])["resorption_drive"][0]
    weekly = inputs("calcium 4200 mg Mon Wed", [1])["resorption_drive"][0]
    assert both == pytest.approx(drive[1200]) == pytest.approx(weekly)


def test_vitamin_d_does_nothing_and_says_why():
    assert inputs("vitamin D 2000 IU daily", [0, 100]) == {"weight_change": [0, 0], "resorption_drive": [0, 0]}
    alternative = inputs("vitamin D 2000 IU daily for 1 year", [100, 400], vitamin_D_effect=-0.05)
    assert alternative["resorption_drive"] == [-0.05, 0]
    said = levers.file().supplements["vitamin D"].effect
    assert "30 nmol/L" in said and "not modelled" in said


def test_draws_replace_a_parameter_by_its_name():
    assert inputs("calcium 1200 mg daily", [1], calcium_effect=-0.3)["resorption_drive"] == pytest.approx([-0.3])
    assert inputs("calcium 1200 mg daily", [1], calcium_half_dose=600)["resorption_drive"] == pytest.approx([-0.2])


def test_events_hold_the_mean_intake_and_are_cut_at_the_horizon():
    protocol = Protocol.parse(
        "calcium 500 mg twice daily + vitamin D 7000 IU weekly for 2 weeks + weight -1 % over 1 week"
    )
    assert protocol.levers(30) == [
        LeverEvent("calcium", 0, 30 * 24, 1000),
        LeverEvent("vitamin D", 0, 14 * 24, 1000),
        LeverEvent("weight", 0, 7 * 24, -0.01),
    ]
    assert protocol.levers(0) == []


def test_no_lever_is_no_input():
    nothing = levers.channels([])
    assert set(nothing) == {"weight_change", "resorption_drive"}
    assert all((evaluate(signal, np.array([-1.0, 0.0, 1e6])) == 0).all() for signal in nothing.values())


def test_every_number_and_every_reason_has_a_source_that_was_seen():
    file = levers.file()
    keys = {key for entry in file.parameters.values() for key in entry.source}
    keys |= {key for lever in file.not_modelled.values() for key in lever.sources}
    assert all(reference(key).verification not in UNUSABLE for key in keys)
    assert all(lever.sources for lever in file.not_modelled.values())
    known = {"weight", "calcium", "vitamin d", *(name.lower() for name in Protocol.parse("none").drugs)}
    words = [word for lever in file.not_modelled.values() for word in lever.words]
    assert len(set(words)) == len(words) and not known & set(words)


@pytest.mark.parametrize("word", ["exercise", "diet", "alcohol", "smoking", "sleep"])
def test_what_is_not_modelled_says_so(word):
    said = levers.refusal(word)
    assert said and said.startswith(f"{word} is not modelled: ")


TOO_MUCH = [
    ("calcium 3000 mg daily", "calcium 3000 mg a day is more than the tolerable 2500 mg. "),
    (
        "calcium 1500 mg daily + calcium 600 mg twice daily",
        "calcium 2700 mg a day is more than the tolerable 2500 mg. ",
    ),
    ("vitamin D 50000 IU weekly", "vitamin D 7142.86 IU a day is more than the tolerable 4000 IU. Over three years"),
]


@pytest.mark.parametrize(("text", "said"), TOO_MUCH)
def test_more_than_is_tolerable_is_warned_of(text, said):
    with pytest.warns(ModelWarning) as found:
        protocol = Protocol.parse(text)
    assert [str(one.message).startswith(said) for one in found] == [True]
    with pytest.warns(ModelWarning, match="tolerable"):
        protocol.check()


@pytest.mark.parametrize(
    "text",
    [
        "calcium 2500 mg daily",
        "vitamin D 4000 IU daily + calcium 1200 mg daily",
        "calcium 1500 mg daily for 3 weeks then calcium 1600 mg daily",
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_tolerable_is_taken_in_silence(text):
    Protocol.parse(text)


def test_what_is_tolerable_has_sources_that_were_seen():
    for supplement in levers.file().supplements.values():
        keys = {*supplement.tolerable.source, *supplement.sources}
        assert all(reference(key).verification not in UNUSABLE for key in keys)
