"""One request to a server, and the tokens that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class ServerRequest:
    """A JSON `body` to post to `path` below the base URL ("chat/completions").

    tag: the caller's own mark. name: what errors call the request. prompt_tokens, completion_tokens: about
    how many tokens it will take, for rate limits and budgets. A rate limit counts the body's `max_tokens`
    (or `max_completion_tokens`) instead of completion_tokens, as servers do. billed: what its answer counts
    where the server counts nothing, as services do that charge for the characters sent.
    """

    path: str
    body: dict[str, Any]
    tag: Any = None
    name: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    billed: int | None = None

    def merged(self, more: Mapping[str, Any]) -> ServerRequest:
        """The request with more fields in its body, in place of its own; one that is None is left out."""
        body = {name: value for name, value in {**self.body, **more}.items() if value is not None}
        return replace(self, body=body)

    @property
    def limit_tokens(self) -> int:
        """What a limit of tokens a minute counts, before the answer is there."""
        most = self.body.get("max_tokens") or self.body.get("max_completion_tokens")
        return self.prompt_tokens + (most if isinstance(most, int) else self.completion_tokens)


@dataclass(frozen=True)
class Usage:
    """What the requests of a run took: answered ones, repeated attempts, tokens as the server counts them.

    uncounted: answers without a count of tokens. cost: in the currency of the prices; None without prices.
    """

    requests: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    uncounted: int = 0
    cost: float | None = None


def tokens_used(answer: dict[str, Any]) -> tuple[int, int] | None:
    """The tokens of prompt and completion as the server counts them; None where it does not."""
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens") or 0
    return (prompt, completion) if isinstance(prompt, int) and isinstance(completion, int) else None


def rough_tokens(text: str) -> int:
    """An estimate of a text's tokens: one for every four bytes of UTF-8, which fits English, and Chinese and
    Thai too, whose characters have three bytes each.
    """
    return -(-len(text.encode()) // 4)
