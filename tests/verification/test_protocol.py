"""Protocols in plain words: what each text means in doses."""

import re

import pytest

from leydig.errors import ModelWarning
from leydig.pharmacology.product import Product, bundled
from leydig.pharmacology.protocol import (
    Continuous,
    MissedDoses,
    Pause,
    PerDay,
    PerWeek,
    Protocol,
    Regimen,
    Span,
    Weekdays,
    WeightChange,
)

MASS = {"mg": 1.0, "ug": 0.001}
PRODUCTS = [
    Product("anastrozole", None, "mg", MASS, (0.01, 60), (0.1, 10)),
    Product("letrozole", None, "mg", MASS, (0.1, 30), (0.5, 5)),
    Product("testosterone gel", None, "mg", MASS, (5, 200), (20, 150)),
    Product("testosterone", "cypionate", "mg", MASS, (5, 1000), (25, 400)),
    Product("testosterone infusion", None, "mg/day", MASS, (0.1, 50), (1, 20)),
    Product("estradiol patch", None, "ug/day", {"ug": 1.0, "mg": 1000.0}, (10, 1000), (25, 200)),
    Product("degarelix", None, "mg", MASS, (10, 500), (80, 240)),
    Product("hCG", None, "IU", {"IU": 1.0}, (50, 20000), (100, 10000)),
]
CATALOGUE = {product.name: product for product in PRODUCTS} | {"Arimidex": PRODUCTS[0]}


def parse(text: str) -> Protocol:
    return Protocol.parse(text, CATALOGUE)


def times(text: str, horizon_days: float, start_weekday: int = 0) -> list[float]:
    """Dose times in days."""
    return [event.time / 24 for event in parse(text).events(horizon_days, start_weekday)]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("anastrozole 1 mg daily", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]),
        ("anastrozole 1 mg daily for 3 days", [0, 1, 2]),
        ("anastrozole 1 mg twice daily for 2 days", [0, 0.5, 1, 1.5]),
        ("anastrozole 1 mg 4 times a day for 1 day", [0, 0.25, 0.5, 0.75]),
        ("anastrozole 1 mg every 36 hours for 10 days", [0, 1.5, 3, 4.5, 6, 7.5, 9]),
        ("anastrozole 1 mg every 3 days", [0, 3, 6, 9, 12]),
        ("anastrozole 1 mg every 2 weeks", [0]),
        ("anastrozole 1 mg every other day for 1 week", [0, 2, 4, 6]),
        ("anastrozole 1 mg every 4th day", [0, 4, 8, 12]),
        ("anastrozole 1 mg weekly", [0, 7]),
        ("anastrozole 1 mg twice weekly", [0, 3.5, 7, 10.5]),
        ("anastrozole 1 mg three times weekly", [0, 2, 4, 7, 9, 11]),
        ("anastrozole 1 mg 5 times weekly for 1 week", [0, 1, 2, 4, 5]),
        ("anastrozole 1 mg Mon Thu", [0, 3, 7, 10]),
        ("anastrozole 1 mg once", [0]),
        ("anastrozole 1 mg once from day 10", [10]),
        ("anastrozole 1 mg every 5 days from week 1", [7, 12]),
        ("anastrozole 1 mg every 5 days after 1 week", [7, 12]),
        ("anastrozole 1 mg Mon from day 8", []),
        ("anastrozole 1 mg Mon from hour 10", [7]),
        ("anastrozole 1 mg daily for 6 days missing doses 2, 3 and 5", [0, 3, 5]),
        ("anastrozole 1 mg daily for 7 days missing every third dose", [0, 1, 3, 4, 6]),
        ("anastrozole 1 mg every 2 days for 4 days then 0.5 mg daily for 2 days", [0, 2, 4, 5]),
        ("anastrozole 1 mg daily for 2 days then nothing for 8 days then 1 mg every 2 days", [0, 1, 10, 12]),
        ("anastrozole 1 mg daily for 2 days then stop", [0, 1]),
        ("anastrozole 1 mg once then 0.5 mg every 4 days after 5 days", [0, 5, 9, 13]),
        ("anastrozole 1 mg weekly + letrozole 2.5 mg weekly from day 3", [0, 3, 7, 10]),
        ("none for 2 years", []),
    ],
)
def test_dose_days_of_a_fortnight(text, days):
    assert times(text, 14) == days


