"""Loops: a model that says the same again and again, or the whole text twice."""

from __future__ import annotations

_RUN = 12
_LONGEST = 4000


def repetition(text: str) -> float:
    """The share of a text's runs of 12 characters that stood in it before, 0..1; 0 for a short text."""
    text = " ".join(text[:_LONGEST].split())
    runs = len(text) - _RUN + 1
    if runs < _RUN:
        return 0.0
    return 1 - len({text[start : start + _RUN] for start in range(runs)}) / runs
