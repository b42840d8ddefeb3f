"""``leydig simulate --minutes``: a day as data and as a page, and what is refused."""

import csv
import json

import duckdb
import numpy as np
import pytest

import leydig
from leydig.cli import main
from leydig.errors import InputError

ASKED = ["simulate", "obese-man", "--protocol", "anastrozole 0.5 mg twice weekly", "--minutes", "24h", "--at-day", "84"]


@pytest.fixture(scope="module")
def day():
    return leydig.simulate_minutes("obese-man", ["anastrozole 0.5 mg twice weekly"], at_day=84)[0]


def test_json_is_one_object_with_samples_close_enough_and_the_day_before(capsys):
    assert main([*ASKED, "--json"]) == 0
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    for part, begins in ((answer, 84.0), (answer["before"], -1.0)):
        days = np.array(part["time"]["values"])
        assert part["time"]["unit"] == "d"
        assert days[0] == begins and days[-1] == pytest.approx(begins + 1)
        assert np.diff(days).max() * 1440 < 10 and np.diff(days).min() > 0
        for name in ("LH", "testosterone", "estradiol"):
            assert len(part["quantities"][name]["values"]) == len(days) == len(part["laboratory"][name]["values"])
        assert {one["detector"] for one in part["pulses"]["detected"]} == {"Cluster", "Santen-Bardin"}
    assert answer["status"] == "done"
    assert "anastrozole" in answer["quantities"] and "anastrozole" not in answer["before"]["quantities"]
    keys = {source["key"] for source in answer["sources"]}
    assert {"veldhuis1986pulses", "pitteloud2008"} <= keys, "what the minutes rest on is among the sources"


def test_the_same_seed_gives_the_same_day_and_another_another():
    def LH(seed, **more):
        return leydig.simulate_minutes("young-man", ["none"], hours=6, seed=seed, **more)[0].on.quantities.values["LH"]

    assert (LH(1) == LH(1)).all()
    assert not np.allclose(LH(1), LH(2))
    assert not np.allclose(LH(1, at_day=3), LH(1, at_day=4)), "every day has its own bursts"


def test_a_protocol_does_not_change_the_day_before(day):
    other = leydig.simulate_minutes("obese-man", ["none", "letrozole 2.5 mg weekly"], at_day=84)
    for run in other:
        assert (run.before.quantities.values["LH"] == day.before.quantities.values["LH"]).all()


def test_the_inhibitor_lowers_estradiol_and_raises_LH_in_the_minutes_too(day):
    def mean(part, name):
        return part.quantities.values[name].mean()

    assert mean(day.on, "estradiol") < 0.75 * mean(day.before, "estradiol")
    assert mean(day.on, "LH") > 1.1 * mean(day.before, "LH")


def test_a_blood_test_of_the_minute_is_the_blood_of_the_minute_on_the_assay(day):
    LH, printed = (panel.values["LH"] for panel in (day.on.quantities, day.on.laboratory))
    error = printed / LH - 1
    assert 0.005 < error.std() < 0.08 and abs(error.mean()) < 0.01


def test_a_treated_man_has_his_drug_before_day_0():
    run = leydig.simulate_minutes("man-on-testosterone", ["none for 1 year"], at_day=100)[0]
    assert run.before.quantities.values["LH"].mean() < 0.5, "testosterone that he takes silences his pulses"
    assert run.on.quantities.values["LH"].mean() > 2 * run.before.quantities.values["LH"].mean()


@pytest.mark.parametrize("drugs", [["anastrozole 1 mg daily for 3 days"], ["anastrozole 1 mg daily"]])
def test_the_time_before_is_as_long_as_the_time_on_and_on_his_drugs(drugs):
    man = leydig.Subject(age=40, drugs=drugs)
    run = leydig.simulate_minutes(man, ["none"], hours=48, at_day=60)[0]
    assert run.before.hours[0] == -48 and run.before.hours[-1] == 0
    assert not any("ended" in remark for remark in run.remarks)
    estradiol = run.before.quantities.values["estradiol"]
    assert np.isfinite(estradiol).all()
    assert estradiol[-1440:].mean() < 0.6 * run.on.quantities.values["estradiol"].mean(), "his drug still acts"


@pytest.mark.parametrize("hours", [1, 36])
def test_both_times_begin_at_the_same_hour_of_the_clock(hours):
    run = leydig.simulate_minutes("young-man", ["none"], hours=hours, at_day=5)[0]
    assert run.before.hours[0] % 24 == run.on.hours[0] % 24 == 0
    assert run.before.hours[-1] <= 0 and len(run.before.hours) == len(run.on.hours) == 60 * hours + 1


