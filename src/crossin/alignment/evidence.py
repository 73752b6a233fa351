"""The log-odds that a row is mismatched: a logistic regression on everything that differs in true pairs.

It is fitted to the pair of files itself: its claimed pairs against strangers, pairs made by shifting one
side. Each feature enters as a piecewise linear function, so none needs a form of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossin.alignment.characters import Flags, Floats, Ints, Ragged, among
from crossin.alignment.content import LatentSpace, Matrix
from crossin.alignment.lengths import LengthBands
from crossin.alignment.measures import Measures
from crossin.core.formats import FIELDS

_KNOTS, _RIDGE, _STEPS = 9, 1.0, 25
# The share of the sample that the latent space is fitted to; the weights are fitted to the rest.
_PART = 0.6
# A claimed pair that looks worse than this share of the strangers is left out.
_APART = 0.1
# The chance of being mismatched above which a row is flagged, and the least and the largest share of
# mismatched rows that is assumed.
_CHANCE, _LEAST, _MOST = 0.2, 0.01, 0.3
# The lowest threshold of log-odds, and the share of rows that may be flagged beyond those accounted for.
_LOWEST, _TOLERATED = 1.5, 0.002
# Neighbours on each side that count as evidence, each with at most this much.
_NEIGHBOURS, _CAP = 4, 4.0
# A row needs evidence of its own of at least this, whatever its neighbours and the rest of the file.
_OWN = 0.7


def features(
    pivot: Measures,
    other: Measures,
    places: tuple[Matrix, Matrix],
    space: LatentSpace,
    bands: list[LengthBands],
) -> Floats:
    """The features of n pairs: [n, features]."""
    columns = list(space.compare(*places).T)
    columns += [
        np.clip(bands[field].distance(pivot.sizes[:, field], other.sizes[:, field]), -9, 9)
        for field in range(len(FIELDS))
    ]
    columns.append(((pivot.sizes == 0) != (other.sizes == 0)).sum(1))
    columns.append(np.clip(other.lines - pivot.lines, -4, 4))
    lost = np.maximum(pivot.digits - other.digits, 0).sum(1)
    gained = np.maximum(other.digits - pivot.digits, 0).sum(1)
    shared = np.minimum(pivot.digits, other.digits).sum(1)
    columns += [np.log1p(lost), np.log1p(gained), np.log1p(shared)]
    columns += list(_shared_words(pivot.words, other.words))
    return np.stack([np.asarray(column, float) for column in columns], 1)


def _shared_words(pivot: Ragged, other: Ragged) -> tuple[Floats, Floats]:
    """The log of the number of words in both rows, and their share of the shorter row's words."""
    keys = [(bag.rows() << 16) | bag.values for bag in (pivot, other)]
    count = pivot.sums(among(keys[0], keys[1]))
    least = np.minimum(pivot.lengths, other.lengths)
    return np.log1p(count), count / np.maximum(least, 1)


@dataclass(frozen=True)
class Weights:
    """A logistic regression on piecewise linear features: knots for each feature, a weight for each knot."""

    knots: list[Floats]
    weights: Floats

    @classmethod
    def fit(cls, good: Floats, bad: Floats) -> Weights:
        """Separate `bad` rows from `good` ones, both sets with the same total weight."""
        both = np.concatenate([good, bad])
        knots = [np.unique(np.quantile(column, np.linspace(0, 1, _KNOTS))) for column in both.T]
        design = _design(both, knots)
        truth = np.repeat([0.0, 1.0], [len(good), len(bad)])
        mass = np.where(truth == 1, 0.5 / len(bad), 0.5 / len(good)) * 2 * min(len(good), len(bad))
        weights = np.zeros(design.shape[1])
        penalty = _RIDGE * np.eye(design.shape[1])
        for _ in range(_STEPS):
            chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
            slope = design.T @ (mass * (truth - chance)) - penalty @ weights
            curve = (design * (mass * np.maximum(chance * (1 - chance), 1e-6))[:, None]).T @ design + penalty
            step = np.linalg.solve(curve, slope)
            weights = weights + step
            if np.abs(step).max() < 1e-4:
                break
        return cls(knots, weights)

    def log_odds(self, rows: Floats) -> Floats:
        """The log-odds that each row is mismatched, were half of them so."""
        return np.asarray(_design(rows, self.knots) @ self.weights)


