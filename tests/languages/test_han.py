from __future__ import annotations

import pytest

from crossin.languages.detection import RIGHT, WRONG, likelihood, verdict
from crossin.languages.han import is_other_chinese

SIMPLIFIED = "孩子们一大早就去上学了，他们在学校里学习了很多东西。"
TRADITIONAL = "孩子們一大早就去上學了，他們在學校裡學習了很多東西。"


def test_a_text_in_one_chinese_script_is_not_in_the_other() -> None:
    assert is_other_chinese(SIMPLIFIED, "Hant")
    assert is_other_chinese(TRADITIONAL, "Hans")
    assert not is_other_chinese(SIMPLIFIED, "Hans")
    assert not is_other_chinese(TRADITIONAL, "Hant")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("我和他都在上海工作", id="characters of both scripts"),
        pytest.param("溫度很高，温哥華", id="a variant among characters of the script asked"),
        pytest.param("户外", id="one character alone"),
        pytest.param("Hanoi", id="no Chinese at all"),
    ],
)
def test_a_text_that_may_be_either_is_in_both(text: str) -> None:
    assert not is_other_chinese(text, "Hant")


def test_other_scripts_have_no_other_chinese() -> None:
    assert not is_other_chinese(SIMPLIFIED, "Jpan")


def test_a_translation_into_the_other_script_is_in_a_wrong_language() -> None:
    assert likelihood(SIMPLIFIED, "zh-Hant") == likelihood(TRADITIONAL, "zh") == 0.0
    assert likelihood(TRADITIONAL, "zh-Hant") == likelihood(SIMPLIFIED, "zh") == 1.0
    assert likelihood(SIMPLIFIED, "yue") == 0.0


def test_so_is_a_reply() -> None:
    assert verdict(SIMPLIFIED, list(SIMPLIFIED), "zh-Hant", ["en"]) == WRONG
    assert verdict(TRADITIONAL, list(TRADITIONAL), "zh-Hant", ["en"]) == RIGHT
