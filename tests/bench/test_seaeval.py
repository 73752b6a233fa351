from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from crossin.bench.catalogue import build_named
from crossin.core.files import write_parquet
from crossin.core.stages import Stage
from crossin.items.item import read_items
from tests.helpers.errors import refused
from tests.helpers.paths import REAL_DATA

DATA = REAL_DATA / "seaeval"


def record(number: int, **fields: Any) -> dict[str, Any]:
    """One item in SeaEval's form, in English and Vietnamese."""
    texts = {
        "English": ("Which one is a bird?", ["a crow", "a trout"]),
        "Vietnamese": ("Con nào là chim?", ["con quạ", "con cá hồi"]),
    }
    found: dict[str, Any] = {"id": f"test_{number}"}
    for name, (question, options) in texts.items():
        choices = [f"({label}) {option}" for label, option in zip("AB", options, strict=True)]
        found[name] = {"question": question, "choices": choices, "answer": choices[0], **fields}
    return found


def written(folder: Path, records: Any, name: str = "cross_mmlu") -> Path:
    file = folder / f"{name}.json"
    file.write_text(json.dumps(records), encoding="utf-8")
    return file


def build(
    file: Path, out: Path, *, name: str = "cross-mmlu", languages: tuple[str, ...] = ("en", "vi")
) -> Stage:
    return build_named(name, out, source=file, languages=languages)


def test_labels_leave_the_choices_and_become_option_ids(tmp_path: Path) -> None:
    file = written(tmp_path, [record(1), record(2)])
    stage = build(file, tmp_path / "out")
    items = read_items(tmp_path / "out")
    assert [(item.item, item.language) for item in items] == [
        ("test_1", "en"),
        ("test_1", "vi"),
        ("test_2", "en"),
        ("test_2", "vi"),
    ]
    assert items[1].options == ["con quạ", "con cá hồi"]
    assert (items[1].option_ids, items[1].answer, items[1].task) == (["A", "B"], "A", "knowledge")
    assert stage.manifest["counts"] == {
        "items": 2,
        "languages": 2,
        "tasks": {"knowledge": 2},
    }


def test_the_folder_of_the_file_will_do_and_a_second_run_finds_it_done(tmp_path: Path) -> None:
    written(tmp_path, [record(1)])
    first = build(tmp_path, tmp_path / "out")
    again = build(tmp_path, tmp_path / "out")
    assert again.manifest == first.manifest


@pytest.mark.parametrize("name", ["cross_mmlu/test-00000-of-00001.parquet", "cross_mmlu/test.jsonl"])
def test_the_hubs_usual_files_of_a_configuration_hold_the_same(name: str, tmp_path: Path) -> None:
    """In Parquet each language is a column, and a language that an item lacks is null."""
    records = [record(1), record(2), record(3)]
    del records[2]["Vietnamese"]
    build(written(tmp_path, records), tmp_path / "json")
    file = tmp_path / "hub" / name
    file.parent.mkdir(parents=True)
    if file.suffix == ".parquet":
        write_parquet(file, pyarrow.Table.from_pylist(records))
    else:
        file.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    build(tmp_path / "hub", tmp_path / "out")
    assert read_items(tmp_path / "out") == read_items(tmp_path / "json")


def test_a_folder_without_the_file_is_an_error(tmp_path: Path) -> None:
    with refused("no file for en", "cross_mmlu.json", file=tmp_path):
        build(tmp_path, tmp_path / "out")


def test_items_about_one_paragraph_are_a_group(tmp_path: Path) -> None:
    records = [record(1, context="About owls."), record(2, context="About owls."), record(3, context="")]
    build(
        written(tmp_path, records, "cross_logiqa"), tmp_path / "out", name="cross-logiqa", languages=("vi",)
    )
    assert [(item.item, item.group) for item in read_items(tmp_path / "out")] == [
        ("test_1", "test_1"),
        ("test_2", "test_1"),
        ("test_3", "test_3"),
    ]