@pytest.mark.parametrize(
    ("text", "count", "horizon_days"),
    [
        ("anastrozole 1 mg daily for 12 weeks", 84, 1000),
        ("anastrozole 1 mg daily for 12 weeks", 84, 84),
        ("anastrozole 1 mg daily for 12 weeks", 83, 83),
        ("anastrozole 0.5 mg twice weekly for 1 year", 105, 1000),  # 365.25 d / 3.5 d = 104.4
        ("anastrozole 1 mg monthly for 1 year", 12, 1000),
        ("anastrozole 1 mg every 28 days for 1 year", 14, 1000),
        ("anastrozole 1 mg every 0.1 hours for 0.3 hours", 3, 1000),  # 0.3 / 0.1 < 3 in floating point
        ("anastrozole 1 mg every 0.7 hours for 2.1 hours", 3, 1000),  # 2.1 / 0.7 > 3 in floating point
        ("anastrozole 1 mg 7 times daily for 1 day", 7, 1000),
        ("anastrozole 1 mg Mon Wed Fri for 26 weeks", 78, 1000),
    ],
)
def test_the_dose_at_the_end_belongs_to_what_follows(text, count, horizon_days):
    assert len(parse(text).events(horizon_days)) == count


def test_each_step_begins_where_the_last_one_ended():
    protocol = parse("anastrozole 1 mg daily for 12 weeks then 0.5 mg twice weekly for 1 year")
    events = protocol.events(84.1)
    assert [(event.time, event.amount) for event in events[-2:]] == [(83 * 24, 1.0), (84 * 24, 0.5)]
    assert protocol.duration_days == 84 + 365.25


@pytest.mark.parametrize("start_weekday", range(7))
def test_days_of_the_week_follow_the_weekday_of_day_0(start_weekday):
    days = times("anastrozole 1 mg Mon Thu", 70, start_weekday)
    assert len(days) == 20
    assert {(start_weekday + day) % 7 for day in days} == {0, 3}


def test_a_schedule_by_weekday_keeps_its_weekdays_after_another_step():
    days = times("anastrozole 1 mg daily for 3 days then 1 mg Mon Fri", 14, start_weekday=2)
    assert days == [0, 1, 2, 5, 9, 12]  # day 0 is a Wednesday: Fri 2 is in the first step, then Mon 5, Fri 9, Mon 12


def test_a_continuous_input_is_one_event_with_its_rate_cut_at_the_horizon():
    events = parse("testosterone infusion 7 mg/day for 3 weeks then 14 mg/day").events(28)
    assert [tuple(event) for event in events] == [
        ("testosterone infusion", None, 0.0, 7.0, 21 * 24.0),
        ("testosterone infusion", None, 21 * 24.0, 14.0, 7 * 24.0),
    ]


def test_events_name_drug_and_form_in_order_of_time():
    protocol = parse("testosterone cypionate 100 mg weekly + anastrozole 0.5 mg twice weekly")
    assert [(event.drug, event.form, event.time) for event in protocol.events(8)] == [
        ("testosterone", "cypionate", 0.0),
        ("anastrozole", None, 0.0),
        ("anastrozole", None, 84.0),
        ("testosterone", "cypionate", 168.0),
        ("anastrozole", None, 168.0),
    ]
    assert protocol.drugs == ("testosterone", "anastrozole")


