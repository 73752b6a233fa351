"""Rows that were not translated: the text is the pivot's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossin.alignment.characters import Flags
from crossin.alignment.measures import Columns, Measures
from crossin.core.formats import FIELDS

# Fewer letters may be a name, a formula or a unit, which stay as they are.
_LETTERS = 8


def copied(pivot: Columns, other: Columns, measures: Measures) -> Flags:
    """Rows whose instruction is the pivot's, and so is the output or the input.

    Equal outputs alone are no sign (code, names, numbers, "translate into English"), but an instruction that
    is more than a formula is always translated. `measures` are the pivot's.
    """
    same = {field: _equal(pivot[field], other[field]) for field in FIELDS}
    rest = same["output"] | (same["input"] & (measures.sizes[:, 1] > 0))
    return same["instruction"] & rest & (measures.letters[:, 0] >= _LETTERS)


def _equal(one: pa.LargeStringArray, two: pa.LargeStringArray) -> Flags:
    found = pc.equal(_plain(one), _plain(two)).to_numpy(zero_copy_only=False)
    return np.asarray(found, bool)


def _plain(column: pa.LargeStringArray) -> pa.LargeStringArray:
    return pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(column, "")))
