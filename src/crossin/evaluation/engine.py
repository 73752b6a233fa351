"""What evaluation needs of an engine: log-probabilities of continuations, and generated replies.

A new engine is one class with the members of `Engine`; nothing else of evaluation depends on its kind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.core.reasons import Reason
from crossin.items import Chat

# Prompt, options, the longest reply, stop texts, and how the reply is sampled, where it is.
Content = tuple[Any, ...]


class EngineNote(Reason):
    """What a user should know of how an engine worked; the manifest holds the codes."""

    UNSHARED_LAYERS = "unshared_layers", "slow: its layers cannot share a beginning between questions"
    UNSHARED_FAILURE = "unshared_failure", "slow: it fails with a beginning that questions share"
    UNSHARED_DIFFERENCE = (
        "unshared_difference",
        "slow: its log-probabilities change with a beginning that questions share",
    )
    TOP_LETTERS = "top_letters", "letters were looked up among the server's most probable first tokens"
    UNKNOWN_LOGPROBS = (
        "unknown_logprobs",
        "some options have no log-probability: the server gives no number, or tokens that do not spell them",
    )
    PLAIN_AS_CHAT = "plain_as_chat", "the server completes no plain prompts: they are sent as conversations"
    UNCOUNTED_TOKENS = (
        "uncounted_tokens",
        "the server does not count the tokens of all its answers: tokens and cost are too low, and prompts "
        "that it cuts go unnoticed",
    )
    CUT_PROMPTS = "cut_prompts", "the server cuts long prompts, which --truncate left accepts"
    UNSCORED_FIRST = (
        "unscored_first",
        "where nothing precedes an option, its first token has no log-probability: the others are scored",
    )
    UNSEEDED = "unseeded", "the server takes no seed: sampled replies are the same again only from the cache"


class CutPrompts(CrossinError):
    """The server cuts long prompts. What it counted `least` tokens for, or more, may have been cut."""

    def __init__(self, message: str, least: int, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.least = least


class Draw(NamedTuple):
    """How the tokens of one reply are drawn: `key` decides all random numbers."""

    key: int
    temperature: float
    top_p: float


class Sampling(NamedTuple):
    """A reply that is drawn from the model's distribution, not decoded greedily: number `number` of those to
    one prompt. It depends on the prompt and these values alone.

    temperature: divides the logits, above 0. top_p: only the likeliest tokens count that have together at
    least this probability (nucleus sampling, arXiv 1904.09751); 1: all.
    """

    number: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Request:
    """One prompt with options to score or a reply to generate.

    `options` are the continuations to score, each with what separates it from the prompt; there are none
    where a reply of at most `max_tokens` tokens is to be generated, which ends before any text in `stop`,
    greedily unless there is `sampling`. Requests of one `key` (such as a benchmark in a language) may be
    computed together; `name` is how errors call the question.
    """

    prompt: str | Chat
    options: tuple[str, ...] = ()
    max_tokens: int = 0
    stop: tuple[str, ...] = ()
    key: str = ""
    name: str = ""
    sampling: Sampling | None = None

    @property
    def content(self) -> Content:
        """What decides the answer, beside the engine."""
        sampling = () if self.sampling is None else (self.sampling,)
        return self.prompt, self.options, self.max_tokens, self.stop, *sampling

    @property
    def example(self) -> dict[str, Any]:
        """Prompt and options as a dry run shows them; a conversation has a line for each turn."""
        lines = (
            [self.prompt] if isinstance(self.prompt, str) else [f"{who}: {text}" for who, text in self.prompt]
        )
        return {"prompt": "\n".join(lines), "options": list(self.options)}

    @property
    def draw(self) -> Draw | None:
        """How the reply is drawn; None where it is decoded greedily."""
        if self.sampling is None:
            return None
        number, temperature, top_p, seed = self.sampling
        return Draw(hash64("reply", seed, number, self.prompt), temperature, top_p)


@dataclass(frozen=True)
class Scores:
    """For each option, the natural logarithm of its probability after the prompt (the sum over its tokens;
    None where the engine cannot know it), and how many tokens were scored.

    `computed` tokens went through the model for this request, and `saved` more would have without sharing.
    listed: they are of the most probable tokens, so an option without one is less probable than all others.
    failed: for each option that the server did not answer, the code of the reason; such scores are not kept.
    prompt_tokens: as a server counts them (the most of all options), 0 where none does.
    """

    logprobs: list[float | None]
    tokens: list[int]
    computed: int = 0
    saved: int = 0
    listed: bool = False
    failed: list[str] = field(default_factory=list)
    prompt_tokens: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Reply:
    """A generated text; `cut` says that it ended at the limit of tokens. The rest is as in `Scores`."""

    text: str
    cut: bool = False
    computed: int = 0
    saved: int = 0
    failed: list[str] = field(default_factory=list)
    prompt_tokens: int = field(default=0, compare=False)


def before(text: str, stops: Sequence[str]) -> str | None:
    """The text before the first of `stops`, or None where there is none. White space that a reply begins with
    ends nothing.
    """
    begin = len(text) - len(text.lstrip())
    places = [place for place in (text.find(stop, begin) for stop in stops if stop) if place >= 0]
    return text[: min(places)] if places else None


class Engine(Protocol):
    """A model that answers requests. Making one is cheap: weights are loaded at the first request."""

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the answers (engine, precision and so on), as JSON values without secrets."""

    @property
    def inputs(self) -> dict[str, Path]:
        """The files and folders that it reads, which the manifest hashes."""

    @property
    def notes(self) -> list[str]:
        """Codes of `EngineNote` (or of reasons of its own); the list grows while the engine works."""

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        """The scores of the requests whose numbers are in `wanted`, each with its number, in any order.

        The other requests are answered already. They are passed because what is computed together must not
        depend on what is left to do: the figures are the same after a restart.
        """

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        """The replies to the requests whose numbers are in `wanted`, each with its number, in any order."""

    def close(self) -> None:
        """Release processes and connections."""


@runtime_checkable
class Recalling(Protocol):
    """An engine that looks at answers of earlier runs too."""

    def recall(self, known: Iterable[tuple[Request, int]]) -> int | None:
        """Look at requests that are answered, each with its `prompt_tokens`. Where it is certain that the
        server cut prompts: the number of tokens from which on they may have been cut, and they are forgotten.
        """
