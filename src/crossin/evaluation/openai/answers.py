"""Reads the answers of completion and chat endpoints, in the dialects of the servers in use."""

from __future__ import annotations

from typing import Any

from crossin.core.errors import CrossinError
from crossin.evaluation.engine import Reply
from crossin.evaluation.openai.failures import Unusable
from crossin.servers import tokens_used

# A log-probability lies between these, but for rounding: vLLM and OpenAI write the lower for minus infinity
# and for unknown values.
_UNKNOWN, _CERTAIN = -9999.0, 1e-3


def choice(answer: dict[str, Any], name: str) -> dict[str, Any]:
    """The one choice of an answer; raises Unusable, which names the request, where there is none."""
    try:
        found = answer["choices"][0]
        if isinstance(found, dict):
            return found
    except (KeyError, IndexError, TypeError):
        pass
    raise Unusable(
        f"{name}: the server's answer is not a completion",
        hint="check that the base URL is that of an OpenAI-compatible server",
    )


def reply(answer: dict[str, Any], stop: tuple[str, ...], name: str) -> Reply:
    """The generated text before any of `stop`, which some servers leave in the text."""
    found = choice(answer, name)
    message = found.get("message")
    text = (message.get("content") if isinstance(message, dict) else found.get("text")) or ""
    if not isinstance(text, str):
        raise CrossinError(f"{name}: the server's reply is not text", hint="use a text model")
    ends = [end for end in (text.find(mark) for mark in stop if mark) if end >= 0]
    cut = found.get("finish_reason") == "length" and not ends
    return Reply(text[: min(ends)] if ends else text, cut, *computed(answer))


def computed(answer: dict[str, Any]) -> tuple[int, int]:
    """How many tokens went through the model, and how many were in the server's cache."""
    used = tokens_used(answer)
    if used is None:
        return 0, 0
    saved = _cached(answer)
    return used[1] + _whole_prompt(used[0], saved) - saved, saved


def sent_tokens(answer: dict[str, Any]) -> int:
    """The prompt's tokens as the server counts them, those in its cache included; 0 where it does not."""
    used = tokens_used(answer)
    return 0 if used is None else _whole_prompt(used[0], _cached(answer))


def _cached(answer: dict[str, Any]) -> int:
    details = answer["usage"].get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else 0
    return cached if isinstance(cached, int) else 0


def _whole_prompt(prompt: int, cached: int) -> int:
    """Some servers count only those tokens of the prompt that were not in the cache."""
    return prompt if cached <= prompt else prompt + cached


def prompt_tokens(answer: dict[str, Any], name: str) -> tuple[list[str], list[float | None]] | None:
    """The tokens of the prompt, as texts, and the log-probability of each after those before it; None where
    the answer does not hold them, or not where they end.

    They come as the `logprobs` of an echo (the legacy completions of OpenAI; vLLM, SGLang), or as vLLM's
    `prompt_logprobs`: for each token its id with its log-probability and text.
    """
    found = choice(answer, name)
    places = found.get("prompt_logprobs") or answer.get("prompt_logprobs")
    try:
        if found.get("logprobs"):
            if tokens_used(answer) is None:
                return None
            # The generated tokens follow the echo.
            end = sent_tokens(answer)
            tokens, logprobs = (found["logprobs"][key][:end] for key in ("tokens", "token_logprobs"))
        elif places:
            chosen = []
            for place in places:
                # One token each, as requested; nothing is known of the first.
                (token,) = place.values() if place else ({},)
                chosen.append(token)
            tokens = [token.get("decoded_token") or "" for token in chosen]
            logprobs = [token.get("logprob") for token in chosen]
        else:
            return None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if len(tokens) != len(logprobs) or not all(isinstance(token, str) for token in tokens):
        return None
    return tokens, [_number(logprob) for logprob in logprobs]


def top_fields(path: str, count: int) -> dict[str, Any]:
    """The fields that ask an endpoint for the `count` most probable first tokens."""
    return {"logprobs": True, "top_logprobs": count} if "chat" in path else {"logprobs": count}


def top_tokens(found: dict[str, Any]) -> list[tuple[str, float]]:
    """The most probable tokens for the first place of a reply, with their log-probabilities; none where the
    server does not give them.

    Chat endpoints list them, completions map them; llama.cpp lists them in both.
    """
    try:
        logprobs = found["logprobs"]
        if logprobs.get("content"):
            pairs = [(one["token"], one["logprob"]) for one in logprobs["content"][0]["top_logprobs"]]
        else:
            pairs = list(logprobs["top_logprobs"][0].items())
    except (KeyError, IndexError, TypeError, AttributeError):
        return []
    return [(str(token), number) for token, logprob in pairs if (number := _number(logprob)) is not None]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and _UNKNOWN < value < _CERTAIN else None
