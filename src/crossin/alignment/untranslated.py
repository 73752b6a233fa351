"""Rows that were not translated at all: the text is the pivot's own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossin.alignment.characters import Flags
from crossin.alignment.measures import Columns, Measures
from crossin.core.formats import FIELDS

# Fewer letters may be a name, a formula or a unit, which stay as they are.
_LETTERS = 8


def copied(pivot: Columns, other: Columns, seen: Measures) -> Flags:
    """Rows whose instruction is the pivot's, and so is the output or the input.

    Equal outputs alone say nothing (code, names, numbers, "translate into English"); an instruction that is
    more than a formula is translated wherever the row is. `seen` are the pivot's measures.
    """
    same = {field: _equal(pivot[field], other[field]) for field in FIELDS}
    rest = same["output"] | (same["input"] & (seen.sizes[:, 1] > 0))
    return same["instruction"] & rest & (seen.letters[:, 0] >= _LETTERS)


def _equal(one: pa.LargeStringArray, two: pa.LargeStringArray) -> Flags:
    found = pc.equal(_plain(one), _plain(two)).to_numpy(zero_copy_only=False)
    return np.asarray(found, bool)


def _plain(column: pa.LargeStringArray) -> pa.LargeStringArray:
    return pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(column, "")))
