"""A server's key: where it is kept, and where a server takes it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from crossin.core.errors import CrossinError


@dataclass(frozen=True)
class KeyPlace:
    """Where a server takes its key: in a header, as `form` says, or in a field of the body."""

    header: str = "Authorization"
    form: str = "Bearer {key}"
    field: str | None = None

    def headers(self, key: str | None) -> dict[str, str]:
        """The header that holds the key; none without a key, or where it is in the body."""
        return {self.header: self.form.format(key=key)} if key and self.field is None else {}

    def with_key(self, body: dict[str, Any], key: str | None) -> dict[str, Any]:
        """The body as it is sent."""
        return {**body, self.field: key} if key and self.field is not None else body


def key_of(variable: str) -> str | None:
    """The key, which is read when it is needed and stored nowhere."""
    key = os.environ.get(variable, "").strip()
    if not key:
        return None
    if not key.isascii() or not key.isprintable():
        # The HTTP client's own error would quote it.
        raise CrossinError(
            f"the environment variable {variable} does not hold a key",
            hint="set it to the key alone, without quotes or line breaks",
        )
    return key
