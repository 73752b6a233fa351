"""What a run would do: counts, an estimate of memory and time, and passes as text. Nothing is trained."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from crossin.core.progress import Progress, silent
from crossin.models.memory import peak_memory
from crossin.training.batches import passes
from crossin.training.config import TrainConfig
from crossin.training.document import Row

_SHOWN = 3


@dataclass(frozen=True)
class Preview:
    """A run in figures; `shown` are the rows of its first passes, each as what is read and what is learned.

    `seconds` and `memory_mb` are estimates: one step was computed forth and back. All other tokens are taken
    to need the time that its tokens did; and the memory that it took is that of the run but for the
    optimiser's two numbers a trained weight, which are added.
    """

    rows: int
    held_out: int
    skipped: dict[str, int]
    groups: dict[str, int]
    tokens: int
    learned: int
    steps: int
    passes_per_step: float
    trained_weights: int
    weights: int
    terms: list[str]
    seconds: float
    memory_mb: float
    shown: list[list[tuple[str, str]]]


def preview(config: TrainConfig, *, progress: Progress = silent) -> Preview:
    """What `train` would do with this config; errors as there. Writes nothing."""
    from crossin.training.run import places
    from crossin.training.session import read_data, ready_model, work_of

    folder, mixture = places(config, progress)
    network, tokenizer = ready_model(config, folder, lambda _: None)
    data = read_data(config, mixture, tokenizer)
    work = work_of(config, data, network, tokenizer, mixture, [])
    network.train()
    if config.batches.recompute:
        # Transformers is changing the name.
        new = getattr(network, "activation_checkpointing_enable", None)
        (new or network.gradient_checkpointing_enable)()
    seconds = _time_step(network, work, config)
    weights = list(network.parameters())
    trained = sum(weight.numel() for weight in weights if weight.requires_grad)
    room = config.batches.tokens_on(network.device.type)
    in_passes = [passes(work.rows_at(step), room) for step in range(work.steps)]
    groups = Counter("/".join(row.group) for row in data.rows)
    tokens = sum(len(row.tokens) for row in data.rows) * config.epochs
    return Preview(
        rows=len(data.rows),
        held_out=len(data.kept),
        skipped=data.skipped,
        groups=dict(sorted(groups.items())),
        tokens=tokens,
        learned=sum(len(row.tokens) - row.learned_from for row in data.rows) * config.epochs,
        steps=work.steps,
        passes_per_step=sum(map(len, in_passes)) / len(in_passes),
        trained_weights=trained,
        weights=sum(weight.numel() for weight in weights),
        terms=[term.name for term in work.terms],
        seconds=seconds * tokens / sum(len(row.tokens) for row in work.rows_at(0)),
        memory_mb=peak_memory() + 2 * 4 * trained / 2**20,
        shown=[
            [_texts(row, tokenizer) for row in part]
            for part in [p for step in in_passes for p in step][:_SHOWN]
        ],
    )


def _time_step(network: Any, work: Any, config: TrainConfig) -> float:
    """Seconds of the first step, forth and back, the second time that it is computed."""
    import torch

    from crossin.training.sft import row_losses, row_weights

    rows = work.rows_at(0)
    for _ in range(2):
        started = time.monotonic()
        for term in work.terms:
            torch.autograd.backward(term.loss(network, 0)[0])
        for part in passes(rows, config.batches.tokens_on(network.device.type)):
            torch.autograd.backward(row_losses(network, part, row_weights(part, rows, config.weigh))[0])
        network.zero_grad()
    return time.monotonic() - started


def _texts(row: Row, tokenizer: Any) -> tuple[str, str]:
    """What of a row is read only, and what is learned, with all special tokens."""
    tokens = list(row.tokens)
    return tokenizer.decode(tokens[: row.learned_from]), tokenizer.decode(tokens[row.learned_from :])
