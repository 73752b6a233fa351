"""Conversations of several turns: every answer is learned, and nothing that the user says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.training.config import Batches
from crossin.training.rows import TrainingRow, held_out, read_rows
from tests.helpers import thinking_templates as templates
from tests.helpers.errors import refused
from tests.helpers.thinking_templates import PLAIN, chat_tokenizer

TURNS = [("user", "Hi"), ("assistant", "Hello."), ("user", "Name a river."), ("assistant", "The Nile.")]
SYSTEM = ("system", "Be brief.")


def messages(*turns: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role, content in turns]


@pytest.fixture
def plain(tmp_path: Path) -> Any:
    return chat_tokenizer(tmp_path / "tokenizer", PLAIN)


def read(
    folder: Path, tokenizer: Any, *records: Any, **batches: Any
) -> tuple[list[TrainingRow], dict[str, int]]:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return read_rows(file, tokenizer, Batches(**batches))


def learned(row: TrainingRow, tokenizer: Any) -> list[str]:
    """The spans of a row that are learned."""
    starts = [row.learned_from, *(end for _, end in row.asides)]
    ends = [*(start for start, _ in row.asides), len(row.tokens)]
    return [tokenizer.decode(row.tokens[start:end]) for start, end in zip(starts, ends, strict=True)]


def test_every_answer_is_learned_to_the_end_of_its_turn(plain: Any, tmp_path: Path) -> None:
    (row,), skipped = read(tmp_path, plain, {"messages": messages(SYSTEM, *TURNS)})
    assert plain.decode(row.tokens) == plain.apply_chat_template(messages(SYSTEM, *TURNS), tokenize=False)
    assert learned(row, plain) == ["Hello.<|end|>", "The Nile.<|end|>"]
    assert plain.decode(row.prompt) == "<|system|>Be brief.<|end|><|user|>Hi<|end|><|assistant|>"
    assert plain.decode(row.completion) == "Hello.<|end|>The Nile.<|end|>"
    assert row.learned == len(row.completion) == len(row.places)
    assert skipped == {}


@pytest.mark.parametrize("way", ["settings", "column", "prompt and completion"])
def test_the_last_answer_alone_is_learned_where_that_is_asked_for(
    plain: Any, tmp_path: Path, way: str
) -> None:
    record: dict[str, Any] = {"messages": messages(*TURNS)}
    if way == "column":
        record["turns"] = "last"
    elif way == "prompt and completion":
        record = {"prompt": messages(*TURNS[:-1]), "completion": messages(TURNS[-1])}
    (row,), _ = read(tmp_path, plain, record, turns="last" if way == "settings" else "all")
    assert learned(row, plain) == ["The Nile.<|end|>"]


@pytest.mark.parametrize(
    "name", ["SWITCHED", "ALWAYS_EMPTY", "END_OF_THOUGHT", "ASKED_ONLY", "CHANNELS", "BY_WORD"]
)
def test_each_answer_follows_the_prompt_that_evaluation_asks_with(tmp_path: Path, name: str) -> None:
    from crossin.models.chat import ChatTemplate

    tokenizer = chat_tokenizer(tmp_path / name, getattr(templates, name))
    rows, _ = read(tmp_path, tokenizer, {"messages": messages(*TURNS)})
    prompts = [ChatTemplate(tokenizer, {}).prompt(messages(*TURNS[:count])) for count in (1, 3)]
    starts = [(row, place) for row in rows for place in (row.learned_from, *(end for _, end in row.asides))]
    assert [tokenizer.decode(row.tokens[:place]) for row, place in starts] == prompts
    assert [text for row in rows for text in learned(row, tokenizer)] == ["Hello.<|end|>", "The Nile.<|end|>"]
    # A template that closes a thought before the last answer only writes the first answer otherwise alone.
    assert len(rows) == (1 if name in ("ALWAYS_EMPTY", "CHANNELS", "END_OF_THOUGHT") else 2)


def test_texts_of_one_conversation_are_held_out_together(tmp_path: Path) -> None:
    tokenizer = chat_tokenizer(tmp_path / "model", templates.SWITCHED)
    rows, _ = read(tmp_path, tokenizer, *({"messages": messages(*TURNS)} for _ in range(20)))
    assert [row.number for row in rows] == [number for number in range(20) for _ in range(2)]
    kept, apart = held_out(rows, 0.5)
    assert kept and apart
    assert not {row.number for row in kept} & {row.number for row in apart}


def test_an_answer_that_cannot_be_the_last_is_only_read(tmp_path: Path) -> None:
    tokenizer = chat_tokenizer(tmp_path / "always", templates.ALWAYS_THINKS)
    thought = ("assistant", "<think>\nMadrid or Toledo?\n</think>\n\nMadrid")
    rows, skipped = read(tmp_path, tokenizer, {"messages": messages(*TURNS[:3], thought)})
    assert [learned(row, tokenizer) for row in rows] == [["Madrid or Toledo?\n</think>\n\nMadrid<|end|>"]]
    assert skipped == {"answer_only_read": 1}


@pytest.mark.parametrize(
    ("record", "skipped"),
    [
        ({"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]}, {}),
        ({"conversation": [{"human": "Hi", "assistant": "Hello."}]}, {}),
        ({"messages": json.dumps(messages(*TURNS[:2]))}, {}),
        ({"instruction": "Hi", "input": "", "output": "Hello."}, {}),
        (
            {
                "prompt": {
                    "role": "prompter",
                    "text": "Hi",
                    "replies": [{"role": "assistant", "text": "Hello.", "replies": []}],
                }
            },
            {},
        ),
        ({"messages": messages(("assistant", "Welcome."), *TURNS[:2])}, {"greeting": 1}),
        ({"messages": messages(*TURNS[:3])}, {"unanswered_turn": 1}),
    ],
)
def test_what_compose_reads_is_read(plain: Any, tmp_path: Path, record: Any, skipped: dict[str, int]) -> None:
    (row,), found = read(tmp_path, plain, record)
    assert plain.decode(row.tokens) == "<|user|>Hi<|end|><|assistant|>Hello.<|end|>"
    assert learned(row, plain) == ["Hello.<|end|>"]
    assert found == skipped


def test_the_history_of_an_alpaca_row_is_learned_too(plain: Any, tmp_path: Path) -> None:
    texts = [text for _, text in TURNS]
    record = {"instruction": texts[2], "input": "", "output": texts[3], "history": [texts[:2]]}
    (row,), _ = read(tmp_path, plain, record)
    (same,), _ = read(tmp_path, plain, {"messages": messages(*TURNS)})
    assert (row.tokens, row.asides) == (same.tokens, same.asides)


def test_a_conversation_that_is_too_long_loses_whole_turns_at_its_end(plain: Any, tmp_path: Path) -> None:
    turns = [*TURNS, *TURNS]
    cut = [read(tmp_path, plain, {"messages": messages(*turns[:end])})[0][0] for end in (2, 4, 6, 8)]
    for longest in range(len(cut[0].tokens) - 1, len(cut[-1].tokens) + 1):
        rows, skipped = read(tmp_path, plain, {"messages": messages(*turns)}, longest=longest)
        fitting = [row for row in cut if len(row.tokens) <= longest]
        assert rows == fitting[-1:]
        code = "turns_cut" if fitting else "too_many_tokens"
        assert skipped == ({} if fitting == cut else {code: 1})


def test_a_special_token_that_any_turn_spells_out_is_text(plain: Any, tmp_path: Path) -> None:
    odd = [("user", "What is <|end|>?"), ("assistant", "<|end|> ends."), *TURNS[2:]]
    (row,), skipped = read(tmp_path, plain, {"messages": messages(*odd)})
    assert skipped == {"special_token_spelled": 1}
    assert list(row.tokens).count(plain.convert_tokens_to_ids("<|end|>")) == 4
    assert learned(row, plain) == ["<|end|> ends.<|end|>", "The Nile.<|end|>"]


def test_many_rows_that_cannot_be_used_stop_the_run(plain: Any, tmp_path: Path) -> None:
    image = {"messages": messages(("user", [{"type": "image_url", "image_url": "x"}]), TURNS[1])}
    good = {"messages": messages(*TURNS)}
    rows, skipped = read(tmp_path, plain, *[good] * 60, *[image] * 6)
    assert (len(rows), skipped) == (60, {"other_part": 6})
    with refused("6 of 26 rows", "a part of a message that is no text", file="rows.jsonl", row=21):
        read(tmp_path, plain, *[good] * 20, *[image] * 6)
