"""Whether two texts in two languages say the same, fitted to the pair of files alone.

The words that occur together across the files (hashed, weighted by rarity) span a latent space: a randomized
singular value decomposition of their co-occurrence, then canonical correlation. In this space a row is near
its translation, and far from the translation of another row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossin.alignment.characters import Ints, Ragged

Matrix = npt.NDArray[np.float32]

BUCKETS = 1 << 16
# The commonest words of each side that span the space, and its dimensions.
_VOCABULARY, _DIMENSIONS = 4096, 160
_EXTRA, _PASSES = 16, 2
# A word in more rows than this share is not specific to any content.
_TOO_COMMON = 0.25
_BLOCK = 2048


def make_bag(rows: Ints, hashes: npt.NDArray[np.uint64], count: int) -> Ragged:
    """The bag of words given as (row, hash) in any order; a word counts once a row."""
    keys = np.sort((rows.astype(np.uint64) << np.uint64(16)) | (hashes >> np.uint64(48)))
    keys = keys[np.concatenate(([True], keys[1:] != keys[:-1]))] if len(keys) else keys
    owner = (keys >> np.uint64(16)).astype(np.int64)
    starts = np.searchsorted(owner, np.arange(count + 1))
    return Ragged((keys & np.uint64(0xFFFF)).astype(np.uint16), starts)


def join_bags(bags: Sequence[Ragged]) -> Ragged:
    """The concatenation of bags."""
    sizes = np.concatenate([[0], *(bag.lengths for bag in bags)])
    return Ragged(np.concatenate([bag.values for bag in bags]), np.cumsum(sizes, dtype=np.int64))


@dataclass(frozen=True)
class _Vocabulary:
    """The chosen words of one side: `column[bucket]` is its column or -1, `weight` each column's rarity."""

    column: npt.NDArray[np.int32]
    weight: Matrix

    @classmethod
    def choose(cls, bag: Ragged) -> _Vocabulary:
        held = np.bincount(bag.values, minlength=BUCKETS)
        rank = np.where(held <= _TOO_COMMON * bag.count, held, 0)
        chosen = np.argsort(-rank, kind="stable")[:_VOCABULARY]
        chosen = chosen[rank[chosen] >= 2]
        column = np.full(BUCKETS, -1, np.int32)
        column[chosen] = np.arange(len(chosen))
        return cls(column, np.log((bag.count + 1) / (held[chosen] + 0.5)).astype(np.float32))

    def blocks(self, bag: Ragged) -> Iterator[tuple[slice, Matrix]]:
        """The rows as dense vectors of length 1, a block at a time."""
        columns, rows = self.column[bag.values], bag.rows()
        for start in range(0, bag.count, _BLOCK):
            stop = min(start + _BLOCK, bag.count)
            span = slice(bag.starts[start], bag.starts[stop])
            kept = columns[span] >= 0
            place, column = rows[span][kept] - start, columns[span][kept]
            block = np.zeros((stop - start, len(self.weight)), np.float32)
            block[place, column] = self.weight[column]
            length = np.sqrt(np.bincount(place, self.weight[column] ** 2, stop - start))
            block /= np.maximum(length, 1e-9)[:, None].astype(np.float32)
            yield slice(start, stop), block

    def project(self, bag: Ragged, basis: Matrix) -> Matrix:
        """The rows in `basis`."""
        out = np.empty((bag.count, basis.shape[1]), np.float32)
        for span, block in self.blocks(bag):
            out[span] = block @ basis
        return out

    def gather(self, bag: Ragged, weights: Matrix) -> Matrix:
        """The sum of the rows, each times its weights: one column a word."""
        out = np.zeros((len(self.weight), weights.shape[1]), np.float32)
        for span, block in self.blocks(bag):
            out += block.T @ weights[span]
        return out


@dataclass(frozen=True)
class LatentSpace:
    """Two projections into one space, and the correlation of true pairs in each of its dimensions."""

    sides: tuple[_Vocabulary, _Vocabulary]
    bases: tuple[Matrix, Matrix]
    means: tuple[Matrix, Matrix]
    agreement: Matrix

    @classmethod
    def fit(cls, pivot: Ragged, other: Ragged, seed: int) -> LatentSpace | None:
        """Fit to claimed pairs; None where they share too few words."""
        x, y = _Vocabulary.choose(pivot), _Vocabulary.choose(other)
        size = min(_DIMENSIONS, len(x.weight) // 2, len(y.weight) // 2, pivot.count // 8)
        if size < 4:
            return None
        random = np.random.default_rng(seed)
        guess = random.standard_normal((len(y.weight), size + _EXTRA)).astype(np.float32)
        left = guess
        for _ in range(_PASSES):
            left = _orthonormal(x.gather(pivot, y.project(other, guess)))
            guess = _orthonormal(y.gather(other, x.project(pivot, left)))
        on_left = x.project(pivot, left)
        core = on_left.T @ y.project(other, guess)
        u, _, vt = np.linalg.svd(core)
        x_basis, y_basis = left @ u[:, :size], guess @ vt[:size].T
        a, b = x.project(pivot, x_basis), y.project(other, y_basis)
        mean_a, mean_b = a.mean(0), b.mean(0)
        a, b = a - mean_a, b - mean_b
        shrink_a, shrink_b = _whitener(a), _whitener(b)
        u, strength, vt = np.linalg.svd(shrink_a.T @ (a.T @ b / len(a)) @ shrink_b)
        turn_a, turn_b = shrink_a @ u, shrink_b @ vt.T
        return cls(
            (x, y),
            ((x_basis @ turn_a).astype(np.float32), (y_basis @ turn_b).astype(np.float32)),
            ((mean_a @ turn_a).astype(np.float32), (mean_b @ turn_b).astype(np.float32)),
            np.clip(strength, 0, 0.98).astype(np.float32),
        )

    def place(self, side: int, bag: Ragged) -> Matrix:
        """The rows of one side (0 the pivot, 1 the other) in the space: [n, dimensions]."""
        return self.sides[side].project(bag, self.bases[side]) - self.means[side]

    def compare(self, a: Matrix, b: Matrix) -> Matrix:
        """[n, 2]: the log-likelihood ratio of a pair against strangers, and the cosine."""
        r = self.agreement
        gain = 1 / (1 - r**2)
        ratio = (r * a * b - 0.5 * r**2 * (a**2 + b**2)) * gain + 0.5 * np.log(gain)
        inner = (r * a * b).sum(1)
        length = np.sqrt((r * a**2).sum(1) * (r * b**2).sum(1))
        return np.stack([ratio.sum(1), inner / np.maximum(length, 1e-9)], 1)


def _orthonormal(matrix: Matrix) -> Matrix:
    return np.linalg.qr(matrix)[0].astype(np.float32)


def _whitener(rows: Matrix) -> npt.NDArray[np.float64]:
    """W with W.T @ cov @ W = 1, the covariance shrunk slightly towards a multiple of 1."""
    covariance = (rows.T @ rows / len(rows)).astype(np.float64)
    covariance += np.eye(len(covariance)) * (0.02 * np.trace(covariance) / len(covariance) + 1e-12)
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors / np.sqrt(np.maximum(values, 1e-12)))
