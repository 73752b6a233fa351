"""Texts that begin alike are computed once, and each still sees only itself."""

from __future__ import annotations

import numpy as np

from crossin.training.objectives import branches
from crossin.training.objectives.branches import branched
from crossin.training.packing import Document

BEGINNING = [1, 2, 3, 4, 5]


def texts_in(documents: list[Document], paths: list[list[int]]) -> list[list[int]]:
    tokens = [token for document in documents for token in document.tokens]
    return [[tokens[place] for place in path] for path in paths]


def test_texts_with_a_common_beginning_share_its_tokens() -> None:
    texts = [[*BEGINNING, 7, 8], [9, 9], [*BEGINNING, 6], [*BEGINNING, 7]]
    documents, paths = branched(texts)
    assert texts_in(documents, paths) == texts
    # The beginning, 6, 7 and 8; and the text that begins otherwise.
    assert [len(document.tokens) for document in documents] == [8, 2]
    assert paths[0][:5] == paths[2][:5] == paths[3][:5]
    assert paths[3] == paths[0][:6]


def test_a_token_sees_those_before_it_in_its_text_alone() -> None:
    texts = [[*BEGINNING, 7, 8], [*BEGINNING, 6, 9], [*BEGINNING, 7, 5]]
    (document,), paths = branched(texts)
    assert document.positions is not None
    assert document.visible is not None
    for path in paths:
        assert [document.positions[place] for place in path] == list(range(len(path)))
        for number, place in enumerate(path):
            assert np.flatnonzero(document.visible[place]).tolist() == path[: number + 1]


def test_a_single_text_or_one_with_its_own_beginning_is_an_ordinary_document() -> None:
    for texts in ([[*BEGINNING, 6]], [[*BEGINNING, 6], BEGINNING]):
        documents, paths = branched(texts)
        assert documents == [Document([*BEGINNING, 6])]
        assert documents[0].visible is None
        assert texts_in(documents, paths) == texts


def test_few_shared_tokens_are_computed_again() -> None:
    short = BEGINNING[: branches._LEAST - 1]
    documents, _ = branched([[*short, 7], [*short, 8]])
    assert len(documents) == 2


def test_a_document_ends_before_its_attention_is_large() -> None:
    texts = [[*BEGINNING, *([number] * 60)] for number in range(20, 30)]
    documents, paths = branched(texts)
    assert texts_in(documents, paths) == texts
    assert max(len(document.tokens) for document in documents) <= branches._MOST
    # A longer text is one of its own.
    long = [list(range(branches._MOST + 50)), [*range(branches._MOST + 49), 5]]
    assert [len(one.tokens) for one in branched(long)[0]] == [branches._MOST + 50, branches._MOST + 50]


def test_there_may_be_no_text() -> None:
    assert branched([]) == ([], [])
