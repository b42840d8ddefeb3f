"""Published pulses as records, how they are scored, and how samples become a study's numbers."""

import warnings

import numpy as np
import pytest

from leydig import start
from leydig.errors import InputError, ModelWarning
from leydig.pharmacology.protocol import Protocol
from leydig.studies.pulse_check import Result
from leydig.studies.pulse_statistics import STATISTICS, Record, correlogram
from leydig.studies.pulse_studies import Figure, Series, Study, pulse_studies

SERIES = {"men": Series(ages=(20, 40), n=16, every=10, hours=24)}


def scored(model_value, **figure):
    published = Figure(**{"statistic": "mean", "quantity": "LH", "of": "men", "value": 10.0} | figure)
    study = Study(source="x", used=True, printed="", detector="Cluster", series=SERIES, figures=(published,))
    return Result(study, published, model_value, 0.3, published.error(SERIES))


def test_a_spread_becomes_a_standard_error():
    assert scored(10, spread=0.4, spread_kind="SEM").error == 0.4
    assert scored(10, spread=0.8, spread_kind="SD").error == pytest.approx(0.2)
    assert scored(10, spread=(8, 12), spread_kind="CI95").error == pytest.approx(4 / (2 * 1.96), rel=1e-3)
    over = {"of": "men", "value": 5.0, "spread": 0.3}
    ratio = scored(2, spread=0.4, spread_kind="SEM", over=over)
    assert ratio.figure.published == 2 and ratio.error == pytest.approx(2 * np.hypot(0.04, 0.06))
    assert ratio.z == 0


def test_what_is_a_miss():
    assert scored(10.79, spread=0.4, spread_kind="SEM").inside
    assert not scored(10.81, spread=0.4, spread_kind="SEM").inside
    assert scored(10.8, spread=0.4, spread_kind="SEM").z == pytest.approx(0.8 / 0.5)
    assert scored(11.9).inside and not scored(12.1).inside and scored(12.1).z is None
    within = {"spread": (9.0, 10.5), "spread_kind": "range"}
    assert scored(9.1, **within).inside and not scored(8.9, **within).inside and not scored(10.6, **within).inside
    assert scored(8.9, **within).off_by == pytest.approx(1.1)


def test_clock_hours_are_compared_the_short_way_round():
    late = scored(0.5, statistic="slowest hour", value=23.5, unit="clock")
    assert late.difference == pytest.approx(1.0) and late.inside
    assert not scored(4.0, statistic="slowest hour", value=23.5, unit="clock").inside


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"spread": 1.0}, "without its kind"),
        ({"spread": 1.0, "spread_kind": "range"}, "does not fit its kind"),
        ({"statistic": "pulses"}, 'lacks "per"'),
    ],
)
def test_a_figure_that_lacks_something_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Figure(**{"statistic": "mean", "quantity": "LH", "of": "men", "value": 1.0} | wrong)


def test_an_unknown_series_is_named_with_the_nearest():
    with pytest.raises(InputError, match="pitteloud2008"):
        pulse_studies().series("pitteloud2008.blokked")


def test_every_protocol_of_the_studies_can_be_given():
    for study in pulse_studies().studies:
        for series in study.series.values():
            if series.protocol is not None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ModelWarning)
                    assert start.given(Protocol.parse(series.protocol), series.day + 2) is not None


# Statistics of samples whose answer is known --------------------------------------------------------


def record(values, every=10.0, clock=8.0, **others):
    values = np.asarray(values, float)
    series = {"LH": values, "testosterone": values} | others
    minutes = every * np.arange(len(values))
    none = {"LH": np.zeros(0), "FSH": np.zeros(0)}
    return Record(clock, minutes, series, series, np.ones(len(values)), np.zeros(0), none, 0.05)


def taken(statistic, *records, quantity="LH"):
    per_man, of_men = STATISTICS[statistic]
    step = float(records[0].minutes[1] - records[0].minutes[0])
    return of_men(np.array([per_man(records, quantity, "Cluster")]), step)


def test_clock_hours_of_a_cosine():
    hours = 20 + np.arange(0, 24, 1 / 6)
    wave = 5 + np.cos(2 * np.pi * (hours - 6.5) / 24)
    assert taken("peak hour", record(np.append(wave, wave[0]), clock=20.0)) == pytest.approx(6.5, abs=1e-6)
    slow = record(wave, clock=20.0)._replace(frequency=wave)
    assert taken("slowest hour", slow) == pytest.approx(18.5, abs=1e-6)


def test_a_lag_is_found_where_it_was_put():
    noise = np.random.default_rng(1).standard_normal(200)
    both = record(noise[6:], testosterone=noise[:-6])
    assert np.argmax(correlogram(both, "testosterone")) == 6
    assert taken("lag", both, quantity="testosterone") == 60
    assert taken("correlation", both, quantity="testosterone") == pytest.approx(1)


def test_falls_means_and_variation():
    day = np.linspace(10, 6, 145)
    assert taken("fall from begin to end", record(day)) == pytest.approx(40)
    assert taken("least fall", record(day)) == pytest.approx(40)
    assert taken("mean", record(day)) == pytest.approx(8)
    assert taken("first over mean", record(day)) == pytest.approx(25)
    assert taken("16:00 over 08:00", record(day)) == pytest.approx(day[48] / 10)
    assert taken("highest", record(day)) == 10
    alternating = record(np.tile([9.0, 11.0], 50))
    assert taken("CV within a day", alternating) == pytest.approx(10, rel=0.01)
    assert taken("limit of change", alternating) == pytest.approx(1.96 * np.sqrt(2) * 10, rel=0.01)
    three = [record(np.full(145, level)) for level in (9.0, 10.0, 11.0)]
    assert taken("CV of mean", *three) == pytest.approx(10)
