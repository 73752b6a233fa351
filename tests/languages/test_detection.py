from __future__ import annotations

import pytest

from crossin.languages.detection import (
    RIGHT,
    UNDECIDED,
    WRONG,
    likelihood,
    odds,
    require_for,
    verdict,
)

pytest.importorskip("lingua")

GERMAN = "Die Kinder gingen am frühen Morgen in die Schule."
CHINESE = "孩子们一大早就去上学了，他们在学校里学习了很多东西，然后高高兴兴地回家了。"
ENGLISH = "The children went to school early in the morning."


@pytest.mark.slow
def test_prose_is_rated_by_its_script_and_then_by_lingua() -> None:
    assert likelihood(GERMAN, "de") == 1.0
    assert likelihood(ENGLISH, "de") < 0.1
    assert likelihood(ENGLISH, "zh") < 0.1
    assert likelihood(CHINESE, "zh") == 1.0
    assert likelihood(CHINESE, "ja") < 0.1
    assert likelihood(CHINESE, "ko") < 0.1


def test_words_of_the_source_do_not_count() -> None:
    names = "Johann Sebastian Bach, Ludwig van Beethoven"
    assert likelihood(names, "zh") < 0.1
    assert likelihood(names, "zh", source_text=f"I like {names}") == 1.0


def test_a_text_of_a_few_letters_is_never_in_another_language() -> None:
    assert likelihood("Paris", "zh") == likelihood("", "zh") == likelihood("42", "ru") == 1.0


def test_odds_compare_a_language_with_the_others() -> None:
    for_german, for_english = odds(GERMAN, "de", ["en"]), odds(GERMAN, "en", ["de"])
    assert for_german is not None
    assert for_english is not None
    assert for_german > 10 > 0.1 > for_english
    assert odds(GERMAN, "km", ["en"]) is None


def test_a_verdict_is_on_words() -> None:
    def judged(text: str, language: str) -> int:
        return verdict(text, text.split(), language, ["en", "de", "ru"])

    assert judged(GERMAN, "de") == judged("Москва", "ru") == RIGHT
    assert judged(ENGLISH, "de") == judged("Moscow", "ru") == WRONG
    assert judged("Paris", "de") == judged("", "ru") == UNDECIDED
    assert verdict("HTML", ["HTML"], "ru", ["en"], ignored=["HTML"]) == UNDECIDED


def test_only_languages_of_a_shared_script_need_lingua(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossin.languages.detection.require", lambda *_: pytest.fail("lingua is required"))
    for language in ("zh", "th", "el"):
        require_for(language)
    with pytest.raises(pytest.fail.Exception):
        require_for("de")
