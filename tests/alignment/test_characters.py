from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.alignment.characters import among, pieces, read_text, tables, words
from tests.helpers.errors import refused


def column(*texts: str | None) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def words_of(*texts: str) -> list[list[int]]:
    rows, hashes = words(read_text(column(*texts)))
    return [sorted(hashes[rows == row].tolist()) for row in range(len(texts))]


def test_lengths_are_characters_not_bytes() -> None:
    assert read_text(column("né", "", None, "學習🙂")).lengths.tolist() == [2, 0, 0, 3]


def test_a_head_is_the_beginning_of_each_text() -> None:
    head = read_text(column("abcdef", "", "gh", "ijkl")).head(3)
    assert "".join(map(chr, head.values)) == "abcghijk"
    assert head.starts.tolist() == [0, 3, 3, 5, 8]


@pytest.mark.parametrize("number", ["2024", "٢٠٢٤", "२०२४", "๒๐๒๔", "２０２４"])
def test_digits_of_every_script_are_digits(number: str) -> None:
    assert tables().digit[[ord(character) for character in number]].tolist() == [2, 0, 2, 4]


def test_words_are_the_same_wherever_they_stand_and_however_they_are_written() -> None:
    one, two, three = words_of("Paris, the city", "the CITY paris", "The cities")
    assert one == two
    assert len(one) == 3
    assert len(set(one) & set(three)) == 1


def test_words_do_not_run_over_the_end_of_a_text() -> None:
    apart, joined = words_of("ab", "c")[0] + words_of("c", "ab")[0], words_of("abc")[0]
    assert not set(apart) & set(joined)
    rows, _ = words(read_text(column("学", "习")))
    assert rows.tolist() == [0, 1]


def test_scripts_without_spaces_are_read_by_characters_and_pairs() -> None:
    assert [len(found) for found in words_of("学习语言", "ไทย", "dạy học")] == [7, 5, 2]


def test_pieces_cover_all_rows_and_none_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossin.alignment.characters._PIECE_BYTES", 10)
    texts = column("abcd", "efgh", "a text of more than ten bytes", "", "x", "y")
    spans = [(span.start, span.stop) for span in pieces([texts], 6)]
    assert spans == [(0, 2), (2, 3), (3, 6)]


def test_bytes_that_are_not_text_are_named_by_their_row() -> None:
    raw = pa.array([b"fine", b"caf\xe9"], pa.large_binary())
    broken = pa.Array.from_buffers(pa.large_string(), 2, raw.buffers())
    with refused("UTF-8", row=2):
        read_text(broken)


@given(st.lists(st.integers(0, 50)), st.lists(st.integers(0, 50)))
def test_among_is_membership(values: list[int], known: list[int]) -> None:
    found = among(np.array(values, np.int64), np.array(sorted(known), np.int64))
    assert found.tolist() == [value in known for value in values]
