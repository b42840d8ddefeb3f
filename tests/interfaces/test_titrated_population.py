"""``leydig population`` with rules that change doses: the decisions, and the same bytes whatever stopped the run."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import leydig
from leydig.cli import main
from leydig.engine.executors import threads
from leydig.io import dataset
from leydig.io.population import FORMAT
from leydig.pharmacology.titration import RuleSet
from leydig.studies import population_run
from leydig.studies.population import compute
from leydig.studies.population_plan import specify

BASE = "anastrozole 0.5 mg twice weekly"
RULES = "at weeks 2, 4, 6: if E2 < 15 pg/mL (LC-MS) then halve the dose; if E2 > 20 pg/mL (LC-MS) then double the dose"
TITRATED = f"{BASE} + {RuleSet.parse(RULES).text()}"
MEN, CHUNK = 24, 5
ASKED = [
    *("population", "--condition", "obese-hypogonadal 70 % + eugonadal 30 %", "--seed", "3", "--days", "8 weeks"),
    *("--protocol", TITRATED, "--protocol", BASE, "--protocol", "none", "--every", "2 weeks", "--workers", "2"),
    *("--quantity", "testosterone", "--quantity", "estradiol"),
]
QUICK = [*ASKED, "-n", str(MEN), "--chunk", str(CHUNK)]


def contents(folder: Path) -> dict[str, str]:
    """Every file that is part of the answer, with its sum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def go(arguments, folder, *more) -> int:
    return main([*arguments, "--out", str(folder), *more])


def rows(folder, query):
    import duckdb

    with duckdb.connect() as connection:  # one of its own: the module's is shared by all tests of a process
        return connection.sql(query.format(folder=folder)).fetchall()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "pop"
    assert go(QUICK, folder) == 0
    return folder


def test_every_decision_of_every_man_is_there_once(undisturbed):
    found = rows(undisturbed, "select id, protocol, visit_day, effect_day from '{folder}/decisions/*.parquet'")
    assert found == [(man, 0, day, day + 3) for man in range(MEN) for day in (14.0, 28.0, 42.0)]
    columns = [name for name, *_ in rows(undisturbed, "describe select * from '{folder}/decisions/*.parquet'")]
    assert columns == [
        *("id", "protocol", "visit_day", "effect_day", "estradiol", "estradiol_below", "estradiol_noise_free"),
        *("estradiol_assay", "estradiol_hour", "rule", "action", "dose_before", "dose_after", "rule_without_noise"),
        "on_noise",
    ]
    wrong = rows(
        undisturbed,
        "select count(*) from '{folder}/decisions/*.parquet' where estradiol_assay <> 'LC-MS/MS' or estradiol_hour <> 8"
        " or action <> case when estradiol < 15 then 'halve the dose' when estradiol > 20 then 'double the dose' "
        "else '' end or on_noise <> (rule <> rule_without_noise) or (dose_before <> dose_after) <> (action <> '')",
    )
    assert wrong == [(0,)]


def test_results_tell_the_last_dose_and_how_often_noise_decided(undisturbed):
    compared = rows(
        undisturbed,
        "select r.final_dose = d.last, r.decisions = d.visits, r.on_noise = d.noise, r.changes = d.changed "
        "from '{folder}/results/*.parquet' r join (select id, arg_max(dose_after, visit_day) as last, count(*) visits, "
        "sum(on_noise::int) noise, sum((dose_before <> dose_after)::int) changed "
        "from '{folder}/decisions/*.parquet' group by id) d using (id) where r.protocol = 0",
    )
    assert compared == [(True,) * 4] * MEN
    others = rows(
        undisturbed, "select distinct final_dose, decisions from '{folder}/results/*.parquet' where protocol > 0"
    )
    assert others == [("", 0)]


def test_the_summary_adds_up_what_the_tables_hold(undisturbed):
    answer = json.loads((undisturbed / "summary.json").read_text(encoding="utf-8"))
    one, fixed, untreated = answer["protocols"]
    assert [each["protocol"] for each in (one, fixed, untreated)] == [TITRATED, BASE, "none"]
    assert "titration" not in fixed and "titration" not in untreated
    found = one["titration"]
    ends = dict(rows(undisturbed, "select final_dose, count(*) from '{folder}/results/*.parquet' where protocol = 0 "
                     "group by all"))  # fmt: skip
    assert {dose["dose"]: dose["men"] for dose in found["final_doses"]} == ends
    noise, changes, both = rows(
        undisturbed,
        "select sum(on_noise::int), sum((dose_before <> dose_after)::int), sum((on_noise and dose_before <> dose_after)"
        "::int) from '{folder}/decisions/*.parquet'",
    )[0]
    assert (found["on_noise"], found["changes"], found["changes_on_noise"]) == (noise, changes, both)
    assert found["decisions"] == 3 * MEN and found["share_on_noise"] == pytest.approx(noise / (3 * MEN), rel=1e-5)
    assert sum(rule["decisions"] for rule in found["acted"]) == changes
    assert [visit["day"] for visit in found["visits"]] == [14, 28, 42]
    # before the first change both protocols are one run
    for name in ("testosterone", "estradiol"):
        np.testing.assert_allclose(one["quantities"][name]["mean"][1], fixed["quantities"][name]["mean"][1], rtol=1e-4)


def test_the_page_and_the_terminal_say_it_in_words(undisturbed, capfd):
    page = (undisturbed / "report.html").read_text(encoding="utf-8")
    assert "How doses were changed" in page and "taken on noise alone" in page and "0.25 mg twice weekly" in page
    assert go(QUICK, undisturbed) == 0
    shown = " ".join(capfd.readouterr().out.split())
    assert "Last prescribed:" in shown and "of the decisions were taken on noise alone" in shown
    assert f"{undisturbed}/decisions/*.parquet" in shown


