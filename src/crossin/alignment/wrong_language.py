"""Which rows of a file are not in the file's language, or left untranslated, by the instruction.

Outputs may be in any language (code, "translate into French"), instructions may not. A row is compared with
the other rows of its file: first by script, then by the frequencies of letter trigrams. So no language has to
be known; `crossin.languages.detection` says whether a text is in a named language.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from crossin.alignment.characters import Flags, Floats, Ints, Ragged, among
from crossin.alignment.content import BUCKETS
from crossin.alignment.measures import Columns, Measures
from crossin.core.formats import FIELDS

# Fewer letters may be a name, a formula or a unit, which stay as they are.
_FORMULA = 8
# An instruction with fewer letters (or trigrams) passes.
_LETTERS, _GRAMS = 4, 8
# More trigrams than this make a mean no surer: they are not independent.
_GRAMS_MOST = 60
# The least share of letters in the file's scripts, and the least mean share of one of the file's scripts.
_SHARE, _OWN = 0.1, 0.15
# The share of least likely rows that is left out of the profile, twice.
_UNLIKE = 0.2
# So many noise widths below the median, an instruction is foreign.
_FOREIGN = 6.0


def own_scripts(scripts: Ints) -> Flags:
    """The scripts that a file is written in, flags by script, from letters (n, scripts)."""
    total = scripts.sum(1)
    judged = total >= _LETTERS
    if not judged.any():
        return np.ones(scripts.shape[1], bool)
    share = scripts[judged] / total[judged, None]
    leading = np.bincount(share.argmax(1), minlength=scripts.shape[1])
    return np.asarray((leading == leading.max()) | (share.mean(0) >= _OWN))


def foreign_script(scripts: Ints, own: Flags, pivot: Flags) -> Flags:
    """Rows whose instruction has hardly a letter of the file's `own` scripts, or more letters of others.

    Letters of the `pivot` file's scripts are no sign: names and quotations are in them.
    """
    total, owned = scripts.sum(1), scripts[:, own].sum(1)
    strange = scripts[:, ~own & ~pivot].sum(1)
    return np.asarray((total >= _LETTERS) & ((owned < _SHARE * total) | (strange > owned)))


def copied(pivot: Columns, other: Columns, measures: Measures) -> Flags:
    """Rows whose instruction is the pivot's, and so is the output or the input.

    Equal outputs alone are no sign (code, names, numbers, "translate into English"), but an instruction that
    is more than a formula is always translated. `measures` are the pivot's.
    """
    plain = [
        {name: pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(side[name], ""))) for name in FIELDS}
        for side in (pivot, other)
    ]
    same = {name: pc.equal(plain[0][name], plain[1][name]).to_numpy(zero_copy_only=False) for name in FIELDS}
    rest = same["output"] | (same["input"] & (measures.sizes[:, 1] > 0))
    return np.asarray(same["instruction"] & rest & (measures.letters[:, 0] >= _FORMULA))


@dataclass(frozen=True)
class Profiles:
    """Log-frequencies of trigrams in the pivot's file and in the other, and the median and noise of rows.

    Trigrams that a row shares with its other side do not count: names, links and quotations are the same in
    every language.
    """

    logs: tuple[Floats, Floats]
    spreads: tuple[tuple[float, float], tuple[float, float]]

    @classmethod
    def fit(cls, pivot: Ragged, other: Ragged) -> Profiles:
        """Fit to the instructions of a sample of both files."""
        bags = _apart(pivot, other), _apart(other, pivot)
        one, two = (_log_frequencies(_typical(bag)) for bag in bags)
        return cls((one, two), (_spread(bags[0], one), _spread(bags[1], two)))

    def foreign(self, pivot: Ragged, other: Ragged) -> tuple[Flags, Flags]:
        """Rows of the pivot, and rows of the other, that are unlike their file."""
        found = []
        for side, bag in enumerate((_apart(pivot, other), _apart(other, pivot))):
            own, against = _mean(bag, self.logs[side]), _mean(bag, self.logs[1 - side])
            middle, noise = self.spreads[side]
            width = noise / np.sqrt(np.clip(bag.lengths, 1, _GRAMS_MOST))
            strange = (own - against < 0) | ((middle - own) / width > _FOREIGN)
            found.append((bag.lengths >= _GRAMS) & strange)
        return found[0], found[1]


def _apart(bag: Ragged, against: Ragged) -> Ragged:
    """The rows without the trigrams of the same row of `against`."""
    rows = bag.rows()
    kept = ~among((rows << 16) | bag.values, np.sort((against.rows() << 16) | against.values))
    starts = np.concatenate(([0], np.cumsum(kept)))[bag.starts]
    return Ragged(bag.values[kept], starts)


def _typical(bag: Ragged) -> Ragged:
    """The likelier part of the rows, so that rows in other languages do not enter the profile."""
    bag = bag.take(np.flatnonzero(bag.lengths >= _GRAMS))
    for _ in range(2 if bag.count else 0):
        means = _mean(bag, _log_frequencies(bag))
        bag = bag.take(np.flatnonzero(means >= np.quantile(means, _UNLIKE)))
    return bag


def _log_frequencies(bag: Ragged) -> Floats:
    counts = np.bincount(bag.values, minlength=BUCKETS) + 0.5
    return np.asarray(np.log(counts / counts.sum()))


def _mean(bag: Ragged, values: Floats) -> Floats:
    return bag.sums(values[bag.values]) / np.maximum(bag.lengths, 1)


def _spread(bag: Ragged, log: Floats) -> tuple[float, float]:
    """The median of the rows' means, and the noise of a single trigram."""
    count = bag.lengths
    judged = count >= _GRAMS
    if not judged.any():
        return 0.0, 1.0
    means = _mean(bag, log)[judged]
    middle = float(np.median(means))
    away = np.abs(means - middle) * np.sqrt(np.minimum(count[judged], _GRAMS_MOST))
    return middle, max(1.4826 * float(np.median(away)), 1e-3)
