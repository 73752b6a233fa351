from __future__ import annotations

import pytest

from crossin.items.replies.cleaning import without_listing
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


@pytest.mark.parametrize(
    ("reply", "rest"),
    [
        ("(A) red fox\n(B) blue\nB", "\n\nB"),
        ("(A) red fox (B) blue. It is blue", "\n. It is blue"),
        # In another order, without labels, or with a word missing it is an answer.
        ("(B) blue (A) red fox", "(B) blue (A) red fox"),
        ("red fox, blue", "red fox, blue"),
        ("(A) red (B) blue", "(A) red (B) blue"),
    ],
)
def test_a_list_of_all_options_in_their_order_is_removed(reply: str, rest: str) -> None:
    assert without_listing(reply, ["red fox", "blue"], {"A": 0, "B": 1}) == rest


def test_a_reply_that_lacks_a_word_of_the_options_needs_no_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(*_: object, **__: object) -> str:
        raise AssertionError

    monkeypatch.setattr("crossin.items.replies.cleaning.re.sub", compiled)
    reply = "red, since a blue fox is nowhere"
    assert without_listing(reply, ["red fox", "blue"], {"A": 0, "B": 1}) == reply
