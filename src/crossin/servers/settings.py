"""The settings of an OpenAI-compatible server, the same for every command."""

from __future__ import annotations

from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, field_validator, model_validator

from crossin.core.errors import CrossinError
from crossin.core.settings import Settings, setting

_setting = partial(setting, group="A server (openai)")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class ServerSettings(Settings):
    """A server's address, limits and prices. The key comes from the environment, at each run.

    base_url: as in `http://localhost:8000/v1`. requests_per_minute, tokens_per_minute, budget: for a whole
    run, of all its processes. timeout: seconds for one attempt. budget: the most that a run may cost, in the
    currency of the prices, which are those of a million tokens; what the run cost before it was stopped and
    resumed is part of it. body: fields that are added to every request; one that is None is left out.
    """

    # A base URL may hold a password, which no error may show.
    model_config = ConfigDict(hide_input_in_errors=True)

    base_url: str | None = _setting(None, "The server, as in http://localhost:8000/v1.", metavar="URL")
    key_variable: str = _setting("OPENAI_API_KEY", "Environment variable that holds the key.", metavar="NAME")
    concurrency: int = _setting(16, "Requests in flight at once.", gt=0)
    requests_per_minute: float | None = _setting(None, "Limit of requests a minute.", gt=0)
    tokens_per_minute: float | None = _setting(None, "Limit of tokens a minute (estimated).", gt=0)
    timeout: float = _setting(120.0, "Seconds for one attempt at a request.", gt=0)
    retries: int = _setting(5, "Further attempts at a request that failed.", ge=0)
    price_in: float | None = _setting(None, "Price of a million prompt tokens.", ge=0)
    price_out: float | None = _setting(None, "Price of a million reply tokens.", ge=0)
    budget: float | None = _setting(None, "Stop before the run costs more than this.", gt=0)
    body: dict[str, Any] = _setting(
        {}, "More fields of each request; null leaves one out: '{\"max_tokens\": null}'.", metavar="JSON"
    )

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str | None) -> str | None:
        """The URL without its last slash. It is never quoted: it may hold a secret."""
        if value is None:
            return None
        url = value.strip()
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https"):
            raise ValueError("expected the URL of a server, as in http://localhost:8000/v1")
        if "@" in parts.netloc or "?" in url or "#" in url:
            raise ValueError("a password, a query or a fragment is not allowed; set the key's variable")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _check_prices(self) -> Self:
        if (self.price_in is None) != (self.price_out is None):
            raise ValueError("one price alone gives no cost: set both price_in and price_out")
        if self.budget is not None and self.price_in is None:
            raise ValueError("a budget needs prices: set price_in and price_out too")
        return self

    @property
    def url(self) -> str:
        """The base URL; an error where there is none."""
        if self.base_url is None:
            raise CrossinError(
                "a server needs an address", field="base_url", hint="--base-url http://HOST/v1"
            )
        return self.base_url

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        host = urlsplit(self.url).hostname or ""
        return host in _LOOPBACK or host.startswith("127.")

    def seconds(self, tokens: int) -> float:
        """The part of the limits a minute that a request of so many tokens takes, in seconds; 0 without."""
        return max(
            60 / self.requests_per_minute if self.requests_per_minute else 0.0,
            tokens * 60 / self.tokens_per_minute if self.tokens_per_minute else 0.0,
        )

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """What these tokens cost; None without prices."""
        if self.price_in is None or self.price_out is None:
            return None
        return (prompt_tokens * self.price_in + completion_tokens * self.price_out) / 1e6
