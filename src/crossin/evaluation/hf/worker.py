"""What one process does with one model: load it, score units, generate replies."""

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
from crossin.evaluation.hf.plain import cannot_share, length_to_check, score_plain
from crossin.evaluation.hf.plan import Unit
from crossin.evaluation.hf.scoring import score_units
from crossin.models.adapters import with_adapter
from crossin.models.loading import load
from crossin.models.memory import is_out_of_memory

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

    from crossin.evaluation.hf.tokens import Continuation


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
        self._reasons: dict[int, str | None] = {}

    def why_plain(self, longest: int) -> str | None:
        """Why nothing can be shared between sequences of up to `longest` tokens, or None."""
        length = length_to_check(self.model.config.get_text_config(), longest)
        if length not in self._reasons:
            with _enough_memory():
                self._reasons[length] = cannot_share(self.model, length)
        return self._reasons[length]

    def score(self, task: Task) -> Iterator[tuple[int, Scores]]:
        """The scores of the task's requests.

        Raises CrossinError where one request is too much for the memory.
        """
        if self.why_plain(task.longest) is None:
            found = score_units(self.model, task.requests, task.units, self.setup.batch_tokens)
        else:
            numbers = [number for unit in task.units for number in unit.requests]
            found = score_plain(self.model, task.requests, numbers)
        with _enough_memory():
            yield from found

    def generate(self, task: Prompts) -> list[tuple[int, Reply]]:
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
            "one pass through the model needs more memory than there is",
            hint="use --dtype bfloat16 or 4bit, another device, fewer --processes, or --truncate left",
        ) from error


# In a process of its own: what `begin` was told.
_setup: Setup


def begin(setup: Setup, devices: Queue[str], threads: int) -> None:
    """Tell this process what its worker is to be, on the next of the devices."""
    global _setup
    import torch

    # An interrupt ends it at once, without a word of its own.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(threads)
    # Tokenizers warn where a process that used them divides.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _setup = replace(setup, device=devices.get())


@cache
def _worker() -> Worker:
    """This process's worker; made with its first task, so that who waits for that hears what is wrong."""
    return Worker(_setup)


def score(task: Task) -> tuple[list[tuple[int, Scores]], str | None]:
    """The scores of a task's requests, and why nothing was shared, if so."""
    return list(_worker().score(task)), _worker().why_plain(task.longest)


def reply(task: Prompts) -> tuple[list[tuple[int, Reply]], str | None]:
    """The replies to a task's prompts."""
    return _worker().generate(task), None
