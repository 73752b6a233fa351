"""Random draws without a history: element k of a sequence is decided by the sequence's key and by k alone.

Arrays in, arrays out: a million draws cost about as much as a hundred function calls.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from crossin.core.hashing import mix

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = 4
_BLOCK = 1 << 14
_FRACTION_BITS = 20


def hashed(values: Ints | Words, key: int | Words) -> Words:
    """64 random bits for each value, decided by the value and the key."""
    return mix(values.astype(np.uint64) * _GOLDEN + (np.uint64(key) if isinstance(key, int) else key))


def fractions(slots: Ints, key: int) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each slot, in steps of 2^-20: added to a slot number it loses no digit."""
    bits = hashed(slots, key) >> np.uint64(64 - _FRACTION_BITS)
    return np.asarray(bits.astype(np.float64) / 2**_FRACTION_BITS)


def with_replacement(slots: Ints, size: int | Ints, key: int) -> Ints:
    """An element of 0..size-1 for each slot, each drawn for itself; `size` may be one for each slot."""
    sizes = np.asarray(size).astype(np.uint64)
    return ((hashed(slots, key) >> np.uint64(32)) * sizes >> np.uint64(32)).astype(np.int64)


def without_replacement(slots: Ints, size: int, key: int) -> Ints:
    """Elements of an endless sequence that goes through 0..size-1 in a fresh random order each time round.

    A Feistel network over two digits makes the permutation, so that one element costs the same whatever came
    before it; what falls outside 0..size-1 goes through again (Black and Rogaway, "Ciphers with arbitrary
    finite domains", 2002).
    """
    bases = np.uint64(math.isqrt(size - 1) + 1), np.uint64(-(-size // (math.isqrt(size - 1) + 1)))
    drawn = np.empty(len(slots), dtype=np.int64)
    # Blocks that fit the processor's cache are several times faster than the whole.
    for start in range(0, len(slots), _BLOCK):
        turns, values = np.divmod(slots[start : start + _BLOCK], size)
        turn_keys = hashed(turns, key)
        found = _permuted(values.astype(np.uint64), turn_keys, bases)
        while len(outside := np.flatnonzero(found >= np.uint64(size))):
            found[outside] = _permuted(found[outside], turn_keys[outside], bases)
        drawn[start : start + _BLOCK] = found
    return drawn


def _permuted(values: Words, keys: Words, bases: tuple[np.uint64, np.uint64]) -> Words:
    """Values of 0..bases[0]*bases[1]-1 in another order, by adding to each digit in turn what the other and
    the key decide.
    """
    low = values % bases[0]
    high = values // bases[0]
    for number in range(_ROUNDS):
        high = _shifted(high, low, keys + np.uint64(2 * number), bases[1])
        low = _shifted(low, high, keys + np.uint64(2 * number + 1), bases[0])
    return high * bases[0] + low


def _shifted(digit: Words, other: Words, keys: Words, base: np.uint64) -> Words:
    moved = digit + ((hashed(other, keys) >> np.uint64(32)) * base >> np.uint64(32))
    return np.where(moved >= base, moved - base, moved)
