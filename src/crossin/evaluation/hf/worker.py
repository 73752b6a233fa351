"""One process with one model: load it, score units, generate replies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from crossin.core.errors import CrossinError
from crossin.evaluation.engine import Reply, Scores
from crossin.evaluation.hf.generation import generate
from crossin.evaluation.hf.scoring import score_units
from crossin.evaluation.hf.units import Unit
from crossin.evaluation.hf.unshared import cannot_share, length_to_check, score_unshared
from crossin.models.adapters import with_adapter
from crossin.models.loading import load
from crossin.models.memory import is_out_of_memory

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

    from crossin.evaluation.hf.tokens import Continuation


@dataclass(frozen=True)
class ModelSetup:
    """Which model, and where and how it runs; `batch_tokens` as in `score_units`."""

    model: Path
    adapter: Path | None
    merge: bool
    device: str
    dtype: str
    batch_tokens: int


@dataclass(frozen=True)
class ScoringTask:
    """Units to score and the tokens of their requests, of which none is longer than `longest`."""

    units: Sequence[Unit]
    requests: Mapping[int, Sequence[Continuation]]
    longest: int


@dataclass(frozen=True)
class GenerationTask:
    """The prompts of one batch of replies, by number."""

    prompts: Mapping[int, Sequence[int]]
    max_tokens: int
    stop: tuple[str, ...]


class Worker:
    """A loaded model that takes tasks."""

    def __init__(self, setup: ModelSetup) -> None:
        self.setup = setup
        model, self.tokenizer = load(setup.model, device=setup.device, dtype=setup.dtype)
        if setup.adapter is not None:
            model = with_adapter(model, setup.adapter, base=setup.model, merge=setup.merge)
        self.model = model
        self._reasons: dict[int, str | None] = {}

    def why_unshared(self, longest: int) -> str | None:
        """Why sequences of up to `longest` tokens cannot share prefixes (a code), or None."""
        length = length_to_check(self.model.config.get_text_config(), longest)
        if length not in self._reasons:
            with _enough_memory():
                self._reasons[length] = cannot_share(self.model, length)
        return self._reasons[length]

    def score(self, task: ScoringTask) -> Iterator[tuple[int, Scores]]:
        """The scores of the task's requests.

        Raises CrossinError where one request is too much for the memory.
        """
        if self.why_unshared(task.longest) is None:
            found = score_units(self.model, task.requests, task.units, self.setup.batch_tokens)
        else:
            numbers = [number for unit in task.units for number in unit.requests]
            found = score_unshared(self.model, task.requests, numbers)
        with _enough_memory():
            yield from found

    def generate(self, task: GenerationTask) -> list[tuple[int, Reply]]:
        """The replies to the task's prompts."""
        with _enough_memory():
            replies = generate(
                self.model,
                self.tokenizer,
                list(task.prompts.values()),
                max_tokens=task.max_tokens,
                stop=task.stop,
            )
        return list(zip(task.prompts, replies, strict=True))


@contextmanager
def _enough_memory() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise CrossinError(
            "one batch needs more memory than there is",
            hint="use --dtype bfloat16 or 4bit, another device, fewer --processes, or --truncate left",
        ) from error


# In a process of its own: set by `begin`.
_setup: ModelSetup


def begin(setup: ModelSetup, devices: Queue[str], threads: int) -> None:
    """Set up this process for its worker, on the next of the devices."""
    global _setup
    import torch

    # An interrupt ends it at once, without a message of its own.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(threads)
    # Tokenizers warn where a process that used them forks.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _setup = replace(setup, device=devices.get())


@cache
def _worker() -> Worker:
    """This process's worker; created with its first task, so that its errors reach whoever waits for that."""
    return Worker(_setup)


def score_task(task: ScoringTask) -> tuple[list[tuple[int, Scores]], str | None]:
    """The scores of a task's requests, and why nothing was shared (a code), if so."""
    return list(_worker().score(task)), _worker().why_unshared(task.longest)


def reply_task(task: GenerationTask) -> tuple[list[tuple[int, Reply]], str | None]:
    """The replies to a task's prompts."""
    return _worker().generate(task), None
