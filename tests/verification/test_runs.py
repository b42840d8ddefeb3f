"""Long runs in chunks: what is kept, what is refused, who computes, and what is added up."""

import errno
import json
import math
import os
import random
import subprocess
import sys
import threading

import numpy as np
import pytest

from leydig.engine import executors, runs
from leydig.engine.runs import Chunk, Made
from leydig.errors import InputError
from leydig.io import dataset
from leydig.io.population import FORMAT
from leydig.population_prior import population
from leydig.studies.mixture import mixture_text, read_mixture
from leydig.studies.population_plan import specify
from leydig.studies.population_run import Compute
from leydig.studies.population_summary import QUANTILES, RESOLUTION, Tally, Total, counted
from leydig.studies.responders import responders

DOCUMENT = {"specification": {"n": 10, "seed": 1, "what": ["a", "b"]}, "made_with": {"version": "1"}}
CHUNK = Chunk(3, 30, 10)
NAME = runs.part_name("numbers", CHUNK, ".bin")


def made(content: bytes = b"some numbers") -> Made:
    return Made(CHUNK, {NAME: content}, {"rows": 10}, None)


# The folder -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "size"), [(1, 5), (5, 5), (23, 5), (4, 1)])
def test_chunks_hold_every_id_once_and_in_order(n, size):
    found = [i for chunk in runs.chunks(n, size) for i in range(chunk.first, chunk.first + chunk.size)]
    assert found == list(range(n))
    assert [chunk.number for chunk in runs.chunks(n, size)] == list(range(-(-n // size)))


def test_a_kept_chunk_is_found_again(tmp_path):
    with runs.claimed(tmp_path, DOCUMENT) as folder:
        assert folder.recorded(CHUNK) is None
        folder.keep(made())
    with runs.claimed(tmp_path, DOCUMENT) as folder:
        found = folder.recorded(CHUNK)
        assert found is not None and found.notes == {"rows": 10}
        assert folder.recorded(CHUNK._replace(size=11)) is None
        assert (tmp_path / NAME).read_bytes() == b"some numbers"


def _truncate(folder):
    (folder / NAME).write_bytes(b"some num")


def _flip(folder):
    (folder / NAME).write_bytes(b"some numbert")


def _remove(folder):
    (folder / NAME).unlink()


def _edit_notes(folder):
    record = folder / "done/00003.json"
    record.write_text(record.read_text(encoding="utf-8").replace('"rows": 10', '"rows": 11'), encoding="utf-8")


def _cut_record(folder):
    record = folder / "done/00003.json"
    record.write_bytes(record.read_bytes()[:-20])


def _point_outside(folder):
    record = folder / "done/00003.json"
    content = json.loads(record.read_text(encoding="utf-8"))
    content["files"] = {"../../etc/passwd": content["files"][NAME]}
    del content["sum"]
    record.write_text(json.dumps(content | {"sum": runs._sum_of(content)}), encoding="utf-8")


@pytest.mark.parametrize("damage", [_truncate, _flip, _remove, _edit_notes, _cut_record, _point_outside])
def test_a_damaged_chunk_does_not_count(tmp_path, damage):
    with runs.claimed(tmp_path, DOCUMENT) as folder:
        folder.keep(made())
        damage(tmp_path)
        assert folder.recorded(CHUNK) is None
        folder.keep(made())
        assert folder.recorded(CHUNK) is not None


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"seed": 2}, "with seed 1, not 2: choose another folder"),
        ({"n": 9}, "with n 10, not 9: choose"),
        ({"what": ["a"]}, 'with what "a, b", not "a": choose'),
        ({"n": 11, "seed": 2}, "with seed 1, not 2: choose"),
        ({"more": 1}, "with more nothing, not 1: choose"),
    ],
)
def test_a_folder_refuses_another_run_and_says_what_differs(tmp_path, changed, named):
    with runs.claimed(tmp_path, DOCUMENT, growing="n"):
        pass
    other = {"specification": DOCUMENT["specification"] | changed, "made_with": {"version": "1"}}
    with pytest.raises(InputError) as refused, runs.claimed(tmp_path, other, growing="n"):
        pass
    assert named in str(refused.value)
    assert runs.read_document(tmp_path) == DOCUMENT


