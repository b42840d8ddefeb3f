"""``leydig meta``: what it prints and writes, and what is refused."""

import csv
import io
import json
import operator
import re
from html.parser import HTMLParser

import pytest

from leydig.cli import main
from leydig.cli.meta_run import IN_A_FOLDER
from leydig.report import meta_words

QUICK = ["--no-model"]


def printed(capsys, *arguments: str) -> tuple[int, dict]:
    """The exit code and the one object on standard output."""
    code = main(["meta", *arguments, "--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return code, json.loads(out)


class Page(HTMLParser):
    """The order of figures and words, and everything that a page must not have."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href") and value]


def test_the_pooled_effect_in_the_terminal(capsys):
    assert main(["meta", "testosterone", *QUICK]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("Testosterone under aromatase inhibitors, days 80 to 400\n")
    assert "not medical advice" in said.out and "Caution: " in said.out
    assert re.search(r"^pooled +\d+ +1\.\d\d \(1\.\d\d to \d\.\d\d\)", said.out, re.MULTILINE)
    words = " ".join(said.out.split())
    assert "lies between studies" in words
    assert "Left out (" in words and "outside days 80 to 400" in words
    assert max(map(len, said.out.splitlines())) <= 80


def test_one_json_object_with_what_was_pooled_and_what_was_left_out(capsys):
    code, answer = printed(capsys, "testosterone", "--by", "drug", "--moderator", "age", *QUICK)
    assert code == 0 and answer["outcome"] == "testosterone"
    assert answer["question"]["drugs"] == ["anastrozole", "exemestane", "letrozole", "testolactone"]
    assert answer["pooled"]["studies"] == len(answer["studies"])
    assert answer["pooled"]["prediction"]["low"] < answer["pooled"]["effect"]["low"]
    assert [one["moderator"] for one in answer["regressions"]] == ["age"]
    assert answer["groups"]["by"] == "drug" and answer["model"] is None
    assert all({"study", "arms", "reason"} <= one.keys() and one["reason"] for one in answer["left_out"])
    assert all(one["role"] in ("calibration", "validation", "none") for one in answer["studies"])


def test_designs_days_and_roles_choose_other_studies(capsys):
    _, wide = printed(capsys, "testosterone", "--from-day", "0", "--to-day", "2 years", *QUICK)
    _, default = printed(capsys, "testosterone", *QUICK)
    assert wide["pooled"]["studies"] > default["pooled"]["studies"]
    _, held = printed(capsys, "bmd_spine", "--drug", "ADT", "--role", "validation", *QUICK)
    assert {one["role"] for one in held["studies"]} == {"validation"}
    assert held["scale"]["unit"] == "%"
    _, before = printed(capsys, "sperm_concentration", "--design", "before-after", *QUICK)
    assert {one["design"] for one in before["studies"]} == {"before-after"}


def test_the_model_is_one_more_row(capsys):
    code, answer = printed(capsys, "testosterone", "--drug", "weight loss")
    assert code == 0
    model = answer["model"]
    assert model["studies"] == len(answer["studies"]) >= 2
    assert model["effect"]["low"] < model["effect"]["value"] < model["effect"]["high"]
    assert all(one["model"]["value"] is not None for one in answer["studies"])
    weights = [one["weight"] for one in answer["studies"]]
    logs = [one["model"]["estimate"] for one in answer["studies"]]
    assert model["effect"]["estimate"] == pytest.approx(sum(map(operator.mul, weights, logs)), rel=1e-3)


def test_a_folder_gets_page_tables_and_pictures(tmp_path, capsys):
    folder = tmp_path / "meta"
    code, answer = printed(capsys, "sperm_concentration", "--by", "design", "--out", f"{folder}/", *QUICK)
    assert code == 0 and [path.rsplit("/", 1)[-1] for path in answer["files"]] == list(IN_A_FOLDER)
    assert sorted(path.name for path in folder.iterdir()) == sorted(IN_A_FOLDER)
    page = (folder / "report.html").read_text()
    tree = Page(page)
    assert tree.tags.index("svg") < tree.tags.index("section")  # plots before words
    assert page.count("not a medical device") == 1 and "What was left out, and why" in page
    assert all(link.startswith(("#", "data:")) for link in tree.links) and "script" not in tree.tags
    for study in answer["studies"]:
        assert study["study"] in page
    rows = list(csv.DictReader(io.StringIO((folder / "studies.csv").read_text())))
    assert [row["study"] for row in rows] == [*(one["study"] for one in answer["studies"]), "pooled"]
    assert float(rows[-1]["value"]) == answer["pooled"]["effect"]["value"]
    left_out = list(csv.DictReader(io.StringIO((folder / "left_out.csv").read_text())))
    assert len(left_out) == len(answer["left_out"])
    assert json.loads((folder / "meta.json").read_text())["pooled"] == answer["pooled"]
    assert (folder / "forest.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (folder / "funnel.svg").read_text()


def test_the_same_question_gives_the_same_bytes(tmp_path, capsys):
    for name in ("one", "two"):
        assert main(["meta", "estradiol", "--out", str(tmp_path / f"{name}.html"), *QUICK]) == 0
        assert main(["meta", "estradiol", "--out", str(tmp_path / f"{name}.svg"), *QUICK]) == 0
    capsys.readouterr()
    for suffix in ("html", "svg"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_too_few_studies_are_one_honest_sentence(tmp_path, capsys):
    never = ["bmd_spine", "--from-day", "5000", "--to-day", "5001", *QUICK]
    code = main(["meta", *never, "--out", str(tmp_path / "page.html")])
    said = capsys.readouterr()
    assert code == 1 and "two are needed" in said.err and said.err.count("\n") == 1
    assert not list(tmp_path.iterdir())
    code, answer = printed(capsys, *never)
    assert code == 1 and answer["pooled"] is None and "two are needed" in answer["why_not"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["testosteron"], 'did you mean "testosterone"'),
        (["testosterone", "--drug", "letrozol"], 'did you mean "letrozole"'),
        (["testosterone", "--design", "randomized"], "allowed: controlled, before-after, any"),
        (["testosterone", "--by", "drugs"], 'did you mean "drug"'),
        (["testosterone", "--moderator", "bmi"], 'did you mean "BMI"'),
        (["testosterone", "--role", "validated"], 'did you mean "validation"'),
        (["testosterone", "--from-day", "soon"], "--from-day"),
        (["testosterone", "--from-day", "400", "--to-day", "80"], "the first not after the last"),
        (["testosterone", "--out", "meta.xlsx"], 'unknown suffix ".xlsx"'),
        (["testosterone", "--drug", "AI", "--drug", "SERM"], "it may stand once"),
        ([], "OUTCOME is missing"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(arguments, words, capsys):
    assert main(["meta", *arguments, *QUICK]) == 2
    said = capsys.readouterr()
    assert words in said.err and said.err.count("\n") == 1 and said.out == ""


def test_weight_goes_by_one_name_in_every_verb(capsys):
    _, short = printed(capsys, "testosterone", "--drug", "weight", *QUICK)
    _, known = printed(capsys, "testosterone", "--drug", "weight loss", *QUICK)
    assert short == known
    for name in ("weight", "weight loss"):
        assert main(["evidence", "--drug", name, "--quantity", "testosterone", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["figures"]


def test_names_sums_and_tests_are_explained(capsys):
    _, answer = printed(capsys, "testosterone", "--from-day", "0", "--by", "drug", *QUICK)
    counted = sum(len(row["studies"]) for row in answer["groups"]["rows"])
    sentence = meta_words.groups(answer)["sentence"]
    assert (f"add to {counted} and not to {len(answer['studies'])}" in sentence) == (counted > len(answer["studies"]))
    assert f"with {len(answer['studies'])} studies the test" in meta_words.asymmetry_sentence(answer)
    assert meta_words.study_name({"citation": "yialamas2007", "study": "yialamas2007"}) == "Yialamas 2007"
    assert meta_words.study_name({"citation": "morote", "study": "morote"}) == "Morote"
    assert meta_words.study_name({"citation": "hcg3500", "study": "hcg3500"}) == "hcg3500"


def test_help_has_an_example(capsys):
    assert main(["meta", "--help"]) == 0
    assert "leydig meta testosterone" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--design", "--role", "--from-day", "--to-day"])
def test_an_option_that_stands_twice_is_refused(option, capsys):
    assert main(["meta", "testosterone", option, "1", option, "2", *QUICK]) == 2
    assert capsys.readouterr().err == f"error: {option} stands 2 times; it may stand once\n"


def test_a_moderator_that_stands_twice_is_shown_once(capsys):
    _, answer = printed(capsys, "testosterone", "--moderator", "age", "--moderator", "age", *QUICK)
    assert [one["moderator"] for one in answer["regressions"]] == ["age"]
