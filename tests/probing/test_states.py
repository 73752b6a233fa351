"""States against a plain forward pass of one sentence at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from crossin.models.loading import load
from crossin.probing.states import layers_of, pooled_states, read_layer, write_states
from tests.helpers.errors import refused
from tests.helpers.parallel_files import SENTENCES

TEXTS = [*SENTENCES["en"], *SENTENCES["vi"], "x"]


@pytest.fixture(scope="module")
def llama(tiny_model: Path) -> tuple[Any, Any]:
    return load(tiny_model, device="cpu")


@pytest.fixture(scope="module")
def with_marks(tiny_model: Path) -> Any:
    """The tokenizer, made to add a token before and one behind each text."""
    from tokenizers.processors import TemplateProcessing

    tokenizer = load(tiny_model, device="cpu")[1]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<end> $A <end>", special_tokens=[("<end>", 0)]
    )
    return tokenizer


def alone(network: Any, ids: list[int]) -> Any:
    """Every layer's states of one text, [layers + 1, T, H]."""
    with torch.inference_mode():
        output = network(torch.tensor([ids]), output_hidden_states=True)
    return torch.cat(output.hidden_states).numpy()


def test_states_are_those_of_each_sentence_alone(llama: tuple[Any, Any]) -> None:
    network, tokenizer = llama
    found = pooled_states(network, tokenizer, TEXTS)
    assert found["mean"].shape == found["last"].shape == (3, len(TEXTS), 32)
    assert found["mean"].dtype == np.float32
    for place, text in enumerate(TEXTS):
        ids = tokenizer(text)["input_ids"]
        expected = alone(network, ids)
        first = 1 if len(ids) > 1 else 0
        np.testing.assert_allclose(found["mean"][:, place], expected[:, first:].mean(axis=1), atol=1e-5)
        np.testing.assert_allclose(found["last"][:, place], expected[:, -1], atol=1e-5)
    assert len(tokenizer("x")["input_ids"]) == 1


def test_layer_0_is_the_embeddings_and_the_last_has_gone_through_the_closing_norm(
    llama: tuple[Any, Any],
) -> None:
    network, tokenizer = llama
    last = torch.from_numpy(pooled_states(network, tokenizer, TEXTS)["last"])
    for place, text in enumerate(TEXTS):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            embedded, logits = network.get_input_embeddings()(ids)[0, -1], network(ids).logits[0, -1]
            torch.testing.assert_close(last[0, place], embedded)
            torch.testing.assert_close(network.lm_head(last[-1, place]), logits)


def test_added_tokens_are_seen_but_not_counted(llama: tuple[Any, Any], with_marks: Any) -> None:
    network, tokenizer = llama
    found = pooled_states(network, with_marks, TEXTS)
    for place, text in enumerate(TEXTS):
        expected = alone(network, [0, *tokenizer(text)["input_ids"]])[:, 1:]
        np.testing.assert_allclose(found["mean"][:, place], expected.mean(axis=1), atol=1e-5)
        np.testing.assert_allclose(found["last"][:, place], expected[:, -1], atol=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 70, 100_000])
def test_the_batch_does_not_matter(llama: tuple[Any, Any], batch_tokens: int) -> None:
    expected = pooled_states(*llama, TEXTS)
    found = pooled_states(*llama, TEXTS, batch_tokens=batch_tokens)
    for pooling in expected:
        np.testing.assert_allclose(found[pooling], expected[pooling], atol=1e-5)


def test_batches_keep_to_their_tokens_and_no_logits_are_made(llama: tuple[Any, Any]) -> None:
    network, tokenizer = llama
    sizes: list[int] = []
    heads: list[Any] = []
    hooks = [
        network.model.register_forward_pre_hook(
            lambda _, __, given: sizes.append(given["input_ids"].numel()), with_kwargs=True
        ),
        network.lm_head.register_forward_hook(lambda *given: heads.append(given)),
    ]
    pooled_states(network, tokenizer, TEXTS, batch_tokens=100)
    for hook in hooks:
        hook.remove()
    longest = max(len(ids) for ids in tokenizer(TEXTS)["input_ids"])
    assert len(sizes) > 2
    assert max(sizes) <= max(100, longest)
    assert not heads


def test_progress_ends_at_all_sentences(llama: tuple[Any, Any]) -> None:
    told: list[tuple[str, int, int, str]] = []
    pooled_states(
        *llama,
        TEXTS,
        batch_tokens=100,
        task="reading en",
        progress=lambda task, done, total, unit, note="": told.append((task, done, total, unit)),
    )
    assert told[-1] == ("reading en", len(TEXTS), len(TEXTS), "sentences")
    assert [done for _, done, _, _ in told] == sorted({done for _, done, _, _ in told})


def test_one_layer_can_be_read_back(llama: tuple[Any, Any], tmp_path: Path) -> None:
    states = pooled_states(*llama, TEXTS)
    write_states(tmp_path / "en.safetensors", states)
    assert layers_of(tmp_path / "en.safetensors") == 3
    for pooling, found in states.items():
        assert (read_layer(tmp_path / "en.safetensors", pooling, 2) == found[2]).all()


def test_sentences_that_have_no_states(llama: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    network, tokenizer = llama
    with refused("no tokens", "''", file="vi.txt"):
        pooled_states(network, tokenizer, ["fine", ""], file=Path("vi.txt"))
    monkeypatch.setattr(network.config, "max_position_embeddings", 5)
    with refused("'Winter is cold, and so is the snow'", "context", "5"):
        pooled_states(network, tokenizer, ["a", "Winter is cold, and so is the snow"])


def test_states_that_are_no_numbers(tiny_model: Path) -> None:
    network, tokenizer = load(tiny_model, device="cpu")
    with torch.no_grad():
        network.model.layers[0].mlp.down_proj.weight[0, 0] = torch.inf
    with refused("layer 1", "finite", hint="--device"):
        pooled_states(network, tokenizer, TEXTS)
