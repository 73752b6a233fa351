"""Entries by keys with dots: in mappings and lists, with the nearest where a key leads nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from crossin.core.entries import changed, get, put, remove
from crossin.core.errors import CrossinError
from crossin.core.settings import Settings, exists_in, need_entry, setting


def recipe() -> dict[str, Any]:
    return {
        "name": "dishes",
        "languages": ["en", "sw"],
        "components": [
            {"kind": "base", "rows": 40},
            {"kind": "x2x", "rows": 30},
            {"kind": "trans", "name": "backwards", "rows": 20},
            {"kind": "trans", "corpus": "menus", "rows": 10},
        ],
    }


@pytest.mark.parametrize(
    ("key", "number"),
    [
        ("components.base.rows", 0),
        ("components.x2x/questions.rows", 1),
        ("components.1.rows", 1),
        ("components.backwards.rows", 2),
        ("components.trans/menus.rows", 3),
    ],
)
def test_an_element_is_named_by_number_name_kind_or_kind_and_corpus(key: str, number: int) -> None:
    entries = recipe()
    found = put(entries, key, 7)
    assert found["components"][number]["rows"] == get(found, key) == 7
    assert entries == recipe()
    assert "rows" not in remove(entries, key)["components"][number]


def test_two_elements_of_a_kind_are_told_by_a_name_or_number() -> None:
    with pytest.raises(CrossinError, match="elements 2 and 3") as error:
        put(recipe(), "components.trans.rows", 1)
    assert "backwards" in str(error.value.hint) and "trans/menus" in str(error.value.hint)


def test_the_only_corpus_of_a_recipe_is_that_of_its_components() -> None:
    entries = recipe() | {"corpora": {"plays": {}}}
    assert get(entries, "components.x2x/plays.rows") == 30
    with pytest.raises(CrossinError, match="x2x/questions"):
        get(entries, "components.x2x/questions.rows")


def test_an_element_can_be_replaced_and_removed() -> None:
    assert put(recipe(), "languages.sw", "yo")["languages"] == ["en", "yo"]
    assert [one["kind"] for one in remove(recipe(), "components.x2x")["components"]] == [
        "base",
        "trans",
        "trans",
    ]


def test_mappings_on_the_way_are_made_and_merged() -> None:
    assert put({}, "method.lora.rank", 4) == {"method": {"lora": {"rank": 4}}}
    assert put({"pairs": None}, "pairs.share", 0.5) == {"pairs": {"share": 0.5}}
    assert put({"pairs": {"share": 0.1, "items": "x"}}, "pairs", {"share": 0.5}) == {
        "pairs": {"share": 0.5, "items": "x"}
    }


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("components.x2xx.rows", "'x2x'"),
        ("components.backward.rows", "backwards"),
        ("components.9.rows", "base/questions"),
        ("languages.zz", "en, sw"),
    ],
)
def test_an_element_that_is_not_there_is_an_error_with_the_nearest(key: str, near: str) -> None:
    with pytest.raises(CrossinError) as error:
        put(recipe(), key, 1)
    assert near in str(error.value.hint)


@pytest.mark.parametrize("key", ["nam", "components.x2x.row", "name.first"])
def test_what_is_not_there_cannot_be_read_or_removed(key: str) -> None:
    for function in (get, remove):
        with pytest.raises(CrossinError):
            function(recipe(), key)


def test_nothing_is_put_inside_of_a_text_or_number() -> None:
    with pytest.raises(CrossinError, match="'dishes'"):
        put(recipe(), "name.first", "a")


@pytest.mark.parametrize("key", ["", ".", "a..b", "a."])
def test_a_key_with_an_empty_name_is_an_error(key: str) -> None:
    with pytest.raises(CrossinError):
        put({"a": {}}, key, 1)


def test_the_longest_name_that_is_there_counts() -> None:
    entries = {"sources": {"qwen2.5": {"make": "teach"}, "qwen2": {"5": {"make": "facts"}}}}
    assert put(entries, "sources.qwen2.5.make", "x")["sources"]["qwen2.5"] == {"make": "x"}


def test_changes_merge_mappings_and_lead_inside_of_lists() -> None:
    found = changed(recipe(), {"name": "menus", "components.x2x.rows": 1, "components.base": {"epochs": 2}})
    assert found["name"] == "menus"
    assert found["components"][:2] == [{"kind": "base", "rows": 40, "epochs": 2}, {"kind": "x2x", "rows": 1}]


class _Oven(Settings):
    heat: float = 180.0
    shelves: list[int] = setting([])


class _Kitchen(Settings):
    oven: _Oven | None = None
    ovens: dict[str, _Oven] = setting({})
    rows: tuple[_Oven, ...] = ()
    free: dict[str, Any] = setting({})


@pytest.mark.parametrize(
    "key", ["oven", "oven.heat", "ovens.old.heat", "rows.0.shelves.1", "rows.any.heat", "free.a.b.c"]
)
def test_a_setting_with_a_default_is_an_entry_that_exists(key: str) -> None:
    assert exists_in(_Kitchen, key)
    need_entry(_Kitchen, {"rows": [{"name": "any", "shelves": [1, 2]}]}, key)


@pytest.mark.parametrize(
    ("key", "near"),
    [("ovn.heat", "oven"), ("oven.heet", "heat"), ("ovens.a.heet", "heat"), ("heat", "oven.heat")],
)
def test_an_entry_that_no_setting_has_is_an_error_with_the_nearest(key: str, near: str) -> None:
    assert not exists_in(_Kitchen, key)
    with pytest.raises(CrossinError) as error:
        need_entry(_Kitchen, {}, key)
    assert f"'{near}'" in str(error.value.hint)


def test_an_element_that_the_file_lacks_is_no_entry() -> None:
    with pytest.raises(CrossinError, match="third"):
        need_entry(_Kitchen, {"rows": [{"name": "first"}]}, "rows.third.heat")
