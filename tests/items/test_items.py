from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossin.core.files import write_parquet
from crossin.core.formats import ITEMS
from crossin.items.item import Item, read_items, read_unchecked, write_items
from tests.helpers.errors import refused
from tests.helpers.nature_items import changed, in_free_text, small_items, write_bench


def test_items_read_back_as_they_were_from_the_file_and_from_the_folder(tmp_path: Path) -> None:
    write_bench(tmp_path, small_items())
    assert read_items(tmp_path) == read_items(tmp_path / ITEMS) == small_items()


def test_an_item_in_free_text_has_a_reference_for_an_answer_its_own_in_each_language(tmp_path: Path) -> None:
    free = [in_free_text(item) for item in small_items()]
    read = read_items(write_bench(tmp_path, free))
    assert read == free
    assert all(item.free_text for item in read)
    assert {item.answer for item in read if item.item == "q0"} == {"a dog", "con chó", "สุนัข"}


def test_an_item_may_lack_a_language(tmp_path: Path) -> None:
    fewer = [item for item in small_items() if (item.item, item.language) != ("q1", "th")]
    assert read_items(write_bench(tmp_path, fewer)) == fewer


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        (lambda item: replace(item, question="  "), "question", "empty"),
        (lambda item: replace(item, answer="D"), "answer", ": D."),
        (lambda item: replace(item, answer=""), "answer", "empty"),
        (lambda item: replace(item, group=""), "group", "empty"),
        (lambda item: replace(item, options=["x", "X ", "y"]), "options", "alike"),
        (lambda item: replace(item, options=["x", "", "y"]), "options", "empty"),
        (lambda item: replace(item, options=["x", "y"]), "options", "option ids"),
        (lambda item: replace(item, option_ids=["A", "B", "B"]), "option_ids", "twice"),
        (
            lambda item: replace(item, options=item.options[:2], option_ids=["A", "B"]),
            "options",
            "vi: 2, en: 3; see row 2",
        ),
        (lambda item: replace(item, option_ids=["B", "A", "C"]), "option_ids", "see row 2"),
        (lambda item: replace(item, answer="C"), "answer", "vi: C, en: B; see row 2"),
        (lambda item: replace(item, group="other"), "group", "vi: other, en: q1"),
        (lambda item: replace(item, item="q0"), "language", "twice"),
        (in_free_text, "options", "vi: 0, en: 3; see row 2"),
    ],
)
def test_what_cannot_be_asked_alike_is_an_error_with_its_row_and_field(
    change: Callable[[Item], Item], field: str, words: str, tmp_path: Path
) -> None:
    write_bench(tmp_path, changed("q1", "vi", change))
    with refused("item 'q", words, file=tmp_path / ITEMS, row=5, field=field, hint="crossin bench check"):
        read_items(tmp_path)


def test_a_file_without_items_is_an_error(tmp_path: Path) -> None:
    with refused("no items", file=ITEMS):
        read_items(write_bench(tmp_path, []))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("question", None, "text"), ("options", None, "list"), ("options", [None], "list")],
)
def test_a_cell_of_another_type_is_an_error(column: str, value: object, words: str, tmp_path: Path) -> None:
    import pyarrow

    lines = [vars(item) for item in small_items()]
    lines[3] = {**lines[3], column: value}
    write_parquet(tmp_path / ITEMS, pyarrow.Table.from_pylist(lines))
    with refused("expected", words, row=4, field=column):
        read_items(tmp_path)


TEXT = st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(TEXT, min_size=2, max_size=6, unique_by=lambda text: text.strip().casefold()), TEXT, st.text()
)
def test_any_text_reads_back(
    tmp_path_factory: pytest.TempPathFactory, options: list[str], question: str, context: str
) -> None:
    file = tmp_path_factory.mktemp("any") / ITEMS
    context = context.encode(errors="ignore").decode()
    ids = [str(number) for number in range(len(options))]
    item = Item("i", "g", "", "vi", context, question, options, ids, ids[-1], "", "")
    write_items(file, [item])
    assert read_items(file) == [item]


def test_optional_columns_are_written_only_where_an_item_uses_them(tmp_path: Path) -> None:
    rich = ("gap", "aliases", "answer_type", "origin")
    plain = small_items()
    used = [
        replace(one, gap="____", aliases=["x"], answer_type="number", origin="pt") for one in small_items()
    ]

    write_items(tmp_path / "plain.parquet", plain)
    write_items(tmp_path / "used.parquet", used)

    assert not set(rich) & set(pyarrow.parquet.read_schema(tmp_path / "plain.parquet").names)
    assert read_unchecked(tmp_path / "plain.parquet") == plain
    assert read_unchecked(tmp_path / "used.parquet") == used


def test_an_unknown_answer_type_is_an_error(tmp_path: Path) -> None:
    wrong: Any = "colour"
    write_items(tmp_path / "items.parquet", [replace(one, answer_type=wrong) for one in small_items()])
    with refused(r"text or number", file=tmp_path / "items.parquet", field="answer_type"):
        read_unchecked(tmp_path / "items.parquet")
