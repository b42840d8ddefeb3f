"""``leydig population``: the dataset, going on after whatever stopped it, and what is refused."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from leydig.cli import main
from leydig.cli.progress import duration, rate
from leydig.io import dataset
from leydig.studies import many

SMALL = [
    *("population", "--condition", "obese-hypogonadal 70 % + eugonadal 30 %", "--seed", "3"),
    *("--protocol", "anastrozole 1 mg daily for 3 weeks", "--protocol", "none"),
    *(
        "--quantity",
        "testosterone",
        "--quantity",
        "bmd_spine_change",
        "--every",
        "1 week",
        "--days",
        "3 weeks",
        "--workers",
        "2",
    ),
]
MEN, CHUNK = 24, 5
QUICK = [*SMALL, "-n", str(MEN), "--chunk", str(CHUNK)]
# One man per chunk: a run long enough to be stopped in its midst, however fast a man is.
SLOW = [*SMALL, "-n", "48", "--chunk", "1"]
CHUNKS = -(-MEN // CHUNK)


def contents(folder: Path) -> dict[str, str]:
    """Every file that is part of the answer, with its sum; files of this process's own housekeeping do not count."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def said(err: str) -> str:
    """What was said besides progress, of which there is a line now and then when a run takes long."""
    return "".join(line for line in err.splitlines(keepends=True) if not line.startswith("population: "))


def go(arguments, folder, *more) -> int:
    return main([*arguments, "--out", str(folder), *more])


def begin(arguments, folder, **options) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "leydig", *arguments, "--out", str(folder)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True, **options)


def wait_for_chunks(folder, count, process) -> int:
    """Wait until so many chunks are finished; how many there are then."""
    until = time.monotonic() + 120
    while (found := len(list(folder.glob("done/*.json")))) < count:
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.005)
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "pop"
    assert go(QUICK, folder) == 0
    return folder


@pytest.fixture(scope="module")
def undisturbed_slow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow") / "pop"
    assert go(SLOW, folder) == 0
    return folder


# What is written ------------------------------------------------------------------------------------


def test_every_man_is_there_once_with_his_course_and_result(undisturbed):
    import duckdb

    folder = undisturbed

    def rows(query):
        return duckdb.sql(query.format(folder=folder)).fetchall()

    assert rows("select id from '{folder}/men/*.parquet' order by id") == [(i,) for i in range(MEN)]
    days = [0.0, 7.0, 14.0, 21.0]
    expected = [(i, p, day) for i in range(MEN) for p in (0, 1) for day in days]
    assert rows("select id, protocol, day from '{folder}/courses/*.parquet' order by all") == expected
    assert rows("select distinct status, reached from '{folder}/results/*.parquet'") == [("done", 21.0)]
    conditions = rows("select distinct condition from '{folder}/men/*.parquet' order by all")
    assert conditions == [("eugonadal",), ("obese-hypogonadal",)]
    joined = rows(
        "select max(abs(r.testosterone_end - c.testosterone)), max(abs(r.testosterone_start + r.testosterone_change "
        "- c.testosterone)) from '{folder}/results/*.parquet' r join '{folder}/courses/*.parquet' c "
        "using (id, protocol) where c.day = 21"
    )
    assert joined[0][0] == 0 and joined[0][1] < 1e-3


def test_the_summary_is_that_of_the_dataset(undisturbed):
    import duckdb

    answer = json.loads((undisturbed / "summary.json").read_text(encoding="utf-8"))
    assert answer["men"] == MEN and answer["days"] == [0, 7, 14, 21]
    for place, one in enumerate(answer["protocols"]):
        assert one["status"] == {"done": MEN}
        for name in ("testosterone", "bmd_spine_change"):
            for day, number in ((0, 0), (21, 3)):
                query = f"select {name} from '{undisturbed}/courses/*.parquet' where protocol={place} and day={day}"
                values = duckdb.sql(query).fetchnumpy()[name].astype(float)
                found = one["quantities"][name]
                assert found["mean"][number] == pytest.approx(values.mean(), rel=1e-5, abs=1e-12)
                for q, series in found["quantiles"].items():
                    low, high = (np.quantile(values, float(q) / 100, method=m) for m in ("lower", "higher"))
                    slack = 0.0025 * max(abs(low), abs(high))
                    assert low - slack <= series[number] <= high + slack
        held = duckdb.sql(
            f"select avg(met_testosterone_at_least_300::int) from '{undisturbed}/results/*.parquet' "
            f"where protocol={place}"
        ).fetchall()[0][0]
        shares = {responder["key"]: responder["share"] for responder in one["responders"]}
        assert shares["testosterone_at_least_300"][-1] == pytest.approx(held, rel=1e-5)
    treated, untreated = (one["quantities"]["testosterone"]["mean"] for one in answer["protocols"])
    assert treated[0] == untreated[0] and treated[-1] > 1.1 * untreated[-1]
    assert untreated[-1] == pytest.approx(untreated[0], rel=1e-3)


