"""Any causal language model of transformers, in this process or in several."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.core.errors import CrossinError
from crossin.evaluation.engine import Reply, Request, Scores
from crossin.evaluation.hf.plan import Unit, plan
from crossin.evaluation.hf.tokens import tokenise, tokenise_prompts

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from crossin.evaluation.hf.worker import Setup, Worker

# The logits of one unit: 2^26 numbers of float32 are 256 MiB.
_LOGITS = 2**26
# Tokens that a card takes at once to begin with; it is halved where that is too much.
_BATCH_TOKENS = 2**15
# Tokens of a batch of replies: a step takes about as long for many rows as for one.
_REPLY_TOKENS = 2**13
# Units a task for another process: few, so that all processes end together; neighbours share a prefix.
_UNITS = 4


class HfEngine:
    """An `Engine` over a model in a local folder, with the adapter in `adapter` if given.

    `device` and `dtype` as in `models.loading.load`. `batch_tokens` is how many tokens go through a card at
    once to begin with; a CPU takes one unit of the plan at a time, since more would not be faster. With
    `processes` > 1 each has its own copy of the model: on the CUDA cards in turn, or on a share of the CPU's
    threads. `truncate` cuts what is too long on the left.
    """

    def __init__(
        self,
        model: Path,
        *,
        adapter: Path | None = None,
        merge: bool = True,
        device: str = "auto",
        dtype: str = "auto",
        processes: int = 1,
        batch_tokens: int | None = None,
        truncate: bool = False,
    ) -> None:
        self.model = model
        self.adapter = adapter
        self.merge = merge
        self.asked = (device, dtype)
        self.processes = processes
        self.batch_tokens = batch_tokens
        self.truncate = truncate
        self.notes: list[str] = []
        self._worker: Worker | None = None
        self._pool: ProcessPoolExecutor | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """Engine, kind of device, precision, and how adapter and long prompts are treated."""
        setup = self._setup()
        found = {"engine": "hf", "device": setup.device.partition(":")[0], "dtype": setup.dtype}
        return found | {"truncate": self.truncate} | ({"merge": self.merge} if self.adapter else {})

    @property
    def inputs(self) -> dict[str, Path]:
        """The model's folder, and the adapter's."""
        return {"model": self.model} | ({"adapter": self.adapter} if self.adapter else {})

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        """See `Engine.logprobs`; requests of one key share what they begin with.

        Raises CrossinError where a request does not fit the model (`tokenise`).
        """
        from crossin.evaluation.hf.worker import Task, score

        wanted = set(wanted)
        if not wanted:
            return
        tokenizer, config = self._texts()
        tokens = tokenise(tokenizer, requests, longest=_longest(config), truncate=self.truncate)
        longest = max(len(option.tokens) for options in tokens for option in options)
        units = []
        for numbers in _by_key(requests):
            for unit in plan([tokens[number] for number in numbers], places=_LOGITS // config.vocab_size):
                mine = tuple(numbers[place] for place in unit.requests)
                if not wanted.isdisjoint(mine):
                    units.append(Unit(unit.prefix, mine, unit.owed))
        if self.processes == 1:
            worker = self._alone()
            self._note(worker.why_plain(longest))
            found = worker.score(Task(units, dict(enumerate(tokens)), longest))
        else:
            groups = [units[begin : begin + _UNITS] for begin in range(0, len(units), _UNITS)]
            tasks = [
                Task(group, {number: tokens[number] for unit in group for number in unit.requests}, longest)
                for group in groups
            ]
            found = self._spread(score, tasks)
        yield from (pair for pair in found if pair[0] in wanted)

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        """See `Engine.generate`; greedy decoding (`crossin.evaluation.hf.generation`)."""
        from crossin.evaluation.hf.generation import batches
        from crossin.evaluation.hf.worker import Prompts, reply

        wanted = set(wanted)
        if not wanted:
            return
        tokenizer, config = self._texts()
        tokens = tokenise_prompts(tokenizer, requests, longest=_longest(config), truncate=self.truncate)
        tasks = []
        for numbers in _by_key(requests):
            first = requests[numbers[0]]
            for batch in batches(
                [tokens[number] for number in numbers], _REPLY_TOKENS, max_tokens=first.max_tokens
            ):
                mine = [numbers[place] for place in batch]
                if not wanted.isdisjoint(mine):
                    prompts = {number: tokens[number] for number in mine}
                    tasks.append(Prompts(prompts, first.max_tokens, first.stop))
        found: Iterator[tuple[int, Reply]] = (
            (pair for task in tasks for pair in self._alone().generate(task))
            if self.processes == 1
            else self._spread(reply, tasks)
        )
        yield from (pair for pair in found if pair[0] in wanted)

    def close(self) -> None:
        """Let go of the model and of the processes."""
        self._worker = None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _setup(self) -> Setup:
        from crossin.evaluation.hf.worker import Setup
        from crossin.models.loading import resolve

        device, dtype = resolve(*self.asked)
        on_cpu = device.startswith("cpu")
        batch_tokens = 0 if on_cpu else self.batch_tokens or _BATCH_TOKENS
        return Setup(self.model, self.adapter, self.merge, device, dtype, batch_tokens)

    def _texts(self) -> tuple[Any, Any]:
        """The tokenizer and the configuration of the text model."""
        from crossin.models.loading import load_tokenizer

        tokenizer, config = load_tokenizer(self.model)
        return tokenizer, config.get_text_config()

    def _alone(self) -> Worker:
        from crossin.evaluation.hf.worker import Worker

        if self._worker is None:
            self._worker = Worker(self._setup())
        return self._worker

    def _spread(self, work: Any, tasks: Sequence[Any]) -> Iterator[Any]:
        """What `work` finds for each task, by all processes, as it comes."""
        from concurrent.futures import FIRST_COMPLETED, wait
        from concurrent.futures.process import BrokenProcessPool

        pool = self._processes()
        waiting = iter(tasks)
        running: set[Any] = set()
        try:
            while True:
                for task in waiting:
                    running.add(pool.submit(work, task))
                    if len(running) >= 2 * self.processes:
                        break
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    found, why_plain = future.result()
                    self._note(why_plain)
                    yield from found
        except BrokenProcessPool as error:
            raise CrossinError(
                "a process that asks the model has died, perhaps for want of memory",
                hint="run again with fewer --processes; what was answered is kept",
            ) from error

    def _processes(self) -> ProcessPoolExecutor:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        import torch

        from crossin.evaluation.hf.worker import begin

        if self._pool is None:
            setup = self._setup()
            context = multiprocessing.get_context("spawn")
            devices = context.Queue()
            cards = torch.cuda.device_count() if setup.device == "cuda" else 0
            for number in range(self.processes):
                devices.put(f"cuda:{number % cards}" if cards else setup.device)
            threads = max(1, torch.get_num_threads() // self.processes)
            self._pool = ProcessPoolExecutor(
                self.processes, mp_context=context, initializer=begin, initargs=(setup, devices, threads)
            )
        return self._pool

    def _note(self, why_plain: str | None) -> None:
        note = f"nothing is shared between questions, which is slow: {why_plain}"
        if why_plain is not None and note not in self.notes:
            self.notes.append(note)


def _longest(config: Any) -> int | None:
    """How many tokens the model takes, None if its configuration does not say."""
    longest: int | None = getattr(config, "max_position_embeddings", None)
    return longest


def _by_key(requests: Sequence[Request]) -> list[list[int]]:
    """The numbers of the requests of each key, and of as long replies."""
    groups: dict[tuple[str, int, tuple[str, ...]], list[int]] = {}
    for number, request in enumerate(requests):
        groups.setdefault((request.key, request.max_tokens, request.stop), []).append(number)
    return list(groups.values())
