"""`crossin translate`: what it shows, what it writes, and that it keeps the key to itself."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.helpers import apart
from tests.helpers.small_rows import counts, stand_in, table_of, write_rows

KEY = "sk-a-key-that-nobody-may-read"
ROWS = 12


def crossin(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return apart.crossin("translate", *arguments, columns=160, env=environment)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    table_of(write_rows(folder / "rows.jsonl", ROWS), folder / "table.json")
    return folder


def served(url: str) -> list[str]:
    return ["--engine", "openai", "--model", "stand-in", "--base-url", url]


def test_a_dry_run_tells_rows_tokens_cost_and_time_and_asks_nothing(home: Path) -> None:
    with stand_in(home / "table.json") as url:
        money = ("--price-in", "1", "--price-out", "2", "--requests-per-minute", "6")
        ended = crossin(home / "rows.jsonl", "--to", "es", "zh", *served(url), *money, "--dry-run", "--json")
        assert ended.returncode == 0, ended.stderr
        assert counts(url)["asked"] == 0
    found = json.loads(ended.stdout)
    assert found["rows"] == ROWS
    for part, language in zip(found["languages"], ("es", "zh"), strict=True):
        assert part["language"] == language
        assert part["rows"] == part["asks"] == ROWS
        assert part["minutes"] == ROWS / 6
        cost = (part["prompt_tokens"] + 2 * part["completion_tokens"]) / 1e6
        assert part["cost"] == pytest.approx(cost)


def test_a_sample_is_shown_with_what_the_gates_say(home: Path) -> None:
    with stand_in(home / "table.json", "--faults", "1", "--kinds", "refusal", "--stubborn") as url:
        ended = crossin(home / "rows.jsonl", "--to", "es", *served(url), "--sample", "3")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("rejected") == 3


def test_the_key_goes_to_the_server_and_to_no_file_or_screen(home: Path, tmp_path: Path) -> None:
    with stand_in(home / "table.json", "--key", KEY, "--faults", "0.3") as url:
        ended = crossin(
            home / "rows.jsonl",
            *("--to", "es", *served(url), "--timeout", "1", "--out", str(tmp_path / "out")),
            OPENAI_API_KEY=KEY,
        )
    assert ended.returncode == 0, ended.stderr
    assert KEY not in ended.stdout + ended.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_a_wrong_key_is_one_message(home: Path, tmp_path: Path) -> None:
    with stand_in(home / "table.json", "--key", KEY) as url:
        ended = crossin(
            home / "rows.jsonl",
            *("--to", "es", *served(url), "--out", str(tmp_path / "out")),
            OPENAI_API_KEY="wrong-one",
        )
        assert counts(url)["answered"] == 0
    assert ended.returncode == 2
    assert ended.stderr.count("error:") == 1
    assert "OPENAI_API_KEY" in ended.stderr and "wrong-one" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--to", "en"), "already"),
        (("--to", "Klingonese"), "unknown language"),
        (("--to", "es", "--budget", "1"), "prices"),
        (("--to", "es", "--body", "["), "JSON"),
        (("--to", "es", "--column", "output"), "names no field"),
        (("--to", "es", "--world-size", "2", "--rank", "2"), "no rank"),
    ],
)
def test_bad_words_are_told(home: Path, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    ended = crossin(home / "rows.jsonl", *words, *served("http://127.0.0.1:9/v1"), "--out", tmp_path / "out")
    assert ended.returncode == 2, ended.stderr
    assert told in ended.stderr


def test_a_sample_that_was_paid_for_is_not_paid_again(home: Path, tmp_path: Path) -> None:
    with stand_in(home / "table.json") as url:
        words = (str(home / "rows.jsonl"), "--to", "es", *served(url), "--out", str(tmp_path / "out"))
        assert crossin(*words, "--sample", "4").returncode == 0
        assert counts(url)["asked"] == 4
        ended = crossin(*words)
        assert ended.returncode == 0, ended.stderr
        assert counts(url)["asked"] == ROWS


def test_a_run_that_never_began_leaves_the_folder_free(home: Path, tmp_path: Path) -> None:
    with stand_in(home / "table.json") as url:
        wrong = [word.replace("stand-in", "other") for word in served(url)]
        ended = crossin(home / "rows.jsonl", "--to", "es", *wrong, "--out", tmp_path / "out")
        assert ended.returncode == 2 and "stand-in" in ended.stderr
        ended = crossin(home / "rows.jsonl", "--to", "es", *served(url), "--out", tmp_path / "out")
        assert ended.returncode == 0, ended.stderr