def test_the_page_shows_plots_before_text_and_says_what_it_is_not(undisturbed):
    page = (undisturbed / "report.html").read_text(encoding="utf-8")
    assert "Not medical advice and not a medical device." in page
    assert page.count("<svg role=") >= 3 and page.index("<svg role=") < page.index("<table")
    assert "anastrozole 1 mg daily for 3 weeks" in page and "<script" not in page
    assert (undisturbed / "population.png").read_bytes().startswith(b"\x89PNG")


def test_json_is_one_object_and_nothing_else(undisturbed, capfd):
    assert go(QUICK, undisturbed, "--json") == 0
    shown = capfd.readouterr()
    answer = json.loads(shown.out)
    assert answer["chunks"] == {"total": CHUNKS, "resumed": CHUNKS, "computed": 0}
    assert answer["out"] == str(undisturbed) and answer["warnings"] == []
    for pattern in answer["files"]:
        assert list(Path("/").glob(pattern.lstrip("/")))


# The same to the bit --------------------------------------------------------------------------------


def test_the_number_of_workers_changes_nothing(undisturbed, tmp_path):
    assert go([word if word != "2" else "1" for word in QUICK], tmp_path / "pop") == 0
    assert contents(tmp_path / "pop") == contents(undisturbed)


def test_a_run_that_grows_is_the_run_of_that_size(undisturbed, tmp_path):
    fewer = [word if word != str(MEN) else "13" for word in QUICK]
    assert go(fewer, tmp_path / "pop") == 0
    assert contents(tmp_path / "pop") != contents(undisturbed)
    assert go(QUICK, tmp_path / "pop") == 0
    assert contents(tmp_path / "pop") == contents(undisturbed)


def test_damaged_files_are_computed_again(undisturbed, tmp_path, capfd):
    folder = tmp_path / "pop"
    assert go(QUICK, folder) == 0
    part = folder / "courses/part-00001.parquet"
    part.write_bytes(part.read_bytes()[:-100])
    record = folder / "done/00003.json"
    record.write_bytes(record.read_bytes()[:40])
    (folder / "men/part-00000.parquet").unlink()
    capfd.readouterr()
    assert go(QUICK, folder, "--json") == 0
    assert json.loads(capfd.readouterr().out)["chunks"] == {"total": CHUNKS, "resumed": CHUNKS - 3, "computed": 3}
    assert contents(folder) == contents(undisturbed)


def test_killed_and_begun_again_it_is_the_same_to_the_bit(undisturbed_slow, tmp_path):
    folder, finished = tmp_path / "pop", []
    for wanted in (5, 20):
        with begin(SLOW, folder) as process:
            wait_for_chunks(folder, wanted, process)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        finished.append(len(list(folder.glob("done/*.json"))))
        assert wanted <= finished[-1] < 48 and not (folder / "summary.json").exists()
    assert go(SLOW, folder) == 0
    assert contents(folder) == contents(undisturbed_slow)


