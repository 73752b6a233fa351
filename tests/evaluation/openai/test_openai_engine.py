"""Asking a server for replies and letters: what is sent, what is read, and what is counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from crossin.core.thoughts import without_thoughts
from crossin.evaluation.engine import Engine, EngineNote, Reply, Request, Sampling
from crossin.evaluation.openai import OpenAIEngine, answers
from crossin.evaluation.openai.answers import computed, prompt_tokens
from crossin.servers import client
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, Log, answering, completion, response, settings

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
    engine: Engine = OpenAIEngine("m", settings("http://localhost:1/v1"))
    assert engine.inputs == {}
    engine.close()


def test_letters_of_a_chat_model(newer: Log) -> None:
    engine = OpenAIEngine("gpt", settings(newer.base_url))
    assert engine.kinds(chat=True) == {"letters", "generate"}
    ((number, scores),) = engine.logprobs([Request(CHAT), Request(CHAT, (" A", " B", " C"))], [1])
    assert (number, scores.logprobs, scores.tokens) == (1, [-3.0, -0.05, None], [1, 1, 0])
    assert (scores.computed, scores.saved) == (22, 32)
    assert engine.notes == [EngineNote.TOP_LETTERS]
    (asked,) = asked_for(newer)
    assert asked.body == {
        "model": "gpt",
        "messages": WHICH,
        "max_completion_tokens": 1,
        "logprobs": True,
        "top_logprobs": 5,
    }


def test_plain_prompts_of_a_server_without_completions_become_conversations(newer: Log) -> None:
    engine = OpenAIEngine("gpt", settings(newer.base_url))
    assert engine.kinds() == {"letters", "generate"}
    ((_, reply),) = engine.generate([Request("Which?", max_tokens=9, stop=(".", "\n"))], [0])
    assert reply == Reply("Paris", False, 22, 32)
    assert engine.notes == [EngineNote.PLAIN_AS_CHAT]
    (asked,) = asked_for(newer)
    assert (asked.body["max_completion_tokens"], asked.body["stop"]) == (9, [".", "\n"])
    with refused("chat model"):
        OpenAIEngine("gpt", settings(newer.base_url), chat=False).kinds()


def test_conversations_are_not_asked_of_a_server_without_chat() -> None:
    with refused("need a server with chat"):
        OpenAIEngine("m", settings("http://localhost:1/v1"), chat=False).kinds(chat=True)


def test_texts_cannot_be_scored_by_letters(newer: Log) -> None:
    engine = OpenAIEngine("gpt", settings(newer.base_url))
    with refused("item 7", hint="letters"):
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
        ((_, found),) = OpenAIEngine("m", settings(log.base_url)).generate(
            [Request("p", max_tokens=5, stop=stop)], [0]
        )
    assert found == reply
    body = log.asked[-1].body
    assert body == {"model": "m", "prompt": "p", "temperature": 0, "max_tokens": 5, "stop": list(stop[:4])}


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": ["text"]}, {"choices": None}])
def test_an_answer_that_is_no_completion_is_told(answer: dict[str, Any]) -> None:
    async def same(asked: Asked) -> bytes:
        return response(200, answer) if asked.body["max_tokens"] == 5 else completion()

    with answering(same) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        with refused("item 3", "not a completion"):
            list(engine.generate([Request("p", max_tokens=5, name="item 3")], [0]))


def test_only_what_is_wanted_is_asked() -> None:
    async def fine(asked: Asked) -> bytes:
        return completion(asked.body["prompt"])

    requests = [Request(str(number), max_tokens=5) for number in range(10)]
    with answering(fine) as log:
        engine = OpenAIEngine("m", settings(log.base_url, price_in=1, price_out=2))
        engine.kinds()
        probes = len(log.asked)
        found = dict(engine.generate(requests, {3, 7}))
        assert list(engine.generate(requests, [])) == []
    assert {number: reply.text for number, reply in found.items()} == {3: "3", 7: "7"}
    assert sorted(log.prompts()[probes:]) == ["3", "7"]
    assert engine.usage.cost == pytest.approx(len(log.asked) * (7 + 2 * 2) / 1e6)


def test_the_identity_tells_models_apart_and_holds_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    one = OpenAIEngine("m", settings("http://localhost:1/v1/"))
    assert json.loads(json.dumps(one.identity)) == {
        "engine": "openai",
        "server": "http://localhost:1/v1",
        "model": "m",
        "chat": None,
        "temperature": 0,
    }
    others = [
        OpenAIEngine("n", settings("http://localhost:1/v1")),
        OpenAIEngine("m", settings("http://localhost:2/v1")),
        OpenAIEngine("m", settings("http://localhost:1/v1"), chat=True),
        OpenAIEngine("m", settings("http://localhost:1/v1", body={"seed": 1})),
    ]
    assert all(one.identity != other.identity for other in others)
    # How fast it is asked decides nothing.
    assert (
        one.identity
        == OpenAIEngine("m", settings("http://localhost:1/v1", concurrency=2, retries=1)).identity
    )
    assert "sk-secret" not in repr(vars(one))


@pytest.mark.parametrize(
    "odd", [{}, {"choices": []}, {"choices": [{}]}, {"choices": [{"logprobs": [1], "prompt_logprobs": 3}]}]
)
def test_an_odd_answer_to_a_probe_is_an_inability(odd: dict[str, Any]) -> None:
    async def only_generates(asked: Asked) -> bytes:
        return response(200, odd) if "logprobs" in asked.body else completion()

    with answering(only_generates) as log:
        assert OpenAIEngine("m", settings(log.base_url)).kinds() == {"generate"}
        assert len(log.asked) <= 6


def test_a_choice_without_anything_is_no_crash() -> None:
    async def nothing(asked: Asked) -> bytes:
        return response(200, {"choices": [{}]})

    with answering(nothing) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        ((_, reply),) = engine.generate([Request("p", max_tokens=5)], [0])
    assert reply == Reply("")
    assert engine.notes == [EngineNote.UNCOUNTED_TOKENS]


@pytest.mark.parametrize("status", [400, 404, 405, 422, 501])
def test_what_says_that_there_are_no_completions(status: int) -> None:
    async def chat_alone(asked: Asked) -> bytes:
        return completion() if asked.path.endswith("chat/completions") else response(status, {})

    with answering(chat_alone) as log:
        assert "generate" in OpenAIEngine("m", settings(log.base_url)).kinds()


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": [1]},
        {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": "all"}},
        {"prompt_tokens": "many", "completion_tokens": {}},
        [4],
    ],
)
def test_a_count_of_tokens_that_is_none_is_no_crash(usage: Any) -> None:
    counted = isinstance(usage, dict) and usage["prompt_tokens"] == 3
    assert computed({"usage": usage}) == ((4, 0) if counted else (0, 0))


def echo(tokens: list[str], logprobs: list[Any], **more: Any) -> dict[str, Any]:
    return {"choices": [{"logprobs": {"tokens": tokens, "token_logprobs": logprobs}}], **more}


def test_where_the_echo_ends_must_be_known() -> None:
    """Else the model, which says it once more, would be scored for what it was asked."""
    tokens, logprobs = ["ha", " ha", " ha"], [None, -3.0, -0.1]
    assert prompt_tokens(echo(tokens, logprobs), "x") is None
    asked = prompt_tokens(echo(tokens, logprobs, usage={"prompt_tokens": 2}), "x")
    assert asked == (["ha", " ha"], [None, -3.0])


@pytest.mark.parametrize("value", [-9999.0, float("nan"), float("-inf"), 0.7, "-1", None])
def test_what_is_no_log_probability_is_unknown(value: Any) -> None:
    assert prompt_tokens(echo(["a"], [value], usage={"prompt_tokens": 1}), "x") == (["a"], [None])


def test_several_tokens_at_a_place_are_not_chosen_from() -> None:
    one, other = ({"logprob": logprob, "decoded_token": "a"} for logprob in (-1.0, -2.0))
    answer = {"choices": [{}], "prompt_logprobs": [None, {"5": one}]}
    assert prompt_tokens(answer, "x") == (["", "a"], [None, -1.0])
    assert prompt_tokens({**answer, "prompt_logprobs": [None, {"5": one, "6": other}]}, "x") is None


@pytest.mark.parametrize("conversation", [False, True])
def test_a_probe_without_a_key_is_one_clear_error(conversation: bool) -> None:
    async def locked(asked: Asked) -> bytes:
        return response(401, {"error": {"message": "no key"}})

    with answering(locked) as log:
        with refused("probing for generation", "no key", hint="OPENAI_API_KEY"):
            OpenAIEngine("m", settings(log.base_url)).kinds(chat=conversation)
        assert len(log.asked) == 1


def test_an_outage_while_probing_is_not_taken_for_an_inability() -> None:
    async def down(asked: Asked) -> bytes:
        return response(503, "") if asked.body.get("echo") else completion()

    with answering(down) as log, refused("503"):
        OpenAIEngine("m", settings(log.base_url)).kinds()


def message(reason: str, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", **fields}, "finish_reason": reason}]}


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (message("length", content=None, reasoning_content="Is it A? B"), None),
        (message("length", content="", reasoning="Is it A? B"), None),
        # The thought is kept back.
        (message("length", content=None), None),
        (message("length", content="<think>Is it A? B"), None),
        ({**message("length", content=""), "usage": {"prompt_tokens": 9, "completion_tokens": 5}}, None),
        # There was no room for a reply.
        ({**message("length", content=""), "usage": {"prompt_tokens": 9, "completion_tokens": 0}}, ""),
        (message("stop", content="", reasoning_content="Is it A? B"), ""),
        (message("stop", content=None), ""),
        (message("stop", content="C", reasoning_content="Is it A? B"), "C"),
        (message("length", content="C, for", reasoning_content="Is it A? B"), "C, for"),
        (message("stop", content=[{"type": "text", "text": "C"}]), "C"),
        (
            message(
                "stop",
                content=[
                    {"type": "thinking", "thinking": [{"type": "text", "text": "Is it A? B"}]},
                    {"type": "text", "text": "C"},
                ],
            ),
            "C",
        ),
        (
            message("length", content=[{"type": "thinking", "thinking": [{"type": "text", "text": "A?"}]}]),
            None,
        ),
    ],
)
def test_a_thought_that_a_server_gives_apart_is_no_answer(answer: dict[str, Any], text: str | None) -> None:
    found = without_thoughts(answers.reply(answer, (), "item 7").text)
    assert (found if found is None else found.strip()) == text


def test_a_reply_of_other_parts_is_an_error() -> None:
    with refused("item 7", "not text"):
        answers.reply(message("stop", content=[{"type": "image_url"}]), (), "item 7")


def sampling_fields(log: Log) -> list[dict[str, Any]]:
    """What was sent to make the replies, beside their prompt and length."""
    return [
        {name: one.body[name] for name in ("temperature", "top_p", "seed") if name in one.body}
        for one in log.asked
        if one.body and one.body.get("max_tokens") == 5
    ]


def refusing(*names: str) -> Any:
    async def server(asked: Asked) -> bytes:
        wrong = next((name for name in names if name in (asked.body or {})), None)
        return response(400, {"error": {"message": f"no {wrong}"}}) if wrong else completion("fine")

    return server


SAMPLED = [
    Request(prompt, max_tokens=5, sampling=Sampling(number, 0.7, 0.9))
    for prompt in ("p", "q")
    for number in range(2)
]


def test_a_sampled_reply_is_asked_with_its_temperature_and_a_seed_of_its_own() -> None:
    with answering(refusing()) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        assert len(dict(engine.generate([*SAMPLED, Request("p", max_tokens=5)], range(5)))) == 5
    sent = sampling_fields(log)
    assert sorted(one.get("temperature", -1) for one in sent) == [0, 0.7, 0.7, 0.7, 0.7]
    assert {one.get("top_p") for one in sent if one["temperature"]} == {0.9}
    seeds = {one["seed"] for one in sent if one["temperature"]}
    assert len(seeds) == 4 and all(0 <= seed < 2**31 for seed in seeds)
    assert not any("seed" in one for one in sent if not one["temperature"])
    assert engine.notes == []


def test_a_server_without_seeds_gets_none_and_the_notes_say_it() -> None:
    with answering(refusing("seed")) as log:
        engine = OpenAIEngine("m", settings(log.base_url))
        assert len(dict(engine.generate(SAMPLED, range(4)))) == 4
    assert sampling_fields(log) == [{"temperature": 0.7, "top_p": 0.9}] * 4
    assert engine.notes == [EngineNote.UNSEEDED]


def test_a_server_of_one_temperature_samples_at_that_one_only(newer: Log) -> None:
    engine = OpenAIEngine("gpt", settings(newer.base_url))
    plain = Request(CHAT, max_tokens=9, sampling=Sampling(0))
    ((_, reply),) = engine.generate([plain], [0])
    assert reply.text == "Paris. And more"
    (asked,) = asked_for(newer)
    assert "temperature" not in asked.body and "seed" in asked.body
    with refused("temperature: 0.5", hint="temperature 1"):
        list(engine.generate([Request(CHAT, max_tokens=9, sampling=Sampling(0, 0.5))], [0]))
