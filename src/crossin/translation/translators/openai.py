"""Translates by a chat model behind any OpenAI-compatible server: vLLM, SGLang, llama.cpp, OpenAI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import sha256_of_value
from crossin.servers import (
    Refused,
    ServerRequest,
    ServerSettings,
    rough_tokens,
    tokens_used,
)
from crossin.translation.prompts import ANSWER, PROMPT, QUESTION, is_plain, messages, read_reply
from crossin.translation.reasons import Rejection, TranslationReason
from crossin.translation.requests import TranslationRequest, TranslationResponse
from crossin.translation.translators.server import ServerTranslator

# Greedy at first; a second request would fail in the same way, so it is sampled.
_TEMPERATURES = (0.0, 0.5, 0.5)
# Limit of a reply's tokens: a script that the tokenizer knows badly takes several for each of the source's.
_TIMES, _MORE = 4, 256
_LONGEST_ANSWER = 1024
# Fields that newer models do not take, or take by another name.
_FIELDS = ("temperature", "max_tokens")
_BAD_REQUEST = (400, 422)
# How servers say that a model does not take a field, as newer models of OpenAI do not.
_UNKNOWN_FIELD = re.compile(
    r"unsupported|not support|un(known|recogni[sz]ed)|not (known|allowed|permitted)|max_completion_tokens",
    re.I,
)


class OpenAITranslator(ServerTranslator):
    """A chat model behind a server.

    prompt: replaces the system prompt; `{source}` and `{target}` in it become the languages' names. One with
    `{text}` is the whole of a request, for a model that is made to translate: one text in, one text out.
    """

    attempts = len(_TEMPERATURES)

    def __init__(
        self, model: str, settings: ServerSettings, *, prompt: str = PROMPT, accounting: Path | None = None
    ) -> None:
        super().__init__(settings, accounting)
        self.model, self.prompt = model, prompt
        self._limit, self._has_temperature = "max_tokens", True
        self.unit = "text" if is_plain(prompt) else "row"

    @property
    def identity(self) -> Mapping[str, Any]:
        """The model's name and all that is sent but the texts; not the server's address, which may change."""
        return {
            "engine": "openai",
            "model": self.model,
            "prompt": sha256_of_value([self.prompt, ANSWER])[:16],
            "temperatures": list(_TEMPERATURES),
            "body": self.settings.body,
        }

    async def _tried(self, request: TranslationRequest) -> dict[str, Any]:
        """The server's answer, by the other name of the limit of tokens and without a temperature, where the
        server does not take these.

        Raises CrossinError where it refuses these fields in any form.
        """
        while True:
            sent = self._limit, self._has_temperature
            try:
                return await self._server.request(self.server_request(request))
            except Refused as refused:
                field = next((one for one in _FIELDS if self._refuses(one, refused)), None)
                if field is None:
                    await self._check_text(request, refused)
                    raise
                if field == "temperature":
                    self._has_temperature = False
                else:
                    self._limit = "max_completion_tokens"
                # Another request may have found it out meanwhile.
                if sent == (self._limit, self._has_temperature):
                    # Every request has it: the text is not the reason.
                    hint = f"leave the field out: --body '{{\"{field}\": null}}'"
                    raise CrossinError(refused.message, hint=hint) from refused

    async def _check_text(self, request: TranslationRequest, refused: Refused) -> None:
        """Where nothing was answered yet, find out whether a refusal is about the text. Raises CrossinError
        where the server refuses any text.
        """
        if self._answered or refused.status not in _BAD_REQUEST:
            return
        short = replace(request, names=request.names[:1], texts=("Hello.",), context=())
        try:
            await self._server.request(self.server_request(short))
        except Refused as again:
            if again.status not in _BAD_REQUEST:
                raise
            hint = (
                "fix what the server complains of, since it refuses a text of one word, too; a field is left"
                " out with --body '{\"FIELD\": null}'"
            )
            raise CrossinError(refused.message, hint=hint) from refused
        self._answered = True

    def _refuses(self, field: str, refused: Refused) -> bool:
        known = field in self.settings.body or refused.status not in _BAD_REQUEST
        return not known and field in refused.message and bool(_UNKNOWN_FIELD.search(refused.message))

    def server_request(self, request: TranslationRequest) -> ServerRequest:
        """What is sent for a request, without the settings' `body`."""
        sent, expected = self.tokens(request)
        question = request.names == (QUESTION,)
        temperature = _TEMPERATURES[min(request.attempt, len(_TEMPERATURES) - 1)]
        body = {
            "model": self.model,
            "messages": messages(request, self.prompt),
            **({"temperature": temperature} if self._has_temperature else {}),
            self._limit: _LONGEST_ANSWER if question else _TIMES * expected + _MORE,
        }
        return ServerRequest(
            "chat/completions", body, name=request.target, prompt_tokens=sent, completion_tokens=expected
        )

    def tokens(self, request: TranslationRequest) -> tuple[int, int]:
        """About how many tokens a request sends, and its translation has, if it is as long as its source."""
        sent = sum(rough_tokens(turn["content"]) for turn in messages(request, self.prompt))
        return sent, sum(map(rough_tokens, request.texts))

    def read(self, answer: dict[str, Any], request: TranslationRequest) -> TranslationResponse:
        """The translation in a chat completion."""
        return _read(answer, request, self.unit == "text")


def _read(answer: dict[str, Any], request: TranslationRequest, plain: bool) -> TranslationResponse:
    prompt, completion = tokens_used(answer) or (0, 0)

    def failed(reason: str, detail: str = "") -> TranslationResponse:
        return TranslationResponse(None, reason, detail, prompt_tokens=prompt, completion_tokens=completion)

    try:
        choice = answer["choices"][0]
        reply, cut = choice["message"]["content"] or "", choice.get("finish_reason") == "length"
        refused = choice["message"].get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError):
        return failed(TranslationReason.INVALID_RESPONSE)
    if not isinstance(reply, str) or (refused and not reply):
        return failed(TranslationReason.REFUSAL)
    texts = read_reply(reply, request.names, plain)
    if isinstance(texts, Rejection):
        return failed(TranslationReason.TOKEN_LIMIT) if cut else failed(texts.reason, texts.detail)
    return TranslationResponse(texts, cut=cut, prompt_tokens=prompt, completion_tokens=completion)
