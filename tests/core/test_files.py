from __future__ import annotations

import ast
import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow
import pytest
from safetensors.numpy import save_file

from crossin.core.errors import CrossinError
from crossin.core.files import (
    atomic_path,
    copy_file,
    read_json,
    read_parquet,
    read_yaml,
    sha256,
    sync,
    write_json,
    write_parquet,
    write_text,
    writing,
)
from crossin.models.weights import writing_weights
from tests.helpers.disk_log import DiskLog
from tests.helpers.errors import refused
from tests.helpers.full_disk import full_disk
from tests.helpers.paths import ROOT


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


def missing(folder: Path) -> None:
    (folder / "in" / "none.json").read_text()


def a_folder(folder: Path) -> None:
    (folder / "in").read_text()


def forbidden(folder: Path) -> None:
    # Root may read everything, so the system's answer to others is raised.
    raise PermissionError(errno.EACCES, "Permission denied", str(folder / "in" / "none.json"))


def vanished(folder: Path) -> None:
    (folder / "in" / "none.json").replace(folder / "in" / "other.json")


READS: dict[Callable[[Path], None], str] = {
    missing: "in/none.json",
    a_folder: "in",
    forbidden: "in/none.json",
    vanished: "in/none.json",
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("how", [writing, atomic_path])
def test_a_failed_read_within_a_write_names_the_file_that_was_read(
    how: Callable[[Path], AbstractContextManager[object]], read: Callable[[Path], None], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    with refused("cannot be read", file=READS[read], hint="check the path"), how(tmp_path / "out" / "a.json"):
        read(tmp_path)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_a_disk_error_while_a_file_is_copied_names_that_file(tmp_path: Path) -> None:
    # Its first byte cannot be read: an I/O error, which names no file.
    with refused("cannot be read", "Input/output error", file="/proc/self/mem"):
        copy_file(Path("/proc/self/mem"), tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []
    write_text(tmp_path / "source", "text" * 1000)
    with full_disk(), refused("cannot write", file=tmp_path / "copy"):
        copy_file(tmp_path / "source", tmp_path / "copy")


@pytest.mark.parametrize("name", ["a.json", "a.json/below", ".a.json.12ab.tmp", "a.json-journal", ""])
def test_a_failed_write_is_still_one_to_its_target(name: str, tmp_path: Path) -> None:
    error = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / name))
    with refused("cannot write: Permission denied", file="a.json"), writing(tmp_path / "a.json"):
        raise error
    with refused("cannot write: No space left", file="a.json"), writing(tmp_path / "a.json"):
        raise OSError(errno.ENOSPC, "No space left on device")
    # A path that is spelled in another way.
    (tmp_path / "link").symlink_to(tmp_path)
    with refused("cannot write", file="a.json"), writing(tmp_path / "link" / "a.json"):
        raise error


def write_weights(path: Path) -> None:
    # Safetensors replaces the file by one of its own.
    with atomic_path(path) as temporary, writing_weights(path):
        save_file({"a": np.zeros(3, np.float32)}, temporary)


def write_folder_of_weights(path: Path) -> None:
    with writing_weights(path.parent):
        save_file({"a": np.zeros(3, np.float32)}, path.with_suffix(".safetensors"))
        path.with_suffix(".safetensors").replace(path.with_name("b.safetensors"))
    path.with_name("b.safetensors").rename(path)


def copy_private(path: Path) -> None:
    (path.parent / "source").touch(0o600)
    copy_file(path.parent / "source", path)


WRITERS: list[Callable[[Path], None]] = [
    lambda path: write_text(path, "a"),
    lambda path: write_json(path, {}),
    lambda path: write_parquet(path, pyarrow.table({"a": [1]})),
    write_weights,
    write_folder_of_weights,
    copy_private,
]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
@pytest.mark.parametrize("write", WRITERS)
def test_files_get_the_users_usual_mode_and_threads_leave_the_umask_alone(
    write: Callable[[Path], None], umask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(umask)
    changed: list[int] = []
    try:
        with monkeypatch.context() as patched:
            patched.setattr(os, "umask", changed.append)
            thread = Thread(target=write, args=(tmp_path / "a",))
            thread.start()
            thread.join()
    finally:
        assert os.umask(before) == umask
    assert changed == []
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~umask


def test_nothing_in_the_source_changes_the_umask() -> None:
    calls = [
        path
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "umask"
    ]
    assert calls == []


def test_a_file_and_its_name_are_on_the_disk_and_so_are_new_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DiskLog(monkeypatch)
    path = tmp_path / "new" / "newer" / "a.json"
    write_json(path, {})
    assert log.is_safe(path)
    named = log.place("rename", path)
    assert min(log.syncs(tmp_path)) < named and min(log.syncs(tmp_path / "new")) < named
    log.events.clear()
    write_json(path, {"replaced": True})
    assert log.is_safe(path)


@pytest.mark.parametrize(("code", "fails"), [(errno.EINVAL, False), (errno.EACCES, False), (errno.EIO, True)])
def test_a_file_system_without_synced_folders_is_written_and_a_failing_disk_is_not(
    code: int, fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def refuse_folders(handle: int) -> None:
        if Path(f"/dev/fd/{handle}").is_dir():
            raise OSError(code, os.strerror(code))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    if fails:
        with refused("cannot write", file="a.txt"):
            write_text(tmp_path / "a.txt", "a")
        return
    write_text(tmp_path / "a.txt", "a")
    sync(tmp_path)
    assert (tmp_path / "a.txt").read_text() == "a"
