"""Asking a server for replies and letters: what is sent, what is read, and what is counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from loopback import Asked, Log, answering, completion, response

from crossin.errors import CrossinError
from crossin.evaluate.engine import Engine, Reply, Request
from crossin.evaluate.openai import OpenAIEngine
from crossin.models.server import Refused, client

CHAT = (("user", "Which?"),)
WHICH = [{"role": "user", "content": "Which?"}]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)


def said(content: Any, reason: str = "stop", **more: Any) -> bytes:
    return response(
        200,
        {
            "choices": [
                {"message": {"role": "assistant", "content": content}, "finish_reason": reason, **more}
            ],
            "usage": {
                "prompt_tokens": 50,
                "completion_tokens": 4,
                "prompt_tokens_details": {"cached_tokens": 32},
            },
        },
    )


def tops(*pairs: tuple[str, float]) -> dict[str, Any]:
    listed = [{"token": token, "logprob": logprob} for token, logprob in pairs]
    return {"content": [{**listed[0], "top_logprobs": listed}]}


async def openai(asked: Asked) -> bytes:
    """As OpenAI's newer models: chat alone, its own name of the limit, no temperature, and 5 top tokens."""
    body = asked.body
    if asked.path != "/v1/chat/completions":
        return response(404, {"error": {"message": "This is a chat model"}})
    for name in ("max_tokens", "temperature", "prompt_logprobs"):
        if name in body:
            return response(400, {"error": {"message": f"Unsupported parameter: '{name}'"}})
    if body.get("top_logprobs", 0) > 5:
        return response(400, {"error": {"message": "at most 5"}})
    if body.get("logprobs"):
        return said("B", logprobs=tops(("B", -0.1), (" B", -0.05), ("A\n", -3.0), ("Bob", -4.0)))
    return said("Paris. And more")


@pytest.fixture
def newer() -> Iterator[Log]:
    with answering(openai) as log:
        yield log


def asked_for(log: Log) -> list[Asked]:
    """What was sent after the probes."""
    return [asked for asked in log.asked if asked.body and asked.body.get("messages") == WHICH]


def test_it_is_an_engine() -> None:
    engine: Engine = OpenAIEngine("m", "http://localhost:1/v1")
    assert engine.inputs == {}
    engine.close()


def test_letters_of_a_chat_model(newer: Log) -> None:
    engine = OpenAIEngine("gpt", newer.base_url)
    assert engine.kinds(chat=True) == {"letters", "generate"}
    ((number, scores),) = engine.logprobs([Request(CHAT), Request(CHAT, (" A", " B", " C"))], [1])
    assert (number, scores.logprobs, scores.tokens) == (1, [-3.0, -0.05, None], [1, 1, 0])
    assert (scores.computed, scores.saved) == (22, 32)
    (asked,) = asked_for(newer)
    assert asked.body == {
        "model": "gpt",
        "messages": WHICH,
        "max_completion_tokens": 1,
        "logprobs": True,
        "top_logprobs": 5,
    }


def test_plain_prompts_of_a_server_without_completions_become_conversations(newer: Log) -> None:
    engine = OpenAIEngine("gpt", newer.base_url)
    assert engine.kinds() == {"letters", "generate"}
    ((_, reply),) = engine.generate([Request("Which?", max_tokens=9, stop=(".", "\n"))], [0])
    assert reply == Reply("Paris", False, 22, 32)
    assert engine.notes == ["the server completes no plain prompts: they are asked as conversations"]
    (asked,) = asked_for(newer)
    assert (asked.body["max_completion_tokens"], asked.body["stop"]) == (9, [".", "\n"])
    with pytest.raises(Refused, match="chat model"):
        OpenAIEngine("gpt", newer.base_url, chat=False).kinds()


def test_conversations_are_not_asked_of_a_server_without_chat() -> None:
    with pytest.raises(CrossinError, match="no chat"):
        OpenAIEngine("m", "http://localhost:1/v1", chat=False).kinds(chat=True)


