from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossin.core.files import write_json, write_text
from crossin.core.user_cache import (
    CacheEntry,
    cache_entries,
    cache_home,
    limit_checks,
    limit_tokens,
    remove_entry,
    token_limit,
    use,
)
from tests.helpers.errors import refused

HOURS = 3600
# Uses a folder of the cache until its input ends.
USING = """
import sys
from pathlib import Path
from crossin.core.user_cache import use
print(use(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_tokens(home: Path, name: str, size: int, hours_ago: float) -> Path:
    path = home / "tokens" / name
    write_text(path, "x" * size)
    used = time.time() - hours_ago * HOURS
    os.utime(path, (used, used))
    return path


def write_model(home: Path, name: str = "owner/name") -> Path:
    folder = home / "models" / name.replace("/", "--")
    write_text(folder / "model.safetensors", "x" * 1000)
    write_json(folder / "manifest.json", {"model": name, "sizes": {}})
    return folder


def entry(name: str) -> CacheEntry:
    return next(one for one in cache_entries() if name in (one.name, one.cache))


def test_an_empty_cache_has_no_entries(home: Path) -> None:
    assert (cache_home(), cache_entries()) == (home, [])


def test_models_and_tokens_are_listed_with_size_and_last_use(home: Path) -> None:
    write_model(home)
    write_text(home / "models" / ".owner--other.unfinished" / "model" / "part", "x" * 10)
    write_text(home / "models" / ".owner--name.lock", "")
    write_tokens(home, "a.parquet", 100, 5)
    latest = write_tokens(home, "b.parquet", 200, 3)
    found = {(one.cache, one.name): one for one in cache_entries()}
    names = {("models", "owner/name"), ("models", "owner/other (unfinished)"), ("tokens", "2 files")}
    assert set(found) == names
    assert found["tokens", "2 files"].size == 300
    assert found["tokens", "2 files"].used == pytest.approx(latest.stat().st_mtime)
    assert 1000 < found["models", "owner/name"].size < 1100


def test_what_was_used_longest_ago_makes_room(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_TOKEN_CACHE_GB", "0.000001")
    old, older, recent, used = (
        write_tokens(home, f"{name}.parquet", 400, age)
        for name, age in (("old", 3), ("older", 4), ("recent", 1), ("used", 5))
    )
    limit_tokens(used)
    assert not old.exists() and not older.exists()
    assert recent.exists() and used.exists()


def test_alignment_checks_have_a_limit_of_their_own(home: Path) -> None:
    old, used = (home / "alignment" / f"{name}.parquet" for name in ("old", "used"))
    for path, age in ((old, 3), (used, 5)):
        write_text(path, "")
        os.truncate(path, 70_000_000)
        os.utime(path, (time.time() - age * HOURS,) * 2)
    tokens = write_tokens(home, "a.parquet", 100, 9)
    limit_checks(used)
    assert used.exists() and not old.exists() and tokens.exists()


def test_a_file_larger_than_the_limit_does_not_stay(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_TOKEN_CACHE_GB", "0.0000001")
    limit_tokens(write_tokens(home, "a.parquet", 200, 0))
    assert list((home / "tokens").iterdir()) == []


def test_what_a_process_is_writing_stays_and_what_a_killed_one_left_goes(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = write_tokens(home, ".a.parquet.12.tmp", 2000, 1)
    left = write_tokens(home, ".b.parquet.12.tmp", 10, 25)
    limit_tokens(write_tokens(home, "c.parquet", 10, 0))
    assert writing.exists() and not left.exists()
    monkeypatch.setenv("CROSSIN_TOKEN_CACHE_GB", "0")
    limit_tokens(write_tokens(home, "c.parquet", 10, 0))
    assert writing.exists()
    assert not remove_entry(entry("tokens"))
    assert writing.exists()


@pytest.mark.parametrize("text", ["much", "-1", "inf", "nan", "5GB"])
def test_a_limit_that_is_not_a_number_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_TOKEN_CACHE_GB", text)
    with refused("gigabytes", text, field="CROSSIN_TOKEN_CACHE_GB", hint="CROSSIN_TOKEN_CACHE_GB=2"):
        token_limit()


@pytest.mark.parametrize(("text", "limit"), [("", 5_000_000_000), ("0.5", 500_000_000), ("0", 0)])
def test_the_limit_is_in_gigabytes(text: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_TOKEN_CACHE_GB", text)
    assert token_limit() == limit


def test_a_model_that_another_process_uses_is_not_removed(home: Path) -> None:
    folder = write_model(home)
    command = [sys.executable, "-c", USING, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "True\n"
    assert not remove_entry(entry("owner/name"))
    assert (folder / "model.safetensors").exists()
    process.communicate()
    assert remove_entry(entry("owner/name"))
    assert list((home / "models").iterdir()) == []


def test_a_model_that_is_gone_is_not_used(home: Path) -> None:
    folder = write_model(home)
    assert use(folder) and use(folder)
    assert not use(folder.with_name("none"))


def test_a_download_that_runs_is_not_removed(home: Path) -> None:
    write_text(home / "models" / ".owner--name.unfinished" / "model" / "part", "part")
    write_text(home / "models" / ".owner--name.lock", "")
    command = [sys.executable, "-c", USING, str(home / "models" / ".owner--name.lock")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "True\n"
    assert not remove_entry(entry("owner/name (unfinished)"))
    process.communicate()
    assert remove_entry(entry("owner/name (unfinished)"))
    assert [path.name for path in (home / "models").iterdir()] == [".owner--name.lock"]


def test_what_somebody_put_there_is_neither_listed_nor_removed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(home / "models" / "mine" / "model.safetensors", "x")
    write_text(home / "tokens" / "notes.txt", "x" * 100)
    assert cache_entries() == []
    monkeypatch.setenv("CROSSIN_TOKEN_CACHE_GB", "0")
    limit_tokens(write_tokens(home, "a.parquet", 10, 0))
    assert [path.name for path in (home / "tokens").iterdir()] == ["notes.txt"]
