"""Suggestions: which of the known names a misspelt one may mean, and none where nothing is near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

# The similarity (difflib's ratio) from which on a name is suggested: a letter or two of a word.
_NEAR = 0.7
# The fewest characters that are taken for the beginning of a name.
_BEGINNING = 3


def nearest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """At most `most` of the `known` names that are near to `name`, the nearest first: those with nearly the
    same letters, in any case and with `_` or `-` between words, and those that begin with it.
    """
    plain = _plain(name)
    by_spelling: dict[str, str] = {}
    for one in known:
        by_spelling.setdefault(_plain(one), one)
    near = difflib.get_close_matches(plain, by_spelling, n=most, cutoff=_NEAR)
    if len(plain) >= _BEGINNING:
        near += [one for one in by_spelling if one.startswith(plain) and one not in near]
    return [by_spelling[one] for one in near[:most]]


def hint_at(name: str, known: Sequence[str], form: str = "{}") -> str:
    """A hint at the known name that was meant, or at all of them; `form` is how one is written."""
    if near := nearest(name, known):
        return f"did you mean '{form.format(near[0])}'?"
    return f"use one of: {', '.join(known)}"


def _plain(name: str) -> str:
    return name.casefold().replace("-", "_")
