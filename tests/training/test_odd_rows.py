"""Rows as people have them: system turns that a template lacks, special tokens in texts, content in parts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from crossin.core.files import write_parquet
from crossin.training.config import Batches
from crossin.training.rows import TrainingRow, read_rows
from tests.helpers.errors import refused
from tests.helpers.thinking_templates import PLAIN, chat_tokenizer

ASKED = {"role": "user", "content": "What is the capital of Spain?"}
ANSWERED = {"role": "assistant", "content": "Madrid"}
SYSTEM = {"role": "system", "content": "Be brief."}
MARK = "<|end|>"


@pytest.fixture
def chat(tmp_path: Path) -> Any:
    return chat_tokenizer(tmp_path / "tokenizer", PLAIN)


def read(folder: Path, tokenizer: Any, *records: Any) -> tuple[list[TrainingRow], dict[str, int]]:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return read_rows(file, tokenizer, Batches())


def asked(prompt: Any, completion: Any) -> dict[str, Any]:
    return {"prompt": prompt, "completion": completion}


def marks(tokenizer: Any, tokens: Any) -> int:
    return list(tokens).count(tokenizer.convert_tokens_to_ids(MARK))


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(
            "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}", id="refused"
        ),
        pytest.param(
            "{% if messages[0].role == 'system' %}{% set messages = messages[1:] %}{% endif %}", id="left out"
        ),
    ],
)
def test_where_a_template_has_no_system_turn_its_text_is_in_the_users(
    chat: Any, tmp_path: Path, before: str
) -> None:
    chat.chat_template = before + PLAIN
    rows, skipped = read(
        tmp_path, chat, {"messages": [SYSTEM, ASKED, ANSWERED]}, {"messages": [ASKED, ANSWERED]}
    )
    assert skipped == {"system_folded": 1}
    folded, other = (chat.decode(row.prompt) for row in rows)
    assert folded == other.replace(ASKED["content"], f"Be brief.\n\n{ASKED['content']}")


def test_a_system_turn_that_the_template_writes_stays(chat: Any, tmp_path: Path) -> None:
    (row,), skipped = read(tmp_path, chat, {"messages": [SYSTEM, ASKED, ANSWERED]})
    assert skipped == {}
    assert "<|system|>Be brief." in chat.decode(row.prompt)


def test_a_special_token_that_a_text_spells_out_is_text(chat: Any, tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": f"What is {MARK}?"},
        {"role": "assistant", "content": f"{MARK} ends."},
    ]
    rows, skipped = read(tmp_path, chat, {"messages": turns}, {"messages": [ASKED, ANSWERED]})
    assert skipped == {"special_token_spelled": 1}
    # The ends of the turns alone are marks, in both rows.
    assert [marks(chat, row.tokens) for row in rows] == [2, 2]
    assert chat.decode(rows[0].completion) == f"{MARK} ends.{MARK}"


def test_a_completion_may_end_with_special_tokens_and_spell_others(chat: Any, tmp_path: Path) -> None:
    spelt = {"prompt": "How does a turn end? ", "completion": f"By {MARK}, always.{MARK}"}
    rows, skipped = read(tmp_path, chat, spelt, {**spelt, "component": "base"})
    # The marks of a composed row are its template's.
    assert [marks(chat, row.completion) for row in rows] == [1, 2]
    assert skipped == {"special_token_spelled": 1}
    assert chat.decode(rows[0].completion) == chat.decode(rows[1].completion)


def test_content_may_be_parts_of_text(chat: Any, tmp_path: Path) -> None:
    in_parts = {**ASKED, "content": [{"type": "text", "text": ASKED["content"]}]}
    one, other = ({"messages": [turn, ANSWERED]} for turn in (in_parts, ASKED))
    rows, _ = read(tmp_path, chat, one, other)
    assert rows[0].tokens == rows[1].tokens
    image = {**ASKED, "content": [{"type": "image_url", "image_url": "x"}]}
    rows, skipped = read(tmp_path, chat, one, {"messages": [image, ANSWERED]})
    assert (len(rows), skipped) == (1, {"other_part": 1})
    with refused("a part of a message that is no text", row=1):
        read(tmp_path, chat, {"messages": [image, ANSWERED]})


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"prompt": "a"}, "missing_field"),
        ({"question": "a", "answer": "b"}, "missing_field"),
        (asked("a", None), "empty_exchange"),
        (asked("", "b"), "empty_exchange"),
        (asked("a", math.nan), "value_not_text"),
        (asked(3, "b"), "value_not_text"),
        (asked([ASKED], "b"), "value_not_text"),
        (asked([ASKED], [ANSWERED, ANSWERED]), "incomplete_exchange"),
        ({"messages": "a"}, "no_chat"),
        ({"messages": None}, "no_chat"),
        ({"messages": [ASKED]}, "incomplete_exchange"),
        ({"messages": [ANSWERED]}, "incomplete_exchange"),
        ({"messages": []}, "incomplete_exchange"),
        ({"messages": [ASKED, {**ANSWERED, "content": ""}]}, "turn_without_text"),
        ({"messages": [ASKED, {**ANSWERED, "content": 5}]}, "value_not_text"),
        ({"messages": [ASKED, {**ANSWERED, "content": None, "tool_calls": [{}]}, ANSWERED]}, "other_part"),
    ],
)
def test_a_row_that_cannot_be_learned_is_left_out_and_counted(
    chat: Any, tmp_path: Path, record: Any, code: str
) -> None:
    rows, skipped = read(tmp_path, chat, asked("a", "b"), record)
    assert len(rows) == 1
    assert skipped == {code: 1}


def test_many_rows_that_cannot_be_learned_stop_the_training(chat: Any, tmp_path: Path) -> None:
    with refused("5 of 25 rows", "empty prompt or completion", file="rows.jsonl", row=21):
        read(tmp_path, chat, *[asked("a", "b")] * 20, *[asked("a", None)] * 5)


def test_columns_that_parquet_fills_with_null_say_nothing(chat: Any, tmp_path: Path) -> None:
    names = ("messages", "conversations", "prompt", "completion")
    every: dict[str, Any] = dict.fromkeys(names)
    turns = [ASKED, ANSWERED]
    records = [every | {"messages": turns}, every | {"conversations": turns}, every | asked("a", "b")]
    write_parquet(tmp_path / "rows.parquet", pyarrow.Table.from_pylist(records))
    rows, skipped = read_rows(tmp_path, chat, Batches())
    assert len(rows) == 3
    assert skipped == {}


def test_a_system_column_beside_another_system_turn_is_left_out_and_counted(
    chat: Any, tmp_path: Path
) -> None:
    own = {"role": "system", "content": "Be kind."}
    records = [{"system": text, "messages": [own, ASKED, ANSWERED]} for text in ("Be kind.", "Be brief.")]
    (same, other), skipped = read(tmp_path, chat, *records)
    assert same.tokens == other.tokens
    assert skipped == {"other_system": 1}
