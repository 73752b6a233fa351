"""Translates by a translation service: DeepL, Google Cloud Translation, or a LibreTranslate server.

Each has a small JSON protocol. One library for all of them that is kept up, and does not send the key in a
URL, was not found (docs/architecture.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.servers import KeyPlace, Refused, ServerRequest, ServerSettings, key_of
from crossin.translation.reasons import TranslationReason
from crossin.translation.requests import TranslationRequest, TranslationResponse
from crossin.translation.translators.server import ServerTranslator

# How services say with status 400 that they lack a language, or do not know the key: every request has these.
_LACKS_LANGUAGE = re.compile(r"lang|is not supported|not available as a target|invalid value", re.I)
_WRONG_KEY = re.compile(r"api[ _]?key", re.I)


@dataclass(frozen=True)
class Service:
    """A service's protocol.

    address: of the account that a key belongs to; None where each user has a server. path: of a translation.
    targets, sources: codes of languages that the service spells differently. body: a request's fields, given
    the codes of source and target. text: the translation in an answer.
    """

    name: str
    address: Callable[[str], str] | None
    key_variable: str
    path: str
    key_place: KeyPlace
    body: Callable[[TranslationRequest, str, str], dict[str, Any]]
    text: Callable[[Any], Any]
    targets: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)


def _deepl(request: TranslationRequest, source: str, target: str) -> dict[str, Any]:
    context = "\n".join(text for _, text in request.context)
    # A source is named without its country or script.
    return {
        "text": list(request.texts),
        "source_lang": source.partition("-")[0].upper(),
        "target_lang": target.upper(),
        "preserve_formatting": True,
        **({"context": context} if context else {}),
    }


def _google(request: TranslationRequest, source: str, target: str) -> dict[str, Any]:
    return {"q": list(request.texts), "source": source, "target": target, "format": "text"}


def _libretranslate(request: TranslationRequest, source: str, target: str) -> dict[str, Any]:
    return {"q": request.texts[0], "source": source, "target": target, "format": "text"}


_GOOGLE_CODES = {"zh": "zh-CN", "zh-Hant": "zh-TW", "nb": "no"}
SERVICES = {
    "deepl": Service(
        "DeepL",
        # Keys of the free service end so.
        lambda key: f"https://api{'-free' if key.endswith(':fx') else ''}.deepl.com/v2",
        "DEEPL_AUTH_KEY",
        "translate",
        KeyPlace(form="DeepL-Auth-Key {key}"),
        _deepl,
        lambda answer: answer["translations"][0]["text"],
        targets={"en": "en-US", "pt": "pt-PT", "zh": "zh-Hans"},
    ),
    "google": Service(
        "Google Cloud Translation",
        lambda _: "https://translation.googleapis.com/language/translate",
        "GOOGLE_API_KEY",
        "v2",
        KeyPlace(header="X-Goog-Api-Key", form="{key}"),
        _google,
        lambda answer: answer["data"]["translations"][0]["translatedText"],
        targets=_GOOGLE_CODES,
        sources=_GOOGLE_CODES,
    ),
    "libretranslate": Service(
        "LibreTranslate",
        None,
        "LIBRETRANSLATE_API_KEY",
        "translate",
        KeyPlace(field="api_key"),
        _libretranslate,
        lambda answer: answer["translatedText"],
    ),
}


class ServiceTranslator(ServerTranslator):
    """A translation service, which gets one text at a time and is paid by the character.

    Of the settings, prices and limits that speak of tokens are of characters, as these services count; `body`
    adds fields of the service, such as DeepL's `formality` or Google's `model`.
    """

    # It gives the same translation each time; what is requested again is smaller parts.
    attempts = 1

    def __init__(self, engine: str, settings: ServerSettings, *, accounting: Path | None = None) -> None:
        self.engine, self.service = engine, SERVICES[engine]
        self.key_place, self.unit = self.service.key_place, "text"
        super().__init__(_completed(settings, self.service), accounting)

    @property
    def identity(self) -> Mapping[str, Any]:
        """The service and the fields that are added; not its address, which depends on the account."""
        return {"engine": self.engine, "model": self.service.name, "body": self.settings.body}

    def check(self, source: str, targets: Sequence[str]) -> None:
        """Raise CrossinError where nothing can be sent: no address, no key. Which languages the service has
        is known by its first answer.
        """
        super().check(source, targets)
        if self.service.address is not None and not key_of(self.settings.key_variable):
            raise CrossinError(
                f"{self.service.name} needs a key",
                field="key_variable",
                hint=f"set the environment variable {self.settings.key_variable} to yours",
            )

    def server_request(self, request: TranslationRequest) -> ServerRequest:
        """What is sent for a request, without the settings' `body`; its tokens are characters."""
        service = self.service
        source = service.sources.get(request.source, request.source)
        target = service.targets.get(request.target, request.target)
        characters = sum(map(len, request.texts))
        body = service.body(request, source, target)
        return ServerRequest(
            service.path, body, name=request.target, prompt_tokens=characters, billed=characters
        )

    def read(self, answer: dict[str, Any], request: TranslationRequest) -> TranslationResponse:  # noqa: ARG002
        """The one text in the service's answer."""
        try:
            text = self.service.text(answer)
        except (KeyError, IndexError, TypeError):
            return TranslationResponse(None, TranslationReason.INVALID_RESPONSE)
        if not isinstance(text, str):
            return TranslationResponse(None, TranslationReason.NOT_TEXT)
        return TranslationResponse((text,))

    async def _tried(self, request: TranslationRequest) -> dict[str, Any]:
        try:
            return await super()._tried(request)
        except Refused as refused:
            if refused.status == 400 and _WRONG_KEY.search(refused.message):
                hint = f"set the environment variable {self.settings.key_variable} to a key of this service"
                raise CrossinError(refused.message, hint=hint) from refused
            if refused.status == 400 and _LACKS_LANGUAGE.search(refused.message):
                pair = f"from {request.source} into {request.target}"
                hint = f"leave {request.target} out of --to if {self.service.name} does not translate {pair}"
                raise CrossinError(refused.message, hint=hint) from refused
            raise


def _completed(settings: ServerSettings, service: Service) -> ServerSettings:
    """The settings with the service's own key variable and address, where they name none."""
    variable = settings.key_variable if "key_variable" in settings.model_fields_set else service.key_variable
    address = settings.base_url or (service.address and service.address(key_of(variable) or ""))
    if address is None:
        raise CrossinError(
            f"{service.name} needs the address of its server",
            field="base_url",
            hint="--base-url http://localhost:5000",
        )
    return settings.model_copy(update={"key_variable": variable, "base_url": address})
