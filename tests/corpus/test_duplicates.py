"""Which rows repeat an earlier one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from crossin.corpus import duplicates
from crossin.corpus.duplicates import exact_duplicates, near_duplicates

Rows = list[tuple[str | None, str | None, str | None]]

STORY = (
    "A farmer once had a goose that laid a golden egg every single morning, and he sold each egg at the "
    "market, until he grew so greedy that he could not wait any longer and opened the goose"
)
CHINESE = "从前有一个农夫，他有一只鹅，每天早上都会下一个金蛋，他把金蛋拿到市场上去卖，渐渐变得富有起来。"
THAI = "กาลครั้งหนึ่งนานมาแล้วมีชาวนาคนหนึ่งเลี้ยงห่านที่ออกไข่เป็นทองคำทุกเช้าเขานำไข่ไปขายที่ตลาด"


def columns(rows: Rows) -> list[pa.LargeStringArray]:
    return [pa.array(field, pa.large_string()) for field in zip(*rows, strict=True)]


def test_a_row_that_says_the_same_is_an_exact_duplicate_whatever_its_case_and_spaces() -> None:
    rows: Rows = [
        ("Name a city.", "", "Paris"),
        ("name  a\tCITY.", "", "Paris\n"),
        ("Name a city.", "", "Rome"),
        ("Ｎａｍｅ a city.", None, "Paris"),
        ("Name a city.", "", "Paris!"),
    ]
    assert exact_duplicates(columns(rows)).tolist() == [False, True, False, True, False]


def test_words_that_moved_to_another_field_are_no_exact_duplicate() -> None:
    rows: Rows = [("Name a", "city", "Paris"), ("Name", "a city", "Paris"), ("Name", "a", "city Paris")]
    assert not exact_duplicates(columns(rows)).any()


def test_only_the_first_of_a_group_stays() -> None:
    rows: Rows = [("Say hello.", "", "Hello")] * 4
    assert exact_duplicates(columns(rows)).tolist() == [False, True, True, True]
    assert near_duplicates(columns(rows)).tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        pytest.param(STORY, STORY.replace("golden", "silver"), id="English, by words"),
        pytest.param(STORY, STORY.upper() + "!!!", id="case and punctuation"),
        pytest.param(CHINESE, CHINESE.replace("富有", "有钱"), id="Chinese, by characters"),
        pytest.param(THAI, THAI.replace("ตลาด", "เมือง"), id="Thai, by characters"),
    ],
)
def test_a_text_with_a_word_changed_is_a_near_duplicate(text: str, changed: str) -> None:
    rows: Rows = [(text, "", text), ("Something else entirely.", "", "Yes"), (changed, "", changed)]
    assert near_duplicates(columns(rows), 0.6).tolist() == [False, False, True]
    assert not near_duplicates(columns([(text, "", "a"), (changed, "", changed[::-1])]), 0.6).any()


def test_the_threshold_is_the_share_of_common_shingles() -> None:
    # 10 and 12 words, all of the first in the second: 8 of 10 shingles of three words are common.
    first, second = "a b c d e f g h i j", "a b c d e f g h i j k l"
    rows: Rows = [(first, "", ""), (second, "", "")]
    assert near_duplicates(columns(rows), 0.8).tolist() == [False, True]
    assert near_duplicates(columns(rows), 0.81).tolist() == [False, False]
    # 14 and 15 characters: 10 of 11 shingles of five are common (of three, it would be 12 of 13).
    rows = [("甲乙丙丁戊己庚辛壬癸子丑寅卯", "", ""), ("甲乙丙丁戊己庚辛壬癸子丑寅卯辰", "", "")]
    assert near_duplicates(columns(rows), 0.9).tolist() == [False, True]
    assert near_duplicates(columns(rows), 0.92).tolist() == [False, False]


def test_rows_of_the_same_form_with_other_content_stay() -> None:
    cities = ("France", "Peru", "Chad", "Japan")
    rows: Rows = [(f"What is the capital of {city}?", "", f"That of {city}.") for city in cities]
    assert not near_duplicates(columns(rows)).any()


def test_a_row_that_falls_has_a_like_that_stays() -> None:
    # Each is near its neighbour, the last is not near the first: a chain is not cut down to its head.
    words = [f"w{number}" for number in range(40)]
    rows: Rows = [(" ".join(words[start : start + 30]), "", "") for start in range(0, 8, 2)]
    assert near_duplicates(columns(rows), 0.8).tolist() == [False, True, False, True]


def test_empty_texts_and_texts_of_punctuation_alone_are_compared_as_they_stand() -> None:
    rows: Rows = [("", "", ""), ("???", "", ""), ("!!!", "", ""), (None, None, None), ("???", "", "")]
    assert near_duplicates(columns(rows)).tolist() == [False, False, False, True, True]
    assert exact_duplicates(columns(rows)).tolist() == [False, False, False, True, True]


def test_no_rows_are_no_duplicates() -> None:
    none = [pa.array([], pa.large_string())] * 3
    assert exact_duplicates(none).shape == near_duplicates(none).shape == (0,)


def test_the_size_of_a_chunk_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: Rows = [(f"{STORY} {number // 3}", str(number % 5), "w " * number) for number in range(60)]
    whole = exact_duplicates(columns(rows)), near_duplicates(columns(rows))
    monkeypatch.setattr(duplicates, "_CHUNK", 7)
    chunked = exact_duplicates(columns(rows)), near_duplicates(columns(rows))
    assert 0 < whole[1].sum() < 60
    for one, other in zip(whole, chunked, strict=True):
        assert np.array_equal(one, other)
