"""Rows that repeat an earlier one, exactly or nearly."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from crossin.core.extras import require
from crossin.corpus.texts import rows_of
from crossin.languages.segmentation import fold, mostly_single, units

if TYPE_CHECKING:
    import pyarrow

_CHUNK = 4096
_PERMUTATIONS = 128
# Units of a shingle: words, or characters of a script without spaces.
_WORDS, _CHARACTERS = 3, 5
# Weights of false positives and false negatives. A false positive costs only a comparison of shingles, a
# false negative is lost: with equal weights only two of five pairs at a threshold of 0.8 would be found.
_WEIGHTS = (0.02, 0.98)


def exact_duplicates(columns: Sequence[pyarrow.LargeStringArray]) -> npt.NDArray[np.bool_]:
    """Which rows are the same as an earlier one: bool, shape (n,).

    columns: the fields of n rows (instruction, input, output), each of length n; null counts as empty. They
    are compared after NFKC, without regard to case and white space.
    """
    seen: set[bytes] = set()
    flags = np.zeros(len(columns[0]), dtype=bool)
    for row, fields in enumerate(rows_of(columns)):
        key = blake2b("\0".join(fold(field) for field in fields).encode(), digest_size=16).digest()
        flags[row] = key in seen
        seen.add(key)
    return flags


def near_duplicates(
    columns: Sequence[pyarrow.LargeStringArray], threshold: float = 0.8
) -> npt.NDArray[np.bool_]:
    """Which rows are nearly the same as an earlier one that is kept: bool, shape (n,).

    columns: the fields of n rows (instruction, input, output), each of length n; null counts as empty. Two
    rows are nearly the same where the Jaccard similarity of their shingles is at least `threshold`. Shingles
    are three consecutive words, or five characters in scripts without spaces, of all fields together. The
    first row of a group is kept, and every duplicate is similar to a row that is kept.

    MinHash with banding (Broder 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", ch. 3)
    finds the candidates, and their shingles decide. A pair at just the threshold of 0.8 is found with a
    probability of about 0.98, a more similar one nearly always. Needs the extra `data` (datasketch); memory
    grows by about 6 kB for each row that is kept.
    """
    require("data", "datasketch")
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=_PERMUTATIONS, weights=_WEIGHTS, hashfunc=_short)
    flags = np.zeros(len(columns[0]), dtype=bool)
    for start in range(0, len(flags), _CHUNK):
        piece = [_shingles(fields) for fields in rows_of([column.slice(start, _CHUNK) for column in columns])]
        hashes = MinHash.bulk(piece, num_perm=_PERMUTATIONS, seed=1, hashfunc=zlib.crc32)
        for row, (shingles, minhash) in enumerate(zip(piece, hashes, strict=True), start):
            for other in sorted(index.query(minhash)):
                if other >= start:
                    earlier = piece[other - start]
                else:
                    earlier = _shingles([column[other].as_py() or "" for column in columns])
                both = len(shingles & earlier)
                if both / (len(shingles) + len(earlier) - both) >= threshold:
                    flags[row] = True
                    break
            else:
                # Only rows that are kept are candidates: a group of a thousand is not compared pair by pair.
                index.insert(row, minhash)
    return flags


def _shingles(fields: list[str]) -> set[bytes]:
    text = " ".join(fields)
    # A text of punctuation alone ("???") is compared as it is.
    parts = units(text) or [fold(text)]
    size = min(len(parts), _CHARACTERS if mostly_single(parts) else _WORDS)
    return {" ".join(parts[start : start + size]).encode() for start in range(len(parts) - size + 1)}


def _short(band: bytes) -> bytes:
    """A band's key in few bytes."""
    return blake2b(band, digest_size=8).digest()
