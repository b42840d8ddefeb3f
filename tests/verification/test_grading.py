"""Grades of evidence: what the files must hold, and what is said of a file that does not."""

import pytest

from leydig import grading
from leydig.errors import InputError

GOOD = """
bmd_spine:
  organ: Bone
  mechanism: Estradiol restrains resorption.
  relation: formation minus resorption
  time: bone.spine_renewal
  effects: [bone.estradiol_on_formation]
  grade: conflicting
  because: One trial differs.
  sources: [finkelstein2016]
  alternatives:
    - {name: more-loss, claim: More loss., set: {bone.androgen_half: 100}, sources: [smith2001], against: All others.}
"""


def load(tmp_path, text):
    path = tmp_path / "bone.yaml"
    path.write_text(text, encoding="utf-8")
    return grading.load_outcomes(path)


def test_every_outcome_of_the_package_is_graded_and_rests_on_what_exists():
    found = grading.outcomes()
    assert {"testosterone", "sperm_concentration", "bmd_spine", "HDL", "desire_score", "joint_pain_probability"} <= set(
        found
    )
    for outcome in found.values():
        assert outcome.grade in grading.GRADES
        assert [parameter.name for parameter in outcome.effect_parameters()] == [
            name.partition(".")[2] for name in outcome.effects
        ]


def test_alternatives_carry_their_outcome_and_have_one_name_each():
    found = grading.alternatives()
    for name, alternative in found.items():
        assert alternative.name == name
        assert alternative.set and alternative.sources and alternative.claim and alternative.against
        assert alternative.grade == grading.outcomes()[alternative.quantity].grade
    assert sum(len(outcome.alternatives) for outcome in grading.outcomes().values()) == len(found)


def test_a_good_file_is_read(tmp_path):
    outcome = load(tmp_path, GOOD)["bmd_spine"]
    assert (outcome.quantity, outcome.grade, outcome.time) == ("bmd_spine", "conflicting", "bone.spine_renewal")
    assert outcome.alternatives[0].set == {"bone.androgen_half": 100.0}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("bmd_spine:", "bmd_spin:", 'unknown quantity "bmd_spin" in bone.yaml; did you mean "bmd_spine"'),
        (
            "grade: conflicting",
            "grade: stong",
            'unknown grade "stong" in bmd_spine of bone.yaml; did you mean "strong"',
        ),
        ("[bone.estradiol_on", "[bone.estradio_on", 'unknown parameter "bone.estradio_on_formation" in bmd_spine of'),
        ("time: bone.", "time: bon.", 'unknown system "bon" in the parameter "bon.spine_renewal"'),
        ("{bone.androgen_half:", "{bone.half:", 'unknown parameter "bone.half" in alternative "more-loss"'),
        (": 100}", ": 150}", 'the alternative "more-loss" of bmd_spine of bone.yaml sets what the model has already'),
        ("[finkelstein2016]", "[finkelstein2017]", 'unknown reference "finkelstein2017" in sources of bmd_spine'),
        ("[finkelstein2016]", "[]", 'an outcome graded "conflicting" needs "sources"'),
        ("[bone.estradiol_on_formation]", "[]", 'an outcome graded "conflicting" needs "effects"'),
        ("more-loss", "more loss", 'the name "more loss" must be words joined by hyphens'),
        ("because:", "becaus:", 'unknown key "becaus" in bmd_spine of bone.yaml; did you mean "because"?'),
        ("bmd_spine:\n  organ", "bmd_spine:\n  organs: x\n  organ", 'unknown key "organs" in bmd_spine of bone.yaml'),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path, old, new, said):
    with pytest.raises(InputError) as error:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_conflict_without_an_alternative_is_refused(tmp_path):
    with pytest.raises(InputError, match='needs "alternatives"'):
        load(tmp_path, GOOD[: GOOD.index("  alternatives:")])


def test_two_alternatives_of_one_name_are_refused(tmp_path):
    last = GOOD.rstrip().rsplit("\n", 1)[1]
    with pytest.raises(InputError, match=r'two alternatives of bone\.yaml have the name "more-loss"'):
        load(tmp_path, GOOD + last + "\n")


def test_an_outcome_without_data_needs_no_effect_and_no_source(tmp_path):
    text = GOOD[: GOOD.index("  alternatives:")].replace("conflicting", "no male data")
    text = text.replace("[finkelstein2016]", "[]").replace("[bone.estradiol_on_formation]", "[]")
    assert load(tmp_path, text)["bmd_spine"].sources == ()


def test_what_nobody_has_seen_is_no_evidence(tmp_path):
    from leydig.bibliography import UNUSABLE, bibliography

    unseen = next((key for key, entry in bibliography().items() if entry.verification in UNUSABLE), None)
    if unseen is None:
        pytest.skip("the bibliography holds no unseen reference")
    with pytest.raises(InputError, match="are all unseen"):
        load(tmp_path, GOOD.replace("finkelstein2016", unseen))
