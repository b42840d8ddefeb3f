"""Who computes the chunks of a run: threads of this process, or the workers of a Dask scheduler.

An executor takes a function and chunks and yields the answers as they come, in any order. It looks at no more chunks
than it has hands for, so memory does not grow with the number of chunks. Only the process that asked writes files:
workers answer with bytes, so a cluster needs no shared folder, and a worker that was given up and comes back can spoil
nothing.

Dask's scheduler, client and workers send each other pickled Python, which is trusted code: connect only to a scheduler
that is yours. Without an address one is started on the loopback interface for as long as the run lasts, without a
dashboard.
"""

from __future__ import annotations

import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from leydig.engine.runs import Chunk, RunStopped
from leydig.errors import InputError

Answer = TypeVar("Answer")

PATIENCE = 5.0  # s that threads are given to end when the run is broken off
TO_CONNECT, FOR_WORKERS = 10.0, 30.0  # s that a scheduler is given to answer, and to show a worker
LOOPBACK = "127.0.0.1"
END = object()  # a thread has no more chunks
AHEAD = 2  # chunks under way per hand of a cluster
EXTRA = 'the Dask executor needs more libraries; install them with: pip install "leydig[cluster]"'


class Executor(Protocol):
    """Applies a function to chunks and yields the answers as they come."""

    def __call__(self, job: Callable[[Chunk], Answer], chunks: Iterable[Chunk]) -> Iterator[Answer]: ...


def threads(workers: int) -> Executor:
    """An executor of ``workers`` (at least one) threads, for jobs that spend their time outside Python's lock.

    Raises in the caller what a job raised. Breaking off waits a few seconds for the chunks under way.
    """

    if workers < 1:
        raise InputError(f"{workers} workers were asked for; there must be one at least")

    def execute(job: Callable[[Chunk], Answer], chunks: Iterable[Chunk]) -> Iterator[Answer]:
        waiting, lock, stop = iter(chunks), threading.Lock(), threading.Event()
        answers: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(maxsize=workers)

        def take() -> Chunk | None:
            with lock:
                return None if stop.is_set() else next(waiting, None)

        def labour() -> None:
            try:
                while (chunk := take()) is not None:
                    _put(answers, (job(chunk), None), stop)
                _put(answers, (END, None), stop)
            except BaseException as error:
                _put(answers, (None, error), stop)

        # Daemons, so that a chunk which takes long does not hold up a process that was told to stop.
        hands = [threading.Thread(target=labour, daemon=True) for _ in range(workers)]
        try:
            for hand in hands:
                hand.start()
            at_work = workers
            while at_work:
                answer, error = answers.get()
                if error is not None:
                    raise error
                if answer is END:
                    at_work -= 1
                else:
                    yield answer
        finally:
            stop.set()
            until = time.monotonic() + PATIENCE
            for hand in hands:
                if hand.is_alive():
                    hand.join(max(until - time.monotonic(), 0.0))

    return execute


def _put(answers: queue.Queue[Any], answer: Any, stop: threading.Event) -> None:
    """Put an answer unless nobody wants it any more."""
    while not stop.is_set():
        with suppress(queue.Full):
            answers.put(answer, timeout=0.1)
            return


@contextmanager
def dask(address: str | None, workers: int) -> Iterator[Executor]:
    """An executor on the scheduler at ``address``, or on ``workers`` processes that are started here on loopback.

    A chunk whose worker dies is given to another. InputError when the library is missing or nobody answers;
    RunStopped when the same chunk kills one worker after another, and when the scheduler goes away.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise InputError(EXTRA) from error
    import logging

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # a lost worker is expected here, and handled
    cluster: Any = None
    if address is None:
        with _deaf_children():
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host=LOOPBACK,
                dashboard_address=f"{LOOPBACK}:0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
            )
    try:
        try:
            if address is not None:
                _knock(address)
            client = _connected(Client, cluster if cluster is not None else address)
        except (OSError, ValueError) as error:
            raise InputError(f"no Dask scheduler answers at {address}: {error}") from error
        with client:
            try:
                client.wait_for_workers(1, timeout=FOR_WORKERS)
            except TimeoutError as error:
                raise InputError(f"the Dask scheduler at {address} has no worker") from error
            yield _on(client)
    finally:
        if cluster is not None:
            cluster.close()


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes started inside ignore Ctrl-C, which a terminal sends to all: this one ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _connected(kind: Any, to: Any) -> Any:
    """A client of the scheduler; OSError when it does not answer in time, where the library would wait for ever."""
    found: list[Any] = []

    def connect() -> None:
        try:
            found.append(kind(to, timeout=TO_CONNECT, set_as_default=False))
        except BaseException as error:
            found.append(error)

    hand = threading.Thread(target=connect, daemon=True)
    hand.start()
    hand.join(TO_CONNECT + PATIENCE)
    if not found:
        raise OSError("what listens there gives no answer that a scheduler would give")
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]


def _knock(address: str) -> None:
    """OSError at once when nobody listens; the library would go on trying."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=TO_CONNECT).close()


def _on(client: Any) -> Executor:
    """An executor on a connected client."""
    import secrets

    from distributed import CancelledError, KilledWorker, as_completed
    from distributed.comm import CommClosedError

    own = secrets.token_hex(4)  # two runs may share a scheduler

    def execute(job: Callable[[Chunk], Answer], chunks: Iterable[Chunk]) -> Iterator[Answer]:
        waiting, under_way = iter(chunks), 0
        running = as_completed(loop=client.loop)

        def fill() -> None:
            nonlocal under_way
            while under_way < AHEAD * max(sum(client.nthreads().values()), 1):
                chunk = next(waiting, None)
                if chunk is None:
                    return
                running.add(client.submit(job, chunk, key=f"leydig-{own}-{chunk.number}", pure=False))
                under_way += 1

        try:
            fill()
            for future in running:
                answer: Answer = future.result()
                future.release()
                under_way -= 1
                fill()
                yield answer
        except KilledWorker as error:
            raise RunStopped(f"one chunk ended one worker after another ({error})") from error
        except (CancelledError, CommClosedError) as error:
            raise RunStopped(f"the Dask scheduler was lost ({error})") from error
        except ImportError as error:
            raise RunStopped(f"a Dask worker lacks what this run needs ({error})") from error
        finally:
            running.clear()

    return execute
