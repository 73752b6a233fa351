"""The alignment check is cached by the rows themselves, and the cache changes no result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crossin.alignment.check import check_alignment
from crossin.core.user_cache import cache_entries
from crossin.corpus.alignment_cache import Checked, checked
from crossin.mixture import compose
from tests.helpers.alignment_rows import Rows, columns, parallel_rows
from tests.helpers.errors import refused

COUNT = 1200
LANGUAGES = ("en", "vi")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def rows() -> tuple[Rows, Rows]:
    """Parallel rows: a tenth has another's answer, some have none."""
    english, vietnamese = parallel_rows(COUNT, LANGUAGES)
    for number in range(0, COUNT, 10):
        vietnamese[number] = {**vietnamese[number], "output": vietnamese[number - 7]["output"]}
    for number in range(5, COUNT, 100):
        vietnamese[number] = {**vietnamese[number], "output": ""}
    return english, vietnamese


class Steps:
    """How often a check reported its progress: never, where the findings were in the cache."""

    count = 0

    def __call__(self, task: str, done: int, total: int, unit: str, note: str = "") -> None:
        self.count += 1


def check(
    rows: tuple[Rows, Rows], *, languages: tuple[str, str] = LANGUAGES, places: Any = None
) -> tuple[Checked, bool]:
    """The findings, and whether anything was checked for them."""
    steps = Steps()
    place = np.arange(len(rows[0])) if places is None else places
    found = checked(columns(rows[0]), columns(rows[1]), *languages, place, progress=steps)
    return found, steps.count > 0


def same(one: Checked, other: Checked) -> bool:
    return bool(np.array_equal(one.reason, other.reason)) and one[1:] == other[1:]


def test_the_second_time_the_findings_are_those_of_the_first(rows: tuple[Rows, Rows], home: Path) -> None:
    found = check_alignment(columns(rows[0]), columns(rows[1]), *LANGUAGES, np.arange(COUNT))
    assert len(found.counts()) > 1
    first, again = check(rows), check(rows)
    assert (first[1], again[1]) == (True, False)
    assert same(first[0], again[0])
    assert same(again[0], Checked(found.reason, found.reasons, found.notes))
    assert [(one.cache, one.name) for one in cache_entries()] == [("alignment", "1 file")]
    assert len(list((home / "alignment").iterdir())) == 1


def test_a_part_of_longer_columns_is_the_same_as_a_copy(rows: tuple[Rows, Rows]) -> None:
    check(rows)
    steps = Steps()
    english, vietnamese = (
        {
            name: pa.concat_arrays([pa.array(["before"], pa.large_string()), texts]).slice(1)
            for name, texts in columns(side).items()
        }
        for side in rows
    )
    checked(english, vietnamese, *LANGUAGES, np.arange(COUNT), progress=steps)
    assert steps.count == 0


def _changed(rows: Rows, field: str, number: int = 3) -> Rows:
    return [{**row, field: row[field] + " x"} if at == number else row for at, row in enumerate(rows)]


@pytest.mark.parametrize(
    "change",
    [
        lambda one, two: ((_changed(one, "instruction"), two), {}),
        lambda one, two: ((one, _changed(two, "output")), {}),
        lambda one, two: ((_moved(one), two), {}),
        lambda one, two: ((two, one), {}),
        lambda one, two: ((one[:-1], two[:-1]), {}),
        lambda one, two: ((one, two), {"languages": ("en", "th")}),
        lambda one, two: ((one, two), {"places": np.arange(COUNT)[::-1]}),
    ],
)
def test_whatever_decides_the_findings_is_another_check(
    rows: tuple[Rows, Rows], change: Callable[[Rows, Rows], tuple[tuple[Rows, Rows], dict[str, Any]]]
) -> None:
    check(rows)
    others, settings = change(*rows)
    assert check(others, **settings)[1]
    assert not check(rows)[1]


def _moved(rows: Rows) -> Rows:
    """The same letters, of which one is in another field."""
    first = rows[0]
    moved = {"instruction": first["instruction"][:-1], "input": first["instruction"][-1] + first["input"]}
    return [{**first, **moved}, *rows[1:]]


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(file.read_bytes()[:-20]),
        lambda file: file.write_bytes(b""),
        lambda file: pq.write_table(pa.table({"reason": np.zeros(COUNT, np.uint8)}), file),
        lambda file: pq.write_table(
            pa.table({"reason": np.full(COUNT, 9, np.uint8)}).replace_schema_metadata(
                {"crossin": '{"reasons": ["numbers:vi"], "notes": []}'}
            ),
            file,
        ),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["cut off", "empty", "without codes", "codes that are not there", "a folder"],
)
def test_a_damaged_file_is_checked_again(
    rows: tuple[Rows, Rows], home: Path, damage: Callable[[Path], Any]
) -> None:
    first, _ = check(rows)
    [file] = (home / "alignment").iterdir()
    damage(file)
    again, anew = check(rows)
    assert anew and same(first, again)


def test_a_cache_that_cannot_be_written_is_not_used(rows: tuple[Rows, Rows], home: Path) -> None:
    home.write_text("a file in place of the folder")
    first, again = check(rows), check(rows)
    assert first[1] and again[1] and same(first[0], again[0])


def test_few_rows_are_not_cached(home: Path) -> None:
    assert check(parallel_rows(600, LANGUAGES))[1]
    assert not home.exists()


def test_of_two_that_want_the_same_one_checks_and_the_other_waits(
    rows: tuple[Rows, Rows], home: Path
) -> None:
    start, found = Barrier(2), list[tuple[Checked, bool]]()

    def ask() -> None:
        start.wait()
        found.append(check(rows))

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(anew for _, anew in found) == [False, True]
    assert same(found[0][0], found[1][0])
    assert len(list((home / "alignment").iterdir())) == 1


def test_a_mixture_has_the_same_bytes_with_and_without_the_cache(
    rows: tuple[Rows, Rows], tmp_path: Path
) -> None:
    for language, side in zip(LANGUAGES, rows, strict=True):
        lines = [{"id": number, **row} for number, row in enumerate(side)]
        (tmp_path / f"{language}.json").write_text(json.dumps(lines), encoding="utf-8")
    recipe = {
        "name": "cached",
        "languages": list(LANGUAGES),
        "max_skipped": 1,
        "corpora": {
            "mine": {
                "files": {language: f"{language}.json" for language in LANGUAGES},
                "check_language": False,
            }
        },
        "components": [{"kind": "x2x", "rows": 50}],
    }
    made = [compose(recipe, tmp_path, tmp_path / name) for name in ("first", "second")]
    assert made[0].manifest["counts"] == made[1].manifest["counts"]
    assert made[0].manifest["skipped"] == made[1].manifest["skipped"]
    assert made[0].manifest["skipped"]["content:vi"] > 0
    for name in made[0].manifest["outputs"]:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name
    with refused("'mine'", hint="--strict"):
        compose(recipe, tmp_path, tmp_path / "third", strict=True)
