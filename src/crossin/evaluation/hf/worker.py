"""One process with one model: load it, score units, generate replies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.core.errors import CrossinError
from crossin.evaluation.engine import Draw, Reply, Scores
from crossin.evaluation.hf.decoding import Limits, decode
from crossin.evaluation.hf.encoder_decoder import score_encoder_decoder
from crossin.evaluation.hf.generation import REPLY_TOKENS, generate, reply_batches
from crossin.evaluation.hf.scoring import Chain, Prefix, score_units
from crossin.evaluation.hf.units import Unit
from crossin.evaluation.hf.unshared import cannot_share, length_to_check, score_unshared
from crossin.models.adapters import with_adapter
from crossin.models.kinds import ANSWERING
from crossin.models.loading import load
from crossin.models.memory import is_out_of_memory

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

    from crossin.evaluation.hf.tokens import Continuation

# On a GPU, a pass takes about as long for many replies as for one.
_GPU_PAIRS = 2**21


@dataclass(frozen=True)
class ModelSetup:
    """Which model, and where and how it runs; `batch_tokens` as in `score_units`."""

    model: Path
    adapter: Path | None
    merge: bool
    device: str
    dtype: str
    batch_tokens: int


class Worker:
    """A loaded model, and in `notes` the codes of what a user should know of its work."""

    def __init__(self, setup: ModelSetup) -> None:
        self.setup = setup
        self.model, self.tokenizer = load(
            setup.model, device=setup.device, dtype=setup.dtype, kinds=ANSWERING
        )
        if setup.adapter is not None:
            self.model = with_adapter(self.model, setup.adapter, base=setup.model, merge=setup.merge)
        self.notes: list[str] = []
        # How many replies are decoded at once, and the prefixes of the last unit of them.
        columns = setup.batch_tokens
        self.limits = Limits(columns=columns, pairs=_GPU_PAIRS) if columns else Limits()
        self.prefixes: dict[Chain, Prefix] = {}
        self._shares: dict[int, bool] = {}

    def can_share(self, longest: int) -> bool:
        """Whether sequences of up to `longest` tokens can share prefixes; if not, the notes say why."""
        if self.model.config.is_encoder_decoder:
            return False
        length = length_to_check(self.model.config.get_text_config(), longest)
        if length not in self._shares:
            reason = cannot_share(self.model, length)
            self._shares[length] = reason is None
            self.notes += [] if reason is None else [reason]
        return self._shares[length]


@dataclass(frozen=True)
class ScoringTask:
    """Units to score and the tokens of their requests, of which none is longer than `longest`."""

    units: Sequence[Unit]
    requests: Mapping[int, Sequence[Continuation]]
    longest: int

    def results(self, worker: Worker) -> Iterator[tuple[int, Scores]]:
        """The scores of the requests; CrossinError where one alone is too much for the memory."""
        with _enough_memory():
            if worker.model.config.is_encoder_decoder:
                numbers = [number for unit in self.units for number in unit.requests]
                yield from score_encoder_decoder(worker.model, self.requests, numbers)
            elif worker.can_share(self.longest):
                yield from score_units(worker.model, self.requests, self.units, worker.setup.batch_tokens)
            else:
                numbers = [number for unit in self.units for number in unit.requests]
                yield from score_unshared(worker.model, self.requests, numbers)


@dataclass(frozen=True)
class GenerationTask:
    """A unit of replies and the tokens of its prompts, of which none is longer than `longest` with its
    reply. `draws` has the numbers of those that are sampled.
    """

    unit: Unit
    prompts: Mapping[int, Sequence[int]]
    max_tokens: int
    stop: tuple[str, ...]
    longest: int
    draws: Mapping[int, Draw]

    def results(self, worker: Worker) -> Iterator[tuple[int, Reply]]:
        """The replies; CrossinError where what is computed together is too much for the memory."""
        how: dict[str, Any] = {"max_tokens": self.max_tokens, "stop": self.stop}
        with _enough_memory():
            if worker.can_share(self.longest):
                yield from decode(
                    worker.model,
                    worker.tokenizer,
                    self.prompts,
                    self.unit,
                    worker.prefixes,
                    draws=self.draws,
                    limits=worker.limits,
                    **how,
                )
                return
            numbers, prompts = list(self.prompts), list(self.prompts.values())
            for batch in reply_batches(prompts, REPLY_TOKENS, max_tokens=self.max_tokens):
                chosen = [prompts[place] for place in batch]
                mine = [numbers[place] for place in batch]
                draws = [self.draws.get(number) for number in mine]
                replies = generate(worker.model, worker.tokenizer, chosen, draws=draws, **how)
                yield from zip(mine, replies, strict=True)


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

    torch.set_num_threads(threads)
    # Tokenizers warn where a process that used them forks.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _setup = replace(setup, device=devices.get())


@cache
def _worker() -> Worker:
    """This process's worker; created with its first task, so that its errors reach whoever waits for that."""
    return Worker(_setup)


def run_task(task: ScoringTask | GenerationTask) -> tuple[list[tuple[int, Any]], list[str]]:
    """A task's results, and the worker's notes so far."""
    return list(task.results(_worker())), _worker().notes