def test_texts_cannot_be_scored_by_letters(newer: Log) -> None:
    engine = OpenAIEngine("gpt", newer.base_url)
    with pytest.raises(CrossinError, match=r"item 7.*option letters"):
        list(engine.logprobs([Request(CHAT, (" Paris", " Rome"), name="item 7")], [0]))


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (completion("fine"), Reply("fine", False, 9)),
        (completion("fi", finish_reason="length"), Reply("fi", True, 9)),
        (completion("yes|no", finish_reason="length"), Reply("yes", False, 9)),
        (completion("a5b"), Reply("a", False, 9)),
        (response(200, {"choices": [{"text": None, "finish_reason": "stop"}]}), Reply("")),
    ],
)
def test_replies(answer: bytes, reply: Reply) -> None:
    stop = ("|", "1", "2", "3", "4", "5")

    async def same(asked: Asked) -> bytes:
        return answer

    with answering(same) as log:
        ((_, found),) = OpenAIEngine("m", log.base_url).generate([Request("p", max_tokens=5, stop=stop)], [0])
    assert found == reply
    body = log.asked[-1].body
    assert body == {"model": "m", "prompt": "p", "temperature": 0, "max_tokens": 5, "stop": list(stop[:4])}


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": ["text"]}, {"choices": None}])
def test_an_answer_that_is_no_completion_is_told(answer: dict[str, Any]) -> None:
    async def same(asked: Asked) -> bytes:
        return response(200, answer) if asked.body["max_tokens"] == 5 else completion()

    with answering(same) as log:
        engine = OpenAIEngine("m", log.base_url)
        with pytest.raises(CrossinError, match=r"item 3: the server's answer is no completion"):
            list(engine.generate([Request("p", max_tokens=5, name="item 3")], [0]))


def test_only_what_is_wanted_is_asked() -> None:
    async def fine(asked: Asked) -> bytes:
        return completion(asked.body["prompt"])

    requests = [Request(str(number), max_tokens=5) for number in range(10)]
    with answering(fine) as log:
        engine = OpenAIEngine("m", log.base_url, prices=(1.0, 2.0))
        engine.kinds()
        probes = len(log.asked)
        found = dict(engine.generate(requests, {3, 7}))
        assert list(engine.generate(requests, [])) == []
    assert {number: reply.text for number, reply in found.items()} == {3: "3", 7: "7"}
    assert sorted(log.prompts()[probes:]) == ["3", "7"]
    assert engine.usage.cost == pytest.approx(len(log.asked) * (7 + 2 * 2) / 1e6)


def test_an_estimate_asks_nothing() -> None:
    engine = OpenAIEngine("m", "http://localhost:1/v1", prices=(2.0, 10.0))
    requests = [Request("abcd", ("efgh", "ij")), Request((("user", "abcd"),), max_tokens=100)]
    text = engine.estimate(requests)
    assert (text.calls, text.characters, text.prompt_tokens, text.completion_tokens) == (3, 18, 5, 102)
    assert text.cost == pytest.approx((5 * 2 + 102 * 10) / 1e6)
    letters = engine.estimate(requests, "letters")
    assert (letters.calls, letters.characters, letters.completion_tokens) == (2, 8, 101)
    assert OpenAIEngine("m", "http://localhost:1/v1").estimate(requests).cost is None


def test_the_identity_tells_models_apart_and_holds_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    one = OpenAIEngine("m", "http://localhost:1/v1/")
    assert json.loads(json.dumps(one.identity)) == {
        "engine": "openai",
        "server": "http://localhost:1/v1",
        "model": "m",
        "chat": None,
        "temperature": 0,
    }
    others = [
        OpenAIEngine("n", "http://localhost:1/v1"),
        OpenAIEngine("m", "http://localhost:2/v1"),
        OpenAIEngine("m", "http://localhost:1/v1", chat=True),
    ]
    assert all(one.identity != other.identity for other in others)
    # How fast it is asked decides nothing.
    assert one.identity == OpenAIEngine("m", "http://localhost:1/v1", concurrency=2, retries=1).identity
    assert "sk-secret" not in repr(vars(one))


def test_an_outage_while_probing_is_not_taken_for_an_inability() -> None:
    async def down(asked: Asked) -> bytes:
        return response(503, "") if asked.body.get("echo") else completion()

    with answering(down) as log, pytest.raises(Refused, match="503"):
        OpenAIEngine("m", log.base_url).kinds()
