"""Scoring with an encoder-decoder (mT0, Aya-101): its encoder reads the prompt, its decoder each option."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crossin.evaluation.engine import Scores
from crossin.evaluation.hf.tokens import Continuation


def score_encoder_decoder(
    model: Any, requests: Mapping[int, Sequence[Continuation]], wanted: Sequence[int]
) -> Iterator[tuple[int, Scores]]:
    """The scores of the requests numbered `wanted`. The token that ends an answer is not scored, as it is not
    with a causal model.
    """
    import torch

    start = decoder_start(model)
    for number in wanted:
        options = requests[number]
        prompt = options[0].tokens[: options[0].start]
        found: list[list[float]] = []
        with torch.inference_mode():
            encoded = model.get_encoder()(input_ids=torch.tensor([prompt], device=model.device))
            for option in options:
                targets = option.tokens[option.start :]
                inputs = torch.tensor([[start, *targets[:-1]]], device=model.device)
                logits = model(encoder_outputs=encoded, decoder_input_ids=inputs, use_cache=False).logits[0]
                table = torch.log_softmax(logits.float(), dim=-1)
                chosen = torch.tensor(targets, device=model.device)[:, None]
                found.append(table.gather(-1, chosen)[:, 0].tolist())
        # What a model without an encoder would compute for each option, its prompt, is computed once.
        saved = len(prompt) * (len(options) - 1)
        computed = len(prompt) + sum(map(len, found))
        yield number, Scores([sum(one) for one in found], [len(one) for one in found], computed, saved)


def decoder_start(model: Any) -> int:
    """The token that a decoder begins with."""
    for name in ("decoder_start_token_id", "bos_token_id"):
        for config in (model.generation_config, model.config):
            if (found := getattr(config, name, None)) is not None:
                return int(found)
    return 0
