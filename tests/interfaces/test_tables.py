"""The four file formats hold what the run holds, and a failure leaves nothing behind."""

import csv
import json
import os

import duckdb
import numpy as np
import pytest
import xarray
from trajectories import trajectory

from leydig.errors import InputError
from leydig.io import tables
from leydig.writing import write_text

TWICE = "anastrozole 1 mg twice weekly for 52 weeks"


@pytest.fixture
def pair():
    return [trajectory(length=20), trajectory(TWICE, length=20, drug=0)]


def test_json_of_one_run_has_the_promised_shape(tmp_path):
    run = trajectory(length=20, seed=3)
    tables.write([run], tmp_path / "run.json")
    read = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert read["subject"]["name"] == "older man"
    assert read["protocol"] == run.protocol
    assert read["time"] == {"unit": "d", "values": list(range(21))}
    assert read["quantities"]["testosterone"]["unit"] == "ng/dL"
    assert read["quantities"]["estradiol"]["values"][0] == 26
    for key in ("values", "lower", "upper"):
        assert len(read["laboratory"]["LH"][key]) == 21
    assert read["sources"][0]["key"] == "leder2004"
    assert (read["status"], read["draws"], read["seed"]) == ("done", 200, 3)


def test_json_numbers_have_six_digits_and_holes_are_null():
    run = trajectory(length=2, width=0, change={"LH": [1 / 3, np.nan, np.inf], "FSH": 123456.789})
    read = json.loads(tables.text([run]))
    assert read["quantities"]["LH"]["values"] == [0.333333, None, None]
    assert read["quantities"]["FSH"]["values"] == [123457] * 3
    assert "lower" not in read["quantities"]["LH"]


def test_several_runs_stand_under_runs(pair):
    assert [run["protocol"] for run in tables.document(pair)["runs"]] == [run.protocol for run in pair]


def test_csv_is_long_and_reads_back(tmp_path, pair):
    tables.write(pair, tmp_path / "runs.csv")
    with (tmp_path / "runs.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == tables.COLUMNS
    found = [
        row
        for row in rows
        if (row["protocol"], row["day"], row["quantity"], row["scale"]) == (TWICE, "20", "estradiol", "laboratory")
    ]
    assert len(found) == 1
    assert float(found[0]["value"]) == pytest.approx(pair[1].laboratory.values["estradiol"][-1], rel=1e-5)
    assert float(found[0]["upper"]) == pytest.approx(pair[1].laboratory.upper["estradiol"][-1], rel=1e-5)
    assert not [row for row in rows if row["protocol"] == TWICE and row["quantity"] == "anastrozole"]


def test_parquet_has_the_same_rows_to_full_precision(tmp_path, pair):
    tables.write(pair, tmp_path / "runs.parquet")
    query = f"select * from '{tmp_path}/runs.parquet' where quantity = 'FSH' and scale = 'state' and protocol = ?"
    rows = duckdb.execute(query + " order by day", [TWICE])
    assert [column[0] for column in rows.description] == list(tables.COLUMNS)
    got = rows.fetchnumpy()
    np.testing.assert_array_equal(got["value"], pair[1].quantities.values["FSH"])
    np.testing.assert_array_equal(got["day"], pair[1].days)


def test_parquet_holes_are_null(tmp_path):
    tables.write([trajectory(length=2, width=0, change={"LH": [1, np.nan, np.inf]})], tmp_path / "run.parquet")
    query = f"select count(value), count(lower), count(*) from '{tmp_path}/run.parquet' where quantity = 'LH'"
    assert duckdb.execute(query).fetchone() == (2, 0, 6)


def test_netcdf_reads_back_with_units(tmp_path, pair):
    tables.write(pair[:1], tmp_path / "run.nc")
    with xarray.open_dataset(tmp_path / "run.nc", engine="h5netcdf", decode_times=False) as read:
        assert read["testosterone"].attrs["units"] == "ng/dL"
        np.testing.assert_array_equal(read["laboratory_LH_upper"], pair[0].laboratory.upper["LH"])
        assert json.loads(read.attrs["subject_record"])["age"] == 68


def test_netcdf_of_several_runs_has_a_protocol_dimension(tmp_path, pair):
    tables.write(pair, tmp_path / "runs.nc")
    with xarray.open_dataset(tmp_path / "runs.nc", engine="h5netcdf", decode_times=False) as read:
        assert list(read["protocol"].values) == [run.protocol for run in pair]
        np.testing.assert_array_equal(read["estradiol"].sel(protocol=TWICE), pair[1].quantities.values["estradiol"])
        assert np.isnan(read["anastrozole"].sel(protocol=TWICE)).all()
        assert read["anastrozole"].attrs["units"] == "ng/mL"
        assert read.attrs["subject"] == "older man"


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet", "nc"])
def test_a_failure_leaves_nothing_behind_and_keeps_what_was_there(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"run.{suffix}"
    path.write_text("before", encoding="utf-8")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"run\.\w+ cannot be written: No space left on device"):
        tables.write([trajectory(length=2)], path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_text("utf-8") == "before"


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "page.html", "text")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_suffix_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(InputError) as refused:
        tables.write([trajectory(length=2)], tmp_path / "run.jsn")
    assert 'unknown file type ".jsn"' in str(refused.value)
    assert 'did you mean ".json"?' in str(refused.value)


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "run.json").mkdir()
    with pytest.raises(InputError, match="is a folder; a file is needed"):
        tables.write([trajectory(length=2)], tmp_path / "run.json")
