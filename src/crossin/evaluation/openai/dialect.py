"""What a server can do and which request fields it takes, found out by probing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from crossin.core.errors import CrossinError
from crossin.evaluation.openai import answers
from crossin.evaluation.openai.border import first_scored
from crossin.servers import Refused, ServerRequest

COMPLETIONS, CHAT = "completions", "chat/completions"
# Statuses that mean "not supported" rather than "try again". A server that has just generated means it by 500
# too, or by an answer that is not a completion: so do llama.cpp and `transformers serve` for an echo.
UNSUPPORTED = {400, 404, 405, 422, 501}
_FAILED = 500
_PROMPT, _OPTION = "A B", " C"


@dataclass(frozen=True)
class Dialect:
    """The fields, beside the prompt, that an endpoint takes for each kind of request; None where it does not
    support the kind. `limit` is its name for the limit of tokens.
    """

    path: str
    generate: dict[str, Any]
    limit: str
    text: dict[str, Any] | None
    letters: dict[str, Any] | None

    @property
    def kinds(self) -> set[str]:
        """The kinds of requests that it supports."""
        return {"generate"} | ({"text"} if self.text else set()) | ({"letters"} if self.letters else set())


def find_dialect(send: Callable[[ServerRequest], dict[str, Any]], model: str, path: str) -> Dialect:
    """Probe the endpoint `path` with at most six small requests.

    Raises Refused, or another CrossinError, where it does not even generate.
    """

    def probe(
        name: str, ways: Iterable[dict[str, Any]], works: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any] | None:
        for way in ways:
            body = {"model": model, **way}
            try:
                if works(send(ServerRequest(path, body, None, f"probing for {name}", 4, 1))):
                    return way
            except CrossinError as error:
                if (error.status if isinstance(error, Refused) else _FAILED) not in unsupported:
                    raise
                refusals.append(error)
        return None

    refusals: list[CrossinError] = []
    unsupported = set(UNSUPPORTED)
    prompt = messages((("user", _PROMPT),)) if path == CHAT else {"prompt": _PROMPT}
    # Newer models of OpenAI have another name for the limit, and no temperature.
    limits = ("max_tokens", "max_completion_tokens") if path == CHAT else ("max_tokens",)
    plain = [{"temperature": 0, limit: 1} for limit in limits] + [{limits[-1]: 1}]
    generate = probe(
        "generation",
        ({**prompt, **way} for way in plain),
        lambda answer: answers.choice(answer, "a probe") is not None,
    )
    if generate is None:
        raise refusals[0]
    unsupported.add(_FAILED)
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


def takes_seed(
    send: Callable[[ServerRequest], dict[str, Any]], model: str, dialect: Dialect, sampled: dict[str, Any]
) -> bool:
    """Whether the endpoint takes a seed next to the fields `sampled`, which make it sample a reply.

    Raises CrossinError where it does not take these fields.
    """
    prompt = messages((("user", _PROMPT),)) if dialect.path == CHAT else {"prompt": _PROMPT}
    refusal: Refused | None = None
    for seed in ({"seed": 1}, {}):
        body = {"model": model, **prompt, **dialect.generate, **sampled, **seed, dialect.limit: 1}
        try:
            send(ServerRequest(dialect.path, body, None, "probing for sampled replies", 4, 1))
            return bool(seed)
        except Refused as error:
            if error.status not in UNSUPPORTED | {_FAILED}:
                raise
            refusal = error
    raise CrossinError(
        f"the server samples no replies with {', '.join(f'{x}: {y}' for x, y in sampled.items())}: {refusal}",
        hint="some models take only temperature 1 and top_p 1",
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
