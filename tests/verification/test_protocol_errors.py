"""What is said of protocol text and objects that mean nothing: one sentence that points at the word."""

import re
import time

import pytest

from leydig.errors import InputError
from leydig.pharmacology.product import Product
from leydig.pharmacology.protocol import (
    Continuous,
    Course,
    MissedDoses,
    Once,
    Pause,
    PerDay,
    Protocol,
    Regimen,
    Span,
    Weekdays,
    WeightChange,
)

MASS = {"mg": 1.0, "ug": 0.001}
PRODUCTS = [
    Product("anastrozole", None, "mg", MASS, (0.01, 60), (0.1, 10)),
    Product("testosterone gel", None, "mg", MASS, (5, 200), (20, 150)),
    Product("testosterone infusion", None, "mg/day", MASS, (0.1, 50), (1, 20)),
    Product("degarelix", None, "mg", MASS, (10, 500), (80, 240)),
]
CATALOGUE = {product.name: product for product in PRODUCTS}
KNOWN = "anastrozole, testosterone gel, testosterone infusion, degarelix"


def parse(text: str) -> Protocol:
    return Protocol.parse(text, CATALOGUE)


DOSE = 'expected the dose of anastrozole in mg or ug, such as "1 mg"'
HOW_OFTEN = 'expected how often, such as "daily", "twice weekly", "every 36 hours", "Mon Wed Fri", "once"'
WHAT_FOLLOWS = 'expected "for", "from", "starting", "after", "missing", "then", "+" or the end'
DRUG = 'expected a drug with its dose, such as "anastrozole 1 mg daily for 12 weeks", or "none"'
CHANGE = 'expected a weight change in % of the weight at day 0, such as "weight -10 % over 6 months"'
UNIT_OF_TIME = "expected a unit of time: hours, days, weeks, months, years"


