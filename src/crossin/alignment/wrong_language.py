"""Which rows of a file are not in the file's language, judged by the instruction.

Outputs may rightly be in any language (code, "translate into French"); instructions are not. First the script
is looked at, then, within it, runs of three letters, whose frequencies are learned from the two files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossin.alignment.characters import Flags, Ints, among
from crossin.alignment.content import BUCKETS, Bag

Floats = npt.NDArray[np.float64]

# An instruction of fewer letters (or runs of three) is not judged.
_LETTERS, _GRAMS = 4, 8
# More runs than this make a mean no surer: an instruction is of one piece.
_GRAMS_MOST = 60
# The least share of letters in the file's script; and the least share for the script to count as the file's.
_SHARE, _OWN = 0.1, 0.15
# The share of least likely rows that is left out when the profile is learned, twice.
_UNLIKE = 0.2
# How many noise widths below the middle an instruction must lie to look foreign.
_FOREIGN = 6.0


def own_scripts(scripts: Ints) -> Flags:
    """The scripts that the file is written in: each holds a fair part of the letters of its rows."""
    total = scripts.sum(1)
    judged = total >= _LETTERS
    if not judged.any():
        return np.ones(scripts.shape[1], bool)
    share = scripts[judged] / total[judged, None]
    leading = np.bincount(share.argmax(1), minlength=scripts.shape[1])
    return np.asarray((leading == leading.max()) | (share.mean(0) >= _OWN))


def foreign_script(scripts: Ints, own: Flags, pivot: Flags) -> Flags:
    """Rows whose instruction has hardly a letter of the file's `own` scripts, or more letters of others.

    The letters of the `pivot` file's scripts are no sign: names and quotations are left in them.
    """
    total, owned = scripts.sum(1), scripts[:, own].sum(1)
    strange = scripts[:, ~own & ~pivot].sum(1)
    return np.asarray((total >= _LETTERS) & ((owned < _SHARE * total) | (strange > owned)))


@dataclass(frozen=True)
class Profiles:
    """Log-frequencies of runs of three letters in the pivot's file and in the other, and how rows spread.

    A row is judged without the runs that it shares with its other side: names, links and quotations stay as
    they are in every language.
    """

    logs: tuple[Floats, Floats]
    middles: tuple[float, float]
    widths: tuple[float, float]

    @classmethod
    def learn(cls, pivot: Bag, other: Bag) -> Profiles:
        """From the instructions of a sample of both files."""
        bags = _apart(pivot, other), _apart(other, pivot)
        logs = [_log_frequencies(_typical(bag)) for bag in bags]
        spreads = [_spread(bag, log) for bag, log in zip(bags, logs, strict=True)]
        return cls((logs[0], logs[1]), (spreads[0][0], spreads[1][0]), (spreads[0][1], spreads[1][1]))

    def foreign(self, pivot: Bag, other: Bag) -> tuple[Flags, Flags]:
        """Rows of the pivot, and rows of the other, that look unlike their file's language."""
        found = []
        for side, bag in enumerate((_apart(pivot, other), _apart(other, pivot))):
            count = np.diff(bag.starts)
            own = _mean(bag, self.logs[side])
            lean = own - _mean(bag, self.logs[1 - side])
            width = self.widths[side] / np.sqrt(np.clip(count, 1, _GRAMS_MOST))
            strange = (self.middles[side] - own) / width > _FOREIGN
            found.append((count >= _GRAMS) & ((lean < 0) | strange))
        return found[0], found[1]


def _apart(bag: Bag, against: Bag) -> Bag:
    """The rows without the runs that stand in the same row of `against`."""
    rows = bag.rows()
    kept = ~among((rows << 16) | bag.buckets, np.sort((against.rows() << 16) | against.buckets))
    starts = np.concatenate(([0], np.cumsum(kept)))[bag.starts]
    return Bag(bag.buckets[kept], starts)


def _typical(bag: Bag) -> Bag:
    """The likelier part of the rows, so that rows of other languages leave no trace in the profile."""
    bag = bag.take(np.flatnonzero(np.diff(bag.starts) >= _GRAMS))
    for _ in range(2 if bag.count else 0):
        means = _mean(bag, _log_frequencies(bag))
        bag = bag.take(np.flatnonzero(means >= np.quantile(means, _UNLIKE)))
    return bag


def _log_frequencies(bag: Bag) -> Floats:
    counts = np.bincount(bag.buckets, minlength=BUCKETS) + 0.5
    return np.asarray(np.log(counts / counts.sum()))


def _mean(bag: Bag, values: Floats) -> Floats:
    total = np.concatenate(([0.0], np.cumsum(values[bag.buckets])))
    return np.asarray((total[bag.starts[1:]] - total[bag.starts[:-1]]) / np.maximum(np.diff(bag.starts), 1))


def _spread(bag: Bag, log: Floats) -> tuple[float, float]:
    """The middle of the rows' means, and the noise that a single run of letters brings to it."""
    count = np.diff(bag.starts)
    judged = count >= _GRAMS
    if not judged.any():
        return 0.0, 1.0
    means = _mean(bag, log)[judged]
    middle = float(np.median(means))
    away = np.abs(means - middle) * np.sqrt(np.minimum(count[judged], _GRAMS_MOST))
    return middle, max(1.4826 * float(np.median(away)), 1e-3)
