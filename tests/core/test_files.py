from __future__ import annotations

from pathlib import Path

import pyarrow
import pytest

from crossin.core.errors import CrossinError
from crossin.core.files import (
    read_json,
    read_parquet,
    read_yaml,
    sha256,
    write_json,
    write_parquet,
    write_text,
)
from tests.helpers.full_disk import full_disk


def test_an_error_names_file_row_field_and_fix() -> None:
    error = CrossinError("is empty", file="a.json", row=3, field="output", hint="fill it")
    assert str(error) == "a.json, row 3, field 'output': is empty. Hint: fill it"


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_write_that_the_system_refuses_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    with full_disk(), pytest.raises(CrossinError, match=r"a\.txt: cannot write: .*--out"):
        write_text(tmp_path / "a.txt", "new" * 1000)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(CrossinError, match=r"/proc/nowhere/a\.json: cannot write"):
        write_json(Path("/proc/nowhere/a.json"), {})


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    table = pyarrow.Table.from_pylist([{"id": "a", "text": "ไทย"}])
    write_parquet(tmp_path / "a.parquet", table)
    write_parquet(tmp_path / "b.parquet", table)
    assert sha256(tmp_path / "a.parquet") == sha256(tmp_path / "b.parquet")


def test_bad_files_are_named_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{\n"a": }')
    with pytest.raises(CrossinError, match=r"a\.json, row 2: is not JSON"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.yaml").write_text("a: 1\nb: [")
    with pytest.raises(CrossinError, match=r"a\.yaml, row 2: is not YAML"):
        read_yaml(tmp_path / "a.yaml")
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(CrossinError, match=r"a\.parquet: cannot be read as Parquet"):
        read_parquet(tmp_path / "a.parquet", ["id"])
    write_parquet(tmp_path / "b.parquet", pyarrow.table({"id": ["a"]}))
    with pytest.raises(CrossinError, match=r"b\.parquet, field 'text': lacks this column"):
        read_parquet(tmp_path / "b.parquet", ["text"])


def test_parquet_that_is_damaged_within_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    write_parquet(path, pyarrow.table({"id": [str(number) for number in range(5000)]}))
    damaged = bytearray(path.read_bytes())
    damaged[100:2000] = bytes(1900)
    path.write_bytes(damaged)
    with pytest.raises(CrossinError, match=r"c\.parquet: cannot be read as Parquet"):
        read_parquet(path, ["id"])


def test_json_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("\ufeff[1]", encoding="utf-8")
    assert read_json(tmp_path / "a.json") == [1]
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(CrossinError, match="not UTF-8"):
        read_yaml(tmp_path / "c.yaml")
