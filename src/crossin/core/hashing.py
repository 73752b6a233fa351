"""Numbers that are decided by a key alone: what draws and hashes are made from."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt


def mix(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble numbers in place, so that every bit depends on all of them, and return them: the finaliser of
    SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    """
    words ^= words >> np.uint64(30)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def hash64(*parts: object) -> int:
    """A number of 64 bits that is decided by the parts (as text) alone: a seed or a key."""
    text = "\0".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