def _design(rows: Floats, knots: list[Floats]) -> Floats:
    columns = [np.ones((len(rows), 1))]
    for column, places in zip(rows.T, knots, strict=True):
        cells = np.arange(len(places))
        columns.append(np.stack([np.interp(column, places, cells == cell) for cell in cells], 1))
    return np.concatenate(columns, 1)


def separation(good: Floats, bad: Floats) -> float:
    """The chance that a mismatched row has higher log-odds than a true one (the area under the ROC curve)."""
    order = np.argsort(np.concatenate([good, bad]), kind="stable")
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order))
    return float((rank[len(good) :].sum() - len(bad) * (len(bad) - 1) / 2) / (len(good) * len(bad)))


@dataclass(frozen=True)
class Content:
    """The fitted model of whether a row's two sides say the same.

    `strangers` are the sorted log-odds of strangers, `separability` the chance that a stranger has higher
    log-odds than a claimed pair.
    """

    space: LatentSpace
    bands: list[LengthBands]
    weights: Weights
    strangers: Floats
    separability: float

    @classmethod
    def fit(cls, pivot: Measures, other: Measures, bands: list[LengthBands], seed: int) -> Content | None:
        """Fit to claimed pairs; None where they have too few words."""
        # The weights are fitted to other rows than the space, which fits its own rows too well.
        part = np.random.default_rng(seed).random(len(pivot.lines)) < _PART
        own, rest = np.flatnonzero(part), np.flatnonzero(~part)
        space = LatentSpace.fit(pivot.words.take(own), other.words.take(own), seed)
        if space is None or len(rest) < 2:
            return None
        one, two = pivot.take(rest), other.take(rest)
        places = space.place(0, one.words), space.place(1, two.words)
        good = features(one, two, places, space, bands)
        shifted = []
        for turn in (1, len(rest) // 2):
            order = np.roll(np.arange(len(rest)), turn)
            shifted.append(features(one, two.take(order), (places[0], places[1][order]), space, bands))
        bad = np.concatenate(shifted)
        weights = Weights.fit(good, bad)
        separability = separation(weights.log_odds(good), weights.log_odds(bad))
        # Claimed pairs that look like strangers are left out of a second fit.
        alike = weights.log_odds(good) < np.quantile(weights.log_odds(bad), _APART)
        if alike.any():
            weights = Weights.fit(good[alike], bad)
        return cls(space, bands, weights, np.sort(weights.log_odds(bad)), separability)

    def log_odds(self, pivot: Measures, other: Measures) -> Floats:
        """The log-odds that each row is mismatched, were half of them so."""
        places = self.space.place(0, pivot.words), self.space.place(1, other.words)
        return self.weights.log_odds(features(pivot, other, places, self.space, self.bands))

    def mismatched(self, odds: Floats, place: Ints) -> Flags:
        """Rows with log-odds above the threshold, n flags; `place` is each row's position in its file.

        Where a row's own evidence is doubtful, that of its neighbours counts; a row that looks right is never
        flagged for its neighbours.
        """
        threshold = self.threshold(odds)
        order = np.argsort(place, kind="stable")
        line = np.clip(odds[order], -_CAP, _CAP)
        total = np.concatenate((np.full(_NEIGHBOURS, -_CAP), line, np.full(_NEIGHBOURS, -_CAP))).cumsum()
        total = np.concatenate(([0.0], total))
        index = np.arange(len(line)) + _NEIGHBOURS
        before = (total[index] - total[index - _NEIGHBOURS]) / _NEIGHBOURS
        after = (total[index + 1 + _NEIGHBOURS] - total[index + 1]) / _NEIGHBOURS
        company = np.empty(len(line))
        company[order] = np.maximum(before, after)
        return np.asarray((odds > threshold) | ((odds > _OWN) & (company > _OWN)))

    def threshold(self, odds: Floats) -> float:
        """The log-odds above which a row is flagged.

        About half of the mismatched rows have higher odds than the median stranger, and hardly any true pair
        has. That gives the share of mismatched rows, and with it the odds for a given chance of being one.
        Where true pairs and strangers lie far apart, the threshold can be lower, as long as it flags few rows
        more than that share accounts for.
        """
        share = 2 * np.mean(odds > np.median(self.strangers))
        high = max(_OWN, float(np.log(_CHANCE / np.clip(share, _LEAST, _MOST))))
        for threshold in np.arange(_LOWEST, high, 0.25):
            accounted = share * np.mean(self.strangers > threshold)
            if np.mean(odds > threshold) - accounted <= _TOLERATED:
                return float(threshold)
        return high
