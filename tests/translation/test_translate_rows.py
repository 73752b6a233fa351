"""Errors about the rows to translate name what `translate` has, and nothing of a recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.core.errors import CrossinError
from crossin.core.progress import silent
from crossin.translation.rows import SourceRows, read_rows
from tests.helpers.errors import refused

ROW = {"id": "1", "instruction": "Name a river.", "output": "The Nile."}


def read(path: Path, scratch: Path, **more: Any) -> SourceRows:
    return read_rows(path, "en", scratch, silent, columns={}, check=False, **more)


def test_a_missing_file_has_no_data_folder_and_no_key(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(ROW))
    with refused("similar names: rows.jsonl", file="rows.jsnl", hint="check the path") as caught:
        read(tmp_path / "rows.jsnl", tmp_path / "scratch")
    assert "`path`" not in str(caught.value)
    with refused("no such file", hint="check the path") as caught:
        read(tmp_path / "data.jsonl", tmp_path / "scratch")
    assert "rows.jsonl" not in caught.value.message
    assert "data folder" not in str(caught.value)


def test_a_path_below_the_working_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(ROW))
    monkeypatch.chdir(tmp_path)
    assert len(read(Path("rows.jsonl"), tmp_path / "scratch")) == 1


@pytest.mark.parametrize("each", [3, 20])
def test_the_one_file_of_a_folder_that_has_no_ids_is_named(tmp_path: Path, each: int) -> None:
    (tmp_path / "rows").mkdir()
    for number, name in enumerate("abc"):
        rows = [{**ROW, "id": None if name == "b" else f"{number}-{k}"} for k in range(each)]
        (tmp_path / "rows" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with refused(
        f"{each} of {each} en rows", "no id", file="b.jsonl", row=1, hint="give each row an id"
    ) as caught:
        read(tmp_path / "rows", tmp_path / "scratch", max_skipped=0.1)
    assert "--max-skipped 1" in str(caught.value.hint)
    assert "in the recipe" not in str(caught.value.hint)
    found = read(tmp_path / "rows", tmp_path / "scratch", max_skipped=1)
    assert (len(found), found.skipped) == (2 * each, {"missing_id:en": each})


def test_half_of_a_file_of_chats_that_are_too_long_stops_and_a_handful_is_told(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
    for chats in (20, 4):
        rows = [{"id": n, "conversations": turns * (1 + n % 2)} for n in range(chats)]
        (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        if chats == 20:
            with refused(
                "10 of 20", "more than one exchange", file="rows.jsonl", row=2, hint="first exchange"
            ):
                read(tmp_path / "rows.jsonl", tmp_path / "scratch", max_skipped=0.1, several=False)
    found = read(tmp_path / "rows.jsonl", tmp_path / "scratch", max_skipped=0.1, several=False)
    assert found.skipped == {"several_exchanges:en": 2}
    assert "rows.jsonl: 2 of 4 en rows" in found.notes[0]


def test_an_id_that_occurs_often_is_counted_with_every_row(tmp_path: Path) -> None:
    rows = [ROW, ROW, ROW, *({**ROW, "id": str(n)} for n in range(2, 60))]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert read(tmp_path / "rows.jsonl", tmp_path / "scratch").skipped == {"duplicate_id:en": 3}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        ["text"],
        [{"question": "a", "answer": "b"}],
        [{**ROW, "instruction": 3}],
        [{**ROW, "instruction": "a\0b"}],
        [{**ROW, "instruction": "a" * 1_000_001}],
        [{**ROW, "id": []}],
        [{"messages": "text"}],
        [{"messages": [{"content": "a"}]}],
        [{"id": "1", "messages": [{"role": "user", "content": "a"}]}],
        [{**ROW, "instruction": " "}],
    ],
)
def test_no_error_about_rows_sends_to_a_key_that_only_recipes_have(tmp_path: Path, rows: list[Any]) -> None:
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(CrossinError) as caught:
        read(tmp_path / "rows.jsonl", tmp_path / "scratch")
    hint = str(caught.value.hint).replace("a recipe may raise `longest_field`", "")
    assert [key for key in ("`path`", "`join", "longest_field", "data folder") if key in hint] == []
