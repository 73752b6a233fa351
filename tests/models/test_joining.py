"""Where a prompt ends, in tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers.processors import TemplateProcessing

from crossin.models.joining import heading_of, split
from crossin.models.loading import load_tokenizer


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    return load_tokenizer(tiny_model)[0]


class Slow:
    """The same tokenizer without offsets, as those written in Python are."""

    is_fast = False

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __call__(self, texts: Any, **settings: Any) -> Any:
        return self._tokenizer(texts, **settings)


def test_a_token_that_ends_at_the_border_is_before_it(tokenizer: Any) -> None:
    ((tokens, border),) = split(tokenizer, ["The capital of France is Paris"], [len("The capital of France")])
    assert tokenizer.decode(list(tokens[:border])) == "The capital of France"
    assert tokenizer.decode(list(tokens[border:])) == " is Paris"


def test_a_token_of_both_sides_belongs_to_the_second(tokenizer: Any) -> None:
    assert len(tokenizer(" capital")["input_ids"]) == 1
    ((tokens, border),) = split(tokenizer, ["It is the capital city"], [len("It is the cap")])
    assert tokenizer.decode(list(tokens[border:])) == " capital city"


def test_the_bytes_of_a_character_stay_together(tokenizer: Any) -> None:
    ((tokens, border),) = split(tokenizer, ["x\U0001f30d"], [1])
    assert len(tokens) == 1 + 4
    assert border == 1


def test_each_text_has_its_own_border(tokenizer: Any) -> None:
    texts, borders = ["one two", "one two", "Madrid"], [0, 3, 6]
    found = split(tokenizer, texts, borders)
    assert [tokenizer.decode(list(tokens[border:])) for tokens, border in found] == ["one two", " two", ""]
    assert split(tokenizer, [], []) == []


def test_a_tokenizer_without_offsets_gives_the_same(tokenizer: Any) -> None:
    texts, borders = ["The capital of France is Paris", "It is the capital city"], [21, 13]
    assert split(Slow(tokenizer), texts, borders) == split(tokenizer, texts, borders)


def test_the_heading_is_what_comes_before_every_text(tokenizer: Any) -> None:
    assert heading_of(tokenizer) == ()
    tokenizer.add_special_tokens({"bos_token": "<begin>"})
    begin = tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<begin> $A <end>", special_tokens=[("<begin>", begin), ("<end>", tokenizer.eos_token_id)]
    )
    assert heading_of(tokenizer) == (begin,)
