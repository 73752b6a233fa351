"""Which number a text gives as its answer: read as specification."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.languages.numbers import last_number


def read(text: str, language: str = "en") -> list[Fraction]:
    return sorted(last_number(text, language))


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        # Digits of any script.
        ("٣١٧", "ar", 317),
        ("۳۱۷", "fa", 317),
        ("३१७", "hi", 317),
        ("৩১৭", "bn", 317),
        ("౩౧౭", "te", 317),
        ("๓๑๗", "th", 317),
        ("៣១៧", "km", 317),
        ("３１７", "ja", 317),
        # Separators of thousands.
        ("3,170", "en", 3170),
        ("٣٬١٧٠", "ar", 3170),
        ("٣،١٧٠", "ar", 3170),
        ("3 170", "fr", 3170),
        ("3\u202f170", "fr", 3170),
        ("3\u00a0170", "ru", 3170),
        ("3'170", "de-CH", 3170),
        ("3’170", "de", 3170),
        ("３，１７０", "ja", 3170),
        ("1,234,567", "zh", 1234567),
        ("1.234.567", "vi", 1234567),
        ("1 234 567", "sw", 1234567),
        ("12,34,567", "hi", 1234567),
        ("5{,}170", "en", 5170),
        (r"5\,170", "fr", 5170),
        # Decimals.
        ("3.5", "en", Fraction("3.5")),
        ("3,5", "de", Fraction("3.5")),
        ("٣٫٥", "ar", Fraction("3.5")),
        ("٣٬١٧٠٫٢٥", "ar", Fraction("3170.25")),
        ("3,170.25", "en", Fraction("3170.25")),
        ("3.170,25", "es", Fraction("3170.25")),
        ("3.170,25", "en", Fraction("3170.25")),
        ("3 170,255", "fr", Fraction("3170.255")),
        ("0,125", "de", Fraction("0.125")),
        ("3170,125", "de", Fraction("3170.125")),
        ("5,700.00", "en", 5700),
        ("It is .5", "en", Fraction("0.5")),
        ("2e3", "en", 2000),
        # A minus, and what is none.
        ("-7", "en", -7),
        ("−7", "sv", -7),
        ("答案是-7", "zh", -7),
        ("\u200f-٧", "ar", -7),
        ("x=-7", "en", -7),
        ("-$7", "en", -7),
        ("$-7", "en", -7),
        ("30-37", "en", 37),
        ("30–37", "en", 37),
        ("F-16", "en", 16),
        ("10 - 3", "en", 3),
        # Fractions.
        ("1/2", "en", Fraction(1, 2)),
        ("½", "en", Fraction(1, 2)),
        ("2 1/2 cups", "en", Fraction(5, 2)),
        ("2½", "en", Fraction(5, 2)),
        (r"\frac{3}{4}", "en", Fraction(3, 4)),
        (r"2\dfrac{1}{2}", "en", Fraction(5, 2)),
        ("7/0", "en", 0),
        ("29/11/2026", "en", 2026),
        ("29.11.2026", "de", 2026),
        # Myriads.
        ("11万4200", "zh", 114200),
        ("11萬 4,200個", "zh-Hant", 114200),
        ("1億2000万円", "ja", 120_000_000),
        ("11만 4200개", "ko", 114200),
        ("-1.5万", "zh", -15000),
        ("一共3万。", "zh", 30000),
        ("3万，500", "zh", 500),
        ("48千克", "zh", 48),
        # Units and signs, and where the sentence ends.
        ("The total is 37.", "en", 37),
        ("37, in all", "en", 37),
        ("37%", "en", 37),
        ("37 %", "de", 37),
        ("٣٧٪", "ar", 37),
        ("₹37", "hi", 37),
        ("€ 37,-", "nl", 37),
        ("**37**", "en", 37),
        ("37個です", "ja", 37),
        ("一共37个。", "zh", 37),
        ("37kg", "en", 37),
        ("USD37", "en", 37),
        # The last one.
        ("He has 6 rows of 7, so 6 * 7 = 42.", "en", 42),
        ("Antwort 5: 37 Tassen", "de", 37),
        ("in 2026 100 cups", "en", 100),
        ("3,170 or 45", "en", 45),
        # Parts of names, units and formulas do not count where there is another number.
        ("37 kg of CO2", "en", 37),
        ("37 m2", "en", 37),
        ("37 м2", "ru", 37),
        ("37 m²", "en", 37),
        ("37 cm^2", "en", 37),
        (r"37 \text{ cm}^{2}", "en", 37),
        ("x_1 = 37, so x_1", "en", 37),
        ("CO2", "en", 2),
        # What is boxed goes first.
        (r"\boxed{37}, in 3 steps", "en", 37),
        (r"\boxed{5} no, \boxed{ 3{,}170 }. 2 steps.", "en", 3170),
        (r"\boxed{\frac{1}{2}} of 4", "en", Fraction(1, 2)),
        (r"37, \boxed{\text{none}}", "en", 37),
    ],
)
def test_the_number_that_is_meant(text: str, language: str, value: Fraction | int) -> None:
    assert read(text, language) == [value]


@pytest.mark.parametrize("text", ["", "none", "forty-two", "四十二", "²", "1" * 5000])
def test_a_text_without_digits_has_no_number_and_nor_has_one_that_is_too_long(text: str) -> None:
    assert read(text) == []


def test_a_separator_before_three_digits_is_read_as_its_language_writes_it() -> None:
    assert read("1,080", "en") == [1080]
    assert read("1.080", "en") == [Fraction("1.08")]
    for language in ("de", "es", "fr", "ru", "tr", "vi", "id"):
        both = [Fraction("1.08"), 1080]
        assert read("1.080", language) == read("1,080", language) == both
        # A thousand is never written for 1.
        assert read("1.000", language) == read("1,000", language) == [1000]


@given(st.integers(-(10**9), 10**9), st.sampled_from(["en", "de", "hi", "ja", "ar"]))
def test_every_whole_number_is_read_and_none_of_its_neighbours(number: int, language: str) -> None:
    assert read(f"{number}", language) == [number]
    grouped = read(f"= {number:,}.", language)
    assert number in grouped and not {number - 1, number + 1} & set(grouped)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert len(last_number(text, "de")) <= 4
