"""The inventories of a benchmark: how they are built, shown, checked, and kept in its parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from crossin.bench.catalogue import build_named
from crossin.bench.check import check_bench
from crossin.bench.overlap import find_overlap
from crossin.core.formats import ENTITIES, ITEMS
from crossin.items.inventories import Inventory, read_inventories, write_inventories
from crossin.items.item import read_items, read_unchecked, write_items
from tests.bench.test_show import printed
from tests.helpers.errors import refused
from tests.helpers.mapping_files import jsonl, only, own

MAPPING: dict[str, Any] = {
    "question": "{question}",
    "files": ["{language}.jsonl"],
    "options": None,
    "answer": {"column": "answer", "form": "text", "aliases": "also"},
    "inventory": "{relation}",
}
ENGLISH = [("1", "capital", "Rome", ["Roma"]), ("2", "capital", "Rome", []), ("3", "capital", "Istanbul", [])]
VIETNAMESE: list[tuple[str, str, str, list[str]]] = [
    ("1", "capital", "La Mã", []),
    ("2", "capital", "Rôma", []),
    ("3", "capital", "Istanbul", []),
]


def rows(lines: list[tuple[str, str, str, list[str]]], **more: str) -> list[dict[str, Any]]:
    return [
        {"key": key, "relation": relation, "question": f"{key}?", "answer": answer, "also": also, **more}
        for key, relation, answer, also in lines
    ]


def bench(folder: Path, english: list[Any], vietnamese: list[Any], **entries: Any) -> Path:
    """A benchmark of these rows; `entries` of the mapping."""
    jsonl(folder / "en.jsonl", english)
    jsonl(folder / "vi.jsonl", vietnamese)
    stage = build_named(own(folder, **{**MAPPING, **entries}), folder / "out", source=folder)
    return stage.folder


def manifest_counts(folder: Path) -> dict[str, Any]:
    import json

    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["counts"]
    return found


def test_an_entity_has_the_names_of_its_items_in_each_language(tmp_path: Path) -> None:
    folder = bench(tmp_path, rows(ENGLISH), rows(VIETNAMESE))
    inventory = read_inventories(folder)["capital"]
    assert inventory.ids == ["Rome", "Istanbul"]
    assert inventory.names["Rome"] == {"en": ("Rome", "Roma"), "vi": ("La Mã", "Rôma")}
    items = read_items(folder)
    assert [(item.item, item.language, item.entity) for item in items[:2]] == [
        ("1", "en", "Rome"),
        ("1", "vi", "Rome"),
    ]
    assert manifest_counts(folder)["entities"] == {"capital": 2}
    assert manifest_counts(folder)["ambiguous_names"] == {}
    assert check_bench(folder).structural == 0


def test_the_most_frequent_reference_is_the_preferred_name(tmp_path: Path) -> None:
    vietnamese = [*VIETNAMESE, ("4", "capital", "Rôma", [])]
    folder = bench(tmp_path, rows([*ENGLISH, ("4", "capital", "Rome", [])]), rows(vietnamese))
    assert read_inventories(folder)["capital"].names["Rome"]["vi"] == ("Rôma", "La Mã")


def test_items_that_are_left_out_give_their_names_where_the_first_language_has_them(tmp_path: Path) -> None:
    english = [*ENGLISH, ("4", "capital", "Oslo", [])]
    vietnamese = [*VIETNAMESE, ("5", "capital", "Nobody's", [])]
    folder = bench(tmp_path, rows(english), rows(vietnamese))
    assert manifest_counts(folder)["items"] == 3
    assert read_inventories(folder)["capital"].names["Oslo"] == {"en": ("Oslo",)}
    assert "Nobody's" not in str(read_inventories(folder)["capital"].names)


def test_a_column_of_ids_decides_which_entity_it_is(tmp_path: Path) -> None:
    english = [
        {**row, "id": entity} for row, entity in zip(rows(ENGLISH), ("Q220", "Q220", "Q406"), strict=True)
    ]
    vietnamese = [
        {**row, "id": entity} for row, entity in zip(rows(VIETNAMESE), ("Q220", "Q220", "Q406"), strict=True)
    ]
    folder = bench(tmp_path, english, vietnamese, entity="{id}")
    assert read_inventories(folder)["capital"].ids == ["Q220", "Q406"]
    assert only(read_items(folder), "2", "vi").entity == "Q220"


def test_without_shared_items_ids_join_the_names(tmp_path: Path) -> None:
    english = [{**row, "id": row["answer"][:2]} for row in rows(ENGLISH)]
    vietnamese = [
        {**row, "id": entity} for row, entity in zip(rows(VIETNAMESE), ("Ro", "Ro", "Is"), strict=True)
    ]
    folder = bench(tmp_path, english, vietnamese, join="none", item=None, entity="{id}")
    assert read_inventories(folder)["capital"].names["Ro"] == {
        "en": ("Rome", "Roma"),
        "vi": ("La Mã", "Rôma"),
    }


def test_a_name_of_two_entities_is_counted(tmp_path: Path) -> None:
    vietnamese: list[tuple[str, str, str, list[str]]] = [
        ("1", "capital", "Rôma", []),
        ("2", "capital", "Rôma", []),
        ("3", "capital", "rôma", []),
    ]
    folder = bench(tmp_path, rows(ENGLISH), rows(vietnamese))
    assert manifest_counts(folder)["ambiguous_names"] == {"vi": 1}


def test_items_without_a_name_for_their_inventory_have_none(tmp_path: Path) -> None:
    english, vietnamese = (
        [{**row, "relation": "" if row["key"] == "3" else "capital"} for row in rows(lines)]
        for lines in (ENGLISH, VIETNAMESE)
    )
    folder = bench(tmp_path, english, vietnamese, task="places")
    assert (only(read_items(folder), "3", "en").inventory, only(read_items(folder), "3", "en").entity) == (
        "",
        "",
    )
    assert read_inventories(folder)["capital"].ids == ["Rome"]


def test_a_benchmark_without_inventories_has_no_file_of_them(tmp_path: Path) -> None:
    folder = bench(tmp_path, rows(ENGLISH), rows(VIETNAMESE), inventory="")
    assert not (folder / ENTITIES).exists()
    assert "entities" not in manifest_counts(folder)
    assert "inventory" not in pyarrow.parquet.read_schema(folder / ITEMS).names


@pytest.mark.parametrize(
    ("entries", "field", "words"),
    [
        ({"options": ["{a}", "{b}"], "answer": {"column": "x", "form": "letter"}}, "inventory", "free-text"),
        ({"answer": {"column": "answer", "form": "number"}}, "inventory", "free-text"),
        ({"inventory": "", "entity": "{id}"}, "entity", "part of an inventory"),
        ({"entity": "Rome"}, "entity", "names no column"),
        ({"inventory": "{{relation}}"}, "inventory", "two braces"),
        ({"join": "none", "item": None}, "inventory", "joined"),
        ({"inventory": "{relatoin}"}, "relatoin", "`inventory`"),
    ],
)
def test_what_contradicts_an_inventory_is_refused(
    tmp_path: Path, entries: dict[str, Any], field: str, words: str
) -> None:
    with refused(words, field=field):
        bench(tmp_path, rows(ENGLISH), rows(VIETNAMESE), **entries)


def test_show_names_the_entity_and_the_size_of_the_inventory(tmp_path: Path) -> None:
    folder = bench(tmp_path / "built", rows(ENGLISH), rows(VIETNAMESE))
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / ENTITIES).write_bytes((folder / ENTITIES).read_bytes())
    assert "entity: Rome, of 2 in the inventory capital" in printed(
        tmp_path / "shown", read_items(folder), "1"
    )


class TestCheck:
    """`bench check` compares items with the inventories beside them."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return bench(tmp_path, rows(ENGLISH), rows(VIETNAMESE))

    def reasons(self, folder: Path) -> set[tuple[str, str, str]]:
        return {
            (one.reason, one.language, one.item) for one in check_bench(folder).findings if one.structural
        }

    def test_an_inventory_that_is_not_there(self, folder: Path) -> None:
        (folder / ENTITIES).unlink()
        assert self.reasons(folder) >= {
            ("unknown_entity:inventory", "en", "1"),
            ("unknown_entity:inventory", "vi", "3"),
        }

    def test_an_entity_that_is_not_there(self, folder: Path) -> None:
        names = read_inventories(folder)["capital"].names
        write_inventories(folder / ENTITIES, [Inventory("capital", {"Rome": names["Rome"]})])
        assert self.reasons(folder) == {("unknown_entity:entity", code, "3") for code in ("en", "vi")}

    def test_an_entity_without_a_name_in_a_language(self, folder: Path) -> None:
        names = read_inventories(folder)["capital"].names
        changed = {**names, "Istanbul": {"en": ("Istanbul",)}}
        write_inventories(folder / ENTITIES, [Inventory("capital", changed)])
        assert self.reasons(folder) == {("entity_without_name", "vi", "3")}

    def test_an_item_with_another_entity_in_one_language(self, folder: Path) -> None:
        items = [
            replace(item, entity="Istanbul") if (item.item, item.language) == ("1", "vi") else item
            for item in read_unchecked(folder)
        ]
        write_items(folder / ITEMS, items)
        assert self.reasons(folder) == {("differs_by_language:entity", "vi", "1")}
        with refused(file=ITEMS, field="entity"):
            read_items(folder)


