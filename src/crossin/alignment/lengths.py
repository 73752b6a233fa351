"""The length of a translation relative to its original, in bands fitted to the pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crossin.alignment.characters import Flags, Floats, Ints

# Pivot lengths at which a band begins, and the fewest rows that a band is fitted to.
_BANDS = np.array([0, 8, 16, 32, 64, 128, 256, 512, 1024])
_ENOUGH = 60
# Where there are fewer: the log of the ratio and its noise.
_CENTRE, _SCALE = 0.0, 0.35
# A text of at least _LEAST characters is out of its band beyond so many noise widths.
_OUT, _LEAST = 8.0, 16


@dataclass(frozen=True)
class LengthBands:
    """Centre and noise of log(other / pivot) in each band of pivot length, for one field."""

    centre: Floats
    scale: Floats

    @classmethod
    def fit(cls, pivot: Ints, other: Ints) -> LengthBands:
        """Fit to lengths (n,) by median and median absolute deviation, which faulty rows hardly move."""
        ratio, band = _log_ratio(pivot, other), _band(pivot)
        both = (pivot > 0) & (other > 0)
        general = _middle(ratio[both]) if both.sum() >= _ENOUGH else (_CENTRE, _SCALE)
        centre, scale = np.full((2, len(_BANDS)), 0.0)
        for number in range(len(_BANDS)):
            inside = ratio[both & (band == number)]
            centre[number], scale[number] = _middle(inside) if len(inside) >= _ENOUGH else general
        return cls(centre, scale)

    def distance(self, pivot: Ints, other: Ints) -> Floats:
        """The signed distance of each row from the centre, in noise widths; 0 where either is empty."""
        band = _band(pivot)
        away = (_log_ratio(pivot, other) - self.centre[band]) / self.scale[band]
        return np.where((pivot > 0) & (other > 0), away, 0.0)

    def out(self, pivot: Ints, other: Ints) -> Flags:
        """Rows out of their band; short texts never are.

        The band is widened to include the ratio 1, since code and names stay as they are.
        """
        band, ratio = _band(pivot), _log_ratio(pivot, other)
        centre, width = self.centre[band], _OUT * self.scale[band]
        low, high = np.minimum(centre, 0) - width, np.maximum(centre, 0) + width
        long = (np.maximum(pivot, other) >= _LEAST) & (pivot > 0) & (other > 0)
        return np.asarray(long & ((ratio < low) | (ratio > high)))


def _log_ratio(pivot: Ints, other: Ints) -> Floats:
    return np.log((other + 1.0) / (pivot + 1.0))


def _band(pivot: Ints) -> Ints:
    return np.searchsorted(_BANDS, pivot, side="right") - 1


def _middle(values: Floats) -> tuple[float, float]:
    centre = float(np.median(values))
    return centre, max(1.4826 * float(np.median(np.abs(values - centre))), 0.08)
