"""Distributions, variation, guidelines, conflicts: what is refused, and that what is shipped holds together."""

import json
from pathlib import Path

import pytest

from leydig import bibliography
from leydig.errors import InputError
from leydig.evidence import trials
from leydig.files import DATA, read_yaml
from leydig.literature import conflicts, entries, standing
from leydig.literature.records import Distribution, Guideline, Variation
from leydig.studies import evidence_list
from leydig.studies.evidence_list import Filter, select
from leydig.studies.evidence_rows import DISTRIBUTIONS, KINDS, TRIALS, VARIATION, limits, rows

DISTRIBUTION = """\
key: some2010
citation: travison2017
title: Testosterone of some men
verification: abstract
groups:
  - name: lean
    text: Lean men
    n: 40
    ages: [20, 40]
    assay: {testosterone: LC-MS/MS}
    figures:
      - {quantity: testosterone, statistic: percentile, percentile: 5, value: 300, unit: ng/dL}
      - {quantity: testosterone, statistic: mean, value: 18, unit: nmol/L, spread: 4, spread_kind: SD}
      - {quantity: testosterone, statistic: correlation, with: BMI, value: -0.3, unit: "1"}
      - {quantity: testosterone, statistic: share, value: 12, unit: "%",
         of: [{quantity: testosterone, below: 300, unit: ng/dL}]}
  - name: obese
    text: Obese men
    figures:
      - {quantity: testosterone, statistic: difference, value: -5, unit: nmol/L, against: lean}
"""
VARIED = """\
key: some2010
citation: guldhaug
title: Testosterone of some men
verification: abstract
population: some men
figures:
  - {quantity: testosterone, component: within man, value: 16, unit: "%"}
  - {quantity: testosterone, component: largest gap, value: 4, unit: nmol/L}
  - {quantity: testosterone, component: crossing, value: 89, unit: "%",
     first: {quantity: testosterone, below: 10, unit: nmol/L}, then: {quantity: testosterone, above: 10, unit: nmol/L}}
"""
GUIDE = """\
key: some2010
citation: aua2018
title: Low testosterone
verification: secondary
body: A society
year: 2010
statements:
  - {topic: diagnosis, says: Low is below this., strength: moderate,
     limits: [{quantity: testosterone, below: 300, unit: ng/dL}]}
  - {topic: monitoring, says: Again., every: {low: 3, high: 6, unit: month}}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "some2010.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_good_entries_load(tmp_path):
    lean, obese = entries.load(written(tmp_path, DISTRIBUTION), Distribution).groups
    assert [figure.value for figure in lean.figures] == [300, 18, -0.3, 12]
    assert obese.figures[0].against == "lean"
    assert entries.load(written(tmp_path, VARIED), Variation).figures[2].then.words() == "testosterone above 10 nmol/L"
    guideline = entries.load(written(tmp_path, GUIDE), Guideline)
    assert guideline.year == "2010"
    assert guideline.statements[1].every.words() == "3 to 6 months"


@pytest.mark.parametrize(
    ("kind", "text", "old", "new", "sentence"),
    [
        (Distribution, DISTRIBUTION, "key: some2010", "key: other", 'the key "other" of some2010.yaml must'),
        (Distribution, DISTRIBUTION, "citation: travison2017", "citation: travisson2017", "unknown reference"),
        (Distribution, DISTRIBUTION, "verification: abstract", "verification: memory", 'unknown verification "memory"'),
        (Distribution, DISTRIBUTION, "unit: ng/dL}\n", "unit: IU/L}\n", 'unknown unit of testosterone "IU/L"'),
        (Distribution, DISTRIBUTION, "percentile: 5, ", "", "a percentile needs its percentile"),
        (Distribution, DISTRIBUTION, "statistic: mean", "statistic: average", 'unknown statistic "average" in'),
        (Distribution, DISTRIBUTION, "spread_kind: SD", "spread_kind: CI95", "is a list of its lower and upper limit"),
        (Distribution, DISTRIBUTION, "with: BMI, ", "", 'a correlation or a slope needs "with"'),
        (Distribution, DISTRIBUTION, 'value: -0.3, unit: "1"', 'value: -0.3, unit: "%"', 'unknown unit "%" in a'),
        (Distribution, DISTRIBUTION, "against: lean", "against: leen", 'unknown group "leen"'),
        (Distribution, DISTRIBUTION, "against: lean", "note: none", 'a difference needs "against"'),
        (Distribution, DISTRIBUTION, "of: [{quantity: testosterone, below: 300, unit: ng/dL}]", "n: 3", 'needs "of"'),
        (Distribution, DISTRIBUTION, "statistic: mean,", "statistic: mean, kind: derived,", "a derived number needs"),
        (Distribution, DISTRIBUTION, "statistic: mean,", "statistic: mean, kind: assumed,", 'unknown kind "assumed"'),
        (Distribution, DISTRIBUTION, "statistic: mean,", "statistic: mean, seen: memory,", 'unknown seen "memory"'),
        (Variation, VARIED, "component: within man", "component: within men", 'did you mean "within man"'),
        (Variation, VARIED, "value: 4, unit: nmol/L", 'value: 4, unit: "%"', 'unknown unit of testosterone "%"'),
        (Variation, VARIED, ", then: {quantity: testosterone, above: 10, unit: nmol/L}", "", 'a crossing needs "then"'),
        (Guideline, GUIDE, "topic: diagnosis", "topic: diagnose", 'unknown topic "diagnose"'),
        (Guideline, GUIDE, "below: 300, ", "", 'the limit on testosterone needs "above", "below" or both'),
        (Guideline, GUIDE, "unit: month", "unit: moon", 'unknown unit "moon"'),
    ],
)  # fmt: skip
def test_a_bad_entry_is_refused(tmp_path, kind, text, old, new, sentence):
    assert old in text
    with pytest.raises(InputError) as caught:
        entries.load(written(tmp_path, text.replace(old, new, 1)), kind)
    assert sentence in str(caught.value)
    assert "some2010.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_entry_that_rests_on_what_nobody_saw_is_refused(tmp_path):
    unseen = next(key for key, one in bibliography.bibliography().items() if one.verification in bibliography.UNUSABLE)
    text = GUIDE.replace("citation: aua2018", f"citation: {unseen}")
    with pytest.raises(InputError, match="which nobody has seen"):
        entries.load(written(tmp_path, text), Guideline)


def test_every_number_says_where_it_stands_and_how_it_was_seen():
    for kind in KINDS:
        for row in rows(kind):
            assert row.where, f"{row.study} {row.quantity}"
            assert row.seen in ("fulltext", "abstract", "secondary"), f"{row.study} {row.quantity}"
            assert (DATA / row.file).exists()


def test_each_number_stands_once():
    """A file of its kind does not repeat what the program reads from a file of its own."""
    for key, entry in entries.distributions().items():
        own, elsewhere = [], []
        for group in entry.groups:
            for figure in group.figures:
                place = own if figure.file.startswith("reference_distributions/") else elsewhere
                number = (figure.quantity, figure.statistic, figure.percentile, figure.with_, figure.value)
                place.append((number, group.n))
        twice = [one for one, n in own for other, m in elsewhere if one == other and (n == m or None in (n, m))]
        assert not twice, key
    for key, entry in entries.variations().items():
        numbers = [(one.quantity, one.component, one.value, one.assay, one.note) for one in entry.figures]
        assert len(numbers) == len(set(numbers)), key


def test_standing_files_are_presented_whole():
    """Every published range, check and criterion is there under its source."""
    for row in read_yaml(DATA / standing.RANGES)["reference"]:
        known = entries.distributions() | entries.guidelines()
        assert row["source"] in known
    shown = {(row.study, row.quantity, row.value) for row in rows(DISTRIBUTIONS)}
    for study in read_yaml(DATA / standing.CHECKS)["studies"]:
        for figure in study["figures"]:
            quantity = standing.BOTH_SITES.get(figure["quantity"], figure["quantity"])
            assert (study["source"], quantity, figure["value"]) in shown
    within = {row.study: row.value for row in rows(VARIATION) if row.statistic == "within man" and row.quantity == "LH"}
    assert within["guldhaug"] == pytest.approx(26)


def test_at_least_as_much_is_entered_as_was_asked_for():
    assert len(trials()) >= 60
    assert {kind: len({row.study for row in rows(kind)}) > 15 for kind in KINDS} == dict.fromkeys(KINDS, True)


def test_conflicts_name_figures_that_exist_on_at_least_two_sides():
    several = conflicts.conflicts()
    assert len(several) >= 10
    assert len({one.name for one in several}) == len(several)
    for _, sides in evidence_list.conflicting([], Filter()):
        assert all(found for _, found in sides)


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"trial": "leder2005", "arm": "1 mg", "quantity": "NTX", "day": 84}, 'unknown arm "1 mg" in leder2005'),
        ({"trial": "leder2005", "arm": "1 mg daily", "quantity": "CTX", "day": 84}, 'unknown figure "CTX on day 84"'),
        ({"trial": "leder2006", "arm": "1 mg daily", "quantity": "NTX", "day": 84}, 'unknown trial "leder2006"'),
        ({"distribution": "kley1980", "group": "thin", "quantity": "estradiol"}, 'unknown group "thin" in kley1980'),
        ({"distribution": "kley1980", "group": "obese", "quantity": "LH"}, 'unknown quantity "LH"'),
        ({"distribution": "clay1980", "group": "obese", "quantity": "LH"}, 'did you mean "kley1980"'),
    ],
)
def test_a_conflict_with_a_figure_that_does_not_exist_is_refused(named, sentence):
    with pytest.raises(InputError) as caught:
        conflicts.figures_named(conflicts.Named(**named))
    assert sentence in str(caught.value)


def test_a_figure_is_named_in_full():
    with pytest.raises(ValueError, match='a figure needs "trial", "arm" and "day"'):
        conflicts.Named(trial="leder2005", quantity="NTX")


def test_what_was_left_out_has_a_reason_and_is_not_in_the_base():
    studies = conflicts.left_out()
    assert all(len(one.reason) > 4 for one in studies)
    assert not set(evidence_list.keys()) & {one.id for one in studies}


def test_filters_keep_what_they_name():
    asked = Filter(drug="anastrozole", quantity="testosterone", role="validation")
    found = select(asked)
    assert found
    assert all(row.quantity == "testosterone" and row.role == "validation" for row in found)
    assert all("anastrozole" in row.drugs for row in found)
    forms = {name for row in select(Filter(drug="testosterone")) for name in row.drugs if name.startswith("testost")}
    assert {"testosterone enanthate", "testosterone gel"} <= forms
    assert all(not row.drugs for row in select(Filter(drug="none")))
    seen = select(Filter(verification="fulltext"))
    assert {row.seen for row in seen} == {"fulltext"}
    assert {row.kind for row in seen} == set(KINDS)
    assert sum(len(select(Filter(kind=kind))) for kind in KINDS) == len(select(Filter()))


def test_a_limit_of_a_mean_follows_from_its_spread():
    by_spread = {row.spread.split(" ")[0]: row for row in rows(TRIALS) if row.low is not None}
    sd = next(row for row in rows(TRIALS) if row.spread.startswith("SD ") and row.n)
    size = float(sd.spread.removeprefix("SD "))
    assert sd.high - sd.low == pytest.approx(2 * 1.96 * size / sd.n**0.5)
    assert {"SD", "SEM", "95"} <= set(by_spread)
    trial = next(one for one in trials() if one.key == "burnettbowie2009")
    outcome = trial.arms[0].outcomes[0]
    assert limits(outcome, None) == (None, None)  # an SD says nothing of a mean without the number of men


def test_a_study_is_found_by_its_key_and_by_its_reference():
    assert set(evidence_list.entries_named("baker1985")) == {TRIALS}
    assert [one.key for one in evidence_list.entries_named("baker1985")[TRIALS]] == [
        "baker1985concentration",
        "baker1985motility",
    ]
    with pytest.raises(InputError, match='did you mean "burnettbowie2009"'):
        evidence_list.entries_named("burnetbowie2009")


def test_the_overview_is_plain_data():
    counts = json.loads(json.dumps(evidence_list.overview()))
    assert counts[TRIALS]["studies"] == len(trials())
    assert sum(one["studies"] for one in counts[TRIALS]["roles"].values()) == len(trials())
