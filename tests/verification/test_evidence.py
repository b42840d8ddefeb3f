"""Trial files: what is refused, and that every shipped trial and every source key in the data resolves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leydig import bibliography, evidence
from leydig.errors import InputError
from leydig.files import DATA, read_yaml

GOOD = """\
key: example2004
citation: example2004
title: An example
verification: abstract
role: calibration
reason: Shows the form.
population: {text: older men, n: 24, age: 68, condition: ageing-low-testosterone}
assay: {testosterone: LC-MS, estradiol: immunoassay}
arms:
  - name: daily
    n: 12
    baseline:
      testosterone: {value: 10, unit: nmol/L, spread: 2, spread_kind: SD}
    protocol: anastrozole 1 mg daily for 12 weeks
    outcomes:
      - {quantity: testosterone, day: 84, value: 20, unit: nmol/L, statistic: mean, where: abstract, seen: abstract}
      - {quantity: LH, day: 84, value: 1.8, unit: "1", statistic: ratio, against: placebo, where: t2, seen: fulltext}
  - name: placebo
    n: 12
    protocol: none
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "example2004.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_trial_loads(tmp_path):
    trial = evidence.load_trial(written(tmp_path, GOOD))
    daily, placebo = trial.arms
    assert trial.assay["testosterone"] == "LC-MS/MS"
    assert daily.canonical_baseline() == {"testosterone": pytest.approx(288.42)}
    assert [outcome.canonical for outcome in daily.outcomes] == [pytest.approx(576.84), 1.8]
    assert placebo.outcomes == []
    assert [(arm.name, outcome.quantity) for arm, outcome in trial.outcomes()] == [
        ("daily", "testosterone"),
        ("daily", "LH"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "role: calibration",
            "role: both",
            'unknown role "both" in example2004.yaml; allowed: calibration, validation',
        ),
        ("reason: Shows the form.\n", "", '"reason" is missing in example2004.yaml'),
        ("verification: abstract", "verification: memory", 'unknown verification "memory" in example2004.yaml'),
        ("seen: fulltext", "seen: memory", 'unknown seen "memory" in arms[0].outcomes[1] of example2004.yaml'),
        ("testosterone: LC-MS", "testosteron: LC-MS", 'unknown quantity "testosteron"'),
        ("testosterone: LC-MS", "testosterone: ELISA", 'unknown testosterone "ELISA" in assay of example2004.yaml'),
        (
            "quantity: LH",
            "quantity: LHH",
            'unknown quantity "LHH" in arms[0].outcomes[1].quantity of example2004.yaml; did you mean "LH"',
        ),
        ("value: 20, unit: nmol/L", "value: 20, unit: IU/L", 'unknown unit of testosterone "IU/L"'),
        ('unit: "1", statistic: ratio', 'unit: "%", statistic: ratio', 'unknown unit "%" in a ratio of LH'),
        ("statistic: ratio", "statistic: fold", 'unknown statistic "fold" in arms[0].outcomes[1] of example2004.yaml'),
        (
            "against: placebo",
            "against: plazebo",
            'unknown arm "plazebo" in "against" of arm "daily" in example2004.yaml; did you mean "placebo"',
        ),
        ("against: placebo", "against: daily", 'unknown arm "daily" in "against" of arm "daily"'),
        ("against: placebo", "fit: false", 'an outcome with "fit: false" needs "why"'),
        ("name: placebo", "name: daily", 'two arms have the name "daily"'),
        ("day: 84, value: 20", "day: -1, value: 20", '"day" must be at least 0, not "-1" in arms[0].outcomes[0] of'),
        ("spread: 2, spread_kind: SD", "spread: 2", "a spread needs a spread_kind"),
        ("spread: 2, spread_kind: SD", "spread: 2, spread_kind: CI95", "is a list of its lower and upper limit"),
        (
            "spread: 2, spread_kind: SD",
            "spread: [3, 2], spread_kind: IQR",
            "the lower limit of a spread must not lie above",
        ),
        ("spread: 2, spread_kind: SD", "spread: [2, 3], spread_kind: SD", "the spread of kind SD is one number"),
        ("spread: 2, spread_kind: SD", "spread: -2, spread_kind: SD", "a spread must not be negative"),
        (
            "spread: 2, spread_kind: SD",
            "statistic: change",
            'unknown statistic of a baseline "change" in baseline.test',
        ),
        ("condition: ageing-low", "condition: aging-low", 'did you mean "ageing-low-testosterone"'),
        ("n: 24", "n: 0", '"n" must be at least 1'),
        ("n: 24", "n: many", '"n" must be a whole number, not "many"'),
        ("    protocol: none\n", "", '"protocol" is missing in arms[1] of example2004.yaml'),
        ("arms:\n", "arm:\n", 'unknown key "arm" in example2004.yaml; did you mean "arms"?'),
    ],
)
def test_a_bad_trial_is_refused(tmp_path, old, new, sentence):
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        evidence.load_trial(written(tmp_path, GOOD.replace(old, new, 1)))
    assert sentence in str(caught.value)
    assert "example2004.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_trials_and_roles_are_refused():
    with pytest.raises(InputError, match='unknown trial "nothing"'):
        evidence.trial("nothing")
    with pytest.raises(InputError, match='unknown role "train"'):
        evidence.trials("train")


def test_citing_gives_each_reference_once_with_its_status():
    lines = evidence.cite(["leydig_fit", "assumed", "leydig_fit"])
    assert len(lines) == 2
    assert all(line.endswith("[own]") for line in lines)
    with pytest.raises(InputError, match='unknown reference "leydig_fitt"; did you mean "leydig_fit"'):
        evidence.cite(["leydig_fitt"])


SHIPPED = sorted(path.stem for path in (DATA / "trials").glob("*.yaml"))


@pytest.mark.parametrize("key", SHIPPED)
def test_every_shipped_trial_loads(key):
    trial = evidence.trial(key)
    scored = any(outcome.fit for _, outcome in trial.outcomes())
    # a validation study without a scored outcome is shown beside its prediction
    assert scored or trial.role != "calibration", "a calibration study without a scored outcome teaches nothing"


def test_men_that_two_studies_share_are_on_one_side():
    """A fit must not see in one study the men that another study holds for validation."""
    for trial in evidence.trials():
        for other in map(evidence.trial, trial.shares_men_with):
            assert trial.key in other.shares_men_with, f"{other.key} does not name {trial.key}"
            assert {trial.role, other.role} != {"calibration", "validation"}, f"{trial.key} and {other.key}"


def source_keys(content: object) -> Iterator[str]:
    """Every reference key under ``source``, ``sources`` or ``citation`` anywhere in a data file."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name in {"source", "sources", "citation"}:
                yield from [value] if isinstance(value, str) else [key for key in value if isinstance(key, str)]
            else:
                yield from source_keys(value)
    elif isinstance(content, list):
        for item in content:
            yield from source_keys(item)


@pytest.mark.parametrize("path", sorted(DATA.rglob("*.yaml")), ids=lambda path: str(path.relative_to(DATA)))
def test_every_source_in_the_data_resolves(path):
    missing = set(source_keys(read_yaml(path))) - set(bibliography.bibliography())
    assert not missing, f"not in data/references: {sorted(missing)}"
