"""Cutting a text into pieces that can be translated alone, and nothing lost between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_PLACEHOLDER = re.compile(r"⟦\d+⟧")
# What stands before a line's own words: indentation, marks of quotation, list, heading, and their numbers.
_LEAD = re.compile(r"[ \t]*(?:(?:>|#{1,6}|[-*•+–]|\(?\d{1,3}[.)、]|\(?[A-Za-z][.)])[ \t]+)*")
# A full stop ends a sentence before a blank and what is no small letter; those of other scripts always do.
_END = re.compile(r"(?:[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[”’」』）]*|[।؟]+)\s*")
_SHORT = re.compile(
    r"(?:\b(?:[A-Za-z]|Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|approx|No|Fig|Inc|Ltd|Co|Vol|Ed|pp|al)"
    r"|\b(?:[A-Za-z]\.)+[A-Za-z])\.$"
)


@dataclass(frozen=True)
class Piece:
    """A part of a text; one that is not `translated` is put back as it is."""

    text: str
    translated: bool


def pieces(text: str, by: Literal["text", "paragraph", "sentence", "span"]) -> list[Piece]:
    """The parts of a protected text, which joined give the text again.

    `text`: the whole, but for the blanks around it. `paragraph`: line by line, without indentation and list
    marks. `sentence`: sentence by sentence. `span`: what stands between the placeholders of a sentence.
    What holds no letter outside its placeholders is not translated.
    """
    if by == "text":
        return _bare(text)
    found: list[Piece] = []
    for line in re.split(r"(\n+)", text):
        lead = _LEAD.match(line)
        end = lead.end() if lead else 0
        found.append(Piece(line[:end], False))
        parts = [line[end:]] if by == "paragraph" else _sentences(line[end:])
        if by == "span":
            parts = [span for part in parts for span in re.split(r"(⟦\d+⟧)", part)]
        for part in parts:
            found += _bare(part)
    return [piece for piece in found if piece.text]


def _bare(text: str) -> list[Piece]:
    """A text and the blanks around it."""
    core = text.strip()
    if not any(letter.isalpha() for letter in _PLACEHOLDER.sub("", core)):
        return [Piece(text, False)]
    start = text.index(core)
    whole = [Piece(text[:start], False), Piece(core, True), Piece(text[start + len(core) :], False)]
    return [piece for piece in whole if piece.text]


def _sentences(line: str) -> list[str]:
    parts, start = [], 0
    for end in _END.finditer(line):
        before = line[start : end.start() + 1]
        after = line[end.end() : end.end() + 1]
        if line[end.start()] == "." and (_SHORT.search(before) or after.islower()):
            continue
        parts.append(line[start : end.end()])
        start = end.end()
    return [*parts, line[start:]]
