"""What a server's answer means: a result, a trouble that may pass, or a refusal with what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from crossin.core.errors import CrossinError

_PASSING = {408, 409, 425, 429}
_LONGEST_QUOTE = 300


class Refused(CrossinError):
    """A call that the server did not answer; `status` is its HTTP status, None where none came."""

    def __init__(self, message: str, *, status: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


@dataclass(frozen=True)
class Trouble:
    """Why an attempt failed, in words; it may be made `again`, but not before `wait` seconds are over."""

    what: str
    status: int | None = None
    again: bool = True
    wait: float = 0.0


def read(
    status: int, headers: Mapping[str, str], content: bytes, key: str | None
) -> dict[str, Any] | Trouble:
    """The answer in a response, or the trouble with it. Quotes of the server's words never hold `key`."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if 200 <= status < 300:
        if isinstance(body, dict) and not body.get("error"):
            return body
        return Trouble(f"the answer is not what it should be: {_quote(body, content, key)}", status)
    what = f"it answered {status}: {_quote(body, content, key)}"
    # An account without money answers as one that asks too fast; waiting does not help it.
    passing = (status in _PASSING or status >= 500) and b"insufficient_quota" not in content
    return Trouble(what, status, passing, _retry_after(headers) if passing else 0.0)


def refusal(
    trouble: Trouble,
    *,
    server: str,
    name: str,
    key_variable: str,
    keyed: bool,
    model: str,
    models: list[str] | None,
) -> Refused:
    """The error that tells a user of a trouble that does not pass, and what to do about it.

    `keyed` says that a key was sent; `models` are those that the server lists, None where it does not answer.
    """
    status = trouble.status
    if status == 401:
        hint = f"set the environment variable {key_variable} to a key of this server"
        hint += " (the one that is set is not accepted)" if keyed else " (it is not set)"
    elif status == 403:
        hint = f"use a key that may use '{model}' (environment variable {key_variable})"
    elif status == 404 and models is not None and model not in models:
        shown = ", ".join(models[:20]) + (" and more" if len(models) > 20 else "")
        hint = f"name one of the server's models: {shown}" if models else "load a model into the server"
    elif status == 404:
        hint = "check the base URL: it usually ends in /v1"
    elif status is not None and 300 <= status < 400:
        hint = "give the base URL that it redirects to; a key is taken to no other address unasked"
    elif status is not None and not trouble.again and status != 429:
        hint = "mend what the server complains of; a prompt too long for the model needs fewer shots"
    elif status == 429:
        hint = (
            "set a limit of requests or tokens a minute, use less concurrency, or look at the account's quota"
        )
    elif status is not None:
        hint = "look at the server's own log, and run again: what was answered is kept"
    else:
        hint = "see that the server runs and can be reached, and run again: what was answered is kept"
    return Refused(f"{name + ': ' if name else ''}{server}: {trouble.what}", status=status, hint=hint)


def _quote(body: Any, content: bytes, key: str | None) -> str:
    """The server's own words, short, on one line, without mark-up, control characters or the key."""
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
        # The server's own clock, where it tells, since the two may differ.
        now = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0
