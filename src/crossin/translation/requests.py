"""Requests for translations, their responses, and what a translator must offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class TranslationRequest:
    """Texts to translate together, from the language `source` into `target` (codes).

    names: what each text is (`instruction`, `input`, `output`, `text`, or a turn such as `user 1`). Spans
    that must not change are placeholders in `texts` (`crossin.translation.protection`). attempt: 0 for the
    first time; later attempts use other settings. context: earlier turns of a conversation, by name, which
    are not translated.
    """

    source: str
    target: str
    names: tuple[str, ...]
    texts: tuple[str, ...]
    attempt: int = 0
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class TranslationResponse:
    """As many texts as were requested; or None, with a `reason` code and a `detail` for people.

    cut: the translator reached its token limit. prompt_tokens, completion_tokens: 0 where it does not count
    them. cacheable: False for a failure that may not happen again, such as a lost connection. time: when it
    arrived (UTC, to the second), set by the scheduler.
    """

    texts: tuple[str, ...] | None
    reason: str = ""
    detail: str = ""
    cut: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cacheable: bool = True
    time: str = ""


class Translator(Protocol):
    """A way to translate: `async with translator: response = await translator.translate(request)`.

    unit: what a request holds, all texts of a row, one of them, or one sentence. attempts: how often a text
    may be requested before it is rejected. concurrency: how many requests it can use at once. Entering it
    loads the model or opens connections.
    """

    unit: Literal["row", "text", "sentence"]
    attempts: int
    concurrency: int

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides a translation apart from the request, as JSON values: model, prompt, settings."""

    @property
    def by_span(self) -> bool:
        """Whether texts must be split at placeholders, since the translator cannot write them."""

    def check(self, source: str, targets: Sequence[str]) -> None:
        """Raise CrossinError where the translator does not have one of these languages."""

    async def translate(self, request: TranslationRequest) -> TranslationResponse:
        """Translate one request. Raises CrossinError where the run cannot continue."""

    def stop(self) -> None:
        """Start no more requests: those in flight end as usual, the others are cancelled."""

    async def __aenter__(self) -> Translator: ...

    async def __aexit__(self, *_: object) -> None: ...
