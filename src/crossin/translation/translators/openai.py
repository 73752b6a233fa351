"""Translates by a chat model behind any OpenAI-compatible server: vLLM, SGLang, llama.cpp, OpenAI."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from crossin.core.errors import CrossinError
from crossin.core.files import sha256_of_value
from crossin.servers import (
    Refused,
    Server,
    ServerRequest,
    ServerSettings,
    check_client,
    rough_tokens,
    tokens_used,
)
from crossin.translation.prompts import ANSWER, PROMPT, QUESTION, is_plain, messages, read_reply
from crossin.translation.reasons import Rejection, TranslationReason
from crossin.translation.requests import TranslationRequest, TranslationResponse

# Greedy at first; a second request would fail in the same way, so it is sampled.
_TEMPERATURES = (0.0, 0.5, 0.5)
# Limit of a reply's tokens: a script that the tokenizer knows badly takes several for each of the source's.
_TIMES, _MORE = 4, 256
_LONGEST_ANSWER = 1024
# Seconds that other requests wait for the first.
_PATIENCE = 10.0
# After this many failures in a row the server is taken to be down.
_IN_A_ROW = 20
# Fields that newer models do not take, or take by another name.
_FIELDS = ("temperature", "max_tokens")
# With these statuses the text may be the reason; with others it is the server, the key, or the model.
_OF_THE_TEXT = {400, 408, 413, 422}
# How servers say that a model does not take a field, as newer models of OpenAI do not.
_UNKNOWN_FIELD = re.compile(
    r"unsupported|not support|un(known|recogni[sz]ed)|not (known|allowed|permitted)|max_completion_tokens",
    re.I,
)


class OpenAITranslator:
    """A chat model behind a server.

    prompt: replaces the system prompt; `{source}` and `{target}` in it become the languages' names. One with
    `{text}` is the whole of a request, for a model that is made to translate: one text in, one text out.
    accounting: the file by which all processes of a run share budget, rate limit and usage.
    """

    attempts = len(_TEMPERATURES)
    by_span = False

    def __init__(
        self, model: str, settings: ServerSettings, *, prompt: str = PROMPT, accounting: Path | None = None
    ) -> None:
        self.model, self.settings, self.prompt, self.accounting = model, settings, prompt, accounting
        self.concurrency, self._limit = settings.concurrency, "max_tokens"
        self._has_temperature = True
        self.unit: Literal["row", "text", "sentence"] = "text" if is_plain(prompt) else "row"

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

    def check(self, source: str, targets: Sequence[str]) -> None:  # noqa: ARG002 (any language)
        """A chat model is assumed to have every language: the checks show whether it has. Raises CrossinError
        where nothing can be sent.
        """
        check_client(self.settings)

    async def __aenter__(self) -> OpenAITranslator:
        self._server = await Server(self.settings, self.accounting).__aenter__()
        self._answered, self._failed_in_a_row = False, 0
        self._first, self._tried_one = True, asyncio.Event()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.__aexit__()
        del self._server

    def stop(self) -> None:
        """Cancel the requests that are not in flight."""
        self._server.stop()

    async def translate(self, request: TranslationRequest) -> TranslationResponse:
        """The translation. An error that may be the text's is a response with that reason; a wrong key,
        model or address, or a spent budget, is raised.
        """
        try:
            answer = await self._answer(request)
        except Refused as refused:
            self._failed_in_a_row += 1
            if not self._may_be_the_text(refused):
                raise
            return TranslationResponse(None, TranslationReason.SERVER_ERROR, refused.message, cacheable=False)
        self._answered, self._failed_in_a_row = True, 0
        return _read(answer, request, self.unit == "text")

    async def _answer(self, request: TranslationRequest) -> dict[str, Any]:
        """The server's answer. The first request goes alone, or a server that does not take a field refuses
        as many as are sent at once; the others do not wait long for it.
        """
        if self._first:
            self._first = False
            try:
                return await self._tried(request)
            finally:
                self._tried_one.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._tried_one.wait(), _PATIENCE)
        self._tried_one.set()
        return await self._tried(request)

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

    def _refuses(self, field: str, refused: Refused) -> bool:
        known = field in self.settings.body or refused.status not in (400, 422)
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

    def _may_be_the_text(self, refused: Refused) -> bool:
        if self._failed_in_a_row >= _IN_A_ROW:
            return False
        if refused.status is None:
            # No response in time; but where none ever came, there is no server.
            return self._answered
        return refused.status >= 500 or refused.status in _OF_THE_TEXT


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
