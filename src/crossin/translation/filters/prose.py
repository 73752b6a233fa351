"""What of a text is prose: its words, without what was protected, and its sentences."""

from __future__ import annotations

import re

from crossin.translation.protect import protect

_PLACEHOLDER = re.compile(r"⟦\d+⟧")
# A full stop ends a sentence before a blank or at the end; the marks of other scripts always do.
_END = re.compile(r"[.!?…][\"'”’)\]*]*(?=\s|$)|[。！？…]+[”’」』）]*|[।؟]+")
# What looks like an end and is none: an initial, an abbreviation, the number of a list's item.
_NO_END = re.compile(
    r"(?:\b[A-Za-z]|\b(?:[A-Za-z]\.)+[A-Za-z]|\b(?:Dr|Mr|Mrs|Ms|Prof|St|vs|etc|approx|No)|^\s*\d+)\.$"
)
# Scripts without a mark at the end of a sentence: counting says nothing.
UNMARKED = {"th", "lo", "km", "my"}


def prose_of(source: str, target: str) -> tuple[str, str]:
    """Both texts without what is protected in them: code and links stay as they are in every language."""
    return tuple(_PLACEHOLDER.sub(" ", protect(text).text) for text in (source, target))  # type: ignore[return-value]


def sentences(text: str) -> list[str]:
    """The sentences of a text, line by line; a line's rest without an end is one too."""
    found: list[str] = []
    for line in text.split("\n"):
        start = 0
        for end in _END.finditer(line):
            part = line[start : end.end()]
            if not _NO_END.search(part):
                found.append(part)
                start = end.end()
        found.append(line[start:])
    return [part.strip() for part in found if any(map(str.isalpha, part))]
