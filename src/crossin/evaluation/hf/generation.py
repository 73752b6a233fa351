"""Replies without sharing, in padded batches, which works for every causal model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossin.evaluation.engine import Draw, Reply
from crossin.evaluation.hf.encoder_decoder import decoder_start
from crossin.evaluation.hf.sampling import next_tokens
from crossin.evaluation.hf.stops import Ends, GrowingReply

# Tokens of a batch: a decoding step takes about as long for many rows as for one.
REPLY_TOKENS = 2**13


def reply_batches(prompts: Sequence[Sequence[int]], limit: int, max_tokens: int) -> list[list[int]]:
    """The numbers of the prompts of each batch, such that none has more than `limit` tokens, padding and
    replies of `max_tokens` included; a prompt longer than that has a batch of its own.

    Depends on the prompts alone, not on their order: the longest come first, those of one length in the order
    of their tokens. So the whole of a batch, computed again after a restart, gives the same bits on a CPU.
    """
    order = sorted(range(len(prompts)), key=lambda number: (-len(prompts[number]), list(prompts[number])))
    found: list[list[int]] = []
    rows = 0
    for number in order:
        if not found or len(found[-1]) == rows:
            rows = max(1, limit // (len(prompts[number]) + max_tokens))
            found.append([])
        found[-1].append(number)
    return found


def generate(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    *,
    max_tokens: int,
    stop: Sequence[str] = (),
    draws: Sequence[Draw | None] | None = None,
) -> list[Reply]:
    """The replies to `prompts` (token ids, none empty), computed together, each of at most `max_tokens`
    tokens.

    Decoding is greedy, but for prompts that have one of `draws`. The model's generation_config (sampling,
    penalties, beams, stop texts) is ignored, but for its end tokens; `Ends` says what ends a reply. The
    prompts are padded on the left (those of an encoder on the right); a prompt alone gives the same logits
    but for rounding.

    `computed` counts the tokens of a prompt's row, padding and the wait for the longest reply included.
    """
    import torch
    from transformers import GenerationConfig

    if not prompts:
        return []
    width, encoder = max(map(len, prompts)), model.config.is_encoder_decoder
    ids = torch.zeros(len(prompts), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        # Where a decoder writes the reply, it does not follow the prompt's last token.
        place = slice(0, len(prompt)) if encoder else slice(width - len(prompt), width)
        ids[row, place] = torch.tensor(prompt)
        mask[row, place] = 1
    start = decoder_start(model) if encoder else None
    before = width if start is None else 1
    ends = Ends(model, tokenizer, stop)
    replies = [GrowingReply(ends) for _ in prompts]
    # The rows that have ended; what comes while they wait for the others is ignored.
    done: set[int] = set()

    def ended(tokens: torch.Tensor, _: Any, **__: Any) -> torch.Tensor:
        for row, token in enumerate(tokens[:, -1].tolist()):
            if row not in done and replies[row].ended_by(token):
                done.add(row)
        return torch.tensor([row in done for row in range(len(prompts))], device=tokens.device)

    def only_drawn(tokens: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        found = next_tokens(logits, draws or [None] * len(prompts), [tokens.shape[1] - before] * len(prompts))
        chosen = torch.tensor(found, device=logits.device)[:, None]
        return torch.full_like(logits, float("-inf")).scatter(1, chosen, 0.0)

    # Settings that are not passed come from the model's own configuration: there must be none.
    own = model.generation_config
    model.generation_config = GenerationConfig()
    try:
        with torch.inference_mode():
            output = model.generate(
                ids.to(model.device),
                attention_mask=mask.to(model.device),
                generation_config=GenerationConfig(
                    do_sample=False,
                    max_new_tokens=max_tokens,
                    use_cache=True,
                    decoder_start_token_id=start,
                ),
                stopping_criteria=[ended],
                logits_processor=[only_drawn] if draws and any(draws) else None,
            )
    finally:
        model.generation_config = own
    computed = output.shape[1] - before + width - 1
    return [reply.reply(computed) for reply in replies]
