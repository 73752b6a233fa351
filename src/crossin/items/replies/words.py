"""Patterns of the words in `words.yaml`: by them replies say that an answer or option follows."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Literal

from crossin.core.files import read_yaml
from crossin.items.replies.texts import script

# Scripts with spaces between words; others put words together, or prefixes onto them.
_SPACED = {"LATIN", "CYRILLIC", "GREEK"}
_LETTER = r"[^\W\d_]"


@cache
def _words() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = read_yaml(Path(__file__).with_name("words.yaml"))
    return found


def any_of(kind: Literal["answer", "option", "not", "correct", "is", "and_or", "question"]) -> str:
    """A pattern that matches any word of a kind, in NFKC text, the longest first."""
    words = {unicodedata.normalize("NFKC", word) for found in _words()[kind].values() for word in found}
    patterns = [
        f"(?<!{_LETTER}){re.escape(word)}(?!{_LETTER})" if script(word[0]) in _SPACED else re.escape(word)
        for word in sorted(words, key=lambda word: (-len(word), word))
    ]
    return f"(?:{'|'.join(patterns)})"
