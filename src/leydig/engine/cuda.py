"""Many men at once on a graphics processor: the generated step as a CUDA kernel, one man per thread.

The whole of a man's run, his events and his control of the step included, is one thread's loop in one launch; the
text of the kernel is generated from the traced equations as the one for the processor's vectors is. What comes back
is either states and inputs at the output times or, reduced on the device, counts of men in the bins of chosen states.

It needs the ``cuda`` extra and an NVIDIA GPU. Where the environment holds NUMBA_ENABLE_CUDASIM=1 when numba is first
imported, numba's simulator runs the same text in Python instead, far too slowly for anything but tests. Results agree
with ``kernel.solve_many`` to rounding along a grid; where steps follow the error, a rounding that turns a rejected
step into an accepted one changes a result within the tolerance.
"""

from __future__ import annotations

import importlib.util
import warnings
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from leydig.engine.cuda_source import kernel_source, program_of
from leydig.engine.kernel import BY_ERROR, EVERYTHING, MOST_STEPS, Batch, Control, check, numbers
from leydig.engine.lane_arithmetic import FORMATS, Precision
from leydig.engine.step import Step, Variant
from leydig.engine.trace import Traced, generated
from leydig.errors import InputError

if TYPE_CHECKING:
    from leydig.engine.schedule import Schedule

THREADS = 64  # of a block: so many registers are in use that larger blocks fit no better
SHARE_OF_MEMORY = 0.5  # of what is free on the device; the rest is left to the threads' own rows


class Bins(NamedTuple):
    """What is counted on the device: for each of q states the men between consecutive edges.

    ``states`` are names; ``edges`` (q, b) do not decrease along a row. A value on an edge belongs to the bin above.
    """

    states: tuple[str, ...]
    edges: np.ndarray


class Counts(NamedTuple):
    """How many men lie in each bin, and what became of the n men.

    ``counts`` (times, q, b + 1): the first bin lies below the first edge, the last at or above the last edge. A man is
    counted at the times that he reached. Whole numbers, so they are the same in whatever order men finish.
    """

    counts: np.ndarray
    status: np.ndarray  # (n,) index into kernel.STATUS
    reached: np.ndarray  # (n,) h
    steps: np.ndarray  # (n,) tried
    rejected: np.ndarray  # (n,) of them


@overload
def solve_many_cuda(
    traced: Traced, states: np.ndarray, parameters: np.ndarray, schedule: Schedule, times: np.ndarray, *,
    floors: np.ndarray, control: Control = ..., variant: Variant = ..., precision: Precision = ...,
    at_once: int | None = ..., reduce: None = ...,
) -> Batch: ...  # fmt: skip


@overload
def solve_many_cuda(
    traced: Traced, states: np.ndarray, parameters: np.ndarray, schedule: Schedule, times: np.ndarray, *,
    floors: np.ndarray, control: Control = ..., variant: Variant = ..., precision: Precision = ...,
    at_once: int | None = ..., reduce: Bins,
) -> Counts: ...  # fmt: skip


def solve_many_cuda(
    traced: Traced,
    states: np.ndarray,
    parameters: np.ndarray,
    schedule: Schedule,
    times: np.ndarray,
    *,
    floors: np.ndarray,
    control: Control = BY_ERROR,
    variant: Variant = EVERYTHING,
    precision: Precision = "double",
    at_once: int | None = None,
    reduce: Bins | None = None,
) -> Batch | Counts:
    """What ``kernel.solve_many`` gives for the same arguments or, with ``reduce``, counts made on the device.

    ``at_once``: the most men of one launch; by default as many as the device's free memory holds. Raises InputError
    where no device can be used, ValueError as ``solve_many`` and for bins that do not fit. Never raises for a failed
    solve: look at ``status``.
    """
    require_device()
    program, n, moments = program_of(traced, variant), len(states), np.atleast_2d(np.asarray(times, float))
    check(traced, variant, states, parameters, schedule, moments, floors)
    bins = _on_device(reduce, traced, program, states)
    shared = _Shared(
        schedule.channel,
        (schedule.rate != 0).any(axis=0),
        np.asarray(floors)[list(program.moving)].astype(_real(precision)),
        *bins,
    )
    kept = (n, moments.shape[1] if reduce is None else 0)
    batch = Batch(
        np.empty((*kept, len(traced.states))), np.empty((*kept, len(traced.inputs))), np.zeros(n, np.int8),
        np.zeros(n), np.zeros(n, np.int64), np.zeros(n, np.int64),
    )  # fmt: skip
    counts = np.zeros((moments.shape[1], len(bins[0]), bins[2].shape[1] + 1), np.int64)
    launch = _Launch(compiled_kernel(traced, variant, precision), program, control, shared, _real(precision))
    chunk = min(n, at_once or n, launch.most_men(states, parameters, schedule, moments, batch))
    for begin in range(0, n, max(chunk, 1)):
        men = slice(begin, min(begin + chunk, n))
        part = Batch(*(array[men] for array in batch))  # views, which the launch fills
        counts += launch.run(states[men], parameters[men], _men_of(schedule, men), _own(moments, men), part)
    return batch if reduce is None else Counts(counts, *batch[2:])


def require_device() -> None:
    """Raise InputError unless numba finds an NVIDIA GPU, its driver and the libraries to compile for it."""
    try:
        from numba import cuda

        usable = cuda.is_available()
    except ImportError:
        usable = False
    if usable:
        return
    if importlib.util.find_spec("numba_cuda") is None:
        raise InputError(
            "this run asks for a GPU, but the package numba-cuda is not installed; "
            "install it with: pip install 'leydig[cuda]', on a machine with an NVIDIA GPU and its driver"
        )
    raise InputError(
        "this run asks for a GPU, but numba-cuda finds no NVIDIA GPU with a working CUDA driver on this machine; "
        "choose the processor instead"
    )


