"""`L_consist` of answers: the same distribution over a question's options in two languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from crossin.core.hashing import hash64
from crossin.training.config import Consist
from crossin.training.losses import logits
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
    `key` and the pair's number (from `start`) decide which two options are compared, and `balances` are the
    directions of the pairs, all 1 by default.
    """
    found = option_logprobs(model, [one for pair in questions for one in pair], settings.length)
    losses = []
    for number, (left, right) in enumerate(zip(found[0::2], found[1::2], strict=True)):
        if settings.divergence == "dco":
            first = hash64("options", f"{key}/{start + number}") % len(left)
            other = hash64("other option", f"{key}/{start + number}") % (len(left) - 1)
            two = [first, other + (other >= first)]
            held = [torch.tensor(one, device=left.device)[None, two] for one in references[number]]
            balance = balances[number] if balances else 1.0
            losses.append(direct_consistency(left[None, two], right[None, two], held[0], held[1], balance)[0])
        else:
            divergence = jensen_shannon if settings.divergence == "js" else towards
            pivot = left.detach() if settings.hold_pivot else left
            losses.append(divergence(pivot.log_softmax(-1), right.log_softmax(-1)))
    return torch.stack(losses).mean()


def option_logprobs(model: Any, questions: Sequence[TokenizedQuestion], length: str) -> list[torch.Tensor]:
    """For each question the log-likelihood (nats) of each of its options, summed over the option's tokens, or
    with `length="token"` their mean: a tensor [options] each.

    What a question's options share is read once, where the model supports packed sequences; the head
    runs only at the places before scored tokens.
    """
    documents: list[Document] = []
    places: list[int] = []
    targets: list[int] = []
    counts: list[int] = []
    start = 0
    for question in questions:
        made, found = _tree(question) if layout(model) == "packed" else _separate(question)
        documents += made
        for whole, begin, where in zip(question.wholes, question.starts, found, strict=True):
            places += [start + place for place in where]
            targets += whole[begin:]
            counts.append(len(where))
        start += sum(len(document.tokens) for document in made)
    found_states = states(model, documents)
    device = found_states.device
    rows = logits(model, found_states[torch.tensor(places, device=device)])
    expected = torch.tensor(targets, device=device)
    each = -torch.nn.functional.cross_entropy(rows, expected, reduction="none")
    parts = torch.split(each, counts)
    sums = torch.stack([part.mean() if length == "token" else part.sum() for part in parts])
    return list(torch.split(sums, [len(question.wholes) for question in questions]))


def _separate(question: TokenizedQuestion) -> tuple[list[Document], list[list[int]]]:
    """Every option with the whole prompt, and the places that predict its tokens."""
    documents = [Document(whole[:-1]) for whole in question.wholes]
    places: list[list[int]] = []
    start = 0
    for whole, begin in zip(question.wholes, question.starts, strict=True):
        places.append([start + place for place in range(begin - 1, len(whole) - 1)])
        start += len(whole) - 1
    return documents, places


def _tree(question: TokenizedQuestion) -> tuple[list[Document], list[list[int]]]:
    """The options as branches after what they share, and the places that predict each one's tokens."""
    shared = question.shared
    tokens = list(question.wholes[0][:shared])
    positions = list(range(shared))
    branch = [-1] * shared
    places = []
    for number, (whole, begin) in enumerate(zip(question.wholes, question.starts, strict=True)):
        offset = len(tokens) - shared
        scored = range(begin - 1, len(whole) - 1)
        places.append([place if place < shared else place + offset for place in scored])
        tokens += whole[shared:-1]
        positions += range(shared, len(whole) - 1)
        branch += [number] * (len(whole) - 1 - shared)
    owner = np.array(branch)
    visible = np.tri(len(owner), dtype=bool) & ((owner == -1) | (owner[:, None] == owner))
    return [Document(tokens, positions, visible)], places
