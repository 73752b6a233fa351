"""One slow request keeps no answer from the disk: killed while a server or a model hangs, a run has every
answer that came, and started again asks only for the rest.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
import torch

from crossin.core.formats import ANSWERS
from crossin.evaluation import EvaluateConfig, Form, HfEngine, ask_bench, evaluate, prepare
from crossin.evaluation.bench_answers import CACHE
from crossin.evaluation.hf.worker import GenerationTask
from crossin.servers import ServerSettings
from tests.helpers import apart
from tests.helpers.loopback import Asked, answering, response
from tests.helpers.small_bench import items, write_bench

pytestmark = pytest.mark.slow
# The question that the server does not answer, in no particular place.
HANGS = "grass? (de)"


def saved(cache: Path) -> int:
    """How many answers are in the file."""
    if not cache.exists():
        return 0
    with closing(sqlite3.connect(f"file:{cache}?mode=ro", uri=True)) as file:
        try:
            return int(file.execute("SELECT count(*) FROM pairs").fetchone()[0])
        except sqlite3.OperationalError:
            # Without its table, or while it is written.
            return 0


def kill_when(process: BaseProcess, is_time: Callable[[], bool]) -> None:
    """Kill the process once this holds, which is milliseconds after the last answer."""
    end = time.monotonic() + 120
    while not is_time():
        assert process.is_alive()
        assert time.monotonic() < end, "an answer that came is not on the disk"
        time.sleep(0.005)
    process.kill()
    process.join()


def answer_to(asked: Asked) -> bytes:
    """What a server says that supports everything: each character is a token."""
    body, usage = asked.body, {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    if "messages" in body:
        said: dict[str, Any] = {"message": {"role": "assistant", "content": "The answer is A."}}
        if body.get("logprobs"):
            tops = [{"token": letter, "logprob": -number - 1} for number, letter in enumerate("ABCD")]
            said["logprobs"] = {"content": [{**tops[0], "top_logprobs": tops}]}
        return response(200, {"choices": [{**said, "finish_reason": "stop"}], "usage": usage})
    prompt, found = body["prompt"], None
    if body.get("echo"):
        usage["prompt_tokens"] = len(prompt)
        found = {"tokens": list(prompt), "token_logprobs": [None, *[-1.0] * (len(prompt) - 1)]}
    elif body.get("logprobs"):
        found = {"top_logprobs": [{" A": -1.0, " B": -2.0, " C": -3.0, " D": -4.0}]}
    choice = {"text": prompt if body.get("echo") else " The answer is A.", "finish_reason": "stop"}
    return response(200, {"choices": [{**choice, "logprobs": found}], "usage": usage})


def numbered(folder: Path, many: int, word: str = "") -> Path:
    """A benchmark with `many` of each question, some of them in free text."""
    asked = [
        replace(item, item=f"{item.item}{n}", question=f"{word}{n}: {item.question}")
        for item in items()
        for n in range(many)
    ]
    return write_bench(folder, asked)


def config_of(base_url: str, benches: list[Path], more: dict[str, Any]) -> EvaluateConfig:
    # Longer than any test: only an answer that never comes is waited for.
    server = ServerSettings(base_url=base_url, timeout=3600, concurrency=16)
    names = tuple(map(str, benches))
    return EvaluateConfig(models=("one", "two"), bench=names, engine="openai", server=server, **more)


def asking(config: EvaluateConfig, out: Path) -> None:
    evaluate(config, out)


@pytest.mark.parametrize(
    "more",
    [
        {"form": "generate"},
        {"form": "generate", "chat": True},
        {"form": "letters"},
        {"form": "letters", "order": "rotated", "chat": True},
        {"form": "text"},
        {"form": "text", "choice": "bare", "wordings": ("question", "asked")},
    ],
    ids=lambda more: "-".join(map(str, more.values())),
)
def test_answers_are_on_the_disk_while_the_server_hangs_on_one(tmp_path: Path, more: dict[str, Any]) -> None:
    benches = [numbered(tmp_path / word, 4, word) for word in ("first", "second")]
    hangs, freed = f"first0: {HANGS}", Event()
    seen: list[str] = []

    async def answer(asked: Asked) -> bytes:
        text = json.dumps(asked.body["messages"] if "messages" in asked.body else asked.body["prompt"])
        second_model = asked.body["model"] == "two"
        seen.append(asked.body["model"] + text)
        while second_model and hangs in text and not freed.is_set():
            await asyncio.sleep(0.01)
        return answer_to(asked)

    out = tmp_path / "out"
    with answering(answer) as log:
        config = config_of(log.base_url, benches, more)
        requests = prepare(benches[0], form=config.form_of(), **config.selection).requests
        scored = [request for request in requests if request.options]
        # Replies are asked for once all options are scored; the hanging question is in each wording.
        expected = len(scored or requests) - len(config.wordings)
        process = apart.start(asking, config, out)
        cache = out / "two" / "first" / CACHE
        kill_when(process, lambda: saved(cache) == expected)
        assert not (out / "two" / "first" / "manifest.json").exists()
        freed.set()
        before = len(seen)
        assert apart.run(asking, config, out) == 0
    # Of the benchmark that was begun, only the question that hung is asked again.
    repeated = {text for text in set(seen[:before]) & set(seen[before:]) if "first" in text}
    assert repeated and all(hangs in text for text in repeated), repeated
    counts = json.loads((out / "two" / "first" / "manifest.json").read_text())["counts"]
    assert counts["answers_from_cache"] == expected
    for model in ("one", "two"):
        assert (out / model / "second" / ANSWERS).exists()


class Hanging:
    """Its third batch of replies, or its twentieth answer of log-probabilities, never ends."""

    def __init__(self, log: Path) -> None:
        self.log, self.batches = log, 0

    def wait(self) -> None:
        self.log.write_text("hangs")
        Event().wait()


def locally(model: Path, bench: Path, out: Path, log: Path, kind: str, hang: bool) -> None:
    torch.set_num_threads(1)
    hanging = Hanging(log)
    results = GenerationTask.results
    scored = "crossin.evaluation.hf.worker.score_units"

    def replies(self: GenerationTask, worker: Any) -> Iterator[Any]:
        hanging.batches += 1
        if hang and hanging.batches == 3:
            hanging.wait()
        yield from results(self, worker)

    def scores(*arguments: Any) -> Iterator[Any]:
        from crossin.evaluation.hf.scoring import score_units

        for number, found in enumerate(score_units(*arguments)):
            if hang and number == 20:
                hanging.wait()
            yield found

    with (
        patch.object(GenerationTask, "results", replies),
        patch(scored, scores),
        patch("crossin.evaluation.hf.engine._REPLY_TOKENS", 200),
        closing(HfEngine(model)) as engine,
    ):
        form = Form(kind="generate" if kind == "generate" else "text", max_tokens=20)
        ask_bench(engine, bench, out, name="tiny", form=form)


@pytest.mark.parametrize("kind", ["generate", "text"])
def test_a_local_models_answers_are_on_the_disk_while_its_next_batch_is_computed(
    tiny_model: Path, tmp_path: Path, kind: str
) -> None:
    bench, out, log = numbered(tmp_path / "bench", 5), tmp_path / "out", tmp_path / "log"
    assert apart.run(locally, tiny_model, bench, tmp_path / "whole", log, kind, False) == 0
    process = apart.start(locally, tiny_model, bench, out, log, kind, True)
    least = 20 if kind == "text" else 2
    kill_when(process, lambda: log.exists() and saved(out / CACHE) >= least)
    known = saved(out / CACHE)
    assert apart.run(locally, tiny_model, bench, out, log, kind, False) == 0
    counts = json.loads((out / "manifest.json").read_text())["counts"]
    assert counts["answers_from_cache"] == known
    assert (out / ANSWERS).read_bytes() == (tmp_path / "whole" / ANSWERS).read_bytes()