def test_a_file_of_entities_is_checked_as_it_is_read(tmp_path: Path) -> None:
    line = {"inventory": "capital", "entity": "Rome", "language": "en", "names": ["Rome"]}
    for wrong, row, field in (
        ([{**line, "entity": None}], 1, "entity"),
        ([line, {**line, "language": " "}], 2, "language"),
        ([{**line, "names": ["Rome", ""]}], 1, "names"),
        ([{**line, "names": None}], 1, "names"),
        ([line, line], 2, "entity"),
    ):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(wrong), tmp_path / ENTITIES)
        with refused(file=ENTITIES, row=row, field=field):
            read_inventories(tmp_path)


def test_the_parts_of_an_overlap_keep_the_inventories(tmp_path: Path) -> None:
    folder = bench(tmp_path / "one", rows(ENGLISH), rows(VIETNAMESE))
    other = bench(tmp_path / "two", rows(ENGLISH[2:]), rows(VIETNAMESE[2:]))
    find_overlap(folder, other, out=tmp_path / "parts")
    for part in ("clean", "contaminated"):
        assert read_inventories(tmp_path / "parts" / part)["capital"].ids == ["Rome", "Istanbul"]
        assert check_bench(tmp_path / "parts" / part).structural == 0


def test_own_names_are_read_from_the_file(tmp_path: Path) -> None:
    folder = bench(tmp_path, rows(ENGLISH), rows(VIETNAMESE))
    found = read_inventories(folder)
    names = {entity: dict(languages) for entity, languages in found["capital"].names.items()}
    names["Rome"]["en"] += ("the Eternal City",)
    write_inventories(folder / ENTITIES, [Inventory("capital", names)])
    assert read_inventories(folder)["capital"].names["Rome"]["en"] == ("Rome", "Roma", "the Eternal City")
    assert check_bench(folder).structural == 0
