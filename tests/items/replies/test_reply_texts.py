from __future__ import annotations

import pytest

from crossin.items.replies.texts import is_distinctive, mentioned, plain


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("  The Red\tFOX. ", "the red fox"),
        ("Straße", "STRASSE"),
        ("ＡＢＣ", "abc"),
        ("「红色」。", "红色"),
        ("−42", "-42"),
        ("carbon-14", "carbon 14"),
    ],
)
def test_texts_that_read_the_same(text: str, same: str) -> None:
    assert plain(text) == plain(same)


@pytest.mark.parametrize(
    ("text", "other"),
    [("-42", "42"), ("1.5", "15"), ("x + y", "x y"), ("$5", "5"), ("5%", "5"), ("น้ำ", "นา"), ("की", "का")],
)
def test_texts_that_do_not(text: str, other: str) -> None:
    assert plain(text) != plain(other)


def test_mentions_are_whole_words_and_the_longest() -> None:
    options = ["green", "dark green", "reen"]
    assert mentioned("a dark green or green one", options) == [(2, 1), (16, 0)]
    assert mentioned("evergreen", options) == []
    # Where words are not apart, any place will do.
    assert mentioned("他说是深绿色的", ["绿色", "深绿色"]) == [(3, 1)]


def test_of_options_that_overlap_the_leftmost_is_mentioned() -> None:
    for options in (["是的", "不是"], ["不是", "是的"]):
        assert mentioned("不是的", options) == [(0, options.index("不是"))]


def test_options_that_read_the_same_are_not_mentioned() -> None:
    assert mentioned("red", ["red", "red", ""]) == []


def test_numbers_and_short_words_tell_nothing() -> None:
    assert [is_distinctive(option) for option in ("42", "no", "sí", "1 n", "green", "绿色", "빨강")] == [
        *[False] * 4,
        *[True] * 3,
    ]
