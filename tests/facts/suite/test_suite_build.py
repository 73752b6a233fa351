"""The suite as a benchmark: the same items in every language, fair options, splits, and clear errors."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from crossin.core.files import sha256
from crossin.core.stages import Stage
from crossin.facts.corpus import split_of
from crossin.facts.suite import SKILLS, build_suite
from crossin.items.item import Item, read_items
from crossin.languages import available
from crossin.languages.words import DATA, Suite, lacking
from tests.helpers.errors import refused

ENGLISH = (DATA / "en.yaml").read_text(encoding="utf-8")


def built(folder: Path, *languages: str, split: str = "all") -> list[Item]:
    stage = build_suite(folder / "-".join((*languages, split)), languages=list(languages), split=split)
    return read_items(stage.folder / "items.parquet")


def shared(item: Item) -> tuple[object, ...]:
    """What of an item is the same in every language; in free text, all but the answer."""
    return item.item, item.group, item.task, item.option_ids, item.option_ids and item.answer


def test_all_languages_hold_the_same_items_and_enough_of_them(suite_items: list[Item]) -> None:
    by_language = defaultdict(list)
    for item in suite_items:
        by_language[item.language].append(shared(item))
    assert list(by_language) == available()
    assert len(by_language["en"]) >= 1500
    assert all(one == by_language["en"] for one in by_language.values())
    assert len({one[0] for one in by_language["en"]}) == len(by_language["en"])


def test_the_manifest_counts_items_by_task_and_skill(suite: Stage, english_items: list[Item]) -> None:
    counts = suite.manifest["counts"]
    assert counts["tasks"] == Counter(item.task for item in english_items)
    assert counts["skills"] == Counter(SKILLS[item.task] for item in english_items)
    assert counts["items"] == sum(counts["skills"].values()) == len(english_items)
    assert counts["languages"] == len(available())
    assert set(counts["tasks"]) == set(SKILLS)
    assert min(counts["tasks"].values()) > 50
    assert suite.manifest["skipped"]["explained_name:translate name"] > 0


def test_no_two_options_look_alike_in_any_language(suite_items: list[Item]) -> None:
    for item in suite_items:
        names = [option.casefold() for option in item.options]
        assert not [(one, two) for one in names for two in names if one is not two and one in two], item
        assert len(item.option_ids) == len(set(item.option_ids)) == (0 if item.free_text else 4)


def test_options_that_hold_one_another_in_one_language_are_kept_apart_in_all(tmp_path: Path) -> None:
    # January is "Tháng 1" in Vietnamese, October "Tháng 10".
    def together(items: list[Item]) -> bool:
        return any({"1", "10"} <= set(item.option_ids) for item in items if item.task == "month")

    assert together(built(tmp_path, "en"))
    assert not together(built(tmp_path, "en", "vi"))


def test_a_name_that_explains_itself_is_not_translated(tmp_path: Path) -> None:
    asked = {item.item for item in built(tmp_path, "en", "vi")}
    # Hong Kong SAR China, Myanmar (Burma), Congo - Kinshasa.
    assert not {f"translate name:{code}" for code in ("HK", "MM", "CD")} & asked
    assert "translate name:TH" in asked


def test_the_right_option_stands_at_every_place_about_equally_often(english_items: list[Item]) -> None:
    places = defaultdict(list)
    for item in english_items:
        if not item.free_text:
            places[item.task].append(item.option_ids.index(item.answer))
    everywhere = [place for task in places.values() for place in task]
    for place in range(4):
        assert 0.22 < everywhere.count(place) / len(everywhere) < 0.28
        for task, found in places.items():
            assert 0.12 < found.count(place) / len(found) < 0.38, task


def test_no_question_is_left_with_a_brace_or_an_edge_of_space(suite_items: list[Item]) -> None:
    for item in suite_items:
        for text in (item.question, item.context, *item.options, item.answer):
            assert not re.search(r"[{}]", text)
            assert text == text.strip()


def test_no_name_holds_what_separates_the_options_of_a_list(suite_items: list[Item]) -> None:
    for item in suite_items:
        if item.task in ("neighbour", "population", "number"):
            assert not any(re.search(r", |、|، ", option) for option in item.options)


def test_items_that_share_numbers_or_a_card_share_a_group(english_items: list[Item]) -> None:
    groups = {item.item: item.group for item in english_items}
    assert groups["profile:07:capital"] == groups["profile:07:population"] == "profile:07"
    assert groups["capital:EG"] == groups["language:EG"] == groups["name capital:EG"] == "EG"
    for item in english_items:
        if item.task in ("weekday", "month"):
            assert item.group == f"{item.task}:{item.item.rpartition('+')[2]}"
        if item.task == "number":
            assert item.group == "number:" + "-".join(sorted(item.option_ids, key=int))


def test_the_splits_share_the_suite_out_by_group(tmp_path: Path) -> None:
    whole = [item.item for item in built(tmp_path, "en")]
    parts = {split: built(tmp_path, "en", split=split) for split in ("train", "dev", "test")}
    assert sorted(item.item for part in parts.values() for item in part) == sorted(whole)
    for split, part in parts.items():
        assert {split_of(item.group) for item in part} == {split}
        assert {item.task for item in part} == set(SKILLS)
    shares = {split: len(part) / len(whole) for split, part in parts.items()}
    assert 0.3 < shares["train"] < 0.5
    assert 0.3 < shares["test"] < 0.5
    assert 0.1 < shares["dev"] < 0.3


def test_what_has_no_name_in_a_language_is_left_out_of_all_and_counted(tmp_path: Path) -> None:
    stage = build_suite(tmp_path / "suite", languages=["en", "el"])
    asked = {item.item for item in read_items(stage.folder / "items.parquet")}
    # CLDR writes the name of Nepal's capital in Latin letters in Greek.
    assert not {"capital:NP", "name capital:NP"} & asked
    assert "continent:NP" in asked
    assert stage.manifest["skipped"]["no_name:capital:el"] >= 1


def test_english_is_translated_from_the_first_other_language_where_spanish_is_not_asked(
    tmp_path: Path,
) -> None:
    def question(*languages: str) -> str:
        items = built(tmp_path, *languages)
        return next(
            item.question for item in items if (item.item, item.language) == ("translate name:DE", "en")
        )

    assert question("en", "tr", "de") == "Translate into English: Almanya"
    assert question("en", "tr", "es") == "Translate into English: Alemania"
    assert question("en") == "Translate into English: Alemania"


def test_the_same_languages_give_the_same_bytes(suite: Stage, tmp_path: Path) -> None:
    again = build_suite(tmp_path / "suite", languages=available())
    assert sha256(again.folder / "items.parquet") == sha256(suite.folder / "items.parquet")


def test_a_finished_suite_is_not_made_again(suite: Stage) -> None:
    assert build_suite(suite.folder, languages=available()).manifest == suite.manifest


def test_a_language_is_added_by_one_file(tmp_path: Path) -> None:
    # English words with Swedish names: what a translator starts from.
    (tmp_path / "sv.yaml").write_text(ENGLISH, encoding="utf-8")
    assert lacking("sv", tmp_path) == []
    stage = build_suite(tmp_path / "suite", languages=["sv"], folder=tmp_path)
    texts = {item.item: item for item in read_items(stage.folder / "items.parquet")}
    assert texts["name capital:DK"].answer == "Köpenhamn"
    assert "måndag" in texts[next(item for item in texts if item.startswith("weekday:1+"))].question


class TestALackingFile:
    def test_of_the_old_sections_alone_lacks_the_whole_suite(self, tmp_path: Path) -> None:
        (tmp_path / "sv.yaml").write_text(ENGLISH[: ENGLISH.index("suite:")], encoding="utf-8")
        assert lacking("sv", tmp_path) == [f"suite.{name}" for name in Suite.model_fields]
        assert "suite.neighbour" in lacking("sv", tmp_path)

    def test_lacks_what_was_taken_out(self, tmp_path: Path) -> None:
        faulty = re.sub(r"(?m)^(prompt|  month|  tens|  capital): .*\n", "", ENGLISH)
        (tmp_path / "sv.yaml").write_text(faulty, encoding="utf-8")
        assert lacking("sv", tmp_path) == ["prompt", "suite.month", "suite.tens"]

    def test_of_nothing_lacks_everything(self, tmp_path: Path) -> None:
        (tmp_path / "sv.yaml").write_text("", encoding="utf-8")
        assert {"name", "prompt", "facts.capital", "suite.card"} <= set(lacking("sv", tmp_path))

    def test_may_not_exist(self) -> None:
        assert lacking("tlh") == ["no file"]
        assert all(lacking(code) == [] for code in available())

    def test_is_named_with_all_that_it_lacks(self, tmp_path: Path) -> None:
        faulty = re.sub(r"(?m)^  (month|card): .*\n", "", ENGLISH)
        (tmp_path / "sv.yaml").write_text(faulty, encoding="utf-8")
        with refused("suite.month, suite.card", file=tmp_path / "sv.yaml", hint="CONTRIBUTING"):
            build_suite(tmp_path / "suite", languages=["sv"], folder=tmp_path)
        assert not (tmp_path / "suite").exists()


@pytest.mark.parametrize(
    ("languages", "split", "message"),
    [
        (["en", "tlh"], "all", "'tlh'"),
        (["en", "en"], "all", "named once each"),
        ([], "all", "named once each"),
        (["en"], "held-out", "'held-out'"),
    ],
)
def test_a_wrong_request_leaves_nothing_behind(
    tmp_path: Path, languages: list[str], split: str, message: str
) -> None:
    with refused(message):
        build_suite(tmp_path / "suite", languages=languages, split=split)
    assert not (tmp_path / "suite").exists()