def test_a_run_may_grow(tmp_path):
    with runs.claimed(tmp_path, DOCUMENT, growing="n") as folder:
        folder.keep(made())
    larger = {"specification": DOCUMENT["specification"] | {"n": 99}, "made_with": {"version": "1"}}
    with runs.claimed(tmp_path, larger, growing="n") as folder:
        assert folder.recorded(CHUNK) is not None
    assert runs.read_document(tmp_path) == larger


def test_only_runs_and_empty_folders_are_taken(tmp_path):
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(InputError, match="is not empty and holds no run"), runs.claimed(tmp_path, DOCUMENT):
        pass
    (tmp_path / "letter.txt").rename(tmp_path / runs.RUN_FILE)
    with pytest.raises(InputError, match="cannot be read as the description of a run"):
        runs.read_document(tmp_path)
    with pytest.raises(InputError, match="cannot be read as"), runs.claimed(tmp_path, DOCUMENT):
        pass


def test_two_processes_cannot_hold_one_folder(tmp_path):
    pytest.importorskip("fcntl", reason="this system has no such lock")
    program = (
        "import sys\nfrom leydig.engine import runs\n"
        f"with runs.claimed({str(tmp_path)!r}, {DOCUMENT!r}):\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="another process is writing to"), runs.claimed(tmp_path, DOCUMENT):
            pass
        other.kill()
        other.wait()
        with runs.claimed(tmp_path, DOCUMENT):  # the system lets go of what a killed process held
            pass


def test_what_a_killed_run_left_is_removed(tmp_path):
    with runs.claimed(tmp_path, DOCUMENT) as folder:
        folder.keep(made())
        (folder.scratch / "half").write_text("x", encoding="utf-8")
        (tmp_path / "numbers/.0123456789abcdef.part").write_text("x", encoding="utf-8")
        left = sorted(p.name for p in tmp_path.rglob("*") if p.is_file())
        assert "half" in left and ".0123456789abcdef.part" in left
        with runs.RunFolder(tmp_path).path.joinpath("numbers/keep.bin").open("w"):
            pass
    (tmp_path / runs.SCRATCH).mkdir()
    (tmp_path / runs.SCRATCH / "half").write_text("x", encoding="utf-8")
    with runs.claimed(tmp_path, DOCUMENT) as folder:
        assert list(folder.scratch.iterdir()) == []
        assert sorted(p.name for p in (tmp_path / "numbers").iterdir()) == ["keep.bin", "part-00003.bin"]


def test_a_full_disk_leaves_no_half_file(tmp_path, monkeypatch):
    with runs.claimed(tmp_path, DOCUMENT) as folder:
        folder.keep(made(b"before"))

        def full(descriptor):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(runs.os, "fsync", full)
        with pytest.raises(OSError, match="No space left") as stopped:
            folder.keep(made(b"after"))
        monkeypatch.undo()
        assert stopped.value.filename == str(tmp_path / NAME)
        assert folder.recorded(CHUNK) is not None
        assert [p.name for p in (tmp_path / "numbers").iterdir()] == ["part-00003.bin"]


# Executors ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3, 40])
def test_threads_answer_for_every_chunk_once(workers):
    chunks = list(runs.chunks(101, 7))
    found = list(executors.threads(workers)(lambda chunk: chunk, chunks))
    assert sorted(found) == chunks
    assert list(executors.threads(workers)(lambda chunk: chunk, [])) == []


def test_threads_look_no_further_ahead_than_they_can_work():
    taken = []

    def endless():
        for chunk in runs.chunks(10**9, 1):
            taken.append(chunk.number)
            yield chunk

    answers = executors.threads(2)(lambda chunk: chunk, endless())
    for _ in range(50):
        next(answers)
    answers.close()
    assert len(taken) <= 50 + 2 * 2 + 1
    assert not [thread for thread in threading.enumerate() if "labour" in thread.name]


def test_what_a_chunk_raises_comes_to_the_caller():
    def job(chunk):
        if chunk.number == 5:
            raise runs.RunStopped("the fifth")
        return chunk

    with pytest.raises(runs.RunStopped, match="the fifth"):
        list(executors.threads(2)(job, runs.chunks(100, 1)))


def test_without_the_library_dask_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r'pip install "leydig\[cluster\]"'), executors.dask(None, 1):
        pass


