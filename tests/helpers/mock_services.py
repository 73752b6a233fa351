"""Mock translation services on loopback that know the true translations of a table, and answer as DeepL,
Google and LibreTranslate do: their paths, keys, codes of languages, answers and errors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.loopback import Asked, Log, answering, response

KEYS = {
    "deepl": "DEEPL_AUTH_KEY",
    "google": "GOOGLE_API_KEY",
    "libretranslate": "LIBRETRANSLATE_API_KEY",
}
KEY = "a-secret-key"
_NAMES = {
    "deepl": {"ES": "Spanish", "ZH-HANS": "Chinese"},
    "google": {"es": "Spanish", "zh-CN": "Chinese"},
    "libretranslate": {"es": "Spanish", "zh": "Chinese"},
}


@contextmanager
def mock_service(engine: str, table: Path, *, keyed: bool = True, quota: int | None = None) -> Iterator[Log]:
    """A service that takes KEY (keyed: False, that needs none), until `quota` requests were answered."""
    known: dict[str, str] = json.loads(table.read_text("utf-8"))
    left = [quota]

    async def answer(asked: Asked) -> bytes:
        if left[0] is not None:
            if left[0] == 0:
                return response(456, {"message": "Quota for this billing period has been exceeded."})
            left[0] -= 1
        return {"deepl": _deepl, "google": _google, "libretranslate": _libretranslate}[engine](
            asked, known, keyed
        )

    with answering(answer) as log:
        log.base_url = log.base_url.removesuffix("/v1") + ("/v2" if engine == "deepl" else "")
        yield log


def _deepl(asked: Asked, known: dict[str, str], keyed: bool) -> bytes:
    if keyed and asked.headers.get("authorization") != f"DeepL-Auth-Key {KEY}":
        return response(403, {"message": "Forbidden"})
    body = asked.body
    assert asked.path == "/v2/translate"
    assert isinstance(body["text"], list)
    if body["source_lang"] != "EN":
        return response(400, {"message": "Value for 'source_lang' not supported."})
    if body["target_lang"] not in _NAMES["deepl"]:
        return response(400, {"message": "Value for 'target_lang' not supported."})
    name = _NAMES["deepl"][body["target_lang"]]
    found = [
        {"detected_source_language": "EN", "text": _known(known, name, text), "billed_characters": len(text)}
        for text in body["text"]
    ]
    return response(200, {"translations": found})


def _google(asked: Asked, known: dict[str, str], keyed: bool) -> bytes:
    if keyed and asked.headers.get("x-goog-api-key") != KEY:
        message = "API key not valid. Please pass a valid API key."
        return response(400, {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}})
    body = asked.body
    assert asked.path == "/v2"
    # Anything else is HTML: entities in the answer, and no line breaks.
    assert body["format"] == "text"
    if body["target"] not in _NAMES["google"]:
        return response(400, {"error": {"code": 400, "message": "Bad language pair: en|tlh"}})
    name = _NAMES["google"][body["target"]]
    found = [{"translatedText": _known(known, name, text)} for text in body["q"]]
    return response(200, {"data": {"translations": found}})


def _libretranslate(asked: Asked, known: dict[str, str], keyed: bool) -> bytes:
    body = asked.body
    assert asked.path == "/translate"
    if keyed and body.get("api_key") != KEY:
        return response(403, {"error": "Invalid API key"})
    if body["target"] not in _NAMES["libretranslate"]:
        return response(400, {"error": f"{body['target']} is not supported"})
    text = _known(known, _NAMES["libretranslate"][body["target"]], body["q"])
    return response(200, {"translatedText": text})


def _known(known: dict[str, str], name: str, text: Any) -> str:
    return known.get(f"{name}|{text}", str(text))
