"""Chats in the forms of public files: all give the same turns."""

from __future__ import annotations

import json
from typing import Any

import pytest

from crossin.corpus.conversations import answers_of, asked_of
from crossin.corpus.reading.chats import ChatTexts, texts_of_chat, turns_of
from crossin.corpus.reasons import CorpusReason

TURNS = [
    ("user", "Hi"),
    ("assistant", "Hello."),
    ("user", "Name a river."),
    ("assistant", "The Nile.\n\nOr the Po."),
]
SYSTEM = ("system", "Be brief.")


def messages(*turns: tuple[str, Any], names: tuple[str, str] = ("role", "content")) -> list[dict[str, Any]]:
    return [dict(zip(names, turn, strict=True)) for turn in turns]


def sharegpt(*turns: tuple[str, str]) -> list[dict[str, Any]]:
    roles = {"user": "human", "assistant": "gpt", "system": "system"}
    return messages(*((roles[role], text) for role, text in turns), names=("from", "value"))


def pairs(asked: str, answered: str) -> list[dict[str, str]]:
    texts = [text for _, text in TURNS]
    return [{asked: one, answered: other} for one, other in zip(texts[::2], texts[1::2], strict=True)]


TREE = {
    "text": "Hi",
    "role": "prompter",
    "replies": [
        {"text": "Go away.", "role": "assistant", "rank": 1, "replies": []},
        {"text": "Spam", "role": "assistant", "rank": None, "deleted": True, "replies": []},
        {
            "text": "Hello.",
            "role": "assistant",
            "rank": 0,
            "replies": [
                {
                    "text": "Name a river.",
                    "role": "prompter",
                    "replies": [
                        {"text": "The Rhine.", "role": "assistant", "rank": 2, "replies": []},
                        {"text": TURNS[3][1], "role": "assistant", "rank": 0, "replies": []},
                    ],
                }
            ],
        },
    ],
}


@pytest.mark.parametrize(
    "chat",
    [
        pytest.param(messages(*TURNS), id="messages"),
        pytest.param(json.dumps(messages(*TURNS)), id="JSON in a text"),
        pytest.param(sharegpt(*TURNS), id="ShareGPT"),
        pytest.param(messages(*TURNS, names=("role", "text")), id="text"),
        pytest.param(pairs("human", "assistant"), id="exchanges"),
        pytest.param(pairs("input", "output"), id="XTuner"),
        pytest.param([[one["human"], one["assistant"]] for one in pairs("human", "assistant")], id="pairs"),
        pytest.param([text for _, text in TURNS], id="UltraChat"),
        pytest.param(pairs("question", "answer"), id="questions"),
        pytest.param(pairs("prompt", "response"), id="prompts"),
        pytest.param(
            [
                {"role": {"assistant": "model"}.get(role, role), "parts": [{"text": text}]}
                for role, text in TURNS
            ],
            id="Gemini",
        ),
        pytest.param(
            messages(*((role, {"type": "text", "text": text}) for role, text in TURNS)), id="one part"
        ),
        pytest.param(TREE, id="Open-Assistant"),
        pytest.param(
            [{"role": role, "content": [{"type": "text", "text": text}]} for role, text in TURNS], id="parts"
        ),
    ],
)
def test_every_form_gives_the_same_turns(chat: Any) -> None:
    assert turns_of(chat) == TURNS


def test_each_side_is_joined_and_comes_apart_again() -> None:
    found = texts_of_chat(messages(SYSTEM, *TURNS), several=True)
    assert isinstance(found, ChatTexts)
    assert found.instruction == "Be brief.\n\nHi\n\nName a river."
    assert found.output == "Hello.\n\nThe Nile.\n\nOr the Po."
    assert asked_of(found.instruction, found.turns) == ("Be brief.", ["Hi", "Name a river."])
    assert answers_of(found.output, found.turns) == ["Hello.", "The Nile.\n\nOr the Po."]


def test_a_text_beside_a_chat_is_its_system_turn_where_it_has_none() -> None:
    beside = texts_of_chat(messages(*TURNS), "Be brief.", several=True)
    assert isinstance(beside, ChatTexts)
    assert beside == texts_of_chat(messages(SYSTEM, *TURNS), "Be brief.", several=True)
    other = texts_of_chat(messages(SYSTEM, *TURNS), "Be long.", several=True)
    assert other == beside._replace(changed=CorpusReason.OTHER_SYSTEM)


