"""Any language model of transformers, in this process or in several."""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.core.errors import CrossinError
from crossin.core.paths import as_path
from crossin.evaluation.engine import Reply, Request, Scores
from crossin.evaluation.hf.tokens import tokenise, tokenise_prompts
from crossin.evaluation.hf.units import Unit, plan_units
from crossin.models.chat import ChatTemplate

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

    from crossin.evaluation.hf.worker import ModelSetup, Worker

# The logits of one unit: 2^26 numbers of float32 are 256 MiB.
_LOGITS = 2**26
# Tokens of a batch on a GPU to begin with; halved when it runs out of memory.
_BATCH_TOKENS = 2**15
# Tokens of a unit of replies: of its prompts, and of its replies where all are as long as they may be.
_REPLY_TOKENS = 2**13
# Replies of a unit, however long they may be: a forward pass takes about as long for these as for one.
_FEWEST_REPLIES = 8
# Units of a task for another process: few, so that all end together; neighbours share a prefix.
_UNITS = 4


@dataclass(eq=False)
class HfEngine:
    """An `Engine` with a model in a local folder.

    device, dtype: as in `models.loading.load`. batch_tokens: tokens of a batch on a GPU to begin with; on a
    CPU each unit is a batch, since more would not be faster. processes: copies of the model, each in a
    process of its own, on the GPUs in turn or on a share of the CPU's threads. truncate: cuts what is too
    long on the left. chat_template_kwargs: arguments of the chat template.
    """

    model: Path | str
    _: KW_ONLY
    adapter: Path | str | None = None
    merge: bool = True
    device: str = "auto"
    dtype: str = "auto"
    processes: int = 1
    batch_tokens: int | None = None
    truncate: bool = False
    chat_template_kwargs: Mapping[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list, init=False)
    _worker: Worker | None = field(default=None, init=False)
    _pool: ProcessPoolExecutor | None = field(default=None, init=False)

    @property
    def identity(self) -> dict[str, Any]:
        """Engine, kind of device, precision, and how adapter and long prompts are treated."""
        setup = self._setup()
        found: dict[str, Any] = {
            "engine": "hf",
            "device": setup.device.partition(":")[0],
            "dtype": setup.dtype,
        }
        given = self.chat_template_kwargs
        found |= {"truncate": self.truncate} | ({"chat_template_kwargs": dict(given)} if given else {})
        return found | ({"merge": self.merge} if self.adapter else {})

    @property
    def inputs(self) -> dict[str, Path]:
        """The model's folder, and the adapter's."""
        places = {"model": self.model} | ({"adapter": self.adapter} if self.adapter else {})
        return {name: as_path(place) for name, place in places.items()}

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        """See `Engine.logprobs`; requests of one key share what they begin with.

        Raises CrossinError where a request does not fit the model (`tokenise`).
        """
        from crossin.evaluation.hf.worker import ScoringTask

        wanted = set(wanted)
        if not wanted:
            return
        tokenizer, config = self._texts()
        tokens = tokenise(tokenizer, requests, **self._limits(config))
        longest = max(len(option.tokens) for options in tokens for option in options)
        units = []
        for numbers in _by_key(requests):
            for unit in plan_units(
                [tokens[number] for number in numbers], places=_LOGITS // config.vocab_size
            ):
                mine = tuple(numbers[place] for place in unit.requests)
                if not wanted.isdisjoint(mine):
                    units.append(Unit(unit.prefix, mine, unit.owed))
        # Alone, one process fills its batches from all units.
        step = len(units) if self.processes == 1 else _UNITS
        groups = [units[start : start + step] for start in range(0, len(units), step)]
        tasks = [
            ScoringTask(
                group, {number: tokens[number] for unit in group for number in unit.requests}, longest
            )
            for group in groups
        ]
        yield from self._results(tasks, wanted)

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        """See `Engine.generate`; requests of one key share what they begin with (`hf.decoding.decode`)."""
        from crossin.evaluation.hf.decoding import plan_replies
        from crossin.evaluation.hf.worker import GenerationTask

        wanted = set(wanted)
        if not wanted:
            return
        tokenizer, config = self._texts()
        asked = tokenise_prompts(tokenizer, requests, **self._limits(config))
        tokens = [prompt.tokens for prompt in asked]
        longest = max(
            len(prompt) + request.max_tokens for prompt, request in zip(tokens, requests, strict=True)
        )
        tasks = []
        for numbers in _by_key(requests):
            first = requests[numbers[0]]
            rows = min(_LOGITS // config.vocab_size, max(_FEWEST_REPLIES, _REPLY_TOKENS // first.max_tokens))
            for unit in plan_replies([tokens[number] for number in numbers], tokens=_REPLY_TOKENS, rows=rows):
                mine = tuple(numbers[place] for place in unit.requests)
                if not wanted.isdisjoint(mine):
                    tasks.append(
                        GenerationTask(
                            Unit(unit.prefix, mine, unit.owed),
                            {number: tokens[number] for number in mine},
                            first.max_tokens,
                            first.stop,
                            longest,
                            {number: draw for number in mine if (draw := requests[number].draw)},
                        )
                    )
        for number, reply in self._results(tasks, wanted):
            # The template began a thought: the reply's text shows it.
            yield number, replace(reply, text=asked[number].opening + reply.text)

    def close(self) -> None:
        """Release the model and the processes."""
        self._worker = None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _setup(self) -> ModelSetup:
        from crossin.evaluation.hf.worker import ModelSetup
        from crossin.models.loading import resolve

        device, dtype = resolve(self.device, self.dtype)
        on_cpu = device.startswith("cpu")
        batch_tokens = 0 if on_cpu else self.batch_tokens or _BATCH_TOKENS
        model, adapter = self.inputs["model"], self.inputs.get("adapter")
        return ModelSetup(model, adapter, self.merge, device, dtype, batch_tokens)

    def _texts(self) -> tuple[Any, Any]:
        """The tokenizer, and the configuration of the text model."""
        from crossin.models.adapters import read_trained_template
        from crossin.models.kinds import ANSWERING
        from crossin.models.loading import load_tokenizer

        tokenizer, whole = load_tokenizer(self.model, ANSWERING)
        if self.adapter is not None and (form := read_trained_template(as_path(self.adapter))) is not None:
            tokenizer.chat_template = form
        if self.chat_template_kwargs and tokenizer.chat_template:
            self._note(ChatTemplate(tokenizer, self.chat_template_kwargs).unknown_arguments)
        config = whole if whole.is_encoder_decoder else whole.get_text_config()
        return tokenizer, config

    def _limits(self, config: Any) -> dict[str, Any]:
        """How texts are tokenised for a model of this configuration."""
        return {
            "longest": getattr(config, "max_position_embeddings", None),
            "truncate": self.truncate,
            "arguments": self.chat_template_kwargs,
            "encoder": config.is_encoder_decoder,
        }

    def _results(self, tasks: Sequence[Any], wanted: Collection[int]) -> Iterator[tuple[int, Any]]:
        """The results of the tasks for the wanted requests, as they come."""
        from crossin.evaluation.hf.worker import Worker, run_task

        if self.processes > 1:
            for found, notes in self._spread(run_task, tasks):
                self._note(notes)
                yield from (pair for pair in found if pair[0] in wanted)
            return
        self._worker = self._worker or Worker(self._setup())
        for task in tasks:
            yield from (pair for pair in task.results(self._worker) if pair[0] in wanted)
            self._note(self._worker.notes)

    def _spread(self, work: Any, tasks: Sequence[Any]) -> Iterator[Any]:
        """What `work` returns for each task, from all processes, as it comes."""
        from concurrent.futures import FIRST_COMPLETED, wait
        from concurrent.futures.process import BrokenProcessPool

        pool = self._processes()
        waiting = iter(tasks)
        running: set[Any] = set()
        try:
            while True:
                fresh = list(islice(waiting, 2 * self.processes - len(running)))
                with _without_ctrl_c():
                    running |= {pool.submit(work, one) for one in fresh}
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BrokenProcessPool as error:
            raise CrossinError(
                "a process of the engine has died, perhaps out of memory",
                hint="run again with fewer --processes; finished answers are cached",
            ) from error
        finally:
            if not all(future.done() for future in running):
                self._end_processes()

    def _end_processes(self) -> None:
        """End the processes in the middle of their work, for which nobody waits any more."""
        pool, self._pool = self._pool, None
        if pool is not None:
            # `terminate_workers` comes with Python 3.14.
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.kill()
            pool.shutdown(cancel_futures=True)

    def _processes(self) -> ProcessPoolExecutor:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        import torch

        from crossin.evaluation.hf.worker import begin

        if self._pool is None:
            setup = self._setup()
            context = multiprocessing.get_context("spawn")
            devices = context.Queue()
            gpus = torch.cuda.device_count() if setup.device == "cuda" else 0
            for number in range(self.processes):
                devices.put(f"cuda:{number % gpus}" if gpus else setup.device)
            threads = max(1, torch.get_num_threads() // self.processes)
            self._pool = ProcessPoolExecutor(
                self.processes, mp_context=context, initializer=begin, initargs=(setup, devices, threads)
            )
        return self._pool

    def _note(self, notes: Sequence[str]) -> None:
        self.notes += [note for note in notes if note not in self.notes]


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Begin processes that do not get Ctrl-C, which a terminal sends to all: this process ends them.

    They inherit the mask of the thread that begins them. Here the signal arrives when the block has ended.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _by_key(requests: Sequence[Request]) -> list[list[int]]:
    """The numbers of the requests of each key, and of as long replies; greedy ones apart from sampled ones,
    which do not change what is computed for them.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, request in enumerate(requests):
        place = (request.key, request.max_tokens, request.stop, request.sampling is None)
        groups.setdefault(place, []).append(number)
    return list(groups.values())