# The same to the bit --------------------------------------------------------------------------------


def test_the_number_of_workers_changes_nothing(undisturbed, tmp_path):
    assert go([word if word != "2" else "1" for word in QUICK], tmp_path / "pop") == 0
    assert contents(tmp_path / "pop") == contents(undisturbed)


def test_what_is_missing_or_damaged_is_made_again(undisturbed, tmp_path, capfd):
    folder = tmp_path / "pop"
    assert go(QUICK, folder) == 0
    (folder / "done" / "00001.json").unlink()
    part = folder / "decisions" / "part-00003.parquet"
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    (folder / "decisions" / "part-00004.parquet").unlink()
    capfd.readouterr()
    assert go(QUICK, folder, "--json") == 0
    answer = json.loads(capfd.readouterr().out)
    assert answer["chunks"] == {"total": 5, "resumed": 2, "computed": 3}
    assert contents(folder) == contents(undisturbed)


def test_a_run_that_is_extended_is_the_longer_run(undisturbed, tmp_path):
    folder = tmp_path / "pop"
    fewer = [*ASKED, "-n", "10", "--chunk", str(CHUNK)]
    assert go(fewer, folder) == 0
    assert go(QUICK, folder) == 0
    assert contents(folder) == contents(undisturbed)


def test_stopped_by_an_error_it_goes_on(undisturbed, tmp_path):
    specification = specify(
        "obese-hypogonadal 70 % + eugonadal 30 %", MEN, [TITRATED, BASE, "none"], days=56, every=14, seed=3,
        quantities=("testosterone", "estradiol"), chunk=CHUNK,
    )  # fmt: skip
    folder = tmp_path / "pop"

    def stopping(job, chunks):
        for number, made in enumerate(threads(1)(job, chunks)):
            if number == 2:
                raise KeyboardInterrupt
            yield made

    with pytest.raises(KeyboardInterrupt):
        population_run.run(specification, folder, FORMAT, stopping)
    assert len(list((folder / "done").iterdir())) == 2
    assert go(QUICK, folder) == 0
    assert contents(folder) == contents(undisturbed)


def test_the_chunk_changes_no_man(undisturbed):
    specification = specify(
        "obese-hypogonadal 70 % + eugonadal 30 %", MEN, [BASE, "none"], titrate=RULES, days=56, every=14, seed=3,
        quantities=("testosterone", "estradiol"),
    )  # fmt: skip
    tables, _ = compute(specification, 0, MEN)
    stored = [dataset.decode(path) for path in sorted((undisturbed / "decisions").glob("*.parquet"))]
    for name, column in tables["decisions"].items():
        there = np.concatenate([part[name] for part in stored])
        np.testing.assert_array_equal(column, there, err_msg=name)


# What is asked --------------------------------------------------------------------------------------


def test_rules_by_option_are_those_in_the_text(undisturbed, tmp_path):
    folder = tmp_path / "pop"
    answer = leydig.population(
        "obese-hypogonadal 70 % + eugonadal 30 %", MEN, [BASE, "none"], folder, titrate=RULES, days=56, every=14,
        seed=3, quantities=("testosterone", "estradiol"), workers=1,
    )  # fmt: skip
    stored = json.loads((undisturbed / "summary.json").read_text(encoding="utf-8"))
    assert answer["protocols"][0]["protocol"] == TITRATED
    final = {dose["dose"]: dose["men"] for dose in answer["protocols"][0]["titration"]["final_doses"]}
    assert final == {dose["dose"]: dose["men"] for dose in stored["protocols"][0]["titration"]["final_doses"]}


def test_a_folder_with_other_rules_is_refused(undisturbed, capfd):
    others = [word.replace("E2 < 15", "E2 < 14").replace("estradiol < 15", "estradiol < 14") for word in QUICK]
    assert go(others, undisturbed) == 2
    assert "holds another run, with titrations" in capfd.readouterr().err
    assert go([word.partition(" + at weeks")[0] for word in QUICK], undisturbed) == 2  # now twice the same protocol
    assert "stands twice" in capfd.readouterr().err


def test_an_untitrated_run_says_nothing_of_titration(tmp_path):
    folder = tmp_path / "pop"
    assert go([*ASKED[:7], "-p", BASE, "-n", "2", "--workers", "1"], folder) == 0
    described = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert "titrations" not in described["specification"]
    assert not (folder / "decisions").exists()
    names = [name for name, *_ in rows(folder, "describe select * from '{folder}/results/*.parquet'")]
    assert "final_dose" not in names and "titration" not in (folder / "summary.json").read_text(encoding="utf-8")


def test_rules_that_set_a_longer_interval_widen_the_mean():
    rules = "at week 4: if T > 10 ng/dL then 250 mg every 3 weeks"
    assert specify("eugonadal", 2, ["testosterone enanthate 100 mg weekly"], titrate=rules).over == 21


def test_a_run_without_a_visit_before_its_end_has_no_decision(tmp_path):
    folder = tmp_path / "pop"
    assert go([*ASKED[:5], "--days", "2 weeks", "-p", TITRATED, "-n", "3", "--workers", "1"], folder) == 0
    assert rows(folder, "select count(*) from '{folder}/decisions/*.parquet'") == [(0,)]
    assert go([*ASKED[:5], "--days", "2 weeks", "-p", TITRATED, "-n", "3", "--workers", "1"], folder) == 0
