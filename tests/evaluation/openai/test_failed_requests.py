"""What one request costs that the server cannot answer, and when the run stops all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_parquet
from crossin.core.formats import ANSWERS
from crossin.evaluation import Form, ask_bench
from crossin.evaluation.engine import EngineNote, Reply, Request
from crossin.evaluation.openai import OpenAIEngine
from crossin.servers import client
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, Log, answering, completion, response, settings
from tests.helpers.small_bench import write_bench

Broken = Callable[[str], bytes | None]
CHAT = (("user", "Which?"),)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)


def echoed(prompt: str, logprobs: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    """The answer of a server whose tokens are characters, each of log-probability -1 but the first."""
    logprobs = [None] + [-1.0] * (len(prompt) - 1) if logprobs is None else logprobs
    told = {"tokens": list(prompt), "token_logprobs": logprobs}
    usage = {"prompt_tokens": len(prompt), "completion_tokens": 0}
    return {
        "choices": [{"text": prompt, "logprobs": told, "finish_reason": "length", **more}],
        "usage": usage,
    }


def last(prompt: str, value: Any) -> bytes:
    """The same, with another last log-probability."""
    return response(200, echoed(prompt, [None] + [-1.0] * (len(prompt) - 2) + [value]))


def serving(broken: Broken) -> Any:
    """A server of echoes; `broken` gives its answer to a prompt that it cannot score."""

    async def answer(asked: Asked) -> bytes:
        prompt = asked.body.get("prompt")
        if prompt is None:
            return response(404, {"error": {"message": "no chats"}})
        found = broken(prompt)
        if found is not None:
            return found
        if not asked.body.get("echo"):
            return completion("A", usage={"prompt_tokens": len(prompt), "completion_tokens": 1})
        return response(200, echoed(prompt))

    return answering(answer)


def without(prompt: str, **fields: Any) -> bytes:
    answer = echoed(prompt)
    answer["choices"][0] |= fields
    return response(200, answer)


FAULTS: dict[str, Callable[[str], bytes]] = {
    "500": lambda _: response(500, {"error": {"message": "out of range"}}),
    "503": lambda _: response(503, "busy"),
    "400": lambda _: response(400, {"error": {"message": "the prompt is too long"}}),
    "422": lambda _: response(422, {"error": "inputs must have less tokens"}),
    "no JSON": lambda _: response(200, '{"choices": [{"logprob": -inf}]}'),
    "an error": lambda _: response(200, {"error": {"message": "failed"}}),
    "no choices": lambda _: response(200, {"choices": []}),
    "no log-probabilities": lambda prompt: without(prompt, logprobs=None),
    "too few": lambda prompt: response(200, echoed(prompt, [None, -1.0])),
}
VALUES: dict[str, Any] = {"null": None, "text": "-3", "minus infinity": float("-inf"), "nan": float("nan")}


def rows(folder: Path) -> list[dict[str, Any]]:
    names = ["item", "language", "logprobs", "tokens", "answer", "reply"]
    return list(read_parquet(folder / ANSWERS, names).to_pylist())


@pytest.mark.parametrize("fault", FAULTS)
def test_one_option_without_an_answer_costs_that_option(tmp_path: Path, fault: str) -> None:
    bench = write_bench(tmp_path / "bench")

    def broken(prompt: str) -> bytes | None:
        return FAULTS[fault](prompt) if "coal? (de)" in prompt and prompt.endswith("rot") else None

    with serving(broken) as log:
        engine = OpenAIEngine("m", settings(log.base_url, retries=1))
        stage = ask_bench(engine, bench, tmp_path / "out", name="m", tasks=["colour"])
    found = {(row["item"], row["language"]): row for row in rows(stage.folder)}
    assert len(found) == 9
    odd = found.pop(("coal", "de"))
    assert odd["logprobs"] is None
    assert [bool(count) for count in odd["tokens"]] == [False, True, True, True]
    # The right option is known, and so the answer is the best of those that are.
    assert odd["answer"] == "green"
    assert all(row["logprobs"] is not None and row["answer"] is not None for row in found.values())
    counts = stage.manifest["counts"]
    assert sum(counts["failed_requests"].values()) == counts["unknown_logprobs"] == 1
    assert EngineNote.UNKNOWN_LOGPROBS not in counts["notes"]


@pytest.mark.parametrize("value", VALUES)
def test_one_option_without_a_number_costs_that_option(tmp_path: Path, value: str) -> None:
    bench = write_bench(tmp_path / "bench")

    def broken(prompt: str) -> bytes | None:
        return last(prompt, VALUES[value]) if "sky? (th)" in prompt and prompt.endswith("น้ำเงิน") else None

    with serving(broken) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        stage = ask_bench(engine, bench, tmp_path / "out", name="m", tasks=["colour"])
        # The right option is unknown: nothing can be said of the model.
    missing = [(row["item"], row["language"]) for row in rows(stage.folder) if row["answer"] is None]
    assert missing == [("sky", "th")]
    counts = stage.manifest["counts"]
    assert (counts["unknown_logprobs"], counts["failed_requests"]) == (1, {})
    assert counts["notes"] == [EngineNote.UNKNOWN_LOGPROBS]


def test_a_reply_that_the_server_refuses_is_missing(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench")

    def broken(prompt: str) -> bytes | None:
        return FAULTS["400"](prompt) if "grass? (th)" in prompt else None

    with serving(broken) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        stage = ask_bench(
            engine, bench, tmp_path / "out", name="m", form=Form(kind="generate"), tasks=["colour"]
        )
    missing = [(row["item"], row["language"]) for row in rows(stage.folder) if row["answer"] is None]
    assert missing == [("grass", "th")]
    assert stage.manifest["counts"]["failed_requests"] == {"refused": 1}
    # What would be refused again is not asked again.
    assert sum("grass? (th)" in prompt for prompt in log.prompts()) == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("500", "text"), ("400", "generate"), ("no choices", "generate"), ("no log-probabilities", "text")],
)
def test_a_server_that_answers_nothing_of_what_is_asked_stops_the_run(
    tmp_path: Path, fault: str, kind: Any
) -> None:
    bench = write_bench(tmp_path / "bench")

    def broken(prompt: str) -> bytes | None:
        return FAULTS[fault](prompt) if "?" in prompt else None

    with serving(broken) as log:
        engine = OpenAIEngine("m", settings(log.base_url, retries=1))
        with refused():
            ask_bench(engine, bench, tmp_path / "out", name="m", form=Form(kind=kind), tasks=["colour"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", VALUES)
def test_a_server_without_a_number_for_anything_stops_the_run(tmp_path: Path, value: str) -> None:
    bench = write_bench(tmp_path / "bench")
    with serving(lambda prompt: last(prompt, VALUES[value]) if "?" in prompt else None) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        with refused("no option has a log-probability", hint="generate"):
            ask_bench(engine, bench, tmp_path / "out", name="m", tasks=["colour"])


def many(number: int) -> list[Request]:
    return [Request(f"Number {place}?", (" yes", " no"), name=f"item '{place}'") for place in range(number)]


def test_more_than_a_tenth_stops_the_run_with_their_number() -> None:
    def broken(prompt: str) -> bytes | None:
        return FAULTS["400"](prompt) if prompt.endswith("5? no") else None

    def fewer(prompt: str) -> bytes | None:
        return FAULTS["400"](prompt) if prompt.endswith("05? no") or prompt == "Number 5? no" else None

    with serving(fewer) as log:
        scored = dict(OpenAIEngine("m", settings(log.base_url)).logprobs(many(200), range(200)))
    assert [number for number, scores in scored.items() if scores.failed] == [5, 105]
    assert [scored[5].logprobs, scored[5].tokens] == [[-4.0, None], [4, 0]]
    with serving(lambda prompt: broken(prompt) or (FAULTS["400"](prompt) if "9?" in prompt else None)) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        with refused("41 of 400", "too long", hint="fewer shots"):
            list(engine.logprobs(many(200), range(200)))


def test_an_outage_stops_the_run_and_keeps_what_was_answered(tmp_path: Path) -> None:
    """As soon as what was answered before is answered no more."""
    down = False

    async def answer(asked: Asked) -> bytes:
        nonlocal down
        prompt = asked.body["prompt"]
        down = down or "Number 60?" in prompt
        return response(503, "gone") if down else response(200, echoed(prompt))

    with answering(answer) as log:
        engine = OpenAIEngine("m", settings(log.base_url, concurrency=2, retries=1))
        found: list[Any] = []
        with refused("503"):
            found.extend(engine.logprobs(many(400), range(400)))
        assert len(log.asked) < 250
    assert 55 <= len(found) <= 61
    assert not any(scores.failed for _, scores in found)


def test_a_short_outage_leaves_no_trace() -> None:
    """What failed is asked again at the end."""
    times: Counter[str] = Counter()

    async def answer(asked: Asked) -> bytes:
        prompt = asked.body["prompt"]
        times[prompt] += 1
        if "Number 7?" in prompt and times[prompt] <= 2:
            return response(502, "restarting")
        return response(200, echoed(prompt))

    with answering(answer) as log:
        found = dict(OpenAIEngine("m", settings(log.base_url, retries=1)).logprobs(many(30), range(30)))
    assert not any(scores.failed for scores in found.values())
    assert found[7].logprobs == [-4.0, -3.0]


@pytest.fixture
def deterministic() -> Iterator[Log]:
    def broken(prompt: str) -> bytes | None:
        return FAULTS["500"](prompt) if "coal? (de)" in prompt and prompt.endswith("rot") else None

    with serving(broken) as log:
        yield log


def test_a_restart_asks_again_what_failed_and_ends_though_it_fails_again(
    tmp_path: Path, deterministic: Log
) -> None:
    """So no fault that passes stays in the results, and none that does not keeps them from being finished."""
    bench, cache = write_bench(tmp_path / "bench"), tmp_path / "cache"
    how: dict[str, Any] = {"name": "m", "tasks": ["colour"], "cache": cache}
    for out in ("one", "two"):
        before = len(deterministic.asked)
        engine = OpenAIEngine("m", settings(deterministic.base_url, retries=0))
        stage = ask_bench(engine, bench, tmp_path / out, **how)
        assert stage.manifest["counts"]["failed_requests"] == {"server_failure": 1}
    prompts = deterministic.prompts()[before:]
    # Its four options, the one that fails once more, and one that is known to be answered.
    assert sum("coal? (de)" in prompt for prompt in prompts) <= 6
    # A question that was answered shows that the server works.
    assert sum("?" in prompt and "coal? (de)" not in prompt for prompt in prompts) <= 1
    assert rows(tmp_path / "one") == rows(tmp_path / "two")


def test_a_finished_run_asks_nothing_again(tmp_path: Path, deterministic: Log) -> None:
    bench = write_bench(tmp_path / "bench")
    for _ in range(2):
        engine = OpenAIEngine("m", settings(deterministic.base_url, retries=0))
        ask_bench(engine, bench, tmp_path / "out", name="m", tasks=["colour"])
        asked = len(deterministic.asked)
    assert asked == len(deterministic.asked)


def test_letters_without_a_list_are_unknown() -> None:
    async def answer(asked: Asked) -> bytes:
        if asked.body.get("echo"):
            return response(400, {"error": {"message": "only no echo is supported"}})
        told = {
            "content": [{"token": "A", "logprob": -0.1, "top_logprobs": [{"token": "A", "logprob": -0.1}]}]
        }
        return completion("A", logprobs=None if "Number 3?" in asked.body["prompt"] else told)

    requests = [Request(f"Number {place}?", (" A", " B"), name=f"item '{place}'") for place in range(8)]
    with answering(answer) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        found = dict(engine.logprobs(requests, range(8)))
    assert [number for number, scores in found.items() if scores.failed] == [3]
    assert found[3].logprobs == [None, None]
    assert EngineNote.UNKNOWN_LOGPROBS not in engine.notes
    # A letter that the list lacks is less probable than all that are in it.
    assert found[4].logprobs == [-0.1, None]
    assert found[4].listed


def test_a_reply_that_has_no_room_is_missing() -> None:
    def cut(tokens: int) -> bytes:
        usage = {"prompt_tokens": 50, "completion_tokens": tokens}
        return response(200, {"choices": [{"text": "", "finish_reason": "length"}], "usage": usage})

    async def answer(asked: Asked) -> bytes:
        prompt = asked.body["prompt"]
        return cut(0) if prompt == "2" else cut(9) if prompt == "3" else completion("fine")

    requests = [Request(str(place), max_tokens=9, name=f"item '{place}'") for place in range(6)]
    with answering(answer) as log:
        found = dict(OpenAIEngine("m", settings(log.base_url)).generate(requests, range(6)))
    assert found[2] == Reply("", failed=["no_room"])
    assert found[3].cut and not found[3].failed

    async def full(asked: Asked) -> bytes:
        return completion("fine") if asked.body["max_tokens"] == 1 else cut(0)

    with answering(full) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        with refused("item '", "before its first token", hint="context"):
            list(engine.generate(requests, range(6)))


def test_conversations_cannot_begin_with_an_option() -> None:
    async def chat(asked: Asked) -> bytes:
        if not asked.path.endswith("chat/completions"):
            return response(404, {"error": {"message": "chats alone"}})
        places = [{"1": {"logprob": -1.0, "decoded_token": token}} for token in ("x", "C")]
        usage = {"prompt_tokens": 3, "completion_tokens": 1}
        return response(
            200,
            {"choices": [{"message": {"content": "y"}}], "prompt_logprobs": [None, *places], "usage": usage},
        )

    for prompt in ("", (("user", ""),)):
        with answering(chat) as log:
            engine = OpenAIEngine("m", settings(log.base_url))
            with refused("item 'gap'", "nothing precedes", hint="letters"):
                list(engine.logprobs([Request(prompt, ("C",), name="item 'gap'")], [0]))


def test_where_nothing_precedes_all_options_are_scored_from_their_second_token() -> None:
    with serving(lambda _: None) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        [(_, scores)] = engine.logprobs([Request("", ("Lima", "Quito", "C"), name="gap")], [0])
    assert scores.logprobs == [-3.0, -4.0, None]
    assert scores.tokens == [3, 4, 0]
    assert EngineNote.UNSCORED_FIRST in engine.notes
