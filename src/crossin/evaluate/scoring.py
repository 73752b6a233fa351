"""Log-likelihood of every option's full text, with what the options share computed once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from crossin.models.packing import Segment, logits_at, pack, split_shared


@dataclass(frozen=True)
class Request:
    """A prompt, and the options that may follow it, each with what separates it from the prompt."""

    prompt: str
    options: Sequence[str]


@dataclass(frozen=True)
class Scores:
    """For each option, the natural logarithm of its probability after the prompt, and how many tokens were
    scored.
    """

    logprobs: list[float]
    tokens: list[int]


def score(
    model: Any, tokenizer: Any, requests: Sequence[Request], tokens_per_pass: int
) -> Iterator[list[Scores]]:
    """The scores of `requests`, in order, yielded pass by pass; about `tokens_per_pass` tokens go through the
    model at once.

    Questions of a pass do not see each other, so that the size of a pass changes nothing but rounding.
    """
    import torch

    with torch.inference_mode():
        for batch in _passes(_tokenise(tokenizer, requests), tokens_per_pass):
            yield _score_pass(model, batch)


def _tokenise(tokenizer: Any, requests: Sequence[Request]) -> list[tuple[list[int], list[list[int]]]]:
    """For each request, the tokens its texts share and those that are left of each."""
    texts = [request.prompt + option for request in requests for option in request.options]
    tokens = iter(tokenizer(texts)["input_ids"])
    bare = tokenizer([request.prompt for request in requests])["input_ids"]
    split = []
    for request, prompt in zip(requests, bare, strict=True):
        wholes = [next(tokens) for _ in request.options]
        # The prompt takes part, so that what the options happen to share after it is scored too.
        shared, _ = split_shared([[*prompt, -1], *wholes])
        split.append((shared, [list(whole[len(shared) :]) for whole in wholes]))
    return split


def _passes(
    questions: list[tuple[list[int], list[list[int]]]], limit: int
) -> Iterator[list[tuple[list[int], list[list[int]]]]]:
    batch: list[tuple[list[int], list[list[int]]]] = []
    size = 0
    for question in questions:
        length = len(question[0]) + sum(map(len, question[1]))
        if batch and size + length > limit:
            yield batch
            batch, size = [], 0
        batch.append(question)
        size += length
    if batch:
        yield batch


def _score_pass(model: Any, batch: list[tuple[list[int], list[list[int]]]]) -> list[Scores]:
    import torch

    segments: list[Segment] = []
    for shared, rests in batch:
        parent = len(segments)
        # An option's last token predicts nothing that is scored, so it need not go through the model.
        segments += [Segment(shared), *(Segment(rest[:-1], parent) for rest in rests)]
    packed = pack(segments)
    places: list[int] = []
    targets: list[int] = []
    number = 0
    for shared, rests in batch:
        end_of_shared = packed.starts[number] + len(shared) - 1
        for offset, rest in enumerate(rests, start=1):
            start = packed.starts[number + offset]
            places += [end_of_shared, *range(start, start + len(rest) - 1)]
            targets += rest
        number += 1 + len(rests)
    # Options share the place where they part: each place goes through the head once.
    once = sorted(set(places))
    row = {place: index for index, place in enumerate(once)}
    logprobs = torch.log_softmax(logits_at(model, packed, once), dim=-1)
    chosen = logprobs[[row[place] for place in places], targets].tolist()
    scores, position = [], 0
    for _, rests in batch:
        sums = []
        for rest in rests:
            sums.append(sum(chosen[position : position + len(rest)]))
            position += len(rest)
        scores.append(Scores(sums, [len(rest) for rest in rests]))
    return scores
