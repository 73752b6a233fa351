"""What a server's response means: an answer, or a failure, which may be temporary."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from crossin.core.errors import CrossinError

_TEMPORARY = {408, 409, 425, 429}
# DeepL's own status: the characters of the account are used up.
_QUOTA = 456
_LONGEST_QUOTE = 300


class Refused(CrossinError):
    """A request that the server did not answer; `status` is its HTTP status, None where none came."""

    def __init__(self, message: str, *, status: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed. A `temporary` one may be repeated, but not before `wait` seconds have passed."""

    message: str
    status: int | None = None
    temporary: bool = True
    wait: float = 0.0


def read_response(
    status: int, headers: Mapping[str, str], content: bytes, key: str | None
) -> dict[str, Any] | Failure:
    """The answer in a response, or why there is none. Quotes of the server's words never hold `key`."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if 200 <= status < 300:
        if isinstance(body, dict) and not body.get("error"):
            return body
        return Failure(f"unexpected answer: {_quote(body, content, key)}", status)
    # An account without money answers as one that asks too fast; waiting does not help it.
    temporary = (status in _TEMPORARY or status >= 500) and b"insufficient_quota" not in content
    wait = _retry_after(headers) if temporary else 0.0
    return Failure(f"status {status}: {_quote(body, content, key)}", status, temporary, wait)


def hint_for(
    failure: Failure, key_variable: str, keyed: bool, model: str | None, models: list[str] | None
) -> str:
    """What a user can do about a failure.

    keyed: whether a key was sent. model: None where a request names none. models: those that the server
    lists, None where it does not answer.
    """
    status = failure.status
    if status is None:
        return "check that the server runs and can be reached, and run again: finished answers are cached"
    if status == 401 or (status == 403 and model is None):
        state = "the one that is set is not accepted" if keyed else "it is not set"
        return f"set the environment variable {key_variable} to a key of this server ({state})"
    if status == 403:
        return f"use a key that may use '{model}' (environment variable {key_variable})"
    if status == 404 and models is not None and model not in models:
        shown = ", ".join(models[:20]) + (" and more" if len(models) > 20 else "")
        return f"name one of the server's models: {shown}" if models else "load a model into the server"
    if status == 404:
        return "check the base URL" + (": it usually ends in /v1" if model else "")
    if 300 <= status < 400:
        return "give the base URL that it redirects to; a key is not sent to another address"
    if status == _QUOTA:
        return "wait until the quota is renewed, or raise it: finished answers are cached"
    if status == 429:
        return "set a limit of requests or tokens a minute, lower the concurrency, or check the quota"
    if not failure.temporary:
        return (
            "fix what the server complains of: a field is left out with --body '{\"FIELD\": null}', and a"
            " prompt too long for the model needs a longer context or fewer shots"
        )
    return "look at the server's own log, and run again: finished answers are cached"


def _quote(body: Any, content: bytes, key: str | None) -> str:
    """The server's own words, short, on one line, without markup, control characters or the key."""
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    text = message if isinstance(message, str) else content.decode("utf-8", "replace")
    if key:
        text = text.replace(key, "[key]")
    text = re.sub(r"(?is)<(style|script)\b.*?</\1>|<[^>]*>", " ", text)
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return (text[:_LONGEST_QUOTE] + "…" if len(text) > _LONGEST_QUOTE else text) or "(nothing)"


def _retry_after(headers: Mapping[str, str]) -> float:
    """The seconds that a server asks to wait (RFC 9110, 10.2.3: a number, or a date); 0 where it does not."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        # By the server's own clock where it is known, since the two may differ.
        now = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0
