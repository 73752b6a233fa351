from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from crossin.bench.seaeval import build_seaeval
from crossin.core.files import write_parquet
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


def written(folder: Path, records: Any) -> Path:
    file = folder / "cross_mmlu.json"
    file.write_text(json.dumps(records), encoding="utf-8")
    return file


def test_labels_leave_the_choices_and_become_option_ids(tmp_path: Path) -> None:
    file = written(tmp_path, [record(1), record(2)])
    stage = build_seaeval("cross-mmlu", file, tmp_path / "out")
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
    first = build_seaeval("cross-mmlu", tmp_path, tmp_path / "out")
    again = build_seaeval("cross-mmlu", tmp_path, tmp_path / "out")
    assert again.manifest == first.manifest


@pytest.mark.parametrize("name", ["cross_mmlu/test-00000-of-00001.parquet", "cross_mmlu/test.jsonl"])
def test_the_hubs_usual_files_of_a_configuration_hold_the_same(name: str, tmp_path: Path) -> None:
    """In Parquet each language is a column, and a language that an item lacks is null."""
    records = [record(1), record(2), record(3)]
    del records[2]["Vietnamese"]
    build_seaeval("cross-mmlu", written(tmp_path, records), tmp_path / "json")
    file = tmp_path / "hub" / name
    file.parent.mkdir(parents=True)
    if file.suffix == ".parquet":
        write_parquet(file, pyarrow.Table.from_pylist(records))
    else:
        file.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    build_seaeval("cross-mmlu", tmp_path / "hub", tmp_path / "out")
    assert read_items(tmp_path / "out") == read_items(tmp_path / "json")


def test_a_folder_without_the_file_or_with_several_is_an_error(tmp_path: Path) -> None:
    with refused("no cross_mmlu.json", file=tmp_path, hint="--source FILE"):
        build_seaeval("cross-mmlu", tmp_path, tmp_path / "out")
    (tmp_path / "cross_mmlu").mkdir()
    for part in "01":
        (tmp_path / "cross_mmlu" / f"test-{part}.jsonl").write_text("{}")
    with refused("several files", "test-0.jsonl", hint="--source FILE"):
        build_seaeval("cross-mmlu", tmp_path, tmp_path / "out")


def test_items_about_one_paragraph_are_a_group_by_its_english(tmp_path: Path) -> None:
    records = [record(1, context="About owls."), record(2, context="About owls."), record(3)]
    records[1]["Vietnamese"]["context"] = "Về loài cú."
    build_seaeval("cross-logiqa", written(tmp_path, records), tmp_path / "out", languages=["vi"])
    assert [(item.item, item.group) for item in read_items(tmp_path / "out")] == [
        ("test_1", "test_1"),
        ("test_2", "test_1"),
        ("test_3", "test_3"),
    ]


def test_an_item_that_lacks_a_language_is_left_out_and_counted(tmp_path: Path) -> None:
    records = [record(1), record(2)]
    del records[0]["Vietnamese"]
    stage = build_seaeval("cross-mmlu", written(tmp_path, records), tmp_path / "out")
    assert {item.item for item in read_items(tmp_path / "out")} == {"test_2"}
    assert stage.manifest["skipped"] == {"missing_language:vi": 1}
    assert json.loads((tmp_path / "out" / "left_out.json").read_text()) == {"test_1": "missing_language:vi"}


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"answer": "(C) a bat"}, "English.answer", "(C) a bat"),
        ({"choices": ["a crow", "(B) a trout"]}, "English.choices", "'a crow' does not begin with (A)"),
        ({"choices": ["(A) a crow", "(C) a trout"]}, "English.choices", "does not begin with (B)"),
        ({"choices": "(A) a crow"}, "English.choices", "expected a list"),
        ({"question": None}, "English.question", "expected text"),
        ({"context": 3}, "English.context", "expected text"),
        ({"question": "wh\ud800"}, "English.question", "half of a character"),
        ({"choices": ["(A) a\ud800", "(B) b"]}, "English.choices", "half of a character"),
    ],
)
def test_a_malformed_item_is_an_error_with_its_row_and_field(
    change: dict[str, Any], field: str, words: str, tmp_path: Path
) -> None:
    file = written(tmp_path, [record(1), record(2, **change)])
    with refused(words, file=file, row=2, field=field):
        build_seaeval("cross-mmlu", file, tmp_path / "out")
    # A repaired file may be built in the same folder.
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ({}, "expected a list"),
        ([{"English": {}}], "id"),
        ([{**record(1), "id": "\ud800"}], "id"),
        ([record(1), record(1)], "duplicate id 'test_1'"),
        ([{**record(1), "Klingonese": {}}], "unknown language 'Klingonese'"),
        ([{**record(1), "en": {}}], "duplicate language en"),
    ],
)
def test_a_malformed_file_is_one_clear_error(records: Any, words: str, tmp_path: Path) -> None:
    with refused(words, file="cross_mmlu.json"):
        build_seaeval("cross-mmlu", written(tmp_path, records), tmp_path / "out")


def test_a_language_that_nothing_has_is_an_error_that_names_those_there_are(tmp_path: Path) -> None:
    with refused("'cross-mmlu' has no language th; it has: en, vi", field="languages", hint="choose"):
        build_seaeval(
            "cross-mmlu",
            written(tmp_path, [record(1), record(2)]),
            tmp_path / "out",
            languages=["th", "en"],
        )


def test_without_the_hub_the_error_names_source(tmp_path: Path) -> None:
    with refused("hub", hint="--source DIR"):
        build_seaeval("cross-mmlu", None, tmp_path / "out")


@pytest.mark.parametrize(("name", "items", "groups"), [("cross-mmlu", 150, 150), ("cross-logiqa", 176, 174)])
def test_the_published_files_are_whole_in_seven_languages(
    name: str, items: int, groups: int, tmp_path: Path
) -> None:
    if not DATA.exists():
        pytest.skip("SeaEval's files are not here")
    stage = build_seaeval(name, DATA, tmp_path)
    assert stage.manifest["skipped"] == {}
    assert stage.manifest["counts"]["languages"] == 7
    built = read_items(tmp_path)
    languages = ["en", "zh", "id", "es", "vi", "ms", "fil"]
    assert Counter(item.language for item in built) == dict.fromkeys(languages, items)
    assert len({item.group for item in built}) == groups
