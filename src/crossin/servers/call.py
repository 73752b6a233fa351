"""One call to a server, and what calls have used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """A JSON `body` to post to `path` below the base URL ("chat/completions").

    `about` is the caller's own mark, `name` tells a user what the call is about, and `tokens` is about how
    many tokens it will use, for a limit of tokens a minute.
    """

    path: str
    body: dict[str, Any]
    about: Any = None
    name: str = ""
    tokens: int = 0


@dataclass
class Usage:
    """What a server has done so far: calls answered, attempts repeated, tokens as the server counts them.

    `uncounted` calls came back without a count of tokens. `prices` are those of a million prompt tokens and
    a million completion tokens.
    """

    prices: tuple[float, float] | None = None
    calls: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    uncounted: int = 0

    @property
    def cost(self) -> float | None:
        """In the currency of the prices; None without prices."""
        return price(self.prompt_tokens, self.completion_tokens, self.prices)

    def add(self, answer: dict[str, Any]) -> int:
        """Count an answer, and return how many tokens it used."""
        self.calls += 1
        used = tokens_used(answer)
        if used is None:
            self.uncounted += 1
            return 0
        self.prompt_tokens += used[0]
        self.completion_tokens += used[1]
        return sum(used)


def tokens_used(answer: dict[str, Any]) -> tuple[int, int] | None:
    """The tokens of the prompt and of the completion as the server counts them; None where it does not."""
    usage = answer.get("usage")
    if not isinstance(usage, dict):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens") or 0
    return (prompt, completion) if isinstance(prompt, int) and isinstance(completion, int) else None


def price(prompt: int, completion: int, prices: tuple[float, float] | None) -> float | None:
    """What so many tokens cost at prices a million; None without prices."""
    return (prompt * prices[0] + completion * prices[1]) / 1e6 if prices else None


def rough_tokens(text: str) -> int:
    """About how many tokens a text has: one for every four bytes of UTF-8, which fits English, and Chinese
    and Thai too, whose characters are three bytes each.
    """
    return -(-len(text.encode()) // 4)
