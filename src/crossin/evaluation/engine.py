"""What evaluation asks of an engine: log-probabilities of continuations, and generated replies.

A new engine is one class with these members; nothing else of evaluation knows which one is at work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from crossin.items import Chat


@dataclass(frozen=True)
class Request:
    """One thing to ask.

    `options` are the continuations to score, each with what separates it from the prompt; there are none
    where a reply of at most `max_tokens` tokens is to be generated, which ends before any text in `stop`.
    Requests of one `key` (such as a benchmark in a language) may be computed together; `name` tells a user
    which question it is.
    """

    prompt: str | Chat
    options: tuple[str, ...] = ()
    max_tokens: int = 0
    stop: tuple[str, ...] = ()
    key: str = ""
    name: str = ""


@dataclass(frozen=True)
class Scores:
    """For each option, the natural logarithm of its probability after the prompt (the sum over its tokens;
    None where the engine cannot know it), and how many tokens were scored.

    `computed` tokens went through the model for this request, and `saved` more would have without sharing.
    """

    logprobs: list[float | None]
    tokens: list[int]
    computed: int = 0
    saved: int = 0


@dataclass(frozen=True)
class Reply:
    """A generated text; `cut` says that it ended at the limit of tokens."""

    text: str
    cut: bool = False
    computed: int = 0
    saved: int = 0


class Engine(Protocol):
    """A model that can be asked. Making one is cheap: weights are loaded when the first question comes."""

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the answers (engine, precision and so on), as JSON values without secrets."""

    @property
    def inputs(self) -> dict[str, Path]:
        """The files and folders that it reads, which the manifest hashes."""

    @property
    def notes(self) -> list[str]:
        """What the user should know of how it worked, such as a fallback; grows while it works."""

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        """The scores of the requests whose numbers are in `wanted`, each with its number, in any order.

        The other requests are answered already. They are here because what is computed together must not
        depend on what is left to do: the figures are the same after a restart.
        """

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        """The replies to the requests whose numbers are in `wanted`, each with its number, in any order."""

    def close(self) -> None:
        """Let go of processes and connections."""
