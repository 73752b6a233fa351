"""From requests to tokens: where the prompt ends, and what does not fit the model's context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from crossin.core.errors import CrossinError
from crossin.core.plain_values import shown
from crossin.core.thoughts import opening_at_end
from crossin.evaluation.engine import Request
from crossin.models.chat import ChatTemplate, thinks
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


class Prompt(NamedTuple):
    """The tokens of a prompt, and the tag by which it begins a thought that the reply goes on with ('' where
    it begins none).
    """

    tokens: tuple[int, ...]
    opening: str = ""


class PromptText(NamedTuple):
    """A prompt as text. `whole`: nothing is to be put before it. `before_option` stands between it and an
    option, and is scored with the option.
    """

    text: str
    whole: bool
    before_option: str = ""


def tokenise(
    tokenizer: Any,
    requests: Sequence[Request],
    *,
    longest: int | None,
    truncate: bool = False,
    arguments: Mapping[str, Any] | None = None,
    encoder: bool = False,
) -> list[list[Continuation]]:
    """For each request, the tokens of its options, each after the prompt.

    `longest` is how many tokens the model takes; `arguments` are those of a chat template. Raises
    CrossinError that names the request where an option has no tokens, or the whole is longer than that, and
    where the option would be scored within a thought; `truncate` cuts the prompt on the left instead, by as
    much for all its options. encoder: the prompt is an encoder's, and the option a decoder's.
    """
    template = _template(tokenizer, arguments)
    if encoder:
        return _pairs(tokenizer, requests, template, longest, truncate)
    heading = heading_of(tokenizer)
    found: list[list[Continuation]] = []
    pending: list[tuple[Request, PromptText]] = []

    def finish() -> None:
        texts = [
            prompt.text + prompt.before_option + option
            for request, prompt in pending
            for option in request.options
        ]
        borders = [len(prompt.text) for request, prompt in pending for _ in request.options]
        options = iter(split(tokenizer, texts, borders))
        for request, prompt in pending:
            head = () if prompt.whole else heading
            wholes = [_headed(tokenizer, head, *next(options)) for _ in request.options]
            _check(request, wholes)
            kept = _kept(tokenizer, head, wholes[0].tokens)
            found.append(_fitted(request, wholes, kept, longest, truncate))
        pending.clear()

    for request in requests:
        prompt = prompt_text(tokenizer, request, template)
        _check_thought(request, prompt.text, arguments or {})
        pending.append((request, prompt))
        if len(pending) * len(request.options) >= _TEXTS_AT_ONCE:
            finish()
    finish()
    return found


def _pairs(
    tokenizer: Any,
    requests: Sequence[Request],
    template: ChatTemplate | None,
    longest: int | None,
    truncate: bool,
) -> list[list[Continuation]]:
    """As `tokenise`, for an encoder-decoder: the prompt is what its encoder reads, with the special tokens of
    its tokenizer, and the option what its decoder writes, without any.
    """
    found = []
    for request in requests:
        prompt = prompt_text(tokenizer, request, template)
        asked = _encoder_tokens(tokenizer, request, prompt, longest, truncate)
        # The blank between prompt and option belongs to neither.
        texts = [(prompt.before_option + option).strip() for option in request.options]
        written = [tuple(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
        wholes = [Continuation((*asked, *tokens), len(asked)) for tokens in written]
        _check(request, wholes)
        found.append(wholes)
    return found


def tokenise_prompts(
    tokenizer: Any,
    requests: Sequence[Request],
    *,
    longest: int | None,
    truncate: bool = False,
    arguments: Mapping[str, Any] | None = None,
    encoder: bool = False,
) -> list[Prompt]:
    """The tokens of each request's prompt, with room for its reply; arguments and errors as in `tokenise`.
    encoder: the prompt is an encoder's, and the reply a decoder's.
    """
    heading = heading_of(tokenizer)
    template = _template(tokenizer, arguments)
    found = []
    for request in requests:
        prompt = prompt_text(tokenizer, request, template)
        if encoder:
            found.append(Prompt(_encoder_tokens(tokenizer, request, prompt, longest, truncate)))
            continue
        head = () if prompt.whole else heading
        tokens = (*head, *tokenizer(prompt.text, add_special_tokens=False)["input_ids"])
        tokens = _cut(tokenizer, request, tokens, longest, truncate, head=head, reply=request.max_tokens)
        found.append(Prompt(tokens, _opening(request, prompt.text)))
    return found


def _encoder_tokens(
    tokenizer: Any, request: Request, prompt: PromptText, longest: int | None, truncate: bool
) -> tuple[int, ...]:
    tokens = tuple(tokenizer(prompt.text)["input_ids"])
    return _cut(tokenizer, request, tokens, longest, truncate)


def _cut(
    tokenizer: Any,
    request: Request,
    tokens: tuple[int, ...],
    longest: int | None,
    truncate: bool,
    *,
    head: tuple[int, ...] = (),
    reply: int = 0,
) -> tuple[int, ...]:
    """A prompt's tokens, cut on the left where they and a reply of so many are too long for the model."""
    if not tokens:
        raise CrossinError(f"{request.name}: the prompt has no tokens", hint="fix the benchmark's item")
    excess = 0 if longest is None else len(tokens) + reply - longest
    if excess <= 0:
        return tokens
    kept = _kept(tokenizer, head, tokens)
    if not truncate or excess >= len(tokens) - kept:
        raise _too_long(request, len(tokens) + reply, longest, "with its reply " if reply else "")
    return (*tokens[:kept], *tokens[kept + excess :])


def prompt_text(tokenizer: Any, request: Request, template: ChatTemplate | None) -> PromptText:
    """The prompt of a request as text, a conversation in the model's chat template. How that begins the
    template alone decides; a plain prompt may hold its beginning of sequence already.

    Raises CrossinError where a conversation is asked of a model without a template, or the template refuses
    it.
    """
    from jinja2 import TemplateError

    prompt, begin = request.prompt, tokenizer.bos_token
    if isinstance(prompt, str):
        return PromptText(prompt, bool(begin and prompt.startswith(begin)))
    if template is None:
        raise CrossinError(
            "this model has no chat template", hint="leave out --chat: ask it with plain prompts"
        )
    try:
        text = template.prompt([{"role": role, "content": content} for role, content in prompt])
    except TemplateError as error:
        raise CrossinError(
            f"{request.name}: the model's chat template refuses the conversation: {error}",
            hint="check --chat-template-kwargs, or leave out --chat",
        ) from error
    return PromptText(text, True, template.before_answers)


def _template(tokenizer: Any, arguments: Mapping[str, Any] | None) -> ChatTemplate | None:
    return ChatTemplate(tokenizer, arguments or {}) if tokenizer.chat_template else None


def _opening(request: Request, prompt: str) -> str:
    """The beginning of a thought at the end of a conversation's prompt."""
    return "" if isinstance(request.prompt, str) else opening_at_end(prompt, request.prompt[-1][1])


def _check_thought(request: Request, prompt: str, arguments: Mapping[str, Any]) -> None:
    """Refuse to score an option where a thought is expected."""
    if isinstance(request.prompt, str) or not (_opening(request, prompt) or thinks(arguments)):
        return
    raise CrossinError(
        f"{request.name}: the model thinks before it answers, and no option is scored within a thought",
        hint="use --form generate; or switch thinking off with --chat-template-kwargs, if the template can",
    )


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
