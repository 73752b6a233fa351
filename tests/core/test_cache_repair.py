from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest

from crossin.core import cache_repair
from crossin.core.cache import Cache
from crossin.core.cache_repair import rebuild_if_damaged
from crossin.core.files import sha256_of_value
from tests.helpers.disk_log import DiskLog

PAIRS = {sha256_of_value(number): {"text": f"{number} " * 300} for number in range(2000)}
# Finds the cache damaged, says so, and repairs it when it may; then adds an answer.
REPAIRING = """
import sys
from pathlib import Path
from crossin.core import cache_repair
from crossin.core.cache import Cache
path, number = Path(sys.argv[1]), sys.argv[2]
look, looked = cache_repair._is_sound, []
def slow_look(path):
    sound = look(path)
    if not looked:
        looked.append(sound)
        print("sound" if sound else "damaged", flush=True)
        sys.stdin.readline()
    return sound
cache_repair._is_sound = slow_look
message = cache_repair.rebuild_if_damaged(path)
with Cache(path) as cache:
    cache.put({f"new {number}": number})
print("repaired" if message else "found repaired", flush=True)
"""


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A cache with two pages in the middle that cannot be read."""
    path = tmp_path / "store.sqlite"
    with Cache(path) as store:
        store.put(PAIRS)
    assert rebuild_if_damaged(path) is None
    damage(path)
    return path


def damage(path: Path) -> bytes:
    content = bytearray(path.read_bytes())
    for page in (len(content) // 8192, len(content) // 16384):
        content[page * 4096 : (page + 1) * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    return bytes(content)


def answers(path: Path) -> dict[str, object]:
    with Cache(path) as store:
        found = store.get(PAIRS)
    assert all(PAIRS[key] == value for key, value in found.items())
    return found


def test_a_damaged_cache_is_rebuilt_from_what_can_be_read(damaged: Path) -> None:
    content = damaged.read_bytes()
    told = rebuild_if_damaged(damaged)
    assert told is not None and "was damaged" in told
    assert rebuild_if_damaged(damaged) is None
    found = answers(damaged)
    assert f"{len(found):,} answers were recovered" in told
    assert 1900 < len(found) < 2000
    assert damaged.with_name("store.sqlite.damaged").read_bytes() == content


def test_an_earlier_damaged_file_is_kept(damaged: Path) -> None:
    contents = [damaged.read_bytes()]
    rebuild_if_damaged(damaged)
    contents.append(damage(damaged))
    told = rebuild_if_damaged(damaged)
    assert told is not None and told.endswith("store.sqlite.damaged1")
    names = ["store.sqlite", "store.sqlite.damaged", "store.sqlite.damaged1"]
    assert sorted(path.name for path in damaged.parent.iterdir()) == names
    assert [damaged.with_name(name).read_bytes() for name in names[1:]] == contents


def test_of_several_processes_one_repairs_and_all_keep_their_answers(damaged: Path) -> None:
    command = [sys.executable, "-c", REPAIRING, str(damaged)]
    processes = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "damaged\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate()[0] for process in processes]
    assert sorted(told) == ["found repaired\n"] * 3 + ["repaired\n"]
    assert len(answers(damaged)) > 1900
    with Cache(damaged) as cache:
        assert cache.get(f"new {number}" for number in range(4)) == {f"new {n}": str(n) for n in range(4)}
    assert sorted(path.name for path in damaged.parent.iterdir()) == ["store.sqlite", "store.sqlite.damaged"]


def test_the_cache_is_never_missing_while_it_is_repaired(
    damaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DiskLog(monkeypatch)
    seen: list[bool] = []
    aside = cache_repair._set_aside

    def looking(path: Path) -> Path:
        found = aside(path)
        seen.append(path.exists())
        return found

    monkeypatch.setattr(cache_repair, "_set_aside", looking)
    rebuild_if_damaged(damaged)
    assert seen == [True]
    # SQLite has synced the file itself; its name is ours to sync.
    assert log.place("rename", damaged) < max(log.syncs(damaged.parent))


def test_a_file_system_without_hard_links_keeps_a_copy(
    damaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    content = damaged.read_bytes()
    assert rebuild_if_damaged(damaged) is not None
    assert damaged.with_name("store.sqlite.damaged").read_bytes() == content


def test_threads_repair_once_too(damaged: Path) -> None:
    told: list[str | None] = []
    start = Barrier(4)

    def repair() -> None:
        start.wait()
        told.append(rebuild_if_damaged(damaged))

    threads = [Thread(target=repair) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 4 and sum(message is not None for message in told) == 1
    assert len(answers(damaged)) > 1900


def test_a_sound_cache_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with Cache(path) as store:
        store.put({"a": 1})
        assert rebuild_if_damaged(path) is None
        store.put({"b": 2})
        assert store.get(["a", "b"]) == {"a": 1, "b": 2}
    assert [one.name for one in tmp_path.iterdir()] == ["store.sqlite"]


def test_another_programs_file_is_not_rebuilt(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    assert rebuild_if_damaged(path) is None
    assert path.read_text() == "mine"
    sqlite3.connect(tmp_path / "other").execute("CREATE TABLE a (b)").connection.close()
    assert rebuild_if_damaged(tmp_path / "other") is None