@cache
def compiled_kernel(traced: Traced, variant: Variant = EVERYTHING, precision: Precision = "double") -> ModuleType:
    """The kernel's module, generated if need be; compiled at its first launch."""
    return generated("cuda", kernel_source(traced, variant, precision))


def _real(precision: Precision) -> Any:
    return np.dtype(FORMATS[precision].real)


class _Shared(NamedTuple):
    """What is the same for all men of a run."""

    channel: np.ndarray
    moves: np.ndarray
    floors: np.ndarray  # of the moving states
    chosen: np.ndarray  # (q,) row of each counted state, -1 for one that is still
    held: np.ndarray  # (q,) what that one is
    edges: np.ndarray


def _on_device(
    bins: Bins | None, traced: Traced, program: Step, states: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, held values and edges of what is counted; empty where nothing is."""
    if bins is None:
        return np.empty(0, np.int64), np.empty(0), np.empty((0, 0))
    edges = np.ascontiguousarray(bins.edges, float)
    if edges.ndim != 2 or len(edges) != len(bins.states) or not (np.diff(edges, axis=1) >= 0).all():
        raise ValueError(f"edges of bins must have one row, not decreasing, for each of {len(bins.states)} states")
    places = [traced.states.index(name) for name in bins.states]
    chosen = [program.moving.index(place) if place in program.moving else -1 for place in places]
    return np.array(chosen, np.int64), states[:1, places].sum(axis=0), edges


def _men_of(schedule: Schedule, men: slice) -> Schedule:
    """The schedule of some of its men."""
    return schedule._replace(
        rate=schedule.rate[men], first=schedule.first[men], first_ramp=schedule.first_ramp[men],
        time=_own(schedule.time, men), kind=_own(schedule.kind, men), amount=_own(schedule.amount, men),
        jump=schedule.jump[men], ramp=schedule.ramp[men],
    )  # fmt: skip


def _own(array: np.ndarray, men: slice) -> np.ndarray:
    """Rows of some men; the one row that all share stays."""
    return array[men] if len(array) > 1 else array


class _Launch:
    """Launches of one kernel with one way of control."""

    def __init__(self, module: ModuleType, program: Step, control: Control, shared: _Shared, real: Any) -> None:
        from numba import cuda

        self.cuda, self.module, self.program, self.control, self.real = cuda, module, program, control, real
        self.shared = _Shared(*(cuda.to_device(array) for array in shared))
        self.moving = list(program.moving)
        self.room = program.layout.factors - program.layout.hoisted

    def most_men(
        self, states: np.ndarray, parameters: np.ndarray, schedule: Schedule, moments: np.ndarray, batch: Batch
    ) -> int:
        """How many men the free memory of the device holds; at least one."""
        several = (*schedule[1:], moments, *batch[1:])
        own = (parameters.shape[1] + self.room) * self.real.itemsize
        own += len(self.moving) * (1 + batch.values.shape[1]) * states.itemsize + sum(
            array[:1].nbytes for array in several
        )
        free, _ = self.cuda.current_context().get_memory_info()
        return max(int(min(len(states), free * SHARE_OF_MEMORY / own)), 1)

    def run(
        self, states: np.ndarray, parameters: np.ndarray, schedule: Schedule, moments: np.ndarray, batch: Batch
    ) -> np.ndarray:
        """Fill the rows of ``batch``; the counts (times, q, b + 1) of these men."""
        n, kept, device = len(states), batch.values.shape[1], self.cuda.device_array
        shared = self.shared
        values = device((kept, len(self.moving), n), np.float64)
        inputs = device((kept, batch.inputs.shape[2], n), np.float64)
        counts = self.cuda.to_device(
            np.zeros((moments.shape[1], len(shared.chosen), shared.edges.shape[1] + 1), np.int64)
        )
        ends = [device(n, kind) for kind in (np.int8, np.float64, np.int64, np.int64, np.int64)]
        arguments = (
            n, self._put(states[:, self.moving]), self._put(parameters, self.real),
            device((self.room, n), self.real), shared.channel, shared.moves,
            *(self._put(array) for array in schedule[1:]), self._put(moments), shared.floors,
            *numbers(self.control), MOST_STEPS, shared.chosen, shared.held, shared.edges, values, inputs,
            counts, *ends,
        )  # fmt: skip
        with warnings.catch_warnings():  # about few men, which is the caller's choice
            warnings.filterwarnings("ignore", message="Grid size")
            self.module.solve[-(-n // THREADS), min(THREADS, n)](*arguments)
        found = [array.copy_to_host() for array in ends]
        for own, array in zip(batch[2:], found[:-1], strict=True):
            own[:] = array
        if kept:
            batch.values[:] = states[:, None, :]  # states that are still keep this
            batch.values[:, 1:, self.moving] = values.copy_to_host()[1:].transpose(2, 0, 1)
            batch.inputs[:] = inputs.copy_to_host().transpose(2, 0, 1)
            missing = np.arange(kept) >= found[-1][:, None]
            batch.values[missing] = np.nan
            batch.inputs[missing] = np.nan
        return counts.copy_to_host()

    def _put(self, array: np.ndarray, kind: Any = None) -> Any:
        """An array on the device with men along its last axis."""
        return self.cuda.to_device(np.ascontiguousarray(np.moveaxis(array, 0, -1), kind or array.dtype))
