"""The log-likelihoods of an item's options, with gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crossin.training.document import Document
from crossin.training.head import logits
from crossin.training.pairs import Asked
from crossin.training.passes import layout, states

if TYPE_CHECKING:
    import torch


def option_logprobs(model: Any, asked: Sequence[Asked], length: str) -> list[torch.Tensor]:
    """For each question the log-likelihood (nats) of each of its options, summed over the option's tokens, or
    with `length="token"` their mean: a tensor [options] each.

    What a question's options share is read once, where the model's layout allows it; the head runs at the
    places before scored tokens only.
    """
    import torch

    documents: list[Document] = []
    places: list[int] = []
    targets: list[int] = []
    counts: list[int] = []
    start = 0
    for question in asked:
        made, found = _tree(question) if layout(model) == "documents" else _apart(question)
        documents += made
        for whole, begin, where in zip(question.wholes, question.starts, found, strict=True):
            places += [start + place for place in where]
            targets += whole[begin:]
            counts.append(len(where))
        start += sum(len(document.tokens) for document in made)
    found_states = states(model, documents)
    device = found_states.device
    rows = logits(model, found_states[torch.tensor(places, device=device)])
    wanted = torch.tensor(targets, device=device)
    each = -torch.nn.functional.cross_entropy(rows, wanted, reduction="none")
    sums = torch.stack(
        [part.mean() if length == "token" else part.sum() for part in torch.split(each, counts)]
    )
    return list(torch.split(sums, [len(question.wholes) for question in asked]))


def _apart(question: Asked) -> tuple[list[Document], list[list[int]]]:
    """Every option with the whole prompt, and the places that predict its tokens."""
    documents = [Document(whole[:-1]) for whole in question.wholes]
    places: list[list[int]] = []
    start = 0
    for whole, begin in zip(question.wholes, question.starts, strict=True):
        places.append([start + place for place in range(begin - 1, len(whole) - 1)])
        start += len(whole) - 1
    return documents, places


def _tree(question: Asked) -> tuple[list[Document], list[list[int]]]:
    """The options as branches behind what they share, and the places that predict each one's tokens."""
    shared = question.shared
    tokens = list(question.wholes[0][:shared])
    positions = list(range(shared))
    branch = [-1] * shared
    places = []
    for number, (whole, begin) in enumerate(zip(question.wholes, question.starts, strict=True)):
        offset = len(tokens) - shared
        places.append(
            [place if place < shared else place + offset for place in range(begin - 1, len(whole) - 1)]
        )
        tokens += whole[shared:-1]
        positions += range(shared, len(whole) - 1)
        branch += [number] * (len(whole) - 1 - shared)
    owner = np.array(branch)
    order = np.arange(len(owner))
    visible = (order[:, None] >= order[None, :]) & (
        (owner[None, :] == -1) | (owner[:, None] == owner[None, :])
    )
    return [Document(tokens, positions, visible)], places
