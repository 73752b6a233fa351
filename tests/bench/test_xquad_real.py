"""Cross-XQuAD from the real files: read in every language, held against the files themselves."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossin.bench.xquad import build_xquad
from crossin.core.formats import ITEMS
from crossin.core.stages import Stage
from crossin.items.item import Item, read_items
from tests.helpers.paths import REAL_DATA

SOURCE = REAL_DATA / "xquad"
LANGUAGES = ["ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SOURCE.is_dir(), reason="XQuAD's files are not here"),
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return build_xquad(SOURCE, tmp_path_factory.mktemp("xquad") / "bench")


@pytest.fixture(scope="module")
def items(stage: Stage) -> dict[str, dict[str, Item]]:
    """By question id and language."""
    found: dict[str, dict[str, Item]] = {}
    for item in read_items(stage.folder / ITEMS):
        found.setdefault(item.item, {})[item.language] = item
    return found


def as_read(text: str) -> str:
    return " ".join(text.replace("\ufeff", "").split())


def plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] in "LMNS")


def questions(language: str) -> Iterator[tuple[str, str, Any]]:
    """The article, paragraph and question of each question in a file."""
    content = json.loads((SOURCE / f"xquad.{language}.json").read_text(encoding="utf-8"))
    for article in content["data"]:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                yield article["title"], as_read(paragraph["context"]), asked


def test_every_question_is_there_in_all_twelve_languages(items: dict[str, dict[str, Item]]) -> None:
    assert len(items) == 1190
    assert all(list(by_language) == LANGUAGES for by_language in items.values())
    assert len({by_language["en"].group for by_language in items.values()}) == 240
    for by_language in items.values():
        assert len({tuple(item.option_ids) for item in by_language.values()}) == 1
        assert all("\ufeff" not in item.context for item in by_language.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_options_are_the_files_own_answers_and_stand_in_the_article(
    language: str, items: dict[str, dict[str, Item]]
) -> None:
    read = {asked["id"]: (title, context, asked) for title, context, asked in questions(language)}
    for key, by_language in items.items():
        item = by_language[language]
        title, context, asked = read[key]
        assert (item.context, item.question) == (context, as_read(asked["question"]))
        assert item.options[item.option_ids.index(key)] in item.context
        for option_id, option in zip(item.option_ids, item.options, strict=True):
            option_title, option_context, option_asked = read[option_id]
            assert option == as_read(option_asked["answers"][0]["text"])
            assert option in option_context
            assert option_title == title


def test_no_option_holds_another_in_any_language(items: dict[str, dict[str, Item]]) -> None:
    for by_language in items.values():
        for item in by_language.values():
            texts = [plain(option) for option in item.options]
            held = [(one, two) for one in texts for two in texts if one is not two and one in two]
            assert not held, (item.item, item.language)
            assert len(set(texts)) == 4


def test_most_distractors_stand_in_the_questions_own_paragraph(
    stage: Stage, items: dict[str, dict[str, Item]]
) -> None:
    others = [
        items[option][language].group == item.group
        for key, by_language in items.items()
        for language, item in list(by_language.items())[:1]
        for option in item.option_ids
        if option != key
    ]
    assert len(others) == 3 * 1190
    assert sum(others) > 0.7 * len(others)
    assert stage.manifest["counts"]["distractors_of_article"] == len(others) - sum(others)
    assert stage.manifest["counts"]["distractors_of_others"] == 0


def test_right_answers_stand_in_all_positions_alike(items: dict[str, dict[str, Item]]) -> None:
    positions = Counter(item["en"].option_ids.index(key) for key, item in items.items())
    # Four standard deviations of a fair draw around 297.5.
    assert all(abs(positions[place] - 297.5) < 60 for place in range(4))


def test_nobody_gets_far_by_length_or_by_the_questions_words(stage: Stage) -> None:
    figures = stage.manifest["counts"]["hardness"]
    for heuristic in ("longest_option", "shortest_option", "nearest_to_question"):
        for language in [*LANGUAGES, "mean"]:
            assert 0.18 < figures[heuristic][language] < 0.30, (heuristic, language)


def test_two_builds_give_the_same_bytes_and_few_languages_the_same_items(
    stage: Stage, items: dict[str, dict[str, Item]], tmp_path: Path
) -> None:
    again = build_xquad(SOURCE, tmp_path / "again")
    assert again.manifest["outputs"] == stage.manifest["outputs"]
    build_xquad(SOURCE, tmp_path / "few", languages=["th", "en"])
    few = read_items(tmp_path / "few" / ITEMS)
    assert len(few) == 2 * 1190
    assert all(item == items[item.item][item.language] for item in few)
