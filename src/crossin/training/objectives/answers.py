"""`L_consist` of answers: the same distribution over a question's options in two languages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch

from crossin.core.hashing import hash64
from crossin.training.config import Consist
from crossin.training.losses import logits
from crossin.training.objectives.branches import branched
from crossin.training.objectives.distances import direct_consistency, jensen_shannon, towards
from crossin.training.packing import Document, layout, states
from crossin.training.pairs import TokenizedQuestion


def answer_loss(
    model: Any,
    questions: Sequence[tuple[TokenizedQuestion, TokenizedQuestion]],
    settings: Consist,
    references: Sequence[tuple[Sequence[float], Sequence[float]]] = (),
    key: str = "",
    start: int = 0,
    balances: Sequence[float] = (),
) -> torch.Tensor:
    """The mean divergence between the distributions over an item's options in two languages, the first of
    which is the pivot. With `dco`, `references` are the log-likelihoods under the model before training,
    `key` and the pair's number (from `start`) decide which two options are compared and computed, and
    `balances` are the directions of the pairs, all 1 by default.
    """
    both = [one for pair in questions for one in pair]
    chosen = None
    if settings.divergence == "dco":
        drawn = [
            compared(len(left.wholes), f"{key}/{number}") for number, (left, _) in enumerate(questions, start)
        ]
        chosen = [two for two in drawn for _ in range(2)]
    found = option_logprobs(model, both, settings.length, chosen)
    losses = []
    for number, (left, right) in enumerate(zip(found[0::2], found[1::2], strict=True)):
        if chosen:
            two = list(chosen[2 * number])
            held = [torch.tensor(one, device=left.device)[None, two] for one in references[number]]
            balance = balances[number] if balances else 1.0
            losses.append(direct_consistency(left[None], right[None], held[0], held[1], balance)[0])
        else:
            divergence = jensen_shannon if settings.divergence == "js" else towards
            pivot = left.detach() if settings.hold_pivot else left
            losses.append(divergence(pivot.log_softmax(-1), right.log_softmax(-1)))
    return torch.stack(losses).mean()


def compared(options: int, key: str) -> tuple[int, int]:
    """Which two of a question's options `dco` compares."""
    first = hash64("options", key) % options
    other = hash64("other option", key) % (options - 1)
    return first, other + (other >= first)


def option_logprobs(
    model: Any,
    questions: Sequence[TokenizedQuestion],
    length: str,
    chosen: Sequence[Sequence[int]] | None = None,
) -> list[torch.Tensor]:
    """For each question the log-likelihood (nats) of each of its options, or of those `chosen` by number,
    summed over the option's tokens, or with `length="token"` their mean: a tensor [options] each.

    What options and questions begin with alike is read once, where the model supports packed sequences; the
    head runs only at the places before scored tokens.
    """
    asked = [
        [(question.wholes[number], question.starts[number]) for number in numbers]
        for question, numbers in zip(
            questions, chosen or [range(len(question.wholes)) for question in questions], strict=True
        )
    ]
    options = [option for some in asked for option in some]
    texts = [whole[:-1] for whole, _ in options]
    documents, paths = (branched if layout(model) == "packed" else _separate)(texts)
    found = states(model, documents)
    places = [place for path, (_, start) in zip(paths, options, strict=True) for place in path[start - 1 :]]
    targets = [token for whole, start in options for token in whole[start:]]
    rows = logits(model, found[torch.tensor(places, device=found.device)])
    expected = torch.tensor(targets, device=found.device)
    each = -torch.nn.functional.cross_entropy(rows, expected, reduction="none")
    parts = torch.split(each, [len(whole) - start for whole, start in options])
    sums = torch.stack([part.mean() if length == "token" else part.sum() for part in parts])
    return list(torch.split(sums, [len(some) for some in asked]))


def _separate(texts: Sequence[Sequence[int]]) -> tuple[list[Document], list[list[int]]]:
    """Each text as a document, and of each the places of its tokens among those of all."""
    ends = list(accumulate(map(len, texts)))
    return [Document(text) for text in texts], [
        list(range(end - len(text), end)) for text, end in zip(texts, ends, strict=True)
    ]
