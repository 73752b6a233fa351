"""Loops: a model that says the same again and again, or the whole text twice."""

from __future__ import annotations

_RUN = 12
_LONGEST = 4000
# A loop: the longest phrase, how often it is said at least, and characters of all that.
_PHRASE, _TIMES, _LOOP = 120, 4, 24
# Twice the same: characters of a half, at least.
_HALF = 6


def repetition(text: str) -> float:
    """The share of a text's runs of 12 characters that stood in it before, 0..1; 0 for a short text."""
    text = " ".join(text[:_LONGEST].split())
    runs = len(text) - _RUN + 1
    if runs < _RUN:
        return 0.0
    return 1 - len({text[start : start + _RUN] for start in range(runs)}) / runs


def loops(text: str) -> bool:
    """Whether a text ends with a phrase that is said four times and more, or says all of itself twice."""
    text = " ".join(text.split())
    return _ends_in_a_loop(text) or _is_twice_the_same(text)


def _ends_in_a_loop(text: str) -> bool:
    for period in range(1, min(_PHRASE, len(text) // _TIMES) + 1):
        # What is periodic is equal to itself one period before; the last phrase may be cut off.
        length = max((_TIMES - 1) * period, _LOOP - period)
        if text[-length:] == text[-length - period : -period] and any(map(str.isalpha, text[-period:])):
            return True
    return False


def _is_twice_the_same(text: str) -> bool:
    half = (len(text) + 1) // 2
    first, second = text[:half].rstrip(), text[-half:].lstrip()
    return len(first) >= _HALF and first == second
