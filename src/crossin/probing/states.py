"""The hidden states of sentences in every layer of a model, pooled to one vector for each sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crossin.core.errors import CrossinError
from crossin.core.files import atomic_path
from crossin.core.progress import Progress, silent
from crossin.models.weights import writing_weights

# The ways to pool the states of a text's tokens, and what they are called.
POOLINGS = {"mean": "mean over tokens but the first", "last": "last token"}
# Tokens in a batch, with padding. The states of all layers are in memory at once, so it is small.
BATCH_TOKENS = 1024

States = npt.NDArray[np.float32]


def pooled_states(
    network: Any,
    tokenizer: Any,
    texts: Sequence[str],
    *,
    file: Path | None = None,
    batch_tokens: int = BATCH_TOKENS,
    task: str = "reading",
    progress: Progress = silent,
) -> dict[str, States]:
    """The states of N texts, [layers + 1, N, H] for each pooling; layer 0 is the embeddings, and the last has
    passed the model's final norm, as in transformers.

    `mean` is the mean over a text's tokens except the first that the model sees (a beginning-of-sequence
    token, or without one the text's own first, if it has more), `last` is its last token. The first token is
    an attention sink: its state can be a hundred times as long as others and would dominate the mean (Sun et
    al., "Massive Activations in Large Language Models", arXiv 2402.17762). Tokens that the tokenizer adds
    after a text are dropped.

    Raises CrossinError, with the `file` that the texts are from, for a text without tokens and one that is
    longer than the model's context; and for states that are not finite.
    """
    tokens, firsts = _tokens(tokenizer, texts)
    _check(texts, tokens, network, file)
    states: dict[str, States] = {}
    done = 0
    for batch in _batches([len(ids) for ids in tokens], batch_tokens):
        pooled = _pooled(network, [tokens[n] for n in batch], [firsts[n] for n in batch])
        for pooling, found in pooled.items():
            if pooling not in states:
                states[pooling] = np.empty((len(found), len(texts), found.shape[2]), np.float32)
            states[pooling][:, batch] = found
        done += len(batch)
        progress(task, done, len(texts), "sentences")
    for found in states.values():
        finite = np.isfinite(found).all(axis=(1, 2))
        if not finite.all():
            raise CrossinError(
                f"the states of layer {int(finite.argmin())} are not all finite numbers",
                hint="check the model's weights, or try another --device",
            )
    return states


def write_states(path: Path, states: dict[str, States]) -> None:
    """Save the states of one language, atomically."""
    from safetensors.numpy import save_file

    with atomic_path(path) as temporary, writing_weights(path):
        save_file(states, temporary)


def read_layer(path: Path, pooling: str, layer: int) -> States:
    """The states [N, H] of one layer in a file of `write_states`; only these are read."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        found: States = file.get_slice(pooling)[layer]
    return found


def layers_of(path: Path) -> int:
    """The number of layers in a file of `write_states`, with the embeddings."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        return int(file.get_slice(next(iter(POOLINGS))).get_shape()[0])


def _tokens(tokenizer: Any, texts: Sequence[str]) -> tuple[list[list[int]], list[int]]:
    """The tokens of each text without those added after it, and the first place that counts in its mean."""
    encoded = tokenizer(list(texts), return_special_tokens_mask=True)
    tokens, firsts = [], []
    for ids, added in zip(encoded["input_ids"], encoded["special_tokens_mask"], strict=True):
        own = [place for place, special in enumerate(added) if not special]
        tokens.append(ids[: own[-1] + 1] if own else [])
        # The first token that the model sees is left out of the mean, whether added or the text's own.
        firsts.append(max(own[0], min(1, own[-1])) if own else 0)
    return tokens, firsts


def _pooled(network: Any, tokens: Sequence[list[int]], firsts: Sequence[int]) -> dict[str, States]:
    """The states of a batch of B texts, [layers + 1, B, H] for each pooling."""
    import torch

    width = max(map(len, tokens))
    padded = torch.tensor([ids + [0] * (width - len(ids)) for ids in tokens], device=network.device)
    ends = torch.tensor([len(ids) for ids in tokens], device=network.device)
    starts = torch.tensor(firsts, device=network.device)
    places = torch.arange(width, device=network.device)
    seen = places < ends[:, None]
    inside = (seen & (places >= starts[:, None])).float()
    shares = (inside / inside.sum(dim=1, keepdim=True))[:, None, :]
    rows = torch.arange(len(tokens), device=network.device)
    with torch.inference_mode():
        # The model without its head, so that no logits are computed.
        layers = network.base_model(
            input_ids=padded, attention_mask=seen.long(), output_hidden_states=True, use_cache=False
        ).hidden_states
        mean = [torch.bmm(shares, hidden.float())[:, 0].cpu().numpy() for hidden in layers]
        last = [hidden[rows, ends - 1].float().cpu().numpy() for hidden in layers]
    return {"mean": np.stack(mean), "last": np.stack(last)}


def _check(texts: Sequence[str], tokens: Sequence[Sequence[int]], network: Any, file: Path | None) -> None:
    hint = "leave the sentence out of every language"
    longest = getattr(network.config.get_text_config(), "max_position_embeddings", None)
    for text, ids in zip(texts, tokens, strict=True):
        begins = text if len(text) <= 60 else text[:57] + "..."
        if not ids:
            raise CrossinError(f"the tokenizer returns no tokens for '{begins}'", file=file, hint=hint)
        if longest is not None and len(ids) > longest:
            raise CrossinError(
                f"'{begins}' has {len(ids):,} tokens, and the model's context holds {longest:,}",
                file=file,
                hint=hint,
            )


def _batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """The places of texts, short ones first, in batches of at most `most` tokens with padding; a longer text
    is a batch by itself.
    """
    batch: list[int] = []
    for place in np.argsort(lengths, kind="stable").tolist():
        if batch and (len(batch) + 1) * lengths[place] > most:
            yield batch
            batch = []
        batch.append(place)
    yield batch
