"""A server that cuts prompts and says nothing, end to end: the run stops, and no such answer is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from crossin.core.cache import Cache
from crossin.core.errors import CrossinError
from crossin.core.formats import ITEMS
from crossin.evaluation import Form, ask_bench
from crossin.evaluation.engine import EngineNote, Request
from crossin.evaluation.openai import OpenAIEngine
from crossin.items.item import write_items
from tests.helpers.asked_items import item
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, answering, completion, response, settings

GENERATE: dict[str, Any] = {"name": "m", "form": Form(kind="generate", chat=True)}
Count = Callable[[int], int]


def bench(folder: Path, number: int = 12, shortest: int = 300, longest: int = 1500) -> Path:
    """Questions on paragraphs of so many words, in two languages."""
    made = []
    for place in range(number):
        chance = Random(place)
        words = shortest + (longest - shortest) * place // number
        for language in ("en", "zh"):
            text = " ".join(chance.choices(("river", "stone", "lamp", "winter"), k=words))
            made.append(replace(item(f"{place}", language), context=f"{text}."))
    folder.mkdir()
    write_items(folder / ITEMS, made)
    return folder


def serving(count: Count) -> Any:
    """A server of chats whose tokens are words; `count` is what it counts, and keeps, of so many."""

    async def answer(asked: Asked) -> bytes:
        if "messages" not in asked.body or asked.body.get("prompt_logprobs") is not None:
            return response(400, {"error": {"message": "only chats"}})
        words = sum(len(re.findall(r"\w+", turn["content"])) for turn in asked.body["messages"]) + 4
        usage = {"prompt_tokens": count(words), "completion_tokens": 1}
        body = {"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}], "usage": usage}
        return response(
            200, {name: value for name, value in body.items() if count(words) >= 0 or name != "usage"}
        )

    return answering(answer)


def half(words: int) -> int:
    return words if words <= 640 else 322


def test_the_run_stops_and_names_count_question_and_fix(tmp_path: Path) -> None:
    with serving(lambda words: min(words, 480)) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        with refused("item '", "cuts long prompts", "480 tokens", hint="num_ctx"):
            ask_bench(engine, bench(tmp_path / "bench"), tmp_path / "out", **GENERATE)


@pytest.mark.parametrize("count", [lambda words: words, lambda words: -(-words // 64) * 64, lambda words: -1])
def test_other_servers_are_asked_to_the_end(tmp_path: Path, count: Count) -> None:
    with serving(count) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        stage = ask_bench(engine, bench(tmp_path / "bench"), tmp_path / "out", **GENERATE)
    uncounted = [str(EngineNote.UNCOUNTED_TOKENS)] if count(1) < 0 else []
    assert stage.manifest["counts"]["notes"] == uncounted
    # Five probes, and each question once.
    assert len(log.asked) == 24 + 4


def test_answers_to_cut_prompts_are_not_kept(tmp_path: Path) -> None:
    """Nor those that an earlier run left: with a longer context all of them are asked again."""
    cache, folder = tmp_path / "cache", bench(tmp_path / "bench", 20)
    with serving(half) as log:
        engine = OpenAIEngine("m", settings(log.base_url, concurrency=1))
        with refused("cuts long prompts"):
            ask_bench(engine, folder, tmp_path / "out", cache=cache, **GENERATE)
        kept = _counts(cache)
        assert kept and max(kept) < 322
        # The prompts of an earlier run, too few to be sure of.
        with pytest.raises(CrossinError, match="cuts long prompts"):
            ask_bench(engine, folder, tmp_path / "out", cache=cache, **GENERATE)
        assert max(_counts(cache)) < 322


def _counts(path: Path) -> list[int]:
    import json
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as file:
        return [json.loads(value)["prompt_tokens"] for (value,) in file.execute("SELECT value FROM pairs")]


def test_a_resumed_run_notices_with_what_it_finds(tmp_path: Path) -> None:
    """A run that was killed has left answers to cut prompts, and most of those that show it."""
    cache, folder = tmp_path / "cache", bench(tmp_path / "bench")
    with serving(lambda words: min(words, 480)) as log:
        trusting = OpenAIEngine("m", settings(log.base_url))
        trusting._seen = lambda *_: None  # type: ignore[method-assign]
        stage = ask_bench(trusting, folder, tmp_path / "first", cache=cache, **GENERATE)
        assert stage.manifest["counts"]["questions"] == 24
        assert _counts(cache).count(480) > 16
        with refused("cuts long prompts"):
            engine = OpenAIEngine("m", settings(log.base_url))
            ask_bench(engine, folder, tmp_path / "out", cache=cache, **GENERATE)
        assert 480 not in _counts(cache)
    with serving(lambda words: words) as log:
        honest = OpenAIEngine("m", settings(log.base_url))
        honest._url = trusting._url
        stage = ask_bench(honest, folder, tmp_path / "out", cache=cache, **GENERATE)
    assert stage.manifest["counts"]["answers_from_cache"] < 12
    assert 480 not in _counts(cache)


def test_what_is_cut_can_be_accepted(tmp_path: Path) -> None:
    folder, cache = bench(tmp_path / "bench"), tmp_path / "cache"
    with serving(lambda words: min(words, 480)) as log:
        engine = OpenAIEngine("m", settings(log.base_url), truncate=True)
        stage = ask_bench(engine, folder, tmp_path / "out", cache=cache, **GENERATE)
        assert stage.manifest["counts"]["notes"] == [EngineNote.CUT_PROMPTS]
        assert engine.identity["truncate"] is True
        # The answers are no others': a run that does not accept them asks for its own, and stops.
        strict = OpenAIEngine("m", settings(log.base_url))
        with refused("cuts long prompts"):
            ask_bench(strict, folder, tmp_path / "other", cache=cache, **GENERATE)


@pytest.mark.parametrize("context", [150, 400])
def test_a_server_that_leaves_out_examples_is_noticed_at_the_first_question(context: int) -> None:
    """As Ollama does with the oldest turns: the counts differ by question, and are all plausible."""

    async def answer(asked: Asked) -> bytes:
        if "messages" not in asked.body or asked.body.get("prompt_logprobs") is not None:
            return response(400, {"error": {"message": "only chats"}})
        turns = [len(turn["content"].split()) + 4 for turn in asked.body["messages"]]
        while len(turns) > 1 and sum(turns) > context:
            turns = turns[1:]
        usage = {"prompt_tokens": sum(turns), "completion_tokens": 1}
        return response(200, {"choices": [{"message": {"content": "A"}}], "usage": usage})

    shots = [
        turn for shot in range(5) for turn in (("user", f"Shot {shot}? " + "word " * 40), ("assistant", "A"))
    ]
    requests = [
        Request(
            (*shots, ("user", f"Question {place}? " + "word " * place)),
            max_tokens=5,
            key="en",
            name=f"{place}",
        )
        for place in range(30)
    ]
    with answering(answer) as log:
        engine = OpenAIEngine("m", settings(log.base_url, concurrency=1))
        if context == 150:
            with refused("the first worked example", hint="context"):
                list(engine.generate(requests, range(30)))
            assert len(log.asked) < 10
        else:
            assert len(list(engine.generate(requests, range(30)))) == 30


def test_an_echo_of_a_cut_prompt_is_noticed() -> None:
    async def answer(asked: Asked) -> bytes:
        prompt = asked.body["prompt"][-300:]
        if not asked.body.get("echo"):
            return completion("A")
        told = {"tokens": list(prompt), "token_logprobs": [None] + [-1.0] * (len(prompt) - 1)}
        usage = {"prompt_tokens": len(prompt), "completion_tokens": 0}
        return response(200, {"choices": [{"text": prompt, "logprobs": told}], "usage": usage})

    requests = [
        Request("word " * (50 + 9 * place) + "?", (" yes", " no"), key="en", name=f"item '{place}'")
        for place in range(40)
    ]
    with answering(answer) as log, refused("item '", "300 tokens"):
        list(OpenAIEngine("m", settings(log.base_url)).logprobs(requests, range(40)))


def test_values_are_forgotten(tmp_path: Path) -> None:
    with Cache(tmp_path / "cache") as cache:
        cache.put({"a": 1, "b": 2, "c": 3})
        cache.remove(["a", "c", "d"])
        assert cache.get("abc") == {"b": 2}
