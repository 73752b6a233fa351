from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from crossin.errors import CrossinError
from crossin.evaluate.engine import Scores
from crossin.evaluate.hf import scoring
from crossin.evaluate.hf.passes import logprobs
from crossin.evaluate.hf.plan import plan
from crossin.evaluate.hf.tokens import Continuation
from crossin.evaluate.hf.trie import Tree
from crossin.models.load import load

# Three paragraphs of different lengths, questions on them of different lengths.
REQUESTS = [
    [
        Continuation(
            (*range(5, 80 + 20 * paragraph), *range(100, 104 + number), *option), 79 + 20 * paragraph + number
        )
        for option in ((7,), (7, 8), (9, 10, 11))
    ]
    for paragraph in range(3)
    for number in range(4)
]


def scored(folder: Path, batch_tokens: int) -> dict[int, Scores]:
    model, _ = load(folder)
    return dict(
        scoring.score_units(model, dict(enumerate(REQUESTS)), plan(REQUESTS, tokens=30), batch_tokens)
    )


@pytest.mark.parametrize("batch_tokens", [200, 500, 10_000])
def test_units_may_go_through_the_model_together(tiny_model: Path, batch_tokens: int) -> None:
    alone, together = scored(tiny_model, 0), scored(tiny_model, batch_tokens)
    assert alone.keys() == together.keys() == set(range(len(REQUESTS)))
    for number, one in alone.items():
        assert together[number].logprobs == pytest.approx(one.logprobs, abs=1e-4)
        assert (together[number].computed, together[number].saved) == (one.computed, one.saved)


def small_memory(monkeypatch: pytest.MonkeyPatch, tokens: int) -> list[int]:
    """A memory that holds passes of up to `tokens` tokens; the list fills with the passes that went well."""
    passed: list[int] = []

    def bounded(model: Any, trees: Sequence[Tree], prefixes: Any) -> Any:
        size = len(trees) * max(len(tree.tokens) for tree in trees)
        if size > tokens:
            raise torch.OutOfMemoryError("too much")
        passed.append(size)
        return logprobs(model, trees, prefixes)

    monkeypatch.setattr(scoring, "logprobs", bounded)
    return passed


@pytest.mark.parametrize("memory", [200, 120, 55])
def test_too_little_memory_halves_what_goes_together(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    expected = scored(tiny_model, 0)
    passed = small_memory(monkeypatch, memory)
    found = scored(tiny_model, 10_000)
    for number, one in expected.items():
        assert found[number].logprobs == pytest.approx(one.logprobs, abs=1e-4)
    assert max(passed) <= memory


def test_a_question_that_is_too_much_alone_is_an_error(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_memory(monkeypatch, 2)
    with pytest.raises(CrossinError, match="one question alone needs more memory"):
        scored(tiny_model, 10_000)
