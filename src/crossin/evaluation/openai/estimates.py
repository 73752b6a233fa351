"""What an evaluation on a server would take; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from crossin.evaluation.engine import Request
from crossin.servers import ServerSettings, rough_tokens


@dataclass(frozen=True)
class Estimate:
    """What an evaluation would take: requests, characters sent, and tokens, which are rough: one for every
    four bytes of UTF-8 sent, and each reply as long as it may be. `cost` is None without prices.
    """

    requests: int
    characters: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


def estimate(
    requests: Sequence[Request], kind: Literal["text", "letters", "generate"], server: ServerSettings
) -> Estimate:
    """What the requests would take at the server's prices. By kind "text" each option is a request."""
    count = characters = sent = received = 0
    for request in requests:
        turns = [request.prompt] if isinstance(request.prompt, str) else [text for _, text in request.prompt]
        prompt = "".join(turns)
        options = request.options if kind == "text" and request.options else ("",)
        count += len(options)
        characters += sum(len(prompt) + len(option) for option in options)
        sent += sum(rough_tokens(prompt + option) for option in options)
        received += len(options) * max(1, 0 if request.options else request.max_tokens)
    return Estimate(count, characters, sent, received, server.cost(sent, received))
