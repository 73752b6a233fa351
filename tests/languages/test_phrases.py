"""The phrases that each language has for asking, also without questions about facts."""

from __future__ import annotations

import re
import unicodedata

import pytest

from crossin.core.files import read_text
from crossin.languages import available, load_phrases, load_words
from crossin.languages.codes import parse_language
from crossin.languages.scripts import script_share
from crossin.languages.words import PHRASES, LanguagePhrases, phrases_file, word_files
from tests.helpers.errors import refused
from tests.helpers.paths import ROOT

ONLY_PHRASES = sorted(path.stem for path in PHRASES.glob("*.yaml"))
ALL = [*available(), *ONLY_PHRASES]
PAGE = ROOT / "docs" / "add-a-language.md"


def requests(phrases: LanguagePhrases) -> list[str]:
    """What names the language, so that no two languages share it."""
    return [phrases.answer_here, phrases.translate_here, phrases.translate_this]


@pytest.mark.parametrize("code", ONLY_PHRASES)
class TestEveryLanguage:
    def test_has_its_code_as_the_package_spells_it(self, code: str) -> None:
        assert load_phrases(code).code == parse_language(code) == code

    def test_is_written_in_its_own_script(self, code: str) -> None:
        phrases = load_phrases(code)
        for text in [phrases.name, phrases.prompt, *requests(phrases)]:
            assert script_share(re.sub(r"\{\w+\}", "", text), code)[1] > 0.5, text

    def test_is_in_composed_unicode_without_a_space_that_would_be_doubled(self, code: str) -> None:
        assert unicodedata.is_normalized("NFC", (PHRASES / f"{code}.yaml").read_text(encoding="utf-8"))
        phrases = load_phrases(code)
        assert all(text == text.strip() for text in [phrases.prompt, *requests(phrases)])
        assert phrases.separator == ("" if phrases.prompt.endswith("：") else " ")

    def test_asks_for_its_own_language(self, code: str) -> None:
        others = {text for other in ALL if other != code for text in requests(load_phrases(other))}
        assert not others.intersection(requests(load_phrases(code)))


def test_the_page_on_languages_lists_them_all() -> None:
    rows = re.findall(r"^\| .*`/?src/crossin/languages/.*\| (.*) \|$", read_text(PAGE), re.MULTILINE)
    assert [re.findall(r"[a-z]{2,3}(?:-\w+)?(?= |$)", row.partition(":")[2]) for row in rows] == [
        ONLY_PHRASES,
        available(),
    ]


def test_no_language_has_two_files() -> None:
    assert not set(ONLY_PHRASES) & set(available())


def test_these_languages_run_from_right_to_left() -> None:
    assert {code for code in ALL if load_phrases(code).direction == "rtl"} == {"ar", "fa", "he", "ur"}


def test_a_template_file_has_the_phrases_of_its_language() -> None:
    assert load_phrases("th") == load_words("th")


@pytest.mark.parametrize(
    ("code", "of"),
    [("pt-BR", "pt"), ("en-GB", "en"), ("no", "nb"), ("zh-HK", "zh-Hant"), ("ja", "ja")],
)
def test_a_variant_has_the_phrases_of_the_language_that_it_is_of(code: str, of: str) -> None:
    assert requests(load_phrases(code)) == requests(load_phrases(of))
    assert word_files([code]) == {f"words/{code}": phrases_file(of)}


# Serbian in Latin letters is not served by Cyrillic ones, nor Luxembourgish by German.
@pytest.mark.parametrize("code", ["sr-Latn", "lb", "tlh"])
def test_a_language_without_phrases_says_how_to_do_without(code: str) -> None:
    assert phrases_file(code) is None
    assert word_files([code]) == {}
    with refused("no phrases", code, hint="tag: code"):
        load_phrases(code)
