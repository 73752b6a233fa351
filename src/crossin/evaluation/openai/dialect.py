"""What a server can do, found out by asking it, and how it wants to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from crossin.core.errors import CrossinError
from crossin.evaluation.openai import answers
from crossin.evaluation.openai.border import first_scored
from crossin.servers import Call, Refused, Server

COMPLETIONS, CHAT = "completions", "chat/completions"
# Statuses that say "I cannot do this", rather than "ask again". A server that has just generated says so with
# 500 too, or answers what is no completion: llama.cpp calls a wish for an echo an error of its own, and
# `transformers serve` stumbles over it.
UNABLE = {400, 404, 405, 422, 501}
_STUMBLED = 500
_PROMPT, _OPTION = "A B", " C"


@dataclass(frozen=True)
class Dialect:
    """The fields, beside the prompt, that an endpoint understands for each thing asked of it; None where it
    cannot do it. `limit` is its name of the limit of tokens.
    """

    path: str
    generate: dict[str, Any]
    limit: str
    text: dict[str, Any] | None
    letters: dict[str, Any] | None

    @property
    def kinds(self) -> set[str]:
        """The kinds of asking that it serves."""
        return {"generate"} | ({"text"} if self.text else set()) | ({"letters"} if self.letters else set())


def find_dialect(server: Server, model: str, path: str) -> Dialect:
    """Probe the endpoint `path` with six small calls at most, each of which is tried twice.

    Raises Refused, or another CrossinError, where it does not even generate.
    """

    def probe(
        name: str, ways: Iterable[dict[str, Any]], works: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any] | None:
        for way in ways:
            call = Call(path, {"model": model, **way}, name=f"probing for {name}", tokens=4)
            try:
                ((_, answer),) = server.ask([call], retries=1)
                if works(answer):
                    return way
            except CrossinError as error:
                if (error.status if isinstance(error, Refused) else _STUMBLED) not in unable:
                    raise
                refusals.append(error)
        return None

    refusals: list[CrossinError] = []
    unable = set(UNABLE)
    prompt = messages((("user", _PROMPT),)) if path == CHAT else {"prompt": _PROMPT}
    # Newer models of OpenAI know another name of the limit, and no temperature.
    limits = ("max_tokens", "max_completion_tokens") if path == CHAT else ("max_tokens",)
    plain = [{"temperature": 0, limit: 1} for limit in limits] + [{limits[-1]: 1}]
    generate = probe(
        "generation",
        ({**prompt, **way} for way in plain),
        lambda answer: answers.choice(answer, "a probe") is not None,
    )
    if generate is None:
        raise refusals[0]
    unable.add(_STUMBLED)
    text = probe("log-probabilities of texts", _text_ways(path), lambda answer: _scores(path, answer))
    letters = probe(
        "log-probabilities of letters",
        ({**generate, **answers.top_fields(path, count)} for count in (20, 5)),
        lambda answer: bool(answers.top_tokens(answers.choice(answer, "a probe"))),
    )
    limit = next(limit for limit in limits if limit in generate)
    return Dialect(
        path,
        _without(generate, "prompt", "messages", limit),
        limit,
        text and _without(text, "prompt", "messages"),
        letters and _without(letters, "prompt", "messages"),
    )


def messages(chat: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A conversation as a chat endpoint takes it."""
    return {"messages": [{"role": role, "content": text} for role, text in chat]}


def _text_ways(path: str) -> list[dict[str, Any]]:
    if path == CHAT:
        # vLLM: the option as the beginning of the assistant's turn.
        return [
            {
                **messages((("user", _PROMPT), ("assistant", _OPTION.strip()))),
                "continue_final_message": True,
                "add_generation_prompt": False,
                "prompt_logprobs": 0,
                "max_tokens": 1,
                "temperature": 0,
            }
        ]
    # Some servers generate one token at least.
    return [
        {"prompt": _PROMPT + _OPTION, "echo": True, "logprobs": 1, "max_tokens": count, "temperature": 0}
        for count in (0, 1)
    ]


def _scores(path: str, answer: dict[str, Any]) -> bool:
    read = answers.prompt_tokens(answer, "a probe")
    if read is None:
        return False
    text, border = (_OPTION.strip(), 0) if path == CHAT else (_PROMPT + _OPTION, len(_PROMPT))
    first = first_scored(read[0], text, border)
    return first is not None and first > 0 and None not in read[1][first:]


def _without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}
