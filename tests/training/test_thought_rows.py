"""Rows of messages in the templates of models that think: where what is learned begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.training.config import Batches
from crossin.training.rows import read_rows
from tests.helpers import thinking_templates as templates
from tests.helpers.errors import refused
from tests.helpers.thinking_templates import chat_tokenizer

ASKED = {"role": "user", "content": "What is the capital of Spain?"}
ANSWERED = {"role": "assistant", "content": "Madrid"}


def rows_file(folder: Path, *turns: Any) -> Path:
    file = folder / "rows.jsonl"
    file.write_text(json.dumps({"messages": turns}) + "\n", "utf-8")
    return file


def only(file: Path, tokenizer: Any, arguments: dict[str, Any] | None = None) -> tuple[str, str]:
    """What is read and what is learned of the one row, as text."""
    (row,), skipped = read_rows(file, tokenizer, Batches(), arguments)
    assert skipped == {}
    return tokenizer.decode(row.prompt), tokenizer.decode(row.completion)


@pytest.mark.parametrize(
    ("template", "end"),
    [(templates.SWITCHED, "<think>\n\n</think>\n\n"), (templates.END_OF_THOUGHT, "</think>")],
)
def test_an_answer_is_learned_behind_a_closed_thought(tmp_path: Path, template: str, end: str) -> None:
    tokenizer = chat_tokenizer(tmp_path / "model", template)
    read, learned = only(rows_file(tmp_path, ASKED, ANSWERED), tokenizer)
    assert read.endswith("<|assistant|>" + end)
    assert learned == "Madrid<|end|>"


def test_a_thought_of_an_answer_is_learned_with_it(tmp_path: Path) -> None:
    thought = "<think>\nMadrid or Toledo?\n</think>\n\nMadrid"
    turns = [ASKED, {**ANSWERED, "content": thought}]
    for name in ("SWITCHED", "PLAIN", "ALWAYS_EMPTY"):
        tokenizer = chat_tokenizer(tmp_path / name, getattr(templates, name))
        read, learned = only(rows_file(tmp_path, *turns), tokenizer)
        assert read.endswith("<|assistant|>")
        assert learned == thought + "<|end|>"
    tokenizer = chat_tokenizer(tmp_path / "always", templates.ALWAYS_THINKS)
    read, learned = only(rows_file(tmp_path, *turns), tokenizer)
    assert read.endswith("<|assistant|><think>\n")
    assert learned == "Madrid or Toledo?\n</think>\n\nMadrid<|end|>"
    with refused("begins every answer with a thought", row=1, field="messages"):
        read_rows(rows_file(tmp_path, ASKED, ANSWERED), tokenizer, Batches())


def test_a_users_arguments_reach_the_chat_template(tmp_path: Path) -> None:
    tokenizer = chat_tokenizer(tmp_path / "model", "{{ tone }}" + templates.SWITCHED)
    file = rows_file(tmp_path, ASKED, ANSWERED)
    read, learned = only(file, tokenizer, {"tone": "Calm. ", "enable_thinking": True})
    assert read.startswith("Calm. ")
    assert (read[-13:], learned) == ("<|assistant|>", "<think>\n\n</think>\n\nMadrid<|end|>")
