"""Re-running many trials, each in a process of its own turn; one that fails does not lose the others."""

from __future__ import annotations

import multiprocessing
import signal
import time
import warnings
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from leydig.errors import InputError, ModelWarning
from leydig.evidence import Trial
from leydig.studies.reproduce import Reproduced, Settings, reproduce
from leydig.studies.reproduce_rows import Failed


def run(
    trials: Sequence[Trial], *, seed: int, settings: Settings, workers: int
) -> Generator[tuple[int, Reproduced | Failed, float]]:
    """Place among ``trials``, result and seconds of each as it comes; results do not depend on ``workers``.

    With one worker, or at most one trial, it runs here. Processes end with the iterator, however that ends.
    """
    if workers == 1 or len(trials) <= 1:
        for place, trial in enumerate(trials):
            yield place, *_one(trial, seed, settings)
        return
    # Begun afresh and not forked: a fork would inherit threads of the libraries in whatever state they were.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(trials)), mp_context=context, initializer=_end_with_the_terminal)
    before = set(multiprocessing.active_children())
    try:
        waiting = {pool.submit(_one, trial, seed, settings): place for place, trial in enumerate(trials)}
        for future in as_completed(waiting):
            place = waiting[future]
            try:
                result = future.result()
            except BrokenProcessPool:  # killed, or out of memory
                result = Failed(trials[place], "the process that ran it was ended from outside", bad_input=False), 0.0
            yield place, *result
        pool.shutdown()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()


def _end_with_the_terminal() -> None:
    """A worker that hears Ctrl-C ends without a word; the process that it works for says what there is to say."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _one(trial: Trial, seed: int, settings: Settings) -> tuple[Reproduced | Failed, float]:
    """One trial and the seconds that it took; whatever goes wrong with it is its own."""
    began = time.monotonic()
    found: Reproduced | Failed
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ModelWarning)  # published doses are facts, however unusual
            warnings.simplefilter("error", RuntimeWarning)  # a number that is none would spoil the totals in silence
            found = reproduce(trial, seed=seed, settings=settings)
    except InputError as error:
        found = Failed(trial, str(error))
    except Exception as error:  # a trial among many: its row says what happened, and the others go on
        found = Failed(trial, f"it could not be run: {type(error).__name__}: {error}", bad_input=False)
    return found, time.monotonic() - began