def test_an_item_that_lacks_a_language_is_left_out_and_counted(tmp_path: Path) -> None:
    records = [record(1), record(2)]
    del records[0]["Vietnamese"]
    stage = build(written(tmp_path, records), tmp_path / "out")
    assert {item.item for item in read_items(tmp_path / "out")} == {"test_2"}
    assert stage.manifest["skipped"] == {"missing_language:vi": 1}
    assert json.loads((tmp_path / "out" / "left_out.json").read_text()) == {"test_1": "missing_language:vi"}


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (
            {"choices": ["a crow", "(B) a trout"], "answer": "a crow"},
            "options",
            "'a crow' does not begin with (A)",
        ),
        ({"choices": ["(A) a crow", "(C) a trout"]}, "options", "does not begin with (B)"),
        ({"choices": "(A) a crow"}, "English.choices", "expected a list"),
        ({"question": ["x"]}, "English.question", "expected text"),
        ({"question": "wh\ud800"}, "English.question", "half of a character"),
        ({"choices": ["(A) a\ud800", "(B) b"]}, "English.choices", "half of a character"),
    ],
)
def test_a_malformed_item_is_an_error_with_its_row_and_field(
    change: dict[str, Any], field: str, words: str, tmp_path: Path
) -> None:
    file = written(tmp_path, [record(1), record(2, **change)])
    with refused(words, file=file, row=2, field=field):
        build(file, tmp_path / "out")
    # A repaired file may be built in the same folder.
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": "(C) a bat"}, "answer_not_an_option:en"),
        ({"answer": "a crow"}, "answer_not_an_option:en"),
        ({"question": None}, "empty_text:question:en"),
    ],
)
def test_an_item_that_cannot_be_asked_is_left_out(
    change: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    stage = build(written(tmp_path, [record(1), record(2, **change)]), tmp_path / "out")
    assert stage.manifest["skipped"] == {reason: 1}


def test_items_with_one_id_are_left_out(tmp_path: Path) -> None:
    stage = build(written(tmp_path, [record(1), record(2), record(2)]), tmp_path / "out")
    assert stage.manifest["skipped"] == {"item_twice:en": 1}


@pytest.mark.parametrize(
    ("records", "words"), [([{"English": {}}], "id"), ([{**record(1), "id": "\ud800"}], "id")]
)
def test_a_malformed_id_is_one_clear_error(records: Any, words: str, tmp_path: Path) -> None:
    with refused(words, file="cross_mmlu.json"):
        build(written(tmp_path, records), tmp_path / "out")


def test_a_language_that_the_benchmark_lacks_is_an_error(tmp_path: Path) -> None:
    with refused("no language th", "en, zh", field="languages"):
        build(written(tmp_path, [record(1)]), tmp_path / "out", languages=("th", "en"))


def test_a_language_that_the_file_lacks_is_an_error_with_the_number_of_items(tmp_path: Path) -> None:
    with refused("no item is whole in en, zh", "(zh): 2"):
        build(written(tmp_path, [record(1), record(2)]), tmp_path / "out", languages=("zh", "en"))


def test_without_the_hub_the_error_names_source(tmp_path: Path) -> None:
    with refused("hub", hint="--source DIR"):
        build_named("cross-mmlu", tmp_path / "out")


@pytest.mark.parametrize(("name", "items", "groups"), [("cross-mmlu", 150, 150), ("cross-logiqa", 176, 174)])
def test_the_published_files_are_whole_in_seven_languages(
    name: str, items: int, groups: int, tmp_path: Path
) -> None:
    if not DATA.exists():
        pytest.skip("SeaEval's files are not here")
    stage = build_named(name, tmp_path, source=DATA)
    assert stage.manifest["skipped"] == {}
    assert stage.manifest["counts"]["languages"] == 7
    built = read_items(tmp_path)
    languages = ["en", "zh", "id", "es", "vi", "ms", "fil"]
    assert Counter(item.language for item in built) == dict.fromkeys(languages, items)
    assert len({item.group for item in built}) == groups