def test_ctrl_c_says_how_to_go_on(undisturbed_slow, tmp_path):
    folder = tmp_path / "pop"
    with begin(SLOW, folder) as process:
        wait_for_chunks(folder, 3, process)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out == ""
    assert said(err) == f"interrupted: finished chunks are kept in {folder}; the same command goes on from there\n"
    assert len(list(folder.glob("done/*.json"))) < 48
    assert go(SLOW, folder) == 0
    assert contents(folder) == contents(undisturbed_slow)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own with room for a few chunks, and a way to enlarge it."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(*options):
        done = subprocess.run(["mount", *options, str(place)], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")

    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    mount("-t", "tmpfs", "-o", "size=400k", "tmpfs")
    try:
        yield place, lambda: mount("-o", "remount,size=64m")
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_stops_the_run_in_one_sentence_and_it_goes_on_with_more_room(undisturbed_slow, small_disk, capfd):
    place, enlarge = small_disk
    folder = place / "pop"
    assert go(SLOW, folder) == 1
    shown = capfd.readouterr()
    assert shown.out == "" and said(shown.err).count("\n") == 1
    assert said(shown.err).startswith("error: cannot write ") and "goes on from there" in shown.err
    written = contents(folder)
    assert 0 < len([name for name in written if name.startswith("done/")]) < 48
    complete = contents(undisturbed_slow)
    assert not [name for name in written if name.endswith(".part")]
    assert all(complete[name] == written[name] for name in written if name != "run.json")
    enlarge()
    assert go(SLOW, folder) == 0
    assert contents(folder) == complete


def test_a_file_that_may_not_grow_stops_the_run_in_one_sentence(tmp_path):
    resource = pytest.importorskip("resource")

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    with begin(QUICK, tmp_path / "pop", preexec_fn=limited) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and out == ""
    assert said(err).count("\n") == 1 and said(err).startswith("error: cannot write ")


# Men who fail ---------------------------------------------------------------------------------------


@pytest.fixture
def one_fails(monkeypatch):
    """Man 7 fails under the first protocol."""
    follow = many.follow_men

    def followed(men, *arguments, **options):
        found = follow(men, *arguments, **options)
        for place in np.flatnonzero(men.id == 7):
            found[0].status[place] = "left_domain"
            found[0].reached[place] = 8.0
            for series in found[0].quantities.values():
                series[place, 2:] = np.nan
        return found

    monkeypatch.setattr(many, "follow_men", followed)


def test_a_man_who_fails_is_a_row(one_fails, tmp_path, capfd):
    assert go(QUICK, tmp_path / "pop", "--allow-failures", "10 %", "--json") == 0
    shown = capfd.readouterr()
    assert "warning: 1 man ended as left domain under anastrozole 1 mg daily for 3 weeks" in shown.err
    answer = json.loads(shown.out)
    assert [one["status"] for one in answer["protocols"]] == [{"done": MEN - 1, "left_domain": 1}, {"done": MEN}]
    assert answer["protocols"][0]["quantities"]["testosterone"]["n"] == [MEN, MEN, MEN - 1, MEN - 1]
    table = dataset.decode(tmp_path / "pop/results/part-00001.parquet")
    place = int(np.flatnonzero((table["id"] == 7) & (table["protocol"] == 0))[0])
    assert table["status"][place] == "left_domain" and table["reached"][place] == 8
    assert np.isnan(table["testosterone_end"][place]) and np.isfinite(table["testosterone_start"][place])
    before = contents(tmp_path / "pop")
    assert go(QUICK, tmp_path / "pop", "--allow-failures", "10 %") == 0  # he is left out of what is read back as well
    assert contents(tmp_path / "pop") == before


def test_too_many_failures_stop_the_run_and_more_may_be_allowed(one_fails, tmp_path, capfd):
    folder = tmp_path / "pop"
    assert go(QUICK, folder, "--allow-failures", "0.02") == 1
    shown = capfd.readouterr()
    assert said(shown.err) == (
        "error: 1 of 48 courses failed (1 left domain), which is more than the allowed 0.02 of all; "
        f"finished chunks are kept in {folder}\n"
    )
    assert shown.out == ""
    assert go(QUICK, folder, "--allow-failures", "0.03") == 0


# What is refused ------------------------------------------------------------------------------------

NEEDED = {"--condition": "eugonadal", "-n": "10", "--protocol": "none", "--out": "pop"}
REFUSED = {
    "no condition": ({"--condition": None}, "population needs --condition NAME"),
    "no number": ({"-n": None}, "population needs -n N, the number of men"),
    "no protocol": ({"--protocol": None}, "population needs --protocol TEXT"),
    "no folder": ({"--out": None}, "population needs --out FOLDER"),
    "condition unknown": ({"--condition": "obese-hypogonadol"}, 'did you mean "obese-hypogonadal"?'),
    "condition of symbols": ({"--condition": "../x"}, 'the condition "../x" cannot be read'),
    "shares missing": ({"--condition": "eugonadal + agonadal"}, 'needs its share, such as "eugonadal 30 %"'),
    "shares short": ({"--condition": "eugonadal 60 % + agonadal 30 %"}, "add to 90 %; they must add to 100 %"),
    "shares twice": ({"--condition": "eugonadal 60 % + eugonadal 40 %"}, "stands twice"),
    "none": ({"-n": "0"}, '-n is "0"; it must be a whole number from 1 to 1,000,000,000'),
    "number in words": ({"-n": "many"}, '-n is "many"; it must be a whole number'),
    "protocol misspelt": ({"--protocol": "anastrazole 1 mg daily"}, 'did you mean "anastrozole"?'),
    "quantity unknown": ({"--quantity": "testosteron"}, 'unknown quantity "testosteron"; did you mean "testosterone"?'),
    "ages in words": ({"--ages": "old"}, '--ages is "old"; it must be two ages in years, such as 40-60'),
    "ages falling": ({"--ages": "60-40"}, "the ages 60-40 cannot be used"),
    "ages of children": ({"--ages": "5-9"}, "must rise and lie between 18 and 100 years"),
    "interval": ({"--every": "often"}, '--every is "often"'),
    "too much per man": (
        {"--every": "1", "--days": "40 years", "--protocol": "none"},
        "at most 20,000 are kept, so choose a longer interval or fewer quantities",
    ),
    "executor unknown": ({"--executor": "dusk"}, 'unknown executor "dusk" in --executor; did you mean "dask"?'),
    "scheduler alone": ({"--scheduler": "tcp://127.0.0.1:1"}, "--scheduler goes with --executor dask only"),
    "no worker": ({"--workers": "0"}, '--workers is "0"; it must be a whole number from 1 to 1,024'),
    "share": ({"--allow-failures": "2"}, '--allow-failures is "2"; it must be a share from 0 to 1'),
    "seed": ({"--seed": "-1"}, '--seed is "-1"; it must be a whole number'),
    "folder a file": ({"--out": "letter.txt"}, "--out letter.txt should be a folder, but it is a file"),
    "folder of something else": ({"--out": "full"}, "full is not empty and holds no run; choose another folder"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_one_sentence(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("letter.txt").write_text("dear", encoding="utf-8")
    Path("full").mkdir()
    Path("full/letter.txt").write_text("dear", encoding="utf-8")
    changes, sentence = REFUSED[name]
    arguments = [word for pair in (NEEDED | changes).items() if pair[1] is not None for word in pair]
    assert main(["population", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.startswith("error: ") and shown.err.count("\n") == 1
    assert sentence in shown.err
    assert sorted(path.name for path in tmp_path.rglob("*") if path.name != ".lock") == [
        "full",
        "letter.txt",
        "letter.txt",
    ]


def test_another_run_in_the_folder_is_refused_and_nothing_changes(undisturbed, capsys):
    before = contents(undisturbed)
    assert go([word if word != "3" else "4" for word in QUICK], undisturbed) == 2
    assert capsys.readouterr().err == (
        f"error: {undisturbed} holds another run, with seed 3, not 4: choose another folder, "
        "or give what that run was given\n"
    )
    assert contents(undisturbed) == before


def test_progress_in_words():
    assert rate(0, 100, 0, 5, "men") == "" and rate(50, 100, 50, 5, "men") == ""
    assert rate(600, 1000, 100, 5, "men") == "100 men/s, 4 s left"
    assert rate(3, 1000, 0, 6, "men") == "0.5 men/s, 33 min 14 s left"
    assert [duration(s) for s in (0.2, 59, 61, 3599, 7300)] == [
        "0 s",
        "59 s",
        "1 min 01 s",
        "59 min 59 s",
        "2 h 01 min",
    ]
