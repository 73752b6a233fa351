from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any
from weakref import ReferenceType, ref

import pytest
import torch

from crossin.evaluation.engine import Scores
from crossin.evaluation.hf import scoring
from crossin.evaluation.hf.scoring import NO_PREFIX, logprobs
from crossin.evaluation.hf.tokens import Continuation
from crossin.evaluation.hf.units import Tree, plan_units, token_tree
from crossin.evaluation.hf.worker import ModelSetup, ScoringTask, Worker
from crossin.models.loading import load
from tests.helpers.errors import refused

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


def scored(folder: Path, batch_tokens: int, unit_tokens: int = 30) -> dict[int, Scores]:
    model, _ = load(folder)
    return dict(
        scoring.score_units(
            model, dict(enumerate(REQUESTS)), plan_units(REQUESTS, tokens=unit_tokens), batch_tokens
        )
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
    failed: list[ReferenceType[torch.Tensor]] = []

    def bounded(model: Any, trees: Sequence[Tree], prefixes: Any) -> Any:
        # What a pass that failed was working on is gone before the next.
        assert all(reference() is None for reference in failed)
        size = len(trees) * max(len(tree.tokens) for tree in trees)
        if size > tokens:
            states = torch.zeros(size)
            failed.append(ref(states))
            raise torch.OutOfMemoryError("too much")
        passed.append(size)
        return logprobs(model, trees, prefixes)

    monkeypatch.setattr(scoring, "logprobs", bounded)
    return passed


@pytest.mark.parametrize("memory", [200, 120, 55])
def test_too_little_memory_halves_what_goes_together(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    expected = scored(tiny_model, 0, 100)
    passed = small_memory(monkeypatch, memory)
    found = scored(tiny_model, 10_000, 100)
    for number, one in expected.items():
        assert found[number].logprobs == pytest.approx(one.logprobs, abs=1e-4)
    assert max(passed) <= memory


def test_a_question_that_is_too_much_alone_is_an_error(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_memory(monkeypatch, 2)
    worker = Worker(ModelSetup(tiny_model, None, True, "cpu", "float32", 10_000))
    task = ScoringTask(plan_units(REQUESTS, tokens=30), dict(enumerate(REQUESTS)), 200)
    with refused("memory"):
        list(task.results(worker))


def test_places_that_fill_up_a_row_do_not_spoil_it_in_float16() -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    # The scores of this model's attention are large: one that sees nothing overflows.
    torch.manual_seed(26)
    config = LlamaConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        attn_implementation="eager",
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.7)
    short, long = Continuation((1, 2, 3), 2), Continuation((4, 5, 6, 7, 8, 9), 3)
    trees = [token_tree([[short]], 0), token_tree([[long]], 0)]
    with torch.inference_mode():
        found = logprobs(model.half(), trees, [NO_PREFIX, NO_PREFIX])
    assert all(isfinite(one) for tree in found for option in tree for one in option)