CANONICAL = {
    "Anastrozole 500mcg every other day": "anastrozole 0.5 mg every 2 days",
    "ARIMIDEX 1 mg/day for 6 mo": "anastrozole 1 mg daily for 6 months",
    "anastrozole 1 mg a day for a week": "anastrozole 1 mg daily for 1 week",
    "anastrozole .50 mg 1 times per week": "anastrozole 0.5 mg weekly",
    "anastrozole 1 mg once every 12 h": "anastrozole 1 mg every 12 hours",
    "anastrozole 1 mg twice a day": "anastrozole 1 mg twice daily",
    "anastrozole 1 mg 2x weekly": "anastrozole 1 mg twice weekly",
    "anastrozole 1 mg every day": "anastrozole 1 mg daily",
    "anastrozole 1 mg every month": "anastrozole 1 mg monthly",
    "anastrozole 1 mg every 1 week": "anastrozole 1 mg every 1 week",
    "anastrozole 1 mg fortnightly": "anastrozole 1 mg every 2 weeks",
    "hCG 1500 iu on Fridays, Mondays and wed": "hCG 1500 IU Mon Wed Fri",
    "hCG 1500 IU Mon/Thu": "hCG 1500 IU Mon Thu",
    "anastrozole 1 mg daily missing every 2nd dose for 4 w starting on day 10": (
        "anastrozole 1 mg daily from day 10 for 4 weeks missing every 2nd dose"
    ),
    "anastrozole 1 mg daily from day 0": "anastrozole 1 mg daily",
    "anastrozole 1 mg daily after 2 weeks": "anastrozole 1 mg daily from week 2",
    "placebo for 12 wks then anastrozole 1 mg daily": "none for 12 weeks then anastrozole 1 mg daily",
    "anastrozole 1 mg daily for 4 weeks then off for 4 weeks then anastrozole 1 mg daily": (
        "anastrozole 1 mg daily for 4 weeks then none for 4 weeks then 1 mg daily"
    ),
    "estradiol patch 0.1 mg per day": "estradiol patch 100 ug/day",
    "testosterone infusion 0.25 mg/h for 3 weeks": "testosterone infusion 6 mg/day for 3 weeks",
    "weight -10% in 6 mo": "weight -10 % over 6 months",
    "Weight loss 7.5 percent within 26 wk starting week 4": "weight -7.5 % over 26 weeks from week 4",
    "weight − 5 % over 1 y then weight + 5% over 1 y after 1 month": (
        "weight -5 % over 1 year then weight +5 % over 1 year after 1 month"
    ),
    "calcium 1.2 g/day for 2 years then 600 mg a day": "calcium 1200 mg daily for 2 years then 600 mg daily",
    "Vitamin D3 20 ug daily+weight gain 3 % over 1 year": "vitamin D 800 IU daily + weight +3 % over 1 year",
    "cholecalciferol 5600 IU once every week": "vitamin D 5600 IU weekly",
    "stop": "none",
    "stop for 1 year": "none for 1 year",
    "anastrozole 1 mg daily for 1 week then weight -5 % over 1 year then anastrozole 1 mg daily": (
        "anastrozole 1 mg daily for 1 week then weight -5 % over 1 year then 1 mg daily"
    ),
    "testosterone gel 50mg/day+anastrozole 1mg daily": "testosterone gel 50 mg daily + anastrozole 1 mg daily",
}


@pytest.mark.parametrize(("text", "canonical"), CANONICAL.items())
def test_every_spelling_has_one_canonical_text(text, canonical):
    assert parse(text).text() == canonical
    assert parse(canonical) == parse(text)


def test_text_and_typed_objects_are_the_same():
    typed = Protocol.of(
        Regimen("anastrozole", 1, "mg", PerDay(1), length=Span(12, "week")),
        Pause(Span(4, "week")),
        Regimen("anastrozole", 0.5, "mg", PerWeek(2), length=Span(1, "year"), missed=MissedDoses((5, 3))),
    ) + Protocol.of(
        Regimen("testosterone", 100, "mg", Weekdays(("Thu", "Mon")), form="cypionate", delay=Span(1, "week"))
    )
    text = (
        "anastrozole 1 mg daily for 12 weeks then none for 4 weeks then 0.5 mg twice weekly for 1 year "
        "missing doses 3 5 + testosterone cypionate 100 mg Mon Thu from week 1"
    )
    assert typed.text() == text
    assert parse(text) == typed


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("anastrozole 1 mg daily", None),
        ("anastrozole 1 mg daily for 12 weeks then stop", None),
        ("anastrozole 1 mg daily for 12 weeks + letrozole 2.5 mg weekly", None),
        ("anastrozole 1 mg daily for 12 weeks + letrozole 2.5 mg weekly for 1 week from week 13", 98),
        ("none for 2 years", 730.5),
        ("anastrozole 1 mg daily for 1 month", 30.4375),
        ("weight -10 % over 6 months then weight +5 % over 1 year", 547.875),
        ("weight -10 % over 26 weeks from week 4", 210),
        ("calcium 1200 mg daily for 2 years + anastrozole 1 mg daily for 1 year", 730.5),
        ("weight -10 % over 6 months + calcium 1200 mg daily", None),
    ],
)
def test_duration(text, days):
    assert parse(text).duration_days == days


