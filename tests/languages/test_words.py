"""What every template file must hold, and the errors for one that does not."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from crossin.core.errors import CrossinError
from crossin.languages.scripts import script_share
from crossin.languages.words import (
    DATA,
    RELATIONS,
    WORDINGS,
    Suite,
    Words,
    available,
    fill,
    load_words,
    parse_languages,
)
from tests.helpers.errors import refused

LANGUAGES = ["ar", "de", "el", "en", "es", "fil", "fr", "hi", "id", "ms", "ro", "ru", "th", "tr", "vi", "zh"]

ENGLISH = (DATA / "en.yaml").read_text(encoding="utf-8")
FIRST_WORDING = '    - "What is the capital of {country}?"\n'


def questions(words: Words) -> list[str]:
    return [wording for relation in RELATIONS for wording in getattr(words.facts, relation)]


def suite_of(words: Words) -> Suite:
    assert words.suite
    return words.suite


def templates(words: Words) -> list[str]:
    suite = suite_of(words)
    return [
        *(words.prompt, words.answer_here, words.translate_here, words.translate_this, *questions(words)),
        *(suite.neighbour, suite.population, suite.largest, suite.second_largest, suite.smallest),
        *(suite.weekday, suite.month, suite.card, suite.inhabitants),
    ]


def error_of(folder: Path, text: str) -> CrossinError:
    """What the loader says about a file `xx.yaml` with this text."""
    (folder / "xx.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CrossinError) as caught:
        load_words("xx", folder)
    assert caught.value.file == folder / "xx.yaml"
    assert caught.value.hint
    return caught.value


def test_these_languages_exist() -> None:
    assert available() == LANGUAGES


@pytest.mark.parametrize("code", available())
class TestEveryLanguage:
    def test_has_the_entries_of_english(self, code: str) -> None:
        words = load_words(code)
        assert words.code == code
        assert RELATIONS == ("capital", "currency", "continent", "language")
        assert len(questions(words)) == len(RELATIONS) * WORDINGS

    def test_runs_right_to_left_only_in_arabic(self, code: str) -> None:
        assert load_words(code).direction == ("rtl" if code == "ar" else "ltr")

    def test_asks_each_question_in_different_words(self, code: str) -> None:
        asked = questions(load_words(code))
        assert len(set(asked)) == len(asked)

    def test_shares_no_template_with_another_language(self, code: str) -> None:
        others = {text for other in available() if other != code for text in templates(load_words(other))}
        assert not others.intersection(templates(load_words(code)))

    def test_is_written_in_its_own_script(self, code: str) -> None:
        words = load_words(code)
        for template in [*templates(words), *suite_of(words).imaginary, *suite_of(words).numbers.values()]:
            assert script_share(re.sub(r"\{\w+\}", "", template), code)[1] > 0.5, template

    def test_counts_to_a_hundred_in_different_words(self, code: str) -> None:
        numbers = suite_of(load_words(code)).numbers
        assert list(numbers) == [*range(21), 30, 40, 50, 60, 70, 80, 90, 100]
        assert len(set(numbers.values())) == len(numbers)

    def test_is_in_composed_unicode(self, code: str) -> None:
        text = (DATA / f"{code}.yaml").read_text(encoding="utf-8")
        assert unicodedata.is_normalized("NFC", text)

    def test_has_no_space_that_the_answer_would_double(self, code: str) -> None:
        words = load_words(code)
        assert all(template == template.strip() for template in templates(words))
        assert words.separator in ("", " ")
        names = [*suite_of(words).imaginary, *suite_of(words).numbers.values()]
        assert all(name == name.strip() for name in names)


def test_a_name_is_put_in_as_it_stands_even_where_it_looks_like_a_placeholder() -> None:
    english = load_words("en")
    assert english.fact_question("capital", 0, "Peru") == "What is the capital of Peru?"
    assert english.ask("Why {question}?") == "Question: Why {question}?\nAnswer:"
    assert fill("{month} + {number}", month="{number}", number="3") == "{number} + 3"


def test_numbers_in_words_are_those_that_english_counts_with() -> None:
    numbers = suite_of(load_words("en")).numbers
    assert (numbers[0], numbers[13], numbers[20], numbers[40], numbers[100]) == (
        *("zero", "thirteen", "twenty", "forty", "one hundred"),
    )


def test_a_file_without_the_suite_still_has_the_words_of_the_facts(tmp_path: Path) -> None:
    (tmp_path / "xx.yaml").write_text(ENGLISH[: ENGLISH.index("suite:")], encoding="utf-8")
    words = load_words("xx", tmp_path)
    assert words.suite is None
    assert words.facts == load_words("en").facts


def test_placeholders_may_stand_in_any_order(tmp_path: Path) -> None:
    turned = ENGLISH.replace("{number} months after {month}?", "after {month}, {number} months later?")
    (tmp_path / "xx.yaml").write_text(turned, encoding="utf-8")
    assert suite_of(load_words("xx", tmp_path)).month.endswith("after {month}, {number} months later?")


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        pytest.param(FIRST_WORDING, "", "facts.capital", id="a wording too few"),
        pytest.param(FIRST_WORDING, FIRST_WORDING * 2, "facts.capital", id="a wording too many"),
        pytest.param(FIRST_WORDING, '    - ""\n', "facts.capital.0", id="an empty wording"),
        pytest.param("of {country}?", "of Peru?", "facts.capital.0", id="no placeholder"),
        pytest.param("of {country}?", "of {text}?", "facts.capital.0", id="another placeholder"),
        pytest.param("of {country}?", "of {country}{country}?", "facts.capital.0", id="two placeholders"),
        pytest.param("{question}", "question", "prompt", id="a prompt without its question"),
        pytest.param("{text}", "text", "translate_here", id="a translation without its text"),
        pytest.param("sentence into", "{text} into", "translate_this", id="a text where none belongs"),
        pytest.param("translate_this:", "answer_this:", "answer_this", id="no instruction to translate"),
        pytest.param("direction: ltr", "direction: up", "direction", id="an unknown direction"),
        pytest.param("name: English", "", "name", id="a missing entry"),
        pytest.param("name: English", "name: English\nanthem: none", "anthem", id="an unknown entry"),
        pytest.param("  month: ", "  # ", "suite.month", id="a question of the suite too few"),
        pytest.param("  month: ", "  year: ", "suite.year", id="an unknown question of the suite"),
        pytest.param("{number} months", "some months", "suite.month", id="a number that is not asked"),
        pytest.param("{number} months", "{number}{number} months", "suite.month", id="a number asked twice"),
        pytest.param("Population: {population}", "", "suite.card", id="a line of the card too few"),
        pytest.param("live in {country}", "live in {name}", "suite.inhabitants", id="the name of no country"),
        pytest.param('"zero", ', "", "suite.to_twenty", id="a number too few"),
        pytest.param('"zero"', '"nothing {number}"', "suite.to_twenty.0", id="a number with a placeholder"),
        pytest.param('"ninety"', '"nine"', "suite.tens", id="a number that stands twice"),
        pytest.param('"ninety"', "90", "suite.tens.6", id="a number in digits"),
        pytest.param('["Zorania", "Belmoria"]', '["Zorania"]', "suite.imaginary", id="one imaginary country"),
        pytest.param('["Zorania"', '["Belmoria"', "suite.imaginary", id="the same imaginary country"),
        pytest.param('list_separator: ", "', 'list_separator: ""', "suite.list_separator", id="no separator"),
    ],
)
def test_a_faulty_entry_is_named(tmp_path: Path, before: str, after: str, field: str) -> None:
    faulty = ENGLISH.replace(before, after, 1)
    assert faulty != ENGLISH
    assert error_of(tmp_path, faulty).field == field


def test_facts_without_relations_are_named(tmp_path: Path) -> None:
    before, suite = ENGLISH[: ENGLISH.index("facts:")], ENGLISH[ENGLISH.index("suite:") :]
    assert error_of(tmp_path, f"{before}facts: []\n{suite}").field == "facts"
    assert error_of(tmp_path, f"{before}facts: {{}}\n{suite}").field == "facts.capital"


def test_text_that_is_not_yaml_is_named_by_its_line(tmp_path: Path) -> None:
    assert error_of(tmp_path, 'name: "English"\nprompt: "never closed').row == 2


@pytest.mark.parametrize("text", ["", "only a sentence", "- a list"])
def test_a_file_that_is_no_mapping_holds_no_entries(tmp_path: Path, text: str) -> None:
    assert "mapping" in error_of(tmp_path, text).message


def test_the_error_for_an_unknown_language_names_those_that_exist() -> None:
    for refuse in (load_words, parse_languages):
        with refused("'tlh'", ", ".join(LANGUAGES)):
            refuse("tlh")


def test_a_list_of_languages_keeps_its_order() -> None:
    assert parse_languages(" zh, en ,vi,") == ["zh", "en", "vi"]


@pytest.mark.parametrize("text", ["en,zh,en", "", " , "])
def test_a_list_of_languages_names_each_once_and_at_least_one(text: str) -> None:
    with refused("once each"):
        parse_languages(text)
