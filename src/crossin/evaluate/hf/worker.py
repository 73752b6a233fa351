"""What one process does with one model: load it, score units, generate replies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crossin.evaluate.engine import Reply, Scores
from crossin.evaluate.hf.generation import generate
from crossin.evaluate.hf.plain import cannot_share, score_plain
from crossin.evaluate.hf.plan import Unit
from crossin.evaluate.hf.scoring import score_units
from crossin.models.adapters import with_adapter
from crossin.models.load import load

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

    from crossin.evaluate.hf.tokens import Continuation


@dataclass(frozen=True)
class Setup:
    """Which model, and where and how it runs; `batch_tokens` as in `score_units`."""

    model: Path
    adapter: Path | None
    merge: bool
    device: str
    dtype: str
    batch_tokens: int


@dataclass(frozen=True)
class Task:
    """Units to score and the tokens of their requests, of which none is longer than `longest`."""

    units: Sequence[Unit]
    requests: Mapping[int, Sequence[Continuation]]
    longest: int


@dataclass(frozen=True)
class Prompts:
    """Prompts to generate replies to in one batch, by number."""

    prompts: Mapping[int, Sequence[int]]
    max_tokens: int
    stop: tuple[str, ...]


class Worker:
    """A loaded model that takes tasks."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        model, self.tokenizer = load(setup.model, device=setup.device, dtype=setup.dtype)
        if setup.adapter is not None:
            model = with_adapter(model, setup.adapter, base=setup.model, merge=setup.merge)
        self.model = model
        self._reasons: dict[bool, str | None] = {}

    def why_plain(self, longest: int) -> str | None:
        """Why nothing can be shared between sequences of up to `longest` tokens, or None."""
        window = getattr(self.model.config.get_text_config(), "sliding_window", None)
        beyond = window is not None and longest > window
        if beyond not in self._reasons:
            self._reasons[beyond] = cannot_share(self.model, longest)
        return self._reasons[beyond]

    def score(self, task: Task) -> Iterator[tuple[int, Scores]]:
        """The scores of the task's requests."""
        if self.why_plain(task.longest) is None:
            yield from score_units(self.model, task.requests, task.units, self.setup.batch_tokens)
        else:
            numbers = [number for unit in task.units for number in unit.requests]
            yield from score_plain(self.model, task.requests, numbers)

    def generate(self, task: Prompts) -> list[tuple[int, Reply]]:
        """The replies to the task's prompts."""
        replies = generate(
            self.model,
            self.tokenizer,
            list(task.prompts.values()),
            max_tokens=task.max_tokens,
            stop=task.stop,
        )
        return list(zip(task.prompts, replies, strict=True))


# In a process of its own: the worker that `begin` made.
_worker: Worker


def begin(setup: Setup, devices: Queue[str], threads: int) -> None:
    """Make this process's worker, on the next of the devices."""
    global _worker
    import torch

    torch.set_num_threads(threads)
    # Tokenizers warn where a process that used them divides.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _worker = Worker(Setup(**{**vars(setup), "device": devices.get()}))


def score(task: Task) -> tuple[list[tuple[int, Scores]], str | None]:
    """The scores of a task's requests, and why nothing was shared, if so."""
    return list(_worker.score(task)), _worker.why_plain(task.longest)


def reply(task: Prompts) -> tuple[list[tuple[int, Reply]], str | None]:
    """The replies to a task's prompts."""
    return _worker.generate(task), None
