from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossin.core.errors import CrossinError
from crossin.core.files import write_parquet
from crossin.core.formats import ITEMS
from crossin.items.item import Item, read_items, write_items
from tests.helpers.small_benches import changed, in_free_text, small_items, write_bench


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
        (lambda item: replace(item, question="  "), "question", "the question is empty"),
        (lambda item: replace(item, answer="D"), "answer", "'D' is none of the option ids"),
        (lambda item: replace(item, answer=""), "answer", "the answer is empty"),
        (lambda item: replace(item, group=""), "group", "the group is empty"),
        (lambda item: replace(item, options=["x", "X ", "y"]), "options", "two options are alike"),
        (lambda item: replace(item, options=["x", "", "y"]), "options", "an option is empty"),
        (lambda item: replace(item, options=["x", "y"]), "options", "not as many options as option ids"),
        (lambda item: replace(item, option_ids=["A", "B", "B"]), "option_ids", "an option id is there twice"),
        (
            lambda item: replace(item, options=item.options[:2], option_ids=["A", "B"]),
            "options",
            "item 'q1': 2 options in vi, 3 in en (row 2)",
        ),
        (
            lambda item: replace(item, option_ids=["B", "A", "C"]),
            "option_ids",
            "item 'q1': the option ids of vi are not those of en (row 2)",
        ),
        (lambda item: replace(item, answer="C"), "answer", "item 'q1': 'C' in vi, 'B' in en (row 2)"),
        (lambda item: replace(item, group="other"), "group", "item 'q1': another group in vi than in en"),
        (lambda item: replace(item, item="q0"), "language", "item 'q0' is here a second time in vi"),
        (in_free_text, "options", "item 'q1': 0 options in vi, 3 in en (row 2)"),
    ],
)
def test_what_cannot_be_asked_alike_is_an_error_with_its_row_and_field(
    change: Callable[[Item], Item], field: str, words: str, tmp_path: Path
) -> None:
    write_bench(tmp_path, changed("q1", "vi", change))
    with pytest.raises(CrossinError) as caught:
        read_items(tmp_path)
    assert (caught.value.row, caught.value.field) == (5, field)
    assert words in str(caught.value)
    assert str(tmp_path / ITEMS) in str(caught.value)
    assert "crossin bench check" in str(caught.value)


def test_a_file_without_items_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CrossinError, match="holds no items"):
        read_items(write_bench(tmp_path, []))


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("question", None, "is not text"), ("options", None, "not a list"), ("options", [None], "not a list")],
)
def test_a_cell_of_another_type_is_an_error(column: str, value: object, words: str, tmp_path: Path) -> None:
    import pyarrow

    lines = [vars(item) for item in small_items()]
    lines[3] = {**lines[3], column: value}
    write_parquet(tmp_path / ITEMS, pyarrow.Table.from_pylist(lines))
    with pytest.raises(CrossinError, match=words) as caught:
        read_items(tmp_path)
    assert (caught.value.row, caught.value.field) == (4, column)


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
