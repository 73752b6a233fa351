"""A row's texts cut into what is asked of an engine, and put together again from its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from crossin.languages.codes import script_of
from crossin.translation.engine import Answer, Ask
from crossin.translation.pieces import Piece, pieces
from crossin.translation.protect import Protected, protect, restore

By = Literal["text", "paragraph", "sentence", "span"]


@dataclass(frozen=True)
class CutRow:
    """Texts by field, protected and cut into pieces, and what is asked about them.

    `places` says for each ask which pieces (field, number) its texts are.
    """

    protected: Mapping[str, Protected]
    pieces: Mapping[str, list[Piece]]
    asks: tuple[Ask, ...]
    places: tuple[tuple[tuple[str, int], ...], ...]


def cut(
    texts: Mapping[str, str],
    source: str,
    target: str,
    by: By,
    attempt: int,
    glossary: Mapping[str, str],
) -> CutRow:
    """What to ask for a row's `texts`, by field: all at once where they are not cut, else piece by piece."""
    protected: dict[str, Protected] = {}
    first = 1
    for field, text in texts.items():
        protected[field] = protect(text, glossary, first)
        # Fields are asked together: no two placeholders of a row are alike.
        first += len(protected[field].kept)
    parts = {field: pieces(one.text, by) for field, one in protected.items()}
    wanted = [
        (field, number)
        for field, found in parts.items()
        for number, piece in enumerate(found)
        if piece.translated
    ]
    together = [tuple(wanted)] if wanted else []
    places = together if by == "text" else [(place,) for place in wanted]
    asks = tuple(
        Ask(
            source,
            target,
            tuple(field for field, _ in group) if by == "text" else ("text",),
            tuple(parts[field][number].text for field, number in group),
            attempt,
        )
        for group in places
    )
    return CutRow(protected, parts, asks, tuple(places))


def put_together(row: CutRow, answers: Sequence[Answer]) -> tuple[dict[str, str] | None, str]:
    """The translated texts by field from the answers to `row.asks`, or None and what stood in the way."""
    found: dict[tuple[str, int], str] = {}
    for places, answer in zip(row.places, answers, strict=True):
        if answer.texts is None:
            return None, answer.trouble
        for place, text in zip(places, answer.texts, strict=True):
            # The blanks around a piece are the source's, and stand beside it.
            found[place] = text.strip()
    # Chinese and Japanese put no blank between sentences.
    unspaced = bool(row.asks) and script_of(row.asks[0].target) in ("Hans", "Hant", "Jpan")
    texts: dict[str, str] = {}
    for field, parts in row.pieces.items():
        joined = "".join(
            "" if unspaced and _between(parts, number) else found.get((field, number), piece.text)
            for number, piece in enumerate(parts)
        )
        whole, reason = restore(joined, row.protected[field])
        if whole is None:
            return None, f"{field}: {reason}"
        texts[field] = whole
    return texts, ""


def _between(parts: Sequence[Piece], number: int) -> bool:
    """Whether a piece is the blank between two sentences of a line."""
    around = parts[max(number - 1, 0)], parts[min(number + 1, len(parts) - 1)]
    return parts[number].text == " " and all(piece.translated for piece in around)