def test_keys_that_parquet_fills_with_null_say_nothing() -> None:
    chat: list[dict[str, Any]] = [
        {"role": None, "content": None, "from": "human", "value": [{"text": "Hi", "image": None}]},
        {"role": "assistant", "content": "Hello.", "from": None, "value": None, "tool_calls": None},
    ]
    assert texts_of_chat(chat, several=True) == ChatTexts("Hi", "Hello.")
    image = [{"text": None, "image": "file.png"}]
    assert texts_of_chat([{**chat[0], "value": image}, chat[1]], several=True) == CorpusReason.OTHER_PART


@pytest.mark.parametrize("key", ["tool_calls", "function_call"])
def test_a_turn_that_calls_a_tool_is_no_text(key: str) -> None:
    asked, answered = messages(*TURNS[:2])
    chat = [asked, {**answered, key: [{"name": "search"}]}]
    assert texts_of_chat(chat, several=True) == CorpusReason.OTHER_PART


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_a_thought_beside_a_turn_stands_in_tags_before_its_text(field: str) -> None:
    chat = [*messages(*TURNS[:1]), {"role": "assistant", "content": "Hello.", field: "A greeting."}]
    assert turns_of(chat) == [TURNS[0], ("assistant", "<think>\nA greeting.\n</think>\n\nHello.")]


def test_a_switch_for_thinking_is_no_thought() -> None:
    chat = [*messages(*TURNS[:1]), {"role": "assistant", "content": "Hello.", "thinking": True}]
    assert turns_of(chat) == TURNS[:2]


def test_one_exchange_without_a_system_turn_has_no_places() -> None:
    assert texts_of_chat(messages(*TURNS[:2]), several=True) == ChatTexts("Hi", "Hello.")


@pytest.mark.parametrize(
    ("chat", "left", "changed"),
    [
        ([("assistant", "Welcome."), *TURNS[:2]], TURNS[:2], CorpusReason.GREETING),
        ([SYSTEM, ("assistant", "Welcome."), *TURNS], [SYSTEM, *TURNS], CorpusReason.GREETING),
        (TURNS[:3], TURNS[:2], CorpusReason.UNANSWERED_TURN),
    ],
)
def test_a_turn_at_an_end_that_has_no_counterpart_is_left_out_and_named(
    chat: Any, left: Any, changed: CorpusReason
) -> None:
    found, rest = (texts_of_chat(messages(*turns), several=True) for turns in (chat, left))
    assert isinstance(rest, ChatTexts)
    assert found == rest._replace(changed=changed)


@pytest.mark.parametrize(
    ("chat", "reason"),
    [
        ([], CorpusReason.INCOMPLETE_EXCHANGE),
        (None, CorpusReason.INCOMPLETE_EXCHANGE),
        (messages(*TURNS[:1]), CorpusReason.INCOMPLETE_EXCHANGE),
        (messages(TURNS[1], TURNS[0]), CorpusReason.INCOMPLETE_EXCHANGE),
        (messages(TURNS[0], *TURNS), CorpusReason.TURNS_DO_NOT_ALTERNATE),
        (messages(*TURNS[:2], SYSTEM, *TURNS[2:]), CorpusReason.TURNS_DO_NOT_ALTERNATE),
        (messages(*TURNS[:3], ("tool", "42"), TURNS[3]), CorpusReason.OTHER_ROLE),
        (messages(*TURNS[:2], ("user", " "), TURNS[3]), CorpusReason.TURN_WITHOUT_TEXT),
        (messages(*TURNS[:3], ("assistant", None)), CorpusReason.TURN_WITHOUT_TEXT),
        (messages(*TURNS[:3], ("assistant", [{"type": "audio"}])), CorpusReason.OTHER_PART),
        ("[{]", CorpusReason.NO_CHAT),
        ("Hi", CorpusReason.NO_CHAT),
        ([1], CorpusReason.NO_CHAT),
        ([["Hi"]], CorpusReason.NO_CHAT),
    ],
)
def test_what_is_no_conversation_has_a_reason(chat: Any, reason: CorpusReason) -> None:
    assert texts_of_chat(chat, several=True) == reason


@pytest.mark.parametrize("count", [3, 4])
def test_where_one_exchange_is_wanted_more_have_a_reason(count: int) -> None:
    assert texts_of_chat(messages(*TURNS[:count]), several=False) == CorpusReason.SEVERAL_EXCHANGES
