from __future__ import annotations

import pytest

from crossin.alignment.digits import GAINED, LOST, DigitRule
from crossin.alignment.measures import Measures, measure
from tests.helpers.alignment_rows import columns

DIGITS = (2, 3, 4, 5, 6, 7, 8, 12)
WORDS = ("zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "zwölf")


def measured(*outputs: str) -> Measures:
    return measure(columns([{"instruction": "", "input": "", "output": output} for output in outputs]))


def lost(pivot: str, other: str) -> bool:
    return bool(DigitRule(LOST).lacking(measured(pivot), measured(other))[0])


@pytest.mark.parametrize(
    ("pivot", "other"),
    [
        ("1,000 km", "1.000 km"),
        ("1,000 km", "1 000 km"),
        ("in 1984", "عام ١٩٨٤"),
        ("in 1984", "सन् १९८४"),
        ("in 1984", "１９８４年"),
        ("900,000 people", "90万人"),
        ("a 5-star hotel", "五星级酒店"),
        ("no number", "没有数字"),
    ],
)
def test_numbers_written_in_another_way_are_not_lost(pivot: str, other: str) -> None:
    assert not lost(pivot, other)


@pytest.mark.parametrize(
    ("pivot", "other"),
    [("in 1984", "im Jahr"), ("in 1984", "1985年"), ("2 and 2", "2 und"), ("a 5-star hotel", "酒店")],
)
def test_a_number_that_is_missing_is_lost(pivot: str, other: str) -> None:
    assert lost(pivot, other)


def test_the_order_of_numbers_is_free() -> None:
    assert not lost("12 of 345", "345 von 12")


def spelling_corpus() -> tuple[list[str], list[str]]:
    """A thousand rows, of which every tenth spells its digit out in German."""
    pivot, other = [], []
    for row in range(1000):
        which = row // 10 % 8
        digit = DIGITS[which]
        pivot.append(f"give {digit} things")
        other.append(f"gib {WORDS[which] if row % 10 == 0 else digit} Dinge")
    return pivot, other


def test_words_for_numbers_are_learned_from_the_pair() -> None:
    pivot, other = spelling_corpus()
    rule = DigitRule.fit(measured(*pivot), measured(*other), LOST)
    assert not rule.lacking(measured("give 5 things"), measured("gib fünf Dinge"))[0]
    assert not rule.lacking(measured("give 12 things"), measured("gib zwölf Dinge"))[0]
    assert rule.lacking(measured("give 5 things"), measured("gib sechs Dinge"))[0]
    assert rule.lacking(measured("give 5 things"), measured("gib Dinge"))[0]


def test_dropped_digits_teach_no_word() -> None:
    pivot, other = spelling_corpus()
    for row in range(1, 1000, 20):
        other[row] = "gib Dinge"
    rule = DigitRule.fit(measured(*pivot), measured(*other), LOST)
    assert rule.lacking(measured("give 5 things"), measured("gib Dinge"))[0]


def test_a_numeral_that_answers_a_word_does_not_stand_for_a_digit_too() -> None:
    pivot = ["name three colours"] * 20 + ["name many colours"] * 80
    other = ["说出三种颜色"] * 20 + ["说出多种颜色"] * 80
    rule = DigitRule.fit(measured(*pivot), measured(*other), LOST)
    assert rule.lacking(measured("name three colours: 3"), measured("说出三种颜色："))[0]
    assert not rule.lacking(measured("name many colours: 3"), measured("说出三种颜色"))[0]


def test_only_many_digits_gained_are_a_sign() -> None:
    rule = DigitRule(GAINED)
    pivot = measured("on the ninth of March", "on the ninth of March")
    assert rule.lacking(measured("3月9日", "3月9日，电话 5551234"), pivot).tolist() == [False, True]
