"""Random numbers of virtual men: the study's seed, the name of a stream and a man's id decide them, nothing else.

A stream is a counter-based generator (Philox) whose key is a digest of seed and name. Each id owns one block of its
counter, four words of 64 bits, so any run of ids is one call, the numbers of a man do not depend on the chunk that he
is drawn in, and a stream that is added leaves the others as they are.

Only functions that work element by element are used here, so the bytes do not depend on the number of men either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
from scipy.special import ndtri

from leydig.errors import InputError

WORDS = 4  # per block of the counter
LARGEST_ID = 2**62  # ids are stored as signed 64-bit integers
LARGEST_SEED = 2**64 - 1
_DROPPED = 12  # bits: 52 are left, so that half a step above the largest is still a number below 1


def whole(name: str, value: Any, least: int = 0, most: int = LARGEST_ID) -> int:
    """A whole number within limits; InputError when it is none."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise InputError(f"{name} must be a whole number from {least} to {most}, not {value!r}")
    return int(value)


def words(seed: int, stream: str, first: int, n: int) -> np.ndarray:
    """(n, 4) unsigned integers of 64 bits for the ids ``first`` to ``first + n - 1``."""
    seed, first, n = (
        whole("the seed", seed, most=LARGEST_SEED),
        whole("the first id", first),
        whole("the number of men", n),
    )
    key = int.from_bytes(hashlib.blake2b(f"{seed}\n{stream}".encode(), digest_size=16).digest(), "little")
    return np.random.Philox(key=key, counter=first).random_raw(WORDS * n).reshape(n, WORDS)


def uniforms(seed: int, stream: str, first: int, n: int, word: int = 0) -> np.ndarray:
    """(n,) numbers above 0 and below 1; ``word`` (0 to 3) chooses one of a man's four independent ones."""
    column = np.ascontiguousarray(words(seed, stream, first, n)[:, word])
    return ((column >> np.uint64(_DROPPED)).astype(float) + 0.5) * 2.0 ** (_DROPPED - 64)


def normals(seed: int, stream: str, first: int, n: int, word: int = 0) -> np.ndarray:
    """(n,) standard normal deviates."""
    return cast(np.ndarray, ndtri(uniforms(seed, stream, first, n, word)))


def multipliers(names_and_sds: Iterable[tuple[str, float]], seed: int, first: int, n: int) -> dict[str, np.ndarray]:
    """Log-normal factors with median 1, (n,) by name: how parameters differ between men.

    ``names_and_sds`` holds dotted names with the standard deviation of the logarithm between men, such as those of
    ``studies.uncertainty.between_men``. The names are free; InputError when one stands twice or a spread is negative.
    """
    found: dict[str, np.ndarray] = {}
    for name, log_sd in names_and_sds:
        if not (np.isfinite(log_sd) and log_sd >= 0):
            raise InputError(f"the log-SD of {name} must be 0 or more, not {log_sd!r}")
        if name in found:
            raise InputError(f'the parameter "{name}" is named twice among those that differ between men')
        found[name] = np.exp(log_sd * normals(seed, f"multiplier {name}", first, n))
    return found
