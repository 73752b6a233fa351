"""From requests to tokens: where the prompt ends, and what does not fit the model's context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.plain_values import shown
from crossin.evaluation.engine import Request
from crossin.models.joining import head_for, heading_of, split

# Offsets of many long texts at once would fill the memory.
_TEXTS_AT_ONCE = 512


@dataclass(frozen=True)
class Continuation:
    """The tokens of a prompt and one option; those from number `start` on are the option's, and are scored.

    `start` is at least 1. A token that holds characters of both belongs to the option.
    """

    tokens: tuple[int, ...]
    start: int


def tokenise(
    tokenizer: Any, requests: Sequence[Request], *, longest: int | None, truncate: bool = False
) -> list[list[Continuation]]:
    """For each request, the tokens of its options, each after the prompt.

    `longest` is how many tokens the model takes. Raises CrossinError that names the request where an option
    has no tokens, or the whole is longer than that; `truncate` cuts the prompt on the left instead, by as
    much for all its options.
    """
    heading = heading_of(tokenizer)
    found: list[list[Continuation]] = []
    pending: list[tuple[Request, str, tuple[int, ...]]] = []

    def finish() -> None:
        texts = [prompt + option for request, prompt, _ in pending for option in request.options]
        borders = [len(prompt) for request, prompt, _ in pending for _ in request.options]
        options = iter(split(tokenizer, texts, borders))
        for request, _, head in pending:
            wholes = [_headed(tokenizer, head, *next(options)) for _ in request.options]
            _check(request, wholes)
            kept = _kept(tokenizer, head, wholes[0].tokens)
            found.append(_fitted(request, wholes, kept, longest, truncate))
        pending.clear()

    for request in requests:
        prompt, whole = prompt_text(tokenizer, request)
        pending.append((request, prompt, () if whole else heading))
        if len(pending) * len(request.options) >= _TEXTS_AT_ONCE:
            finish()
    finish()
    return found


def tokenise_prompts(
    tokenizer: Any, requests: Sequence[Request], *, longest: int | None, truncate: bool = False
) -> list[tuple[int, ...]]:
    """The tokens of each request's prompt, with room for its reply; errors as `tokenise`."""
    heading = heading_of(tokenizer)
    found = []
    for request in requests:
        prompt, whole = prompt_text(tokenizer, request)
        head = () if whole else heading
        tokens = (*head, *tokenizer(prompt, add_special_tokens=False)["input_ids"])
        if not tokens:
            raise CrossinError(f"{request.name}: the prompt has no tokens", hint="fix the benchmark's item")
        excess = 0 if longest is None else len(tokens) + request.max_tokens - longest
        if excess > 0:
            kept = _kept(tokenizer, head, tokens)
            if not truncate or excess >= len(tokens) - kept:
                raise _too_long(request, len(tokens) + request.max_tokens, longest, "with its reply ")
            tokens = (*tokens[:kept], *tokens[kept + excess :])
        found.append(tokens)
    return found


def prompt_text(tokenizer: Any, request: Request) -> tuple[str, bool]:
    """The prompt as text, a conversation in the model's own template, and whether nothing is to be put before
    it: how a conversation begins its template alone decides, and a text may hold its beginning of sequence
    already.

    Raises CrossinError where a conversation is asked of a model without a template.
    """
    prompt = request.prompt
    begin = tokenizer.bos_token
    if not isinstance(prompt, str):
        if not tokenizer.chat_template:
            raise CrossinError(
                "this model has no chat template", hint="leave out --chat: ask it with plain prompts"
            )
        turns = [{"role": role, "content": text} for role, text in prompt]
        return tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True), True
    return prompt, bool(begin and prompt.startswith(begin))


def _kept(tokenizer: Any, head: tuple[int, ...], tokens: Sequence[int]) -> int:
    """How many tokens at the beginning are not cut: those before every text, or a beginning of sequence."""
    return len(head) or int(tokens[0] == tokenizer.bos_token_id)


def _headed(tokenizer: Any, head: tuple[int, ...], tokens: tuple[int, ...], start: int) -> Continuation:
    """With the tokens before the text; the first scored token needs a token before it."""
    head = head_for(tokenizer, head, start)
    return Continuation((*head, *tokens), start + len(head))


def _check(request: Request, wholes: list[Continuation]) -> None:
    for option, whole in zip(request.options, wholes, strict=True):
        if len(whole.tokens) == whole.start:
            raise CrossinError(
                f"{request.name}: the option {shown(option)} has no tokens of its own",
                hint="fix the benchmark's item; `crossin bench check` finds such options",
            )


def _fitted(
    request: Request, wholes: list[Continuation], head: int, longest: int | None, truncate: bool
) -> list[Continuation]:
    # The last token predicts nothing, so the model need not take it.
    length = max(len(whole.tokens) for whole in wholes) - 1
    excess = 0 if longest is None else length - longest
    if excess <= 0:
        return wholes
    if not truncate or any(whole.start - head <= excess for whole in wholes):
        raise _too_long(request, length, longest)
    return [
        Continuation((*whole.tokens[:head], *whole.tokens[head + excess :]), whole.start - excess)
        for whole in wholes
    ]


def _too_long(request: Request, length: int, longest: int | None, what: str = "") -> CrossinError:
    return CrossinError(
        f"{request.name}: the prompt {what}is {length:,} tokens long, and the model takes {longest:,}",
        hint="--truncate left cuts the beginning of such prompts; or use fewer shots",
    )
