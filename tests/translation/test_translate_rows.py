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
    assert "data folder" not in str(caught.value)


def test_a_path_below_the_working_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(ROW))
    monkeypatch.chdir(tmp_path)
    assert len(read(Path("rows.jsonl"), tmp_path / "scratch")) == 1


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
