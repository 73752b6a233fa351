"""JSON that stands in a text."""

from __future__ import annotations

import json
import re

# A list of strings alone may as well be a list of words, which are translated.
_BEGIN = re.compile(r"\{\s*\"|\[\s*[\[{\d-]")
# In a text with more beginnings than this the others are left.
_MOST = 100
_DECODER = json.JSONDecoder()


def json_values(text: str) -> list[tuple[int, int]]:
    """Where JSON objects, and arrays of objects, arrays or numbers, begin and end, in order."""
    found: list[tuple[int, int]] = []
    place = 0
    for _ in range(_MOST):
        begin = _BEGIN.search(text, place)
        if begin is None:
            break
        try:
            _, end = _DECODER.raw_decode(text, begin.start())
            found.append((begin.start(), end))
            place = end
        except (ValueError, RecursionError):
            place = begin.end()
    return found
