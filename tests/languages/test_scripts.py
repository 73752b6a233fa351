from __future__ import annotations

import unicodedata

import pytest

from crossin.languages import available
from crossin.languages.scripts import SCRIPT_NAMES, letter_script, letter_scripts, script_share, scripts_of


@pytest.mark.parametrize(
    ("character", "script"),
    [
        ("a", "Latin"),
        ("ế", "Latin"),
        ("я", "Cyrillic"),
        ("中", "Han"),
        ("𠀀", "Han"),
        ("の", "Kana"),
        ("ガ", "Kana"),
        ("한", "Hangul"),
        ("ा", "Devanagari"),
        ("ไ", "Thai"),
        ("3", ""),
        (" ", ""),
        ("。", ""),
    ],
)
def test_a_letter_has_the_script_that_unicode_gives_it(character: str, script: str) -> None:
    assert letter_script(character) == script


def test_letters_and_marks_have_a_script_and_nothing_else_has() -> None:
    found = letter_scripts()[:0x3000] >= 0
    assert found.tolist() == [unicodedata.category(chr(code))[0] in "LM" for code in range(0x3000)]


def test_the_scripts_of_every_language_with_templates_are_known() -> None:
    assert {name for code in available() for name in scripts_of(code)} <= set(SCRIPT_NAMES)
    assert all(scripts_of(code) for code in available())
    assert scripts_of("ja") == ("Han", "Kana")
    assert scripts_of("zh-Hant") == ("Han",)
    assert scripts_of("mn-Mong") == ()


def test_the_share_of_a_script_is_of_letters() -> None:
    assert script_share("Привет, world! 12", "ru") == (11, 6 / 11)
    assert script_share("12 + 3", "en") == (0, 0.0)
