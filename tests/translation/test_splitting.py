"""Texts are split so that nothing is lost between the pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from crossin.translation.splitting import SplitBy, split_text

WAYS: tuple[SplitBy, ...] = ("text", "paragraph", "sentence", "span")


def translated(text: str, by: SplitBy) -> list[str]:
    return [piece.text for piece in split_text(text, by) if piece.translated]


@given(some.text(alphabet=some.sampled_from("aB 1.?!。\n\t-*⟦⟧中،؟")), some.sampled_from(WAYS))
def test_the_pieces_joined_are_the_text(text: str, by: SplitBy) -> None:
    assert "".join(piece.text for piece in split_text(text, by)) == text


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It rains. It pours! Does it? Yes…", ["It rains.", "It pours!", "Does it?", "Yes…"]),
        ("Dr. Smith met Mr. Jones, e.g. at 3.14 p.m. in the U.S. They left.", None),
        ("下雨了。你好吗？很好！", ["下雨了。", "你好吗？", "很好！"]),
        ("बारिश हो रही है। ठीक है।", ["बारिश हो रही है।", "ठीक है।"]),
        ("هل تمطر؟ نعم.", ["هل تمطر؟", "نعم."]),
        ("He said “Stop.” Then he left.", ["He said “Stop.”", "Then he left."]),
    ],
)
def test_sentences_end_where_they_end(text: str, sentences: list[str] | None) -> None:
    found = translated(text, "sentence")
    if sentences is None:
        assert found[0].startswith("Dr. Smith met Mr. Jones, e.g. at 3.14 p.m.")
    else:
        assert found == sentences


def test_marks_of_lists_and_indentation_are_not_translated() -> None:
    assert translated("# Title\n- One thing\n  * Two\n3) Three\n> Four\na. Five", "paragraph") == [
        "Title",
        "One thing",
        "Two",
        "Three",
        "Four",
        "Five",
    ]


def test_spans_end_at_placeholders() -> None:
    assert translated("Call ⟦1⟧ or ⟦2⟧ twice.", "span") == ["Call", "or", "twice."]


@pytest.mark.parametrize("by", WAYS)
def test_what_has_no_letters_is_not_translated(by: SplitBy) -> None:
    assert translated("  ⟦1⟧ 12 + 7\n\n⟦2⟧ ", by) == []


def test_a_text_is_one_piece_without_the_blanks_around_it() -> None:
    assert [piece.text for piece in split_text("\n One. Two.\n\n", "text")] == ["\n ", "One. Two.", "\n\n"]