BAD = {
    "": f"protocol, at the end: {DRUG}",
    "clomiphene 25 mg daily": f'protocol, at word 1 "clomiphene": unknown drug; known: {KNOWN}',
    "anastrozol 1 mg daily": (
        f'protocol, at word 1 "anastrozol": unknown drug; did you mean "anastrozole"? Known: {KNOWN}'
    ),
    "anastrozole 1 mg daily + testosterone gell 50 mg daily": (
        f'protocol, at word 6 "testosterone gell": unknown drug; did you mean "testosterone gel"? Known: {KNOWN}'
    ),
    "weight": f'protocol, at the end, after "weight": {CHANGE}',
    "weight 80 kg": f'protocol, at word 3 "kg": {CHANGE}',
    "weight -10 kg over 6 months": f'protocol, at word 3 "kg": {CHANGE}',
    "weight loss -10 % over 6 months": f'protocol, at word 3 "-10": {CHANGE}',
    "weight - + 5 % over 6 months": f'protocol, at word 3 "+": {CHANGE}',
    "weight 10 % over 6 months": 'protocol, at word 2 "10": needs its sign: -10 % is a loss, +10 % a gain',
    "weight -0 % over 6 months": 'protocol, at word 2 "0": a number must be from 0.000001 to 1000000',
    "weight -61% over 2 years": (
        'protocol, at word 2 "-61%": a weight change of -61 % is outside the accepted range, -60 to +60 %'
    ),
    "weight -10 % for 6 months": (
        'protocol, at word 4 "for": expected "over" and a length of time, such as "over 6 months"'
    ),
    "weight -10 % over": ('protocol, at the end, after "over": expected a length of time, such as "6 months"'),
    "weight -10 % over 6 months for 1 year": (
        'protocol, at word 7 "for": expected "from", "starting", "after", "then", "+" or the end'
    ),
    "weight -10 % over 6 months then +5 % over 1 year": f'protocol, at word 8 "+": {DRUG}',
    "weight -10 % over 6 months then weight +5 % over 1 year from week 4": (
        'protocol, at word 14 "from": counts from day 0, so it stands in the first step only; here write '
        '"after 4 weeks"'
    ),
    "weight -40 % over 1 year then weight -40 % over 1 year": (
        "the weight changes of the protocol together reach -80 % of the weight at day 0; accepted: -60 to +60 %"
    ),
    "wieght -10 % over 6 months": ('protocol, at word 1 "wieght": unknown drug or lever; did you mean "weight"?'),
    "calcum 1 g daily": 'protocol, at word 1 "calcum": unknown drug or lever; did you mean "calcium"?',
    "calcium 800 IU daily": 'protocol, at word 3 "IU": expected the dose of calcium in mg or g, such as "1 mg"',
    "calcium 600 mg 10 times daily": (
        'protocol, at word 2 "600": calcium 6000 mg a day is outside the accepted range, 1 to 5000 mg a day'
    ),
    "vitamin D 200000 IU weekly": (
        'protocol, at word 3 "200000": vitamin D 28571.4 IU a day is outside the accepted range, 1 to 20000 IU a day'
    ),
    "calcium 1 g once": (
        'protocol, at word 2 "1": calcium acts by its amount a day, so a single dose means nothing; write "daily"'
    ),
    "calcium 1 g daily for 1 week missing dose 3": (
        'protocol, at word 2 "1": calcium acts by its amount a day, so missed doses are not modelled; '
        "write a lower dose"
    ),
    "anastrozole 1 mg daily + exercise 3 times weekly": (
        'protocol, at word 6 "exercise": exercise is not modelled: training as such leaves the resting testosterone of '
        'trial groups unchanged; write the weight change that it brings, such as "weight -5 % over 6 months"'
    ),
    "Dieting": (
        'protocol, at word 1 "Dieting": diet is not modelled: beyond a change of weight the published effects of what '
        'a man eats are small and unsure; write the weight change that it brings, such as "weight -5 % over 6 months"'
    ),
    "alcohol 2 glasses daily": (
        'protocol, at word 1 "alcohol": alcohol is not modelled: reviews disagree on what drinking does to '
        "testosterone and semen, and none gives a size by dose; leave it out"
    ),
    "stop testosterone": (
        'protocol, at word 2 "testosterone": "stop" stands alone, as a protocol is all that he takes from day 0 on; to '
        "stop one drug of several, write the others"
    ),
    "1 mg daily": f'protocol, at word 1 "1": {DRUG}',
    "none for 4 weeks then 1 mg daily": f'protocol, at word 6 "1": {DRUG}',
    "anastrozole 1 mg daily for 4 weeks then weekly": f'protocol, at word 9 "weekly": {DRUG}',
    "+ anastrozole 1 mg daily": f'protocol, at word 1 "+": {DRUG}',
    "anastrozole 1 mg daily +": f'protocol, at the end, after "+": {DRUG}',
    "anastrozole": f'protocol, at the end, after "anastrozole": {DOSE}',
    "anastrozole daily 1 mg": f'protocol, at word 2 "daily": {DOSE}',
    "anastrozole 1 IU daily": f'protocol, at word 3 "IU": {DOSE}',
    "anastrozole 1.5.5 mg daily": f'protocol, at word 2 ".5": {DOSE}',
    "anastrozole 1 mgs daily": f'protocol, at word 3 "mgs": {DOSE}; did you mean "mg"?',
    "anastrozole -1 mg daily": f'protocol, at word 2 "-1": {DOSE}',
    "anastrozole 0 mg daily": 'protocol, at word 2 "0": a number must be from 0.000001 to 1000000',
    "anastrozole 1 kg daily": f'protocol, at word 3 "kg": {DOSE}',
    "anastrozole 100 mg daily": (
        'protocol, at word 2 "100": anastrozole 100 mg is outside the accepted range, 0.01 to 60 mg'
    ),
    "anastrozole 0,5 mg daily": (
        'protocol, at word 2 "0,5": has a comma inside; write numbers such as "1500" or "0.5"'
    ),
    "anastrozole 1 mg/fortnight": ('protocol, at word 3 "mg/fortnight": expected a dose per "hour", "day" or "week"'),
    "testosterone infusion 7 mg daily": (
        'protocol, at word 4 "mg": testosterone infusion runs without pause; write its rate, such as "1 mg/day"'
    ),
    "anastrozole 1 mg": f'protocol, at the end, after "mg": {HOW_OFTEN}',
    "anastrozole 1 mg dayly": f'protocol, at word 4 "dayly": {HOW_OFTEN}; did you mean "daily"?',
    "anastrozole 1 mg every": (
        'protocol, at the end, after "every": expected an interval, such as "every 36 hours" or "every other day"'
    ),
    "anastrozole 1 mg biweekly": (
        'protocol, at word 4 "biweekly": can mean two things; write "twice weekly" or "every 2 weeks"'
    ),
    "anastrozole 1 mg twice monthly": (
        'protocol, at word 5 "monthly": expected "daily" or "weekly", or an interval such as "every 2 weeks"'
    ),
    "anastrozole 1 mg 48 times daily": (
        'protocol, at word 4 "48": the number of doses a day is 48; it must be a whole number from 1 to 24'
    ),
    "anastrozole 1 mg 2.5 times daily": (
        'protocol, at word 4 "2.5": the number of doses must be a whole number from 1 to 200000'
    ),
    "anastrozole 1 mg Mon Wedd Fri": f'protocol, at word 5 "Wedd": {WHAT_FOLLOWS}; did you mean "Wed"?',
    "anastrozole 1 mg Mon Mon": 'protocol, at word 5 "Mon": Mon is named twice; name each day once',
    "anastrozole 1 mg daily 12 weeks": f'protocol, at word 5 "12": {WHAT_FOLLOWS}',
    "anastrozole 1 mg daily for": ('protocol, at the end, after "for": expected a length of time, such as "12 weeks"'),
    "anastrozole 1 mg daily for 12": f'protocol, at the end, after "12": {UNIT_OF_TIME}',
    "anastrozole 1 mg daily for 12 wekes": f'protocol, at word 7 "wekes": {UNIT_OF_TIME}; did you mean "weeks"?',
    "anastrozole 1 mg daily for 500 years": 'protocol, at word 6 "500": 500 years is longer than 100 years',
    "anastrozole 1 mg daily for 60 years then 1 mg daily for 60 years": (
        "the steps of a course last longer than 100 years together"
    ),
    "anastrozole 1 mg daily for 2 weeks for 3 weeks": (
        'protocol, at word 8 "for": the same is said twice for anastrozole; say it once'
    ),
    "anastrozole 1 mg daily then 0.5 mg weekly": (
        'protocol, at word 5 "then": the step before "then" never ends; say for how long, such as "for 12 weeks"'
    ),
    "degarelix 240 mg once then 80 mg monthly": (
        'protocol, at word 5 "then": a single dose before "then" needs "for 4 weeks", or the next step "after 4 weeks"'
    ),
    "anastrozole 1 mg daily for 2 weeks then 1 mg daily from week 4": (
        'protocol, at word 12 "from": counts from day 0, so it stands in the first step only; here write '
        '"after 4 weeks"'
    ),
    "anastrozole 1 mg daily from 4 weeks": (
        'protocol, at word 6 "4": expected a time after day 0, such as "week 4" or "day 10"'
    ),
    "anastrozole 1 mg daily for 10 days missing dose 12": (
        'protocol, at word 8 "missing": "missing dose 12": anastrozole has fewer doses in 10 days'
    ),
    "anastrozole 1 mg daily missing 10 % of doses": (
        'protocol, at word 6 "10": expected "doses 3 5" or "every 7th dose"'
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD.items())
def test_a_bad_text_points_at_the_word(text, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        parse(text)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Span(3, "fortnight"), 'unknown unit of time "fortnight"; allowed: hour, day, week, month, year'),
        (lambda: Span(float("nan"), "day"), "a number of days is nan; it must be from 0.000001 to 1000000"),
        (lambda: Weekdays(("Mon", "Mon")), "days of the week are ('Mon', 'Mon'); name each once, of Mon Tue Wed Thu"),
        (lambda: PerDay(0), "the number of doses a day is 0; it must be a whole number from 1 to 24"),
        (lambda: Course(()), "a course has no step"),
        (lambda: Protocol(()), "the protocol has 0 steps; it must have from 1 to 100"),
        (lambda: Regimen("anastrozole", 1, "mg", Continuous()), 'anastrozole has the unit "mg"; a continuous input'),
        (
            lambda: Regimen("anastrozole", 1, "mg", Once(), missed=MissedDoses((1,))),
            "anastrozole has no repeated doses",
        ),
        (lambda: WeightChange(float("nan"), Span(1, "year")), "a weight change in % is nan; it must be from 0.000001"),
        (lambda: WeightChange(0, Span(1, "year")), "a weight change in % is 0; it must be from 0.000001"),
        (lambda: WeightChange(61, Span(1, "year")), "a weight change of +61 % is outside the accepted range, -60 to"),
        (
            lambda: Protocol.of(WeightChange(-40, Span(1, "year"))) + Protocol.of(WeightChange(-40, Span(1, "year"))),
            "the weight changes of the protocol together reach -80 %",
        ),
        (lambda: Regimen("calcium", 6000, "mg", PerDay(1)), "calcium 6000 mg a day is outside the accepted range"),
        (lambda: Regimen("calcium", 1, "g", PerDay(1)), 'calcium is dosed in mg, not in "g"'),
        (lambda: Regimen("vitamin D", 800, "IU", Once()), "vitamin D acts by its amount a day, so a single dose"),
        (lambda: Protocol.of(Pause()).levers(float("nan")), "the horizon is nan days; it must be from 0 to 100 years"),
        (lambda: Protocol.of(Pause(), Pause()), '"none then none": the step before "then" never ends'),
        (lambda: Protocol.of(Pause()).events(float("inf")), "the horizon is inf days; it must be from 0 to 100 years"),
        (lambda: Protocol.of(Pause()).events(7, 7), "the weekday of day 0 is 7; it must be a whole number from 0 to 6"),
        (lambda: Protocol.parse(5, CATALOGUE), "the protocol is 5; it must be text such as"),
    ],
)
def test_impossible_objects_are_refused(make, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        make()


@pytest.mark.parametrize(
    ("regimen", "message"),
    [
        (
            Regimen("anastrozol", 1, "mg", Once()),
            f'"anastrozol": unknown drug; did you mean "anastrozole"? Known: {KNOWN}',
        ),
        (Regimen("anastrozole", 1, "g", Once()), 'anastrozole is dosed in mg, not in "g"'),
        (Regimen("anastrozole", 61, "mg", Once()), "anastrozole 61 mg is outside the accepted range, 0.01 to 60 mg"),
    ],
)
def test_check_refuses_what_parse_refuses(regimen, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        Protocol.of(regimen).check(CATALOGUE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("anastrozole " * 900, "the protocol text has 10,800 characters; at most 10,000 are read"),
        (" + ".join(["none"] * 101), 'at word 201 "none": begins step 101; a protocol has at most 100 steps'),
        ("anastrozole 1 mg " + "every " * 1600, 'at word 5 "every": expected an interval'),
        ("a" * 9999, f'at word 1 "{"a" * 40}…": unknown drug'),
        ("anastrozole " + "9" * 9000 + " mg", "a number must be from 0.000001 to 1000000"),
        ("anastrozole 1 mg " + "mon/" * 2400, "expected how often"),
        ("anastrozole 1 mg daily missing doses " + "3 " * 4000, 'at word 8 "3": this dose is named twice'),
        ("anastrozole \x00\x1b[2J 1 mg daily", 'at word 2 "??[2J": expected the dose'),
        ("weight " + "-" * 5000 + "5 % over 1 year", "expected a weight change"),
        ("weight -" + "9" * 9000 + " % over 1 year", "a number must be from 0.000001 to 1000000"),
        ("none for 1 day then " * 99 + "none for 1 d" + "+" * 5000, "begins step 101"),
    ],
)
def test_hostile_text_is_refused_quickly(text, message):
    start = time.perf_counter()
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        parse(text)
    assert time.perf_counter() - start < 2  # s; it takes milliseconds
    assert len(str(caught.value)) < 500


def test_too_many_doses_are_refused_before_they_are_made():
    protocol = parse("anastrozole 1 mg every 0.000001 hours")
    with pytest.raises(InputError, match=r"^the protocol has more than 200,000 doses in 36500 days$"):
        protocol.events(36500)
