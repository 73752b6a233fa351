"""Texts that begin alike as branches of one document: what they share is computed once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crossin.models.joining import shared_length
from crossin.training.packing import Document

# A document's attention grows with the square of its tokens: fewer shared tokens than this are not worth a
# larger document, nor is any document worth more than this many tokens.
_LEAST, _MOST = 4, 256
Tokens = Sequence[int]


def branched(texts: Sequence[Tokens]) -> tuple[list[Document], list[list[int]]]:
    """Documents whose branches are the texts, and of each text the places of its tokens among the tokens of
    all documents.
    """
    order = sorted(range(len(texts)), key=lambda number: tuple(texts[number]))
    documents: list[Document] = []
    paths: list[list[int]] = [[]] * len(texts)
    start = 0
    for group in _groups([texts[number] for number in order]):
        tokens: list[int] = []
        positions: list[int] = []
        found: list[list[int]] = []
        last: Tokens = ()
        # In sorted order, no text shares more with an earlier one than with the one before it.
        for text in group:
            shared = shared_length(last, text)
            new = range(len(tokens), len(tokens) + len(text) - shared)
            found.append([*(found[-1][:shared] if found else ()), *new])
            tokens += text[shared:]
            positions += range(shared, len(text))
            last = text
        straight = positions == list(range(len(tokens)))
        documents.append(Document(tokens) if straight else Document(tokens, positions, _visible(found)))
        for path in found:
            paths[order.pop(0)] = [start + place for place in path]
        start += len(tokens)
    return documents, paths


def _groups(texts: Sequence[Tokens]) -> list[list[Tokens]]:
    """The sorted texts of each document."""
    groups: list[list[Tokens]] = []
    size = 0
    for text in texts:
        shared = shared_length(groups[-1][-1], text) if groups else 0
        if shared >= _LEAST and size + len(text) - shared <= _MOST:
            groups[-1].append(text)
            size += len(text) - shared
        else:
            groups.append([text])
            size = len(text)
    return groups


def _visible(paths: Sequence[list[int]]) -> np.ndarray:
    """What each token sees: itself and those before it in its branches."""
    size = paths[-1][-1] + 1
    visible = np.zeros((size, size), dtype=bool)
    for path in paths:
        visible[np.ix_(path, path)] = np.tri(len(path), dtype=bool)
    return visible
