from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.languages.normalisation import normalise, tokens

LANGUAGES = ("ar", "de", "el", "en", "es", "fr", "hi", "it", "ja", "ko", "pt", "ro", "th", "tr", "vi", "zh")


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "The Eiffel Tower.", "eiffel tower"),
        ("en", "“Paris”…", "PARIS"),
        ("en", "ﬁve  cafés\n", "five cafés"),
        ("en", "cafe\u0301", "CAFÉ"),
        ("en", "A.", "a"),
        ("de", "Die Straße!", "STRASSE"),
        ("de", "den Bodensee", "der Bodensee"),
        ("es", "¿La Habana?", "Habana"),
        ("fr", "L’Italie", "italie"),
        ("it", "gli Stati Uniti", "Stati Uniti"),
        ("pt", "O Rio de Janeiro", "rio de janeiro"),
        ("el", "Ο ΠΑΡΘΕΝΩΝΑΣ", "παρθενωνας"),
        ("tr", "ISPARTA", "ısparta"),
        ("tr", "İZMİR", "izmir"),
        ("az", "İrəvan", "irəvan"),
        ("en", "İzmir", "IZMIR"),
        ("ar", "مُحَمَّد", "محمد"),
        ("ar", "العـــراق", "عراق"),
        ("ar", "٤٢", "42"),
        ("hi", "४२।", "42"),
        ("th", "พ.ศ. ๒๕๖๗", "พ ศ 2567"),
        ("zh", "１９４９年，北京。", "1949年 北京"),
        ("ja", "ｶﾀｶﾅ", "カタカナ"),
        ("fa", "می‌روم", "میروم"),
        ("de-CH", "Der Säntis", "säntis"),
    ],
)
def test_two_ways_to_write_one_answer(language: str, one: str, other: str) -> None:
    assert normalise(one, language) == normalise(other, language)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "3.5", "35"),
        ("en", "sz", "s z"),
        ("en", "A", "the"),
        ("en", "+", "-"),
        ("tr", "sınır", "sinir"),
        ("ro", "a fost", "fost"),
        ("vi", "là của tôi", "tôi"),
        ("vi", "ma", "má"),
        ("hi", "कल", "काल"),
        ("ar", "مال", "م"),
        ("ar", "الى", "ى"),
        ("ar", "ألمانيا", "مانيا"),
    ],
)
def test_two_answers_stay_two(language: str, one: str, other: str) -> None:
    assert normalise(one, language) != normalise(other, language)


def test_what_is_left_of_an_answer() -> None:
    assert normalise(" The  U.S. Dollar ($)\n", "en") == "u s dollar"
    assert normalise("the", "en") == "the"
    assert normalise("!?", "en") == "!?"
    assert normalise(" \u200b\u200e\n", "en") == ""


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("en", "The quick, brown fox", ("quick", "brown", "fox")),
        ("zh", "5G网络 has 3 层", ("5g", "网", "络", "has", "3", "层")),
        ("zh", "新 加坡", ("新", "加", "坡")),
        ("ja", "東京タワー", ("東", "京", "タ", "ワ", "ー")),
        ("ko", "서울 특별시", ("서울", "특별시")),
        ("th", "ที่นี่", ("ที่", "นี่")),
        ("lo", "ລາວ", ("ລ", "າ", "ວ")),
        ("km", "ភ្នំពេញ", ("ភ្", "នំ", "ពេ", "ញ")),
        ("my", "မြန်မာ", ("မြ", "န်", "မာ")),
        ("hi", "नई दिल्ली", ("नई", "दिल्ली")),
        ("en", "in 北京 or Kyoto京都", ("in", "北", "京", "or", "kyoto", "京", "都")),
        ("en", "", ()),
    ],
)
def test_words_are_characters_where_a_script_has_no_spaces(
    language: str, text: str, words: tuple[str, ...]
) -> None:
    assert tokens(text, language) == words


@given(st.text(), st.sampled_from(LANGUAGES))
def test_words_hold_every_character_of_the_normalised_text(text: str, language: str) -> None:
    assert "".join(tokens(text, language)) == normalise(text, language).replace(" ", "")


@given(st.text(), st.sampled_from(LANGUAGES))
def test_nothing_is_left_of_what_does_not_count(text: str, language: str) -> None:
    found = normalise(text, language)
    assert found == " ".join(found.split())
    if any(unicodedata.category(character)[0] == "L" for character in found):
        categories = {unicodedata.category(character) for character in found}
        assert not {name for name in categories if name[0] == "P"} | categories & {"Cf", "Lt"}
        assert all(
            character in "0123456789" for character in found if unicodedata.category(character) == "Nd"
        )


@given(st.text(st.characters(categories=["L", "Nd"]), min_size=1), st.sampled_from(LANGUAGES))
def test_spaces_and_punctuation_around_an_answer_count_for_nothing(text: str, language: str) -> None:
    assert normalise(f" ¿{text}!。\n", language) == normalise(text, language)


@given(st.text("abcdefgzßäéñαβγσωдежя ", min_size=1), st.sampled_from(LANGUAGES))
def test_case_counts_for_nothing(text: str, language: str) -> None:
    assert normalise(text.upper(), language) == normalise(text, language)
