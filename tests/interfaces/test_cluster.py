"""The same population on a Dask cluster on loopback: the same bytes, also when a worker or the whole run is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_population_cli import SLOW, begin, contents, go, said, wait_for_chunks

pytest.importorskip("distributed", reason="the cluster extra is not installed")

DASK = ["--executor", "dask"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The run by threads of one process."""
    folder = tmp_path_factory.mktemp("threads") / "pop"
    assert go(SLOW, folder) == 0
    return contents(folder)


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers in processes of their own; its address, and the workers."""
    file, place = tmp_path / "scheduler.json", tmp_path / "cluster"
    place.mkdir()
    processes = []

    def start(module, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        with (place / f"{len(processes)}.log").open("w") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=place, start_new_session=True))
        return processes[-1]

    start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
    until = time.monotonic() + 60
    while not file.exists():
        assert processes[0].poll() is None and time.monotonic() < until, (place / "0.log").read_text()
        time.sleep(0.05)
    common = ("--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1")
    workers = [start("dask_worker", *common) for _ in range(2)]
    yield json.loads(file.read_text())["address"], workers
    for process in processes:
        process.kill()
        process.wait()


def test_a_killed_worker_costs_nothing(undisturbed, cluster, tmp_path):
    address, workers = cluster
    assert address.startswith("tcp://127.0.0.1:")
    folder = tmp_path / "pop"
    with begin([*SLOW, *DASK, "--scheduler", address], folder) as process:
        at_kill = wait_for_chunks(folder, 5, process)
        workers[0].kill()
        out, err = process.communicate(timeout=120)
    assert at_kill < 48
    assert process.returncode == 0, err
    assert workers[1].poll() is None
    assert "48 chunks" in out
    assert contents(folder) == undisturbed


def test_a_killed_run_goes_on_by_dask_or_by_threads(undisturbed, cluster, tmp_path):
    address, _ = cluster
    folder = tmp_path / "pop"
    with begin([*SLOW, *DASK, "--scheduler", address], folder) as process:
        wait_for_chunks(folder, 4, process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert 4 <= len(list(folder.glob("done/*.json"))) < 48
    with begin([*SLOW, *DASK, "--scheduler", address], folder) as process:
        wait_for_chunks(folder, 20, process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert go(SLOW, folder) == 0
    assert contents(folder) == undisturbed


def test_without_a_scheduler_one_is_started_here(undisturbed, tmp_path):
    with begin([*SLOW, *DASK], tmp_path / "pop") as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert said(err) == ""
    assert contents(tmp_path / "pop") == undisturbed


def test_ctrl_c_ends_the_cluster_and_says_how_to_go_on(undisturbed, tmp_path):
    folder = tmp_path / "pop"
    with begin([*SLOW, *DASK], folder) as process:
        wait_for_chunks(folder, 3, process)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and out == ""
    assert said(err) == f"interrupted: finished chunks are kept in {folder}; the same command goes on from there\n"
    assert go(SLOW, folder) == 0
    assert contents(folder) == undisturbed


def test_a_scheduler_that_is_not_there_is_one_sentence(tmp_path, capfd):
    assert go([*SLOW, *DASK, "--scheduler", "here"], tmp_path / "pop") == 2
    assert capfd.readouterr().err == (
        'error: --scheduler is "here"; it must be an address such as tcp://127.0.0.1:8786\n'
    )
    assert go([*SLOW, *DASK, "--scheduler", "tcp://127.0.0.1:1"], tmp_path / "pop") == 2
    shown = capfd.readouterr()
    assert shown.out == "" and shown.err.startswith("error: no Dask scheduler answers at tcp://127.0.0.1:1: ")
    assert shown.err.count("\n") == 1
