"""A row's texts split into requests, with nothing lost between them, and joined again from the responses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Literal

from crossin.languages.codes import script_of
from crossin.translation.protection import PLACEHOLDER, Protected, protect, restore
from crossin.translation.reasons import Rejection
from crossin.translation.requests import TranslationRequest, TranslationResponse
from crossin.translation.turns import is_conversation

SplitBy = Literal["text", "field", "paragraph", "sentence", "span"]
# A field, and the number of its piece.
Place = tuple[str, int]
# Characters of a conversation that one request holds.
_LONG = 8000
# What precedes a line's own words: indentation, marks of quotation, list and heading, and their numbers.
_LEAD = re.compile(r"[ \t]*(?:(?:>|#{1,6}|[-*•+–]|\(?\d{1,3}[.)、]|\(?[A-Za-z][.)])[ \t]+)*")
# A full stop ends a sentence before a blank and anything but a small letter; other scripts' stops always do.
_END = re.compile(r"(?:[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[”’」』）]*|[।؟]+)\s*")
_SHORT = re.compile(
    r"(?:\b(?:[A-Za-z]|Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|approx|No|Fig|Inc|Ltd|Co|Vol|Ed|pp|al)"
    r"|\b(?:[A-Za-z]\.)+[A-Za-z])\.$"
)


@dataclass(frozen=True)
class Piece:
    """A part of a text; one that is not `translated` is put back unchanged."""

    text: str
    translated: bool


@dataclass(frozen=True)
class SplitRow:
    """Texts by field, protected and split into pieces, and the requests for them.

    places: for each request, which pieces (field, number) its texts are.
    """

    protected: Mapping[str, Protected]
    pieces: Mapping[str, list[Piece]]
    requests: tuple[TranslationRequest, ...]
    places: tuple[tuple[Place, ...], ...]


def split_row(
    texts: Mapping[str, str],
    source: str,
    target: str,
    by: SplitBy,
    attempt: int = 0,
    glossary: Mapping[str, str] = {},
) -> SplitRow:
    """The requests for a row's `texts`, by field: for all whole texts one (`text`), or for each piece. For
    each exchange of a long conversation one, with what was said before as its context.
    """
    protected: dict[str, Protected] = {}
    first = 1
    for field, text in texts.items():
        protected[field] = protect(text, glossary, first)
        # Fields are translated together: no two placeholders of a row are alike.
        first += len(protected[field].kept)
    parts = {field: split_text(one.text, by) for field, one in protected.items()}
    wanted = [
        (field, number)
        for field, found in parts.items()
        for number, piece in enumerate(found)
        if piece.translated
    ]
    places = _together(texts, wanted) if by == "text" else [(place,) for place in wanted]
    requests = tuple(
        TranslationRequest(
            source,
            target,
            tuple(field for field, _ in group) if by == "text" else ("text",),
            tuple(parts[field][number].text for field, number in group),
            attempt,
            _context(texts, group[0][0]) if by == "text" and len(places) > 1 else (),
        )
        for group in places
    )
    return SplitRow(protected, parts, requests, tuple(places))


def _together(texts: Mapping[str, str], wanted: Sequence[Place]) -> list[tuple[Place, ...]]:
    """The texts that one request holds."""
    if not is_conversation(texts) or sum(map(len, texts.values())) <= _LONG:
        return [tuple(wanted)] if wanted else []
    # The system text goes with the first exchange.
    by_exchange = groupby(wanted, lambda place: place[0].partition(" ")[2] or "1")
    return [tuple(group) for _, group in by_exchange]


def _context(texts: Mapping[str, str], name: str) -> tuple[tuple[str, str], ...]:
    """The turns before one of this name, the last of them, as far as they are not long."""
    before = list(texts.items())[: list(texts).index(name)]
    sizes = accumulate(len(text) for _, text in reversed(before))
    return tuple(before[len(before) - sum(size <= _LONG // 2 for size in sizes) :])


def join_row(row: SplitRow, responses: Sequence[TranslationResponse]) -> dict[str, str] | Rejection:
    """The translated texts by field from the responses to `row.requests`, or why there are none."""
    found: dict[tuple[str, int], str] = {}
    for places, response in zip(row.places, responses, strict=True):
        if response.texts is None:
            return Rejection(response.reason, "", response.detail)
        for place, text in zip(places, response.texts, strict=True):
            # The blanks around a piece are the source's, in pieces of their own.
            found[place] = text.strip()
    # Chinese and Japanese put no blank between sentences.
    unspaced = bool(row.requests) and script_of(row.requests[0].target) in ("Hans", "Hant", "Jpan")
    texts: dict[str, str] = {}
    for field, parts in row.pieces.items():
        joined = "".join(
            "" if unspaced and _between(parts, number) else found.get((field, number), piece.text)
            for number, piece in enumerate(parts)
        )
        whole = restore(joined, row.protected[field])
        if isinstance(whole, Rejection):
            return Rejection(whole.reason, field, whole.detail)
        texts[field] = whole
    return texts


def split_text(text: str, by: SplitBy) -> list[Piece]:
    """The parts of a protected text; joined they give the text again.

    `text`, `field`: the whole, but for the blanks around it. `paragraph`: line by line, without indentation
    and list marks. `sentence`: sentence by sentence. `span`: what is between the placeholders of a sentence.
    A part without a letter outside its placeholders is not translated.
    """
    if by in ("text", "field"):
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
    if not any(letter.isalpha() for letter in PLACEHOLDER.sub("", core)):
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


def _between(parts: Sequence[Piece], number: int) -> bool:
    """Whether a piece is the blank between two sentences of a line."""
    around = parts[max(number - 1, 0)], parts[min(number + 1, len(parts) - 1)]
    return parts[number].text == " " and all(piece.translated for piece in around)