def test_rules_are_refused_and_not_dropped(capsys):
    text = "anastrozole 1 mg daily + if E2 < 30 pg/mL then stop"
    assert main(["simulate", "young-man", "--protocol", text, "--minutes", "24h"]) == 2
    assert "cannot be used with --minutes" in capsys.readouterr().err


def test_what_the_assay_cannot_tell_is_said_to_be_below(capsys):
    arguments = ["simulate", "young-man", "--protocol", "letrozole 2.5 mg daily", "--minutes", "9h"]
    assert main([*arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)["laboratory"]
    assert all(printed["estradiol"]["below"]) and set(printed["estradiol"]["values"]) == {5}
    assert "below" not in printed["LH"]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "<5.0" in shown and ">" in shown


def test_flat_LH_has_hardly_more_pulses_than_the_detector_makes_of_noise():
    """Cluster as published counts a few in noise alone; with the assay's own error it must not count many more."""
    run = leydig.simulate_minutes("man-on-testosterone", ["testosterone gel 100 mg daily"], at_day=100)[0]
    assert run.on.quantities.values["LH"].mean() < 0.3
    by_name = {found.detector: found.pulses for found in run.on.found}
    assert len(by_name["Cluster"].peak) <= 8 and len(by_name["Santen-Bardin"].peak) == 0


def test_what_does_not_apply_is_left_out():
    run = leydig.simulate_minutes("trans-man", ["none"], at_day=1)[0]
    for name in run.left_out:
        assert name not in run.on.quantities.values and name not in run.on.laboratory.values


def test_short_protocols_are_asked_for_their_last_day():
    assert leydig.simulate_minutes("young-man", ["none for 3 days"], hours=1)[0].at_day == 2
    assert leydig.simulate_minutes("young-man", ["none"], hours=1)[0].at_day == 84


def test_a_folder_gets_page_data_and_picture(tmp_path, capsys):
    assert main([*ASKED, "--out", f"{tmp_path}/day/"]) == 0
    assert "For research and teaching" in capsys.readouterr().out
    folder = tmp_path / "day"
    assert sorted(path.name for path in folder.iterdir()) == [
        "minutes.csv", "minutes.html", "minutes.json", "minutes.png",
    ]  # fmt: skip
    rows = list(csv.DictReader((folder / "minutes.csv").read_text().splitlines()))
    answer = json.loads((folder / "minutes.json").read_text())
    LH = [float(r["value"]) for r in rows if (r["part"], r["quantity"], r["scale"]) == ("on", "LH", "state")]
    assert pytest.approx(answer["quantities"]["LH"]["values"]) == LH
    clock = [float(r["clock"]) for r in rows if (r["part"], r["quantity"], r["scale"]) == ("on", "LH", "state")]
    assert clock[0] == 8 and clock[60] == 9 and max(clock) < 24
    page = (folder / "minutes.html").read_text()
    assert page.index("<svg role") < page.index("<table"), "plots come before numbers"
    assert "not a medical device" in page and "http-equiv" in page
    assert (folder / "minutes.png").read_bytes().startswith(b"\x89PNG")


def test_parquet_holds_the_same_rows(tmp_path):
    assert main([*ASKED[:5], "2h", "--out", str(tmp_path / "day.parquet")]) == 0
    with duckdb.connect() as connection:
        rows = f"from '{tmp_path / 'day.parquet'}' where quantity = 'LH'"
        found = connection.execute(f"select count(*), count(distinct part) {rows}").fetchone()
    rows_expected = 2 * 2 * 121
    assert found == (rows_expected, 2)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--minutes", "0"], "from 1 to 168 hours"),
        (["--minutes", "a day"], "from 1 to 168 hours"),
        (["--minutes", "24h", "--at-day", "-1"], "--at-day"),
        (["--minutes", "24h", "--bands"], "--bands cannot be used with --minutes"),
        (["--minutes", "24h", "--days", "9"], "--days cannot be used with --minutes"),
        (["--minutes", "24h", "--out", "day.nc"], ".parquet"),
    ],
)
def test_bad_input_is_one_sentence(more, named, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "young-man", "--protocol", "none", *more]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("error: ") and printed.err.count("\n") == 1
    assert named in printed.err
    assert list(tmp_path.iterdir()) == []


def test_python_refuses_what_cannot_be():
    with pytest.raises(InputError, match="must be a number from 0 to 36,524"):
        leydig.simulate_minutes("young-man", ["none"], at_day=-3)
    with pytest.raises(InputError, match="from 1 to 168"):
        leydig.simulate_minutes("young-man", ["none"], hours=0.1)
    with pytest.raises(InputError, match="at least one protocol"):
        leydig.simulate_minutes("young-man", [])
