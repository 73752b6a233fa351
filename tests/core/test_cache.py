from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from crossin.core.cache import Cache
from crossin.core.errors import CrossinError
from crossin.core.files import sha256_of_value

# Puts pairs until it is killed, and tells after each that it is done.
WRITER = """
import itertools, sys
from pathlib import Path
from crossin.core.cache import Cache
store = Cache(Path(sys.argv[1]))
for number in itertools.count():
    store.put({f"{sys.argv[2]}/{number}/{part}": {"number": number, "text": "x" * 500} for part in range(20)})
    print(number, flush=True)
"""
# Puts its own pairs and one that all writers have.
BRIEF_WRITER = """
import sys
from pathlib import Path
from crossin.core.cache import Cache
for number in range(40):
    with Cache(Path(sys.argv[1])) as store:
        store.put({f"{sys.argv[2]}/{number}": number, f"shared/{number}": sys.argv[2]})
"""


def test_what_is_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    values: dict[str, object] = {"a": {"logprobs": [-1.25, None, -3e-17]}, "b": "ตอบ", "c": [], "d": None}
    with Cache(tmp_path / "deep" / "store.sqlite") as store:
        store.put(values)
    with Cache(tmp_path / "deep" / "store.sqlite") as store:
        assert store.get(["a", "b", "c", "d", "e"]) == values
        assert store.get([]) == {}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["store.sqlite"]


def test_more_keys_than_one_question_takes(tmp_path: Path) -> None:
    values = {sha256_of_value(number): number for number in range(5000)}
    with Cache(tmp_path / "store") as store:
        store.put(values)
        assert store.get([*values, "not here", *values]) == values


def test_a_key_keeps_its_first_value(tmp_path: Path) -> None:
    with Cache(tmp_path / "store") as store:
        store.put({"a": 1})
        store.put({"a": 2, "b": 2})
        assert store.get("ab") == {"a": 1, "b": 2}


def test_a_put_that_fails_leaves_nothing_and_the_next_works(tmp_path: Path) -> None:
    with Cache(tmp_path / "store") as store:
        with pytest.raises(TypeError):
            store.put({"a": 1, "b": object()})
        assert store.get("a") == {}
        store.put({"c": 3})
        assert store.get("c") == {"c": 3}


def test_killed_while_it_writes_it_has_all_that_was_put(tmp_path: Path) -> None:
    for name in "one", "two", "three":
        command = [sys.executable, "-c", WRITER, str(tmp_path / "store"), name]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        last = [int(writer.stdout.readline()) for _ in range(30)][-1]
        os.kill(writer.pid, signal.SIGKILL)
        told = writer.communicate()[0].split()
        last = int(told[-1]) if told else last
        with Cache(tmp_path / "store") as store:
            for number in range(last + 1):
                found = store.get(f"{name}/{number}/{part}" for part in range(20))
                assert len(found) == 20
                assert all(value["number"] == number for value in found.values())
            # What was cut off is there as a whole or not at all.
            assert len(store.get(f"{name}/{last + 1}/{part}" for part in range(20))) in (0, 20)


def test_processes_share_a_file_from_its_first_moment(tmp_path: Path) -> None:
    names = [f"writer{number}" for number in range(4)]
    command = [sys.executable, "-c", BRIEF_WRITER, str(tmp_path / "store")]
    writers = [subprocess.Popen([*command, name], stderr=subprocess.PIPE, text=True) for name in names]
    for writer in writers:
        errors = writer.communicate()[1]
        assert writer.returncode == 0, errors
    with Cache(tmp_path / "store") as store:
        assert len(store.get(f"{name}/{number}" for name in names for number in range(40))) == 160
        shared = store.get(f"shared/{number}" for number in range(40))
        assert len(shared) == 40
        assert set(shared.values()) <= set(names)


@pytest.mark.parametrize("content", [b"a text, " * 100, b"x"])
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store").write_bytes(content)
    with pytest.raises(CrossinError, match="is damaged"):
        Cache(tmp_path / "store")
    assert (tmp_path / "store").read_bytes() == content


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    with Cache(tmp_path / "store") as store:
        store.put({sha256_of_value(number): "x" * 100 for number in range(1000)})
    whole = (tmp_path / "store").read_bytes()
    (tmp_path / "store").write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(CrossinError, match="store: is damaged"), Cache(tmp_path / "store") as store:
        store.get(map(sha256_of_value, range(1000)))


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "bookmarks")
    other.execute("CREATE TABLE pairs (key, value)")
    other.close()
    before = (tmp_path / "bookmarks").read_bytes()
    with pytest.raises(CrossinError, match="bookmarks: is another program's database"):
        Cache(tmp_path / "bookmarks")
    assert (tmp_path / "bookmarks").read_bytes() == before


def test_a_later_form_of_store_is_refused(tmp_path: Path) -> None:
    Cache(tmp_path / "store").close()
    later = sqlite3.connect(tmp_path / "store")
    later.execute("PRAGMA user_version = 2")
    later.close()
    with pytest.raises(CrossinError, match="later version"):
        Cache(tmp_path / "store")


def test_a_place_where_no_file_can_be_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CrossinError, match="cannot be used: unable to open"):
        Cache(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(CrossinError, match="cannot write"):
        Cache(tmp_path / "file" / "store")


def test_keys_do_not_depend_on_the_order_of_a_dict() -> None:
    assert sha256_of_value({"a": 1, "b": "ü"}) == sha256_of_value({"b": "ü", "a": 1})
    assert sha256_of_value({"a": 1}) != sha256_of_value({"a": "1"})
