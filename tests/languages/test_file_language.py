"""A file is in the language that it is said to be in, or most of its rows say otherwise."""

from __future__ import annotations

import json
from itertools import product

import pyarrow as pa
import pytest

from crossin.languages import available, load_words
from crossin.languages.file_language import unchecked_notes, wrong_language
from tests.helpers.paths import REAL_DATA

pytest.importorskip("lingua")

FLORES, ALPACA = REAL_DATA / "flores200", REAL_DATA / "alpaca"
KOREAN = [
    "강 그리고 호수 에 대해 말해 주세요.",
    "언덕 은 다리 가까이에 있습니다.",
    "시장 에 대해 말해 주세요.",
] * 3
CODE = ["def add(a, b): return a + b", "for (int i = 0; i < n; i++) { sum += a[i]; }", "x = [1, 2, 3]"] * 5
SERBIAN = ["Деца су рано ујутру отишла у школу.", "Како се зове главни град Француске?"] * 4
SERBIAN_LATIN = ["Deca su rano ujutru otišla u školu.", "Kako se zove glavni grad Francuske?"] * 4
JAPANESE = [
    "東京の首都はどこですか。",
    "次の文章を要約してください。",
    "猫についての短い詩を書いてください。",
] * 3


def questions(code: str) -> list[str]:
    """A dozen questions in a language."""
    facts = load_words(code).facts.model_dump()
    return [text.replace("{country}", "X") for wordings in facts.values() for text in wordings]


TEXTS = {code: questions(code) for code in available()}


@pytest.mark.parametrize("code", TEXTS)
def test_a_dozen_rows_in_their_own_language_pass(code: str) -> None:
    assert wrong_language(TEXTS[code], code) == ""


@pytest.mark.parametrize("code", TEXTS)
def test_a_dozen_rows_in_another_language_do_not(code: str) -> None:
    wrong = [said for said in TEXTS if wrong_language(TEXTS[code], said)]
    # Indonesian and Malay are not told apart.
    alike = {"id", "ms"} if code in ("id", "ms") else {code}
    assert {*TEXTS} - {*wrong} == alike


@pytest.mark.parametrize(
    ("texts", "language"),
    [
        (CODE, "th"),
        (CODE, "vi"),
        (["Paris", "42", "", "3 + 4 = 7", "H2O", "OK"] * 10, "th"),
        (TEXTS["zh"][:2], "th"),
        (TEXTS["es"][:4], "de"),
        ([], "th"),
        # Short rows of one form, which lingua's fast way takes for Yoruba.
        ([f"The sun is hot. Row {number} is here." for number in range(8)], "en"),
        (SERBIAN, "sr"),
        (SERBIAN_LATIN, "sr"),
        (SERBIAN_LATIN, "sr-Latn"),
        (TEXTS["zh"], "zh-Hant"),
        (TEXTS["zh"], "yue"),
        (JAPANESE, "ja"),
        # A language that lingua does not know.
        (TEXTS["fil"], "ceb"),
        (TEXTS["en"], "pcm"),
        # Terms and names in another script.
        ([f"{text} (Large Language Model)" for text in TEXTS["th"]], "th"),
        # Rows that nobody translated yet, fewer than most.
        ([*TEXTS["th"], *TEXTS["en"]], "th"),
        ([*TEXTS["vi"], *TEXTS["en"]], "vi"),
    ],
)
def test_what_may_be_in_the_language_is_no_alarm(texts: list[str], language: str) -> None:
    assert wrong_language(texts, language) == ""


@pytest.mark.parametrize(
    ("texts", "language", "looks"),
    [
        # Kanuri, which lingua does not know: the script says enough.
        (KOREAN, "kau", "ko Korean"),
        (KOREAN, "zh", "ko Korean"),
        (SERBIAN, "sr-Latn", "sr Serbian"),
        (JAPANESE, "zh", "ja Japanese"),
        (TEXTS["zh"], "ja", "zh Chinese"),
        (TEXTS["en"], "jv", "en English"),
        ([*TEXTS["th"][:2], *TEXTS["en"]], "th", "en English"),
    ],
)
def test_the_finding_says_what_the_rows_look_like(texts: list[str], language: str, looks: str) -> None:
    assert f"look like {looks}" in wrong_language(pa.array(texts, pa.large_string()), language)


def test_the_script_decides_without_lingua(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossin.languages.file_language.lingua_languages", dict)
    assert "Han script" in wrong_language(TEXTS["zh"], "th")
    assert "Latin script" in wrong_language(TEXTS["en"], "th")
    assert "Hangul script" in wrong_language(KOREAN, "kau")
    assert wrong_language(TEXTS["de"], "vi") == ""
    assert wrong_language([*TEXTS["en"], *TEXTS["zh"][:3]], "en") == ""


@pytest.mark.slow
@pytest.mark.skipif(not FLORES.is_dir(), reason="needs the shared data")
def test_all_pairs_of_languages_of_real_files() -> None:
    texts = {path.stem: path.read_text("utf-8").splitlines()[:100] for path in sorted(FLORES.glob("*.txt"))}
    found = {(one, said) for one, said in product(texts, texts) if wrong_language(texts[one], said)}
    alike = {("id", "ms"), ("ms", "id")}
    assert found == {(one, said) for one, said in product(texts, texts) if one != said} - alike


@pytest.mark.slow
@pytest.mark.skipif(not ALPACA.is_dir(), reason="needs the shared data")
def test_real_instruction_data() -> None:
    texts = {}
    for path in sorted(ALPACA.glob("alpaca_*.json")):
        rows = json.loads(path.read_text("utf-8"))
        texts[path.stem.removeprefix("alpaca_")] = [row["instruction"] for row in rows]
    assert len(texts) == 4
    for one, said in product(texts, texts):
        assert bool(wrong_language(texts[one], said)) == (one != said), (one, said)


def test_three_rows_in_another_script_are_enough() -> None:
    assert "like zh Chinese" in wrong_language(TEXTS["zh"][:3], "th")


def test_without_lingua_it_is_said_that_only_scripts_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unchecked_notes(["en", "th", "vi"]) == []
    monkeypatch.setattr("crossin.languages.file_language.lingua_languages", dict)
    [note] = unchecked_notes(["en", "th", "vi"])
    assert "en, vi" in note and "lingua" in note
    assert unchecked_notes(["th", "zh"]) == []