# The sum of the chunks ------------------------------------------------------------------------------


def _tally(values: np.ndarray, cell: int = 0) -> Tally:
    bins, sums = counted(np.full(len(values), cell), values)
    one = np.ones((1, 1, 1), dtype=np.int64)
    return Tally(len(values), bins, sums, one, one, ({"done": len(values)},))


VALUES = {
    "log-normal": np.random.default_rng(1).lognormal(3, 1, 5000),
    "both signs": np.random.default_rng(2).normal(0, 2, 5001),
    "negative": -np.random.default_rng(3).lognormal(-4, 1, 100),
    "mostly zero": np.r_[np.zeros(70), np.random.default_rng(4).lognormal(0, 1, 30), -0.0],
    "one": np.array([3.25]),
    "tiny and huge": np.array([1e-30, 1e-3, 1.0, 1e30, -1e30, 5.0]),
}


@pytest.mark.parametrize("name", VALUES)
def test_quantiles_and_means_are_those_of_all_values(name):
    values = VALUES[name].astype(np.float32)
    total = Total()
    for part in np.array_split(values, min(7, len(values))):
        total.add(_tally(part))
    (found,) = total.statistics(1)
    wanted = values.astype(float)
    assert found["n"] == len(values)
    assert found["mean"] == math.fsum(wanted.tolist()) / len(values)
    between = (
        found["quantiles"],
        np.quantile(wanted, QUANTILES, method="lower"),
        np.quantile(wanted, QUANTILES, method="higher"),
    )
    for quantile, low, high in zip(*between, strict=True):
        assert low - RESOLUTION * abs(low) <= quantile <= high + RESOLUTION * abs(high)
    if len(values) > 100:
        assert found["sd"] == pytest.approx(np.std(wanted, ddof=1), rel=RESOLUTION)


def test_the_order_of_chunks_changes_nothing_and_what_is_missing_does_not_count():
    values = np.random.default_rng(5).lognormal(0, 2, 4000)
    values[::17] = np.nan
    parts = [_tally(part, cell) for cell in range(3) for part in np.array_split(values * (cell + 1), 20)]
    found = []
    for order in range(3):
        shuffled = parts.copy()
        random.Random(order).shuffle(shuffled)
        total = Total()
        for part in shuffled:
            total.add(part)
        found.append(total.statistics(4))
    assert found[0] == found[1] == found[2]
    assert found[0][0]["n"] == np.isfinite(values).sum()
    assert found[0][3] == {"n": 0, "mean": None, "sd": None, "quantiles": [None] * len(QUANTILES)}


def test_memory_of_the_sum_does_not_grow_with_men(monkeypatch):
    monkeypatch.setattr("leydig.studies.population_summary._BUFFERED", 5000)
    rng, total, sizes = np.random.default_rng(6), Total(), []
    for _ in range(400):
        total.add(_tally(rng.lognormal(0, 0.3, 500)))
        sizes.append(sum(len(part.keys) for part in total._bins))
    assert max(sizes[200:]) <= max(sizes[:200]) * 1.1


# Tables, mixtures, responders -----------------------------------------------------------------------


def test_a_table_is_the_same_bytes_each_time_and_comes_back(tmp_path):
    table = {
        "id": np.arange(1000),
        "word": np.array(["done", "failed"] * 500, dtype=object),
        "value": np.random.default_rng(0).normal(size=1000).astype(np.float32),
        "holds": np.arange(1000) % 3 == 0,
        'it\'s "odd"': np.full(1000, np.nan),
    }
    content = dataset.encode(table, tmp_path)
    assert content == dataset.encode(table) and list(tmp_path.iterdir()) == []
    path = tmp_path / "it's a [table]*.parquet"
    path.write_bytes(content)
    found = dataset.decode(path)
    assert list(found) == list(table)
    for name, column in table.items():
        np.testing.assert_array_equal(found[name], column)
    assert list(dataset.decode(path, ['it\'s "odd"', "id"])) == ['it\'s "odd"', "id"]
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        dataset.decode(path)


