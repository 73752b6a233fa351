"""Reads the answers of completion and chat endpoints, in the dialects of the servers in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.thoughts import CLOSING, OPENING, THOUGHT_FIELDS
from crossin.evaluation.engine import Reply, Request, Scores, before
from crossin.evaluation.openai.border import first_scored
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
    """The generated text before any of `stop`, which some servers leave in the text.

    A server may give the thought apart from the text, or not at all. Where the text is empty, the thought
    takes its place, with its end only where the server came to it.
    """
    found = choice(answer, name)
    of_chat = found.get("message")
    message: dict[str, Any] = of_chat if isinstance(of_chat, dict) else {"content": found.get("text")}
    text = _text(message.get("content"))
    if text is None:
        raise CrossinError(f"{name}: the server's reply is not text", hint="use a text model")
    shorter = before(text, stop)
    cut = found.get("finish_reason") in ("length", "max_tokens") and shorter is None
    if not text.strip():
        given = (message.get(field) for field in THOUGHT_FIELDS)
        apart = next((thought for thought in given if isinstance(thought, str)), "")
        # A chat that used up its tokens on no text has kept back a thought.
        used = tokens_used(answer)
        kept_back = message is of_chat and cut and not text and (used is None or used[1] > 0)
        if apart.strip() or kept_back:
            return Reply(OPENING + apart + ("" if cut else CLOSING), cut, *computed(answer))
    return Reply(text if shorter is None else shorter, cut, *computed(answer))


def _text(content: Any) -> str | None:
    """The text of a reply, of which some servers make a list of parts, thoughts among them; None where it is
    something else.
    """
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        return None
    text = ""
    for part in content:
        if not isinstance(part, dict) or part.get("type") not in ("text", "output_text", "thinking"):
            return None
        thought = part["type"] == "thinking"
        found = _text(part.get("thinking" if thought else "text"))
        if found is None:
            return None
        # A thought that is the last part was not finished.
        text += OPENING + found + (CLOSING if part is not content[-1] else "") if thought else found
    return text


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


def option(answer: dict[str, Any], request: Request, place: int, *, plain: bool) -> tuple[Scores, bool]:
    """The scores of one option after its prompt, and whether its first token has none: nothing precedes it.

    plain: the text is prompt and option, else the option alone. Raises Unusable where there is no
    log-probability in the answer.
    """
    read = prompt_tokens(answer, request.name)
    if read is None:
        raise Unusable(
            f"{request.name}: the server no longer gives log-probabilities",
            hint="check the server and run again: finished answers are cached",
        )
    tokens, logprobs = read
    asked = request.options[place]
    text = f"{request.prompt}{asked}" if plain else asked
    first = first_scored(tokens, text, len(text) - len(asked))
    unscored = first == 0 and not request.prompt
    scored = [] if first is None else logprobs[first + unscored :]
    known = [logprob for logprob in scored if logprob is not None]
    whole = bool(scored) and len(known) == len(scored)
    scores = Scores([sum(known) if whole else None], [len(scored)], *computed(answer))
    return replace(scores, prompt_tokens=sent_tokens(answer)), unscored


def letters(answer: dict[str, Any], request: Request) -> Scores:
    """The scores of options that are letters: for each its best token in the list, with blanks or without.

    Raises Unusable where there is no list.
    """
    tops = top_tokens(choice(answer, request.name))
    if not tops:
        raise Unusable(
            f"{request.name}: the server no longer lists the most probable tokens",
            hint="check the server and run again: finished answers are cached; or use --form generate",
        )
    logprobs = [
        max((logprob for token, logprob in tops if token.strip() == one.strip()), default=None)
        for one in request.options
    ]
    counts = [int(logprob is not None) for logprob in logprobs]
    return Scores(logprobs, counts, *computed(answer), listed=True, prompt_tokens=sent_tokens(answer))


def joined(parts: Sequence[Scores]) -> Scores:
    """The scores of several options as those of one request."""
    return Scores(
        [logprob for part in parts for logprob in part.logprobs],
        [count for part in parts for count in part.tokens],
        sum(part.computed for part in parts),
        sum(part.saved for part in parts),
        any(part.listed for part in parts),
        [code for part in parts for code in part.failed],
        max(part.prompt_tokens for part in parts),
    )


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
