"""Files with one message a row, as Open-Assistant publishes them: a row for each tree, its best path."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crossin.corpus.reading.records import read_batches, read_records
from crossin.corpus.reading.rows import to_rows
from crossin.corpus.spec import Source
from tests.helpers.errors import refused


def message(tree: str, name: str, parent: str | None, text: str, **more: Any) -> dict[str, Any]:
    role = "assistant" if name.startswith("a") else "prompter"
    return {
        **{"message_id": f"{tree}-{name}", "parent_id": parent and f"{tree}-{parent}", "text": text},
        **{"role": role, "lang": "en", "rank": None, "deleted": False, "message_tree_id": tree, **more},
    }


def tree(name: str) -> list[dict[str, Any]]:
    return [
        message(name, "u1", None, f"Which river crosses {name}?"),
        message(name, "a1", "u1", "No idea.", rank=1.0),
        message(name, "a2", "u1", "The Rhine.", rank=0.0),
        message(name, "a3", "u1", "Spam", deleted=True),
        message(name, "u2", "a2", "Where does it end?"),
        message(name, "a4", "u2", "In the sea."),
    ]


MESSAGES = [*tree("Basel"), *tree("Bonn"), message("Rome", "u1", None, "An unanswered one?")]


def write(path: Path, messages: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(messages), path)
    elif path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(messages[0]))
            writer.writeheader()
            writer.writerows(messages)
    else:
        path.write_text("".join(json.dumps(one) + "\n" for one in messages))
    return path


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv"])
def test_each_tree_is_a_conversation_by_its_best_path(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path / f"messages.{kind}", MESSAGES)
    [batch] = read_batches(file)
    rows = to_rows(batch, Source(path=file.name), 10_000, several=True)
    assert rows.ids.to_pylist() == ["Basel", "Bonn", "Rome"]
    assert rows.texts["instruction"].to_pylist()[0] == "Which river crosses Basel?\n\nWhere does it end?"
    assert rows.texts["output"].to_pylist()[0] == "The Rhine.\n\nIn the sea."
    assert [bool(one) for one in rows.status] == [False, False, True]
    # As they stand in the file.
    assert batch.rows.tolist() == [0, 6, 12]


def test_a_tree_may_go_on_in_the_next_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [record for _, record in read_records(write(tmp_path / "one.parquet", MESSAGES))]
    monkeypatch.setattr("crossin.corpus.reading.records._TABLE_BATCH", 4)
    monkeypatch.setattr("crossin.corpus.reading.trees._TREES_AT_ONCE", 1)
    assert [record for _, record in read_records(tmp_path / "one.parquet")] == whole


def test_the_columns_of_the_first_message_stay(tmp_path: Path) -> None:
    [(row, record), *_] = read_records(write(tmp_path / "messages.jsonl", MESSAGES))
    assert (row, record["lang"], record["message_tree_id"]) == (1, "en", "Basel")


def test_messages_of_a_tree_that_are_not_together_are_an_error(tmp_path: Path) -> None:
    mixed = [*tree("Basel"), *tree("Bonn"), message("Basel", "a9", "u1", "Late.")]
    with refused("tree 'Basel'", row=13, field="message_tree_id", hint="sort"):
        list(read_batches(write(tmp_path / "messages.jsonl", mixed)))


def test_a_line_that_cannot_be_read_costs_itself_and_no_tree(tmp_path: Path) -> None:
    lines = [json.dumps(one) for one in MESSAGES]
    file = tmp_path / "messages.jsonl"
    file.write_text("\n".join([*lines[:2], "[1]", *lines[2:], '{"mess', "{"]))
    [batch] = read_batches(file, lenient=True)
    assert batch.column("message_tree_id") == ["Basel", None, "Bonn", "Rome", None, None]
    assert batch.broken == [1, 4, 5]
    assert batch.rows.tolist() == [0, 2, 7, 13, 14, 15]


def test_a_tree_without_its_first_message_is_counted(tmp_path: Path) -> None:
    [batch] = read_batches(write(tmp_path / "messages.jsonl", [*tree("Basel"), *tree("Bonn")[1:]]))
    rows = to_rows(batch, Source(path="messages.jsonl"), 10_000, several=True)
    assert [bool(one) for one in rows.status] == [False, True]