@pytest.mark.parametrize(
    "text",
    ["eugonadal", "eugonadal 60 % + obese-hypogonadal 40 %", "eugonadal 33.4 % + primary-failure 66.6 %"],
)
def test_a_mixture_reads_back(text):
    shares = read_mixture(text)
    assert mixture_text(shares) == text
    assert sum(shares.values()) == pytest.approx(1, abs=1e-12)
    assert read_mixture(" + ".join(reversed(text.split(" + ")))) == shares


@pytest.mark.parametrize("condition", population().conditions)
def test_every_condition_is_a_mixture(condition):
    assert read_mixture(condition) == {condition: 1.0}


def test_every_responder_has_its_limit_in_a_source_that_was_seen():
    found = responders()
    assert len({responder.key for responder in found}) == len(found) >= 8
    for responder in found:
        assert math.isfinite(responder.limit)


def test_a_responder_counts_values_changes_and_what_is_not_known():
    by_key = {responder.key: responder for responder in responders()}
    values = {"bmd_spine": np.array([[1.0, 0.98, 0.97], [0.0, 1.0, 1.0], [1.0, np.nan, 0.5]])}
    met, known = by_key["spine_loss"].met(values, np.full(3, 40.0))
    assert met.tolist() == [[False, False, True], [False, False, False], [False, False, True]]
    assert known.tolist() == [[True, True, True], [False, False, False], [True, False, True]]
    # in the morning an untreated young man has more than his mean of the day; given testosterone has no such rhythm
    values = {"testosterone": np.full((2, 1), 280.0), "own_testosterone_share": np.array([[1.0], [0.0]])}
    met, _ = by_key["testosterone_at_least_300"].met(values, np.full(2, 25.0))
    assert met[:, 0].tolist() == [True, False]


@pytest.mark.parametrize(
    "text", ['{"chunk": NaN, "sum": "x"}', '{"chunk": Infinity}', '{"sum": "\\ud800"}', '{"sum": 1}']
)
def test_a_record_that_nobody_could_have_written_does_not_count(tmp_path, text):
    with runs.claimed(tmp_path, DOCUMENT) as folder:
        folder.keep(made())
        next((tmp_path / "done").glob("*.json")).write_text(text)
        assert folder.recorded(made().chunk) is None


def test_hidden_files_of_others_stay(tmp_path):
    (tmp_path / ".notes.part").write_text("mine")
    with runs.claimed(tmp_path, DOCUMENT):
        pass
    with runs.claimed(tmp_path, DOCUMENT):
        pass
    assert (tmp_path / ".notes.part").read_text() == "mine"
    other = tmp_path / "other"
    (other / ".unfinished").mkdir(parents=True)
    with pytest.raises(InputError, match="is not empty and holds no run"), runs.claimed(other, DOCUMENT):
        pass
    assert [entry.name for entry in other.iterdir()] == [".unfinished"]


@pytest.mark.parametrize("name", ["a[b]", "a*", "~", "a?b"])
def test_a_folder_is_a_folder_and_no_pattern(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for place, value in (("ab", 1.0), ("axb", 2.0), (name, 3.0)):
        folder = tmp_path / place
        folder.mkdir(exist_ok=True)
        (folder / "table.parquet").write_bytes(dataset.encode({"x": np.array([value])}, folder))
    assert dataset.decode(f"{name}/table.parquet")["x"].tolist() == [3.0]


def test_a_worker_that_computes_with_something_else_is_refused():
    given = specify("eugonadal", 2, ["none for 4 weeks"])
    job = Compute(given, {**given.made_with(), "data": "0000"}, FORMAT, None)
    with pytest.raises(runs.RunStopped, match="a worker has another data"):
        job(Chunk(0, 0, 2))


def test_there_is_at_least_one_worker():
    with pytest.raises(InputError, match="-1 workers"):
        executors.threads(-1)