def test_check_gives_the_names_that_text_has():
    protocol = Protocol.of(Regimen("Arimidex", 1, "mg", PerDay(1))).check(CATALOGUE)
    assert protocol == parse("Arimidex 1 mg daily") == parse(protocol.text())


def test_an_unusual_dose_warns_and_runs():
    with pytest.warns(ModelWarning, match=r"^anastrozole 20 mg is outside the usual range, 0\.1 to 10 mg$"):
        assert parse("anastrozole 20 mg daily").events(1)[0].amount == 20


def test_the_bundled_drugs_are_known_by_name_and_synonym():
    assert Protocol.parse("Arimidex 1 mg daily for 12 weeks").text() == "anastrozole 1 mg daily for 12 weeks"
    for product in bundled().values():
        schedule = Continuous() if product.continuous else PerDay(1)
        typed = Protocol.of(Regimen(product.drug, product.usual[1], product.unit, schedule, product.form))
        assert Protocol.parse(typed.text()) == typed == typed.check()


def test_levers_are_typed_objects_too():
    typed = (
        Protocol.of(WeightChange(-10, Span(6, "month")), Pause(Span(1, "month")), WeightChange(5, Span(1, "year")))
        + Protocol.of(Regimen("calcium", 600, "mg", PerDay(2), length=Span(1, "year")))
        + Protocol.of(Regimen("anastrozole", 1, "mg", PerDay(1)))
    )
    text = (
        "weight -10 % over 6 months then none for 1 month then weight +5 % over 1 year "
        "+ calcium 600 mg twice daily for 1 year + anastrozole 1 mg daily"
    )
    assert typed.text() == text
    assert parse(text) == typed == typed.check(CATALOGUE)


def test_levers_are_no_drugs_and_no_doses():
    protocol = parse(
        "calcium 1200 mg daily + vitamin D 800 IU daily + weight -5 % over 1 year + anastrozole 1 mg daily"
    )
    assert protocol.drugs == ("anastrozole",)
    assert {event.drug for event in protocol.events(7)} == {"anastrozole"}
    assert {event.lever for event in protocol.levers(7)} == {"calcium", "vitamin D", "weight"}
    assert parse("anastrozole 1 mg daily").levers(7) == []


def test_check_gives_supplements_their_own_name():
    protocol = Protocol.of(Regimen("Vitamin D3", 800, "IU", PerDay(1)))
    assert protocol.check(CATALOGUE) == parse("vitamin D 800 IU daily")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("weight -36 % over 3 years", "a weight loss of 36 % is larger than the usual 35 %"),
        ("weight -20 % over 1 year + weight -20 % over 2 years", "a weight loss of 40 % is larger than the usual 35 %"),
        ("weight -20 % over 10 weeks", "a weight change of -2 % a week is faster than the usual 1.5 % a week"),
        ("weight +1 % over 1 day", "a weight change of +7 % a week is faster than the usual 1.5 % a week"),
    ],
)
def test_an_unlikely_weight_change_warns_and_runs(text, sentence):
    with pytest.warns(ModelWarning, match=f"^{re.escape(sentence)}$"):
        protocol = parse(text)
    with pytest.warns(ModelWarning, match=f"^{re.escape(sentence)}$"):
        protocol.check(CATALOGUE)


def test_the_limits_of_a_usual_weight_change_do_not_warn():
    assert parse("weight -15 % over 10 weeks").levers(1)
    assert parse("weight -35 % over 2 years").levers(1)
