"""Virtual men against published men: every figure can be computed, its source was seen, and the page is current."""

from pathlib import Path

import numpy as np
import pytest
from tests import tools

from leydig.bibliography import UNUSABLE, reference
from leydig.errors import InputError
from leydig.files import DATA, read_yaml
from leydig.population_prior import men
from leydig.studies import population_check as check
from leydig.studies.observe import published_within_man
from leydig.studies.population_figures import Drawn, Figure, Limit, checks

ROOT = Path(__file__).parents[2]
PANELS = ("marginals", "correlations", "prevalences")


@pytest.fixture(scope="module")
def found():
    return check.results()


@pytest.fixture(scope="module")
def tool():
    return tools.load("population_page")


def sources_of_the_prior(part):
    """Keys of the sources on which a measured or derived number of population.yaml rests."""
    if isinstance(part, dict):
        if part.get("kind") in ("measured", "derived") and "source" in part:
            yield from [part["source"]] if isinstance(part["source"], str) else part["source"]
        for inner in part.values():
            yield from sources_of_the_prior(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from sources_of_the_prior(inner)


def test_every_figure_is_computed(found):
    assert len(found) >= 150
    assert all(np.isfinite(result.model) and np.isfinite(result.distance) for result in found)
    for panel in PANELS:
        of_panel = [result for result in found if result.panel == panel]
        assert sum(not result.study.used for result in of_panel) >= 15 and any(result.study.used for result in of_panel)


def test_no_source_of_the_prior_passes_for_independent():
    inputs = set(sources_of_the_prior(read_yaml(DATA / "population.yaml")))
    assert not [study.source for study in checks().studies if study.source in inputs and not study.used]


def test_every_source_was_seen():
    assert not [study.source for study in checks().studies if reference(study.source).verification in UNUSABLE]


def test_what_the_model_was_made_from_it_mostly_returns(found):
    """Sources disagree, so not all can be met; but most of what went in must come out."""
    used = [result.inside for result in found if result.study.used]
    assert np.mean(used) > 2 / 3


def test_the_page_is_what_the_program_computes(found, tool):
    written = (ROOT / "docs" / "population.md").read_text(encoding="utf-8")
    assert written == tool.page(found), "run tools/population_page.py"
    misses = written.partition("## Misses")[2].partition("\n## ")[0]
    assert misses.count(" miss** ") == sum(not result.inside for result in found) == written.count(" miss** ")


def test_a_wrong_figure_is_a_miss(found):
    """The check can fail: the same men against a figure twice, or the opposite of, what was published."""
    inside = {result.panel: result for result in found if result.inside and abs(result.figure.value) > 0.3}
    for panel, factor in (("marginals", 2.0), ("correlations", -1.0), ("prevalences", 0.2)):
        result = inside[panel]
        wrong = result.figure.model_copy(update={"value": factor * result.figure.value})
        assert not check._result(result.study, wrong, check.Sampled(result.study)).inside


def test_samples_are_printed_as_the_study_measured():
    study = next(s for s in checks().studies if s.source == "chadid2019" and s.men.ages == (20, 39))
    sampled = check.Sampled(study)
    state = men("eugonadal", checks().seed, 0, checks().men, ages=(20, 39)).values
    assert np.median(sampled["estradiol"]) > np.median(state["estradiol"]) + 3  # the immunoassay's offset
    spread = np.std(np.log(sampled["LH"] / state["LH"]))
    assert spread == pytest.approx(published_within_man()["LH"].value, rel=0.03)
    count = sampled["sperm_concentration"] * sampled["semen_volume"]
    assert np.array_equal(sampled["total_sperm_count"], count)


def test_men_of_a_BMI_are_found():
    who = check.drawn(Drawn(ages=(40, 50), BMI=(34, 36)))
    assert len(who.id) == checks().men and len(set(who.id)) == len(who.id)
    assert who.values["BMI"].min() >= 34 and who.values["BMI"].max() < 36
    with pytest.raises(InputError, match="have a BMI from 80 to 85"):
        check.drawn(Drawn(BMI=(80, 85)))


def test_shares_and_odds_ratios(found):
    study = next(s for s in checks().studies if s.source == "mulligan2006")
    sampled = check.Sampled(study)
    below, obese = (
        Limit(quantity="testosterone", below=300, unit="ng/dL"),
        Limit(quantity="BMI", above=30, unit="kg/m2"),
    )
    lean = Limit(quantity="BMI", below=30, unit="kg/m2")
    ask = dict(quantity="testosterone", value=1, where=(below,))
    share = check._model(Figure(statistic="share", **ask), sampled)
    assert share == pytest.approx(100 * np.mean(sampled["testosterone"] < 300))
    ratio = check._model(Figure(statistic="odds ratio", among=obese, against=lean, **ask), sampled)
    heavy = sampled["BMI"] >= 30
    a, b = (np.mean(sampled["testosterone"][group] < 300) for group in (heavy, ~heavy))
    assert ratio == pytest.approx(a / (1 - a) / (b / (1 - b)))


@pytest.mark.parametrize(
    "given",
    [
        {"statistic": "percentile"},
        {"statistic": "correlation"},
        {"statistic": "share"},
        {"statistic": "odds ratio", "where": [{"quantity": "BMI", "above": 30, "unit": "kg/m2"}]},
    ],
)
def test_a_figure_that_lacks_something_is_refused(given):
    with pytest.raises(ValueError, match="lacks"):
        Figure(quantity="testosterone", value=1, **given)
