"""What translators behind a server share: connection, budget, and which failures may be the text's."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Self

from crossin.servers import KeyPlace, Refused, Server, ServerRequest, ServerSettings, check_client
from crossin.translation.reasons import TranslationReason
from crossin.translation.requests import TranslationRequest, TranslationResponse

# Seconds that other requests wait for the first.
_PATIENCE = 10.0
# After this many failures in a row the server is taken to be down.
_IN_A_ROW = 20
# With these statuses the text may be the reason; with others it is the server, the key, or the model.
_OF_THE_TEXT = {400, 408, 413, 422}


class ServerTranslator(ABC):
    """The base of translators by a server. A subclass says what is sent, and reads the answer.

    accounting: the file by which all processes of a run share budget, rate limit and usage.
    """

    attempts: int
    unit: Literal["row", "text", "sentence"]
    by_span = False
    key_place = KeyPlace()

    def __init__(self, settings: ServerSettings, accounting: Path | None = None) -> None:
        self.settings, self.accounting = settings, accounting
        self.concurrency = settings.concurrency

    @property
    @abstractmethod
    def identity(self) -> Mapping[str, Any]:
        """All that is sent but the texts; not the server's address, which may change."""

    @abstractmethod
    def server_request(self, request: TranslationRequest) -> ServerRequest:
        """What is sent for a request, without the settings' `body`."""

    @abstractmethod
    def read(self, answer: dict[str, Any], request: TranslationRequest) -> TranslationResponse:
        """The translation in a server's answer, or why there is none."""

    def check(self, source: str, targets: Sequence[str]) -> None:  # noqa: ARG002 (any language)
        """The server is assumed to have every language: the checks show whether it has. Raises CrossinError
        where nothing can be sent.
        """
        check_client(self.settings)

    async def __aenter__(self) -> Self:
        self._server = await Server(self.settings, self.accounting, key_place=self.key_place).__aenter__()
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
        return self.read(answer, request)

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
        return await self._server.request(self.server_request(request))

    def _may_be_the_text(self, refused: Refused) -> bool:
        if self._failed_in_a_row >= _IN_A_ROW:
            return False
        if refused.status is None:
            # No response in time; but where none ever came, there is no server.
            return self._answered
        return refused.status >= 500 or refused.status in _OF_THE_TEXT
