"""What a run would do: counts, estimates of memory and time, micro-batches as text. Nothing is trained."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossin.core.progress import Progress, silent
from crossin.models.memory import peak_memory
from crossin.training.config import TrainConfig
from crossin.training.run import pulled_inputs
from crossin.training.sampling import micro_batches

if TYPE_CHECKING:
    from crossin.training.trainer import TrainingPlan

_SHOWN = 3


@dataclass(frozen=True)
class TrainingPreview:
    """A run in figures; `shown` are the rows of its first micro-batches, each as prompt and completion.

    `seconds` and `memory_mb` are estimates from the forward and backward pass of one step: time by the number
    of tokens, and the memory it took with the optimiser's two numbers per trained weight. `template` is the
    form of the prompts, as in `PromptForm`.
    """

    rows: int
    rows_held_out: int
    skipped: dict[str, int]
    groups: dict[str, int]
    tokens: int
    learned_tokens: int
    steps: int
    pairs: int
    micro_batches_per_step: float
    trained_weights: int
    reached_share: float
    weights: int
    terms: list[str]
    seconds: float
    memory_mb: float
    shown: list[list[tuple[str, str]]]
    notes: list[str]
    template: str


def preview(config: TrainConfig, *, progress: Progress = silent) -> TrainingPreview:
    """What `train` would do with this config; errors as there. Writes nothing."""
    folder, mixture = pulled_inputs(config, progress)
    from crossin.training.method import reached_share
    from crossin.training.session import load_trainable, plan_of
    from crossin.training.trained_form import prompt_form

    notes: list[str] = []
    network, tokenizer = load_trainable(config, folder, notes.append)
    plan = plan_of(config, mixture, network, tokenizer, [])
    network.train()
    room = config.batches.tokens_on(network.device.type)
    seconds = _time_step(network, plan, room)
    weights = list(network.parameters())
    trained = sum(weight.numel() for weight in weights if weight.requires_grad)
    steps = [plan.rows_at(step) for step in range(plan.steps)]
    batches = [batch for rows in steps for batch in micro_batches(rows, room)]
    pairs = [[size for term in plan.terms for size in term.sizes(step)] for step in range(plan.steps)]
    read = [
        sum(sizes) + sum(len(row.tokens) for row in rows) for sizes, rows in zip(pairs, steps, strict=True)
    ]
    return TrainingPreview(
        rows=len(plan.rows),
        rows_held_out=len(plan.held_out),
        skipped=plan.skipped,
        groups=dict(sorted(Counter("/".join(row.group) for row in plan.rows).items())),
        tokens=sum(read),
        learned_tokens=sum(row.learned for rows in steps for row in rows),
        steps=plan.steps,
        pairs=sum(map(len, pairs)),
        micro_batches_per_step=len(batches) / plan.steps,
        trained_weights=trained,
        reached_share=reached_share(network),
        weights=sum(weight.numel() for weight in weights),
        terms=[term.name for term in plan.terms],
        seconds=seconds * sum(read) / read[0],
        memory_mb=peak_memory() + 2 * 4 * trained / 2**20,
        shown=[
            [(tokenizer.decode(row.prompt), tokenizer.decode(row.completion)) for row in batch]
            for batch in batches[:_SHOWN]
        ],
        notes=notes,
        template=prompt_form(mixture, tokenizer).name,
    )


def _time_step(network: Any, plan: TrainingPlan, room: int) -> float:
    """Seconds of the first step, forward and backward, when it is computed the second time."""
    import torch

    from crossin.training.losses import row_losses, row_weights

    rows = plan.rows_at(0)
    for _ in range(2):
        started = time.monotonic()
        for term in plan.terms:
            for places in term.parts(0, room):
                torch.autograd.backward(term.loss(network, 0, places).value)
        for part in micro_batches(rows, room):
            torch.autograd.backward(row_losses(network, part, row_weights(part, rows, plan.config.weigh))[0])
        network.zero_grad()
    return time.monotonic() - started
